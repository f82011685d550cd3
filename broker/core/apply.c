// SPDX-License-Identifier: MPL-2.0
#include "broker/core/apply.h"

#include "proto/assert.h"
#include "proto/mutant.h"

#include <string.h>

// take_blob moves the room's blob out, so that apply_room_clear leaves it alone.
static struct blob *
take_blob (struct apply_room *room, uint32_t number)
{
    struct blob *blob = room->blobs[number];

    ASSERT (blob);
    room->blobs[number] = NULL;
    return blob;
}

// replace_blob puts [fresh] in the place of what was there.
static void
replace_blob (struct book *book, struct blob **place, struct blob *fresh)
{
    blob_drop (book->memory, place);
    *place = fresh;
}

static struct actor *
add_client_actor (struct book *book, const struct record *record, struct apply_room *room)
{
    struct actor *actor = room->actor;

    room->actor = NULL;
    actor->id = record->opened.actor;
    actor->role = END_CLIENT;
    actor->opened = record->head.index;
    actor->principal = blob_take (room->blobs[0]);
    actor->name = take_blob (room, 2);
    queue_init (&actor->sessions);
    queue_push (&book->client_actors, &actor->in_book);
    table_add (&book->actors_by_id, &actor->by_id, hash_id (book->hash_seed, actor->id));
    table_add (&book->actors_by_name, &actor->by_name,
               hash_names (book->hash_seed, blob_view (actor->principal),
                           blob_view (actor->name)));
    return actor;
}

static void
renew_incarnation (struct actor *actor, const struct record *record, struct apply_room *room)
{
    if (!id_is_none (actor->instance)) {
        if (!actor->former) {
            actor->former = room->former;
            room->former = NULL;
        }
        former_add (actor->former, actor->instance);
    }
    ASSERT (record->head.index.n > actor->incarnation.n);
    actor->instance = record->opened.instance;
    if (MUTANT (INCARNATION_REUSED) && actor->incarnation.n > 0) return;
    actor->incarnation.n = record->head.index.n;
}

static void
add_session (struct book *book, const struct record *record, struct actor *client,
             struct apply_room *room)
{
    struct session *session = room->session;

    room->session = NULL;
    session->id = record->opened.session;
    session->kind = record->opened.kind;
    session->opened = record->head.index;
    session->client = client;
    session->principal = take_blob (room, 0);
    session->name = take_blob (room, 1);
    session->requirement = take_blob (room, 3);
    ring_init (&session->requests, 1);
    ring_init (&session->responses, 1);
    session->slot = slots_take (&book->session_slots);
    queue_push (&book->sessions, &session->in_book);
    queue_push (&client->sessions, &session->in_actor);
    queue_init (&session->in_server);
    table_add (&book->sessions_by_id, &session->by_id, hash_id (book->hash_seed, session->id));
    table_add (&book->sessions_by_name, &session->by_name,
               hash_names (book->hash_seed, blob_view (session->principal),
                           blob_view (session->name)));
    book->sessions_count++;
}

static void
apply_opened (struct book *book, const struct record *record, struct apply_room *room)
{
    const struct record_opened *opened = &record->opened;
    struct actor *actor = opened->makes & OPENED_ACTOR
        ? add_client_actor (book, record, room) : book_actor (book, opened->actor);

    if (!actor) return;
    if (opened->makes & OPENED_INCARNATION) {
        renew_incarnation (actor, record, room);
    }
    if (opened->makes & OPENED_SESSION) {
        add_session (book, record, actor, room);
    }
}

// keep_body returns where [body] stays, and in *[home] what holds it.
static struct baton_bytes
keep_body (struct apply_room *room, struct baton_bytes body, struct blob **home)
{
    struct blob *bodies = room->bodies;

    if (bodies) {
        ASSERT (body.size <= bodies->size - room->bodies_used_bytes);
        unsigned char *at = bodies->data + room->bodies_used_bytes;
        if (body.size > 0) {
            memcpy (at, body.data, body.size);
        }
        room->bodies_used_bytes += body.size;
        body.data = at;
        *home = bodies;
    }
    blob_take (*home);
    return body;
}

