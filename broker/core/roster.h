// SPDX-License-Identifier: MPL-2.0
// roster.h has all soft state: who is linked, when it was last heard, what has been sent to it.
// It is lost at a restart and never enters a record as it stands. Places of sessions and servers
// are found by the slot that the book gave them.
#ifndef BATON_ROSTER_H
#define BATON_ROSTER_H

#include "broker/core/book.h"

struct roster_server;

// One path to one end that has said HELLO.
struct roster_link {
    struct link_number number;
    enum end_role role;
    struct id instance;
    struct blob *principal;
    struct blob *name;      // a server's
    uint64_t heard_ns;
    struct roster_server *server; // NULL if this is no server with a place in the book
    struct queue clients;   // roster_session of the sessions whose client end is here
    struct queue in_heard;  // longest silent first
    struct table_node by_number;
};

struct roster_session {
    const struct session *session; // NULL: the place is free
    // Client end.
    struct roster_link *client;          // NULL: absent
    uint64_t absent_since_ns;
    uint64_t granted_count, granted_bytes;
    uint64_t sent_count, sent_bytes;
    struct request_seq queue_next;       // next own request to show after OPEN; none: done
    struct request_seq queue_through;
    struct response_seq responses_sent_through;
    struct response_seq resume_through;  // RESUMED follows this response
    uint64_t resume_ref;
    enum { CLIENT_LIVE = 1, CLIENT_RESUMING = 2 } client_phase;
    // Server end.
    struct request_seq requests_sent_through;
    uint64_t held_bytes;
    enum { SERVER_TOLD = 1, SERVER_TO_TELL = 2 } binding; // TO_TELL: a DELIVER is due, even empty
    enum { SERVER_LIVE = 1, SERVER_LOADING = 2 } server_phase;
    struct request_seq load_next;        // next consumed, unanswered request to show after STATE
    struct response_seq load_response;   // next response to show
    uint64_t not_before_ns;              // back-off after a reject

    struct queue in_link;
    struct queue in_absent;   // longest absent first
    struct queue in_clients;  // something may be sent to the client
    struct queue in_server;   // something may be sent to the server
    struct queue in_placing;  // wants a server: to_place or waiting
    struct queue in_backoff;
};

struct roster_server {
    const struct server *server;   // NULL: the place is free
    struct roster_link *link;  // NULL: not there
    enum { MARKS_UNKNOWN = 1, MARKS_KNOWN = 2 } marks; // KNOWN: said HELLO in this reign
    uint64_t gone_since_ns;    // last frame heard, while there is no link
    uint64_t idle_since_ns;
    uint64_t wait_until_ns;    // its sessions wait for it to come back until then
    enum { SILENCE_RUNNING = 1, SILENCE_OVER = 2 } silence; // OVER: rebind_after has been acted on
    uint64_t held_count;       // delivered, not consumed
    uint64_t held_bytes;
    enum { WORK_SHARED = 1, WORK_ALONE = 2 } work; // ALONE: it holds a suspect
    struct queue sessions;     // roster_session by in_server: round robin
    struct queue in_work;
};

// Failed OPENs of principals in the running second; those that share a place share the limit.
#define ROSTER_RATES_COUNT 64u
struct roster_rate { uint64_t since_ns; uint32_t count; };

struct roster {
    const struct memory *memory;
    uint64_t hash_seed;
    struct table links;
    struct queue heard;
    uint32_t links_count;
    struct roster_session **sessions; // by slot
    uint32_t sessions_capacity;
    struct roster_server **servers;   // by slot
    uint32_t servers_capacity;
    struct queue absent;
    struct queue clients_to_serve;
    struct queue servers_to_serve;
    struct queue to_place;
    struct queue waiting;
    struct queue backoff;
    uint64_t servers_due_ns; // when to look through the servers' timers again
    struct roster_rate rates[ROSTER_RATES_COUNT];
};

void
roster_init (struct roster *roster, const struct memory *memory, uint64_t hash_seed);

void
roster_fini (struct roster *roster);

// roster_reserve makes places for all slots below [sessions] and [servers]: BATON_NO_MEMORY leaves
// all that was.
enum baton_err
roster_reserve (struct roster *roster, uint32_t sessions, uint32_t servers);

struct roster_session *
roster_session (const struct roster *roster, const struct session *session);

struct roster_server *
roster_server (const struct roster *roster, const struct server *server);

// roster_link finds a path that has said HELLO; NULL if there is none.
struct roster_link *
roster_link (const struct roster *roster, struct link_number number);

// roster_add_link makes a place for a new path.
//
// Errors: BATON_NO_MEMORY.
enum baton_err
roster_add_link (struct roster *roster, struct link_number number, struct baton_bytes principal,
                 const struct msg_hello *hello, struct roster_link **link);

// roster_drop_link forgets a path: its sessions become absent, its server gone, as of [now_ns].
void
roster_drop_link (struct roster *roster, struct roster_link *link, uint64_t now_ns);

// roster_hear notes that [link] said something.
void
roster_hear (struct roster *roster, struct roster_link *link, uint64_t now_ns);

// roster_begin gives a new session or server the place of its slot.
void
roster_begin_session (struct roster *roster, const struct session *session, uint64_t now_ns);

void
roster_begin_server (struct roster *roster, const struct server *server, uint64_t now_ns);

// roster_end takes the place of a session or server that left the book out of all lists.
void
roster_end_session (struct roster *roster, uint32_t slot);

void
roster_end_server (struct roster *roster, uint32_t slot);

// roster_seat puts [place]'s client end on [link].
void
roster_seat (struct roster_session *place, struct roster_link *link);

// roster_leave takes [place]'s client end off its link: it is absent as of [now_ns].
void
roster_leave (struct roster *roster, struct roster_session *place, uint64_t now_ns);

// roster_leave_all takes all client ends off [link].
void
roster_leave_all (struct roster *roster, struct roster_link *link, uint64_t now_ns);

// roster_serve_client notes that something may be sent to the client of [place].
void
roster_serve_client (struct roster *roster, struct roster_session *place);

// roster_serve_server notes that something of [place] may be sent to [server].
void
roster_serve_server (struct roster *roster, struct roster_server *server,
                     struct roster_session *place);

// roster_work notes that [server] may take work.
void
roster_work (struct roster *roster, struct roster_server *server);

// roster_place notes that [place] wants a server now.
void
roster_place (struct roster *roster, struct roster_session *place);

// roster_retry lets all sessions that wait for a server be tried again.
void
roster_retry (struct roster *roster);

// roster_unsend forgets what the server of [place] has been sent and not consumed.
void
roster_unsend (struct roster_server *server, struct roster_session *place,
               struct request_seq consumed_through);

// roster_rate returns the failed OPENs of [principal] in the second of [now_ns].
uint32_t
roster_rate (const struct roster *roster, struct baton_bytes principal, uint64_t now_ns);

void
roster_rate_add (struct roster *roster, struct baton_bytes principal, uint64_t now_ns);

#endif
