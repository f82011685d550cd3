// SPDX-License-Identifier: MPL-2.0
// Goal: what the tests stand on is itself tested: the failing allocator and the assert hook.
// Method: small stories with blocks that are lost, refused or given back wrongly; cmocka's own
// expect_assert_failure for the hook.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/assert.h"
#include "tests/support/memory_fail.h"

static void
clean_story_leaves_nothing (void **state)
{
    (void) state;
    struct memory_fail fail;
    memory_fail_init (&fail, 0);

    void *a = memory_alloc (&fail.memory, 100);
    void *b = memory_alloc (&fail.memory, 28);
    memory_release (&fail.memory, a, 100);
    memory_release (&fail.memory, b, 28);

    memory_fail_expect_clean (&fail);
    assert_int_equal (fail.asked_count, 2);
    assert_int_equal (fail.most_bytes, 128);
    assert_false (fail.failed);
}

static void
nth_allocation_fails_and_only_that_one (void **state)
{
    (void) state;
    struct memory_fail fail;
    memory_fail_init (&fail, 2);

    void *first = memory_alloc (&fail.memory, 8);
    void *second = memory_alloc (&fail.memory, 8);
    void *third = memory_alloc (&fail.memory, 8);

    assert_non_null (first);
    assert_null (second);
    assert_non_null (third);
    assert_true (fail.failed);
    memory_release (&fail.memory, first, 8);
    memory_release (&fail.memory, third, 8);
    memory_fail_expect_clean (&fail);
}

static void
full_machine_refuses_from_the_nth_on (void **state)
{
    (void) state;
    struct memory_fail fail;
    memory_fail_init (&fail, 1);
    fail.fail_ever_after = true;

    assert_null (memory_alloc (&fail.memory, 8));
    assert_null (memory_alloc (&fail.memory, 8));
}

static void
leak_is_counted (void **state)
{
    (void) state;
    struct memory_fail fail;
    memory_fail_init (&fail, 0);

    void *lost = memory_alloc (&fail.memory, 8);

    assert_int_equal (memory_fail_report (&fail), 1);
    assert_int_equal (fail.live_bytes, 8);
    memory_release (&fail.memory, lost, 8);
}

static void
release_of_another_size_or_owner_is_caught (void **state)
{
    (void) state;
    struct memory_fail fail;
    struct memory_fail other;
    memory_fail_init (&fail, 0);
    memory_fail_init (&other, 0);

    void *data = memory_alloc (&fail.memory, 8);

    expect_assert_failure (memory_release (&fail.memory, data, 9));
    expect_assert_failure (memory_release (&other.memory, data, 8));
    memory_release (&fail.memory, data, 8);
    memory_fail_expect_clean (&fail);
}

static void
fresh_memory_is_not_zero (void **state)
{
    (void) state;
    struct memory_fail fail;
    memory_fail_init (&fail, 0);

    unsigned char *data = memory_alloc (&fail.memory, 1);

    assert_int_not_equal (data[0], 0);
    memory_release (&fail.memory, data, 1);
}

static void
failed_assert_reaches_the_test (void **state)
{
    (void) state;
    expect_assert_failure (ASSERT (1 + 1 == 3));
    ASSERT (1 + 1 == 2);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (clean_story_leaves_nothing),
        cmocka_unit_test (nth_allocation_fails_and_only_that_one),
        cmocka_unit_test (full_machine_refuses_from_the_nth_on),
        cmocka_unit_test (leak_is_counted),
        cmocka_unit_test (release_of_another_size_or_owner_is_caught),
        cmocka_unit_test (fresh_memory_is_not_zero),
        cmocka_unit_test (failed_assert_reaches_the_test),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
