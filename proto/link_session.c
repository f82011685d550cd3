// SPDX-License-Identifier: MPL-2.0
// link_session.c has what the application does with a session, and what is sent because of it.
#include "proto/link_session.h"

#include "proto/assert.h"

#include <stddef.h>
#include <string.h>

// What may be delivered ahead of being taken. Credit is renewed when a quarter of it is taken, so
// that it costs few messages and never runs dry: LIMIT_CLIENT_CREDIT_BYTES less a quarter is over
// one body.
#define WINDOW_COUNT ((uint64_t) LIMIT_CREDIT_COUNT)
#define WINDOW_BYTES ((uint64_t) LIMIT_CLIENT_CREDIT_BYTES)
#define CREDIT_STEP 4u
// A lone consumed mark leaves early when this much waits for it in the manager's queue.
#define CONSUME_COUNT (LIMIT_CREDIT_COUNT / 2)
#define CONSUME_BYTES (WINDOW_BYTES / 4)

// The manager may go over the window by one item; there is then no room, not less than none.
static uint64_t
room_count (const struct link_session *self)
{
    return self->held_count < WINDOW_COUNT ? WINDOW_COUNT - self->held_count : 0;
}

static uint64_t
room_bytes (const struct link_session *self)
{
    return self->held_bytes < WINDOW_BYTES ? WINDOW_BYTES - self->held_bytes : 0;
}

static struct baton_bytes
kept_restart_data (const struct link_session *self)
{
    return (struct baton_bytes) {self->restart_data, self->restart_data_bytes};
}

static enum baton_err
copy_names (struct link_session *self, struct baton_bytes name, struct baton_bytes requirement)
{
    self->block = memory_alloc (&self->end.link->memory, name.size + requirement.size);
    if (!self->block) return BATON_NO_MEMORY;

    memcpy (self->block, name.data, name.size);
    if (requirement.size > 0) {
        memcpy (self->block + name.size, requirement.data, requirement.size);
    }
    self->name_bytes = name.size;
    self->requirement_bytes = requirement.size;
    return BATON_OK;
}

enum baton_err
link_session_open (struct link *link, struct baton_bytes name, struct baton_bytes requirement,
                   struct link_session **session)
{
    ASSERT (link->role == END_CLIENT);
    *session = NULL;
    if (name.size == 0 || name.size > LIMIT_NAME_MAX_BYTES) return BATON_BAD_ARGUMENT;
    if (requirement.size > LIMIT_REQUIREMENT_MAX_BYTES) return BATON_BAD_ARGUMENT;
    struct link_session *self = memory_alloc (&link->memory, sizeof *self);
    if (!self) return BATON_NO_MEMORY;

    memset (self, 0, sizeof *self);
    end_init (&self->end, link);
    self->phase = LINK_SESSION_OPENING;
    self->mode = LINK_COMMIT_BY_SEND;
    ring_init (&self->responses);
    ring_init (&self->requests);
    if (copy_names (self, name, requirement)) {
        session_free (&self->end);
        return BATON_NO_MEMORY;
    }
    end_wake (&self->end);
    *session = self;
    return BATON_OK;
}

static void
free_item (struct link_session *self, struct inbox_item **item)
{
    if (*item) {
        memory_release (&self->end.link->memory, *item, (*item)->block_bytes);
        *item = NULL;
    }
}

static void
free_items (struct link_session *self, struct ring *items)
{
    while (!ring_is_empty (items)) {
        struct inbox_item *item = RING_ITEM (items->next, struct inbox_item, ring);
        ring_remove (&item->ring);
        free_item (self, &item);
    }
}

void
session_free (struct link_end *end)
{
    struct link_session *self = session_of (end);
    struct memory *memory = &end->link->memory;
    free_items (self, &self->responses);
    free_items (self, &self->requests);
    free_item (self, &self->shown);
    free_item (self, &self->shown_request);
    memory_release (memory, self->block, self->name_bytes + self->requirement_bytes);
    memory_release (memory, self->restart_data, self->restart_data_bytes);
    end_fini (end);
    memory_release (memory, self, sizeof *self);
}

void
link_session_free (struct link_session **session)
{
    if (!*session) return;

    session_free (&(*session)->end);
    *session = NULL;
}

void
session_end (struct link_session *self, enum baton_err error, struct baton_bytes text)
{
    ASSERT (error);
    if (self->phase == LINK_SESSION_ENDED) return;

    self->phase = LINK_SESSION_ENDED;
    self->error = error;
    link_keep_text (self->error_text, text);
    draft_fini (&self->end.link->memory, &self->end.draft);
    outbox_cut (&self->end.link->memory, &self->end.outbox, self->end.outbox.acked);
}

