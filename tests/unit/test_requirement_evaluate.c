// SPDX-License-Identifier: MPL-2.0
// Goal: a requirement holds for attributes exactly where it should, in three values, and the
// comparison that is blamed is the right one.
// Method: tables of requirements as people write them, against the attributes of one server.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/requirement_text.h"

#define COUNT_OF(array) (sizeof (array) / sizeof (array)[0])

static struct baton_bytes
bytes_of (const char *string)
{
    return (struct baton_bytes) { string, strlen (string) };
}

// A parsed requirement with what it lives in.
struct fixture {
    struct requirement_room room;
    struct requirement requirement;
};

static int
setup (void **state)
{
    *state = calloc (1, sizeof (struct fixture));
    assert_non_null (*state);
    return 0;
}

static int
teardown (void **state)
{
    free (*state);
    return 0;
}

static void
parse (struct fixture *fixture, const char *text)
{
    struct text_fault fault;
    if (requirement_parse (bytes_of (text), &fixture->room, &fixture->requirement, &fault)) {
        fail_msg ("%s: %zu: %s", text, fault.position_bytes, fault.sentence);
    }
}

// The server of these tests: gpu is a flag, cores an integer, algo a text, tags a set.
static enum match
evaluate (struct fixture *fixture, const char *text, struct evaluation *evaluation)
{
    static const char *const facts[]
        = { "gpu=true", "cores=8", "algo=sha256", "tags={\"avx\", \"\"}" };
    uint8_t data[256];
    struct pack pack;
    struct attribute items[COUNT_OF (facts)];
    struct text_fault fault;
    pack_init (&pack, data, sizeof data);
    for (size_t i = 0; i < COUNT_OF (facts); i++) {
        assert_int_equal (attribute_parse_text (bytes_of (facts[i]), &pack, &items[i], &fault), 0);
    }
    const struct attributes attributes = { items, COUNT_OF (items) };
    parse (fixture, text);
    const enum match match
        = requirement_evaluate (&fixture->requirement, NULL, &attributes, evaluation);
    assert_int_equal (match, evaluation->match);
    return match;
}

static void
assert_each (struct fixture *fixture, const char *const *texts, enum match wanted)
{
    for (; *texts; texts++) {
        struct evaluation evaluation;
        if (evaluate (fixture, *texts, &evaluation) != wanted) {
            fail_msg ("%s: %d, not %d", *texts, (int) evaluation.match, (int) wanted);
        }
    }
}

static void
comparisons_that_hold_are_yes (void **state)
{
    static const char *const texts[] = {
        "", "gpu = true", "gpu != false", "cores = 8", "cores != 7", "cores < 9", "cores <= 8",
        "cores > 7", "cores >= 8", "algo = \"sha256\"", "algo != \"SHA256\"", "\"avx\" in tags",
        "\"\" in tags", "algo in {\"md5\", \"sha256\"}", "cores in {4, 8}", "exists tags",
        "not exists disk", NULL,
    };
    assert_each (*state, texts, MATCH_YES);
}

static void
comparisons_that_do_not_hold_are_no (void **state)
{
    static const char *const texts[] = {
        "gpu = false", "gpu != true", "cores = -8", "cores != 8", "cores < 8", "cores <= 7",
        "cores > 8", "cores >= 9", "algo = \"sha25\"", "algo != \"sha256\"", "\"av\" in tags",
        "algo in {\"md5\", \"sha2566\"}", "cores in {4, 9}", "exists disk", "exists Tags", NULL,
    };
    assert_each (*state, texts, MATCH_NO);
}

static void
missing_attributes_and_other_types_are_unknown (void **state)
{
    static const char *const texts[] = {
        "disk = 1", "disk != 1", "disk < 1", "disk in {1}", "\"a\" in disk", "gpu = 1",
        "gpu = \"true\"", "cores = \"8\"", "cores != \"9\"", "cores = true", "algo > 1",
        "algo = 1", "tags = \"avx\"", "tags != \"avx\"", "\"sha256\" in algo", "algo in {1}",
        "cores in {\"8\"}", "tags in {\"avx\"}", "not disk = 1", "not not disk = 1", NULL,
    };
    assert_each (*state, texts, MATCH_UNKNOWN);
}

// One comparison for each of NO, UNKNOWN, YES; [not], [and], [or] are Kleene's.
static const char *const of_match[] = { NULL, "cores = 0", "disk = 0", "cores = 8" };

