// SPDX-License-Identifier: MPL-2.0
// link_client.h has the client's sessions on a link: opening and resuming, requests and commits
// out, responses in, credit, closing. Part of the pure engine of link.h; calls never wait.
//
//   OPENING --OPENED--> RESUMING --RESUMED--> LIVE --close--> CLOSING --CLOSED--> ENDED
//      |                    |                   |                |
//      +---- refusals: NO_MATCH, FENCED, DENIED, NO_SUCH_SESSION, ... --------> ENDED (error)
//
// 1. A request is held until its commit is acknowledged, or the session ends.
// 2. Responses are shown in their order, each once to this process.
// 3. Responses count as consumed by the commit that follows the application's coming back.
#ifndef BATON_LINK_CLIENT_H
#define BATON_LINK_CLIENT_H

#include "proto/link.h"

struct link_session;

enum link_session_phase {
    LINK_SESSION_OPENING = 1,
    LINK_SESSION_RESUMING = 2,
    LINK_SESSION_LIVE = 3,
    LINK_SESSION_CLOSING = 4,
    LINK_SESSION_ENDED = 5,
};

// BY_SEND: what is sent is committed by the engine, what was shown is consumed by itself.
// BY_HAND: link_session_commit alone commits.
enum link_commit_mode { LINK_COMMIT_BY_SEND = 1, LINK_COMMIT_BY_HAND = 2 };

// link_session_open begins to open the session [name]; [requirement] is in stored form. Both are
// copied. BATON_NO_MEMORY, BATON_BAD_ARGUMENT for sizes over their limits or an empty name.
enum baton_err
link_session_open (struct link *link, struct baton_bytes name, struct baton_bytes requirement,
                   struct link_session **session);

// link_session_free lets go of the session without telling anybody.
void
link_session_free (struct link_session **session);

enum link_session_phase
link_session_phase (const struct link_session *session);

// link_session_error returns why the session ended: BATON_CLOSED when it is closed, BATON_FENCED,
// BATON_NO_MATCH and so on; BATON_OK while it has not.
enum baton_err
link_session_error (const struct link_session *session);

// link_session_error_text returns what the broker said to that, "" if nothing.
const char *
link_session_error_text (const struct link_session *session);

enum link_commit_mode
link_session_mode (const struct link_session *session);

// link_session_set_mode changes the mode. BATON_BUSY for going back to BY_SEND with uncommitted
// work held, or after a commit by hand: the engine would not know what restart data to keep.
enum baton_err
link_session_set_mode (struct link_session *session, enum link_commit_mode mode);

// link_session_back notes that the application came back, and so has done with what it was shown.
void
link_session_back (struct link_session *session);

// link_session_send adds a request to the draft; its number goes to [seq].
//
// Errors: BATON_TOO_LARGE, BATON_BUSY when the window is full (come back after link_take),
// BATON_NO_MEMORY, link_session_error.
enum baton_err
link_session_send (struct link_session *session, struct baton_bytes body, struct request_seq *seq);

// link_session_commit seals draft, consumed mark and [restart_data] as one commit, and sets the
// mode BY_HAND. Errors as link_session_send.
enum baton_err
link_session_commit (struct link_session *session, struct baton_bytes restart_data);

// link_session_flush seals what waits in mode BY_SEND, a lone consumed mark too; nothing to do
// BY_HAND. BATON_NO_MEMORY, BATON_BUSY, link_session_error.
enum baton_err
link_session_flush (struct link_session *session);

// link_session_push seals the requests that wait in mode BY_SEND, if there are any; for calls that
// are about to wait. Errors as link_session_flush.
enum baton_err
link_session_push (struct link_session *session);

// link_session_is_safe returns whether all that was sealed is acknowledged.
bool
link_session_is_safe (const struct link_session *session);

// link_session_recv shows the next response; the view holds until the next call of it. Requests
// of former processes that were not looked at are dropped.
// Errors: BATON_NOT_FOUND when there is none now, link_session_error when none can come.
enum baton_err
link_session_recv (struct link_session *session, struct msg_response *response);

bool
link_session_has_response (const struct link_session *session);

// link_session_open_request shows the next open request of former processes; the view holds until
// the next call of it. BATON_NOT_FOUND: none now, and none will come if the phase is LIVE.
enum baton_err
link_session_open_request (struct link_session *session, struct msg_request *request);

// link_session_close begins to end the session for good; drafts are dropped, what was sealed and
// never sent too.
void
link_session_close (struct link_session *session);

struct baton_bytes
link_session_restart_data (const struct link_session *session);

struct baton_bytes
link_session_name (const struct link_session *session);

struct id
link_session_id (const struct link_session *session);

struct incarnation
link_session_incarnation (const struct link_session *session);

struct request_seq
link_session_last_seq (const struct link_session *session);

#endif
