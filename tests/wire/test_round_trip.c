// SPDX-License-Identifier: MPL-2.0
// Goal: what one side says is what the other hears, for every message and every field.
// Method: random messages of all kinds are encoded, decoded and compared field by field; what was
// decoded is encoded again and must give the same bytes.
#include "tests/wire/msg_random.h"
#include "tests/wire/wire_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS_OF_EACH_KIND = 400 };

static struct msg_random generator;

static void
check_one (struct wire_bench *bench, enum msg_kind kind)
{
    struct msg told;
    msg_random_fill (&generator, kind, &told);

    wire_bench_encode (bench, &told);
    assert_int_equal (bench->frame_bytes, wire_encoded_size (&told));
    if (wire_bench_decode (bench) != BATON_OK) {
        fail_msg ("%s: %s, %llu", msg_kind_name (kind), bench->fault.what,
                  (unsigned long long) bench->fault.value);
    }
    if (!msg_same (&told, &bench->msg)) fail_msg ("%s: not what was told", msg_kind_name (kind));

    unsigned char *again = malloc (bench->frame_bytes);
    assert_non_null (again);
    assert_int_equal (wire_encode (&bench->msg, again, bench->frame_bytes), bench->frame_bytes);
    assert_memory_equal (again, bench->frame, bench->frame_bytes);
    free (again);
}

static void
what_is_decoded_is_what_was_encoded (void **state)
{
    (void) state;
    struct wire_bench bench;
    wire_bench_init (&bench);
    generator.state = msg_random_seed ();
#define X(name, n) \
    for (int i = 0; i < ROUNDS_OF_EACH_KIND; i++) { \
        check_one (&bench, MSG_##name); \
    }
    BATON_MESSAGES (X)
#undef X
    wire_bench_fini (&bench);
}

static void
decoding_takes_no_memory_but_the_decoder (void **state)
{
    (void) state;
    struct wire_bench bench;
    wire_bench_init (&bench);
    generator.state = msg_random_seed ();
    size_t asked = bench.memory.asked_count;

    for (int i = 0; i < 200; i++) {
        check_one (&bench, MSG_COMMIT);
        check_one (&bench, MSG_ADMIN_TELL);
    }

    assert_int_equal (bench.memory.asked_count, asked);
    wire_bench_fini (&bench);
}

static void
decoder_without_memory_is_null (void **state)
{
    (void) state;
    struct memory_fail memory;
    memory_fail_init (&memory, 1);

    struct wire_decoder *decoder = wire_decoder_new (&memory.memory, WIRE_ARENA_BYTES);

    assert_null (decoder);
    wire_decoder_free (&decoder);
    memory_fail_expect_clean (&memory);
}

static void
digest_of_a_commit_follows_its_bytes_but_not_its_epoch (void **state)
{
    (void) state;
    struct wire_bench bench;
    wire_bench_init (&bench);
    struct msg_part part = {.session = {1, 2}};
    struct msg msg = {.kind = MSG_COMMIT, .epoch = {7}};
    msg.commit = (struct msg_commit) {
        .actor = {3, 4},
        .incarnation = {5},
        .restart_data = {"abc", 3},
        .parts = &part,
        .parts_count = 1,
    };
    wire_bench_encode (&bench, &msg);
    assert_int_equal (wire_bench_decode (&bench), BATON_OK);
    uint64_t digest = bench.msg.commit.digest;

    msg.epoch.n = 8;
    wire_bench_encode (&bench, &msg);
    assert_int_equal (wire_bench_decode (&bench), BATON_OK);
    assert_true (bench.msg.commit.digest == digest);

    msg.commit.restart_data.data = "abd";
    wire_bench_encode (&bench, &msg);
    assert_int_equal (wire_bench_decode (&bench), BATON_OK);
    assert_true (bench.msg.commit.digest != digest);
    wire_bench_fini (&bench);
}

static void
bodies_are_views_into_the_frame (void **state)
{
    (void) state;
    struct wire_bench bench;
    wire_bench_init (&bench);
    struct msg_request request = {.seq = {1}, .state = REQUEST_OPEN, .body = {"body", 4}};
    struct msg_part part = {.session = {1, 2}, .requests = &request, .requests_count = 1};
    struct msg msg = {.kind = MSG_COMMIT, .epoch = {7}};
    msg.commit = (struct msg_commit) {
        .actor = {3, 4}, .incarnation = {5}, .parts = &part, .parts_count = 1};

    wire_bench_encode (&bench, &msg);
    assert_int_equal (wire_bench_decode (&bench), BATON_OK);

    const unsigned char *end = bench.frame + bench.frame_bytes;
    assert_ptr_equal (bench.msg.commit.parts[0].requests[0].body.data, end - 4);
    wire_bench_fini (&bench);
}

static void
encoding_into_too_little_room_is_our_own_fault (void **state)
{
    (void) state;
    unsigned char room[WIRE_HEADER_BYTES];
    struct msg msg = {.kind = MSG_OFFERED, .offered = {.ref = 1}};
    expect_assert_failure (wire_encode (&msg, room, sizeof room));
    expect_assert_failure (wire_encode (&msg, room, 3));
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (what_is_decoded_is_what_was_encoded),
        cmocka_unit_test (decoding_takes_no_memory_but_the_decoder),
        cmocka_unit_test (decoder_without_memory_is_null),
        cmocka_unit_test (digest_of_a_commit_follows_its_bytes_but_not_its_epoch),
        cmocka_unit_test (bodies_are_views_into_the_frame),
        cmocka_unit_test (encoding_into_too_little_room_is_our_own_fault),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
