// SPDX-License-Identifier: MPL-2.0
// Goal: the client's API over real sockets does what its header says: waits, time-outs, errors,
// its descriptor, and life while the application is away. Method: a manager of a few rules on
// loopback (fake_manager.h); what the engine decides is tested in test_link_client.c.
#include "client/baton_client.h"
#include "tests/unit/fake_manager.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LONG_MS 10000

struct fixture {
    struct fake_manager manager;
    baton_client_t *client;
};

static int
setup (void **state)
{
    static struct fixture fixture;
    fake_manager_start (&fixture.manager);
    fixture.client = baton_client_new (fixture.manager.endpoint);
    assert_non_null (fixture.client);
    (void) baton_client_set_timeout (fixture.client, LONG_MS);
    (void) baton_client_set_linger (fixture.client, 100);
    *state = &fixture;
    return 0;
}

static int
teardown (void **state)
{
    struct fixture *fixture = *state;
    baton_client_destroy (&fixture->client);
    fake_manager_stop (&fixture->manager);
    return 0;
}

static baton_session_t *
open_session (struct fixture *fixture, const char *name)
{
    baton_session_t *session;
    assert_int_equal (baton_client_open (fixture->client, name, NULL, &session), BATON_OK);
    return session;
}

static void
a_request_is_answered (void **state)
{
    struct fixture *fixture = *state;
    baton_session_t *session = open_session (fixture, "name");
    struct baton_response response;
    uint64_t seq = 0;

    assert_int_equal (baton_session_send (session, "ping", 4, &seq), BATON_OK);
    assert_int_equal (baton_session_recv (session, LONG_MS, &response), BATON_OK);

    assert_int_equal (seq, 1);
    assert_int_equal (response.request, 1);
    assert_int_equal (response.status, BATON_STATUS_REPLY);
    assert_memory_equal (response.body.data, "ping", 4);
}

static void
ten_thousand_requests_leave_as_few_messages (void **state)
{
    struct fixture *fixture = *state;
    baton_session_t *session = open_session (fixture, "name");
    atomic_store (&fixture->manager.mute, 1);

    for (int i = 0; i < 10000; i++) {
        assert_int_equal (baton_session_send (session, "ping", 4, NULL), BATON_OK);
    }
    assert_int_equal (baton_session_flush (session, LONG_MS), BATON_OK);

    assert_int_equal (atomic_load (&fixture->manager.requests), 10000);
    assert_int_equal (atomic_load (&fixture->manager.commits), 40);
}

static void
restart_data_is_given_back (void **state)
{
    struct fixture *fixture = *state;
    baton_session_t *session = open_session (fixture, "old");

    struct baton_bytes data = baton_session_restart_data (session);

    assert_int_equal (data.size, 5);
    assert_memory_equal (data.data, "state", 5);
    assert_int_equal (baton_session_incarnation (session), 7);
    assert_string_equal (baton_session_id (session), "00000000000000020000000000000002");
    assert_string_equal (baton_session_name (session), "old");
}

static void
a_commit_is_safe_after_flush (void **state)
{
    struct fixture *fixture = *state;
    baton_session_t *session = open_session (fixture, "name");
    assert_int_equal (baton_session_set_commit_mode (session, BATON_COMMIT_BY_HAND), BATON_OK);
    assert_int_equal (baton_session_send (session, "ping", 4, NULL), BATON_OK);
    assert_int_equal (baton_session_flush (session, LONG_MS), BATON_OK);
    assert_int_equal (atomic_load (&fixture->manager.commits), 0);

    assert_int_equal (baton_session_commit (session, "where", 5), BATON_OK);
    assert_int_equal (baton_session_flush (session, LONG_MS), BATON_OK);

    assert_int_equal (atomic_load (&fixture->manager.requests), 1);
    assert_int_equal (atomic_load (&fixture->manager.restart_data_bytes), 5);
}

static void
no_match_names_the_attribute (void **state)
{
    struct fixture *fixture = *state;
    baton_session_t *session;

    assert_int_equal (baton_client_open (fixture->client, "nomatch", NULL, &session),
                      BATON_NO_MATCH);

    assert_null (session);
    assert_non_null (strstr (baton_client_error_text (fixture->client), "gpu"));
}

static void
a_wrong_requirement_names_the_place (void **state)
{
    struct fixture *fixture = *state;
    baton_session_t *session;

    assert_int_equal (baton_client_open (fixture->client, "name", "cores >=", &session),
                      BATON_BAD_ARGUMENT);

    assert_non_null (strstr (baton_client_error_text (fixture->client), "cores >="));
}

static void
a_name_is_open_once_in_a_client (void **state)
{
    struct fixture *fixture = *state;
    baton_session_t *session;
    (void) open_session (fixture, "name");

    assert_int_equal (baton_client_open (fixture->client, "name", NULL, &session),
                      BATON_BAD_ARGUMENT);
}

