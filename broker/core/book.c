// SPDX-License-Identifier: MPL-2.0
#include "broker/core/book.h"

#include "proto/assert.h"
#include "proto/mutant.h"

#include <string.h>

#define SLOTS_CAPACITY_MIN 16u

struct name_key { struct baton_bytes principal; struct baton_bytes name; };

static bool
session_has_id (const struct table_node *node, const void *key)
{
    return id_equal (table_owner (node, const struct session, by_id)->id, *(const struct id *) key);
}

static bool
session_has_name (const struct table_node *node, const void *key)
{
    const struct session *session = table_owner (node, const struct session, by_name);
    const struct name_key *wanted = key;

    return bytes_equal (blob_view (session->name), wanted->name)
        && bytes_equal (blob_view (session->principal), wanted->principal);
}

static bool
actor_has_id (const struct table_node *node, const void *key)
{
    return id_equal (table_owner (node, const struct actor, by_id)->id, *(const struct id *) key);
}

static bool
actor_has_name (const struct table_node *node, const void *key)
{
    const struct actor *actor = table_owner (node, const struct actor, by_name);
    const struct name_key *wanted = key;

    return bytes_equal (blob_view (actor->name), wanted->name)
        && bytes_equal (blob_view (actor->principal), wanted->principal);
}

static bool
server_has_name (const struct table_node *node, const void *key)
{
    const struct server *server = table_owner (node, const struct server, by_name);

    return bytes_equal (blob_view (server->name), *(const struct baton_bytes *) key);
}

void
book_init (struct book *book, const struct memory *memory, uint64_t hash_seed)
{
    memset (book, 0, sizeof *book);
    book->memory = memory;
    book->hash_seed = hash_seed;
    queue_init (&book->sessions);
    queue_init (&book->client_actors);
    queue_init (&book->servers);
    queue_init (&book->unoffered);
}

static void
book_free_servers (struct book *book, struct queue *list)
{
    for (struct queue *link; (link = queue_first (list));) {
        struct server *server = queue_owner (link, struct server, in_book);
        book_server_free (book, &server);
    }
}

static void
slots_fini (struct slots *slots, const struct memory *memory)
{
    memory_release (memory, slots->free, slots->capacity * sizeof *slots->free);
}

void
book_fini (struct book *book)
{
    for (struct queue *link; (link = queue_first (&book->sessions));) {
        struct session *session = queue_owner (link, struct session, in_book);
        book_session_free (book, &session);
    }
    for (struct queue *link; (link = queue_first (&book->client_actors));) {
        struct actor *actor = queue_owner (link, struct actor, in_book);
        book_actor_free (book, &actor);
    }
    book_free_servers (book, &book->servers);
    book_free_servers (book, &book->unoffered);
    table_fini (&book->sessions_by_id, book->memory);
    table_fini (&book->sessions_by_name, book->memory);
    table_fini (&book->actors_by_id, book->memory);
    table_fini (&book->actors_by_name, book->memory);
    table_fini (&book->servers_by_name, book->memory);
    slots_fini (&book->session_slots, book->memory);
    slots_fini (&book->server_slots, book->memory);
}

struct session *
book_session (const struct book *book, struct id id)
{
    const uint64_t hash = hash_id (book->hash_seed, id);
    struct table_node *node = table_find (&book->sessions_by_id, hash, session_has_id, &id);

    return node ? table_owner (node, struct session, by_id) : NULL;
}

struct session *
book_session_by_name (const struct book *book, struct baton_bytes principal,
                      struct baton_bytes name)
{
    const struct name_key key = { principal, name };
    const uint64_t hash = hash_names (book->hash_seed, principal, name);
    struct table_node *node =
        table_find (&book->sessions_by_name, hash, session_has_name, &key);

    return node ? table_owner (node, struct session, by_name) : NULL;
}

struct actor *
book_actor (const struct book *book, struct id id)
{
    const uint64_t hash = hash_id (book->hash_seed, id);
    struct table_node *node = table_find (&book->actors_by_id, hash, actor_has_id, &id);

    return node ? table_owner (node, struct actor, by_id) : NULL;
}

struct actor *
book_client_actor (const struct book *book, struct baton_bytes principal,
                   struct baton_bytes name)
{
    const struct name_key key = { principal, name };
    const uint64_t hash = hash_names (book->hash_seed, principal, name);
    struct table_node *node = table_find (&book->actors_by_name, hash, actor_has_name, &key);

    return node ? table_owner (node, struct actor, by_name) : NULL;
}

struct server *
book_server (const struct book *book, struct baton_bytes name)
{
    const uint64_t hash = hash_names (book->hash_seed, name, (struct baton_bytes) { 0 });
    struct table_node *node =
        table_find (&book->servers_by_name, hash, server_has_name, &name);

    return node ? table_owner (node, struct server, by_name) : NULL;
}

static enum baton_err
slots_reserve (struct slots *slots, const struct memory *memory)
{
    if (slots->free_count > 0 || slots->count < slots->capacity) return BATON_OK;
    const uint32_t capacity = slots->capacity ? slots->capacity * 2 : SLOTS_CAPACITY_MIN;
    uint32_t *grown = memory_alloc (memory, capacity * sizeof *grown);
    if (!grown) return BATON_NO_MEMORY;
    memory_release (memory, slots->free, slots->capacity * sizeof *slots->free);
    slots->free = grown; // all numbers are in use, so there is nothing to copy
    slots->capacity = capacity;
    return BATON_OK;
}

