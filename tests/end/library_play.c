// SPDX-License-Identifier: MPL-2.0
// Goal: library and broker together keep what the headers promise when processes come, go and
// come back. Method: both sides of each conversation in this one process, over a real broker that
// the script library_play starts; each test has a server of its own attributes.
#include <baton.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LONG_MS 20000

struct pair {
    const char *name; // of server, attribute and session
    char requirement[64];
    baton_server_t *server;
    baton_client_t *client;
    baton_session_t *session;
};

static baton_server_t *
new_server (const char *name)
{
    baton_server_t *server = baton_server_new (getenv ("BATON_ENDPOINT"), name);
    assert_non_null (server);
    assert_int_equal (baton_server_offer (server, "kind", name), BATON_OK);
    assert_int_equal (baton_server_join (server, name), BATON_OK);
    return server;
}

static baton_client_t *
new_client (void)
{
    baton_client_t *client = baton_client_new (getenv ("BATON_ENDPOINT"));
    assert_non_null (client);
    (void) baton_client_set_timeout (client, LONG_MS);
    return client;
}

static void
pair_begin (struct pair *pair, const char *name)
{
    *pair = (struct pair) {.name = name, .server = new_server (name), .client = new_client ()};
    (void) snprintf (pair->requirement, sizeof pair->requirement, "kind = \"%s\"", name);
    baton_task_t *task;
    // Makes the offer known.
    assert_int_equal (baton_server_next (pair->server, 50, &task), BATON_TIMED_OUT);
    assert_int_equal (baton_client_open (pair->client, name, pair->requirement, &pair->session),
                      BATON_OK);
}

static void
pair_end (struct pair *pair)
{
    assert_int_equal (baton_session_close (&pair->session), BATON_OK);
    baton_client_destroy (&pair->client);
    baton_server_destroy (&pair->server);
}

static void
send_requests (struct pair *pair, int count)
{
    for (int i = 0; i < count; i++) {
        assert_int_equal (baton_session_send (pair->session, "q", 1, NULL), BATON_OK);
    }
    assert_int_equal (baton_session_commit (pair->session, "client", 6), BATON_OK);
    assert_int_equal (baton_session_flush (pair->session, LONG_MS), BATON_OK);
}

static baton_task_t *
take_task (baton_server_t *server, uint64_t seq)
{
    baton_task_t *task;
    assert_int_equal (baton_server_next (server, LONG_MS, &task), BATON_OK);
    assert_int_equal (baton_task_seq (task), seq);
    return task;
}

static struct baton_response
take_response (baton_session_t *session, uint64_t request)
{
    struct baton_response response = {0};
    assert_int_equal (baton_session_recv (session, LONG_MS, &response), BATON_OK);
    assert_int_equal (response.request, request);
    return response;
}

// A server that goes without a word: its link is cut off by a new process of the same name.
static baton_server_t *
replace_server (struct pair *pair)
{
    baton_server_t *former = pair->server;
    assert_int_equal (baton_server_flush (former, LONG_MS), BATON_OK);
    pair->server = new_server (pair->name);
    return former;
}

static void
destroy_at_once (baton_server_t *server)
{
    (void) baton_server_set_linger (server, 0);
    baton_server_destroy (&server);
}

static void
a_new_server_gets_state_owed_requests_and_answers (void **state)
{
    (void) state;
    struct pair pair;
    struct baton_answer answer;
    pair_begin (&pair, "state");
    send_requests (&pair, 4);
    assert_int_equal (baton_task_reply (take_task (pair.server, 1), "a", 1), BATON_OK);
    (void) take_task (pair.server, 2);
    assert_int_equal (baton_task_commit (take_task (pair.server, 3), "server", 6), BATON_OK);

    baton_server_t *former = replace_server (&pair);
    baton_task_t *second = take_task (pair.server, 2);
    assert_int_equal (baton_task_is_restarted (second), 1);
    assert_int_equal (baton_task_is_consumed (second), 1);
    assert_memory_equal (baton_task_restart_data (second).data, "server", 6);
    assert_int_equal (baton_task_next_answer (second, &answer), BATON_OK);
    assert_int_equal (answer.request, 1);
    assert_int_equal (baton_task_is_consumed (take_task (pair.server, 3)), 1);
    assert_int_equal (baton_task_is_consumed (take_task (pair.server, 4)), 0);

    destroy_at_once (former);
    pair_end (&pair);
}

