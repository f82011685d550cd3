// SPDX-License-Identifier: MPL-2.0
// Goal: strangers are answered, counted and forgotten at the door; known paths get through; nobody
// makes the broker grow or flood itself with answers.
// Method: real doors and real lines over ipc in a temporary directory; the time is handed in.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/shell/doors.h"
#include "proto/memory_heap.h"

#define MS_NS UINT64_C (1000000)
// All waiting of one test, so that a fault ends it.
#define WAIT_MS 5000

struct fixture {
    char directory[64];
    char endpoint[128];
    struct memory memory;
    struct config config;
    struct config_findings findings;
    struct stats stats;
    struct log log;
    struct doors doors;
    struct port_context *context;
    struct port *line;
    struct wire_decoder *decoder;
    uint64_t now_ns;
    struct port_frame frame;
    struct msg msg;
    struct doors_message message;
};

static struct fixture *
fixture_new (void)
{
    static const struct port_options options = {LIMIT_FRAME_MAX_BYTES, 1, 1};
    struct fixture *fixture = calloc (1, sizeof *fixture);

    assert_non_null (fixture);
    snprintf (fixture->directory, sizeof fixture->directory, "/tmp/test_doors-XXXXXX");
    assert_non_null (mkdtemp (fixture->directory));
    snprintf (fixture->endpoint, sizeof fixture->endpoint, "ipc://%s/ends", fixture->directory);
    fixture->memory = memory_heap ();
    fixture->now_ns = 1000 * MS_NS;
    config_default (&fixture->config);
    assert_int_equal (config_finish (&fixture->config, 64 * MIB, &fixture->findings), BATON_OK);
    log_init (&fixture->log, 0);
    assert_int_equal (doors_open (&fixture->doors, &fixture->config, &fixture->memory,
                                  &fixture->stats, &fixture->log, 1), BATON_OK);
    assert_int_equal (doors_bind (&fixture->doors, DOOR_ENDS, fixture->endpoint), BATON_OK);
    assert_int_equal (port_context_new (&options, &fixture->context), BATON_OK);
    assert_int_equal (port_dial (fixture->context, fixture->endpoint, &fixture->line), BATON_OK);
    fixture->decoder = wire_decoder_new (&fixture->memory, WIRE_ARENA_BYTES);
    return fixture;
}

static void
fixture_free (struct fixture *fixture)
{
    char path[128];

    port_close (&fixture->line);
    port_context_free (&fixture->context);
    doors_close (&fixture->doors);
    wire_decoder_free (&fixture->decoder);
    snprintf (path, sizeof path, "%s/ends", fixture->directory);
    unlink (path);
    rmdir (fixture->directory);
    free (fixture);
}

static void
send_bytes (struct fixture *fixture, const void *bytes, size_t size)
{
    struct port_frame frame;

    assert_int_equal (port_frame_new (&frame, size), BATON_OK);
    memcpy (port_frame_data (&frame), bytes, size);
    assert_int_equal (port_send (fixture->line, NULL, &frame), BATON_OK);
}

static void
send_msg (struct fixture *fixture, const struct msg *msg)
{
    struct port_frame frame;
    const size_t size = wire_encoded_size (msg);

    assert_int_equal (port_frame_new (&frame, size), BATON_OK);
    wire_encode (msg, port_frame_data (&frame), size);
    assert_int_equal (port_send (fixture->line, NULL, &frame), BATON_OK);
}

static void
send_hello (struct fixture *fixture)
{
    struct msg msg = {.kind = MSG_HELLO};

    msg.hello = (struct msg_hello) {.role = END_CLIENT, .instance = {1, 2}};
    send_msg (fixture, &msg);
}

// Waits for one frame at the door and takes it.
static enum doors_result
receive (struct fixture *fixture)
{
    struct port_wait_item items[DOORS_MAX];

    for (;;) {
        const enum doors_result result
            = doors_receive (&fixture->doors, 0, fixture->now_ns, &fixture->message);
        if (result == DOORS_MESSAGE) {
            doors_done (&fixture->message);
        }
        if (result != DOORS_EMPTY) return result;
        const uint32_t count = doors_wait_items (&fixture->doors, items);
        assert_int_equal (port_wait (items, count, WAIT_MS), BATON_OK);
    }
}

