// SPDX-License-Identifier: MPL-2.0
// Goal: no bytes of a stranger do anything but be refused, with the field that is wrong.
// Method: good frames are cut, stretched and changed in every place, and broken control parts are
// written by hand; all of it runs under sanitizers, in buffers that end where the frame does.
#include "tests/wire/msg_random.h"
#include "tests/wire/wire_bench.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct msg_random generator;

static int
set_up (void **state)
{
    static struct wire_bench bench;
    wire_bench_init (&bench);
    generator.state = 1;
    *state = &bench;
    return 0;
}

static int
tear_down (void **state)
{
    wire_bench_fini (*state);
    return 0;
}

static void
random_frame (struct wire_bench *bench, enum msg_kind kind)
{
    struct msg msg;
    msg_random_fill (&generator, kind, &msg);
    wire_bench_encode (bench, &msg);
}

static void
expect_refused (struct wire_bench *bench, enum refusal refusal, const char *what)
{
    assert_int_equal (wire_bench_decode (bench), BATON_REFUSED);
    assert_string_equal (bench->fault.what, what);
    assert_int_equal (bench->fault.refusal, refusal);
}

static void
check_cuts (struct wire_bench *bench, enum msg_kind kind)
{
    random_frame (bench, kind);
    struct baton_bytes whole = {bench->frame, bench->frame_bytes};
    bench->frame = NULL;
    for (size_t size = 0; size < whole.size; size++) {
        wire_bench_take_bytes (bench, whole.data, size);
        expect_refused (bench, REFUSAL_MALFORMED, size < WIRE_HEADER_BYTES ? "header" : "frame");
    }
    free ((void *) (uintptr_t) whole.data);
}

static void
frame_cut_at_any_byte_is_refused (void **state)
{
#define X(name, n) check_cuts (*state, MSG_##name);
    BATON_MESSAGES (X)
#undef X
}

// The control part is cut, and the header says so: now its own bytes must tell.
static void
control_cut_at_any_byte_never_reads_beyond (void **state)
{
    struct wire_bench *bench = *state;
    for (int kind = MSG_HELLO; kind <= MSG_ADMIN_TELL; kind++) {
        random_frame (bench, (enum msg_kind) kind);
        size_t control_bytes = bench->frame[4] + 256u * bench->frame[5];
        unsigned char *control = malloc (control_bytes + 1);
        assert_non_null (control);
        memcpy (control, bench->frame + WIRE_HEADER_BYTES, control_bytes);
        for (size_t size = 0; size < control_bytes; size++) {
            wire_bench_take_parts (bench, (unsigned) kind, (struct baton_bytes) {control, size},
                                   (struct baton_bytes) {NULL, 0});
            enum baton_err error = wire_bench_decode (bench);
            assert_true (error == BATON_OK || bench->fault.what[0] != '\0');
        }
        free (control);
    }
}

static void
bytes_behind_the_frame_are_refused (void **state)
{
    struct wire_bench *bench = *state;
    for (int kind = MSG_HELLO; kind <= MSG_ADMIN_TELL; kind++) {
        random_frame (bench, (enum msg_kind) kind);
        unsigned char *longer = calloc (1, bench->frame_bytes + 1);
        assert_non_null (longer);
        memcpy (longer, bench->frame, bench->frame_bytes);
        wire_bench_take_bytes (bench, longer, bench->frame_bytes + 1);
        free (longer);
        expect_refused (bench, REFUSAL_MALFORMED, "frame");
    }
}

// Bytes 4 to 7 are the control's size, 16 to 19 that of the bulk.
static void
every_change_of_a_length_in_the_header_is_refused (void **state)
{
    struct wire_bench *bench = *state;
    static const size_t places[] = {4, 5, 6, 7, 16, 17, 18, 19};
    for (int kind = MSG_HELLO; kind <= MSG_ADMIN_TELL; kind++) {
        random_frame (bench, (enum msg_kind) kind);
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
            for (unsigned bit = 1; bit < 0x100; bit <<= 1) {
                bench->frame[places[i]] ^= (unsigned char) bit;
                expect_refused (bench, REFUSAL_MALFORMED, "frame");
                bench->frame[places[i]] ^= (unsigned char) bit;
            }
        }
    }
}

static void
another_version_is_told_from_nonsense (void **state)
{
    struct wire_bench *bench = *state;
    random_frame (bench, MSG_HELLO);
    bench->frame[2] = MSG_VERSION + 1;
    bench->frame[3] = 200; // whatever that version means by it
    expect_refused (bench, REFUSAL_BAD_VERSION, "version");
    assert_int_equal (bench->fault.value, MSG_VERSION + 1);
    assert_int_equal (bench->fault.limit, MSG_VERSION);
    assert_int_equal (bench->fault.kind, 0);
}

