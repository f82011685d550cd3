// SPDX-License-Identifier: MPL-2.0
#include "proto/literal.h"

#include "proto/assert.h"
#include "proto/limits.h"

// Sentences below name these numbers.
_Static_assert (LIMIT_TEXT_MAX_BYTES == 1024u, "a sentence below names the limit");
_Static_assert (LIMIT_SET_MEMBERS_MAX_COUNT == 64u, "a sentence below names the limit");

void
scanner_init (struct scanner *scanner, struct baton_bytes text, struct pack *pack)
{
    scanner->text = text;
    scanner->position_bytes = 0;
    scanner->pack = pack;
    scanner->error = BATON_OK;
    scanner->fault = (struct text_fault) { 0, NULL };
}

static bool
fault_note (struct scanner *scanner, enum baton_err error, size_t position_bytes,
            const char *sentence)
{
    ASSERT (position_bytes <= scanner->text.size);
    if (scanner->error == BATON_OK) {
        scanner->error = error;
        scanner->fault = (struct text_fault) { position_bytes, sentence };
    }
    return false;
}

bool
scanner_fail (struct scanner *scanner, size_t position_bytes, const char *sentence)
{
    return fault_note (scanner, BATON_BAD_ARGUMENT, position_bytes, sentence);
}

bool
scanner_full (struct scanner *scanner, size_t position_bytes)
{
    return fault_note (scanner, BATON_TOO_LARGE, position_bytes,
                       "keys and values are too large in all");
}

int
scanner_peek (const struct scanner *scanner)
{
    if (scanner->position_bytes == scanner->text.size) return -1;
    return ((const uint8_t *) scanner->text.data)[scanner->position_bytes];
}

void
scanner_skip_blanks (struct scanner *scanner)
{
    for (int next = scanner_peek (scanner);
         next == ' ' || next == '\t' || next == '\n' || next == '\r';
         next = scanner_peek (scanner)) {
        scanner->position_bytes++;
    }
}

bool
scanner_take (struct scanner *scanner, const char *symbol)
{
    const size_t size = strlen (symbol);
    const size_t left_bytes = scanner->text.size - scanner->position_bytes;
    if (size > left_bytes) return false;
    const uint8_t *next = (const uint8_t *) scanner->text.data + scanner->position_bytes;
    if (memcmp (next, symbol, size) != 0) return false;
    scanner->position_bytes += size;
    return true;
}

static bool
is_digit (int c)
{
    return c >= '0' && c <= '9';
}

