// SPDX-License-Identifier: MPL-2.0
#include "tests/wire/msg_random.h"

#include "proto/assert.h"
#include "proto/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

// What a field is. SOME: never 0, empty or none. PICK: an enum from 1 to max.
enum form {
    N64 = 1, SOME_N64, N32, SOME_N32, PICK, PICK_OR_NONE, ID, SOME_ID, BYTES, SOME_BYTES,
};

struct field {
    enum form form;
    size_t offset;
    uint64_t max; // bytes: the longest; PICK: the highest number
};

#define F(type, form, member, max) {form, offsetof (struct type, member), max}

static const struct field hello_fields[] = {
    F (msg_hello, PICK, role, END_ADMIN),
    F (msg_hello, SOME_ID, instance, 0),
    F (msg_hello, SOME_BYTES, name, LIMIT_NAME_MAX_BYTES),
    F (msg_hello, ID, group, 0),
};
static const struct field welcome_fields[] = {
    F (msg_welcome, PICK, role, BROKER_STARTING),
    F (msg_welcome, ID, group, 0),
    F (msg_welcome, BYTES, manager, LIMIT_TEXT_MAX_BYTES),
    F (msg_welcome, SOME_N32, heartbeat_ms, 0),
    F (msg_welcome, SOME_N32, silent_ms, 0),
    F (msg_welcome, N64, body_max_bytes, 0),
    F (msg_welcome, N64, restart_data_max_bytes, 0),
    F (msg_welcome, N32, unacked_max_count, 0),
};
static const struct field credit_fields[] = {
    F (msg_credit, SOME_ID, session, 0),
    F (msg_credit, N64, granted_count, 0),
    F (msg_credit, N64, granted_bytes, 0),
};
static const struct field open_fields[] = {
    F (msg_open, SOME_N64, ref, 0),
    F (msg_open, PICK, intent, OPEN_EXISTING),
    F (msg_open, PICK, kind, SESSION_POOLED),
    F (msg_open, SOME_BYTES, session, LIMIT_NAME_MAX_BYTES),
    F (msg_open, BYTES, actor, LIMIT_NAME_MAX_BYTES),
    F (msg_open, BYTES, requirement, LIMIT_REQUIREMENT_MAX_BYTES),
    F (msg_open, N64, incarnation, 0),
    F (msg_open, N64, version, 0),
    F (msg_open, N64, responses_received_through, 0),
    F (msg_open, N64, credit_count, 0),
    F (msg_open, N64, credit_bytes, 0),
};
static const struct field opened_fields[] = {
    F (msg_opened, SOME_N64, ref, 0),
    F (msg_opened, SOME_ID, session, 0),
    F (msg_opened, SOME_ID, actor, 0),
    F (msg_opened, SOME_N64, incarnation, 0),
    F (msg_opened, N64, version, 0),
    F (msg_opened, BYTES, restart_data, RANDOM_BODY_MAX_BYTES),
    F (msg_opened, N64, requests_accepted_through, 0),
    F (msg_opened, N64, requests_consumed_through, 0),
    F (msg_opened, N64, responses_last, 0),
    F (msg_opened, N64, responses_consumed_through, 0),
};
static const struct field resumed_fields[] = {
    F (msg_resumed, N64, ref, 0),
    F (msg_resumed, SOME_ID, session, 0),
    F (msg_resumed, SOME_ID, actor, 0),
    F (msg_resumed, SOME_N64, incarnation, 0),
    F (msg_resumed, N64, version, 0),
    F (msg_resumed, N64, requests_accepted_through, 0),
    F (msg_resumed, N64, requests_consumed_through, 0),
};
static const struct field request_fields[] = {
    F (msg_request, SOME_N64, seq, 0),
    F (msg_request, PICK, state, REQUEST_SKIPPED),
    F (msg_request, N32, attempt, 0),
    F (msg_request, BYTES, body, RANDOM_BODY_MAX_BYTES),
};
static const struct field response_fields[] = {
    F (msg_response, SOME_N64, seq, 0),
    F (msg_response, SOME_N64, request, 0),
    F (msg_response, PICK, status, RESPONSE_CANCELLED),
    F (msg_response, BYTES, body, RANDOM_BODY_MAX_BYTES),
};
static const struct field part_fields[] = {
    F (msg_part, SOME_ID, session, 0),
    F (msg_part, N64, requests_consumed_through, 0),
    F (msg_part, N64, responses_consumed_through, 0),
    F (msg_part, N64, rejected, 0),
    F (msg_part, BYTES, reject_reason, LIMIT_TEXT_MAX_BYTES),
};
static const struct field commit_fields[] = {
    F (msg_commit, SOME_ID, actor, 0),
    F (msg_commit, SOME_N64, incarnation, 0),
    F (msg_commit, N64, expect_version, 0),
    F (msg_commit, BYTES, restart_data, RANDOM_BODY_MAX_BYTES),
};
static const struct field ack_fields[] = {
    F (msg_ack, SOME_ID, actor, 0),
    F (msg_ack, SOME_N64, incarnation, 0),
    F (msg_ack, N64, version, 0),
};
static const struct field delivery_fields[] = {
    F (msg_delivery, SOME_ID, session, 0),
    F (msg_delivery, SOME_ID, actor, 0),
    F (msg_delivery, SOME_N64, incarnation, 0),
    F (msg_delivery, N64, base_version, 0),
    F (msg_delivery, PICK, phase, DELIVER_LIVE),
};
static const struct field reload_fields[] = {
    F (msg_reload, SOME_ID, session, 0),
    F (msg_reload, SOME_ID, actor, 0),
    F (msg_reload, SOME_N64, incarnation, 0),
};
static const struct field state_fields[] = {
    F (msg_state, SOME_ID, session, 0),
    F (msg_state, SOME_ID, actor, 0),
    F (msg_state, SOME_N64, incarnation, 0),
    F (msg_state, N64, version, 0),
    F (msg_state, BYTES, restart_data, RANDOM_BODY_MAX_BYTES),
    F (msg_state, N64, requests_accepted_through, 0),
    F (msg_state, N64, requests_consumed_through, 0),
    F (msg_state, N64, responses_last, 0),
};
static const struct field close_fields[] = {
    F (msg_close, SOME_N64, ref, 0),
    F (msg_close, SOME_ID, session, 0),
    F (msg_close, SOME_ID, actor, 0),
    F (msg_close, SOME_N64, incarnation, 0),
    F (msg_close, N64, expect_version, 0),
};
static const struct field closed_fields[] = {
    F (msg_closed, N64, ref, 0),
    F (msg_closed, SOME_ID, session, 0),
    F (msg_closed, PICK, reason, CLOSE_BY_OPERATOR),
};
static const struct field offer_fields[] = {
    F (msg_offer, SOME_N64, ref, 0),
    F (msg_offer, BYTES, set, LIMIT_NAME_MAX_BYTES),
    F (msg_offer, BYTES, attributes, LIMIT_OFFER_MAX_BYTES),
    F (msg_offer, SOME_N32, capacity, 0),
    F (msg_offer, N32, credit_count, 0),
    F (msg_offer, N64, credit_bytes, 0),
};
static const struct field offered_fields[] = {
    F (msg_offered, SOME_N64, ref, 0),
};
static const struct field refused_fields[] = {
    F (msg_refused, PICK, refusal, REFUSAL_CLOSED),
    F (msg_refused, PICK_OR_NONE, kind, MSG_ADMIN_TELL),
    F (msg_refused, N64, ref, 0),
    F (msg_refused, ID, session, 0),
    F (msg_refused, ID, actor, 0),
    F (msg_refused, N64, incarnation, 0),
    F (msg_refused, N64, version, 0),
    F (msg_refused, PICK_OR_NONE, busy_reason, BUSY_RATE),
    F (msg_refused, N32, retry_after_ms, 0),
    F (msg_refused, N64, value, 0),
    F (msg_refused, N64, limit, 0),
    F (msg_refused, BYTES, text, LIMIT_TEXT_MAX_BYTES),
};
static const struct field admin_ask_fields[] = {
    F (msg_admin_ask, SOME_N64, ref, 0),
    F (msg_admin_ask, PICK, topic, ADMIN_EXPLAIN),
    F (msg_admin_ask, BYTES, argument, LIMIT_NAME_MAX_BYTES),
    F (msg_admin_ask, BYTES, requirement, LIMIT_REQUIREMENT_MAX_BYTES),
    F (msg_admin_ask, N64, after, 0),
};
static const struct field cell_fields[] = {
    F (msg_cell, BYTES, name, LIMIT_NAME_MAX_BYTES),
    F (msg_cell, PICK, kind, CELL_FLAG),
    F (msg_cell, BYTES, text, 40),
    F (msg_cell, N64, number, 0),
};
static const struct field admin_tell_fields[] = {
    F (msg_admin_tell, SOME_N64, ref, 0),
    F (msg_admin_tell, N64, more_after, 0),
};

