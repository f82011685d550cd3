// SPDX-License-Identifier: MPL-2.0
// pipe2 and the process group of a fork are beyond POSIX 2008.
#define _GNU_SOURCE
#include "tools/child.h"

#include "proto/assert.h"
#include "tools/child_start.h"
#include "tools/clock.h"
#include "tools/say.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_BYTES 65536u

enum { POLL_INPUT, POLL_OUTPUT, POLL_ERRORS, POLL_PROCESS };

static void
close_fd (int *fd)
{
    if (*fd >= 0) {
        close (*fd);
    }
    *fd = -1;
}

enum baton_err
child_start (const struct child_command *command, const struct child_request *request,
             struct child **child)
{
    struct child *self = calloc (1, sizeof *self);
    if (!self) return BATON_NO_MEMORY;

    self->request = *request;
    self->kill_at_ms = CLOCK_NEVER_MS;
    self->state = CHILD_RUNS;
    self->limit = CHILD_WITHIN;
    enum baton_err error = child_launch (self, command);
    if (error) {
        free (self);
        return error;
    }
    *child = self;
    return BATON_OK;
}

void
child_polls (const struct child *child, struct pollfd polls[CHILD_POLLS])
{
    polls[POLL_INPUT] = (struct pollfd) {.fd = child->input_fd, .events = POLLOUT};
    polls[POLL_OUTPUT] = (struct pollfd) {.fd = child->output_fd, .events = POLLIN};
    polls[POLL_ERRORS] = (struct pollfd) {.fd = child->errors_fd, .events = POLLIN};
    polls[POLL_PROCESS] = (struct pollfd) {.fd = child->pid_fd, .events = POLLIN};
}

// A child that does not read its input is no failure: its exit code decides.
static void
feed_input (struct child *child)
{
    const char *data = child->request.body.data;
    size_t left = child->request.body.size - child->sent_bytes;
    ssize_t sent = left > 0 ? write (child->input_fd, data + child->sent_bytes, left) : 0;

    if (sent > 0) {
        child->sent_bytes += (size_t) sent;
    }
    if (child->sent_bytes == child->request.body.size || (sent < 0 && errno != EAGAIN)) {
        close_fd (&child->input_fd);
    }
}

static enum baton_err
reserve_output (struct child *child)
{
    if (child->output_capacity - child->output_bytes >= READ_BYTES) return BATON_OK;

    size_t capacity = child->output_capacity * 2 + READ_BYTES;
    char *output = realloc (child->output, capacity);
    if (!output) return BATON_NO_MEMORY;
    child->output = output;
    child->output_capacity = capacity;
    return BATON_OK;
}

// Whether a read found something, nothing for now, or the end.
enum read_result { READ_SOME = 1, READ_NOTHING = 2 };

static enum read_result
note_read (int *fd, ssize_t size)
{
    if (size > 0) return READ_SOME;

    if (size == 0 || errno != EAGAIN) {
        close_fd (fd);
    }
    return READ_NOTHING;
}

// One read, so that a child that talks without end cannot hold the others up.
static enum baton_err
take_output (struct child *child, enum read_result *result)
{
    enum baton_err error = reserve_output (child);
    if (error) return error;

    ssize_t size = read (child->output_fd, child->output + child->output_bytes, READ_BYTES);
    *result = note_read (&child->output_fd, size);
    if (*result == READ_NOTHING) return BATON_OK;
    child->output_bytes += (size_t) size;
    if (child->output_bytes > child->request.output_max_bytes) {
        child->limit = CHILD_OVER;
        child->output_bytes = 0;
        close_fd (&child->output_fd);
        child_stop (child);
    }
    return BATON_OK;
}

static void
keep_tail (struct child *child, const char *data, size_t size)
{
    if (size > sizeof child->tail) {
        data += size - sizeof child->tail;
        size = sizeof child->tail;
    }
    size_t keep = sizeof child->tail - size;
    if (child->tail_bytes > keep) {
        memmove (child->tail, child->tail + child->tail_bytes - keep, keep);
        child->tail_bytes = keep;
    }
    memcpy (child->tail + child->tail_bytes, data, size);
    child->tail_bytes += size;
}

static enum read_result
take_errors (struct child *child)
{
    char data[4096];
    ssize_t size = read (child->errors_fd, data, sizeof data);

    if (note_read (&child->errors_fd, size) == READ_NOTHING) return READ_NOTHING;
    keep_tail (child, data, (size_t) size);
    say_progress_end ();
    // What cannot be passed on is not missed: the tail is kept.
    fwrite (data, 1, (size_t) size, stderr);
    fflush (stderr);
    return READ_SOME;
}

// Everything a child wrote before it ended is in the pipes now. What others that it left behind
// still write is not waited for.
static enum baton_err
take_rest (struct child *child)
{
    enum read_result result = READ_SOME;
    enum baton_err error = BATON_OK;

    while (child->output_fd >= 0 && result == READ_SOME && !error) {
        error = take_output (child, &result);
    }
    // A writer that is faster than we are may be left behind too: bounded.
    for (int i = 0; i < 64 && child->errors_fd >= 0 && take_errors (child) == READ_SOME; i++) {
    }
    close_fd (&child->input_fd);
    close_fd (&child->output_fd);
    close_fd (&child->errors_fd);
    return error;
}

