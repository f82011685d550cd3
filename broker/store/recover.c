// SPDX-License-Identifier: MPL-2.0
#include "broker/store/recover.h"

#include "broker/core/record_head.h"
#include "proto/assert.h"
#include "proto/mutant.h"

// No segment continues the newest one: it ends where its batches end.
#define NO_LIMIT UINT64_MAX

struct recovery {
    struct segments *segments;
    struct writer *writer;
    const struct journal_options *options;
    struct journal_report *report;
    struct reader reader;
    // The newest that any head or batch tells.
    struct log_index commit;
    uint64_t front_number;
    struct position last;
};

// A newer segment supersedes older ones from the position it continues on, so each must reach
// exactly that position: it is put into [last], until the scan puts there what it found.
static void
plan (struct segments *segments)
{
    struct position limit = { .index = { NO_LIMIT } };
    for (size_t i = segments->count; i > 0; i--) {
        struct segment *segment = &segments->list[i - 1];
        segment->obsolete = segment->head.from.index.n >= limit.index.n;
        if (!segment->obsolete) {
            segment->last = limit;
            limit = segment->head.from;
        }
    }
}

static enum baton_err
damaged (const struct recovery *recovery, enum journal_fault fault, const struct walk *walk,
         struct log_index last_index)
{
    *recovery->segments->problem = (struct journal_problem) {
        .fault = fault,
        .segment_number = walk->head.number,
        .offset_bytes = walk->offset_bytes,
        .first_index = { walk->last.index.n + 1 },
        .last_index = last_index,
    };
    return BATON_DAMAGED;
}

// Walks until record [limit] is seen, or no intact batch follows. [position] is the position of
// [limit] if it was seen, else where the walk ended.
static enum baton_err
walk_to (struct walk *walk, struct log_index limit, struct position *position)
{
    *position = walk->last;
    while (walk->last.index.n < limit.n) {
        struct batch batch;
        bool found;
        const enum baton_err error = walk_next (walk, &batch, &found);
        if (error != BATON_OK) return error;
        if (!found) break;
        // A new generation may have begun in the middle of this batch.
        *position = walk->last.index.n > limit.n ? batch_position (&batch, limit) : walk->last;
    }
    return BATON_OK;
}

// The last batch of the log was perhaps not synced: bytes after it that are no batch are a torn
// tail. But the batch after that one is written only when it was synced.
static enum baton_err
judge_tail (struct recovery *recovery, struct walk *walk)
{
    struct tail tail;
    const enum baton_err error = walk_tail (walk, &tail);
    if (error != BATON_OK) return problem_of_disk (recovery->segments->problem, error);
    if (tail.later && !MUTANT (CORRUPT_BATCH_TAKEN_FOR_TORN_TAIL)) {
        const struct log_index last_damaged = { tail.later_head.first_index.n - 1 };
        return damaged (recovery, JOURNAL_FAULT_BATCH, walk, last_damaged);
    }
    if (tail.dirty_end_bytes) {
        recovery->report->cut_segment_number = walk->head.number;
        recovery->report->cut_offset_bytes = walk->offset_bytes;
        recovery->report->cut_bytes = tail.dirty_end_bytes - walk->offset_bytes;
    }
    return BATON_OK;
}

static enum baton_err
judge_end (struct recovery *recovery, const struct segment *segment, struct walk *walk,
           struct position found)
{
    const struct position limit = segment->last;
    if (limit.index.n == NO_LIMIT) return judge_tail (recovery, walk);
    if (found.index.n < limit.index.n) {
        return damaged (recovery, JOURNAL_FAULT_SEGMENT_SHORT, walk, limit.index);
    }
    if (found.chain != limit.chain) {
        (void) damaged (recovery, JOURNAL_FAULT_RECORD, walk, limit.index);
        recovery->segments->problem->first_index = limit.index;
        return BATON_DAMAGED;
    }
    return BATON_OK;
}

