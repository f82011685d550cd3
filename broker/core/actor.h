// SPDX-License-Identifier: MPL-2.0
// actor.h has who owns one restart data: a client program's side, or a server's side of a
// session. Its version counts its commits; its incarnation says which opening of it is the
// current one, and fences all earlier ones.
#ifndef BATON_ACTOR_H
#define BATON_ACTOR_H

#include "broker/core/blob.h"
#include "broker/core/queue.h"
#include "broker/core/table.h"
#include "proto/limits.h"
#include "proto/msg.h"

struct session;

// The last instances an actor, or a server, had before the current one; oldest first.
struct former { struct id instances[LIMIT_FORMER_INSTANCES]; uint8_t count; };

struct actor {
    struct id id;
    enum end_role role;
    struct blob *principal; // client's actor only, as the name
    struct blob *name;
    struct log_index opened;

    struct incarnation incarnation;
    struct id instance;
    struct former *former; // NULL until there is one; server's actor: never
    struct version version;
    struct blob *restart_data;
    uint64_t digest; // of the last commit

    struct queue sessions;   // client's actor: its sessions
    struct session *session; // server's actor: its session
    struct queue in_book;
    struct table_node by_id;
    struct table_node by_name;
};

// former_has tells whether [instance] is one of the former ones; [former] may be NULL.
bool
former_has (const struct former *former, struct id instance);

// former_add puts [instance] behind the others; the oldest leaves if there is no room.
void
former_add (struct former *former, struct id instance);

#endif
