// SPDX-License-Identifier: MPL-2.0
// Goal: language, match and choice are what a naive reading of the rules says (req 3.9 to 3.14).
// Method: 1 000 random requirements, each against a random population; a tree is grown together
// with its text, and everything but the tree goes the whole way, command line to stored bytes.
// The oracle knows nothing of ours but that text (seed: BATON_SEED).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/core/match.h"
#include "proto/requirement_text.h"

#define COUNT_OF(array) (sizeof (array) / sizeof (array)[0])

static struct baton_bytes
bytes_of (const char *string)
{
    return (struct baton_bytes) { string, strlen (string) };
}

static uint64_t
draw (uint64_t *seed)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t
seed_of_test (void)
{
    const char *given = getenv ("BATON_SEED");
    const uint64_t seed = given ? strtoull (given, NULL, 10) : 20240612;
    print_message ("BATON_SEED=%llu\n", (unsigned long long) seed);
    return seed;
}

// What a server has under a key.
enum fact_kind { FACT_NONE, FACT_WORD, FACT_NUMBER, FACT_TRUTH, FACT_BAG };
struct fact { enum fact_kind kind; int number; }; // WORD: which word; BAG: a bit for each word

static const char *const words[] = { "eu", "us", "a \"b\"", "" };
static const char *const word_literals[] = { "\"eu\"", "\"us\"", "\"a \\\"b\\\"\"", "\"\"" };
static const char *const keys[] = { "algo", "cores", "gpu", "tags", "region", "set", "name" };
enum { OWN_KEYS = 5, KEY_SET = 5, KEY_NAME = 6, SERVERS_MAX = 24 };

struct server {
    char name[16];
    struct fact facts[OWN_KEYS];
    const char *set;
    int load_of_12; // outstanding work by capacity, in twelfths
    struct candidate candidate;
    uint8_t stored[LIMIT_OFFER_MAX_BYTES];
    size_t stored_bytes;
};

enum node_kind { NODE_TEST, NODE_NOT, NODE_AND, NODE_OR };
// A test asks [holds] of what is under [key].
struct node {
    enum node_kind kind;
    struct node *left, *right;
    int key;
    int (*holds) (const struct server *, const struct node *);
    int number;   // what is compared with; lists: a bit for each word or number
    char sign;    // = ! < { > } for = != < <= > >=
    int position; // among the tests, as written
};

struct grove {
    struct node nodes[64];
    int nodes_count, tests_count;
    char text[8192];
    uint64_t *seed;
};

static void
write_text (struct grove *grove, const char *text)
{
    memcpy (grove->text + strlen (grove->text), text, strlen (text) + 1);
}

static const char *
one_of (struct grove *grove, const char *a, const char *b)
{
    return draw (grove->seed) % 2 ? a : b;
}

// The oracle's three values are -1, 0 and 1.
static int
truth (int condition)
{
    return condition ? 1 : -1;
}

static const char *
implied_word (const struct server *server, int key)
{
    return key == KEY_NAME ? server->name : *server->set ? server->set : "default";
}

static int
holds_exists (const struct server *server, const struct node *node)
{
    return truth (node->key >= OWN_KEYS || server->facts[node->key].kind != FACT_NONE);
}

static int
holds_word (const struct server *server, const struct node *node)
{
    int same;
    if (node->key >= OWN_KEYS) {
        same = strcmp (implied_word (server, node->key), words[node->number]) == 0;
    } else if (server->facts[node->key].kind == FACT_WORD) {
        same = server->facts[node->key].number == node->number;
    } else {
        return 0;
    }
    return truth (same == (node->sign == '='));
}

static int
holds_number (const struct server *server, const struct node *node)
{
    if (node->key >= OWN_KEYS || server->facts[node->key].kind != FACT_NUMBER) return 0;
    const int have = server->facts[node->key].number;
    switch (node->sign) {
    case '=': return truth (have == node->number);
    case '!': return truth (have != node->number);
    case '<': return truth (have < node->number);
    case '{': return truth (have <= node->number);
    case '>': return truth (have > node->number);
    default: return truth (have >= node->number);
    }
}

