// SPDX-License-Identifier: MPL-2.0
#include "broker/core/flow.h"

#include "proto/assert.h"
#include "proto/mutant.h"

// One session's share of a visit, so that a long queue does not hold up short ones.
#define VISIT_MAX 64u

struct effect *
stage_emit (const struct stage *stage, struct link_number to, enum effect_kind kind)
{
    struct effect *effect = effect_list_add (stage->effects);

    effect->to = to;
    effect->kind = kind;
    effect->after = stage->book->last_index;
    effect->epoch = stage->book->epoch;
    return effect;
}

// What stopped a visit: nothing left to send, no credit or permission, or the share used up.
enum stop { STOP_DRY = 1, STOP_BLOCKED = 2, STOP_SHARE = 3 };

static struct msg_delivery
delivery_to (const struct session *session, const struct actor *actor, enum deliver_phase phase)
{
    const struct msg_delivery head = {
        .session = session->id,
        .actor = actor->id,
        .incarnation = actor->incarnation,
        .base_version = actor->version,
        .phase = phase,
    };

    return head;
}

static void
send_request (const struct stage *stage, struct link_number to, const struct actor *actor,
              const struct session *session, struct request_seq seq, enum deliver_phase phase)
{
    const struct request *request = session_request (session, seq);
    struct effect *effect = stage_emit (stage, to, EFFECT_DELIVER);
    struct effect_delivery *delivery = &effect->delivery;

    delivery->head = delivery_to (session, actor, phase);
    delivery->item = DELIVERY_REQUEST;
    delivery->request.seq = seq;
    delivery->request.state = REQUEST_SKIPPED;
    if (request) {
        delivery->request.state = REQUEST_OPEN;
        delivery->request.attempt = request->attempts + 1;
        delivery->request.body = request->body;
        effect->holds[0] = blob_take (request->home);
    }
    stage->counters->deliveries++;
}

static void
send_response (const struct stage *stage, struct link_number to, const struct actor *actor,
               const struct session *session, struct response_seq seq, enum deliver_phase phase)
{
    const struct response *response = session_response (session, seq);
    struct effect *effect = stage_emit (stage, to, EFFECT_DELIVER);
    struct effect_delivery *delivery = &effect->delivery;

    ASSERT (response);
    delivery->head = delivery_to (session, actor, phase);
    delivery->item = DELIVERY_RESPONSE;
    delivery->response.seq = seq;
    delivery->response.request = response->request;
    delivery->response.status = response->status;
    delivery->response.body = response->body;
    effect->holds[0] = blob_take (response->home);
}

static void
send_resumed (const struct stage *stage, struct link_number to, const struct actor *actor,
              const struct session *session, uint64_t ref)
{
    struct msg_resumed *resumed = &stage_emit (stage, to, EFFECT_RESUMED)->resumed;

    resumed->ref = ref;
    resumed->session = session->id;
    resumed->actor = actor->id;
    resumed->incarnation = actor->incarnation;
    resumed->version = actor->version;
    resumed->requests_accepted_through = session->requests_accepted_through;
    resumed->requests_consumed_through = session->requests_consumed_through;
}

static bool
client_has_credit (const struct roster_session *place)
{
    if (MUTANT (CLIENT_CREDIT_IGNORED)) return true;
    return place->sent_count < place->granted_count && place->sent_bytes < place->granted_bytes;
}

static void
use_client_credit (struct roster_session *place, size_t size)
{
    place->sent_count++;
    place->sent_bytes += size;
}

// next_open returns the first unanswered request from [seq] through [through]; none if none.
static struct request_seq
next_open (const struct session *session, uint64_t seq, uint64_t through)
{
    if (seq < session->requests.first) {
        seq = session->requests.first;
    }
    for (; seq <= through; seq++) {
        const struct request_seq found = { seq };
        if (session_request (session, found)) return found;
    }
    return (struct request_seq) { 0 };
}

