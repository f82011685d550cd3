// SPDX-License-Identifier: MPL-2.0
// Goal: the bytes on the wire are those that docs/protocol.md describes, for ever.
// Method: frames written by hand from the page, not by our encoder. Each is encoded from its
// message and compared, and decoded and looked at.
#include "tests/wire/wire_bench.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ZERO_4 0, 0, 0, 0
#define ZERO_7 0, 0, 0, 0, 0, 0, 0

static const unsigned char hello_frame[] = {
    0x42, 0x4e, 1, 1,                            // "BN", version 1, HELLO
    24, 0, 0, 0,                                 // control bytes
    ZERO_4, ZERO_4,                              // epoch: none seen yet
    ZERO_4,                                      // bulk bytes
    ZERO_4,                                      // reserved
    0x08, 2,                                     // 1 role: SERVER
    0x11, 8, 7, 6, 5, 4, 3, 2, 1,                // 2 instance, high half
    0x19, 24, 23, 22, 21, 20, 19, 18, 17,        // 3 instance, low half
    0x22, 2, 'w', '1',                           // 4 name
};

static const unsigned char heartbeat_frame[] = {
    0x42, 0x4e, 1, 3, ZERO_4, 0xff, 1, 0, 0, ZERO_4, ZERO_4, ZERO_4,
};

static const unsigned char commit_frame[] = {
    0x42, 0x4e, 1, 9,
    59, 0, 0, 0,
    3, ZERO_7,                                   // epoch 3
    7, 0, 0, 0,
    ZERO_4,
    0x09, 1, ZERO_7,                             // 1 actor, high half
    0x11, 2, ZERO_7,                             // 2 actor, low half
    0x18, 0xac, 0x02,                            // 3 incarnation 300
    0x20, 5,                                     // 4 expect_version
    0x28, 2,                                     // 5 restart_data_size
    0x32, 22,                                    // 6 a part
        0x09, 3, ZERO_7,                         //   1 session, high half
        0x11, 4, ZERO_7,                         //   2 session, low half
        0x18, 2,                                 //   3 requests_count
        0x30, 9,                                 //   6 responses_consumed_through
    0x3a, 4,                                     // 7 a request
        0x08, 7,                                 //   1 seq
        0x20, 5,                                 //   4 body_size
    0x3a, 2,                                     // 7 a request with an empty body
        0x08, 8,
    'R', 'D', 'h', 'e', 'l', 'l', 'o',           // bulk: restart data, first body
};

static const unsigned char deliver_frame[] = {
    0x42, 0x4e, 1, 11,
    68, 0, 0, 0,
    3, ZERO_7,
    3, 0, 0, 0,
    ZERO_4,
    0x0a, 46,                                    // 1 a delivery
        0x09, 1, ZERO_7, 0x11, 2, ZERO_7,        //   1, 2 session
        0x19, 3, ZERO_7, 0x21, 4, ZERO_7,        //   3, 4 actor
        0x28, 5,                                 //   5 incarnation
        0x30, 6,                                 //   6 base_version
        0x38, 2,                                 //   7 phase: LIVE
        0x40, 1,                                 //   8 requests_count
        0x48, 1,                                 //   9 responses_count
    0x12, 8,                                     // 2 a request
        0x08, 9, 0x10, 1, 0x18, 1, 0x20, 1,      //   seq, OPEN, attempt 1, body_size
    0x1a, 8,                                     // 3 a response
        0x08, 3, 0x10, 9, 0x18, 1, 0x20, 2,      //   seq, request, REPLY, body_size
    'a', 'b', 'c',
};

// Two deliveries share flat lists: requests of both, then responses of both, bodies likewise.
static const unsigned char two_deliveries_frame[] = {
    0x42, 0x4e, 1, 11,
    92, 0, 0, 0,
    3, ZERO_7,
    4, 0, 0, 0,
    ZERO_4,
    0x0a, 26, 0x09, 1, ZERO_7, 0x19, 3, ZERO_7, 0x28, 5, 0x38, 2, 0x40, 1, 0x48, 1,
    0x0a, 26, 0x09, 2, ZERO_7, 0x19, 4, ZERO_7, 0x28, 6, 0x38, 1, 0x40, 1, 0x48, 1,
    0x12, 6, 0x08, 1, 0x10, 1, 0x20, 1,
    0x12, 6, 0x08, 2, 0x10, 2, 0x20, 1,
    0x1a, 8, 0x08, 3, 0x10, 7, 0x18, 1, 0x20, 1,
    0x1a, 8, 0x08, 4, 0x10, 8, 0x18, 2, 0x20, 1,
    'a', 'b', 'c', 'd',
};

static const unsigned char refused_frame[] = {
    0x42, 0x4e, 1, 18,
    29, 0, 0, 0,
    3, ZERO_7,
    ZERO_4,
    ZERO_4,
    0x08, 4,                                     // 1 refusal: GAP
    0x10, 9,                                     // 2 kind: COMMIT
    0x31, 1, ZERO_7,                             // 6 actor, high half
    0x39, 2, ZERO_7,                             // 7 actor, low half
    0x40, 5,                                     // 8 incarnation
    0x48, 6,                                     // 9 version
    0x72, 1, 'x',                                // 14 text
};