static enum baton_err
scan_segment (struct recovery *recovery, struct segment *segment)
{
    struct walk walk;
    struct position found;
    struct segments *segments = recovery->segments;
    enum baton_err error = segments_open (segments, segment, &recovery->reader, &walk);
    if (error != BATON_OK) return error;
    error = walk_to (&walk, segment->last.index, &found);
    if (error != BATON_OK) return problem_of_disk (segments->problem, error);
    error = judge_end (recovery, segment, &walk, found);
    if (error != BATON_OK) return error;
    segment->last = found;
    segment->end_bytes = walk.offset_bytes;
    if (walk.commit.n > recovery->commit.n) {
        recovery->commit = walk.commit;
    }
    if (walk.front_number > recovery->front_number) {
        recovery->front_number = walk.front_number;
    }
    return BATON_OK;
}

static enum baton_err
scan_all (struct recovery *recovery)
{
    struct segments *segments = recovery->segments;
    for (size_t i = 0; i < segments->count; i++) {
        struct segment *segment = &segments->list[i];
        if (segment->obsolete) continue;
        const enum baton_err error = scan_segment (recovery, segment);
        if (error != BATON_OK) return error;
        recovery->last = segment->last;
    }
    return BATON_OK;
}

static struct segment *
oldest (const struct segments *segments)
{
    for (size_t i = 0; i < segments->count; i++) {
        if (!segments->list[i].obsolete) return &segments->list[i];
    }
    return NULL;
}

// The front was recorded before anything was removed: an older segment is one that a crash left,
// and a missing one was not dropped by us.
static enum baton_err
judge_front (struct recovery *recovery)
{
    struct segments *segments = recovery->segments;
    const uint64_t front_number = recovery->front_number;
    const uint64_t oldest_number = oldest (segments)->head.number;
    if (oldest_number > front_number) {
        return problem_note (segments->problem, BATON_DAMAGED, JOURNAL_FAULT_SEGMENT_MISSING,
                             oldest_number, front_number);
    }
    for (size_t i = 0; i < segments->count; i++) {
        segments->list[i].obsolete |= segments->list[i].head.number < front_number;
    }
    const struct log_index before_first = oldest (segments)->head.from.index;
    if (recovery->commit.n < before_first.n) {
        recovery->commit = before_first;
    }
    return BATON_OK;
}

static enum baton_err
judge_newest_size (const struct recovery *recovery)
{
    const struct segments *segments = recovery->segments;
    if (segments->count == 0) {
        return problem_note (segments->problem, BATON_DAMAGED, JOURNAL_FAULT_SEGMENT_MISSING, 0, 1);
    }
    const struct segment *newest = &segments->list[segments->count - 1];
    if (newest->file_bytes >= newest->head.size_bytes) return BATON_OK;
    (void) problem_note (segments->problem, BATON_DAMAGED, JOURNAL_FAULT_SEGMENT_SIZE,
                         newest->file_bytes, newest->head.size_bytes);
    segments->problem->segment_number = newest->head.number;
    return BATON_DAMAGED;
}

static enum baton_err
read_all (struct recovery *recovery)
{
    enum baton_err error = segments_load (recovery->segments);
    if (error != BATON_OK) return error;
    error = judge_newest_size (recovery);
    if (error != BATON_OK) return error;
    error = segments_reader (recovery->segments, &recovery->reader);
    if (error != BATON_OK) return error;
    plan (recovery->segments);
    error = scan_all (recovery);
    if (error != BATON_OK) return error;
    return judge_front (recovery);
}

// How the tail will be packed into batches: gathered here, and done the same way afterwards.
struct packing {
    struct recovery *recovery;
    uint64_t count;
    uint64_t gathered_bytes;
    uint64_t batches_bytes;
    uint64_t first_chain;
};

static enum baton_err
measure_record (void *context, struct baton_bytes record)
{
    struct packing *packing = context;
    const uint64_t batch_max_bytes = packing->recovery->options->batch_max_bytes;
    struct record_head head;
    const bool whole = record_head_read (record.data, record.size, &head);
    ASSERT (whole);
    if (record.size > batch_max_bytes) {
        return problem_note (packing->recovery->segments->problem, BATON_BAD_ARGUMENT,
                             JOURNAL_FAULT_OPTION, batch_max_bytes, record.size);
    }
    if (packing->count++ == 0) {
        packing->first_chain = head.chain;
    }
    if (packing->gathered_bytes + record.size > batch_max_bytes) {
        packing->batches_bytes += layout_batch_bytes (packing->gathered_bytes);
        packing->gathered_bytes = 0;
    }
    packing->gathered_bytes += record.size;
    return BATON_OK;
}

