// SPDX-License-Identifier: MPL-2.0
#include "tests/story/walk_end.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MS ((uint64_t) NS_PER_MS)

void
walk_client_start (struct world *world, struct walk_client *client, uint32_t who)
{
    memset (client, 0, sizeof *client);
    walk_end_start (world, &client->end, END_CLIENT, who);
    world_trace (world, "client %u starts", who);
}

static void
forget_session (struct walk_client *client, struct walk_session *session)
{
    bool known = false;

    memset (session, 0, sizeof *session);
    for (uint32_t i = 0; i < TRUTH_SLOTS; i++) {
        known = known || !id_is_none (client->sessions[i].id);
    }
    if (!known) {
        memset (&client->actor, 0, sizeof client->actor);
        memset (&client->state, 0, sizeof client->state);
    }
}

static void
say_open (struct world *world, struct walk_client *client, uint32_t slot)
{
    struct walk_session *session = &client->sessions[slot];
    struct letter letter = { .msg.kind = MSG_OPEN };
    struct msg_open *open = &letter.msg.open;

    session->ref = ++client->end.refs;
    session->phase = WALK_OPENING;
    session->granted_count = 1 + world_draw (world, 4);
    session->granted_bytes = 50 + world_draw (world, 100);
    open->ref = session->ref;
    open->intent = id_is_none (session->id) ? OPEN_OR_CREATE : OPEN_EXISTING;
    open->kind = SESSION_BOUND;
    open->session.size = 3;
    open->actor.size = 2;
    snprintf (letter.names[0], sizeof letter.names[0], "c%u%c", client->end.who,
              (char) ('a' + slot));
    snprintf (letter.names[1], sizeof letter.names[1], "c%u", client->end.who);
    open->incarnation = client->actor.incarnation;
    if (open->intent == OPEN_EXISTING) {
        open->version.n = client->actor.next;
        open->responses_received_through.n = session->received;
    }
    open->credit_count = session->granted_count;
    open->credit_bytes = session->granted_bytes;
    walk_end_say (world, &client->end, &letter);
}

// The first OPEN of an actor must be answered before others can name its incarnation.
static void
open_sessions (struct world *world, struct walk_client *client)
{
    for (uint32_t i = 0; i < TRUTH_SLOTS; i++) {
        struct walk_session *session = &client->sessions[i];
        if (session->phase == WALK_UNOPENED && world->now_ns >= session->retry_ns) {
            say_open (world, client, i);
        }
        if (client->actor.incarnation.n == 0) return;
    }
}

static uint64_t
draw_kind (struct world *world)
{
    const uint64_t number = world_draw (world, 40);

    return number == 0 ? TRUTH_KILLER : number <= 2 ? TRUTH_REJECTED : TRUTH_PLAIN;
}

static void
put_requests (struct world *world, struct walk_client *client, uint32_t slot,
              struct letter *letter)
{
    struct truth_client_share *share = &client->state.shares[slot];
    uint64_t count = world->phase == WORLD_CALM ? 0 : world_draw (world, 4);

    for (; count > 0 && share->sent < REQUESTS_MAX; count--) {
        const struct truth_body body = { ++world->nonces, draw_kind (world) };
        const uint32_t at = letter->part.requests_count++;
        memcpy (letter->bodies[at], &body, sizeof body);
        letter->requests[at].body.size =
            TRUTH_BODY_BYTES + world_draw (world, LETTER_BODY_BYTES - TRUTH_BODY_BYTES + 1);
        letter->requests[at].seq.n = ++share->sent;
        letter->requests[at].state = REQUEST_OPEN;
        share->sent_chain = truth_chain (share->sent_chain, body.nonce);
    }
}

static void
put_consumption (struct world *world, struct walk_client *client, uint32_t slot,
                 struct letter *letter)
{
    const struct walk_session *session = &client->sessions[slot];
    struct truth_client_share *share = &client->state.shares[slot];
    uint64_t count = session->received - share->consumed;

