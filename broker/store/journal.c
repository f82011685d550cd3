// SPDX-License-Identifier: MPL-2.0
#include "broker/store/journal.h"

#include "broker/core/record_head.h"
#include "broker/store/layout.h"
#include "broker/store/recover.h"
#include "broker/store/segments.h"
#include "broker/store/store_file.h"
#include "broker/store/writer.h"
#include "proto/assert.h"
#include "proto/limits.h"
#include "proto/mutant.h"

struct journal {
    const struct disk *disk;
    struct memory memory;
    struct journal_problem problem;
    struct segments segments;
    struct writer writer;
    struct position last;
    struct log_index durable;
    // What the last batch records.
    struct log_index commit;
    uint64_t front_number;
    // A batch was written and not synced.
    bool outstanding;
    // The last batch is empty: it closes those before.
    bool closed;
    // A write or sync failed: the disk holds nobody knows what.
    bool failed;
    // The disk had no room for the next segment; not tried again before somebody needs it.
    bool full;
};

enum baton_err
journal_format (const struct disk *disk, const struct memory *memory, struct id group,
                struct id identity, struct journal_problem *problem)
{
    *problem = (struct journal_problem) { .value = 0 };
    const struct store_name name = { .group = group, .identity = identity };
    enum baton_err error = disk->lock (disk->context);
    if (error == BATON_STORE_IN_USE) {
        return problem_note (problem, error, JOURNAL_FAULT_LOCK, 0, 0);
    }
    if (error != BATON_OK) return problem_of_disk (problem, error);
    error = store_file_format (disk, memory, name, problem);
    disk->unlock (disk->context);
    return error;
}

static enum baton_err
resolve_options (struct journal_options *options, struct journal_problem *problem)
{
    if (options->segment_bytes == 0) {
        options->segment_bytes = LIMIT_SEGMENT_BYTES;
    }
    if (options->batch_max_bytes == 0) {
        options->batch_max_bytes = LIMIT_BATCH_MAX_BYTES;
    }
    // Compared before rounding, so that no sum can wrap.
    const uint64_t most_bytes = UINT64_MAX / 4;
    const bool fits = options->segment_bytes <= most_bytes
                      && options->batch_max_bytes <= most_bytes
                      && layout_blocks (options->segment_bytes)
                         >= writer_least_bytes (options->batch_max_bytes);
    if (!fits) {
        return problem_note (problem, BATON_BAD_ARGUMENT, JOURNAL_FAULT_OPTION,
                             options->segment_bytes, options->batch_max_bytes);
    }
    options->segment_bytes = layout_blocks (options->segment_bytes);
    return BATON_OK;
}

// What a crash may have left certain in the cache alone is made so before it is believed.
static enum baton_err
identify (struct journal *journal, const struct journal_options *options, struct store_head *head)
{
    struct journal_problem *problem = &journal->problem;
    const struct disk *disk = journal->disk;
    enum baton_err error = disk->sync_directory (disk->context);
    if (error != BATON_OK) return problem_of_disk (problem, error);
    error = store_file_read (disk, &journal->memory, head, problem);
    if (error != BATON_OK) return error;
    if (!id_is_none (options->group) && !id_equal (options->group, head->name.group)) {
        return problem_note (problem, BATON_FOREIGN_STORE, JOURNAL_FAULT_GROUP, 0, 0);
    }
    return store_file_sweep (disk, problem);
}

static enum baton_err
open_log (struct journal *journal, const struct journal_options *options,
          struct journal_report *report)
{
    struct store_head head;
    struct recovered recovered;
    enum baton_err error = identify (journal, options, &head);
    if (error != BATON_OK) return error;
    report->group = head.name.group;
    report->identity = head.name.identity;
    segments_init (&journal->segments, journal->disk, &journal->memory, head.name,
                   &journal->problem);
    error = recover (&journal->segments, &journal->writer, options, &recovered, report);
    if (error != BATON_OK) {
        writer_fini (&journal->writer);
        segments_fini (&journal->segments);
        return error;
    }
    journal->last = recovered.last;
    journal->durable = recovered.last.index;
    journal->commit = recovered.commit;
    journal->front_number = recovered.front_number;
    // A fresh segment without a record is proof enough of those before it.
    journal->closed = report->rewritten_count == 0;
    return BATON_OK;
}

