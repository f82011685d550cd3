// SPDX-License-Identifier: MPL-2.0
// Goal: after any end of the process every promised record comes back, and a torn tail is cut and
// told.
// Method: crashes and kills of the disk in memory at every call, in writing and in recovery, and
// thousands of random lives; the fixture compares each replay with all that was promised.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/record_head.h"
#include "tests/support/journal_fixture.h"

static void
torn_tail_is_cut_and_reported (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    char name[LAYOUT_NAME_MAX_BYTES];
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture_append (&fixture, 3, 100);
    fixture_newest_name (&fixture, name);
    const uint64_t torn_bytes = fixture_end_bytes (&fixture);
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
    const struct record_head first = { .length_bytes = sizeof bytes, .index = { 1 } };
    record_head_write (first, bytes);

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
    fixture_newest_name (&fixture, name);
    const uint64_t torn_bytes = fixture_end_bytes (&fixture);
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
        cmocka_unit_test (commit_index_inside_a_batch_divides_it),
        cmocka_unit_test (commit_index_ahead_of_the_disk_is_not_recorded),
        cmocka_unit_test (long_tail_is_written_anew_in_one_larger_segment),
        cmocka_unit_test (drop_that_was_stopped_is_ended_by_the_next_start),
        cmocka_unit_test (cut_records_never_come_back),
        cmocka_unit_test (after_a_failed_sync_the_disk_is_believed_not_the_cache),
        cmocka_unit_test (stop_at_any_call_of_recovery_and_recover_again),
        cmocka_unit_test (recovery_stopped_at_any_call_shows_the_same_records),
        cmocka_unit_test (random_lives_keep_every_promise),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
