// SPDX-License-Identifier: MPL-2.0
// Goal: nothing leaves before its record is safe, in order per link, and nothing is lost or leaked.
// Method: effects are put in by hand as the core does, released by number; the heap is counted and
// made to fail; one random test compares with the plain rule (seed: BATON_SEED).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/replica/gate.h"
#include "tests/support/memory_fail.h"

struct fixture {
    struct memory_fail fail;
    struct gate gate;
    struct effect_list out;
};

static void
fixture_init (struct fixture *fixture)
{
    memory_fail_init (&fixture->fail, 0);
    gate_init (&fixture->gate, &fixture->fail.memory);
    effect_list_init (&fixture->out, &fixture->fail.memory);
}

static void
fixture_fini (struct fixture *fixture)
{
    gate_fini (&fixture->gate);
    effect_list_fini (&fixture->out);
    memory_fail_expect_clean (&fixture->fail);
}

// Puts in one effect; its content is its [tag], as the ref of a refusal.
static struct effect *
hold (struct fixture *fixture, uint64_t to, uint64_t after, enum effect_kind kind, uint64_t tag)
{
    struct effect_list *inbox = gate_inbox (&fixture->gate);

    assert_int_equal (effect_list_reserve (inbox, 1), BATON_OK);
    struct effect *effect = effect_list_add (inbox);
    effect->to.n = to;
    effect->after.n = after;
    effect->kind = kind;
    effect->refused.ref = tag;
    gate_hold (&fixture->gate);
    return effect;
}

static void
release (struct fixture *fixture, uint64_t commit)
{
    effect_list_clear (&fixture->out);
    assert_int_equal (
        gate_release (&fixture->gate, (struct log_index) {commit}, &fixture->out), BATON_OK);
}

static void
expect_tags (const struct fixture *fixture, const uint64_t *tags, size_t count)
{
    assert_int_equal (fixture->out.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal (fixture->out.items[i].refused.ref, tags[i]);
    }
}

static void
effect_waits_for_its_record (void **state)
{
    (void) state;
    struct fixture fixture;
    fixture_init (&fixture);
    hold (&fixture, 1, 7, EFFECT_COMMITTED, 70);

    release (&fixture, 6);
    assert_int_equal (fixture.out.count, 0);
    release (&fixture, 7);

    expect_tags (&fixture, (uint64_t[]) {70}, 1);
    fixture_fini (&fixture);
}

static void
effects_leave_in_the_order_they_came (void **state)
{
    (void) state;
    struct fixture fixture;
    fixture_init (&fixture);
    for (uint64_t i = 1; i <= 6; i++) {
        hold (&fixture, i % 2, (i + 1) / 2, EFFECT_DELIVER, i);
    }

    release (&fixture, 2);
    expect_tags (&fixture, (uint64_t[]) {1, 2, 3, 4}, 4);
    release (&fixture, 3);

    expect_tags (&fixture, (uint64_t[]) {5, 6}, 2);
    fixture_fini (&fixture);
}

static void
answer_without_a_record_overtakes_held_ones (void **state)
{
    (void) state;
    struct fixture fixture;
    fixture_init (&fixture);
    hold (&fixture, 1, 5, EFFECT_COMMITTED, 1);
    hold (&fixture, 1, 0, EFFECT_REFUSED, 2);

    release (&fixture, 0);

    expect_tags (&fixture, (uint64_t[]) {2}, 1);
    assert_int_equal (gate_depth (&fixture.gate).count, 1);
    fixture_fini (&fixture);
}

static void
welcome_and_forget_keep_their_place (void **state)
{
    (void) state;
    struct fixture fixture;
    fixture_init (&fixture);
    hold (&fixture, 1, 0, EFFECT_WELCOME, 1);
    release (&fixture, 0);
    expect_tags (&fixture, (uint64_t[]) {1}, 1);
    hold (&fixture, 1, 5, EFFECT_DELIVER, 2);
    hold (&fixture, 1, 0, EFFECT_WELCOME, 3);
    hold (&fixture, 1, 0, EFFECT_FORGET, 4);

    release (&fixture, 4);
    assert_int_equal (fixture.out.count, 0);
    release (&fixture, 5);

    expect_tags (&fixture, (uint64_t[]) {2, 3, 4}, 3);
    fixture_fini (&fixture);
}

static void
depth_counts_what_is_held (void **state)
{
    (void) state;
    struct fixture fixture;
    fixture_init (&fixture);
    struct effect *effect = hold (&fixture, 1, 5, EFFECT_DELIVER, 1);
    assert_int_equal (gate_depth (&fixture.gate).bytes, sizeof *effect);
    effect_list_reserve (gate_inbox (&fixture.gate), 1);
    effect = effect_list_add (gate_inbox (&fixture.gate));
    effect->after.n = 6;
    effect->holds[0] = blob_new (&fixture.fail.memory, 100);
    gate_hold (&fixture.gate);

    assert_int_equal (gate_depth (&fixture.gate).count, 2);
    assert_int_equal (gate_depth (&fixture.gate).bytes, 2 * sizeof *effect + 100);
    release (&fixture, 5);
    assert_int_equal (gate_depth (&fixture.gate).bytes, sizeof *effect + 100);
    release (&fixture, 6);
    assert_int_equal (gate_depth (&fixture.gate).bytes, 0);
    fixture_fini (&fixture);
}

