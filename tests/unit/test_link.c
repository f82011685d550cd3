// SPDX-License-Identifier: MPL-2.0
// Goal: an end finds the manager, stays with it, notices when it is gone, and is never talked into
// an older reign or another group. Method: the engine of link.h alone; time and messages are
// handed in, what it says is looked at.
#include "tests/unit/link_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
hello_is_repeated_until_welcome (void **state)
{
    (void) state;
    struct link_fixture fixture;
    fixture_init (&fixture, END_CLIENT, 1);

    assert_int_equal (fixture_next (&fixture), MSG_HELLO);
    assert_int_equal (fixture.msg.hello.role, END_CLIENT);
    assert_int_equal (fixture_next (&fixture), 0);
    fixture_pass (&fixture, LIMIT_HELLO_RETRY_MS);
    assert_int_equal (fixture_next (&fixture), MSG_HELLO);

    fixture_fini (&fixture);
}

static void
many_hellos_in_flight_begin_once (void **state)
{
    (void) state;
    struct link_fixture fixture;
    fixture_init (&fixture, END_CLIENT, 1);
    for (int i = 0; i < 4; i++) {
        assert_int_equal (fixture_next (&fixture), MSG_HELLO);
        fixture_pass (&fixture, LIMIT_HELLO_RETRY_MS);
    }

    for (int i = 0; i < 4; i++) {
        assert_false (link_is_served (fixture.link));
        fixture_welcome (&fixture);
    }

    assert_true (link_is_served (fixture.link));
    assert_int_equal (link_counters (fixture.link)->welcomes, 1);
    fixture_fini (&fixture);
}

static void
a_lost_welcome_does_not_keep_the_line_waiting (void **state)
{
    (void) state;
    struct link_fixture fixture;
    fixture_init (&fixture, END_CLIENT, 1);
    assert_int_equal (fixture_next (&fixture), MSG_HELLO);
    fixture_pass (&fixture, LIMIT_HELLO_RETRY_MS);
    assert_int_equal (fixture_next (&fixture), MSG_HELLO);

    fixture_welcome (&fixture);
    fixture_pass (&fixture, LIMIT_HELLO_RETRY_MS);

    assert_true (link_is_served (fixture.link));
    fixture_fini (&fixture);
}

static void
only_a_manager_raises_the_epoch (void **state)
{
    (void) state;
    struct link_fixture fixture;
    fixture_init (&fixture, END_CLIENT, 1);
    assert_int_equal (fixture_next (&fixture), MSG_HELLO);

    fixture_give (&fixture, (struct msg) {
        .kind = MSG_WELCOME, .welcome = {.role = BROKER_STANDBY, .group = fixture_group}
    });

    assert_int_equal (link_epoch (fixture.link).n, 0);
    assert_false (link_is_served (fixture.link));
    fixture_pass (&fixture, LIMIT_HELLO_RETRY_MS);
    assert_int_equal (fixture_next (&fixture), MSG_HELLO);
    fixture_fini (&fixture);
}

static void
a_standby_sends_us_to_the_next_endpoint (void **state)
{
    (void) state;
    struct link_fixture fixture;
    fixture_init (&fixture, END_CLIENT, 2);
    assert_int_equal (fixture_next (&fixture), MSG_HELLO);
    assert_int_equal (fixture.dialled_index, 0);

    fixture_give (&fixture, (struct msg) {
        .kind = MSG_WELCOME, .welcome = {.role = BROKER_STANDBY, .group = fixture_group}
    });
    fixture_pass (&fixture, LIMIT_DIAL_RETRY_MAX_MS);

    assert_int_equal (fixture_next (&fixture), MSG_HELLO);
    assert_int_equal (fixture.dialled_index, 1);
    fixture_fini (&fixture);
}

