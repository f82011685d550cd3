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
walk_server_start (struct world *world, struct walk_server *server, uint32_t who)
{
    memset (server, 0, sizeof *server);
    walk_end_start (world, &server->end, END_SERVER, who);
    world_trace (world, "server %u starts", who);
}

void
walk_server_goodbye (struct world *world, struct walk_server *server)
{
    const struct letter letter = { .msg.kind = MSG_GOODBYE };

    if (server->end.phase != END_WELCOME) return;
    walk_end_say (world, &server->end, &letter);
    walk_end_stop (world, &server->end);
}

static struct walk_held *
held_of (struct walk_server *server, struct id session)
{
    for (uint32_t i = 0; i < HELD_MAX; i++) {
        struct walk_held *held = &server->held[i];
        if (held->phase != HELD_FREE && id_equal (held->session, session)) return held;
    }
    return NULL;
}

static struct walk_held *
held_by_actor (struct walk_server *server, struct id actor)
{
    for (uint32_t i = 0; i < HELD_MAX; i++) {
        struct walk_held *held = &server->held[i];
        if (held->phase != HELD_FREE && id_equal (held->actor.id, actor)) return held;
    }
    return NULL;
}

static bool
is_idle (const struct walk_held *held)
{
    return held->phase == HELD_LIVE && held->actor.window_count == 0
        && held->pending_count == 0 && held->unanswered_count == 0;
}

// Where no place is free, a live state without work makes room: it can be asked for again.
static struct walk_held *
free_held (struct walk_server *server)
{
    for (uint32_t i = 0; i < HELD_MAX; i++) {
        if (server->held[i].phase == HELD_FREE) return &server->held[i];
    }
    for (uint32_t i = 0; i < HELD_MAX; i++) {
        if (is_idle (&server->held[i])) return &server->held[i];
    }
    fail_msg ("more sessions at a server than there can be");
    return NULL;
}

static void
say_offer (struct world *world, struct walk_server *server)
{
    struct letter letter = { .msg.kind = MSG_OFFER };
    struct msg_offer *offer = &letter.msg.offer;

    offer->ref = ++server->end.refs;
    offer->capacity = 1 + (uint32_t) world_draw (world, 3);
    offer->credit_count = 1 + (uint32_t) world_draw (world, 6);
    offer->credit_bytes = world_draw (world, 200);
    server->offer = OFFER_SENT;
    walk_end_say (world, &server->end, &letter);
}

static void
say_reload (struct world *world, struct walk_server *server, struct walk_held *held)
{
    struct letter letter = { .msg.kind = MSG_RELOAD };

    letter.msg.reload.session = held->session;
    letter.msg.reload.actor = held->actor.id;
    letter.msg.reload.incarnation = held->actor.incarnation;
    walk_end_say (world, &server->end, &letter);
}

static void
put_answer (struct walk_held *held, struct letter *letter, const struct walk_item *item)
{
    const uint32_t at = letter->part.responses_count++;
    const struct truth_body body = { ~item->nonce, item->kind };

    letter->responses[at].request.n = item->seq;
    letter->responses[at].status = RESPONSE_REPLY;
    letter->responses[at].body.size = sizeof body;
    memcpy (letter->bodies[LETTER_ITEMS_MAX + at], &body, sizeof body);
    held->state.answered++;
}

// Answers leave in the order of their requests; which of them, chance says.
static void
put_answers (struct world *world, struct walk_held *held, struct letter *letter)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < held->unanswered_count; i++) {
        const bool now = world->phase == WORLD_CALM || world_draw (world, 3) > 0;
        if (now && letter->part.responses_count < LETTER_ITEMS_MAX) {
            put_answer (held, letter, &held->unanswered[i]);
        } else {
            held->unanswered[kept++] = held->unanswered[i];
        }
    }
    held->unanswered_count = kept;
}

static void
consume_first (struct walk_held *held)
{
    const struct walk_item item = held->pending[0];

    memmove (held->pending, held->pending + 1, --held->pending_count * sizeof *held->pending);
    held->state.consumed = item.seq;
    if (item.kind == 0) return; // skipped
    held->state.chain = truth_chain (held->state.chain, item.nonce);
    assert_true (held->unanswered_count < TRUTH_ITEMS_MAX);
    held->unanswered[held->unanswered_count++] = item;
}

