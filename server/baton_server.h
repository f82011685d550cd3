// SPDX-License-Identifier: MPL-2.0
// baton_server.h is the server's side of Baton: offer attributes, take tasks in the order of
// their sessions, answer them, and commit answers together with restart data.
//
// Calls return 0 (BATON_OK) or a positive enum baton_err; results go through the last parameter.
// No call aborts on what it is given: NULL where an object is needed is BATON_BAD_ARGUMENT.
// A handle and its tasks are used by one thread at a time; a call while another thread is inside
// returns BATON_IN_USE. After fork only the parent may use a handle; the child may exec.
// A time [timeout_ms] is in milliseconds: 0 never waits, negative waits for ever.
#ifndef BATON_SERVER_H
#define BATON_SERVER_H

#include "proto/bytes.h"
#include "proto/errors.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct baton_server baton_server_t;
typedef struct baton_task baton_task_t;

// How the work of a server becomes final. BY_REPLY: a reply is committed by itself, in batches, in
// the order of its session. BY_HAND: replies wait for a baton_task_commit of their session.
enum baton_server_mode { BATON_SERVER_BY_REPLY = 1, BATON_SERVER_BY_HAND = 2 };

// Does one task: reply, commit or reject it. 0 goes on; anything else ends baton_server_run.
typedef int
baton_server_fn (baton_task_t *task, void *context);

// Told when live state of a session is void: forget what is kept in memory under [session_id].
// [reason] is BATON_FENCED (another server has it now) or BATON_CLOSED (it has ended).
typedef void
baton_abort_fn (const char *session_id, enum baton_err reason, void *context);

// An answer that the client has not consumed yet. The view holds until the next baton_server_next.
struct baton_answer {
    uint64_t request; // number of the request that it answers
    struct baton_bytes body;
};

// What happened on a handle since it was made. Later versions may add members at the end only.
struct baton_server_counters {
    uint64_t tasks;            // handed to the application
    uint64_t hits;             // deliveries that found the session's live state here
    uint64_t reloads;          // deliveries for which the state had to be asked for
    uint64_t redelivered;      // requests that came again and were dropped
    uint64_t skipped;          // requests that the broker had ended itself
    uint64_t aborted;          // sessions whose live state became void
    uint64_t commits;          // sent for the first time
    uint64_t commits_resent;   // sent again after a lost link, a GAP or a BUSY
    uint64_t duplicates;       // resent commits that the broker already had
    uint64_t responses;
    uint64_t welcomes;         // times that a broker took us on, 1 for an undisturbed life
    uint64_t links_lost;       // silent brokers, after which we dialled anew
    uint64_t busy;             // times the broker asked us to wait
    uint64_t refused;          // refusals that matched nothing we asked
    uint64_t ignored;          // frames of an old epoch or with nonsense inside
    uint64_t epoch;            // of the manager we listen to; 0 before the first
};

// baton_server_new makes a server that will serve the manager among [endpoints] (as for
// baton_client_new). [name], at most 255 bytes, is how people and logs call it; a new process with
// the same name replaces the old one at once. NULL stands for "host-pid".
// Does not wait for a broker: dialling goes on behind later calls.
//
// Returns NULL with errno EINVAL for a bad list or name, ENOMEM without memory, EMFILE or EAGAIN
// when no socket or thread could be made.
BATON_EXPORT baton_server_t *
baton_server_new (const char *endpoints, const char *name);

// baton_server_destroy ends the handle. It first waits, for at most the linger time, until what
// was committed is safe, and says goodbye, so that open tasks go to others at once. *[self]
// becomes NULL; NULL inside is fine. All tasks are gone with it.
BATON_EXPORT void
baton_server_destroy (baton_server_t **self);

// baton_server_set_linger sets how long baton_server_destroy may wait. Default: 1 000 ms.
BATON_EXPORT enum baton_err
baton_server_set_linger (baton_server_t *self, int linger_ms);

// baton_server_set_timeout sets how long reply, commit and reject may wait while the window of
// unacknowledged work is full. Default: for ever.
BATON_EXPORT enum baton_err
baton_server_set_timeout (baton_server_t *self, int timeout_ms);

