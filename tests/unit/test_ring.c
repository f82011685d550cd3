// SPDX-License-Identifier: MPL-2.0
// Goal: the window finds each thing by its number, through growth, holes and a moving front.
// Method: a few facts by hand, and a random window against a plain array (seed: BATON_SEED).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/core/ring.h"
#include "tests/support/memory_fail.h"

static int things[4096];

static void
empty_ring_has_nothing (void **state)
{
    struct ring ring;

    (void) state;
    ring_init (&ring, 1);
    assert_null (ring_at (&ring, 0));
    assert_null (ring_at (&ring, 1));
    assert_null (ring_at (&ring, UINT64_MAX));
}

static void
removed_one_leaves_a_hole_and_the_front_moves_behind_holes (void **state)
{
    struct memory_fail fail;
    struct ring ring;

    (void) state;
    memory_fail_init (&fail, 0);
    ring_init (&ring, 7);
    assert_int_equal (ring_reserve (&ring, &fail.memory, 3), BATON_OK);
    for (int i = 0; i < 3; i++) {
        ring_push (&ring, &things[i]);
    }

    ring_remove (&ring, 8);
    assert_null (ring_at (&ring, 8));
    assert_ptr_equal (ring_at (&ring, 7), &things[0]);
    assert_int_equal (ring.length, 3);
    ring_remove (&ring, 7);
    assert_int_equal (ring.first, 9);
    assert_int_equal (ring.length, 1);
    assert_ptr_equal (ring_at (&ring, 9), &things[2]);

    ring_fini (&ring, &fail.memory);
    memory_fail_expect_clean (&fail);
}

static void
refused_growth_leaves_the_ring_as_it_was (void **state)
{
    struct memory_fail fail;
    struct ring ring;

    (void) state;
    memory_fail_init (&fail, 2);
    ring_init (&ring, 1);
    assert_int_equal (ring_reserve (&ring, &fail.memory, 4), BATON_OK);
    for (int i = 0; i < 4; i++) {
        ring_push (&ring, &things[i]);
    }

    assert_int_equal (ring_reserve (&ring, &fail.memory, 1), BATON_NO_MEMORY);
    for (uint64_t i = 1; i <= 4; i++) {
        assert_ptr_equal (ring_at (&ring, i), &things[i - 1]);
    }

    ring_fini (&ring, &fail.memory);
    memory_fail_expect_clean (&fail);
}

static void
push_without_room_is_our_own_fault (void **state)
{
    struct ring ring;

    (void) state;
    ring_init (&ring, 1);
    expect_assert_failure (ring_push (&ring, &things[0]));
    expect_assert_failure (ring_remove (&ring, 1));
}

static uint64_t
draw (uint64_t *seed)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    return z ^ (z >> 31);
}

static void
random_window_is_what_a_plain_array_says (void **state)
{
    const char *given = getenv ("BATON_SEED");
    uint64_t seed = given ? strtoull (given, NULL, 10) : 1;
    static void *plain[4097];
    struct memory_fail fail;
    struct ring ring;
    uint64_t next = 1;

    (void) state;
    print_message ("BATON_SEED=%llu\n", (unsigned long long) seed);
    memory_fail_init (&fail, 0);
    ring_init (&ring, 1);
    while (next <= 4096) {
        if (draw (&seed) % 2) {
            assert_int_equal (ring_reserve (&ring, &fail.memory, 1), BATON_OK);
            plain[next] = &things[next - 1];
            ring_push (&ring, plain[next++]);
        }
        const uint64_t victim = next - 1 - draw (&seed) % (next < 40 ? next : 40);
        if (plain[victim]) {
            ring_remove (&ring, victim);
            plain[victim] = NULL;
        }
        for (uint64_t i = next > 50 ? next - 50 : 0; i < next + 2 && i < 4097; i++) {
            assert_ptr_equal (ring_at (&ring, i), plain[i]);
        }
    }
    ring_fini (&ring, &fail.memory);
    memory_fail_expect_clean (&fail);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (empty_ring_has_nothing),
        cmocka_unit_test (removed_one_leaves_a_hole_and_the_front_moves_behind_holes),
        cmocka_unit_test (refused_growth_leaves_the_ring_as_it_was),
        cmocka_unit_test (push_without_room_is_our_own_fault),
        cmocka_unit_test (random_window_is_what_a_plain_array_says),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
