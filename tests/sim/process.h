// SPDX-License-Identifier: MPL-2.0
// process.h is one process of an end: production's link engine, driven as the libraries drive it,
// over a line of the simulated network, with an application on top. It dies, stands still, goes on
// as a zombie after another one has taken its seat.
#ifndef BATON_TESTS_PROCESS_H
#define BATON_TESTS_PROCESS_H

#include "proto/link_client.h"
#include "proto/link_server.h"
#include "tests/sim/heap.h"
#include "tests/sim/net.h"
#include "tests/sim/world.h"

enum process_state { PROCESS_RUNS = 1, PROCESS_DEAD = 2 };

struct process {
    struct world *world;
    struct seat *seat;
    uint32_t number;
    enum process_state state;
    char name[16];
    const char *principal;
    struct heap heap;
    struct link *link;  // NULL in an attacker
    struct line line;
    struct pipe inbox;  // what came while it stood still
    uint64_t paused_until_ns;
    uint64_t wake_number; // of the newest appointment to drive the engine
    uint64_t wake_ns;
    bool blocked;         // the socket took nothing more
    uint64_t act_number;
    uint32_t idle_count;  // calls in a row without news
    uint64_t busy_until_ns; // of the application
    struct epoch epoch;     // highest seen
    void *application;      // client.c, server.c or attacker.c
};

// process_start starts a process for [seat] and gives it the seat.
struct process *
process_start (struct seat *seat);

// process_die ends it at once; nothing is said to anybody.
void
process_die (struct process *process);

void
process_free (struct process **process);

// process_pause makes it stand still for [ns].
void
process_pause (struct process *process, uint64_t ns);

// process_arrive hands in one frame from the line.
void
process_arrive (struct process *process, struct parcel *parcel);

// process_collect puts what its engine has counted into the figures of the run.
void
process_collect (struct process *process);

// process_pump drives the engine: time, and what is to be sent.
void
process_pump (struct process *process);

// process_draw draws from the process's own stream.
uint32_t
process_draw (struct process *process, const char *label, uint32_t max);

bool
process_chance (struct process *process, const char *label, uint32_t per_mille);

static inline bool
process_has_seat (const struct process *process)
{
    return process->seat->process == process;
}

#endif
