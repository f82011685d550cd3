// SPDX-License-Identifier: MPL-2.0
// truth.h has what the safe records add up to, read by a naive second eye that shares no rule with
// the core: which requests were accepted, consumed, answered and given up, by whom, in which order.
// Restart data of both ends are chains over what they did, so a lost, doubled or reordered effect
// shows in the very record that makes it.
#ifndef BATON_TESTS_TRUTH_H
#define BATON_TESTS_TRUTH_H

#include "broker/core/record.h"
#include "tests/sim/truth_server.h"

struct world;

#define PRINCIPAL_HONEST "local"
#define PRINCIPAL_ATTACKER "mallory"

// Restart data of a client's session, and of a server's end of it.
struct client_share {
    uint64_t sent_count;
    uint64_t sent_chain;
    uint64_t consumed_count;
    uint64_t consumed_chain;
};
struct server_share {
    uint64_t consumed_count; // without those that the manager ended itself
    uint64_t consumed_chain;
    uint64_t answered_count;
};

struct truth_request {
    uint64_t hash;
    uint64_t size;
    enum { REQUEST_STANDS = 1, REQUEST_ANSWERED = 2, REQUEST_GIVEN_UP = 3 } state;
    uint32_t attempts;
};
struct truth_response {
    uint64_t request;
    enum response_status status;
    uint64_t hash;
};

struct truth_session {
    struct id id;
    enum { SESSION_OPEN = 1, SESSION_CLOSED = 2 } state;
    bool honest;       // its client is
    bool requires;     // it has a requirement
    char name[24];
    struct id client_actor;
    struct id client_instance;
    struct truth_former client_former;
    unsigned char requirement[TRUTH_OFFER_BYTES];
    size_t requirement_bytes;
    uint64_t client_incarnation;
    uint64_t client_version;
    bool by_hand;      // its client has committed restart data
    struct id server_actor;
    uint64_t server_incarnation; // 0: never bound
    uint64_t server_version;
    char server[24];
    struct id server_instance;
    enum { BINDING_NONE = 1, BINDING_STANDS = 2, BINDING_ENDED = 3 } binding;
    bool server_by_hand;
    struct truth_request *requests; // number n at n - 1
    uint64_t requests_count;
    uint64_t requests_room;
    uint64_t open_count;
    uint64_t open_bytes;
    uint64_t requests_consumed;
    uint64_t suspect_through;
    struct truth_response *responses;
    uint64_t responses_count;
    uint64_t responses_room;
    uint64_t responses_consumed;
    struct client_share client;
    struct server_share server_share;
    // Soft: what has left for the present server in this reign.
    uint64_t sent_through;
    // Likewise, but a start of the broker does not change it: what may be in the server's hands.
    uint64_t left_through;
    uint64_t blamed_through; // was in its hands when it was lost
    uint64_t sent_link;
};

struct truth {
    struct world *world;
    struct truth_session **sessions; // closed ones too, oldest first
    uint32_t sessions_count;
    uint32_t sessions_room;
    uint64_t epoch;
    uint64_t last_index;
    uint64_t newest_incarnation;
    struct truth_servers servers;
    uint64_t closed_count;
    bool recovers;     // records come from the store: what left beside them was never seen
    struct record_room room;
};

void
truth_init (struct truth *truth, struct world *world);

void
truth_fini (struct truth *truth);

// truth_apply reads the next safe record; a violation if it breaks the order of things.
void
truth_apply (struct truth *truth, struct baton_bytes record);

// truth_session finds a session by its id; closed ones too; NULL if there was none.
struct truth_session *
truth_session (const struct truth *truth, struct id id);

struct truth_session *
truth_session_of_actor (const struct truth *truth, struct id actor);

// truth_hash is what a body counts as in all chains.
uint64_t
truth_hash (struct baton_bytes body);

// truth_chain puts [value] behind a chain.
uint64_t
truth_chain (uint64_t chain, uint64_t value);

// truth_chain_response puts a consumed response behind a client's chain.
uint64_t
truth_chain_response (uint64_t chain, uint64_t request, enum response_status status,
                      uint64_t body_hash);

#endif
