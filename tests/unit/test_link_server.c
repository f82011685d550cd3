// SPDX-License-Identifier: MPL-2.0
// Goal: a server works on the state that its deliveries build on, or asks for it; its answers and
// its marks leave in the order of their session, once. Method: the engine alone against a manager
// played by hand (link_fixture.h).
#include "tests/unit/link_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
make_offer (struct link_fixture *fixture)
{
    struct link_offer offer = {
        .set = text_bytes ("set"),
        .attributes = text_bytes ("stored"),
        .capacity = 1,
        .credit_count = LIMIT_CREDIT_COUNT,
        .credit_bytes = LIMIT_CREDIT_BYTES,
    };
    assert_int_equal (link_server_offer (fixture->link, &offer), BATON_OK);
}

static void
accept_offer (struct link_fixture *fixture)
{
    assert_int_equal (fixture_next (fixture), MSG_OFFER);
    fixture_give (fixture, (struct msg) {
        .kind = MSG_OFFERED, .offered = {.ref = fixture->msg.offer.ref}
    });
}

static int
setup (void **state)
{
    static struct link_fixture fixture;
    fixture_init (&fixture, END_SERVER, 1);
    make_offer (&fixture);
    fixture_connect (&fixture);
    accept_offer (&fixture);
    *state = &fixture;
    return 0;
}

static int
teardown (void **state)
{
    fixture_fini (*state);
    return 0;
}

static struct link_task *
take_task (struct link_fixture *fixture, uint64_t seq)
{
    struct link_task *task;
    struct link_task_view view;
    assert_int_equal (link_server_next (fixture->link, &task), BATON_OK);
    link_task_read (task, &view);
    assert_int_equal (view.seq.n, seq);
    return task;
}

static void
no_task (struct link_fixture *fixture)
{
    struct link_task *task;
    assert_int_equal (link_server_next (fixture->link, &task), BATON_NOT_FOUND);
}

// Takes one commit from the engine and looks at its marks.
static const struct msg_part *
take_commit (struct link_fixture *fixture, uint64_t version, uint64_t consumed)
{
    assert_int_equal (fixture_next (fixture), MSG_COMMIT);
    assert_int_equal (fixture->msg.commit.expect_version.n, version);
    assert_int_equal (fixture->msg.commit.parts_count, 1);
    const struct msg_part *part = &fixture->msg.commit.parts[0];
    assert_int_equal (part->requests_consumed_through.n, consumed);
    return part;
}

static void
give_state (struct link_fixture *fixture, uint64_t version, uint64_t consumed, const char *data)
{
    fixture_give (fixture, (struct msg) {
        .kind = MSG_STATE,
        .state = {
            .session = fixture_session,
            .actor = fixture_actor,
            .incarnation = {7},
            .version = {version},
            .restart_data = text_bytes (data),
            .requests_consumed_through = {consumed},
        },
    });
}

static void
give_queue (struct link_fixture *fixture, uint64_t request, uint64_t response)
{
    struct msg_request open = {
        .seq = {request}, .state = REQUEST_OPEN, .attempt = 1, .body = text_bytes ("owed")
    };
    struct msg_response kept = {
        .seq = {response}, .request = {1}, .status = RESPONSE_REPLY, .body = text_bytes ("kept")
    };
    struct msg_delivery delivery = {
        .session = fixture_session,
        .actor = fixture_actor,
        .incarnation = {7},
        .phase = DELIVER_QUEUE,
        .requests = &open,
        .requests_count = 1,
        .responses = &kept,
        .responses_count = 1,
    };
    fixture_give (fixture, (struct msg) {
        .kind = MSG_DELIVER, .deliver = {.deliveries = &delivery, .deliveries_count = 1}
    });
}

static void
an_offer_is_made_after_every_welcome (void **state)
{
    struct link_fixture *fixture = *state;

    fixture_refuse (fixture, MSG_HEARTBEAT, REFUSAL_HELLO_FIRST, 0);
    fixture_connect (fixture);

    assert_int_equal (fixture_next (fixture), MSG_OFFER);
    assert_memory_equal (fixture->msg.offer.set.data, "set", 3);
    assert_int_equal (fixture->msg.offer.attributes.size, 6);
}