// reject gives the first request back, and with it all that came behind.
static void
reject (struct walk_held *held, struct letter *letter)
{
    letter->part.rejected.n = held->pending[0].seq;
    held->rejected = held->pending[0];
    held->pending_count = 0;
    held->received = held->state.consumed;
    held->order = ORDER_REJECTED;
}

// Returns whether the server lives on.
static bool
work (struct world *world, struct walk_server *server, struct walk_held *held)
{
    struct letter letter = { .msg.kind = MSG_COMMIT };
    uint64_t count = world_draw (world, held->pending_count + 1u);

    if (held->phase != HELD_LIVE || held->actor.window_count == WINDOW_MAX) return true;
    if (world->phase == WORLD_CALM) {
        count = held->pending_count;
    }
    if (count == 0 && held->unanswered_count == 0) return true;
    for (; count > 0; count--) {
        if (held->pending[0].kind == TRUTH_KILLER) {
            walk_end_stop (world, &server->end);
            return false;
        }
        if (held->pending[0].kind == TRUTH_REJECTED) {
            reject (held, &letter);
            break;
        }
        consume_first (held);
    }
    put_answers (world, held, &letter);
    letter.part.session = held->session;
    letter.part.requests_consumed_through.n = held->state.consumed;
    letter.msg.commit.parts_count = 1;
    letter.msg.commit.restart_data.size = sizeof held->state;
    memcpy (letter.restart_data, &held->state, sizeof held->state);
    walk_seal (world, &server->end, &held->actor, &letter);
    return true;
}

void
walk_server_act (struct world *world, struct walk_server *server)
{
    struct walk_held *held = &server->held[world_draw (world, HELD_MAX)];
    char name[8];

    snprintf (name, sizeof name, "s%u", server->end.who);
    walk_end_live (world, &server->end, name);
    if (server->end.phase != END_WELCOME) return;
    if (server->offer == OFFER_UNSENT
        || (world->phase == WORLD_ROUGH && world_draw (world, 200) == 0)) {
        say_offer (world, server);
    }
    for (uint32_t i = 0; i < HELD_MAX; i++) {
        struct walk_actor *actor = &server->held[i].actor;
        if (server->held[i].phase == HELD_LIVE && actor->resend_ns
            && world->now_ns >= actor->resend_ns) {
            walk_resend (world, &server->end, actor);
        }
    }
    // Live state that nobody needs now may be given up at any time.
    if (is_idle (held) && world_draw (world, 50) == 0) {
        held->phase = HELD_FREE;
    }
    for (uint32_t i = 0; i < HELD_MAX; i++) {
        if (world->phase == WORLD_ROUGH && world_draw (world, 3) > 0) continue;
        if (!work (world, server, &server->held[i])) return;
    }
}

static void
ask_for_state (struct world *world, struct walk_server *server, struct walk_held *held,
               const struct msg_delivery *head)
{
    memset (held, 0, sizeof *held);
    held->phase = HELD_ASKED;
    held->session = head->session;
    held->actor.id = head->actor;
    held->actor.incarnation = head->incarnation;
    say_reload (world, server, held);
}

static void
check_request (struct world *world, struct id session, const struct msg_request *request)
{
    const struct truth_session *truth = truth_session (&world->truth, session);

    if (!truth || request->state == REQUEST_SKIPPED) return;
    assert_true (request->seq.n <= truth->requests_count);
    assert_true (truth->requests[request->seq.n - 1].nonce
                 == truth_body_of (request->body).nonce);
}

static struct walk_item
item_of (const struct msg_request *request)
{
    struct walk_item item = { .seq = request->seq.n };

    if (request->state == REQUEST_OPEN) {
        const struct truth_body body = truth_body_of (request->body);
        item.nonce = body.nonce;
        item.kind = body.kind;
        item.attempt = request->attempt;
    }
    return item;
}

// A delivery of a request that was given back, sent before the manager knew of that.
static bool
is_given_back (const struct walk_held *held, const struct msg_request *request)
{
    return request->seq.n == held->rejected.seq && request->state == REQUEST_OPEN
        && request->attempt <= held->rejected.attempt;
}