static void
add_request (struct book *book, struct session *session, const struct msg_request *from,
             struct blob *home, struct apply_room *room)
{
    struct request *request = room->requests[--room->requests_count];
    const struct request_seq seq = { session->requests_accepted_through.n + 1 };

    if (!MUTANT (REQUEST_DEDUPE_OFF)) ASSERT (from->seq.n == seq.n);
    request->seq = seq;
    request->body = keep_body (room, from->body, &home);
    request->home = home;
    // An empty window starts anew at this number, so that a gap of answered ones costs nothing.
    if (session->requests.length == 0) {
        session->requests.first = from->seq.n;
    }
    ring_push (&session->requests, request);
    session->requests_accepted_through = from->seq;
    session->open_count++;
    session->requests_bytes += from->body.size;
    book->requests_count++;
    book->requests_bytes += from->body.size;
    if (session->server) {
        session->server->open_count++;
    }
}

// add_response answers a request: it leaves its queue as the response enters the other.
static void
add_response (struct book *book, struct session *session, const struct msg_response *from,
              struct blob *home, struct apply_room *room)
{
    struct response *response = room->responses[--room->responses_count];
    struct request *request = ring_at (&session->requests, from->request.n);

    ASSERT (request);
    session->responses_last.n++;
    response->seq = session->responses_last;
    response->request = from->request;
    response->status = from->status;
    response->body = keep_body (room, from->body, &home);
    response->home = home;
    if (session->responses.length == 0) {
        session->responses.first = response->seq.n;
    }
    ring_push (&session->responses, response);
    session->responses_bytes += from->body.size;
    book->responses_count++;
    book->responses_bytes += from->body.size;
    book_request_free (book, session, request);
}

static void
consume_responses (struct book *book, struct session *session, struct response_seq through)
{
    ASSERT (through.n >= session->responses_consumed_through.n);
    ASSERT (through.n <= session->responses_last.n);
    if (MUTANT (CONSUMED_RESPONSES_KEPT)) return;
    for (uint64_t i = session->responses_consumed_through.n + 1; i <= through.n; i++) {
        struct response *response = ring_at (&session->responses, i);
        ASSERT (response);
        book_response_free (book, session, response);
    }
    session->responses_consumed_through = through;
}

static void
consume_requests (struct session *session, struct request_seq through)
{
    ASSERT (through.n >= session->requests_consumed_through.n);
    ASSERT (through.n <= session->requests_accepted_through.n);
    if (MUTANT (MARK_NOT_APPLIED)) return;
    session->requests_consumed_through = through;
}

static void
count_attempt (struct session *session, struct request_seq seq)
{
    struct request *request = ring_at (&session->requests, seq.n);

    ASSERT (request);
    request->attempts++;
}

static void
apply_part (struct book *book, struct session *session, const struct record *record,
            struct blob *home, struct apply_room *room)
{
    const struct record_committed *committed = &record->committed;

    if (committed->reject != REJECT_NONE && !MUTANT (REJECT_NOT_COUNTED)) {
        const struct request_seq seq = { committed->requests_consumed_through.n + 1 };
        count_attempt (session, seq);
    }
    consume_requests (session, committed->requests_consumed_through);
    consume_responses (book, session, committed->responses_consumed_through);
    for (uint32_t i = 0; i < committed->requests_count; i++) {
        add_request (book, session, &committed->requests[i], home, room);
    }
    for (uint32_t i = 0; i < committed->responses_count; i++) {
        add_response (book, session, &committed->responses[i], home, room);
    }
}

static void
apply_committed (struct book *book, const struct record *record, struct blob *home,
                 struct apply_room *room)
{
    const struct record_committed *committed = &record->committed;
    struct actor *actor = book_actor (book, committed->actor);
    struct session *session = book_session (book, committed->session);

