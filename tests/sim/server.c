// SPDX-License-Identifier: MPL-2.0
// server.c is a server program: it takes tasks, answers them, and keeps for each session what it
// has done as restart data. By hand it commits some answers at a time, makes checkpoints, answers
// later, gives requests back; by reply it leaves all that to the engine.
#include "tests/sim/application.h"

#include "proto/attribute.h"

#include <stdlib.h>
#include <string.h>

enum { HELD_MAX = 600, STATES_MAX = 120 };

// A task in the application's hands.
struct held {
    struct link_task *task;
    struct id session;
    uint64_t seq;
    uint64_t hash;
    uint32_t errand;
    bool consumed; // by a checkpoint of ours or of a former server
    bool replied;  // waits for the commit
};

// What is known of one session, as it was saved last.
struct state {
    struct id session;
    uint64_t incarnation;
    struct server_share share;
};

struct server {
    struct process *process;
    struct held held[HELD_MAX]; // in the order in which they were shown
    uint32_t held_count;
    struct state states[STATES_MAX];
    uint32_t states_count;
    bool by_hand;
};

static struct state *
state_of (struct server *server, struct id session)
{
    for (uint32_t i = 0; i < server->states_count; i++) {
        if (id_equal (server->states[i].session, session)) return &server->states[i];
    }
    if (server->states_count == STATES_MAX) {
        // The oldest has ended long ago.
        memmove (server->states, server->states + 1, (STATES_MAX - 1) * sizeof *server->states);
        server->states_count--;
    }
    struct state *state = &server->states[server->states_count++];
    *state = (struct state) { .session = session };
    return state;
}

static void
offer (struct server *server)
{
    struct process *process = server->process;
    const struct plan *plan = &process->world->plan;
    struct attribute items[2] = { { .key = { "kind", 4 } }, { .key = { "n", 1 } } };
    const bool rough = process->world->phase == WORLD_ROUGH;
    const uint32_t kind = rough ? process_draw (process, "offered kind", 3) : 0;
    unsigned char stored[256];
    size_t size = 0;

    items[0].value = value_text ((struct baton_bytes) { kind == 1 ? "b" : "a", 1 });
    items[1].value
        = value_integer (rough ? 3 - (int64_t) process_draw (process, "offered n", 4) : 3);
    const struct attributes attributes = { items, kind == 2 ? 0 : 2 };
    if (attributes_encode (&attributes, stored, sizeof stored, &size)) abort ();
    const struct link_offer made = {
        .set = { "special", rough && process_draw (process, "offered set", 6) == 5 ? 7 : 0 },
        .attributes = { stored, size },
        .capacity = 1 + process_draw (process, "capacity", 3),
        .credit_count = rough ? plan->credit_count : 8,
        .credit_bytes = 100000,
    };
    (void) link_server_offer (process->link, &made);
}

void
server_start (struct process *process)
{
    struct server *server = calloc (1, sizeof *server);

    if (!server) abort ();
    process->application = server;
    server->process = process;
    server->by_hand = process->world->plan.servers == SERVERS_BY_HAND;
    link_server_set_mode (process->link,
                          server->by_hand ? LINK_TASK_BY_HAND : LINK_TASK_BY_REPLY);
    offer (server);
    if (process->seat->started_count > 1) {
        world_sometimes (process->world, SOMETIMES_SERVER_INSTANCE_REPLACED);
    }
}

void
server_stop (struct process *process)
{
    free (process->application);
    process->application = NULL;
}

static void
forget (struct server *server, uint32_t which)
{
    server->held_count--;
    memmove (&server->held[which], &server->held[which + 1],
             (server->held_count - which) * sizeof *server->held);
}

// Tasks of [session] above [seq] that the engine took back: each call on them says so, and ends
// them.
static void
drop_lost (struct server *server, struct id session, uint64_t seq)
{
    for (uint32_t i = server->held_count; i > 0; i--) {
        struct held *held = &server->held[i - 1];
        if (!id_equal (held->session, session) || held->seq <= seq || held->consumed) continue;
        const struct baton_bytes nothing = { NULL, 0 };
        if (!held->replied && link_task_reply (held->task, nothing) == BATON_OK) {
            sim_violated (INVARIANT_ASSIGNMENT, "%s could answer request %llu, which it had given"
                          " back", server->process->name, (unsigned long long) held->seq);
        }
        forget (server, i - 1);
    }
}