static void
a_manager_of_an_older_epoch_is_not_followed (void **state)
{
    (void) state;
    struct link_fixture fixture;
    fixture_init (&fixture, END_CLIENT, 2);
    fixture_connect (&fixture);

    fixture.epoch = 4;
    fixture_welcome (&fixture);

    assert_int_equal (link_epoch (fixture.link).n, 5);
    assert_false (link_is_served (fixture.link));
    fixture_fini (&fixture);
}

static void
frames_of_an_older_epoch_are_ignored (void **state)
{
    (void) state;
    struct link_fixture fixture;
    fixture_init (&fixture, END_CLIENT, 1);
    fixture_connect (&fixture);
    struct link_session *session = fixture_open (&fixture, 0, "");

    fixture.epoch = 4;
    fixture_respond (&fixture, 1, 1, "late");

    assert_false (link_session_has_response (session));
    assert_int_equal (link_counters (fixture.link)->ignored, 1);
    fixture_fini (&fixture);
}

static void
a_frame_of_a_newer_epoch_asks_for_a_new_hello (void **state)
{
    (void) state;
    struct link_fixture fixture;
    fixture_init (&fixture, END_CLIENT, 1);
    fixture_connect (&fixture);

    fixture.epoch = 6;
    fixture_give (&fixture, (struct msg) {.kind = MSG_HEARTBEAT});

    assert_int_equal (link_epoch (fixture.link).n, 5);
    assert_int_equal (fixture_next (&fixture), MSG_HELLO);
    fixture_fini (&fixture);
}

static void
hello_first_is_answered_by_hello (void **state)
{
    (void) state;
    struct link_fixture fixture;
    fixture_init (&fixture, END_CLIENT, 1);
    fixture_connect (&fixture);

    fixture.epoch = 9;
    fixture_refuse (&fixture, MSG_HEARTBEAT, REFUSAL_HELLO_FIRST, 0);

    assert_int_equal (fixture_next (&fixture), MSG_HELLO);
    assert_int_equal (fixture.msg.epoch.n, 5);
    fixture_fini (&fixture);
}

static void
a_quiet_line_gets_heartbeats (void **state)
{
    (void) state;
    struct link_fixture fixture;
    fixture_init (&fixture, END_CLIENT, 1);
    fixture_connect (&fixture);

    for (int i = 0; i < 5; i++) {
        fixture_pass (&fixture, LIMIT_HEARTBEAT_MS - 10);
        assert_int_equal (fixture_next (&fixture), 0);
        fixture_pass (&fixture, 10);
        assert_int_equal (fixture_next (&fixture), MSG_HEARTBEAT);
        fixture_give (&fixture, (struct msg) {.kind = MSG_HEARTBEAT});
    }

    assert_int_equal (link_counters (fixture.link)->links_lost, 0);
    fixture_fini (&fixture);
}

static void
a_silent_manager_is_left_within_the_retry_time (void **state)
{
    (void) state;
    struct link_fixture fixture;
    fixture_init (&fixture, END_CLIENT, 3);
    fixture_connect (&fixture);

    fixture_pass (&fixture, LIMIT_END_SILENT_MS + 20);
    assert_int_equal (link_counters (fixture.link)->links_lost, 1);
    fixture_pass (&fixture, LIMIT_DIAL_RETRY_MAX_MS);

    assert_int_equal (fixture_next (&fixture), MSG_HELLO);
    assert_int_equal (fixture.dialled_index, 1);
    fixture_fini (&fixture);
}

static void
our_own_stall_accuses_nobody (void **state)
{
    (void) state;
    struct link_fixture fixture;
    fixture_init (&fixture, END_CLIENT, 1);
    fixture_connect (&fixture);

    fixture.now_ns += 60000 * MS;
    link_step (fixture.link, fixture.now_ns);

    assert_int_equal (link_counters (fixture.link)->links_lost, 0);
    assert_int_equal (fixture_next (&fixture), MSG_HEARTBEAT);
    fixture_fini (&fixture);
}

