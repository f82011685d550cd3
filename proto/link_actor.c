// SPDX-License-Identifier: MPL-2.0
// link_actor.c has the life of one session's live state at a server, and what is sent for it.
#include "proto/link_actor.h"

#include "proto/assert.h"
#include "proto/mutant.h"

#include <stddef.h>
#include <string.h>

static void
free_task_ring (struct ring *tasks, enum baton_err reason)
{
    while (!ring_is_empty (tasks)) {
        struct link_task *task = RING_ITEM (tasks->next, struct link_task, ring);
        task_orphan (task, reason);
    }
}

// Ended tasks may still be in the application's hands: they must not point to an actor that goes.
static void
part_ended_tasks (struct link_actor *self, enum baton_err reason)
{
    struct ring *ended = &self->end.link->server.ended;
    for (struct ring *node = ended->next; node != ended; node = node->next) {
        struct link_task *task = RING_ITEM (node, struct link_task, ring);
        if (task->actor == self) {
            task->actor = NULL;
            task->lost = reason;
        }
    }
}

static void
forget_tasks (struct link_actor *self, enum baton_err reason)
{
    free_task_ring (&self->tasks, reason);
    free_task_ring (&self->owed, reason);
    free_task_ring (&self->answered, reason);
    actor_drop_answers (self);
}

static void
bury (struct link_actor *self, struct kept **kept)
{
    if (*kept) {
        ring_add (&self->end.link->server.graves, &(*kept)->ring);
        *kept = NULL;
    }
}

static void
forget_restart_data (struct link_actor *self)
{
    self->end.link->server.states_bytes -= actor_restart_data (self).size;
    bury (self, &self->restart_data);
}

// Everything but the block itself.
static void
fini (struct link_actor *self, enum baton_err reason)
{
    struct link *link = self->end.link;
    forget_tasks (self, reason);
    part_ended_tasks (self, reason);
    forget_restart_data (self);
    ring_remove (&self->dirty);
    end_fini (&self->end);
    ASSERT (link->server.actors_count > 0);
    link->server.actors_count--;
}

void
actor_free (struct link_end *end)
{
    struct link_actor *self = actor_of (end);
    struct link *link = end->link;
    fini (self, BATON_CLOSED);
    memory_release (&link->memory, self, sizeof *self);
}

static bool
is_idle (const struct link_actor *self)
{
    return self->phase == ACTOR_LIVE && ring_is_empty (&self->tasks) && ring_is_empty (&self->owed)
           && ring_is_empty (&self->answered) && outbox_is_empty (&self->end.outbox)
           && self->end.draft.items_count == 0
           && self->ready_through.n == self->consumed_through.n;
}

// Makes room for one more live state, at the cost of the one idle longest: what it was can be had
// from the manager again.
static void
make_room (struct link *link)
{
    struct link_server *server = &link->server;
    if (server->actors_count < LIMIT_LIVE_STATES_MAX_COUNT
        && server->states_bytes < LIMIT_LIVE_STATES_MAX_BYTES) return;

    for (struct ring *node = link->ends.next; node != &link->ends; node = node->next) {
        struct link_actor *actor = actor_of (RING_ITEM (node, struct link_end, all));
        if (is_idle (actor)) {
            actor_free (&actor->end);
            return;
        }
    }
}

struct link_actor *
actor_new (struct link *link, const struct msg_delivery *delivery)
{
    make_room (link);
    struct link_actor *self = memory_alloc (&link->memory, sizeof *self);
    if (!self) return NULL;

    memset (self, 0, sizeof *self);
    end_init (&self->end, link);
    end_name (&self->end, delivery->session, delivery->actor, delivery->incarnation);
    self->end.standing = END_READY;
    self->phase = ACTOR_LIVE;
    self->mode = link->server.mode;
    self->restarted = true;
    ring_init (&self->dirty);
    ring_init (&self->tasks);
    ring_init (&self->owed);
    ring_init (&self->answered);
    ring_init (&self->answers);
    link->server.actors_count++;
    return self;
}

void
actor_lose (struct link_actor *self, enum baton_err reason)
{
    struct link *link = self->end.link;
    bool known = self->known;
    fini (self, reason);
    if (!known) {
        memory_release (&link->memory, self, sizeof *self);
        return;
    }
    link->counters.aborted++;
    self->lost = reason;
    ring_add (&link->server.aborts, &self->dirty);
}

