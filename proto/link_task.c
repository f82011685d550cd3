// SPDX-License-Identifier: MPL-2.0
// link_task.c has what the application does with tasks: take, answer, commit, give back.
#include "proto/link_actor.h"

#include "proto/assert.h"
#include "proto/mutant.h"

#include <stddef.h>
#include <string.h>

// Frees a held reply. Its block is one byte larger, so that an empty reply has one too.
static void
drop_reply (struct link_task *self)
{
    memory_release (&self->link->memory, self->reply, self->reply_bytes + 1);
    self->reply = NULL;
    self->reply_bytes = 0;
}

void
task_free (struct link_task **task)
{
    struct link_task *self = *task;
    ring_remove (&self->ring);
    ring_remove (&self->ready);
    drop_reply (self);
    struct link *link = self->link;
    memory_release (&link->memory, self, task_head_bytes (link) + self->body_bytes);
    *task = NULL;
}

void
task_end (struct link_task *self)
{
    ring_remove (&self->ring);
    drop_reply (self);
    self->phase = TASK_ENDED;
    ring_add (&self->link->server.ended, &self->ring);
}

void
task_orphan (struct link_task *self, enum baton_err reason)
{
    if (self->phase == TASK_WAITING || self->phase == TASK_SKIPPED) {
        task_free (&self);
        return;
    }
    // A reply that the library held has ended the task; what waits for the application's commit,
    // or is in work, stays until it hears why.
    bool ended = self->reply;
    enum task_phase phase = self->phase;
    task_end (self);
    self->actor = NULL;
    self->lost = reason;
    if (!ended) {
        ring_remove (&self->ring);
        self->phase = phase;
        ring_add (&self->link->server.orphans, &self->ring);
    }
}

static void
free_ended (struct link *link)
{
    struct ring *ended = &link->server.ended;
    while (!ring_is_empty (ended)) {
        struct link_task *task = RING_ITEM (ended->next, struct link_task, ring);
        task_free (&task);
    }
}

enum baton_err
link_server_next (struct link *link, struct link_task **task)
{
    free_ended (link);
    server_bury (link);
    *task = NULL;
    if (link->error) return link->error;
    if (ring_is_empty (&link->server.ready)) return BATON_NOT_FOUND;

    struct link_task *next = RING_ITEM (link->server.ready.next, struct link_task, ready);
    struct link_actor *actor = next->actor;
    ASSERT (actor && next->phase == TASK_WAITING);
    ring_remove (&next->ready);
    next->phase = TASK_GIVEN;
    next->restarted = actor->restarted;
    if (!actor->restarted) {
        actor_drop_answers (actor);
    }
    actor->restarted = false;
    actor->known = true;
    link->counters.tasks++;
    *task = next;
    return BATON_OK;
}

static void
make_dirty (struct link_actor *self)
{
    struct link *link = self->end.link;
    if (!ring_is_empty (&self->dirty)) return;

    if (ring_is_empty (&link->server.dirty)) {
        link->server.dirty_ns = link->now_ns;
    }
    ring_add (&link->server.dirty, &self->dirty);
}

// Puts one answer into the draft; in mode BY_REPLY a full draft is sealed first.
static enum baton_err
draft_answer (struct link_actor *self, struct request_seq request, struct baton_bytes body)
{
    struct draft *draft = &self->end.draft;
    bool full = draft->items_count >= LIMIT_RECORD_ITEMS_MAX;
    if (self->mode == LINK_TASK_BY_HAND) {
        bool large = draft->used_bytes + body.size > self->end.link->body_max_bytes;
        if (full || large) return BATON_TOO_LARGE;
    } else if (draft->items_count > 0
               && (full || draft->used_bytes + body.size > link_aim_bytes (self->end.link))) {
        enum baton_err err = actor_seal (self);
        if (err) return err;
    }
    return draft_add (&self->end.link->memory, draft, request.n, body);
}

