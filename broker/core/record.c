// SPDX-License-Identifier: MPL-2.0
// Each layout is written once: the same function measures, writes and reads, so that the three
// cannot disagree.
#include "broker/core/record.h"

#include "proto/assert.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum coder_mode { CODER_MEASURE = 1, CODER_WRITE = 2, CODER_READ = 3 };

struct coder {
    enum coder_mode mode;
    uint8_t *out;      // CODER_WRITE
    const uint8_t *in; // CODER_READ
    size_t at;
    size_t size;
    bool broken;       // too few bytes, or a number out of its range
    struct record_room *room;
};

// coder_step moves on by [count] bytes and returns where they begin; SIZE_MAX if there are fewer.
static size_t
coder_step (struct coder *coder, size_t count)
{
    if (coder->mode != CODER_MEASURE && (coder->broken || coder->size - coder->at < count)) {
        coder->broken = true;
        return SIZE_MAX;
    }
    coder->at += count;
    return coder->at - count;
}

static void
code_u8 (struct coder *coder, uint8_t *field)
{
    const size_t at = coder_step (coder, 1);

    if (at == SIZE_MAX || coder->mode == CODER_MEASURE) return;
    if (coder->mode == CODER_WRITE) {
        coder->out[at] = *field;
    } else {
        *field = coder->in[at];
    }
}

static void
code_u32 (struct coder *coder, uint32_t *field)
{
    const size_t at = coder_step (coder, 4);

    if (at == SIZE_MAX || coder->mode == CODER_MEASURE) return;
    if (coder->mode == CODER_WRITE) {
        little_put_u32 (coder->out + at, *field);
    } else {
        *field = little_get_u32 (coder->in + at);
    }
}

static void
code_u64 (struct coder *coder, uint64_t *field)
{
    const size_t at = coder_step (coder, 8);

    if (at == SIZE_MAX || coder->mode == CODER_MEASURE) return;
    if (coder->mode == CODER_WRITE) {
        little_put_u64 (coder->out + at, *field);
    } else {
        *field = little_get_u64 (coder->in + at);
    }
}

static void
code_id (struct coder *coder, struct id *id)
{
    code_u64 (coder, &id->high);
    code_u64 (coder, &id->low);
}

static void
code_bytes (struct coder *coder, struct baton_bytes *bytes)
{
    uint32_t size = (uint32_t) bytes->size;

    code_u32 (coder, &size);
    const size_t at = coder_step (coder, size);
    if (at == SIZE_MAX || coder->mode == CODER_MEASURE) return;
    if (coder->mode == CODER_READ) {
        bytes->data = size ? coder->in + at : NULL;
        bytes->size = size;
    } else if (size) {
        memcpy (coder->out + at, bytes->data, size);
    }
}

// code_choice codes a small enum and holds it against its range when reading.
static unsigned
code_choice (struct coder *coder, unsigned value, unsigned max)
{
    uint8_t byte = (uint8_t) value;

    code_u8 (coder, &byte);
    if (byte < 1 || byte > max) {
        ASSERT (coder->mode == CODER_READ);
        coder->broken = true;
    }
    return byte;
}

// code_count codes the length of an array; too long a one breaks the record.
static uint32_t
code_count (struct coder *coder, uint32_t count, uint32_t max)
{
    code_u32 (coder, &count);
    if (count > max) {
        ASSERT (coder->mode == CODER_READ);
        coder->broken = true;
    }
    return coder->broken ? 0 : count;
}

static void
code_opened (struct coder *coder, struct record_opened *opened)
{
    code_u8 (coder, &opened->makes);
    opened->kind = (enum session_kind) code_choice (coder, opened->kind, SESSION_POOLED);
    code_id (coder, &opened->session);
    code_id (coder, &opened->actor);
    code_id (coder, &opened->instance);
    code_bytes (coder, &opened->principal);
    code_bytes (coder, &opened->session_name);
    code_bytes (coder, &opened->actor_name);
    code_bytes (coder, &opened->requirement);
}

