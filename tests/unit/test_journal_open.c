// SPDX-License-Identifier: MPL-2.0
// Goal: every directory that is not a whole store of ours is told apart, by its own error code
// and the facts a message needs, and is left as it was.
// Method: stores on the disk in memory, changed by hand before they are opened.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "broker/core/little.h"
#include "tests/support/journal_fixture.h"

static const struct id other = { 1, 2 };

static void
empty_directory_is_no_store (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    struct disk_sim *formatted = fixture.sim;
    fixture.sim = disk_sim_new (1);

    assert_int_equal (fixture_try_open (&fixture), BATON_NO_STORE);
    assert_int_equal (fixture.report.problem.fault, JOURNAL_FAULT_NO_STORE);
    assert_int_equal (disk_sim_file_count (fixture.sim), 0);
    disk_sim_free (formatted);
    fixture_fini (&fixture);
}

static void
new_store_is_empty_and_names_itself (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);

    fixture_open (&fixture);
    assert_true (id_equal (fixture.report.group, fixture.options.group));
    assert_false (id_is_none (fixture.report.identity));
    assert_int_equal (fixture.report.first_index.n, 0);
    assert_int_equal (fixture.report.last_index.n, 0);
    fixture_fini (&fixture);
}

static enum baton_err
format_again (struct journal_fixture *fixture, struct journal_problem *problem)
{
    return journal_format (disk_sim_disk (fixture->sim), &fixture->memory.memory,
                           fixture->options.group, other, problem);
}

static void
store_is_never_formatted_again (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    struct journal_problem problem;
    fixture_init (&fixture, 1);

    assert_int_equal (format_again (&fixture, &problem), BATON_STORE_EXISTS);
    assert_int_equal (problem.fault, JOURNAL_FAULT_EXISTS);
    fixture_open (&fixture);
    fixture_fini (&fixture);
}

static void
segments_without_a_store_file_are_never_formatted (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    struct journal_problem problem;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture_append (&fixture, 1, 100);
    fixture_kill (&fixture);
    disk_sim_discard (fixture.sim, LAYOUT_STORE_NAME);

    assert_int_equal (fixture_try_open (&fixture), BATON_NO_STORE);
    assert_int_equal (format_again (&fixture, &problem), BATON_STORE_EXISTS);
    fixture_fini (&fixture);
}

// A new directory, and a format that ends at a drawn call.
static enum baton_err
stopped_format (struct journal_fixture *fixture, uint64_t seed)
{
    struct journal_problem problem;
    fixture_init (fixture, seed);
    disk_sim_free (fixture->sim);
    fixture->sim = disk_sim_new (seed);
    disk_sim_stop_at (fixture->sim, 1 + seed % 30);
    return format_again (fixture, &problem);
}

static void
crash_in_format_leaves_a_store_or_lets_it_be_made (void **state)
{
    (void) state;
    for (uint64_t i = 1; i <= 600; i++) {
        struct journal_fixture fixture;
        struct journal_problem problem;
        enum baton_err formatted = stopped_format (&fixture, i);
        disk_sim_crash (fixture.sim);
        enum baton_err opened = fixture_try_open (&fixture);
        for (uint64_t j = 1; opened == BATON_NO_STORE; j++) {
            assert_int_not_equal (formatted, BATON_OK);
            // The next ones may be stopped too, until one has the calls it needs.
            disk_sim_stop_at (fixture.sim, i / 30 % 20 + j);
            formatted = format_again (&fixture, &problem);
            assert_true (formatted == BATON_OK || formatted == BATON_DISK);
            disk_sim_crash (fixture.sim);
            opened = fixture_try_open (&fixture);
        }
        assert_int_equal (opened, BATON_OK);
        fixture_fini (&fixture);
    }
}

static void
store_that_was_opened_once_is_there_after_a_crash (void **state)
{
    (void) state;
    for (uint64_t i = 1; i <= 300; i++) {
        struct journal_fixture fixture;
        (void) stopped_format (&fixture, i);
        disk_sim_kill (fixture.sim);

        // Whatever the cache shows of a format that was never certain: once used, it is.
        if (fixture_try_open (&fixture) == BATON_OK) {
            fixture_append (&fixture, 1, 100);
            fixture_crash (&fixture);
            fixture_open (&fixture);
        }
        fixture_fini (&fixture);
    }
}

