// SPDX-License-Identifier: MPL-2.0
#include "broker/core/ring.h"

#include "proto/assert.h"

#include <string.h>

// A session starts without slots; most never have more than a few requests open.
#define RING_CAPACITY_MIN 4u

static void **
ring_slot (const struct ring *ring, uint64_t number)
{
    return &ring->slots[number & (ring->capacity - 1)];
}

void
ring_init (struct ring *ring, uint64_t first)
{
    memset (ring, 0, sizeof *ring);
    ring->first = first;
}

void
ring_fini (struct ring *ring, const struct memory *memory)
{
    memory_release (memory, ring->slots, ring->capacity * sizeof (void *));
    memset (ring, 0, sizeof *ring);
}

static enum baton_err
ring_grow (struct ring *ring, const struct memory *memory, uint32_t capacity)
{
    const struct ring old = *ring;

    void **slots = memory_alloc (memory, capacity * sizeof (void *));
    if (!slots) return BATON_NO_MEMORY;
    memset (slots, 0, capacity * sizeof (void *));
    ring->slots = slots;
    ring->capacity = capacity;
    for (uint64_t i = old.first; i < old.first + old.length; i++) {
        *ring_slot (ring, i) = *ring_slot (&old, i);
    }
    memory_release (memory, old.slots, old.capacity * sizeof (void *));
    return BATON_OK;
}

enum baton_err
ring_reserve (struct ring *ring, const struct memory *memory, uint32_t more)
{
    uint32_t capacity = ring->capacity ? ring->capacity : RING_CAPACITY_MIN;

    ASSERT (more <= UINT32_MAX / 4 - ring->length);
    while (capacity < ring->length + more) {
        capacity *= 2;
    }
    if (capacity == ring->capacity) return BATON_OK;
    return ring_grow (ring, memory, capacity);
}

void
ring_push (struct ring *ring, void *item)
{
    ASSERT (ring->length < ring->capacity);
    ASSERT (item);
    *ring_slot (ring, ring->first + ring->length) = item;
    ring->length++;
}

void *
ring_at (const struct ring *ring, uint64_t number)
{
    if (number < ring->first || number - ring->first >= ring->length) return NULL;
    return *ring_slot (ring, number);
}

void
ring_remove (struct ring *ring, uint64_t number)
{
    ASSERT (ring_at (ring, number));
    *ring_slot (ring, number) = NULL;
    while (ring->length > 0 && !*ring_slot (ring, ring->first)) {
        ring->first++;
        ring->length--;
    }
}
