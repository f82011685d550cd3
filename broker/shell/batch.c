// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/batch.h"

#include "broker/shell/clock.h"
#include "proto/assert.h"

#include <string.h>

#define ROOM_MIN 256u

void
batch_init (struct batch *batch, const struct memory *memory)
{
    memset (batch, 0, sizeof *batch);
    batch->memory = memory;
}

static void
drop_records (struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        blob_drop (batch->memory, &batch->records[i]);
    }
    batch->count = 0;
    batch->bytes = 0;
}

void
batch_fini (struct batch *batch)
{
    drop_records (batch);
    memory_release (batch->memory, batch->records, batch->room * sizeof *batch->records);
    memory_release (batch->memory, batch->views, batch->room * sizeof *batch->views);
    memset (batch, 0, sizeof *batch);
}

enum baton_err
batch_reserve (struct batch *batch)
{
    const size_t room = batch->room ? 2 * batch->room : ROOM_MIN;

    if (batch->count < batch->room) return BATON_OK;
    struct blob **records = memory_alloc (batch->memory, room * sizeof *records);
    struct baton_bytes *views = memory_alloc (batch->memory, room * sizeof *views);
    if (!records || !views) {
        memory_release (batch->memory, records, room * sizeof *records);
        memory_release (batch->memory, views, room * sizeof *views);
        return BATON_NO_MEMORY;
    }
    if (batch->count > 0) {
        memcpy (records, batch->records, batch->count * sizeof *records);
    }
    memory_release (batch->memory, batch->records, batch->room * sizeof *batch->records);
    memory_release (batch->memory, batch->views, batch->room * sizeof *batch->views);
    batch->records = records;
    batch->views = views;
    batch->room = room;
    return BATON_OK;
}

void
batch_add (struct batch *batch, struct blob *record)
{
    ASSERT (batch->count < batch->room);
    batch->records[batch->count++] = record;
    batch->bytes += record->size;
}

static void
note_batch (const struct batch *batch, struct stats *stats, uint64_t took_ns)
{
    stats->batches++;
    stats->records += batch->count;
    stats->records_bytes += batch->bytes;
    histogram_note (&stats->batch_records, batch->count);
    histogram_note (&stats->sync_us, took_ns / 1000);
}

enum baton_err
batch_write (struct batch *batch, struct journal *journal, struct replica *replica,
             struct stats *stats)
{
    if (batch->count == 0) return BATON_OK;
    for (size_t i = 0; i < batch->count; i++) {
        batch->views[i] = blob_view (batch->records[i]);
    }
    // For the histogram alone: no decision depends on this reading.
    const uint64_t before_ns = clock_now_ns ();
    enum baton_err err = journal_append (journal, batch->views, batch->count,
                                         replica_commit_index (replica));
    if (err != BATON_OK) return err;
    err = journal_sync (journal);
    if (err != BATON_OK) return err;
    note_batch (batch, stats, clock_now_ns () - before_ns);
    replica_durable (replica, REPLICA_SELF, journal_durable_index (journal));
    drop_records (batch);
    return BATON_OK;
}
