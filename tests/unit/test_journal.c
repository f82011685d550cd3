// SPDX-License-Identifier: MPL-2.0
// Goal: the journal does what its header says while nothing crashes.
// Method: small segments on the disk in memory, whose calls are counted and made to fail; every
// allocation and every call of the disk is failed once.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/record_head.h"
#include "tests/support/journal_fixture.h"

#define RECORD_BYTES 100u

static void
records_come_back_in_order_over_many_segments (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);

    for (size_t i = 0; i < 100; i++) {
        fixture_append (&fixture, 1 + i % 7, RECORD_BYTES + 61 * i % 1500);
    }
    fixture_check (&fixture);
    struct journal_status status;
    journal_status (fixture.journal, &status);
    assert_true (status.segment_count > 5);

    fixture_close (&fixture);
    fixture_open (&fixture);
    assert_int_equal (fixture.report.cut_bytes, 0);
    fixture_fini (&fixture);
}

static void
many_records_are_one_write_and_one_sync (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    const struct disk_sim_counts before = disk_sim_counts (fixture.sim);

    fixture_append (&fixture, 60, RECORD_BYTES);

    const struct disk_sim_counts after = disk_sim_counts (fixture.sim);
    assert_int_equal (after.writes - before.writes, 1);
    assert_int_equal (after.syncs - before.syncs, 1);
    assert_int_equal (after.calls - before.calls, 2);
    fixture_fini (&fixture);
}

static void
records_are_durable_after_sync_alone (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);

    assert_int_equal (fixture_try_append (&fixture, 3, RECORD_BYTES), BATON_OK);
    assert_int_equal (journal_durable_index (fixture.journal).n, 0);
    assert_int_equal (journal_sync (fixture.journal), BATON_OK);
    assert_int_equal (journal_durable_index (fixture.journal).n, 3);
    fixture_fini (&fixture);
}

static void
batch_above_the_limit_is_refused_whole (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    const size_t half_bytes = FIXTURE_BATCH_MAX_BYTES / 2;

    assert_int_equal (journal_reserve (fixture.journal, FIXTURE_BATCH_MAX_BYTES + 1),
                      BATON_TOO_LARGE);
    assert_int_equal (fixture_try_append (&fixture, 2, half_bytes + 1), BATON_TOO_LARGE);
    fixture_append (&fixture, 2, half_bytes);
    fixture_check (&fixture);
    fixture_fini (&fixture);
}

static void
second_batch_before_the_sync_is_our_fault (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    assert_int_equal (fixture_try_append (&fixture, 1, RECORD_BYTES), BATON_OK);

    struct baton_bytes none = { "", 0 };
    expect_assert_failure ((void) !journal_append (fixture.journal, &none, 1,
                                                   (struct log_index) { 0 }));
    fixture_fini (&fixture);
}

static void
record_that_does_not_continue_the_chain_is_our_fault (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture_append (&fixture, 1, RECORD_BYTES);

    uint8_t bytes[RECORD_HEAD_BYTES];
    record_head_write ((struct record_head) { .length_bytes = sizeof bytes, .index = { 2 },
                                              .chain = 1 }, bytes);
    struct baton_bytes record = { bytes, sizeof bytes };
    expect_assert_failure ((void) !journal_append (fixture.journal, &record, 1,
                                                   (struct log_index) { 0 }));
    fixture_fini (&fixture);
}

static void
expect_stopped (struct journal_fixture *fixture)
{
    const struct log_index index = { 1 };
    const struct record_visitor visitor = { NULL, NULL };
    struct baton_bytes none = { "", 0 };
    assert_int_equal (journal_append (fixture->journal, &none, 1, index), BATON_DISK);
    assert_int_equal (journal_sync (fixture->journal), BATON_DISK);
    assert_int_equal (journal_reserve (fixture->journal, 1), BATON_DISK);
    assert_int_equal (journal_prepare (fixture->journal), BATON_DISK);
    assert_int_equal (journal_close_batch (fixture->journal, index), BATON_DISK);
    assert_int_equal (journal_drop_front (fixture->journal, index), BATON_DISK);
    assert_int_equal (journal_replay (fixture->journal, &visitor), BATON_DISK);
    assert_int_equal (journal_problem_view (fixture->journal)->fault, JOURNAL_FAULT_DISK_CALL);
}

