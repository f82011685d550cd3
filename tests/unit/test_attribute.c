// SPDX-License-Identifier: MPL-2.0
// Goal: attributes keep their rules and types from the command line to stored bytes and back.
// Method: golden bytes and tables of good and bad input; every cut and every flipped bit of valid
// bytes, in blocks of exact size for the sanitizer; random attributes (seed: BATON_SEED).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/attribute.h"

#define COUNT_OF(array) (sizeof (array) / sizeof (array)[0])

static struct baton_bytes
bytes_of (const char *string)
{
    return (struct baton_bytes) { string, strlen (string) };
}

static uint64_t
draw (uint64_t *seed)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t
seed_of_test (void)
{
    const char *given = getenv ("BATON_SEED");
    const uint64_t seed = given ? strtoull (given, NULL, 10) : 20240612;
    print_message ("BATON_SEED=%llu\n", (unsigned long long) seed);
    return seed;
}

// Attributes with all that they live in.
struct fixture {
    uint8_t data[LIMIT_OFFER_MAX_BYTES];
    struct pack pack;
    struct attribute items[LIMIT_ATTRIBUTES_MAX_COUNT + 1];
    struct attributes attributes;
    uint8_t stored[LIMIT_OFFER_MAX_BYTES];
    size_t stored_bytes;
};

static int
setup (void **state)
{
    struct fixture *fixture = calloc (1, sizeof *fixture);
    assert_non_null (fixture);
    pack_init (&fixture->pack, fixture->data, sizeof fixture->data);
    fixture->attributes.items = fixture->items;
    *state = fixture;
    return 0;
}

static int
teardown (void **state)
{
    free (*state);
    return 0;
}

static struct attribute_value
parse (struct fixture *fixture, const char *text)
{
    struct attribute attribute;
    struct text_fault fault;
    const enum baton_err error
        = attribute_parse_text (bytes_of (text), &fixture->pack, &attribute, &fault);
    if (error != BATON_OK) fail_msg ("%s: %zu: %s", text, fault.position_bytes, fault.sentence);
    fixture->items[fixture->attributes.count++] = attribute;
    return attribute.value;
}

static void
encode (struct fixture *fixture)
{
    assert_int_equal (attributes_encode (&fixture->attributes, fixture->stored,
                                         sizeof fixture->stored, &fixture->stored_bytes),
                      BATON_OK);
}

// view_exact reads a copy of exactly [size] bytes, so that a byte read beyond is seen.
static enum baton_err
view_exact (const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc (size > 0 ? size : 1);
    assert_non_null (copy);
    memcpy (copy, data, size);
    struct attribute items[LIMIT_ATTRIBUTES_MAX_COUNT];
    struct attributes attributes;
    const enum baton_err error
        = attributes_view ((struct baton_bytes) { copy, size }, items, &attributes);
    if (error == BATON_OK) {
        // Whatever is accepted keeps all rules and is the only form of these attributes.
        uint8_t again[LIMIT_OFFER_MAX_BYTES];
        size_t again_bytes;
        uint32_t item_index;
        assert_null (attributes_check (&attributes, &item_index));
        assert_int_equal (attributes_encode (&attributes, again, sizeof again, &again_bytes), 0);
        assert_int_equal (again_bytes, size);
        assert_memory_equal (again, copy, size);
    }
    free (copy);
    return error;
}

static void
assert_text (struct attribute_value value, const char *text)
{
    assert_int_equal (value.type, ATTRIBUTE_TEXT);
    assert_int_equal (value.bytes.size, strlen (text));
    assert_memory_equal (value.bytes.data, text, strlen (text));
}

static void
assert_integer (struct attribute_value value, int64_t integer)
{
    assert_int_equal (value.type, ATTRIBUTE_INTEGER);
    assert_true (value.integer == integer);
}