// Takes the oldest task off the row if it is done; its reply goes into the draft.
static enum baton_err
advance_one (struct link_actor *self, struct link_task *task)
{
    if (task->phase == TASK_ANSWERED) {
        struct baton_bytes reply = {task->reply, task->reply_bytes};
        enum baton_err err = draft_answer (self, task->seq, reply);
        if (err) return err;
    }
    self->ready_through = task->seq;
    make_dirty (self);
    if (task->phase == TASK_SKIPPED) {
        task_free (&task);
    } else {
        task_end (task);
    }
    return BATON_OK;
}

enum baton_err
actor_advance (struct link_actor *self)
{
    if (self->mode == LINK_TASK_BY_HAND) return BATON_OK;

    while (!ring_is_empty (&self->tasks)) {
        struct link_task *task = RING_ITEM (self->tasks.next, struct link_task, ring);
        if (task->phase != TASK_ANSWERED && task->phase != TASK_SKIPPED) return BATON_OK;
        enum baton_err err = advance_one (self, task);
        if (err) return err;
    }
    return BATON_OK;
}

// The answered tasks of a lost session go with the first that tells so: nobody calls for them.
static void
end_answered_orphans (struct link *link, struct id session)
{
    struct ring *orphans = &link->server.orphans;
    struct ring *node = orphans->next;
    while (node != orphans) {
        struct link_task *task = RING_ITEM (node, struct link_task, ring);
        node = node->next;
        if (task->phase == TASK_ANSWERED && id_equal (task->session, session)) {
            task_end (task);
        }
    }
}

// Why nothing can be done with the task, and ends it then; BATON_OK if something can.
static enum baton_err
lost_error (struct link_task *self)
{
    if (self->link->error) return self->link->error;
    if (self->actor) return BATON_OK;

    if (self->phase != TASK_ENDED) {
        task_end (self);
        end_answered_orphans (self->link, self->session);
    }
    return self->lost;
}

static void
note_answered (struct link_actor *actor, struct request_seq seq)
{
    if (actor->answered_max.n < seq.n) {
        actor->answered_max = seq;
    }
}

// Keeps the reply with the task until its predecessors are done.
static enum baton_err
hold_reply (struct link_task *self, struct baton_bytes body)
{
    unsigned char *reply = memory_alloc (&self->link->memory, body.size + 1);
    if (!reply) return BATON_NO_MEMORY;

    if (body.size > 0) {
        memcpy (reply, body.data, body.size);
    }
    self->reply = reply;
    self->reply_bytes = body.size;
    self->phase = TASK_ANSWERED;
    return BATON_OK;
}

static bool
is_oldest (const struct link_actor *actor, const struct link_task *task)
{
    return actor->tasks.next == &task->ring;
}

static enum baton_err
reply_in_order (struct link_task *self, struct baton_bytes body)
{
    struct link_actor *actor = self->actor;
    enum baton_err err = actor_advance (actor);
    if (err) return err;
    if (!is_oldest (actor, self)) return hold_reply (self, body);

    err = draft_answer (actor, self->seq, body);
    if (err) return err;
    actor->ready_through = self->seq;
    make_dirty (actor);
    task_end (self);
    // Later ones that were answered before; what does not fit now goes with the next call.
    (void) actor_advance (actor);
    return BATON_OK;
}

static enum baton_err
reply_for_commit (struct link_task *self, struct baton_bytes body)
{
    struct link_actor *actor = self->actor;
    enum baton_err err = draft_answer (actor, self->seq, body);
    if (err) return err;

    self->phase = TASK_ANSWERED;
    if (actor->mode == LINK_TASK_BY_REPLY) {
        make_dirty (actor);
        task_end (self);
    } else if (self->consumed) {
        ring_remove (&self->ring);
        ring_add (&actor->answered, &self->ring);
    }
    return BATON_OK;
}

