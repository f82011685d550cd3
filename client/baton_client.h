// SPDX-License-Identifier: MPL-2.0
// baton_client.h is the client's side of Baton: open durable sessions, send requests, take
// responses, and commit both together with restart data from which another process can go on.
//
// Calls return 0 (BATON_OK) or a positive enum baton_err; results go through the last parameter.
// No call aborts on what it is given: NULL where an object is needed is BATON_BAD_ARGUMENT.
// A handle and its sessions are used by one thread at a time; a call while another thread is
// inside returns BATON_IN_USE. After fork only the parent may use a handle; the child may exec.
// A time [timeout_ms] is in milliseconds: 0 never waits, negative waits for ever. A time-out says
// that the outcome is not known yet: the work goes on, and the call may be repeated.
#ifndef BATON_CLIENT_H
#define BATON_CLIENT_H

#include "proto/bytes.h"
#include "proto/errors.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct baton_client baton_client_t;
typedef struct baton_session baton_session_t;

// Who decides when a commit is made. AUTO: sending commits, batched by the library; what was
// received counts as consumed when the next call for a response is made. BY_HAND: nothing that
// was sent or received takes effect before baton_session_commit.
enum baton_commit_mode { BATON_COMMIT_AUTO = 1, BATON_COMMIT_BY_HAND = 2 };

// How a request ended. REPLY is the server's answer; the others are the broker's, and the body
// is then a sentence for people.
enum baton_status {
    BATON_STATUS_REPLY = 1,
    BATON_STATUS_FAILED = 2,    // given up after its last attempt
    BATON_STATUS_EXPIRED = 3,   // its deadline passed first
    BATON_STATUS_CANCELLED = 4,
};

// A request of ours that is not answered yet. The view holds until the next call with the session.
struct baton_request {
    uint64_t seq;
    struct baton_bytes body;
};

// An answer. The view holds until the next call that takes from, or ends, the same session.
struct baton_response {
    uint64_t seq;     // number of the response in its session, from 1
    uint64_t request; // number of the request it answers, as baton_session_send told it
    enum baton_status status;
    struct baton_bytes body;
};

// What happened on a handle since it was made. Later versions may add members at the end only.
struct baton_client_counters {
    uint64_t commits;          // sent for the first time
    uint64_t commits_resent;   // sent again after a lost link, a GAP or a BUSY
    uint64_t duplicates;       // resent commits that the broker already had
    uint64_t requests;
    uint64_t responses;
    uint64_t redelivered;      // responses that came again and were dropped
    uint64_t welcomes;         // times that a broker took us on, 1 for an undisturbed life
    uint64_t links_lost;       // silent brokers, after which we dialled anew
    uint64_t busy;             // times the broker asked us to wait
    uint64_t refused;          // refusals that matched nothing we asked
    uint64_t ignored;          // frames of an old epoch or with nonsense inside
    uint64_t epoch;            // of the manager we listen to; 0 before the first
};

// baton_client_new makes a client that will talk to the manager among [endpoints]: a list like
// "tcp://10.0.0.1:7411,tcp://10.0.0.2:7411", separated by commas or spaces. NULL stands for
// "tcp://127.0.0.1:7411". Does not wait for a broker: dialling goes on behind later calls.
//
// Returns NULL with errno EINVAL for a list that has no endpoint or a bad one, ENOMEM without
// memory, EMFILE or EAGAIN when no socket or thread could be made.
BATON_EXPORT baton_client_t *
baton_client_new (const char *endpoints);

// baton_client_destroy ends the handle: throw-away sessions are closed, named ones are left as
// they are, to be opened again by whoever has the name. It first waits, for at most the linger
// time, until what was sent is safe. *[self] becomes NULL; NULL inside is fine.
BATON_EXPORT void
baton_client_destroy (baton_client_t **self);

// baton_client_set_timeout sets how long calls without a time of their own may wait: open, close,
// and send or commit when the window of unacknowledged work is full. Default: for ever.
BATON_EXPORT enum baton_err
baton_client_set_timeout (baton_client_t *self, int timeout_ms);

// baton_client_set_linger sets how long baton_client_destroy may wait. Default: 1 000 ms.
BATON_EXPORT enum baton_err
baton_client_set_linger (baton_client_t *self, int linger_ms);

