// SPDX-License-Identifier: MPL-2.0
#include "broker/core/roster.h"

#include "proto/assert.h"

#include <string.h>

#define ROSTER_CAPACITY_MIN 16u
#define NS_PER_S 1000000000u

void
roster_init (struct roster *roster, const struct memory *memory, uint64_t hash_seed)
{
    memset (roster, 0, sizeof *roster);
    roster->memory = memory;
    roster->hash_seed = hash_seed;
    roster->servers_due_ns = UINT64_MAX;
    queue_init (&roster->heard);
    queue_init (&roster->absent);
    queue_init (&roster->clients_to_serve);
    queue_init (&roster->servers_to_serve);
    queue_init (&roster->to_place);
    queue_init (&roster->waiting);
    queue_init (&roster->backoff);
}

static void
link_free (struct roster *roster, struct roster_link *link)
{
    queue_remove (&link->in_heard);
    table_remove (&roster->links, &link->by_number);
    roster->links_count--;
    blob_drop (roster->memory, &link->principal);
    blob_drop (roster->memory, &link->name);
    memory_release (roster->memory, link, sizeof *link);
}

void
roster_fini (struct roster *roster)
{
    for (struct queue *first; (first = queue_first (&roster->heard));) {
        link_free (roster, queue_owner (first, struct roster_link, in_heard));
    }
    for (uint32_t i = 0; i < roster->sessions_capacity; i++) {
        memory_release (roster->memory, roster->sessions[i], sizeof **roster->sessions);
    }
    for (uint32_t i = 0; i < roster->servers_capacity; i++) {
        memory_release (roster->memory, roster->servers[i], sizeof **roster->servers);
    }
    memory_release (roster->memory, roster->sessions,
                    roster->sessions_capacity * sizeof *roster->sessions);
    memory_release (roster->memory, roster->servers,
                    roster->servers_capacity * sizeof *roster->servers);
    table_fini (&roster->links, roster->memory);
}

// grow_places makes the array at [places] hold at least [count] pointers, new ones NULL.
static enum baton_err
grow_places (const struct memory *memory, void ***places, uint32_t *capacity, uint32_t count)
{
    uint32_t wanted = *capacity ? *capacity : ROSTER_CAPACITY_MIN;

    while (wanted < count) {
        wanted *= 2;
    }
    if (wanted == *capacity) return BATON_OK;
    void **grown = memory_alloc (memory, wanted * sizeof *grown);
    if (!grown) return BATON_NO_MEMORY;
    memset (grown, 0, wanted * sizeof *grown);
    if (*capacity) {
        memcpy (grown, *places, *capacity * sizeof *grown);
    }
    memory_release (memory, *places, *capacity * sizeof *grown);
    *places = grown;
    *capacity = wanted;
    return BATON_OK;
}

static void
session_place_init (struct roster_session *place)
{
    memset (place, 0, sizeof *place);
    queue_init (&place->in_link);
    queue_init (&place->in_absent);
    queue_init (&place->in_clients);
    queue_init (&place->in_server);
    queue_init (&place->in_placing);
    queue_init (&place->in_backoff);
}

static void
server_place_init (struct roster_server *place)
{
    memset (place, 0, sizeof *place);
    queue_init (&place->sessions);
    queue_init (&place->in_work);
}

static enum baton_err
reserve_sessions (struct roster *roster, uint32_t count)
{
    void **places = (void **) roster->sessions;
    const enum baton_err error =
        grow_places (roster->memory, &places, &roster->sessions_capacity, count);

    roster->sessions = (struct roster_session **) places;
    if (error) return error;
    // Slots are handed out one by one, so at most the last few have no place yet.
    for (uint32_t i = count; i > 0 && !roster->sessions[i - 1]; i--) {
        struct roster_session *place = memory_alloc (roster->memory, sizeof *place);
        if (!place) return BATON_NO_MEMORY;
        session_place_init (place);
        roster->sessions[i - 1] = place;
    }
    return BATON_OK;
}