static void
take_request (struct walk_held *held, const struct msg_request *request,
              enum deliver_phase phase)
{
    if (phase == DELIVER_QUEUE) {
        assert_int_equal (held->phase, HELD_LOADING);
        assert_int_equal (request->state, REQUEST_OPEN);
        assert_true (request->seq.n <= held->state.consumed);
        held->unanswered[held->unanswered_count++] = item_of (request);
        return;
    }
    assert_int_equal (held->phase, HELD_LIVE);
    if (request->seq.n <= held->received) return;
    if (is_given_back (held, request)) {
        held->order = ORDER_REJECTED;
        return;
    }
    if (request->seq.n > held->received + 1) {
        assert_int_equal (held->order, ORDER_REJECTED);
        return;
    }
    held->order = ORDER_STRICT;
    held->received++;
    assert_true (held->pending_count < TRUTH_ITEMS_MAX);
    held->pending[held->pending_count++] = item_of (request);
}

static void
take_delivery (struct world *world, struct walk_server *server,
               const struct effect_delivery *delivery)
{
    const struct msg_delivery *head = &delivery->head;
    struct walk_held *held = held_of (server, head->session);

    if (delivery->item == DELIVERY_REQUEST) {
        check_request (world, head->session, &delivery->request);
    }
    if (held && head->incarnation.n < held->actor.incarnation.n) return;
    if (!held || head->incarnation.n > held->actor.incarnation.n) {
        ask_for_state (world, server, held ? held : free_held (server), head);
        return;
    }
    if (held->phase == HELD_ASKED) return;
    assert_true (head->base_version.n >= held->actor.stored);
    assert_true (head->base_version.n <= held->actor.next);
    if (delivery->item == DELIVERY_REQUEST) {
        take_request (held, &delivery->request, head->phase);
    } else if (delivery->item == DELIVERY_RESPONSE) {
        assert_int_equal (held->phase, HELD_LOADING);
    }
}

static void
take_state (struct walk_server *server, const struct msg_state *state)
{
    struct walk_held *held = held_of (server, state->session);

    if (!held || held->phase != HELD_ASKED
        || held->actor.incarnation.n != state->incarnation.n) {
        return;
    }
    held->phase = HELD_LOADING;
    held->actor.stored = state->version.n;
    held->actor.next = state->version.n;
    if (state->version.n > 0) {
        assert_int_equal (state->restart_data.size, sizeof held->state);
        memcpy (&held->state, state->restart_data.data, sizeof held->state);
    }
    assert_int_equal (held->state.consumed, state->requests_consumed_through.n);
    held->received = held->state.consumed;
}

// What was shown since STATE is all that was consumed and not answered.
static void
take_resumed (struct world *world, struct walk_server *server, const struct msg_resumed *resumed)
{
    struct walk_held *held = held_of (server, resumed->session);
    const struct truth_session *truth = truth_session (&world->truth, resumed->session);
    uint32_t found = 0;

    if (!held || held->actor.incarnation.n != resumed->incarnation.n) return;
    assert_int_equal (held->phase, HELD_LOADING);
    held->phase = HELD_LIVE;
    if (!truth || truth->server_incarnation != held->actor.incarnation.n
        || truth->binding != TRUTH_BOUND) {
        return;
    }
    for (uint64_t i = 0; i < held->state.consumed; i++) {
        if (truth->requests[i].state != TRUTH_OPEN) continue;
        assert_true (found < held->unanswered_count);
        assert_int_equal (held->unanswered[found].seq, i + 1);
        found++;
    }
    assert_int_equal (found, held->unanswered_count);
}

// An actor is fenced only if its incarnation is over.
static void
take_fenced (struct world *world, struct walk_held *held)
{
    const struct truth_session *truth = truth_session (&world->truth, held->session);

    assert_true (!truth || truth->server_incarnation != held->actor.incarnation.n
                 || truth->binding == TRUTH_ENDED);
    held->phase = HELD_FREE;
}