// baton_client_open opens the session [name], or makes it if there is none. The process that had
// it open before is fenced for good: a name has one owner. Everything the former owner committed
// is kept, and can be read with baton_session_restart_data and baton_session_next_open_request.
//
//   name         at most 255 bytes; NULL for a throw-away session that ends with this client
//   requirement  which servers fit, as text: algo = "sha256" and cores >= 4; NULL or "" for the
//                default servers. It holds for a new session; an old one keeps its own.
//
// Blocks until the broker answered (baton_client_set_timeout). The session is the client's until
// baton_session_close or baton_session_destroy.
//
// Errors: BATON_BAD_ARGUMENT for a name that is too long or open already in this client, or a
// requirement that does not parse (baton_client_error_text has the place); BATON_NO_MATCH when no
// known server can ever fit (baton_client_error_text names the attribute); BATON_DENIED;
// BATON_FENCED; BATON_FOREIGN_GROUP; BATON_TIMED_OUT: call again with the same name to go on
// waiting; BATON_BAD_VERSION; BATON_REFUSED; BATON_NO_MEMORY; BATON_INTERRUPTED; BATON_IN_USE.
BATON_EXPORT enum baton_err
baton_client_open (baton_client_t *self, const char *name, const char *requirement,
                   baton_session_t **session);

// baton_client_wait sleeps until one of the sessions has a response to take, or has ended with an
// error that its next call will tell, and gives that session. Sessions take turns.
//
// Errors: BATON_TIMED_OUT, BATON_INTERRUPTED by a signal, BATON_NETWORK, BATON_FOREIGN_GROUP,
// BATON_BAD_ARGUMENT when no session is open, BATON_IN_USE.
BATON_EXPORT enum baton_err
baton_client_wait (baton_client_t *self, int timeout_ms, baton_session_t **session);

// baton_client_fd returns a descriptor for poll and the like; -1 for NULL. It is readable when
// baton_client_wait or baton_session_recv has something to do, and stays so until it is done. It
// may be readable for housekeeping alone: then those calls, with 0 ms, do it and return
// BATON_TIMED_OUT. Never read, write or close it.
BATON_EXPORT int
baton_client_fd (const baton_client_t *self);

// baton_client_error_text returns what was wrong in the last call that failed with this client
// or its sessions: a sentence that names thing, value and limit; "" if there is nothing to add
// to baton_strerror. Holds until the next call. Never NULL.
BATON_EXPORT const char *
baton_client_error_text (const baton_client_t *self);

// baton_client_read_counters copies the counters. Errors: BATON_BAD_ARGUMENT, BATON_IN_USE.
BATON_EXPORT enum baton_err
baton_client_read_counters (baton_client_t *self, struct baton_client_counters *counters);

// baton_session_close ends the session for good, with both queues and the restart data: requests
// not answered yet are dropped. Blocks (baton_client_set_timeout). *[self] becomes NULL on success,
// and when the session was closed already.
//
// Errors, with the session kept: BATON_TIMED_OUT, BATON_INTERRUPTED, BATON_NETWORK (call again);
// BATON_FENCED: another process has it, use baton_session_destroy; BATON_IN_USE.
BATON_EXPORT enum baton_err
baton_session_close (baton_session_t **self);

// baton_session_destroy lets go of the session here and leaves it alive in the broker. What was
// sent but not flushed is not waited for, and what was not committed never happened. *[self]
// becomes NULL; NULL inside is fine. A throw-away session is closed instead.
BATON_EXPORT void
baton_session_destroy (baton_session_t **self);

// baton_session_set_commit_mode chooses who commits. BATON_COMMIT_BY_HAND is set by the first
// baton_session_commit anyway, and at open when the session has restart data; say it before the
// first send when responses are received before the first commit.
//
// Errors: BATON_BAD_ARGUMENT, also for going back to AUTO while uncommitted work is held.
BATON_EXPORT enum baton_err
baton_session_set_commit_mode (baton_session_t *self, enum baton_commit_mode mode);

