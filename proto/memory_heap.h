// SPDX-License-Identifier: MPL-2.0
// memory_heap.h has the allocator of programs: the C heap behind struct memory. It is for the
// shell, the libraries and tests; a pure room never calls it, it is handed in.
#ifndef BATON_MEMORY_HEAP_H
#define BATON_MEMORY_HEAP_H

#include "proto/memory.h"

// memory_heap returns an allocator over malloc and free. It has no state: copies are equal, and
// what one gave another may take back. It counts nothing; a budget is a layer above it.
struct memory
memory_heap (void);

#endif