static void
a_refused_offer_is_told (void **state)
{
    struct link_fixture *fixture = *state;
    make_offer (fixture);
    assert_int_equal (fixture_next (fixture), MSG_OFFER);

    fixture_give (fixture, (struct msg) {
        .kind = MSG_REFUSED,
        .refused = {.refusal = REFUSAL_MALFORMED, .kind = MSG_OFFER,
                    .ref = fixture->msg.offer.ref, .text = text_bytes ("attributes")},
    });

    assert_int_equal (link_server_offer_error (fixture->link), BATON_REFUSED);
    assert_string_equal (link_error_text (fixture->link), "attributes");
}

static void
a_fresh_session_is_worked_on_at_once (void **state)
{
    struct link_fixture *fixture = *state;

    fixture_deliver (fixture, 0, 1, 2);

    struct link_task *task = take_task (fixture, 1);
    struct link_task_view view;
    link_task_read (task, &view);
    assert_true (view.restarted);
    assert_int_equal (view.restart_data.size, 0);
    assert_int_equal (link_counters (fixture->link)->hits, 1);
    assert_int_equal (fixture_next (fixture), 0);
}

static void
state_that_is_not_held_is_asked_for (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_task_view view;

    fixture_deliver (fixture, 3, 5, 6);
    no_task (fixture);
    assert_int_equal (fixture_next (fixture), MSG_RELOAD);
    give_state (fixture, 3, 4, "state");
    fixture_give (fixture, fixture_resumed (0, 3));
    fixture_deliver (fixture, 3, 5, 6);

    link_task_read (take_task (fixture, 5), &view);
    assert_memory_equal (view.restart_data.data, "state", 5);
    assert_true (view.restarted);
    link_task_read (take_task (fixture, 6), &view);
    assert_false (view.restarted);
    assert_int_equal (link_counters (fixture->link)->reloads, 1);
}

static void
an_empty_delivery_of_unknown_state_asks_for_it (void **state)
{
    struct link_fixture *fixture = *state;

    fixture_deliver (fixture, 3, 1, 0);

    assert_int_equal (fixture_next (fixture), MSG_RELOAD);
    assert_int_equal (fixture->msg.reload.incarnation.n, 7);
}

static void
what_was_consumed_and_not_answered_comes_first (void **state)
{
    struct link_fixture *fixture = *state;
    struct msg_response answer;
    struct link_task_view view;
    fixture_deliver (fixture, 3, 5, 5);
    assert_int_equal (fixture_next (fixture), MSG_RELOAD);

    give_state (fixture, 3, 4, "state");
    give_queue (fixture, 2, 9);
    no_task (fixture);
    fixture_give (fixture, fixture_resumed (0, 3));
    fixture_deliver (fixture, 3, 5, 5);

    struct link_task *task = take_task (fixture, 2);
    link_task_read (task, &view);
    assert_true (view.consumed);
    assert_int_equal (link_task_next_answer (task, &answer), BATON_OK);
    assert_int_equal (answer.seq.n, 9);
    assert_int_equal (link_task_next_answer (task, &answer), BATON_NOT_FOUND);
    (void) take_task (fixture, 5);
}

static void
a_request_that_is_held_is_not_shown_again (void **state)
{
    struct link_fixture *fixture = *state;
    fixture_deliver (fixture, 0, 1, 2);
    (void) take_task (fixture, 1);

    fixture_refuse (fixture, MSG_HEARTBEAT, REFUSAL_HELLO_FIRST, 0);
    fixture_connect (fixture);
    fixture_deliver (fixture, 0, 1, 3);

    (void) take_task (fixture, 2);
    (void) take_task (fixture, 3);
    no_task (fixture);
    assert_int_equal (link_counters (fixture->link)->redelivered, 2);
}