static void
the_former_server_of_a_name_is_fenced (void **state)
{
    (void) state;
    struct pair pair;
    pair_begin (&pair, "name");
    baton_server_t *former = replace_server (&pair);
    baton_task_t *task;
    assert_int_equal (baton_server_next (pair.server, 50, &task), BATON_TIMED_OUT);

    assert_int_equal (baton_server_next (former, LONG_MS, &task), BATON_FENCED);

    destroy_at_once (former);
    pair_end (&pair);
}

static void
a_new_client_gets_restart_data_and_both_queues (void **state)
{
    (void) state;
    struct pair pair;
    struct baton_request request;
    pair_begin (&pair, "queues");
    send_requests (&pair, 2);
    assert_int_equal (baton_task_reply (take_task (pair.server, 1), "a", 1), BATON_OK);
    assert_int_equal (baton_server_flush (pair.server, LONG_MS), BATON_OK);
    (void) take_response (pair.session, 1);
    baton_client_destroy (&pair.client);

    pair.client = new_client ();
    assert_int_equal (baton_client_open (pair.client, pair.name, NULL, &pair.session), BATON_OK);
    assert_memory_equal (baton_session_restart_data (pair.session).data, "client", 6);
    assert_int_equal (baton_session_last_seq (pair.session), 2);
    assert_int_equal (baton_session_next_open_request (pair.session, &request), BATON_OK);
    assert_int_equal (request.seq, 2);
    assert_int_equal (baton_session_next_open_request (pair.session, &request), BATON_NOT_FOUND);
    // Shown before, but no commit of the former process consumed it.
    (void) take_response (pair.session, 1);

    pair_end (&pair);
}

static void
the_former_client_of_a_session_is_fenced (void **state)
{
    (void) state;
    struct pair pair;
    struct baton_response response;
    pair_begin (&pair, "fence");
    uint64_t before = baton_session_incarnation (pair.session);
    baton_client_t *newer = new_client ();
    baton_session_t *session;

    assert_int_equal (baton_client_open (newer, pair.name, NULL, &session), BATON_OK);

    assert_true (baton_session_incarnation (session) > before);
    assert_int_equal (baton_session_recv (pair.session, LONG_MS, &response), BATON_FENCED);
    assert_int_equal (baton_session_close (&pair.session), BATON_FENCED);
    baton_session_destroy (&pair.session);
    baton_client_destroy (&pair.client);
    pair.client = newer;
    pair.session = session;
    pair_end (&pair);
}

static void
a_request_fails_after_its_last_attempt_and_the_next_goes_on (void **state)
{
    (void) state;
    struct pair pair;
    pair_begin (&pair, "reject");
    send_requests (&pair, 2);

    for (uint32_t attempt = 1; attempt <= 3; attempt++) {
        baton_task_t *task = take_task (pair.server, 1);
        assert_int_equal (baton_task_attempt (task), attempt);
        assert_int_equal (baton_task_reject (task, "never"), BATON_OK);
    }
    assert_int_equal (baton_task_reply (take_task (pair.server, 2), "a", 1), BATON_OK);
    assert_int_equal (baton_server_flush (pair.server, LONG_MS), BATON_OK);

    struct baton_response failed = take_response (pair.session, 1);
    assert_int_equal (failed.status, BATON_STATUS_FAILED);
    assert_memory_equal (failed.body.data, "never", 5);
    (void) take_response (pair.session, 2);
    pair_end (&pair);
}

static void
note_abort (const char *session_id, enum baton_err reason, void *context)
{
    assert_int_equal (strlen (session_id), 32);
    *(enum baton_err *) context = reason;
}