static void
store_in_use_is_refused (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    struct journal *second = NULL;
    struct journal_report report;
    struct journal_problem problem;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);

    assert_int_equal (journal_open (&second, disk_sim_disk (fixture.sim), &fixture.memory.memory,
                                    &fixture.options, &report), BATON_STORE_IN_USE);
    assert_int_equal (report.problem.fault, JOURNAL_FAULT_LOCK);
    assert_int_equal (format_again (&fixture, &problem), BATON_STORE_IN_USE);
    assert_null (second);
    fixture_append (&fixture, 1, 100);
    fixture_fini (&fixture);
}

static void
store_of_another_group_is_refused (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture.options.group = other;

    assert_int_equal (fixture_try_open (&fixture), BATON_FOREIGN_STORE);
    assert_int_equal (fixture.report.problem.fault, JOURNAL_FAULT_GROUP);
    fixture.options.group = (struct id) { 0, 0 };
    assert_int_equal (fixture_try_open (&fixture), BATON_OK);
    fixture_fini (&fixture);
}

static void
rot_in_any_byte_of_the_store_file_is_damage (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    for (uint64_t i = 0; i < DISK_BLOCK_BYTES; i++) {
        disk_sim_flip (fixture.sim, LAYOUT_STORE_NAME, i, 0x10);
        assert_int_equal (fixture_try_open (&fixture), BATON_DAMAGED);
        assert_int_equal (fixture.report.problem.fault, JOURNAL_FAULT_STORE_FILE);
        disk_sim_flip (fixture.sim, LAYOUT_STORE_NAME, i, 0x10);
    }
    fixture_open (&fixture);
    fixture_fini (&fixture);
}

static void
rot_in_any_byte_of_a_segment_head_is_damage (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    char name[LAYOUT_NAME_MAX_BYTES];
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture_append (&fixture, 1, 100);
    fixture_kill (&fixture);
    layout_segment_name (2, name);
    for (uint64_t i = 0; i < DISK_BLOCK_BYTES; i += 3) {
        disk_sim_flip (fixture.sim, name, i, 0x80);
        assert_int_equal (fixture_try_open (&fixture), BATON_DAMAGED);
        assert_int_equal (fixture.report.problem.fault, JOURNAL_FAULT_SEGMENT_HEAD);
        assert_int_equal (fixture.report.problem.segment_number, 2);
        disk_sim_flip (fixture.sim, name, i, 0x80);
    }
    fixture_open (&fixture);
    fixture_fini (&fixture);
}

// A head with another owner or chain, sealed as its writer would have done.
static void
put_segment_head (struct journal_fixture *fixture, uint64_t number, struct id identity,
                  uint64_t chain)
{
    uint8_t block[DISK_BLOCK_BYTES];
    struct segment_head head;
    struct store_name name;
    uint32_t version;
    char file[LAYOUT_NAME_MAX_BYTES];
    layout_segment_name (number, file);
    (void) disk_sim_peek (fixture->sim, file, 0, block, sizeof block);
    assert_int_equal (layout_get_segment (block, &head, &name, &version), BATON_OK);
    if (!id_is_none (identity)) {
        name.identity = identity;
    }
    head.from.chain += chain;
    layout_put_segment (head, name, block);
    disk_sim_overwrite (fixture->sim, file, 0, block, sizeof block);
}

static void
segment_of_another_store_is_refused (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    put_segment_head (&fixture, 1, other, 0);

    assert_int_equal (fixture_try_open (&fixture), BATON_FOREIGN_STORE);
    assert_int_equal (fixture.report.problem.fault, JOURNAL_FAULT_SEGMENT_IDENTITY);
    assert_int_equal (fixture.report.problem.segment_number, 1);
    fixture_fini (&fixture);
}

static void
store_without_any_segment_is_damaged (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    char name[LAYOUT_NAME_MAX_BYTES];
    fixture_init (&fixture, 1);
    layout_segment_name (1, name);
    disk_sim_discard (fixture.sim, name);

    assert_int_equal (fixture_try_open (&fixture), BATON_DAMAGED);
    assert_int_equal (fixture.report.problem.fault, JOURNAL_FAULT_SEGMENT_MISSING);
    fixture_fini (&fixture);
}

