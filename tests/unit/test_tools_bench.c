// SPDX-License-Identifier: MPL-2.0
// Goal: of each session one task is at work at a time, in order; lost ones are found and let go.
// Method: tasks that are only addresses, put onto a bench and taken off by hand.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/bench.h"

#include <string.h>

// Addresses that stand for tasks of the library; nothing looks into them.
static char places[8];

static baton_task_t *
task (size_t index)
{
    return (baton_task_t *) (void *) &places[index];
}

static void
add (struct bench *bench, size_t index, const char *session)
{
    assert_int_equal (bench_add (bench, task (index), session), BATON_OK);
}

static struct job *
expect_started (struct bench *bench, size_t index)
{
    struct job *job = bench_start (bench);

    assert_non_null (job);
    assert_ptr_equal (job->task, task (index));
    return job;
}

static void
one_task_of_a_session_at_a_time (void **state)
{
    (void) state;
    struct bench bench;
    bench_init (&bench);
    add (&bench, 0, "a");
    add (&bench, 1, "a");
    add (&bench, 2, "b");

    struct job *first = expect_started (&bench, 0);
    expect_started (&bench, 2);
    assert_null (bench_start (&bench));
    assert_int_equal (bench.at_work_count, 2);
    bench_end (&bench, &first);

    assert_null (first);
    expect_started (&bench, 1);
    bench_fini (&bench);
}

static void
job_put_back_is_started_again_first (void **state)
{
    (void) state;
    struct bench bench;
    bench_init (&bench);
    add (&bench, 0, "a");
    add (&bench, 1, "a");

    bench_put_back (&bench, expect_started (&bench, 0));

    assert_int_equal (bench.at_work_count, 0);
    expect_started (&bench, 0);
    bench_fini (&bench);
}

static void
lost_session_leaves_nothing_to_start (void **state)
{
    (void) state;
    struct bench bench;
    bench_init (&bench);
    add (&bench, 0, "a");
    add (&bench, 1, "a");
    add (&bench, 2, "b");
    struct job *running = expect_started (&bench, 0);

    bench_lose (&bench, "a");

    assert_int_equal (running->state, JOB_LOST_AT_WORK);
    struct job *lost = bench_lost (&bench);
    assert_non_null (lost);
    assert_ptr_equal (lost->task, task (1));
    bench_end (&bench, &lost);
    assert_null (bench_lost (&bench));
    assert_int_equal (bench.at_work_count, 1);
    expect_started (&bench, 2);
    bench_fini (&bench);
}

static void
session_that_came_back_waits_for_its_lost_task (void **state)
{
    (void) state;
    struct bench bench;
    bench_init (&bench);
    add (&bench, 0, "a");
    struct job *running = expect_started (&bench, 0);
    bench_lose (&bench, "a");
    add (&bench, 1, "a");

    assert_null (bench_start (&bench));
    bench_end (&bench, &running);

    assert_int_equal (bench.at_work_count, 0);
    expect_started (&bench, 1);
    bench_fini (&bench);
}

static void
tasks_behind_are_those_of_the_same_session (void **state)
{
    (void) state;
    struct bench bench;
    bench_init (&bench);
    add (&bench, 0, "a");
    add (&bench, 1, "b");
    add (&bench, 2, "a");
    struct job *first = expect_started (&bench, 0);

    struct job *behind = bench_behind (first);

    assert_ptr_equal (behind->task, task (2));
    bench_end (&bench, &behind);
    assert_null (bench_behind (first));
    add (&bench, 3, "b");
    assert_int_equal (bench.jobs_count, 3);
    bench_fini (&bench);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (one_task_of_a_session_at_a_time),
        cmocka_unit_test (job_put_back_is_started_again_first),
        cmocka_unit_test (lost_session_leaves_nothing_to_start),
        cmocka_unit_test (session_that_came_back_waits_for_its_lost_task),
        cmocka_unit_test (tasks_behind_are_those_of_the_same_session),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
