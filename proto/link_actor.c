// SPDX-License-Identifier: MPL-2.0
// link_actor.c has the life of one session's live state at a server, and what is sent for it.
#include "proto/link_actor.h"

#include "proto/assert.h"

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
forget_restart_data (struct link_actor *self)
{
    struct link *link = self->end.link;
    memory_release (&link->memory, self->restart_data, self->restart_data_bytes);
    link->server.states_bytes -= self->restart_data_bytes;
    self->restart_data = NULL;
    self->restart_data_bytes = 0;
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

enum baton_err
actor_keep_restart_data (struct link_actor *self, struct baton_bytes restart_data)
{
    struct link *link = self->end.link;
    unsigned char *copy = NULL;
    if (restart_data.size > 0) {
        copy = memory_alloc (&link->memory, restart_data.size);
        if (!copy) return BATON_NO_MEMORY;
        memcpy (copy, restart_data.data, restart_data.size);
    }
    forget_restart_data (self);
    self->restart_data = copy;
    self->restart_data_bytes = restart_data.size;
    link->server.states_bytes += restart_data.size;
    return BATON_OK;
}

static struct link_task *
new_task (struct link_actor *self, const struct msg_request *request)
{
    struct link *link = self->end.link;
    struct link_task *task = memory_alloc (&link->memory, sizeof *task + request->body.size);
    if (!task) return NULL;

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
        memcpy (task + 1, request->body.data, request->body.size);
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
        // What does not work now is tried again with the next reply.
        (void) actor_advance (self);
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
    size_t size = sizeof (struct kept_answer) + response->body.size;
    struct kept_answer *answer = memory_alloc (&self->end.link->memory, size);
    if (!answer) return BATON_NO_MEMORY;

    *answer = (struct kept_answer) {.response = *response, .block_bytes = size};
    ring_init (&answer->ring);
    if (response->body.size > 0) {
        memcpy (answer + 1, response->body.data, response->body.size);
    }
    answer->response.body.data = answer + 1;
    ring_add (&self->answers, &answer->ring);
    return BATON_OK;
}

void
actor_drop_answers (struct link_actor *self)
{
    struct memory *memory = &self->end.link->memory;
    if (self->shown_answer) {
        memory_release (memory, self->shown_answer, self->shown_answer->block_bytes);
        self->shown_answer = NULL;
    }
    while (!ring_is_empty (&self->answers)) {
        struct kept_answer *answer = RING_ITEM (self->answers.next, struct kept_answer, ring);
        ring_remove (&answer->ring);
        memory_release (memory, answer, answer->block_bytes);
    }
}

enum baton_err
actor_seal (struct link_actor *self)
{
    struct link_end *end = &self->end;
    struct commit_head head = {
        .session = end->session,
        .actor = end->actor,
        .incarnation = end->incarnation,
        .restart_data = actor_restart_data (self),
        .requests_consumed_through = self->ready_through,
    };
    enum baton_err err = outbox_seal (&end->link->memory, &end->outbox, DRAFT_RESPONSES,
                                      &end->draft, &head);
    if (err) return err;

    self->consumed_through = self->ready_through;
    ring_remove (&self->dirty);
    end_wake (end);
    return BATON_OK;
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
