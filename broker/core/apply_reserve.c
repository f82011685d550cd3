// SPDX-License-Identifier: MPL-2.0
// Everything that a record will need is taken here, so that apply cannot fail half-way.
#include "broker/core/apply.h"

#include "proto/assert.h"

#include <string.h>

// Restart data so much larger than the bodies may stay with them: a second block costs as much.
#define BODIES_SHARE_BYTES 1024u

static void *
reserve_zeroed (const struct memory *memory, size_t size)
{
    void *data = memory_alloc (memory, size);

    if (data) {
        memset (data, 0, size);
    }
    return data;
}

static enum baton_err
reserve_copies (const struct memory *memory, struct apply_room *room,
                const struct baton_bytes *bytes, uint32_t count)
{
    ASSERT (count <= APPLY_BLOBS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        room->blobs[i] = blob_copy (memory, bytes[i]);
        if (!room->blobs[i]) return BATON_NO_MEMORY;
    }
    return BATON_OK;
}

static enum baton_err
reserve_opened (struct book *book, const struct record_opened *opened, struct apply_room *room)
{
    const struct memory *memory = book->memory;
    const struct baton_bytes copies[] = {
        opened->principal, opened->session_name, opened->actor_name, opened->requirement,
    };

    room->session = reserve_zeroed (memory, sizeof *room->session);
    room->actor = reserve_zeroed (memory, sizeof *room->actor);
    room->former = reserve_zeroed (memory, sizeof *room->former);
    if (!room->session || !room->actor || !room->former) return BATON_NO_MEMORY;
    return reserve_copies (memory, room, copies, sizeof copies / sizeof *copies);
}

static enum baton_err
reserve_requests (const struct memory *memory, struct apply_room *room, uint32_t count)
{
    for (; room->requests_count < count; room->requests_count++) {
        struct request *request = reserve_zeroed (memory, sizeof *request);
        if (!request) return BATON_NO_MEMORY;
        room->requests[room->requests_count] = request;
    }
    return BATON_OK;
}

static enum baton_err
reserve_responses (const struct memory *memory, struct apply_room *room, uint32_t count)
{
    for (; room->responses_count < count; room->responses_count++) {
        struct response *response = reserve_zeroed (memory, sizeof *response);
        if (!response) return BATON_NO_MEMORY;
        room->responses[room->responses_count] = response;
    }
    return BATON_OK;
}

// Bodies that are small beside the restart data of their commit get a block of their own: in the
// record's bytes they would keep that restart data as long as they wait, and no limit of a queue
// counts it.
static enum baton_err
reserve_bodies (const struct memory *memory, const struct record_committed *committed,
                struct apply_room *room)
{
    size_t size = 0;

    for (uint32_t i = 0; i < committed->requests_count; i++) {
        size += committed->requests[i].body.size;
    }
    for (uint32_t i = 0; i < committed->responses_count; i++) {
        size += committed->responses[i].body.size;
    }
    if (committed->requests_count + committed->responses_count == 0
        || committed->restart_data.size <= size + BODIES_SHARE_BYTES) {
        return BATON_OK;
    }
    room->bodies = blob_new (memory, size);
    return room->bodies ? BATON_OK : BATON_NO_MEMORY;
}

static enum baton_err
reserve_committed (struct book *book, const struct record_committed *committed,
                   struct apply_room *room)
{
    const struct memory *memory = book->memory;
    struct session *session = book_session (book, committed->session);

    if (reserve_copies (memory, room, &committed->restart_data, 1)) return BATON_NO_MEMORY;
    if (!session) return BATON_OK;
    if (reserve_requests (memory, room, committed->requests_count)) return BATON_NO_MEMORY;
    if (reserve_responses (memory, room, committed->responses_count)) return BATON_NO_MEMORY;
    if (reserve_bodies (memory, committed, room)) return BATON_NO_MEMORY;
    if (ring_reserve (&session->requests, memory, committed->requests_count)) {
        return BATON_NO_MEMORY;
    }
    return ring_reserve (&session->responses, memory, committed->responses_count);
}

