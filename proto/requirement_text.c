// SPDX-License-Identifier: MPL-2.0
// Parsing by operator precedence: comparisons go to the terms at once, operators wait in a stack
// of their own until one that binds less, or a parenthesis, follows.
#include "proto/requirement_text.h"

#include "proto/assert.h"

// An operator or an open parenthesis that waits.
struct pending {
    enum { PENDING_PARENTHESIS = 1, PENDING_OPERATOR = 2 } kind;
    enum term_op op;
    size_t position_bytes;
};

// Parentheses nest as deep as terms may; operators that wait become terms.
#define PENDING_MAX_COUNT (LIMIT_TERMS_MAX_COUNT + LIMIT_TERM_DEPTH_MAX)

struct parser {
    struct scanner scanner;
    struct pack pack;
    struct requirement_term *terms;
    uint32_t terms_count;
    size_t positions_bytes[LIMIT_TERMS_MAX_COUNT]; // where each term stands in the text
    struct pending pending[PENDING_MAX_COUNT];
    uint32_t pending_count;
    uint32_t parentheses_count;
};

static bool
fail_here (struct parser *parser, const char *sentence)
{
    return scanner_fail (&parser->scanner, parser->scanner.position_bytes, sentence);
}

// Each operator that waits will need a term's place, so it is counted from the start.
static bool
has_term_left (struct parser *parser, size_t position_bytes)
{
    const uint32_t waiting_count = parser->pending_count - parser->parentheses_count;
    if (parser->terms_count + waiting_count < LIMIT_TERMS_MAX_COUNT) return true;
    return scanner_fail (&parser->scanner, position_bytes,
                         "more than 64 terms (comparisons, and, or, not)");
}

static void
term_add (struct parser *parser, const struct requirement_term *term, size_t position_bytes)
{
    ASSERT (parser->terms_count < LIMIT_TERMS_MAX_COUNT);
    parser->terms[parser->terms_count] = *term;
    parser->positions_bytes[parser->terms_count] = position_bytes;
    parser->terms_count++;
}

static void
pending_push (struct parser *parser, struct pending pending)
{
    ASSERT (parser->pending_count < PENDING_MAX_COUNT);
    parser->pending[parser->pending_count++] = pending;
}

static bool
operator_push (struct parser *parser, enum term_op op, size_t position_bytes)
{
    if (!has_term_left (parser, position_bytes)) return false;
    pending_push (parser, (struct pending) { PENDING_OPERATOR, op, position_bytes });
    return true;
}

static bool
parenthesis_open (struct parser *parser, size_t position_bytes)
{
    if (parser->parentheses_count == LIMIT_TERM_DEPTH_MAX) {
        return scanner_fail (&parser->scanner, position_bytes, "nested deeper than 16");
    }
    parser->parentheses_count++;
    pending_push (parser, (struct pending) { PENDING_PARENTHESIS, 0, position_bytes });
    return true;
}

// TERM_NOT to TERM_OR are numbered from the one that binds closest.
static bool
binds_before (enum term_op waiting, enum term_op next)
{
    return waiting <= next;
}

// operators_release moves waiting operators to the terms, back to a parenthesis, as long as they
// bind before [next].
static void
operators_release (struct parser *parser, enum term_op next)
{
    while (parser->pending_count > 0) {
        const struct pending *last = &parser->pending[parser->pending_count - 1];
        if (last->kind == PENDING_PARENTHESIS || !binds_before (last->op, next)) return;
        const struct requirement_term term = { .op = last->op };
        parser->pending_count--;
        term_add (parser, &term, last->position_bytes);
    }
}

static bool
parenthesis_close (struct parser *parser, size_t position_bytes)
{
    operators_release (parser, TERM_OR);
    if (parser->pending_count == 0) {
        return scanner_fail (&parser->scanner, position_bytes, "a ')' has no '(' before");
    }
    parser->pending_count--;
    parser->parentheses_count--;
    return true;
}