static void
replies_leave_in_the_order_of_their_session (void **state)
{
    struct link_fixture *fixture = *state;
    fixture_deliver (fixture, 0, 1, 3);
    struct link_task *first = take_task (fixture, 1);
    struct link_task *second = take_task (fixture, 2);

    assert_int_equal (link_task_reply (second, text_bytes ("b")), BATON_OK);
    assert_int_equal (link_server_flush (fixture->link), BATON_OK);
    assert_int_equal (fixture_next (fixture), 0);
    assert_int_equal (link_task_reply (first, text_bytes ("a")), BATON_OK);
    assert_int_equal (link_server_flush (fixture->link), BATON_OK);

    const struct msg_part *part = take_commit (fixture, 0, 2);
    assert_int_equal (part->responses_count, 2);
    assert_int_equal (part->responses[0].request.n, 1);
    assert_int_equal (part->responses[1].request.n, 2);
    assert_memory_equal (part->responses[1].body.data, "b", 1);
}

static void
many_replies_leave_as_one_commit (void **state)
{
    struct link_fixture *fixture = *state;
    fixture_deliver (fixture, 0, 1, 100);
    for (uint64_t seq = 1; seq <= 100; seq++) {
        assert_int_equal (link_task_reply (take_task (fixture, seq), text_bytes ("a")), BATON_OK);
    }
    assert_int_equal (link_server_flush (fixture->link), BATON_OK);

    assert_int_equal (take_commit (fixture, 0, 100)->responses_count, 100);
    assert_int_equal (fixture_next (fixture), 0);
}

static void
a_task_is_answered_once (void **state)
{
    struct link_fixture *fixture = *state;
    fixture_deliver (fixture, 0, 1, 1);
    struct link_task *task = take_task (fixture, 1);

    assert_int_equal (link_task_reply (task, text_bytes ("a")), BATON_OK);

    assert_int_equal (link_task_reply (task, text_bytes ("b")), BATON_BAD_ARGUMENT);
}

static void
skipped_requests_are_consumed_unseen (void **state)
{
    struct link_fixture *fixture = *state;
    struct msg_request requests[] = {
        {.seq = {1}, .state = REQUEST_SKIPPED, .attempt = 1},
        {.seq = {2}, .state = REQUEST_OPEN, .attempt = 1},
    };
    struct msg_delivery delivery = {
        .session = fixture_session, .actor = fixture_actor, .incarnation = {7},
        .phase = DELIVER_LIVE, .requests = requests, .requests_count = 2,
    };
    fixture_give (fixture, (struct msg) {
        .kind = MSG_DELIVER, .deliver = {.deliveries = &delivery, .deliveries_count = 1}
    });

    assert_int_equal (link_task_reply (take_task (fixture, 2), text_bytes ("a")), BATON_OK);
    assert_int_equal (link_server_flush (fixture->link), BATON_OK);

    assert_int_equal (take_commit (fixture, 0, 2)->responses_count, 1);
    assert_int_equal (link_counters (fixture->link)->skipped, 1);
}

static void
by_hand_a_lone_skipped_request_is_consumed_at_once (void **state)
{
    struct link_fixture *fixture = *state;
    struct msg_request skipped = {.seq = {2}, .state = REQUEST_SKIPPED, .attempt = 1};
    struct msg_delivery delivery = {
        .session = fixture_session, .actor = fixture_actor, .incarnation = {7},
        .phase = DELIVER_LIVE, .requests = &skipped, .requests_count = 1,
    };
    fixture_deliver (fixture, 0, 1, 1);
    assert_int_equal (link_task_commit (take_task (fixture, 1), text_bytes ("x")), BATON_OK);
    (void) take_commit (fixture, 0, 1);

    fixture_give (fixture, (struct msg) {
        .kind = MSG_DELIVER, .deliver = {.deliveries = &delivery, .deliveries_count = 1}
    });

    (void) take_commit (fixture, 1, 2);
    assert_memory_equal (fixture->msg.commit.restart_data.data, "x", 1);
}

