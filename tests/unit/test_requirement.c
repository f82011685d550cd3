// SPDX-License-Identifier: MPL-2.0
// Goal: the requirement language reads, checks, stores and prints as decided.
// Method: tables of text and result, golden bytes, every cut and flipped bit of valid bytes in
// blocks of exact size for the sanitizer, random tokens (seed: BATON_SEED).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/requirement_text.h"

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

// A requirement with all that it lives in, and three other forms of it.
struct fixture {
    struct requirement_room room;
    struct requirement requirement;
    struct text_fault fault;
    uint8_t stored[LIMIT_REQUIREMENT_MAX_BYTES];
    size_t stored_bytes;
    char printed[REQUIREMENT_TEXT_MAX_BYTES];
    size_t printed_bytes;
};

static int
setup (void **state)
{
    *state = calloc (1, sizeof (struct fixture));
    assert_non_null (*state);
    return 0;
}

static int
teardown (void **state)
{
    free (*state);
    return 0;
}

// parse reads a copy of exactly the text's size, and lets go of it, before anything is looked at.
static enum baton_err
parse (struct fixture *fixture, const char *text)
{
    const size_t size = strlen (text);
    char *copy = malloc (size > 0 ? size : 1);
    assert_non_null (copy);
    memcpy (copy, text, size);
    const enum baton_err error
        = requirement_parse ((struct baton_bytes) { copy, size }, &fixture->room,
                             &fixture->requirement, &fixture->fault);
    free (copy);
    assert_true (fixture->fault.position_bytes <= size);
    assert_true ((error == BATON_OK) == (fixture->fault.sentence == NULL));
    return error;
}

static void
parse_good (struct fixture *fixture, const char *text)
{
    if (parse (fixture, text) != BATON_OK) {
        fail_msg ("%s: %zu: %s", text, fixture->fault.position_bytes, fixture->fault.sentence);
    }
}

static void
encode_and_print (struct fixture *fixture)
{
    uint32_t term_index;
    assert_null (requirement_check (&fixture->requirement, &term_index));
    assert_int_equal (requirement_encode (&fixture->requirement, fixture->stored,
                                          sizeof fixture->stored, &fixture->stored_bytes),
                      BATON_OK);
    assert_int_equal (requirement_print (&fixture->requirement, fixture->printed,
                                         sizeof fixture->printed, &fixture->printed_bytes),
                      BATON_OK);
    assert_int_equal (strlen (fixture->printed), fixture->printed_bytes);
}

// What is printed reads back to the same terms.
static void
assert_printed_is_read (struct fixture *fixture)
{
    encode_and_print (fixture);
    struct fixture *again = calloc (1, sizeof *again);
    assert_non_null (again);
    parse_good (again, fixture->printed);
    encode_and_print (again);
    assert_int_equal (again->stored_bytes, fixture->stored_bytes);
    assert_memory_equal (again->stored, fixture->stored, fixture->stored_bytes);
    assert_string_equal (again->printed, fixture->printed);
    free (again);
}

// view_exact reads a copy of exactly [size] bytes, so that a byte read beyond is seen. Whatever is
// accepted keeps all rules, can be evaluated and printed, and has no other stored form.
static enum baton_err
view_exact (const uint8_t *data, size_t size)
{
    struct fixture *fixture = calloc (1, sizeof *fixture);
    uint8_t *copy = malloc (size > 0 ? size : 1);
    assert_non_null (fixture);
    assert_non_null (copy);
    memcpy (copy, data, size);
    const enum baton_err error = requirement_view ((struct baton_bytes) { copy, size },
                                                   fixture->room.terms, &fixture->requirement);
    if (error == BATON_OK) {
        const struct attributes none = { NULL, 0 };
        struct evaluation evaluation;
        (void) requirement_evaluate (&fixture->requirement, NULL, &none, &evaluation);
        assert_printed_is_read (fixture);
        assert_int_equal (fixture->stored_bytes, size);
        assert_memory_equal (fixture->stored, copy, size);
    }
    free (copy);
    free (fixture);
    return error;
}

struct rewriting {
    const char *text;
    const char *printed;
};

