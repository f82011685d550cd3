// SPDX-License-Identifier: MPL-2.0
// book.h has all hard state of a group: sessions, actors, servers. It changes only by
// apply (book, record), so manager, recovery and standby agree about it. Whatever can run out is
// reserved before, so that apply cannot fail.
//
// Lists are in log order and are what the core walks; tables only look up.
#ifndef BATON_BOOK_H
#define BATON_BOOK_H

#include "broker/core/server.h"

// Numbers of soft-state places that are free again.
struct slots {
    uint32_t *free;
    uint32_t free_count;
    uint32_t capacity; // of [free]: at least count
    uint32_t count;    // handed out so far, free ones included
};

struct book {
    const struct memory *memory;
    uint64_t hash_seed;

    struct epoch epoch;
    struct log_index last_index;
    uint64_t chain;     // hash of the newest record
    uint64_t log_bytes; // of all records applied

    struct queue sessions;       // oldest first
    struct queue client_actors;  // oldest first
    struct queue servers;        // by [offered]; those without an offer in [unoffered]
    struct queue unoffered;
    struct table sessions_by_id;
    struct table sessions_by_name;
    struct table actors_by_id;
    struct table actors_by_name;
    struct table servers_by_name;
    struct slots session_slots;
    struct slots server_slots;

    uint32_t sessions_count;
    uint32_t servers_count;
    uint64_t requests_count;
    uint64_t responses_count;
    uint64_t requests_bytes;
    uint64_t responses_bytes;
};

void
book_init (struct book *book, const struct memory *memory, uint64_t hash_seed);

void
book_fini (struct book *book);

struct session *
book_session (const struct book *book, struct id id);

struct session *
book_session_by_name (const struct book *book, struct baton_bytes principal,
                      struct baton_bytes name);

struct actor *
book_actor (const struct book *book, struct id id);

// book_client_actor finds a client's actor by its name.
struct actor *
book_client_actor (const struct book *book, struct baton_bytes principal,
                   struct baton_bytes name);

struct server *
book_server (const struct book *book, struct baton_bytes name);

// book_reserve makes room in the tables and slots for one more of each kind: BATON_NO_MEMORY
// changes nothing that can be seen.
enum baton_err
book_reserve (struct book *book);

// slots_take hands out the lowest free number. The room must have been reserved.
uint32_t
slots_take (struct slots *slots);

void
slots_give (struct slots *slots, uint32_t slot);

// slots_gave_last tells whether [slot] is free, and was the last one given back.
bool
slots_gave_last (const struct slots *slots, uint32_t slot);

// book_actor_free takes [actor] out of the book and frees it.
void
book_actor_free (struct book *book, struct actor **actor);

// book_session_free takes [session] out of the book with both queues and its server's actor.
// The client's actor stays.
void
book_session_free (struct book *book, struct session **session);

// book_server_free takes [server], which must have no sessions, out of the book.
void
book_server_free (struct book *book, struct server **server);

// book_request_free ends an open request of [session].
void
book_request_free (struct book *book, struct session *session, struct request *request);

// book_response_free lets go of a consumed response of [session].
void
book_response_free (struct book *book, struct session *session, struct response *response);

// book_pinned returns the oldest record that something in the book still needs; one above the
// newest record if nothing does.
struct log_index
book_pinned (const struct book *book);

// book_digest returns a hash of all that records made: equal books, equal digests.
uint64_t
book_digest (const struct book *book);

#endif
