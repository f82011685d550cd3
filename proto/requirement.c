// SPDX-License-Identifier: MPL-2.0
#include "proto/requirement.h"

#include "proto/assert.h"

_Static_assert (LIMIT_TERMS_MAX_COUNT == 64u, "a sentence below names the limit");
_Static_assert (LIMIT_TERM_DEPTH_MAX == 16u, "a sentence below names the limit");
_Static_assert (LIMIT_REQUIREMENT_MAX_BYTES == 8192u, "a sentence below names the limit");

bool
term_is_comparison (enum term_op op)
{
    return op != TERM_NOT && op != TERM_AND && op != TERM_OR;
}

static const char *
equality_check (const struct attribute_value *value)
{
    if (value->type == ATTRIBUTE_SET || value->type == ATTRIBUTE_INTEGERS) {
        return "a list is compared with 'in' only";
    }
    return NULL;
}

static const char *
list_check (const struct attribute_value *value)
{
    if (value->type != ATTRIBUTE_SET && value->type != ATTRIBUTE_INTEGERS) {
        return "'in' needs a list in braces";
    }
    return value->members_count > 0 ? NULL : "a list after 'in' cannot be empty";
}

// The types that each comparison allows (req 3.11): texts have no order.
static const char *
type_check (const struct requirement_term *term)
{
    switch (term->op) {
    case TERM_EQUAL:
    case TERM_NOT_EQUAL: return equality_check (&term->value);
    case TERM_LESS:
    case TERM_LESS_OR_EQUAL:
    case TERM_GREATER:
    case TERM_GREATER_OR_EQUAL:
        return term->value.type == ATTRIBUTE_INTEGER ? NULL : "only integers have an order";
    case TERM_IN: return list_check (&term->value);
    case TERM_CONTAINS:
        return term->value.type == ATTRIBUTE_TEXT ? NULL : "a set contains texts only";
    case TERM_EXISTS:
    case TERM_NOT:
    case TERM_AND:
    case TERM_OR: break;
    }
    return term->value.type == 0 ? NULL : "this term has no value";
}

static const char *
term_check (const struct requirement_term *term)
{
    if (term->op < TERM_EQUAL || term->op > TERM_OR) return "a term has an unknown operator";
    if (!term_is_comparison (term->op)) {
        return term->key.size > 0 ? "an operator has no key" : type_check (term);
    }
    const char *complaint = attribute_key_check (term->key);
    if (complaint) return complaint;
    complaint = type_check (term);
    if (complaint || term->op == TERM_EXISTS) return complaint;
    return value_check (&term->value);
}

// One operand that waits for its operator.
struct operand {
    enum term_op op;
    uint32_t depth;
};

// No operand that is left waiting can end in less depth than the number that wait, so the stack
// needs no more than LIMIT_TERM_DEPTH_MAX places.
struct operands {
    struct operand items[LIMIT_TERM_DEPTH_MAX];
    uint32_t count;
};

// A chain of one operator nests to the right only, as it is written without parentheses.
static uint32_t
joined_depth (enum term_op op, const struct operand *left, const struct operand *right)
{
    const uint32_t left_depth = left->op == op ? left->depth : left->depth + 1;
    return left_depth > right->depth + 1 ? left_depth : right->depth + 1;
}

static const char *
operands_take (struct operands *operands, enum term_op op)
{
    const uint32_t needed_count = term_is_comparison (op) ? 0 : op == TERM_NOT ? 1 : 2;
    if (operands->count < needed_count) return "an operator lacks an operand";
    struct operand result = { op, 1 };
    if (needed_count == 1) {
        result.depth = operands->items[operands->count - 1].depth + 1;
    }
    if (needed_count == 2) {
        result.depth = joined_depth (op, &operands->items[operands->count - 2],
                                     &operands->items[operands->count - 1]);
    }
    operands->count -= needed_count;
    if (result.depth > LIMIT_TERM_DEPTH_MAX || operands->count == LIMIT_TERM_DEPTH_MAX) {
        return "nested deeper than 16";
    }
    operands->items[operands->count++] = result;
    return NULL;
}