static void
precedence_and_parentheses_are_kept (void **state)
{
    struct fixture *fixture = *state;
    static const struct rewriting cases[] = {
        { "", "" }, { " \t\r\n", "" }, { "a=1", "a = 1" }, { "((a=1))", "a = 1" },
        { "a=1 and b=2 or c=3", "a = 1 and b = 2 or c = 3" },
        { "(a=1 and b=2) or c=3", "a = 1 and b = 2 or c = 3" },
        { "a=1 and (b=2 or c=3)", "a = 1 and (b = 2 or c = 3)" },
        { "a=1 or b=2 and c=3", "a = 1 or b = 2 and c = 3" },
        { "(a=1 or b=2) and c=3", "(a = 1 or b = 2) and c = 3" },
        { "a=1 and b=2 and c=3", "a = 1 and b = 2 and c = 3" },
        { "a=1 and (b=2 and c=3)", "a = 1 and (b = 2 and c = 3)" },
        { "a=1 or (b=2 or c=3)", "a = 1 or (b = 2 or c = 3)" },
        { "not a=1 and b=2", "not a = 1 and b = 2" },
        { "not (a=1 and b=2)", "not (a = 1 and b = 2)" },
        { "NOT not(not(a=1))OR b=2", "not not not a = 1 or b = 2" },
        { "a=1AND b=2", NULL },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        const enum baton_err error = parse (fixture, cases[i].text);
        assert_int_equal (error, cases[i].printed ? BATON_OK : BATON_BAD_ARGUMENT);
        if (error != BATON_OK) continue;
        assert_printed_is_read (fixture);
        assert_string_equal (fixture->printed, cases[i].printed);
    }
}

static void
every_comparison_has_its_text (void **state)
{
    struct fixture *fixture = *state;
    static const struct rewriting cases[] = {
        { "algo=\"sha256\"", "algo = \"sha256\"" }, { "gpu!=TRUE", "gpu != true" },
        { "cores>=-8", "cores >= -8" }, { "a-b.c_9<0", "a-b.c_9 < 0" }, { "a<=1", "a <= 1" },
        { "a>9223372036854775807", "a > 9223372036854775807" },
        { "a=-9223372036854775808", "a = -9223372036854775808" },
        { "\"avx\"in features", "\"avx\" in features" },
        { "region in{\"eu\",\"us\"}", "region in {\"eu\", \"us\"}" },
        { "cores IN { 1 ,2, -3}", "cores in {1, 2, -3}" }, { "EXISTS disk", "exists disk" },
        { "set=\"big\"", "set = \"big\"" }, { "true=true", "true = true" },
        { "a=\"\\\"and\\\\\"", "a = \"\\\"and\\\\\"" },
        { "algo = \"sha256\" and (cores >= 8 or not gpu = true) and \"avx\" in features and "
          "region in {\"eu\",\"us\"} and exists disk",
          "algo = \"sha256\" and (cores >= 8 or not gpu = true) and \"avx\" in features and "
          "region in {\"eu\", \"us\"} and exists disk" },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        parse_good (fixture, cases[i].text);
        assert_printed_is_read (fixture);
        assert_string_equal (fixture->printed, cases[i].printed);
    }
}

struct bad_text {
    const char *text;
    size_t position_bytes;
    const char *sentence; // a part of it
};

static const struct bad_text malformed[] = {
    { "algo", 4, "after a key" }, { "algo =", 6, "after '='" }, { "algo = ", 7, "after '='" },
    { "a <=", 4, "after '<='" }, { "a in", 4, "list in braces" }, { "a ==1", 3, "after '='" },
    { "a ! 1", 2, "after a key" }, { "a 1", 2, "after a key" }, { "a is 1", 2, "after a key" },
    { "= 1", 0, "expected a comparison" }, { "8 = a", 0, "expected a comparison" },
    { "a = sha256", 4, "double quotes" }, { "a = 8x", 4, "double quotes" },
    { "a = 'x'", 4, "after '='" }, { "a = \"x", 4, "closing" }, { "a = -", 4, "digits" },
    { "a = 1 b = 2", 6, "'and', 'or'" }, { "a = 1 & b = 2", 6, "'and', 'or'" },
    { "a = 1 and", 9, "expected a comparison" }, { "and a = 1", 0, "cannot be keys" },
    { "a = 1 or or b = 2", 9, "cannot be keys" }, { "not", 3, "expected a comparison" },
    { "(a = 1", 0, "never closed" }, { "a = 1)", 5, "no '('" }, { "()", 1, "expected a comp" },
    { "((a = 1) or b = 2", 0, "never closed" }, { "exists", 6, "key" }, { "exists 8", 7, "key" },
    { "exists and", 7, "cannot be keys" }, { "\"x\"", 3, "expected 'in'" },
    { "\"x\" = a", 4, "expected 'in'" }, { "\"x\" in", 6, "key" }, { "\"x\" in 8", 7, "key" },
    { "a < \"x\"", 0, "order" }, { "a >= true", 0, "order" }, { "a = {\"x\"}", 0, "'in' only" },
    { "b = 1 and a != {1}", 10, "'in' only" }, { "a in \"x\"", 0, "braces" },
    { "a in 8", 0, "braces" }, { "a in {}", 0, "empty" }, { "a in {1, \"x\"}", 9, "do not mix" },
    { "a in {1 2}", 8, "',' or '}'" }, { "a in {1", 5, "never closed" },
    { "a in {true}", 6, "braces" }, { "a = \"\x07\"", 4, "control" },
    { "a = 9223372036854775808", 4, "64 bits" }, { "a = 1;", 5, "'and', 'or'" },
    { "\xc3\xa4 = 1", 0, "expected a comparison" },
};