static void
expect_encoded (const struct msg *msg, const unsigned char *golden, size_t size)
{
    struct wire_bench bench;
    wire_bench_init (&bench);
    wire_bench_encode (&bench, msg);
    assert_int_equal (bench.frame_bytes, size);
    assert_memory_equal (bench.frame, golden, size);
    wire_bench_fini (&bench);
}

static void
decode (struct wire_bench *bench, const unsigned char *golden, size_t size)
{
    wire_bench_init (bench);
    wire_bench_take_bytes (bench, golden, size);
    assert_int_equal (wire_bench_decode (bench), BATON_OK);
}

static void
expect_bytes (struct baton_bytes bytes, const char *text)
{
    assert_int_equal (bytes.size, strlen (text));
    if (bytes.size > 0) assert_memory_equal (bytes.data, text, bytes.size);
}

static void
hello_is_encoded_as_written (void **state)
{
    (void) state;
    struct msg msg = {.kind = MSG_HELLO};
    msg.hello = (struct msg_hello) {
        .role = END_SERVER,
        .instance = {0x0102030405060708u, 0x1112131415161718u},
        .name = {"w1", 2},
    };
    expect_encoded (&msg, hello_frame, sizeof hello_frame);
}

static void
hello_is_decoded_as_written (void **state)
{
    (void) state;
    struct wire_bench bench;
    decode (&bench, hello_frame, sizeof hello_frame);
    assert_int_equal (bench.msg.kind, MSG_HELLO);
    assert_int_equal (bench.msg.hello.role, END_SERVER);
    assert_true (bench.msg.hello.instance.high == 0x0102030405060708u);
    assert_true (bench.msg.hello.instance.low == 0x1112131415161718u);
    expect_bytes (bench.msg.hello.name, "w1");
    assert_true (id_is_none (bench.msg.hello.group));
    wire_bench_fini (&bench);
}

static void
heartbeat_is_its_header (void **state)
{
    (void) state;
    struct msg msg = {.kind = MSG_HEARTBEAT, .epoch = {0x1ff}};
    expect_encoded (&msg, heartbeat_frame, sizeof heartbeat_frame);
    struct wire_bench bench;
    decode (&bench, heartbeat_frame, sizeof heartbeat_frame);
    assert_int_equal (bench.msg.epoch.n, 0x1ff);
    wire_bench_fini (&bench);
}

static void
commit_is_encoded_as_written (void **state)
{
    (void) state;
    const struct msg_request requests[] = {
        {.seq = {7}, .state = REQUEST_OPEN, .body = {"hello", 5}},
        {.seq = {8}, .state = REQUEST_OPEN},
    };
    const struct msg_part part = {
        .session = {3, 4},
        .requests = requests,
        .requests_count = 2,
        .responses_consumed_through = {9},
    };
    struct msg msg = {.kind = MSG_COMMIT, .epoch = {3}};
    msg.commit = (struct msg_commit) {
        .actor = {1, 2},
        .incarnation = {300},
        .expect_version = {5},
        .restart_data = {"RD", 2},
        .parts = &part,
        .parts_count = 1,
    };
    expect_encoded (&msg, commit_frame, sizeof commit_frame);
}

static void
commit_is_decoded_as_written (void **state)
{
    (void) state;
    struct wire_bench bench;
    decode (&bench, commit_frame, sizeof commit_frame);
    const struct msg_commit *commit = &bench.msg.commit;
    assert_int_equal (bench.msg.epoch.n, 3);
    assert_true (id_equal (commit->actor, (struct id) {1, 2}));
    assert_int_equal (commit->incarnation.n, 300);
    assert_int_equal (commit->expect_version.n, 5);
    expect_bytes (commit->restart_data, "RD");
    assert_int_equal (commit->parts_count, 1);
    const struct msg_part *part = &commit->parts[0];
    assert_true (id_equal (part->session, (struct id) {3, 4}));
    assert_int_equal (part->requests_count, 2);
    assert_int_equal (part->responses_count, 0);
    assert_int_equal (part->responses_consumed_through.n, 9);
    assert_int_equal (part->requests[0].seq.n, 7);
    assert_int_equal (part->requests[0].state, REQUEST_OPEN);
    expect_bytes (part->requests[0].body, "hello");
    assert_int_equal (part->requests[1].seq.n, 8);
    expect_bytes (part->requests[1].body, "");
    wire_bench_fini (&bench);
}

static void
deliver_is_encoded_as_written (void **state)
{
    (void) state;
    const struct msg_request request = {
        .seq = {9}, .state = REQUEST_OPEN, .attempt = 1, .body = {"a", 1}};
    const struct msg_response response = {
        .seq = {3}, .request = {9}, .status = RESPONSE_REPLY, .body = {"bc", 2}};
    const struct msg_delivery delivery = {
        .session = {1, 2},
        .actor = {3, 4},
        .incarnation = {5},
        .base_version = {6},
        .phase = DELIVER_LIVE,
        .requests = &request,
        .requests_count = 1,
        .responses = &response,
        .responses_count = 1,
    };
    struct msg msg = {.kind = MSG_DELIVER, .epoch = {3}, .deliver = {&delivery, 1}};
    expect_encoded (&msg, deliver_frame, sizeof deliver_frame);
}

