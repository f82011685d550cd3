// SPDX-License-Identifier: MPL-2.0
// value.h has the typed values that attributes have and requirements compare with. Values are
// views: they own nothing. Lists are kept packed, as they are stored, so that reading a list from
// stored bytes needs no memory. Nothing here knows keys, terms or how people write values.
//
// Packed members: of SET u16 size and the bytes, each; of INTEGERS eight bytes, each.
#ifndef BATON_VALUE_H
#define BATON_VALUE_H

#include "proto/bytes.h"
#include "proto/errors.h"
#include "proto/pack.h"

#include <stdbool.h>
#include <stdint.h>

// The numbers are stored. INTEGERS stands in the lists of `key in {1, 2}` only: it is never the
// type of an attribute.
enum attribute_type {
    ATTRIBUTE_TEXT = 1,
    ATTRIBUTE_INTEGER = 2,
    ATTRIBUTE_FLAG = 3,
    ATTRIBUTE_SET = 4,
    ATTRIBUTE_INTEGERS = 5,
};

struct attribute_value {
    enum attribute_type type; // 0: no value, as in `exists key`
    uint32_t members_count;   // SET, INTEGERS
    int64_t integer;          // INTEGER; FLAG: 0 or 1
    struct baton_bytes bytes; // TEXT: the text; SET, INTEGERS: the packed members
};

// value_text returns a TEXT that views [text].
struct attribute_value
value_text (struct baton_bytes text);

// value_integer returns an INTEGER.
struct attribute_value
value_integer (int64_t integer);

// value_true and value_false return the two FLAGs.
struct attribute_value
value_true (void);

struct attribute_value
value_false (void);

// value_list returns an empty list: [type] is ATTRIBUTE_SET or ATTRIBUTE_INTEGERS.
struct attribute_value
value_list (enum attribute_type type);

// value_list_add appends [member] to [list]: a TEXT to a SET, an INTEGER to INTEGERS. Between the
// first member of a list and its last nothing else may be put into [pack], which holds the bytes.
//
// Errors: BATON_BAD_ARGUMENT if [member] is of another type; BATON_TOO_LARGE if the list is full
// (LIMIT_SET_MEMBERS_MAX_COUNT), the text too long, or [pack] too small. [list] stays as it was.
enum baton_err
value_list_add (struct pack *pack, struct attribute_value *list,
                const struct attribute_value *member);

// value_list_next takes the next member of [list] into [member]. *[position_bytes] is 0 at first.
// Returns false at the end, and for a list whose packed bytes are cut.
bool
value_list_next (const struct attribute_value *list, size_t *position_bytes,
                 struct attribute_value *member);

// value_list_has returns whether [member] is in [list]; never if it is of another type.
bool
value_list_has (const struct attribute_value *list, const struct attribute_value *member);

// value_equal returns whether two TEXTs, INTEGERs or FLAGs are of one type and the same; lists
// are never equal.
bool
value_equal (const struct attribute_value *a, const struct attribute_value *b);

// value_check returns NULL if [value] keeps all rules: a known type, texts that are UTF-8 without
// control characters and within LIMIT_TEXT_MAX_BYTES, lists within LIMIT_SET_MEMBERS_MAX_COUNT
// and whole. Else a static sentence for people that says which rule is broken.
const char *
value_check (const struct attribute_value *value);

// value_pack appends the stored form of a [value] that value_check accepts: u8 type, then TEXT
// u16 size and bytes; INTEGER i64; FLAG u8; lists u8 count and the packed members.
void
value_pack (struct pack *pack, const struct attribute_value *value);

// value_unpack takes one stored value; the result views the bytes behind [unpack]. Returns false
// for cut bytes, an unknown type, or a size over its limit. What texts hold is for value_check.
bool
value_unpack (struct unpack *unpack, struct attribute_value *value);

// attribute_bytes_compare orders by bytes, then the shorter first: negative, 0 or positive.
int
attribute_bytes_compare (struct baton_bytes a, struct baton_bytes b);

// attribute_bytes_equal returns whether size and bytes are the same.
static inline bool
attribute_bytes_equal (struct baton_bytes a, struct baton_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp (a.data, b.data, a.size) == 0);
}

#endif
