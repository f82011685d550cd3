// SPDX-License-Identifier: MPL-2.0
// Goal: a client's session loses and doubles nothing, whatever comes between it and the manager.
// Method: the engine alone against a manager played by hand (link_fixture.h); what it sends is
// compared message by message.
#include "tests/unit/link_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int
setup (void **state)
{
    static struct link_fixture fixture;
    fixture_init (&fixture, END_CLIENT, 1);
    fixture_connect (&fixture);
    *state = &fixture;
    return 0;
}

static int
teardown (void **state)
{
    fixture_fini (*state);
    return 0;
}

static void
send_one (struct link_session *session)
{
    assert_int_equal (link_session_send (session, text_bytes ("q"), NULL), BATON_OK);
}

// Sends one request as a commit of its own and takes it from the engine.
static void
commit_one (struct link_fixture *fixture, struct link_session *session)
{
    send_one (session);
    assert_int_equal (link_session_push (session), BATON_OK);
    assert_int_equal (fixture_next (fixture), MSG_COMMIT);
}

static void
a_new_session_opens_with_its_requirement (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session;

    assert_int_equal (link_session_open (fixture->link, text_bytes ("name"), text_bytes ("need"),
                                         &session), BATON_OK);

    assert_int_equal (fixture_next (fixture), MSG_OPEN);
    const struct msg_open *open = &fixture->msg.open;
    assert_int_equal (open->intent, OPEN_OR_CREATE);
    assert_int_equal (open->incarnation.n, 0);
    assert_memory_equal (open->session.data, "name", 4);
    assert_memory_equal (open->requirement.data, "need", 4);
    assert_int_equal (open->credit_count, LIMIT_CREDIT_COUNT);
    assert_int_equal (fixture_next (fixture), 0);
}

static void
a_returning_client_gets_restart_data_and_queues (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session;
    (void) link_session_open (fixture->link, text_bytes ("s"), text_bytes (""), &session);
    assert_int_equal (fixture_next (fixture), MSG_OPEN);
    uint64_t ref = fixture->msg.open.ref;

    struct msg opened = fixture_opened (ref, 4, "state");
    opened.opened.requests_accepted_through.n = 9;
    opened.opened.responses_consumed_through.n = 3;
    fixture_give (fixture, opened);
    fixture_respond (fixture, 4, 8, "answer");
    fixture_give (fixture, fixture_resumed (ref, 4));

    assert_memory_equal (link_session_restart_data (session).data, "state", 5);
    assert_int_equal (link_session_last_seq (session).n, 9);
    assert_int_equal (link_session_mode (session), LINK_COMMIT_BY_HAND);
    struct msg_response response;
    assert_int_equal (link_session_recv (session, &response), BATON_OK);
    assert_int_equal (response.request.n, 8);
}

static void
open_requests_of_a_former_process_are_shown (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session;
    (void) link_session_open (fixture->link, text_bytes ("s"), text_bytes (""), &session);
    assert_int_equal (fixture_next (fixture), MSG_OPEN);
    uint64_t ref = fixture->msg.open.ref;
    fixture_give (fixture, fixture_opened (ref, 4, ""));

    fixture_deliver (fixture, 4, 5, 6);
    fixture_give (fixture, fixture_resumed (ref, 4));

    struct msg_request request;
    assert_int_equal (link_session_open_request (session, &request), BATON_OK);
    assert_int_equal (request.seq.n, 5);
    assert_int_equal (link_session_open_request (session, &request), BATON_OK);
    assert_int_equal (request.seq.n, 6);
    assert_int_equal (link_session_open_request (session, &request), BATON_NOT_FOUND);
}

