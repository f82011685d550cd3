// SPDX-License-Identifier: MPL-2.0
// link_server.h has the server's side of a link: the offer, one actor with its live state for each
// session bound here, and tasks in the order of their sessions. Part of the pure engine of
// link.h; calls never wait.
//
//   DELIVER, held  -----------------------------------------------> LIVE   (a hit)
//   DELIVER, not held --> WANTED --RELOAD--> ASKED --STATE--> LOADING --RESUMED--> LIVE
//   FENCED, CLOSED, a higher incarnation: the actor goes; tasks that the application has stay and
//   tell why.
//
// 1. requests_consumed_through never goes back; a reply leaves with or after its consumption.
// 2. Tasks of one session are shown in order; a request is shown once for each time it is given.
// 3. Commits of an actor leave in the order in which they were made.
#ifndef BATON_LINK_SERVER_H
#define BATON_LINK_SERVER_H

#include "proto/link.h"

struct link_task;

// BY_REPLY: replies are committed by the engine. BY_HAND: link_task_commit alone commits.
enum link_task_mode { LINK_TASK_BY_REPLY = 1, LINK_TASK_BY_HAND = 2 };

// What a server tells of itself; views that are copied.
struct link_offer {
    struct baton_bytes set;
    struct baton_bytes attributes; // stored form
    uint32_t capacity;
    uint32_t credit_count;
    uint64_t credit_bytes;
};

// A session whose live state became void.
struct link_abort {
    struct id session;
    enum baton_err reason; // BATON_FENCED or BATON_CLOSED, or why a commit was refused
};

// link_server_offer sets what is offered now and after each WELCOME. BATON_NO_MEMORY leaves the
// old offer; BATON_TOO_LARGE, BATON_BAD_ARGUMENT.
enum baton_err
link_server_offer (struct link *link, const struct link_offer *offer);

// link_server_offer_error returns BATON_REFUSED and the like if the newest offer was refused, with
// link_error_text; BATON_OK else.
enum baton_err
link_server_offer_error (const struct link *link);

void
link_server_set_mode (struct link *link, enum link_task_mode mode);

// link_server_next shows the next task; BATON_NOT_FOUND when there is none now, BATON_NO_MEMORY.
// Tasks that were ended before are freed.
enum baton_err
link_server_next (struct link *link, struct link_task **task);

bool
link_server_has_task (const struct link *link);

// link_server_next_abort takes the next session that is lost; BATON_NOT_FOUND.
enum baton_err
link_server_next_abort (struct link *link, struct link_abort *lost);

// link_server_flush seals all replies that wait in mode BY_REPLY. BATON_NO_MEMORY, BATON_BUSY.
enum baton_err
link_server_flush (struct link *link);

// link_server_waits_ns returns how long the oldest reply that link_server_flush would seal has
// waited, as of the last link_step; 0 if there is none.
uint64_t
link_server_waits_ns (const struct link *link);

// link_server_is_safe returns whether all that was sealed is acknowledged.
bool
link_server_is_safe (const struct link *link);

// link_task_reply answers the task. Errors: BATON_TOO_LARGE; BATON_BUSY when the window is full;
// BATON_BAD_ARGUMENT when answered already; BATON_NO_MEMORY; why the task is lost.
enum baton_err
link_task_reply (struct link_task *task, struct baton_bytes body);

// link_task_commit consumes through this task, lets the drafted answers go, and replaces the
// restart data, in one commit. Errors as link_task_reply; BATON_BAD_ARGUMENT when a later task was
// answered.
enum baton_err
link_task_commit (struct link_task *task, struct baton_bytes restart_data);

// link_task_reject gives the request back. Errors as link_task_reply; BATON_BAD_ARGUMENT when it is
// not the oldest one that is not consumed, or is answered.
enum baton_err
link_task_reject (struct link_task *task, struct baton_bytes reason);

// link_task_next_answer shows the next answer that waits for the client, as it stood when the
// session came here. BATON_NOT_FOUND after the last.
enum baton_err
link_task_next_answer (struct link_task *task, struct msg_response *answer);

// What link_task_read fills; views hold as long as the task, restart data until the next commit or
// link_server_next.
struct link_task_view {
    struct id session;
    struct incarnation incarnation;
    struct request_seq seq;
    uint32_t attempt;
    bool consumed;
    bool restarted;
    struct baton_bytes body;
    struct baton_bytes restart_data;
};

// link_task_extra returns the caller's room in the task, zeroed at first. It lives as the task
// does.
void *
link_task_extra (struct link_task *task);

void
link_task_read (const struct link_task *task, struct link_task_view *view);

#endif