static void
waiting_ends_with_the_time (void **state)
{
    struct fixture *fixture = *state;
    baton_session_t *session = open_session (fixture, "name");
    struct baton_response response;

    assert_int_equal (baton_session_recv (session, 0, &response), BATON_TIMED_OUT);
    assert_int_equal (baton_session_recv (session, 20, &response), BATON_TIMED_OUT);
}

static void
an_open_without_an_answer_goes_on_when_asked_again (void **state)
{
    struct fixture *fixture = *state;
    baton_session_t *session;
    atomic_store (&fixture->manager.deaf, 1);
    (void) baton_client_set_timeout (fixture->client, 50);
    assert_int_equal (baton_client_open (fixture->client, "name", NULL, &session),
                      BATON_TIMED_OUT);

    atomic_store (&fixture->manager.deaf, 0);
    (void) baton_client_set_timeout (fixture->client, LONG_MS);

    assert_int_equal (baton_client_open (fixture->client, "name", NULL, &session), BATON_OK);
}

static void
the_keeper_keeps_the_link_while_the_application_is_away (void **state)
{
    struct fixture *fixture = *state;
    (void) open_session (fixture, "name");
    unsigned before = atomic_load (&fixture->manager.heartbeats);

    fake_manager_await (&fixture->manager.heartbeats, before + 5);

    struct baton_client_counters counters;
    (void) baton_client_read_counters (fixture->client, &counters);
    assert_int_equal (counters.links_lost, 0);
    assert_int_equal (counters.welcomes, 1);
}

static void
a_silent_manager_is_dialled_anew_and_loses_nothing (void **state)
{
    struct fixture *fixture = *state;
    baton_session_t *session = open_session (fixture, "name");
    struct baton_response response;
    atomic_store (&fixture->manager.deaf, 1);
    assert_int_equal (baton_session_send (session, "ping", 4, NULL), BATON_OK);
    assert_int_equal (baton_session_flush (session, 800), BATON_TIMED_OUT);

    atomic_store (&fixture->manager.deaf, 0);

    assert_int_equal (baton_session_recv (session, LONG_MS, &response), BATON_OK);
    struct baton_client_counters counters;
    (void) baton_client_read_counters (fixture->client, &counters);
    assert_true (counters.links_lost > 0);
    assert_true (counters.commits_resent > 0);
}

static void
another_group_is_an_error (void **state)
{
    struct fixture *fixture = *state;
    baton_session_t *session = open_session (fixture, "name");
    struct baton_response response;
    atomic_store (&fixture->manager.deaf, 1);
    (void) baton_session_recv (session, 800, &response);
    atomic_store (&fixture->manager.group, 2);
    atomic_store (&fixture->manager.deaf, 0);

    assert_int_equal (baton_session_recv (session, LONG_MS, &response), BATON_FOREIGN_GROUP);
    assert_int_equal (baton_session_send (session, "x", 1, NULL), BATON_FOREIGN_GROUP);
}

static void
the_descriptor_stays_readable_until_all_is_taken (void **state)
{
    struct fixture *fixture = *state;
    baton_session_t *session = open_session (fixture, "name");
    struct baton_response response;
    struct pollfd polled = {.fd = baton_client_fd (fixture->client), .events = POLLIN};
    for (int i = 0; i < 3; i++) {
        assert_int_equal (baton_session_send (session, "ping", 4, NULL), BATON_OK);
    }
    assert_int_equal (baton_session_flush (session, LONG_MS), BATON_OK);

    int taken_count = 0;
    while (taken_count < 3) {
        assert_int_equal (poll (&polled, 1, LONG_MS), 1);
        enum baton_err err = baton_session_recv (session, 0, &response);
        taken_count += err == BATON_OK;
        assert_true (err == BATON_OK || err == BATON_TIMED_OUT);
    }
    assert_int_equal (baton_session_recv (session, 0, &response), BATON_TIMED_OUT);
}

static void
wait_names_the_session_with_an_answer (void **state)
{
    struct fixture *fixture = *state;
    baton_session_t *session = open_session (fixture, "name");
    baton_session_t *found;
    assert_int_equal (baton_client_wait (fixture->client, 20, &found), BATON_TIMED_OUT);

    assert_int_equal (baton_session_send (session, "ping", 4, NULL), BATON_OK);

    assert_int_equal (baton_client_wait (fixture->client, LONG_MS, &found), BATON_OK);
    assert_ptr_equal (found, session);
}

static void *
wait_in_vain (void *context)
{
    struct baton_response response;
    (void) baton_session_recv (context, 500, &response);
    return NULL;
}

