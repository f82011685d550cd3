// SPDX-License-Identifier: MPL-2.0
// Goal: ports move whole frames, never block, and report what the world does as an error.
// Method: real sockets on loopback with a port that the system picks; strangers speak through raw
// libzmq in a context of their own. Nothing sleeps: each step awaits a frame, up to WAIT_MS.
#include "proto/port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include <cmocka.h>

enum { WAIT_MS = 10000, ROUNDS_MAX = 1000 };
#define FRAME_MAX_BYTES 100000

struct fixture {
    struct port_context *context;
    struct port *door;
    struct port *line;
    struct address client;  // of the line, once it has said something
    char directory[64];
    char ipc[128];
};

static struct port_context *
context_new (void)
{
    const struct port_options options = {
        .frame_max_bytes = FRAME_MAX_BYTES, .io_threads_count = 1, .connections_max_count = 10};
    struct port_context *context = NULL;
    assert_int_equal (port_context_new (&options, &context), BATON_OK);
    return context;
}

static int
set_up (void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture) {.context = context_new ()};
    assert_int_equal (port_bind (fixture.context, "tcp://127.0.0.1:*", &fixture.door), BATON_OK);
    assert_int_equal (port_dial (fixture.context, port_endpoint (fixture.door), &fixture.line),
                      BATON_OK);
    memcpy (fixture.directory, "/tmp/baton-port-XXXXXX", 23);
    assert_non_null (mkdtemp (fixture.directory));
    (void) snprintf (fixture.ipc, sizeof fixture.ipc, "ipc://%s/door", fixture.directory);
    *state = &fixture;
    return 0;
}

static int
tear_down (void **state)
{
    struct fixture *fixture = *state;
    port_close (&fixture->line);
    port_close (&fixture->door);
    port_context_free (&fixture->context);
    (void) unlink (fixture->ipc + strlen ("ipc://"));
    assert_int_equal (rmdir (fixture->directory), 0);
    return 0;
}

static enum baton_err
send_text (struct port *port, const struct address *to, const char *text)
{
    struct port_frame frame;
    assert_int_equal (port_frame_new (&frame, strlen (text)), BATON_OK);
    if (text[0] != '\0') memcpy (port_frame_data (&frame), text, strlen (text));
    enum baton_err error = port_send (port, to, &frame);
    if (error) port_frame_fini (&frame);
    return error;
}

static void
await (struct port *port)
{
    struct port_wait_item item = {.port = port};
    assert_int_equal (port_wait (&item, 1, WAIT_MS), BATON_OK);
    assert_true (item.readable);
    assert_true (port_readable (port));
}

static void
expect_text (struct port *port, struct address *from, const char *text)
{
    struct port_frame frame;
    await (port);
    assert_int_equal (port_receive (port, from, &frame), BATON_OK);
    struct baton_bytes got = port_frame_view (&frame);
    assert_int_equal (got.size, strlen (text));
    if (got.size > 0) assert_memory_equal (got.data, text, got.size);
    port_frame_fini (&frame);
}

// The line says something, so that the door knows its address.
static void
meet (struct fixture *fixture)
{
    assert_int_equal (send_text (fixture->line, NULL, "hello"), BATON_OK);
    expect_text (fixture->door, &fixture->client, "hello");
}

static void
frame_comes_back_on_the_path_it_came_from (void **state)
{
    struct fixture *fixture = *state;
    meet (fixture);
    assert_true (fixture->client.size > 0);
    assert_int_equal (send_text (fixture->door, &fixture->client, "welcome"), BATON_OK);
    expect_text (fixture->line, NULL, "welcome");
    assert_int_equal (send_text (fixture->line, NULL, ""), BATON_OK);
    expect_text (fixture->door, &fixture->client, "");
}

static void
nothing_to_receive_is_told_at_once (void **state)
{
    struct fixture *fixture = *state;
    struct port_frame frame;
    struct address from;
    assert_int_equal (port_receive (fixture->door, &from, &frame), BATON_NOT_FOUND);
    assert_int_equal (port_receive (fixture->line, NULL, &frame), BATON_NOT_FOUND);
    assert_false (port_readable (fixture->door));
}