static int
holds_truth (const struct server *server, const struct node *node)
{
    if (node->key >= OWN_KEYS || server->facts[node->key].kind != FACT_TRUTH) return 0;
    return truth ((server->facts[node->key].number == node->number) == (node->sign == '='));
}

static int
holds_bag (const struct server *server, const struct node *node)
{
    if (node->key >= OWN_KEYS || server->facts[node->key].kind != FACT_BAG) return 0;
    return truth (server->facts[node->key].number >> node->number & 1);
}

static int
holds_word_list (const struct server *server, const struct node *node)
{
    for (int i = 0; i < 4; i++) {
        struct node one = *node;
        one.sign = '=';
        one.number = i;
        const int held = holds_word (server, &one);
        if (held == 0) return 0;
        if (held > 0) return truth (node->number >> i & 1);
    }
    return -1;
}

static int
holds_number_list (const struct server *server, const struct node *node)
{
    if (node->key >= OWN_KEYS || server->facts[node->key].kind != FACT_NUMBER) return 0;
    const int have = server->facts[node->key].number;
    return truth (have >= 0 && have < 4 && (node->number >> have & 1));
}

static const char *
sign_text (char sign)
{
    switch (sign) {
    case '=': return "=";
    case '!': return "!=";
    case '<': return "<";
    case '{': return "<=";
    case '>': return ">";
    default: return ">=";
    }
}

static void
write_list (struct grove *grove, const struct node *node)
{
    const char *before = "{";
    for (int i = 0; i < 4; i++) {
        if (!(node->number >> i & 1)) continue;
        char number[4] = { (char) ('0' + i), '\0' };
        write_text (grove, before);
        write_text (grove, node->holds == holds_word_list ? word_literals[i] : number);
        before = ", ";
    }
    write_text (grove, "}");
}

static void
write_compared (struct grove *grove, const struct node *node)
{
    char number[16];
    (void) snprintf (number, sizeof number, "%d", node->number);
    write_text (grove, keys[node->key]);
    write_text (grove, one_of (grove, "", " "));
    write_text (grove, sign_text (node->sign));
    write_text (grove, one_of (grove, "", " "));
    write_text (grove, node->holds == holds_word ? word_literals[node->number]
                       : node->holds == holds_number ? number
                       : node->number ? "true" : "false");
}

static void
write_test (struct grove *grove, const struct node *node)
{
    if (node->holds == holds_exists) {
        write_text (grove, one_of (grove, "exists ", "Exists\t"));
        write_text (grove, keys[node->key]);
    } else if (node->holds == holds_bag) {
        write_text (grove, word_literals[node->number]);
        write_text (grove, one_of (grove, " in ", "\nIN "));
        write_text (grove, keys[node->key]);
    } else if (node->holds == holds_word_list || node->holds == holds_number_list) {
        write_text (grove, keys[node->key]);
        write_text (grove, one_of (grove, " in ", " in"));
        write_list (grove, node);
    } else {
        write_compared (grove, node);
    }
}

static void
grow_test (struct grove *grove, struct node *node)
{
    static int (*const asks[]) (const struct server *, const struct node *)
        = { holds_exists, holds_word, holds_number, holds_truth, holds_bag, holds_word_list,
            holds_number_list };
    static const char signs[] = "=!<{>}";
    // Mostly the question that the key's usual fact can answer, else any.
    static const int usual[] = { 1, 2, 3, 4, 5, 1, 0 };
    node->kind = NODE_TEST;
    node->key = (int) (draw (grove->seed) % COUNT_OF (keys));
    const uint64_t any = draw (grove->seed) % COUNT_OF (asks);
    node->holds = asks[draw (grove->seed) % 4 ? (uint64_t) usual[node->key] : any];
    node->sign = signs[draw (grove->seed) % (node->holds == holds_number ? 6 : 2)];
    node->number = (int) (draw (grove->seed) % 4);
    if (node->holds == holds_truth) {
        node->number %= 2;
    }
    if (node->holds == holds_word_list || node->holds == holds_number_list) {
        node->number = 1 + (int) (draw (grove->seed) % 15);
    }
    node->position = grove->tests_count++;
    write_test (grove, node);
}