static enum baton_err
reserve_servers (struct roster *roster, uint32_t count)
{
    void **places = (void **) roster->servers;
    const enum baton_err error =
        grow_places (roster->memory, &places, &roster->servers_capacity, count);

    roster->servers = (struct roster_server **) places;
    if (error) return error;
    for (uint32_t i = count; i > 0 && !roster->servers[i - 1]; i--) {
        struct roster_server *place = memory_alloc (roster->memory, sizeof *place);
        if (!place) return BATON_NO_MEMORY;
        server_place_init (place);
        roster->servers[i - 1] = place;
    }
    return BATON_OK;
}

enum baton_err
roster_reserve (struct roster *roster, uint32_t sessions, uint32_t servers)
{
    if (reserve_sessions (roster, sessions)) return BATON_NO_MEMORY;
    return reserve_servers (roster, servers);
}

struct roster_session *
roster_session (const struct roster *roster, const struct session *session)
{
    ASSERT (session->slot < roster->sessions_capacity);
    ASSERT (roster->sessions[session->slot]);
    return roster->sessions[session->slot];
}

struct roster_server *
roster_server (const struct roster *roster, const struct server *server)
{
    ASSERT (server->slot < roster->servers_capacity);
    ASSERT (roster->servers[server->slot]);
    return roster->servers[server->slot];
}

static bool
link_has_number (const struct table_node *node, const void *key)
{
    const struct link_number *number = key;

    return table_owner (node, const struct roster_link, by_number)->number.n == number->n;
}

struct roster_link *
roster_link (const struct roster *roster, struct link_number number)
{
    const uint64_t hash = hash_number (roster->hash_seed, number.n);
    struct table_node *node = table_find (&roster->links, hash, link_has_number, &number);

    return node ? table_owner (node, struct roster_link, by_number) : NULL;
}

enum baton_err
roster_add_link (struct roster *roster, struct link_number number, struct baton_bytes principal,
                 const struct msg_hello *hello, struct roster_link **self)
{
    struct roster_link *link;

    if (table_reserve (&roster->links, roster->memory, 1)) return BATON_NO_MEMORY;
    link = memory_alloc (roster->memory, sizeof *link);
    if (!link) return BATON_NO_MEMORY;
    memset (link, 0, sizeof *link);
    link->principal = blob_copy (roster->memory, principal);
    link->name = blob_copy (roster->memory, hello->name);
    if (!link->principal || !link->name) goto err_after_alloc;
    link->number = number;
    link->role = hello->role;
    link->instance = hello->instance;
    queue_init (&link->clients);
    queue_push (&roster->heard, &link->in_heard);
    table_add (&roster->links, &link->by_number, hash_number (roster->hash_seed, number.n));
    roster->links_count++;
    *self = link;
    return BATON_OK;

err_after_alloc:
    blob_drop (roster->memory, &link->principal);
    blob_drop (roster->memory, &link->name);
    memory_release (roster->memory, link, sizeof *link);
    return BATON_NO_MEMORY;
}

void
roster_leave (struct roster *roster, struct roster_session *place, uint64_t now_ns)
{
    place->client = NULL;
    place->absent_since_ns = now_ns;
    queue_remove (&place->in_link);
    queue_remove (&place->in_clients);
    queue_remove (&place->in_absent);
    queue_push (&roster->absent, &place->in_absent);
}

void
roster_leave_all (struct roster *roster, struct roster_link *link, uint64_t now_ns)
{
    for (struct queue *first; (first = queue_first (&link->clients));) {
        roster_leave (roster, queue_owner (first, struct roster_session, in_link), now_ns);
    }
}

void
roster_drop_link (struct roster *roster, struct roster_link *link, uint64_t now_ns)
{
    roster_leave_all (roster, link, now_ns);
    if (link->server) {
        link->server->link = NULL;
        link->server->gone_since_ns = link->heard_ns;
        link->server->silence = SILENCE_RUNNING;
        roster->servers_due_ns = now_ns;
    }
    link_free (roster, link);
}

void
roster_hear (struct roster *roster, struct roster_link *link, uint64_t now_ns)
{
    link->heard_ns = now_ns;
    queue_remove (&link->in_heard);
    queue_push (&roster->heard, &link->in_heard);
}

