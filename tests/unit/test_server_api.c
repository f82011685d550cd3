// SPDX-License-Identifier: MPL-2.0
// Goal: the server's API over real sockets does what its header says. Method: a manager of a few
// rules on loopback that hands out a row of requests to whoever offers (fake_manager.h); what the
// engine decides is tested in test_link_server.c.
#include "server/baton_server.h"
#include "tests/unit/fake_manager.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LONG_MS 10000
#define REQUESTS_COUNT 20u

struct fixture {
    struct fake_manager manager;
    baton_server_t *server;
};

static int
setup (void **state)
{
    static struct fixture fixture;
    fake_manager_start (&fixture.manager);
    atomic_store (&fixture.manager.requests_count, REQUESTS_COUNT);
    fixture.server = baton_server_new (fixture.manager.endpoint, "tester");
    assert_non_null (fixture.server);
    (void) baton_server_set_linger (fixture.server, 100);
    *state = &fixture;
    return 0;
}

static int
teardown (void **state)
{
    struct fixture *fixture = *state;
    baton_server_destroy (&fixture->server);
    fake_manager_stop (&fixture->manager);
    return 0;
}

static baton_task_t *
take_task (struct fixture *fixture)
{
    baton_task_t *task;
    assert_int_equal (baton_server_next (fixture->server, LONG_MS, &task), BATON_OK);
    return task;
}

static void
a_task_shows_its_request (void **state)
{
    struct fixture *fixture = *state;

    baton_task_t *task = take_task (fixture);

    assert_memory_equal (baton_task_body (task).data, "work", 4);
    assert_int_equal (baton_task_seq (task), 1);
    assert_int_equal (baton_task_attempt (task), 1);
    assert_int_equal (baton_task_is_restarted (task), 1);
    assert_int_equal (baton_task_is_consumed (task), 0);
    assert_int_equal (baton_task_incarnation (task), 7);
    assert_int_equal (baton_task_restart_data (task).size, 0);
    assert_string_equal (baton_task_session_id (task), "00000000000000020000000000000002");
}

static int
reply_to (baton_task_t *task, void *context)
{
    unsigned *left_count = context;
    assert_int_equal (baton_task_reply (task, "done", 4), BATON_OK);
    return --*left_count == 0;
}

static void
run_answers_until_the_handler_says_so (void **state)
{
    struct fixture *fixture = *state;
    unsigned left_count = REQUESTS_COUNT;

    assert_int_equal (baton_server_run (fixture->server, reply_to, &left_count), BATON_OK);

    assert_int_equal (atomic_load (&fixture->manager.responses), REQUESTS_COUNT);
    assert_true (atomic_load (&fixture->manager.commits) < REQUESTS_COUNT);
}

static void
answers_and_restart_data_are_one_commit (void **state)
{
    struct fixture *fixture = *state;
    baton_task_t *task = take_task (fixture);

    assert_int_equal (baton_task_reply (task, "done", 4), BATON_OK);
    assert_int_equal (baton_task_commit (task, "state", 5), BATON_OK);
    assert_int_equal (baton_server_flush (fixture->server, LONG_MS), BATON_OK);

    assert_int_equal (atomic_load (&fixture->manager.commits), 1);
    assert_int_equal (atomic_load (&fixture->manager.restart_data_bytes), 5);
    assert_int_equal (baton_task_restart_data (take_task (fixture)).size, 5);
}

static void
attributes_are_checked_when_they_are_offered (void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal (baton_server_offer (fixture->server, "9", "x"), BATON_BAD_ARGUMENT);
    assert_true (baton_server_error_text (fixture->server)[0] != 0);
    assert_int_equal (baton_server_offer (fixture->server, "cores", "8"), BATON_OK);
    assert_int_equal (baton_server_offer (fixture->server, "cores", "16"), BATON_OK);
    assert_int_equal (baton_server_join (fixture->server, "large"), BATON_OK);
    (void) take_task (fixture);

    assert_int_equal (atomic_load (&fixture->manager.set_bytes), 5);
    assert_true (atomic_load (&fixture->manager.attributes_bytes) > 0);
}

