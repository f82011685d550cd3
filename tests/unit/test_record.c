// SPDX-License-Identifier: MPL-2.0
// Goal: a record read back is the record that was written, and bytes that are no record are told.
// Method: one record of each type with every field filled by chance, written, read and written
// again; then every cut, and every single byte changed, of each (seed: BATON_SEED).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/record.h"

enum { BYTES_MAX = 1 << 16, ROUNDS_COUNT = 200 };

static struct record_room room;
static struct record_room room_read;
static uint64_t seed;
static unsigned char body[256];

static uint64_t
draw (uint64_t count)
{
    uint64_t z = (seed += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % count;
}

static uint64_t
draw_number (void)
{
    return draw (UINT64_MAX);
}

static struct baton_bytes
draw_bytes (void)
{
    return (struct baton_bytes) { body, draw (40) };
}

static struct id
draw_id (void)
{
    return (struct id) { draw_number (), draw_number () };
}

static void
fill_opened (struct record_opened *opened)
{
    *opened = (struct record_opened) {
        .makes = (uint8_t) draw (8),
        .kind = 1 + (enum session_kind) draw (2),
        .session = draw_id (),
        .actor = draw_id (),
        .instance = draw_id (),
        .principal = draw_bytes (),
        .session_name = draw_bytes (),
        .actor_name = draw_bytes (),
        .requirement = draw_bytes (),
    };
}

static void
fill_committed (struct record_committed *committed)
{
    *committed = (struct record_committed) {
        .actor = draw_id (),
        .incarnation = { draw_number () },
        .version = { draw_number () },
        .digest = draw_number (),
        .restart_data = draw_bytes (),
        .session = draw_id (),
        .requests_consumed_through = { draw_number () },
        .responses_consumed_through = { draw_number () },
        .reject = 1 + (enum reject_outcome) draw (3),
        .requests = room.requests,
        .requests_count = (uint32_t) draw (5),
        .responses = room.responses,
        .responses_count = (uint32_t) draw (5),
    };
    for (uint32_t i = 0; i < 5; i++) {
        room.requests[i] = (struct msg_request) { .seq = { draw_number () },
                                                  .body = draw_bytes () };
        room.responses[i] = (struct msg_response) {
            .request = { draw_number () },
            .status = 1 + (enum response_status) draw (4),
            .body = draw_bytes (),
        };
    }
}

static void
fill_offered (struct record_offered *offered)
{
    *offered = (struct record_offered) {
        .name = draw_bytes (),
        .principal = draw_bytes (),
        .instance = draw_id (),
        .state = draw (2) ? OFFER_ENDED : OFFER_CURRENT,
        .set = draw_bytes (),
        .attributes = draw_bytes (),
        .capacity = (uint32_t) draw (1000),
        .credit_count = (uint32_t) draw (1000),
        .credit_bytes = draw_number (),
        .known_since_utc_ms = draw_number (),
        .ended = { draw_number () },
        .ended_unknown = { draw_number () },
        .former_count = (uint8_t) draw (LIMIT_FORMER_INSTANCES + 1),
    };
    for (uint32_t i = 0; i < LIMIT_FORMER_INSTANCES; i++) {
        offered->former[i] = draw_id ();
    }
}

static void
fill_server_ended (struct record_server_ended *ended)
{
    *ended = (struct record_server_ended) {
        .name = draw_bytes (),
        .instance = draw_id (),
        .reason = 1 + (enum end_reason) draw (3),
        .held = 1 + (enum held_knowledge) draw (2),
        .items = room.items,
        .items_count = (uint32_t) draw (5),
    };
    for (uint32_t i = 0; i < 5; i++) {
        room.items[i] = (struct record_end_item) {
            draw_id (), { draw_number () }, 1 + (enum attempt_outcome) draw (3),
        };
    }
}

static void
fill (enum record_type type, struct record *record)
{
    memset (record, 0, sizeof *record);
    record->head.type = (uint16_t) type;
    record->head.version = RECORD_VERSION;
    record->head.epoch.n = draw_number ();
    record->head.index.n = draw_number ();
    record->head.chain = draw_number ();
    record->head.utc_ms = draw_number ();
    switch (type) {
    case RECORD_OPENED: fill_opened (&record->opened); return;
    case RECORD_COMMITTED: fill_committed (&record->committed); return;
    case RECORD_OFFERED: fill_offered (&record->offered); return;
    case RECORD_SERVER_ENDED: fill_server_ended (&record->server_ended); return;
    case RECORD_BOUND:
        record->bound = (struct record_bound) {
            draw_id (), draw_id (), draw_bytes (), draw_id (), { draw_number () },
        };
        return;
    case RECORD_CLOSED:
        record->closed = (struct record_closed) { draw_id (), CLOSE_BY_LIFE };
        return;
    case RECORD_OFFER_RETIRED: record->offer_retired.name = draw_bytes (); return;
    case RECORD_EPOCH: return;
    }
}

// Returns the size; [data] is exactly as large, so that a sanitizer sees any step beyond it.
static size_t
encode (const struct record *record, unsigned char **data)
{
    const size_t size = record_encoded_size (record);

    *data = malloc (size);
    assert_non_null (*data);
    record_encode (record, *data, size);
    return size;
}

static void
round_trip (enum record_type type)
{
    struct record record;
    struct record read;
    unsigned char *data;
    unsigned char *again;

    fill (type, &record);
    const size_t size = encode (&record, &data);
    assert_int_equal (record_decode ((struct baton_bytes) { data, size }, &room_read, &read),
                      BATON_OK);
    assert_int_equal (read.head.type, type);
    assert_true (read.head.index.n == record.head.index.n);
    assert_true (read.head.chain == record.head.chain);
    assert_int_equal (encode (&read, &again), size);
    assert_memory_equal (data, again, size);
    free (data);
    free (again);
}

static void
what_is_read_is_what_was_written (void **state)
{
    (void) state;
    for (int i = 0; i < ROUNDS_COUNT; i++) {
#define X(name, number) round_trip (RECORD_##name);
        BATON_RECORDS (X)
#undef X
    }
}

static void
cut_all (enum record_type type)
{
    struct record record;
    struct record read;
    unsigned char *data;

    fill (type, &record);
    const size_t size = encode (&record, &data);
    for (size_t cut = 0; cut < size; cut++) {
        unsigned char *part = malloc (cut ? cut : 1);
        assert_non_null (part);
        memcpy (part, data, cut);
        assert_int_equal (record_decode ((struct baton_bytes) { part, cut }, &room_read, &read),
                          BATON_DAMAGED);
        // A length that agrees with the cut does not make it whole.
        if (cut >= RECORD_HEAD_BYTES) {
            little_put_u32 (part, (uint32_t) cut);
            assert_int_equal (record_decode ((struct baton_bytes) { part, cut }, &room_read,
                                             &read), BATON_DAMAGED);
        }
        free (part);
    }
    free (data);
}

static void
every_cut_is_told (void **state)
{
    (void) state;
#define X(name, number) cut_all (RECORD_##name);
    BATON_RECORDS (X)
#undef X
}

// Whether a changed byte is noticed is the store's business; here nothing may be read beyond the
// record, and what is accepted must be a record.
static void
change_each (enum record_type type)
{
    struct record record;
    struct record read;
    unsigned char *data;
    unsigned char *again;

    fill (type, &record);
    const size_t size = encode (&record, &data);
    for (size_t at = 0; at < size; at++) {
        data[at] ^= 0xff;
        if (record_decode ((struct baton_bytes) { data, size }, &room_read, &read) == BATON_OK) {
            assert_int_equal (encode (&read, &again), size);
            free (again);
        }
        data[at] ^= 0xff;
    }
    free (data);
}

static void
changed_bytes_do_no_harm (void **state)
{
    (void) state;
    for (int i = 0; i < 10; i++) {
#define X(name, number) change_each (RECORD_##name);
        BATON_RECORDS (X)
#undef X
    }
}

static void
unknown_type_and_version_are_told (void **state)
{
    struct record record;
    struct record read;
    unsigned char *data;

    (void) state;
    fill (RECORD_CLOSED, &record);
    const size_t size = encode (&record, &data);
    const struct baton_bytes bytes = { data, size };
    little_put_u16 (data + 4, 99);
    assert_int_equal (record_decode (bytes, &room_read, &read), BATON_DAMAGED);
    little_put_u16 (data + 4, RECORD_CLOSED);
    little_put_u16 (data + 6, RECORD_VERSION + 1);
    assert_int_equal (record_decode (bytes, &room_read, &read), BATON_DAMAGED);
    little_put_u16 (data + 6, RECORD_VERSION);
    assert_int_equal (record_decode (bytes, &room_read, &read), BATON_OK);
    free (data);
}

static void
layout_of_a_binding_is_for_ever (void **state)
{
    static const unsigned char wanted[] = {
        102, 0, 0, 0, 4, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0,
        0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 7, 0, 0, 0, 0, 0, 0, 0,
        1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, // session
        3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, // actor
        2, 0, 0, 0, 's', '1',                           // server
        5, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, // instance
        8, 0, 0, 0, 0, 0, 0, 0,                         // suspect through
    };
    const struct record record = {
        .head = { .type = RECORD_BOUND, .version = RECORD_VERSION, .epoch = { 2 },
                  .index = { 9 }, .chain = 0x1122334455667788, .utc_ms = 7 },
        .bound = { { 1, 2 }, { 3, 4 }, { "s1", 2 }, { 5, 6 }, { 8 } },
    };
    unsigned char *data;

    (void) state;
    assert_int_equal (encode (&record, &data), sizeof wanted);
    assert_memory_equal (data, wanted, sizeof wanted);
    free (data);
}

static int
take_seed (void **state)
{
    const char *given = getenv ("BATON_SEED");

    (void) state;
    seed = given ? strtoull (given, NULL, 10) : 1;
    print_message ("BATON_SEED=%llu\n", (unsigned long long) seed);
    for (size_t i = 0; i < sizeof body; i++) {
        body[i] = (unsigned char) draw (256);
    }
    return 0;
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (what_is_read_is_what_was_written),
        cmocka_unit_test (every_cut_is_told),
        cmocka_unit_test (changed_bytes_do_no_harm),
        cmocka_unit_test (unknown_type_and_version_are_told),
        cmocka_unit_test (layout_of_a_binding_is_for_ever),
    };

    return cmocka_run_group_tests (tests, take_seed, NULL);
}
