// SPDX-License-Identifier: MPL-2.0
// server.h has what the book knows of one server by name: its offer, which instance of it is the
// current one, and the sessions bound to it. Whether it is there now is the roster's business.
#ifndef BATON_SERVER_H
#define BATON_SERVER_H

#include "broker/core/session.h"
#include "proto/attribute.h"

// A server without an offer is kept only as long as sessions are bound to it.
enum offer_presence { OFFER_NONE = 1, OFFER_KNOWN = 2 };
enum instance_state { INSTANCE_ENDED = 1, INSTANCE_CURRENT = 2 };

struct server {
    struct blob *name;
    enum offer_presence offer;
    struct blob *principal;  // what follows up to [former] is the offer: empty without one
    struct id instance;
    enum instance_state state;
    struct blob *set;
    struct blob *attributes; // stored form, and the same as items:
    struct blob *attributes_home;
    struct attributes items;
    uint32_t capacity;
    uint32_t credit_count;
    uint64_t credit_bytes;
    uint64_t known_since_utc_ms;
    struct log_index ended;         // newest end of an instance: older bindings are over
    struct log_index ended_unknown; // newest end of an instance with its held work unknown
    struct log_index offered;       // newest record with the whole offer
    uint64_t offered_log_bytes;     // the book's log_bytes before it
    struct former former;

    uint64_t open_count;     // unanswered requests of its sessions
    uint32_t sessions_count;
    uint32_t slot;           // of its soft state in the roster

    struct queue sessions;
    struct queue in_book;    // offers oldest first, then those without one
    struct table_node by_name;
};

// server_is_current tells whether [session] is bound to the server's current instance, and that
// binding is not over: what ended by record stays ended, even if the same instance comes back.
bool
server_is_current (const struct server *server, const struct session *session);

#endif
