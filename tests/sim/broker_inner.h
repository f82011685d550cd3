// SPDX-License-Identifier: MPL-2.0
// broker_inner.h is what the files of the simulated broker share: broker.c makes turns,
// broker_doors.c says who speaks, broker_life.c starts and ends it.
#ifndef BATON_TESTS_BROKER_INNER_H
#define BATON_TESTS_BROKER_INNER_H

#include "broker/shell/packer.h"
#include "broker/shell/strangers.h"
#include "broker/shell/turn.h"
#include "tests/sim/broker.h"
#include "tests/sim/heap.h"
#include "tests/support/disk_sim.h"

enum { BROKER_PATHS_MAX = 64, BROKER_LOST_MAX = 256 };

// A path that has said HELLO.
struct path {
    struct link_number link; // 0: free
    uint64_t address;
    uint64_t heard_ns;
};

// A frame that waits for the next turn.
struct arrival {
    struct arrival *next;
    uint64_t address;
    struct parcel *parcel;
    struct process *process;
    const struct path *path; // NULL before it is admitted
};

struct broker {
    struct world *world;
    enum { BROKER_DOWN = 1, BROKER_UP = 2, BROKER_ENDED = 3 } state; // ENDED: for good, rightly
    struct heap heap;
    struct disk_sim *disk;
    struct journal *journal;
    struct core *core;
    struct turn turn;
    struct packer *packer;
    struct effect_list leaving;
    struct stats stats;
    struct strangers strangers;
    struct path paths[BROKER_PATHS_MAX];
    struct link_number lost[BROKER_LOST_MAX];
    uint32_t lost_count;
    uint64_t links;
    struct arrival *inbox;
    struct arrival *inbox_last;
    uint64_t turn_number; // of the newest appointment
    uint64_t turn_ns;     // its time; 0: there is none
    uint64_t turns_count;
    uint64_t messages_count;
    uint64_t slept_ns;
    uint64_t housekeeping_ns;
    uint64_t busy_until_ns;
    uint64_t slow_until_ns;
    uint64_t slow_ns;
    uint64_t start_number;
    uint32_t full_starts_count; // in a row, for want of disk
    bool rotten;                // a bit was flipped
    // How the process ends when a disk call says that it has.
    enum { DEATH_NONE = 1, DEATH_KILL = 2, DEATH_POWER = 3 } planned;
};

// broker.c

void
broker_make_turn (struct broker *broker);

void
broker_note_room (struct broker *broker);

// broker_note_commit tells the checker the commit index.
void
broker_note_commit (struct broker *broker);

// broker_plan_turn has the next turn come at [at_ns], if none comes before.
void
broker_plan_turn (struct broker *broker, uint64_t at_ns);

// broker_doors.c

// broker_admit fills [msg] if the frame is a message on a known path; else it was dealt with.
bool
broker_admit (struct broker *broker, const struct arrival *arrival, struct msg *msg);

struct path *
broker_path_at (struct broker *broker, uint64_t address);

// broker_send and broker_forget are the packer's sink.
void
broker_send (void *context, struct link_number to, struct port_frame *frame);

void
broker_forget (void *context, struct link_number link);

// broker_lose drops a path and has the core told.
void
broker_lose (struct broker *broker, struct link_number link);

// broker_send_straight answers an address that may be nobody's path.
void
broker_send_straight (struct broker *broker, uint64_t address, const struct msg *msg);

// broker_expire loses paths that were silent for [silent_ns].
void
broker_expire (struct broker *broker, uint64_t silent_ns);

#endif
