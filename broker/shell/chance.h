// SPDX-License-Identifier: MPL-2.0
// chance.h makes the random ids that the core is handed, from the system's generator, some
// hundred at a time.
#ifndef BATON_SHELL_CHANCE_H
#define BATON_SHELL_CHANCE_H

#include "proto/errors.h"
#include "proto/numbers.h"

#define CHANCE_POOL_COUNT 256u

struct chance {
    uint64_t pool[CHANCE_POOL_COUNT];
    uint32_t left_count;
};

// chance_fill makes sure that [count] numbers are there. BATON_UNAVAILABLE if the system gives
// none; then nothing that needs them may be done.
enum baton_err
chance_fill (struct chance *chance, uint32_t count);

// chance_number takes one number; chance_fill came before.
uint64_t
chance_number (struct chance *chance);

// chance_id takes two numbers as an id, which is never none.
struct id
chance_id (struct chance *chance);

#endif