static void
unknown_kinds_are_refused (void **state)
{
    struct wire_bench *bench = *state;
    random_frame (bench, MSG_HEARTBEAT);
    for (unsigned kind = 0; kind < 256; kind++) {
        if (kind >= MSG_HELLO && kind <= MSG_ADMIN_TELL) continue;
        bench->frame[3] = (unsigned char) kind;
        expect_refused (bench, REFUSAL_MALFORMED, "kind");
        assert_int_equal (bench->fault.value, kind);
    }
}

static void
magic_and_reserved_are_looked_at (void **state)
{
    struct wire_bench *bench = *state;
    random_frame (bench, MSG_HEARTBEAT);
    bench->frame[23] = 1;
    expect_refused (bench, REFUSAL_MALFORMED, "reserved");
    bench->frame[1] = 'M';
    expect_refused (bench, REFUSAL_MALFORMED, "magic");
}

static void
unknown_field_is_refused_in_every_kind (void **state)
{
    struct wire_bench *bench = *state;
    // Field 15, a varint; no message has it. Field 4000, bytes.
    static const char *const fields[] = {"\x78\x01", "\x82\xfa\x01\x01z"};
    for (int kind = MSG_HELLO; kind <= MSG_ADMIN_TELL; kind++) {
        for (size_t i = 0; i < 2; i++) {
            struct baton_bytes control = {fields[i], strlen (fields[i])};
            wire_bench_take_parts (bench, (unsigned) kind, control, (struct baton_bytes) {0});
            expect_refused (bench, REFUSAL_MALFORMED, "unknown field");
            assert_int_equal (bench->fault.value, i == 0 ? 15 : 4000);
            assert_int_equal (bench->fault.kind, kind);
        }
    }
}

struct broken {
    enum msg_kind kind;
    const char *control;
    size_t control_size;
    const char *bulk;
    const char *what;
};
#define BROKEN(kind, control, bulk, what) {MSG_##kind, control, sizeof control - 1, bulk, what}

#define Z7 "\0\0\0\0\0\0\0"
#define INSTANCE "\x11\1" Z7
#define SESSION_1 "\x09\1" Z7
// A COMMIT up to its items: actor 1, incarnation 1; a part of session 1.
#define COMMIT "\x09\1" Z7 "\x18\1"
#define DELIVERY "\x09\1" Z7 "\x19\1" Z7 "\x28\1\x38\2"

