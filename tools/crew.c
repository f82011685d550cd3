// SPDX-License-Identifier: MPL-2.0
#include "tools/crew.h"

#include "proto/limits.h"
#include "tools/clock.h"
#include "tools/say.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define REASON_MAX_BYTES (CHILD_TAIL_MAX_BYTES + 128u)
#define START_AGAIN_AFTER_MS 1000u

static void
on_lost (const char *session_id, enum baton_err reason, void *context)
{
    struct crew *crew = context;

    (void) reason;
    bench_lose (&crew->bench, session_id);
}

enum baton_err
crew_init (struct crew *crew, baton_server_t *server, uint32_t seats_count)
{
    memset (crew, 0, sizeof *crew);
    crew->server = server;
    crew->mode = CREW_WORKS;
    crew->seats_count = seats_count;
    crew->start_again_at_ms = CLOCK_NEVER_MS;
    bench_init (&crew->bench);
    crew->seats = calloc (seats_count, sizeof *crew->seats);
    if (!crew->seats) return BATON_NO_MEMORY;

    return baton_server_set_abort (server, on_lost, crew);
}

void
crew_fini (struct crew *crew)
{
    for (uint32_t i = 0; i < crew->seats_count; i++) {
        child_free (&crew->seats[i].child);
    }
    baton_server_set_abort (crew->server, NULL, NULL);
    bench_fini (&crew->bench);
    free (crew->seats);
    crew->seats = NULL;
}

enum baton_err
crew_take (struct crew *crew)
{
    for (;;) {
        baton_task_t *task;
        enum baton_err error = baton_server_next (crew->server, 0, &task);
        if (error) return error == BATON_TIMED_OUT || error == BATON_INTERRUPTED ? 0 : error;
        error = bench_add (&crew->bench, task, baton_task_session_id (task));
        if (error) return error;
    }
}

static void
tell (const struct crew *crew, const struct job *job, enum crew_outcome outcome,
      const char *reason, size_t answer_bytes)
{
    const struct crew_report report = {
        .outcome = outcome,
        .session = job->session,
        .request = baton_task_seq (job->task),
        .attempt = baton_task_attempt (job->task),
        .answer_bytes = answer_bytes,
        .reason = reason,
    };

    if (crew->report) {
        crew->report (&report, crew->report_context);
    }
}

// The session went elsewhere, or was closed. The call that says so lets go of the task.
static void
drop (struct crew *crew, struct job *job)
{
    tell (crew, job, CREW_LOST, "", 0);
    baton_task_reject (job->task, NULL);
    bench_end (&crew->bench, &job);
}

void
crew_drop_lost (struct crew *crew)
{
    struct job *job;

    while ((job = bench_lost (&crew->bench)) != NULL) {
        drop (crew, job);
    }
    for (uint32_t i = 0; i < crew->seats_count; i++) {
        const struct seat *seat = &crew->seats[i];
        if (seat->child && seat->job->state == JOB_LOST_AT_WORK) {
            child_stop (seat->child);
        }
    }
}

static struct seat *
free_seat (const struct crew *crew)
{
    for (uint32_t i = 0; i < crew->seats_count; i++) {
        if (!crew->seats[i].child) return &crew->seats[i];
    }
    return NULL;
}

static enum baton_err
seat_job (const struct crew *crew, struct seat *seat, struct job *job)
{
    const struct child_request request = {
        .session = job->session,
        .seq = baton_task_seq (job->task),
        .attempt = baton_task_attempt (job->task),
        .body = baton_task_body (job->task),
        .output_max_bytes = LIMIT_BODY_MAX_BYTES,
    };

    seat->job = job;
    return child_start (&crew->command, &request, &seat->child);
}

void
crew_start (struct crew *crew)
{
    struct seat *seat = free_seat (crew);
    struct job *job = seat ? bench_start (&crew->bench) : NULL;

    crew->start_again_at_ms = CLOCK_NEVER_MS;
    for (; job; job = seat ? bench_start (&crew->bench) : NULL) {
        enum baton_err error = seat_job (crew, seat, job);
        if (error) {
            // Our host's trouble is no fault of the request: it waits, uncounted.
            bench_put_back (&crew->bench, job);
            say ("cannot start %s (%s); trying again in %u s; raise the limits of processes and"
                 " descriptors, or lower --capacity", crew->command.path, baton_strerror (error),
                 START_AGAIN_AFTER_MS / 1000);
            crew->start_again_at_ms = clock_ms () + START_AGAIN_AFTER_MS;
            return;
        }
        seat = free_seat (crew);
    }
}

