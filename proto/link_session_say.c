// SPDX-License-Identifier: MPL-2.0
// link_session_say.c has what is sent for a client's session: it follows from the session's state.
#include "proto/link_session.h"

#include "proto/assert.h"

// Credit is renewed when a quarter of it is taken, so that it costs few messages and never runs
// dry: LIMIT_CLIENT_CREDIT_BYTES less a quarter is over one body.
#define CREDIT_STEP 4u

// The manager may go over the window by one item; there is then no room, not less than none.
static uint64_t
room_count (const struct link_session *self)
{
    return self->held_count < SESSION_WINDOW_COUNT ? SESSION_WINDOW_COUNT - self->held_count : 0;
}

static uint64_t
room_bytes (const struct link_session *self)
{
    return self->held_bytes < SESSION_WINDOW_BYTES ? SESSION_WINDOW_BYTES - self->held_bytes : 0;
}

void
session_begin (struct link_end *end)
{
    struct link_session *self = session_of (end);
    end->standing = END_MUST_OPEN;
    end->hold_ns = 0;
    self->close = CLOSE_UNSENT;
}

// An OPEN before the first RESUMED asks for everything anew, since what was on its way is gone.
static void
fill_open (const struct link_session *self, struct msg_open *open)
{
    bool named = !id_is_none (self->end.session);
    bool resumed = named && self->phase != LINK_SESSION_RESUMING;
    *open = (struct msg_open) {
        .ref = self->end.ref,
        .intent = named ? OPEN_EXISTING : OPEN_OR_CREATE,
        .kind = SESSION_BOUND,
        .session = {self->block, self->name_bytes},
        .requirement = {self->block + self->name_bytes, self->requirement_bytes},
        .credit_count = room_count (self),
        .credit_bytes = room_bytes (self),
    };
    if (resumed) {
        open->incarnation = self->end.incarnation;
        open->version = self->end.sent;
        open->responses_received_through = self->received_through;
    }
}

static void
open_done (struct link_session *self)
{
    self->end.standing = END_WAITS;
    self->received_count = 0;
    self->received_bytes = 0;
    self->granted_count = room_count (self);
    self->granted_bytes = room_bytes (self);
}

static bool
credit_next (const struct link_session *self, struct msg *msg)
{
    uint64_t count = self->received_count + room_count (self);
    uint64_t bytes = self->received_bytes + room_bytes (self);
    bool due = count >= self->granted_count + SESSION_WINDOW_COUNT / CREDIT_STEP
               || bytes >= self->granted_bytes + SESSION_WINDOW_BYTES / CREDIT_STEP;
    if (!due) return false;

    msg->kind = MSG_CREDIT;
    msg->credit = (struct msg_credit) {
        .session = self->end.session, .granted_count = count, .granted_bytes = bytes
    };
    return true;
}

// A consumed mark that waited long enough for company leaves alone.
static void
consume_if_due (struct link_session *self)
{
    if (self->consume_ns == 0 || self->mode == LINK_COMMIT_BY_HAND) return;

    uint64_t now_ns = self->end.link->now_ns;
    bool room = !end_window_full (&self->end, 0);
    if (now_ns >= self->consume_ns && (!room || session_seal (self, session_restart_data (self)))) {
        self->consume_ns = now_ns + LIMIT_CONSUME_AFTER_MS * LINK_NS_PER_MS;
    }
    if (self->consume_ns) {
        end_set_alarm (&self->end, self->consume_ns);
    }
}

static bool
close_next (struct link_session *self, struct msg *msg)
{
    if (self->close == CLOSE_SENT || !outbox_is_empty (&self->end.outbox)) return false;
    if (end_is_held (&self->end)) return false;

    msg->kind = MSG_CLOSE;
    msg->close = (struct msg_close) {
        .ref = self->end.ref,
        .session = self->end.session,
        .actor = self->end.actor,
        .incarnation = self->end.incarnation,
        .expect_version = self->end.outbox.acked.n > self->close_version.n
                              ? self->end.outbox.acked
                              : self->close_version,
    };
    return true;
}

bool
session_next (struct link_end *end, struct msg *msg)
{
    struct link_session *self = session_of (end);
    if (self->phase == LINK_SESSION_ENDED || end->standing == END_WAITS) return false;
    if (end->standing == END_MUST_OPEN) {
        if (end_is_held (end)) return false;
        msg->kind = MSG_OPEN;
        fill_open (self, &msg->open);
        return true;
    }
    if (self->phase != LINK_SESSION_CLOSING) {
        if (credit_next (self, msg)) return true;
        consume_if_due (self);
    }
    if (end_commit_next (end, msg)) return true;
    return self->phase == LINK_SESSION_CLOSING && close_next (self, msg);
}

void
session_done (struct link_end *end, enum msg_kind kind)
{
    struct link_session *self = session_of (end);
    if (kind == MSG_OPEN) {
        open_done (self);
    } else if (kind == MSG_CREDIT) {
        self->granted_count = self->received_count + room_count (self);
        self->granted_bytes = self->received_bytes + room_bytes (self);
    } else if (kind == MSG_COMMIT) {
        end_commit_done (end);
    } else {
        ASSERT (kind == MSG_CLOSE);
        self->close = CLOSE_SENT;
    }
}
