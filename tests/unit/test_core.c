// SPDX-License-Identifier: MPL-2.0
// Goal: the door of the core: what replay takes and refuses, when timers are due, and that a step
// is bounded and says when there is more.
// Method: a few messages by hand; the stories (tests/story) have the rules themselves.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/book.h"
#include "broker/core/core.h"
#include "broker/core/flow.h"
#include "broker/core/record.h"
#include "tests/support/memory_fail.h"

enum { RECORDS_MAX = 1024 };

struct bench {
    struct memory_fail memory;
    struct core_options options;
    struct core *core;
    struct effect_list effects;
    struct blob *records[RECORDS_MAX]; // the first ones
    uint32_t records_count;
    struct core_step step;
    uint64_t now_ns;
    uint64_t fresh;
};

static void
run (struct bench *bench, struct event event)
{
    event.now_ns = bench->now_ns;
    event.utc_ms = 1700000000000u;
    event.capacity = (struct capacity) { 1 << 30, 1 << 30, 1 << 30, 1 << 30 };
    event.fresh[0].low = ++bench->fresh;
    event.fresh[1].low = ++bench->fresh;
    effect_list_clear (&bench->effects);
    assert_int_equal (core_step (bench->core, &event, &bench->effects, &bench->step), BATON_OK);
    if (bench->step.record && bench->records_count < RECORDS_MAX) {
        bench->records[bench->records_count++] = bench->step.record;
    } else {
        blob_drop (&bench->memory.memory, &bench->step.record);
    }
}

static void
say (struct bench *bench, uint64_t link, struct msg msg)
{
    msg.epoch = core_epoch (bench->core);
    const struct event event = {
        .kind = EVENT_MESSAGE, .link = { link }, .principal = { "p", 1 }, .msg = &msg,
    };
    run (bench, event);
}

static void
commit_all (struct bench *bench, struct id actor, struct baton_bytes restart_data,
            struct msg_part part, uint32_t parts_count)
{
    const struct actor *found = book_actor (core_book (bench->core), actor);
    struct msg msg = { .kind = MSG_COMMIT };

    assert_non_null (found);
    msg.commit.actor = actor;
    msg.commit.incarnation = found->incarnation;
    msg.commit.expect_version = found->version;
    msg.commit.parts = &part;
    msg.commit.parts_count = parts_count;
    msg.commit.restart_data = restart_data;
    say (bench, 1, msg);
}

static void
commit (struct bench *bench, struct id actor, struct msg_part part, uint32_t parts_count)
{
    commit_all (bench, actor, (struct baton_bytes) { NULL, 0 }, part, parts_count);
}

static const struct session *
session_a (const struct bench *bench)
{
    const struct baton_bytes principal = { "p", 1 }, name = { "a", 1 };

    return book_session_by_name (core_book (bench->core), principal, name);
}

// A core with a client at path 1, its session "a", and a server at path 2 that offers.
static int
setup (void **state)
{
    struct bench *bench = calloc (1, sizeof *bench);

    assert_non_null (bench);
    *state = bench;
    memory_fail_init (&bench->memory, 0);
    core_options_default (&bench->options);
    bench->now_ns = 1000000000;
    bench->core = core_new (&bench->memory.memory, &bench->options);
    effect_list_init (&bench->effects, &bench->memory.memory);
    run (bench, (struct event) { .kind = EVENT_START, .epoch = { 1 } });
    say (bench, 2, (struct msg) { .kind = MSG_HELLO,
                                  .hello = { END_SERVER, { 2, 2 }, { "s", 1 }, { 0 } } });
    say (bench, 2, (struct msg) { .kind = MSG_OFFER,
                                  .offer = { .capacity = 1, .credit_count = 256,
                                             .credit_bytes = 1 << 20 } });
    say (bench, 1, (struct msg) { .kind = MSG_HELLO,
                                  .hello = { END_CLIENT, { 1, 1 }, { "", 0 }, { 0 } } });
    say (bench, 1, (struct msg) { .kind = MSG_OPEN,
                                  .open = { .intent = OPEN_OR_CREATE, .kind = SESSION_BOUND,
                                            .session = { "a", 1 }, .credit_count = 1 << 20,
                                            .credit_bytes = 1 << 30 } });
    assert_non_null (session_a (bench));
    run (bench, (struct event) { .kind = EVENT_TICK });
    return 0;
}