static enum baton_err
note_end (struct child *child)
{
    siginfo_t info;

    memset (&info, 0, sizeof info);
    if (waitid (P_PIDFD, (id_t) child->pid_fd, &info, WEXITED | WNOHANG) != 0
        || info.si_pid == 0) {
        return BATON_OK;
    }
    child->status = info.si_status;
    child->code = info.si_code;
    child->state = CHILD_ENDED;
    child->kill_at_ms = CLOCK_NEVER_MS;
    close_fd (&child->pid_fd);
    return take_rest (child);
}

enum baton_err
child_note (struct child *child, const struct pollfd polls[CHILD_POLLS])
{
    enum read_result result;
    enum baton_err error = BATON_OK;

    if (child->input_fd >= 0 && polls[POLL_INPUT].revents) {
        feed_input (child);
    }
    if (child->output_fd >= 0 && polls[POLL_OUTPUT].revents) {
        error = take_output (child, &result);
    }
    if (child->errors_fd >= 0 && polls[POLL_ERRORS].revents) {
        take_errors (child);
    }
    if (!error && child->pid_fd >= 0 && polls[POLL_PROCESS].revents) {
        error = note_end (child);
    }
    if (error) {
        child_stop (child);
    }
    return error;
}

void
child_stop (struct child *child)
{
    if (child->state == CHILD_ENDED || child->kill_at_ms != CLOCK_NEVER_MS) return;

    // The group may be gone although the child is not: it can leave it.
    if (kill (-child->pid, SIGTERM) != 0) {
        kill (child->pid, SIGTERM);
    }
    child->kill_at_ms = clock_ms () + CHILD_STOP_WITHIN_MS;
}

static void
kill_now (const struct child *child)
{
    kill (-child->pid, SIGKILL);
    kill (child->pid, SIGKILL);
}

uint64_t
child_kill_late (struct child *child, uint64_t now_ms)
{
    if (child->state == CHILD_ENDED) return CLOCK_NEVER_MS;
    if (child->kill_at_ms > now_ms) return child->kill_at_ms;

    kill_now (child);
    // It cannot refuse; once more only if the kernel takes its time.
    child->kill_at_ms = now_ms + CHILD_STOP_WITHIN_MS;
    return child->kill_at_ms;
}

enum child_result
child_result (const struct child *child)
{
    ASSERT (child->state == CHILD_ENDED);
    if (child->limit == CHILD_OVER) return CHILD_TOO_MUCH;
    return child->code == CLD_EXITED && child->status == 0 ? CHILD_DONE : CHILD_FAILED;
}

// The tail without line ends behind, and, where its beginning was cut off, from the first whole
// line on, or else from the first whole character (UTF-8).
static struct baton_bytes
tidy_tail (const struct child *child)
{
    const char *data = child->tail;
    size_t size = child->tail_bytes;

    while (size > 0 && (data[size - 1] == '\n' || data[size - 1] == ' ')) {
        size--;
    }
    if (child->tail_bytes < sizeof child->tail) return (struct baton_bytes) {data, size};
    const char *end = memchr (data, '\n', size);
    size_t skip = end ? (size_t) (end + 1 - data) : 0;
    while (skip < size && ((unsigned char) data[skip] & 0xc0) == 0x80) {
        skip++;
    }
    return (struct baton_bytes) {data + skip, size - skip};
}

// One line for logs and for the client: a line end becomes a blank.
static void
make_one_line (char *text)
{
    for (; *text; text++) {
        if ((unsigned char) *text < ' ' || *text == 0x7f) {
            *text = ' ';
        }
    }
}

void
child_reason (const struct child *child, char *reason, size_t reason_max_bytes)
{
    struct baton_bytes tail = tidy_tail (child);
    char how[96];

    if (child_result (child) == CHILD_TOO_MUCH) {
        snprintf (how, sizeof how, "its output is over the limit of %zu bytes",
                  child->request.output_max_bytes);
    } else {
        snprintf (how, sizeof how, child->code == CLD_EXITED ? "exit code %d" : "signal %d",
                  child->status);
    }
    snprintf (reason, reason_max_bytes, "%s%s%.*s", how, tail.size > 0 ? ": " : "",
              (int) tail.size, tail.size > 0 ? (const char *) tail.data : "");
    make_one_line (reason);
}

void
child_free (struct child **child)
{
    struct child *self = *child;
    if (!self) return;

    if (self->state == CHILD_RUNS) {
        siginfo_t info;
        kill_now (self);
        waitid (P_PIDFD, (id_t) self->pid_fd, &info, WEXITED);
    }
    close_fd (&self->input_fd);
    close_fd (&self->output_fd);
    close_fd (&self->errors_fd);
    close_fd (&self->pid_fd);
    free (self->output);
    free (self);
    *child = NULL;
}
