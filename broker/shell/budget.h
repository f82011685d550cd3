// SPDX-License-Identifier: MPL-2.0
// budget.h has the broker's memory: the C heap, counted against one budget. Core, gate and
// packer allocate through it, so `capacity` on each event tells the rules what is left, and BUSY
// comes long before the machine runs out.
#ifndef BATON_SHELL_BUDGET_H
#define BATON_SHELL_BUDGET_H

#include "broker/core/event.h"
#include "proto/memory.h"

#include <stdint.h>

struct budget {
    struct memory memory; // hand out a pointer to this; the budget must not move
    uint64_t total_bytes;
    uint64_t hard_bytes;  // beyond it there is no memory; a little above the total
    uint64_t used_bytes;
    uint64_t most_bytes;
    uint64_t refused_count;
    uint64_t trim_at_bytes; // give free pages back when the use falls this far below the most
};

// budget_init starts an empty budget of [total_bytes] and tunes the heap so that its free pages
// can go back to the system.
void
budget_init (struct budget *budget, uint64_t total_bytes);

// budget_note puts what is left into [capacity].
void
budget_note (const struct budget *budget, struct capacity *capacity);

// budget_trim gives free pages back when much was freed since the last time. For idle moments.
void
budget_trim (struct budget *budget);

// budget_of_machine returns half of the machine's memory, or of the control group's if that is
// smaller: the default budget.
uint64_t
budget_of_machine (void);

#endif
