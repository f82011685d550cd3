// SPDX-License-Identifier: MPL-2.0
// link_session_take.c has what the manager says to a client's session.
#include "proto/link_session.h"

#include "proto/assert.h"
#include "proto/mutant.h"

#include <stddef.h>
#include <string.h>

static struct link_session *
by_ref (const struct link *link, uint64_t ref)
{
    struct link_end *end = end_find (link, MAP_REF, (struct id) {0, ref});
    return end ? session_of (end) : NULL;
}

static struct link_session *
by_session (const struct link *link, struct id session, struct incarnation incarnation)
{
    struct link_end *end = end_find (link, MAP_SESSION, session);
    return end && end->incarnation.n == incarnation.n ? session_of (end) : NULL;
}

// The manager went back behind what it had acknowledged: its store is not the one we knew.
static void
end_damaged (struct link_session *self)
{
    static const char text[] = "the broker forgot work that it had acknowledged";
    session_end (self, BATON_DAMAGED, (struct baton_bytes) {text, sizeof text - 1});
}

static void
go_on (struct link_session *self, struct version stored)
{
    self->end.standing = END_READY;
    if (end_restart (&self->end, stored)) {
        end_damaged (self);
    }
}

static enum baton_err
keep_restart_data (struct link_session *self, struct baton_bytes restart_data)
{
    if (restart_data.size == 0) return BATON_OK;

    self->restart_data = memory_alloc (&self->end.link->memory, restart_data.size);
    if (!self->restart_data) return BATON_NO_MEMORY;
    memcpy (self->restart_data, restart_data.data, restart_data.size);
    self->restart_data_bytes = restart_data.size;
    return BATON_OK;
}

static void
first_opened (struct link_session *self, const struct msg_opened *opened)
{
    if (keep_restart_data (self, opened->restart_data)) {
        link_stumble (self->end.link);
        return;
    }
    end_name (&self->end, opened->session, opened->actor, opened->incarnation);
    outbox_init (&self->end.outbox, opened->version);
    self->end.sent = opened->version;
    self->last_seq = opened->requests_accepted_through;
    self->received_through = opened->responses_consumed_through;
    self->shown_through = self->received_through;
    self->done_through = self->received_through;
    self->consumed_through = self->received_through;
    self->mode = opened->restart_data.size > 0 ? LINK_COMMIT_BY_HAND : LINK_COMMIT_BY_SEND;
    self->end.standing = END_READY;
    if (self->phase == LINK_SESSION_OPENING) {
        self->phase = LINK_SESSION_RESUMING;
    }
    end_wake (&self->end);
}

static void
take_opened (struct link *link, const struct msg_opened *opened)
{
    struct link_session *self = by_ref (link, opened->ref);
    if (!self || self->phase == LINK_SESSION_ENDED) {
        link->counters.ignored++;
    } else if (id_is_none (self->end.session)) {
        first_opened (self, opened);
    } else if (opened->incarnation.n != self->end.incarnation.n) {
        // Somebody else had the actor meanwhile: this one may not go on.
        session_end (self, BATON_FENCED, (struct baton_bytes) {0});
    } else {
        go_on (self, opened->version);
    }
}

static void
take_resumed (struct link *link, const struct msg_resumed *resumed)
{
    struct link_session *self = by_ref (link, resumed->ref);
    if (!self || id_is_none (self->end.session)
        || self->end.incarnation.n != resumed->incarnation.n) {
        link->counters.ignored++;
        return;
    }
    if (self->phase == LINK_SESSION_RESUMING) {
        self->phase = LINK_SESSION_LIVE;
    }
    if (self->phase != LINK_SESSION_ENDED && self->end.standing != END_READY) {
        go_on (self, resumed->version);
    }
}