// How tight an operator binds; what binds less than asked for is put in parentheses.
enum { BINDS_OR, BINDS_AND, BINDS_NOT };

static struct node *
grow (struct grove *grove, int height, int tightness)
{
    struct node *node = &grove->nodes[grove->nodes_count++];
    node->kind = height == 0 ? NODE_TEST : (enum node_kind) (draw (grove->seed) % 4);
    const int binds = node->kind == NODE_OR ? BINDS_OR : node->kind == NODE_AND ? BINDS_AND
                                                                                : BINDS_NOT;
    const int wrapped = binds < tightness || draw (grove->seed) % 8 == 0;
    write_text (grove, wrapped ? "(" : "");
    if (node->kind == NODE_TEST) {
        grow_test (grove, node);
    } else if (node->kind == NODE_NOT) {
        write_text (grove, one_of (grove, "not ", "NOT "));
        node->left = grow (grove, height - 1, BINDS_NOT);
    } else {
        node->left = grow (grove, height - 1, binds);
        write_text (grove, node->kind == NODE_AND ? one_of (grove, " and ", " And ")
                                                  : one_of (grove, " or ", " oR "));
        node->right = grow (grove, height - 1, binds + 1);
    }
    write_text (grove, wrapped ? ")" : "");
    return node;
}

static int
value_of (const struct server *server, const struct node *node)
{
    if (node->kind == NODE_TEST) return node->holds (server, node);
    const int left = value_of (server, node->left);
    if (node->kind == NODE_NOT) return -left;
    const int right = value_of (server, node->right);
    if (node->kind == NODE_AND) return left < right ? left : right;
    return left > right ? left : right;
}

// The first test to blame for [node] not being [wanted], from the top down.
static int
blamed (const struct server *server, const struct node *node, int wanted)
{
    if (node->kind == NODE_TEST) return node->position;
    if (node->kind == NODE_NOT) return blamed (server, node->left, -wanted);
    if (value_of (server, node->left) != wanted) return blamed (server, node->left, wanted);
    return blamed (server, node->right, wanted);
}

static size_t
write_fact (const struct fact *fact, const char *key, char *text, size_t size)
{
    int used = 0;
    if (fact->kind == FACT_WORD) {
        used = snprintf (text, size, "%s=%s", key, word_literals[fact->number]);
    } else if (fact->kind == FACT_NUMBER) {
        used = snprintf (text, size, "%s=%d", key, fact->number);
    } else if (fact->kind == FACT_TRUTH) {
        used = snprintf (text, size, "%s=%s", key, fact->number ? "true" : "false");
    } else {
        const char *before = "";
        used = snprintf (text, size, "%s={", key);
        for (int i = 0; i < 4; i++) {
            if (!(fact->number >> i & 1)) continue;
            used += snprintf (text + used, size - (size_t) used, "%s%s", before, word_literals[i]);
            before = ",";
        }
        used += snprintf (text + used, size - (size_t) used, "}");
    }
    return (size_t) used;
}

// The facts go the whole way: command line, struct, stored bytes.
static void
store_facts (struct server *server)
{
    uint8_t data[512];
    char text[128];
    struct pack pack;
    struct attribute items[OWN_KEYS];
    struct text_fault fault;
    uint32_t count = 0;
    pack_init (&pack, data, sizeof data);
    for (int i = 0; i < OWN_KEYS; i++) {
        if (server->facts[i].kind == FACT_NONE) continue;
        const size_t size = write_fact (&server->facts[i], keys[i], text, sizeof text);
        assert_int_equal (attribute_parse_text ((struct baton_bytes) { text, size }, &pack,
                                                &items[count++], &fault), BATON_OK);
    }
    const struct attributes attributes = { items, count };
    assert_int_equal (attributes_encode (&attributes, server->stored, sizeof server->stored,
                                         &server->stored_bytes), BATON_OK);
}

