// SPDX-License-Identifier: MPL-2.0
// writer.h writes batches into the newest segment and makes the next one: zero-filled ahead, so
// that a batch overwrites blocks that exist and its sync moves no metadata; it counts only when
// it is published under its name. It must never decide what is written where in the log.
//
//   writer_fill -> writer_start -> [writer_put, writer_write]* -> writer_publish -> ...
//                                  later batches: [writer_put, writer_write, writer_sync]*
//
// After any error but BATON_DISK_FULL of writer_fill the writer may only be ended.
#ifndef BATON_STORE_WRITER_H
#define BATON_STORE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/store/buffer.h"
#include "broker/store/disk.h"
#include "broker/store/layout.h"
#include "proto/bytes.h"
#include "proto/memory.h"

// What is filled at once: keeps the pause of one call to some milliseconds.
#define WRITER_SLICE_BYTES (1024u * 1024u)
// Blocks that a batch with records leaves free: one for the batch that closes it, one for the
// batch that tells a new front.
#define WRITER_SPARE_BLOCKS 2u

struct writer {
    const struct disk *disk;
    const struct memory *memory;
    struct store_name name;
    uint64_t seed;
    uint64_t segment_bytes;
    uint64_t batch_max_bytes;
    // The batch being gathered, room for its head included.
    struct buffer batch;
    uint64_t gathered_bytes;
    uint32_t gathered_count;
    struct buffer zeros;
    // The segment that is written.
    struct segment_head head;
    int file;
    bool open;
    uint64_t offset_bytes;
    uint64_t batch_number;
    // The one after it, while it is filled.
    int next_file;
    bool next_open;
    uint64_t next_number;
    uint64_t next_filled_bytes;
};

// writer_init takes all memory that it will ever need.
//
//   segment_bytes     whole blocks; writer_least_bytes (batch_max_bytes) or more
//   batch_max_bytes   of records in one batch
//   next_number       of the first segment it makes
//
// Errors: BATON_NO_MEMORY; writer_fini is due in any case.
DISK_MUST_USE enum baton_err
writer_init (struct writer *writer, const struct disk *disk, const struct memory *memory,
             struct store_name name, uint64_t segment_bytes, uint64_t batch_max_bytes,
             uint64_t next_number);

// writer_fini closes the files. Nothing is written or synced.
void
writer_fini (struct writer *writer);

// writer_least_bytes is the smallest segment that can hold a batch of that size.
uint64_t
writer_least_bytes (uint64_t batch_max_bytes);

// writer_fits says whether a batch of [records_bytes] and the spare blocks have room in the
// segment that is written; with 0, whether one block has.
bool
writer_fits (const struct writer *writer, uint64_t records_bytes);

// writer_fill goes on filling the next segment until it has [wanted_bytes], synced slice by slice.
// Errors: BATON_DISK_FULL, may be called again later; others of the disk.
DISK_MUST_USE enum baton_err
writer_fill (struct writer *writer, uint64_t wanted_bytes);

// writer_drop_next removes the next segment that cannot be filled, so that a start which fails does
// not take what little room there is. What the disk says to that changes nothing: a file that is
// left counts for nothing and goes at the next start.
void
writer_drop_next (struct writer *writer);

// writer_start makes the filled next segment the one that is written, with a head from these
// facts; the former one, all of whose batches are synced, is closed. It counts from
// writer_publish on.
DISK_MUST_USE enum baton_err
writer_start (struct writer *writer, uint64_t generation, struct position from,
              struct log_index commit, uint64_t front_number);

// writer_publish syncs the segment and gives it the name under which it counts.
DISK_MUST_USE enum baton_err
writer_publish (struct writer *writer);

// writer_put copies [record] into the batch that is gathered, the only copy on its way to disk.
// The batch must have room.
void
writer_put (struct writer *writer, struct baton_bytes record);

// writer_write writes the gathered batch, which may be empty, and begins a new one.
DISK_MUST_USE enum baton_err
writer_write (struct writer *writer, struct log_index first_index, struct log_index commit,
              uint64_t front_number);

DISK_MUST_USE enum baton_err
writer_sync (struct writer *writer);

#endif
