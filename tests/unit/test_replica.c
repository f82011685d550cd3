// SPDX-License-Identifier: MPL-2.0
// Goal: the commit index is the least durable mark over the required stores, and none before the
// reign's own record is safe.
// Method: marks are raised by hand, in lawful and in unlawful orders.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/replica/replica.h"

static struct replica
replica_at_reign (uint64_t durable, uint64_t reign_index)
{
    struct replica replica;

    replica_init (&replica);
    if (durable) {
        replica_durable (&replica, REPLICA_SELF, (struct log_index) {durable});
    }
    replica_begin_reign (&replica, (struct epoch) {1}, (struct log_index) {reign_index});
    return replica;
}

static void
nothing_is_safe_without_a_reign (void **state)
{
    (void) state;
    struct replica replica;

    replica_init (&replica);
    replica_durable (&replica, REPLICA_SELF, (struct log_index) {40});

    assert_int_equal (replica_commit_index (&replica).n, 0);
    assert_int_equal (replica_epoch (&replica).n, 0);
}

static void
old_log_is_not_safe_before_the_epoch_record_is (void **state)
{
    (void) state;
    struct replica replica = replica_at_reign (40, 41);

    assert_int_equal (replica_commit_index (&replica).n, 0);
    replica_durable (&replica, REPLICA_SELF, (struct log_index) {41});

    assert_int_equal (replica_commit_index (&replica).n, 41);
    assert_int_equal (replica_epoch (&replica).n, 1);
}

static void
commit_index_follows_the_only_store (void **state)
{
    (void) state;
    struct replica replica = replica_at_reign (0, 1);

    for (uint64_t i = 1; i < 10; i++) {
        replica_durable (&replica, REPLICA_SELF, (struct log_index) {i});
        assert_int_equal (replica_commit_index (&replica).n, i);
    }
}

static void
store_that_is_not_required_makes_nothing_safe (void **state)
{
    (void) state;
    struct replica replica = replica_at_reign (0, 1);

    replica_durable (&replica, REPLICA_PEER, (struct log_index) {9});

    assert_int_equal (replica_commit_index (&replica).n, 0);
}

static void
slower_required_store_decides (void **state)
{
    (void) state;
    struct replica replica = replica_at_reign (0, 1);

    replica.marks[REPLICA_PEER - 1].required = true;
    replica_durable (&replica, REPLICA_SELF, (struct log_index) {9});
    assert_int_equal (replica_commit_index (&replica).n, 0);
    replica_durable (&replica, REPLICA_PEER, (struct log_index) {5});

    assert_int_equal (replica_commit_index (&replica).n, 5);
}

static void
new_reign_keeps_what_was_safe (void **state)
{
    (void) state;
    struct replica replica = replica_at_reign (0, 1);
    replica_durable (&replica, REPLICA_SELF, (struct log_index) {3});

    replica_begin_reign (&replica, (struct epoch) {2}, (struct log_index) {6});
    replica_durable (&replica, REPLICA_SELF, (struct log_index) {5});

    assert_int_equal (replica_commit_index (&replica).n, 3);
}

static void
mark_that_goes_back_is_our_fault (void **state)
{
    (void) state;
    struct replica replica = replica_at_reign (0, 1);
    replica_durable (&replica, REPLICA_SELF, (struct log_index) {3});

    expect_assert_failure (replica_durable (&replica, REPLICA_SELF, (struct log_index) {2}));
}

static void
reign_behind_the_log_is_our_fault (void **state)
{
    (void) state;
    struct replica replica = replica_at_reign (40, 41);

    expect_assert_failure (
        replica_begin_reign (&replica, (struct epoch) {2}, (struct log_index) {40}));
    expect_assert_failure (
        replica_begin_reign (&replica, (struct epoch) {1}, (struct log_index) {42}));
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (nothing_is_safe_without_a_reign),
        cmocka_unit_test (old_log_is_not_safe_before_the_epoch_record_is),
        cmocka_unit_test (commit_index_follows_the_only_store),
        cmocka_unit_test (store_that_is_not_required_makes_nothing_safe),
        cmocka_unit_test (slower_required_store_decides),
        cmocka_unit_test (new_reign_keeps_what_was_safe),
        cmocka_unit_test (mark_that_goes_back_is_our_fault),
        cmocka_unit_test (reign_behind_the_log_is_our_fault),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
