// SPDX-License-Identifier: MPL-2.0
// Goal: after any end of the process every promised record comes back, a torn tail is cut and
// told, and what rot has changed is never taken for a torn tail.
// Method: crashes and kills of the disk in memory at every call, in writing and in recovery;
// thousands of random lives; bits flipped in every byte of batches that are not the last.
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/record_head.h"
#include "tests/support/journal_fixture.h"

static void
newest_name (const struct journal_fixture *fixture, char name[LAYOUT_NAME_MAX_BYTES])
{
    struct journal_status status;
    struct journal_segment segment;
    journal_status (fixture->journal, &status);
    journal_segment_at (fixture->journal, status.segment_count - 1, &segment);
    layout_segment_name (segment.number, name);
}

// Where the next batch of the newest segment will be.
static uint64_t
end_bytes (const struct journal_fixture *fixture)
{
    struct journal_status status;
    struct journal_segment segment;
    journal_status (fixture->journal, &status);
    journal_segment_at (fixture->journal, status.segment_count - 1, &segment);
    return segment.file_bytes - status.room_bytes;
}

static void
torn_tail_is_cut_and_reported (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    char name[LAYOUT_NAME_MAX_BYTES];
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture_append (&fixture, 3, 100);
    newest_name (&fixture, name);
    const uint64_t torn_bytes = end_bytes (&fixture);
    assert_int_equal (fixture_try_append (&fixture, 4, 3000), BATON_OK);
    fixture_kill (&fixture);
    disk_sim_flip (fixture.sim, name, torn_bytes + 9000, 1);

    fixture_open (&fixture);

    assert_int_equal (fixture.last_index, 3);
    assert_int_equal (fixture.report.cut_segment_number, layout_name_number (name));
    assert_int_equal (fixture.report.cut_offset_bytes, torn_bytes);
    assert_int_equal (fixture.report.cut_bytes, layout_batch_bytes (4 * 3000));
    fixture_fini (&fixture);
}

static void
whole_batch_of_a_killed_process_is_kept (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    assert_int_equal (fixture_try_append (&fixture, 4, 3000), BATON_OK);
    fixture_kill (&fixture);

    fixture_open (&fixture);

    assert_int_equal (fixture.last_index, 4);
    assert_int_equal (fixture.report.rewritten_count, 4);
    fixture_fini (&fixture);
}

static void
what_open_has_shown_survives_the_next_crash (void **state)
{
    (void) state;
    for (uint64_t i = 1; i <= 200; i++) {
        struct journal_fixture fixture;
        fixture_init (&fixture, i);
        fixture_open (&fixture);
        fixture_append (&fixture, 2, 500);
        assert_int_equal (fixture_try_append (&fixture, 4, 3000), BATON_OK);
        fixture_kill (&fixture);

        // The fixture takes all that a replay has shown for promised.
        fixture_open (&fixture);
        assert_int_equal (fixture.promised_index, 6);
        fixture_crash (&fixture);
        fixture_open (&fixture);
        fixture_fini (&fixture);
    }
}

static void
closed_log_is_not_written_again (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture_append (&fixture, 4, 3000);
    fixture_close_batch (&fixture);
    fixture_crash (&fixture);

    fixture_open (&fixture);

    assert_int_equal (fixture.report.rewritten_count, 0);
    assert_int_equal (fixture.report.commit_index.n, 4);
    fixture_close (&fixture);
    fixture_open (&fixture);
    assert_int_equal (fixture.report.rewritten_count, 0);
    fixture_fini (&fixture);
}

static void
idle_starts_leave_no_files_behind (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture_append (&fixture, 1, 100);
    for (size_t i = 0; i < 20; i++) {
        fixture_kill (&fixture);
        fixture_open (&fixture);
    }

    assert_in_range (disk_sim_file_count (fixture.sim), 2, 3);
    fixture_fini (&fixture);
}