    if (world->phase == WORLD_ROUGH) {
        count = world_draw (world, count + 1);
    }
    for (; count > 0; count--) {
        share->consumed_chain =
            truth_chain (share->consumed_chain, session->answers[share->consumed]);
        share->consumed++;
    }
    letter->part.responses_consumed_through.n = share->consumed;
}

static void
commit (struct world *world, struct walk_client *client, uint32_t slot)
{
    const struct walk_session *session = &client->sessions[slot];
    struct letter letter = { .msg.kind = MSG_COMMIT };

    if (session->phase != WALK_LIVE || client->actor.window_count == WINDOW_MAX) return;
    if (world->phase == WORLD_CALM
        && client->state.shares[slot].consumed == session->received) {
        return;
    }
    if (world_draw (world, 20) > 0) {
        put_requests (world, client, slot, &letter);
        put_consumption (world, client, slot, &letter);
        letter.part.session = session->id;
        letter.msg.commit.parts_count = 1;
    }
    letter.msg.commit.restart_data.size = sizeof client->state;
    memcpy (letter.restart_data, &client->state, sizeof client->state);
    walk_seal (world, &client->end, &client->actor, &letter);
}

static void
say_credit (struct world *world, struct walk_client *client, struct walk_session *session)
{
    struct letter letter = { .msg.kind = MSG_CREDIT };

    if (session->phase != WALK_LIVE && session->phase != WALK_RESUMING) return;
    session->granted_count += 1 + world_draw (world, 8);
    session->granted_bytes += 48 + world_draw (world, 200);
    letter.msg.credit.session = session->id;
    letter.msg.credit.granted_count = session->granted_count;
    letter.msg.credit.granted_bytes = session->granted_bytes;
    walk_end_say (world, &client->end, &letter);
}

static void
say_close (struct world *world, struct walk_client *client, struct walk_session *session)
{
    struct letter letter = { .msg.kind = MSG_CLOSE };

    if (session->phase != WALK_LIVE || client->actor.window_count > 0) return;
    session->phase = WALK_CLOSING;
    letter.msg.close.ref = session->ref;
    letter.msg.close.session = session->id;
    letter.msg.close.actor = client->actor.id;
    letter.msg.close.incarnation = client->actor.incarnation;
    letter.msg.close.expect_version.n = client->actor.next;
    walk_end_say (world, &client->end, &letter);
}

void
walk_client_act (struct world *world, struct walk_client *client)
{
    const uint32_t slot = (uint32_t) world_draw (world, TRUTH_SLOTS);
    struct walk_actor *actor = &client->actor;
    char name[8];

    snprintf (name, sizeof name, "c%u", client->end.who);
    walk_end_live (world, &client->end, name);
    if (client->end.phase != END_WELCOME) return;
    open_sessions (world, client);
    if (actor->resend_ns && world->now_ns >= actor->resend_ns) {
        walk_resend (world, &client->end, actor);
    }
    switch (world_draw (world, 8)) {
    case 0: say_credit (world, client, &client->sessions[slot]); return;
    case 1:
        if (world->phase == WORLD_ROUGH && world_draw (world, 40) == 0) {
            say_close (world, client, &client->sessions[slot]);
        }
        return;
    default: commit (world, client, slot); return;
    }
}

static struct walk_session *
session_of (struct walk_client *client, struct id id)
{
    for (uint32_t i = 0; i < TRUTH_SLOTS; i++) {
        if (!id_is_none (id) && id_equal (client->sessions[i].id, id)) {
            return &client->sessions[i];
        }
    }
    return NULL;
}

static struct walk_session *
session_by_ref (struct walk_client *client, uint64_t ref)
{
    for (uint32_t i = 0; i < TRUTH_SLOTS; i++) {
        if (ref && client->sessions[i].ref == ref) return &client->sessions[i];
    }
    return NULL;
}

