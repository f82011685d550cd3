// SPDX-License-Identifier: MPL-2.0
// turn.h is what one turn of the broker does with events: room before work, steps of the core,
// the records of the turn as one batch with one sync, and only then what the gate lets go. Time,
// chance and room are handed in, so the loop and the simulator make the same turns. It must never
// touch a socket or a clock, and it says nothing to anybody.
//
//   turn_wake -> turn_begin -> [turn_message]* -> [turn_lost]* -> turn_tick -> turn_write
//             -> turn_release -> turn_tend
//
// 1. Nothing leaves before the record that it rests on is synced.
// 2. Room in the batch and on the disk is reserved before a step, so that what was accepted can
//    be written.
// 3. After BATON_DISK the book is ahead of the log: the process must end without answering.
#ifndef BATON_SHELL_TURN_H
#define BATON_SHELL_TURN_H

#include "broker/core/core.h"
#include "broker/replica/gate.h"
#include "broker/replica/replica.h"
#include "broker/shell/batch.h"

struct turn_limits {
    uint64_t batch_max_bytes;
    uint64_t record_room_bytes; // what a step may add to a batch beside the bodies of its message
    uint64_t gate_max_count;
    uint64_t gate_max_bytes;
    uint64_t closing_batch_after_ms;
    uint64_t stall_ms;
};

// What is asked of outside before each step.
struct turn_outside {
    // Puts the memory that is left into [capacity].
    void (*note_memory) (void *context, struct capacity *capacity);
    // Makes two ids that were never given before. BATON_UNAVAILABLE.
    enum baton_err (*fresh) (void *context, struct id ids[2]);
    // Is shown each record before it is written, for those who check; NULL: nobody does.
    void (*note_record) (void *context, struct baton_bytes record);
    void *context;
};

// What a turn works on; borrowed until turn_fini.
struct turn_parts {
    const struct memory *memory;
    struct core *core;
    struct journal *journal;
    struct stats *stats;
};

struct turn {
    struct turn_parts parts;
    struct turn_limits limits;
    struct turn_outside outside;

    struct gate gate;
    struct replica replica;
    struct batch batch;
    struct capacity capacity; // disk: as the caller noted it last

    uint64_t now_ns;
    uint64_t utc_ms;
    uint64_t written_ns;     // when the last batch was; 0: a closing batch follows no more
    uint64_t stuck_until_ns; // no memory or disk for what the core has to do by itself
    enum { CLOCK_STEADY = 1, CLOCK_STALLED = 2 } pace; // STALLED: nobody's silence counts yet
    enum { INPUT_NONE = 1, INPUT_LEFT = 2 } input;     // LEFT: frames are waiting, says the caller
    enum { STEP_DONE = 1, STEP_MORE = 2 } step;        // MORE: the core has to go on first
};

void
turn_init (struct turn *turn, const struct turn_parts *parts, const struct turn_limits *limits,
           const struct turn_outside *outside);

// turn_fini drops what is held and what was not written.
void
turn_fini (struct turn *turn);

// turn_wake begins a turn at this time. [slept_ns] is the longest that the wait before may have
// taken. Returns for how long the broker stood still beyond that, in ns; 0: it did not.
uint64_t
turn_wake (struct turn *turn, uint64_t now_ns, uint64_t utc_ms, uint64_t slept_ns);

// turn_begin_reign makes the EPOCH record of a new reign and makes it durable. Nothing is answered
// before. Errors: BATON_NO_MEMORY, BATON_DISK, BATON_DISK_FULL, BATON_UNAVAILABLE.
enum baton_err
turn_begin_reign (struct turn *turn);

// turn_begin lets the core finish what it had no room for. Errors as turn_write, BATON_UNAVAILABLE.
enum baton_err
turn_begin (struct turn *turn);

// turn_is_too_deep tells whether so much is held that no further frames are to be read.
bool
turn_is_too_deep (const struct turn *turn);

// turn_message steps the core with one message of [frame_bytes] from a known path.
//
// Errors: BATON_NO_MEMORY and BATON_DISK_FULL end the message (turn_refuse), not the broker;
// BATON_DISK, BATON_UNAVAILABLE.
enum baton_err
turn_message (struct turn *turn, struct link_number link, struct baton_bytes principal,
              const struct msg *msg, uint64_t frame_bytes);

// turn_refuse fills [refused] with the answer to a message that ended with [error], NO_MEMORY or
// DISK_FULL. Returns whether it is to be answered: to some the end awaits no answer.
bool
turn_refuse (const struct msg *msg, enum baton_err error, struct msg_refused *refused);

// turn_lost tells the core of a path that is gone. Errors: BATON_DISK, BATON_UNAVAILABLE.
enum baton_err
turn_lost (struct turn *turn, struct link_number link);

// turn_tick lets the core do what is due. Errors: BATON_DISK, BATON_UNAVAILABLE.
enum baton_err
turn_tick (struct turn *turn);

// turn_write makes the records of the turn durable. Errors: BATON_DISK, BATON_DISK_FULL.
enum baton_err
turn_write (struct turn *turn);

// turn_release moves what may leave to [leaving], oldest first. It may be called at any time.
// BATON_NO_MEMORY: nothing moved.
enum baton_err
turn_release (struct turn *turn, struct effect_list *leaving);

// turn_tend prepares the next segment and closes the log when it has been quiet, after the
// answers have left. Errors: BATON_DISK.
enum baton_err
turn_tend (struct turn *turn);

// turn_drop_front lets segments go that nothing alive needs. Errors: BATON_DISK.
enum baton_err
turn_drop_front (struct turn *turn);

// turn_stop finishes the last batch. Errors: BATON_DISK, BATON_DISK_FULL.
enum baton_err
turn_stop (struct turn *turn);

// turn_due_ns returns when the next turn is due without new input: not after now if there is
// something left to do.
uint64_t
turn_due_ns (const struct turn *turn);

#endif