static void
bare_words_are_texts (void **state)
{
    assert_text (parse (*state, "algo=sha256"), "sha256");
    assert_text (parse (*state, "version=1.5"), "1.5");
    assert_text (parse (*state, "place=rack 7, left"), "rack 7, left");
    assert_text (parse (*state, "query=a=b"), "a=b");
    assert_text (parse (*state, "minus=-"), "-");
    assert_text (parse (*state, "word=truer"), "truer");
}

static void
quotes_keep_a_number_a_text (void **state)
{
    assert_text (parse (*state, "version=\"8\""), "8");
    assert_text (parse (*state, "flag=\"true\""), "true");
    assert_text (parse (*state, "empty=\"\""), "");
    assert_text (parse (*state, "path=\"a \\\"b\\\" \\\\c\""), "a \"b\" \\c");
}

static void
digits_are_integers_of_64_bits (void **state)
{
    assert_integer (parse (*state, "cores=8"), 8);
    assert_integer (parse (*state, "offset=-12"), -12);
    assert_integer (parse (*state, "most=9223372036854775807"), INT64_MAX);
    assert_integer (parse (*state, "least=-9223372036854775808"), INT64_MIN);
    assert_integer (parse (*state, "zeros=007"), 7);
}

static void
true_and_false_are_flags_in_any_case (void **state)
{
    const struct attribute_value yes = parse (*state, "gpu=True");
    const struct attribute_value no = parse (*state, "ssd=false");

    assert_int_equal (yes.type, ATTRIBUTE_FLAG);
    assert_int_equal (yes.integer, 1);
    assert_int_equal (no.type, ATTRIBUTE_FLAG);
    assert_int_equal (no.integer, 0);
}

static void
braces_make_a_set (void **state)
{
    const struct attribute_value set = parse (*state, "tags={ \"a\",\"b c\" , \"\"}");
    const struct attribute_value none = parse (*state, "more={}");
    const struct attribute_value member = value_text (bytes_of ("b c"));
    const struct attribute_value other = value_text (bytes_of ("b"));

    assert_int_equal (set.type, ATTRIBUTE_SET);
    assert_int_equal (set.members_count, 3);
    assert_true (value_list_has (&set, &member));
    assert_false (value_list_has (&set, &other));
    assert_int_equal (none.type, ATTRIBUTE_SET);
    assert_int_equal (none.members_count, 0);
}

struct bad_text {
    const char *text;
    size_t position_bytes;
    const char *sentence; // a part of it
};

static void
malformed_text_is_refused_with_its_place (void **state)
{
    struct fixture *fixture = *state;
    static const struct bad_text cases[] = {
        { "", 0, "key=value" }, { "algo", 4, "key=value" }, { "=x", 0, "empty" },
        { "8=x", 0, "key=value" }, { "a b=x", 1, "key=value" }, { "algo =x", 4, "key=value" },
        { "algo=", 5, "after '='" }, { "and=x", 0, "cannot be keys" },
        { "Exists=1", 0, "cannot be keys" }, { "set=x", 0, "already" }, { "name=x", 0, "already" },
        { "x=9223372036854775808", 2, "64 bits" }, { "x=-9223372036854775809", 2, "64 bits" },
        { "x=\"abc", 2, "closing" }, { "x=\"a\\", 4, "backslash" },
        { "x=\"a\\n\"", 4, "backslash" },
        { "x=\"a\"b", 5, "follows" }, { "x={\"a\"} ", 7, "follows" }, { "x={", 3, "double quotes" },
        { "x={\"a\"", 2, "closed" }, { "x={\"a\" \"b\"}", 7, "',' or '}'" },
        { "x={a}", 3, "double quotes" }, { "x={\"a\",}", 7, "double quotes" },
        { "x={1,2}", 0, "texts, not integers" }, { "x={\"a\",1}", 7, "do not mix" },
        { "x={1,-}", 5, "digits" }, { "x=a\nb", 2, "control" }, { "x=\xff", 2, "UTF-8" },
        { "x=\"\x1b[0m\"", 2, "control" }, { "x={\"\xc3\"}", 3, "UTF-8" },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        struct attribute attribute;
        struct text_fault fault;
        assert_int_equal (attribute_parse_text (bytes_of (cases[i].text), &fixture->pack,
                                                &attribute, &fault), BATON_BAD_ARGUMENT);
        if (fault.position_bytes != cases[i].position_bytes
            || !strstr (fault.sentence, cases[i].sentence)) {
            fail_msg ("%s: %zu: %s", cases[i].text, fault.position_bytes, fault.sentence);
        }
    }
}

