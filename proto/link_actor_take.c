// SPDX-License-Identifier: MPL-2.0
// link_actor_take.c has what the manager says to a server about its sessions.
#include "proto/link_actor.h"

#include "proto/assert.h"
#include "proto/mutant.h"

#include <stddef.h>

static struct link_actor *
by_session (const struct link *link, struct id session)
{
    struct link_end *end = end_find (link, MAP_SESSION, session);
    return end ? actor_of (end) : NULL;
}

// A session at version 0 has no state that could be missing here.
static bool
is_fresh (const struct msg_delivery *delivery)
{
    if (MUTANT (STATE_TAKEN_FOR_FRESH)) return true;
    if (delivery->base_version.n > 0) return false;
    return delivery->requests_count == 0 || delivery->requests[0].seq.n == 1;
}

// A delivery of a request that was given back, sent before the manager knew of that.
static bool
is_given_back (const struct link_actor *self, const struct msg_request *request)
{
    return request->seq.n == self->rejected.n && request->state != REQUEST_SKIPPED
           && request->attempt <= self->rejected_attempt;
}

static enum baton_err
keep_request (struct link_actor *self, const struct msg_request *request)
{
    struct link_counters *counters = &self->end.link->counters;
    if (request->seq.n <= self->received_through.n && !MUTANT (DELIVERY_SHOWN_TWICE)) {
        counters->redelivered++;
        return BATON_OK;
    }
    // A hole is what lies beyond a request given back: all of it comes again after that.
    bool hole = request->seq.n > self->received_through.n + 1 && !MUTANT (HOLE_TAKEN);
    if (hole || is_given_back (self, request)) {
        counters->ignored++;
        return BATON_OK;
    }
    return actor_add_task (self, request);
}

static enum baton_err
take_live (struct link_actor *self, const struct msg_delivery *delivery)
{
    if (self->phase != ACTOR_LIVE) {
        self->end.link->counters.ignored++;
        return BATON_OK;
    }
    if (delivery->base_version.n > self->end.outbox.next.n && !MUTANT (STATE_TAKEN_FOR_FRESH)) {
        actor_want (self);
        return BATON_OK;
    }
    self->end.link->counters.hits++;
    for (uint32_t i = 0; i < delivery->requests_count; i++) {
        enum baton_err err = keep_request (self, &delivery->requests[i]);
        if (err) return err;
    }
    return BATON_OK;
}

static enum baton_err
take_queue (struct link_actor *self, const struct msg_delivery *delivery)
{
    if (self->phase != ACTOR_LOADING) {
        self->end.link->counters.ignored++;
        return BATON_OK;
    }
    for (uint32_t i = 0; i < delivery->requests_count; i++) {
        if (delivery->requests[i].seq.n > self->consumed_through.n) continue;
        enum baton_err err = actor_add_owed (self, &delivery->requests[i]);
        if (err) return err;
    }
    for (uint32_t i = 0; i < delivery->responses_count; i++) {
        enum baton_err err = actor_add_answer (self, &delivery->responses[i]);
        if (err) return err;
    }
    return BATON_OK;
}

// The oldest ends are the ones idle longest.
static void
touch (struct link_actor *self)
{
    ring_remove (&self->end.all);
    ring_add (&self->end.link->ends, &self->end.all);
}

static enum baton_err
take_delivery (struct link *link, const struct msg_delivery *delivery)
{
    struct link_actor *self = by_session (link, delivery->session);
    if (self && delivery->incarnation.n < self->end.incarnation.n) {
        link->counters.ignored++;
        return BATON_OK;
    }
    if (self && delivery->incarnation.n > self->end.incarnation.n) {
        actor_lose (self, BATON_FENCED);
        self = NULL;
    }
    if (delivery->phase == DELIVER_QUEUE) {
        if (self) return take_queue (self, delivery);
        link->counters.ignored++;
        return BATON_OK;
    }
    if (!self) {
        self = actor_new (link, delivery);
        if (!self) return BATON_NO_MEMORY;
        if (!is_fresh (delivery)) {
            actor_want (self);
            return BATON_OK;
        }
    }
    touch (self);
    return take_live (self, delivery);
}

static void
take_deliver (struct link *link, const struct msg_deliver *deliver)
{
    for (uint32_t i = 0; i < deliver->deliveries_count; i++) {
        if (take_delivery (link, &deliver->deliveries[i])) {
            // The manager sends all that is not consumed again after the next HELLO.
            link_stumble (link);
            return;
        }
    }
}