// baton_server_offer tells one attribute, by which requirements choose. Told to the broker by the
// next baton_server_next; a later change is told again and holds for new sessions.
//
//   key    a letter or underscore, then letters, digits, underscores, dots, dashes
//   value  as written in requirements: "text" in quotes, a whole number, true or false, a set like
//          {"a", "b"}; anything else is taken as text as it stands. NULL takes the key back.
//
// Errors: BATON_BAD_ARGUMENT (baton_server_error_text says what); BATON_TOO_LARGE over 64
// attributes or their size; BATON_NO_MEMORY; BATON_IN_USE.
BATON_EXPORT enum baton_err
baton_server_offer (baton_server_t *self, const char *key, const char *value);

// baton_server_join makes this server a member of the server set [set], which then serves only
// sessions whose requirement fits it; NULL or "" is the default set, which also serves sessions
// without a requirement. Errors: BATON_BAD_ARGUMENT, BATON_IN_USE, BATON_NO_MEMORY.
BATON_EXPORT enum baton_err
baton_server_join (baton_server_t *self, const char *set);

// baton_server_set_capacity says how many tasks are worked on at a time. It ranks servers.
// Default: 1. Errors: BATON_BAD_ARGUMENT for 0, BATON_IN_USE.
BATON_EXPORT enum baton_err
baton_server_set_capacity (baton_server_t *self, uint32_t capacity);

// baton_server_set_credit sets what may be delivered here ahead of being answered. Fewer spread
// work better over servers, more hide the way to the broker. Default: 256 requests, 256 KiB.
// Errors: BATON_BAD_ARGUMENT for 0 or more than 256 requests, or 0 bytes; BATON_IN_USE.
BATON_EXPORT enum baton_err
baton_server_set_credit (baton_server_t *self, uint32_t credit_count, uint64_t credit_bytes);

// baton_server_set_mode chooses what makes work final. The first baton_task_commit of a session
// sets BY_HAND for that session anyway; say it first when several tasks are answered before one
// commit. Errors: BATON_BAD_ARGUMENT, BATON_IN_USE.
BATON_EXPORT enum baton_err
baton_server_set_mode (baton_server_t *self, enum baton_server_mode mode);

// baton_server_set_abort has [tell] called, inside baton_server_next, when the live state of a
// session is void. NULL for none. [tell] may not call this handle.
BATON_EXPORT enum baton_err
baton_server_set_abort (baton_server_t *self, baton_abort_fn *tell, void *context);

// baton_server_next takes the next task. Tasks of one session come in its order; before the first
// of a session come those that a former server had consumed but not answered
// (baton_task_is_consumed). Sends what was replied before.
//
// The task is the server's. It is valid until the baton_server_next after it was ended: by reply
// or reject, or in BY_HAND mode by the commit that covers the reply. When its session is lost
// (fenced, closed, given back) reply, commit and reject return why, and that ends it too.
//
// Errors: BATON_TIMED_OUT; BATON_INTERRUPTED by a signal; BATON_FENCED: a new process took this
// server's name, stop; BATON_FOREIGN_GROUP; BATON_NETWORK; BATON_BAD_VERSION; BATON_DENIED;
// BATON_REFUSED: the offer was refused (baton_server_error_text); BATON_NO_MEMORY; BATON_IN_USE.
BATON_EXPORT enum baton_err
baton_server_next (baton_server_t *self, int timeout_ms, baton_task_t **task);

// baton_server_run takes tasks and calls [handler] with each until it returns something else than
// 0 or a call fails; then flushes for at most the linger time.
//
// Returns BATON_OK when the handler ended it, BATON_INTERRUPTED by a signal, else as
// baton_server_next.
BATON_EXPORT enum baton_err
baton_server_run (baton_server_t *self, baton_server_fn *handler, void *context);

// baton_server_flush waits until all that was committed (BY_REPLY: replied) is safe.
// Errors: BATON_TIMED_OUT, BATON_INTERRUPTED, BATON_NETWORK, BATON_FENCED (of this server's
// name), BATON_FOREIGN_GROUP, BATON_IN_USE.
BATON_EXPORT enum baton_err
baton_server_flush (baton_server_t *self, int timeout_ms);

// baton_server_fd returns a descriptor for poll and the like; -1 for NULL. It is readable when
// baton_server_next has something to do, and stays so until it is done. It may be readable for
// housekeeping alone: baton_server_next with 0 ms then does it and returns BATON_TIMED_OUT.
// Never read, write or close it.
BATON_EXPORT int
baton_server_fd (const baton_server_t *self);

// baton_server_error_text returns what was wrong in the last call that failed with this server or
// its tasks; "" if there is nothing to add to baton_strerror. Holds until the next call.
BATON_EXPORT const char *
baton_server_error_text (const baton_server_t *self);

