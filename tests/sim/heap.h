// SPDX-License-Identifier: MPL-2.0
// heap.h is the memory of one process of the world: counted, with a limit, and an allocation that
// can be made to fail. It must not move while something lives in it.
#ifndef BATON_TESTS_HEAP_H
#define BATON_TESTS_HEAP_H

#include "proto/memory.h"

#include <stdint.h>

struct heap {
    struct memory memory;
    uint64_t used_bytes;
    uint64_t limit_bytes; // 0: none
    uint64_t fail_in;     // the so many-th allocation from now fails; 0: none
    uint64_t failed_count;
};

void
heap_init (struct heap *heap);

#endif