static enum baton_err
measure_tail (struct recovery *recovery, struct packing *packing)
{
    *packing = (struct packing) { .recovery = recovery, .first_chain = recovery->last.chain };
    const struct record_visitor visitor = { measure_record, packing };
    const enum baton_err error = segments_read (recovery->segments, recovery->commit, &visitor);
    packing->batches_bytes += layout_batch_bytes (packing->gathered_bytes);
    return error;
}

static enum baton_err
write_gathered (struct recovery *recovery, struct log_index last_index)
{
    struct writer *writer = recovery->writer;
    const struct log_index first_index = { last_index.n + 1 - writer->gathered_count };
    return writer_write (writer, first_index, recovery->commit, writer->head.front_number);
}

static enum baton_err
rewrite_record (void *context, struct baton_bytes record)
{
    struct recovery *recovery = context;
    struct writer *writer = recovery->writer;
    struct record_head head;
    const bool whole = record_head_read (record.data, record.size, &head);
    ASSERT (whole);
    if (writer->gathered_bytes + record.size > writer->batch_max_bytes) {
        const struct log_index last_index = { head.index.n - 1 };
        const enum baton_err error = write_gathered (recovery, last_index);
        if (error != BATON_OK) return error;
    }
    writer_put (writer, record);
    return BATON_OK;
}

// Batches without a sync between them: none of them counts before the segment has its name.
static enum baton_err
rewrite_tail (struct recovery *recovery)
{
    const struct record_visitor visitor = { rewrite_record, recovery };
    enum baton_err error = segments_read (recovery->segments, recovery->commit, &visitor);
    if (error != BATON_OK) return error;
    if (recovery->writer->gathered_count) {
        error = write_gathered (recovery, recovery->last.index);
        if (error != BATON_OK) return error;
    }
    return writer_publish (recovery->writer);
}

// Notes how much is missing.
static enum baton_err
no_space (struct recovery *recovery, uint64_t wanted_bytes)
{
    const struct disk *disk = recovery->segments->disk;
    uint64_t free_bytes = 0;
    uint64_t total_bytes = 0;
    if (disk->space (disk->context, &free_bytes, &total_bytes) != BATON_OK) {
        free_bytes = 0;
    }
    return problem_note (recovery->segments->problem, BATON_DISK_FULL, JOURNAL_FAULT_SPACE,
                         free_bytes, wanted_bytes);
}

static enum baton_err
fill_fresh (struct recovery *recovery, const struct packing *packing)
{
    const uint64_t spare_bytes = WRITER_SPARE_BLOCKS * DISK_BLOCK_BYTES;
    uint64_t wanted_bytes = DISK_BLOCK_BYTES + packing->batches_bytes + spare_bytes;
    if (wanted_bytes < recovery->options->segment_bytes) {
        wanted_bytes = recovery->options->segment_bytes;
    }
    const enum baton_err error = writer_fill (recovery->writer, wanted_bytes);
    if (error != BATON_DISK_FULL) return error;
    writer_drop_next (recovery->writer);
    return no_space (recovery, wanted_bytes);
}

static enum baton_err
write_fresh (struct recovery *recovery, const struct packing *packing)
{
    const struct segments *segments = recovery->segments;
    const struct segment *newest = &segments->list[segments->count - 1];
    const struct segment *front = oldest (segments);
    enum baton_err error = writer_init (recovery->writer, segments->disk, segments->memory,
                                        segments->name, recovery->options->segment_bytes,
                                        recovery->options->batch_max_bytes,
                                        newest->head.number + 1);
    if (error != BATON_OK) return error;
    error = fill_fresh (recovery, packing);
    if (error != BATON_OK) return error;
    const struct position from = { recovery->commit, packing->first_chain };
    recovery->front_number = front->head.from.index.n < from.index.n
                             ? front->head.number : newest->head.number + 1;
    error = writer_start (recovery->writer, newest->head.generation + 1, from, recovery->commit,
                          recovery->front_number);
    if (error != BATON_OK) return error;
    return rewrite_tail (recovery);
}

