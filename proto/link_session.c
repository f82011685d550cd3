// SPDX-License-Identifier: MPL-2.0
// link_session.c has what the application does with a session.
#include "proto/link_session.h"

#include "proto/assert.h"
#include "proto/mutant.h"

#include <stddef.h>
#include <string.h>

// A lone consumed mark leaves early when this much waits for it in the manager's queue.
#define CONSUME_COUNT (LIMIT_CREDIT_COUNT / 2)
#define CONSUME_BYTES (SESSION_WINDOW_BYTES / 4)

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
        bool large = draft->used_bytes + size > self->end.link->body_max_bytes;
        return full || large ? BATON_TOO_LARGE : BATON_OK;
    }
    if (draft->items_count == 0) return BATON_OK;
    if (!full && draft->used_bytes + size <= link_aim_bytes (self->end.link)) return BATON_OK;

    return session_seal (self, session_restart_data (self));
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

    if (MUTANT (CLIENT_COMMIT_IN_HALVES)) {
        const struct draft requests = self->end.draft;
        self->end.draft = (struct draft) {0};
        (void) session_seal (self, restart_data);
        self->end.draft = requests;
    }
    err = session_seal (self, restart_data);
    if (err) return err;
    self->mode = LINK_COMMIT_BY_HAND;
    self->committed = true;
    return BATON_OK;
}

enum baton_err
link_session_push (struct link_session *self)
{
    enum baton_err err = standing_error (self);
    if (err) return err;
    link_session_back (self);
    if (self->mode == LINK_COMMIT_BY_HAND || self->end.draft.items_count == 0) return BATON_OK;

    return session_seal (self, session_restart_data (self));
}

enum baton_err
link_session_flush (struct link_session *self)
{
    enum baton_err err = link_session_push (self);
    if (err || self->mode == LINK_COMMIT_BY_HAND) return err;
    if (self->done_through.n == self->consumed_through.n) return BATON_OK;

    return session_seal (self, session_restart_data (self));
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
    if (mode == LINK_COMMIT_BY_SEND && self->mode == LINK_COMMIT_BY_HAND
        && (held || self->committed)) return BATON_BUSY;

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
    return session_restart_data (self);
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