static void
another_group_is_an_error_for_good (void **state)
{
    (void) state;
    struct link_fixture fixture;
    fixture_init (&fixture, END_CLIENT, 1);
    fixture_connect (&fixture);

    fixture_give (&fixture, (struct msg) {
        .kind = MSG_WELCOME, .welcome = {.role = BROKER_MANAGER, .group = {8, 8}}
    });

    assert_int_equal (link_error (fixture.link), BATON_FOREIGN_GROUP);
    assert_int_equal (link_epoch (fixture.link).n, 0);
    assert_int_equal (fixture_next (&fixture), 0);
    fixture_fini (&fixture);
}

static void
a_new_process_of_the_same_name_ends_the_server (void **state)
{
    (void) state;
    struct link_fixture fixture;
    fixture_init (&fixture, END_SERVER, 1);
    fixture_connect (&fixture);

    fixture_give (&fixture, (struct msg) {
        .kind = MSG_REFUSED, .refused = {.refusal = REFUSAL_FENCED, .kind = MSG_HEARTBEAT}
    });

    assert_int_equal (link_error (fixture.link), BATON_FENCED);
    fixture_fini (&fixture);
}

static void
unavailable_at_hello_is_tried_again_when_asked (void **state)
{
    (void) state;
    struct link_fixture fixture;
    fixture_init (&fixture, END_CLIENT, 1);
    assert_int_equal (fixture_next (&fixture), MSG_HELLO);

    fixture_give (&fixture, (struct msg) {
        .kind = MSG_REFUSED,
        .refused = {.refusal = REFUSAL_UNAVAILABLE, .kind = MSG_HELLO, .retry_after_ms = 700},
    });

    fixture_pass (&fixture, 690);
    assert_int_equal (fixture_next (&fixture), 0);
    fixture_pass (&fixture, 10);
    assert_int_equal (fixture_next (&fixture), MSG_HELLO);
    fixture_fini (&fixture);
}

static void
goodbye_is_the_last_word (void **state)
{
    (void) state;
    struct link_fixture fixture;
    fixture_init (&fixture, END_SERVER, 1);
    fixture_connect (&fixture);

    link_goodbye (fixture.link);

    assert_int_equal (fixture_next (&fixture), MSG_GOODBYE);
    assert_true (link_is_over (fixture.link));
    assert_int_equal (fixture_next (&fixture), 0);
    assert_true (link_deadline_ns (fixture.link) == UINT64_MAX);
    fixture_fini (&fixture);
}

static void
without_memory_there_is_no_link (void **state)
{
    (void) state;
    struct memory_fail memory;
    memory_fail_init (&memory, 1);
    struct link_options options = {.role = END_CLIENT, .endpoints_count = 1};
    struct link *link;

    assert_int_equal (link_new (&memory.memory, &options, 0, &link), BATON_NO_MEMORY);

    memory_fail_expect_clean (&memory);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (hello_is_repeated_until_welcome),
        cmocka_unit_test (many_hellos_in_flight_begin_once),
        cmocka_unit_test (a_lost_welcome_does_not_keep_the_line_waiting),
        cmocka_unit_test (only_a_manager_raises_the_epoch),
        cmocka_unit_test (a_standby_sends_us_to_the_next_endpoint),
        cmocka_unit_test (a_manager_of_an_older_epoch_is_not_followed),
        cmocka_unit_test (frames_of_an_older_epoch_are_ignored),
        cmocka_unit_test (a_frame_of_a_newer_epoch_asks_for_a_new_hello),
        cmocka_unit_test (hello_first_is_answered_by_hello),
        cmocka_unit_test (a_quiet_line_gets_heartbeats),
        cmocka_unit_test (a_silent_manager_is_left_within_the_retry_time),
        cmocka_unit_test (our_own_stall_accuses_nobody),
        cmocka_unit_test (another_group_is_an_error_for_good),
        cmocka_unit_test (a_new_process_of_the_same_name_ends_the_server),
        cmocka_unit_test (unavailable_at_hello_is_tried_again_when_asked),
        cmocka_unit_test (goodbye_is_the_last_word),
        cmocka_unit_test (without_memory_there_is_no_link),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
