// SPDX-License-Identifier: MPL-2.0
// walk_end.h has small models of the two libraries: what a lawful client and a lawful server say,
// with the windows, resends and reloads that the protocol asks of them. They fail the test when
// the core tells them what cannot be.
#ifndef BATON_TESTS_WALK_END_H
#define BATON_TESTS_WALK_END_H

#include "tests/story/walk_world.h"

enum {
    WINDOW_MAX = 4,
    HELD_MAX = 16,
    REQUESTS_MAX = 120, // of one session: keeps truth's arrays
};

enum end_phase { END_DOWN = 1, END_GREETING = 2, END_WELCOME = 3 };

// What clients and servers have in common: a process and its path.
struct walk_end {
    enum { PROCESS_GONE = 0, PROCESS_RUNS = 1 } process;
    uint32_t who;
    enum end_role role;
    struct id instance;
    struct path *path;
    enum end_phase phase;
    struct epoch epoch;
    uint64_t retry_ns;
    uint64_t asked_ns; // by the last heartbeat
    uint64_t heard_ns;
    uint64_t refs;
};

// An actor with its commits that are not acknowledged yet.
struct walk_actor {
    struct id id;
    struct incarnation incarnation; // none: not known
    uint64_t stored;
    uint64_t next;
    struct letter window[WINDOW_MAX];
    uint32_t window_count;
    uint64_t resend_ns; // 0: nothing to resend
};

struct walk_session {
    enum { WALK_UNOPENED = 0, WALK_OPENING, WALK_RESUMING, WALK_LIVE, WALK_CLOSING } phase;
    struct id id; // none: never opened by this process
    uint64_t ref;
    uint64_t received;
    uint64_t answers[TRUTH_ITEMS_MAX];
    uint64_t granted_count;
    uint64_t granted_bytes;
    uint64_t retry_ns;
};

struct walk_client {
    struct walk_end end;
    struct walk_actor actor;
    struct truth_client_state state;
    struct walk_session sessions[TRUTH_SLOTS];
};

struct walk_item { uint64_t seq; uint64_t nonce; uint64_t kind; uint32_t attempt; };

// One session at a server: its live state.
struct walk_held {
    enum { HELD_FREE = 0, HELD_ASKED, HELD_LOADING, HELD_LIVE } phase;
    struct id session;
    struct walk_actor actor;
    struct truth_server_state state;
    struct walk_item pending[TRUTH_ITEMS_MAX];
    uint32_t pending_count;
    struct walk_item unanswered[TRUTH_ITEMS_MAX];
    uint32_t unanswered_count;
    uint64_t received;
    struct walk_item rejected; // the newest one given back
    enum { ORDER_STRICT = 0, ORDER_REJECTED } order; // after a reject later ones arrive in vain
};

struct walk_server {
    struct walk_end end;
    enum { OFFER_UNSENT = 0, OFFER_SENT, OFFER_TAKEN } offer;
    struct walk_held held[HELD_MAX];
};

// walk_end_start begins a new process.
void
walk_end_start (struct world *world, struct walk_end *end, enum end_role role, uint32_t who);

// walk_end_stop ends it without a word.
void
walk_end_stop (struct world *world, struct walk_end *end);

// walk_end_live keeps path, greeting and heartbeat up.
void
walk_end_live (struct world *world, struct walk_end *end, const char *name);

// walk_end_greet says HELLO on the path there is.
void
walk_end_greet (struct world *world, struct walk_end *end, const char *name);

// walk_end_say posts one message that needs no more than its struct.
void
walk_end_say (struct world *world, struct walk_end *end, const struct letter *letter);

// walk_end_leave gives the path up and dials again later.
void
walk_end_leave (struct world *world, struct walk_end *end);

// walk_seal puts a commit into the window and says it.
void
walk_seal (struct world *world, struct walk_end *end, struct walk_actor *actor,
           struct letter *letter);

// walk_acked takes everything that led to [version] out of the window.
void
walk_acked (struct walk_actor *actor, uint64_t version);

void
walk_resend (struct world *world, struct walk_end *end, struct walk_actor *actor);

// walk_commit_refused deals with the refusals of COMMIT that are about windows. Returns false
// for others.
bool
walk_commit_refused (struct world *world, struct walk_actor *actor,
                     const struct msg_refused *refused);

void
walk_client_start (struct world *world, struct walk_client *client, uint32_t who);

void
walk_client_act (struct world *world, struct walk_client *client);

// walk_client_take takes one effect that arrived. Returns false if there is none.
bool
walk_client_take (struct world *world, struct walk_client *client);

void
walk_server_start (struct world *world, struct walk_server *server, uint32_t who);

void
walk_server_act (struct world *world, struct walk_server *server);

bool
walk_server_take (struct world *world, struct walk_server *server);

// walk_server_goodbye takes its leave.
void
walk_server_goodbye (struct world *world, struct walk_server *server);

#endif
