// SPDX-License-Identifier: MPL-2.0
// session.h has one durable conversation: its client end, its server end, the two queues and the
// marks. Requests stay until they are answered, responses until the client has consumed them.
//
// A request is *held back* while its number is above requests_consumed_through: it is to be
// delivered. One that the manager ended itself leaves a hole there, delivered as SKIPPED.
#ifndef BATON_SESSION_H
#define BATON_SESSION_H

#include "broker/core/actor.h"
#include "broker/core/ring.h"

struct server;

struct request {
    struct request_seq seq;
    uint32_t attempts;        // counted ones that ended without an answer
    struct baton_bytes body;
    struct blob *home;        // the record, or else the block, that the body lies in
};

struct response {
    struct response_seq seq;
    struct request_seq request;
    enum response_status status;
    struct baton_bytes body;
    struct blob *home;
};

struct session {
    struct id id;
    enum session_kind kind;
    struct blob *principal;
    struct blob *name;
    struct blob *requirement; // stored form
    struct log_index opened;

    struct actor *client;
    struct actor *server_end;  // NULL before the first binding
    struct server *server;     // likewise
    struct id server_instance; // the instance of [server] that it is bound to
    struct log_index bound;

    struct request_seq requests_accepted_through;
    struct request_seq requests_consumed_through;
    struct request_seq suspect_through; // these are delivered alone
    struct response_seq responses_last;
    struct response_seq responses_consumed_through;
    struct ring requests;  // by request_seq: the unanswered ones
    struct ring responses; // by response_seq: the unconsumed ones

    uint32_t open_count;   // requests in the ring
    uint64_t requests_bytes;
    uint64_t responses_bytes;
    uint32_t slot;         // of its soft state in the roster

    struct queue in_book;
    struct queue in_actor;
    struct queue in_server;
    struct table_node by_id;
    struct table_node by_name;
};

// session_request returns the unanswered request with [seq], NULL if there is none.
const struct request *
session_request (const struct session *session, struct request_seq seq);

// session_response returns the unconsumed response with [seq], NULL if there is none.
const struct response *
session_response (const struct session *session, struct response_seq seq);

// session_is_suspect tells whether the request with [seq] must be delivered alone.
bool
session_is_suspect (const struct session *session, struct request_seq seq);

#endif