static const struct broken broken[] = {
    BROKEN (HELLO, "", "", "role"),
    BROKEN (HELLO, "\x08\1", "", "instance"),
    BROKEN (HELLO, "\x08\4" INSTANCE, "", "role"),
    BROKEN (HELLO, "\x08\1" INSTANCE, "x", "bulk"),
    BROKEN (HELLO, "\x08\2" INSTANCE, "", "name"),                 // a server has a name
    BROKEN (HELLO, "\x08\1\x08\1" INSTANCE, "", "role"),           // twice
    BROKEN (HELLO, "\x08\x81\0" INSTANCE, "", "role"),             // not the shortest form
    BROKEN (HELLO, "\x88\0\1" INSTANCE, "", "unknown field"),      // nor this tag
    BROKEN (HELLO, "\x09\1" Z7 INSTANCE, "", "role"),              // wrong wire type: 64 bit
    BROKEN (HELLO, "\x0a\1\1" INSTANCE, "", "role"),               // length
    BROKEN (HELLO, "\x0b\x0c" INSTANCE, "", "role"),               // group
    BROKEN (HELLO, "\x0d\1\0\0\0" INSTANCE, "", "role"),           // 32 bit
    BROKEN (HELLO, "\x08\1\x11\1", "", "instance_high"),           // ends within
    BROKEN (HELLO, "\x08\1" INSTANCE "\x22\2a", "", "name"),       // longer than the rest
    BROKEN (HELLO, "\x08\1" INSTANCE "\x22\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", "", "name"),
    BROKEN (HELLO, "\x08\1" INSTANCE "\0\0", "", "unknown field"), // field 0
    BROKEN (HELLO, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\1" INSTANCE, "", "role"),
    BROKEN (HELLO, "\x08\x81\x80\x80\x80\x10" INSTANCE, "", "role"), // 2^32 + 1 is not 1
    BROKEN (HELLO, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "", "role"), // 65 bits
    BROKEN (HEARTBEAT, "", "x", "bulk"),
    BROKEN (WELCOME, "\x08\1\x28\1", "", "silent_ms"),
    BROKEN (WELCOME, "\x08\1\x28\x81\x80\x80\x80\x10\x30\1", "", "heartbeat_ms"), // 2^32 + 1
    BROKEN (CREDIT, "\x18\1", "", "session"),
    BROKEN (CREDIT, SESSION_1 "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\3", "", "granted_count"),
    BROKEN (OPEN, "\x10\1\x18\1\x22\1s", "", "ref"),
    BROKEN (OPEN, "\x08\1\x18\1\x22\1s", "", "intent"),
    BROKEN (OPEN, "\x08\1\x10\1\x22\1s", "", "kind"),
    BROKEN (OPEN, "\x08\1\x10\1\x18\1", "", "session"),
    BROKEN (OPENED, "\x08\1" "\x11\1" Z7 "\x21\1" Z7 "\x30\1\x40\1", "", "restart_data_size"),
    BROKEN (COMMIT, "\x18\1", "", "actor"),
    BROKEN (COMMIT, "\x09\1" Z7, "", "incarnation"),
    BROKEN (COMMIT, COMMIT "\x28\2", "r", "restart_data_size"),
    BROKEN (COMMIT, COMMIT "\x32\2\x18\0", "", "session"),
    BROKEN (COMMIT, COMMIT "\x32\x0b" SESSION_1 "\x18\1", "", "requests_count"),
    BROKEN (COMMIT, COMMIT "\x32\x0b" SESSION_1 "\x20\1", "", "responses_count"),
    BROKEN (COMMIT, COMMIT "\x3a\2\x08\1", "", "requests"),        // nobody's request
    BROKEN (COMMIT, COMMIT "\x42\4\x10\1\x18\1", "", "responses"),
    BROKEN (COMMIT, COMMIT "\x3a\0", "", "seq"),
    BROKEN (COMMIT, COMMIT "\x3a\4\x08\1\x10\1", "", "state"),     // DELIVER only
    BROKEN (COMMIT, COMMIT "\x3a\4\x08\1\x18\1", "", "attempt"),
    BROKEN (COMMIT, COMMIT "\x3a\4\x08\1\x20\2", "b", "body_size"),
    BROKEN (COMMIT, COMMIT "\x3a\4\x08\1\x28\2", "", "unknown field"), // in an item
    BROKEN (COMMIT, COMMIT "\x42\6\x08\1\x10\1\x18\1", "", "seq"), // the manager numbers
    BROKEN (COMMIT, COMMIT "\x42\2\x10\1", "", "status"),
    BROKEN (COMMIT, COMMIT "\x42\4\x10\1\x18\7", "", "status"),
    BROKEN (COMMIT, COMMIT "\x32\x09" SESSION_1, "x", "bulk"),
    BROKEN (COMMITTED, "\x0a\0", "", "actor"),
    BROKEN (DELIVER, "\x0a\x11" DELIVERY, "", "actor_high"),       // cut inside
    BROKEN (DELIVER, "\x0a\x16" DELIVERY "\x12\4\x08\1\x10\1", "", "requests"),
    BROKEN (DELIVER, "\x0a\x18" DELIVERY "\x40\1" "\x12\2\x08\1", "", "state"),
    BROKEN (DELIVER, "\x0a\x18" DELIVERY "\x48\1" "\x1a\4\x10\1\x18\1", "", "seq"),
    BROKEN (CLOSED, "\x11\1" Z7, "", "reason"),
    BROKEN (OFFER, "\x08\1", "", "capacity"),
    BROKEN (OFFERED, "", "", "ref"),
    BROKEN (REFUSED, "", "", "refusal"),
    BROKEN (REFUSED, "\x08\x13", "", "refusal"),
    BROKEN (REFUSED, "\x08\1\x10\x15", "", "kind"),
    BROKEN (ADMIN_ASK, "\x08\1", "", "topic"),
    BROKEN (ADMIN_TELL, "\x08\1\x12\2\x08\1", "", "cells_count"),
    BROKEN (ADMIN_TELL, "\x08\1\x1a\2\x10\2", "", "cells"),
    BROKEN (ADMIN_TELL, "\x08\1\x1a\0", "", "kind"),
    BROKEN (ADMIN_TELL, "\x08\1\x1a\4\x10\3\x20\2", "", "number"), // a flag is 0 or 1
};

static void
each_broken_rule_is_refused_by_the_name_of_its_field (void **state)
{
    struct wire_bench *bench = *state;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        wire_bench_take_parts (bench, broken[i].kind,
                               (struct baton_bytes) {broken[i].control, broken[i].control_size},
                               (struct baton_bytes) {broken[i].bulk, strlen (broken[i].bulk)});
        enum baton_err error = wire_bench_decode (bench);
        if (error != BATON_REFUSED || strcmp (bench->fault.what, broken[i].what) != 0
            || bench->fault.refusal != REFUSAL_MALFORMED) {
            fail_msg ("row %zu, %s: %s instead of %s", i, msg_kind_name (broken[i].kind),
                      error ? bench->fault.what : "accepted", broken[i].what);
        }
    }
}