static enum baton_err
open_locked (struct journal **journal, const struct disk *disk, const struct memory *memory,
             const struct journal_options *options, struct journal_report *report)
{
    struct journal *self = memory_alloc (memory, sizeof *self);
    if (!self) return BATON_NO_MEMORY;
    *self = (struct journal) { .disk = disk, .memory = *memory };
    const enum baton_err error = open_log (self, options, report);
    report->problem = self->problem;
    if (error != BATON_OK) {
        memory_release (memory, self, sizeof *self);
        return error;
    }
    *journal = self;
    return BATON_OK;
}

enum baton_err
journal_open (struct journal **journal, const struct disk *disk, const struct memory *memory,
              const struct journal_options *options, struct journal_report *report)
{
    struct journal_options resolved = *options;
    *report = (struct journal_report) { .generation = 0 };
    enum baton_err error = resolve_options (&resolved, &report->problem);
    if (error != BATON_OK) return error;
    error = disk->lock (disk->context);
    if (error == BATON_STORE_IN_USE) {
        return problem_note (&report->problem, error, JOURNAL_FAULT_LOCK, 0, 0);
    }
    if (error != BATON_OK) return problem_of_disk (&report->problem, error);
    error = open_locked (journal, disk, memory, &resolved, report);
    if (error != BATON_OK) {
        disk->unlock (disk->context);
    }
    return error;
}

void
journal_close (struct journal **journal)
{
    struct journal *self = *journal;
    if (!self) return;
    *journal = NULL;
    writer_fini (&self->writer);
    segments_fini (&self->segments);
    self->disk->unlock (self->disk->context);
    const struct memory memory = self->memory;
    memory_release (&memory, self, sizeof *self);
}

enum baton_err
journal_replay (struct journal *journal, const struct record_visitor *visitor)
{
    if (journal->failed) return BATON_DISK;
    ASSERT (!journal->outstanding);
    journal->problem = (struct journal_problem) { .value = 0 };
    return segments_read (&journal->segments, (struct log_index) { 0 }, visitor);
}

// After this nothing is written any more.
static enum baton_err
fail (struct journal *journal, enum baton_err error)
{
    if (error == BATON_OK) return BATON_OK;
    journal->failed = true;
    (void) problem_note (&journal->problem, BATON_DISK, JOURNAL_FAULT_DISK_CALL,
                         (uint64_t) error, 0);
    journal->problem.segment_number = journal->writer.head.number;
    journal->problem.offset_bytes = journal->writer.offset_bytes;
    return BATON_DISK;
}

// Makes the next segment whole; a full disk is no failure, because nothing was promised.
static enum baton_err
fill_next (struct journal *journal, uint64_t wanted_bytes)
{
    const enum baton_err error = writer_fill (&journal->writer, wanted_bytes);
    journal->full = error == BATON_DISK_FULL;
    if (error != BATON_DISK_FULL) return fail (journal, error);
    uint64_t free_bytes = 0;
    uint64_t total_bytes = 0;
    if (journal->disk->space (journal->disk->context, &free_bytes, &total_bytes) != BATON_OK) {
        free_bytes = 0;
    }
    return problem_note (&journal->problem, error, JOURNAL_FAULT_SPACE, free_bytes,
                         wanted_bytes - journal->writer.next_filled_bytes);
}

enum baton_err
journal_reserve (struct journal *journal, uint64_t records_bytes)
{
    if (journal->failed) return BATON_DISK;
    if (records_bytes > journal->writer.batch_max_bytes) return BATON_TOO_LARGE;
    if (writer_fits (&journal->writer, records_bytes)) return BATON_OK;
    const enum baton_err error = segments_make_room (&journal->segments);
    if (error != BATON_OK) return error;
    return fill_next (journal, journal->writer.segment_bytes);
}

