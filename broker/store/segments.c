// SPDX-License-Identifier: MPL-2.0
#include "broker/store/segments.h"

#include <string.h>

#include "broker/core/record_head.h"
#include "proto/assert.h"

#define FIRST_ROOM_COUNT 16u

void
segments_init (struct segments *segments, const struct disk *disk, const struct memory *memory,
               struct store_name name, struct journal_problem *problem)
{
    *segments = (struct segments) {
        .disk = disk,
        .memory = memory,
        .name = name,
        .problem = problem,
        .window_bytes = DISK_BLOCK_BYTES,
    };
}

void
segments_fini (struct segments *segments)
{
    memory_release (segments->memory, segments->list,
                    segments->room_count * sizeof *segments->list);
    segments->list = NULL;
    segments->count = 0;
    segments->room_count = 0;
}

enum baton_err
segments_make_room (struct segments *segments)
{
    if (segments->count < segments->room_count) return BATON_OK;
    const size_t room = segments->room_count ? 2 * segments->room_count : FIRST_ROOM_COUNT;
    struct segment *list = memory_alloc (segments->memory, room * sizeof *list);
    if (!list) return BATON_NO_MEMORY;
    if (segments->count) {
        memcpy (list, segments->list, segments->count * sizeof *list);
    }
    memory_release (segments->memory, segments->list, segments->room_count * sizeof *list);
    segments->list = list;
    segments->room_count = room;
    return BATON_OK;
}

static void
note_window (struct segments *segments, const struct segment_head *head)
{
    const uint64_t needed_bytes = layout_batch_bytes (head->batch_max_bytes);
    if (needed_bytes > segments->window_bytes) {
        segments->window_bytes = needed_bytes;
    }
}

void
segments_add (struct segments *segments, const struct segment *segment)
{
    ASSERT (segments->count < segments->room_count);
    ASSERT (segments->count == 0
            || segments->list[segments->count - 1].head.number < segment->head.number);
    segments->list[segments->count++] = *segment;
    note_window (segments, &segment->head);
}

void
segments_forget (struct segments *segments, size_t first, size_t count)
{
    ASSERT (first + count <= segments->count);
    struct segment *list = segments->list;
    const size_t behind = segments->count - first - count;
    memmove (list + first, list + first + count, behind * sizeof *list);
    segments->count -= count;
}

enum baton_err
segments_remove (struct segments *segments, size_t which)
{
    ASSERT (which < segments->count);
    const struct disk *disk = segments->disk;
    char name[LAYOUT_NAME_MAX_BYTES];
    layout_segment_name (segments->list[which].head.number, name);
    enum baton_err error = disk->remove (disk->context, name);
    if (error == BATON_OK) {
        error = disk->sync_directory (disk->context);
    }
    if (error != BATON_OK) return problem_of_disk (segments->problem, error);
    segments_forget (segments, which, 1);
    return BATON_OK;
}

// The listing: names come in any order, the table has them sorted by number.
struct listing {
    struct segments *segments;
    enum baton_err error;
};

static void
note_name (void *listener, const char *name)
{
    struct listing *listing = listener;
    struct segments *segments = listing->segments;
    const uint64_t number = layout_name_number (name);
    if (number == 0 || listing->error != BATON_OK) return;
    listing->error = segments_make_room (segments);
    if (listing->error != BATON_OK) return;
    size_t i = segments->count++;
    for (; i > 0 && segments->list[i - 1].head.number > number; i--) {
        segments->list[i] = segments->list[i - 1];
    }
    segments->list[i] = (struct segment) { .head = { .number = number } };
}

static enum baton_err
damaged (const struct segments *segments, uint64_t number, enum journal_fault fault,
         uint64_t value, uint64_t limit)
{
    *segments->problem = (struct journal_problem) {
        .fault = fault, .segment_number = number, .value = value, .limit = limit,
    };
    return BATON_DAMAGED;
}

static enum baton_err
get_head (struct segments *segments, const uint8_t *block, struct segment *segment)
{
    struct store_name name;
    uint32_t version = 0;
    const uint64_t number = segment->head.number;
    enum baton_err error = layout_get_segment (block, &segment->head, &name, &version);
    if (error == BATON_BAD_VERSION) {
        return problem_note (segments->problem, error, JOURNAL_FAULT_FORMAT_VERSION, version,
                             LAYOUT_FORMAT_VERSION);
    }
    if (error != BATON_OK) {
        return damaged (segments, number, JOURNAL_FAULT_SEGMENT_HEAD, 0, 0);
    }
    if (!id_equal (name.group, segments->name.group)
        || !id_equal (name.identity, segments->name.identity)) {
        (void) damaged (segments, number, JOURNAL_FAULT_SEGMENT_IDENTITY, 0, 0);
        return BATON_FOREIGN_STORE;
    }
    if (segment->head.number != number || segment->head.commit.n > segment->head.from.index.n) {
        return damaged (segments, number, JOURNAL_FAULT_SEGMENT_HEAD, 0, 0);
    }
    return BATON_OK;
}