static void
ten_thousand_sends_make_forty_commits (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    uint64_t sent_count = 0;
    uint64_t commits_count = 0;

    while (sent_count < 10000) {
        enum baton_err err = link_session_send (session, text_bytes ("q"), NULL);
        if (err == BATON_OK) {
            sent_count++;
            continue;
        }
        assert_int_equal (err, BATON_BUSY);
        assert_int_equal (link_session_push (session), BATON_OK);
        while (fixture_next (fixture) == MSG_COMMIT) {
            commits_count++;
        }
        fixture_ack (fixture, commits_count);
    }
    assert_int_equal (link_session_push (session), BATON_OK);
    while (fixture_next (fixture) == MSG_COMMIT) {
        commits_count++;
    }

    assert_int_equal (commits_count, 40);
    assert_int_equal (link_counters (fixture->link)->requests, 10000);
}

static void
large_bodies_are_cut_into_messages (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    static const char body[LIMIT_MESSAGE_AIM_BYTES / 2];
    for (int i = 0; i < 5; i++) {
        assert_int_equal (link_session_send (session, (struct baton_bytes) {body, sizeof body},
                                             NULL), BATON_OK);
    }
    assert_int_equal (link_session_push (session), BATON_OK);

    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal (fixture_next (fixture), MSG_COMMIT);
        assert_int_equal (fixture->msg.commit.parts[0].requests_count, i < 2 ? 2 : 1);
    }
    assert_int_equal (fixture_next (fixture), 0);
}

static void
what_is_not_acknowledged_is_sent_again_in_order (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    for (int i = 0; i < 3; i++) {
        commit_one (fixture, session);
    }
    fixture_ack (fixture, 1);

    fixture_refuse (fixture, MSG_HEARTBEAT, REFUSAL_HELLO_FIRST, 0);
    fixture_connect (fixture);
    assert_int_equal (fixture_next (fixture), MSG_OPEN);
    assert_int_equal (fixture->msg.open.intent, OPEN_EXISTING);
    assert_int_equal (fixture->msg.open.incarnation.n, 7);
    assert_int_equal (fixture->msg.open.version.n, 3);
    assert_int_equal (fixture_next (fixture), 0);
    fixture_give (fixture, fixture_resumed (fixture->msg.open.ref, 2));

    assert_int_equal (fixture_next (fixture), MSG_COMMIT);
    assert_int_equal (fixture->msg.commit.expect_version.n, 2);
    assert_int_equal (fixture->msg.commit.parts[0].requests[0].seq.n, 3);
    assert_int_equal (fixture_next (fixture), 0);
    assert_int_equal (link_counters (fixture->link)->commits_resent, 1);
}

static void
a_row_of_gaps_means_one_resend (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    for (int i = 0; i < 4; i++) {
        commit_one (fixture, session);
    }

    for (int i = 0; i < 3; i++) {
        fixture_refuse (fixture, MSG_COMMIT, REFUSAL_GAP, 0);
        while (fixture_next (fixture)) {
            continue;
        }
    }

    assert_int_equal (link_counters (fixture->link)->commits_resent, 4);
    fixture_pass (fixture, LIMIT_RESEND_MIN_MS);
    assert_int_equal (fixture_next (fixture), MSG_COMMIT);
    assert_int_equal (fixture->msg.commit.expect_version.n, 0);
}

static void
busy_waits_and_resends_from_the_refused_version (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    for (int i = 0; i < 3; i++) {
        commit_one (fixture, session);
    }

    fixture_ack (fixture, 1);
    fixture_refuse (fixture, MSG_COMMIT, REFUSAL_BUSY, 1);
    fixture_refuse (fixture, MSG_COMMIT, REFUSAL_GAP, 1);

    assert_int_equal (fixture_next (fixture), 0);
    fixture_pass (fixture, 100);
    for (uint64_t version = 1; version <= 2; version++) {
        assert_int_equal (fixture_next (fixture), MSG_COMMIT);
        assert_int_equal (fixture->msg.commit.expect_version.n, version);
    }
    assert_int_equal (fixture_next (fixture), 0);
}