enum baton_err
journal_prepare (struct journal *journal)
{
    if (journal->failed) return BATON_DISK;
    if (journal->full) return BATON_OK;
    // Twice as fast as the newest one is used, so the next is whole long before it is needed.
    const struct writer *writer = &journal->writer;
    uint64_t wanted_bytes = 2 * writer->offset_bytes;
    if (wanted_bytes > writer->segment_bytes) {
        wanted_bytes = writer->segment_bytes;
    }
    const uint64_t slice_bytes = writer->zeros.size_bytes;
    const uint64_t filled_bytes = writer->next_filled_bytes;
    if (wanted_bytes < filled_bytes + slice_bytes && wanted_bytes < writer->segment_bytes) {
        return BATON_OK;
    }
    if (wanted_bytes > filled_bytes + slice_bytes) {
        wanted_bytes = filled_bytes + slice_bytes;
    }
    const enum baton_err error = fill_next (journal, wanted_bytes);
    return error == BATON_DISK_FULL ? BATON_OK : error;
}

static struct segment *
newest (struct journal *journal)
{
    return &journal->segments.list[journal->segments.count - 1];
}

static void
add_segment (struct journal *journal)
{
    const struct segment segment = {
        .head = journal->writer.head,
        .last = journal->last,
        .end_bytes = journal->writer.offset_bytes,
        .file_bytes = journal->writer.head.size_bytes,
    };
    segments_add (&journal->segments, &segment);
}

// Goes on in a new segment. All batches of the former one are synced: a segment that is
// continued has no torn tail.
static enum baton_err
roll (struct journal *journal)
{
    struct writer *writer = &journal->writer;
    enum baton_err error = segments_make_room (&journal->segments);
    if (error != BATON_OK) return error;
    error = fill_next (journal, writer->segment_bytes);
    if (error != BATON_OK) return error;
    error = writer_start (writer, writer->head.generation, journal->last, journal->commit,
                          journal->front_number);
    if (error == BATON_OK) {
        error = writer_publish (writer);
    }
    if (error != BATON_OK) return fail (journal, error);
    add_segment (journal);
    return BATON_OK;
}

// A batch says what was durable before it: a record in it may still be lost.
static struct log_index
commit_to_record (const struct journal *journal, struct log_index commit)
{
    if (commit.n > journal->durable.n) {
        commit = journal->durable;
    }
    return commit.n > journal->commit.n ? commit : journal->commit;
}

// Writes what was gathered and stands behind it.
static enum baton_err
write_batch (struct journal *journal, struct position last, struct log_index commit)
{
    const struct log_index first_index = { journal->last.index.n + 1 };
    journal->closed = journal->writer.gathered_count == 0;
    journal->commit = commit_to_record (journal, commit);
    const enum baton_err error = writer_write (&journal->writer, first_index, journal->commit,
                                               journal->front_number);
    if (error != BATON_OK) return fail (journal, error);
    journal->outstanding = true;
    journal->last = last;
    return BATON_OK;
}

// The order of records is the caller's work, so a break is our own fault.
static struct position
check_record (struct position last, struct baton_bytes record)
{
    struct record_head head;
    const bool whole = record_head_read (record.data, record.size, &head);
    ASSERT (whole);
    ASSERT (head.length_bytes == record.size);
    ASSERT (head.index.n == last.index.n + 1);
    ASSERT (head.chain == last.chain);
    return (struct position) { head.index, layout_chain (record.data, record.size) };
}

enum baton_err
journal_append (struct journal *journal, const struct baton_bytes *records, size_t count,
                struct log_index commit)
{
    if (journal->failed) return BATON_DISK;
    ASSERT (!journal->outstanding);
    ASSERT (count > 0);
    struct position last = journal->last;
    uint64_t records_bytes = 0;
    for (size_t i = 0; i < count; i++) {
        last = check_record (last, records[i]);
        records_bytes += records[i].size;
    }
    if (records_bytes > journal->writer.batch_max_bytes) return BATON_TOO_LARGE;
    if (!writer_fits (&journal->writer, records_bytes)) {
        const enum baton_err error = roll (journal);
        if (error != BATON_OK) return error;
    }
    for (size_t i = 0; i < count; i++) {
        writer_put (&journal->writer, records[i]);
    }
    return write_batch (journal, last, commit);
}