    if (!actor) return;
    ASSERT (committed->version.n == actor->version.n + 1);
    ASSERT (committed->incarnation.n == actor->incarnation.n);
    actor->version = committed->version;
    actor->digest = committed->digest;
    replace_blob (book, &actor->restart_data, take_blob (room, 0));
    if (session) {
        apply_part (book, session, record, home, room);
    }
}

static struct server *
add_server (struct book *book, struct apply_room *room, struct blob *name)
{
    struct server *server = room->server;

    room->server = NULL;
    server->name = name;
    server->offer = OFFER_NONE;
    server->state = INSTANCE_ENDED;
    server->slot = slots_take (&book->server_slots);
    queue_init (&server->sessions);
    queue_push (&book->unoffered, &server->in_book);
    table_add (&book->servers_by_name, &server->by_name,
               hash_names (book->hash_seed, blob_view (name), (struct baton_bytes) { 0 }));
    book->servers_count++;
    return server;
}

// leave_server unbinds [session]; a server that is kept for nothing else is freed.
static void
leave_server (struct book *book, struct session *session)
{
    struct server *server = session->server;

    if (!server) return;
    session->server = NULL;
    queue_remove (&session->in_server);
    server->sessions_count--;
    server->open_count -= session->open_count;
    if (server->offer == OFFER_NONE && server->sessions_count == 0) {
        book_server_free (book, &server);
    }
}

static void
join_server (struct session *session, struct server *server)
{
    session->server = server;
    queue_push (&server->sessions, &session->in_server);
    server->sessions_count++;
    server->open_count += session->open_count;
}

static void
add_server_end (struct book *book, struct session *session, struct id id, struct apply_room *room)
{
    struct actor *actor = room->actor;

    room->actor = NULL;
    actor->id = id;
    actor->role = END_SERVER;
    queue_init (&actor->sessions);
    queue_init (&actor->in_book);
    table_add (&book->actors_by_id, &actor->by_id, hash_id (book->hash_seed, id));
    actor->session = session;
    session->server_end = actor;
}

static void
apply_bound (struct book *book, const struct record *record, struct apply_room *room)
{
    const struct record_bound *bound = &record->bound;
    struct session *session = book_session (book, bound->session);

    if (!session) return;
    struct server *server = book_server (book, bound->server);
    if (!server) {
        server = add_server (book, room, take_blob (room, 0));
    }
    if (session->server != server) {
        leave_server (book, session);
        join_server (session, server);
    }
    if (!session->server_end) {
        add_server_end (book, session, bound->actor, room);
    }
    session->bound = record->head.index;
    session->server_instance = bound->instance;
    session->server_end->instance = bound->instance;
    session->suspect_through = bound->suspect_through;
    if (MUTANT (SERVER_INCARNATION_REUSED) && session->server_end->incarnation.n > 0) return;
    session->server_end->incarnation.n = record->head.index.n;
}

static void
apply_closed (struct book *book, const struct record_closed *closed)
{
    struct session *session = book_session (book, closed->session);

    if (!session) return;
    struct actor *client = session->client;
    struct server *server = session->server;
    book_session_free (book, &session);
    if (queue_is_empty (&client->sessions)) {
        book_actor_free (book, &client);
    }
    if (server && server->offer == OFFER_NONE && server->sessions_count == 0) {
        book_server_free (book, &server);
    }
}

