// SPDX-License-Identifier: MPL-2.0
// link_inner.h is what the files of the link engine share and nobody else may see: the link
// itself, and what its parts ask of each other.
#ifndef BATON_LINK_INNER_H
#define BATON_LINK_INNER_H

#include "proto/limits.h"
#include "proto/link_client.h"
#include "proto/link_end.h"
#include "proto/link_server.h"

#define LINK_NS_PER_MS UINT64_C (1000000)
#define LINK_NEVER_NS UINT64_MAX
// Wait before the first new dial; doubles up to LIMIT_DIAL_RETRY_MAX_MS.
#define LINK_RETRY_FIRST_MS 100u
// Sentences of the broker that are kept for the application.
#define LINK_TEXT_MAX 256u

enum link_state { LINK_RETRY = 1, LINK_GREETING = 2, LINK_SETTLING = 3, LINK_SERVED = 4 };

// What link_next said last.
enum link_doing {
    DOING_NOTHING = 1,
    DOING_DIAL,
    DOING_HELLO,
    DOING_OFFER,
    DOING_END,
    DOING_HEARTBEAT,
    DOING_GOODBYE,
};

// The offer as it is sent, and how far it has come on this line.
struct server_offer {
    unsigned char *block; // set and attributes, owned; NULL: nothing is offered yet
    size_t block_bytes;
    struct msg_offer msg;
    enum end_standing standing;
    enum baton_err error;
    uint64_t hold_ns;
};

struct link_server {
    struct server_offer offer;
    enum link_task_mode mode;
    struct ring ready;   // tasks to show, oldest first
    struct ring ended;   // tasks that the application has done with; freed by the next one
    struct ring orphans; // tasks whose actor is gone, still in the application's hands
    struct ring aborts;  // sessions lost, not told yet
    struct ring graves;  // bytes of lost sessions that the application may be reading
    struct ring dirty;   // actors with something to seal in mode BY_REPLY
    uint64_t dirty_ns;   // since when there is one
    uint64_t actors_count;
    uint64_t states_bytes;
};

struct link {
    struct memory memory;
    enum end_role role;
    struct id instance;
    unsigned char name[LIMIT_NAME_MAX_BYTES];
    size_t name_bytes;
    uint32_t endpoints_count;
    uint64_t random;
    size_t task_extra_bytes; // a multiple of 16

    struct id group;
    struct epoch epoch;
    uint32_t heartbeat_ms;
    uint32_t silent_ms;
    uint64_t body_max_bytes;
    uint64_t restart_data_max_bytes;
    uint32_t unacked_max_count;

    uint64_t now_ns;
    enum link_state state;
    uint32_t endpoint_index;
    uint32_t retry_ms;
    uint64_t dial_ns;
    uint64_t hello_ns;
    uint64_t settle_ns;
    uint32_t hellos_unanswered;
    uint64_t heard_ns;
    uint64_t sent_ns;
    uint64_t heartbeat_sent_ns;

    enum link_doing doing;
    struct link_end *doing_end;
    enum msg_kind doing_kind;
    enum { LINK_STAYS, LINK_LEAVES, LINK_LEFT } leaving;
    enum baton_err error;
    char error_text[LINK_TEXT_MAX];
    struct link_counters counters;

    struct ring ends;
    struct ring work;
    uint64_t alarm_ns; // earliest of the ends'
    uint64_t refs;
    struct link_end *maps[LINK_MAPS][LINK_MAP_CHAINS];
    struct link_server server;
};

// link_aim_bytes returns how many bytes of bodies the engine gathers in one commit. A frame has
// room for those of one largest body beside the rest, and a broker drops the line at a larger one.
static inline uint64_t
link_aim_bytes (const struct link *link)
{
    return link->body_max_bytes < LIMIT_MESSAGE_AIM_BYTES ? link->body_max_bytes
                                                          : LIMIT_MESSAGE_AIM_BYTES;
}

// link.c and link_line.c

// link_leave_line leaves this line for the next broker in the list, after a random wait.
void
link_leave_line (struct link *link);

// link_begin says everything anew: offers, sessions, and all that is not acknowledged.
void
link_begin (struct link *link);

// link_stumble makes the link start over: for messages that could not be kept.
void
link_stumble (struct link *link);

// link_fail ends the link for good.
void
link_fail (struct link *link, enum baton_err error, struct baton_bytes text);

// link_keep_text copies what fits of [from], and a 0.
void
link_keep_text (char text[LINK_TEXT_MAX], struct baton_bytes from);

// link_error_of returns what a refusal means to the application.
enum baton_err
link_error_of (enum refusal refusal);

// link_retry_ns returns when to try again after a refusal that asks to wait.
uint64_t
link_retry_ns (const struct link *link, const struct msg_refused *refused);

// link_session.c, link_session_say.c and link_session_take.c: one session of a client.

bool
session_next (struct link_end *end, struct msg *msg);

void
session_done (struct link_end *end, enum msg_kind kind);

// session_begin makes ready for a new line or a new reign.
void
session_begin (struct link_end *end);

void
session_free (struct link_end *end);

void
session_take (struct link *link, const struct msg *msg);

// link_actor.c, link_actor_take.c and link_offer.c: the server's side.

bool
actor_next (struct link_end *end, struct msg *msg);

void
actor_done (struct link_end *end, enum msg_kind kind);

void
actor_begin (struct link_end *end);

void
actor_free (struct link_end *end);

void
actor_take (struct link *link, const struct msg *msg);

void
server_init (struct link *link);

void
server_fini (struct link *link);

void
server_begin (struct link *link);

// server_bury frees the bytes of lost sessions: the application came back and reads them no more.
void
server_bury (struct link *link);

// server_offer_next fills [msg] with the offer if it is to be sent now.
bool
server_offer_next (const struct link *link, struct msg *msg);

void
server_take_offered (struct link *link, const struct msg_offered *offered);

void
server_take_refused_offer (struct link *link, const struct msg_refused *refused);

#endif