enum baton_err
journal_sync (struct journal *journal)
{
    if (journal->failed) return BATON_DISK;
    if (!journal->outstanding) return BATON_OK;
    const enum baton_err error = MUTANT (SKIP_SYNC) ? BATON_OK : writer_sync (&journal->writer);
    if (error != BATON_OK && !MUTANT (SYNC_ERROR_IGNORED)) return fail (journal, error);
    journal->outstanding = false;
    journal->durable = journal->last.index;
    newest (journal)->last = journal->last;
    newest (journal)->end_bytes = journal->writer.offset_bytes;
    return BATON_OK;
}

static enum baton_err
write_empty_batch (struct journal *journal, struct log_index commit)
{
    const enum baton_err error = write_batch (journal, journal->last, commit);
    if (error != BATON_OK) return error;
    return journal_sync (journal);
}

enum baton_err
journal_close_batch (struct journal *journal, struct log_index commit)
{
    if (journal->failed) return BATON_DISK;
    ASSERT (!journal->outstanding);
    const struct log_index known = commit_to_record (journal, commit);
    if (journal->closed && known.n == journal->commit.n) return BATON_OK;
    // Every batch with records left room for one; this one would only tell a newer commit index.
    if (!writer_fits (&journal->writer, 0)) return BATON_OK;
    return write_empty_batch (journal, commit);
}

// How many of the oldest segments hold nothing from [pinned] on.
static size_t
droppable (const struct journal *journal, struct log_index pinned)
{
    // What recovery may have to write anew stays.
    const uint64_t below = pinned.n <= journal->commit.n ? pinned.n : journal->commit.n + 1;
    size_t count = 0;
    while (count + 1 < journal->segments.count
           && journal->segments.list[count].last.index.n < below) {
        count++;
    }
    if (MUTANT (SEGMENT_DROPPED_EARLY) && count + 1 < journal->segments.count
        && journal->segments.list[count].head.from.index.n + 1 < below) return count + 1;
    return count;
}

enum baton_err
journal_drop_front (struct journal *journal, struct log_index pinned)
{
    if (journal->failed) return BATON_DISK;
    ASSERT (!journal->outstanding);
    const size_t count = droppable (journal, pinned);
    if (count == 0 || !writer_fits (&journal->writer, 0)) return BATON_OK;
    // The log says first what will be gone, so that a file that is missing for another reason is
    // found out.
    journal->front_number = journal->segments.list[count].head.number;
    enum baton_err error = write_empty_batch (journal, journal->commit);
    for (size_t i = 0; i < count && error == BATON_OK; i++) {
        error = fail (journal, segments_remove (&journal->segments, 0));
    }
    journal->full = false;
    return error;
}

struct log_index
journal_durable_index (const struct journal *journal)
{
    return journal->durable;
}

void
journal_status (const struct journal *journal, struct journal_status *status)
{
    const struct segments *segments = &journal->segments;
    const struct writer *writer = &journal->writer;
    *status = (struct journal_status) {
        .group = segments->name.group,
        .identity = segments->name.identity,
        .generation = writer->head.generation,
        .first_index = { segments->list[0].head.from.index.n + 1 },
        .last_index = journal->last.index,
        .durable_index = journal->durable,
        .commit_index = journal->commit,
        .last_chain = journal->last.chain,
        .segment_count = segments->count,
        .room_bytes = writer->head.size_bytes - writer->offset_bytes,
    };
    for (size_t i = 0; i < segments->count; i++) {
        status->file_bytes += segments->list[i].file_bytes;
    }
}

void
journal_segment_at (const struct journal *journal, size_t which,
                    struct journal_segment *segment)
{
    ASSERT (which < journal->segments.count);
    const struct segment *facts = &journal->segments.list[which];
    *segment = (struct journal_segment) {
        .number = facts->head.number,
        .generation = facts->head.generation,
        .first_index = { facts->head.from.index.n + 1 },
        .last_index = facts->last.index,
        .file_bytes = facts->file_bytes,
    };
}

const struct journal_problem *
journal_problem_view (const struct journal *journal)
{
    return &journal->problem;
}