static void
wait_ends_when_its_time_is_over (void **state)
{
    struct fixture *fixture = *state;
    struct port_wait_item items[] = {{.port = fixture->door}, {.port = fixture->line}};
    assert_int_equal (port_wait (items, 2, 1), BATON_TIMED_OUT);
    assert_false (items[0].readable);
    assert_false (items[1].readable);
    assert_int_equal (port_wait (NULL, 0, 0), BATON_TIMED_OUT);
    assert_int_equal (port_wait (NULL, 0, -1), BATON_BAD_ARGUMENT);
}

static void
wait_looks_at_descriptors_too (void **state)
{
    struct fixture *fixture = *state;
    int ends[2];
    assert_int_equal (pipe (ends), 0);
    assert_int_equal (write (ends[1], "x", 1), 1);
    struct port_wait_item items[] = {{.port = fixture->door}, {.fd = ends[0]}};
    assert_int_equal (port_wait (items, 2, WAIT_MS), BATON_OK);
    assert_false (items[0].readable);
    assert_true (items[1].readable);
    (void) close (ends[0]);
    (void) close (ends[1]);
}

static void
descriptor_wakes_up_for_a_frame (void **state)
{
    struct fixture *fixture = *state;
    meet (fixture);
    while (port_readable (fixture->line)) {
        fail_msg ("nothing was sent yet");
    }
    assert_int_equal (send_text (fixture->door, &fixture->client, "x"), BATON_OK);
    struct port_wait_item item = {.fd = port_fd (fixture->line)};
    assert_int_equal (port_wait (&item, 1, WAIT_MS), BATON_OK);
    expect_text (fixture->line, NULL, "x");
}

static void
unknown_address_is_not_found (void **state)
{
    struct fixture *fixture = *state;
    struct address nobody = {.size = 5, .bytes = "nobod"};
    assert_int_equal (send_text (fixture->door, &nobody, "x"), BATON_NOT_FOUND);
    nobody.size = 0;
    assert_int_equal (send_text (fixture->door, &nobody, "x"), BATON_NOT_FOUND);
    meet (fixture);
}

// Polls the door, as a loop does, until it has noticed what its I/O thread knows.
static enum baton_err
send_until_not_ok (struct fixture *fixture, const char *text)
{
    enum baton_err error = BATON_OK;
    for (int i = 0; i < ROUNDS_MAX && error == BATON_OK; i++) {
        struct port_wait_item item = {.port = fixture->door};
        (void) port_wait (&item, 1, 10);
        error = send_text (fixture->door, &fixture->client, text);
    }
    return error;
}

static void
peer_that_has_gone_is_not_found (void **state)
{
    struct fixture *fixture = *state;
    meet (fixture);
    port_close (&fixture->line);
    assert_int_equal (send_until_not_ok (fixture, "x"), BATON_NOT_FOUND);
}

// Fills every queue to the line, which does not read: ours, TCP's, its own.
static void
fill (struct fixture *fixture)
{
    static char text[8001];
    memset (text, 'x', sizeof text - 1);
    enum baton_err error = BATON_OK;
    int sent = 0;
    // Once refused it may go on when the kernel has taken some: full is refused for a while.
    for (int refused = 0; refused < 20 && sent < 100000;) {
        error = send_text (fixture->door, &fixture->client, text);
        if (error == BATON_OK) {
            sent++;
            refused = 0;
            continue;
        }
        assert_int_equal (error, BATON_BUSY);
        struct port_wait_item item = {.port = fixture->door};
        (void) port_wait (&item, 1, 5);
        refused++;
    }
    assert_int_equal (error, BATON_BUSY);
    assert_true (sent >= 1000);
}

static void
full_queue_of_a_peer_is_busy_and_the_frame_stays_ours (void **state)
{
    struct fixture *fixture = *state;
    meet (fixture);
    fill (fixture);

    struct port_frame frame;
    assert_int_equal (port_frame_new (&frame, 3), BATON_OK);
    memcpy (port_frame_data (&frame), "mine", 3);
    assert_int_equal (port_send (fixture->door, &fixture->client, &frame), BATON_BUSY);
    assert_memory_equal (port_frame_view (&frame).data, "min", 3);
    port_frame_fini (&frame);
}

static void
full_queue_disturbs_no_other_peer (void **state)
{
    struct fixture *fixture = *state;
    meet (fixture);
    fill (fixture);

    struct port *other = NULL;
    struct address from;
    assert_int_equal (port_dial (fixture->context, port_endpoint (fixture->door), &other),
                      BATON_OK);
    assert_int_equal (send_text (other, NULL, "me too"), BATON_OK);
    expect_text (fixture->door, &from, "me too");
    assert_int_equal (send_text (fixture->door, &from, "yes"), BATON_OK);
    expect_text (other, NULL, "yes");
    port_close (&other);
}

