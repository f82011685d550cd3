// SPDX-License-Identifier: MPL-2.0
// Goal: what leaves for one end in one turn goes in few frames, in order, with nothing lost.
// Method: effects are made by hand, packed, and the frames decoded again by proto/wire; one random
// test compares per session what went in with what came out (seed: BATON_SEED).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/shell/packer.h"
#include "proto/wire.h"
#include "tests/support/memory_fail.h"

#define FRAMES_MAX 4096
#define AIM_BYTES 4096

struct sent {
    uint64_t to;
    struct port_frame frame;
};

struct fixture {
    struct memory_fail fail;
    struct packer *packer;
    struct wire_decoder *decoder;
    struct effect_list effects;
    struct packer_sink sink;
    struct sent sent[FRAMES_MAX];
    uint32_t sent_count;
    uint64_t forgotten;
    struct msg msg;
};

static void
take_frame (void *context, struct link_number to, struct port_frame *frame)
{
    struct fixture *fixture = context;

    assert_true (fixture->sent_count < FRAMES_MAX);
    fixture->sent[fixture->sent_count++] = (struct sent) {to.n, *frame};
}

static void
take_forget (void *context, struct link_number link)
{
    ((struct fixture *) context)->forgotten = link.n;
}

static struct fixture *
fixture_new (void)
{
    struct fixture *fixture = calloc (1, sizeof *fixture);

    assert_non_null (fixture);
    memory_fail_init (&fixture->fail, 0);
    fixture->packer = packer_new (&fixture->fail.memory, AIM_BYTES);
    fixture->decoder = wire_decoder_new (&fixture->fail.memory, WIRE_ARENA_BYTES);
    effect_list_init (&fixture->effects, &fixture->fail.memory);
    fixture->sink = (struct packer_sink) {take_frame, take_forget, fixture};
    return fixture;
}

static void
fixture_free (struct fixture *fixture)
{
    for (uint32_t i = 0; i < fixture->sent_count; i++) {
        port_frame_fini (&fixture->sent[i].frame);
    }
    effect_list_fini (&fixture->effects);
    wire_decoder_free (&fixture->decoder);
    packer_free (&fixture->packer);
    memory_fail_expect_clean (&fixture->fail);
    free (fixture);
}

static struct effect *
add (struct fixture *fixture, uint64_t to, enum effect_kind kind)
{
    assert_int_equal (effect_list_reserve (&fixture->effects, 1), BATON_OK);
    struct effect *effect = effect_list_add (&fixture->effects);
    effect->to.n = to;
    effect->epoch.n = 7;
    effect->kind = kind;
    return effect;
}

static struct effect *
add_delivery (struct fixture *fixture, uint64_t to, uint64_t session, uint64_t base)
{
    struct effect *effect = add (fixture, to, EFFECT_DELIVER);

    effect->delivery.head = (struct msg_delivery) {
        .session = {session, 1},
        .actor = {session, 2},
        .incarnation = {5},
        .base_version = {base},
        .phase = DELIVER_LIVE,
    };
    effect->delivery.item = DELIVERY_NOTHING;
    return effect;
}

static void
add_request (struct fixture *fixture, uint64_t to, uint64_t session, uint64_t base, uint64_t seq)
{
    static const char body[100];
    struct effect *effect = add_delivery (fixture, to, session, base);

    effect->delivery.item = DELIVERY_REQUEST;
    effect->delivery.request = (struct msg_request) {
        .seq = {seq}, .state = REQUEST_OPEN, .attempt = 1, .body = {body, sizeof body}};
}

static void
add_committed (struct fixture *fixture, uint64_t to, uint64_t actor, uint64_t version)
{
    add (fixture, to, EFFECT_COMMITTED)->committed
        = (struct msg_ack) {{actor, 2}, {5}, {version}};
}

static void
send_all (struct fixture *fixture)
{
    assert_int_equal (packer_send (fixture->packer, &fixture->effects, &fixture->sink),
                      BATON_OK);
    effect_list_clear (&fixture->effects);
}

static const struct msg *
frame_at (struct fixture *fixture, uint32_t which)
{
    static const struct wire_limits limits = {
        LIMIT_FRAME_MAX_BYTES, LIMIT_BODY_MAX_BYTES, LIMIT_RESTART_DATA_MAX_BYTES};
    struct wire_fault fault;

    assert_true (which < fixture->sent_count);
    assert_int_equal (wire_decode (fixture->decoder, &limits,
                                   port_frame_view (&fixture->sent[which].frame), &fixture->msg,
                                   &fault), BATON_OK);
    assert_int_equal (fixture->msg.epoch.n, 7);
    return &fixture->msg;
}

