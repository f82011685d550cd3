// SPDX-License-Identifier: MPL-2.0
// store_file.h makes the file `store`, which turns a directory into a store, and reads it. It is
// written once and never changed in place.
#ifndef BATON_STORE_STORE_FILE_H
#define BATON_STORE_STORE_FILE_H

#include "broker/store/disk.h"
#include "broker/store/layout.h"
#include "broker/store/problem.h"
#include "proto/memory.h"

// store_file_format makes an empty store: the first segment, and `store` last, so that a crash
// before the end leaves no store and the call can be made again. The lock is the caller's.
//
// Errors, the problem noted: BATON_STORE_EXISTS if there is a store, or segments without one,
// which may be somebody's work; those of the disk; BATON_NO_MEMORY.
DISK_MUST_USE enum baton_err
store_file_format (const struct disk *disk, const struct memory *memory, struct store_name name,
                   struct journal_problem *problem);

// store_file_read fills [head].
//
// Errors, the problem noted: BATON_NO_STORE, BATON_DAMAGED, BATON_BAD_VERSION, those of the
// disk; BATON_NO_MEMORY.
DISK_MUST_USE enum baton_err
store_file_read (const struct disk *disk, const struct memory *memory, struct store_head *head,
                 struct journal_problem *problem);

// store_file_sweep removes what a crash left unfinished: new segments, a new `store`.
// Errors: those of the disk, the problem noted.
DISK_MUST_USE enum baton_err
store_file_sweep (const struct disk *disk, struct journal_problem *problem);

#endif