static void
code_requests (struct coder *coder, struct record_committed *committed)
{
    const struct msg_request *items = committed->requests;
    const uint32_t count = code_count (coder, committed->requests_count, LIMIT_RECORD_ITEMS_MAX);

    for (uint32_t i = 0; i < count; i++) {
        struct msg_request item = { .state = REQUEST_OPEN };
        if (items) {
            item = items[i];
        }
        code_u64 (coder, &item.seq.n);
        code_bytes (coder, &item.body);
        if (coder->mode == CODER_READ) {
            coder->room->requests[i] = item;
        }
    }
    committed->requests_count = count;
}

static void
code_responses (struct coder *coder, struct record_committed *committed)
{
    const struct msg_response *items = committed->responses;
    const uint32_t count =
        code_count (coder, committed->responses_count, LIMIT_RECORD_ITEMS_MAX + 1);

    for (uint32_t i = 0; i < count; i++) {
        struct msg_response item = { .status = RESPONSE_REPLY };
        if (items) {
            item = items[i];
        }
        code_u64 (coder, &item.request.n);
        item.status =
            (enum response_status) code_choice (coder, item.status, RESPONSE_CANCELLED);
        code_bytes (coder, &item.body);
        if (coder->mode == CODER_READ) {
            coder->room->responses[i] = item;
        }
    }
    committed->responses_count = count;
}

static void
code_committed (struct coder *coder, struct record_committed *committed)
{
    code_id (coder, &committed->actor);
    code_u64 (coder, &committed->incarnation.n);
    code_u64 (coder, &committed->version.n);
    code_u64 (coder, &committed->digest);
    code_bytes (coder, &committed->restart_data);
    code_id (coder, &committed->session);
    code_u64 (coder, &committed->requests_consumed_through.n);
    code_u64 (coder, &committed->responses_consumed_through.n);
    committed->reject =
        (enum reject_outcome) code_choice (coder, committed->reject, REJECT_GIVEN_UP);
    code_requests (coder, committed);
    code_responses (coder, committed);
    if (coder->mode == CODER_READ) {
        committed->requests = coder->room->requests;
        committed->responses = coder->room->responses;
    }
}

static void
code_bound (struct coder *coder, struct record_bound *bound)
{
    code_id (coder, &bound->session);
    code_id (coder, &bound->actor);
    code_bytes (coder, &bound->server);
    code_id (coder, &bound->instance);
    code_u64 (coder, &bound->suspect_through.n);
}

static void
code_closed (struct coder *coder, struct record_closed *closed)
{
    code_id (coder, &closed->session);
    closed->reason = (enum close_reason) code_choice (coder, closed->reason, CLOSE_BY_OPERATOR);
}

static void
code_offered (struct coder *coder, struct record_offered *offered)
{
    code_bytes (coder, &offered->name);
    code_bytes (coder, &offered->principal);
    code_id (coder, &offered->instance);
    offered->state = code_choice (coder, offered->state, OFFER_CURRENT) == OFFER_CURRENT
        ? OFFER_CURRENT : OFFER_ENDED;
    code_bytes (coder, &offered->set);
    code_bytes (coder, &offered->attributes);
    code_u32 (coder, &offered->capacity);
    code_u32 (coder, &offered->credit_count);
    code_u64 (coder, &offered->credit_bytes);
    code_u64 (coder, &offered->known_since_utc_ms);
    code_u64 (coder, &offered->ended.n);
    code_u64 (coder, &offered->ended_unknown.n);
    offered->former_count =
        (uint8_t) code_count (coder, offered->former_count, LIMIT_FORMER_INSTANCES);
    for (uint32_t i = 0; i < offered->former_count; i++) {
        code_id (coder, &offered->former[i]);
    }
}