void
crew_polls (const struct crew *crew, struct pollfd *polls)
{
    for (uint32_t i = 0; i < crew->seats_count; i++, polls += CHILD_POLLS) {
        if (crew->seats[i].child) {
            child_polls (crew->seats[i].child, polls);
            continue;
        }
        for (int j = 0; j < CHILD_POLLS; j++) {
            polls[j] = (struct pollfd) {.fd = -1};
        }
    }
}

// A rejection takes all later requests of the session back with it; they come again.
static void
let_go_behind (struct crew *crew, const struct job *job)
{
    struct job *behind;

    while ((behind = bench_behind (job)) != NULL) {
        baton_task_reject (behind->task, NULL);
        bench_end (&crew->bench, &behind);
    }
}

static void
reject (struct crew *crew, const struct job *job, const char *reason)
{
    uint64_t request = baton_task_seq (job->task);
    enum baton_err error = baton_task_reject (job->task, reason);

    crew->rejected_count++;
    say ("session %s request %" PRIu64 " attempt %" PRIu32 ": %s", job->session, request,
         baton_task_attempt (job->task), reason);
    tell (crew, job, CREW_REJECTED, reason, 0);
    if (error == BATON_BAD_ARGUMENT) {
        say ("session %s request %" PRIu64 " cannot be given back: another kind of server has"
             " consumed it and owes its answer; let that server serve the session",
             job->session, request);
    }
    let_go_behind (crew, job);
}

// The library knows the broker's own limit, which may be lower than ours.
static void
reply (struct crew *crew, const struct job *job, const struct child *child)
{
    enum baton_err error = baton_task_reply (job->task, child->output, child->output_bytes);

    if (error == BATON_TOO_LARGE) {
        reject (crew, job, baton_server_error_text (crew->server));
    } else if (error) {
        say ("session %s request %" PRIu64 ": the answer was not taken: %s", job->session,
             baton_task_seq (job->task), baton_strerror (error));
        tell (crew, job, CREW_LOST, "", 0);
    } else {
        crew->answered_count++;
        tell (crew, job, CREW_ANSWERED, "", child->output_bytes);
    }
}

// Replies, rejects, or, while stopping, leaves to the goodbye what is not done.
static void
answer (struct crew *crew, const struct job *job, const struct child *child)
{
    char reason[REASON_MAX_BYTES];

    if (child_result (child) == CHILD_DONE) {
        reply (crew, job, child);
    } else if (crew->mode == CREW_WORKS) {
        child_reason (child, reason, sizeof reason);
        reject (crew, job, reason);
    }
}

static void
settle (struct crew *crew, struct seat *seat)
{
    struct job *job = seat->job;

    if (job->state == JOB_LOST_AT_WORK) {
        drop (crew, job);
    } else {
        answer (crew, job, seat->child);
        bench_end (&crew->bench, &job);
    }
    seat->job = NULL;
    child_free (&seat->child);
}

void
crew_note (struct crew *crew, const struct pollfd *polls)
{
    for (uint32_t i = 0; i < crew->seats_count; i++, polls += CHILD_POLLS) {
        struct seat *seat = &crew->seats[i];
        if (!seat->child) continue;
        if (child_note (seat->child, polls)) {
            say ("out of memory for the output of session %s; its command is stopped",
                 seat->job->session);
        }
        if (seat->child->state == CHILD_ENDED) {
            settle (crew, seat);
        }
    }
}

void
crew_stop (struct crew *crew)
{
    crew->mode = CREW_STOPS;
    for (uint32_t i = 0; i < crew->seats_count; i++) {
        if (crew->seats[i].child) {
            child_stop (crew->seats[i].child);
        }
    }
}

uint64_t
crew_deadline_ms (struct crew *crew)
{
    uint64_t now_ms = clock_ms ();
    uint64_t deadline_ms = crew->start_again_at_ms;

    for (uint32_t i = 0; i < crew->seats_count; i++) {
        if (crew->seats[i].child) {
            uint64_t at_ms = child_kill_late (crew->seats[i].child, now_ms);
            deadline_ms = at_ms < deadline_ms ? at_ms : deadline_ms;
        }
    }
    return deadline_ms;
}
