// SPDX-License-Identifier: MPL-2.0
// What servers are told, and what becomes of their sessions when they come and go.
#include "broker/core/announce_part.h"
#include "proto/mutant.h"

#define NS_PER_MS 1000000u

// seat_server makes the link that spoke the way to [server]; an older way of it is forgotten.
static void
seat_server (const struct stage *stage, const struct server *server)
{
    struct roster_server *place = roster_server (stage->roster, server);
    struct roster_link *old = place->link;

    if (old && old != stage->link) {
        stage_emit (stage, old->number, EFFECT_FORGET);
        roster_drop_link (stage->roster, old, stage->event->now_ns);
    }
    place->link = stage->link;
    stage->link->server = place;
    place->marks = MARKS_KNOWN;
    // It is here: sessions that it fits no more need not wait for it any longer.
    place->wait_until_ns = 0;
    roster_retry (stage->roster);
}

// resend_all gives a server again what it has been assigned and has neither consumed nor
// answered; its library drops what it holds already. Sessions that lost their server come back.
static void
resend_all (const struct stage *stage, const struct server *server)
{
    struct roster_server *place = roster_server (stage->roster, server);
    const struct queue *link;

    if (MUTANT (REDELIVERY_FORGOTTEN)) return;
    queue_each (link, &server->sessions) {
        const struct session *session = queue_owner (link, const struct session, in_server);
        struct roster_session *held = roster_session (stage->roster, session);
        roster_unsend (place, held, session->requests_consumed_through);
        held->server_phase = SERVER_LIVE;
        held->binding = SERVER_TO_TELL;
        if (session->open_count > 0) {
            announce_want (stage, session);
        }
    }
    stage->counters->redeliveries++;
}

void
announce_offered (const struct stage *stage)
{
    const struct server *server = stage->link
        ? book_server (stage->book, blob_view (stage->link->name)) : NULL;

    if (!server) return; // an offer written anew
    const bool moved = roster_server (stage->roster, server)->link != stage->link;
    seat_server (stage, server);
    stage_emit (stage, stage->link->number, EFFECT_OFFERED)->offered.ref =
        stage->event->msg->offer.ref;
    // One that only changed its offer holds what it was sent, and may be in the midst of loading.
    if (moved) {
        resend_all (stage, server);
    } else {
        roster_work (stage->roster, roster_server (stage->roster, server));
    }
}

// place_sessions lets all sessions of [server] with open work look for another one.
static void
place_sessions (const struct stage *stage, const struct server *server)
{
    const struct queue *link;

    queue_each (link, &server->sessions) {
        const struct session *session = queue_owner (link, const struct session, in_server);
        if (session->open_count > 0) {
            roster_place (stage->roster, roster_session (stage->roster, session));
        }
    }
}

void
announce_silence (const struct stage *stage, const struct server *server)
{
    struct roster_server *place = roster_server (stage->roster, server);

    place->silence = SILENCE_OVER;
    place->wait_until_ns = 0;
    place_sessions (stage, server);
}

static void
count_end (const struct stage *stage, const struct record_server_ended *ended)
{
    stage->counters->server_ends++;
    for (uint32_t i = 0; i < ended->items_count; i++) {
        stage->counters->attempts_counted += ended->items[i].outcome != ATTEMPT_UNCOUNTED;
        stage->counters->failed_requests += ended->items[i].outcome == ATTEMPT_GIVEN_UP;
    }
}

// await_new_instance keeps a server's sessions for the instance that has just said HELLO and has
// yet to offer. The path of the old instance is forgotten: should it still speak, it is fenced.
static void
await_new_instance (const struct stage *stage, struct roster_server *place)
{
    if (place->link) {
        stage_emit (stage, place->link->number, EFFECT_FORGET);
        roster_drop_link (stage->roster, place->link, stage->event->now_ns);
    }
    place->wait_until_ns = stage->event->now_ns + stage->options->rebind_after_ms * NS_PER_MS;
    place->gone_since_ns = stage->event->now_ns;
    place->silence = SILENCE_RUNNING;
    stage->roster->servers_due_ns = stage->event->now_ns;
}

void
announce_server_ended (const struct stage *stage, const struct decision *decision)
{
    const struct record_server_ended *ended = &decision->record.server_ended;
    const struct server *server = book_server (stage->book, ended->name);
    struct roster_server *place = roster_server (stage->roster, server);
    const struct queue *link;

    count_end (stage, ended);
    queue_each (link, &server->sessions) {
        const struct session *session = queue_owner (link, const struct session, in_server);
        struct roster_session *held = roster_session (stage->roster, session);
        roster_unsend (place, held, session->requests_consumed_through);
        roster_serve_client (stage->roster, held);
    }
    if (ended->reason == ENDED_BY_NEW_INSTANCE) {
        await_new_instance (stage, place);
    } else {
        announce_silence (stage, server);
    }
    roster_retry (stage->roster);
}

void
announce_hello (const struct stage *stage)
{
    struct msg_welcome *welcome =
        &stage_emit (stage, stage->link->number, EFFECT_WELCOME)->welcome;
    const struct server *server = stage->link->role == END_SERVER
        ? book_server (stage->book, blob_view (stage->link->name)) : NULL;

    welcome->role = BROKER_MANAGER;
    welcome->group = stage->options->group;
    welcome->heartbeat_ms = stage->options->heartbeat_ms;
    welcome->silent_ms = stage->options->end_silent_ms;
    welcome->body_max_bytes = stage->options->body_max_bytes;
    welcome->restart_data_max_bytes = stage->options->restart_data_max_bytes;
    welcome->unacked_max_count = stage->options->unacked_max_count;
    if (server && server->state == INSTANCE_CURRENT
        && id_equal (server->instance, stage->link->instance)) {
        seat_server (stage, server);
        resend_all (stage, server);
    }
}

void
announce_reload (const struct stage *stage)
{
    const struct session *session =
        book_session (stage->book, stage->event->msg->reload.session);
    struct roster_server *server = roster_server (stage->roster, session->server);
    struct roster_session *place = roster_session (stage->roster, session);
    struct effect *effect = stage_emit (stage, stage->link->number, EFFECT_STATE);
    struct msg_state *state = &effect->state;

    state->session = session->id;
    state->actor = session->server_end->id;
    state->incarnation = session->server_end->incarnation;
    state->version = session->server_end->version;
    if (MUTANT (RELOAD_GIVES_OLD_VERSION) && state->version.n > 0) state->version.n--;
    effect->holds[0] = blob_take (session->server_end->restart_data);
    state->restart_data = blob_view (effect->holds[0]);
    state->requests_accepted_through = session->requests_accepted_through;
    state->requests_consumed_through = session->requests_consumed_through;
    state->responses_last = session->responses_last;
    roster_unsend (server, place, session->requests_consumed_through);
    place->server_phase = SERVER_LOADING;
    place->load_next.n = session->requests.length > 0
        && session->requests.first <= session->requests_consumed_through.n
        ? session->requests.first : 0;
    if (MUTANT (OWED_REQUESTS_NOT_SHOWN)) place->load_next.n = 0;
    place->load_response.n = session->responses_consumed_through.n + 1;
    roster_serve_server (stage->roster, server, place);
    stage->counters->reloads++;
}