static void
fill (struct journal_fixture *fixture)
{
    fixture_open (fixture);
    for (size_t i = 0; i < 60; i++) {
        fixture_append (fixture, 1, 5000);
    }
    fixture_close_batch (fixture);
}

static void
missing_segment_at_the_front_is_damage (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    struct journal_segment first, second;
    char name[LAYOUT_NAME_MAX_BYTES];
    fixture_init (&fixture, 1);
    fill (&fixture);
    journal_segment_at (fixture.journal, 0, &first);
    journal_segment_at (fixture.journal, 1, &second);
    layout_segment_name (first.number, name);
    fixture_kill (&fixture);
    disk_sim_discard (fixture.sim, name);

    assert_int_equal (fixture_try_open (&fixture), BATON_DAMAGED);
    assert_int_equal (fixture.report.problem.fault, JOURNAL_FAULT_SEGMENT_MISSING);
    assert_int_equal (fixture.report.problem.value, second.number);
    assert_int_equal (fixture.report.problem.limit, first.number);
    fixture_fini (&fixture);
}

static void
missing_segment_in_the_middle_is_damage_with_its_records (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    struct journal_segment second;
    char name[LAYOUT_NAME_MAX_BYTES];
    fixture_init (&fixture, 1);
    fill (&fixture);
    journal_segment_at (fixture.journal, 1, &second);
    layout_segment_name (second.number, name);
    fixture_kill (&fixture);
    disk_sim_discard (fixture.sim, name);

    assert_int_equal (fixture_try_open (&fixture), BATON_DAMAGED);
    assert_int_equal (fixture.report.problem.fault, JOURNAL_FAULT_SEGMENT_SHORT);
    assert_int_equal (fixture.report.problem.first_index.n, second.first_index.n);
    assert_int_equal (fixture.report.problem.last_index.n, second.last_index.n);
    fixture_fini (&fixture);
}

static void
segment_that_continues_another_history_is_damage (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    struct journal_segment first, second;
    fixture_init (&fixture, 1);
    fill (&fixture);
    journal_segment_at (fixture.journal, 0, &first);
    journal_segment_at (fixture.journal, 1, &second);
    fixture_kill (&fixture);
    put_segment_head (&fixture, second.number, (struct id) { 0, 0 }, 1);

    assert_int_equal (fixture_try_open (&fixture), BATON_DAMAGED);
    assert_int_equal (fixture.report.problem.fault, JOURNAL_FAULT_RECORD);
    assert_int_equal (fixture.report.problem.segment_number, first.number);
    assert_int_equal (fixture.report.problem.first_index.n, first.last_index.n);
    fixture_fini (&fixture);
}

static void
newest_segment_that_lost_its_end_is_damage (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    int file;
    char name[LAYOUT_NAME_MAX_BYTES];
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture_append (&fixture, 1, 100);
    fixture_kill (&fixture);
    layout_segment_name (2, name);
    const struct disk *disk = disk_sim_disk (fixture.sim);
    assert_int_equal (disk->open (disk->context, name, DISK_OPEN_WRITE, &file), BATON_OK);
    assert_int_equal (disk->truncate (disk->context, file, DISK_BLOCK_BYTES), BATON_OK);
    disk->close (disk->context, file);

    assert_int_equal (fixture_try_open (&fixture), BATON_DAMAGED);
    assert_int_equal (fixture.report.problem.fault, JOURNAL_FAULT_SEGMENT_SIZE);
    assert_int_equal (fixture.report.problem.value, DISK_BLOCK_BYTES);
    assert_int_equal (fixture.report.problem.limit, FIXTURE_SEGMENT_BYTES);
    fixture_fini (&fixture);
}