static void
show_own_request (const struct stage *stage, struct roster_session *place)
{
    const struct session *session = place->session;
    const struct request *request = session_request (session, place->queue_next);

    if (request) {
        send_request (stage, place->client->number, session->client, session, place->queue_next,
                      DELIVER_QUEUE);
        use_client_credit (place, request->body.size);
    }
    place->queue_next =
        next_open (session, place->queue_next.n + 1, place->queue_through.n);
}

static void
send_next_response (const struct stage *stage, struct roster_session *place)
{
    const struct session *session = place->session;

    place->responses_sent_through.n++;
    send_response (stage, place->client->number, session->client, session,
                   place->responses_sent_through,
                   place->client_phase == CLIENT_RESUMING ? DELIVER_QUEUE : DELIVER_LIVE);
    use_client_credit (place, session_response (session, place->responses_sent_through)->body.size);
}

// client_step sends one thing to the client of [place]: its own open requests, then the responses
// that were there, then RESUMED, then new responses.
static enum stop
client_step (const struct stage *stage, struct roster_session *place)
{
    const struct session *session = place->session;

    if (place->queue_next.n == 0 && place->client_phase == CLIENT_RESUMING
        && place->responses_sent_through.n >= place->resume_through.n) {
        send_resumed (stage, place->client->number, session->client, session, place->resume_ref);
        place->client_phase = CLIENT_LIVE;
        return STOP_SHARE;
    }
    if (place->queue_next.n == 0
        && place->responses_sent_through.n >= session->responses_last.n) {
        return STOP_DRY;
    }
    if (!client_has_credit (place)) return STOP_BLOCKED;
    if (place->queue_next.n > 0) {
        show_own_request (stage, place);
    } else {
        send_next_response (stage, place);
    }
    return STOP_SHARE;
}

static bool
has_room (const struct stage *stage, size_t start)
{
    return stage->effects->count - start < FLOW_EFFECTS_MAX;
}

static void
flow_clients (const struct stage *stage, size_t start)
{
    struct queue *first;

    while (has_room (stage, start) && (first = queue_first (&stage->roster->clients_to_serve))) {
        struct roster_session *place = queue_owner (first, struct roster_session, in_clients);
        enum stop stop = STOP_SHARE;
        for (uint32_t i = 0; i < VISIT_MAX && stop == STOP_SHARE && has_room (stage, start); i++) {
            stop = client_step (stage, place);
        }
        queue_remove (&place->in_clients);
        if (stop == STOP_SHARE) {
            roster_serve_client (stage->roster, place);
        }
    }
}

// load_step shows a server that reloads what stands in the queues beside its restart data: the
// requests it has consumed and not answered, then the responses; then RESUMED.
static enum stop
load_step (const struct stage *stage, struct roster_server *server, struct roster_session *place)
{
    const struct session *session = place->session;
    const struct link_number to = server->link->number;
    const struct actor *actor = session->server_end;

    if (place->load_next.n > 0) {
        if (session_request (session, place->load_next)) {
            send_request (stage, to, actor, session, place->load_next, DELIVER_QUEUE);
        }
        place->load_next = next_open (session, place->load_next.n + 1,
                                      session->requests_consumed_through.n);
    } else if (place->load_response.n <= session->responses_last.n) {
        if (session_response (session, place->load_response)) {
            send_response (stage, to, actor, session, place->load_response, DELIVER_QUEUE);
        }
        place->load_response.n++;
    } else {
        send_resumed (stage, to, actor, session, 0);
        place->server_phase = SERVER_LIVE;
    }
    return STOP_SHARE;
}

// may_take tells whether [server] may be given the request with [seq] now. A suspect goes only to
// a server that holds nothing, and nothing else goes there until it is consumed.
static bool
may_take (const struct roster_server *server, const struct session *session,
          struct request_seq seq)
{
    const struct server *offer = server->server;
    const bool alone = server->work == WORK_ALONE || session_is_suspect (session, seq);

    if (server->held_count == 0) return true;
    if (alone && !MUTANT (SUSPECT_NOT_ALONE)) return false;
    if (MUTANT (SERVER_CREDIT_IGNORED)) return true;
    return server->held_count < offer->credit_count && server->held_bytes < offer->credit_bytes;
}