void
actor_want (struct link_actor *self)
{
    struct link_end *end = &self->end;
    forget_tasks (self, BATON_NOT_FOUND);
    part_ended_tasks (self, BATON_NOT_FOUND);
    forget_restart_data (self);
    ring_remove (&self->dirty);
    draft_fini (&end->link->memory, &end->draft);
    outbox_cut (&end->link->memory, &end->outbox, end->outbox.acked);
    self->phase = ACTOR_WANTED;
    end->link->counters.reloads++;
    end_wake (end);
}

static struct kept *
new_kept (struct link *link, struct baton_bytes bytes)
{
    size_t size = sizeof (struct kept) + bytes.size;
    struct kept *kept = memory_alloc (&link->memory, size);
    if (!kept) return NULL;

    memset (kept, 0, sizeof *kept);
    ring_init (&kept->ring);
    kept->block_bytes = size;
    kept->size_bytes = bytes.size;
    if (bytes.size > 0) {
        memcpy (kept + 1, bytes.data, bytes.size);
    }
    return kept;
}

static void
free_kept (struct link *link, struct kept **kept)
{
    if (*kept) {
        memory_release (&link->memory, *kept, (*kept)->block_bytes);
        *kept = NULL;
    }
}

static enum baton_err
copy_restart_data (struct link *link, struct baton_bytes restart_data, struct kept **copy)
{
    *copy = NULL;
    if (restart_data.size == 0) return BATON_OK;

    *copy = new_kept (link, restart_data);
    return *copy ? BATON_OK : BATON_NO_MEMORY;
}

// Makes *[other] the restart data, and hands out what was.
static void
swap_restart_data (struct link_actor *self, struct kept **other)
{
    struct link_server *server = &self->end.link->server;
    struct kept *before = self->restart_data;
    server->states_bytes -= actor_restart_data (self).size;
    self->restart_data = *other;
    server->states_bytes += actor_restart_data (self).size;
    *other = before;
}

enum baton_err
actor_keep_restart_data (struct link_actor *self, struct baton_bytes restart_data)
{
    struct link *link = self->end.link;
    struct kept *other;
    if (copy_restart_data (link, restart_data, &other)) return BATON_NO_MEMORY;

    swap_restart_data (self, &other);
    // The application itself replaces it, so it reads the old one no more.
    free_kept (link, &other);
    return BATON_OK;
}

// Consumes skipped requests at the head of the row, in mode BY_HAND: the application has no part
// in them, and a manager may wait for it before it gives the next. What cannot be done now goes
// with the application's next commit.
static void
consume_skipped (struct link_actor *self)
{
    struct actor_marks marks = {.consumed_through = self->consumed_through};
    struct ring *node = self->tasks.next;
    for (; node != &self->tasks; node = node->next) {
        const struct link_task *task = RING_ITEM (node, struct link_task, ring);
        if (task->phase != TASK_SKIPPED) break;
        marks.consumed_through = task->seq;
    }
    if (node == self->tasks.next || actor_seal_marks (self, &marks, NULL)) return;

    while (self->tasks.next != node) {
        struct link_task *task = RING_ITEM (self->tasks.next, struct link_task, ring);
        task_free (&task);
    }
}

static struct link_task *
new_task (struct link_actor *self, const struct msg_request *request)
{
    struct link *link = self->end.link;
    size_t head_bytes = task_head_bytes (link);
    struct link_task *task = memory_alloc (&link->memory, head_bytes + request->body.size);
    if (!task) return NULL;

    memset (task, 0, head_bytes);
    *task = (struct link_task) {
        .link = link,
        .actor = self,
        .phase = request->state == REQUEST_SKIPPED ? TASK_SKIPPED : TASK_WAITING,
        .session = self->end.session,
        .incarnation = self->end.incarnation,
        .seq = request->seq,
        .attempt = request->attempt,
        .body_bytes = request->body.size,
    };
    ring_init (&task->ring);
    ring_init (&task->ready);
    if (request->body.size > 0) {
        memcpy ((unsigned char *) task + head_bytes, request->body.data, request->body.size);
    }
    return task;
}