// baton_session_send queues a request of [size] bytes, which are copied. Requests gather: they
// leave, many in one message, when enough are there or when any call of this client waits.
// In BY_HAND mode they leave with baton_session_commit only.
//
//   seq   gets the number of the request, by which responses name it; may be NULL. A number
//         handed out for a request that was not committed before a crash is handed out again.
//
// Blocks only when 4 096 requests or 16 MiB are not acknowledged yet (baton_client_set_timeout).
//
// Errors: BATON_TOO_LARGE: [size] over 1 MiB (send several requests), or in BY_HAND mode more than
// 256 requests or 1 MiB since the last commit (commit first); BATON_TIMED_OUT: the window is still
// full, nothing was queued; BATON_FENCED; BATON_CLOSED; BATON_FOREIGN_GROUP; BATON_NO_MEMORY;
// BATON_INTERRUPTED; BATON_NETWORK; BATON_REFUSED; BATON_IN_USE.
BATON_EXPORT enum baton_err
baton_session_send (baton_session_t *self, const void *data, size_t size, uint64_t *seq);

// baton_session_commit makes one step of this client, all or nothing: the requests sent and the
// responses received since the last commit, and [data], [size] bytes from which a process that
// opens this session later can go on. [data] replaces what was there. Nothing sent or received is
// fine: that is a checkpoint. The step leaves at once, but its safety is not waited for:
// baton_session_flush does. Steps become safe in their order.
//
// Errors: as baton_session_send; BATON_TOO_LARGE: restart data over 256 KiB (keep position,
// length and digest there, and the bulk in a file that is synced before the commit and cut to
// that length at restart).
BATON_EXPORT enum baton_err
baton_session_commit (baton_session_t *self, const void *data, size_t size);

// baton_session_flush waits until all that was committed (in AUTO mode: sent) is safe, which
// means it survives the loss of any process. What is held back for a commit by hand is not part.
//
// Errors: BATON_TIMED_OUT, BATON_INTERRUPTED, BATON_NETWORK, BATON_FENCED, BATON_CLOSED,
// BATON_FOREIGN_GROUP, BATON_REFUSED, BATON_NO_MEMORY, BATON_IN_USE.
BATON_EXPORT enum baton_err
baton_session_flush (baton_session_t *self, int timeout_ms);

// baton_session_recv takes the next response. What it shows counts as consumed, and is never
// shown again to any process, when the next commit after it is safe: the application's own in
// BY_HAND mode, the library's in AUTO mode, made soon after the call that follows this one.
//
// Errors: BATON_TIMED_OUT; BATON_INTERRUPTED by a signal; BATON_FENCED; BATON_CLOSED;
// BATON_FOREIGN_GROUP; BATON_NETWORK; BATON_REFUSED; BATON_NO_MEMORY; BATON_IN_USE.
BATON_EXPORT enum baton_err
baton_session_recv (baton_session_t *self, int timeout_ms, struct baton_response *response);

// baton_session_next_open_request gives, one by one and oldest first, the requests of former
// processes that were accepted but not answered when this session was opened. Their answers will
// come through baton_session_recv. The first baton_session_recv drops what was not looked at.
//
// Blocks while they are still arriving (baton_client_set_timeout).
//
// Errors: BATON_NOT_FOUND after the last; the others as baton_session_recv.
BATON_EXPORT enum baton_err
baton_session_next_open_request (baton_session_t *self, struct baton_request *request);

// baton_session_restart_data returns what was committed last by the process that had the session
// before; empty for a new one. The view holds as long as the session does.
BATON_EXPORT struct baton_bytes
baton_session_restart_data (const baton_session_t *self);

// baton_session_last_seq returns the number of the newest request of this session, of former
// processes too; 0 if there was none. The next baton_session_send gets the number after it.
BATON_EXPORT uint64_t
baton_session_last_seq (const baton_session_t *self);

// baton_session_incarnation returns a number that rises each time a process takes the session
// over: a fencing token for outside resources that can compare one. 0 for NULL.
BATON_EXPORT uint64_t
baton_session_incarnation (const baton_session_t *self);

// baton_session_name returns the name; "" for a throw-away session.
BATON_EXPORT const char *
baton_session_name (const baton_session_t *self);

// baton_session_id returns the broker's id of the session, 32 hexadecimal digits, as in its logs.
BATON_EXPORT const char *
baton_session_id (const baton_session_t *self);

#ifdef __cplusplus
}
#endif

#endif
