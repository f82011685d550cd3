// SPDX-License-Identifier: MPL-2.0
#include "tests/support/journal_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/record_head.h"

#define BATCH_RECORDS_MAX 64u

static const struct id group = { 0x6772, 0x6f7570 };
static const struct id identity = { 0x6964, 0x656e74 };

void
fixture_init (struct journal_fixture *fixture, uint64_t seed)
{
    memset (fixture, 0, sizeof *fixture);
    fixture->sim = disk_sim_new (seed);
    memory_fail_init (&fixture->memory, 0);
    fixture->options = (struct journal_options) {
        .group = group,
        .segment_bytes = FIXTURE_SEGMENT_BYTES,
        .batch_max_bytes = FIXTURE_BATCH_MAX_BYTES,
    };
    struct journal_problem problem;
    assert_int_equal (journal_format (disk_sim_disk (fixture->sim), &fixture->memory.memory,
                                      group, identity, &problem), BATON_OK);
}

void
fixture_fini (struct journal_fixture *fixture)
{
    fixture_close (fixture);
    disk_sim_free (fixture->sim);
    memory_fail_expect_clean (&fixture->memory);
}

enum baton_err
fixture_try_open (struct journal_fixture *fixture)
{
    return journal_open (&fixture->journal, disk_sim_disk (fixture->sim),
                         &fixture->memory.memory, &fixture->options, &fixture->report);
}

struct expectation {
    const struct journal_fixture *fixture;
    uint64_t next_index;
};

static enum baton_err
expect_record (void *context, struct baton_bytes record)
{
    struct expectation *expectation = context;
    struct record_head head = { .length_bytes = 0 };
    assert_true (record_head_read (record.data, record.size, &head));
    assert_int_equal (head.length_bytes, record.size);
    assert_int_equal (head.index.n, expectation->next_index++);
    assert_true (head.chain == expectation->fixture->chain[head.index.n - 1]);
    assert_true (layout_chain (record.data, record.size)
                 == expectation->fixture->chain[head.index.n]);
    return BATON_OK;
}

void
fixture_check (struct journal_fixture *fixture)
{
    struct journal_status status;
    journal_status (fixture->journal, &status);
    struct expectation expectation = { fixture, status.first_index.n };
    const struct record_visitor visitor = { expect_record, &expectation };
    assert_int_equal (journal_replay (fixture->journal, &visitor), BATON_OK);
    assert_int_equal (expectation.next_index, fixture->last_index + 1);
    assert_true (status.last_chain == fixture->chain[fixture->last_index]);
}

void
fixture_open (struct journal_fixture *fixture)
{
    struct journal_status status;
    assert_int_equal (fixture_try_open (fixture), BATON_OK);
    journal_status (fixture->journal, &status);
    assert_in_range (status.last_index.n, fixture->promised_index, fixture->last_index);
    assert_int_equal (status.durable_index.n, status.last_index.n);
    assert_int_equal (status.last_index.n, fixture->report.last_index.n);
    fixture->last_index = status.last_index.n;
    fixture->promised_index = status.last_index.n;
    fixture_check (fixture);
}

void
fixture_close (struct journal_fixture *fixture)
{
    journal_close (&fixture->journal);
}

void
fixture_crash (struct journal_fixture *fixture)
{
    fixture_close (fixture);
    disk_sim_crash (fixture->sim);
}

void
fixture_kill (struct journal_fixture *fixture)
{
    fixture_close (fixture);
    disk_sim_kill (fixture->sim);
}

// The bytes of a record differ from those of any other record with its index.
static void
make_record (struct journal_fixture *fixture, uint64_t index, uint8_t *bytes, size_t size_bytes)
{
    assert_in_range (index, 1, FIXTURE_RECORDS_MAX - 1);
    const struct record_head head = {
        .length_bytes = (uint32_t) size_bytes,
        .type = 1,
        .version = 1,
        .epoch = { 1 },
        .index = { index },
        .chain = fixture->chain[index - 1],
        .utc_ms = disk_sim_random (fixture->sim),
    };
    memset (bytes, (int) index, size_bytes);
    record_head_write (head, bytes);
    fixture->chain[index] = layout_chain (bytes, size_bytes);
}

struct log_index
fixture_commit (const struct journal_fixture *fixture)
{
    const uint64_t durable = journal_durable_index (fixture->journal).n;
    return (struct log_index) { durable > fixture->commit_lag ? durable - fixture->commit_lag : 0 };
}

enum baton_err
fixture_try_append (struct journal_fixture *fixture, size_t count, size_t size_bytes)
{
    struct baton_bytes records[BATCH_RECORDS_MAX];
    assert_in_range (count, 1, BATCH_RECORDS_MAX);
    uint8_t *bytes = malloc (count * size_bytes);
    assert_non_null (bytes);
    for (size_t i = 0; i < count; i++) {
        uint8_t *record = bytes + i * size_bytes;
        make_record (fixture, fixture->last_index + 1 + i, record, size_bytes);
        records[i] = (struct baton_bytes) { record, size_bytes };
    }
    const enum baton_err error = journal_append (fixture->journal, records, count,
                                                 fixture_commit (fixture));
    free (bytes);
    // After an error of the disk nobody knows whether the records will be there.
    if (error == BATON_OK || error == BATON_DISK) {
        fixture->last_index += count;
    }
    return error;
}

void
fixture_append (struct journal_fixture *fixture, size_t count, size_t size_bytes)
{
    assert_int_equal (fixture_try_append (fixture, count, size_bytes), BATON_OK);
    assert_int_equal (journal_sync (fixture->journal), BATON_OK);
    fixture->promised_index = fixture->last_index;
}

void
fixture_close_batch (struct journal_fixture *fixture)
{
    assert_int_equal (journal_close_batch (fixture->journal, fixture_commit (fixture)), BATON_OK);
}

void
fixture_newest_name (const struct journal_fixture *fixture, char name[LAYOUT_NAME_MAX_BYTES])
{
    struct journal_status status;
    struct journal_segment segment;
    journal_status (fixture->journal, &status);
    journal_segment_at (fixture->journal, status.segment_count - 1, &segment);
    layout_segment_name (segment.number, name);
}

uint64_t
fixture_end_bytes (const struct journal_fixture *fixture)
{
    struct journal_status status;
    struct journal_segment segment;
    journal_status (fixture->journal, &status);
    journal_segment_at (fixture->journal, status.segment_count - 1, &segment);
    return segment.file_bytes - status.room_bytes;
}

uint64_t
fixture_seed (uint64_t fallback)
{
    const char *text = getenv ("BATON_SEED");
    const uint64_t seed = text ? strtoull (text, NULL, 0) : fallback;
    print_message ("BATON_SEED=%" PRIu64 "\n", seed);
    return seed;
}
