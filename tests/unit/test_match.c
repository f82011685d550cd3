// SPDX-License-Identifier: MPL-2.0
// Goal: which servers fit, which is best, and what is told when none fits, are as decided.
// Method: one fact by hand at a time; test_match_oracle.c has the random populations.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/core/match.h"
#include "proto/requirement_text.h"

#define COUNT_OF(array) (sizeof (array) / sizeof (array)[0])

static struct baton_bytes
bytes_of (const char *string)
{
    return (struct baton_bytes) { string, strlen (string) };
}

static enum match
match_text (const char *text, const struct match_offer *offer, struct evaluation *evaluation)
{
    struct requirement_room room;
    struct requirement requirement;
    struct text_fault fault;
    assert_int_equal (requirement_parse (bytes_of (text), &room, &requirement, &fault), BATON_OK);
    return match_evaluate (&requirement, offer, evaluation);
}

static enum match
match_set (const char *text, const char *name, const char *set)
{
    const struct match_offer offer = { bytes_of (name), bytes_of (set), { NULL, 0 } };
    struct evaluation evaluation;
    return match_text (text, &offer, &evaluation);
}

static void
empty_requirement_fits_the_default_set_only (void **state)
{
    (void) state;
    assert_int_equal (match_set ("", "s", ""), MATCH_YES);
    assert_int_equal (match_set ("", "s", "default"), MATCH_YES);
    assert_int_equal (match_set ("", "s", "big"), MATCH_NO);
    assert_int_equal (match_set (" ", "s", "Default"), MATCH_NO);
}

static void
other_requirements_fit_servers_of_all_sets (void **state)
{
    (void) state;
    assert_int_equal (match_set ("not exists gpu", "s", ""), MATCH_YES);
    assert_int_equal (match_set ("not exists gpu", "s", "big"), MATCH_YES);
}

static void
set_and_name_are_attributes_of_every_server (void **state)
{
    (void) state;
    assert_int_equal (match_set ("set = \"big\"", "s", "big"), MATCH_YES);
    assert_int_equal (match_set ("set = \"default\"", "s", ""), MATCH_YES);
    assert_int_equal (match_set ("set != \"big\"", "s", ""), MATCH_YES);
    assert_int_equal (match_set ("name in {\"r\", \"s\"}", "s", ""), MATCH_YES);
    assert_int_equal (match_set ("name = \"r\"", "s", ""), MATCH_NO);
    assert_int_equal (match_set ("set = 1", "s", "big"), MATCH_UNKNOWN);
}

static struct candidate
candidate_of (const char *name, uint64_t outstanding_count, uint32_t capacity,
              uint64_t idle_since_ns)
{
    return (struct candidate) { bytes_of (name), capacity, outstanding_count, idle_since_ns,
                                CANDIDATE_ACCEPTS };
}

static void
assert_better (struct candidate better, struct candidate worse)
{
    assert_true (candidate_is_better (&better, &worse));
    assert_false (candidate_is_better (&worse, &better));
}

static void
least_work_for_its_capacity_is_better (void **state)
{
    (void) state;
    assert_better (candidate_of ("b", 0, 1, 9), candidate_of ("a", 1, 100, 1));
    assert_better (candidate_of ("b", 3, 8, 9), candidate_of ("a", 2, 5, 1));
    assert_better (candidate_of ("b", 1, 3, 9), candidate_of ("a", 334, 1000, 1));
}

static void
longest_idle_is_better_at_equal_load (void **state)
{
    (void) state;
    assert_better (candidate_of ("b", 0, 1, 5), candidate_of ("a", 0, 9, 6));
    assert_better (candidate_of ("b", 2, 4, 5), candidate_of ("a", 1, 2, 6));
}

static void
lower_name_is_better_at_last (void **state)
{
    (void) state;
    assert_better (candidate_of ("a", 2, 4, 5), candidate_of ("b", 1, 2, 5));
    assert_better (candidate_of ("a", 0, 1, 0), candidate_of ("aa", 0, 1, 0));
    const struct candidate one = candidate_of ("a", 0, 1, 0);
    assert_false (candidate_is_better (&one, &one));
}

