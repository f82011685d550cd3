// SPDX-License-Identifier: MPL-2.0
// Rules of servers: HELLO, OFFER, GOODBYE, and what silence leads to.
#include "broker/core/decide.h"

#include "proto/assert.h"
#include "proto/mutant.h"

#include <string.h>

// What a server had in its hands in one session: delivered and not consumed.
static uint64_t
held_count (const struct roster_session *place)
{
    const uint64_t consumed = place->session->requests_consumed_through.n;

    return place->requests_sent_through.n > consumed
        ? place->requests_sent_through.n - consumed : 0;
}

// What an end counts for the last request that [session] had delivered. Only one that was alone
// in the server's hands can be blamed; with several, all are suspect and none is counted.
static enum attempt_outcome
outcome_of (const struct scene *scene, const struct session *session,
            const struct roster_session *place, uint64_t held_by_server)
{
    const struct request *request = session_request (session, place->requests_sent_through);

    if (!request) return ATTEMPT_UNCOUNTED;
    if (held_by_server != 1 && !MUTANT (COUNTED_IN_COMPANY)) return ATTEMPT_UNCOUNTED;
    return request->attempts + 1 < scene->options->attempts_max
        ? ATTEMPT_COUNTED : ATTEMPT_GIVEN_UP;
}

static void
end_items (const struct scene *scene, const struct server *server, struct decision *decision)
{
    const struct roster_server *place = roster_server (scene->roster, server);
    struct record_server_ended *ended = &decision->record.server_ended;
    const struct queue *link;

    queue_each (link, &server->sessions) {
        const struct session *session = queue_owner (link, const struct session, in_server);
        const struct roster_session *held = roster_session (scene->roster, session);
        if (held_count (held) == 0) continue;
        ASSERT (ended->items_count < LIMIT_RECORD_ITEMS_MAX);
        decision->room->items[ended->items_count++] = (struct record_end_item) {
            .session = session->id,
            .suspect_through = held->requests_sent_through,
            .outcome = outcome_of (scene, session, held, place->held_count),
        };
    }
}

// A death is known in what it held if the server said HELLO in this reign; a server that takes
// its leave gives back what it held, without suspicion.
static enum verdict
decide_end (const struct scene *scene, const struct server *server, enum end_reason reason,
            struct decision *decision)
{
    const struct roster_server *place = roster_server (scene->roster, server);
    struct record_server_ended *ended = &decision->record.server_ended;

    decide_begin (decision, RECORD_SERVER_ENDED);
    ended->name = blob_view (server->name);
    ended->instance = server->instance;
    ended->reason = reason;
    ended->held = place->marks == MARKS_KNOWN ? HELD_KNOWN : HELD_UNKNOWN;
    ended->items = decision->room->items;
    if (reason != ENDED_BY_GOODBYE) {
        end_items (scene, server, decision);
    }
    return VERDICT_RECORD;
}

static enum verdict
decide_hello_shape (const struct scene *scene, struct decision *decision)
{
    const struct msg_hello *hello = &scene->event->msg->hello;

    if (hello->name.size > LIMIT_NAME_MAX_BYTES
        || (hello->role == END_SERVER && hello->name.size == 0)) {
        return decide_limit (scene, decision, REFUSAL_MALFORMED, "bytes of the name",
                             hello->name.size, LIMIT_NAME_MAX_BYTES);
    }
    if (id_is_none (hello->instance)) {
        return decide_refuse (scene, decision, REFUSAL_MALFORMED, "instance");
    }
    if (!scene->link && scene->roster->links_count >= scene->options->connections_max_count) {
        return decide_busy (scene, decision, BUSY_RATE, "connections",
                            scene->roster->links_count, scene->options->connections_max_count);
    }
    decision->verdict = VERDICT_ANSWER;
    return VERDICT_ANSWER;
}

enum verdict
decide_hello (const struct scene *scene, struct decision *decision)
{
    const struct msg_hello *hello = &scene->event->msg->hello;
    const struct server *server =
        hello->role == END_SERVER ? book_server (scene->book, hello->name) : NULL;
    const enum verdict verdict = decide_hello_shape (scene, decision);

    if (verdict == VERDICT_REFUSE || !server || server->offer == OFFER_NONE) return verdict;
    if (!bytes_equal (blob_view (server->principal), scene->event->principal)) {
        return decide_refuse (scene, decision, REFUSAL_DENIED, "server of another principal");
    }
    if (former_has (&server->former, hello->instance) && !MUTANT (FORMER_SERVER_RETURNS)) {
        return decide_refuse (scene, decision, REFUSAL_FENCED, "server: a newer instance exists");
    }
    if (server->state == INSTANCE_ENDED || id_equal (server->instance, hello->instance)) {
        return verdict;
    }
    return decide_end (scene, server, ENDED_BY_NEW_INSTANCE, decision);
}

static enum verdict
decide_offer_shape (const struct scene *scene, struct decision *decision)
{
    const struct msg_offer *offer = &scene->event->msg->offer;
    struct attribute items[LIMIT_ATTRIBUTES_MAX_COUNT];
    struct attributes attributes;

    if (offer->set.size > LIMIT_NAME_MAX_BYTES) {
        return decide_limit (scene, decision, REFUSAL_MALFORMED, "bytes of the set name",
                             offer->set.size, LIMIT_NAME_MAX_BYTES);
    }
    if (offer->capacity == 0) {
        return decide_refuse (scene, decision, REFUSAL_MALFORMED, "capacity");
    }
    if (offer->credit_count == 0 || offer->credit_count > LIMIT_CREDIT_COUNT) {
        return decide_limit (scene, decision, REFUSAL_MALFORMED, "credit_count",
                             offer->credit_count, LIMIT_CREDIT_COUNT);
    }
    if (attributes_view (offer->attributes, items, &attributes)) {
        return decide_refuse (scene, decision, REFUSAL_MALFORMED, "attributes");
    }
    return VERDICT_NOTHING;
}

