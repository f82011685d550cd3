// SPDX-License-Identifier: MPL-2.0
// link_session.h has one client's session as the engine keeps it, for link_session.c (what the
// application does), link_session_say.c (what is sent because of it) and link_session_take.c (what
// the manager says) alone.
#ifndef BATON_LINK_SESSION_H
#define BATON_LINK_SESSION_H

#include "proto/link_inner.h"

// What may be delivered ahead of being taken.
#define SESSION_WINDOW_COUNT ((uint64_t) LIMIT_CREDIT_COUNT)
#define SESSION_WINDOW_BYTES ((uint64_t) LIMIT_CLIENT_CREDIT_BYTES)

// A response, or an open request of a former process, waiting to be shown; body behind it.
struct inbox_item {
    struct ring ring;
    struct msg_request request;
    struct msg_response response;
    size_t block_bytes;
};

struct link_session {
    struct link_end end; // first: ends and sessions are found through each other
    enum link_session_phase phase;
    enum link_commit_mode mode;
    bool committed; // by hand: the engine has no restart data to commit with any more
    enum baton_err error;
    char error_text[LINK_TEXT_MAX];
    unsigned char *block; // name and requirement, owned
    size_t name_bytes;
    size_t requirement_bytes;
    unsigned char *restart_data; // as of the first OPENED, owned
    size_t restart_data_bytes;

    struct request_seq last_seq;          // given to the newest request
    struct response_seq received_through;
    struct response_seq shown_through;    // the application has seen it
    struct response_seq done_through;     // and has come back since
    struct response_seq consumed_through; // sealed into a commit
    uint64_t consume_ns;                  // seal a lone mark then; 0: nothing to seal
    uint64_t done_bytes;                  // of responses done and not sealed

    struct ring responses;
    struct ring requests;                 // open ones of former processes
    struct inbox_item *shown;             // what the application looks at now
    struct inbox_item *shown_request;
    struct request_seq open_through;      // newest open request received
    enum { OPEN_REQUESTS_WANTED, OPEN_REQUESTS_DROPPED } open_requests;

    uint64_t held_count, held_bytes;         // in the inbox
    uint64_t received_count, received_bytes; // since the last OPEN
    uint64_t granted_count, granted_bytes;   // likewise
    enum { CLOSE_UNSENT, CLOSE_SENT } close;
    struct version close_version;            // that CLOSE builds on
};

// session_end ends it with [error]; what it holds stays until it is freed.
void
session_end (struct link_session *self, enum baton_err error, struct baton_bytes text);

// session_seal makes one commit of draft and consumed mark.
enum baton_err
session_seal (struct link_session *self, struct baton_bytes restart_data);

// The restart data that the engine's own commits carry along.
static inline struct baton_bytes
session_restart_data (const struct link_session *self)
{
    return (struct baton_bytes) {self->restart_data, self->restart_data_bytes};
}

static inline struct link_session *
session_of (struct link_end *end)
{
    return (struct link_session *) (void *) end;
}

#endif
