// SPDX-License-Identifier: MPL-2.0
// requirement.h has what a session or request requires of a server: a postfix list of terms, so
// that nothing recurses in memory, on the wire or in records. It knows the rules, the stored form
// and the evaluation; how people write it is requirement_text.h. It must never allocate, and one
// evaluation takes at most LIMIT_TERMS_MAX_COUNT steps.
//
// Stored form: nothing for no terms; else u8 count (not 0), then each term: u8 op; comparisons
// add u8 key size, key; all comparisons but EXISTS then a value (proto/value.h).
#ifndef BATON_REQUIREMENT_H
#define BATON_REQUIREMENT_H

#include "proto/attribute.h"

// The numbers are stored. `key op value` is a comparison of the attribute with the value.
enum term_op {
    TERM_EQUAL = 1,            // text, integer, flag
    TERM_NOT_EQUAL = 2,        // text, integer, flag
    TERM_LESS = 3,             // integer, as the next three
    TERM_LESS_OR_EQUAL = 4,
    TERM_GREATER = 5,
    TERM_GREATER_OR_EQUAL = 6,
    TERM_IN = 7,               // the attribute is one of a list: SET or INTEGERS, not empty
    TERM_CONTAINS = 8,         // the attribute is a set that has the text
    TERM_EXISTS = 9,           // there is such an attribute; no value
    TERM_NOT = 10,             // of the operand before; NOT, AND, OR have neither key nor value
    TERM_AND = 11,             // of the two operands before
    TERM_OR = 12,
};

struct requirement_term {
    enum term_op op;
    struct baton_bytes key;
    struct attribute_value value;
};

struct requirement {
    const struct requirement_term *terms;
    uint32_t count;
};

// Whether attributes meet a requirement. Unknown is a missing attribute, or one of another type:
// it never matches, and `not unknown` is unknown too.
enum match { MATCH_NO = 1, MATCH_UNKNOWN = 2, MATCH_YES = 3 };

// No term: nothing failed.
#define EVALUATION_NO_TERM UINT32_MAX

// What one evaluation found, for the choice and for its explanation. The failing comparison is
// the first, as written, among those that keep the requirement from holding: of ANDed operands
// the first that is not met; where all ORed operands fail, the first; under `not` AND and OR, met
// and not met, change places.
struct evaluation {
    enum match match;
    uint32_t failed_index; // among the terms; EVALUATION_NO_TERM with MATCH_YES
    uint32_t passed_count; // comparisons written before it; all of them with MATCH_YES
};

// term_is_comparison returns false for NOT, AND and OR.
bool
term_is_comparison (enum term_op op);

// requirement_check returns NULL if [requirement] keeps all rules: at most LIMIT_TERMS_MAX_COUNT
// terms; each operator finds its operands and one result is left; nesting at most
// LIMIT_TERM_DEPTH_MAX (a comparison is 1; an operator one more than its deeper operand, but a
// chain `a and b and c` counts once); good keys; values as their operators allow; a stored form
// within LIMIT_REQUIREMENT_MAX_BYTES. Keys may be `set` and `name`.
// Else a static sentence for people, and *[term_index] is the term that it is about (the count,
// if it is about all of them).
const char *
requirement_check (const struct requirement *requirement, uint32_t *term_index);

// requirement_encode writes the stored form of [requirement], which requirement_check must accept,
// into [data] of [max_bytes]; *[size_bytes] is the size it has, or needs.
//
// Errors: BATON_TOO_LARGE if there is no room; NULL with 0 asks for the size.
enum baton_err
requirement_encode (const struct requirement *requirement, void *data, size_t max_bytes,
                    size_t *size_bytes);

// requirement_view reads a stored form into the caller's [terms]; keys and values view [stored].
// What it accepts requirement_check accepts too, so strangers' bytes may be given to it.
//
// Errors: BATON_DAMAGED if any rule is broken; [requirement] is empty then.
enum baton_err
requirement_view (struct baton_bytes stored, struct requirement_term terms[LIMIT_TERMS_MAX_COUNT],
                  struct requirement *requirement);

// requirement_evaluate holds [attributes] against [requirement], which requirement_check must
// accept. [implied] are looked at first; NULL if there are none. No terms are always met: which
// servers an empty requirement means is broker/core/match.h.
enum match
requirement_evaluate (const struct requirement *requirement, const struct attributes *implied,
                      const struct attributes *attributes, struct evaluation *evaluation);

#endif