static void
give (const struct stage *stage, struct roster_server *server, struct roster_session *place,
      struct request_seq seq)
{
    const struct session *session = place->session;
    const struct request *request = session_request (session, seq);
    const uint64_t size = request ? request->body.size : 0;

    if (request || !MUTANT (SKIPPED_NOT_DELIVERED)) {
        send_request (stage, server->link->number, session->server_end, session, seq,
                      DELIVER_LIVE);
    }
    place->requests_sent_through = seq;
    place->held_bytes += size;
    place->binding = SERVER_TOLD;
    server->held_count++;
    server->held_bytes += size;
    server->work = session_is_suspect (session, seq) ? WORK_ALONE : WORK_SHARED;
}

// tell_binding sends an empty delivery, so that a server learns of a session whose requests were
// all consumed by its former server.
static void
tell_binding (const struct stage *stage, const struct roster_server *server,
              struct roster_session *place)
{
    struct effect *effect = stage_emit (stage, server->link->number, EFFECT_DELIVER);

    effect->delivery.head =
        delivery_to (place->session, place->session->server_end, DELIVER_LIVE);
    effect->delivery.item = DELIVERY_NOTHING;
    place->binding = SERVER_TOLD;
}

static bool
is_held_up (const struct stage *stage, const struct roster_session *place)
{
    return place->not_before_ns > stage->event->now_ns
        || place->session->responses_bytes >= stage->options->responses_max_bytes;
}

static enum stop
server_step (const struct stage *stage, struct roster_server *server,
             struct roster_session *place)
{
    const struct session *session = place->session;
    const struct request_seq next = { place->requests_sent_through.n + 1 };

    if (!server_is_current (server->server, session)) return STOP_DRY;
    if (place->server_phase == SERVER_LOADING) return load_step (stage, server, place);
    if (next.n > session->requests_accepted_through.n) {
        if (place->binding == SERVER_TO_TELL && session->open_count > 0) {
            tell_binding (stage, server, place);
        }
        return STOP_DRY;
    }
    if (is_held_up (stage, place)) return STOP_DRY;
    if (!may_take (server, session, next)) return STOP_BLOCKED;
    give (stage, server, place, next);
    return STOP_SHARE;
}

// flow_server visits the sessions of one server in turn. Returns false if it is to go on later
// because the step is full; a server without credit comes back by itself when it consumes. The
// session that took the last credit goes behind the others, or it would take the next one too;
// one that could take nothing stays in front, so that a suspect gets its turn alone.
static bool
flow_server (const struct stage *stage, struct roster_server *server, size_t start)
{
    struct queue *first;

    while ((first = queue_first (&server->sessions))) {
        struct roster_session *place = queue_owner (first, struct roster_session, in_server);
        enum stop stop = STOP_SHARE;
        uint32_t steps_count = 0;
        for (; steps_count < VISIT_MAX && stop == STOP_SHARE && has_room (stage, start);
             steps_count++) {
            stop = server_step (stage, server, place);
        }
        if (stop == STOP_BLOCKED && steps_count == 1) return true;
        queue_remove (&place->in_server);
        if (stop != STOP_DRY) {
            queue_push (&server->sessions, &place->in_server);
        }
        if (stop == STOP_BLOCKED) return true;
        if (!has_room (stage, start)) return false;
    }
    return true;
}

static void
flow_servers (const struct stage *stage, size_t start)
{
    struct queue *first;

    while (has_room (stage, start) && (first = queue_first (&stage->roster->servers_to_serve))) {
        struct roster_server *server = queue_owner (first, struct roster_server, in_work);
        queue_remove (&server->in_work);
        if (!server->link || flow_server (stage, server, start)) continue;
        roster_work (stage->roster, server);
    }
}

void
flow (const struct stage *stage)
{
    const size_t start = stage->effects->count;

    flow_servers (stage, start);
    flow_clients (stage, start);
}

bool
flow_is_left (const struct roster *roster)
{
    return !queue_is_empty (&roster->clients_to_serve)
        || !queue_is_empty (&roster->servers_to_serve);
}
