// SPDX-License-Identifier: MPL-2.0
// Goal: sizes and counts have limits that are told, and no frame makes a decoder grow.
// Method: messages at each limit and one above it; the largest that the limits allow are decoded
// in an arena of WIRE_ARENA_BYTES.
#include "tests/wire/wire_bench.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct msg_request requests[WIRE_ITEMS_MAX + 1];
static struct msg_response responses[WIRE_ITEMS_MAX + 1];
static struct msg_part parts[WIRE_PARTS_MAX + 1];
static struct msg_delivery deliveries[WIRE_ITEMS_MAX + 1];
static struct msg_ack acks[WIRE_ITEMS_MAX + 1];
static struct msg_cell cells[WIRE_CELLS_MAX + 1];
static struct msg_row rows[WIRE_ITEMS_MAX + 1];
static unsigned char big[LIMIT_BODY_MAX_BYTES + 1];

static int
set_up (void **state)
{
    static struct wire_bench bench;
    wire_bench_init (&bench);
    *state = &bench;
    for (uint32_t i = 0; i <= WIRE_ITEMS_MAX; i++) {
        requests[i] = (struct msg_request) {.seq = {i + 1}, .state = REQUEST_OPEN};
        responses[i] = (struct msg_response) {
            .seq = {i + 1}, .request = {i + 1}, .status = RESPONSE_REPLY};
        deliveries[i] = (struct msg_delivery) {
            .session = {1, 0}, .actor = {1, 0}, .incarnation = {1}, .phase = DELIVER_LIVE};
        acks[i] = (struct msg_ack) {.actor = {1, 0}, .incarnation = {1}};
        rows[i] = (struct msg_row) {NULL, 0};
    }
    for (uint32_t i = 0; i <= WIRE_PARTS_MAX; i++) {
        parts[i] = (struct msg_part) {.session = {1, 0}};
    }
    for (uint32_t i = 0; i <= WIRE_CELLS_MAX; i++) {
        cells[i] = (struct msg_cell) {
            .name = {"a name", 6}, .kind = CELL_TEXT, .text = {"some text", 9}};
    }
    return 0;
}

static int
tear_down (void **state)
{
    wire_bench_fini (*state);
    return 0;
}

// Responses come without a number, so they are made anew.
static struct msg
commit_of (uint32_t parts_count, uint32_t requests_count, uint32_t responses_count)
{
    for (uint32_t i = 0; i < responses_count; i++) {
        responses[i].seq.n = 0;
    }
    for (uint32_t i = 0; i < requests_count; i++) {
        requests[i].attempt = 0;
    }
    if (parts_count > 0) {
        parts[0].requests = requests;
        parts[0].requests_count = requests_count;
        parts[0].responses = responses;
        parts[0].responses_count = responses_count;
    }
    struct msg msg = {.kind = MSG_COMMIT, .epoch = {1}};
    msg.commit = (struct msg_commit) {
        .actor = {1, 0}, .incarnation = {1}, .parts = parts, .parts_count = parts_count};
    return msg;
}

static void
expect_too_large (struct wire_bench *bench, const struct msg *msg, const char *what,
                  uint64_t value, uint64_t limit)
{
    wire_bench_encode (bench, msg);
    assert_int_equal (wire_bench_decode (bench), BATON_REFUSED);
    assert_string_equal (bench->fault.what, what);
    assert_int_equal (bench->fault.refusal, REFUSAL_TOO_LARGE);
    assert_int_equal (bench->fault.kind, msg->kind);
    assert_int_equal (bench->fault.value, value);
    assert_int_equal (bench->fault.limit, limit);
}

static void
expect_good (struct wire_bench *bench, const struct msg *msg)
{
    wire_bench_encode (bench, msg);
    if (wire_bench_decode (bench) != BATON_OK) {
        fail_msg ("%s: %s, %llu of %llu", msg_kind_name (msg->kind), bench->fault.what,
                  (unsigned long long) bench->fault.value,
                  (unsigned long long) bench->fault.limit);
    }
}

static void
commit_beyond_what_a_record_holds_is_left_to_the_core (void **state)
{
    struct msg msg = commit_of (1, LIMIT_RECORD_ITEMS_MAX + 1, 0);
    expect_good (*state, &msg);
    msg = commit_of (2, 1, 0);
    expect_good (*state, &msg);
}

