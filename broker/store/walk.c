// SPDX-License-Identifier: MPL-2.0
#include "broker/store/walk.h"

#include <string.h>

#include "broker/core/record_head.h"
#include "proto/assert.h"
#include "proto/mutant.h"

void
walk_start (struct walk *walk, struct reader *reader, const struct segment_head *head,
            struct store_name name, struct journal_problem *problem)
{
    *walk = (struct walk) {
        .reader = reader,
        .problem = problem,
        .group = name.group,
        .seed = layout_seed (name.identity),
        .head = *head,
        .offset_bytes = DISK_BLOCK_BYTES,
        .last = head->from,
        .commit = head->commit,
        .front_number = head->front_number,
    };
}

// Shows the batch at [offset_bytes] if one is there whose bytes are those that were written, for
// this place.
static enum baton_err
look (struct walk *walk, uint64_t offset_bytes, struct batch *batch, bool *found)
{
    const uint8_t *bytes;
    *found = false;
    enum baton_err error = reader_view (walk->reader, offset_bytes, DISK_BLOCK_BYTES, &bytes);
    if (error != BATON_OK || !bytes) return error;
    if (!layout_get_batch_head (bytes, walk->group, walk->reader->window.size_bytes,
                                &batch->head)) return BATON_OK;
    if (batch->head.generation != walk->head.generation
        || batch->head.segment_number != walk->head.number
        || batch->head.offset_bytes != offset_bytes) return BATON_OK;
    error = reader_view (walk->reader, offset_bytes,
                         layout_batch_bytes (batch->head.records_bytes), &bytes);
    if (error != BATON_OK || !bytes) return error;
    *found = MUTANT (TORN_BATCH_TAKEN) || layout_batch_is_intact (bytes, &batch->head, walk->seed);
    batch->records = bytes + LAYOUT_BATCH_HEAD_BYTES;
    return BATON_OK;
}

static enum baton_err
damaged (struct walk *walk, enum journal_fault fault, struct log_index index)
{
    *walk->problem = (struct journal_problem) {
        .fault = fault,
        .segment_number = walk->head.number,
        .offset_bytes = walk->offset_bytes,
        .first_index = index,
    };
    return BATON_DAMAGED;
}

// An intact batch in the wrong order was written whole but to a wrong place, or by a fault of
// ours: trusting it would be a guess.
static bool
belongs_here (const struct walk *walk, const struct batch_head *head)
{
    return head->batch_number == walk->batch_number + 1
           && head->first_index.n == walk->last.index.n + 1
           && head->commit.n >= walk->commit.n
           && head->commit.n <= walk->last.index.n
           && head->front_number >= walk->front_number
           && head->front_number <= walk->head.number;
}

static bool
record_belongs (const struct walk *walk, const struct record_head *head, struct position last)
{
    return head->index.n == last.index.n + 1
           && head->chain == last.chain
           && !epoch_is_newer (walk->epoch, head->epoch);
}

// Checks all records of an intact batch and moves [last] over them.
static enum baton_err
check_records (struct walk *walk, const struct batch *batch, struct position *last)
{
    uint64_t at_bytes = 0;
    for (uint32_t i = 0; i < batch->head.record_count; i++) {
        struct record_head head;
        const struct log_index next = { last->index.n + 1 };
        const uint8_t *record = batch->records + at_bytes;
        if (!record_head_read (record, (size_t) (batch->head.records_bytes - at_bytes), &head)
            || !record_belongs (walk, &head, *last)) {
            return damaged (walk, JOURNAL_FAULT_RECORD, next);
        }
        *last = (struct position) { next, layout_chain (record, head.length_bytes) };
        walk->epoch = head.epoch;
        at_bytes += head.length_bytes;
    }
    if (at_bytes != batch->head.records_bytes) {
        return damaged (walk, JOURNAL_FAULT_RECORD, (struct log_index) { last->index.n + 1 });
    }
    return BATON_OK;
}

enum baton_err
walk_next (struct walk *walk, struct batch *batch, bool *found)
{
    struct position last = walk->last;
    enum baton_err error = look (walk, walk->offset_bytes, batch, found);
    if (error != BATON_OK || !*found) return error;
    if (!belongs_here (walk, &batch->head)) {
        return damaged (walk, JOURNAL_FAULT_BATCH_ORDER, batch->head.first_index);
    }
    error = check_records (walk, batch, &last);
    if (error != BATON_OK) return error;
    walk->last = last;
    walk->batch_number = batch->head.batch_number;
    walk->commit = batch->head.commit;
    walk->front_number = batch->head.front_number;
    walk->offset_bytes += layout_batch_bytes (batch->head.records_bytes);
    return BATON_OK;
}

// Equal to itself moved by one byte, and zero at the start: zero all through.
static bool
is_zero (const uint8_t *bytes, size_t size_bytes)
{
    return bytes[0] == 0 && memcmp (bytes, bytes + 1, size_bytes - 1) == 0;
}

enum baton_err
walk_tail (struct walk *walk, struct tail *tail)
{
    *tail = (struct tail) { .later = false };
    uint64_t at_bytes = walk->offset_bytes;
    for (; at_bytes < walk->reader->file_bytes; at_bytes += DISK_BLOCK_BYTES) {
        const uint8_t *bytes;
        enum baton_err error = reader_view (walk->reader, at_bytes, DISK_BLOCK_BYTES, &bytes);
        if (error != BATON_OK) return error;
        ASSERT (bytes != NULL);
        if (is_zero (bytes, DISK_BLOCK_BYTES)) continue;
        tail->dirty_end_bytes = at_bytes + DISK_BLOCK_BYTES;
        struct batch batch;
        error = look (walk, at_bytes, &batch, &tail->later);
        if (error != BATON_OK) return error;
        if (tail->later) {
            tail->later_head = batch.head;
            return BATON_OK;
        }
    }
    return BATON_OK;
}

struct position
batch_position (const struct batch *batch, struct log_index index)
{
    const uint8_t *record = batch->records;
    struct record_head head;
    for (uint64_t i = batch->head.first_index.n; ; i++) {
        const bool whole = record_head_read (record, batch->head.records_bytes, &head);
        ASSERT (whole);
        if (i == index.n) break;
        record += head.length_bytes;
    }
    return (struct position) { index, layout_chain (record, head.length_bytes) };
}