static bool
offer_is_same (const struct server *server, const struct msg_offer *offer)
{
    return bytes_equal (blob_view (server->set), offer->set)
        && bytes_equal (blob_view (server->attributes), offer->attributes)
        && server->capacity == offer->capacity && server->credit_count == offer->credit_count
        && server->credit_bytes == offer->credit_bytes;
}

// remember fills in what an offer inherits from what is known of the server.
static void
remember (const struct server *server, struct id instance, struct record_offered *offered)
{
    struct former former = server->former;

    offered->ended = server->ended;
    offered->ended_unknown = server->ended_unknown;
    if (!id_is_none (server->instance) && !id_equal (server->instance, instance)) {
        former_add (&former, server->instance);
    }
    memcpy (offered->former, former.instances, sizeof offered->former);
    offered->former_count = former.count;
}

// Who offers: its HELLO may be older than what is known of the server now.
static enum verdict
decide_offer_rights (const struct scene *scene, struct decision *decision,
                     const struct server *server)
{
    const struct id instance = scene->link->instance;

    if (!server || server->offer == OFFER_NONE) return VERDICT_NOTHING;
    if (!bytes_equal (blob_view (server->principal), scene->event->principal)) {
        return decide_refuse (scene, decision, REFUSAL_DENIED, "server of another principal");
    }
    if (former_has (&server->former, instance) && !MUTANT (FORMER_SERVER_RETURNS)) {
        return decide_refuse (scene, decision, REFUSAL_FENCED, "server: a newer instance exists");
    }
    // Only HELLO ends another instance, by record.
    if (server->state == INSTANCE_CURRENT && !id_equal (server->instance, instance)) {
        return decide_refuse (scene, decision, REFUSAL_HELLO_FIRST, "another instance is current");
    }
    return VERDICT_NOTHING;
}

enum verdict
decide_offer (const struct scene *scene, struct decision *decision)
{
    const struct msg_offer *offer = &scene->event->msg->offer;
    const struct baton_bytes name = blob_view (scene->link->name);
    const struct server *server = book_server (scene->book, name);
    struct record_offered *offered = &decision->record.offered;

    decision->refused.ref = offer->ref;
    if (decide_offer_rights (scene, decision, server) == VERDICT_REFUSE) return VERDICT_REFUSE;
    if (decide_offer_shape (scene, decision) == VERDICT_REFUSE) return VERDICT_REFUSE;
    const bool known = server && server->offer == OFFER_KNOWN;
    if (known && server->state == INSTANCE_CURRENT && offer_is_same (server, offer)
        && id_equal (server->instance, scene->link->instance)) {
        decision->verdict = VERDICT_ANSWER;
        return VERDICT_ANSWER;
    }
    if (decide_room (scene, decision, WORK_KEEP, 0) == VERDICT_REFUSE) return VERDICT_REFUSE;
    decide_begin (decision, RECORD_OFFERED);
    offered->name = name;
    offered->principal = scene->event->principal;
    offered->instance = scene->link->instance;
    offered->state = OFFER_CURRENT;
    offered->set = offer->set;
    offered->attributes = offer->attributes;
    offered->capacity = offer->capacity;
    offered->credit_count = offer->credit_count;
    offered->credit_bytes = offer->credit_bytes;
    offered->known_since_utc_ms =
        known && bytes_equal (blob_view (server->attributes), offer->attributes)
        ? server->known_since_utc_ms : scene->event->utc_ms;
    if (server) {
        remember (server, offered->instance, offered);
    }
    return VERDICT_RECORD;
}

enum verdict
decide_renewal (const struct server *server, struct decision *decision)
{
    struct record_offered *offered = &decision->record.offered;

    decide_begin (decision, RECORD_OFFERED);
    offered->name = blob_view (server->name);
    offered->principal = blob_view (server->principal);
    offered->instance = server->instance;
    offered->state = server->state == INSTANCE_CURRENT ? OFFER_CURRENT : OFFER_ENDED;
    offered->set = blob_view (server->set);
    offered->attributes = blob_view (server->attributes);
    offered->capacity = server->capacity;
    offered->credit_count = server->credit_count;
    offered->credit_bytes = server->credit_bytes;
    offered->known_since_utc_ms = server->known_since_utc_ms;
    remember (server, server->instance, offered);
    return VERDICT_RECORD;
}

enum verdict
decide_goodbye (const struct scene *scene, struct decision *decision)
{
    const struct server *server = scene->link->role == END_SERVER
        ? book_server (scene->book, blob_view (scene->link->name)) : NULL;

    decision->verdict = VERDICT_ANSWER;
    if (!server || server->offer == OFFER_NONE || server->state == INSTANCE_ENDED
        || !id_equal (server->instance, scene->link->instance)) {
        return VERDICT_ANSWER;
    }
    return decide_end (scene, server, ENDED_BY_GOODBYE, decision);
}

enum verdict
decide_silence (const struct scene *scene, const struct server *server,
                struct decision *decision)
{
    return decide_end (scene, server, ENDED_BY_SILENCE, decision);
}

enum verdict
decide_expiry (const struct server *server, struct decision *decision)
{
    decide_begin (decision, RECORD_OFFER_RETIRED);
    decision->record.offer_retired.name = blob_view (server->name);
    return VERDICT_RECORD;
}
