// SPDX-License-Identifier: MPL-2.0
#include "tests/sim/heap.h"

#include <stdlib.h>

// As the broker's budget counts (broker/shell/budget.c).
#define BLOCK_OVERHEAD_BYTES 16u

static void *
heap_alloc (void *context, size_t size_bytes)
{
    struct heap *heap = context;
    const uint64_t bytes = size_bytes + BLOCK_OVERHEAD_BYTES;
    // One part in sixteen above the limit finishes what was begun.
    const uint64_t hard_bytes = heap->limit_bytes + heap->limit_bytes / 16;

    if ((heap->limit_bytes && heap->used_bytes + bytes > hard_bytes)
        || (heap->fail_in && --heap->fail_in == 0)) {
        heap->failed_count++;
        return NULL;
    }
    void *data = malloc (size_bytes ? size_bytes : 1);
    if (!data) abort ();
    heap->used_bytes += bytes;
    return data;
}

static void
heap_release (void *context, void *data, size_t size_bytes)
{
    struct heap *heap = context;

    if (heap->used_bytes < size_bytes + BLOCK_OVERHEAD_BYTES) abort ();
    heap->used_bytes -= size_bytes + BLOCK_OVERHEAD_BYTES;
    free (data);
}

void
heap_init (struct heap *heap)
{
    *heap = (struct heap) { .memory = { heap_alloc, heap_release, heap } };
}