static int
teardown (void **state)
{
    struct bench *bench = *state;

    for (uint32_t i = 0; i < bench->records_count; i++) {
        blob_drop (&bench->memory.memory, &bench->records[i]);
    }
    effect_list_fini (&bench->effects);
    core_free (&bench->core);
    memory_fail_expect_clean (&bench->memory);
    free (bench);
    return 0;
}

static void
empty_core_has_nothing_to_do (void **state)
{
    struct bench *bench = *state;
    struct core *core = core_new (&bench->memory.memory, &bench->options);

    assert_true (core_deadline_ns (core) == UINT64_MAX);
    assert_int_equal (core_last_index (core).n, 0);
    assert_int_equal (core_pinned_index (core).n, 1);
    core_free (&core);
    assert_null (core);
}

static void
replay_refuses_what_does_not_continue_the_log (void **state)
{
    struct bench *bench = *state;
    struct core *core = core_new (&bench->memory.memory, &bench->options);
    unsigned char changed[4096];

    assert_true (bench->records_count >= 3);
    assert_int_equal (core_replay (core, blob_view (bench->records[0])), BATON_OK);
    assert_int_equal (core_replay (core, blob_view (bench->records[0])), BATON_DAMAGED);
    assert_int_equal (core_replay (core, blob_view (bench->records[2])), BATON_DAMAGED);
    memcpy (changed, bench->records[1]->data, bench->records[1]->size);
    changed[24] ^= 1; // chain
    assert_int_equal (core_replay (core, (struct baton_bytes) { changed,
                                         bench->records[1]->size }), BATON_DAMAGED);
    assert_int_equal (core_replay (core, (struct baton_bytes) { changed, 10 }), BATON_DAMAGED);
    assert_int_equal (core_last_index (core).n, 1);
    assert_int_equal (core_replay (core, blob_view (bench->records[1])), BATON_OK);
    core_free (&core);
}

static void
replay_without_memory_changes_nothing_and_may_be_done_again (void **state)
{
    struct bench *bench = *state;
    struct memory_fail memory;
    memory_fail_init (&memory, 0);
    struct core *core = core_new (&memory.memory, &bench->options);

    for (uint32_t i = 0; i < bench->records_count; i++) {
        const struct baton_bytes record = blob_view (bench->records[i]);
        for (size_t n = 1;; n++) {
            const uint64_t digest = book_digest (core_book (core));
            memory.fail_at = memory.asked_count + n;
            const enum baton_err error = core_replay (core, record);
            memory.fail_at = 0;
            if (!error) break;
            assert_int_equal (error, BATON_NO_MEMORY);
            assert_true (book_digest (core_book (core)) == digest);
        }
    }
    assert_true (book_digest (core_book (core)) == book_digest (core_book (bench->core)));
    core_free (&core);
    memory_fail_expect_clean (&memory);
}

