// SPDX-License-Identifier: MPL-2.0
#include "proto/value.h"

#include "proto/assert.h"
#include "proto/limits.h"

// The sentences of value_check name these numbers.
_Static_assert (LIMIT_TEXT_MAX_BYTES == 1024u, "a sentence below names the limit");
_Static_assert (LIMIT_SET_MEMBERS_MAX_COUNT == 64u, "a sentence below names the limit");

struct attribute_value
value_text (struct baton_bytes text)
{
    return (struct attribute_value) { .type = ATTRIBUTE_TEXT, .bytes = text };
}

struct attribute_value
value_integer (int64_t integer)
{
    return (struct attribute_value) { .type = ATTRIBUTE_INTEGER, .integer = integer };
}

struct attribute_value
value_true (void)
{
    return (struct attribute_value) { .type = ATTRIBUTE_FLAG, .integer = 1 };
}

struct attribute_value
value_false (void)
{
    return (struct attribute_value) { .type = ATTRIBUTE_FLAG, .integer = 0 };
}

struct attribute_value
value_list (enum attribute_type type)
{
    ASSERT (type == ATTRIBUTE_SET || type == ATTRIBUTE_INTEGERS);
    return (struct attribute_value) { .type = type };
}

static enum attribute_type
member_type (const struct attribute_value *list)
{
    ASSERT (list->type == ATTRIBUTE_SET || list->type == ATTRIBUTE_INTEGERS);
    return list->type == ATTRIBUTE_SET ? ATTRIBUTE_TEXT : ATTRIBUTE_INTEGER;
}

static void
member_pack (struct pack *pack, const struct attribute_value *member)
{
    if (member->type == ATTRIBUTE_TEXT) {
        pack_u16 (pack, (uint16_t) member->bytes.size);
        pack_bytes (pack, member->bytes);
    } else {
        pack_u64 (pack, (uint64_t) member->integer);
    }
}

enum baton_err
value_list_add (struct pack *pack, struct attribute_value *list,
                const struct attribute_value *member)
{
    if (member->type != member_type (list)) return BATON_BAD_ARGUMENT;
    if (list->members_count >= LIMIT_SET_MEMBERS_MAX_COUNT) return BATON_TOO_LARGE;
    if (member->bytes.size > LIMIT_TEXT_MAX_BYTES) return BATON_TOO_LARGE;

    struct pack grown = *pack;
    member_pack (&grown, member);
    if (!pack_fits (&grown)) return BATON_TOO_LARGE;

    // The members of one list lie side by side, so the view only grows at its end.
    const size_t start_bytes = pack->used_bytes - list->bytes.size;
    ASSERT (list->bytes.size == 0 || list->bytes.data == pack->data + start_bytes);
    *pack = grown;
    list->bytes = pack_since (pack, start_bytes);
    list->members_count++;
    return BATON_OK;
}

static bool
text_unpack (struct unpack *unpack, struct attribute_value *value)
{
    uint16_t size;
    struct baton_bytes text;
    if (!unpack_u16 (unpack, &size)) return false;
    if (size > LIMIT_TEXT_MAX_BYTES) return false;
    if (!unpack_bytes (unpack, size, &text)) return false;
    *value = value_text (text);
    return true;
}

static bool
integer_unpack (struct unpack *unpack, struct attribute_value *value)
{
    uint64_t n;
    if (!unpack_u64 (unpack, &n)) return false;
    *value = value_integer ((int64_t) n);
    return true;
}

static bool
member_unpack (struct unpack *unpack, enum attribute_type list_type,
               struct attribute_value *member)
{
    return list_type == ATTRIBUTE_SET ? text_unpack (unpack, member)
                                      : integer_unpack (unpack, member);
}

bool
value_list_next (const struct attribute_value *list, size_t *position_bytes,
                 struct attribute_value *member)
{
    ASSERT (*position_bytes <= list->bytes.size);
    if (*position_bytes == list->bytes.size) return false;
    struct unpack unpack;
    unpack_init (&unpack, list->bytes);
    unpack.data += *position_bytes;
    unpack.size_bytes -= *position_bytes;
    if (!member_unpack (&unpack, list->type, member)) return false;
    *position_bytes = list->bytes.size - unpack.size_bytes;
    return true;
}

bool
value_list_has (const struct attribute_value *list, const struct attribute_value *member)
{
    if (member->type != member_type (list)) return false;
    size_t position_bytes = 0;
    struct attribute_value each;
    while (value_list_next (list, &position_bytes, &each)) {
        if (value_equal (&each, member)) return true;
    }
    return false;
}

bool
value_equal (const struct attribute_value *a, const struct attribute_value *b)
{
    if (a->type != b->type) return false;
    switch (a->type) {
    case ATTRIBUTE_TEXT: return attribute_bytes_equal (a->bytes, b->bytes);
    case ATTRIBUTE_INTEGER:
    case ATTRIBUTE_FLAG: return a->integer == b->integer;
    case ATTRIBUTE_SET:
    case ATTRIBUTE_INTEGERS: return false;
    }
    return false;
}

static bool
is_between (uint8_t n, uint8_t low, uint8_t high)
{
    return n >= low && n <= high;
}

// The narrower bounds of the second byte shut out overlong forms, surrogates and numbers over
// U+10FFFF (RFC 3629), and the control characters U+0080 to U+009F.
static bool
second_byte_is_good (uint8_t first, uint8_t second)
{
    if (first == 0xc2) return is_between (second, 0xa0, 0xbf);
    if (first == 0xe0) return is_between (second, 0xa0, 0xbf);
    if (first == 0xed) return is_between (second, 0x80, 0x9f);
    if (first == 0xf0) return is_between (second, 0x90, 0xbf);
    if (first == 0xf4) return is_between (second, 0x80, 0x8f);
    return is_between (second, 0x80, 0xbf);
}

