// SPDX-License-Identifier: MPL-2.0
// wire_arena.h has the fixed memory that one frame is decoded into. It never grows: what does not
// fit makes the frame too large, so no stranger can make a process grow.
#ifndef BATON_WIRE_ARENA_H
#define BATON_WIRE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct wire_arena {
    unsigned char *data; // aligned for any type
    size_t size_bytes;
    size_t used_bytes;
    bool exhausted;      // something did not fit since the last wire_arena_reset
};

// wire_arena_reset takes back all that was given out.
static inline void
wire_arena_reset (struct wire_arena *arena)
{
    arena->used_bytes = 0;
    arena->exhausted = false;
}

// wire_arena_alloc gives [size_bytes], aligned for any type that a message has; NULL and
// [exhausted] set if they are not there.
static inline void *
wire_arena_alloc (struct wire_arena *arena, size_t size_bytes)
{
    const size_t step = sizeof (void *);
    size_t left = arena->size_bytes - arena->used_bytes;
    if (size_bytes > left || (size_bytes + step - 1) / step * step > left) {
        arena->exhausted = true;
        return NULL;
    }
    void *data = arena->data + arena->used_bytes;
    arena->used_bytes += (size_bytes + step - 1) / step * step;
    return data;
}

#endif