struct table {
    const struct field *fields;
    size_t count;
};
#define TABLE(name) ((struct table) {name##_fields, sizeof name##_fields / sizeof *name##_fields})

// The fields that a kind's message has once.
static struct table
table_of (enum msg_kind kind)
{
    switch (kind) {
    case MSG_HELLO: return TABLE (hello);
    case MSG_WELCOME: return TABLE (welcome);
    case MSG_CREDIT: return TABLE (credit);
    case MSG_OPEN: return TABLE (open);
    case MSG_OPENED: return TABLE (opened);
    case MSG_RESUMED: return TABLE (resumed);
    case MSG_COMMIT: return TABLE (commit);
    case MSG_RELOAD: return TABLE (reload);
    case MSG_STATE: return TABLE (state);
    case MSG_CLOSE: return TABLE (close);
    case MSG_CLOSED: return TABLE (closed);
    case MSG_OFFER: return TABLE (offer);
    case MSG_OFFERED: return TABLE (offered);
    case MSG_REFUSED: return TABLE (refused);
    case MSG_ADMIN_ASK: return TABLE (admin_ask);
    case MSG_ADMIN_TELL: return TABLE (admin_tell);
    case MSG_HEARTBEAT:
    case MSG_GOODBYE:
    case MSG_COMMITTED:
    case MSG_DELIVER: break;
    }
    return (struct table) {NULL, 0};
}

