// SPDX-License-Identifier: MPL-2.0
// disk_file.h is the real disk: a directory of files of the system. It is the only place of the
// store that calls the system, and must never know what the bytes mean. Directories are made
// with mode 0700, files with 0600.
#ifndef BATON_STORE_DISK_FILE_H
#define BATON_STORE_DISK_FILE_H

#include "broker/store/disk.h"
#include "proto/memory.h"

struct disk_file;

enum disk_file_missing {
    // A directory that is not there is an error.
    DISK_FILE_REFUSE = 1,
    // It is made, its parent must be there.
    DISK_FILE_MAKE = 2,
};

// disk_file_open opens the directory [path].
//
//   disk_file   set on success only; disk_file_close ends it
//
// Errors: BATON_NO_STORE there is no such directory; BATON_READ_ONLY it may not be made or
// opened; BATON_DISK_FULL; BATON_DISK anything else, also where [path] is no directory;
// BATON_NO_MEMORY.
DISK_MUST_USE enum baton_err
disk_file_open (struct disk_file **disk_file, const struct memory *memory, const char *path,
                enum disk_file_missing missing);

// disk_file_close frees [*disk_file], with its lock, and clears it; NULL in it is allowed.
void
disk_file_close (struct disk_file **disk_file);

// disk_file_disk is valid until disk_file_close.
const struct disk *
disk_file_disk (const struct disk_file *disk_file);

// disk_file_errno is the system's number for the last call that failed, 0 if none did; for a
// message to people.
int
disk_file_errno (const struct disk_file *disk_file);

#endif
