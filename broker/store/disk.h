// SPDX-License-Identifier: MPL-2.0
// disk.h is what the journal needs of a disk, as a table of calls: one directory of plain
// files. disk_file.c is the real one; the tests have one that lies. The journal above it has
// no I/O of its own, so recovery runs in the simulator as it runs in production.
//
// What an implementation promises:
//   - bytes written are certain after sync of that file returned BATON_OK, names after
//     sync_directory did; before that a crash may keep, lose or tear them in any order;
//   - after a failed sync nothing written before it can be trusted, not even by a later sync;
//   - offsets, sizes and addresses of read and write are whole blocks of DISK_BLOCK_BYTES.
//
// Errors of all calls: BATON_DISK_FULL no room; BATON_READ_ONLY the directory may not be
// written; BATON_NOT_FOUND no such file; BATON_STORE_IN_USE from lock alone; BATON_NO_MEMORY;
// BATON_DISK anything else.
#ifndef BATON_STORE_DISK_H
#define BATON_STORE_DISK_H

#include <stddef.h>
#include <stdint.h>

#include "proto/errors.h"

// What the disk writes whole at best, and the alignment of reads beyond the page cache.
#define DISK_BLOCK_BYTES 4096u

#define DISK_MUST_USE __attribute__ ((warn_unused_result))

enum disk_open {
    // Reads come from the disk, not from the page cache, where the system can do that: after
    // a failed sync the cache holds what the disk does not.
    DISK_OPEN_READ = 1,
    DISK_OPEN_WRITE = 2,
};

// A file is a number that create and open give, valid until close.
struct disk {
    void *context;
    // Takes the directory for this process alone, until unlock or the end of the process.
    enum baton_err (*lock) (void *context);
    void (*unlock) (void *context);
    // Calls [visit] for each file name, in any order.
    enum baton_err (*list) (void *context, void (*visit) (void *listener, const char *name),
                            void *listener);
    // Makes an empty file; a file of that name must not exist.
    enum baton_err (*create) (void *context, const char *name, int *file);
    enum baton_err (*open) (void *context, const char *name, enum disk_open how, int *file);
    void (*close) (void *context, int file);
    enum baton_err (*size) (void *context, int file, uint64_t *size_bytes);
    // Reads all [size_bytes]; the end of the file inside them is BATON_DISK.
    enum baton_err (*read) (void *context, int file, uint64_t offset_bytes, void *data,
                            size_t size_bytes);
    // Writes all [size_bytes]; beyond the end the file grows.
    enum baton_err (*write) (void *context, int file, uint64_t offset_bytes, const void *data,
                             size_t size_bytes);
    enum baton_err (*sync) (void *context, int file);
    enum baton_err (*truncate) (void *context, int file, uint64_t size_bytes);
    // Renames atomically; [to] is replaced if it exists.
    enum baton_err (*rename) (void *context, const char *from, const char *to);
    enum baton_err (*remove) (void *context, const char *name);
    enum baton_err (*sync_directory) (void *context);
    enum baton_err (*space) (void *context, uint64_t *free_bytes, uint64_t *total_bytes);
};

#endif