// The first OPENED of a process tells it who it is and where it was.
static void
take_actor (struct walk_client *client, const struct msg_opened *opened)
{
    struct walk_actor *actor = &client->actor;

    if (actor->incarnation.n) {
        assert_int_equal (opened->incarnation.n, actor->incarnation.n);
        assert_true (id_equal (opened->actor, actor->id));
        return;
    }
    actor->id = opened->actor;
    actor->incarnation = opened->incarnation;
    actor->stored = opened->version.n;
    actor->next = opened->version.n;
    memset (&client->state, 0, sizeof client->state);
    if (opened->version.n > 0) {
        assert_int_equal (opened->restart_data.size, sizeof client->state);
        memcpy (&client->state, opened->restart_data.data, sizeof client->state);
    }
}

static void
take_opened (struct walk_client *client, const struct msg_opened *opened)
{
    struct walk_session *session = session_by_ref (client, opened->ref);

    assert_non_null (session);
    assert_int_equal (session->phase, WALK_OPENING);
    take_actor (client, opened);
    struct truth_client_share *share = &client->state.shares[session - client->sessions];
    if (!id_equal (share->session, opened->session)) {
        memset (share, 0, sizeof *share);
        share->session = opened->session;
    }
    session->id = opened->session;
    session->phase = WALK_RESUMING;
    session->received = opened->responses_consumed_through.n;
    assert_int_equal (share->sent, opened->requests_accepted_through.n);
    assert_int_equal (share->consumed, opened->responses_consumed_through.n);
}

static void
take_resumed (struct world *world, struct walk_client *client, const struct msg_resumed *resumed)
{
    struct walk_session *session = session_of (client, resumed->session);

    assert_non_null (session);
    assert_true (session->phase == WALK_OPENING || session->phase == WALK_RESUMING);
    assert_int_equal (resumed->ref, session->ref);
    assert_int_equal (resumed->incarnation.n, client->actor.incarnation.n);
    assert_true (resumed->version.n >= client->actor.stored);
    session->phase = WALK_LIVE;
    walk_acked (&client->actor, resumed->version.n);
    walk_resend (world, &client->end, &client->actor);
}

static void
take_delivery (struct world *world, struct walk_client *client,
               const struct effect_delivery *delivery)
{
    struct walk_session *session = session_of (client, delivery->head.session);
    const struct truth_session *truth = truth_session (&world->truth, delivery->head.session);
    const struct msg_response *response = &delivery->response;

    assert_non_null (session);
    assert_int_equal (delivery->head.incarnation.n, client->actor.incarnation.n);
    if (delivery->item == DELIVERY_REQUEST) {
        assert_int_equal (session->phase, WALK_RESUMING);
        if (!truth) return;
        assert_true (truth_body_of (delivery->request.body).nonce
                     == truth->requests[delivery->request.seq.n - 1].nonce);
        return;
    }
    assert_int_equal (delivery->item, DELIVERY_RESPONSE);
    assert_int_equal (response->seq.n, session->received + 1);
    const uint64_t nonce = response->status == RESPONSE_REPLY
        ? truth_body_of (response->body).nonce : 0;
    session->answers[session->received++] =
        truth_answer (response->request.n, response->status, nonce);
    if (!truth) return;
    assert_int_equal (truth->responses[response->seq.n - 1].request, response->request.n);
    assert_true (truth->responses[response->seq.n - 1].nonce == nonce);
}

static void
take_open_refused (struct world *world, struct walk_client *client,
                   const struct msg_refused *refused)
{
    struct walk_session *session = session_by_ref (client, refused->ref);

    assert_non_null (session);
    if (refused->refusal == REFUSAL_BUSY || refused->refusal == REFUSAL_NO_MATCH) {
        session->phase = WALK_UNOPENED;
        session->retry_ns = world->now_ns + (200 + world_draw (world, 500)) * MS;
        return;
    }
    // Gone with its session, or taken over: this process is at its end.
    if (refused->refusal == REFUSAL_FENCED) {
        assert_false (id_equal (world->truth.client_instances[client->end.who],
                                client->end.instance));
    } else {
        assert_int_equal (refused->refusal, REFUSAL_NO_SUCH_SESSION);
        assert_int_not_equal (client->actor.incarnation.n, 0);
    }
    walk_end_stop (world, &client->end);
}

