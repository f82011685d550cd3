// SPDX-License-Identifier: MPL-2.0
// memory_fail.h is the allocator of the tests: it fails the n-th allocation, counts what lives,
// and stops a test that leaks or gives back the wrong size. One test per module runs its story
// once for every n (docs/style.md). It must never be linked into a program of ours.
#ifndef BATON_TESTS_MEMORY_FAIL_H
#define BATON_TESTS_MEMORY_FAIL_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/memory.h"

// The way to use it: for (n = 1; ; n++) { init (n); run; expect_clean; stop if !failed; }
struct memory_fail {
    struct memory memory;      // hand out a pointer to this, or a copy
    size_t fail_at;            // which allocation fails, from 1; 0 for none
    size_t asked_count;        // allocations asked for, the failed one too
    size_t live_count;         // blocks that were not released yet
    size_t live_bytes;         // their sizes as asked for
    size_t most_bytes;         // the most that lived at once
    bool fail_ever_after;      // after the n-th, all others fail too: a full machine
    bool failed;               // an allocation was refused
};

// memory_fail_init makes [fail] ready; it then refuses allocation number [fail_at] (from 1), or
// none if 0. [fail] must not move afterwards: its own address is the allocator's context.
void
memory_fail_init (struct memory_fail *fail, size_t fail_at);

// memory_fail_report writes what still lives to standard error, one line per block, at most 16.
// Returns the number of live blocks.
size_t
memory_fail_report (const struct memory_fail *fail);

// memory_fail_expect_clean fails the cmocka test, after a report, if anything still lives.
void
memory_fail_expect_clean (const struct memory_fail *fail);

#endif