static struct inbox_item *
new_item (struct link_session *self, struct baton_bytes body, struct baton_bytes *kept)
{
    size_t size = sizeof (struct inbox_item) + body.size;
    struct inbox_item *item = memory_alloc (&self->end.link->memory, size);
    if (!item) return NULL;

    memset (item, 0, sizeof *item);
    ring_init (&item->ring);
    item->block_bytes = size;
    if (body.size > 0) {
        memcpy (item + 1, body.data, body.size);
    }
    *kept = (struct baton_bytes) {item + 1, body.size};
    self->held_count++;
    self->held_bytes += body.size;
    return item;
}

// Whether the manager keeps to the credit it has: what is over it is not kept.
static bool
has_credit (struct link_session *self, size_t size)
{
    self->received_count++;
    self->received_bytes += size;
    return self->held_count < LIMIT_CREDIT_COUNT * 2
           && self->held_bytes < 2 * (uint64_t) LIMIT_CLIENT_CREDIT_BYTES;
}

static enum baton_err
keep_response (struct link_session *self, const struct msg_response *response)
{
    if (!has_credit (self, response->body.size)) return BATON_BUSY;
    if (response->seq.n <= self->received_through.n && !MUTANT (RESPONSE_SHOWN_TWICE)) {
        self->end.link->counters.redelivered++;
        end_wake (&self->end);
        return BATON_OK;
    }
    // Never over a hole: what lies before it comes again, with this, after the next OPEN.
    if (response->seq.n > self->received_through.n + 1) return BATON_NOT_FOUND;

    struct baton_bytes kept;
    struct inbox_item *item = new_item (self, response->body, &kept);
    if (!item) return BATON_NO_MEMORY;

    item->response = *response;
    item->response.body = kept;
    ring_add (&self->responses, &item->ring);
    self->received_through = response->seq;
    return BATON_OK;
}

static enum baton_err
keep_open_request (struct link_session *self, const struct msg_request *request)
{
    if (!has_credit (self, request->body.size)) return BATON_BUSY;
    if (request->seq.n <= self->open_through.n || self->open_requests == OPEN_REQUESTS_DROPPED) {
        end_wake (&self->end);
        return BATON_OK;
    }
    struct baton_bytes kept;
    struct inbox_item *item = new_item (self, request->body, &kept);
    if (!item) return BATON_NO_MEMORY;

    item->request = *request;
    item->request.body = kept;
    ring_add (&self->requests, &item->ring);
    self->open_through = request->seq;
    return BATON_OK;
}

static enum baton_err
keep_delivery (struct link_session *self, const struct msg_delivery *delivery)
{
    for (uint32_t i = 0; i < delivery->requests_count; i++) {
        enum baton_err err = keep_open_request (self, &delivery->requests[i]);
        if (err) return err;
    }
    for (uint32_t i = 0; i < delivery->responses_count; i++) {
        enum baton_err err = keep_response (self, &delivery->responses[i]);
        if (err) return err;
    }
    return BATON_OK;
}

static void
take_deliver (struct link *link, const struct msg_deliver *deliver)
{
    for (uint32_t i = 0; i < deliver->deliveries_count; i++) {
        const struct msg_delivery *delivery = &deliver->deliveries[i];
        struct link_session *self = by_session (link, delivery->session, delivery->incarnation);
        if (!self || self->phase == LINK_SESSION_ENDED || self->phase == LINK_SESSION_CLOSING
            || self->end.standing != END_READY) {
            // What was sent before our OPEN was seen comes again after it.
            link->counters.ignored++;
        } else if (keep_delivery (self, delivery)) {
            // What could not be kept comes again after the next OPEN, which names what we have.
            link_stumble (link);
            return;
        }
    }
}

static void
take_closed (struct link *link, const struct msg_closed *closed)
{
    struct link_end *end = end_find (link, MAP_SESSION, closed->session);
    struct link_session *self = closed->ref ? by_ref (link, closed->ref)
                                            : (end ? session_of (end) : NULL);
    if (!self) {
        link->counters.ignored++;
        return;
    }
    session_end (self, BATON_CLOSED, (struct baton_bytes) {0});
}