// The session's state as it came: all that was held of it before is void.
static void
load (struct server *server, const struct link_task_view *view)
{
    struct state *state = state_of (server, view->session);

    for (uint32_t i = 0; i < server->held_count; i++) {
        if (id_equal (server->held[i].session, view->session)) {
            server->held[i].consumed = false;
        }
    }
    drop_lost (server, view->session, 0);
    state->incarnation = view->incarnation.n;
    state->share = (struct server_share) { 0 };
    if (view->restart_data.size == sizeof state->share) {
        memcpy (&state->share, view->restart_data.data, view->restart_data.size);
    } else if (view->restart_data.size != 0) {
        sim_violated (INVARIANT_SERVER_COUPLING, "%s got %zu bytes of restart data",
                      server->process->name, view->restart_data.size);
    }
}

static void
check_task (const struct server *server, const struct link_task_view *view)
{
    const struct process *process = server->process;
    const struct truth_session *session
        = truth_session (&process->world->checker.truth, view->session);

    if (!session || view->seq.n > session->requests_count) {
        sim_violated (INVARIANT_OUTPUT_COMMIT, "%s got request %llu, which is not safe",
                      process->name, (unsigned long long) view->seq.n);
    }
    if (session->requests[view->seq.n - 1].hash != truth_hash (view->body)) {
        sim_violated (INVARIANT_REQUEST_UNIQUENESS, "%s got another request %llu of %s than the log"
                      " has", process->name, (unsigned long long) view->seq.n, session->name);
    }
}

static bool
take_one (struct server *server)
{
    struct process *process = server->process;
    struct link_task *task;
    struct link_task_view view;
    struct errand_body body = { .errand = ERRAND_PLAIN };

    if (server->held_count == HELD_MAX || link_server_next (process->link, &task)) return false;
    link_task_read (task, &view);
    check_task (server, &view);
    if (view.restarted) {
        load (server, &view);
    }
    if (view.body.size >= sizeof body) {
        memcpy (&body, view.body.data, sizeof body);
    }
    server->held[server->held_count++] = (struct held) {
        .task = task,
        .session = view.session,
        .seq = view.seq.n,
        .hash = truth_hash (view.body),
        .errand = body.errand,
        .consumed = view.consumed,
    };
    if (body.errand == ERRAND_POISON && process->world->phase == WORLD_ROUGH) {
        world_tell (process->world, process->name, "meets poison");
        process_die (process);
        return false;
    }
    return true;
}

// Why a call did not work: the task is lost, or it is not the time.
static bool
is_lost (enum baton_err err)
{
    return err != BATON_BUSY && err != BATON_NO_MEMORY && err != BATON_TOO_LARGE
        && err != BATON_BAD_ARGUMENT;
}

// The session of a task was lost: it goes, and with it what was answered and not committed, for the
// engine ends those with the first one that hears so.
static void
lose (struct server *server, uint32_t which)
{
    const struct id session = server->held[which].session;

    forget (server, which);
    for (uint32_t i = server->held_count; i > 0; i--) {
        const struct held *held = &server->held[i - 1];
        if (held->replied && id_equal (held->session, session)) {
            forget (server, i - 1);
        }
    }
}

static void
reply (struct server *server, uint32_t which)
{
    struct held *held = &server->held[which];
    struct process *process = server->process;
    const uint64_t answer[2] = { held->hash, ++process->world->uniques };
    const enum baton_err err
        = link_task_reply (held->task, (struct baton_bytes) { answer, sizeof answer });

    if (err == BATON_OK && server->by_hand) {
        held->replied = true;
    } else if (err == BATON_OK) {
        forget (server, which);
    } else if (is_lost (err)) {
        lose (server, which);
    }
}

// What the state will be when everything of the session through [seq] is consumed.
static struct server_share
share_through (struct server *server, struct id session, uint64_t seq)
{
    struct server_share share = state_of (server, session)->share;

    for (uint32_t i = 0; i < server->held_count; i++) {
        const struct held *held = &server->held[i];
        if (!id_equal (held->session, session)) continue;
        if (!held->consumed && held->seq <= seq) {
            share.consumed_count++;
            share.consumed_chain = truth_chain (share.consumed_chain, held->hash);
        }
        share.answered_count += held->replied;
    }
    return share;
}

static void
settle_commit (struct server *server, struct id session, uint64_t seq)
{
    for (uint32_t i = server->held_count; i > 0; i--) {
        struct held *held = &server->held[i - 1];
        if (!id_equal (held->session, session)) continue;
        if (held->replied && held->seq <= seq) {
            forget (server, i - 1);
        } else if (held->seq <= seq) {
            held->consumed = true;
        }
    }
}