static void
a_commit_by_hand_is_one_step (void **state)
{
    struct link_fixture *fixture = *state;
    fixture_deliver (fixture, 0, 1, 1);
    struct link_task *task = take_task (fixture, 1);

    assert_int_equal (link_task_reply (task, text_bytes ("a")), BATON_OK);
    assert_int_equal (link_task_commit (task, text_bytes ("state")), BATON_OK);

    const struct msg_part *part = take_commit (fixture, 0, 1);
    assert_memory_equal (fixture->msg.commit.restart_data.data, "state", 5);
    assert_int_equal (part->responses_count, 1);
    assert_int_equal (fixture_next (fixture), 0);
}

static void
by_hand_answers_wait_and_leave_in_rising_order (void **state)
{
    struct link_fixture *fixture = *state;
    link_server_set_mode (fixture->link, LINK_TASK_BY_HAND);
    fixture_deliver (fixture, 0, 1, 3);
    struct link_task *tasks[3];
    for (uint64_t i = 0; i < 3; i++) {
        tasks[i] = take_task (fixture, i + 1);
    }
    assert_int_equal (link_task_reply (tasks[2], text_bytes ("c")), BATON_OK);
    assert_int_equal (link_task_reply (tasks[0], text_bytes ("a")), BATON_OK);
    assert_int_equal (link_server_flush (fixture->link), BATON_OK);
    assert_int_equal (fixture_next (fixture), 0);

    assert_int_equal (link_task_commit (tasks[1], text_bytes ("x")), BATON_BAD_ARGUMENT);
    assert_int_equal (link_task_commit (tasks[2], text_bytes ("x")), BATON_OK);

    const struct msg_part *part = take_commit (fixture, 0, 3);
    assert_int_equal (part->responses[0].request.n, 1);
    assert_int_equal (part->responses[1].request.n, 3);
}

static void
a_consumed_request_may_be_answered_later (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_task_view view;
    fixture_deliver (fixture, 0, 1, 2);
    struct link_task *first = take_task (fixture, 1);
    struct link_task *second = take_task (fixture, 2);
    assert_int_equal (link_task_commit (second, text_bytes ("x")), BATON_OK);
    assert_int_equal (take_commit (fixture, 0, 2)->responses_count, 0);

    link_task_read (first, &view);
    assert_true (view.consumed);
    assert_int_equal (link_task_reply (first, text_bytes ("a")), BATON_OK);
    assert_int_equal (link_task_commit (first, text_bytes ("y")), BATON_OK);

    const struct msg_part *part = take_commit (fixture, 1, 2);
    assert_int_equal (part->responses[0].request.n, 1);
}

static void
engine_commits_carry_the_restart_data_along (void **state)
{
    struct link_fixture *fixture = *state;
    fixture_deliver (fixture, 3, 5, 5);
    assert_int_equal (fixture_next (fixture), MSG_RELOAD);
    give_state (fixture, 3, 4, "state");
    fixture_give (fixture, fixture_resumed (0, 3));
    fixture_deliver (fixture, 3, 5, 5);

    assert_int_equal (link_task_reply (take_task (fixture, 5), text_bytes ("a")), BATON_OK);
    assert_int_equal (link_server_flush (fixture->link), BATON_OK);

    (void) take_commit (fixture, 3, 5);
    assert_memory_equal (fixture->msg.commit.restart_data.data, "state", 5);
}

static void
a_rejected_request_goes_back_with_all_after_it (void **state)
{
    struct link_fixture *fixture = *state;
    fixture_deliver (fixture, 0, 1, 4);
    struct link_task *first = take_task (fixture, 1);
    struct link_task *second = take_task (fixture, 2);
    struct link_task *third = take_task (fixture, 3);
    assert_int_equal (link_task_reply (first, text_bytes ("a")), BATON_OK);

    assert_int_equal (link_task_reject (third, text_bytes ("no")), BATON_BAD_ARGUMENT);
    assert_int_equal (link_task_reject (second, text_bytes ("no")), BATON_OK);

    const struct msg_part *part = take_commit (fixture, 0, 1);
    assert_int_equal (part->rejected.n, 2);
    assert_memory_equal (part->reject_reason.data, "no", 2);
    assert_int_equal (part->responses_count, 1);
    assert_int_equal (link_task_reply (third, text_bytes ("c")), BATON_NOT_FOUND);
    no_task (fixture);
}

