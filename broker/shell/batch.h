// SPDX-License-Identifier: MPL-2.0
// batch.h collects the records of one turn and makes them durable together: one append, one sync,
// one mark for the replica. It must never release anything itself.
#ifndef BATON_SHELL_BATCH_H
#define BATON_SHELL_BATCH_H

#include "broker/core/blob.h"
#include "broker/replica/replica.h"
#include "broker/shell/stats.h"
#include "broker/store/journal.h"

struct batch {
    const struct memory *memory;
    struct blob **records;
    struct baton_bytes *views; // of [records], for the journal
    size_t count;
    size_t room;
    uint64_t bytes;
};

void
batch_init (struct batch *batch, const struct memory *memory);

// batch_fini drops what was not written.
void
batch_fini (struct batch *batch);

// batch_reserve makes room for one more record: BATON_NO_MEMORY changes nothing.
enum baton_err
batch_reserve (struct batch *batch);

// batch_add takes the reference to [record]. The room must have been reserved.
void
batch_add (struct batch *batch, struct blob *record);

// batch_write appends all records as one batch, syncs, tells [replica] and empties the batch.
// Without records it does nothing.
//
// Errors: BATON_DISK and BATON_DISK_FULL: the book is ahead of the log, the process must end
// without answering.
enum baton_err
batch_write (struct batch *batch, struct journal *journal, struct replica *replica,
             struct stats *stats);

#endif
