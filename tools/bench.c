// SPDX-License-Identifier: MPL-2.0
#include "tools/bench.h"

#include "proto/assert.h"

#include <stdlib.h>
#include <string.h>

void
bench_init (struct bench *bench)
{
    memset (bench, 0, sizeof *bench);
    bench->last = &bench->first;
}

void
bench_fini (struct bench *bench)
{
    while (bench->first) {
        struct job *job = bench->first;
        bench->first = job->next;
        free (job);
    }
    bench_init (bench);
}

enum baton_err
bench_add (struct bench *bench, baton_task_t *task, const char *session)
{
    size_t size = strlen (session);
    struct job *job = calloc (1, sizeof *job);
    if (!job) return BATON_NO_MEMORY;

    ASSERT (size < sizeof job->session);
    memcpy (job->session, session, size);
    job->task = task;
    job->state = JOB_WAITING;
    *bench->last = job;
    bench->last = &job->next;
    bench->jobs_count++;
    return BATON_OK;
}

// Whether [job] is the oldest of its session. The bench is as short as the server's credit.
static int
is_first_of_session (const struct bench *bench, const struct job *job)
{
    const struct job *other = bench->first;

    while (other != job && strcmp (other->session, job->session) != 0) {
        other = other->next;
    }
    return other == job;
}

struct job *
bench_start (struct bench *bench)
{
    for (struct job *job = bench->first; job; job = job->next) {
        if (job->state == JOB_WAITING && is_first_of_session (bench, job)) {
            job->state = JOB_AT_WORK;
            bench->at_work_count++;
            return job;
        }
    }
    return NULL;
}

void
bench_put_back (struct bench *bench, struct job *job)
{
    ASSERT (job->state == JOB_AT_WORK);
    job->state = JOB_WAITING;
    bench->at_work_count--;
}

void
bench_lose (struct bench *bench, const char *session)
{
    for (struct job *job = bench->first; job; job = job->next) {
        if (strcmp (job->session, session) != 0) continue;
        if (job->state == JOB_WAITING) {
            job->state = JOB_LOST;
        } else if (job->state == JOB_AT_WORK) {
            job->state = JOB_LOST_AT_WORK;
        }
    }
}

struct job *
bench_behind (const struct job *job)
{
    for (struct job *other = job->next; other; other = other->next) {
        if (other->state == JOB_WAITING && strcmp (other->session, job->session) == 0) {
            return other;
        }
    }
    return NULL;
}

struct job *
bench_lost (const struct bench *bench)
{
    for (struct job *job = bench->first; job; job = job->next) {
        if (job->state == JOB_LOST) return job;
    }
    return NULL;
}

void
bench_end (struct bench *bench, struct job **job)
{
    struct job **at = &bench->first;

    while (*at != *job) {
        ASSERT (*at);
        at = &(*at)->next;
    }
    *at = (*job)->next;
    if (bench->last == &(*job)->next) {
        bench->last = at;
    }
    bench->jobs_count--;
    bench->at_work_count -=
        (*job)->state == JOB_AT_WORK || (*job)->state == JOB_LOST_AT_WORK ? 1 : 0;
    free (*job);
    *job = NULL;
}
