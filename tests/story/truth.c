// SPDX-License-Identifier: MPL-2.0
#include "tests/story/truth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/table.h"

void
truth_init (struct truth *truth)
{
    memset (truth, 0, sizeof *truth);
}

uint64_t
truth_chain (uint64_t chain, uint64_t value)
{
    uint64_t z = chain * 31 + value + 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    return z ^ (z >> 31);
}

uint64_t
truth_answer (uint64_t request, enum response_status status, uint64_t nonce)
{
    return truth_chain (truth_chain (request, status), status == RESPONSE_REPLY ? nonce : 0);
}

struct truth_body
truth_body_of (struct baton_bytes body)
{
    struct truth_body read = { 0 };

    assert_true (body.size >= sizeof read);
    memcpy (&read, body.data, sizeof read);
    return read;
}

struct truth_session *
truth_session (struct truth *truth, struct id id)
{
    for (uint32_t i = truth->sessions_count; i > 0 && !id_is_none (id); i--) {
        if (id_equal (truth->sessions[i - 1].id, id)) return &truth->sessions[i - 1];
    }
    return NULL;
}

static bool
is_ours (struct baton_bytes principal)
{
    return bytes_equal (principal, (struct baton_bytes) { TRUTH_PRINCIPAL, 5 });
}

// Names are "c1" for an actor and "c1a", "c1b" for its sessions.
static void
apply_opened (struct truth *truth, const struct record_opened *opened)
{
    const char *name = opened->session_name.data;

    if (!is_ours (opened->principal)) return;
    assert_int_equal (opened->session_name.size, 3);
    const uint32_t client = (uint32_t) (name[1] - '0');
    assert_true (client < TRUTH_CLIENTS_MAX);
    if (opened->makes & OPENED_INCARNATION) {
        truth->client_instances[client] = opened->instance;
    }
    assert_true (id_equal (truth->client_instances[client], opened->instance));
    if (!(opened->makes & OPENED_SESSION)) return;
    assert_null (truth_session (truth, opened->session));
    assert_true (truth->sessions_count < TRUTH_SESSIONS_MAX);
    struct truth_session *session = &truth->sessions[truth->sessions_count++];
    session->id = opened->session;
    session->client = client;
    session->slot = (uint32_t) (name[2] - 'a');
    session->client_actor = opened->actor;
    session->client_share.session = opened->session;
    session->binding = TRUTH_UNBOUND;
}

static void
answer (struct truth *truth, struct truth_session *session, uint64_t request,
        enum response_status status, uint64_t nonce)
{
    assert_true (request >= 1 && request <= session->requests_count);
    struct truth_request *asked = &session->requests[request - 1];
    assert_int_equal (asked->state, TRUTH_OPEN);
    asked->state = status == RESPONSE_REPLY ? TRUTH_ANSWERED : TRUTH_GIVEN_UP;
    assert_true (status != RESPONSE_REPLY || nonce == ~asked->nonce);
    assert_true (session->responses_count < TRUTH_ITEMS_MAX);
    session->responses[session->responses_count++] =
        (struct truth_response) { request, status, nonce };
    truth->answered++;
    truth->given_up += status != RESPONSE_REPLY;
}

static void
apply_client_commit (struct truth *truth, struct truth_session *session,
                     const struct record_committed *committed)
{
    struct truth_client_share *share = &session->client_share;
    struct truth_client_state state;

    for (uint32_t i = 0; i < committed->requests_count; i++) {
        const struct truth_body body = truth_body_of (committed->requests[i].body);
        assert_int_equal (committed->requests[i].seq.n, session->requests_count + 1);
        assert_true (session->requests_count < TRUTH_ITEMS_MAX);
        session->requests[session->requests_count++] =
            (struct truth_request) { body.nonce, TRUTH_OPEN };
        share->sent_chain = truth_chain (share->sent_chain, body.nonce);
        truth->accepted++;
    }
    share->sent = session->requests_count;
    assert_true (committed->responses_consumed_through.n >= share->consumed);
    assert_true (committed->responses_consumed_through.n <= session->responses_count);
    while (share->consumed < committed->responses_consumed_through.n) {
        const struct truth_response *response = &session->responses[share->consumed++];
        share->consumed_chain = truth_chain (share->consumed_chain,
            truth_answer (response->request, response->status, response->nonce));
    }
    // Client coupling: what the client saved is what was accepted with it.
    assert_int_equal (committed->restart_data.size, sizeof state);
    memcpy (&state, committed->restart_data.data, sizeof state);
    assert_memory_equal (&state.shares[session->slot], share, sizeof *share);
}