static void
duplicate_is_an_acknowledgement (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    commit_one (fixture, session);
    assert_false (link_session_is_safe (session));

    fixture_refuse (fixture, MSG_COMMIT, REFUSAL_DUPLICATE, 1);

    assert_true (link_session_is_safe (session));
}

static void
fenced_is_final (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    commit_one (fixture, session);

    fixture_refuse (fixture, MSG_COMMIT, REFUSAL_FENCED, 0);

    assert_int_equal (link_session_error (session), BATON_FENCED);
    assert_int_equal (link_session_send (session, text_bytes ("q"), NULL), BATON_FENCED);
    fixture_refuse (fixture, MSG_HEARTBEAT, REFUSAL_HELLO_FIRST, 0);
    fixture_connect (fixture);
    assert_int_equal (fixture_next (fixture), 0);
}

static void
a_broker_that_forgot_acknowledged_work_is_told_apart (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    commit_one (fixture, session);
    fixture_ack (fixture, 1);

    fixture_refuse (fixture, MSG_HEARTBEAT, REFUSAL_HELLO_FIRST, 0);
    fixture_connect (fixture);
    assert_int_equal (fixture_next (fixture), MSG_OPEN);
    fixture_give (fixture, fixture_resumed (fixture->msg.open.ref, 0));

    assert_int_equal (link_session_error (session), BATON_DAMAGED);
}

static void
no_match_tells_the_attribute (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session;
    (void) link_session_open (fixture->link, text_bytes ("s"), text_bytes (""), &session);
    assert_int_equal (fixture_next (fixture), MSG_OPEN);

    fixture_give (fixture, (struct msg) {
        .kind = MSG_REFUSED,
        .refused = {
            .refusal = REFUSAL_NO_MATCH,
            .kind = MSG_OPEN,
            .ref = fixture->msg.open.ref,
            .text = text_bytes ("gpu"),
        },
    });

    assert_int_equal (link_session_error (session), BATON_NO_MATCH);
    assert_string_equal (link_session_error_text (session), "gpu");
}

static void
a_busy_open_is_said_again (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session;
    (void) link_session_open (fixture->link, text_bytes ("s"), text_bytes (""), &session);
    assert_int_equal (fixture_next (fixture), MSG_OPEN);

    fixture_give (fixture, (struct msg) {
        .kind = MSG_REFUSED,
        .refused = {
            .refusal = REFUSAL_BUSY,
            .kind = MSG_OPEN,
            .ref = fixture->msg.open.ref,
            .retry_after_ms = 200,
        },
    });

    assert_int_equal (fixture_next (fixture), 0);
    fixture_pass (fixture, 200);
    assert_int_equal (fixture_next (fixture), MSG_OPEN);
}

static void
redelivered_responses_are_shown_once (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    struct msg_response response;

    fixture_respond (fixture, 1, 1, "a");
    fixture_respond (fixture, 1, 1, "a");

    assert_int_equal (link_session_recv (session, &response), BATON_OK);
    assert_int_equal (link_session_recv (session, &response), BATON_NOT_FOUND);
    assert_int_equal (link_counters (fixture->link)->redelivered, 1);
}

static void
a_shown_response_is_consumed_by_the_next_request (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    struct msg_response response;
    fixture_respond (fixture, 1, 1, "a");

    assert_int_equal (link_session_recv (session, &response), BATON_OK);
    commit_one (fixture, session);

    assert_int_equal (fixture->msg.commit.parts[0].responses_consumed_through.n, 1);
    assert_int_equal (fixture->msg.commit.parts[0].requests_count, 1);
}

