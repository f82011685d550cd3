// SPDX-License-Identifier: MPL-2.0
// Goal: input becomes the right requests, and responses come out in the order of requests.
// Method: bytes in pieces of all sizes through feed.c; responses in random order through order.c,
// with the seed from BATON_SEED.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/feed.h"
#include "tools/order.h"

#include <stdlib.h>
#include <string.h>

static void
put (struct feed *feed, const char *text, size_t size)
{
    size_t room;
    char *data = feed_room (feed, &room);

    assert_non_null (data);
    assert_true (room >= size);
    memcpy (data, text, size);
    feed_add (feed, size);
}

static void
expect_request (struct feed *feed, const char *text)
{
    struct baton_bytes request;

    assert_int_equal (feed_next (feed, &request), BATON_OK);
    assert_int_equal (request.size, strlen (text));
    if (request.size > 0) {
        assert_memory_equal (request.data, text, request.size);
    }
}

static void
expect_none (struct feed *feed)
{
    struct baton_bytes request;

    assert_int_equal (feed_next (feed, &request), BATON_NOT_FOUND);
}

static void
lines_are_requests_however_they_arrive (void **state)
{
    (void) state;
    static const char text[] = "one\n\nthree\r\nlast";

    for (size_t step = 1; step < sizeof text; step++) {
        struct feed feed;
        char all[64] = "";
        struct baton_bytes request;
        feed_init (&feed, FEED_LINES, 100);
        for (size_t at = 0; at < sizeof text - 1; at += step) {
            size_t left = sizeof text - 1 - at;
            put (&feed, text + at, left < step ? left : step);
            while (feed_next (&feed, &request) == BATON_OK) {
                strncat (all, request.size > 0 ? request.data : "", request.size);
                strncat (all, "|", 2);
            }
        }
        assert_string_equal (all, "one||three\r|");
        feed_end (&feed);
        expect_request (&feed, "last");
        expect_none (&feed);
        feed_fini (&feed);
    }
}

static void
no_line_follows_the_last_line_end (void **state)
{
    (void) state;
    struct feed feed;
    feed_init (&feed, FEED_LINES, 100);
    put (&feed, "a\n", 2);

    expect_request (&feed, "a");
    feed_end (&feed);

    expect_none (&feed);
    feed_fini (&feed);
}

static void
whole_input_is_one_request (void **state)
{
    (void) state;
    struct feed feed;
    feed_init (&feed, FEED_WHOLE, 100);
    put (&feed, "a\n", 2);
    expect_none (&feed);
    put (&feed, "b", 1);

    feed_end (&feed);

    expect_request (&feed, "a\nb");
    expect_none (&feed);
    feed_fini (&feed);
}

static void
empty_input_is_one_empty_request_but_no_line (void **state)
{
    (void) state;
    struct feed whole, lines;
    feed_init (&whole, FEED_WHOLE, 100);
    feed_init (&lines, FEED_LINES, 100);

    feed_end (&whole);
    feed_end (&lines);

    expect_request (&whole, "");
    expect_none (&whole);
    expect_none (&lines);
    feed_fini (&whole);
    feed_fini (&lines);
}

static void
request_over_the_limit_is_told_before_its_end (void **state)
{
    (void) state;
    struct baton_bytes request;
    struct feed whole, lines;
    feed_init (&whole, FEED_WHOLE, 3);
    feed_init (&lines, FEED_LINES, 3);

    put (&whole, "abcd", 4);
    put (&lines, "abc\nabcd", 8);

    assert_int_equal (feed_next (&whole, &request), BATON_TOO_LARGE);
    expect_request (&lines, "abc");
    assert_int_equal (feed_next (&lines, &request), BATON_TOO_LARGE);
    feed_fini (&whole);
    feed_fini (&lines);
}

static void
input_larger_than_one_read_is_kept_whole (void **state)
{
    (void) state;
    static char big[300000];
    struct baton_bytes request;
    struct feed feed;
    memset (big, 'x', sizeof big);
    feed_init (&feed, FEED_WHOLE, sizeof big);

    for (size_t at = 0; at < sizeof big; at += 1000) {
        put (&feed, big + at, 1000);
    }
    feed_end (&feed);

    assert_int_equal (feed_next (&feed, &request), BATON_OK);
    assert_int_equal (request.size, sizeof big);
    assert_memory_equal (request.data, big, sizeof big);
    feed_fini (&feed);
}

