// SPDX-License-Identifier: MPL-2.0
// Goal: what rot, a lost write or a stranger has changed is never taken for a torn tail, and never
// read as a record.
// Method: bits flipped in every byte of batches that are not the last, batches moved, lost and
// forged on the disk in memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/journal_fixture.h"

// Flips every byte of the batch at [from_bytes], one after the other.
static void
expect_damage_in_batch (struct journal_fixture *fixture, const char *name, uint64_t from_bytes,
                        uint64_t to_bytes, uint64_t first_index, uint64_t last_index)
{
    for (uint64_t i = from_bytes; i < to_bytes; i++) {
        disk_sim_flip (fixture->sim, name, i, (uint8_t) (1u << i % 8));
        assert_int_equal (fixture_try_open (fixture), BATON_DAMAGED);
        const struct journal_problem *problem = &fixture->report.problem;
        assert_int_equal (problem->fault, JOURNAL_FAULT_BATCH);
        assert_int_equal (problem->segment_number, layout_name_number (name));
        assert_int_equal (problem->offset_bytes, from_bytes);
        assert_int_equal (problem->first_index.n, first_index);
        assert_int_equal (problem->last_index.n, last_index);
        disk_sim_flip (fixture->sim, name, i, (uint8_t) (1u << i % 8));
    }
}

static void
rot_in_any_byte_of_the_last_but_one_batch_is_damage (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    char name[LAYOUT_NAME_MAX_BYTES];
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture_append (&fixture, 1, 100);
    fixture_newest_name (&fixture, name);
    const uint64_t from_bytes = fixture_end_bytes (&fixture);
    fixture_append (&fixture, 3, 2000);
    const uint64_t to_bytes = fixture_end_bytes (&fixture);
    fixture_append (&fixture, 1, 100);
    fixture_kill (&fixture);

    expect_damage_in_batch (&fixture, name, from_bytes, to_bytes, 2, 4);
    fixture_open (&fixture);
    fixture_fini (&fixture);
}

static void
rot_in_any_byte_of_a_closed_last_batch_is_damage (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    char name[LAYOUT_NAME_MAX_BYTES];
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture_newest_name (&fixture, name);
    const uint64_t from_bytes = fixture_end_bytes (&fixture);
    fixture_append (&fixture, 2, 100);
    const uint64_t to_bytes = fixture_end_bytes (&fixture);
    fixture_close_batch (&fixture);
    fixture_crash (&fixture);

    expect_damage_in_batch (&fixture, name, from_bytes, to_bytes, 1, 2);
    fixture_open (&fixture);
    assert_int_equal (fixture.last_index, 2);
    fixture_fini (&fixture);
}

static void
rot_at_the_end_of_a_segment_that_is_continued_is_damage (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    struct journal_segment first;
    char name[LAYOUT_NAME_MAX_BYTES];
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    for (size_t i = 0; i < 20; i++) {
        fixture_append (&fixture, 1, 5000);
    }
    journal_segment_at (fixture.journal, 0, &first);
    layout_segment_name (first.number, name);
    fixture_kill (&fixture);
    const uint64_t last_batch_bytes = DISK_BLOCK_BYTES
                                      + (first.last_index.n - 1) * layout_batch_bytes (5000);
    disk_sim_flip (fixture.sim, name, last_batch_bytes + 7000, 4);

    assert_int_equal (fixture_try_open (&fixture), BATON_DAMAGED);
    assert_int_equal (fixture.report.problem.fault, JOURNAL_FAULT_SEGMENT_SHORT);
    assert_int_equal (fixture.report.problem.segment_number, first.number);
    assert_int_equal (fixture.report.problem.offset_bytes, last_batch_bytes);
    assert_int_equal (fixture.report.problem.first_index.n, first.last_index.n);
    assert_int_equal (fixture.report.problem.last_index.n, first.last_index.n);
    fixture_fini (&fixture);
}

static void
lost_write_under_a_later_batch_is_damage (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    char name[LAYOUT_NAME_MAX_BYTES];
    static const uint8_t zeros[DISK_BLOCK_BYTES];
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture_newest_name (&fixture, name);
    const uint64_t lost_bytes = fixture_end_bytes (&fixture);
    fixture_append (&fixture, 1, 100);
    fixture_append (&fixture, 1, 100);
    fixture_kill (&fixture);
    disk_sim_overwrite (fixture.sim, name, lost_bytes, zeros, sizeof zeros);

    assert_int_equal (fixture_try_open (&fixture), BATON_DAMAGED);
    assert_int_equal (fixture.report.problem.fault, JOURNAL_FAULT_BATCH);
    fixture_fini (&fixture);
}

static void
batch_in_the_place_of_another_is_damage (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    char name[LAYOUT_NAME_MAX_BYTES];
    uint8_t block[DISK_BLOCK_BYTES];
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture_newest_name (&fixture, name);
    const uint64_t first_bytes = fixture_end_bytes (&fixture);
    fixture_append (&fixture, 1, 100);
    const uint64_t second_bytes = fixture_end_bytes (&fixture);
    fixture_append (&fixture, 1, 100);
    fixture_append (&fixture, 1, 100);
    fixture_kill (&fixture);
    (void) disk_sim_peek (fixture.sim, name, first_bytes, block, sizeof block);
    disk_sim_overwrite (fixture.sim, name, second_bytes, block, sizeof block);

    assert_int_equal (fixture_try_open (&fixture), BATON_DAMAGED);
    assert_int_equal (fixture.report.problem.offset_bytes, second_bytes);
    fixture_fini (&fixture);
}