static void
a_lone_consumed_mark_leaves_after_a_while (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    struct msg_response response;
    fixture_respond (fixture, 1, 1, "a");
    assert_int_equal (link_session_recv (session, &response), BATON_OK);
    fixture_pass (fixture, 500);
    assert_int_equal (fixture_next (fixture), 0);

    assert_int_equal (link_session_recv (session, &response), BATON_NOT_FOUND);
    assert_int_equal (fixture_next (fixture), 0);
    fixture_pass (fixture, LIMIT_CONSUME_AFTER_MS);

    assert_int_equal (fixture_next (fixture), MSG_COMMIT);
    assert_int_equal (fixture->msg.commit.parts[0].responses_consumed_through.n, 1);
    assert_int_equal (fixture->msg.commit.parts[0].requests_count, 0);
}

static void
by_hand_nothing_leaves_before_the_commit (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    struct msg_response response;
    assert_int_equal (link_session_set_mode (session, LINK_COMMIT_BY_HAND), BATON_OK);
    fixture_respond (fixture, 1, 1, "a");
    assert_int_equal (link_session_recv (session, &response), BATON_OK);
    send_one (session);
    assert_int_equal (link_session_flush (session), BATON_OK);
    fixture_pass (fixture, 500);
    assert_int_equal (fixture_next (fixture), 0);

    assert_int_equal (link_session_commit (session, text_bytes ("state")), BATON_OK);

    assert_int_equal (fixture_next (fixture), MSG_COMMIT);
    const struct msg_part *part = &fixture->msg.commit.parts[0];
    assert_memory_equal (fixture->msg.commit.restart_data.data, "state", 5);
    assert_int_equal (part->requests_count, 1);
    assert_int_equal (part->responses_consumed_through.n, 1);
    assert_int_equal (fixture_next (fixture), 0);
}

static void
by_hand_too_much_for_one_commit_is_refused (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    assert_int_equal (link_session_set_mode (session, LINK_COMMIT_BY_HAND), BATON_OK);
    for (uint32_t i = 0; i < LIMIT_RECORD_ITEMS_MAX; i++) {
        send_one (session);
    }

    assert_int_equal (link_session_send (session, text_bytes ("q"), NULL), BATON_TOO_LARGE);

    assert_int_equal (link_session_commit (session, text_bytes ("")), BATON_OK);
    assert_int_equal (link_session_send (session, text_bytes ("q"), NULL), BATON_OK);
}

static void
a_checkpoint_alone_is_a_commit (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");

    assert_int_equal (link_session_commit (session, text_bytes ("only")), BATON_OK);

    assert_int_equal (fixture_next (fixture), MSG_COMMIT);
    assert_int_equal (fixture->msg.commit.parts_count, 1);
    assert_int_equal (fixture->msg.commit.parts[0].requests_count, 0);
}

static void
a_full_window_waits_for_acknowledgements (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    static const char body[LIMIT_BODY_MAX_BYTES];
    struct baton_bytes large = {body, sizeof body};
    for (uint32_t i = 0; i < LIMIT_UNACKED_MAX_BYTES / LIMIT_BODY_MAX_BYTES; i++) {
        assert_int_equal (link_session_send (session, large, NULL), BATON_OK);
    }
    assert_int_equal (link_session_send (session, large, NULL), BATON_BUSY);
    while (fixture_next (fixture) == MSG_COMMIT) {
        continue;
    }

    fixture_ack (fixture, 1);

    assert_int_equal (link_session_send (session, large, NULL), BATON_OK);
}

static void
bodies_and_restart_data_over_the_limit_are_refused (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    static const char body[LIMIT_BODY_MAX_BYTES + 1];

    assert_int_equal (link_session_send (session, (struct baton_bytes) {body, sizeof body}, NULL),
                      BATON_TOO_LARGE);
    assert_int_equal (link_session_commit (session, (struct baton_bytes) {
        body, LIMIT_RESTART_DATA_MAX_BYTES + 1}), BATON_TOO_LARGE);
}

static void
welcome_with_small_limits (struct link_fixture *fixture)
{
    fixture_give (fixture, (struct msg) {
        .kind = MSG_WELCOME,
        .welcome = {.role = BROKER_MANAGER, .group = fixture_group, .body_max_bytes = 1024,
                    .restart_data_max_bytes = 1024},
    });
    assert_int_equal (fixture_next (fixture), MSG_OPEN);
    fixture_give (fixture, fixture_resumed (fixture->msg.open.ref, 0));
}