static const char *
sentence_about (struct fixture *fixture, const char *text)
{
    struct attribute attribute;
    struct text_fault fault;
    pack_init (&fixture->pack, fixture->data, sizeof fixture->data);
    (void) attribute_parse_text (bytes_of (text), &fixture->pack, &attribute, &fault);
    return fault.sentence;
}

static void
typed_values_end_at_their_limits (void **state)
{
    char quoted[2 + 1 + LIMIT_TEXT_MAX_BYTES + 1 + 2] = "k=\"";
    memset (quoted + 3, 't', LIMIT_TEXT_MAX_BYTES);
    memcpy (quoted + 3 + LIMIT_TEXT_MAX_BYTES, "\"", 2);
    assert_null (sentence_about (*state, quoted));
    memcpy (quoted + 3 + LIMIT_TEXT_MAX_BYTES, "t\"", 3);
    assert_string_equal (sentence_about (*state, quoted), "a text is longer than 1024 bytes");

    char set[512] = "k={\"m\"";
    for (uint32_t i = 1; i < LIMIT_SET_MEMBERS_MAX_COUNT; i++) {
        memcpy (set + strlen (set), ",\"m\"", 5);
    }
    const size_t size = strlen (set);
    memcpy (set + size, "}", 2);
    assert_null (sentence_about (*state, set));
    memcpy (set + size, ",\"m\"}", 6);
    assert_non_null (strstr (sentence_about (*state, set), "more than 64 members"));
}

static void
a_pack_that_is_too_small_is_told (void **state)
{
    (void) state;
    static const char text[] = "tags={\"one\", \"two\"}";
    for (size_t room_bytes = 0; room_bytes <= 14; room_bytes++) {
        uint8_t *room = malloc (room_bytes > 0 ? room_bytes : 1);
        assert_non_null (room);
        struct pack pack;
        pack_init (&pack, room, room_bytes);
        struct attribute attribute;
        struct text_fault fault;

        const enum baton_err error
            = attribute_parse_text (bytes_of (text), &pack, &attribute, &fault);

        // "tags" takes 4 bytes, each member 2 + 3.
        assert_int_equal (error, room_bytes < 14 ? BATON_TOO_LARGE : BATON_OK);
        free (room);
    }
}

static void
keys_keep_their_rule (void **state)
{
    (void) state;
    static const char *const good[] = { "a", "_", "A.b-c_9", "true", "ands", "set", "name" };
    static const char *const bad[] = { "", "9a", "-a", ".a", "a b", "a=", "\xc3\xa4", "a\x01",
                                       "and", "OR", "Not", "in", "exists" };
    char longest[LIMIT_NAME_MAX_BYTES + 1];
    memset (longest, 'k', sizeof longest);

    for (size_t i = 0; i < COUNT_OF (good); i++) {
        assert_null (attribute_key_check (bytes_of (good[i])));
    }
    for (size_t i = 0; i < COUNT_OF (bad); i++) {
        assert_non_null (attribute_key_check (bytes_of (bad[i])));
    }
    assert_null (attribute_key_check ((struct baton_bytes) { longest, sizeof longest - 1 }));
    assert_non_null (attribute_key_check ((struct baton_bytes) { longest, sizeof longest }));
}

