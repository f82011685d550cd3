// SPDX-License-Identifier: MPL-2.0
// world.h has all of one simulated world: time, the broker, the processes of the ends, the network
// between them, and the checker that watches. It says when faults come; the parts say what they do.
//
// First the safety phase: everything that the plan allows goes wrong. Then the world heals: no more
// faults, one process for each client and server, all of it running; and the work must be finished.
#ifndef BATON_TESTS_WORLD_H
#define BATON_TESTS_WORLD_H

#include "proto/wire.h"
#include "tests/sim/calendar.h"
#include "tests/sim/checker.h"
#include "tests/sim/net.h"
#include "tests/sim/plan.h"
#include "tests/sim/sim.h"

enum { WORLD_PROCESSES_MAX = 400, WORLD_SEATS_MAX = 12 };

struct broker;
struct process;

enum world_phase { WORLD_ROUGH = 1, WORLD_HEALS = 2, WORLD_OVER = 3 };

enum seat_kind { SEAT_HONEST = 1, SEAT_ATTACKER = 2 };

// Who a process is for others: a client or server of this name. At most one process has the seat;
// others that were started for it are zombies.
struct seat {
    struct world *world;
    uint32_t number;
    enum end_role role;
    enum seat_kind kind;
    struct process *process; // NULL: between two
    uint32_t started_count;
    uint32_t done_count; // of a client: sessions that finished for good
    uint64_t done_mask;
};

struct world {
    struct choices *choices;
    FILE *chart;
    uint64_t steps_max;
    struct sim_counts counts;
    struct plan plan;
    enum world_phase phase;
    uint64_t now_ns;
    int64_t utc_skew_ms;
    uint64_t digest;
    uint64_t healed_ns;
    uint64_t uniques;       // makes bodies that were never there
    struct calendar calendar;
    struct wire_decoder *decoder;
    struct wire_limits limits;
    struct net net;
    struct broker *broker;
    struct seat seats[WORLD_SEATS_MAX];
    uint32_t seats_count;
    struct process *processes[WORLD_PROCESSES_MAX]; // dead ones too
    uint32_t processes_count;
    struct checker checker;
};

// world_new draws a plan and makes all that it names; nothing has happened yet.
struct world *
world_new (struct choices *choices, const struct sim_options *options);

void
world_free (struct world **world);

// world_run lets it all happen.
void
world_run (struct world *world);

// world_step counts one step, mixes [what] into the digest, and cuts the run at its limit.
void
world_step (struct world *world, uint64_t what);

// world_fault tells whether [fault] strikes now; never when the world heals.
bool
world_fault (struct world *world, enum fault fault);

static inline void
world_sometimes (struct world *world, enum sometimes which)
{
    world->counts.sometimes[which]++;
}

// world_tell tells the chart, if there is one (chart.h), what happens at [who].
void
world_tell (struct world *world, const char *who, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

// world_tell_msg tells it that [msg] of [from] is taken by [to].
void
world_tell_msg (struct world *world, const char *from, const char *to, const struct msg *msg);

static inline uint64_t
world_utc_ms (const struct world *world)
{
    return (uint64_t) ((int64_t) (UINT64_C (1700000000000) + world->now_ns / 1000000)
                       + world->utc_skew_ms);
}

// world_seat_vacant has a new process started for [seat] after a while.
void
world_seat_vacant (struct world *world, struct seat *seat);

#define MS_NS UINT64_C (1000000)
#define US_NS UINT64_C (1000)

#endif