static void
take_refused (struct world *world, struct walk_server *server, const struct msg_refused *refused)
{
    struct walk_held *held = held_by_actor (server, refused->actor);

    if (refused->kind == MSG_HELLO && refused->refusal == REFUSAL_BUSY) {
        walk_end_leave (world, &server->end);
    } else if (refused->kind == MSG_OFFER && refused->refusal == REFUSAL_BUSY) {
        server->offer = OFFER_UNSENT;
    } else if (refused->kind == MSG_HELLO || refused->kind == MSG_OFFER) {
        // A stranger may have had the name first.
        assert_true (refused->refusal == REFUSAL_FENCED || refused->refusal == REFUSAL_DENIED);
        walk_end_stop (world, &server->end);
    } else if (!held || refused->incarnation.n != held->actor.incarnation.n) {
        return; // of a former incarnation
    } else if (refused->kind == MSG_COMMIT
               && walk_commit_refused (world, &held->actor, refused)) {
        return;
    } else if (refused->refusal == REFUSAL_FENCED) {
        take_fenced (world, held);
    } else {
        assert_int_equal (refused->refusal, REFUSAL_NO_SUCH_SESSION);
        held->phase = HELD_FREE;
    }
}

// After a WELCOME all that was held comes again; only sealed work is kept.
static void
take_welcome (struct world *world, struct walk_server *server, struct epoch epoch)
{
    if (server->end.phase != END_GREETING) return;
    assert_true (epoch.n >= server->end.epoch.n);
    server->end.epoch = epoch;
    server->end.phase = END_WELCOME;
    server->offer = OFFER_UNSENT;
    for (uint32_t i = 0; i < HELD_MAX; i++) {
        struct walk_held *held = &server->held[i];
        held->pending_count = 0;
        held->received = held->state.consumed;
        held->order = ORDER_STRICT;
        if (held->phase == HELD_LIVE) {
            walk_resend (world, &server->end, &held->actor);
        } else {
            held->phase = HELD_FREE;
        }
    }
}

static void
take_committed (struct walk_server *server, const struct msg_ack *ack)
{
    struct walk_held *held = held_by_actor (server, ack->actor);

    if (held && held->phase == HELD_LIVE && held->actor.incarnation.n == ack->incarnation.n) {
        walk_acked (&held->actor, ack->version.n);
    }
}

static void
take_closed (struct walk_server *server, const struct msg_closed *closed)
{
    struct walk_held *held = held_of (server, closed->session);

    if (held) {
        held->phase = HELD_FREE;
    }
}

static void
take (struct world *world, struct walk_server *server, const struct effect *effect)
{
    const bool refused = effect->kind == EFFECT_REFUSED;
    char name[8];

    if (effect->kind == EFFECT_WELCOME) {
        take_welcome (world, server, effect->epoch);
    } else if (server->end.phase == END_GREETING) {
        if (refused && effect->refused.kind == MSG_HELLO) {
            take_refused (world, server, &effect->refused);
        }
    } else if (refused && (effect->refused.refusal == REFUSAL_HELLO_FIRST
                           || effect->refused.refusal == REFUSAL_OLD_EPOCH)) {
        snprintf (name, sizeof name, "s%u", server->end.who);
        walk_end_greet (world, &server->end, name);
    } else if (refused) {
        take_refused (world, server, &effect->refused);
    } else if (effect->kind == EFFECT_DELIVER) {
        take_delivery (world, server, &effect->delivery);
    } else if (effect->kind == EFFECT_STATE) {
        take_state (server, &effect->state);
    } else if (effect->kind == EFFECT_RESUMED) {
        take_resumed (world, server, &effect->resumed);
    } else if (effect->kind == EFFECT_COMMITTED) {
        take_committed (server, &effect->committed);
    } else if (effect->kind == EFFECT_CLOSED) {
        take_closed (server, &effect->closed);
    } else if (effect->kind == EFFECT_OFFERED) {
        server->offer = OFFER_TAKEN;
    } else {
        assert_int_equal (effect->kind, EFFECT_HEARTBEAT);
    }
}

bool
walk_server_take (struct world *world, struct walk_server *server)
{
    struct effect effect;

    if (!world_take (server->end.path, &effect)) return false;
    server->end.heard_ns = world->now_ns;
    take (world, server, &effect);
    effect_drop (&world->twin.memory.memory, &effect);
    return true;
}
