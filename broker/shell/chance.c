// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/chance.h"

#include "proto/assert.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

enum baton_err
chance_fill (struct chance *chance, uint32_t count)
{
    unsigned char *bytes = (unsigned char *) chance->pool;
    size_t have = 0;

    ASSERT (count <= CHANCE_POOL_COUNT);
    if (chance->left_count >= count) return BATON_OK;
    while (have < sizeof chance->pool) {
        const ssize_t got = getrandom (bytes + have, sizeof chance->pool - have, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return BATON_UNAVAILABLE;
        have += (size_t) got;
    }
    chance->left_count = CHANCE_POOL_COUNT;
    return BATON_OK;
}

uint64_t
chance_number (struct chance *chance)
{
    ASSERT (chance->left_count > 0);
    return chance->pool[--chance->left_count];
}

struct id
chance_id (struct chance *chance)
{
    const struct id id = {chance_number (chance), chance_number (chance) | 1};

    return id;
}
