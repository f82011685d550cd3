// SPDX-License-Identifier: MPL-2.0
// walk.h goes through the batches of one segment, from its head on, and checks each: checksum,
// place, number, and length, index and chain of each record. It stops at the first one that is
// not intact; whether that is a torn tail or damage is for its caller to say.
#ifndef BATON_STORE_WALK_H
#define BATON_STORE_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/store/layout.h"
#include "broker/store/problem.h"
#include "broker/store/reader.h"

struct walk {
    struct reader *reader;
    struct journal_problem *problem;
    struct id group;
    uint64_t seed;
    struct segment_head head;
    // Where it stands: after the last intact batch.
    uint64_t offset_bytes;
    uint64_t batch_number;
    struct position last;
    // The newest that head and batches told.
    struct log_index commit;
    uint64_t front_number;
    // Epoch of the last record seen in this segment.
    struct epoch epoch;
};

struct batch {
    struct batch_head head;
    // head.records_bytes of them, valid until the walk moves on.
    const uint8_t *records;
};

// What lies behind the last intact batch of a segment.
struct tail {
    // End of the last block that is not all zero; 0 if the rest is empty.
    uint64_t dirty_end_bytes;
    // An intact batch of this segment that stands after bytes that are not.
    bool later;
    struct batch_head later_head;
};

// walk_start stands at the first batch of the segment that [reader] has open.
void
walk_start (struct walk *walk, struct reader *reader, const struct segment_head *head,
            struct store_name name, struct journal_problem *problem);

// walk_next steps over one batch.
//
//   found   false if no intact batch stands here; the walk has not moved
//
// Errors: BATON_DISK; BATON_DAMAGED with the problem noted if a batch is intact, but is not the
// one that belongs here, or a record in it breaks a rule.
DISK_MUST_USE enum baton_err
walk_next (struct walk *walk, struct batch *batch, bool *found);

// walk_tail looks at all blocks behind the last intact batch. Errors: BATON_DISK.
DISK_MUST_USE enum baton_err
walk_tail (struct walk *walk, struct tail *tail);

// batch_position is the position of record [index], which must be one of [batch].
struct position
batch_position (const struct batch *batch, struct log_index index);

#endif
