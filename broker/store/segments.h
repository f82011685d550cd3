// SPDX-License-Identifier: MPL-2.0
// segments.h has the table of the segments of one store, oldest first, and reads what they
// hold. It must never write into a segment; it removes whole ones at the front.
//
// 1. Numbers rise along the table, generations never fall.
// 2. Once recovered, each segment ends at the position where the next one starts.
#ifndef BATON_STORE_SEGMENTS_H
#define BATON_STORE_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/store/disk.h"
#include "broker/store/layout.h"
#include "broker/store/problem.h"
#include "broker/store/reader.h"
#include "broker/store/record_visitor.h"
#include "broker/store/walk.h"
#include "proto/memory.h"

struct segment {
    struct segment_head head;
    // The newest record of it that counts: what follows is superseded by a newer segment.
    struct position last;
    // Where the batches that count end.
    uint64_t end_bytes;
    uint64_t file_bytes;
    // Nothing of it counts any more: its file goes when recovery is done.
    bool obsolete;
};

struct segments {
    const struct disk *disk;
    const struct memory *memory;
    struct store_name name;
    struct journal_problem *problem;
    struct segment *list;
    size_t count;
    size_t room_count;
    // What a reader must be able to show at once.
    uint64_t window_bytes;
};

// segments_init makes an empty table for the store [name]. [disk], [memory] and [problem] must
// outlive it.
void
segments_init (struct segments *segments, const struct disk *disk, const struct memory *memory,
               struct store_name name, struct journal_problem *problem);

void
segments_fini (struct segments *segments);

// segments_load fills the table with all segments of the directory and checks their heads.
//
// Errors: BATON_DAMAGED, BATON_BAD_VERSION, BATON_FOREIGN_STORE (a segment of another store)
// with the problem noted; BATON_NO_MEMORY; those of the disk.
DISK_MUST_USE enum baton_err
segments_load (struct segments *segments);

// segments_make_room lets the next segments_add succeed. Errors: BATON_NO_MEMORY.
DISK_MUST_USE enum baton_err
segments_make_room (struct segments *segments);

// segments_add puts [segment] behind the newest one; there must be room.
void
segments_add (struct segments *segments, const struct segment *segment);

// segments_forget takes [count] segments from [first] out of the table; their files stay.
void
segments_forget (struct segments *segments, size_t first, size_t count);

// segments_remove removes the file of the [which]th segment for good, and forgets it. Each
// removal is certain before the next, so that a crash never leaves a hole.
DISK_MUST_USE enum baton_err
segments_remove (struct segments *segments, size_t which);

// segments_reader makes a reader with room for any batch of the table; reader_fini ends it.
DISK_MUST_USE enum baton_err
segments_reader (const struct segments *segments, struct reader *reader);

// segments_open shows [segment] in [reader] and stands [walk] at its first batch.
DISK_MUST_USE enum baton_err
segments_open (const struct segments *segments, const struct segment *segment,
               struct reader *reader, struct walk *walk);

// segments_read visits all records after index [after] that count.
//
// Errors: BATON_DAMAGED with the problem noted; BATON_NO_MEMORY; those of disk and visitor.
DISK_MUST_USE enum baton_err
segments_read (const struct segments *segments, struct log_index after,
               const struct record_visitor *visitor);

#endif