static void
items_of_one_session_leave_in_one_delivery (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();
    for (uint64_t seq = 1; seq <= 10; seq++) {
        add_request (fixture, 1, 3, 4, seq);
    }

    send_all (fixture);

    assert_int_equal (fixture->sent_count, 1);
    const struct msg *msg = frame_at (fixture, 0);
    assert_int_equal (msg->kind, MSG_DELIVER);
    assert_int_equal (msg->deliver.deliveries_count, 1);
    assert_int_equal (msg->deliver.deliveries[0].requests_count, 10);
    assert_int_equal (msg->deliver.deliveries[0].requests[9].seq.n, 10);
    fixture_free (fixture);
}

static void
sessions_that_take_turns_share_one_message (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();
    for (uint64_t i = 0; i < 12; i++) {
        add_request (fixture, 1, 1 + i % 3, 4, 1 + i / 3);
    }

    send_all (fixture);

    const struct msg *msg = frame_at (fixture, 0);
    assert_int_equal (fixture->sent_count, 1);
    assert_int_equal (msg->deliver.deliveries_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal (msg->deliver.deliveries[i].requests_count, 4);
        assert_int_equal (msg->deliver.deliveries[i].requests[3].seq.n, 4);
    }
    fixture_free (fixture);
}

static void
another_base_version_is_another_delivery (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();
    add_request (fixture, 1, 3, 4, 1);
    add_request (fixture, 1, 3, 5, 2);
    add_request (fixture, 1, 3, 5, 3);

    send_all (fixture);

    const struct msg *msg = frame_at (fixture, 0);
    assert_int_equal (msg->deliver.deliveries_count, 2);
    assert_int_equal (msg->deliver.deliveries[1].base_version.n, 5);
    assert_int_equal (msg->deliver.deliveries[1].requests_count, 2);
    fixture_free (fixture);
}

static void
only_the_newest_version_of_an_actor_is_acknowledged (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();
    add_committed (fixture, 1, 8, 1);
    add_committed (fixture, 1, 9, 1);
    add_committed (fixture, 1, 8, 2);

    send_all (fixture);

    const struct msg *msg = frame_at (fixture, 0);
    assert_int_equal (fixture->sent_count, 1);
    assert_int_equal (msg->committed.acks_count, 2);
    assert_int_equal (msg->committed.acks[0].version.n, 2);
    assert_int_equal (msg->committed.acks[1].version.n, 1);
    fixture_free (fixture);
}

static void
acknowledgement_follows_deliveries_decided_before_it (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();
    add_request (fixture, 1, 3, 4, 1);
    add_committed (fixture, 1, 3, 5);
    add_request (fixture, 1, 3, 5, 2);

    send_all (fixture);

    assert_int_equal (fixture->sent_count, 2);
    assert_int_equal (frame_at (fixture, 0)->kind, MSG_DELIVER);
    assert_int_equal (frame_at (fixture, 1)->kind, MSG_COMMITTED);
    fixture_free (fixture);
}

static void
answers_between_keep_their_place (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();
    add (fixture, 1, EFFECT_OPENED)->opened = (struct msg_opened) {
        .ref = 1, .session = {3, 1}, .actor = {3, 2}, .incarnation = {5}};
    add_request (fixture, 1, 3, 4, 1);
    add (fixture, 1, EFFECT_RESUMED)->resumed = (struct msg_resumed) {
        .ref = 1, .session = {3, 1}, .actor = {3, 2}, .incarnation = {5}};
    add_request (fixture, 1, 3, 4, 2);

    send_all (fixture);

    static const enum msg_kind kinds[] = {MSG_OPENED, MSG_DELIVER, MSG_RESUMED, MSG_DELIVER};
    assert_int_equal (fixture->sent_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal (frame_at (fixture, i)->kind, kinds[i]);
    }
    fixture_free (fixture);
}

static void
message_ends_at_the_size_aimed_at (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();
    for (uint64_t seq = 1; seq <= 100; seq++) {
        add_request (fixture, 1, 3, 4, seq);
    }

    send_all (fixture);

    assert_in_range (fixture->sent_count, 3, 5);
    for (uint32_t i = 0; i < fixture->sent_count; i++) {
        assert_true (port_frame_view (&fixture->sent[i].frame).size <= AIM_BYTES + 200);
    }
    fixture_free (fixture);
}