static void
code_end_items (struct coder *coder, struct record_server_ended *ended)
{
    const struct record_end_item *items = ended->items;
    const uint32_t count = code_count (coder, ended->items_count, LIMIT_RECORD_ITEMS_MAX);

    for (uint32_t i = 0; i < count; i++) {
        struct record_end_item item = { .outcome = ATTEMPT_UNCOUNTED };
        if (items) {
            item = items[i];
        }
        code_id (coder, &item.session);
        code_u64 (coder, &item.suspect_through.n);
        item.outcome =
            (enum attempt_outcome) code_choice (coder, item.outcome, ATTEMPT_GIVEN_UP);
        if (coder->mode == CODER_READ) {
            coder->room->items[i] = item;
        }
    }
    ended->items_count = count;
}

static void
code_server_ended (struct coder *coder, struct record_server_ended *ended)
{
    code_bytes (coder, &ended->name);
    code_id (coder, &ended->instance);
    ended->reason = (enum end_reason) code_choice (coder, ended->reason, ENDED_BY_SILENCE);
    ended->held = (enum held_knowledge) code_choice (coder, ended->held, HELD_UNKNOWN);
    code_end_items (coder, ended);
    if (coder->mode == CODER_READ) {
        ended->items = coder->room->items;
    }
}

static void
code_body (struct coder *coder, struct record *record)
{
    switch ((enum record_type) record->head.type) {
    case RECORD_EPOCH: return;
    case RECORD_OPENED: code_opened (coder, &record->opened); return;
    case RECORD_COMMITTED: code_committed (coder, &record->committed); return;
    case RECORD_BOUND: code_bound (coder, &record->bound); return;
    case RECORD_CLOSED: code_closed (coder, &record->closed); return;
    case RECORD_OFFERED: code_offered (coder, &record->offered); return;
    case RECORD_SERVER_ENDED: code_server_ended (coder, &record->server_ended); return;
    case RECORD_OFFER_RETIRED: code_bytes (coder, &record->offer_retired.name); return;
    }
    coder->broken = true;
}

size_t
record_encoded_size (const struct record *record)
{
    struct coder coder = { .mode = CODER_MEASURE, .at = RECORD_HEAD_BYTES };
    struct record measured = *record;

    code_body (&coder, &measured);
    ASSERT (!coder.broken);
    return coder.at;
}

void
record_encode (const struct record *record, void *data, size_t size)
{
    struct coder coder = {
        .mode = CODER_WRITE, .out = data, .at = RECORD_HEAD_BYTES, .size = size,
    };
    struct record written = *record;

    ASSERT (size >= RECORD_HEAD_BYTES);
    ASSERT (size <= UINT32_MAX);
    written.head.length_bytes = (uint32_t) size;
    record_head_write (written.head, data);
    code_body (&coder, &written);
    ASSERT (!coder.broken);
    ASSERT (coder.at == size);
}

enum baton_err
record_decode (struct baton_bytes bytes, struct record_room *room, struct record *record)
{
    struct coder coder = {
        .mode = CODER_READ, .in = bytes.data, .at = RECORD_HEAD_BYTES, .size = bytes.size,
        .room = room,
    };

    memset (record, 0, sizeof *record);
    if (!record_head_read (bytes.data, bytes.size, &record->head)) return BATON_DAMAGED;
    if (record->head.length_bytes != bytes.size) return BATON_DAMAGED;
    if (record->head.version != RECORD_VERSION) return BATON_DAMAGED;
    code_body (&coder, record);
    return coder.broken || coder.at != bytes.size ? BATON_DAMAGED : BATON_OK;
}

uint64_t
record_chain (struct baton_bytes bytes)
{
    return XXH3_64bits (bytes.data, bytes.size);
}

const char *
record_type_name (enum record_type type)
{
    switch (type) {
#define X(name, number) case RECORD_##name: return #name;
        BATON_RECORDS (X)
#undef X
    }
    return "?";
}
