// SPDX-License-Identifier: MPL-2.0
// shrink.h makes a failing run smaller while the same invariant is broken: fewer events, fewer
// choices that are not 0, fewer steps, smaller values. Each try runs in a process of its own,
// because a violated world is left as it is.
//
//   1. cut the horizon: all choices from some place on become 0, the mildest
//   2. whole streams become 0: no delays, no crashes of this process, ...
//   3. chunks of choices become 0, or are taken out, half of them at first, then fewer
//   4. other values of the plan are tried, and pauses are made longer: either may spare events
//   5. what is left is lowered
//
// and again from the start as long as something gets smaller and there is time.
#ifndef BATON_TESTS_SHRINK_H
#define BATON_TESTS_SHRINK_H

#include "tests/sim/sim.h"

struct shrink_options {
    uint64_t budget_ms;
    FILE *progress; // one line each round; NULL: nowhere
};

struct shrunk {
    struct choice *list; // what the smallest run drew, trailing zeros left out; owned
    size_t count;
    struct sim_result result;
    uint64_t events_count; // rows of its chart
    uint64_t runs_count;
    uint64_t took_ms;
};

// shrink makes [list] smaller. False if it breaks no invariant; [shrunk] then holds what it did.
bool
shrink (const struct choice *list, size_t count, const struct shrink_options *options,
        struct shrunk *shrunk);

void
shrunk_fini (struct shrunk *shrunk);

// shrink_nonzero_count returns how many choices of [list] are not 0.
size_t
shrink_nonzero_count (const struct choice *list, size_t count);

#endif
