// SPDX-License-Identifier: MPL-2.0
// disk_sim.h is a disk in memory that lies as real ones do, the same way for the same seed. What
// was not synced may be kept, lost or torn by a crash, each 512 byte sector and each name alone
// and in any order. All faults are drawn apart: a test asks for the one it is about.
//
// Two views: what a process reads (the page cache) and what is certain. A kill keeps the first,
// a crash draws a new one from the second and from what was on its way.
#ifndef BATON_TESTS_DISK_SIM_H
#define BATON_TESTS_DISK_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/store/disk.h"

#define DISK_SIM_SECTOR_BYTES 512u

struct disk_sim;

// How many calls of each kind there were.
struct disk_sim_counts {
    uint64_t calls;
    uint64_t reads;
    uint64_t writes;
    uint64_t syncs;
};

// disk_sim_new makes an empty directory. It aborts if there is no memory, as all of this does:
// tests of memory give the journal an allocator of their own.
struct disk_sim *
disk_sim_new (uint64_t seed);

// disk_sim_copy makes an equal one, with a new seed, no open files and no lock.
struct disk_sim *
disk_sim_copy (const struct disk_sim *sim, uint64_t seed);

void
disk_sim_free (struct disk_sim *sim);

const struct disk *
disk_sim_disk (const struct disk_sim *sim);

// disk_sim_crash is a loss of power: draws what survived, which is certain from now on. Files are
// closed, the lock is free, and planned faults are forgotten.
void
disk_sim_crash (struct disk_sim *sim);

// disk_sim_kill is the end of the process alone: what was written stays readable, and as
// uncertain as before. Otherwise like a crash.
void
disk_sim_kill (struct disk_sim *sim);

// disk_sim_stop_at makes the [nth] call from now, 1 is the next, and all after it fail as if the
// process had ended there: a write or sync may have been done in part. 0: never.
void
disk_sim_stop_at (struct disk_sim *sim, uint64_t nth);

// disk_sim_has_stopped tells whether the call of disk_sim_stop_at has come.
bool
disk_sim_has_stopped (const struct disk_sim *sim);

// disk_sim_fail_at makes the [nth] call from now return [error] and do nothing. A sync that fails
// forgets: some of what it should have made certain is, the rest is readable until the next kill
// or read past the cache, and nothing can make it certain any more.
void
disk_sim_fail_at (struct disk_sim *sim, uint64_t nth, enum baton_err error);

// disk_sim_fail_sync_at does the same to the [nth] sync of a file from now.
void
disk_sim_fail_sync_at (struct disk_sim *sim, uint64_t nth);

// disk_sim_set_total limits the sum of all sizes; more is BATON_DISK_FULL. 0: no limit.
void
disk_sim_set_total (struct disk_sim *sim, uint64_t total_bytes);

enum disk_sim_access {
    DISK_SIM_READ_WRITE = 1,
    DISK_SIM_READ_ONLY = 2,
};

void
disk_sim_set_access (struct disk_sim *sim, enum disk_sim_access access);

// disk_sim_flip changes the bits of [mask] in one byte for good: rot. The byte must exist.
void
disk_sim_flip (struct disk_sim *sim, const char *name, uint64_t offset_bytes, uint8_t mask);

// disk_sim_overwrite replaces bytes for good, whatever was there.
void
disk_sim_overwrite (struct disk_sim *sim, const char *name, uint64_t offset_bytes,
                    const void *data, size_t size_bytes);

// disk_sim_peek copies what a process reads of a file. Returns its size; 0 if there is none.
uint64_t
disk_sim_peek (const struct disk_sim *sim, const char *name, uint64_t offset_bytes, void *data,
               size_t size_bytes);

// disk_sim_discard removes a file for good, as a person with a wrong command does.
void
disk_sim_discard (struct disk_sim *sim, const char *name);

// disk_sim_file_count is the number of names that a process sees.
size_t
disk_sim_file_count (const struct disk_sim *sim);

struct disk_sim_counts
disk_sim_counts (const struct disk_sim *sim);

// disk_sim_random is the next number of the disk's own sequence, for tests that want one more.
uint64_t
disk_sim_random (struct disk_sim *sim);

#endif
