// SPDX-License-Identifier: MPL-2.0
// Goal: an end whose message found no room hears of it whenever it would wait for an answer.
// Method: each kind of message that an end may send is refused as a turn does it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/shell/turn.h"

static const struct id session = {1, 2};
static const struct id actor = {3, 4};

static void
refused_reload_names_whom_it_is_about (void **state)
{
    const struct msg msg = {.kind = MSG_RELOAD, .reload = {session, actor, {7}}};
    struct msg_refused refused;

    (void) state;
    assert_true (turn_refuse (&msg, BATON_NO_MEMORY, &refused));

    assert_int_equal (refused.refusal, REFUSAL_BUSY);
    assert_int_equal (refused.busy_reason, BUSY_MEMORY);
    assert_true (id_equal (refused.session, session));
    assert_true (id_equal (refused.actor, actor));
    assert_int_equal (refused.incarnation.n, 7);
}

static void
refused_credit_names_its_session (void **state)
{
    const struct msg msg = {.kind = MSG_CREDIT, .credit = {.session = session}};
    struct msg_refused refused;

    (void) state;
    assert_true (turn_refuse (&msg, BATON_DISK_FULL, &refused));

    assert_int_equal (refused.busy_reason, BUSY_DISK);
    assert_true (id_equal (refused.session, session));
}

static void
nobody_waits_for_an_answer_to_heartbeat_and_goodbye (void **state)
{
    const struct msg heartbeat = {.kind = MSG_HEARTBEAT}, goodbye = {.kind = MSG_GOODBYE};
    struct msg_refused refused;

    (void) state;
    assert_false (turn_refuse (&heartbeat, BATON_NO_MEMORY, &refused));
    assert_false (turn_refuse (&goodbye, BATON_NO_MEMORY, &refused));
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (refused_reload_names_whom_it_is_about),
        cmocka_unit_test (refused_credit_names_its_session),
        cmocka_unit_test (nobody_waits_for_an_answer_to_heartbeat_and_goodbye),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