static void
draw_server (uint64_t *seed, struct server *server, int which)
{
    static const enum fact_kind usual[OWN_KEYS]
        = { FACT_WORD, FACT_NUMBER, FACT_TRUTH, FACT_BAG, FACT_WORD };
    static const char *const sets[] = { "", "eu", "us", "default" };
    static const uint32_t capacities[] = { 1, 2, 3, 4, 6, 12 };
    // One server has a name that requirements ask for.
    (void) snprintf (server->name, sizeof server->name, which == 0 ? "eu" : "s%d", which);
    server->set = sets[draw (seed) % COUNT_OF (sets)];
    for (int i = 0; i < OWN_KEYS; i++) {
        const uint64_t luck = draw (seed) % 16;
        struct fact *fact = &server->facts[i];
        fact->kind = luck == 0 ? FACT_NONE : luck == 1 ? (enum fact_kind) (draw (seed) % 5)
                                                       : usual[i];
        fact->number = (int) (draw (seed) % (fact->kind == FACT_BAG ? 16 : 4));
        if (fact->kind == FACT_TRUTH) {
            fact->number %= 2;
        }
    }
    const uint32_t capacity = capacities[draw (seed) % COUNT_OF (capacities)];
    const uint64_t outstanding_count = draw (seed) % 5;
    server->load_of_12 = (int) (outstanding_count * 12 / capacity);
    server->candidate = (struct candidate) {
        bytes_of (server->name), capacity, outstanding_count, draw (seed) % 3, CANDIDATE_ACCEPTS,
    };
    store_facts (server);
}

// The requirement goes the whole way: text, terms, print, terms again, stored bytes, terms.
struct told {
    struct requirement_room room;
    struct requirement_term terms[LIMIT_TERMS_MAX_COUNT];
    struct requirement requirement;
    uint8_t stored[LIMIT_REQUIREMENT_MAX_BYTES];
};

static void
tell (struct told *told, const char *text)
{
    struct text_fault fault;
    char printed[REQUIREMENT_TEXT_MAX_BYTES];
    size_t size_bytes;
    if (requirement_parse (bytes_of (text), &told->room, &told->requirement, &fault) != BATON_OK) {
        fail_msg ("%s: %zu: %s", text, fault.position_bytes, fault.sentence);
    }
    assert_int_equal (requirement_print (&told->requirement, printed, sizeof printed, &size_bytes),
                      BATON_OK);
    assert_int_equal (requirement_parse ((struct baton_bytes) { printed, size_bytes }, &told->room,
                                         &told->requirement, &fault), BATON_OK);
    assert_int_equal (requirement_encode (&told->requirement, told->stored, sizeof told->stored,
                                          &size_bytes), BATON_OK);
    assert_int_equal (requirement_view ((struct baton_bytes) { told->stored, size_bytes },
                                        told->terms, &told->requirement), BATON_OK);
}

static int
position_of (const struct requirement *requirement, uint32_t term_index)
{
    int position = 0;
    for (uint32_t i = 0; i < term_index; i++) {
        position += term_is_comparison (requirement->terms[i].op);
    }
    return position;
}

// What is found out about one population, by ours and by the oracle.
struct verdict {
    int best;     // index of the chosen server; -1 for none
    int furthest; // where none fits: the server to tell, and the position of its first failing test
    int position;
    int fits_count;
};

static void
assert_same_match (const struct told *told, const struct grove *grove, const struct node *root,
                   const struct server *server, struct evaluation *evaluation)
{
    struct attribute items[LIMIT_ATTRIBUTES_MAX_COUNT];
    struct match_offer offer = { bytes_of (server->name), bytes_of (server->set), { NULL, 0 } };
    const struct baton_bytes stored = { server->stored, server->stored_bytes };
    assert_int_equal (attributes_view (stored, items, &offer.attributes), BATON_OK);
    const int ours = (int) match_evaluate (&told->requirement, &offer, evaluation) - MATCH_UNKNOWN;
    if (ours != value_of (server, root)) fail_msg ("%s: %s: %d", server->name, grove->text, ours);
    if (ours == 1) return;
    const int position = position_of (&told->requirement, evaluation->failed_index);
    assert_int_equal (position, blamed (server, root, 1));
    assert_int_equal (evaluation->passed_count, position);
}

