// SPDX-License-Identifier: MPL-2.0
// bench.h has the tasks that a serving process has in hand: in the order in which they came, at
// most one of each session at work, since a session's requests are done in order. It chooses and
// remembers; it starts nothing and never calls the broker.
#ifndef BATON_TOOLS_BENCH_H
#define BATON_TOOLS_BENCH_H

#include "proto/errors.h"
#include "server/baton_server.h"

#include <stddef.h>

#define BENCH_SESSION_MAX_BYTES 33 // 32 digits and a NUL

// LOST: its session went elsewhere; whatever comes of it counts no more.
enum job_state { JOB_WAITING = 1, JOB_AT_WORK = 2, JOB_LOST_AT_WORK = 3, JOB_LOST = 4 };

struct job {
    struct job *next;
    baton_task_t *task;
    char session[BENCH_SESSION_MAX_BYTES];
    enum job_state state;
};

struct bench {
    struct job *first;
    struct job **last;
    size_t jobs_count;
    size_t at_work_count; // lost ones too, as long as they run
};

// bench_init starts an empty bench. [bench] must not move afterwards.
void
bench_init (struct bench *bench);

// bench_fini frees all jobs; their tasks are the server's.
void
bench_fini (struct bench *bench);

// bench_add puts [task] of [session] behind the others. BATON_NO_MEMORY.
enum baton_err
bench_add (struct bench *bench, baton_task_t *task, const char *session);

// bench_start gives the oldest job that waits and has no older one of its session before it, and
// says that it is at work now; NULL if there is none.
struct job *
bench_start (struct bench *bench);

// bench_put_back says that [job], which bench_start gave, could not be started after all.
void
bench_put_back (struct bench *bench, struct job *job);

// bench_lose says that [session] is lost: what waits becomes JOB_LOST, what is at work
// JOB_LOST_AT_WORK.
void
bench_lose (struct bench *bench, const char *session);

// bench_behind returns the next job of [job]'s session that waits behind it; NULL if there is none.
struct job *
bench_behind (const struct job *job);

// bench_lost returns a job that is JOB_LOST, to be ended; NULL if there is none.
struct job *
bench_lost (const struct bench *bench);

// bench_end takes [job] out and frees it. *[job] becomes NULL.
void
bench_end (struct bench *bench, struct job **job);

#endif