static enum baton_err
load_head (struct segments *segments, struct reader *reader, struct segment *segment)
{
    char name[LAYOUT_NAME_MAX_BYTES];
    const uint8_t *block;
    layout_segment_name (segment->head.number, name);
    enum baton_err error = reader_open (reader, name);
    if (error != BATON_OK) return error;
    error = reader_view (reader, 0, DISK_BLOCK_BYTES, &block);
    if (error != BATON_OK) return error;
    if (!block) {
        return damaged (segments, segment->head.number, JOURNAL_FAULT_SEGMENT_SIZE,
                        reader->file_bytes, DISK_BLOCK_BYTES);
    }
    error = get_head (segments, block, segment);
    if (error != BATON_OK) return error;
    segment->last = segment->head.from;
    segment->end_bytes = DISK_BLOCK_BYTES;
    segment->file_bytes = reader->file_bytes;
    note_window (segments, &segment->head);
    return BATON_OK;
}

static enum baton_err
load_heads (struct segments *segments)
{
    struct reader reader;
    enum baton_err error = reader_init (&reader, segments->disk, segments->memory,
                                        DISK_BLOCK_BYTES);
    for (size_t i = 0; i < segments->count && error == BATON_OK; i++) {
        struct segment *segment = &segments->list[i];
        error = load_head (segments, &reader, segment);
        if (error == BATON_OK && i > 0
            && segment->head.generation < segments->list[i - 1].head.generation) {
            error = damaged (segments, segment->head.number, JOURNAL_FAULT_SEGMENT_HEAD, 0, 0);
        }
    }
    reader_fini (&reader);
    return problem_of_disk (segments->problem, error);
}

enum baton_err
segments_load (struct segments *segments)
{
    ASSERT (segments->count == 0);
    struct listing listing = { .segments = segments };
    const enum baton_err error = segments->disk->list (segments->disk->context, note_name,
                                                       &listing);
    if (error != BATON_OK) return problem_of_disk (segments->problem, error);
    if (listing.error != BATON_OK) return listing.error;
    return load_heads (segments);
}

enum baton_err
segments_reader (const struct segments *segments, struct reader *reader)
{
    return reader_init (reader, segments->disk, segments->memory,
                        (size_t) segments->window_bytes);
}

enum baton_err
segments_open (const struct segments *segments, const struct segment *segment,
               struct reader *reader, struct walk *walk)
{
    char name[LAYOUT_NAME_MAX_BYTES];
    layout_segment_name (segment->head.number, name);
    const enum baton_err error = reader_open (reader, name);
    if (error != BATON_OK) return problem_of_disk (segments->problem, error);
    walk_start (walk, reader, &segment->head, segments->name, segments->problem);
    return BATON_OK;
}

struct range {
    struct log_index after;
    struct log_index through;
};

static enum baton_err
visit_batch (const struct batch *batch, struct range range, const struct record_visitor *visitor)
{
    const uint8_t *record = batch->records;
    for (uint64_t i = 0; i < batch->head.record_count; i++) {
        struct record_head head;
        const bool whole = record_head_read (record, batch->head.records_bytes, &head);
        ASSERT (whole);
        if (head.index.n > range.through.n) break;
        if (head.index.n > range.after.n) {
            const struct baton_bytes bytes = { record, head.length_bytes };
            const enum baton_err error = visitor->visit (visitor->context, bytes);
            if (error != BATON_OK) return error;
        }
        record += head.length_bytes;
    }
    return BATON_OK;
}

static enum baton_err
read_segment (const struct segments *segments, const struct segment *segment,
              struct reader *reader, struct range range, const struct record_visitor *visitor)
{
    struct walk walk;
    enum baton_err error = segments_open (segments, segment, reader, &walk);
    while (error == BATON_OK && walk.last.index.n < range.through.n) {
        struct batch batch;
        bool found;
        error = walk_next (&walk, &batch, &found);
        if (error != BATON_OK) break;
        if (!found) {
            // Recovery has read this batch before: it has changed since.
            (void) damaged (segments, segment->head.number, JOURNAL_FAULT_BATCH, 0, 0);
            segments->problem->offset_bytes = walk.offset_bytes;
            segments->problem->first_index.n = walk.last.index.n + 1;
            segments->problem->last_index = range.through;
            return BATON_DAMAGED;
        }
        error = visit_batch (&batch, range, visitor);
    }
    return error;
}

enum baton_err
segments_read (const struct segments *segments, struct log_index after,
               const struct record_visitor *visitor)
{
    struct reader reader;
    enum baton_err error = segments_reader (segments, &reader);
    for (size_t i = 0; i < segments->count && error == BATON_OK; i++) {
        const struct segment *segment = &segments->list[i];
        if (segment->last.index.n <= after.n) continue;
        const struct range range = { after, segment->last.index };
        error = read_segment (segments, segment, &reader, range, visitor);
    }
    reader_fini (&reader);
    return error;
}