static struct verdict
ours_about (const struct told *told, const struct grove *grove, const struct node *root,
            const struct server *servers, int count)
{
    struct verdict verdict = { .best = -1, .furthest = -1 };
    struct match_miss miss;
    match_miss_init (&miss);
    for (int i = 0; i < count; i++) {
        struct evaluation evaluation;
        assert_same_match (told, grove, root, &servers[i], &evaluation);
        const struct match_offer offer = { bytes_of (servers[i].name), { NULL, 0 }, { NULL, 0 } };
        if (evaluation.match != MATCH_YES) {
            match_miss_note (&miss, &offer, &evaluation);
            continue;
        }
        verdict.fits_count++;
        if (verdict.best < 0 || candidate_is_better (&servers[i].candidate,
                                                     &servers[verdict.best].candidate)) {
            verdict.best = i;
        }
    }
    for (int i = 0; miss.reason == MISS_TERM && i < count; i++) {
        if (miss.server.data == servers[i].name) {
            verdict.furthest = i;
            verdict.position = position_of (&told->requirement, miss.failed_index);
        }
    }
    return verdict;
}

static int
by_load_idle_and_name (const void *a, const void *b)
{
    const struct server *const *x = a;
    const struct server *const *y = b;
    if ((*x)->load_of_12 != (*y)->load_of_12) return (*x)->load_of_12 - (*y)->load_of_12;
    const uint64_t x_ns = (*x)->candidate.idle_since_ns;
    const uint64_t y_ns = (*y)->candidate.idle_since_ns;
    if (x_ns != y_ns) return x_ns < y_ns ? -1 : 1;
    return strcmp ((*x)->name, (*y)->name);
}

static struct verdict
oracle_about (const struct node *root, const struct server *servers, int count)
{
    const struct server *sorted[SERVERS_MAX];
    struct verdict verdict = { .best = -1, .furthest = -1, .position = -1 };
    for (int i = 0; i < count; i++) {
        sorted[i] = &servers[i];
    }
    qsort (sorted, (size_t) count, sizeof sorted[0], by_load_idle_and_name);
    for (int i = count - 1; i >= 0; i--) {
        const int index = (int) (sorted[i] - servers);
        if (value_of (sorted[i], root) > 0) {
            verdict.best = index;
            verdict.fits_count++;
            continue;
        }
        const int position = blamed (sorted[i], root, 1);
        if (position > verdict.position
            || (position == verdict.position
                && strcmp (sorted[i]->name, servers[verdict.furthest].name) < 0)) {
            verdict.furthest = index;
            verdict.position = position;
        }
    }
    return verdict;
}

// One requirement against one population; returns how many of its servers fit.
static int
assert_agreement (uint64_t *seed, struct told *told, struct server *servers, int count)
{
    struct grove grove = { .seed = seed };
    const struct node *root = grow (&grove, (int) (draw (seed) % 6), BINDS_OR);
    for (int i = 0; i < count; i++) {
        draw_server (seed, &servers[i], i);
    }
    tell (told, grove.text);
    const struct verdict ours = ours_about (told, &grove, root, servers, count);
    const struct verdict oracle = oracle_about (root, servers, count);

    assert_int_equal (ours.best, oracle.best);
    assert_int_equal (ours.fits_count, oracle.fits_count);
    assert_int_equal (ours.furthest, oracle.furthest);
    assert_true (oracle.furthest < 0 || ours.position == oracle.position);
    return ours.fits_count;
}

static void
random_requirements_and_populations_agree_with_the_oracle (void **state)
{
    (void) state;
    uint64_t seed = seed_of_test ();
    struct server *servers = calloc (SERVERS_MAX, sizeof *servers);
    struct told *told = calloc (1, sizeof *told);
    assert_non_null (servers);
    assert_non_null (told);
    int fits_count = 0, servers_count = 0;

    for (int i = 0; i < 1000; i++) {
        const int count = 1 + (int) (draw (&seed) % SERVERS_MAX);
        fits_count += assert_agreement (&seed, told, servers, count);
        servers_count += count;
    }
    // Neither answer is rare, so the agreement means something.
    print_message ("%d of %d servers fit\n", fits_count, servers_count);
    assert_in_range (fits_count, servers_count / 10, servers_count * 9 / 10);
    free (servers);
    free (told);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (random_requirements_and_populations_agree_with_the_oracle),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