static void
a_changed_offer_is_told_again (void **state)
{
    struct fixture *fixture = *state;
    (void) take_task (fixture);

    assert_int_equal (baton_server_set_capacity (fixture->server, 4), BATON_OK);
    (void) take_task (fixture);

    fake_manager_await (&fixture->manager.offers, 2);
}

static void
a_long_handler_does_not_lose_the_link (void **state)
{
    struct fixture *fixture = *state;
    (void) take_task (fixture);
    unsigned before = atomic_load (&fixture->manager.heartbeats);

    fake_manager_await (&fixture->manager.heartbeats, before + 5);

    struct baton_server_counters counters;
    assert_int_equal (baton_server_read_counters (fixture->server, &counters), BATON_OK);
    assert_int_equal (counters.links_lost, 0);
}

static void
the_descriptor_tells_of_tasks (void **state)
{
    struct fixture *fixture = *state;
    struct pollfd polled = {.fd = baton_server_fd (fixture->server), .events = POLLIN};
    baton_task_t *task;

    for (unsigned taken_count = 0; taken_count < REQUESTS_COUNT;) {
        enum baton_err err = baton_server_next (fixture->server, 0, &task);
        taken_count += err == BATON_OK;
        if (err) assert_int_equal (poll (&polled, 1, LONG_MS), 1);
    }
    assert_int_equal (baton_server_next (fixture->server, 0, &task), BATON_TIMED_OUT);
}

static void
destroy_lets_answers_become_safe_and_says_goodbye (void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal (baton_task_reply (take_task (fixture), "done", 4), BATON_OK);

    baton_server_destroy (&fixture->server);

    assert_int_equal (atomic_load (&fixture->manager.responses), 1);
    fake_manager_await (&fixture->manager.goodbyes, 1);
}

static void
the_default_name_is_made_of_host_and_process (void **state)
{
    (void) state;
    baton_server_t *server = baton_server_new (NULL, NULL);

    assert_non_null (strchr (baton_server_name (server), '-'));

    (void) baton_server_set_linger (server, 0);
    baton_server_destroy (&server);
}

static void
nothing_aborts_on_null (void **state)
{
    struct fixture *fixture = *state;
    baton_task_t *task;
    assert_int_equal (baton_server_next (NULL, 0, &task), BATON_BAD_ARGUMENT);
    assert_int_equal (baton_server_next (fixture->server, 0, NULL), BATON_BAD_ARGUMENT);
    assert_int_equal (baton_server_offer (NULL, "a", "b"), BATON_BAD_ARGUMENT);
    assert_int_equal (baton_server_offer (fixture->server, NULL, "b"), BATON_BAD_ARGUMENT);
    assert_int_equal (baton_server_set_capacity (fixture->server, 0), BATON_BAD_ARGUMENT);
    assert_int_equal (baton_server_run (fixture->server, NULL, NULL), BATON_BAD_ARGUMENT);
    assert_int_equal (baton_task_reply (NULL, "", 0), BATON_BAD_ARGUMENT);
    assert_int_equal (baton_task_commit (NULL, "", 0), BATON_BAD_ARGUMENT);
    assert_int_equal (baton_task_reject (NULL, NULL), BATON_BAD_ARGUMENT);
    assert_int_equal (baton_task_seq (NULL), 0);
    assert_string_equal (baton_task_session_id (NULL), "");
    errno = 0;
    assert_null (baton_server_new (NULL, ""));
    assert_int_equal (errno, EINVAL);
    baton_server_destroy (NULL);
}

int
main (void)
{
#define TEST(name) cmocka_unit_test_setup_teardown (name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST (a_task_shows_its_request),
        TEST (run_answers_until_the_handler_says_so),
        TEST (answers_and_restart_data_are_one_commit),
        TEST (attributes_are_checked_when_they_are_offered),
        TEST (a_changed_offer_is_told_again),
        TEST (a_long_handler_does_not_lose_the_link),
        TEST (the_descriptor_tells_of_tasks),
        TEST (destroy_lets_answers_become_safe_and_says_goodbye),
        cmocka_unit_test (the_default_name_is_made_of_host_and_process),
        TEST (nothing_aborts_on_null),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