// What was not committed must not leave with the next commit that carries the restart data along.
static void
a_commit_that_failed_leaves_the_restart_data (void **state)
{
    struct link_fixture *fixture = *state;
    fixture_deliver (fixture, 0, 1, 2);
    assert_int_equal (link_task_commit (take_task (fixture, 1), text_bytes ("one")), BATON_OK);
    struct link_task *second = take_task (fixture, 2);
    size_t failed_count = 0;
    for (size_t fail_at = 1; fail_at <= 2; fail_at++) {
        fixture->memory.fail_at = fixture->memory.asked_count + fail_at;
        failed_count += link_task_commit (second, text_bytes ("two")) == BATON_NO_MEMORY;
    }
    assert_int_equal (failed_count, 2);

    assert_int_equal (link_task_reject (second, text_bytes ("no")), BATON_OK);

    assert_int_equal (fixture_next (fixture), MSG_COMMIT);
    assert_int_equal (fixture_next (fixture), MSG_COMMIT);
    assert_int_equal (fixture->msg.commit.parts[0].rejected.n, 2);
    assert_int_equal (fixture->msg.commit.restart_data.size, 3);
    assert_memory_equal (fixture->msg.commit.restart_data.data, "one", 3);
}

static void
late_deliveries_of_what_was_given_back_are_dropped (void **state)
{
    struct link_fixture *fixture = *state;
    fixture_deliver (fixture, 0, 1, 2);
    assert_int_equal (link_task_reject (take_task (fixture, 1), text_bytes ("")), BATON_OK);

    fixture_deliver (fixture, 0, 3, 4);
    fixture_deliver (fixture, 0, 1, 2);
    no_task (fixture);

    struct msg_request again = {.seq = {1}, .state = REQUEST_OPEN, .attempt = 2};
    struct msg_delivery delivery = {
        .session = fixture_session, .actor = fixture_actor, .incarnation = {7},
        .base_version = {1}, .phase = DELIVER_LIVE, .requests = &again, .requests_count = 1,
    };
    fixture_give (fixture, (struct msg) {
        .kind = MSG_DELIVER, .deliver = {.deliveries = &delivery, .deliveries_count = 1}
    });
    (void) take_task (fixture, 1);
}

static void
by_hand_a_reject_takes_later_answers_back (void **state)
{
    struct link_fixture *fixture = *state;
    link_server_set_mode (fixture->link, LINK_TASK_BY_HAND);
    fixture_deliver (fixture, 0, 1, 3);
    struct link_task *first = take_task (fixture, 1);
    struct link_task *second = take_task (fixture, 2);
    assert_int_equal (link_task_reply (second, text_bytes ("b")), BATON_OK);

    assert_int_equal (link_task_reject (first, text_bytes ("no")), BATON_OK);

    assert_int_equal (take_commit (fixture, 0, 0)->responses_count, 0);
    assert_int_equal (link_task_commit (second, text_bytes ("x")), BATON_NOT_FOUND);
    struct msg_request again = {.seq = {1}, .state = REQUEST_OPEN, .attempt = 2};
    struct msg_delivery delivery = {
        .session = fixture_session, .actor = fixture_actor, .incarnation = {7},
        .base_version = {1}, .phase = DELIVER_LIVE, .requests = &again, .requests_count = 1,
    };
    fixture_give (fixture, (struct msg) {
        .kind = MSG_DELIVER, .deliver = {.deliveries = &delivery, .deliveries_count = 1}
    });
    assert_int_equal (link_task_commit (take_task (fixture, 1), text_bytes ("x")), BATON_OK);
    assert_int_equal (take_commit (fixture, 1, 1)->responses_count, 0);
}

