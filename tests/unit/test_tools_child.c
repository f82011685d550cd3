// SPDX-License-Identifier: MPL-2.0
// Goal: a command gets the body of its request, its answer and its end are seen as they were, and
// nothing of it stays behind.
// Method: real children of /bin/sh, driven by poll; no test waits longer than poll's own limit.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/child.h"
#include "tools/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WITHIN_MS 20000

static struct child *
start (char *script, struct baton_bytes body, size_t output_max_bytes)
{
    char *argv[] = {"sh", "-c", script, NULL};
    const struct child_command command = {"/bin/sh", argv};
    const struct child_request request = {
        .session = "5e", .seq = 7, .attempt = 2, .body = body,
        .output_max_bytes = output_max_bytes,
    };
    struct child *child = NULL;

    signal (SIGPIPE, SIG_IGN);
    assert_int_equal (child_start (&command, &request, &child), BATON_OK);
    return child;
}

static void
run_to_end (struct child *child)
{
    uint64_t deadline_ms = clock_ms () + WITHIN_MS;

    while (child->state == CHILD_RUNS) {
        struct pollfd polls[CHILD_POLLS];
        child_polls (child, polls);
        assert_true (poll (polls, CHILD_POLLS, clock_left_ms (deadline_ms)) > 0);
        assert_int_equal (child_note (child, polls), BATON_OK);
    }
}

static struct baton_bytes
bytes (const char *text)
{
    return (struct baton_bytes) {text, strlen (text)};
}

static void
expect_output (const struct child *child, const char *text)
{
    assert_int_equal (child_result (child), CHILD_DONE);
    assert_int_equal (child->output_bytes, strlen (text));
    assert_memory_equal (child->output, text, strlen (text));
}

static void
body_goes_in_and_answer_comes_out (void **state)
{
    (void) state;
    struct child *child = start ("tr a-z A-Z", bytes ("hello"), 100);

    run_to_end (child);

    expect_output (child, "HELLO");
    child_free (&child);
    assert_null (child);
}

static void
request_is_told_in_the_environment (void **state)
{
    (void) state;
    struct child *child = start (
        "echo $BATON_SESSION $BATON_REQUEST_SEQ $BATON_ATTEMPT", bytes (""), 100);

    run_to_end (child);

    expect_output (child, "5e 7 2\n");
    child_free (&child);
}

static void
body_larger_than_a_pipe_goes_through (void **state)
{
    (void) state;
    size_t size = 1000000;
    char *body = malloc (size);
    assert_non_null (body);
    memset (body, 'x', size);
    struct child *child = start ("cat", (struct baton_bytes) {body, size}, size);

    run_to_end (child);

    assert_int_equal (child_result (child), CHILD_DONE);
    assert_int_equal (child->output_bytes, size);
    assert_memory_equal (child->output, body, size);
    child_free (&child);
    free (body);
}

static void
unread_input_is_no_failure (void **state)
{
    (void) state;
    size_t size = 1000000;
    char *body = calloc (1, size);
    assert_non_null (body);
    struct child *child = start ("exec 0<&-; echo done", (struct baton_bytes) {body, size}, 100);

    run_to_end (child);

    expect_output (child, "done\n");
    child_free (&child);
    free (body);
}

static void
exit_code_and_last_words_are_the_reason (void **state)
{
    (void) state;
    char reason[256];
    struct child *child = start ("echo out; echo no such; echo file >&2; exit 3", bytes (""), 100);

    run_to_end (child);

    assert_int_equal (child_result (child), CHILD_FAILED);
    child_reason (child, reason, sizeof reason);
    assert_string_equal (reason, "exit code 3: file");
    child_free (&child);
}

static void
signal_is_a_failure (void **state)
{
    (void) state;
    char reason[256];
    struct child *child = start ("kill -9 $$", bytes (""), 100);

    run_to_end (child);

    assert_int_equal (child_result (child), CHILD_FAILED);
    child_reason (child, reason, sizeof reason);
    assert_string_equal (reason, "signal 9");
    child_free (&child);
}

