// SPDX-License-Identifier: MPL-2.0
// crew.h has the children at work: it takes tasks from the broker, runs the command for as many
// at a time as there are seats, and replies or rejects. When to poll and when to stop is the
// caller's business.
#ifndef BATON_TOOLS_CREW_H
#define BATON_TOOLS_CREW_H

#include "tools/bench.h"
#include "tools/child.h"

struct seat {
    struct child *child; // NULL: free
    struct job *job;
};

// What became of a task, for whoever wants to know.
enum crew_outcome { CREW_ANSWERED = 1, CREW_REJECTED = 2, CREW_LOST = 3 };

struct crew_report {
    enum crew_outcome outcome;
    const char *session;
    uint64_t request;
    uint32_t attempt;
    size_t answer_bytes;
    const char *reason; // of a rejection, else ""
};

typedef void
crew_report_fn (const struct crew_report *report, void *context);

struct crew {
    baton_server_t *server;
    struct child_command command;
    struct bench bench;
    struct seat *seats;
    uint32_t seats_count;
    uint64_t start_again_at_ms; // no process was to be had; CLOCK_NEVER_MS: nothing is due
    enum { CREW_WORKS = 1, CREW_STOPS = 2 } mode;
    uint64_t answered_count;
    uint64_t rejected_count;
    crew_report_fn *report; // may be NULL
    void *report_context;
};

// crew_init makes a crew of [seats_count] for [server], which stays the caller's. [crew] must not
// move afterwards: the server tells it of lost sessions. BATON_NO_MEMORY.
enum baton_err
crew_init (struct crew *crew, baton_server_t *server, uint32_t seats_count);

// crew_fini kills what still runs. Before the server is destroyed.
void
crew_fini (struct crew *crew);

// crew_take takes the tasks that are here, and lets replies leave. Errors as baton_server_next.
enum baton_err
crew_take (struct crew *crew);

// crew_drop_lost ends the tasks of lost sessions and stops the children that work for them.
void
crew_drop_lost (struct crew *crew);

// crew_start seats as many tasks as it can.
void
crew_start (struct crew *crew);

// crew_polls fills seats_count * CHILD_POLLS entries.
void
crew_polls (const struct crew *crew, struct pollfd *polls);

// crew_note lets children go on after poll, and settles the tasks of those that ended.
void
crew_note (struct crew *crew, const struct pollfd *polls);

// crew_stop asks all children to end. Who is not done then is not rejected: the task goes back,
// uncounted, when the server says goodbye.
void
crew_stop (struct crew *crew);

// crew_deadline_ms kills those who did not stop in time, and returns when to call crew_start and
// this again at the latest.
uint64_t
crew_deadline_ms (struct crew *crew);

#endif