static void
bodies_of_one_commit_fit_a_frame_of_a_broker_with_small_limits (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    static const char body[256];
    welcome_with_small_limits (fixture);
    for (uint32_t i = 0; i < 256; i++) {
        assert_int_equal (link_session_send (session, (struct baton_bytes) {body, sizeof body},
                                             NULL), BATON_OK);
    }
    assert_int_equal (link_session_push (session), BATON_OK);

    for (uint32_t i = 0; i < 256; i += 4) {
        assert_int_equal (fixture_next (fixture), MSG_COMMIT);
        assert_int_equal (fixture->msg.commit.parts[0].requests_count, 4);
    }
    assert_int_equal (link_session_set_mode (session, LINK_COMMIT_BY_HAND), BATON_OK);
    for (uint32_t i = 0; i < 4; i++) {
        (void) link_session_send (session, (struct baton_bytes) {body, sizeof body}, NULL);
    }
    assert_int_equal (link_session_send (session, text_bytes ("x"), NULL), BATON_TOO_LARGE);
}

static void
refused_credit_opens_again_with_all_of_it (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    struct msg_response response;
    for (uint64_t seq = 1; seq <= LIMIT_CREDIT_COUNT / 4; seq++) {
        fixture_respond (fixture, seq, seq, "a");
        assert_int_equal (link_session_recv (session, &response), BATON_OK);
    }
    assert_int_equal (fixture_next (fixture), MSG_CREDIT);

    fixture_give (fixture, (struct msg) {
        .kind = MSG_REFUSED,
        .refused = {.refusal = REFUSAL_BUSY, .kind = MSG_CREDIT, .session = fixture_session,
                    .retry_after_ms = 100},
    });

    assert_int_equal (fixture_next (fixture), 0);
    fixture_pass (fixture, 100);
    assert_int_equal (fixture_next (fixture), MSG_OPEN);
    assert_int_equal (fixture->msg.open.credit_count, LIMIT_CREDIT_COUNT);
}

static void
credit_grows_with_what_was_taken (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    struct msg_response response;
    for (uint64_t seq = 1; seq <= LIMIT_CREDIT_COUNT / 4; seq++) {
        fixture_respond (fixture, seq, seq, "a");
        assert_int_equal (link_session_recv (session, &response), BATON_OK);
    }

    assert_int_equal (fixture_next (fixture), MSG_CREDIT);

    assert_int_equal (fixture->msg.credit.granted_count,
                      LIMIT_CREDIT_COUNT + LIMIT_CREDIT_COUNT / 4);
    assert_int_equal (fixture_next (fixture), 0);
}

static void
responses_not_taken_get_no_credit (void **state)
{
    struct link_fixture *fixture = *state;
    (void) fixture_open (fixture, 0, "");

    for (uint64_t seq = 1; seq <= LIMIT_CREDIT_COUNT; seq++) {
        fixture_respond (fixture, seq, seq, "a");
    }

    assert_int_equal (fixture_next (fixture), 0);
}

// Simulator: what was sent before the manager saw our OPEN came after it, and without what had come
// before: the response in the hole was never shown.
static void
a_response_sent_before_our_open_was_seen_waits_for_its_turn (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    fixture_refuse (fixture, MSG_HEARTBEAT, REFUSAL_HELLO_FIRST, 0);
    fixture_connect (fixture);
    assert_int_equal (fixture_next (fixture), MSG_OPEN);
    fixture_respond (fixture, 2, 2, "two");

    fixture_give (fixture, fixture_resumed (fixture->msg.open.ref, 0));
    fixture_respond (fixture, 1, 1, "one");
    fixture_respond (fixture, 2, 2, "two");

    struct msg_response response;
    assert_int_equal (link_session_recv (session, &response), BATON_OK);
    assert_int_equal (response.seq.n, 1);
    assert_int_equal (link_session_recv (session, &response), BATON_OK);
    assert_int_equal (response.seq.n, 2);
}

