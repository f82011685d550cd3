// SPDX-License-Identifier: MPL-2.0
// literal.h reads and writes values as people do: "text", 42, true, {"a", "b"}. The scanner walks
// a text from left to right, never back, and tells where and why it stopped. It knows no grammar
// beyond one value: attributes and requirements build theirs on it.
//
// In a text \" is a quote and \\ a backslash; there are no other escapes, since control
// characters are not allowed anyway.
#ifndef BATON_LITERAL_H
#define BATON_LITERAL_H

#include "proto/value.h"

// Where a text is wrong, and why: a static sentence.
struct text_fault {
    size_t position_bytes;
    const char *sentence;
};

// Texts and lists that are read go into [pack]; the first fault stays.
struct scanner {
    struct baton_bytes text;
    size_t position_bytes;
    struct pack *pack;
    enum baton_err error;
    struct text_fault fault;
};

// scanner_init starts at the first byte of [text].
void
scanner_init (struct scanner *scanner, struct baton_bytes text, struct pack *pack);

// scanner_fail notes BATON_BAD_ARGUMENT at [position_bytes], unless there was a fault before.
// Returns false, so that a reader can end with it.
bool
scanner_fail (struct scanner *scanner, size_t position_bytes, const char *sentence);

// scanner_full notes BATON_TOO_LARGE: the pack has no room. Returns false.
bool
scanner_full (struct scanner *scanner, size_t position_bytes);

// scanner_peek returns the next byte, -1 at the end.
int
scanner_peek (const struct scanner *scanner);

// scanner_skip_blanks goes over blanks, tabs and line ends.
void
scanner_skip_blanks (struct scanner *scanner);

// scanner_take goes over [symbol] if it comes next, and returns whether it did.
bool
scanner_take (struct scanner *scanner, const char *symbol);

// scanner_word takes [A-Za-z_][A-Za-z0-9_.-]* as a view into the text; empty if none comes next.
struct baton_bytes
scanner_word (struct scanner *scanner);

// scanner_value takes one text, integer, flag or list. [missing] is the sentence for the case
// that none comes next. An empty list is a SET.
// Returns false with the fault noted; [value] is not set then.
bool
scanner_value (struct scanner *scanner, const char *missing, struct attribute_value *value);

// word_is returns whether [word] is [keyword], which is in small letters; capitals do not count.
bool
word_is (struct baton_bytes word, const char *keyword);

// literal_print appends [value] as scanner_value reads it.
void
literal_print (struct pack *pack, const struct attribute_value *value);

// literal_put appends a string as it is.
void
literal_put (struct pack *pack, const char *string);

#endif
