// SPDX-License-Identifier: MPL-2.0
// The digest of a book: brokers and tests compare digests, never files or memory.
#include "broker/core/book.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static void
mix (uint64_t *digest, uint64_t number)
{
    *digest = hash_number (*digest, number);
}

static void
mix_id (uint64_t *digest, struct id id)
{
    *digest = hash_id (*digest, id);
}

static void
mix_bytes (uint64_t *digest, struct baton_bytes bytes)
{
    mix (digest, bytes.size);
    if (bytes.size > 0) {
        *digest = XXH3_64bits_withSeed (bytes.data, bytes.size, *digest);
    }
}

static void
mix_former (uint64_t *digest, const struct former *former)
{
    mix (digest, former ? former->count : 0);
    for (uint8_t i = 0; former && i < former->count; i++) {
        mix_id (digest, former->instances[i]);
    }
}

static void
mix_actor (uint64_t *digest, const struct actor *actor)
{
    mix_id (digest, actor->id);
    mix_bytes (digest, blob_view (actor->principal));
    mix_bytes (digest, blob_view (actor->name));
    mix (digest, actor->opened.n);
    mix (digest, actor->incarnation.n);
    mix_id (digest, actor->instance);
    mix_former (digest, actor->former);
    mix (digest, actor->version.n);
    mix (digest, actor->digest);
    mix_bytes (digest, blob_view (actor->restart_data));
}

static void
mix_requests (uint64_t *digest, const struct session *session)
{
    for (uint32_t i = 0; i < session->requests.length; i++) {
        const struct request *request = ring_at (&session->requests, session->requests.first + i);
        if (request) {
            mix (digest, request->seq.n);
            mix (digest, request->attempts);
            mix_bytes (digest, request->body);
        }
    }
}

static void
mix_responses (uint64_t *digest, const struct session *session)
{
    for (uint32_t i = 0; i < session->responses.length; i++) {
        const struct response *response =
            ring_at (&session->responses, session->responses.first + i);
        mix (digest, response->seq.n);
        mix (digest, response->request.n);
        mix (digest, response->status);
        mix_bytes (digest, response->body);
    }
}

static void
mix_session (uint64_t *digest, const struct session *session)
{
    mix_id (digest, session->id);
    mix (digest, session->kind);
    mix (digest, session->opened.n);
    mix_bytes (digest, blob_view (session->principal));
    mix_bytes (digest, blob_view (session->name));
    mix_bytes (digest, blob_view (session->requirement));
    mix_id (digest, session->client->id);
    if (session->server_end) {
        mix_actor (digest, session->server_end);
        mix_bytes (digest, blob_view (session->server->name));
        mix_id (digest, session->server_instance);
    }
    mix (digest, session->requests_accepted_through.n);
    mix (digest, session->requests_consumed_through.n);
    mix (digest, session->suspect_through.n);
    mix (digest, session->responses_last.n);
    mix (digest, session->responses_consumed_through.n);
    mix_requests (digest, session);
    mix_responses (digest, session);
}

static void
mix_server (uint64_t *digest, const struct server *server)
{
    mix_bytes (digest, blob_view (server->name));
    mix_bytes (digest, blob_view (server->principal));
    mix_bytes (digest, blob_view (server->set));
    mix_bytes (digest, blob_view (server->attributes));
    mix_id (digest, server->instance);
    mix (digest, server->state);
    mix (digest, server->capacity);
    mix (digest, server->credit_count);
    mix (digest, server->credit_bytes);
    mix (digest, server->known_since_utc_ms);
    mix (digest, server->offered.n);
    mix (digest, server->ended.n);
    mix (digest, server->ended_unknown.n);
    mix_former (digest, &server->former);
}

uint64_t
book_digest (const struct book *book)
{
    uint64_t digest = 0;
    struct queue *link;

    mix (&digest, book->epoch.n);
    mix (&digest, book->last_index.n);
    mix (&digest, book->chain);
    queue_each (link, &book->sessions) {
        mix_session (&digest, queue_owner (link, const struct session, in_book));
    }
    queue_each (link, &book->client_actors) {
        mix_actor (&digest, queue_owner (link, const struct actor, in_book));
    }
    queue_each (link, &book->servers) {
        mix_server (&digest, queue_owner (link, const struct server, in_book));
    }
    return digest;
}
