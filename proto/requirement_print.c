// SPDX-License-Identifier: MPL-2.0
// Printing of proto/requirement_text.h: the postfix terms in the order that people read, with as
// few parentheses as parse back to the same terms. A stack instead of recursion.
#include "proto/assert.h"
#include "proto/requirement_text.h"

// A term with all that it is made of, or a string, that waits to be printed.
struct part {
    const char *string; // NULL: the term at [term_index]
    uint32_t term_index;
};

// An operator leaves three parts beyond itself, so this is enough for as many as there can be.
#define PARTS_MAX_COUNT (4u * LIMIT_TERMS_MAX_COUNT)

struct printer {
    struct pack *pack;
    const struct requirement *requirement;
    uint32_t first_indexes[LIMIT_TERMS_MAX_COUNT]; // where the operands of each term begin
    struct part parts[PARTS_MAX_COUNT];
    uint32_t parts_count;
};

static const char *
symbol_of (enum term_op op)
{
    switch (op) {
    case TERM_EQUAL: return " = ";
    case TERM_NOT_EQUAL: return " != ";
    case TERM_LESS: return " < ";
    case TERM_LESS_OR_EQUAL: return " <= ";
    case TERM_GREATER: return " > ";
    case TERM_GREATER_OR_EQUAL: return " >= ";
    case TERM_IN:
    case TERM_CONTAINS: return " in ";
    case TERM_EXISTS: return "exists ";
    case TERM_NOT: return "not ";
    case TERM_AND: return " and ";
    case TERM_OR: return " or ";
    }
    return " ? ";
}

void
requirement_term_print (struct pack *pack, const struct requirement_term *term)
{
    ASSERT (term_is_comparison (term->op));
    if (term->op == TERM_CONTAINS) {
        literal_print (pack, &term->value);
        literal_put (pack, symbol_of (term->op));
        pack_bytes (pack, term->key);
    } else if (term->op == TERM_EXISTS) {
        literal_put (pack, symbol_of (term->op));
        pack_bytes (pack, term->key);
    } else {
        pack_bytes (pack, term->key);
        literal_put (pack, symbol_of (term->op));
        literal_print (pack, &term->value);
    }
}

// Operands stand before their operator, so the left one ends where the right one begins.
static uint32_t
left_index (const struct printer *printer, uint32_t operator_index)
{
    ASSERT (operator_index > 0);
    const uint32_t right_first_index = printer->first_indexes[operator_index - 1];
    ASSERT (right_first_index > 0);
    return right_first_index - 1;
}

static void
first_indexes_find (struct printer *printer)
{
    for (uint32_t i = 0; i < printer->requirement->count; i++) {
        const enum term_op op = printer->requirement->terms[i].op;
        if (term_is_comparison (op)) {
            printer->first_indexes[i] = i;
        } else if (op == TERM_NOT) {
            ASSERT (i > 0);
            printer->first_indexes[i] = printer->first_indexes[i - 1];
        } else {
            printer->first_indexes[i] = printer->first_indexes[left_index (printer, i)];
        }
    }
}

static void
part_push (struct printer *printer, const char *string, uint32_t term_index)
{
    ASSERT (printer->parts_count < PARTS_MAX_COUNT);
    printer->parts[printer->parts_count++] = (struct part) { string, term_index };
}

// operand_push makes an operand wait, in parentheses if [wrapped].
static void
operand_push (struct printer *printer, uint32_t term_index, bool wrapped)
{
    if (wrapped) {
        part_push (printer, ")", 0);
    }
    part_push (printer, NULL, term_index);
    if (wrapped) {
        part_push (printer, "(", 0);
    }
}

// An operator inside another needs parentheses if it binds less; on the right, where a chain
// would be read as starting on the left, also if it binds the same.
static void
operator_expand (struct printer *printer, uint32_t index)
{
    const struct requirement_term *terms = printer->requirement->terms;
    const enum term_op op = terms[index].op;
    const enum term_op right_op = terms[index - 1].op;
    if (op == TERM_NOT) {
        operand_push (printer, index - 1, right_op == TERM_AND || right_op == TERM_OR);
        part_push (printer, symbol_of (op), 0);
        return;
    }
    const uint32_t left = left_index (printer, index);
    const bool op_is_and = op == TERM_AND;
    operand_push (printer, index - 1, right_op == op || (op_is_and && right_op == TERM_OR));
    part_push (printer, symbol_of (op), 0);
    operand_push (printer, left, op_is_and && terms[left].op == TERM_OR);
}

static void
part_print (struct printer *printer, const struct part *part)
{
    const struct requirement_term *term = &printer->requirement->terms[part->term_index];
    if (part->string) {
        literal_put (printer->pack, part->string);
    } else if (term_is_comparison (term->op)) {
        requirement_term_print (printer->pack, term);
    } else {
        operator_expand (printer, part->term_index);
    }
}

static void
terms_print (struct pack *pack, const struct requirement *requirement)
{
    struct printer printer = { .pack = pack, .requirement = requirement };
    first_indexes_find (&printer);
    part_push (&printer, NULL, requirement->count - 1);
    while (printer.parts_count > 0) {
        const struct part part = printer.parts[--printer.parts_count];
        part_print (&printer, &part);
    }
}

enum baton_err
requirement_print (const struct requirement *requirement, char *data, size_t max_bytes,
                   size_t *size_bytes)
{
    ASSERT (requirement->count <= LIMIT_TERMS_MAX_COUNT);
    struct pack pack;
    pack_init (&pack, data, max_bytes);
    if (requirement->count > 0) {
        terms_print (&pack, requirement);
    }
    *size_bytes = pack.used_bytes;
    pack_u8 (&pack, 0);
    return pack_fits (&pack) ? BATON_OK : BATON_TOO_LARGE;
}
