// SPDX-License-Identifier: MPL-2.0
// attribute.h has typed attributes: what a server tells of itself, and a requirement is held
// against. It knows their rules and their stored form, which is also how they cross the wire and
// stay in the book. Views only; it must never allocate.
//
// Stored form: nothing for no attributes; else u8 count (not 0), then in rising order of keys
// u8 key size, key, value (proto/value.h). The same attributes in any order give the same bytes.
#ifndef BATON_ATTRIBUTE_H
#define BATON_ATTRIBUTE_H

#include "proto/limits.h"
#include "proto/literal.h"
#include "proto/value.h"

struct attribute {
    struct baton_bytes key;
    struct attribute_value value;
};

struct attributes {
    const struct attribute *items;
    uint32_t count;
};

// attribute_key_check returns NULL if [key] is [A-Za-z_][A-Za-z0-9_.-]*, at most
// LIMIT_NAME_MAX_BYTES long and no word of the requirement language (and or not in exists, in
// small letters or capitals). Else a static sentence for people.
const char *
attribute_key_check (struct baton_bytes key);

// attributes_check returns NULL if [attributes] keep all rules: good keys, each once, none of
// them `set` or `name` (every server has these two without saying, see broker/core/match.h); good
// values; at most LIMIT_ATTRIBUTES_MAX_COUNT; a stored form within LIMIT_OFFER_MAX_BYTES.
// Else a static sentence for people, and *[item_index] is the first item that it is about
// (the count, if it is about all of them).
const char *
attributes_check (const struct attributes *attributes, uint32_t *item_index);

// attributes_find returns the item with [key], NULL if there is none.
const struct attribute *
attributes_find (const struct attributes *attributes, struct baton_bytes key);

// attributes_encode writes the stored form of [attributes], which attributes_check must accept,
// into [data] of [max_bytes]; *[size_bytes] is the size it has, or needs.
//
// Errors: BATON_TOO_LARGE if there is no room; NULL with 0 asks for the size.
enum baton_err
attributes_encode (const struct attributes *attributes, void *data, size_t max_bytes,
                   size_t *size_bytes);

// attributes_view reads a stored form into the caller's [items]; keys and values view [stored].
// What it accepts attributes_check accepts too, so strangers' bytes may be given to it.
//
// Errors: BATON_DAMAGED if any rule is broken; [attributes] is empty then.
enum baton_err
attributes_view (struct baton_bytes stored, struct attribute items[LIMIT_ATTRIBUTES_MAX_COUNT],
                 struct attributes *attributes);

// attribute_parse_text reads one `key=value` as a command line has it, without blanks around '=':
// cores=8 is an integer, gpu=true a flag, tags={"a", "b"} a set, algo=sha256 and version="8" are
// texts. Key and value are copied into [pack].
//
// Errors: BATON_BAD_ARGUMENT with [fault] filled; BATON_TOO_LARGE, likewise, if [pack] is full.
enum baton_err
attribute_parse_text (struct baton_bytes text, struct pack *pack, struct attribute *attribute,
                      struct text_fault *fault);

// attribute_print appends [attribute] as attribute_parse_text reads it, texts always in quotes.
void
attribute_print (struct pack *pack, const struct attribute *attribute);

#endif