enum baton_err
session_seal (struct link_session *self, struct baton_bytes restart_data)
{
    struct link_end *end = &self->end;
    struct commit_head head = {
        .session = end->session,
        .actor = end->actor,
        .incarnation = end->incarnation,
        .restart_data = restart_data,
        .responses_consumed_through = self->done_through,
    };
    enum baton_err err = outbox_seal (&end->link->memory, &end->outbox, DRAFT_REQUESTS,
                                      &end->draft, &head);
    if (err) return err;

    self->consumed_through = self->done_through;
    self->consume_ns = 0;
    self->done_bytes = 0;
    end_wake (end);
    return BATON_OK;
}

// Whether the application may make work now; the error that says why not.
static enum baton_err
standing_error (const struct link_session *self)
{
    if (self->end.link->error) return self->end.link->error;

    switch (self->phase) {
    case LINK_SESSION_OPENING: return BATON_BAD_ARGUMENT;
    case LINK_SESSION_RESUMING:
    case LINK_SESSION_LIVE: return BATON_OK;
    case LINK_SESSION_CLOSING: return BATON_CLOSED;
    case LINK_SESSION_ENDED: return self->error;
    }
    return BATON_BAD_ARGUMENT;
}

void
link_session_back (struct link_session *self)
{
    if (self->done_through.n == self->shown_through.n) return;

    self->done_through = self->shown_through;
    if (self->mode == LINK_COMMIT_BY_HAND || self->phase == LINK_SESSION_ENDED) return;

    if (self->consume_ns == 0) {
        self->consume_ns = self->end.link->now_ns + LIMIT_CONSUME_AFTER_MS * LINK_NS_PER_MS;
        end_set_alarm (&self->end, self->consume_ns);
    }
    if (self->done_through.n - self->consumed_through.n >= CONSUME_COUNT
        || self->done_bytes >= CONSUME_BYTES) {
        self->consume_ns = self->end.link->now_ns;
        end_wake (&self->end);
    }
}

// Makes room in the draft, by sealing it where the engine may.
static enum baton_err
prepare_draft (struct link_session *self, size_t size)
{
    const struct draft *draft = &self->end.draft;
    bool full = draft->items_count >= LIMIT_RECORD_ITEMS_MAX;
    if (self->mode == LINK_COMMIT_BY_HAND) {
        bool large = draft->used_bytes + size > LIMIT_BODY_MAX_BYTES;
        return full || large ? BATON_TOO_LARGE : BATON_OK;
    }
    if (draft->items_count == 0) return BATON_OK;
    if (!full && draft->used_bytes + size <= LIMIT_MESSAGE_AIM_BYTES) return BATON_OK;

    return session_seal (self, kept_restart_data (self));
}

enum baton_err
link_session_send (struct link_session *self, struct baton_bytes body, struct request_seq *seq)
{
    struct link_end *end = &self->end;
    enum baton_err err = standing_error (self);
    if (err) return err;
    link_session_back (self);
    if (body.size > end->link->body_max_bytes) return BATON_TOO_LARGE;
    if (end_window_full (end, body.size)) {
        // Waiting cannot make room when only the draft, which we may not seal, is in the way.
        bool ours = self->mode == LINK_COMMIT_BY_HAND && outbox_is_empty (&end->outbox);
        return ours ? BATON_TOO_LARGE : BATON_BUSY;
    }
    err = prepare_draft (self, body.size);
    if (err) return err;
    err = draft_add (&end->link->memory, &end->draft, self->last_seq.n + 1, body);
    if (err) return err;

    self->last_seq.n++;
    if (seq) {
        *seq = self->last_seq;
    }
    return BATON_OK;
}

enum baton_err
link_session_commit (struct link_session *self, struct baton_bytes restart_data)
{
    enum baton_err err = standing_error (self);
    if (err) return err;
    link_session_back (self);
    if (restart_data.size > self->end.link->restart_data_max_bytes) return BATON_TOO_LARGE;
    if (self->end.outbox.held_count >= self->end.link->unacked_max_count
        || self->end.outbox.held_bytes + restart_data.size > LIMIT_UNACKED_MAX_BYTES)
        return BATON_BUSY;

    err = session_seal (self, restart_data);
    if (err) return err;
    self->mode = LINK_COMMIT_BY_HAND;
    return BATON_OK;
}

enum baton_err
link_session_push (struct link_session *self)
{
    enum baton_err err = standing_error (self);
    if (err) return err;
    link_session_back (self);
    if (self->mode == LINK_COMMIT_BY_HAND || self->end.draft.items_count == 0) return BATON_OK;

    return session_seal (self, kept_restart_data (self));
}

enum baton_err
link_session_flush (struct link_session *self)
{
    enum baton_err err = link_session_push (self);
    if (err || self->mode == LINK_COMMIT_BY_HAND) return err;
    if (self->done_through.n == self->consumed_through.n) return BATON_OK;

    return session_seal (self, kept_restart_data (self));
}