static void
texts_are_utf8_without_control_characters (void **state)
{
    (void) state;
    static const char *const good[] = { "", "~", "\xc2\xa0", "\xc3\xa4", "\xe2\x82\xac",
                                        "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80",
                                        "\xf4\x8f\xbf\xbf" };
    static const char *const bad[] = { "\x1f", "\x7f", "\x80", "\xc0\xaf", "\xc1\xbf", "\xc2",
                                       "\xc2\x80", "\xc2\x9f", "\xe0\x9f\xbf", "\xe2\x82",
                                       "\xe2\x28\xa1", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                                       "\xf4\x90\x80\x80",
                                       "\xf5\x80\x80\x80", "\xf0\x90\x80", "\xf0\x90\x80\xc0" };
    for (size_t i = 0; i < COUNT_OF (good); i++) {
        const struct attribute_value value = value_text (bytes_of (good[i]));
        assert_null (value_check (&value));
    }
    for (size_t i = 0; i < COUNT_OF (bad); i++) {
        const struct attribute_value value = value_text (bytes_of (bad[i]));
        assert_non_null (value_check (&value));
    }
    const struct attribute_value zero = value_text ((struct baton_bytes) { "a\0b", 3 });
    assert_non_null (value_check (&zero));
}

static void
texts_end_at_their_limit (void **state)
{
    (void) state;
    char longest[LIMIT_TEXT_MAX_BYTES + 1];
    memset (longest, 't', sizeof longest);
    const struct attribute_value at = value_text ((struct baton_bytes) { longest, 1024 });
    const struct attribute_value over = value_text ((struct baton_bytes) { longest, 1025 });

    assert_null (value_check (&at));
    assert_non_null (value_check (&over));
}

static void
stored_sizes_over_their_limit_are_not_taken (void **state)
{
    (void) state;
    uint8_t stored[3 + LIMIT_TEXT_MAX_BYTES + 1] = { ATTRIBUTE_TEXT, 0x00, 0x04 };
    struct attribute_value value;
    struct unpack unpack;
    unpack_init (&unpack, (struct baton_bytes) { stored, sizeof stored });
    assert_true (value_unpack (&unpack, &value));
    stored[1]++;
    unpack_init (&unpack, (struct baton_bytes) { stored, sizeof stored });
    assert_false (value_unpack (&unpack, &value));
}

static void
sets_end_at_their_limit (void **state)
{
    struct fixture *fixture = *state;
    struct attribute_value set = value_list (ATTRIBUTE_SET);
    const struct attribute_value member = value_text (bytes_of ("m"));
    const struct attribute_value integer = value_integer (1);

    assert_int_equal (value_list_add (&fixture->pack, &set, &integer), BATON_BAD_ARGUMENT);
    for (uint32_t i = 0; i < LIMIT_SET_MEMBERS_MAX_COUNT; i++) {
        assert_int_equal (value_list_add (&fixture->pack, &set, &member), BATON_OK);
    }
    assert_null (value_check (&set));
    assert_int_equal (value_list_add (&fixture->pack, &set, &member), BATON_TOO_LARGE);
    set.members_count++;
    assert_non_null (value_check (&set));
}

static void
packed_members_that_do_not_add_up_are_refused (void **state)
{
    (void) state;
    static const uint8_t packed[] = { 1, 0, 'a', 1, 0, 'b' };
    struct attribute_value set = value_list (ATTRIBUTE_SET);
    set.bytes = (struct baton_bytes) { packed, sizeof packed };
    for (uint32_t count = 0; count < 4; count++) {
        set.members_count = count;
        assert_true ((value_check (&set) == NULL) == (count == 2));
    }
    set.members_count = 2;
    set.bytes.size--;
    assert_non_null (value_check (&set));
}

