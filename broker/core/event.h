// SPDX-License-Identifier: MPL-2.0
// event.h has what can happen to the core: one input, with the time, the room left and fresh
// random ids handed in, because the core has no clock, no disk and no chance of its own.
#ifndef BATON_EVENT_H
#define BATON_EVENT_H

#include "proto/msg.h"

enum event_kind {
    EVENT_START = 1,  // a reign begins: makes the EPOCH record
    EVENT_MESSAGE,    // an end said something
    EVENT_LINK_LOST,  // the shell knows that a path is gone
    EVENT_TICK,       // core_deadline_ns has come
    EVENT_CONTINUE,   // the last step said more
};

// Room that the shell sees. Decide answers BUSY from it; the core never asks back.
struct capacity {
    uint64_t memory_free_bytes;  // of the budget
    uint64_t memory_total_bytes;
    uint64_t disk_free_bytes;
    uint64_t disk_total_bytes;
};

struct event {
    enum event_kind kind;
    uint64_t now_ns;   // monotonic; never enters a record
    uint64_t utc_ms;   // wall clock; the manager's word for records
    struct capacity capacity;
    struct id fresh[2]; // random, never given before
    struct epoch epoch; // EVENT_START: the new one
    // EVENT_MESSAGE and EVENT_LINK_LOST:
    struct link_number link;
    struct baton_bytes principal; // from the link, never from the frame
    const struct msg *msg;
};

#endif