// Waits for the answer on the line.
static const struct msg_refused *
refused (struct fixture *fixture)
{
    static const struct wire_limits limits = {
        LIMIT_FRAME_MAX_BYTES, LIMIT_BODY_MAX_BYTES, LIMIT_RESTART_DATA_MAX_BYTES};
    struct wire_fault fault;
    struct port_wait_item item = {.port = fixture->line};

    while (port_receive (fixture->line, NULL, &fixture->frame) != BATON_OK) {
        assert_int_equal (port_wait (&item, 1, WAIT_MS), BATON_OK);
    }
    assert_int_equal (wire_decode (fixture->decoder, &limits, port_frame_view (&fixture->frame),
                                   &fixture->msg, &fault), BATON_OK);
    assert_int_equal (fixture->msg.kind, MSG_REFUSED);
    port_frame_fini (&fixture->frame);
    return &fixture->msg.refused;
}

static void
hello_makes_a_path_known (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();
    struct msg heartbeat = {.kind = MSG_HEARTBEAT};

    send_hello (fixture);
    assert_int_equal (receive (fixture), DOORS_MESSAGE);
    const uint64_t link = fixture->message.link.n;
    send_msg (fixture, &heartbeat);
    assert_int_equal (receive (fixture), DOORS_MESSAGE);

    assert_int_equal (fixture->message.link.n, link);
    assert_int_equal (fixture->message.principal.size, 5);
    fixture_free (fixture);
}

static void
first_message_that_is_no_hello_is_told_so (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();
    struct msg msg = {.kind = MSG_CLOSE};

    msg.close = (struct msg_close) {
        .ref = 77, .session = {1, 1}, .actor = {1, 2}, .incarnation = {1}};
    send_msg (fixture, &msg);
    assert_int_equal (receive (fixture), DOORS_HANDLED);

    const struct msg_refused *answer = refused (fixture);
    assert_int_equal (answer->refusal, REFUSAL_HELLO_FIRST);
    assert_int_equal (answer->kind, MSG_CLOSE);
    assert_int_equal (answer->ref, 77);
    assert_int_equal (fixture->doors.paths.by_number.count, 0);
    fixture_free (fixture);
}

static void
stranger_that_floods_gets_one_answer (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();
    struct msg msg = {.kind = MSG_HEARTBEAT};

    for (int i = 0; i < 50; i++) {
        send_msg (fixture, &msg);
        assert_int_equal (receive (fixture), DOORS_HANDLED);
    }

    assert_int_equal (fixture->stats.frames_out, 1);
    assert_int_equal (fixture->stats.answers_kept_back, 49);
    fixture->now_ns += LIMIT_STRANGER_ANSWER_MS * MS_NS;
    send_msg (fixture, &msg);
    assert_int_equal (receive (fixture), DOORS_HANDLED);
    assert_int_equal (fixture->stats.frames_out, 2);
    fixture_free (fixture);
}

static void
large_commit_of_a_stranger_is_told_to_say_hello (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();
    static char body[10000];
    const struct msg_request request = {
        .seq = {1}, .state = REQUEST_OPEN, .body = {body, sizeof body}};
    const struct msg_part part = {.session = {1, 1}, .requests = &request, .requests_count = 1};
    struct msg msg = {.kind = MSG_COMMIT};

    msg.commit = (struct msg_commit) {
        .actor = {1, 2}, .incarnation = {1}, .parts = &part, .parts_count = 1};
    send_msg (fixture, &msg);
    assert_int_equal (receive (fixture), DOORS_HANDLED);

    assert_int_equal (refused (fixture)->refusal, REFUSAL_HELLO_FIRST);
    assert_int_equal (fixture->stats.too_large_before_hello, 1);
    fixture_free (fixture);
}

static void
large_nonsense_of_a_stranger_is_too_large (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();
    static const char bytes[5000] = "nonsense";

    send_bytes (fixture, bytes, sizeof bytes);
    assert_int_equal (receive (fixture), DOORS_HANDLED);

    const struct msg_refused *answer = refused (fixture);
    assert_int_equal (answer->refusal, REFUSAL_TOO_LARGE);
    assert_int_equal (answer->value, sizeof bytes);
    assert_int_equal (answer->limit, LIMIT_FRAME_BEFORE_HELLO_BYTES);
    fixture_free (fixture);
}

