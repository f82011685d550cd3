// SPDX-License-Identifier: MPL-2.0
#include "broker/replica/replica.h"

#include "proto/assert.h"

#include <string.h>

void
replica_init (struct replica *replica)
{
    memset (replica, 0, sizeof *replica);
    replica->marks[REPLICA_SELF - 1].required = true;
}

// The least durable mark over the required stores.
static struct log_index
least_required (const struct replica *replica)
{
    struct log_index least = {UINT64_MAX};

    for (uint32_t i = 0; i < REPLICA_STORES_COUNT; i++) {
        const struct replica_mark *mark = &replica->marks[i];
        if (mark->required && mark->durable.n < least.n) {
            least = mark->durable;
        }
    }
    // Without a required store everything would count as safe.
    ASSERT (least.n != UINT64_MAX);
    return least;
}

static void
raise_commit (struct replica *replica)
{
    const struct log_index least = least_required (replica);

    // What an earlier reign left behind is answered for by this reign's first record.
    if (replica->reign_index.n == 0 || least.n < replica->reign_index.n) return;
    ASSERT (least.n >= replica->commit.n);
    replica->commit = least;
}

void
replica_begin_reign (struct replica *replica, struct epoch epoch, struct log_index reign_index)
{
    ASSERT (epoch_is_newer (epoch, replica->epoch));
    ASSERT (reign_index.n > 0);
    for (uint32_t i = 0; i < REPLICA_STORES_COUNT; i++) {
        ASSERT (reign_index.n > replica->marks[i].durable.n);
    }
    replica->epoch = epoch;
    replica->reign_index = reign_index;
    ASSERT (replica->commit.n < reign_index.n);
}

void
replica_durable (struct replica *replica, enum replica_store store, struct log_index index)
{
    ASSERT (store == REPLICA_SELF || store == REPLICA_PEER);
    struct replica_mark *mark = &replica->marks[store - 1];

    ASSERT (index.n >= mark->durable.n);
    mark->durable = index;
    raise_commit (replica);
}

struct log_index
replica_commit_index (const struct replica *replica)
{
    return replica->commit;
}

struct epoch
replica_epoch (const struct replica *replica)
{
    return replica->epoch;
}