void
roster_begin_session (struct roster *roster, const struct session *session, uint64_t now_ns)
{
    struct roster_session *place = roster->sessions[session->slot];

    ASSERT (!place->session);
    session_place_init (place);
    place->session = session;
    place->client_phase = CLIENT_LIVE;
    place->binding = SERVER_TOLD;
    place->server_phase = SERVER_LIVE;
    place->requests_sent_through = session->requests_consumed_through;
    roster_leave (roster, place, now_ns);
}

void
roster_begin_server (struct roster *roster, const struct server *server, uint64_t now_ns)
{
    struct roster_server *place = roster->servers[server->slot];

    ASSERT (!place->server);
    server_place_init (place);
    place->server = server;
    place->marks = MARKS_UNKNOWN;
    place->gone_since_ns = now_ns;
    place->idle_since_ns = now_ns;
    place->silence = SILENCE_RUNNING;
    place->work = WORK_SHARED;
    roster->servers_due_ns = now_ns;
}

void
roster_end_session (struct roster *roster, uint32_t slot)
{
    struct roster_session *place = roster->sessions[slot];

    queue_remove (&place->in_link);
    queue_remove (&place->in_absent);
    queue_remove (&place->in_clients);
    queue_remove (&place->in_server);
    queue_remove (&place->in_placing);
    queue_remove (&place->in_backoff);
    session_place_init (place);
}

void
roster_end_server (struct roster *roster, uint32_t slot)
{
    struct roster_server *place = roster->servers[slot];

    ASSERT (queue_is_empty (&place->sessions));
    queue_remove (&place->in_work);
    if (place->link) {
        place->link->server = NULL;
    }
    server_place_init (place);
}

void
roster_seat (struct roster_session *place, struct roster_link *link)
{
    place->client = link;
    queue_remove (&place->in_absent);
    queue_remove (&place->in_link);
    queue_push (&link->clients, &place->in_link);
}

void
roster_serve_client (struct roster *roster, struct roster_session *place)
{
    if (place->client && !queue_holds (&place->in_clients)) {
        queue_push (&roster->clients_to_serve, &place->in_clients);
    }
}

void
roster_serve_server (struct roster *roster, struct roster_server *server,
                     struct roster_session *place)
{
    if (!queue_holds (&place->in_server)) {
        queue_push (&server->sessions, &place->in_server);
    }
    roster_work (roster, server);
}

void
roster_work (struct roster *roster, struct roster_server *server)
{
    if (server->link && !queue_is_empty (&server->sessions) && !queue_holds (&server->in_work)) {
        queue_push (&roster->servers_to_serve, &server->in_work);
    }
}

void
roster_place (struct roster *roster, struct roster_session *place)
{
    queue_remove (&place->in_placing);
    queue_push (&roster->to_place, &place->in_placing);
}

void
roster_retry (struct roster *roster)
{
    queue_splice (&roster->to_place, &roster->waiting);
}

void
roster_unsend (struct roster_server *server, struct roster_session *place,
               struct request_seq consumed_through)
{
    const uint64_t held_count = place->requests_sent_through.n > consumed_through.n
        ? place->requests_sent_through.n - consumed_through.n : 0;

    ASSERT (server->held_count >= held_count);
    ASSERT (server->held_bytes >= place->held_bytes);
    server->held_count -= held_count;
    server->held_bytes -= place->held_bytes;
    if (server->held_count == 0) {
        server->work = WORK_SHARED;
    }
    place->held_bytes = 0;
    place->requests_sent_through = consumed_through;
}

static uint32_t
rate_place (const struct roster *roster, struct baton_bytes principal)
{
    const struct baton_bytes none = { 0 };

    return (uint32_t) (hash_names (roster->hash_seed, principal, none) % ROSTER_RATES_COUNT);
}

uint32_t
roster_rate (const struct roster *roster, struct baton_bytes principal, uint64_t now_ns)
{
    const struct roster_rate *rate = &roster->rates[rate_place (roster, principal)];

    return now_ns - rate->since_ns < NS_PER_S ? rate->count : 0;
}

void
roster_rate_add (struct roster *roster, struct baton_bytes principal, uint64_t now_ns)
{
    struct roster_rate *rate = &roster->rates[rate_place (roster, principal)];

    if (now_ns - rate->since_ns >= NS_PER_S) {
        rate->since_ns = now_ns;
        rate->count = 0;
    }
    rate->count++;
}