enum baton_err
actor_add_task (struct link_actor *self, const struct msg_request *request)
{
    struct link_task *task = new_task (self, request);
    if (!task) return BATON_NO_MEMORY;

    ring_add (&self->tasks, &task->ring);
    self->received_through = request->seq;
    if (task->phase == TASK_SKIPPED) {
        self->end.link->counters.skipped++;
        if (self->mode == LINK_TASK_BY_HAND) {
            consume_skipped (self);
        } else {
            // What does not work now is tried again with the next reply.
            (void) actor_advance (self);
        }
    } else {
        ring_add (&self->end.link->server.ready, &task->ready);
    }
    return BATON_OK;
}

enum baton_err
actor_add_owed (struct link_actor *self, const struct msg_request *request)
{
    if (request->state == REQUEST_SKIPPED) return BATON_OK;
    struct link_task *task = new_task (self, request);
    if (!task) return BATON_NO_MEMORY;

    task->consumed = true;
    ring_add (&self->owed, &task->ring);
    return BATON_OK;
}

enum baton_err
actor_add_answer (struct link_actor *self, const struct msg_response *response)
{
    struct kept *answer = new_kept (self->end.link, response->body);
    if (!answer) return BATON_NO_MEMORY;

    answer->response = *response;
    answer->response.body.data = answer + 1;
    ring_add (&self->answers, &answer->ring);
    return BATON_OK;
}

void
actor_drop_answers (struct link_actor *self)
{
    bury (self, &self->shown_answer);
    while (!ring_is_empty (&self->answers)) {
        struct kept *answer = RING_ITEM (self->answers.next, struct kept, ring);
        ring_remove (&answer->ring);
        bury (self, &answer);
    }
}

enum baton_err
actor_seal_marks (struct link_actor *self, const struct actor_marks *marks, struct draft *draft)
{
    struct link_end *end = &self->end;
    struct commit_head head = {
        .session = end->session,
        .actor = end->actor,
        .incarnation = end->incarnation,
        .restart_data = actor_restart_data (self),
        .requests_consumed_through = marks->consumed_through,
        .rejected = marks->rejected,
        .reject_reason = marks->reject_reason,
    };
    enum baton_err err = outbox_seal (&end->link->memory, &end->outbox, DRAFT_RESPONSES, draft,
                                      &head);
    if (err) return err;

    self->ready_through = marks->consumed_through;
    self->consumed_through = marks->consumed_through;
    if (draft) {
        ring_remove (&self->dirty);
    }
    end_wake (end);
    return BATON_OK;
}

enum baton_err
actor_seal (struct link_actor *self)
{
    struct actor_marks marks = {.consumed_through = self->ready_through};
    return actor_seal_marks (self, &marks, &self->end.draft);
}

enum baton_err
actor_seal_with (struct link_actor *self, struct baton_bytes restart_data)
{
    struct link *link = self->end.link;
    struct kept *other;
    if (copy_restart_data (link, restart_data, &other)) return BATON_NO_MEMORY;

    swap_restart_data (self, &other);
    enum baton_err err = actor_seal (self);
    if (err && !MUTANT (FAILED_COMMIT_LEAVES_DATA)) {
        // What was not committed must not go out with the next commit either.
        swap_restart_data (self, &other);
    }
    free_kept (link, &other);
    return err;
}

void
actor_begin (struct link_end *end)
{
    struct link_actor *self = actor_of (end);
    if (self->phase == ACTOR_LIVE) {
        // What the manager has of it is not known: the version guard sorts it out.
        (void) end_restart (end, end->outbox.acked);
        return;
    }
    forget_tasks (self, BATON_NOT_FOUND);
    self->phase = ACTOR_WANTED;
    end->hold_ns = 0;
}

bool
actor_next (struct link_end *end, struct msg *msg)
{
    const struct link_actor *self = actor_of (end);
    if (self->phase == ACTOR_LIVE) return end_commit_next (end, msg);
    if (self->phase != ACTOR_WANTED || end_is_held (end)) return false;

    msg->kind = MSG_RELOAD;
    msg->reload = (struct msg_reload) {
        .session = end->session, .actor = end->actor, .incarnation = end->incarnation
    };
    return true;
}

void
actor_done (struct link_end *end, enum msg_kind kind)
{
    if (kind == MSG_COMMIT) {
        end_commit_done (end);
    } else {
        ASSERT (kind == MSG_RELOAD);
        actor_of (end)->phase = ACTOR_ASKED;
    }
}