// Each two bytes are tag and length of a field that holds the rest.
static void
deep_nesting_ends_at_the_first_level_that_is_not_in_the_schema (void **state)
{
    struct wire_bench *bench = *state;
    static unsigned char control[60000];
    for (size_t i = 0; i + 4 <= sizeof control; i += 4) {
        size_t rest = sizeof control - i - 4;
        control[i] = 0x3a; // a request, in a COMMIT
        control[i + 1] = (unsigned char) (rest | 0x80);
        control[i + 2] = (unsigned char) (rest >> 7 | 0x80);
        control[i + 3] = (unsigned char) (rest >> 14);
    }
    wire_bench_take_parts (bench, MSG_COMMIT, (struct baton_bytes) {control, sizeof control},
                           (struct baton_bytes) {0});
    expect_refused (bench, REFUSAL_MALFORMED, "unknown field");
}

// What is accepted must mean the same once it was encoded again.
static void
check_again (struct wire_bench *bench)
{
    struct wire_bench second;
    wire_bench_init (&second);
    wire_bench_encode (&second, &bench->msg);
    assert_int_equal (wire_bench_decode (&second), BATON_OK);
    assert_true (msg_same (&bench->msg, &second.msg));
    wire_bench_fini (&second);
}

static void
flipped_bits_are_refused_or_a_message (void **state)
{
    struct wire_bench *bench = *state;
    generator.state = msg_random_seed ();
    unsigned refused = 0;
    for (unsigned i = 0; i < 6000; i++) {
        random_frame (bench, (enum msg_kind) (MSG_HELLO + i % MSG_ADMIN_TELL));
        uint64_t flips = 1 + msg_random_below (&generator, 4);
        for (uint64_t j = 0; j < flips; j++) {
            size_t at = (size_t) msg_random_below (&generator, bench->frame_bytes);
            bench->frame[at] ^= (unsigned char) (1u << msg_random_below (&generator, 8));
        }
        if (wire_bench_decode (bench) == BATON_OK) {
            check_again (bench);
        } else {
            assert_true (bench->fault.what[0] != '\0');
            assert_true (bench->fault.refusal != 0);
            refused++;
        }
    }
    assert_true (refused > 500);
}

static void
noise_behind_a_good_header_is_refused_or_a_message (void **state)
{
    struct wire_bench *bench = *state;
    generator.state = msg_random_seed ();
    unsigned char noise[64];
    for (unsigned i = 0; i < 20000; i++) {
        size_t size = (size_t) msg_random_below (&generator, sizeof noise);
        for (size_t j = 0; j < size; j++) {
            noise[j] = (unsigned char) msg_random_below (&generator, i % 2 == 0 ? 256 : 64);
        }
        wire_bench_take_parts (bench, MSG_HELLO + i % MSG_ADMIN_TELL,
                               (struct baton_bytes) {noise, size}, (struct baton_bytes) {0});
        if (wire_bench_decode (bench) == BATON_OK) {
            check_again (bench);
        }
    }
}

int
main (void)
{
#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST (frame_cut_at_any_byte_is_refused),
        TEST (control_cut_at_any_byte_never_reads_beyond),
        TEST (bytes_behind_the_frame_are_refused),
        TEST (every_change_of_a_length_in_the_header_is_refused),
        TEST (another_version_is_told_from_nonsense),
        TEST (unknown_kinds_are_refused),
        TEST (magic_and_reserved_are_looked_at),
        TEST (unknown_field_is_refused_in_every_kind),
        TEST (each_broken_rule_is_refused_by_the_name_of_its_field),
        TEST (deep_nesting_ends_at_the_first_level_that_is_not_in_the_schema),
        TEST (flipped_bits_are_refused_or_a_message),
        TEST (noise_behind_a_good_header_is_refused_or_a_message),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