static void
and_or_and_not_follow_kleene (void **state)
{
    for (int i = MATCH_NO; i <= MATCH_YES; i++) {
        for (int j = MATCH_NO; j <= MATCH_YES; j++) {
            char text[128];
            struct evaluation evaluation;
            (void) snprintf (text, sizeof text, "%s and %s", of_match[i], of_match[j]);
            assert_int_equal (evaluate (*state, text, &evaluation), i < j ? i : j);
            (void) snprintf (text, sizeof text, "%s or %s", of_match[i], of_match[j]);
            assert_int_equal (evaluate (*state, text, &evaluation), i > j ? i : j);
            (void) snprintf (text, sizeof text, "not %s", of_match[i]);
            assert_int_equal (evaluate (*state, text, &evaluation), 4 - i);
        }
    }
}

struct blame {
    const char *text;
    const char *failed; // as printed; NULL if it matches
    uint32_t passed_count;
};

static void
assert_term (const struct requirement_term *term, const char *wanted)
{
    char printed[64];
    struct pack pack;
    pack_init (&pack, printed, sizeof printed);
    requirement_term_print (&pack, term);
    pack_u8 (&pack, 0);
    assert_true (pack_fits (&pack));
    assert_string_equal (printed, wanted);
}

static void
the_first_failing_comparison_is_blamed (void **state)
{
    struct fixture *fixture = *state;
    static const struct blame cases[] = {
        { "", NULL, 0 }, { "cores = 8", NULL, 1 }, { "cores = 8 and gpu = true", NULL, 2 },
        { "cores = 9", "cores = 9", 0 }, { "cores = 8 and disk = 1", "disk = 1", 1 },
        { "cores = 9 and disk = 1", "cores = 9", 0 },
        { "cores = 9 or gpu = true", NULL, 2 }, { "cores = 9 or disk = 1", "cores = 9", 0 },
        { "(cores = 9 or gpu = true) and exists disk", "exists disk", 2 },
        { "gpu = true and (cores = 9 or disk = 1) and cores = 8", "cores = 9", 1 },
        { "not cores = 8", "cores = 8", 0 }, { "not disk = 8", "disk = 8", 0 },
        { "not (cores = 8 and gpu = false)", NULL, 2 },
        { "not (cores = 8 and gpu = true)", "cores = 8", 0 },
        { "not (cores = 9 or gpu = true)", "gpu = true", 1 },
        { "not (cores = 9 and gpu = true) and disk = 1", "disk = 1", 2 },
        { "gpu = true and not not (cores = 8 and \"avx2\" in tags)", "\"avx2\" in tags", 2 },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        struct evaluation evaluation;
        const enum match match = evaluate (fixture, cases[i].text, &evaluation);
        assert_int_equal (evaluation.passed_count, cases[i].passed_count);
        assert_int_equal (match == MATCH_YES, cases[i].failed == NULL);
        assert_int_equal (evaluation.failed_index == EVALUATION_NO_TERM, cases[i].failed == NULL);
        if (!cases[i].failed) continue;
        assert_term (&fixture->requirement.terms[evaluation.failed_index], cases[i].failed);
    }
}

static void
implied_attributes_are_seen_first (void **state)
{
    struct fixture *fixture = *state;
    const struct attribute implied_item = { { "set", 3 }, value_text (bytes_of ("big")) };
    const struct attribute own_items[] = { { { "set", 3 }, value_text (bytes_of ("small")) },
                                           { { "n", 1 }, value_integer (1) } };
    const struct attributes implied = { &implied_item, 1 };
    const struct attributes own = { own_items, 2 };
    struct evaluation evaluation;
    parse (fixture, "set = \"big\" and n = 1");

    assert_int_equal (requirement_evaluate (&fixture->requirement, &implied, &own, &evaluation),
                      MATCH_YES);
    assert_int_equal (requirement_evaluate (&fixture->requirement, NULL, &own, &evaluation),
                      MATCH_NO);
}

static void
evaluating_what_was_never_checked_is_our_fault (void **state)
{
    (void) state;
    const struct requirement_term term = { .op = TERM_AND };
    const struct requirement requirement = { &term, 1 };
    const struct attributes none = { NULL, 0 };
    struct evaluation evaluation;
    expect_assert_failure (requirement_evaluate (&requirement, NULL, &none, &evaluation));
}

int
main (void)
{
#define FACT(name) cmocka_unit_test_setup_teardown (name, setup, teardown)
    const struct CMUnitTest tests[] = {
        FACT (comparisons_that_hold_are_yes),
        FACT (comparisons_that_do_not_hold_are_no),
        FACT (missing_attributes_and_other_types_are_unknown),
        FACT (and_or_and_not_follow_kleene),
        FACT (the_first_failing_comparison_is_blamed),
        FACT (implied_attributes_are_seen_first),
        FACT (evaluating_what_was_never_checked_is_our_fault),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