static void
a_full_window_holds_up_replies_until_acknowledged (void **state)
{
    struct link_fixture *fixture = *state;
    static const char body[LIMIT_BODY_MAX_BYTES];
    struct baton_bytes large = {body, sizeof body};
    const uint64_t fit_count = LIMIT_UNACKED_MAX_BYTES / LIMIT_BODY_MAX_BYTES;
    fixture_deliver (fixture, 0, 1, fit_count + 1);
    for (uint64_t seq = 1; seq <= fit_count; seq++) {
        assert_int_equal (link_task_reply (take_task (fixture, seq), large), BATON_OK);
    }
    struct link_task *last = take_task (fixture, fit_count + 1);

    assert_int_equal (link_task_reply (last, large), BATON_BUSY);
    while (fixture_next (fixture) == MSG_COMMIT) {
        continue;
    }
    fixture_ack (fixture, 2);

    assert_int_equal (link_task_reply (last, large), BATON_OK);
}

static void
a_busy_reload_and_a_busy_offer_are_said_again (void **state)
{
    struct link_fixture *fixture = *state;
    make_offer (fixture);
    assert_int_equal (fixture_next (fixture), MSG_OFFER);
    fixture_give (fixture, (struct msg) {
        .kind = MSG_REFUSED,
        .refused = {.refusal = REFUSAL_BUSY, .kind = MSG_OFFER, .ref = fixture->msg.offer.ref,
                    .retry_after_ms = 100},
    });
    fixture_deliver (fixture, 3, 5, 5);
    assert_int_equal (fixture_next (fixture), MSG_RELOAD);
    fixture_refuse (fixture, MSG_RELOAD, REFUSAL_BUSY, 0);

    assert_int_equal (fixture_next (fixture), 0);
    fixture_pass (fixture, 100);

    assert_int_equal (fixture_next (fixture), MSG_OFFER);
    assert_int_equal (fixture_next (fixture), MSG_RELOAD);
}

static void
the_state_idle_longest_makes_room (void **state)
{
    struct link_fixture *fixture = *state;
    struct msg_request first = {.seq = {1}, .state = REQUEST_OPEN, .attempt = 1};
    for (uint64_t i = 0; i <= LIMIT_LIVE_STATES_MAX_COUNT; i++) {
        struct msg_delivery delivery = {
            .session = {50, i + 1}, .actor = {60, i + 1}, .incarnation = {7},
            .phase = DELIVER_LIVE, .requests = &first, .requests_count = i == 0,
        };
        fixture_give (fixture, (struct msg) {
            .kind = MSG_DELIVER, .deliver = {.deliveries = &delivery, .deliveries_count = 1}
        });
    }
    struct msg_delivery again = {
        .session = {50, 2}, .actor = {60, 2}, .incarnation = {7}, .base_version = {1},
        .phase = DELIVER_LIVE,
    };
    fixture_give (fixture, (struct msg) {
        .kind = MSG_DELIVER, .deliver = {.deliveries = &again, .deliveries_count = 1}
    });

    // The oldest of all has work to do and stays; the one after it had to go.
    (void) take_task (fixture, 1);
    assert_int_equal (fixture_next (fixture), MSG_RELOAD);
    assert_int_equal (fixture->msg.reload.session.low, 2);
}

static void
state_stays_readable_while_its_session_is_lost (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_task_view view;
    fixture_deliver (fixture, 0, 1, 2);
    assert_int_equal (link_task_commit (take_task (fixture, 1), text_bytes ("state")), BATON_OK);
    link_task_read (take_task (fixture, 2), &view);

    fixture_give (fixture, (struct msg) {
        .kind = MSG_CLOSED, .closed = {.session = fixture_session, .reason = CLOSE_BY_CLIENT}
    });

    assert_memory_equal (view.restart_data.data, "state", 5);
    assert_memory_equal (view.body.data, "r", 1);
}