// The session that a refusal is about, NULL if it is none of ours or not as it is now.
static struct link_session *
refused_session (const struct link *link, const struct msg_refused *refused)
{
    if (refused->kind == MSG_OPEN || refused->kind == MSG_CLOSE) return by_ref (link, refused->ref);

    struct link_end *end = end_find_refused (link, refused);
    return end ? session_of (end) : NULL;
}

// BUSY and UNAVAILABLE ask to say it again later.
static bool
is_for_later (const struct msg_refused *refused)
{
    return refused->refusal == REFUSAL_BUSY || refused->refusal == REFUSAL_UNAVAILABLE;
}

static void
say_later (struct link_session *self, const struct msg_refused *refused)
{
    self->end.link->counters.busy++;
    self->end.hold_ns = link_retry_ns (self->end.link, refused);
    end_set_alarm (&self->end, self->end.hold_ns);
}

static void
take_refused_open (struct link_session *self, const struct msg_refused *refused)
{
    if (is_for_later (refused)) {
        self->end.standing = END_MUST_OPEN;
        say_later (self, refused);
    } else {
        session_end (self, link_error_of (refused->refusal), refused->text);
    }
}

static void
take_refused_close (struct link_session *self, const struct msg_refused *refused)
{
    if (is_for_later (refused)) {
        self->close = CLOSE_UNSENT;
        say_later (self, refused);
    } else if (refused->refusal == REFUSAL_GAP || refused->refusal == REFUSAL_DUPLICATE) {
        self->close_version = refused->version;
        self->close = CLOSE_UNSENT;
        end_wake (&self->end);
    } else {
        session_end (self, link_error_of (refused->refusal), refused->text);
    }
}

static void
take_refused_commit (struct link_session *self, const struct msg_refused *refused)
{
    if (self->phase == LINK_SESSION_CLOSING && refused->refusal == REFUSAL_BUSY) {
        // Nobody needs it any more, and CLOSE may make the room that is missing.
        outbox_cut (&self->end.link->memory, &self->end.outbox, refused->version);
        end_wake (&self->end);
    } else if (!end_take_refused_commit (&self->end, refused)) {
        session_end (self, link_error_of (refused->refusal), refused->text);
    }
}

static void
take_refused (struct link *link, const struct msg_refused *refused)
{
    struct link_session *self = refused_session (link, refused);
    if (!self || self->phase == LINK_SESSION_ENDED) {
        link->counters.refused++;
    } else if (refused->kind == MSG_OPEN) {
        take_refused_open (self, refused);
    } else if (refused->kind == MSG_CLOSE) {
        take_refused_close (self, refused);
    } else if (refused->kind == MSG_COMMIT) {
        take_refused_commit (self, refused);
    } else if (refused->kind == MSG_CREDIT && is_for_later (refused)) {
        // OPEN gives all the credit there is, so nothing depends on the one that was lost.
        take_refused_open (self, refused);
    } else if (refused->refusal == REFUSAL_FENCED || refused->refusal == REFUSAL_NO_SUCH_SESSION) {
        session_end (self, link_error_of (refused->refusal), refused->text);
    } else {
        link->counters.refused++;
    }
}

void
session_take (struct link *link, const struct msg *msg)
{
    switch (msg->kind) {
    case MSG_OPENED: take_opened (link, &msg->opened); return;
    case MSG_RESUMED: take_resumed (link, &msg->resumed); return;
    case MSG_DELIVER: take_deliver (link, &msg->deliver); return;
    case MSG_CLOSED: take_closed (link, &msg->closed); return;
    case MSG_REFUSED: take_refused (link, &msg->refused); return;
    case MSG_HELLO:
    case MSG_WELCOME:
    case MSG_HEARTBEAT:
    case MSG_CREDIT:
    case MSG_GOODBYE:
    case MSG_OPEN:
    case MSG_COMMIT:
    case MSG_COMMITTED:
    case MSG_RELOAD:
    case MSG_STATE:
    case MSG_CLOSE:
    case MSG_OFFER:
    case MSG_OFFERED:
    case MSG_ADMIN_ASK:
    case MSG_ADMIN_TELL: link->counters.ignored++; return;
    }
}