static void
malformed_frames_are_answered_then_the_path_is_dropped (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();

    send_hello (fixture);
    assert_int_equal (receive (fixture), DOORS_MESSAGE);
    const uint64_t link = fixture->message.link.n;
    for (uint32_t i = 0; i <= LIMIT_MALFORMED_PER_10_S; i++) {
        send_bytes (fixture, "nonsense", 8);
        assert_int_equal (receive (fixture), DOORS_HANDLED);
        assert_int_equal (refused (fixture)->refusal, REFUSAL_MALFORMED);
    }
    assert_int_equal (doors_take_lost (&fixture->doors).n, link);
    send_hello (fixture);
    assert_int_equal (receive (fixture), DOORS_HANDLED);

    assert_int_equal (fixture->stats.shunned_paths, 1);
    assert_int_equal (fixture->stats.shunned_frames, 1);
    fixture_free (fixture);
}

static void
shunned_path_that_was_quiet_may_come_back (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();

    for (uint32_t i = 0; i <= LIMIT_MALFORMED_PER_10_S; i++) {
        send_bytes (fixture, "nonsense", 8);
        assert_int_equal (receive (fixture), DOORS_HANDLED);
    }
    send_hello (fixture);
    assert_int_equal (receive (fixture), DOORS_HANDLED);
    fixture->now_ns += LIMIT_SHUN_MS * MS_NS;
    send_hello (fixture);

    assert_int_equal (receive (fixture), DOORS_MESSAGE);
    fixture_free (fixture);
}

static void
slow_nonsense_is_never_too_much (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();

    for (uint32_t i = 0; i < 20; i++) {
        send_bytes (fixture, "nonsense", 8);
        assert_int_equal (receive (fixture), DOORS_HANDLED);
        fixture->now_ns += 4000 * MS_NS;
    }

    assert_int_equal (fixture->stats.malformed, 20);
    assert_int_equal (fixture->stats.shunned_paths, 0);
    fixture_free (fixture);
}

static void
link_above_the_limit_is_refused_busy (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();

    fixture->config.connections_max_count = 0;
    send_hello (fixture);
    assert_int_equal (receive (fixture), DOORS_HANDLED);

    const struct msg_refused *answer = refused (fixture);
    assert_int_equal (answer->refusal, REFUSAL_BUSY);
    assert_int_equal (answer->busy_reason, BUSY_RATE);
    assert_int_equal (fixture->stats.connections_refused, 1);
    fixture_free (fixture);
}

static void
forgotten_path_is_a_stranger (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();
    struct msg heartbeat = {.kind = MSG_HEARTBEAT};

    send_hello (fixture);
    assert_int_equal (receive (fixture), DOORS_MESSAGE);
    doors_forget (&fixture->doors, fixture->message.link);
    send_msg (fixture, &heartbeat);

    assert_int_equal (receive (fixture), DOORS_HANDLED);
    assert_int_equal (refused (fixture)->refusal, REFUSAL_HELLO_FIRST);
    assert_false (doors_has_lost (&fixture->doors));
    fixture_free (fixture);
}

static void
silent_path_is_lost (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();

    send_hello (fixture);
    assert_int_equal (receive (fixture), DOORS_MESSAGE);
    doors_expire (&fixture->doors, fixture->now_ns + LIMIT_END_SILENT_MS * MS_NS);
    assert_false (doors_has_lost (&fixture->doors));
    doors_expire (&fixture->doors, fixture->now_ns + 4 * LIMIT_END_SILENT_MS * MS_NS);

    assert_int_equal (doors_take_lost (&fixture->doors).n, fixture->message.link.n);
    fixture_free (fixture);
}

// Sends frames of 64 KiB to an end that does not read until the door has to keep them.
static void
fill (struct fixture *fixture)
{
    while (fixture->stats.frames_held_back == 0) {
        struct port_frame frame;
        assert_int_equal (port_frame_new (&frame, 64 * KIB), BATON_OK);
        memset (port_frame_data (&frame), 0, 64 * KIB);
        doors_send (&fixture->doors, fixture->message.link, &frame);
    }
}