uint64_t
msg_random_seed (void)
{
    uint64_t seed = 0;
    const char *told = getenv ("BATON_SEED");
    if (told) {
        seed = strtoull (told, NULL, 10);
    } else if (getrandom (&seed, sizeof seed, 0) != (ssize_t) sizeof seed) {
        seed = 1;
    }
    printf ("BATON_SEED=%llu\n", (unsigned long long) seed);
    return seed;
}

// splitmix64 (public domain, S. Vigna): any state is a good one.
uint64_t
msg_random_next (struct msg_random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t
msg_random_below (struct msg_random *random, uint64_t bound)
{
    return msg_random_next (random) % bound;
}

static void *
take (struct msg_random *random, size_t size)
{
    size_t rounded = (size + 7) / 8 * 8;
    ASSERT (rounded <= sizeof random->bytes - random->used_bytes);
    void *at = random->bytes + random->used_bytes;
    random->used_bytes += rounded;
    return at;
}

// Numbers of all lengths, and often those at an edge.
static uint64_t
number (struct msg_random *random)
{
    static const uint64_t edges[] = {0, 1, 127, 128, UINT32_MAX, 1ull << 32, UINT64_MAX};
    if (msg_random_below (random, 3) == 0) {
        return edges[msg_random_below (random, sizeof edges / sizeof edges[0])];
    }
    return msg_random_next (random) >> msg_random_below (random, 64);
}

static uint64_t
some (struct msg_random *random)
{
    uint64_t n = number (random);
    return n > 0 ? n : 1;
}

static uint32_t
some_32 (struct msg_random *random)
{
    uint32_t n = (uint32_t) number (random);
    return n > 0 ? n : 1;
}

static struct baton_bytes
bytes (struct msg_random *random, uint64_t min, uint64_t max)
{
    uint64_t bound = msg_random_below (random, 8) == 0 ? max : max < 40 ? max : 40;
    size_t size = (size_t) (min + msg_random_below (random, bound - min + 1));
    if (size == 0) return (struct baton_bytes) {NULL, 0};
    unsigned char *data = take (random, size);
    for (size_t i = 0; i < size; i++) {
        data[i] = (unsigned char) msg_random_next (random);
    }
    return (struct baton_bytes) {data, size};
}

static void
fill_field (struct msg_random *random, const struct field *field, void *at)
{
    uint32_t n32;
    uint64_t n64;
    struct id id;
    struct baton_bytes view;
    switch (field->form) {
    case N64: n64 = number (random); memcpy (at, &n64, sizeof n64); return;
    case SOME_N64: n64 = some (random); memcpy (at, &n64, sizeof n64); return;
    case N32: n32 = (uint32_t) number (random); memcpy (at, &n32, sizeof n32); return;
    case SOME_N32: n32 = some_32 (random); memcpy (at, &n32, sizeof n32); return;
    case PICK:
        n32 = (uint32_t) (1 + msg_random_below (random, field->max));
        memcpy (at, &n32, sizeof n32);
        return;
    case PICK_OR_NONE:
        n32 = (uint32_t) msg_random_below (random, field->max + 1);
        memcpy (at, &n32, sizeof n32);
        return;
    case ID:
        id = (struct id) {number (random), number (random)};
        memcpy (at, &id, sizeof id);
        return;
    case SOME_ID:
        id = (struct id) {number (random), some (random)};
        memcpy (at, &id, sizeof id);
        return;
    case BYTES: view = bytes (random, 0, field->max); memcpy (at, &view, sizeof view); return;
    case SOME_BYTES: view = bytes (random, 1, field->max); memcpy (at, &view, sizeof view); return;
    }
}

static void
fill (struct msg_random *random, struct table table, void *out)
{
    for (size_t i = 0; i < table.count; i++) {
        fill_field (random, &table.fields[i], (unsigned char *) out + table.fields[i].offset);
    }
}

// Mostly a few, sometimes many.
static uint32_t
count (struct msg_random *random)
{
    return (uint32_t) msg_random_below (random, msg_random_below (random, 10) == 0 ? 60 : 4);
}

static const struct msg_request *
requests (struct msg_random *random, enum msg_kind kind, uint32_t *made)
{
    *made = count (random);
    struct msg_request *list = take (random, (*made + 1) * sizeof *list);
    for (uint32_t i = 0; i < *made; i++) {
        fill (random, TABLE (request), &list[i]);
        if (kind == MSG_COMMIT) {
            list[i].state = REQUEST_OPEN;
            list[i].attempt = 0;
        }
    }
    return *made > 0 ? list : NULL;
}

static const struct msg_response *
responses (struct msg_random *random, enum msg_kind kind, uint32_t *made)
{
    *made = count (random);
    struct msg_response *list = take (random, (*made + 1) * sizeof *list);
    for (uint32_t i = 0; i < *made; i++) {
        fill (random, TABLE (response), &list[i]);
        if (kind == MSG_COMMIT) {
            list[i].seq.n = 0;
        }
    }
    return *made > 0 ? list : NULL;
}

static void
fill_commit (struct msg_random *random, struct msg_commit *commit)
{
    commit->parts_count = (uint32_t) msg_random_below (random, 4);
    struct msg_part *parts = take (random, 4 * sizeof *parts);
    for (uint32_t i = 0; i < commit->parts_count; i++) {
        fill (random, TABLE (part), &parts[i]);
        parts[i].requests = requests (random, MSG_COMMIT, &parts[i].requests_count);
        parts[i].responses = responses (random, MSG_COMMIT, &parts[i].responses_count);
    }
    commit->parts = commit->parts_count > 0 ? parts : NULL;
}

static void
fill_deliver (struct msg_random *random, struct msg_deliver *deliver)
{
    deliver->deliveries_count = (uint32_t) msg_random_below (random, 4);
    struct msg_delivery *list = take (random, 4 * sizeof *list);
    for (uint32_t i = 0; i < deliver->deliveries_count; i++) {
        fill (random, TABLE (delivery), &list[i]);
        list[i].requests = requests (random, MSG_DELIVER, &list[i].requests_count);
        list[i].responses = responses (random, MSG_DELIVER, &list[i].responses_count);
    }
    deliver->deliveries = deliver->deliveries_count > 0 ? list : NULL;
}

static void
fill_committed (struct msg_random *random, struct msg_committed *committed)
{
    committed->acks_count = count (random);
    struct msg_ack *acks = take (random, (committed->acks_count + 1) * sizeof *acks);
    for (uint32_t i = 0; i < committed->acks_count; i++) {
        fill (random, TABLE (ack), &acks[i]);
    }
    committed->acks = committed->acks_count > 0 ? acks : NULL;
}

static void
fill_row (struct msg_random *random, struct msg_row *row)
{
    row->cells_count = (uint32_t) msg_random_below (random, 12);
    struct msg_cell *cells = take (random, 12 * sizeof *cells);
    for (uint32_t i = 0; i < row->cells_count; i++) {
        fill (random, TABLE (cell), &cells[i]);
        if (cells[i].kind == CELL_FLAG) {
            cells[i].number &= 1;
        }
    }
    row->cells = row->cells_count > 0 ? cells : NULL;
}

static void
fill_admin_tell (struct msg_random *random, struct msg_admin_tell *tell)
{
    tell->rows_count = count (random);
    struct msg_row *rows = take (random, (tell->rows_count + 1) * sizeof *rows);
    for (uint32_t i = 0; i < tell->rows_count; i++) {
        fill_row (random, &rows[i]);
    }
    tell->rows = tell->rows_count > 0 ? rows : NULL;
}

void
msg_random_fill (struct msg_random *random, enum msg_kind kind, struct msg *msg)
{
    random->used_bytes = 0;
    *msg = (struct msg) {.kind = kind, .epoch = {number (random)}};
    fill (random, table_of (kind), &msg->hello);
    if (kind == MSG_COMMIT) {
        fill_commit (random, &msg->commit);
    } else if (kind == MSG_DELIVER) {
        fill_deliver (random, &msg->deliver);
    } else if (kind == MSG_COMMITTED) {
        fill_committed (random, &msg->committed);
    } else if (kind == MSG_ADMIN_TELL) {
        fill_admin_tell (random, &msg->admin_tell);
    } else if (kind == MSG_HELLO && msg->hello.role != END_SERVER
               && msg_random_below (random, 2) == 0) {
        msg->hello.name = (struct baton_bytes) {NULL, 0};
    }
}

static bool
same_bytes (const void *a, const void *b)
{
    struct baton_bytes left, right;
    memcpy (&left, a, sizeof left);
    memcpy (&right, b, sizeof right);
    return left.size == right.size
           && (left.size == 0 || memcmp (left.data, right.data, left.size) == 0);
}

static bool
same (struct table table, const void *a, const void *b)
{
    for (size_t i = 0; i < table.count; i++) {
        const struct field *field = &table.fields[i];
        const unsigned char *left = (const unsigned char *) a + field->offset;
        const unsigned char *right = (const unsigned char *) b + field->offset;
        size_t size = sizeof (uint64_t);
        switch (field->form) {
        case BYTES:
        case SOME_BYTES:
            if (!same_bytes (left, right)) return false;
            continue;
        case ID:
        case SOME_ID: size = sizeof (struct id); break;
        case N32:
        case SOME_N32:
        case PICK:
        case PICK_OR_NONE: size = sizeof (uint32_t); break;
        case N64:
        case SOME_N64: break;
        }
        if (memcmp (left, right, size) != 0) return false;
    }
    return true;
}

static bool
same_requests (const struct msg_request *a, uint32_t a_count, const struct msg_request *b,
               uint32_t b_count)
{
    bool equal = a_count == b_count;
    for (uint32_t i = 0; equal && i < a_count; i++) {
        equal = same (TABLE (request), &a[i], &b[i]);
    }
    return equal;
}

static bool
same_responses (const struct msg_response *a, uint32_t a_count, const struct msg_response *b,
                uint32_t b_count)
{
    bool equal = a_count == b_count;
    for (uint32_t i = 0; equal && i < a_count; i++) {
        equal = same (TABLE (response), &a[i], &b[i]);
    }
    return equal;
}

static bool
same_commit (const struct msg_commit *a, const struct msg_commit *b)
{
    bool equal = a->parts_count == b->parts_count;
    for (uint32_t i = 0; equal && i < a->parts_count; i++) {
        const struct msg_part *left = &a->parts[i], *right = &b->parts[i];
        equal = same (TABLE (part), left, right)
                && same_requests (left->requests, left->requests_count, right->requests,
                                  right->requests_count)
                && same_responses (left->responses, left->responses_count, right->responses,
                                   right->responses_count);
    }
    return equal;
}

static bool
same_deliver (const struct msg_deliver *a, const struct msg_deliver *b)
{
    bool equal = a->deliveries_count == b->deliveries_count;
    for (uint32_t i = 0; equal && i < a->deliveries_count; i++) {
        const struct msg_delivery *left = &a->deliveries[i], *right = &b->deliveries[i];
        equal = same (TABLE (delivery), left, right)
                && same_requests (left->requests, left->requests_count, right->requests,
                                  right->requests_count)
                && same_responses (left->responses, left->responses_count, right->responses,
                                   right->responses_count);
    }
    return equal;
}

static bool
same_committed (const struct msg_committed *a, const struct msg_committed *b)
{
    bool equal = a->acks_count == b->acks_count;
    for (uint32_t i = 0; equal && i < a->acks_count; i++) {
        equal = same (TABLE (ack), &a->acks[i], &b->acks[i]);
    }
    return equal;
}

static bool
same_admin_tell (const struct msg_admin_tell *a, const struct msg_admin_tell *b)
{
    bool equal = a->rows_count == b->rows_count;
    for (uint32_t i = 0; equal && i < a->rows_count; i++) {
        const struct msg_row *left = &a->rows[i], *right = &b->rows[i];
        equal = left->cells_count == right->cells_count;
        for (uint32_t j = 0; equal && j < left->cells_count; j++) {
            equal = same (TABLE (cell), &left->cells[j], &right->cells[j]);
        }
    }
    return equal;
}

bool
msg_same (const struct msg *a, const struct msg *b)
{
    if (a->kind != b->kind || a->epoch.n != b->epoch.n) return false;
    if (!same (table_of (a->kind), &a->hello, &b->hello)) return false;
    if (a->kind == MSG_COMMIT) return same_commit (&a->commit, &b->commit);
    if (a->kind == MSG_DELIVER) return same_deliver (&a->deliver, &b->deliver);
    if (a->kind == MSG_COMMITTED) return same_committed (&a->committed, &b->committed);
    if (a->kind == MSG_ADMIN_TELL) return same_admin_tell (&a->admin_tell, &b->admin_tell);
    return true;
}