enum baton_err
book_reserve (struct book *book)
{
    struct table *tables[] = {
        &book->sessions_by_id, &book->sessions_by_name, &book->actors_by_name,
        &book->servers_by_name,
    };

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (table_reserve (tables[i], book->memory, 1)) return BATON_NO_MEMORY;
    }
    // One record may open a session with its client's actor.
    if (table_reserve (&book->actors_by_id, book->memory, 2)) return BATON_NO_MEMORY;
    if (slots_reserve (&book->session_slots, book->memory)) return BATON_NO_MEMORY;
    return slots_reserve (&book->server_slots, book->memory);
}

uint32_t
slots_take (struct slots *slots)
{
    if (slots->free_count > 0) return slots->free[--slots->free_count];
    ASSERT (slots->count < slots->capacity);
    return slots->count++;
}

void
slots_give (struct slots *slots, uint32_t slot)
{
    ASSERT (slot < slots->count);
    ASSERT (slots->free_count < slots->capacity);
    slots->free[slots->free_count++] = slot;
}

bool
slots_gave_last (const struct slots *slots, uint32_t slot)
{
    return slots->free_count > 0 && slots->free[slots->free_count - 1] == slot;
}

void
book_actor_free (struct book *book, struct actor **self)
{
    struct actor *actor = *self;

    *self = NULL;
    if (!actor) return;
    ASSERT (queue_is_empty (&actor->sessions));
    table_remove (&book->actors_by_id, &actor->by_id);
    if (actor->role == END_CLIENT) {
        table_remove (&book->actors_by_name, &actor->by_name);
        queue_remove (&actor->in_book);
    }
    blob_drop (book->memory, &actor->principal);
    blob_drop (book->memory, &actor->name);
    blob_drop (book->memory, &actor->restart_data);
    memory_release (book->memory, actor->former, sizeof *actor->former);
    memory_release (book->memory, actor, sizeof *actor);
}

void
book_request_free (struct book *book, struct session *session, struct request *request)
{
    ring_remove (&session->requests, request->seq.n);
    ASSERT (session->open_count > 0);
    session->open_count--;
    session->requests_bytes -= request->body.size;
    book->requests_count--;
    book->requests_bytes -= request->body.size;
    if (session->server) {
        ASSERT (session->server->open_count > 0);
        session->server->open_count--;
    }
    blob_drop (book->memory, &request->home);
    memory_release (book->memory, request, sizeof *request);
}

void
book_response_free (struct book *book, struct session *session, struct response *response)
{
    ring_remove (&session->responses, response->seq.n);
    session->responses_bytes -= response->body.size;
    book->responses_count--;
    book->responses_bytes -= response->body.size;
    blob_drop (book->memory, &response->home);
    memory_release (book->memory, response, sizeof *response);
}

static void
session_free_queues (struct book *book, struct session *session)
{
    while (session->requests.length > 0) {
        book_request_free (book, session, ring_at (&session->requests, session->requests.first));
    }
    while (session->responses.length > 0) {
        book_response_free (book, session,
                            ring_at (&session->responses, session->responses.first));
    }
    ring_fini (&session->requests, book->memory);
    ring_fini (&session->responses, book->memory);
}

void
book_session_free (struct book *book, struct session **self)
{
    struct session *session = *self;

    *self = NULL;
    session_free_queues (book, session);
    if (!MUTANT (CLOSED_SERVER_END_STAYS)) {
        book_actor_free (book, &session->server_end);
    }
    if (session->server) {
        session->server->sessions_count--;
    }
    queue_remove (&session->in_server);
    queue_remove (&session->in_actor);
    queue_remove (&session->in_book);
    table_remove (&book->sessions_by_id, &session->by_id);
    table_remove (&book->sessions_by_name, &session->by_name);
    slots_give (&book->session_slots, session->slot);
    blob_drop (book->memory, &session->principal);
    blob_drop (book->memory, &session->name);
    blob_drop (book->memory, &session->requirement);
    memory_release (book->memory, session, sizeof *session);
    book->sessions_count--;
}

void
book_server_free (struct book *book, struct server **self)
{
    struct server *server = *self;

    *self = NULL;
    ASSERT (queue_is_empty (&server->sessions));
    ASSERT (server->open_count == 0);
    queue_remove (&server->in_book);
    table_remove (&book->servers_by_name, &server->by_name);
    slots_give (&book->server_slots, server->slot);
    blob_drop (book->memory, &server->name);
    blob_drop (book->memory, &server->principal);
    blob_drop (book->memory, &server->set);
    blob_drop (book->memory, &server->attributes);
    blob_drop (book->memory, &server->attributes_home);
    memory_release (book->memory, server, sizeof *server);
    book->servers_count--;
}

static void
pin (struct log_index *oldest, struct log_index index)
{
    if (index.n < oldest->n) {
        *oldest = index;
    }
}

struct log_index
book_pinned (const struct book *book)
{
    struct log_index oldest = { book->last_index.n + 1 };
    const struct queue *link;

    if ((link = queue_first (&book->sessions))) {
        pin (&oldest, queue_owner (link, const struct session, in_book)->opened);
    }
    if ((link = queue_first (&book->client_actors))) {
        pin (&oldest, queue_owner (link, const struct actor, in_book)->opened);
    }
    if ((link = queue_first (&book->servers)) && !MUTANT (PIN_FORGETS_OFFERS)) {
        pin (&oldest, queue_owner (link, const struct server, in_book)->offered);
    }
    return oldest;
}