static void
starts_give_back_the_unused_end_of_the_segment_before (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    struct journal_segment segment;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture_append (&fixture, 1, 100);
    fixture_append (&fixture, 1, 100);
    fixture_kill (&fixture);
    fixture_open (&fixture);

    journal_segment_at (fixture.journal, 0, &segment);
    assert_int_equal (segment.last_index.n, 1);
    assert_int_equal (segment.file_bytes, 2 * DISK_BLOCK_BYTES);
    fixture_fini (&fixture);
}

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
    newest_name (&fixture, name);
    const uint64_t from_bytes = end_bytes (&fixture);
    fixture_append (&fixture, 3, 2000);
    const uint64_t to_bytes = end_bytes (&fixture);
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
    newest_name (&fixture, name);
    const uint64_t from_bytes = end_bytes (&fixture);
    fixture_append (&fixture, 2, 100);
    const uint64_t to_bytes = end_bytes (&fixture);
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
    newest_name (&fixture, name);
    const uint64_t lost_bytes = end_bytes (&fixture);
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
    newest_name (&fixture, name);
    const uint64_t first_bytes = end_bytes (&fixture);
    fixture_append (&fixture, 1, 100);
    const uint64_t second_bytes = end_bytes (&fixture);
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
    newest_name (&fixture, name);
    const uint64_t torn_bytes = end_bytes (&fixture);
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
        newest_name (&fixture, name);
        fixture_append (&fixture, 1, 100);
        const uint64_t offset_bytes = end_bytes (&fixture);
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

static void
commit_index_inside_a_batch_divides_it (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    struct journal_segment segment;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture.commit_lag = 3;
    fixture_append (&fixture, 6, 100);
    fixture_append (&fixture, 1, 100);
    fixture_kill (&fixture);

    fixture_open (&fixture);
    assert_int_equal (fixture.report.commit_index.n, 3);
    assert_int_equal (fixture.report.rewritten_count, 4);
    journal_segment_at (fixture.journal, 0, &segment);
    assert_int_equal (segment.last_index.n, 3);
    fixture_append (&fixture, 1, 100);
    fixture_crash (&fixture);
    fixture_open (&fixture);
    assert_int_equal (fixture.last_index, 8);
    fixture_fini (&fixture);
}

static void
commit_index_ahead_of_the_disk_is_not_recorded (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    struct journal_status status;
    uint8_t bytes[RECORD_HEAD_BYTES];
    const struct baton_bytes record = { bytes, sizeof bytes };
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    record_head_write ((struct record_head) { .length_bytes = sizeof bytes, .index = { 1 } }, bytes);

    assert_int_equal (journal_append (fixture.journal, &record, 1, (struct log_index) { 9 }),
                      BATON_OK);
    journal_status (fixture.journal, &status);
    assert_int_equal (status.commit_index.n, 0);
    fixture_kill (&fixture);
    assert_int_equal (fixture_try_open (&fixture), BATON_OK);
    assert_int_equal (fixture.report.rewritten_count, 1);
    fixture_fini (&fixture);
}

static void
long_tail_is_written_anew_in_one_larger_segment (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    struct journal_status status;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture.commit_lag = 1000;
    for (size_t i = 0; i < 60; i++) {
        fixture_append (&fixture, 3, 3000);
    }
    fixture_crash (&fixture);

    fixture_open (&fixture);
    assert_int_equal (fixture.report.rewritten_count, 180);
    journal_status (fixture.journal, &status);
    assert_int_equal (status.segment_count, 1);
    assert_true (status.file_bytes > 180 * 3000);
    fixture_crash (&fixture);
    fixture_open (&fixture);
    fixture_fini (&fixture);
}

static void
drop_that_was_stopped_is_ended_by_the_next_start (void **state)
{
    (void) state;
    for (uint64_t i = 1; i <= 60; i++) {
        struct journal_fixture fixture;
        struct journal_segment fourth;
        fixture_init (&fixture, i);
        fixture_open (&fixture);
        for (size_t j = 0; j < 60; j++) {
            fixture_append (&fixture, 1, 5000);
        }
        fixture_close_batch (&fixture);
        journal_segment_at (fixture.journal, 3, &fourth);
        disk_sim_stop_at (fixture.sim, 1 + i % 10);
        const enum baton_err error = journal_drop_front (fixture.journal, fourth.first_index);
        fixture_crash (&fixture);

        fixture_open (&fixture);
        const bool dropped = fixture.report.first_index.n == fourth.first_index.n;
        assert_true (dropped || fixture.report.first_index.n == 1);
        // The third call is the first removal: by then the log has said what goes.
        assert_true (dropped || 1 + i % 10 < 3);
        assert_true (error == BATON_OK || error == BATON_DISK);
        fixture_fini (&fixture);
    }
}