enum baton_err
link_task_reply (struct link_task *self, struct baton_bytes body)
{
    enum baton_err err = lost_error (self);
    if (err) return err;
    struct link_actor *actor = self->actor;
    if (self->phase != TASK_GIVEN) return BATON_BAD_ARGUMENT;
    if (body.size > self->link->body_max_bytes) return BATON_TOO_LARGE;
    if (end_window_full (&actor->end, body.size) && !outbox_is_empty (&actor->end.outbox))
        return BATON_BUSY;

    bool in_order = actor->mode == LINK_TASK_BY_REPLY && !self->consumed;
    err = in_order ? reply_in_order (self, body) : reply_for_commit (self, body);
    if (!err) {
        note_answered (actor, self->seq);
    }
    return err;
}

// Replies that were held for their order join the draft of a commit by hand that covers them.
static enum baton_err
draft_held_replies (struct link_actor *self, struct request_seq through)
{
    for (struct ring *node = self->tasks.next; node != &self->tasks; node = node->next) {
        struct link_task *task = RING_ITEM (node, struct link_task, ring);
        if (task->seq.n > through.n) return BATON_OK;
        if (!task->reply) continue;

        struct baton_bytes reply = {task->reply, task->reply_bytes};
        enum baton_err err = draft_answer (self, task->seq, reply);
        if (err) return err;
        drop_reply (task);
    }
    return BATON_OK;
}

// After a commit through [through]: what was answered has ended, the rest is owed.
static void
settle_consumed (struct link_actor *self, struct request_seq through)
{
    while (!ring_is_empty (&self->tasks)) {
        struct link_task *task = RING_ITEM (self->tasks.next, struct link_task, ring);
        if (task->seq.n > through.n) break;
        if (task->phase == TASK_SKIPPED) {
            task_free (&task);
        } else if (task->phase == TASK_ANSWERED) {
            task_end (task);
        } else {
            task->consumed = true;
            ring_remove (&task->ring);
            ring_add (&self->owed, &task->ring);
        }
    }
    while (!ring_is_empty (&self->answered)) {
        task_end (RING_ITEM (self->answered.next, struct link_task, ring));
    }
}

// Skipped requests that follow what is consumed are consumed with it.
static struct request_seq
over_skipped (const struct link_actor *self, struct request_seq through)
{
    const struct ring *node = self->tasks.next;
    for (; node != &self->tasks; node = node->next) {
        const struct link_task *task = (const struct link_task *) (const void *)
            ((const char *) node - offsetof (struct link_task, ring));
        if (task->seq.n <= through.n) continue;
        if (task->phase != TASK_SKIPPED) break;
        through = task->seq;
    }
    return through;
}

enum baton_err
link_task_commit (struct link_task *self, struct baton_bytes restart_data)
{
    enum baton_err err = lost_error (self);
    if (err) return err;
    struct link_actor *actor = self->actor;
    struct request_seq through = self->seq;
    if (through.n < actor->consumed_through.n) {
        through = actor->consumed_through;
    }
    if (actor->answered_max.n > through.n) return BATON_BAD_ARGUMENT;
    through = over_skipped (actor, through);
    if (restart_data.size > self->link->restart_data_max_bytes) return BATON_TOO_LARGE;
    if (!outbox_is_empty (&actor->end.outbox)
        && end_window_full (&actor->end, restart_data.size)) return BATON_BUSY;

    actor->mode = LINK_TASK_BY_HAND;
    err = draft_held_replies (actor, through);
    if (err) return err;
    if (MUTANT (SERVER_COMMIT_IN_HALVES)) {
        actor->ready_through = through;
        (void) actor_seal (actor);
    }
    struct request_seq before = actor->ready_through;
    actor->ready_through = through;
    err = actor_seal_with (actor, restart_data);
    if (err) {
        actor->ready_through = before;
        return err;
    }
    settle_consumed (actor, through);
    return BATON_OK;
}

// Whether all before [task] in its session was ended by the manager itself.
static bool
is_oldest_but_skipped (const struct link_actor *actor, const struct link_task *task)
{
    const struct ring *node = actor->tasks.next;
    while (node != &actor->tasks && node != &task->ring) {
        const struct link_task *before = (const struct link_task *) (const void *)
            ((const char *) node - offsetof (struct link_task, ring));
        if (before->phase != TASK_SKIPPED) return false;
        node = node->next;
    }
    return node == &task->ring;
}