static void
failed_write_stops_every_later_call (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    disk_sim_fail_at (fixture.sim, 1, BATON_DISK);

    assert_int_equal (fixture_try_append (&fixture, 1, RECORD_BYTES), BATON_DISK);
    expect_stopped (&fixture);
    fixture_fini (&fixture);
}

static void
failed_sync_stops_every_later_call (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    assert_int_equal (fixture_try_append (&fixture, 1, RECORD_BYTES), BATON_OK);
    disk_sim_fail_sync_at (fixture.sim, 1);

    assert_int_equal (journal_sync (fixture.journal), BATON_DISK);
    assert_int_equal (journal_durable_index (fixture.journal).n, 0);
    expect_stopped (&fixture);
    fixture_fini (&fixture);
}

static void
full_disk_is_told_by_reserve_before_work_is_accepted (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    disk_sim_set_total (fixture.sim, 2 * FIXTURE_SEGMENT_BYTES);
    uint64_t written = 0;

    // The rest of the segment may be used, then work is refused, and nothing was lost.
    while (journal_reserve (fixture.journal, 4000) == BATON_OK) {
        fixture_append (&fixture, 1, 4000);
        written++;
    }
    assert_in_range (written, 2, FIXTURE_SEGMENT_BYTES / 4096);
    const struct journal_problem *problem = journal_problem_view (fixture.journal);
    assert_int_equal (problem->fault, JOURNAL_FAULT_SPACE);
    assert_true (problem->value < problem->limit);
    assert_int_equal (fixture_try_append (&fixture, 1, 4000), BATON_DISK_FULL);
    assert_int_equal (journal_prepare (fixture.journal), BATON_OK);
    fixture_check (&fixture);

    disk_sim_set_total (fixture.sim, 3 * FIXTURE_SEGMENT_BYTES);
    assert_int_equal (journal_reserve (fixture.journal, 4000), BATON_OK);
    fixture_append (&fixture, 1, 4000);
    fixture_fini (&fixture);
}

static void
reserved_batch_is_written_though_the_disk_became_full (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);

    for (size_t i = 0; i < 20; i++) {
        disk_sim_set_total (fixture.sim, 0);
        assert_int_equal (journal_reserve (fixture.journal, 5 * 3000), BATON_OK);
        disk_sim_set_total (fixture.sim, 1);
        fixture_append (&fixture, 5, 3000);
        fixture_close_batch (&fixture);
    }
    fixture_check (&fixture);
    fixture_fini (&fixture);
}

static void
prepared_segment_makes_the_change_to_it_cheap (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    struct journal_status status;
    do {
        fixture_append (&fixture, 1, 4000);
        assert_int_equal (journal_prepare (fixture.journal), BATON_OK);
        journal_status (fixture.journal, &status);
    } while (status.room_bytes > 4 * 4096);
    const struct disk_sim_counts before = disk_sim_counts (fixture.sim);

    fixture_append (&fixture, 4, 4000);

    // Head, name and batch; no zeros.
    const struct disk_sim_counts after = disk_sim_counts (fixture.sim);
    assert_int_equal (after.writes - before.writes, 2);
    fixture_check (&fixture);
    fixture_fini (&fixture);
}

static void
closing_batch_is_written_once (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture_append (&fixture, 1, RECORD_BYTES);
    const struct disk_sim_counts before = disk_sim_counts (fixture.sim);

    fixture_close_batch (&fixture);
    fixture_close_batch (&fixture);

    const struct disk_sim_counts after = disk_sim_counts (fixture.sim);
    assert_int_equal (after.writes - before.writes, 1);
    assert_int_equal (after.syncs - before.syncs, 1);
    fixture_fini (&fixture);
}

static void
every_batch_leaves_room_for_the_one_that_closes_it (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    struct journal_status status;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);

    for (size_t i = 0; i < 200; i++) {
        fixture_append (&fixture, 1, 40 + 997 * i % 14000);
        fixture_close_batch (&fixture);
        journal_status (fixture.journal, &status);
        assert_int_equal (status.commit_index.n, status.last_index.n);
    }
    fixture_fini (&fixture);
}