static enum baton_err
reserve_bound (struct book *book, const struct record_bound *bound, struct apply_room *room)
{
    const struct memory *memory = book->memory;

    room->actor = reserve_zeroed (memory, sizeof *room->actor);
    room->server = reserve_zeroed (memory, sizeof *room->server);
    if (!room->actor || !room->server) return BATON_NO_MEMORY;
    return reserve_copies (memory, room, &bound->server, 1);
}

static enum baton_err
reserve_offered (struct book *book, const struct record_offered *offered, struct apply_room *room)
{
    const struct memory *memory = book->memory;
    const struct baton_bytes copies[] = {
        offered->name, offered->principal, offered->set, offered->attributes,
    };
    struct attribute items[LIMIT_ATTRIBUTES_MAX_COUNT];
    struct attributes view;

    room->server = reserve_zeroed (memory, sizeof *room->server);
    if (!room->server) return BATON_NO_MEMORY;
    if (reserve_copies (memory, room, copies, 4)) return BATON_NO_MEMORY;
    if (attributes_view (blob_view (room->blobs[3]), items, &view)) return BATON_DAMAGED;
    const struct baton_bytes home = { items, view.count * sizeof *items };
    room->blobs[4] = blob_copy (memory, home);
    return room->blobs[4] ? BATON_OK : BATON_NO_MEMORY;
}

static enum baton_err
reserve_server_ended (struct book *book, const struct record_server_ended *ended,
                      struct apply_room *room)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < ended->items_count; i++) {
        struct session *session = book_session (book, ended->items[i].session);
        if (!session || ended->items[i].outcome != ATTEMPT_GIVEN_UP) continue;
        count++;
        if (ring_reserve (&session->responses, book->memory, 1)) return BATON_NO_MEMORY;
    }
    return reserve_responses (book->memory, room, count);
}

static enum baton_err
reserve_body (struct book *book, const struct record *record, struct apply_room *room)
{
    switch ((enum record_type) record->head.type) {
    case RECORD_OPENED: return reserve_opened (book, &record->opened, room);
    case RECORD_COMMITTED: return reserve_committed (book, &record->committed, room);
    case RECORD_BOUND: return reserve_bound (book, &record->bound, room);
    case RECORD_OFFERED: return reserve_offered (book, &record->offered, room);
    case RECORD_SERVER_ENDED: return reserve_server_ended (book, &record->server_ended, room);
    case RECORD_EPOCH:
    case RECORD_CLOSED:
    case RECORD_OFFER_RETIRED: return BATON_OK;
    }
    return BATON_DAMAGED;
}

enum baton_err
apply_reserve (struct book *book, const struct record *record, struct apply_room *room)
{
    enum baton_err error = book_reserve (book);

    if (!error) {
        error = reserve_body (book, record, room);
    }
    if (error) {
        apply_room_clear (book->memory, room);
    }
    return error;
}

void
apply_room_clear (const struct memory *memory, struct apply_room *room)
{
    memory_release (memory, room->session, sizeof *room->session);
    memory_release (memory, room->actor, sizeof *room->actor);
    memory_release (memory, room->former, sizeof *room->former);
    memory_release (memory, room->server, sizeof *room->server);
    for (uint32_t i = 0; i < APPLY_BLOBS_MAX; i++) {
        blob_drop (memory, &room->blobs[i]);
    }
    blob_drop (memory, &room->bodies);
    for (uint32_t i = 0; i < room->requests_count; i++) {
        memory_release (memory, room->requests[i], sizeof **room->requests);
    }
    for (uint32_t i = 0; i < room->responses_count; i++) {
        memory_release (memory, room->responses[i], sizeof **room->responses);
    }
    memset (room, 0, sizeof *room);
}