static void
a_second_thread_is_told_that_the_handle_is_in_use (void **state)
{
    struct fixture *fixture = *state;
    baton_session_t *session = open_session (fixture, "name");
    struct baton_client_counters counters;
    atomic_store (&fixture->manager.mute, 1);
    assert_int_equal (baton_session_send (session, "ping", 4, NULL), BATON_OK);
    pthread_t thread;
    assert_int_equal (pthread_create (&thread, NULL, wait_in_vain, session), 0);
    // The request leaves once the other thread waits.
    fake_manager_await (&fixture->manager.commits, 1);

    enum baton_err err = baton_client_read_counters (fixture->client, &counters);

    assert_int_equal (pthread_join (thread, NULL), 0);
    assert_int_equal (err, BATON_IN_USE);
    assert_int_equal (baton_client_read_counters (fixture->client, &counters), BATON_OK);
}

static void
close_ends_the_session (void **state)
{
    struct fixture *fixture = *state;
    baton_session_t *session = open_session (fixture, "name");

    assert_int_equal (baton_session_close (&session), BATON_OK);

    assert_null (session);
    assert_int_equal (atomic_load (&fixture->manager.closes), 1);
}

static void
a_throw_away_session_ends_with_its_client (void **state)
{
    struct fixture *fixture = *state;
    (void) open_session (fixture, NULL);

    baton_client_destroy (&fixture->client);

    fake_manager_await (&fixture->manager.closes, 1);
    assert_null (fixture->client);
}

static void
a_named_session_outlives_its_client (void **state)
{
    struct fixture *fixture = *state;
    baton_session_t *session = open_session (fixture, "name");
    assert_int_equal (baton_session_send (session, "ping", 4, NULL), BATON_OK);

    baton_client_destroy (&fixture->client);

    assert_int_equal (atomic_load (&fixture->manager.requests), 1);
    assert_int_equal (atomic_load (&fixture->manager.closes), 0);
}

static void
bad_endpoints_make_no_client (void **state)
{
    (void) state;
    static const char *const lists[] = {"", " , ", "tcp://", "tcp://host", "http://a:1",
                                        "tcp://a:1,nonsense"};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        errno = 0;
        assert_null (baton_client_new (lists[i]));
        assert_int_equal (errno, EINVAL);
    }
}

static void
nothing_aborts_on_null (void **state)
{
    struct fixture *fixture = *state;
    baton_session_t *session = NULL;
    struct baton_response response;
    assert_int_equal (baton_client_open (NULL, "a", NULL, &session), BATON_BAD_ARGUMENT);
    assert_int_equal (baton_client_open (fixture->client, "a", NULL, NULL), BATON_BAD_ARGUMENT);
    assert_int_equal (baton_client_open (fixture->client, "", NULL, &session), BATON_BAD_ARGUMENT);
    assert_int_equal (baton_session_send (NULL, "", 0, NULL), BATON_BAD_ARGUMENT);
    assert_int_equal (baton_session_recv (NULL, 0, &response), BATON_BAD_ARGUMENT);
    assert_int_equal (baton_session_close (NULL), BATON_BAD_ARGUMENT);
    assert_int_equal (baton_session_close (&session), BATON_BAD_ARGUMENT);
    assert_int_equal (baton_client_wait (fixture->client, 0, NULL), BATON_BAD_ARGUMENT);
    assert_int_equal (baton_client_fd (NULL), -1);
    assert_string_equal (baton_client_error_text (NULL), "");
    baton_session_destroy (NULL);
    baton_client_destroy (NULL);
}

int
main (void)
{
#define TEST(name) cmocka_unit_test_setup_teardown (name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST (a_request_is_answered),
        TEST (ten_thousand_requests_leave_as_few_messages),
        TEST (restart_data_is_given_back),
        TEST (a_commit_is_safe_after_flush),
        TEST (no_match_names_the_attribute),
        TEST (a_wrong_requirement_names_the_place),
        TEST (a_name_is_open_once_in_a_client),
        TEST (waiting_ends_with_the_time),
        TEST (an_open_without_an_answer_goes_on_when_asked_again),
        TEST (the_keeper_keeps_the_link_while_the_application_is_away),
        TEST (a_silent_manager_is_dialled_anew_and_loses_nothing),
        TEST (another_group_is_an_error),
        TEST (the_descriptor_stays_readable_until_all_is_taken),
        TEST (wait_names_the_session_with_an_answer),
        TEST (a_second_thread_is_told_that_the_handle_is_in_use),
        TEST (close_ends_the_session),
        TEST (a_throw_away_session_ends_with_its_client),
        TEST (a_named_session_outlives_its_client),
        cmocka_unit_test (bad_endpoints_make_no_client),
        TEST (nothing_aborts_on_null),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