static void
end_that_does_not_read_is_kept_frames_for_up_to_a_limit (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();
    const uint64_t link = 1;

    fixture->config.link_out_max_bytes = 256 * KIB;
    send_hello (fixture);
    assert_int_equal (receive (fixture), DOORS_MESSAGE);
    fill (fixture);
    assert_true (doors_retry (&fixture->doors) || !doors_has_lost (&fixture->doors));
    for (int i = 0; i < 3000 && !doors_has_lost (&fixture->doors); i++) {
        struct port_frame frame;
        assert_int_equal (port_frame_new (&frame, 64 * KIB), BATON_OK);
        memset (port_frame_data (&frame), 0, 64 * KIB);
        doors_send (&fixture->doors, fixture->message.link, &frame);
    }

    assert_int_equal (doors_take_lost (&fixture->doors).n, link);
    assert_int_equal (fixture->stats.frames_dropped_full, 1);
    fixture_free (fixture);
}

// ZeroMQ lets go of a door in its own thread, so the guard may have to try again; and what is sent
// while the old connection dies is lost, so the end says HELLO until it is heard.
static void
say_hello_until_heard (struct fixture *fixture)
{
    struct port_wait_item items[DOORS_MAX];

    for (int i = 0; i < WAIT_MS / 50; i++) {
        fixture->now_ns += 1000 * MS_NS;
        doors_guard (&fixture->doors, 0, fixture->now_ns);
        send_hello (fixture);
        const uint32_t count = doors_wait_items (&fixture->doors, items);
        if (port_wait (items, count, 50) == BATON_OK) return;
    }
}

static void
reopened_door_is_there_again (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();

    send_hello (fixture);
    assert_int_equal (receive (fixture), DOORS_MESSAGE);
    doors_reopen (&fixture->doors, 0, fixture->now_ns);
    assert_int_equal (doors_take_lost (&fixture->doors).n, fixture->message.link.n);
    say_hello_until_heard (fixture);

    assert_int_equal (receive (fixture), DOORS_MESSAGE);
    assert_int_equal (fixture->stats.doors_reopened, 1);
    fixture_free (fixture);
}

// The budget counts what was given away, also before it is touched: there may be less memory in use
// than the budget says, and growth is growth all the same.
static void
growth_beside_a_budget_that_is_not_touched_yet_closes_the_doors (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();
    const uint64_t budget_bytes = 4096u * (uint64_t) MIB;
    const uint64_t max_bytes = fixture->config.door_memory_max_bytes;

    doors_guard (&fixture->doors, budget_bytes, fixture->now_ns);
    doors_guard (&fixture->doors, budget_bytes - max_bytes / 2, fixture->now_ns);
    assert_int_equal (fixture->stats.doors_reopened, 0);
    doors_guard (&fixture->doors, budget_bytes - max_bytes * 2, fixture->now_ns);

    assert_int_equal (fixture->stats.doors_reopened, 1);
    fixture_free (fixture);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (hello_makes_a_path_known),
        cmocka_unit_test (first_message_that_is_no_hello_is_told_so),
        cmocka_unit_test (stranger_that_floods_gets_one_answer),
        cmocka_unit_test (large_commit_of_a_stranger_is_told_to_say_hello),
        cmocka_unit_test (large_nonsense_of_a_stranger_is_too_large),
        cmocka_unit_test (malformed_frames_are_answered_then_the_path_is_dropped),
        cmocka_unit_test (shunned_path_that_was_quiet_may_come_back),
        cmocka_unit_test (slow_nonsense_is_never_too_much),
        cmocka_unit_test (link_above_the_limit_is_refused_busy),
        cmocka_unit_test (forgotten_path_is_a_stranger),
        cmocka_unit_test (silent_path_is_lost),
        cmocka_unit_test (end_that_does_not_read_is_kept_frames_for_up_to_a_limit),
        cmocka_unit_test (reopened_door_is_there_again),
        cmocka_unit_test (growth_beside_a_budget_that_is_not_touched_yet_closes_the_doors),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