static void
newer_format_is_told_with_both_versions (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    uint8_t block[DISK_BLOCK_BYTES];
    fixture_init (&fixture, 1);
    (void) disk_sim_peek (fixture.sim, LAYOUT_STORE_NAME, 0, block, sizeof block);
    little_put_u32 (block + 16, LAYOUT_FORMAT_VERSION + 1);
    little_put_u64 (block + 8, XXH3_64bits_withSeed (block + 16, sizeof block - 16, 0));
    disk_sim_overwrite (fixture.sim, LAYOUT_STORE_NAME, 0, block, sizeof block);

    assert_int_equal (fixture_try_open (&fixture), BATON_BAD_VERSION);
    assert_int_equal (fixture.report.problem.fault, JOURNAL_FAULT_FORMAT_VERSION);
    assert_int_equal (fixture.report.problem.value, LAYOUT_FORMAT_VERSION + 1);
    assert_int_equal (fixture.report.problem.limit, LAYOUT_FORMAT_VERSION);
    fixture_fini (&fixture);
}

static void
read_only_store_is_told (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    disk_sim_set_access (fixture.sim, DISK_SIM_READ_ONLY);

    assert_int_equal (fixture_try_open (&fixture), BATON_READ_ONLY);
    disk_sim_set_access (fixture.sim, DISK_SIM_READ_WRITE);
    fixture_open (&fixture);
    fixture_fini (&fixture);
}

static void
full_disk_at_the_start_is_told_and_loses_nothing (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    fixture_init (&fixture, 1);
    fixture_open (&fixture);
    fixture_append (&fixture, 3, 100);
    fixture_crash (&fixture);
    disk_sim_set_total (fixture.sim, FIXTURE_SEGMENT_BYTES + 8192);
    const size_t before = disk_sim_file_count (fixture.sim);

    assert_int_equal (fixture_try_open (&fixture), BATON_DISK_FULL);
    // It does not take the room that there is.
    assert_int_equal (disk_sim_file_count (fixture.sim), before);
    assert_int_equal (fixture.report.problem.fault, JOURNAL_FAULT_SPACE);
    assert_int_equal (fixture.report.problem.value, 4096);
    assert_int_equal (fixture.report.problem.limit, FIXTURE_SEGMENT_BYTES);
    disk_sim_set_total (fixture.sim, 0);
    fixture_open (&fixture);
    assert_int_equal (fixture.last_index, 3);
    fixture_fini (&fixture);
}

static void
other_files_in_the_directory_are_left_alone (void **state)
{
    (void) state;
    struct journal_fixture fixture;
    const struct disk *disk;
    int file;
    fixture_init (&fixture, 1);
    disk = disk_sim_disk (fixture.sim);
    static const char *const names[] = { "notes", "log-1.seg", "log-00000000000000x1.seg",
                                         "log-0000000000000000.seg", "log-0000000000000009.old" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal (disk->create (disk->context, names[i], &file), BATON_OK);
        disk->close (disk->context, file);
    }
    const size_t before = disk_sim_file_count (fixture.sim);

    fixture_open (&fixture);
    fixture_close (&fixture);
    fixture_open (&fixture);
    assert_int_equal (disk_sim_file_count (fixture.sim), before);
    fixture_fini (&fixture);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (empty_directory_is_no_store),
        cmocka_unit_test (new_store_is_empty_and_names_itself),
        cmocka_unit_test (store_is_never_formatted_again),
        cmocka_unit_test (segments_without_a_store_file_are_never_formatted),
        cmocka_unit_test (crash_in_format_leaves_a_store_or_lets_it_be_made),
        cmocka_unit_test (store_that_was_opened_once_is_there_after_a_crash),
        cmocka_unit_test (store_in_use_is_refused),
        cmocka_unit_test (store_of_another_group_is_refused),
        cmocka_unit_test (rot_in_any_byte_of_the_store_file_is_damage),
        cmocka_unit_test (rot_in_any_byte_of_a_segment_head_is_damage),
        cmocka_unit_test (segment_of_another_store_is_refused),
        cmocka_unit_test (store_without_any_segment_is_damaged),
        cmocka_unit_test (missing_segment_at_the_front_is_damage),
        cmocka_unit_test (missing_segment_in_the_middle_is_damage_with_its_records),
        cmocka_unit_test (segment_that_continues_another_history_is_damage),
        cmocka_unit_test (newest_segment_that_lost_its_end_is_damage),
        cmocka_unit_test (newer_format_is_told_with_both_versions),
        cmocka_unit_test (read_only_store_is_told),
        cmocka_unit_test (full_disk_at_the_start_is_told_and_loses_nothing),
        cmocka_unit_test (other_files_in_the_directory_are_left_alone),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
