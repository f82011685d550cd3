// SPDX-License-Identifier: MPL-2.0
#include "tests/sim/truth.h"

#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N(number) ((unsigned long long) (number))

void
truth_init (struct truth *truth, struct world *world)
{
    memset (truth, 0, sizeof *truth);
    truth->world = world;
}

void
truth_fini (struct truth *truth)
{
    for (uint32_t i = 0; i < truth->sessions_count; i++) {
        free (truth->sessions[i]->requests);
        free (truth->sessions[i]->responses);
        free (truth->sessions[i]);
    }
    free (truth->sessions);
    truth_servers_fini (&truth->servers);
}

static void *
grow (void *data, size_t size_bytes)
{
    void *grown = realloc (data, size_bytes);

    if (!grown) abort ();
    return grown;
}

uint64_t
truth_chain (uint64_t chain, uint64_t value)
{
    uint64_t z = chain * 31 + value + UINT64_C (0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
    return z ^ (z >> 31);
}

uint64_t
truth_hash (struct baton_bytes body)
{
    const unsigned char *bytes = body.data;
    uint64_t hash = body.size;
    size_t at = 0;

    for (; at + 8 <= body.size; at += 8) {
        uint64_t word;
        memcpy (&word, bytes + at, sizeof word);
        hash = truth_chain (hash, word);
    }
    for (; at < body.size; at++) {
        hash = truth_chain (hash, bytes[at]);
    }
    return hash;
}

uint64_t
truth_chain_response (uint64_t chain, uint64_t request, enum response_status status,
                      uint64_t body_hash)
{
    return truth_chain (truth_chain (truth_chain (chain, request), status), body_hash);
}

struct truth_session *
truth_session (const struct truth *truth, struct id id)
{
    for (uint32_t i = truth->sessions_count; i > 0 && !id_is_none (id); i--) {
        if (id_equal (truth->sessions[i - 1]->id, id)) return truth->sessions[i - 1];
    }
    return NULL;
}

struct truth_session *
truth_session_of_actor (const struct truth *truth, struct id actor)
{
    for (uint32_t i = truth->sessions_count; i > 0 && !id_is_none (actor); i--) {
        struct truth_session *session = truth->sessions[i - 1];
        if (session->state == SESSION_CLOSED) continue;
        if (id_equal (session->client_actor, actor) || id_equal (session->server_actor, actor)) {
            return session;
        }
    }
    return NULL;
}

static void
must (bool holds, enum invariant invariant, const struct truth *truth,
      const struct truth_session *session, const char *what)
{
    if (holds) return;
    sim_violated (invariant, "record %llu, session %s: %s", N (truth->last_index + 1),
                  session ? session->name : "-", what);
}

static struct truth_session *
add_session (struct truth *truth, const struct record_opened *opened)
{
    const struct truth_session *sibling = truth_session_of_actor (truth, opened->actor);
    struct truth_session *session = grow (NULL, sizeof *session);
    const struct baton_bytes name = opened->session_name;

    memset (session, 0, sizeof *session);
    if (truth->sessions_count == truth->sessions_room) {
        truth->sessions_room = truth->sessions_room ? truth->sessions_room * 2 : 32;
        truth->sessions
            = grow (truth->sessions, truth->sessions_room * sizeof *truth->sessions);
    }
    truth->sessions[truth->sessions_count++] = session;
    session->id = opened->session;
    session->state = SESSION_OPEN;
    session->honest = opened->principal.size == strlen (PRINCIPAL_HONEST)
        && memcmp (opened->principal.data, PRINCIPAL_HONEST, opened->principal.size) == 0;
    session->requires = opened->requirement.size > 0;
    session->requirement_bytes = opened->requirement.size;
    if (opened->requirement.size > sizeof session->requirement) abort ();
    if (session->requirement_bytes > 0) {
        memcpy (session->requirement, opened->requirement.data, session->requirement_bytes);
    }
    snprintf (session->name, sizeof session->name, "%.*s", (int) name.size,
              (const char *) name.data);
    session->client_actor = opened->actor;
    session->binding = BINDING_NONE;
    if (sibling) {
        session->client_instance = sibling->client_instance;
        session->client_former = sibling->client_former;
        session->client_incarnation = sibling->client_incarnation;
        session->client_version = sibling->client_version;
    }
    return session;
}

static void
apply_opened (struct truth *truth, const struct record_opened *opened, uint64_t index)
{
    struct truth_session *session = truth_session (truth, opened->session);

    if (opened->makes & OPENED_SESSION) {
        must (!session, INVARIANT_CONSERVATION, truth, session, "a session's id is made twice");
        session = add_session (truth, opened);
    }
    must (session, INVARIANT_CONSERVATION, truth, NULL, "an unknown session is opened");
    must (session->state == SESSION_OPEN, INVARIANT_CONSERVATION, truth, session,
          "a closed session is opened");
    for (uint32_t i = 0; i < truth->sessions_count; i++) {
        struct truth_session *each = truth->sessions[i];
        if (each->state == SESSION_CLOSED) continue;
        if (!id_equal (each->client_actor, opened->actor)) continue;
        if (!(opened->makes & OPENED_INCARNATION)) continue;
        must (index > each->client_incarnation && index > truth->newest_incarnation
                  && !id_equal (each->client_instance, opened->instance),
              INVARIANT_INCARNATION_FENCE, truth, each, "the client's incarnation does not rise");
        must (!truth_former_has (&each->client_former, opened->instance),
              INVARIANT_INCARNATION_FENCE, truth, each, "a former process of the client returns");
        truth_former_add (&each->client_former, each->client_instance);
        each->client_incarnation = index;
        each->client_instance = opened->instance;
    }
    truth->newest_incarnation = index;
}

static void
add_request (struct truth *truth, struct truth_session *session, const struct msg_request *request)
{
    must (request->seq.n == session->requests_count + 1, INVARIANT_SESSION_ORDER, truth, session,
          "a request has not the next number");
    if (session->requests_count == session->requests_room) {
        session->requests_room = session->requests_room ? session->requests_room * 2 : 32;
        session->requests
            = grow (session->requests, session->requests_room * sizeof *session->requests);
    }
    session->requests[session->requests_count++] = (struct truth_request) {
        .hash = truth_hash (request->body),
        .size = request->body.size,
        .state = REQUEST_STANDS,
    };
    session->open_count++;
    session->open_bytes += request->body.size;
}

static void
answer (struct truth *truth, struct truth_session *session, uint64_t request,
        enum response_status status, struct baton_bytes body)
{
    must (request >= 1 && request <= session->requests_count, INVARIANT_SINGLE_ANSWER, truth,
          session, "an answer to a request that was not accepted");
    must (session->requests[request - 1].state == REQUEST_STANDS, INVARIANT_SINGLE_ANSWER, truth,
          session, "a second answer to one request");
    session->requests[request - 1].state
        = status == RESPONSE_REPLY ? REQUEST_ANSWERED : REQUEST_GIVEN_UP;
    session->open_count--;
    session->open_bytes -= session->requests[request - 1].size;
    if (session->responses_count == session->responses_room) {
        session->responses_room = session->responses_room ? session->responses_room * 2 : 32;
        session->responses
            = grow (session->responses, session->responses_room * sizeof *session->responses);
    }
    session->responses[session->responses_count++]
        = (struct truth_response) { request, status, truth_hash (body) };
}

// The restart data of a client by hand is what was accepted and consumed with it.
static void
check_client_share (struct truth *truth, struct truth_session *session, struct baton_bytes saved)
{
    if (!session->honest) return;
    if (saved.size == 0) {
        must (!session->by_hand, INVARIANT_CLIENT_COUPLING, truth, session,
              "the client's restart data is gone");
        return;
    }
    session->by_hand = true;
    const struct client_share *share = &session->client;
    struct client_share saves = { 0 };
    memcpy (&saves, saved.data, saved.size < sizeof saves ? saved.size : sizeof saves);
    if (saved.size == sizeof saves && memcmp (&saves, share, sizeof saves) == 0) return;
    sim_violated (INVARIANT_CLIENT_COUPLING, "record %llu, session %s: its client saves %llu sent"
                  " and %llu consumed; the log has %llu and %llu, or others than these",
                  N (truth->last_index + 1), session->name, N (saves.sent_count),
                  N (saves.consumed_count), N (share->sent_count), N (share->consumed_count));
}

static void
apply_client_commit (struct truth *truth, struct truth_session *session,
                     const struct record_committed *committed)
{
    const uint64_t through = committed->responses_consumed_through.n;
    const struct core_options *options = &truth->world->plan.options;
    struct client_share *share = &session->client;
    const bool empty = session->open_count == 0;

    for (uint32_t i = 0; i < committed->requests_count; i++) {
        add_request (truth, session, &committed->requests[i]);
        share->sent_count++;
        share->sent_chain
            = truth_chain (share->sent_chain, truth_hash (committed->requests[i].body));
    }
    // An empty queue takes any commit, so that none is put off for ever.
    must (empty || committed->requests_count == 0
              || (session->open_count <= options->queue_max_count
                  && session->open_bytes <= options->queue_max_bytes),
          INVARIANT_BOUNDS, truth, session, "the queue grows over its limit");
    must (through >= session->responses_consumed && through <= session->responses_count,
          INVARIANT_CONSERVATION, truth, session, "the client's consumed mark");
    while (session->responses_consumed < through) {
        const struct truth_response *response
            = &session->responses[session->responses_consumed++];
        share->consumed_count++;
        share->consumed_chain = truth_chain_response (share->consumed_chain, response->request,
                                                      response->status, response->hash);
    }
    check_client_share (truth, session, committed->restart_data);
}

static void
consume_requests (struct truth *truth, struct truth_session *session, uint64_t through)
{
    must (through >= session->requests_consumed && through <= session->requests_count,
          INVARIANT_CONSERVATION, truth, session, "the server's consumed mark");
    while (session->requests_consumed < through) {
        const struct truth_request *request = &session->requests[session->requests_consumed++];
        if (request->state == REQUEST_GIVEN_UP) continue;
        session->server_share.consumed_count++;
        session->server_share.consumed_chain
            = truth_chain (session->server_share.consumed_chain, request->hash);
    }
    if (session->sent_through < through) {
        session->sent_through = through;
    }
}

static void
count_attempt (struct truth *truth, struct truth_session *session, uint64_t seq, bool last)
{
    const uint32_t attempts_max = truth->world->plan.options.attempts_max;

    must (seq > session->requests_consumed && seq <= session->requests_count,
          INVARIANT_ASSIGNMENT, truth, session, "an attempt of a request that is not in delivery");
    struct truth_request *request = &session->requests[seq - 1];
    must (request->state == REQUEST_STANDS, INVARIANT_ASSIGNMENT, truth, session,
          "an attempt of a request that was answered");
    request->attempts++;
    must ((request->attempts >= attempts_max) == last, INVARIANT_ASSIGNMENT, truth, session,
          "the last attempt ends the request, and no other one does");
}

static void
check_server_share (struct truth *truth, struct truth_session *session, struct baton_bytes saved)
{
    if (saved.size == 0) {
        must (!session->server_by_hand, INVARIANT_SERVER_COUPLING, truth, session,
              "the server's restart data is gone");
        return;
    }
    session->server_by_hand = true;
    const struct server_share *share = &session->server_share;
    struct server_share saves = { 0 };
    memcpy (&saves, saved.data, saved.size < sizeof saves ? saved.size : sizeof saves);
    if (saved.size == sizeof saves && memcmp (&saves, share, sizeof saves) == 0) return;
    sim_violated (INVARIANT_SERVER_COUPLING, "record %llu, session %s: its server %s saves %llu"
                  " consumed and %llu answered; the log has %llu and %llu%s",
                  N (truth->last_index + 1), session->name, session->server,
                  N (saves.consumed_count), N (saves.answered_count), N (share->consumed_count),
                  N (share->answered_count),
                  saves.consumed_count == share->consumed_count
                      && saves.consumed_chain != share->consumed_chain
                  ? ", and others than these were consumed" : "");
}

static void
apply_server_commit (struct truth *truth, struct truth_session *session,
                     const struct record_committed *committed)
{
    must (session->binding == BINDING_STANDS, INVARIANT_INCARNATION_FENCE, truth, session,
          "a server whose incarnation was ended commits");
    consume_requests (truth, session, committed->requests_consumed_through.n);
    if (committed->reject != REJECT_NONE) {
        count_attempt (truth, session, session->requests_consumed + 1,
                       committed->reject == REJECT_GIVEN_UP);
        session->sent_through = session->requests_consumed;
        session->left_through = session->requests_consumed;
    }
    for (uint32_t i = 0; i < committed->responses_count; i++) {
        const struct msg_response *response = &committed->responses[i];
        const bool reply = response->status == RESPONSE_REPLY;
        must ((response->request.n <= session->requests_consumed) == reply,
              INVARIANT_SINGLE_ANSWER, truth, session,
              "a server answers what it has consumed, the manager what was given up");
        answer (truth, session, response->request.n, response->status, response->body);
        session->server_share.answered_count += reply;
    }
    check_server_share (truth, session, committed->restart_data);
}

// The version guard: each commit builds on the one before, in the current incarnation.
static void
check_commit (struct truth *truth, const struct truth_session *session,
              const struct record_committed *committed, bool client)
{
    const uint64_t incarnation = client ? session->client_incarnation : session->server_incarnation;
    const uint64_t version = client ? session->client_version : session->server_version;

    must (committed->incarnation.n == incarnation, INVARIANT_INCARNATION_FENCE, truth, session,
          "a commit of another incarnation than the current one");
    must (committed->version.n == version + 1, INVARIANT_REQUEST_UNIQUENESS, truth, session,
          "a commit does not build on the version before");
}

static void
apply_committed (struct truth *truth, const struct record_committed *committed)
{
    struct truth_session *session = truth_session (truth, committed->session);

    if (!session) {
        session = truth_session_of_actor (truth, committed->actor);
    }
    must (session && session->state == SESSION_OPEN, INVARIANT_CONSERVATION, truth, session,
          "a commit to a session that is not open");
    const bool client = id_equal (session->client_actor, committed->actor);
    must (client || id_equal (session->server_actor, committed->actor),
          INVARIANT_INCARNATION_FENCE, truth, session, "a commit of an actor of another session");
    check_commit (truth, session, committed, client);
    if (!client) {
        session->server_version++;
        apply_server_commit (truth, session, committed);
        return;
    }
    for (uint32_t i = 0; i < truth->sessions_count; i++) {
        struct truth_session *each = truth->sessions[i];
        each->client_version += each->state == SESSION_OPEN
            && id_equal (each->client_actor, committed->actor);
    }
    if (id_is_none (committed->session)) return;
    apply_client_commit (truth, session, committed);
}

// A session goes to a server that meets its requirement; what a lost one had in its hands goes on
// alone, so that the next death can be blamed on one of them.
static void
check_binding (struct truth *truth, struct truth_session *session,
               const struct record_bound *bound)
{
    const struct baton_bytes requirement = { session->requirement, session->requirement_bytes };

    must (truth_servers_fit (&truth->servers, bound->server, requirement), INVARIANT_ASSIGNMENT,
          truth, session, "bound to a server that does not meet its requirement");
    must (session->blamed_through <= session->requests_consumed
              || bound->suspect_through.n >= session->blamed_through,
          INVARIANT_ASSIGNMENT, truth, session,
          "requests that a lost server had in its hands are no suspects");
    session->blamed_through = 0;
    session->left_through = session->requests_consumed;
}

static void
apply_bound (struct truth *truth, const struct record_bound *bound, uint64_t index)
{
    struct truth_session *session = truth_session (truth, bound->session);

    must (session && session->state == SESSION_OPEN, INVARIANT_CONSERVATION, truth, session,
          "a session that is not open is bound");
    must (session->binding != BINDING_STANDS, INVARIANT_ASSIGNMENT, truth, session,
          "bound to a server while the former binding stands");
    must (index > truth->newest_incarnation, INVARIANT_INCARNATION_FENCE, truth, session,
          "the server's incarnation does not rise");
    check_binding (truth, session, bound);
    session->binding = BINDING_STANDS;
    session->server_actor = bound->actor;
    session->server_incarnation = index;
    session->server_instance = bound->instance;
    session->suspect_through = bound->suspect_through.n;
    session->sent_through = session->requests_consumed;
    truth->newest_incarnation = index;
    snprintf (session->server, sizeof session->server, "%.*s", (int) bound->server.size,
              (const char *) bound->server.data);
}

static void
apply_closed (struct truth *truth, const struct record_closed *closed)
{
    struct truth_session *session = truth_session (truth, closed->session);

    must (session && session->state == SESSION_OPEN, INVARIANT_CONSERVATION, truth, session,
          "a session that is not open is closed");
    session->state = SESSION_CLOSED;
    truth->closed_count++;
    world_sometimes (truth->world, closed->reason == CLOSE_BY_LIFE ? SOMETIMES_SESSION_EXPIRED
                                                                   : SOMETIMES_SESSION_CLOSED);
}

static bool
is_at (const struct truth_session *session, struct baton_bytes server)
{
    return session->state == SESSION_OPEN && session->binding == BINDING_STANDS
        && strlen (session->server) == server.size
        && memcmp (session->server, server.data, server.size) == 0;
}

// What an ended server had in its hands, by what had left for it.
static uint64_t
held_by (const struct truth *truth, struct baton_bytes server)
{
    uint64_t held = 0;

    for (uint32_t i = 0; i < truth->sessions_count; i++) {
        const struct truth_session *session = truth->sessions[i];
        if (!is_at (session, server)) continue;
        held += session->sent_through > session->requests_consumed
            ? session->sent_through - session->requests_consumed : 0;
    }
    return held;
}

static void
apply_end_item (struct truth *truth, const struct record_end_item *item, uint64_t held)
{
    struct truth_session *session = truth_session (truth, item->session);

    must (session && session->state == SESSION_OPEN, INVARIANT_CONSERVATION, truth, session,
          "a server ends with requests of a session that is not open");
    if (item->suspect_through.n > session->suspect_through) {
        session->suspect_through = item->suspect_through.n;
    }
    if (item->outcome == ATTEMPT_UNCOUNTED) return;
    must (held <= 1 || truth->recovers, INVARIANT_ASSIGNMENT, truth, session,
          "an attempt counts for a request that was not alone in its server's hands");
    count_attempt (truth, session, item->suspect_through.n, item->outcome == ATTEMPT_GIVEN_UP);
    if (item->outcome != ATTEMPT_GIVEN_UP) return;
    answer (truth, session, item->suspect_through.n, RESPONSE_FAILED,
            (struct baton_bytes) { NULL, 0 });
    world_sometimes (truth->world, SOMETIMES_POISON);
}

static void
end_bindings (struct truth *truth, struct baton_bytes server, enum end_reason reason)
{
    for (uint32_t i = 0; i < truth->sessions_count; i++) {
        struct truth_session *session = truth->sessions[i];
        if (!is_at (session, server)) continue;
        session->binding = BINDING_ENDED;
        session->blamed_through = reason == ENDED_BY_GOODBYE ? 0 : session->left_through;
        session->sent_through = session->requests_consumed;
    }
}

static void
apply_server_ended (struct truth *truth, const struct record_server_ended *ended)
{
    const uint64_t held = held_by (truth, ended->name);

    for (uint32_t i = 0; i < ended->items_count; i++) {
        apply_end_item (truth, &ended->items[i], held);
    }
    end_bindings (truth, ended->name, ended->reason);
    truth_servers_ended (&truth->servers, ended);
    if (ended->reason == ENDED_BY_SILENCE) {
        world_sometimes (truth->world, SOMETIMES_REBOUND_AFTER_SILENCE);
    }
}

static void
apply_epoch (struct truth *truth, uint64_t epoch)
{
    must (epoch > truth->epoch, INVARIANT_MONOTONICITY, truth, NULL, "the epoch does not rise");
    truth->epoch = epoch;
    for (uint32_t i = 0; i < truth->sessions_count; i++) {
        truth->sessions[i]->sent_through = truth->sessions[i]->requests_consumed;
    }
}

static void
apply_body (struct truth *truth, const struct record *record)
{
    const uint64_t index = record->head.index.n;

    switch ((enum record_type) record->head.type) {
    case RECORD_EPOCH: apply_epoch (truth, record->head.epoch.n); return;
    case RECORD_OPENED: apply_opened (truth, &record->opened, index); return;
    case RECORD_COMMITTED: apply_committed (truth, &record->committed); return;
    case RECORD_BOUND: apply_bound (truth, &record->bound, index); return;
    case RECORD_CLOSED: apply_closed (truth, &record->closed); return;
    case RECORD_OFFERED:
        must (truth_servers_offered (&truth->servers, &record->offered),
              INVARIANT_INCARNATION_FENCE, truth, NULL, "a former process of a server returns");
        return;
    case RECORD_SERVER_ENDED: apply_server_ended (truth, &record->server_ended); return;
    case RECORD_OFFER_RETIRED:
        end_bindings (truth, record->offer_retired.name, ENDED_BY_SILENCE);
        truth_servers_retired (&truth->servers, record->offer_retired.name);
        world_sometimes (truth->world, SOMETIMES_OFFER_EXPIRED);
        return;
    }
}

void
truth_apply (struct truth *truth, struct baton_bytes bytes)
{
    struct record record;

    must (record_decode (bytes, &truth->room, &record) == BATON_OK, INVARIANT_DETERMINISM, truth,
          NULL, "a record that cannot be read");
    must (record.head.index.n == truth->last_index + 1, INVARIANT_DETERMINISM, truth, NULL,
          "records do not follow each other");
    must (record.head.epoch.n >= truth->epoch, INVARIANT_MONOTONICITY, truth, NULL,
          "a record of an old epoch");
    apply_body (truth, &record);
    truth->last_index = record.head.index.n;
}
