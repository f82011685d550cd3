// SPDX-License-Identifier: MPL-2.0
// journal_fixture.h is a journal on a lying disk with a model beside it: the chain of every
// record that was ever made, so that a replay can be compared record by record.
#ifndef BATON_TESTS_JOURNAL_FIXTURE_H
#define BATON_TESTS_JOURNAL_FIXTURE_H

#include "broker/store/journal.h"
#include "broker/store/layout.h"
#include "tests/support/disk_sim.h"
#include "tests/support/memory_fail.h"

#define FIXTURE_RECORDS_MAX 4096u
#define FIXTURE_BATCH_MAX_BYTES (16u * 1024u)
#define FIXTURE_SEGMENT_BYTES (64u * 1024u)

struct journal_fixture {
    struct disk_sim *sim;
    struct memory_fail memory;
    struct journal_options options;
    struct journal *journal;
    struct journal_report report;
    // chain[i] is what the record after record i carries.
    uint64_t chain[FIXTURE_RECORDS_MAX];
    uint64_t last_index;
    // Records that a sync has promised.
    uint64_t promised_index;
    // How far the commit index stays behind the durable one, as it does while a standby is slow.
    uint64_t commit_lag;
};

// fixture_init formats a store on a new disk. fixture_fini closes and frees all.
void
fixture_init (struct journal_fixture *fixture, uint64_t seed);

void
fixture_fini (struct journal_fixture *fixture);

// fixture_open opens the journal and checks its replay against the model, which is cut to what
// came back; fails the test if a promised record did not.
void
fixture_open (struct journal_fixture *fixture);

// fixture_try_open opens and returns the error; nothing is checked.
enum baton_err
fixture_try_open (struct journal_fixture *fixture);

void
fixture_close (struct journal_fixture *fixture);

// fixture_crash and fixture_kill end the process as the disk's calls of that name do.
void
fixture_crash (struct journal_fixture *fixture);

void
fixture_kill (struct journal_fixture *fixture);

// fixture_commit is the commit index now: the durable one less commit_lag.
struct log_index
fixture_commit (const struct journal_fixture *fixture);

// fixture_try_append appends [count] records of [size_bytes] as one batch, without a sync.
enum baton_err
fixture_try_append (struct journal_fixture *fixture, size_t count, size_t size_bytes);

// fixture_append does so, and syncs; both must succeed.
void
fixture_append (struct journal_fixture *fixture, size_t count, size_t size_bytes);

// fixture_close_batch closes the last batch; it must succeed.
void
fixture_close_batch (struct journal_fixture *fixture);

// fixture_check replays and compares: all kept records, up to the model's last.
void
fixture_check (struct journal_fixture *fixture);

// fixture_newest_name is the file name of the segment that is written.
void
fixture_newest_name (const struct journal_fixture *fixture, char name[LAYOUT_NAME_MAX_BYTES]);

// fixture_end_bytes is where in that file the next batch will be.
uint64_t
fixture_end_bytes (const struct journal_fixture *fixture);

// fixture_seed is BATON_SEED of the environment, else [fallback]; printed.
uint64_t
fixture_seed (uint64_t fallback);

#endif
