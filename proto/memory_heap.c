// SPDX-License-Identifier: MPL-2.0
#include "proto/memory_heap.h"

#include <stdlib.h>

static void *
heap_alloc (void *context, size_t size_bytes)
{
    (void) context;
    // malloc (0) may return NULL, which would read as "no memory".
    return malloc (size_bytes > 0 ? size_bytes : 1);
}

static void
heap_release (void *context, void *data, size_t size_bytes)
{
    (void) context;
    (void) size_bytes;
    free (data);
}

struct memory
memory_heap (void)
{
    return (struct memory) {.alloc = heap_alloc, .release = heap_release};
}
