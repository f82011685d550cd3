// SPDX-License-Identifier: MPL-2.0
// gate.h is where deliveries and answers wait until the record they tell of is safe. It knows
// one number, the commit index, and must never judge how it came about (replica.h does).
//
// Effects go in through the list that the core appends to, so that nothing can fail between
// making a record and holding what it announces.
//
// Order: effects with a record leave in the order they came in, so per link too. An effect
// without one (after = 0) says nothing about the book; it leaves at the next release and may
// overtake held ones of its link: BUSY or UNAVAILABLE must get out while the log stands still,
// and the ends take COMMITTED as cumulative. Two kinds keep their place although they say
// nothing about the book, because they start and end a conversation on the path: WELCOME and
// FORGET wait for what was held before them.
//
// Invariants:
//   1. no effect leaves before its record is safe;
//   2. the records that held effects wait for never fall from the oldest to the newest.
#ifndef BATON_GATE_H
#define BATON_GATE_H

#include "broker/core/effect.h"

struct gate {
    struct effect_list held;  // oldest first
    size_t noted_count;       // so many of them have been through gate_hold
    size_t held_bytes;        // of the effects noted, with what they hold
    struct log_index newest;  // newest record that one of them waits for
    struct log_index released;
};

struct gate_depth {
    uint64_t count;
    uint64_t bytes;
};

// gate_init starts with nothing held. [memory] must outlive the gate.
void
gate_init (struct gate *gate, const struct memory *memory);

// gate_fini drops what is still held.
void
gate_fini (struct gate *gate);

// gate_inbox returns the list that core_step appends its effects to. After each step gate_hold
// is called; nothing is ever taken from the list by anybody else.
struct effect_list *
gate_inbox (struct gate *gate);

// gate_hold takes the effects that were appended to the inbox since the last call.
void
gate_hold (struct gate *gate);

// gate_release moves all effects that may leave to the end of [out], oldest first, and with them
// their references.
//
//   commit   the commit index, as replica computed it; never less than before
//   out      a list over the same memory
//
// Errors: BATON_NO_MEMORY, nothing moved; call again. Cannot happen if [out] is empty and
// everything may leave, which is the usual case: the two lists are exchanged.
enum baton_err
gate_release (struct gate *gate, struct log_index commit, struct effect_list *out);

// gate_withdraw drops the newest held EFFECT_FRAME to [to], an answer that waited too long.
// Returns whether there was one.
bool
gate_withdraw (struct gate *gate, struct link_number to);

// gate_depth tells how much is held: when it is too deep, the shell reads fewer frames.
struct gate_depth
gate_depth (const struct gate *gate);

#endif
