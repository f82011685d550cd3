// SPDX-License-Identifier: MPL-2.0
// Goal: counted bytes live as long as somebody holds them, and an effect list owns what its
// effects hold, in order, through growth and refused growth.
// Method: an allocator that counts, and fails when told to.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/effect.h"
#include "tests/support/memory_fail.h"

static void
blob_lives_until_the_last_one_lets_go (void **state)
{
    struct memory_fail fail;

    (void) state;
    memory_fail_init (&fail, 0);
    struct blob *blob = blob_copy (&fail.memory, (struct baton_bytes) { "abc", 3 });
    struct blob *other = blob_take (blob);
    blob_drop (&fail.memory, &blob);

    assert_null (blob);
    assert_int_equal (blob_view (other).size, 3);
    assert_memory_equal (blob_view (other).data, "abc", 3);
    blob_drop (&fail.memory, &other);
    memory_fail_expect_clean (&fail);
}

static void
no_blob_is_an_empty_view (void **state)
{
    struct memory_fail fail;
    struct blob *none = NULL;

    (void) state;
    memory_fail_init (&fail, 1);
    assert_null (blob_take (none));
    blob_drop (&fail.memory, &none);
    assert_int_equal (blob_view (none).size, 0);
    assert_null (blob_copy (&fail.memory, (struct baton_bytes) { "abc", 3 }));
}

static void
empty_bytes_make_an_empty_blob (void **state)
{
    struct memory_fail fail;

    (void) state;
    memory_fail_init (&fail, 0);
    struct blob *blob = blob_copy (&fail.memory, (struct baton_bytes) { NULL, 0 });
    assert_non_null (blob);
    assert_int_equal (blob_view (blob).size, 0);
    blob_drop (&fail.memory, &blob);
    memory_fail_expect_clean (&fail);
}

static void
list_keeps_order_through_growth_and_drops_what_it_holds (void **state)
{
    struct memory_fail fail;
    struct effect_list list;

    (void) state;
    memory_fail_init (&fail, 0);
    effect_list_init (&list, &fail.memory);
    for (uint64_t i = 0; i < 1000; i++) {
        assert_int_equal (effect_list_reserve (&list, 1), BATON_OK);
        struct effect *effect = effect_list_add (&list);
        assert_int_equal (effect->after.n, 0);
        effect->to.n = i;
        effect->holds[i % 2] = blob_new (&fail.memory, 8);
    }
    for (uint64_t i = 0; i < 1000; i++) {
        assert_int_equal (list.items[i].to.n, i);
    }

    effect_list_clear (&list);
    assert_int_equal (fail.live_count, 1);
    effect_list_fini (&list);
    memory_fail_expect_clean (&fail);
}

static void
refused_growth_leaves_the_list_as_it_was (void **state)
{
    struct memory_fail fail;
    struct effect_list list;

    (void) state;
    memory_fail_init (&fail, 2);
    effect_list_init (&list, &fail.memory);
    assert_int_equal (effect_list_reserve (&list, 1), BATON_OK);
    effect_list_add (&list)->to.n = 7;

    assert_int_equal (effect_list_reserve (&list, 10000), BATON_NO_MEMORY);
    assert_int_equal (list.count, 1);
    assert_int_equal (list.items[0].to.n, 7);
    effect_list_fini (&list);
    memory_fail_expect_clean (&fail);
}

static void
adding_without_room_is_our_own_fault (void **state)
{
    struct memory_fail fail;
    struct effect_list list;

    (void) state;
    memory_fail_init (&fail, 0);
    effect_list_init (&list, &fail.memory);
    expect_assert_failure (effect_list_add (&list));
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (blob_lives_until_the_last_one_lets_go),
        cmocka_unit_test (no_blob_is_an_empty_view),
        cmocka_unit_test (empty_bytes_make_an_empty_blob),
        cmocka_unit_test (list_keeps_order_through_growth_and_drops_what_it_holds),
        cmocka_unit_test (refused_growth_leaves_the_list_as_it_was),
        cmocka_unit_test (adding_without_room_is_our_own_fault),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
