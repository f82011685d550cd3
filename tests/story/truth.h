// SPDX-License-Identifier: MPL-2.0
// truth.h has what the records of a random walk add up to, read by a naive second eye: which
// requests were accepted, answered, given up and consumed, in which order. Restart data of both
// ends are chains over what they did, so a lost, doubled or reordered effect shows in the very
// record that makes it.
#ifndef BATON_TESTS_TRUTH_H
#define BATON_TESTS_TRUTH_H

#include "broker/core/record.h"

enum {
    TRUTH_SESSIONS_MAX = 256,
    TRUTH_ITEMS_MAX = 160,
    TRUTH_CLIENTS_MAX = 4,
    TRUTH_SLOTS = 2, // sessions of one client
    TRUTH_BODY_BYTES = 16,
};
#define TRUTH_PRINCIPAL "alice"

// What bodies begin with. An answer has the request's nonce and its complement.
struct truth_body { uint64_t nonce; uint64_t kind; };
enum truth_kind { TRUTH_PLAIN = 1, TRUTH_REJECTED = 2, TRUTH_KILLER = 3 };

// Restart data: of a client's actor, and of a server's.
struct truth_client_share {
    struct id session;
    uint64_t sent;
    uint64_t sent_chain;
    uint64_t consumed;
    uint64_t consumed_chain;
};
struct truth_client_state { struct truth_client_share shares[TRUTH_SLOTS]; };
struct truth_server_state { uint64_t consumed; uint64_t chain; uint64_t answered; };

struct truth_request {
    uint64_t nonce;
    enum { TRUTH_OPEN = 1, TRUTH_ANSWERED = 2, TRUTH_GIVEN_UP = 3 } state;
};
struct truth_response { uint64_t request; enum response_status status; uint64_t nonce; };

struct truth_session {
    struct id id; // none: closed
    uint32_t client;
    uint32_t slot;
    struct id client_actor;
    struct id server_actor;
    char server[16];
    uint64_t server_incarnation;
    enum { TRUTH_UNBOUND = 1, TRUTH_BOUND = 2, TRUTH_ENDED = 3 } binding;
    struct truth_request requests[TRUTH_ITEMS_MAX]; // number n at n - 1
    uint64_t requests_count;
    struct truth_response responses[TRUTH_ITEMS_MAX];
    uint64_t responses_count;
    struct truth_client_share client_share; // as the records say, not as the client says
    struct truth_server_state server_state;
};

struct truth {
    struct truth_session sessions[TRUTH_SESSIONS_MAX];
    uint32_t sessions_count;
    struct id client_instances[TRUTH_CLIENTS_MAX]; // the current ones
    uint64_t accepted, answered, given_up, rebound, ended, closed;
    struct record_room room;
};

void
truth_init (struct truth *truth);

// truth_apply reads one record and fails the test if it breaks the order of things.
void
truth_apply (struct truth *truth, struct baton_bytes record);

// truth_session finds an open session, NULL if there is none.
struct truth_session *
truth_session (struct truth *truth, struct id id);

// truth_chain adds [value] to a chain.
uint64_t
truth_chain (uint64_t chain, uint64_t value);

// truth_answer returns what a chain of consumed responses gets for one.
uint64_t
truth_answer (uint64_t request, enum response_status status, uint64_t nonce);

struct truth_body
truth_body_of (struct baton_bytes body);

#endif