static void
heartbeats_are_joined_and_forget_comes_last (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();
    add (fixture, 2, EFFECT_HEARTBEAT);
    add (fixture, 2, EFFECT_HEARTBEAT);
    add (fixture, 2, EFFECT_FORGET);

    send_all (fixture);

    assert_int_equal (fixture->sent_count, 1);
    assert_int_equal (frame_at (fixture, 0)->kind, MSG_HEARTBEAT);
    assert_int_equal (fixture->forgotten, 2);
    fixture_free (fixture);
}

static void
ready_frame_leaves_as_it_is (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();
    add (fixture, 2, EFFECT_FRAME)->holds[0]
        = blob_copy (&fixture->fail.memory, (struct baton_bytes) {"frame", 5});

    send_all (fixture);

    const struct baton_bytes view = port_frame_view (&fixture->sent[0].frame);
    assert_int_equal (view.size, 5);
    assert_memory_equal (view.data, "frame", 5);
    fixture_free (fixture);
}

static void
no_memory_is_told_and_nothing_leaks (void **state)
{
    (void) state;
    struct fixture *fixture = fixture_new ();
    add_request (fixture, 1, 3, 4, 1);
    fixture->fail.fail_at = fixture->fail.asked_count + 2;

    assert_int_equal (packer_send (fixture->packer, &fixture->effects, &fixture->sink),
                      BATON_NO_MEMORY);
    send_all (fixture);

    assert_int_equal (fixture->sent_count, 1);
    fixture_free (fixture);
}

static uint64_t
draw (uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

#define LINKS 4
#define SESSIONS 8

// Checks that the requests of each session on each link come out as 1, 2, 3 ... and counts them.
static uint64_t
count_in_order (struct fixture *fixture, uint64_t next[LINKS][SESSIONS])
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < fixture->sent_count; i++) {
        const struct msg *msg = frame_at (fixture, i);
        if (msg->kind != MSG_DELIVER) continue;
        for (uint32_t j = 0; j < msg->deliver.deliveries_count; j++) {
            const struct msg_delivery *delivery = &msg->deliver.deliveries[j];
            uint64_t *expected = &next[fixture->sent[i].to][delivery->session.high];
            for (uint32_t k = 0; k < delivery->requests_count; k++) {
                assert_int_equal (delivery->requests[k].seq.n, ++*expected);
                assert_true (delivery->base_version.n == *expected / 20);
                count++;
            }
        }
    }
    return count;
}

static void
random_turns_keep_order_and_lose_nothing (void **state)
{
    (void) state;
    const char *given = getenv ("BATON_SEED");
    uint64_t seed = given ? strtoull (given, NULL, 10) : 20240611;
    print_message ("BATON_SEED=%llu\n", (unsigned long long) seed);
    struct fixture *fixture = fixture_new ();
    static uint64_t in[LINKS][SESSIONS], out[LINKS][SESSIONS];
    uint64_t in_count = 0;

    for (int i = 0; i < 3000; i++) {
        const uint64_t link = 1 + draw (&seed) % (LINKS - 1), session = draw (&seed) % SESSIONS;
        if (draw (&seed) % 8 == 0) {
            add_committed (fixture, link, session, 1 + in[link][session]);
        } else {
            const uint64_t seq = ++in[link][session];
            add_request (fixture, link, session, seq / 20, seq);
            in_count++;
        }
        if (draw (&seed) % 100 == 0) {
            send_all (fixture);
        }
    }
    send_all (fixture);

    assert_int_equal (count_in_order (fixture, out), in_count);
    fixture_free (fixture);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (items_of_one_session_leave_in_one_delivery),
        cmocka_unit_test (sessions_that_take_turns_share_one_message),
        cmocka_unit_test (another_base_version_is_another_delivery),
        cmocka_unit_test (only_the_newest_version_of_an_actor_is_acknowledged),
        cmocka_unit_test (acknowledgement_follows_deliveries_decided_before_it),
        cmocka_unit_test (answers_between_keep_their_place),
        cmocka_unit_test (message_ends_at_the_size_aimed_at),
        cmocka_unit_test (heartbeats_are_joined_and_forget_comes_last),
        cmocka_unit_test (ready_frame_leaves_as_it_is),
        cmocka_unit_test (no_memory_is_told_and_nothing_leaks),
        cmocka_unit_test (random_turns_keep_order_and_lose_nothing),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