static size_t
sequence_bytes (uint8_t first)
{
    if (is_between (first, 0x20, 0x7e)) return 1;
    if (is_between (first, 0xc2, 0xdf)) return 2;
    if (is_between (first, 0xe0, 0xef)) return 3;
    if (is_between (first, 0xf0, 0xf4)) return 4;
    return 0;
}

// character_bytes returns the length of the character that [data] begins with, 0 if it is none.
static size_t
character_bytes (const uint8_t *data, size_t left_bytes)
{
    const size_t count = sequence_bytes (data[0]);
    if (count == 0 || count > left_bytes) return 0;
    if (count > 1 && !second_byte_is_good (data[0], data[1])) return 0;
    for (size_t i = 2; i < count; i++) {
        if (!is_between (data[i], 0x80, 0xbf)) return 0;
    }
    return count;
}

// Texts are printed to terminals, logs and JSON: what would break those is refused at the door.
static const char *
text_check (struct baton_bytes text)
{
    if (text.size > LIMIT_TEXT_MAX_BYTES) return "a text is longer than 1024 bytes";
    const uint8_t *data = text.data;
    for (size_t i = 0; i < text.size;) {
        const size_t count = character_bytes (data + i, text.size - i);
        if (count == 0) return "a text is not UTF-8, or has a control character";
        i += count;
    }
    return NULL;
}

static const char *
list_check (const struct attribute_value *list)
{
    if (list->members_count > LIMIT_SET_MEMBERS_MAX_COUNT) {
        return "a set or list has more than 64 members";
    }
    struct unpack unpack;
    unpack_init (&unpack, list->bytes);
    for (uint32_t i = 0; i < list->members_count; i++) {
        struct attribute_value member;
        if (!member_unpack (&unpack, list->type, &member)) return "the members of a set are cut";
        const char *complaint = value_check (&member);
        if (complaint) return complaint;
    }
    return unpack.size_bytes == 0 ? NULL : "a set has bytes behind its last member";
}

const char *
value_check (const struct attribute_value *value)
{
    switch (value->type) {
    case ATTRIBUTE_TEXT: return text_check (value->bytes);
    case ATTRIBUTE_INTEGER: return NULL;
    case ATTRIBUTE_FLAG:
        return value->integer == 0 || value->integer == 1 ? NULL : "a flag is true or false";
    case ATTRIBUTE_SET:
    case ATTRIBUTE_INTEGERS: return list_check (value);
    }
    return "a value has an unknown type";
}

static void
list_pack (struct pack *pack, const struct attribute_value *list)
{
    ASSERT (list->members_count <= LIMIT_SET_MEMBERS_MAX_COUNT);
    pack_u8 (pack, (uint8_t) list->members_count);
    pack_bytes (pack, list->bytes);
}

void
value_pack (struct pack *pack, const struct attribute_value *value)
{
    ASSERT (value->type != 0);
    pack_u8 (pack, (uint8_t) value->type);
    switch (value->type) {
    case ATTRIBUTE_TEXT:
    case ATTRIBUTE_INTEGER: member_pack (pack, value); break;
    case ATTRIBUTE_FLAG: pack_u8 (pack, (uint8_t) value->integer); break;
    case ATTRIBUTE_SET:
    case ATTRIBUTE_INTEGERS: list_pack (pack, value); break;
    }
}

static bool
flag_unpack (struct unpack *unpack, struct attribute_value *value)
{
    uint8_t n;
    if (!unpack_u8 (unpack, &n)) return false;
    *value = n ? value_true () : value_false ();
    return n <= 1;
}

static bool
list_unpack (struct unpack *unpack, enum attribute_type type, struct attribute_value *value)
{
    uint8_t count;
    if (!unpack_u8 (unpack, &count)) return false;
    if (count > LIMIT_SET_MEMBERS_MAX_COUNT) return false;
    const struct unpack start = *unpack;
    for (uint8_t i = 0; i < count; i++) {
        struct attribute_value member;
        if (!member_unpack (unpack, type, &member)) return false;
    }
    *value = value_list (type);
    value->members_count = count;
    const size_t size_bytes = start.size_bytes - unpack->size_bytes;
    if (size_bytes > 0) {
        value->bytes = (struct baton_bytes) { start.data, size_bytes };
    }
    return true;
}

bool
value_unpack (struct unpack *unpack, struct attribute_value *value)
{
    uint8_t type;
    if (!unpack_u8 (unpack, &type)) return false;
    switch ((enum attribute_type) type) {
    case ATTRIBUTE_TEXT: return text_unpack (unpack, value);
    case ATTRIBUTE_INTEGER: return integer_unpack (unpack, value);
    case ATTRIBUTE_FLAG: return flag_unpack (unpack, value);
    case ATTRIBUTE_SET:
    case ATTRIBUTE_INTEGERS: return list_unpack (unpack, (enum attribute_type) type, value);
    }
    return false;
}

int
attribute_bytes_compare (struct baton_bytes a, struct baton_bytes b)
{
    const size_t common_bytes = a.size < b.size ? a.size : b.size;
    const int order = common_bytes > 0 ? memcmp (a.data, b.data, common_bytes) : 0;
    if (order != 0) return order;
    return (a.size > b.size) - (a.size < b.size);
}