static void
malformed_text_is_refused_with_its_place (void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF (malformed); i++) {
        assert_int_equal (parse (fixture, malformed[i].text), BATON_BAD_ARGUMENT);
        assert_int_equal (fixture->requirement.count, 0);
        if (fixture->fault.position_bytes != malformed[i].position_bytes
            || !strstr (fixture->fault.sentence, malformed[i].sentence)) {
            fail_msg ("%s: %zu: %s", malformed[i].text, fixture->fault.position_bytes,
                      fixture->fault.sentence);
        }
    }
}

// Appends [part] to [text] [count] times.
static void
repeat (char *text, const char *part, int count)
{
    for (int i = 0; i < count; i++) {
        memcpy (text + strlen (text), part, strlen (part) + 1);
    }
}

static void
terms_end_at_64 (void **state)
{
    struct fixture *fixture = *state;
    char text[2048] = "a=1";
    repeat (text, " and a=1", 31);
    parse_good (fixture, text); // 32 comparisons, 31 operators
    assert_int_equal (fixture->requirement.count, 63);

    memmove (text + 4, text, strlen (text) + 1);
    memcpy (text, "not ", 4);
    parse_good (fixture, text);
    assert_int_equal (fixture->requirement.count, 64);
    assert_printed_is_read (fixture);

    uint32_t term_index;
    fixture->requirement.count++;
    assert_non_null (requirement_check (&fixture->requirement, &term_index));
    repeat (text, " or a=1", 1);
    assert_int_equal (parse (fixture, text), BATON_BAD_ARGUMENT);
    assert_non_null (strstr (fixture->fault.sentence, "64 terms"));
}

static void
nesting_ends_at_16 (void **state)
{
    struct fixture *fixture = *state;
    char nots[512] = "", parentheses[512] = "", right[512] = "";
    repeat (nots, "not ", 15);
    repeat (nots, "a=1", 1);
    repeat (parentheses, "(", 16);
    repeat (parentheses, "a=1", 1);
    repeat (parentheses, ")", 16);
    repeat (right, "a=1 or (", 15);
    repeat (right, "a=1", 1);
    repeat (right, ")", 15);
    char *const texts[] = { nots, parentheses, right };
    static const char *const before[] = { "not ", "(", "a=1 or (" };

    for (size_t i = 0; i < COUNT_OF (texts); i++) {
        parse_good (fixture, texts[i]);
        assert_printed_is_read (fixture);
        memmove (texts[i] + strlen (before[i]), texts[i], strlen (texts[i]) + 1);
        memcpy (texts[i], before[i], strlen (before[i]));
        repeat (texts[i], ")", i > 0);
        assert_int_equal (parse (fixture, texts[i]), BATON_BAD_ARGUMENT);
        assert_string_equal (fixture->fault.sentence, "nested deeper than 16");
    }
}

static void
parentheses_side_by_side_do_not_nest (void **state)
{
    struct fixture *fixture = *state;
    char text[512] = "(a=1)";
    repeat (text, " and (a=1)", 20);
    parse_good (fixture, text);
    assert_printed_is_read (fixture);
}

static void
deepest_negations_can_be_printed_and_read (void **state)
{
    struct fixture *fixture = *state;
    char text[512] = "";
    repeat (text, "not (a=1 and ", 7);
    repeat (text, "a=1", 1);
    repeat (text, ")", 7);
    parse_good (fixture, text);
    assert_printed_is_read (fixture);
}

static void
endless_text_is_refused_not_followed (void **state)
{
    struct fixture *fixture = *state;
    static char text[1u << 20];
    static const char *const parts[]
        = { "(", "not ", "a=1 and (", "a=1 or ", "\"", "{", "a in {1," };
    for (size_t i = 0; i < COUNT_OF (parts); i++) {
        const size_t size = strlen (parts[i]);
        for (size_t at = 0; at + size < sizeof text; at += size) {
            memcpy (text + at, parts[i], size + 1);
        }
        assert_int_not_equal (parse (fixture, text), BATON_OK);
    }
}

