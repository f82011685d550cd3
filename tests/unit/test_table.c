// SPDX-License-Identifier: MPL-2.0
// Goal: what was put into a table is found by its key, and nothing else is, through growth,
// removal and equal hashes.
// Method: nodes with numbers for keys; a refused allocation; one bucket full of equal hashes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/core/table.h"
#include "tests/support/memory_fail.h"

enum { THINGS_COUNT = 500 };

struct thing { uint64_t key; struct table_node node; };

static bool
has_key (const struct table_node *node, const void *key)
{
    return table_owner (node, const struct thing, node)->key == *(const uint64_t *) key;
}

static bool
holds (const struct table *table, uint64_t key, uint64_t hash)
{
    const struct table_node *node = table_find (table, hash, has_key, &key);

    return node && table_owner (node, const struct thing, node)->key == key;
}

static void
each_is_found_until_it_is_removed (void **state)
{
    static struct thing things[THINGS_COUNT];
    struct memory_fail fail;
    struct table table;

    (void) state;
    memory_fail_init (&fail, 0);
    table_init (&table);
    for (uint64_t i = 0; i < THINGS_COUNT; i++) {
        things[i].key = i;
        assert_int_equal (table_reserve (&table, &fail.memory, 1), BATON_OK);
        table_add (&table, &things[i].node, hash_number (3, i));
    }
    for (uint64_t i = 0; i < THINGS_COUNT; i += 2) {
        table_remove (&table, &things[i].node);
    }

    for (uint64_t i = 0; i < THINGS_COUNT; i++) {
        assert_int_equal (holds (&table, i, hash_number (3, i)), i % 2 == 1);
    }
    assert_false (holds (&table, THINGS_COUNT, hash_number (3, THINGS_COUNT)));

    table_fini (&table, &fail.memory);
    memory_fail_expect_clean (&fail);
}

static void
equal_hashes_are_told_apart_by_their_keys (void **state)
{
    struct thing things[3] = { { .key = 1 }, { .key = 2 }, { .key = 3 } };
    struct memory_fail fail;
    struct table table;

    (void) state;
    memory_fail_init (&fail, 0);
    table_init (&table);
    assert_int_equal (table_reserve (&table, &fail.memory, 3), BATON_OK);
    for (int i = 0; i < 3; i++) {
        table_add (&table, &things[i].node, 77);
    }

    table_remove (&table, &things[1].node);
    assert_true (holds (&table, 1, 77));
    assert_false (holds (&table, 2, 77));
    assert_true (holds (&table, 3, 77));

    table_fini (&table, &fail.memory);
    memory_fail_expect_clean (&fail);
}

static void
empty_table_finds_nothing (void **state)
{
    struct table table;

    (void) state;
    table_init (&table);
    assert_false (holds (&table, 1, 1));
}

static void
refused_growth_leaves_the_table_as_it_was (void **state)
{
    struct thing thing = { .key = 5 };
    struct memory_fail fail;
    struct table table;

    (void) state;
    memory_fail_init (&fail, 2);
    table_init (&table);
    assert_int_equal (table_reserve (&table, &fail.memory, 1), BATON_OK);
    table_add (&table, &thing.node, 5);

    assert_int_equal (table_reserve (&table, &fail.memory, 1000), BATON_NO_MEMORY);
    assert_true (holds (&table, 5, 5));

    table_fini (&table, &fail.memory);
    memory_fail_expect_clean (&fail);
}

static void
names_are_hashed_with_their_border (void **state)
{
    const struct baton_bytes ab = { "ab", 2 }, c = { "c", 1 }, a = { "a", 1 }, bc = { "bc", 2 };

    (void) state;
    assert_true (hash_names (1, ab, c) != hash_names (1, a, bc));
    assert_true (hash_names (1, ab, c) == hash_names (1, ab, c));
    assert_true (hash_names (1, ab, c) != hash_names (2, ab, c));
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (each_is_found_until_it_is_removed),
        cmocka_unit_test (equal_hashes_are_told_apart_by_their_keys),
        cmocka_unit_test (empty_table_finds_nothing),
        cmocka_unit_test (refused_growth_leaves_the_table_as_it_was),
        cmocka_unit_test (names_are_hashed_with_their_border),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