static void
deliver_is_decoded_as_written (void **state)
{
    (void) state;
    struct wire_bench bench;
    decode (&bench, deliver_frame, sizeof deliver_frame);
    assert_int_equal (bench.msg.deliver.deliveries_count, 1);
    const struct msg_delivery *delivery = &bench.msg.deliver.deliveries[0];
    assert_true (id_equal (delivery->session, (struct id) {1, 2}));
    assert_true (id_equal (delivery->actor, (struct id) {3, 4}));
    assert_int_equal (delivery->incarnation.n, 5);
    assert_int_equal (delivery->base_version.n, 6);
    assert_int_equal (delivery->phase, DELIVER_LIVE);
    assert_int_equal (delivery->requests_count, 1);
    assert_int_equal (delivery->requests[0].seq.n, 9);
    assert_int_equal (delivery->requests[0].attempt, 1);
    expect_bytes (delivery->requests[0].body, "a");
    assert_int_equal (delivery->responses_count, 1);
    assert_int_equal (delivery->responses[0].seq.n, 3);
    assert_int_equal (delivery->responses[0].request.n, 9);
    assert_int_equal (delivery->responses[0].status, RESPONSE_REPLY);
    expect_bytes (delivery->responses[0].body, "bc");
    wire_bench_fini (&bench);
}

static void
items_of_two_deliveries_stand_in_flat_lists (void **state)
{
    (void) state;
    const struct msg_request requests[] = {
        {.seq = {1}, .state = REQUEST_OPEN, .body = {"a", 1}},
        {.seq = {2}, .state = REQUEST_SKIPPED, .body = {"b", 1}},
    };
    const struct msg_response responses[] = {
        {.seq = {3}, .request = {7}, .status = RESPONSE_REPLY, .body = {"c", 1}},
        {.seq = {4}, .request = {8}, .status = RESPONSE_FAILED, .body = {"d", 1}},
    };
    struct msg_delivery deliveries[] = {
        {.session = {1, 0}, .actor = {3, 0}, .incarnation = {5}, .phase = DELIVER_LIVE},
        {.session = {2, 0}, .actor = {4, 0}, .incarnation = {6}, .phase = DELIVER_QUEUE},
    };
    for (size_t i = 0; i < 2; i++) {
        deliveries[i].requests = &requests[i];
        deliveries[i].requests_count = 1;
        deliveries[i].responses = &responses[i];
        deliveries[i].responses_count = 1;
    }
    struct msg msg = {.kind = MSG_DELIVER, .epoch = {3}, .deliver = {deliveries, 2}};
    expect_encoded (&msg, two_deliveries_frame, sizeof two_deliveries_frame);

    struct wire_bench bench;
    decode (&bench, two_deliveries_frame, sizeof two_deliveries_frame);
    expect_bytes (bench.msg.deliver.deliveries[1].requests[0].body, "b");
    expect_bytes (bench.msg.deliver.deliveries[0].responses[0].body, "c");
    expect_bytes (bench.msg.deliver.deliveries[1].responses[0].body, "d");
    wire_bench_fini (&bench);
}

static void
refused_is_encoded_as_written (void **state)
{
    (void) state;
    struct msg msg = {.kind = MSG_REFUSED, .epoch = {3}};
    msg.refused = (struct msg_refused) {
        .refusal = REFUSAL_GAP,
        .kind = MSG_COMMIT,
        .actor = {1, 2},
        .incarnation = {5},
        .version = {6},
        .text = {"x", 1},
    };
    expect_encoded (&msg, refused_frame, sizeof refused_frame);
}

static void
refused_is_decoded_as_written (void **state)
{
    (void) state;
    struct wire_bench bench;
    decode (&bench, refused_frame, sizeof refused_frame);
    const struct msg_refused *refused = &bench.msg.refused;
    assert_int_equal (refused->refusal, REFUSAL_GAP);
    assert_int_equal (refused->kind, MSG_COMMIT);
    assert_int_equal (refused->ref, 0);
    assert_true (id_is_none (refused->session));
    assert_true (id_equal (refused->actor, (struct id) {1, 2}));
    assert_int_equal (refused->incarnation.n, 5);
    assert_int_equal (refused->version.n, 6);
    expect_bytes (refused->text, "x");
    wire_bench_fini (&bench);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (hello_is_encoded_as_written),
        cmocka_unit_test (hello_is_decoded_as_written),
        cmocka_unit_test (heartbeat_is_its_header),
        cmocka_unit_test (commit_is_encoded_as_written),
        cmocka_unit_test (commit_is_decoded_as_written),
        cmocka_unit_test (deliver_is_encoded_as_written),
        cmocka_unit_test (deliver_is_decoded_as_written),
        cmocka_unit_test (items_of_two_deliveries_stand_in_flat_lists),
        cmocka_unit_test (refused_is_encoded_as_written),
        cmocka_unit_test (refused_is_decoded_as_written),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
