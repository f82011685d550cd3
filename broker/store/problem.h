// SPDX-License-Identifier: MPL-2.0
// problem.h has the facts of a failure of the store, so that the shell can name thing, value,
// limit and next step. The store itself formats no text.
#ifndef BATON_STORE_PROBLEM_H
#define BATON_STORE_PROBLEM_H

#include <stdint.h>

#include "proto/errors.h"
#include "proto/numbers.h"

// What is wrong. [value] and [limit] of the problem mean what the comment says, else 0.
#define JOURNAL_FAULTS(X) \
    X (LOCK, 1, "the directory is locked by another process") \
    X (NO_STORE, 2, "the directory has no file `store`") \
    X (EXISTS, 3, "the directory holds a store already") \
    X (STORE_FILE, 4, "the file `store` is not what was written") \
    X (FORMAT_VERSION, 5, "written by a newer format; value found, limit known") \
    X (GROUP, 6, "the store belongs to another group") \
    X (SEGMENT_HEAD, 7, "the first block of a segment is not what was written") \
    X (SEGMENT_IDENTITY, 8, "a segment of another store lies in the directory") \
    X (SEGMENT_SIZE, 9, "a segment is shorter than it was made; value bytes, limit bytes") \
    X (SEGMENT_SHORT, 10, "a segment ends before the one that continues it") \
    X (SEGMENT_MISSING, 11, "a segment is gone; value oldest found, limit oldest needed") \
    X (BATCH, 12, "a batch is not what was written, and later ones exist") \
    X (BATCH_ORDER, 13, "an intact batch stands where another belongs") \
    X (RECORD, 14, "a record breaks length, index or chain inside an intact batch") \
    X (SPACE, 15, "no room on the disk; value free bytes, limit bytes needed") \
    X (DISK_CALL, 16, "a call of the disk failed; value is the error") \
    X (OPTION, 17, "segment size too small for a batch; value bytes, limit bytes")

enum journal_fault {
#define X(name, number, text) JOURNAL_FAULT_##name = number,
    JOURNAL_FAULTS (X)
#undef X
};

// All 0 if nothing went wrong yet.
struct journal_problem {
    enum journal_fault fault;
    // 0: not about one segment.
    uint64_t segment_number;
    uint64_t offset_bytes;
    // Records that are damaged or missing; last_index 0: from first_index on, end unknown.
    struct log_index first_index;
    struct log_index last_index;
    uint64_t value;
    uint64_t limit;
};

// problem_note fills [problem] with a fault that is about no segment; returns [error].
static inline enum baton_err
problem_note (struct journal_problem *problem, enum baton_err error, enum journal_fault fault,
              uint64_t value, uint64_t limit)
{
    *problem = (struct journal_problem) { .fault = fault, .value = value, .limit = limit };
    return error;
}

// problem_of_disk notes a failed call of the disk, unless a finer note was made for it or the
// error explains itself; returns [error], BATON_OK too.
static inline enum baton_err
problem_of_disk (struct journal_problem *problem, enum baton_err error)
{
    if (error != BATON_OK && error != BATON_NO_MEMORY && problem->fault == 0) {
        return problem_note (problem, error, JOURNAL_FAULT_DISK_CALL, (uint64_t) error, 0);
    }
    return error;
}

#endif
