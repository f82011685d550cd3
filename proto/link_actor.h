// SPDX-License-Identifier: MPL-2.0
// link_actor.h has one session's live state at a server, and its tasks, as the engine keeps them;
// for link_actor.c (life), link_actor_take.c (what the manager says) and link_task.c (what the
// application does) alone.
#ifndef BATON_LINK_ACTOR_H
#define BATON_LINK_ACTOR_H

#include "proto/link_inner.h"

enum actor_phase {
    ACTOR_WANTED = 1,  // RELOAD is to be sent
    ACTOR_ASKED = 2,   // RELOAD was sent
    ACTOR_LOADING = 3, // STATE came; the queues are coming
    ACTOR_LIVE = 4,
};

enum task_phase {
    TASK_WAITING = 1,  // not shown yet
    TASK_GIVEN = 2,    // the application works on it
    TASK_ANSWERED = 3, // replied; waits for earlier ones (BY_REPLY) or for the commit (BY_HAND)
    TASK_SKIPPED = 4,  // never shown: the manager ended it itself
    TASK_ENDED = 5,    // freed when the application comes for the next one
};

// One request at a server; behind it lie the caller's room and the body.
struct link_task {
    struct ring ring;  // in tasks, owed or answered of its actor; or in ended, orphans of the link
    struct ring ready; // in link.server.ready while it waits
    struct link *link;
    struct link_actor *actor; // NULL when the session was lost, or took the request back
    enum baton_err lost;      // why
    enum task_phase phase;
    struct id session;
    struct incarnation incarnation;
    struct request_seq seq;
    uint32_t attempt;
    bool consumed;
    bool restarted;
    size_t body_bytes;
    unsigned char *reply; // BY_REPLY, while earlier tasks are not answered
    size_t reply_bytes;
};

// Bytes that the application may read: restart data, or an answer that waited for the client when
// the session came here; they lie behind it. When the session is lost in the middle of a handler,
// they go to link.server.graves, and are freed when the application comes for the next task.
struct kept {
    struct ring ring;
    size_t block_bytes;
    struct msg_response response; // answers; its body views the bytes
    size_t size_bytes;
};

struct link_actor {
    struct link_end end; // first: ends and actors are found through each other
    enum actor_phase phase;
    enum link_task_mode mode;
    enum baton_err lost; // in link.server.aborts: why
    struct ring dirty;
    struct kept *restart_data; // newest; NULL: empty
    struct request_seq received_through;
    struct request_seq ready_through;    // BY_REPLY: consumed by the next commit
    struct request_seq consumed_through; // sealed into a commit
    struct request_seq answered_max;     // newest request in the draft or answered ahead
    struct request_seq rejected;         // given back last, with this attempt
    uint32_t rejected_attempt;
    struct ring tasks;    // not consumed, in order
    struct ring owed;     // consumed, not answered
    struct ring answered; // consumed, answered, waiting for a commit
    struct ring answers;  // what was in the response queue
    struct kept *shown_answer;
    bool restarted; // the next task shown is the first since the state came
    bool known;     // a task was shown: the application may hold state
};

// actor_new makes an actor for a session that was not held; NULL without memory.
struct link_actor *
actor_new (struct link *link, const struct msg_delivery *delivery);

// actor_lose ends an actor whose session is lost for [reason].
void
actor_lose (struct link_actor *self, enum baton_err reason);

// actor_want drops live state that is not the right one, and asks for it.
void
actor_want (struct link_actor *self);

// actor_keep_restart_data replaces the copy of the restart data; BATON_NO_MEMORY keeps the old.
enum baton_err
actor_keep_restart_data (struct link_actor *self, struct baton_bytes restart_data);

// actor_add_task adds one request. BATON_NO_MEMORY.
enum baton_err
actor_add_task (struct link_actor *self, const struct msg_request *request);

// actor_add_owed adds a request that was consumed and not answered before the state came here.
enum baton_err
actor_add_owed (struct link_actor *self, const struct msg_request *request);

enum baton_err
actor_add_answer (struct link_actor *self, const struct msg_response *response);

// actor_drop_answers frees what baton_task_next_answer may still show.
void
actor_drop_answers (struct link_actor *self);

// actor_advance moves replies whose predecessors are done into the draft, in mode BY_REPLY.
// BATON_NO_MEMORY, BATON_BUSY: the rest waits for the next call.
enum baton_err
actor_advance (struct link_actor *self);

// actor_seal makes one commit of the draft and what is ready to be consumed.
enum baton_err
actor_seal (struct link_actor *self);

// What a commit by the engine says beside restart data, which it carries along as it is.
struct actor_marks {
    struct request_seq consumed_through;
    struct request_seq rejected;
    struct baton_bytes reject_reason;
};

// actor_seal_marks makes one commit of [marks] and the items of [draft]; NULL for none.
// BATON_NO_MEMORY changes nothing.
enum baton_err
actor_seal_marks (struct link_actor *self, const struct actor_marks *marks, struct draft *draft);

// actor_seal_with makes one commit that replaces the restart data; an error leaves the old one.
enum baton_err
actor_seal_with (struct link_actor *self, struct baton_bytes restart_data);

// Where the body of a task lies: behind the caller's room.
static inline size_t
task_head_bytes (const struct link *link)
{
    return sizeof (struct link_task) + link->task_extra_bytes;
}

void
task_free (struct link_task **task);

// task_end hands the task over for freeing once the application comes back.
void
task_end (struct link_task *self);

// task_orphan parts the task from its actor for [reason].
void
task_orphan (struct link_task *self, enum baton_err reason);

static inline struct link_actor *
actor_of (struct link_end *end)
{
    return (struct link_actor *) (void *) end;
}

static inline struct baton_bytes
actor_restart_data (const struct link_actor *self)
{
    if (!self->restart_data) return (struct baton_bytes) {NULL, 0};
    return (struct baton_bytes) {self->restart_data + 1, self->restart_data->size_bytes};
}

#endif