static void
a_fenced_server_drops_state_and_tells (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_abort lost;
    fixture_deliver (fixture, 0, 1, 2);
    struct link_task *task = take_task (fixture, 1);

    struct msg refused = {
        .kind = MSG_REFUSED,
        .refused = {.refusal = REFUSAL_FENCED, .kind = MSG_COMMIT, .actor = fixture_actor,
                    .incarnation = {8}},
    };
    fixture_give (fixture, refused);

    assert_int_equal (link_server_next_abort (fixture->link, &lost), BATON_OK);
    assert_true (id_equal (lost.session, fixture_session));
    assert_int_equal (lost.reason, BATON_FENCED);
    assert_int_equal (link_task_reply (task, text_bytes ("a")), BATON_FENCED);
    no_task (fixture);
}

static void
fenced_without_a_newer_incarnation_is_asked_about (void **state)
{
    struct link_fixture *fixture = *state;
    fixture_deliver (fixture, 0, 1, 1);
    (void) take_task (fixture, 1);

    fixture_refuse (fixture, MSG_COMMIT, REFUSAL_FENCED, 0);

    assert_int_equal (fixture_next (fixture), MSG_RELOAD);
    fixture_refuse (fixture, MSG_RELOAD, REFUSAL_FENCED, 0);
    struct link_abort lost;
    assert_int_equal (link_server_next_abort (fixture->link, &lost), BATON_OK);
}

static void
a_session_that_was_elsewhere_comes_back_without_its_old_state (void **state)
{
    struct link_fixture *fixture = *state;
    fixture_deliver (fixture, 0, 1, 1);
    (void) take_task (fixture, 1);

    struct msg_delivery delivery = {
        .session = fixture_session, .actor = fixture_actor, .incarnation = {9},
        .base_version = {4}, .phase = DELIVER_LIVE,
    };
    fixture_give (fixture, (struct msg) {
        .kind = MSG_DELIVER, .deliver = {.deliveries = &delivery, .deliveries_count = 1}
    });

    assert_int_equal (fixture_next (fixture), MSG_RELOAD);
    assert_int_equal (fixture->msg.reload.incarnation.n, 9);
    fixture_deliver (fixture, 0, 1, 1);
    no_task (fixture);
}

static void
a_closed_session_ends_its_tasks (void **state)
{
    struct link_fixture *fixture = *state;
    fixture_deliver (fixture, 0, 1, 1);
    struct link_task *task = take_task (fixture, 1);

    fixture_give (fixture, (struct msg) {
        .kind = MSG_CLOSED, .closed = {.session = fixture_session, .reason = CLOSE_BY_CLIENT}
    });

    assert_int_equal (link_task_commit (task, text_bytes ("x")), BATON_CLOSED);
}

static void
unacknowledged_answers_are_sent_again (void **state)
{
    struct link_fixture *fixture = *state;
    fixture_deliver (fixture, 0, 1, 2);
    for (uint64_t seq = 1; seq <= 2; seq++) {
        assert_int_equal (link_task_reply (take_task (fixture, seq), text_bytes ("a")), BATON_OK);
        assert_int_equal (link_server_flush (fixture->link), BATON_OK);
        (void) take_commit (fixture, seq - 1, seq);
    }
    fixture_ack (fixture, 1);

    fixture_refuse (fixture, MSG_HEARTBEAT, REFUSAL_HELLO_FIRST, 0);
    fixture_connect (fixture);
    accept_offer (fixture);

    (void) take_commit (fixture, 1, 2);
    assert_int_equal (fixture_next (fixture), 0);
    assert_false (link_server_is_safe (fixture->link));
    fixture_ack (fixture, 2);
    assert_true (link_server_is_safe (fixture->link));
}