static enum baton_err
put_response (struct order *order, uint64_t number)
{
    const struct baton_response response = {
        .seq = 1, .request = number, .status = BATON_STATUS_REPLY, .body = {&number, 8}};

    return order_put (order, &response);
}

static void
expect_taken (struct order *order, uint64_t number)
{
    struct baton_response response;

    assert_int_equal (order_take (order, &response), BATON_OK);
    assert_int_equal (response.request, number);
    assert_memory_equal (response.body.data, &number, 8);
}

static void
response_before_its_turn_waits (void **state)
{
    (void) state;
    struct baton_response response;
    struct order order;
    order_init (&order);
    order_expect (&order, 3);
    order_expect (&order, 7);

    assert_int_equal (put_response (&order, 7), BATON_OK);
    assert_int_equal (order_take (&order, &response), BATON_NOT_FOUND);
    assert_int_equal (put_response (&order, 3), BATON_OK);

    expect_taken (&order, 3);
    expect_taken (&order, 7);
    assert_int_equal (order.waiting_count, 0);
    order_fini (&order);
}

static void
response_to_nothing_we_expect_is_told_apart (void **state)
{
    (void) state;
    struct order order;
    order_init (&order);
    order_expect (&order, 5);

    assert_int_equal (put_response (&order, 4), BATON_NOT_FOUND);
    assert_int_equal (put_response (&order, 5), BATON_OK);
    assert_int_equal (put_response (&order, 5), BATON_NOT_FOUND);

    expect_taken (&order, 5);
    order_fini (&order);
}

static void
what_is_here_can_be_taken_out_of_turn_once (void **state)
{
    (void) state;
    struct baton_response response;
    struct order order;
    order_init (&order);
    order_expect (&order, 1);
    order_expect (&order, 2);
    put_response (&order, 2);

    assert_int_equal (order_take_any (&order, &response), BATON_OK);
    assert_int_equal (response.request, 2);
    assert_int_equal (order_take_any (&order, &response), BATON_NOT_FOUND);

    put_response (&order, 1);
    expect_taken (&order, 1);
    assert_int_equal (order_take (&order, &response), BATON_NOT_FOUND);
    order_fini (&order);
}

// xorshift64: small, seeded, ours.
static uint64_t
draw (uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void
random_answers_come_out_in_order (void **state)
{
    (void) state;
    const char *given = getenv ("BATON_SEED");
    uint64_t seed = given ? strtoull (given, NULL, 10) : 20240611;
    print_message ("BATON_SEED=%llu\n", (unsigned long long) seed);
    uint64_t open[64], open_count = 0, asked = 0, taken = 0;
    struct order order;
    struct baton_response response;
    order_init (&order);

    for (int i = 0; i < 20000; i++) {
        if (open_count < 64 && draw (&seed) % 2) {
            assert_int_equal (order_expect (&order, ++asked), BATON_OK);
            open[open_count++] = asked;
        } else if (open_count > 0) {
            uint64_t at = draw (&seed) % open_count;
            assert_int_equal (put_response (&order, open[at]), BATON_OK);
            open[at] = open[--open_count];
        }
        while (order_take (&order, &response) == BATON_OK) {
            assert_int_equal (response.request, ++taken);
        }
        assert_int_equal (order.waiting_count, open_count);
    }
    assert_true (order.capacity < 4096);
    order_fini (&order);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (lines_are_requests_however_they_arrive),
        cmocka_unit_test (no_line_follows_the_last_line_end),
        cmocka_unit_test (whole_input_is_one_request),
        cmocka_unit_test (empty_input_is_one_empty_request_but_no_line),
        cmocka_unit_test (request_over_the_limit_is_told_before_its_end),
        cmocka_unit_test (input_larger_than_one_read_is_kept_whole),
        cmocka_unit_test (response_before_its_turn_waits),
        cmocka_unit_test (response_to_nothing_we_expect_is_told_apart),
        cmocka_unit_test (what_is_here_can_be_taken_out_of_turn_once),
        cmocka_unit_test (random_answers_come_out_in_order),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