static void
release_without_memory_moves_nothing (void **state)
{
    (void) state;
    struct fixture fixture;
    fixture_init (&fixture);
    hold (&fixture, 1, 1, EFFECT_DELIVER, 1);
    hold (&fixture, 1, 2, EFFECT_DELIVER, 2);
    fixture.fail.fail_at = fixture.fail.asked_count + 1;

    assert_int_equal (
        gate_release (&fixture.gate, (struct log_index) {1}, &fixture.out), BATON_NO_MEMORY);
    assert_int_equal (gate_depth (&fixture.gate).count, 2);
    release (&fixture, 1);

    expect_tags (&fixture, (uint64_t[]) {1}, 1);
    fixture_fini (&fixture);
}

static void
withdrawn_frame_never_leaves (void **state)
{
    (void) state;
    struct fixture fixture;
    fixture_init (&fixture);
    hold (&fixture, 1, 5, EFFECT_FRAME, 1);
    hold (&fixture, 2, 5, EFFECT_FRAME, 2);
    hold (&fixture, 1, 5, EFFECT_DELIVER, 3);

    assert_true (gate_withdraw (&fixture.gate, (struct link_number) {1}));
    assert_false (gate_withdraw (&fixture.gate, (struct link_number) {1}));
    release (&fixture, 5);

    expect_tags (&fixture, (uint64_t[]) {2, 3}, 2);
    fixture_fini (&fixture);
}

static void
record_out_of_order_is_our_fault (void **state)
{
    (void) state;
    struct fixture fixture;
    fixture_init (&fixture);
    hold (&fixture, 1, 5, EFFECT_DELIVER, 1);
    effect_list_add (gate_inbox (&fixture.gate))->after.n = 4;

    expect_assert_failure (gate_hold (&fixture.gate));
    gate_inbox (&fixture.gate)->count--;
    fixture_fini (&fixture);
}

static void
commit_index_that_goes_back_is_our_fault (void **state)
{
    (void) state;
    struct fixture fixture;
    fixture_init (&fixture);
    release (&fixture, 5);

    expect_assert_failure (
        gate_release (&fixture.gate, (struct log_index) {4}, &fixture.out));
    fixture_fini (&fixture);
}

// xorshift64: small, seeded, ours; chance is never taken from the environment unseen.
static uint64_t
draw (uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void
random_stories_release_nothing_early_and_lose_nothing (void **state)
{
    (void) state;
    const char *given = getenv ("BATON_SEED");
    uint64_t seed = given ? strtoull (given, NULL, 10) : 20240611;
    print_message ("BATON_SEED=%llu\n", (unsigned long long) seed);
    struct fixture fixture;
    fixture_init (&fixture);
    uint64_t last = 0, commit = 0, in_count = 0, out_count = 0, newest_out[4] = {0};

    for (int i = 0; i < 20000; i++) {
        last += draw (&seed) % 2;
        hold (&fixture, draw (&seed) % 4, draw (&seed) % 4 ? last : 0, EFFECT_REFUSED, ++in_count);
        if (draw (&seed) % 5 > 0) continue;
        commit += draw (&seed) % (last - commit + 1);
        release (&fixture, commit);
        for (size_t j = 0; j < fixture.out.count; j++) {
            const struct effect *effect = &fixture.out.items[j];
            assert_true (effect->after.n <= commit);
            if (effect->after.n == 0) continue;
            assert_true (effect->refused.ref > newest_out[effect->to.n]);
            newest_out[effect->to.n] = effect->refused.ref;
        }
        out_count += fixture.out.count;
    }

    assert_int_equal (in_count, out_count + gate_depth (&fixture.gate).count);
    fixture_fini (&fixture);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (effect_waits_for_its_record),
        cmocka_unit_test (effects_leave_in_the_order_they_came),
        cmocka_unit_test (answer_without_a_record_overtakes_held_ones),
        cmocka_unit_test (welcome_and_forget_keep_their_place),
        cmocka_unit_test (depth_counts_what_is_held),
        cmocka_unit_test (release_without_memory_moves_nothing),
        cmocka_unit_test (withdrawn_frame_never_leaves),
        cmocka_unit_test (record_out_of_order_is_our_fault),
        cmocka_unit_test (commit_index_that_goes_back_is_our_fault),
        cmocka_unit_test (random_stories_release_nothing_early_and_lose_nothing),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