static void
apply_server_commit (struct truth *truth, struct truth_session *session,
                     const struct record_committed *committed)
{
    struct truth_server_state *state = &session->server_state;
    struct truth_server_state saved;

    // Nothing of an incarnation that was ended by record changes anything.
    assert_int_equal (session->binding, TRUTH_BOUND);
    assert_int_equal (committed->incarnation.n, session->server_incarnation);
    assert_true (committed->requests_consumed_through.n >= state->consumed);
    assert_true (committed->requests_consumed_through.n <= session->requests_count);
    while (state->consumed < committed->requests_consumed_through.n) {
        const struct truth_request *request = &session->requests[state->consumed++];
        if (request->state == TRUTH_GIVEN_UP) continue;
        state->chain = truth_chain (state->chain, request->nonce);
    }
    for (uint32_t i = 0; i < committed->responses_count; i++) {
        const struct msg_response *response = &committed->responses[i];
        const bool reply = response->status == RESPONSE_REPLY;
        assert_int_equal (response->request.n <= state->consumed, reply);
        answer (truth, session, response->request.n, response->status,
                reply ? truth_body_of (response->body).nonce : 0);
        state->answered += reply;
    }
    // Server coupling.
    assert_int_equal (committed->restart_data.size, sizeof saved);
    memcpy (&saved, committed->restart_data.data, sizeof saved);
    assert_memory_equal (&saved, state, sizeof saved);
}

static void
apply_committed (struct truth *truth, const struct record_committed *committed)
{
    struct truth_session *session = truth_session (truth, committed->session);

    if (!session) return;
    if (id_equal (session->client_actor, committed->actor)) {
        apply_client_commit (truth, session, committed);
    } else {
        assert_true (id_equal (session->server_actor, committed->actor));
        apply_server_commit (truth, session, committed);
    }
}

static void
apply_bound (struct truth *truth, const struct record_bound *bound, struct log_index index)
{
    struct truth_session *session = truth_session (truth, bound->session);

    if (!session) return;
    truth->rebound += session->binding == TRUTH_ENDED;
    session->binding = TRUTH_BOUND;
    session->server_actor = bound->actor;
    assert_true (index.n > session->server_incarnation);
    session->server_incarnation = index.n;
    assert_true (bound->server.size < sizeof session->server);
    snprintf (session->server, sizeof session->server, "%.*s", (int) bound->server.size,
              (const char *) bound->server.data);
}

static void
apply_ended (struct truth *truth, const struct record_server_ended *ended)
{
    for (uint32_t i = 0; i < truth->sessions_count; i++) {
        struct truth_session *session = &truth->sessions[i];
        const struct baton_bytes server = { session->server, strlen (session->server) };
        if (!id_is_none (session->id) && bytes_equal (server, ended->name)) {
            session->binding = TRUTH_ENDED;
        }
    }
    truth->ended++;
    for (uint32_t i = 0; i < ended->items_count; i++) {
        struct truth_session *session = truth_session (truth, ended->items[i].session);
        if (!session || ended->items[i].outcome != ATTEMPT_GIVEN_UP) continue;
        answer (truth, session, ended->items[i].suspect_through.n, RESPONSE_FAILED, 0);
    }
}

static void
apply_closed (struct truth *truth, struct id id)
{
    struct truth_session *session = truth_session (truth, id);

    if (!session) return;
    session->id = (struct id) { 0 };
    truth->closed++;
}

void
truth_apply (struct truth *truth, struct baton_bytes bytes)
{
    struct record record;

    assert_int_equal (record_decode (bytes, &truth->room, &record), BATON_OK);
    switch ((enum record_type) record.head.type) {
    case RECORD_OPENED: apply_opened (truth, &record.opened); return;
    case RECORD_COMMITTED: apply_committed (truth, &record.committed); return;
    case RECORD_BOUND: apply_bound (truth, &record.bound, record.head.index); return;
    case RECORD_CLOSED: apply_closed (truth, record.closed.session); return;
    case RECORD_SERVER_ENDED: apply_ended (truth, &record.server_ended); return;
    case RECORD_EPOCH:
    case RECORD_OFFERED:
    case RECORD_OFFER_RETIRED: return;
    }
}