static void
state_asked_for_on_a_lost_line_is_asked_for_again (void **state)
{
    struct link_fixture *fixture = *state;
    fixture_deliver (fixture, 3, 5, 5);
    assert_int_equal (fixture_next (fixture), MSG_RELOAD);
    give_state (fixture, 3, 4, "state");

    fixture_refuse (fixture, MSG_HEARTBEAT, REFUSAL_HELLO_FIRST, 0);
    fixture_connect (fixture);
    accept_offer (fixture);

    assert_int_equal (fixture_next (fixture), MSG_RELOAD);
}

// What a server does in its life, up to the first thing that fails for want of memory.
static void
live (struct link_fixture *fixture)
{
    struct link_offer offer = {
        .attributes = text_bytes ("a"), .capacity = 1, .credit_count = 1, .credit_bytes = 1
    };
    struct link_task *task;
    if (link_server_offer (fixture->link, &offer)) return;
    for (int i = 0; i < 3; i++) {
        while (fixture_next (fixture)) {
            if (fixture->msg.kind == MSG_HELLO) {
                fixture_welcome (fixture);
                fixture_deliver (fixture, 3, 5, 9);
            } else if (fixture->msg.kind == MSG_RELOAD) {
                give_state (fixture, 3, 4, "state");
                give_queue (fixture, 2, 9);
                fixture_give (fixture, fixture_resumed (0, 3));
                fixture_deliver (fixture, 3, 5, 9);
            }
        }
        fixture_pass (fixture, LIMIT_DIAL_RETRY_MAX_MS);
    }
    struct link_task *kept = NULL;
    while (link_server_next (fixture->link, &task) == BATON_OK) {
        if (kept && link_task_reply (task, text_bytes ("a"))) return;
        kept = kept ? kept : task;
    }
    if (!kept || link_task_commit (kept, text_bytes ("more"))) return;
    (void) link_task_reply (kept, text_bytes ("late"));
    (void) link_server_flush (fixture->link);
    while (fixture_next (fixture)) {
        continue;
    }
}

static void
any_allocation_may_fail (void **state)
{
    (void) state;
    for (size_t fail_at = 1;; fail_at++) {
        struct link_fixture fixture;
        fixture_init (&fixture, END_SERVER, 1);
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
        TEST (an_offer_is_made_after_every_welcome),
        TEST (a_refused_offer_is_told),
        TEST (a_fresh_session_is_worked_on_at_once),
        TEST (state_that_is_not_held_is_asked_for),
        TEST (an_empty_delivery_of_unknown_state_asks_for_it),
        TEST (what_was_consumed_and_not_answered_comes_first),
        TEST (a_request_that_is_held_is_not_shown_again),
        TEST (replies_leave_in_the_order_of_their_session),
        TEST (many_replies_leave_as_one_commit),
        TEST (a_task_is_answered_once),
        TEST (skipped_requests_are_consumed_unseen),
        TEST (by_hand_a_lone_skipped_request_is_consumed_at_once),
        TEST (a_commit_by_hand_is_one_step),
        TEST (by_hand_answers_wait_and_leave_in_rising_order),
        TEST (a_consumed_request_may_be_answered_later),
        TEST (engine_commits_carry_the_restart_data_along),
        TEST (a_commit_that_failed_leaves_the_restart_data),
        TEST (a_rejected_request_goes_back_with_all_after_it),
        TEST (late_deliveries_of_what_was_given_back_are_dropped),
        TEST (by_hand_a_reject_takes_later_answers_back),
        TEST (a_full_window_holds_up_replies_until_acknowledged),
        TEST (a_busy_reload_and_a_busy_offer_are_said_again),
        TEST (the_state_idle_longest_makes_room),
        TEST (state_stays_readable_while_its_session_is_lost),
        TEST (a_fenced_server_drops_state_and_tells),
        TEST (fenced_without_a_newer_incarnation_is_asked_about),
        TEST (a_session_that_was_elsewhere_comes_back_without_its_old_state),
        TEST (a_closed_session_ends_its_tasks),
        TEST (unacknowledged_answers_are_sent_again),
        TEST (state_asked_for_on_a_lost_line_is_asked_for_again),
        cmocka_unit_test (any_allocation_may_fail),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