static bool
starts_word (int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
continues_word (int c)
{
    return starts_word (c) || is_digit (c) || c == '.' || c == '-';
}

struct baton_bytes
scanner_word (struct scanner *scanner)
{
    struct baton_bytes word = { NULL, 0 };
    if (!starts_word (scanner_peek (scanner))) return word;
    word.data = (const uint8_t *) scanner->text.data + scanner->position_bytes;
    while (continues_word (scanner_peek (scanner))) {
        scanner->position_bytes++;
        word.size++;
    }
    return word;
}

static int
small_letter (int c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

bool
word_is (struct baton_bytes word, const char *keyword)
{
    if (word.size != strlen (keyword)) return false;
    const char *letters = word.data;
    for (size_t i = 0; i < word.size; i++) {
        if (small_letter (letters[i]) != keyword[i]) return false;
    }
    return true;
}

// quoted_byte copies one character of a text, without its escape. The end is the caller's.
static bool
quoted_byte (struct scanner *scanner)
{
    const size_t start_bytes = scanner->position_bytes;
    if (scanner_take (scanner, "\\")) {
        const int escaped = scanner_peek (scanner);
        if (escaped != '"' && escaped != '\\') {
            return scanner_fail (scanner, start_bytes,
                                 "in a text only \\\" and \\\\ may follow a backslash");
        }
    }
    pack_u8 (scanner->pack, (uint8_t) scanner_peek (scanner));
    scanner->position_bytes++;
    return true;
}

static bool
scan_text (struct scanner *scanner, struct attribute_value *value)
{
    const size_t start_bytes = scanner->position_bytes;
    const size_t pack_start_bytes = scanner->pack->used_bytes;
    scanner->position_bytes++;
    while (!scanner_take (scanner, "\"")) {
        if (scanner_peek (scanner) < 0) {
            return scanner_fail (scanner, start_bytes, "a text has no closing quote");
        }
        if (!quoted_byte (scanner)) return false;
    }
    if (scanner->pack->used_bytes - pack_start_bytes > LIMIT_TEXT_MAX_BYTES) {
        return scanner_fail (scanner, start_bytes, "a text is longer than 1024 bytes");
    }
    if (!pack_fits (scanner->pack)) return scanner_full (scanner, start_bytes);
    *value = value_text (pack_since (scanner->pack, pack_start_bytes));
    const char *complaint = value_check (value);
    return complaint ? scanner_fail (scanner, start_bytes, complaint) : true;
}

// The sum is kept negative, because the smallest integer has no positive counterpart.
static bool
digits_sum (struct scanner *scanner, int64_t *sum)
{
    *sum = 0;
    for (int next = scanner_peek (scanner); is_digit (next); next = scanner_peek (scanner)) {
        const int digit = next - '0';
        if (*sum < (INT64_MIN + digit) / 10) return false;
        *sum = *sum * 10 - digit;
        scanner->position_bytes++;
    }
    return true;
}

static bool
scan_integer (struct scanner *scanner, struct attribute_value *value)
{
    const size_t start_bytes = scanner->position_bytes;
    const bool negative = scanner_take (scanner, "-");
    if (!is_digit (scanner_peek (scanner))) {
        return scanner_fail (scanner, start_bytes, "expected digits after '-'");
    }
    int64_t sum;
    if (!digits_sum (scanner, &sum) || (!negative && sum == INT64_MIN)) {
        return scanner_fail (scanner, start_bytes, "an integer has more than 64 bits");
    }
    if (continues_word (scanner_peek (scanner))) {
        return scanner_fail (scanner, start_bytes,
                             "an integer has digits only; a text stands in double quotes");
    }
    *value = value_integer (negative ? sum : -sum);
    return true;
}

static bool
scan_flag (struct scanner *scanner, struct attribute_value *value)
{
    const size_t start_bytes = scanner->position_bytes;
    const struct baton_bytes word = scanner_word (scanner);
    if (word_is (word, "true")) {
        *value = value_true ();
        return true;
    }
    if (word_is (word, "false")) {
        *value = value_false ();
        return true;
    }
    return scanner_fail (scanner, start_bytes, "a text stands in double quotes");
}

// Members are read aside, because value_list_add puts a size before each text.
static bool
scan_member (struct scanner *scanner, struct pack *aside, struct attribute_value *member)
{
    const int next = scanner_peek (scanner);
    if (next == '-' || is_digit (next)) return scan_integer (scanner, member);
    if (next != '"') {
        return scanner_fail (scanner, scanner->position_bytes,
                             "expected a text in double quotes, or an integer, in the braces");
    }
    struct pack *pack = scanner->pack;
    scanner->pack = aside;
    const bool good = scan_text (scanner, member);
    scanner->pack = pack;
    return good;
}

static bool
scan_list_member (struct scanner *scanner, struct attribute_value *list)
{
    const size_t start_bytes = scanner->position_bytes;
    uint8_t data[LIMIT_TEXT_MAX_BYTES];
    struct pack aside;
    pack_init (&aside, data, sizeof data);
    struct attribute_value member;
    if (!scan_member (scanner, &aside, &member)) return false;

    if (list->members_count == LIMIT_SET_MEMBERS_MAX_COUNT) {
        return scanner_fail (scanner, start_bytes, "a set or list has more than 64 members");
    }
    if (list->members_count == 0 && member.type == ATTRIBUTE_INTEGER) {
        *list = value_list (ATTRIBUTE_INTEGERS);
    }
    const enum baton_err error = value_list_add (scanner->pack, list, &member);
    if (error == BATON_OK) return true;
    if (error == BATON_TOO_LARGE) return scanner_full (scanner, start_bytes);
    return scanner_fail (scanner, start_bytes, "texts and integers do not mix in one list");
}

static bool
scan_list (struct scanner *scanner, struct attribute_value *value)
{
    const size_t start_bytes = scanner->position_bytes;
    *value = value_list (ATTRIBUTE_SET);
    scanner->position_bytes++;
    scanner_skip_blanks (scanner);
    if (scanner_take (scanner, "}")) return true;
    do {
        scanner_skip_blanks (scanner);
        if (!scan_list_member (scanner, value)) return false;
        scanner_skip_blanks (scanner);
    } while (scanner_take (scanner, ","));

    if (scanner_take (scanner, "}")) return true;
    if (scanner_peek (scanner) < 0) {
        return scanner_fail (scanner, start_bytes, "a '{' is never closed");
    }
    return scanner_fail (scanner, scanner->position_bytes, "expected ',' or '}'");
}

bool
scanner_value (struct scanner *scanner, const char *missing, struct attribute_value *value)
{
    const int next = scanner_peek (scanner);
    if (next == '"') return scan_text (scanner, value);
    if (next == '{') return scan_list (scanner, value);
    if (next == '-' || is_digit (next)) return scan_integer (scanner, value);
    if (starts_word (next)) return scan_flag (scanner, value);
    return scanner_fail (scanner, scanner->position_bytes, missing);
}

void
literal_put (struct pack *pack, const char *string)
{
    pack_bytes (pack, (struct baton_bytes) { string, strlen (string) });
}

static void
print_text (struct pack *pack, struct baton_bytes text)
{
    const uint8_t *data = text.data;
    literal_put (pack, "\"");
    for (size_t i = 0; i < text.size; i++) {
        if (data[i] == '"' || data[i] == '\\') {
            literal_put (pack, "\\");
        }
        pack_u8 (pack, data[i]);
    }
    literal_put (pack, "\"");
}

static void
print_integer (struct pack *pack, int64_t integer)
{
    uint8_t digits[20];
    size_t start = sizeof digits;
    uint64_t left = integer < 0 ? 0 - (uint64_t) integer : (uint64_t) integer;
    do {
        digits[--start] = (uint8_t) ('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (integer < 0) {
        literal_put (pack, "-");
    }
    pack_bytes (pack, (struct baton_bytes) { digits + start, sizeof digits - start });
}

static void
print_list (struct pack *pack, const struct attribute_value *list)
{
    size_t position_bytes = 0;
    struct attribute_value member;
    const char *before = "{";
    while (value_list_next (list, &position_bytes, &member)) {
        literal_put (pack, before);
        literal_print (pack, &member);
        before = ", ";
    }
    literal_put (pack, position_bytes == 0 ? "{}" : "}");
}

void
literal_print (struct pack *pack, const struct attribute_value *value)
{
    switch (value->type) {
    case ATTRIBUTE_TEXT: print_text (pack, value->bytes); break;
    case ATTRIBUTE_INTEGER: print_integer (pack, value->integer); break;
    case ATTRIBUTE_FLAG: literal_put (pack, value->integer ? "true" : "false"); break;
    case ATTRIBUTE_SET:
    case ATTRIBUTE_INTEGERS: print_list (pack, value); break;
    }
}