static void
largest_commit_fits_the_arena (void **state)
{
    struct msg msg = commit_of (WIRE_PARTS_MAX, WIRE_ITEMS_MAX, WIRE_ITEMS_MAX);
    expect_good (*state, &msg);
}

static void
largest_deliver_fits_the_arena (void **state)
{
    deliveries[0].requests = requests;
    deliveries[0].requests_count = WIRE_ITEMS_MAX;
    deliveries[0].responses = responses;
    deliveries[0].responses_count = WIRE_ITEMS_MAX;
    struct msg msg = {.kind = MSG_DELIVER, .deliver = {deliveries, WIRE_ITEMS_MAX}};
    expect_good (*state, &msg);
}

static void
largest_tables_fit_the_arena (void **state)
{
    struct msg msg = {.kind = MSG_COMMITTED, .committed = {acks, WIRE_ITEMS_MAX}};
    expect_good (*state, &msg);
    rows[0] = (struct msg_row) {cells, WIRE_CELLS_MAX};
    msg = (struct msg) {.kind = MSG_ADMIN_TELL, .admin_tell = {1, rows, WIRE_ITEMS_MAX, 0}};
    expect_good (*state, &msg);
}

static void
one_item_too_many_is_refused_before_it_is_unpacked (void **state)
{
    struct wire_bench *bench = *state;
    struct msg msg = commit_of (1, WIRE_ITEMS_MAX + 1, 0);
    expect_too_large (bench, &msg, "requests", WIRE_ITEMS_MAX + 1, WIRE_ITEMS_MAX);
    msg = commit_of (1, 0, WIRE_ITEMS_MAX + 1);
    expect_too_large (bench, &msg, "responses", WIRE_ITEMS_MAX + 1, WIRE_ITEMS_MAX);
    msg = commit_of (WIRE_PARTS_MAX + 1, 0, 0);
    expect_too_large (bench, &msg, "parts", WIRE_PARTS_MAX + 1, WIRE_PARTS_MAX);
    rows[0] = (struct msg_row) {cells, WIRE_CELLS_MAX + 1};
    msg = (struct msg) {.kind = MSG_ADMIN_TELL, .admin_tell = {1, rows, 1, 0}};
    expect_too_large (bench, &msg, "cells", WIRE_CELLS_MAX + 1, WIRE_CELLS_MAX);
}

static void
full_arena_makes_a_frame_too_large (void **state)
{
    struct wire_bench *bench = *state;
    wire_decoder_free (&bench->decoder);
    bench->decoder = wire_decoder_new (&bench->memory.memory, 4096);
    struct msg msg = commit_of (1, WIRE_ITEMS_MAX, 0);
    wire_bench_encode (bench, &msg);
    assert_int_equal (wire_bench_decode (bench), BATON_REFUSED);
    assert_string_equal (bench->fault.what, "control");
    assert_int_equal (bench->fault.refusal, REFUSAL_TOO_LARGE);

    msg = commit_of (1, 1, 1);
    expect_good (bench, &msg);
}

static void
each_arena_size_decodes_or_is_refused (void **state)
{
    struct wire_bench *bench = *state;
    struct msg msg = commit_of (3, 20, 20);
    wire_bench_encode (bench, &msg);
    enum baton_err error = BATON_REFUSED;
    for (size_t size = 0; error; size += 8) {
        wire_decoder_free (&bench->decoder);
        bench->decoder = wire_decoder_new (&bench->memory.memory, size);
        error = wire_bench_decode (bench);
        if (error) assert_int_equal (bench->fault.refusal, REFUSAL_TOO_LARGE);
    }
}