static void
values_end_at_the_size_of_a_requirement (void **state)
{
    struct fixture *fixture = *state;
    // A count, then op, key size, key, type, size and text for each term, and one op to join it.
    char text[16384] = "";
    for (int i = 0; i < 8; i++) {
        repeat (text, i > 0 ? " and a=\"" : "a=\"", 1);
        repeat (text, "t", i < 7 ? 1024 : 8192 - 1 - 8 * 6 - 7 - 7 * 1024);
        repeat (text, "\"", 1);
    }
    parse_good (fixture, text);
    assert_printed_is_read (fixture);
    assert_int_equal (fixture->stored_bytes, LIMIT_REQUIREMENT_MAX_BYTES);

    memcpy (text + strlen (text) - 1, "t\"", 3);
    assert_int_equal (parse (fixture, text), BATON_BAD_ARGUMENT);
    assert_non_null (strstr (fixture->fault.sentence, "8192 bytes"));
    repeat (text, " and a=\"", 1);
    repeat (text, "t", 1000);
    repeat (text, "\"", 1);
    assert_int_equal (parse (fixture, text), BATON_TOO_LARGE);
}

static void
longest_print_fits_its_room (void **state)
{
    struct fixture *fixture = *state;
    char text[16384] = "a=1 and (";
    repeat (text, "a in {-9223372036854775808", 1);
    repeat (text, ",-9223372036854775808", 63);
    repeat (text, "} or a=\"", 1);
    repeat (text, "\\\\", 1024);
    repeat (text, "\")", 1);
    parse_good (fixture, text);
    encode_and_print (fixture);
    assert_true (fixture->printed_bytes < 3 * fixture->stored_bytes + 16 * 64);

    for (size_t max_bytes = 0; max_bytes <= fixture->printed_bytes; max_bytes += 97) {
        size_t size_bytes;
        assert_int_equal (requirement_print (&fixture->requirement, fixture->printed, max_bytes,
                                             &size_bytes), BATON_TOO_LARGE);
        assert_int_equal (size_bytes, fixture->printed_bytes);
    }
}

static const char golden_text[] = "a = \"x\" and (n in {1, -2} or not exists d) and \"s\" in e";
static const uint8_t golden[] = {
    8,                                                          // terms
    1, 1, 'a', 1, 1, 0, 'x',
    7, 1, 'n', 5, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    9, 1, 'd', 10, 12, 11,
    8, 1, 'e', 1, 1, 0, 's', 11,
};

static void
stored_form_is_the_written_one (void **state)
{
    struct fixture *fixture = *state;
    parse_good (fixture, golden_text);
    encode_and_print (fixture);

    assert_int_equal (fixture->stored_bytes, sizeof golden);
    assert_memory_equal (fixture->stored, golden, sizeof golden);
    assert_int_equal (view_exact (golden, sizeof golden), BATON_OK);
    assert_string_equal (fixture->printed, golden_text);
}

static void
no_terms_are_no_bytes (void **state)
{
    struct fixture *fixture = *state;
    parse_good (fixture, " ");
    encode_and_print (fixture);

    assert_int_equal (fixture->stored_bytes, 0);
    assert_int_equal (view_exact (golden, 0), BATON_OK);
    assert_int_equal (view_exact ((const uint8_t[]) { 0 }, 1), BATON_DAMAGED);
}

static void
every_cut_of_stored_bytes_is_refused (void **state)
{
    (void) state;
    for (size_t size = 1; size < sizeof golden; size++) {
        assert_int_equal (view_exact (golden, size), BATON_DAMAGED);
    }
    uint8_t longer[sizeof golden + 1] = { 0 };
    memcpy (longer, golden, sizeof golden);
    assert_int_equal (view_exact (longer, sizeof longer), BATON_DAMAGED);
}

static void
flipped_bits_are_refused_or_good_requirements (void **state)
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
random_bytes_are_refused_or_good_requirements (void **state)
{
    (void) state;
    uint64_t seed = seed_of_test ();
    int accepted_count = 0;
    for (int i = 0; i < 20000; i++) {
        // Terms that are good one by one, in any order: the stack is what is put to the test.
        static const uint8_t terms[][5]
            = { { 9, 1, 'a' }, { 10 }, { 11 }, { 12 }, { 1, 1, 'b', 3, 1 }, { 6, 1, 'c', 1, 0 } };
        static const size_t sizes_bytes[] = { 3, 1, 1, 1, 5, 5 };
        uint8_t data[64];
        size_t size = 1;
        data[0] = (uint8_t) (1 + draw (&seed) % 9);
        for (int j = 0; j < data[0]; j++) {
            const size_t which = j == 0 ? 0 : draw (&seed) % COUNT_OF (terms);
            memcpy (data + size, terms[which], sizes_bytes[which]);
            size += sizes_bytes[which];
        }
        accepted_count += view_exact (data, size) == BATON_OK;
    }
    assert_true (accepted_count > 500);
}

