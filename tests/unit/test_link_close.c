// SPDX-License-Identifier: MPL-2.0
// Goal: a client that closes a session ends it for good, whatever it had under way.
// Method: the engine alone against a manager played by hand (link_fixture.h).
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
close_waits_until_its_version_is_known (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 3, "");
    commit_one (fixture, session);

    link_session_close (session);
    assert_int_equal (fixture_next (fixture), 0);
    fixture_ack (fixture, 4);

    assert_int_equal (fixture_next (fixture), MSG_CLOSE);
    assert_int_equal (fixture->msg.close.expect_version.n, 4);
    fixture_give (fixture, (struct msg) {
        .kind = MSG_CLOSED,
        .closed = {.ref = fixture->msg.close.ref, .session = fixture_session,
                   .reason = CLOSE_BY_CLIENT},
    });
    assert_int_equal (link_session_error (session), BATON_CLOSED);
}

static void
a_repeated_close_takes_no_such_session_for_closed (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    link_session_close (session);
    assert_int_equal (fixture_next (fixture), MSG_CLOSE);

    fixture_refuse (fixture, MSG_HEARTBEAT, REFUSAL_HELLO_FIRST, 0);
    fixture_connect (fixture);
    assert_int_equal (fixture_next (fixture), MSG_OPEN);
    fixture_give (fixture, (struct msg) {
        .kind = MSG_REFUSED,
        .refused = {.refusal = REFUSAL_NO_SUCH_SESSION, .kind = MSG_OPEN,
                    .ref = fixture->msg.open.ref},
    });

    assert_int_equal (link_session_error (session), BATON_CLOSED);
}

static void
a_busy_commit_does_not_hold_up_a_close (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    commit_one (fixture, session);
    link_session_close (session);

    fixture_refuse (fixture, MSG_COMMIT, REFUSAL_BUSY, 0);

    assert_int_equal (fixture_next (fixture), MSG_CLOSE);
    assert_int_equal (fixture->msg.close.expect_version.n, 0);
}

static void
a_close_of_another_version_is_said_again_with_the_stored_one (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 3, "");
    link_session_close (session);
    assert_int_equal (fixture_next (fixture), MSG_CLOSE);

    fixture_give (fixture, (struct msg) {
        .kind = MSG_REFUSED,
        .refused = {.refusal = REFUSAL_GAP, .kind = MSG_CLOSE, .ref = fixture->msg.close.ref,
                    .version = {5}},
    });

    assert_int_equal (fixture_next (fixture), MSG_CLOSE);
    assert_int_equal (fixture->msg.close.expect_version.n, 5);
}

static void
a_busy_close_waits_and_is_said_again (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 0, "");
    link_session_close (session);
    assert_int_equal (fixture_next (fixture), MSG_CLOSE);

    fixture_give (fixture, (struct msg) {
        .kind = MSG_REFUSED,
        .refused = {.refusal = REFUSAL_UNAVAILABLE, .kind = MSG_CLOSE,
                    .ref = fixture->msg.close.ref, .retry_after_ms = 100},
    });

    assert_int_equal (fixture_next (fixture), 0);
    fixture_pass (fixture, 100);
    assert_int_equal (fixture_next (fixture), MSG_CLOSE);
}

// Simulator: the commit was sent twice; the first was refused for want of room, the second stored.
static void
an_ack_of_what_closing_cut_lets_it_go_on (void **state)
{
    struct link_fixture *fixture = *state;
    struct link_session *session = fixture_open (fixture, 3, "");
    commit_one (fixture, session);
    commit_one (fixture, session);
    link_session_close (session);
    fixture_refuse (fixture, MSG_COMMIT, REFUSAL_BUSY, 4);

    fixture_ack (fixture, 5);

    assert_int_equal (fixture_next (fixture), MSG_CLOSE);
}

int
main (void)
{
#define TEST(name) cmocka_unit_test_setup_teardown (name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST (close_waits_until_its_version_is_known),
        TEST (a_repeated_close_takes_no_such_session_for_closed),
        TEST (a_busy_commit_does_not_hold_up_a_close),
        TEST (a_close_of_another_version_is_said_again_with_the_stored_one),
        TEST (a_busy_close_waits_and_is_said_again),
        TEST (an_ack_of_what_closing_cut_lets_it_go_on),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