static void
declining_candidate_is_never_better (void **state)
{
    (void) state;
    struct candidate idle = candidate_of ("a", 0, 9, 0);
    idle.readiness = CANDIDATE_DECLINES;
    assert_better (candidate_of ("b", 9, 1, 9), idle);
}

static void
load_of_the_largest_numbers_does_not_overflow (void **state)
{
    (void) state;
    assert_better (candidate_of ("b", UINT64_MAX - 1, UINT32_MAX, 9),
                   candidate_of ("a", UINT64_MAX, UINT32_MAX, 1));
    assert_better (candidate_of ("b", UINT64_MAX, UINT32_MAX, 9),
                   candidate_of ("a", UINT64_MAX, UINT32_MAX - 1, 1));
    // 2^63 / 2^31 is 2^32 / 1: equal, where a product cut to 64 bits would say 0.
    assert_better (candidate_of ("b", 1ull << 63, 1u << 31, 1),
                   candidate_of ("a", 1ull << 32, 1, 2));
    assert_better (candidate_of ("b", (1ull << 32) - 1, 1, 2),
                   candidate_of ("a", 1ull << 63, 1u << 31, 1));
}

static void
candidate_without_capacity_is_our_fault (void **state)
{
    (void) state;
    const struct candidate good = candidate_of ("a", 0, 1, 0);
    const struct candidate bad = candidate_of ("b", 0, 0, 0);
    expect_assert_failure (candidate_is_better (&good, &bad));
}

static void
note (struct match_miss *miss, const char *name, const char *set, const char *text)
{
    static const struct attribute items[] = { { { "a", 1 }, { .type = ATTRIBUTE_FLAG } } };
    const struct match_offer offer = { bytes_of (name), bytes_of (set), { items, 1 } };
    struct evaluation evaluation;
    assert_int_not_equal (match_text (text, &offer, &evaluation), MATCH_YES);
    match_miss_note (miss, &offer, &evaluation);
}

static void
miss_tells_the_server_that_got_furthest (void **state)
{
    (void) state;
    struct match_miss miss;
    match_miss_init (&miss);
    assert_int_equal (miss.reason, MISS_NO_SERVER);

    note (&miss, "m", "", "set = \"big\" and exists b");
    assert_int_equal (miss.failed_index, 0);
    note (&miss, "z", "big", "set = \"big\" and exists b");
    note (&miss, "a", "", "set = \"big\" and exists b");

    assert_int_equal (miss.reason, MISS_TERM);
    assert_int_equal (miss.failed_index, 1);
    assert_int_equal (miss.passed_count, 1);
    assert_memory_equal (miss.server.data, "z", 1);
}

static void
miss_of_equals_tells_the_lower_name (void **state)
{
    (void) state;
    struct match_miss miss;
    match_miss_init (&miss);
    note (&miss, "m", "", "exists b");
    note (&miss, "b", "", "exists b");
    note (&miss, "c", "", "exists b");
    assert_memory_equal (miss.server.data, "b", 1);
}

static void
miss_of_an_empty_requirement_has_no_term (void **state)
{
    (void) state;
    struct match_miss miss;
    match_miss_init (&miss);
    note (&miss, "m", "big", "");
    assert_int_equal (miss.reason, MISS_NOT_DEFAULT);
    assert_int_equal (miss.failed_index, EVALUATION_NO_TERM);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (empty_requirement_fits_the_default_set_only),
        cmocka_unit_test (other_requirements_fit_servers_of_all_sets),
        cmocka_unit_test (set_and_name_are_attributes_of_every_server),
        cmocka_unit_test (least_work_for_its_capacity_is_better),
        cmocka_unit_test (longest_idle_is_better_at_equal_load),
        cmocka_unit_test (lower_name_is_better_at_last),
        cmocka_unit_test (declining_candidate_is_never_better),
        cmocka_unit_test (load_of_the_largest_numbers_does_not_overflow),
        cmocka_unit_test (candidate_without_capacity_is_our_fault),
        cmocka_unit_test (miss_tells_the_server_that_got_furthest),
        cmocka_unit_test (miss_of_equals_tells_the_lower_name),
        cmocka_unit_test (miss_of_an_empty_requirement_has_no_term),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