// 256 requests and 256 answers a commit: what is delivered in one step has an end.
static void
step_is_bounded_and_says_that_there_is_more (void **state)
{
    struct bench *bench = *state;
    static struct msg_request requests[LIMIT_RECORD_ITEMS_MAX];
    const struct session *session = session_a (bench);
    struct msg open = { .kind = MSG_OPEN };
    uint64_t delivered = 0;

    for (int round = 0; round < 5; round++) {
        for (uint32_t i = 0; i < LIMIT_RECORD_ITEMS_MAX; i++) {
            requests[i].seq.n = session->requests_accepted_through.n + 1 + i;
        }
        commit (bench, session->client->id,
                (struct msg_part) { .session = session->id, .requests = requests,
                                    .requests_count = LIMIT_RECORD_ITEMS_MAX }, 1);
    }
    open.open = (struct msg_open) { .intent = OPEN_OR_CREATE, .kind = SESSION_BOUND,
                                    .session = { "a", 1 }, .credit_count = 1 << 20,
                                    .credit_bytes = 1 << 30 };
    do {
        run (bench, (struct event) { .kind = EVENT_CONTINUE });
    } while (bench->step.rest == CORE_MORE);
    say (bench, 1, open);
    assert_int_equal (bench->step.rest, CORE_MORE);
    assert_true (bench->effects.count <= FLOW_EFFECTS_MAX + 8);
    delivered += bench->effects.count;
    while (bench->step.rest == CORE_MORE) {
        run (bench, (struct event) { .kind = EVENT_CONTINUE });
        assert_true (bench->effects.count <= FLOW_EFFECTS_MAX + 8);
        delivered += bench->effects.count;
    }
    // OPENED, all requests, RESUMED.
    assert_int_equal (delivered, 5 * LIMIT_RECORD_ITEMS_MAX + 2);
}

static void
old_offer_is_written_anew_even_if_nobody_is_ever_silent (void **state)
{
    struct bench *bench = *state;
    const struct id actor = session_a (bench)->client->id;
    const uint64_t pinned = core_pinned_index (bench->core).n;

    for (uint32_t i = 0; i < LIMIT_OFFER_RENEW_RECORDS; i++) {
        commit (bench, actor, (struct msg_part) { 0 }, 0);
    }
    assert_true (core_deadline_ns (bench->core) <= bench->now_ns);
    assert_int_equal (core_pinned_index (bench->core).n, pinned);
    run (bench, (struct event) { .kind = EVENT_TICK });

    // Now the session's own beginning is the oldest thing that is needed.
    assert_int_equal (core_pinned_index (bench->core).n, session_a (bench)->opened.n);
    assert_true (core_deadline_ns (bench->core) > bench->now_ns);
}

static void
old_offer_is_written_anew_after_many_bytes (void **state)
{
    static unsigned char data[LIMIT_RESTART_DATA_MAX_BYTES];
    struct bench *bench = *state;
    const struct id actor = session_a (bench)->client->id;
    const struct baton_bytes restart_data = { data, sizeof data };

    for (uint32_t i = 0; i < LIMIT_OFFER_RENEW_BYTES / sizeof data; i++) {
        assert_true (core_deadline_ns (bench->core) > bench->now_ns);
        commit_all (bench, actor, restart_data, (struct msg_part) { 0 }, 0);
    }
    run (bench, (struct event) { .kind = EVENT_TICK });

    assert_int_equal (core_pinned_index (bench->core).n, session_a (bench)->opened.n);
}

static void
silent_link_is_due_after_its_time (void **state)
{
    struct bench *bench = *state;

    assert_true (core_deadline_ns (bench->core)
                 == bench->now_ns + LIMIT_END_SILENT_MS * UINT64_C (1000000));
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (empty_core_has_nothing_to_do, setup, teardown),
        cmocka_unit_test_setup_teardown (replay_refuses_what_does_not_continue_the_log, setup,
                                         teardown),
        cmocka_unit_test_setup_teardown (
            replay_without_memory_changes_nothing_and_may_be_done_again, setup, teardown),
        cmocka_unit_test_setup_teardown (step_is_bounded_and_says_that_there_is_more, setup,
                                         teardown),
        cmocka_unit_test_setup_teardown (old_offer_is_written_anew_after_many_bytes, setup,
                                         teardown),
        cmocka_unit_test_setup_teardown (old_offer_is_written_anew_even_if_nobody_is_ever_silent,
                                         setup, teardown),
        cmocka_unit_test_setup_teardown (silent_link_is_due_after_its_time, setup, teardown),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