// Replied tasks beyond [seq] would make the commit a wrong one; the engine says so.
static void
commit (struct server *server, uint32_t which)
{
    const struct held held = server->held[which];
    const struct server_share share = share_through (server, held.session, held.seq);
    const enum baton_err err
        = link_task_commit (held.task, (struct baton_bytes) { &share, sizeof share });
    uint64_t through = held.seq;

    if (err != BATON_OK && is_lost (err)) {
        lose (server, which);
    }
    if (err != BATON_OK) return;
    for (uint32_t i = 0; i < server->held_count; i++) {
        const struct held *other = &server->held[i];
        if (id_equal (other->session, held.session) && other->consumed && other->seq > through) {
            through = other->seq;
        }
    }
    state_of (server, held.session)->share = share;
    settle_commit (server, held.session, through);
}

static void
give_back (struct server *server, uint32_t which)
{
    const struct held held = server->held[which];
    const enum baton_err err
        = link_task_reject (held.task, (struct baton_bytes) { "not now", 7 });

    if (err == BATON_OK) {
        forget (server, which);
    } else if (is_lost (err)) {
        lose (server, which);
    }
    if (err != BATON_OK) return;
    world_sometimes (server->process->world, SOMETIMES_REJECT);
    drop_lost (server, held.session, held.seq);
}

// Tells of sessions that are gone; tasks of them say so themselves when they are touched.
static void
take_aborts (struct server *server)
{
    struct link_abort lost;

    while (link_server_next_abort (server->process->link, &lost) == BATON_OK) {
        state_of (server, lost.session)->share = (struct server_share) { 0 };
    }
}

static uint32_t
any_held (struct server *server)
{
    // Mostly the oldest: a server that works in order is the rule.
    if (process_draw (server->process, "out of order", 3) < 2) {
        for (uint32_t i = 0; i < server->held_count; i++) {
            if (!server->held[i].replied) return i;
        }
        return 0;
    }
    return process_draw (server->process, "which task", server->held_count);
}

static void
work (struct server *server)
{
    struct process *process = server->process;
    const uint32_t which = any_held (server);
    struct held *held = &server->held[which];

    if (held->errand == ERRAND_REJECT && !held->consumed && !held->replied
        && process_draw (process, "rejects", 3) < 2) {
        give_back (server, which);
    } else if (held->errand == ERRAND_OWED && server->by_hand && !held->consumed) {
        commit (server, which);
    } else if (!held->replied) {
        reply (server, which);
    } else {
        commit (server, which);
    }
}

// Commits through the newest task that was answered or consumed in the session of the oldest.
static void
commit_some (struct server *server)
{
    uint32_t last = 0;

    for (uint32_t i = 1; i < server->held_count; i++) {
        const struct held *held = &server->held[i];
        if (held->replied && id_equal (held->session, server->held[0].session)
            && held->seq > server->held[last].seq) {
            last = i;
        }
    }
    commit (server, last);
}

// Whether the engine has ended for good: another process took the name.
static bool
is_fenced (struct process *process)
{
    const enum baton_err error = link_error (process->link);

    if (!error && !link_server_offer_error (process->link)) return false;
    if (error != BATON_FENCED) {
        sim_violated (INVARIANT_BOUNDS, "server %s cannot go on: %s (%s)", process->name,
                      baton_strerror (error ? error : link_server_offer_error (process->link)),
                      link_error_text (process->link));
    }
    world_sometimes (process->world, process_has_seat (process) ? SOMETIMES_FENCED
                                                                : SOMETIMES_ZOMBIE_SERVER);
    process_die (process);
    return true;
}

static void
maybe_slow (struct process *process)
{
    struct world *world = process->world;

    if (world->phase != WORLD_ROUGH || !process_chance (process, "slow handler", 5)) return;
    const uint64_t slow_ms =
        process_draw (process, "handler", 3 * world->plan.options.end_silent_ms);
    process->busy_until_ns = world->now_ns + slow_ms * MS_NS;
    if (slow_ms > world->plan.options.end_silent_ms) {
        world_sometimes (world, SOMETIMES_SERVER_STALLED);
    }
}

void
server_act (struct process *process)
{
    struct server *server = process->application;

    if (is_fenced (process)) return;
    take_aborts (server);
    if (process->world->phase == WORLD_ROUGH
        && process_chance (process, "new offer", process->world->plan.offers_per_mille)) {
        offer (server);
    }
    maybe_slow (process);
    const uint32_t call = process_draw (process, "call", 6);
    if (server->held_count == 0 || call < 2) {
        const bool took = take_one (server);
        if (took || process->state != PROCESS_RUNS) return;
    }
    if (server->held_count > 0 && call == 5 && server->by_hand) {
        commit_some (server);
    } else if (server->held_count > 0) {
        work (server);
    }
    (void) link_server_flush (process->link);
}