// baton_server_name returns the name, for logs.
BATON_EXPORT const char *
baton_server_name (const baton_server_t *self);

// baton_server_read_counters copies the counters. Errors: BATON_BAD_ARGUMENT, BATON_IN_USE.
BATON_EXPORT enum baton_err
baton_server_read_counters (baton_server_t *self, struct baton_server_counters *counters);

// baton_task_body returns the request. The view holds as long as the task.
BATON_EXPORT struct baton_bytes
baton_task_body (const baton_task_t *self);

// baton_task_restart_data returns the restart data of the task's session on this side: what was
// committed last, here or by a former server; empty for a new session. The view holds until the
// next commit of this session or the next baton_server_next.
BATON_EXPORT struct baton_bytes
baton_task_restart_data (const baton_task_t *self);

// baton_task_is_restarted returns 1 for the first task after the session came here, or came back:
// live state kept in memory is void and must be rebuilt from baton_task_restart_data. Else 0.
BATON_EXPORT int
baton_task_is_restarted (const baton_task_t *self);

// baton_task_is_consumed returns 1 for a task that a commit has consumed already, so that restart
// data knows of it and only its answer is owed. Else 0.
BATON_EXPORT int
baton_task_is_consumed (const baton_task_t *self);

// baton_task_next_answer gives, one by one and oldest first, the answers of this session that its
// client had not consumed when the session came here; only for tasks of baton_task_is_restarted.
// Errors: BATON_NOT_FOUND after the last; BATON_BAD_ARGUMENT; BATON_IN_USE.
BATON_EXPORT enum baton_err
baton_task_next_answer (baton_task_t *self, struct baton_answer *answer);

// baton_task_seq returns the number of the request in its session, from 1.
BATON_EXPORT uint64_t
baton_task_seq (const baton_task_t *self);

// baton_task_attempt returns 1 for a request's first attempt, more after failed ones.
BATON_EXPORT uint32_t
baton_task_attempt (const baton_task_t *self);

// baton_task_session_id returns the id of the session, 32 hexadecimal digits: the key for live
// state in memory. Holds as long as the task.
BATON_EXPORT const char *
baton_task_session_id (const baton_task_t *self);

// baton_task_incarnation returns a number that rises each time the session goes to another server:
// a fencing token for outside resources that can compare one.
BATON_EXPORT uint64_t
baton_task_incarnation (const baton_task_t *self);

// baton_task_reply answers the task with [size] bytes, which are copied. BY_REPLY: the answer is
// committed by itself, with the next waiting call at the latest, after the answers to all earlier
// requests of its session. BY_HAND: it waits for baton_task_commit.
//
// Errors: BATON_TOO_LARGE: [size] over 1 MiB, or BY_HAND more than 256 answers or 1 MiB since the
// last commit; BATON_TIMED_OUT: the window is full, not queued; BATON_FENCED, BATON_CLOSED: the
// session is lost, drop its state; BATON_NOT_FOUND: the request was given back and will come
// again; BATON_BAD_ARGUMENT: answered already; BATON_NO_MEMORY; BATON_NETWORK;
// BATON_INTERRUPTED; BATON_IN_USE.
BATON_EXPORT enum baton_err
baton_task_reply (baton_task_t *self, const void *data, size_t size);

// baton_task_commit makes one step of this side of the session, all or nothing: the requests
// through this task are consumed, the answers given since the last commit leave, and [data],
// [size] bytes, becomes the restart data. A request consumed but not answered is still owed: its
// task stays, and comes again after a restart (baton_task_is_consumed). Does not wait for safety.
//
// Errors: as baton_task_reply; BATON_TOO_LARGE: restart data over 256 KiB; BATON_BAD_ARGUMENT: a
// later task of the session was answered, commit with that one.
BATON_EXPORT enum baton_err
baton_task_commit (baton_task_t *self, const void *data, size_t size);

// baton_task_reject gives the request back, one attempt poorer: after its last attempt the client
// gets BATON_STATUS_FAILED with [reason] (text, may be NULL). Only the oldest task of its session
// that is not consumed can be given back; the later ones are given back with it, uncounted, and
// their tasks return BATON_NOT_FOUND.
//
// Errors: BATON_BAD_ARGUMENT: not the oldest, answered, or consumed; others as baton_task_reply.
BATON_EXPORT enum baton_err
baton_task_reject (baton_task_t *self, const char *reason);

#ifdef __cplusplus
}
#endif

#endif
