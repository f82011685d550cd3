// SPDX-License-Identifier: MPL-2.0
// buffer.h has memory that starts at a block boundary, as reads beyond the page cache want it.
#ifndef BATON_STORE_BUFFER_H
#define BATON_STORE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "broker/store/disk.h"
#include "proto/errors.h"
#include "proto/memory.h"

struct buffer {
    uint8_t *bytes;
    size_t size_bytes;
    void *owned;
};

// buffer_init takes [size_bytes] from [memory], not zeroed. BATON_NO_MEMORY: empty buffer, which
// buffer_fini accepts.
DISK_MUST_USE static inline enum baton_err
buffer_init (struct buffer *buffer, const struct memory *memory, size_t size_bytes)
{
    *buffer = (struct buffer) { .bytes = NULL };
    void *owned = memory_alloc (memory, size_bytes + DISK_BLOCK_BYTES);
    if (!owned) return BATON_NO_MEMORY;
    const size_t over_bytes = (size_t) ((uintptr_t) owned % DISK_BLOCK_BYTES);
    buffer->owned = owned;
    buffer->bytes = (uint8_t *) owned + (DISK_BLOCK_BYTES - over_bytes);
    buffer->size_bytes = size_bytes;
    return BATON_OK;
}

static inline void
buffer_fini (struct buffer *buffer, const struct memory *memory)
{
    memory_release (memory, buffer->owned, buffer->size_bytes + DISK_BLOCK_BYTES);
    *buffer = (struct buffer) { .bytes = NULL };
}

#endif