static void
closing_a_session_tells_its_server (void **state)
{
    (void) state;
    struct pair pair;
    enum baton_err reason = BATON_OK;
    pair_begin (&pair, "close");
    assert_int_equal (baton_server_set_abort (pair.server, note_abort, &reason), BATON_OK);
    send_requests (&pair, 1);
    baton_task_t *task = take_task (pair.server, 1);

    assert_int_equal (baton_session_close (&pair.session), BATON_OK);

    for (int i = 0; i < 100 && !reason; i++) {
        baton_task_t *none;
        assert_int_equal (baton_server_next (pair.server, 50, &none), BATON_TIMED_OUT);
    }
    assert_int_equal (reason, BATON_CLOSED);
    assert_int_equal (baton_task_reply (task, "a", 1), BATON_CLOSED);
    baton_client_destroy (&pair.client);
    baton_server_destroy (&pair.server);
}

static void
the_largest_body_goes_both_ways (void **state)
{
    (void) state;
    struct pair pair;
    size_t size = 1024 * 1024;
    unsigned char *body = malloc (size);
    memset (body, 7, size);
    pair_begin (&pair, "large");

    assert_int_equal (baton_session_send (pair.session, body, size + 1, NULL), BATON_TOO_LARGE);
    assert_int_equal (baton_session_send (pair.session, body, size, NULL), BATON_OK);
    assert_int_equal (baton_session_flush (pair.session, LONG_MS), BATON_OK);
    baton_task_t *task = take_task (pair.server, 1);
    struct baton_bytes request = baton_task_body (task);
    assert_int_equal (baton_task_reply (task, request.data, request.size), BATON_OK);
    assert_int_equal (baton_server_flush (pair.server, LONG_MS), BATON_OK);

    struct baton_response response = take_response (pair.session, 1);
    assert_int_equal (response.body.size, size);
    assert_memory_equal (response.body.data, body, size);
    free (body);
    pair_end (&pair);
}

static void
answers_come_in_order_and_once (void **state)
{
    (void) state;
    struct pair pair;
    const uint64_t count = 3000;
    pair_begin (&pair, "order");
    for (uint64_t i = 0; i < count; i++) {
        assert_int_equal (baton_session_send (pair.session, "q", 1, NULL), BATON_OK);
    }
    assert_int_equal (baton_session_flush (pair.session, LONG_MS), BATON_OK);

    for (uint64_t seq = 1; seq <= count; seq++) {
        assert_int_equal (baton_task_reply (take_task (pair.server, seq), &seq, sizeof seq),
                          BATON_OK);
    }
    assert_int_equal (baton_server_flush (pair.server, LONG_MS), BATON_OK);
    for (uint64_t seq = 1; seq <= count; seq++) {
        struct baton_response response = take_response (pair.session, seq);
        assert_memory_equal (response.body.data, &seq, sizeof seq);
    }

    struct baton_response more;
    assert_int_equal (baton_session_recv (pair.session, 50, &more), BATON_TIMED_OUT);
    pair_end (&pair);
}

static void
what_no_server_can_ever_do_is_refused_by_name (void **state)
{
    (void) state;
    struct pair pair;
    baton_session_t *session;
    pair_begin (&pair, "match");

    assert_int_equal (baton_client_open (pair.client, "hopeless", "wings > 3", &session),
                      BATON_NO_MATCH);

    assert_non_null (strstr (baton_client_error_text (pair.client), "wings"));
    pair_end (&pair);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_new_server_gets_state_owed_requests_and_answers),
        cmocka_unit_test (the_former_server_of_a_name_is_fenced),
        cmocka_unit_test (a_new_client_gets_restart_data_and_both_queues),
        cmocka_unit_test (the_former_client_of_a_session_is_fenced),
        cmocka_unit_test (a_request_fails_after_its_last_attempt_and_the_next_goes_on),
        cmocka_unit_test (closing_a_session_tells_its_server),
        cmocka_unit_test (the_largest_body_goes_both_ways),
        cmocka_unit_test (answers_come_in_order_and_once),
        cmocka_unit_test (what_no_server_can_ever_do_is_refused_by_name),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