static void
fill_segments (struct journal_fixture *fixture, size_t count)
{
    struct journal_status status;
    do {
        fixture_append (fixture, 2, 3000);
        journal_status (fixture->journal, &status);
    } while (status.segment_count < count);
    fixture_close_batch (fixture);
}

static void
front_is_dropped_up_to_the_pinned_record (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fill_segments (&fixture, 5);
    struct journal_segment second, third;
    journal_segment_at (fixture.journal, 1, &second);
    journal_segment_at (fixture.journal, 2, &third);

    assert_int_equal (journal_drop_front (fixture.journal, third.first_index), BATON_OK);

    struct journal_status status;
    journal_status (fixture.journal, &status);
    assert_int_equal (status.segment_count, 3);
    assert_int_equal (status.first_index.n, third.first_index.n);
    assert_int_equal (status.first_index.n, second.last_index.n + 1);
    fixture_check (&fixture);
    fixture_crash (&fixture);
    fixture_open (&fixture);
    assert_int_equal (fixture.report.first_index.n, third.first_index.n);
    fixture_fini (&fixture);
}

static void
segment_with_the_pinned_record_stays (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fill_segments (&fixture, 4);
    struct journal_segment first;
    struct journal_status status;
    journal_segment_at (fixture.journal, 0, &first);

    assert_int_equal (journal_drop_front (fixture.journal, first.last_index), BATON_OK);

    journal_status (fixture.journal, &status);
    assert_int_equal (status.segment_count, 4);
    fixture_fini (&fixture);
}

static void
newest_segment_stays_when_nothing_is_pinned (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fill_segments (&fixture, 4);
    struct journal_status status;

    assert_int_equal (journal_drop_front (fixture.journal, (struct log_index) { UINT64_MAX }),
                      BATON_OK);

    journal_status (fixture.journal, &status);
    assert_int_equal (status.segment_count, 1);
    assert_int_equal (status.last_index.n, fixture.last_index);
    fixture_append (&fixture, 1, RECORD_BYTES);
    fixture_kill (&fixture);
    fixture_open (&fixture);
    fixture_fini (&fixture);
}

static void
records_that_are_not_yet_safe_are_not_dropped (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    uint8_t bytes[3000] = { 0 };
    const struct baton_bytes record = { bytes, sizeof bytes };
    uint64_t chain = 0;
    for (uint64_t i = 1; i <= 60; i++) {
        record_head_write ((struct record_head) { .length_bytes = sizeof bytes, .index = { i },
                                                  .chain = chain }, bytes);
        chain = layout_chain (bytes, sizeof bytes);
        assert_int_equal (journal_append (fixture.journal, &record, 1, (struct log_index) { 2 }),
                          BATON_OK);
        assert_int_equal (journal_sync (fixture.journal), BATON_OK);
    }

    assert_int_equal (journal_drop_front (fixture.journal, (struct log_index) { 50 }), BATON_OK);

    struct journal_status status;
    journal_status (fixture.journal, &status);
    assert_int_equal (status.commit_index.n, 2);
    assert_int_equal (status.first_index.n, 1);
    fixture_fini (&fixture);
}

static void
sizes_that_do_not_fit_are_refused (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture.options.segment_bytes = FIXTURE_BATCH_MAX_BYTES;

    assert_int_equal (fixture_try_open (&fixture), BATON_BAD_ARGUMENT);
    assert_int_equal (fixture.report.problem.fault, JOURNAL_FAULT_OPTION);
    fixture.options.segment_bytes = UINT64_MAX;
    assert_int_equal (fixture_try_open (&fixture), BATON_BAD_ARGUMENT);
    fixture_fini (&fixture);
}

static enum baton_err
refuse (void *context, struct baton_bytes record)
{
    (void) record;
    ++*(int *) context;
    return BATON_BUSY;
}

static void
visitor_stops_the_replay (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    int calls = 0;
    const struct record_visitor visitor = { refuse, &calls };
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture_append (&fixture, 3, RECORD_BYTES);

    assert_int_equal (journal_replay (fixture.journal, &visitor), BATON_BUSY);
    assert_int_equal (calls, 1);
    fixture_fini (&fixture);
}