// The manager redelivers what was given back and everything after it.
static void
forget_from (struct link_actor *self, struct link_task *rejected)
{
    self->received_through.n = rejected->seq.n - 1;
    self->rejected = rejected->seq;
    self->rejected_attempt = rejected->attempt;
    while (!ring_is_empty (&self->tasks)) {
        struct link_task *task = RING_ITEM (self->tasks.next, struct link_task, ring);
        if (task == rejected) {
            task_end (task);
        } else {
            task_orphan (task, BATON_NOT_FOUND);
        }
    }
    if (self->answered_max.n >= rejected->seq.n) {
        self->answered_max.n = rejected->seq.n - 1;
    }
}

static enum baton_err
seal_reject (struct link_actor *self, struct request_seq rejected, struct baton_bytes reason)
{
    struct draft *draft = &self->end.draft;
    struct actor_marks marks = {
        .consumed_through = {rejected.n - 1}, .rejected = rejected, .reject_reason = reason
    };
    if (self->mode == LINK_TASK_BY_REPLY) return actor_seal_marks (self, &marks, draft);

    enum baton_err err = actor_seal_marks (self, &marks, NULL);
    if (err) return err;
    draft_remove_from (draft, rejected.n);
    return BATON_OK;
}

enum baton_err
link_task_reject (struct link_task *self, struct baton_bytes reason)
{
    enum baton_err err = lost_error (self);
    if (err) return err;
    struct link_actor *actor = self->actor;
    if (self->phase != TASK_GIVEN || self->consumed) return BATON_BAD_ARGUMENT;
    err = actor_advance (actor);
    if (err) return err;
    if (!is_oldest_but_skipped (actor, self)) return BATON_BAD_ARGUMENT;
    if (!outbox_is_empty (&actor->end.outbox) && end_window_full (&actor->end, 0))
        return BATON_BUSY;

    if (reason.size > LIMIT_TEXT_MAX_BYTES) {
        reason.size = LIMIT_TEXT_MAX_BYTES;
    }
    err = seal_reject (actor, self->seq, reason);
    if (err) return err;
    forget_from (actor, self);
    return BATON_OK;
}

enum baton_err
link_server_flush (struct link *link)
{
    struct ring *dirty = &link->server.dirty;
    struct ring *node = dirty->next;
    enum baton_err first_err = BATON_OK;
    while (node != dirty) {
        struct link_actor *actor = RING_ITEM (node, struct link_actor, dirty);
        node = node->next;
        enum baton_err err = BATON_BUSY;
        if (outbox_is_empty (&actor->end.outbox) || !end_window_full (&actor->end, 0)) {
            err = actor_seal (actor);
        }
        if (err && !first_err) {
            first_err = err;
        }
    }
    return first_err;
}

enum baton_err
link_task_next_answer (struct link_task *self, struct msg_response *answer)
{
    struct link_actor *actor = self->actor;
    if (!actor || !self->restarted || ring_is_empty (&actor->answers)) return BATON_NOT_FOUND;

    if (actor->shown_answer) {
        memory_release (&self->link->memory, actor->shown_answer,
                        actor->shown_answer->block_bytes);
    }
    actor->shown_answer = RING_ITEM (actor->answers.next, struct kept, ring);
    ring_remove (&actor->shown_answer->ring);
    *answer = actor->shown_answer->response;
    return BATON_OK;
}

void *
link_task_extra (struct link_task *self)
{
    return self + 1;
}

void
link_task_read (const struct link_task *self, struct link_task_view *view)
{
    *view = (struct link_task_view) {
        .session = self->session,
        .incarnation = self->incarnation,
        .seq = self->seq,
        .attempt = self->attempt,
        .consumed = self->consumed,
        .restarted = self->restarted,
        .body = {(const unsigned char *) self + task_head_bytes (self->link), self->body_bytes},
    };
    if (self->actor) {
        view->restart_data = actor_restart_data (self->actor);
    }
}