static void
apply_offered (struct book *book, const struct record *record, struct apply_room *room)
{
    const struct record_offered *offered = &record->offered;
    struct server *server = book_server (book, offered->name);

    if (!server) {
        server = add_server (book, room, take_blob (room, 0));
    }
    replace_blob (book, &server->principal, take_blob (room, 1));
    replace_blob (book, &server->set, take_blob (room, 2));
    replace_blob (book, &server->attributes, take_blob (room, 3));
    replace_blob (book, &server->attributes_home, take_blob (room, 4));
    const void *items = server->attributes_home->data;
    server->items.items = items;
    server->items.count = (uint32_t) (server->attributes_home->size / sizeof (struct attribute));
    server->offer = OFFER_KNOWN;
    server->offered = record->head.index;
    server->offered_log_bytes = book->log_bytes;
    server->instance = offered->instance;
    server->state = offered->state == OFFER_CURRENT && !MUTANT (OFFER_NOT_CURRENT)
        ? INSTANCE_CURRENT : INSTANCE_ENDED;
    server->capacity = offered->capacity;
    server->credit_count = offered->credit_count;
    server->credit_bytes = offered->credit_bytes;
    server->known_since_utc_ms = offered->known_since_utc_ms;
    server->ended = offered->ended;
    server->ended_unknown = offered->ended_unknown;
    memcpy (server->former.instances, offered->former, sizeof offered->former);
    server->former.count = offered->former_count;
    queue_remove (&server->in_book);
    queue_push (&book->servers, &server->in_book);
}

static void
apply_end_item (struct book *book, const struct record_end_item *item, struct blob *home,
                struct apply_room *room)
{
    struct session *session = book_session (book, item->session);

    if (!session) return;
    if (item->suspect_through.n > session->suspect_through.n && !MUTANT (SUSPECT_MARK_LOST)) {
        session->suspect_through = item->suspect_through;
    }
    if (item->outcome != ATTEMPT_UNCOUNTED && !MUTANT (DEATH_NOT_COUNTED)) {
        count_attempt (session, item->suspect_through);
    }
    if (item->outcome == ATTEMPT_GIVEN_UP) {
        const struct msg_response failed = {
            .request = item->suspect_through, .status = RESPONSE_FAILED,
        };
        add_response (book, session, &failed, home, room);
    }
}

static void
apply_server_ended (struct book *book, const struct record *record, struct blob *home,
                    struct apply_room *room)
{
    const struct record_server_ended *ended = &record->server_ended;
    struct server *server = book_server (book, ended->name);

    if (!server) return;
    server->state = INSTANCE_ENDED;
    server->ended = record->head.index;
    if (ended->reason == ENDED_BY_NEW_INSTANCE) {
        former_add (&server->former, server->instance);
        server->instance = (struct id) { 0 };
    }
    if (ended->held == HELD_UNKNOWN) {
        server->ended_unknown = record->head.index;
    }
    for (uint32_t i = 0; i < ended->items_count; i++) {
        apply_end_item (book, &ended->items[i], home, room);
    }
}

static void
apply_offer_retired (struct book *book, const struct record_offer_retired *retired)
{
    struct server *server = book_server (book, retired->name);

    if (!server) return;
    server->offer = OFFER_NONE;
    server->state = INSTANCE_ENDED;
    queue_remove (&server->in_book);
    queue_push (&book->unoffered, &server->in_book);
    if (server->sessions_count == 0) {
        book_server_free (book, &server);
    }
}

static void
apply_body (struct book *book, const struct record *record, struct blob *home,
            struct apply_room *room)
{
    switch ((enum record_type) record->head.type) {
    case RECORD_EPOCH: return;
    case RECORD_OPENED: apply_opened (book, record, room); return;
    case RECORD_COMMITTED: apply_committed (book, record, home, room); return;
    case RECORD_BOUND: apply_bound (book, record, room); return;
    case RECORD_CLOSED: apply_closed (book, &record->closed); return;
    case RECORD_OFFERED: apply_offered (book, record, room); return;
    case RECORD_SERVER_ENDED: apply_server_ended (book, record, home, room); return;
    case RECORD_OFFER_RETIRED: apply_offer_retired (book, &record->offer_retired); return;
    }
}

void
apply (struct book *book, const struct record *record, struct blob *home, struct apply_room *room)
{
    ASSERT (record->head.index.n > book->last_index.n);
    ASSERT (record->head.epoch.n >= book->epoch.n);
    apply_body (book, record, home, room);
    book->epoch = record->head.epoch;
    book->last_index = record->head.index;
    book->log_bytes += home->size;
    book->chain = record_chain (blob_view (home));
}