static void
dead_peer_with_a_full_queue_is_found_out (void **state)
{
    struct fixture *fixture = *state;
    meet (fixture);
    fill (fixture);
    port_close (&fixture->line);

    // Nobody reads from the door: sending alone has to find out.
    enum baton_err error = BATON_BUSY;
    for (int i = 0; i < ROUNDS_MAX && error == BATON_BUSY; i++) {
        (void) port_wait (NULL, 0, 10);
        error = send_text (fixture->door, &fixture->client, "x");
    }
    assert_int_equal (error, BATON_NOT_FOUND);
}

static void
full_queue_of_a_line_is_busy (void **state)
{
    struct fixture *fixture = *state;
    struct port *line = NULL;
    // Port 9 of this host has no listener; connecting goes on for ever.
    assert_int_equal (port_dial (fixture->context, "tcp://127.0.0.1:9", &line), BATON_OK);
    enum baton_err error = BATON_OK;
    int sent = 0;
    for (; error == BATON_OK && sent < 5000; sent++) {
        error = send_text (line, NULL, "x");
    }
    assert_int_equal (error, BATON_BUSY);
    assert_in_range (sent, 900, 1100);
    port_close (&line);
}

struct stranger {
    void *context;
    void *socket;
};

static void
stranger_init (struct stranger *stranger, int type, const char *endpoint)
{
    stranger->context = zmq_ctx_new ();
    stranger->socket = zmq_socket (stranger->context, type);
    assert_non_null (stranger->socket);
    assert_int_equal (zmq_connect (stranger->socket, endpoint), 0);
}

static void
stranger_fini (struct stranger *stranger)
{
    int zero = 0;
    assert_int_equal (zmq_setsockopt (stranger->socket, ZMQ_LINGER, &zero, sizeof zero), 0);
    assert_int_equal (zmq_close (stranger->socket), 0);
    assert_int_equal (zmq_ctx_term (stranger->context), 0);
}

static void
stranger_says (struct stranger *stranger, int frames_count)
{
    for (int i = 1; i <= frames_count; i++) {
        int more = i < frames_count ? ZMQ_SNDMORE : 0;
        assert_int_equal (zmq_send (stranger->socket, "part", 4, more), 4);
    }
}

// Receives until something else than a refusal comes; returns how often it was refused.
static int
count_refused (struct fixture *fixture, struct address *from, struct port_frame *frame)
{
    int refused = 0;
    enum baton_err error;
    await (fixture->door);
    while ((error = port_receive (fixture->door, from, frame)) == BATON_REFUSED) {
        refused++;
    }
    if (error == BATON_NOT_FOUND) {
        // The next message is still on its way.
        await (fixture->door);
        error = port_receive (fixture->door, from, frame);
    }
    assert_int_equal (error, BATON_OK);
    return refused;
}

static void
message_of_many_frames_is_swallowed_whole (void **state)
{
    struct fixture *fixture = *state;
    struct stranger stranger;
    stranger_init (&stranger, ZMQ_DEALER, port_endpoint (fixture->door));
    stranger_says (&stranger, 3);
    stranger_says (&stranger, 1);

    struct address from = {0}, good = {0};
    struct port_frame frame;
    await (fixture->door);
    assert_int_equal (port_receive (fixture->door, &from, &frame), BATON_REFUSED);
    assert_true (from.size > 0);
    assert_int_equal (count_refused (fixture, &good, &frame), 0);
    assert_int_equal (port_frame_view (&frame).size, 4);
    assert_int_equal (good.size, from.size);
    assert_memory_equal (good.bytes, from.bytes, from.size);
    port_frame_fini (&frame);
    stranger_fini (&stranger);
}

static void
message_of_a_thousand_frames_is_swallowed_in_bounded_steps (void **state)
{
    struct fixture *fixture = *state;
    struct stranger stranger;
    stranger_init (&stranger, ZMQ_DEALER, port_endpoint (fixture->door));
    stranger_says (&stranger, 1000);
    stranger_says (&stranger, 1);

    struct address from;
    struct port_frame frame;
    assert_in_range (count_refused (fixture, &from, &frame), 10, 100);
    assert_int_equal (port_frame_view (&frame).size, 4);
    port_frame_fini (&frame);
    stranger_fini (&stranger);
}

