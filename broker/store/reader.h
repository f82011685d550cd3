// SPDX-License-Identifier: MPL-2.0
// reader.h has a window over one file: the next bytes of it in memory, read in large pieces.
// It must never judge what it reads.
#ifndef BATON_STORE_READER_H
#define BATON_STORE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/store/buffer.h"
#include "broker/store/disk.h"
#include "proto/errors.h"
#include "proto/memory.h"

struct reader {
    const struct disk *disk;
    const struct memory *memory;
    struct buffer window;
    int file;
    bool open;
    uint64_t file_bytes;
    // What the window holds of the file.
    uint64_t start_bytes;
    uint64_t filled_bytes;
};

// reader_init makes a reader without a file, whose window can show [room_bytes] at once, whole
// blocks. BATON_NO_MEMORY: nothing to undo.
DISK_MUST_USE enum baton_err
reader_init (struct reader *reader, const struct disk *disk, const struct memory *memory,
             size_t room_bytes);

void
reader_fini (struct reader *reader);

// reader_open closes the file it had and opens [name]. Errors: those of the disk.
DISK_MUST_USE enum baton_err
reader_open (struct reader *reader, const char *name);

void
reader_close (struct reader *reader);

// reader_view shows [size_bytes] of the file from [offset_bytes], a block boundary.
//
//   data   valid until the next call; NULL if the file ends before
//
// Errors: BATON_DISK.
DISK_MUST_USE enum baton_err
reader_view (struct reader *reader, uint64_t offset_bytes, uint64_t size_bytes,
             const uint8_t **data);

#endif