// Ends an older segment where the fresh one goes on.
static enum baton_err
trim (struct recovery *recovery, struct segment *segment)
{
    struct walk walk;
    enum baton_err error = segments_open (recovery->segments, segment, &recovery->reader, &walk);
    if (error != BATON_OK) return error;
    error = walk_to (&walk, recovery->commit, &segment->last);
    segment->end_bytes = walk.offset_bytes;
    return error;
}

static enum baton_err
truncate_file (const struct segments *segments, struct segment *segment)
{
    const struct disk *disk = segments->disk;
    char name[LAYOUT_NAME_MAX_BYTES];
    int file;
    layout_segment_name (segment->head.number, name);
    enum baton_err error = disk->open (disk->context, name, DISK_OPEN_WRITE, &file);
    if (error != BATON_OK) return error;
    error = disk->truncate (disk->context, file, segment->end_bytes);
    if (error == BATON_OK && !MUTANT (TAIL_NOT_REWRITTEN)) {
        error = disk->sync (disk->context, file);
    }
    disk->close (disk->context, file);
    segment->file_bytes = segment->end_bytes;
    return error;
}

// Now that the fresh segment counts, gives back what no longer does: whole files, and the ends
// of files that no start will write again, since each start has its own segment.
static enum baton_err
tidy (struct recovery *recovery)
{
    struct segments *segments = recovery->segments;
    size_t i = 0;
    while (i < segments->count) {
        struct segment *segment = &segments->list[i];
        enum baton_err error = BATON_OK;
        if (segment->obsolete || segment->head.from.index.n >= recovery->commit.n) {
            error = segments_remove (segments, i);
            if (error != BATON_OK) return error;
            continue;
        }
        if (segment->last.index.n > recovery->commit.n) {
            error = trim (recovery, segment);
        }
        if (error == BATON_OK && segment->file_bytes > segment->end_bytes) {
            error = truncate_file (segments, segment);
        }
        if (error != BATON_OK) return error;
        i++;
    }
    return BATON_OK;
}

static void
add_fresh (struct recovery *recovery)
{
    const struct writer *writer = recovery->writer;
    const struct segment segment = {
        .head = writer->head,
        .last = recovery->last,
        .end_bytes = writer->offset_bytes,
        .file_bytes = writer->head.size_bytes,
    };
    segments_add (recovery->segments, &segment);
}

static void
fill_report (const struct recovery *recovery, const struct packing *packing)
{
    struct journal_report *report = recovery->report;
    report->generation = recovery->writer->head.generation;
    report->last_index = recovery->last.index;
    report->commit_index = recovery->commit;
    report->rewritten_count = packing->count;
    const struct log_index before = oldest (recovery->segments)->head.from.index;
    if (before.n < report->last_index.n) {
        report->first_index.n = before.n + 1;
    }
}

static enum baton_err
run (struct recovery *recovery)
{
    struct packing packing;
    enum baton_err error = read_all (recovery);
    if (error != BATON_OK) return error;
    ASSERT (recovery->commit.n <= recovery->last.index.n);
    if (MUTANT (TAIL_NOT_REWRITTEN)) recovery->commit = recovery->last.index;
    error = measure_tail (recovery, &packing);
    if (error != BATON_OK) return error;
    error = segments_make_room (recovery->segments);
    if (error != BATON_OK) return error;
    error = write_fresh (recovery, &packing);
    if (error != BATON_OK) return error;
    error = tidy (recovery);
    if (error != BATON_OK) return error;
    add_fresh (recovery);
    fill_report (recovery, &packing);
    return BATON_OK;
}

enum baton_err
recover (struct segments *segments, struct writer *writer, const struct journal_options *options,
         struct recovered *recovered, struct journal_report *report)
{
    struct recovery recovery = {
        .segments = segments, .writer = writer, .options = options, .report = report,
    };
    *writer = (struct writer) { .disk = segments->disk, .memory = segments->memory };
    const enum baton_err error = run (&recovery);
    if (recovery.reader.disk) {
        reader_fini (&recovery.reader);
    }
    if (error != BATON_OK) return problem_of_disk (segments->problem, error);
    *recovered = (struct recovered) {
        .last = recovery.last,
        .commit = recovery.commit,
        .front_number = recovery.front_number,
    };
    return BATON_OK;
}
