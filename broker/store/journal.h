// SPDX-License-Identifier: MPL-2.0
// journal.h keeps the log of a broker in segments of one directory: records go in as batches,
// each batch is one write and one sync, and a record that was synced comes back after any crash.
// It must never cut or skip what may have been safe, never touch a clock, and never do I/O but
// through its disk. docs/formats.md has the bytes.
//
// 1. One outstanding batch: the next is not written before the sync of the last returned.
// 2. What journal_open returned with is on the disk: the tail beyond the last recorded commit
//    index has been written anew and synced.
// 3. A batch that is damaged while a later one is intact is never cut: BATON_DAMAGED.
// 4. After a failed write or sync every call that writes returns BATON_DISK: the process must
//    stop, because nobody knows any more what the disk holds.
#ifndef BATON_STORE_JOURNAL_H
#define BATON_STORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/store/disk.h"
#include "broker/store/problem.h"
#include "broker/store/record_visitor.h"
#include "proto/bytes.h"
#include "proto/errors.h"
#include "proto/memory.h"
#include "proto/numbers.h"

struct journal;

struct journal_options {
    // The group it must be; none: any.
    struct id group;
    // Size of a new segment, rounded up to 4 KiB; 0: LIMIT_SEGMENT_BYTES. It must hold a largest
    // batch with three blocks more.
    uint64_t segment_bytes;
    // Bytes of all records of one batch; 0: LIMIT_BATCH_MAX_BYTES.
    uint64_t batch_max_bytes;
};

// What journal_open found. After an error only [problem] is sure.
struct journal_report {
    struct journal_problem problem;
    struct id group;
    struct id identity;
    uint64_t generation;
    // All 0 if the log is empty.
    struct log_index first_index;
    struct log_index last_index;
    struct log_index commit_index;
    // Records beyond the commit index, written anew.
    uint64_t rewritten_count;
    // The torn tail that was cut; cut_bytes 0: none.
    uint64_t cut_segment_number;
    uint64_t cut_offset_bytes;
    uint64_t cut_bytes;
};

struct journal_status {
    struct id group;
    struct id identity;
    uint64_t generation;
    // Oldest record kept; last_index + 1 if none is.
    struct log_index first_index;
    struct log_index last_index;
    struct log_index durable_index;
    // The newest that the log itself records.
    struct log_index commit_index;
    // What the next record carries as its chain.
    uint64_t last_chain;
    size_t segment_count;
    uint64_t file_bytes;
    // Left in the newest segment.
    uint64_t room_bytes;
};

// One segment, for status: what pins the log is the oldest one with a record that is needed.
struct journal_segment {
    uint64_t number;
    uint64_t generation;
    // first_index is last_index + 1 if it holds no record.
    struct log_index first_index;
    struct log_index last_index;
    uint64_t file_bytes;
};

// journal_format makes an empty store of this group and identity in the directory of [disk].
//
// Errors: BATON_STORE_EXISTS, BATON_STORE_IN_USE, BATON_READ_ONLY, BATON_DISK_FULL, BATON_DISK,
// BATON_NO_MEMORY; [problem] says more. After an error there is no store, but an unfinished one
// that the next journal_format replaces.
DISK_MUST_USE enum baton_err
journal_format (const struct disk *disk, const struct memory *memory, struct id group,
                struct id identity, struct journal_problem *problem);

// journal_open takes the directory, recovers the log and stands ready behind its last record.
//
//   disk, memory   borrowed until journal_close
//   journal        set on success only
//
// Errors, report->problem says more: BATON_NO_STORE; BATON_STORE_IN_USE; BATON_FOREIGN_STORE
// another group, or another store's segment; BATON_BAD_VERSION a newer format; BATON_DAMAGED;
// BATON_READ_ONLY; BATON_DISK_FULL no room for a new segment; BATON_BAD_ARGUMENT sizes that do
// not fit; BATON_DISK; BATON_NO_MEMORY. After an error no record is lost and it can be called
// again.
DISK_MUST_USE enum baton_err
journal_open (struct journal **journal, const struct disk *disk, const struct memory *memory,
              const struct journal_options *options, struct journal_report *report);

// journal_replay visits all records that are kept. No batch may be outstanding.
// Errors: BATON_DAMAGED, BATON_DISK, BATON_NO_MEMORY; those of the visitor.
DISK_MUST_USE enum baton_err
journal_replay (struct journal *journal, const struct record_visitor *visitor);

// journal_reserve makes sure that a batch with [records_bytes] of records, all that is to be
// appended at once, has its room on the disk, so that work is refused before it is accepted.
// Errors: BATON_DISK_FULL and BATON_NO_MEMORY, try again later; BATON_TOO_LARGE above batch_max;
// BATON_DISK.
DISK_MUST_USE enum baton_err
journal_reserve (struct journal *journal, uint64_t records_bytes);

// journal_append writes [count] records, at least one, as one batch. They are not durable before
// journal_sync returned. No batch may be outstanding; each record's index and chain must continue
// the one before.
//
//   commit   the commit index now; it is recorded as far as it is durable here
//
// Errors: BATON_TOO_LARGE above batch_max, and BATON_DISK_FULL where nothing was reserved, and
// BATON_NO_MEMORY: nothing was written; BATON_DISK.
DISK_MUST_USE enum baton_err
journal_append (struct journal *journal, const struct baton_bytes *records, size_t count,
                struct log_index commit);

// journal_sync makes the outstanding batch durable; without one it does nothing.
DISK_MUST_USE enum baton_err
journal_sync (struct journal *journal);

// journal_prepare fills the next segment by at most one slice, if the newest one comes near its
// end. To be called when answers have left: it takes the pause out of a later append. A full
// disk is no error here. Errors: BATON_DISK.
DISK_MUST_USE enum baton_err
journal_prepare (struct journal *journal);

// journal_close_batch writes and syncs an empty batch, so that rot in the last batch is told from
// a torn tail. It does nothing if the last batch is empty and knows this commit index. No batch
// may be outstanding. Errors: BATON_DISK.
DISK_MUST_USE enum baton_err
journal_close_batch (struct journal *journal, struct log_index commit);

// journal_drop_front removes the oldest segments all of whose records are below [pinned], and
// safe by the commit index that the log records; never the newest. No batch may be outstanding.
// Errors: BATON_DISK.
DISK_MUST_USE enum baton_err
journal_drop_front (struct journal *journal, struct log_index pinned);

struct log_index
journal_durable_index (const struct journal *journal);

void
journal_status (const struct journal *journal, struct journal_status *status);

// journal_segment_at fills [segment] with the facts of the [which]th, 0 is the oldest; which must
// be below segment_count.
void
journal_segment_at (const struct journal *journal, size_t which,
                    struct journal_segment *segment);

// journal_problem_view shows what the last failed call ran into.
const struct journal_problem *
journal_problem_view (const struct journal *journal);

// journal_close frees [*journal] and clears it; NULL in it is allowed. It syncs nothing: what
// was not synced was promised to nobody.
void
journal_close (struct journal **journal);

#endif