// A life of a journal that stops at the first error.
static enum baton_err
live (struct journal_fixture *fixture)
{
    enum baton_err error = fixture_try_open (fixture);
    for (size_t i = 0; i < 24 && error == BATON_OK; i++) {
        error = journal_reserve (fixture->journal, 4 * 3000);
        if (error != BATON_OK) break;
        error = fixture_try_append (fixture, 4, 3000);
        if (error != BATON_OK) break;
        error = journal_sync (fixture->journal);
        if (error != BATON_OK) break;
        fixture->promised_index = fixture->last_index;
        error = journal_close_batch (fixture->journal, journal_durable_index (fixture->journal));
        if (error != BATON_OK) break;
        error = i == 20 ? journal_drop_front (fixture->journal, (struct log_index) { 30 })
                        : journal_prepare (fixture->journal);
    }
    return error;
}

static void
no_memory_loses_nothing_and_leaks_nothing (void **state)
{
    (void) state;
    size_t failures = 0;
    for (size_t i = 1; ; i++) {
        struct journal_fixture fixture;
        fixture_init (&fixture, i);
        memory_fail_init (&fixture.memory, i);
        const enum baton_err error = live (&fixture);
        const bool failed = fixture.memory.failed;
        assert_int_equal (error, failed ? BATON_NO_MEMORY : BATON_OK);
        fixture_crash (&fixture);
        memory_fail_expect_clean (&fixture.memory);
        memory_fail_init (&fixture.memory, 0);
        fixture_open (&fixture);
        fixture_fini (&fixture);
        if (!failed) break;
        failures++;
    }
    assert_true (failures >= 5);
}

static void
no_failed_call_of_the_disk_loses_what_was_promised (void **state)
{
    (void) state;
    static const enum baton_err errors[] = { BATON_DISK, BATON_DISK_FULL, BATON_READ_ONLY };
    for (uint64_t i = 1; ; i++) {
        struct journal_fixture fixture;
        fixture_init (&fixture, i);
        disk_sim_fail_at (fixture.sim, i, errors[i % 3]);
        const uint64_t before = disk_sim_counts (fixture.sim).calls;
        const enum baton_err error = live (&fixture);
        const uint64_t calls = disk_sim_counts (fixture.sim).calls - before;
        if (i % 2) {
            fixture_crash (&fixture);
        } else {
            fixture_kill (&fixture);
        }
        fixture_open (&fixture);
        fixture_fini (&fixture);
        // A full disk may be no error, but no call was failed only when all were made.
        if (error == BATON_OK && i > calls) break;
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (records_come_back_in_order_over_many_segments),
        cmocka_unit_test (many_records_are_one_write_and_one_sync),
        cmocka_unit_test (records_are_durable_after_sync_alone),
        cmocka_unit_test (batch_above_the_limit_is_refused_whole),
        cmocka_unit_test (second_batch_before_the_sync_is_our_fault),
        cmocka_unit_test (record_that_does_not_continue_the_chain_is_our_fault),
        cmocka_unit_test (failed_write_stops_every_later_call),
        cmocka_unit_test (failed_sync_stops_every_later_call),
        cmocka_unit_test (full_disk_is_told_by_reserve_before_work_is_accepted),
        cmocka_unit_test (reserved_batch_is_written_though_the_disk_became_full),
        cmocka_unit_test (prepared_segment_makes_the_change_to_it_cheap),
        cmocka_unit_test (closing_batch_is_written_once),
        cmocka_unit_test (every_batch_leaves_room_for_the_one_that_closes_it),
        cmocka_unit_test (front_is_dropped_up_to_the_pinned_record),
        cmocka_unit_test (segment_with_the_pinned_record_stays),
        cmocka_unit_test (newest_segment_stays_when_nothing_is_pinned),
        cmocka_unit_test (records_that_are_not_yet_safe_are_not_dropped),
        cmocka_unit_test (sizes_that_do_not_fit_are_refused),
        cmocka_unit_test (visitor_stops_the_replay),
        cmocka_unit_test (no_memory_loses_nothing_and_leaks_nothing),
        cmocka_unit_test (no_failed_call_of_the_disk_loses_what_was_promised),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