static void
long_last_words_are_cut_at_a_line (void **state)
{
    (void) state;
    char reason[CHILD_TAIL_MAX_BYTES + 128];
    struct child *child = start (
        "i=0; while [ $i -lt 100 ]; do echo line $i >&2; i=$((i + 1)); done; exit 1", bytes (""),
        100);

    run_to_end (child);

    child_reason (child, reason, sizeof reason);
    assert_memory_equal (reason, "exit code 1: line ", 18);
    assert_string_equal (reason + strlen (reason) - 8, " line 99");
    child_free (&child);
}

static void
too_much_output_stops_the_child (void **state)
{
    (void) state;
    char reason[256];
    struct child *child = start ("while :; do echo xxxxxxxxxxxxxxxx; done", bytes (""), 100000);

    run_to_end (child);

    assert_int_equal (child_result (child), CHILD_TOO_MUCH);
    child_reason (child, reason, sizeof reason);
    assert_string_equal (reason, "its output is over the limit of 100000 bytes");
    child_free (&child);
}

static void
output_at_the_limit_is_taken (void **state)
{
    (void) state;
    struct child *child = start ("printf 1234", bytes (""), 4);

    run_to_end (child);

    expect_output (child, "1234");
    child_free (&child);
}

static void
what_a_child_leaves_behind_is_not_waited_for (void **state)
{
    (void) state;
    struct child *child = start ("sleep 1000 & echo $!", bytes (""), 100);

    run_to_end (child);

    assert_int_equal (child_result (child), CHILD_DONE);
    child->output[child->output_bytes - 1] = '\0';
    pid_t left = (pid_t) strtol (child->output, NULL, 10);
    assert_int_equal (kill (left, SIGKILL), 0);
    child_free (&child);
}

static void
stopped_child_that_does_not_listen_is_killed (void **state)
{
    (void) state;
    struct child *child = start ("trap '' TERM; echo ready; while :; do :; done", bytes (""), 100);
    struct pollfd polls[CHILD_POLLS];
    while (child->output_bytes == 0) {
        child_polls (child, polls);
        assert_true (poll (polls, CHILD_POLLS, WITHIN_MS) > 0);
        child_note (child, polls);
    }

    child_stop (child);
    assert_true (child_kill_late (child, clock_ms ()) < CLOCK_NEVER_MS);
    child_kill_late (child, clock_ms () + CHILD_STOP_WITHIN_MS);
    run_to_end (child);

    assert_int_equal (child_result (child), CHILD_FAILED);
    assert_int_equal (child->status, SIGKILL);
    child_free (&child);
}

static void
freeing_a_running_child_ends_it (void **state)
{
    (void) state;
    struct child *child = start ("while :; do :; done", bytes (""), 100);
    pid_t pid = child->pid;

    child_free (&child);

    assert_int_equal (kill (pid, 0), -1);
    assert_int_equal (errno, ESRCH);
}

static void
programs_are_found_as_by_a_shell (void **state)
{
    (void) state;
    char path[256];

    assert_int_equal (child_find_program ("sh", path, sizeof path), BATON_OK);
    assert_int_equal (access (path, X_OK), 0);
    assert_int_equal (child_find_program ("/bin/sh", path, sizeof path), BATON_OK);
    assert_string_equal (path, "/bin/sh");
    assert_int_equal (
        child_find_program ("baton-has-no-such", path, sizeof path), BATON_NOT_FOUND);
    assert_int_equal (child_find_program ("/etc/passwd", path, sizeof path), BATON_DENIED);
    assert_int_equal (child_find_program ("/bin/sh", path, 4), BATON_TOO_LARGE);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (body_goes_in_and_answer_comes_out),
        cmocka_unit_test (request_is_told_in_the_environment),
        cmocka_unit_test (body_larger_than_a_pipe_goes_through),
        cmocka_unit_test (unread_input_is_no_failure),
        cmocka_unit_test (exit_code_and_last_words_are_the_reason),
        cmocka_unit_test (signal_is_a_failure),
        cmocka_unit_test (long_last_words_are_cut_at_a_line),
        cmocka_unit_test (too_much_output_stops_the_child),
        cmocka_unit_test (output_at_the_limit_is_taken),
        cmocka_unit_test (what_a_child_leaves_behind_is_not_waited_for),
        cmocka_unit_test (stopped_child_that_does_not_listen_is_killed),
        cmocka_unit_test (freeing_a_running_child_ends_it),
        cmocka_unit_test (programs_are_found_as_by_a_shell),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