static void
cut_records_never_come_back (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    char name[LAYOUT_NAME_MAX_BYTES];
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture_append (&fixture, 2, 100);
    newest_name (&fixture, name);
    const uint64_t torn_bytes = end_bytes (&fixture);
    assert_int_equal (fixture_try_append (&fixture, 2, 100), BATON_OK);
    fixture_kill (&fixture);
    disk_sim_flip (fixture.sim, name, torn_bytes + 200, 1);
    fixture_open (&fixture);
    fixture_append (&fixture, 1, 100);
    fixture_kill (&fixture);

    // Even whole again, the batch is superseded.
    if (disk_sim_peek (fixture.sim, name, 0, NULL, 0) > torn_bytes + 200) {
        disk_sim_flip (fixture.sim, name, torn_bytes + 200, 1);
    }
    fixture_open (&fixture);
    assert_int_equal (fixture.last_index, 3);
    fixture_fini (&fixture);
}

static void
after_a_failed_sync_the_disk_is_believed_not_the_cache (void **state)
{
    (void) state;
    for (uint64_t i = 1; i <= 200; i++) {
        struct journal_fixture fixture;
        fixture_init (&fixture, i);
        fixture_open (&fixture);
        fixture_append (&fixture, 2, 500);
        assert_int_equal (fixture_try_append (&fixture, 3, 5000), BATON_OK);
        disk_sim_fail_sync_at (fixture.sim, 1);
        assert_int_equal (journal_sync (fixture.journal), BATON_DISK);
        fixture_kill (&fixture);

        // What is shown now must survive, whatever the cache had.
        fixture_open (&fixture);
        fixture_crash (&fixture);
        fixture_open (&fixture);
        fixture_fini (&fixture);
    }
}

// A store with a tail that is uncertain in several ways.
static void
make_messy (struct journal_fixture *fixture, uint64_t seed)
{
    fixture_init (fixture, seed);
    fixture_open (fixture);
    for (size_t i = 0; i < 14; i++) {
        fixture_append (fixture, 1 + i % 3, 2000);
    }
    fixture_crash (fixture);
    fixture_open (fixture);
    fixture_append (fixture, 2, 3000);
    assert_int_equal (fixture_try_append (fixture, 5, 3000), BATON_OK);
    fixture_kill (fixture);
}

static void
stop_at_any_call_of_recovery_and_recover_again (void **state)
{
    (void) state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        for (uint64_t i = 1; ; i++) {
            struct journal_fixture fixture;
            make_messy (&fixture, seed * 1000 + i);
            disk_sim_stop_at (fixture.sim, i);
            const enum baton_err error = fixture_try_open (&fixture);
            if (i % 3) {
                fixture_crash (&fixture);
            } else {
                fixture_kill (&fixture);
            }
            fixture_open (&fixture);
            fixture_append (&fixture, 1, 100);
            fixture_crash (&fixture);
            fixture_open (&fixture);
            fixture_fini (&fixture);
            if (error == BATON_OK) break;
        }
    }
}

static void
recovery_stopped_at_any_call_shows_the_same_records (void **state)
{
    (void) state;
    for (uint64_t i = 1; ; i++) {
        struct journal_fixture fixture;
        make_messy (&fixture, 7);
        // Settled once: from here on all is certain, so all recoveries must agree.
        disk_sim_crash (fixture.sim);
        struct disk_sim *same = disk_sim_copy (fixture.sim, 1);
        fixture_open (&fixture);
        const uint64_t last_index = fixture.last_index;
        fixture_close (&fixture);
        disk_sim_free (fixture.sim);
        fixture.sim = same;

        disk_sim_stop_at (fixture.sim, i);
        const enum baton_err error = fixture_try_open (&fixture);
        fixture_crash (&fixture);
        fixture_open (&fixture);
        assert_int_equal (fixture.last_index, last_index);
        fixture_fini (&fixture);
        if (error == BATON_OK) break;
    }
}

