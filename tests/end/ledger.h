// SPDX-License-Identifier: MPL-2.0
// ledger.h is what the ledger client and the ledger server of the drills agree on: every request
// is folded, in order, into one chain, so that a lost, doubled, swapped or changed one shows in
// every number after it. (An append-only list as restart data shows the same, but grows.)
#ifndef LEDGER_H
#define LEDGER_H

#include <stddef.h>
#include <stdint.h>

// What a server holds of a session, and its answer to each request: it is its restart data too.
struct ledger_state {
    uint64_t count; // of requests that took effect
    uint64_t chain;
};

// ledger_fold adds [size] bytes at [data] to [state]: FNV-1a over the former chain and them.
static inline void
ledger_fold (struct ledger_state *state, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    uint64_t chain = state->chain ^ UINT64_C (0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++)
        chain = (chain ^ bytes[i]) * UINT64_C (0x100000001b3);
    state->chain = chain;
    state->count++;
}

// ledger_random steps [seed] and returns a number below [limit] (xorshift64*).
static inline uint64_t
ledger_random (uint64_t *seed, uint64_t limit)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return ((*seed * UINT64_C (0x2545f4914f6cdd1d)) >> 33) % limit;
}

#endif
