// SPDX-License-Identifier: MPL-2.0
// child.h runs one command for one request: the body goes to its standard input, its standard
// output is gathered, its standard error is passed on and its tail kept. Nothing here waits: the
// caller polls descriptors and hands in what became ready. It knows nothing of tasks.
//
//   child_start -> at work -> (pidfd readable) child_note_end -> child_is_over -> child_free
//                     |
//                     +-- child_stop: SIGTERM, and SIGKILL from child_kill_late
#ifndef BATON_TOOLS_CHILD_H
#define BATON_TOOLS_CHILD_H

#include "proto/bytes.h"
#include "proto/errors.h"

#include <poll.h>
#include <stdint.h>
#include <sys/types.h>

// Kept of standard error, as the reason of a failure.
#define CHILD_TAIL_MAX_BYTES 400u
// A child that was asked to stop is killed after this time.
#define CHILD_STOP_WITHIN_MS 5000u
// Descriptors of one child: input, output, errors, the process itself.
#define CHILD_POLLS 4

// What a child is told of its request, as BATON_SESSION, BATON_REQUEST_SEQ and BATON_ATTEMPT.
struct child_request {
    const char *session;
    uint64_t seq;
    uint32_t attempt;
    struct baton_bytes body; // must stay until the child is freed
    size_t output_max_bytes;
};

struct child_command {
    const char *path; // of the program
    char **argv;
};

// How it went. Only CHILD_DONE has an output that is an answer.
enum child_result {
    CHILD_DONE = 1,     // exit 0
    CHILD_FAILED = 2,   // another exit code, or a signal
    CHILD_TOO_MUCH = 3, // more output than may be
};

struct child {
    pid_t pid;
    int pid_fd;
    int input_fd; // -1: closed
    int output_fd;
    int errors_fd;
    struct child_request request;
    size_t sent_bytes;
    char *output;
    size_t output_bytes;
    size_t output_capacity;
    char tail[CHILD_TAIL_MAX_BYTES];
    size_t tail_bytes;
    uint64_t kill_at_ms; // CLOCK_NEVER_MS unless it was asked to stop
    enum { CHILD_RUNS = 1, CHILD_ENDED = 2 } state;
    enum { CHILD_WITHIN = 1, CHILD_OVER = 2 } limit; // of the output
    int status;          // of waitid: si_status
    int code;            // of waitid: si_code
};

// child_find_program looks for [name] as a shell does: in PATH unless it has a slash. [path] gets
// the result.
// Errors: BATON_NOT_FOUND, BATON_DENIED if it is there but may not be run, BATON_TOO_LARGE.
enum baton_err
child_find_program (const char *name, char *path, size_t path_max_bytes);

// child_start starts [command] in a process group of its own, so that a key on the terminal
// stops us and not the work, and such that it dies with us. [request] is copied, its views are not.
//
// Errors: BATON_NO_MEMORY, BATON_BUSY: no descriptor or process to be had.
enum baton_err
child_start (const struct child_command *command, const struct child_request *request,
             struct child **child);

// child_polls fills [polls] for poll; descriptors that are not waited for are -1.
void
child_polls (const struct child *child, struct pollfd polls[CHILD_POLLS]);

// child_note moves bytes after poll has filled [polls], and takes note of the end. A child with
// more output than may be is stopped.
//
// Errors: BATON_NO_MEMORY, with the child stopped.
enum baton_err
child_note (struct child *child, const struct pollfd polls[CHILD_POLLS]);

// child_stop asks the child, and what it started, to end.
void
child_stop (struct child *child);

// child_kill_late kills a child that did not stop in time. Returns when that is to be called again.
uint64_t
child_kill_late (struct child *child, uint64_t now_ms);

// child_result returns how a child that is CHILD_ENDED went.
enum child_result
child_result (const struct child *child);

// child_reason writes why it was not CHILD_DONE: the exit code or signal and what it said last.
void
child_reason (const struct child *child, char *reason, size_t reason_max_bytes);

// child_free closes and frees what the child had; one that still runs is killed and awaited.
void
child_free (struct child **child);

#endif