static void
the_first_bad_item_is_named (void **state)
{
    struct fixture *fixture = *state;
    uint32_t item_index;
    parse (fixture, "a=1");
    parse (fixture, "b=2");
    parse (fixture, "c=3");
    assert_null (attributes_check (&fixture->attributes, &item_index));

    fixture->items[2].key = bytes_of ("a");
    assert_non_null (attributes_check (&fixture->attributes, &item_index));
    assert_int_equal (item_index, 2);
    fixture->items[1].value.type = ATTRIBUTE_INTEGERS;
    assert_non_null (attributes_check (&fixture->attributes, &item_index));
    assert_int_equal (item_index, 1);
    fixture->items[0].value.type = 0;
    assert_non_null (attributes_check (&fixture->attributes, &item_index));
    assert_int_equal (item_index, 0);
}

static void
one_attribute_over_the_limit_is_refused (void **state)
{
    struct fixture *fixture = *state;
    uint32_t item_index;
    for (uint32_t i = 0; i <= LIMIT_ATTRIBUTES_MAX_COUNT; i++) {
        char text[16];
        (void) snprintf (text, sizeof text, "k%u=%u", i, i);
        parse (fixture, text);
    }
    assert_non_null (attributes_check (&fixture->attributes, &item_index));
    assert_int_equal (item_index, LIMIT_ATTRIBUTES_MAX_COUNT + 1);
    fixture->attributes.count--;
    assert_null (attributes_check (&fixture->attributes, &item_index));
}

static void
an_offer_ends_at_its_size (void **state)
{
    struct fixture *fixture = *state;
    char text[LIMIT_TEXT_MAX_BYTES];
    memset (text, 't', sizeof text);
    // 1 byte of count, then 1 + 3 + 1 + 2 + text for each: 15 of them leave 918 of 16384.
    for (uint32_t i = 0; i < 16; i++) {
        char key[8];
        (void) snprintf (key, sizeof key, "k%02u", i);
        fixture->items[i].key = (struct baton_bytes) { fixture->data + 3 * i, 3 };
        memcpy (fixture->data + 3 * i, key, 3);
        fixture->items[i].value = value_text ((struct baton_bytes) { text, sizeof text });
    }
    fixture->attributes.count = 16;
    fixture->items[15].value.bytes.size = LIMIT_OFFER_MAX_BYTES - 1 - 15 * (7 + sizeof text) - 7;
    uint32_t item_index;

    assert_null (attributes_check (&fixture->attributes, &item_index));
    encode (fixture);
    assert_int_equal (fixture->stored_bytes, LIMIT_OFFER_MAX_BYTES);
    assert_int_equal (view_exact (fixture->stored, fixture->stored_bytes), BATON_OK);
    fixture->items[15].value.bytes.size++;
    assert_non_null (attributes_check (&fixture->attributes, &item_index));
    assert_int_equal (item_index, 16);
}

static const uint8_t golden[] = {
    4,                                                      // attributes
    4, 'a', 'l', 'g', 'o', 1, 6, 0, 's', 'h', 'a', '2', '5', '6',
    5, 'c', 'o', 'r', 'e', 's', 2, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    3, 'g', 'p', 'u', 3, 1,
    4, 't', 'a', 'g', 's', 4, 2, 1, 0, 'a', 2, 0, 'b', 'c', // two members
};

static void
fill_golden (struct fixture *fixture)
{
    parse (fixture, "tags={\"a\", \"bc\"}");
    parse (fixture, "algo=sha256");
    parse (fixture, "gpu=true");
    parse (fixture, "cores=-2");
    encode (fixture);
}

static void
stored_form_is_the_written_one (void **state)
{
    struct fixture *fixture = *state;
    fill_golden (fixture);

    assert_int_equal (fixture->stored_bytes, sizeof golden);
    assert_memory_equal (fixture->stored, golden, sizeof golden);
    assert_int_equal (view_exact (golden, sizeof golden), BATON_OK);
}

static void
no_attributes_are_no_bytes (void **state)
{
    struct fixture *fixture = *state;
    encode (fixture);

    assert_int_equal (fixture->stored_bytes, 0);
    assert_int_equal (view_exact (golden, 0), BATON_OK);
    assert_int_equal (view_exact ((const uint8_t[]) { 0 }, 1), BATON_DAMAGED);
}