// A body that was made to look like a batch: all that a stranger may know is the group.
static void
body_that_looks_like_a_batch_is_none (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    char name[LAYOUT_NAME_MAX_BYTES];
    uint8_t fake[DISK_BLOCK_BYTES];
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture_newest_name (&fixture, name);
    const uint64_t torn_bytes = fixture_end_bytes (&fixture);
    assert_int_equal (fixture_try_append (&fixture, 3, 4000), BATON_OK);
    fixture_kill (&fixture);
    const struct batch_head head = {
        .generation = fixture.report.generation,
        .segment_number = layout_name_number (name),
        .offset_bytes = torn_bytes + DISK_BLOCK_BYTES,
        .batch_number = 2,
        .first_index = { 4 },
        .front_number = 1,
    };
    layout_put_batch (head, fixture.options.group, 0, fake);
    disk_sim_overwrite (fixture.sim, name, torn_bytes + DISK_BLOCK_BYTES, fake, sizeof fake);

    fixture_open (&fixture);
    assert_int_equal (fixture.last_index, 0);
    assert_true (fixture.report.cut_bytes > 0);
    fixture_fini (&fixture);
}

// Seals a batch again after [change] has been added to the byte at [at] of its first record.
static void
forge_batch (struct journal_fixture *fixture, const char *name, uint64_t offset_bytes, size_t at,
             uint8_t change)
{
    uint8_t batch[DISK_BLOCK_BYTES];
    struct batch_head head;
    (void) disk_sim_peek (fixture->sim, name, offset_bytes, batch, sizeof batch);
    assert_true (layout_get_batch_head (batch, fixture->report.group, sizeof batch, &head));
    batch[LAYOUT_BATCH_HEAD_BYTES + at] = (uint8_t) (batch[LAYOUT_BATCH_HEAD_BYTES + at] + change);
    layout_put_batch (head, fixture->report.group, layout_seed (fixture->report.identity), batch);
    disk_sim_overwrite (fixture->sim, name, offset_bytes, batch, sizeof batch);
}

static void
record_that_breaks_a_rule_inside_an_intact_batch_is_damage (void **state)
{
    (void) state;
    // A longer length, an older epoch, another index, another chain.
    static const struct { size_t at; uint8_t change; } faults[] = {
        { 0, 1 }, { 8, UINT8_MAX }, { 16, 1 }, { 24, 1 },
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct journal_fixture fixture;
        char name[LAYOUT_NAME_MAX_BYTES];
        fixture_init (&fixture, 1);
        fixture_open (&fixture);
        fixture_newest_name (&fixture, name);
        fixture_append (&fixture, 1, 100);
        const uint64_t offset_bytes = fixture_end_bytes (&fixture);
        fixture_append (&fixture, 1, 100);
        fixture_kill (&fixture);
        forge_batch (&fixture, name, offset_bytes, faults[i].at, faults[i].change);

        assert_int_equal (fixture_try_open (&fixture), BATON_DAMAGED);
        assert_int_equal (fixture.report.problem.fault, JOURNAL_FAULT_RECORD);
        assert_int_equal (fixture.report.problem.offset_bytes, offset_bytes);
        assert_int_equal (fixture.report.problem.first_index.n, 2);
        fixture_fini (&fixture);
    }
}

// A flipped bit may be found, or hit what does not count, or the one batch that is not closed;
// it never changes a record, and never hides one that a later batch follows.
static void
random_rot_is_never_read_as_a_record (void **state)
{
    (void) state;
    const uint64_t seed = fixture_seed (1);
    for (uint64_t i = 0; i < 2000; i++) {
        struct journal_fixture fixture;
        char name[LAYOUT_NAME_MAX_BYTES];
        fixture_init (&fixture, seed + i);
        fixture_open (&fixture);
        for (size_t j = 0; j < 6; j++) {
            fixture_append (&fixture, 3, 700);
        }
        fixture_close_batch (&fixture);
        fixture_newest_name (&fixture, name);
        const uint64_t size_bytes = disk_sim_peek (fixture.sim, name, 0, NULL, 0);
        fixture_crash (&fixture);
        disk_sim_flip (fixture.sim, name, disk_sim_random (fixture.sim) % size_bytes, 1);

        const enum baton_err error = fixture_try_open (&fixture);
        assert_true (error == BATON_OK || error == BATON_DAMAGED);
        if (error == BATON_OK) {
            fixture_check (&fixture);
        }
        fixture_fini (&fixture);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (rot_in_any_byte_of_the_last_but_one_batch_is_damage),
        cmocka_unit_test (rot_in_any_byte_of_a_closed_last_batch_is_damage),
        cmocka_unit_test (rot_at_the_end_of_a_segment_that_is_continued_is_damage),
        cmocka_unit_test (lost_write_under_a_later_batch_is_damage),
        cmocka_unit_test (batch_in_the_place_of_another_is_damage),
        cmocka_unit_test (body_that_looks_like_a_batch_is_none),
        cmocka_unit_test (record_that_breaks_a_rule_inside_an_intact_batch_is_damage),
        cmocka_unit_test (random_rot_is_never_read_as_a_record),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
