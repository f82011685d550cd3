// SPDX-License-Identifier: MPL-2.0
// memory.h has the allocator that the pure rooms get as a parameter, so that their memory is
// counted and a test can fail the n-th allocation.
#ifndef BATON_MEMORY_H
#define BATON_MEMORY_H

#include <stddef.h>

// alloc returns NULL when there is no memory. release gets the size that was asked for, and
// accepts NULL. Neither zeroes.
struct memory {
    void *(*alloc) (void *context, size_t size_bytes);
    void (*release) (void *context, void *data, size_t size_bytes);
    void *context;
};

static inline void *
memory_alloc (const struct memory *memory, size_t size_bytes)
{
    return memory->alloc (memory->context, size_bytes);
}

static inline void
memory_release (const struct memory *memory, void *data, size_t size_bytes)
{
    if (data) {
        memory->release (memory->context, data, size_bytes);
    }
}

#endif
