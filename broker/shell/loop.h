// SPDX-License-Identifier: MPL-2.0
// loop.h is the broker at work, in one thread. One turn: read the clocks once; take frames from
// each door, a bounded number; step the core with each; write the records of the turn as one
// batch and sync it; release what that made safe; pack and send it. It must never decide about
// sessions, and nothing leaves before the gate lets it.
#ifndef BATON_SHELL_LOOP_H
#define BATON_SHELL_LOOP_H

#include "broker/shell/admin.h"
#include "broker/shell/budget.h"
#include "broker/shell/chance.h"
#include "broker/shell/doors.h"
#include "broker/shell/packer.h"
#include "broker/shell/turn.h"

// What a broker is made of. The parts above the line are made by start.c, before the first turn.
struct loop {
    const struct config *config;
    struct log *log;
    struct budget *budget;
    struct stats *stats;
    struct chance *chance;
    const struct disk *disk;
    struct journal *journal;
    struct core *core;
    int signal_fd; // readable when the broker is to stop

    struct doors doors;
    struct turn turn; // all that happens between taking frames and sending what they led to
    struct packer *packer;
    struct admin admin;
    struct effect_list leaving;

    uint64_t started_ns;
    uint64_t slept_ns;        // the longest that the wait before this turn may have taken
    uint64_t housekeeping_ns; // when the next one is due
    uint64_t watchdog_ns;     // when the next one is due
    uint64_t watchdog_every_ns;
    enum { LOOP_RUNNING = 1, LOOP_STOPPING = 2 } state;
};

// loop_init prepares the parts of the loop's own; those above the line are set. BATON_NO_MEMORY,
// BATON_NETWORK.
enum baton_err
loop_init (struct loop *loop);

// loop_fini closes the doors and drops what is held.
void
loop_fini (struct loop *loop);

// loop_begin_reign makes the EPOCH record of a new reign and makes it durable. Before that nothing
// is answered: the doors are bound afterwards.
//
// Errors: BATON_NO_MEMORY, BATON_DISK, BATON_DISK_FULL, BATON_UNAVAILABLE (no random numbers).
enum baton_err
loop_begin_reign (struct loop *loop);

// loop_run makes turns until a signal says stop, then finishes the batch and closes the log.
//
// Errors: BATON_DISK, BATON_DISK_FULL: the log could not be written; nothing was answered that is
// not in it. BATON_NETWORK, BATON_UNAVAILABLE.
enum baton_err
loop_run (struct loop *loop);

#endif