static void
a_response_over_a_hole_makes_the_end_open_again (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");

    fixture_respond (fixture, 2, 2, "two");

    assert_false (link_session_has_response (session));
    fixture_pass (fixture, LIMIT_DIAL_RETRY_MAX_MS);
    fixture_connect (fixture);
    assert_int_equal (fixture_next (fixture), MSG_OPEN);
    assert_int_equal (fixture->msg.open.responses_received_through.n, 0);
}

static void
an_actor_that_others_had_meanwhile_is_fenced (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    fixture_refuse (fixture, MSG_HEARTBEAT, REFUSAL_HELLO_FIRST, 0);
    fixture_connect (fixture);
    assert_int_equal (fixture_next (fixture), MSG_OPEN);

    struct msg opened = fixture_opened (fixture->msg.open.ref, 0, "");
    opened.opened.incarnation.n = 9;
    fixture_give (fixture, opened);

    assert_int_equal (link_session_error (session), BATON_FENCED);
}

static void
a_manager_that_ignores_credit_is_left (void **state)
{
    struct link_fixture *fixture = *state;
    (void) fixture_open (fixture, 0, "");

    for (uint64_t seq = 1; seq <= 2 * LIMIT_CREDIT_COUNT + 1; seq++) {
        fixture_respond (fixture, seq, seq, "a");
    }

    assert_int_equal (link_counters (fixture->link)->links_lost, 1);
    fixture_pass (fixture, LIMIT_DIAL_RETRY_MAX_MS);
    fixture_connect (fixture);
    assert_int_equal (fixture_next (fixture), MSG_OPEN);
    assert_int_equal (fixture->msg.open.responses_received_through.n, 2 * LIMIT_CREDIT_COUNT);
    assert_int_equal (fixture->msg.open.credit_count, 0);
}

static void
after_a_commit_by_hand_there_is_no_way_back (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    assert_int_equal (link_session_set_mode (session, LINK_COMMIT_BY_HAND), BATON_OK);
    assert_int_equal (link_session_set_mode (session, LINK_COMMIT_BY_SEND), BATON_OK);

    assert_int_equal (link_session_commit (session, text_bytes ("x")), BATON_OK);

    assert_int_equal (link_session_set_mode (session, LINK_COMMIT_BY_SEND), BATON_BUSY);
}

static void
unavailable_resends_all_that_is_not_acknowledged (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    commit_one (fixture, session);
    commit_one (fixture, session);

    fixture_refuse (fixture, MSG_COMMIT, REFUSAL_UNAVAILABLE, 0);

    assert_int_equal (fixture_next (fixture), 0);
    fixture_pass (fixture, 100);
    assert_int_equal (fixture_next (fixture), MSG_COMMIT);
    assert_int_equal (fixture->msg.commit.expect_version.n, 0);
    assert_int_equal (fixture_next (fixture), MSG_COMMIT);
}

static void
acknowledgements_of_what_was_never_made_are_ignored (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    commit_one (fixture, session);

    fixture_ack (fixture, 99);

    assert_false (link_session_is_safe (session));
    assert_int_equal (link_counters (fixture->link)->ignored, 1);
}

static void
a_notice_of_closing_ends_the_session (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");

    fixture_give (fixture, (struct msg) {
        .kind = MSG_CLOSED, .closed = {.session = fixture_session, .reason = CLOSE_BY_OPERATOR}
    });

    assert_int_equal (link_session_send (session, text_bytes ("q"), NULL), BATON_CLOSED);
}