static void
names_beyond_their_limit_are_refused (void **state)
{
    struct wire_bench *bench = *state;
    struct msg msg = {.kind = MSG_OPEN, .epoch = {1}};
    msg.open = (struct msg_open) {.ref = 1, .intent = OPEN_OR_CREATE, .kind = SESSION_BOUND};
    msg.open.session = (struct baton_bytes) {big, LIMIT_NAME_MAX_BYTES};
    msg.open.requirement = (struct baton_bytes) {big, LIMIT_REQUIREMENT_MAX_BYTES};
    expect_good (bench, &msg);
    msg.open.requirement.size++;
    expect_too_large (bench, &msg, "requirement", LIMIT_REQUIREMENT_MAX_BYTES + 1,
                      LIMIT_REQUIREMENT_MAX_BYTES);
    msg.open.session.size++;
    expect_too_large (bench, &msg, "session", LIMIT_NAME_MAX_BYTES + 1, LIMIT_NAME_MAX_BYTES);

    msg = (struct msg) {.kind = MSG_OFFER, .offer = {.ref = 1, .capacity = 1}};
    msg.offer.attributes = (struct baton_bytes) {big, LIMIT_OFFER_MAX_BYTES + 1};
    expect_too_large (bench, &msg, "attributes", LIMIT_OFFER_MAX_BYTES + 1,
                      LIMIT_OFFER_MAX_BYTES);
    msg = (struct msg) {.kind = MSG_REFUSED, .refused = {.refusal = REFUSAL_BUSY}};
    msg.refused.text = (struct baton_bytes) {big, LIMIT_TEXT_MAX_BYTES + 1};
    expect_too_large (bench, &msg, "text", LIMIT_TEXT_MAX_BYTES + 1, LIMIT_TEXT_MAX_BYTES);
}

static void
body_at_its_limit_is_taken_and_one_byte_more_is_not (void **state)
{
    struct wire_bench *bench = *state;
    struct msg msg = commit_of (1, 1, 0);
    requests[0].body = (struct baton_bytes) {big, LIMIT_BODY_MAX_BYTES};
    expect_good (bench, &msg);
    requests[0].body.size++;
    expect_too_large (bench, &msg, "body_size", LIMIT_BODY_MAX_BYTES + 1, LIMIT_BODY_MAX_BYTES);
}

static void
restart_data_at_its_limit_is_taken_and_one_byte_more_is_not (void **state)
{
    struct wire_bench *bench = *state;
    struct msg msg = commit_of (1, 0, 0);
    msg.commit.restart_data = (struct baton_bytes) {big, LIMIT_RESTART_DATA_MAX_BYTES};
    expect_good (bench, &msg);
    msg.commit.restart_data.size++;
    expect_too_large (bench, &msg, "restart_data_size", LIMIT_RESTART_DATA_MAX_BYTES + 1,
                      LIMIT_RESTART_DATA_MAX_BYTES);
}

static void
frame_and_control_have_limits_of_their_own (void **state)
{
    struct wire_bench *bench = *state;
    struct msg msg = commit_of (1, 0, 0);
    wire_bench_encode (bench, &msg);
    size_t size = bench->frame_bytes;
    bench->limits.frame_max_bytes = size;
    expect_good (bench, &msg);
    bench->limits.frame_max_bytes = size - 1;
    expect_too_large (bench, &msg, "frame", size, size - 1);

    bench->limits.frame_max_bytes = LIMIT_FRAME_MAX_BYTES;
    struct baton_bytes control = {big, LIMIT_CONTROL_MAX_BYTES + 1};
    wire_bench_take_parts (bench, MSG_HELLO, control, (struct baton_bytes) {0});
    assert_int_equal (wire_bench_decode (bench), BATON_REFUSED);
    assert_string_equal (bench->fault.what, "control");
    assert_int_equal (bench->fault.refusal, REFUSAL_TOO_LARGE);
}

int
main (void)
{
#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST (commit_beyond_what_a_record_holds_is_left_to_the_core),
        TEST (largest_commit_fits_the_arena),
        TEST (largest_deliver_fits_the_arena),
        TEST (largest_tables_fit_the_arena),
        TEST (one_item_too_many_is_refused_before_it_is_unpacked),
        TEST (full_arena_makes_a_frame_too_large),
        TEST (each_arena_size_decodes_or_is_refused),
        TEST (names_beyond_their_limit_are_refused),
        TEST (body_at_its_limit_is_taken_and_one_byte_more_is_not),
        TEST (restart_data_at_its_limit_is_taken_and_one_byte_more_is_not),
        TEST (frame_and_control_have_limits_of_their_own),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