static void
line_refuses_many_frames_too (void **state)
{
    struct fixture *fixture = *state;
    struct stranger stranger;
    struct port *line = NULL;
    char endpoint[128];
    size_t size = sizeof endpoint;
    stranger.context = zmq_ctx_new ();
    stranger.socket = zmq_socket (stranger.context, ZMQ_DEALER);
    assert_int_equal (zmq_bind (stranger.socket, "tcp://127.0.0.1:*"), 0);
    assert_int_equal (zmq_getsockopt (stranger.socket, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    assert_int_equal (port_dial (fixture->context, endpoint, &line), BATON_OK);
    assert_int_equal (send_text (line, NULL, "x"), BATON_OK);
    char got[8];
    assert_int_equal (zmq_recv (stranger.socket, got, sizeof got, 0), 1);

    stranger_says (&stranger, 2);
    stranger_says (&stranger, 1);

    struct port_frame frame;
    await (line);
    assert_int_equal (port_receive (line, NULL, &frame), BATON_REFUSED);
    expect_text (line, NULL, "part");
    port_close (&line);
    stranger_fini (&stranger);
}

static void
client_with_an_empty_first_frame_is_refused (void **state)
{
    struct fixture *fixture = *state;
    struct stranger stranger;
    stranger_init (&stranger, ZMQ_REQ, port_endpoint (fixture->door));
    stranger_says (&stranger, 1);
    struct address from;
    struct port_frame frame;
    await (fixture->door);
    assert_int_equal (port_receive (fixture->door, &from, &frame), BATON_REFUSED);
    stranger_fini (&stranger);
}

// libzmq closes the path without an answer, which is why ends look at sizes before they send.
static void
frame_above_the_limit_never_arrives (void **state)
{
    struct fixture *fixture = *state;
    struct stranger stranger;
    stranger_init (&stranger, ZMQ_DEALER, port_endpoint (fixture->door));
    static char large[FRAME_MAX_BYTES + 1];
    assert_int_equal (zmq_send (stranger.socket, large, sizeof large, 0), sizeof large);
    struct port_wait_item item = {.port = fixture->door};
    assert_int_equal (port_wait (&item, 1, 200), BATON_TIMED_OUT);

    struct address from;
    struct port_frame frame;
    assert_int_equal (port_frame_new (&frame, FRAME_MAX_BYTES), BATON_OK);
    memset (port_frame_data (&frame), 'x', FRAME_MAX_BYTES);
    assert_int_equal (port_send (fixture->line, NULL, &frame), BATON_OK);
    await (fixture->door);
    assert_int_equal (port_receive (fixture->door, &from, &frame), BATON_OK);
    assert_int_equal (port_frame_view (&frame).size, FRAME_MAX_BYTES);
    port_frame_fini (&frame);
    stranger_fini (&stranger);
}

static void
taken_address_is_told (void **state)
{
    struct fixture *fixture = *state;
    struct port *second = NULL;
    assert_int_equal (port_bind (fixture->context, port_endpoint (fixture->door), &second),
                      BATON_ADDRESS_IN_USE);
    assert_null (second);
}

static void
taken_ipc_path_is_told_and_a_stale_one_is_used (void **state)
{
    struct fixture *fixture = *state;
    struct port *first = NULL, *second = NULL;
    assert_int_equal (port_bind (fixture->context, fixture->ipc, &first), BATON_OK);
    assert_int_equal (port_bind (fixture->context, fixture->ipc, &second), BATON_ADDRESS_IN_USE);
    port_close (&first);

    enum baton_err error = BATON_ADDRESS_IN_USE;
    for (int i = 0; i < ROUNDS_MAX && error == BATON_ADDRESS_IN_USE; i++) {
        // The I/O thread closes the listener when it gets to it.
        (void) port_wait (NULL, 0, 1);
        error = port_bind (fixture->context, fixture->ipc, &second);
    }
    assert_int_equal (error, BATON_OK);
    port_close (&second);
}

static void
endpoints_that_cannot_be_are_bad_arguments (void **state)
{
    struct fixture *fixture = *state;
    static const char *const bad[] = {
        "", "nonsense", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:99999",
        "tcp://127.0.0.1:http", "inproc://x", "pgm://eth0;239.0.0.1:5555", "tcp://no-such-if:7411",
    };
    struct port *port = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        enum baton_err error = port_bind (fixture->context, bad[i], &port);
        if (error != BATON_BAD_ARGUMENT) fail_msg ("bind %s: error %d", bad[i], (int) error);
        assert_null (port);
    }
    assert_int_equal (port_bind (fixture->context, NULL, &port), BATON_BAD_ARGUMENT);
    assert_int_equal (port_dial (fixture->context, "tcp://127.0.0.1", &port), BATON_BAD_ARGUMENT);
    assert_int_equal (port_dial (fixture->context, "nonsense", &port), BATON_BAD_ARGUMENT);
}

static void
directory_that_is_not_there_is_the_worlds_fault (void **state)
{
    struct fixture *fixture = *state;
    struct port *port = NULL;
    assert_int_equal (port_bind (fixture->context, "ipc:///no/such/directory/door", &port),
                      BATON_NETWORK);
    assert_null (port);
}

static void
options_out_of_range_are_bad_arguments (void **state)
{
    (void) state;
    struct port_context *context = NULL;
    struct port_options options = {.frame_max_bytes = 0, .io_threads_count = 1};
    assert_int_equal (port_context_new (&options, &context), BATON_BAD_ARGUMENT);
    options = (struct port_options) {.frame_max_bytes = 1000, .io_threads_count = 0};
    assert_int_equal (port_context_new (&options, &context), BATON_BAD_ARGUMENT);
    assert_null (context);
    port_context_free (&context);
}

static void
application_keeps_its_own_context (void **state)
{
    (void) state;
    void *own = zmq_ctx_new ();
    void *left = zmq_socket (own, ZMQ_PAIR);
    void *right = zmq_socket (own, ZMQ_PAIR);
    assert_int_equal (zmq_bind (left, "inproc://own"), 0);
    assert_int_equal (zmq_connect (right, "inproc://own"), 0);

    struct port_context *context = context_new ();
    struct port *door = NULL;
    assert_int_equal (port_bind (context, "tcp://127.0.0.1:*", &door), BATON_OK);
    port_close (&door);
    port_context_free (&context);

    char got[2];
    assert_int_equal (zmq_send (left, "x", 1, 0), 1);
    assert_int_equal (zmq_recv (right, got, sizeof got, 0), 1);
    assert_int_equal (zmq_close (left), 0);
    assert_int_equal (zmq_close (right), 0);
    assert_int_equal (zmq_ctx_term (own), 0);
}

static void
door_on_ipv6_takes_a_line_where_the_host_has_it (void **state)
{
    struct fixture *fixture = *state;
    struct port *door = NULL, *line = NULL;
    if (port_bind (fixture->context, "tcp://[::1]:*", &door) != BATON_OK) skip ();
    assert_int_equal (port_dial (fixture->context, port_endpoint (door), &line), BATON_OK);
    struct address from;
    assert_int_equal (send_text (line, NULL, "six"), BATON_OK);
    expect_text (door, &from, "six");
    port_close (&line);
    port_close (&door);
}

int
main (void)
{
#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST (frame_comes_back_on_the_path_it_came_from),
        TEST (nothing_to_receive_is_told_at_once),
        TEST (wait_ends_when_its_time_is_over),
        TEST (wait_looks_at_descriptors_too),
        TEST (descriptor_wakes_up_for_a_frame),
        TEST (unknown_address_is_not_found),
        TEST (peer_that_has_gone_is_not_found),
        TEST (full_queue_of_a_peer_is_busy_and_the_frame_stays_ours),
        TEST (full_queue_disturbs_no_other_peer),
        TEST (dead_peer_with_a_full_queue_is_found_out),
        TEST (full_queue_of_a_line_is_busy),
        TEST (message_of_many_frames_is_swallowed_whole),
        TEST (message_of_a_thousand_frames_is_swallowed_in_bounded_steps),
        TEST (line_refuses_many_frames_too),
        TEST (client_with_an_empty_first_frame_is_refused),
        TEST (frame_above_the_limit_never_arrives),
        TEST (taken_address_is_told),
        TEST (taken_ipc_path_is_told_and_a_stale_one_is_used),
        TEST (endpoints_that_cannot_be_are_bad_arguments),
        TEST (directory_that_is_not_there_is_the_worlds_fault),
        TEST (door_on_ipv6_takes_a_line_where_the_host_has_it),
        cmocka_unit_test (options_out_of_range_are_bad_arguments),
        cmocka_unit_test (application_keeps_its_own_context),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