// What a client does in its life, up to the first thing that fails for want of memory.
static void
live (struct link_fixture *fixture)
{
    struct link_session *session;
    struct msg_response response;
    if (link_session_open (fixture->link, text_bytes ("s"), text_bytes ("n"), &session)) return;
    for (int i = 0; i < 3 && link_session_phase (session) != LINK_SESSION_LIVE; i++) {
        while (fixture_next (fixture)) {
            if (fixture->msg.kind == MSG_HELLO) {
                fixture_welcome (fixture);
            } else if (fixture->msg.kind == MSG_OPEN) {
                uint64_t ref = fixture->msg.open.ref;
                fixture_give (fixture, fixture_opened (ref, 0, "x"));
                fixture_deliver (fixture, 0, 1, 2);
                fixture_respond (fixture, 1, 1, "a");
                fixture_give (fixture, fixture_resumed (ref, 0));
            }
        }
        fixture_pass (fixture, LIMIT_DIAL_RETRY_MAX_MS);
    }
    if (link_session_send (session, text_bytes ("q"), NULL)) return;
    (void) link_session_commit (session, text_bytes ("state"));
    (void) link_session_recv (session, &response);
    while (fixture_next (fixture)) {
        continue;
    }
    fixture_ack (fixture, 1);
    link_session_close (session);
}

static void
any_allocation_may_fail (void **state)
{
    (void) state;
    for (size_t fail_at = 1;; fail_at++) {
        struct link_fixture fixture;
        fixture_init (&fixture, END_CLIENT, 1);
        fixture.memory.fail_at = fixture.memory.asked_count + fail_at;
        live (&fixture);
        bool failed = fixture.memory.failed;
        fixture_fini (&fixture);
        if (!failed) break;
        assert_true (fail_at < 1000);
    }
}

int
main (void)
{
#define TEST(name) cmocka_unit_test_setup_teardown (name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST (a_new_session_opens_with_its_requirement),
        TEST (a_returning_client_gets_restart_data_and_queues),
        TEST (open_requests_of_a_former_process_are_shown),
        TEST (ten_thousand_sends_make_forty_commits),
        TEST (large_bodies_are_cut_into_messages),
        TEST (what_is_not_acknowledged_is_sent_again_in_order),
        TEST (a_row_of_gaps_means_one_resend),
        TEST (busy_waits_and_resends_from_the_refused_version),
        TEST (duplicate_is_an_acknowledgement),
        TEST (fenced_is_final),
        TEST (a_broker_that_forgot_acknowledged_work_is_told_apart),
        TEST (no_match_tells_the_attribute),
        TEST (a_busy_open_is_said_again),
        TEST (redelivered_responses_are_shown_once),
        TEST (a_shown_response_is_consumed_by_the_next_request),
        TEST (a_lone_consumed_mark_leaves_after_a_while),
        TEST (by_hand_nothing_leaves_before_the_commit),
        TEST (by_hand_too_much_for_one_commit_is_refused),
        TEST (a_checkpoint_alone_is_a_commit),
        TEST (a_full_window_waits_for_acknowledgements),
        TEST (bodies_and_restart_data_over_the_limit_are_refused),
        TEST (bodies_of_one_commit_fit_a_frame_of_a_broker_with_small_limits),
        TEST (refused_credit_opens_again_with_all_of_it),
        TEST (credit_grows_with_what_was_taken),
        TEST (responses_not_taken_get_no_credit),
        TEST (a_response_sent_before_our_open_was_seen_waits_for_its_turn),
        TEST (a_response_over_a_hole_makes_the_end_open_again),
        TEST (an_actor_that_others_had_meanwhile_is_fenced),
        TEST (a_manager_that_ignores_credit_is_left),
        TEST (after_a_commit_by_hand_there_is_no_way_back),
        TEST (unavailable_resends_all_that_is_not_acknowledged),
        TEST (acknowledgements_of_what_was_never_made_are_ignored),
        TEST (a_notice_of_closing_ends_the_session),
        cmocka_unit_test (any_allocation_may_fail),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