static void
take_refused (struct world *world, struct walk_client *client, const struct msg_refused *refused)
{
    if (refused->kind == MSG_HELLO) {
        assert_int_equal (refused->refusal, REFUSAL_BUSY);
        walk_end_leave (world, &client->end);
    } else if (refused->kind == MSG_OPEN) {
        take_open_refused (world, client, refused);
    } else if (refused->kind == MSG_CREDIT) {
        assert_true (refused->refusal == REFUSAL_DENIED
                     || refused->refusal == REFUSAL_NO_SUCH_SESSION);
    } else if (refused->kind == MSG_CLOSE && refused->refusal == REFUSAL_NO_SUCH_SESSION) {
        struct walk_session *session = session_of (client, refused->session);
        if (session) {
            forget_session (client, session);
        }
    } else if (refused->kind == MSG_COMMIT
               && !id_equal (refused->actor, client->actor.id)) {
        return; // of an actor that this process has given up
    } else if (refused->kind == MSG_COMMIT
               && walk_commit_refused (world, &client->actor, refused)) {
        return;
    } else if (refused->refusal == REFUSAL_FENCED) {
        assert_false (id_equal (world->truth.client_instances[client->end.who],
                                client->end.instance));
        walk_end_stop (world, &client->end);
    } else {
        assert_int_equal (refused->refusal, REFUSAL_NO_SUCH_SESSION);
        walk_end_stop (world, &client->end);
    }
}

static void
take_welcome (struct walk_client *client, struct epoch epoch)
{
    if (client->end.phase != END_GREETING) return;
    assert_true (epoch.n >= client->end.epoch.n);
    client->end.epoch = epoch;
    client->end.phase = END_WELCOME;
    for (uint32_t i = 0; i < TRUTH_SLOTS; i++) {
        client->sessions[i].phase = WALK_UNOPENED;
        client->sessions[i].retry_ns = 0;
    }
}

static bool
asks_for_hello (const struct effect *effect)
{
    return effect->kind == EFFECT_REFUSED
        && (effect->refused.refusal == REFUSAL_HELLO_FIRST
            || effect->refused.refusal == REFUSAL_OLD_EPOCH);
}

static void
take_closed (struct walk_client *client, const struct msg_closed *closed)
{
    struct walk_session *session = session_of (client, closed->session);

    if (session) {
        forget_session (client, session);
    }
}

static void
take (struct world *world, struct walk_client *client, const struct effect *effect)
{
    char name[8];

    if (effect->kind == EFFECT_WELCOME) {
        take_welcome (client, effect->epoch);
    } else if (client->end.phase == END_GREETING) {
        if (effect->kind == EFFECT_REFUSED && effect->refused.kind == MSG_HELLO) {
            take_refused (world, client, &effect->refused);
        }
    } else if (asks_for_hello (effect)) {
        snprintf (name, sizeof name, "c%u", client->end.who);
        walk_end_greet (world, &client->end, name);
    } else if (effect->kind == EFFECT_OPENED) {
        take_opened (client, &effect->opened);
    } else if (effect->kind == EFFECT_RESUMED) {
        take_resumed (world, client, &effect->resumed);
    } else if (effect->kind == EFFECT_DELIVER) {
        take_delivery (world, client, &effect->delivery);
    } else if (effect->kind == EFFECT_COMMITTED) {
        if (id_equal (effect->committed.actor, client->actor.id)) {
            walk_acked (&client->actor, effect->committed.version.n);
        }
    } else if (effect->kind == EFFECT_CLOSED) {
        take_closed (client, &effect->closed);
    } else if (effect->kind == EFFECT_REFUSED) {
        take_refused (world, client, &effect->refused);
    } else {
        assert_int_equal (effect->kind, EFFECT_HEARTBEAT);
    }
}

bool
walk_client_take (struct world *world, struct walk_client *client)
{
    struct effect effect;

    if (!world_take (client->end.path, &effect)) return false;
    client->end.heard_ns = world->now_ns;
    take (world, client, &effect);
    effect_drop (&world->twin.memory.memory, &effect);
    return true;
}