static enum baton_err
random_step (struct journal_fixture *fixture)
{
    const uint64_t draw = disk_sim_random (fixture->sim);
    const struct log_index durable = journal_durable_index (fixture->journal);
    const struct log_index pinned = { draw >> 8 & 1 ? durable.n / 2 : durable.n };
    if (draw % 16 == 0) return journal_drop_front (fixture->journal, pinned);
    if (draw % 16 == 1) return journal_prepare (fixture->journal);
    if (draw % 16 <= 4) return journal_close_batch (fixture->journal, fixture_commit (fixture));
    const size_t count = 1 + (size_t) (draw >> 16) % 6;
    const size_t size_bytes = 40 + (size_t) (draw >> 24) % 2600;
    enum baton_err error = fixture_try_append (fixture, count, size_bytes);
    if (error != BATON_OK) return error;
    error = journal_sync (fixture->journal);
    if (error == BATON_OK) {
        fixture->promised_index = fixture->last_index;
    }
    return error;
}

// One process: opens, works, and ends at a drawn call.
static void
random_process (struct journal_fixture *fixture)
{
    disk_sim_stop_at (fixture->sim, 1 + disk_sim_random (fixture->sim) % 90);
    fixture->commit_lag = disk_sim_random (fixture->sim) % 4 * 3;
    enum baton_err error = fixture_try_open (fixture);
    while (error == BATON_OK) {
        error = random_step (fixture);
    }
    assert_int_equal (error, BATON_DISK);
    if (disk_sim_random (fixture->sim) % 2) {
        fixture_crash (fixture);
    } else {
        fixture_kill (fixture);
    }
    fixture_open (fixture);
    fixture_close (fixture);
}

static void
random_lives_keep_every_promise (void **state)
{
    (void) state;
    const uint64_t seed = fixture_seed (1);
    for (uint64_t i = 0; i < 3000; i++) {
        struct journal_fixture fixture;
        fixture_init (&fixture, seed + i);
        for (size_t j = 0; j < 4; j++) {
            random_process (&fixture);
        }
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
        newest_name (&fixture, name);
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
        cmocka_unit_test (torn_tail_is_cut_and_reported),
        cmocka_unit_test (whole_batch_of_a_killed_process_is_kept),
        cmocka_unit_test (what_open_has_shown_survives_the_next_crash),
        cmocka_unit_test (closed_log_is_not_written_again),
        cmocka_unit_test (idle_starts_leave_no_files_behind),
        cmocka_unit_test (starts_give_back_the_unused_end_of_the_segment_before),
        cmocka_unit_test (rot_in_any_byte_of_the_last_but_one_batch_is_damage),
        cmocka_unit_test (rot_in_any_byte_of_a_closed_last_batch_is_damage),
        cmocka_unit_test (rot_at_the_end_of_a_segment_that_is_continued_is_damage),
        cmocka_unit_test (lost_write_under_a_later_batch_is_damage),
        cmocka_unit_test (batch_in_the_place_of_another_is_damage),
        cmocka_unit_test (body_that_looks_like_a_batch_is_none),
        cmocka_unit_test (record_that_breaks_a_rule_inside_an_intact_batch_is_damage),
        cmocka_unit_test (commit_index_inside_a_batch_divides_it),
        cmocka_unit_test (commit_index_ahead_of_the_disk_is_not_recorded),
        cmocka_unit_test (long_tail_is_written_anew_in_one_larger_segment),
        cmocka_unit_test (drop_that_was_stopped_is_ended_by_the_next_start),
        cmocka_unit_test (cut_records_never_come_back),
        cmocka_unit_test (after_a_failed_sync_the_disk_is_believed_not_the_cache),
        cmocka_unit_test (stop_at_any_call_of_recovery_and_recover_again),
        cmocka_unit_test (recovery_stopped_at_any_call_shows_the_same_records),
        cmocka_unit_test (random_lives_keep_every_promise),
        cmocka_unit_test (random_rot_is_never_read_as_a_record),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