static void
take_state (struct link *link, const struct msg_state *state)
{
    struct link_actor *self = by_session (link, state->session);
    if (!self || self->phase == ACTOR_LIVE || self->phase == ACTOR_LOADING
        || state->incarnation.n < self->end.incarnation.n) {
        link->counters.ignored++;
        return;
    }
    if (actor_keep_restart_data (self, state->restart_data)) {
        link_stumble (link);
        return;
    }
    end_name (&self->end, state->session, state->actor, state->incarnation);
    ASSERT (outbox_is_empty (&self->end.outbox));
    outbox_init (&self->end.outbox, state->version);
    self->end.sent = state->version;
    self->received_through = state->requests_consumed_through;
    self->ready_through = state->requests_consumed_through;
    self->consumed_through = state->requests_consumed_through;
    self->answered_max = (struct request_seq) {0};
    self->rejected = (struct request_seq) {0};
    self->mode = link->server.mode;
    self->restarted = true;
    self->phase = ACTOR_LOADING;
}

static void
take_resumed (struct link *link, const struct msg_resumed *resumed)
{
    struct link_actor *self = by_session (link, resumed->session);
    if (!self || self->phase != ACTOR_LOADING
        || self->end.incarnation.n != resumed->incarnation.n) {
        link->counters.ignored++;
        return;
    }
    self->phase = ACTOR_LIVE;
    struct ring *owed = &self->owed;
    for (struct ring *node = owed->next; node != owed; node = node->next) {
        ring_add (&link->server.ready, &RING_ITEM (node, struct link_task, ring)->ready);
    }
}

static void
take_closed (struct link *link, const struct msg_closed *closed)
{
    struct link_actor *self = by_session (link, closed->session);
    if (self) {
        actor_lose (self, BATON_CLOSED);
    } else {
        link->counters.ignored++;
    }
}

static void
take_refused_reload (struct link_actor *self, const struct msg_refused *refused)
{
    if (refused->refusal != REFUSAL_BUSY && refused->refusal != REFUSAL_UNAVAILABLE) {
        actor_lose (self, link_error_of (refused->refusal));
        return;
    }
    self->end.link->counters.busy++;
    self->end.hold_ns = link_retry_ns (self->end.link, refused);
    end_set_alarm (&self->end, self->end.hold_ns);
    if (self->phase == ACTOR_ASKED) {
        self->phase = ACTOR_WANTED;
    }
}

// A fenced commit is answered with the incarnation that it named; one of a former incarnation does
// not come here. If it is ours, the binding was ended and may have been made anew: RELOAD asks.
static void
take_refused_commit (struct link_actor *self, const struct msg_refused *refused)
{
    if (refused->refusal == REFUSAL_FENCED
        && refused->incarnation.n == self->end.incarnation.n) {
        actor_want (self);
    } else {
        actor_lose (self, link_error_of (refused->refusal));
    }
}

static void
take_refused (struct link *link, const struct msg_refused *refused)
{
    if (refused->kind == MSG_OFFER) {
        server_take_refused_offer (link, refused);
        return;
    }
    struct link_end *end = end_find_refused (link, refused);
    if (!end) {
        link->counters.refused++;
    } else if (refused->kind == MSG_RELOAD) {
        take_refused_reload (actor_of (end), refused);
    } else if (refused->kind != MSG_COMMIT || actor_of (end)->phase != ACTOR_LIVE) {
        link->counters.refused++;
    } else if (!end_take_refused_commit (end, refused)) {
        take_refused_commit (actor_of (end), refused);
    }
}

void
actor_take (struct link *link, const struct msg *msg)
{
    switch (msg->kind) {
    case MSG_DELIVER: take_deliver (link, &msg->deliver); return;
    case MSG_STATE: take_state (link, &msg->state); return;
    case MSG_RESUMED: take_resumed (link, &msg->resumed); return;
    case MSG_CLOSED: take_closed (link, &msg->closed); return;
    case MSG_OFFERED: server_take_offered (link, &msg->offered); return;
    case MSG_REFUSED: take_refused (link, &msg->refused); return;
    case MSG_HELLO:
    case MSG_WELCOME:
    case MSG_HEARTBEAT:
    case MSG_CREDIT:
    case MSG_GOODBYE:
    case MSG_OPEN:
    case MSG_OPENED:
    case MSG_COMMIT:
    case MSG_COMMITTED:
    case MSG_RELOAD:
    case MSG_CLOSE:
    case MSG_OFFER:
    case MSG_ADMIN_ASK:
    case MSG_ADMIN_TELL: link->counters.ignored++; return;
    }
}