// key_keep copies a key, so that a requirement does not need its text.
static bool
key_keep (struct parser *parser, struct baton_bytes word, size_t position_bytes,
          struct requirement_term *term)
{
    const char *complaint = attribute_key_check (word);
    if (complaint) return scanner_fail (&parser->scanner, position_bytes, complaint);
    const size_t start_bytes = parser->pack.used_bytes;
    pack_bytes (&parser->pack, word);
    if (!pack_fits (&parser->pack)) return scanner_full (&parser->scanner, position_bytes);
    term->key = pack_since (&parser->pack, start_bytes);
    return true;
}

static bool
parse_key (struct parser *parser, struct requirement_term *term)
{
    scanner_skip_blanks (&parser->scanner);
    const size_t start_bytes = parser->scanner.position_bytes;
    const struct baton_bytes word = scanner_word (&parser->scanner);
    if (word.size == 0) return fail_here (parser, "expected an attribute's key");
    return key_keep (parser, word, start_bytes, term);
}

// "avx" in features
static bool
parse_contains (struct parser *parser, struct requirement_term *term)
{
    term->op = TERM_CONTAINS;
    if (!scanner_value (&parser->scanner, "expected a text", &term->value)) return false;
    scanner_skip_blanks (&parser->scanner);
    const size_t start_bytes = parser->scanner.position_bytes;
    if (!word_is (scanner_word (&parser->scanner), "in")) {
        return scanner_fail (&parser->scanner, start_bytes,
                             "expected 'in' after a text (or the key first)");
    }
    return parse_key (parser, term);
}

struct symbol {
    const char *string;
    enum term_op op;
    const char *missing;
};

// A symbol stands before those that begin like it.
static const struct symbol symbols[] = {
    { "!=", TERM_NOT_EQUAL, "expected a value after '!='" },
    { "<=", TERM_LESS_OR_EQUAL, "expected a value after '<='" },
    { ">=", TERM_GREATER_OR_EQUAL, "expected a value after '>='" },
    { "=", TERM_EQUAL, "expected a value after '='" },
    { "<", TERM_LESS, "expected a value after '<'" },
    { ">", TERM_GREATER, "expected a value after '>'" },
};

// parse_comparator takes a symbol or `in`; NULL with the fault noted if there is neither.
static const struct symbol *
parse_comparator (struct parser *parser)
{
    static const struct symbol in = { "in", TERM_IN, "expected a list in braces after 'in'" };
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        if (scanner_take (&parser->scanner, symbols[i].string)) return &symbols[i];
    }
    const size_t start_bytes = parser->scanner.position_bytes;
    if (word_is (scanner_word (&parser->scanner), "in")) return &in;
    (void) scanner_fail (&parser->scanner, start_bytes,
                         "expected = != < <= > >= or 'in' after a key");
    return NULL;
}

static bool
parse_compared (struct parser *parser, struct requirement_term *term)
{
    scanner_skip_blanks (&parser->scanner);
    const struct symbol *symbol = parse_comparator (parser);
    if (!symbol) return false;
    term->op = symbol->op;
    scanner_skip_blanks (&parser->scanner);
    return scanner_value (&parser->scanner, symbol->missing, &term->value);
}

static bool
comparison_add (struct parser *parser, const struct requirement_term *term, size_t position_bytes)
{
    if (!has_term_left (parser, position_bytes)) return false;
    term_add (parser, term, position_bytes);
    return true;
}

// What comes where an operand is expected: more to expect, an operand, or a fault.
enum step { STEP_FAULT = 1, STEP_OPERAND = 2, STEP_OPERATOR = 3, STEP_END = 4 };

static enum step
step_if (bool good, enum step next)
{
    return good ? next : STEP_FAULT;
}

static enum step
parse_quoted_operand (struct parser *parser, size_t start_bytes)
{
    struct requirement_term term = { .op = 0 };
    if (!parse_contains (parser, &term)) return STEP_FAULT;
    return step_if (comparison_add (parser, &term, start_bytes), STEP_OPERATOR);
}

