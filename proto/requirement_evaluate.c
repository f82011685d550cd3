// SPDX-License-Identifier: MPL-2.0
// The evaluation of proto/requirement.h, in three values (Kleene), in one pass over the terms.
#include "proto/assert.h"
#include "proto/requirement.h"

// An operand with its blame: the first comparison that keeps it from being YES, and the first
// that keeps it from being NO, which is what counts under `not`. EVALUATION_NO_TERM exactly where
// it is YES, or NO.
struct outcome {
    enum match match;
    uint32_t against_yes_index;
    uint32_t against_no_index;
};

static enum match
yes_if (bool condition)
{
    return condition ? MATCH_YES : MATCH_NO;
}

// NO and YES change places, UNKNOWN stays.
static enum match
opposite (enum match match)
{
    return (enum match) (MATCH_NO + MATCH_YES - match);
}

static enum match
order_match (enum term_op op, int64_t a, int64_t b)
{
    if (op == TERM_LESS) return yes_if (a < b);
    if (op == TERM_LESS_OR_EQUAL) return yes_if (a <= b);
    if (op == TERM_GREATER) return yes_if (a > b);
    ASSERT (op == TERM_GREATER_OR_EQUAL);
    return yes_if (a >= b);
}

// The type that an attribute must have to be compared at all.
static enum attribute_type
wanted_type (const struct requirement_term *term)
{
    if (term->op == TERM_CONTAINS) return ATTRIBUTE_SET;
    if (term->op != TERM_IN) return term->value.type;
    return term->value.type == ATTRIBUTE_SET ? ATTRIBUTE_TEXT : ATTRIBUTE_INTEGER;
}

static enum match
value_match (const struct requirement_term *term, const struct attribute_value *value)
{
    switch (term->op) {
    case TERM_EQUAL: return yes_if (value_equal (value, &term->value));
    case TERM_NOT_EQUAL: return yes_if (!value_equal (value, &term->value));
    case TERM_LESS:
    case TERM_LESS_OR_EQUAL:
    case TERM_GREATER:
    case TERM_GREATER_OR_EQUAL:
        return order_match (term->op, value->integer, term->value.integer);
    case TERM_IN: return yes_if (value_list_has (&term->value, value));
    case TERM_CONTAINS: return yes_if (value_list_has (value, &term->value));
    case TERM_EXISTS: return MATCH_YES;
    case TERM_NOT:
    case TERM_AND:
    case TERM_OR: break;
    }
    ASSERT (term_is_comparison (term->op));
    return MATCH_UNKNOWN;
}

// A missing attribute, or one of another type, is unknown, never "matches by default" (req 3.9).
// Only `exists` has an answer for it.
static enum match
comparison_match (const struct requirement_term *term, const struct attribute *attribute)
{
    if (!attribute) return term->op == TERM_EXISTS ? MATCH_NO : MATCH_UNKNOWN;
    if (term->op != TERM_EXISTS && attribute->value.type != wanted_type (term)) {
        return MATCH_UNKNOWN;
    }
    return value_match (term, &attribute->value);
}

static struct outcome
comparison_outcome (const struct requirement_term *term, uint32_t index,
                    const struct attribute *attribute)
{
    const enum match match = comparison_match (term, attribute);
    return (struct outcome) {
        .match = match,
        .against_yes_index = match == MATCH_YES ? EVALUATION_NO_TERM : index,
        .against_no_index = match == MATCH_NO ? EVALUATION_NO_TERM : index,
    };
}

static struct outcome
negated (struct outcome a)
{
    return (struct outcome) { opposite (a.match), a.against_no_index, a.against_yes_index };
}

static uint32_t
first_of (uint32_t a_index, uint32_t b_index)
{
    return a_index != EVALUATION_NO_TERM ? a_index : b_index;
}

// AND is the lower of its operands. It becomes YES once both are, and NO once either is.
static struct outcome
both (struct outcome a, struct outcome b)
{
    const enum match match = a.match < b.match ? a.match : b.match;
    return (struct outcome) {
        .match = match,
        .against_yes_index = first_of (a.against_yes_index, b.against_yes_index),
        .against_no_index = match == MATCH_NO ? EVALUATION_NO_TERM : a.against_no_index,
    };
}

// OR by De Morgan, so that blame follows the same rule.
static struct outcome
either (struct outcome a, struct outcome b)
{
    return negated (both (negated (a), negated (b)));
}

struct outcomes {
    struct outcome items[LIMIT_TERM_DEPTH_MAX];
    uint32_t count;
};

static void
outcome_push (struct outcomes *outcomes, struct outcome outcome)
{
    ASSERT (outcomes->count < LIMIT_TERM_DEPTH_MAX);
    outcomes->items[outcomes->count++] = outcome;
}

static struct outcome
outcome_pop (struct outcomes *outcomes)
{
    ASSERT (outcomes->count > 0);
    return outcomes->items[--outcomes->count];
}

static void
operator_apply (struct outcomes *outcomes, enum term_op op)
{
    const struct outcome last = outcome_pop (outcomes);
    if (op == TERM_NOT) {
        outcome_push (outcomes, negated (last));
        return;
    }
    const struct outcome first = outcome_pop (outcomes);
    outcome_push (outcomes, op == TERM_AND ? both (first, last) : either (first, last));
}

static struct outcome
terms_outcome (const struct requirement *requirement, const struct attributes *implied,
               const struct attributes *attributes)
{
    struct outcomes outcomes = { .count = 0 };
    for (uint32_t i = 0; i < requirement->count; i++) {
        const struct requirement_term *term = &requirement->terms[i];
        if (!term_is_comparison (term->op)) {
            operator_apply (&outcomes, term->op);
            continue;
        }
        const struct attribute *found = implied ? attributes_find (implied, term->key) : NULL;
        if (!found) {
            found = attributes_find (attributes, term->key);
        }
        outcome_push (&outcomes, comparison_outcome (term, i, found));
    }
    const struct outcome result = outcome_pop (&outcomes);
    ASSERT (outcomes.count == 0);
    return result;
}

static uint32_t
comparisons_before (const struct requirement *requirement, uint32_t end_index)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < requirement->count && i < end_index; i++) {
        count += term_is_comparison (requirement->terms[i].op);
    }
    return count;
}

enum match
requirement_evaluate (const struct requirement *requirement, const struct attributes *implied,
                      const struct attributes *attributes, struct evaluation *evaluation)
{
    *evaluation = (struct evaluation) { MATCH_YES, EVALUATION_NO_TERM, 0 };
    if (requirement->count == 0) return MATCH_YES;
    const struct outcome outcome = terms_outcome (requirement, implied, attributes);
    ASSERT ((outcome.match == MATCH_YES) == (outcome.against_yes_index == EVALUATION_NO_TERM));
    evaluation->match = outcome.match;
    evaluation->failed_index = outcome.against_yes_index;
    evaluation->passed_count = comparisons_before (requirement, outcome.against_yes_index);
    return outcome.match;
}