static const char *
terms_check (const struct requirement *requirement, uint32_t *term_index)
{
    struct operands operands = { .count = 0 };
    for (uint32_t i = 0; i < requirement->count; i++) {
        *term_index = i;
        const char *complaint = term_check (&requirement->terms[i]);
        if (complaint) return complaint;
        complaint = operands_take (&operands, requirement->terms[i].op);
        if (complaint) return complaint;
    }
    *term_index = requirement->count;
    if (requirement->count > 0 && operands.count != 1) return "terms are not joined to one";
    return NULL;
}

const char *
requirement_check (const struct requirement *requirement, uint32_t *term_index)
{
    *term_index = requirement->count;
    if (requirement->count > LIMIT_TERMS_MAX_COUNT) {
        return "more than 64 terms (comparisons, and, or, not)";
    }
    const char *complaint = terms_check (requirement, term_index);
    if (complaint) return complaint;
    size_t size_bytes;
    (void) requirement_encode (requirement, NULL, 0, &size_bytes);
    return size_bytes > LIMIT_REQUIREMENT_MAX_BYTES
        ? "the requirement has over 8192 bytes in all" : NULL;
}

static void
term_pack (struct pack *pack, const struct requirement_term *term)
{
    pack_u8 (pack, (uint8_t) term->op);
    if (!term_is_comparison (term->op)) return;
    ASSERT (term->key.size <= LIMIT_NAME_MAX_BYTES);
    pack_u8 (pack, (uint8_t) term->key.size);
    pack_bytes (pack, term->key);
    if (term->op != TERM_EXISTS) {
        value_pack (pack, &term->value);
    }
}

enum baton_err
requirement_encode (const struct requirement *requirement, void *data, size_t max_bytes,
                    size_t *size_bytes)
{
    ASSERT (requirement->count <= LIMIT_TERMS_MAX_COUNT);
    struct pack pack;
    pack_init (&pack, data, max_bytes);
    if (requirement->count > 0) {
        pack_u8 (&pack, (uint8_t) requirement->count);
    }
    for (uint32_t i = 0; i < requirement->count; i++) {
        term_pack (&pack, &requirement->terms[i]);
    }
    *size_bytes = pack.used_bytes;
    return pack_fits (&pack) ? BATON_OK : BATON_TOO_LARGE;
}

static bool
term_unpack (struct unpack *unpack, struct requirement_term *term)
{
    uint8_t op;
    uint8_t key_size;
    if (!unpack_u8 (unpack, &op)) return false;
    *term = (struct requirement_term) { .op = (enum term_op) op };
    if (!term_is_comparison (term->op)) return true;
    if (!unpack_u8 (unpack, &key_size)) return false;
    if (!unpack_bytes (unpack, key_size, &term->key)) return false;
    return term->op == TERM_EXISTS || value_unpack (unpack, &term->value);
}

static bool
terms_unpack (struct unpack *unpack, struct requirement_term *terms, uint8_t count)
{
    if (count == 0 || count > LIMIT_TERMS_MAX_COUNT) return false;
    for (uint8_t i = 0; i < count; i++) {
        if (!term_unpack (unpack, &terms[i])) return false;
    }
    return unpack->size_bytes == 0;
}

enum baton_err
requirement_view (struct baton_bytes stored, struct requirement_term terms[LIMIT_TERMS_MAX_COUNT],
                  struct requirement *requirement)
{
    *requirement = (struct requirement) { terms, 0 };
    if (stored.size == 0) return BATON_OK;
    if (stored.size > LIMIT_REQUIREMENT_MAX_BYTES) return BATON_DAMAGED;
    struct unpack unpack;
    unpack_init (&unpack, stored);
    uint8_t count;
    uint32_t term_index;
    if (!unpack_u8 (&unpack, &count)) return BATON_DAMAGED;
    if (!terms_unpack (&unpack, terms, count)) return BATON_DAMAGED;
    const struct requirement read = { terms, count };
    if (requirement_check (&read, &term_index)) return BATON_DAMAGED;
    *requirement = read;
    return BATON_OK;
}
