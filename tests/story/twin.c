// SPDX-License-Identifier: MPL-2.0
#include "tests/story/twin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/book.h"
#include "broker/core/check.h"

static void
make_cores (struct twin *twin)
{
    twin->live = core_new (&twin->memory.memory, &twin->options);
    twin->mirror = core_new (&twin->mirror_memory.memory, &twin->options);
    assert_non_null (twin->live);
    assert_non_null (twin->mirror);
}

void
twin_init (struct twin *twin, const struct core_options *options)
{
    memset (twin, 0, sizeof *twin);
    twin->options = *options;
    memory_fail_init (&twin->memory, 0);
    memory_fail_init (&twin->mirror_memory, 0);
    effect_list_init (&twin->effects, &twin->memory.memory);
    make_cores (twin);
}

void
twin_fini (struct twin *twin)
{
    effect_list_fini (&twin->effects);
    core_free (&twin->live);
    core_free (&twin->mirror);
    for (size_t i = 0; i < twin->records_count; i++) {
        blob_drop (&twin->memory.memory, &twin->records[i]);
    }
    memory_fail_expect_clean (&twin->memory);
    memory_fail_expect_clean (&twin->mirror_memory);
}

struct id
twin_id (struct twin *twin)
{
    twin->fresh++;
    return (struct id) { 0xb0, twin->fresh };
}

static uint64_t
live_digest (const struct twin *twin)
{
    return book_digest (core_book (twin->live));
}

// step_once runs the step, with a refused allocation if [fail_after] > 0. Should that be an error,
// book and effects must be as they were; where no allocation was asked for, all goes on.
static enum baton_err
step_once (struct twin *twin, const struct event *event, size_t fail_after,
           struct core_step *step)
{
    const size_t asked = twin->memory.asked_count;
    const size_t effects_count = twin->effects.count;
    const uint64_t digest = fail_after ? live_digest (twin) : 0;

    twin->memory.fail_at = fail_after ? asked + fail_after : 0;
    const enum baton_err error = core_step (twin->live, event, &twin->effects, step);
    twin->memory.fail_at = 0;
    if (error) {
        assert_int_equal (error, BATON_NO_MEMORY);
        assert_true (fail_after > 0);
        assert_null (step->record);
        assert_int_equal (twin->effects.count, effects_count);
        assert_true (live_digest (twin) == digest);
        twin->refused_allocations++;
    }
    return error;
}

static void
check_effects (const struct twin *twin, size_t from)
{
    const uint64_t last = core_last_index (twin->live).n;

    for (size_t i = from; i < twin->effects.count; i++) {
        const struct effect *effect = &twin->effects.items[i];
        assert_true (effect->after.n <= last);
        assert_int_equal (effect->epoch.n, core_epoch (twin->live).n);
        assert_true (effect->to.n > 0);
    }
}

static void
keep_record (struct twin *twin, const struct core_step *step)
{
    assert_int_equal (step->index.n, twin->records_count + 1);
    assert_true (twin->records_count < TWIN_RECORDS_MAX);
    twin->records[twin->records_count++] = step->record;
    assert_int_equal (core_replay (twin->mirror, blob_view (step->record)), BATON_OK);
    assert_true (book_digest (core_book (twin->mirror)) == live_digest (twin));
    book_check (core_book (twin->live), twin->options.attempts_max);
    book_check (core_book (twin->mirror), twin->options.attempts_max);
}

void
twin_step (struct twin *twin, const struct event *given, size_t fail_after,
           struct core_step *step)
{
    struct event event = *given;
    const size_t from = twin->effects.count;
    const uint64_t before = core_last_index (twin->live).n;

    event.fresh[0] = twin_id (twin);
    event.fresh[1] = twin_id (twin);
    if (event.kind == EVENT_START) {
        event.epoch.n = ++twin->epoch.n;
    }
    for (size_t i = fail_after == TWIN_FAIL_EACH ? 1 : fail_after;
         step_once (twin, &event, i, step) != BATON_OK; i++) {
        if (fail_after != TWIN_FAIL_EACH) {
            assert_int_equal (step_once (twin, &event, 0, step), BATON_OK);
            break;
        }
    }
    assert_int_equal (core_last_index (twin->live).n, before + (step->record ? 1 : 0));
    check_effects (twin, from);
    if (step->record) {
        keep_record (twin, step);
    }
}

void
twin_check_front (struct twin *twin)
{
    const uint64_t pinned = core_pinned_index (twin->live).n;
    struct core *core = core_new (&twin->mirror_memory.memory, &twin->options);

    assert_non_null (core);
    assert_true (pinned >= 1 && pinned <= twin->records_count + 1);
    for (size_t i = pinned - 1; i < twin->records_count; i++) {
        assert_int_equal (core_replay (core, blob_view (twin->records[i])), BATON_OK);
    }
    if (pinned <= twin->records_count) {
        book_check (core_book (core), twin->options.attempts_max);
        assert_true (book_digest (core_book (core)) == live_digest (twin));
    }
    core_free (&core);
}

void
twin_crash (struct twin *twin, size_t kept)
{
    effect_list_clear (&twin->effects);
    core_free (&twin->live);
    core_free (&twin->mirror);
    assert_true (kept <= twin->records_count);
    while (twin->records_count > kept) {
        blob_drop (&twin->memory.memory, &twin->records[--twin->records_count]);
    }
    make_cores (twin);
    for (size_t i = 0; i < kept; i++) {
        const struct baton_bytes record = blob_view (twin->records[i]);
        assert_int_equal (core_replay (twin->live, record), BATON_OK);
        assert_int_equal (core_replay (twin->mirror, record), BATON_OK);
    }
    book_check (core_book (twin->live), twin->options.attempts_max);
}