static void
viewed_attributes_are_found_by_key (void **state)
{
    (void) state;
    struct attribute items[LIMIT_ATTRIBUTES_MAX_COUNT];
    struct attributes attributes;
    assert_int_equal (attributes_view ((struct baton_bytes) { golden, sizeof golden }, items,
                                       &attributes), BATON_OK);

    assert_int_equal (attributes.count, 4);
    assert_integer (attributes_find (&attributes, bytes_of ("cores"))->value, -2);
    assert_text (attributes_find (&attributes, bytes_of ("algo"))->value, "sha256");
    assert_null (attributes_find (&attributes, bytes_of ("core")));
    assert_null (attributes_find (&attributes, bytes_of ("Cores")));
}

static void
encoding_without_room_tells_the_size_and_writes_nothing_beyond (void **state)
{
    struct fixture *fixture = *state;
    fill_golden (fixture);
    for (size_t room_bytes = 0; room_bytes < sizeof golden; room_bytes++) {
        uint8_t *room = malloc (room_bytes > 0 ? room_bytes : 1);
        assert_non_null (room);
        size_t size_bytes;
        assert_int_equal (attributes_encode (&fixture->attributes, room, room_bytes, &size_bytes),
                          BATON_TOO_LARGE);
        assert_int_equal (size_bytes, sizeof golden);
        free (room);
    }
}

static void
every_cut_of_stored_bytes_is_refused (void **state)
{
    (void) state;
    for (size_t size = 1; size < sizeof golden; size++) {
        assert_int_equal (view_exact (golden, size), BATON_DAMAGED);
    }
}

static void
a_byte_behind_stored_bytes_is_refused (void **state)
{
    (void) state;
    uint8_t longer[sizeof golden + 1] = { 0 };
    memcpy (longer, golden, sizeof golden);
    assert_int_equal (view_exact (longer, sizeof longer), BATON_DAMAGED);
}

static void
flipped_bits_are_refused_or_good_attributes (void **state)
{
    (void) state;
    uint8_t flipped[sizeof golden];
    for (size_t i = 0; i < 8 * sizeof golden; i++) {
        memcpy (flipped, golden, sizeof golden);
        flipped[i / 8] ^= (uint8_t) (1u << (i % 8));
        (void) view_exact (flipped, sizeof flipped);
    }
}

static void
stored_keys_out_of_order_are_refused (void **state)
{
    (void) state;
    static const uint8_t falling[] = { 2, 1, 'b', 3, 0, 1, 'a', 3, 0 };
    static const uint8_t twice[] = { 2, 1, 'a', 3, 0, 1, 'a', 3, 0 };
    static const uint8_t implied[] = { 1, 3, 's', 'e', 't', 3, 0 };
    static const uint8_t integers[] = { 1, 1, 'a', 5, 0 };

    assert_int_equal (view_exact (falling, sizeof falling), BATON_DAMAGED);
    assert_int_equal (view_exact (twice, sizeof twice), BATON_DAMAGED);
    assert_int_equal (view_exact (implied, sizeof implied), BATON_DAMAGED);
    assert_int_equal (view_exact (integers, sizeof integers), BATON_DAMAGED);
}

static void
random_bytes_are_refused_or_good_attributes (void **state)
{
    (void) state;
    uint64_t seed = seed_of_test ();
    for (int i = 0; i < 20000; i++) {
        uint8_t data[64];
        const size_t size = draw (&seed) % sizeof data;
        for (size_t j = 0; j < size; j++) {
            // Small numbers are types, counts and sizes; they get further than any byte would.
            data[j] = (uint8_t) (draw (&seed) % (draw (&seed) % 2 ? 6 : 256));
        }
        (void) view_exact (data, size);
    }
}

