// SPDX-License-Identifier: MPL-2.0
// ring.h has a window of things numbered one after the other: a session's queue. Finding one by
// its number is one step, and so is leaving at the front; one that left earlier is a hole (NULL).
#ifndef BATON_RING_H
#define BATON_RING_H

#include "proto/errors.h"
#include "proto/memory.h"

#include <stdint.h>

struct ring {
    void **slots;
    uint32_t capacity; // a power of two, or 0
    uint32_t length;   // slots in use, holes included
    uint64_t first;    // number of the oldest slot
};

// ring_init makes an empty ring whose first push gets number [first].
void
ring_init (struct ring *ring, uint64_t first);

void
ring_fini (struct ring *ring, const struct memory *memory);

// ring_reserve makes room for [more] pushes: BATON_NO_MEMORY leaves the ring as it was.
enum baton_err
ring_reserve (struct ring *ring, const struct memory *memory, uint32_t more);

// ring_push puts [item] behind the last one. The room must have been reserved.
void
ring_push (struct ring *ring, void *item);

// ring_at returns what has [number]; NULL for a hole and outside the window.
void *
ring_at (const struct ring *ring, uint64_t number);

// ring_remove makes a hole at [number] and moves the front behind leading holes.
void
ring_remove (struct ring *ring, uint64_t number);

#endif