bool
link_session_is_safe (const struct link_session *self)
{
    return outbox_is_empty (&self->end.outbox);
}

enum baton_err
link_session_set_mode (struct link_session *self, enum link_commit_mode mode)
{
    bool held = self->end.draft.items_count > 0
                || self->shown_through.n != self->consumed_through.n;
    if (mode == LINK_COMMIT_BY_SEND && self->mode == LINK_COMMIT_BY_HAND && held)
        return BATON_BUSY;

    self->mode = mode;
    return BATON_OK;
}

// Frees what left the inbox, so that the manager may send as much again.
static void
take_out (struct link_session *self, struct inbox_item *item, size_t size)
{
    ring_remove (&item->ring);
    ASSERT (self->held_count > 0 && self->held_bytes >= size);
    self->held_count--;
    self->held_bytes -= size;
    end_wake (&self->end);
}

static void
drop_open_requests (struct link_session *self)
{
    self->open_requests = OPEN_REQUESTS_DROPPED;
    free_item (self, &self->shown_request);
    while (!ring_is_empty (&self->requests)) {
        struct inbox_item *item = RING_ITEM (self->requests.next, struct inbox_item, ring);
        take_out (self, item, item->request.body.size);
        free_item (self, &item);
    }
}

enum baton_err
link_session_recv (struct link_session *self, struct msg_response *response)
{
    enum baton_err err = standing_error (self);
    if (err) return err;
    link_session_back (self);
    free_item (self, &self->shown);
    if (self->open_requests == OPEN_REQUESTS_WANTED) {
        drop_open_requests (self);
    }
    if (ring_is_empty (&self->responses)) return BATON_NOT_FOUND;

    struct inbox_item *item = RING_ITEM (self->responses.next, struct inbox_item, ring);
    take_out (self, item, item->response.body.size);
    self->shown = item;
    self->shown_through = item->response.seq;
    self->done_bytes += item->response.body.size;
    *response = item->response;
    return BATON_OK;
}

bool
link_session_has_response (const struct link_session *self)
{
    return !ring_is_empty (&self->responses);
}

enum baton_err
link_session_open_request (struct link_session *self, struct msg_request *request)
{
    enum baton_err err = standing_error (self);
    if (err) return err;
    free_item (self, &self->shown_request);
    if (ring_is_empty (&self->requests)) return BATON_NOT_FOUND;

    struct inbox_item *item = RING_ITEM (self->requests.next, struct inbox_item, ring);
    take_out (self, item, item->request.body.size);
    self->shown_request = item;
    *request = item->request;
    return BATON_OK;
}

void
link_session_close (struct link_session *self)
{
    struct link_end *end = &self->end;
    if (self->phase == LINK_SESSION_CLOSING || self->phase == LINK_SESSION_ENDED) return;

    // What was never sent need not be: closing drops it anyway. The rest must be known to the
    // manager or not before CLOSE can name a version.
    const struct sealed *fresh = end->outbox.first;
    while (fresh && fresh->sent_before) {
        fresh = fresh->next;
    }
    if (fresh) {
        outbox_cut (&end->link->memory, &end->outbox, fresh->commit.expect_version);
    }
    draft_fini (&end->link->memory, &end->draft);
    self->phase = LINK_SESSION_CLOSING;
    end_wake (end);
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
    bool due = count >= self->granted_count + WINDOW_COUNT / CREDIT_STEP
               || bytes >= self->granted_bytes + WINDOW_BYTES / CREDIT_STEP;
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
    if (now_ns >= self->consume_ns && (!room || session_seal (self, kept_restart_data (self)))) {
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

enum link_session_phase
link_session_phase (const struct link_session *self)
{
    return self->phase;
}

enum baton_err
link_session_error (const struct link_session *self)
{
    return self->phase == LINK_SESSION_ENDED ? self->error : self->end.link->error;
}

const char *
link_session_error_text (const struct link_session *self)
{
    return self->phase == LINK_SESSION_ENDED ? self->error_text : self->end.link->error_text;
}

enum link_commit_mode
link_session_mode (const struct link_session *self)
{
    return self->mode;
}

struct baton_bytes
link_session_restart_data (const struct link_session *self)
{
    return kept_restart_data (self);
}

struct baton_bytes
link_session_name (const struct link_session *self)
{
    return (struct baton_bytes) {self->block, self->name_bytes};
}

struct id
link_session_id (const struct link_session *self)
{
    return self->end.session;
}

struct incarnation
link_session_incarnation (const struct link_session *self)
{
    return self->end.incarnation;
}

struct request_seq
link_session_last_seq (const struct link_session *self)
{
    return self->last_seq;
}