static struct attribute_value
draw_set (uint64_t *seed, struct pack *pack)
{
    struct attribute_value set = value_list (ATTRIBUTE_SET);
    for (uint64_t i = draw (seed) % 5; i > 0; i--) {
        static const char *const members[] = { "", "a", "avx", "\"", "\\", "\xc3\xa4 b", "{}" };
        const struct attribute_value member
            = value_text (bytes_of (members[draw (seed) % COUNT_OF (members)]));
        assert_int_equal (value_list_add (pack, &set, &member), BATON_OK);
    }
    return set;
}

static struct attribute_value
draw_value (uint64_t *seed, struct pack *pack)
{
    static const char *const texts[] = { "", "8", "true", "a b", "\"\\\"", "{", "\xe2\x82\xac" };
    switch (draw (seed) % 5) {
    case 0: return value_text (bytes_of (texts[draw (seed) % COUNT_OF (texts)]));
    case 1: return value_integer ((int64_t) draw (seed) >> (draw (seed) % 64));
    case 2: return value_true ();
    case 3: return value_false ();
    default: return draw_set (seed, pack);
    }
}

// The only attribute is printed, read again, and stored in the same bytes as before.
static void
assert_printed_is_read (struct fixture *fixture)
{
    char printed[256];
    uint8_t again[256];
    size_t again_bytes;
    struct pack text;
    encode (fixture);
    pack_init (&text, printed, sizeof printed - 1);
    attribute_print (&text, &fixture->items[0]);
    assert_true (pack_fits (&text));
    printed[text.used_bytes] = '\0';
    fixture->attributes.count = 0;
    parse (fixture, printed);

    assert_int_equal (attributes_encode (&fixture->attributes, again, sizeof again, &again_bytes),
                      BATON_OK);
    assert_int_equal (again_bytes, fixture->stored_bytes);
    assert_memory_equal (again, fixture->stored, again_bytes);
    assert_int_equal (view_exact (again, again_bytes), BATON_OK);
}

static void
random_attributes_are_read_as_they_are_printed (void **state)
{
    struct fixture *fixture = *state;
    uint64_t seed = seed_of_test ();
    for (int i = 0; i < 2000; i++) {
        pack_init (&fixture->pack, fixture->data, sizeof fixture->data);
        fixture->items[0].key = bytes_of ("key");
        fixture->items[0].value = draw_value (&seed, &fixture->pack);
        fixture->attributes.count = 1;
        assert_printed_is_read (fixture);
    }
}

int
main (void)
{
#define FACT(name) cmocka_unit_test_setup_teardown (name, setup, teardown)
    const struct CMUnitTest tests[] = {
        FACT (bare_words_are_texts),
        FACT (quotes_keep_a_number_a_text),
        FACT (digits_are_integers_of_64_bits),
        FACT (true_and_false_are_flags_in_any_case),
        FACT (braces_make_a_set),
        FACT (malformed_text_is_refused_with_its_place),
        FACT (typed_values_end_at_their_limits),
        FACT (a_pack_that_is_too_small_is_told),
        FACT (keys_keep_their_rule),
        FACT (texts_are_utf8_without_control_characters),
        FACT (texts_end_at_their_limit),
        FACT (stored_sizes_over_their_limit_are_not_taken),
        FACT (sets_end_at_their_limit),
        FACT (packed_members_that_do_not_add_up_are_refused),
        FACT (the_first_bad_item_is_named),
        FACT (one_attribute_over_the_limit_is_refused),
        FACT (an_offer_ends_at_its_size),
        FACT (stored_form_is_the_written_one),
        FACT (no_attributes_are_no_bytes),
        FACT (viewed_attributes_are_found_by_key),
        FACT (encoding_without_room_tells_the_size_and_writes_nothing_beyond),
        FACT (every_cut_of_stored_bytes_is_refused),
        FACT (a_byte_behind_stored_bytes_is_refused),
        FACT (flipped_bits_are_refused_or_good_attributes),
        FACT (stored_keys_out_of_order_are_refused),
        FACT (random_bytes_are_refused_or_good_attributes),
        FACT (random_attributes_are_read_as_they_are_printed),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