static void
broken_rules_of_terms_are_refused (void **state)
{
    (void) state;
    static const uint8_t bad[][16] = {
        { 1, 10 }, { 1, 11 }, { 2, 9, 1, 'a', 11 },     // operators without operands
        { 2, 9, 1, 'a', 9, 1, 'b' },                     // two results
        { 1, 0 }, { 1, 13 }, { 1, 255 },                 // no such operator
        { 1, 9, 0 }, { 1, 9, 1, '9' },                   // no good keys
        { 1, 3, 1, 'a', 3, 1 }, { 1, 7, 1, 'a', 3, 1 },  // types that the operators do not allow
        { 1, 7, 1, 'a', 4, 0 }, { 1, 8, 1, 'a', 3, 1 }, { 1, 1, 1, 'a', 4, 0 },
    };
    static const size_t sizes_bytes[] = { 2, 2, 5, 7, 2, 2, 2, 3, 4, 6, 6, 6, 6, 6 };
    assert_int_equal (COUNT_OF (bad), COUNT_OF (sizes_bytes));
    for (size_t i = 0; i < COUNT_OF (bad); i++) {
        assert_int_equal (view_exact (bad[i], sizes_bytes[i]), BATON_DAMAGED);
    }
}

static void
operators_with_key_or_value_are_refused (void **state)
{
    (void) state;
    struct requirement_term terms[2] = {
        { .op = TERM_EXISTS, .key = { "a", 1 } }, { .op = TERM_NOT },
    };
    const struct requirement requirement = { terms, 2 };
    uint32_t term_index;
    assert_null (requirement_check (&requirement, &term_index));

    terms[1].key = bytes_of ("b");
    assert_non_null (requirement_check (&requirement, &term_index));
    assert_int_equal (term_index, 1);
    terms[0].value = value_integer (1);
    assert_non_null (requirement_check (&requirement, &term_index));
    assert_int_equal (term_index, 0);
}

static void
random_tokens_are_refused_or_print_what_they_read (void **state)
{
    struct fixture *fixture = *state;
    uint64_t seed = seed_of_test ();
    static const char *const tokens[] = {
        "a", "b=1", "exists c", "\"s\" in d", "e in {1,2}", "and", "or", "not", "(", ")", "in", "=",
        "<=", "\"t\"", "{", "}", ",", "8", "-", "true", "\\", "\"",
    };
    int good_count = 0;
    for (int i = 0; i < 20000; i++) {
        char text[512] = "";
        for (uint64_t j = 1 + draw (&seed) % 9; j > 0; j--) {
            const bool any = draw (&seed) % 16 == 0;
            repeat (text, tokens[any ? draw (&seed) % COUNT_OF (tokens) : 1 + draw (&seed) % 9], 1);
            repeat (text, " ", 1);
        }
        if (parse (fixture, text) != BATON_OK) continue;
        good_count++;
        assert_printed_is_read (fixture);
    }
    assert_true (good_count > 200);
}

int
main (void)
{
#define FACT(name) cmocka_unit_test_setup_teardown (name, setup, teardown)
    const struct CMUnitTest tests[] = {
        FACT (precedence_and_parentheses_are_kept),
        FACT (every_comparison_has_its_text),
        FACT (malformed_text_is_refused_with_its_place),
        FACT (terms_end_at_64),
        FACT (nesting_ends_at_16),
        FACT (parentheses_side_by_side_do_not_nest),
        FACT (deepest_negations_can_be_printed_and_read),
        FACT (endless_text_is_refused_not_followed),
        FACT (values_end_at_the_size_of_a_requirement),
        FACT (longest_print_fits_its_room),
        FACT (stored_form_is_the_written_one),
        FACT (no_terms_are_no_bytes),
        FACT (every_cut_of_stored_bytes_is_refused),
        FACT (flipped_bits_are_refused_or_good_requirements),
        FACT (random_bytes_are_refused_or_good_requirements),
        FACT (broken_rules_of_terms_are_refused),
        FACT (operators_with_key_or_value_are_refused),
        FACT (random_tokens_are_refused_or_print_what_they_read),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