static bool
parse_comparison (struct parser *parser, struct baton_bytes word, size_t start_bytes,
                  struct requirement_term *term)
{
    if (word_is (word, "exists")) {
        term->op = TERM_EXISTS;
        return parse_key (parser, term);
    }
    return key_keep (parser, word, start_bytes, term) && parse_compared (parser, term);
}

// A word begins `not`, `exists` or a comparison.
static enum step
parse_word_operand (struct parser *parser, size_t start_bytes)
{
    struct requirement_term term = { .op = 0 };
    const struct baton_bytes word = scanner_word (&parser->scanner);
    if (word.size == 0) {
        (void) fail_here (parser, "expected a comparison, such as cores >= 8");
        return STEP_FAULT;
    }
    if (word_is (word, "not")) {
        return step_if (operator_push (parser, TERM_NOT, start_bytes), STEP_OPERAND);
    }
    if (!parse_comparison (parser, word, start_bytes, &term)) return STEP_FAULT;
    return step_if (comparison_add (parser, &term, start_bytes), STEP_OPERATOR);
}

static enum step
parse_operand (struct parser *parser)
{
    scanner_skip_blanks (&parser->scanner);
    const size_t start_bytes = parser->scanner.position_bytes;
    if (scanner_take (&parser->scanner, "(")) {
        return step_if (parenthesis_open (parser, start_bytes), STEP_OPERAND);
    }
    return scanner_peek (&parser->scanner) == '"' ? parse_quoted_operand (parser, start_bytes)
                                                  : parse_word_operand (parser, start_bytes);
}

static enum step
parse_operator (struct parser *parser)
{
    scanner_skip_blanks (&parser->scanner);
    const size_t start_bytes = parser->scanner.position_bytes;
    if (scanner_peek (&parser->scanner) < 0) return STEP_END;
    if (scanner_take (&parser->scanner, ")")) {
        return step_if (parenthesis_close (parser, start_bytes), STEP_OPERATOR);
    }
    const struct baton_bytes word = scanner_word (&parser->scanner);
    const enum term_op op = word_is (word, "and") ? TERM_AND : word_is (word, "or") ? TERM_OR : 0;
    if (op == 0) {
        (void) scanner_fail (&parser->scanner, start_bytes, "expected 'and', 'or' or the end");
        return STEP_FAULT;
    }
    operators_release (parser, op);
    return step_if (operator_push (parser, op, start_bytes), STEP_OPERAND);
}

static bool
parse_end (struct parser *parser)
{
    operators_release (parser, TERM_OR);
    if (parser->pending_count > 0) {
        return scanner_fail (&parser->scanner,
                             parser->pending[parser->pending_count - 1].position_bytes,
                             "a '(' is never closed");
    }
    const struct requirement read = { parser->terms, parser->terms_count };
    uint32_t term_index;
    const char *complaint = requirement_check (&read, &term_index);
    if (!complaint) return true;
    const size_t position_bytes = term_index < parser->terms_count
        ? parser->positions_bytes[term_index] : parser->scanner.text.size;
    return scanner_fail (&parser->scanner, position_bytes, complaint);
}

static bool
parse_terms (struct parser *parser)
{
    scanner_skip_blanks (&parser->scanner);
    if (scanner_peek (&parser->scanner) < 0) return true;
    enum step step = STEP_OPERAND;
    while (step == STEP_OPERAND || step == STEP_OPERATOR) {
        step = step == STEP_OPERAND ? parse_operand (parser) : parse_operator (parser);
    }
    return step == STEP_END && parse_end (parser);
}

enum baton_err
requirement_parse (struct baton_bytes text, struct requirement_room *room,
                   struct requirement *requirement, struct text_fault *fault)
{
    struct parser parser = { .terms = room->terms };
    pack_init (&parser.pack, room->data, sizeof room->data);
    scanner_init (&parser.scanner, text, &parser.pack);
    const bool good = parse_terms (&parser);
    ASSERT (good == (parser.scanner.error == BATON_OK));
    *fault = parser.scanner.fault;
    *requirement = (struct requirement) { room->terms, good ? parser.terms_count : 0 };
    return parser.scanner.error;
}
