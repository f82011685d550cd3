// SPDX-License-Identifier: MPL-2.0
// client.c is a client program: some sessions, in each a row of requests, and its progress as
// restart data. What it saved must be what the broker has; what it gets must be what was answered.
#include "tests/sim/application.h"

#include "proto/requirement_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A commit has so many requests at most: as many as the narrowest queue takes at once.
enum { SESSIONS_MAX = 3, DRAFT_MAX = 4 };

enum conduct { CONDUCT_BY_HAND = 1, CONDUCT_BY_SEND = 2 };

struct conversation {
    struct link_session *session; // NULL: finished, or to be opened later
    uint32_t number;
    char name[24];
    enum conduct conduct;
    bool loaded;
    bool finished;
    struct client_share share;     // by hand: sent and consumed, as it will be saved
    struct client_share committed; // as it was sealed last
    uint32_t drafted_count;        // sent and not sealed
    uint64_t shown_seq;            // newest response that was shown
    uint64_t reopen_ns;
};

struct client {
    struct process *process;
    struct conversation conversations[SESSIONS_MAX];
    uint32_t count;
};

static const char *const requirements[] = {
    "", "kind = \"a\"", "n >= 2", "kind = \"b\" or n > 0", "kind = \"z\"",
};
enum { REQUIREMENTS_COUNT = 5, REQUIREMENT_HOPELESS = 4 };

static struct world *
world_of (const struct client *client)
{
    return client->process->world;
}

// What a session requires is a function of its name, as with a program that is started again.
static uint32_t
requirement_of (const struct client *client, const struct conversation *conversation)
{
    return (client->process->seat->number * 3 + conversation->number) % REQUIREMENTS_COUNT;
}

static void
open_session (struct client *client, struct conversation *conversation)
{
    struct requirement_room room;
    struct requirement requirement;
    struct text_fault fault;
    unsigned char stored[256];
    size_t size = 0;
    uint32_t which = requirement_of (client, conversation);

    if (which == REQUIREMENT_HOPELESS && world_of (client)->phase != WORLD_ROUGH) {
        which = 0;
    }
    const struct baton_bytes text = { requirements[which], strlen (requirements[which]) };
    if (requirement_parse (text, &room, &requirement, &fault)
        || requirement_encode (&requirement, stored, sizeof stored, &size)) {
        abort ();
    }
    conversation->loaded = false;
    conversation->shown_seq = 0;
    if (link_session_open (client->process->link,
                           (struct baton_bytes) { conversation->name, strlen (conversation->name) },
                           (struct baton_bytes) { stored, size }, &conversation->session)) {
        conversation->session = NULL;
        conversation->reopen_ns = world_of (client)->now_ns + 10 * MS_NS;
    }
}

static enum conduct
conduct_of (const struct client *client, uint32_t number)
{
    switch (world_of (client)->plan.clients) {
    case CLIENTS_BY_HAND: return CONDUCT_BY_HAND;
    case CLIENTS_BY_SEND: return CONDUCT_BY_SEND;
    case CLIENTS_MIXED: break;
    }
    return (client->process->seat->number + number) % 2 ? CONDUCT_BY_HAND : CONDUCT_BY_SEND;
}

void
client_start (struct process *process)
{
    struct client *client = calloc (1, sizeof *client);
    const struct seat *seat = process->seat;

    if (!client) abort ();
    process->application = client;
    client->process = process;
    client->count = process->world->plan.sessions_count;
    for (uint32_t i = 0; i < client->count; i++) {
        struct conversation *conversation = &client->conversations[i];
        conversation->number = i;
        conversation->conduct = conduct_of (client, i);
        conversation->finished = seat->done_mask >> i & 1;
        snprintf (conversation->name, sizeof conversation->name, "%s-%u", process->name, i);
        if (!conversation->finished) {
            open_session (client, conversation);
        }
    }
    if (seat->started_count > 1) {
        process->world->counts.reopenings += client->count;
        world_sometimes (process->world, SOMETIMES_SESSION_REOPENED);
    }
}

void
client_stop (struct process *process)
{
    // The engine frees what is open.
    free (process->application);
    process->application = NULL;
}

// Starts where the saved state says; it must be what the broker has of this session.
static void
load (struct client *client, struct conversation *conversation)
{
    const struct baton_bytes saved = link_session_restart_data (conversation->session);
    const struct truth_session *session = truth_session (
        &world_of (client)->checker.truth, link_session_id (conversation->session));

    conversation->loaded = true;
    conversation->share = (struct client_share) { 0 };
    if (!session) {
        sim_violated (INVARIANT_OUTPUT_COMMIT, "%s was opened %s, which is in no safe record",
                      client->process->name, conversation->name);
    }
    if (saved.size == sizeof conversation->share) {
        memcpy (&conversation->share, saved.data, saved.size);
    } else if (saved.size != 0) {
        sim_violated (INVARIANT_CLIENT_COUPLING, "%s got %zu bytes of restart data for %s",
                      client->process->name, saved.size, conversation->name);
    }
    conversation->drafted_count = 0;
    conversation->committed = conversation->share;
    const bool current
        = session->client_incarnation == link_session_incarnation (conversation->session).n;
    if (current && session->state == SESSION_OPEN && session->by_hand
        && memcmp (&conversation->share, &session->client, sizeof session->client) != 0) {
        sim_violated (INVARIANT_CLIENT_COUPLING, "%s was given sent %llu consumed %llu for %s; the"
                      " log has %llu and %llu", client->process->name,
                      (unsigned long long) conversation->share.sent_count,
                      (unsigned long long) conversation->share.consumed_count, conversation->name,
                      (unsigned long long) session->client.sent_count,
                      (unsigned long long) session->client.consumed_count);
    }
    if (conversation->conduct == CONDUCT_BY_HAND) {
        (void) link_session_set_mode (conversation->session, LINK_COMMIT_BY_HAND);
    }
}

static enum errand
draw_errand (struct process *process)
{
    const struct plan *plan = &process->world->plan;

    if (process_chance (process, "poison", plan->poison_per_mille)) return ERRAND_POISON;
    if (process_chance (process, "reject", plan->reject_per_mille)) return ERRAND_REJECT;
    if (process_chance (process, "owed", plan->owed_per_mille)) return ERRAND_OWED;
    return ERRAND_PLAIN;
}

static enum baton_err
send_one (struct client *client, struct conversation *conversation)
{
    struct process *process = client->process;
    struct world *world = process->world;
    unsigned char bytes[1024] = { 0 };
    struct request_seq seq;
    const struct errand_body body = {
        .unique = ++world->uniques, .errand = draw_errand (process)
    };
    const size_t size
        = sizeof body + process_draw (process, "body bytes", world->plan.body_max_bytes);

    memcpy (bytes, &body, sizeof body);
    const struct baton_bytes view = { bytes, size };
    const enum baton_err err = link_session_send (conversation->session, view, &seq);
    if (err) return err;
    conversation->drafted_count++;
    conversation->share.sent_count++;
    conversation->share.sent_chain = truth_chain (conversation->share.sent_chain,
                                                  truth_hash (view));
    if (conversation->conduct == CONDUCT_BY_HAND
        && seq.n != conversation->share.sent_count) {
        sim_violated (INVARIANT_SESSION_ORDER, "%s sent request %llu of %s and the engine gave it"
                      " number %llu", process->name,
                      (unsigned long long) conversation->share.sent_count, conversation->name,
                      (unsigned long long) seq.n);
    }
    return BATON_OK;
}

static uint64_t
unanswered (const struct client *client, const struct conversation *conversation)
{
    const uint64_t last = link_session_last_seq (conversation->session).n;
    const struct truth_session *session = truth_session (
        &world_of (client)->checker.truth, link_session_id (conversation->session));
    const uint64_t shown = conversation->shown_seq > session->responses_consumed
        ? conversation->shown_seq : session->responses_consumed;

    return last > shown ? last - shown : 0;
}

static void
send_some (struct client *client, struct conversation *conversation)
{
    const struct plan *plan = &world_of (client)->plan;
    const uint32_t count = 1 + process_draw (client->process, "requests at once", DRAFT_MAX);

    for (uint32_t i = 0; i < count; i++) {
        if (link_session_last_seq (conversation->session).n >= plan->requests_count
            || unanswered (client, conversation) >= plan->window_count
            || conversation->drafted_count >= DRAFT_MAX
            || send_one (client, conversation)) {
            return;
        }
    }
}

// What was answered is what was asked: the body begins with the request's hash.
static void
check_response (struct client *client, const struct conversation *conversation,
                const struct msg_response *response)
{
    const struct truth_session *session = truth_session (
        &world_of (client)->checker.truth, link_session_id (conversation->session));
    uint64_t asked = 0;

    if (!session || response->seq.n > session->responses_count) {
        sim_violated (INVARIANT_OUTPUT_COMMIT, "%s got response %llu of %s before it was safe",
                      client->process->name, (unsigned long long) response->seq.n,
                      conversation->name);
    }
    const struct truth_response *stored = &session->responses[response->seq.n - 1];
    if (stored->request != response->request.n || stored->status != response->status
        || stored->hash != truth_hash (response->body)) {
        sim_violated (INVARIANT_SINGLE_ANSWER,
                      "%s got another response %llu of %s than the log has",
                      client->process->name, (unsigned long long) response->seq.n,
                      conversation->name);
    }
    if (response->status != RESPONSE_REPLY || response->body.size < sizeof asked) return;
    memcpy (&asked, response->body.data, sizeof asked);
    if (asked != session->requests[response->request.n - 1].hash) {
        sim_violated (INVARIANT_SINGLE_ANSWER, "response %llu of %s answers another request than"
                      " %llu", (unsigned long long) response->seq.n, conversation->name,
                      (unsigned long long) response->request.n);
    }
}

static bool
recv_one (struct client *client, struct conversation *conversation)
{
    struct msg_response response;

    if (link_session_recv (conversation->session, &response)) return false;
    check_response (client, conversation, &response);
    const bool by_hand = conversation->conduct == CONDUCT_BY_HAND;
    const uint64_t before
        = by_hand ? conversation->share.consumed_count : conversation->shown_seq;
    if ((by_hand || before != 0) && response.seq.n != before + 1) {
        sim_violated (INVARIANT_CLIENT_COUPLING, "%s was shown response %llu of %s after %llu",
                      client->process->name, (unsigned long long) response.seq.n,
                      conversation->name, (unsigned long long) before);
    }
    conversation->shown_seq = response.seq.n;
    struct client_share *share = &conversation->share;
    share->consumed_count++;
    share->consumed_chain = truth_chain_response (share->consumed_chain, response.request.n,
                                                  response.status, truth_hash (response.body));
    return true;
}

static void
recv_some (struct client *client, struct conversation *conversation)
{
    const uint32_t count = 1 + process_draw (client->process, "responses at once", DRAFT_MAX);

    for (uint32_t i = 0; i < count && recv_one (client, conversation); i++) {
        continue;
    }
}

// Saves requests, consumption and progress in one step; now and then what is saved already.
static void
commit (struct client *client, struct conversation *conversation)
{
    const struct client_share share = conversation->share;

    if (memcmp (&share, &conversation->committed, sizeof share) == 0
        && (world_of (client)->phase != WORLD_ROUGH
            || process_draw (client->process, "no news", 4) != 3)) {
        return;
    }
    if (link_session_commit (conversation->session,
                             (struct baton_bytes) { &share, sizeof share }) == BATON_OK) {
        conversation->drafted_count = 0;
        conversation->committed = share;
    }
}

static void
push (struct conversation *conversation)
{
    if (conversation->conduct == CONDUCT_BY_SEND
        && link_session_flush (conversation->session) == BATON_OK) {
        conversation->drafted_count = 0;
    }
}

// The requests that former processes left open are the last ones that the log has of it.
static void
look_at_open_requests (struct client *client, struct conversation *conversation)
{
    struct msg_request request;

    while (link_session_open_request (conversation->session, &request) == BATON_OK) {
        const struct truth_session *session = truth_session (
            &world_of (client)->checker.truth, link_session_id (conversation->session));
        if (request.seq.n == 0 || request.seq.n > session->requests_count
            || session->requests[request.seq.n - 1].hash != truth_hash (request.body)) {
            sim_violated (INVARIANT_REQUEST_UNIQUENESS, "%s was shown another open request %llu of"
                          " %s than the log has", client->process->name,
                          (unsigned long long) request.seq.n, conversation->name);
        }
    }
}

static bool
all_done (const struct client *client, const struct conversation *conversation)
{
    const struct plan *plan = &world_of (client)->plan;
    const struct truth_session *session = truth_session (
        &world_of (client)->checker.truth, link_session_id (conversation->session));

    if (!session || link_session_last_seq (conversation->session).n < plan->requests_count) {
        return false;
    }
    return link_session_is_safe (conversation->session) && session->open_count == 0
        && session->requests_count >= plan->requests_count
        && session->responses_consumed == session->responses_count;
}

// What no server will ever fit is not waited for when the world heals.
static bool
is_hopeless (const struct client *client, const struct conversation *conversation)
{
    const struct truth_session *session = truth_session (
        &world_of (client)->checker.truth, link_session_id (conversation->session));

    return world_of (client)->phase != WORLD_ROUGH && session && session->requires
        && requirement_of (client, conversation) == REQUIREMENT_HOPELESS;
}

static void
finish (struct client *client, struct conversation *conversation)
{
    struct seat *seat = client->process->seat;

    if (world_of (client)->phase == WORLD_ROUGH
        && process_chance (client->process, "close", world_of (client)->plan.close_per_mille)) {
        link_session_close (conversation->session);
        return;
    }
    if (!process_has_seat (client->process)) return;
    conversation->finished = true;
    seat->done_count++;
    seat->done_mask |= UINT64_C (1) << conversation->number;
    world_tell (world_of (client), client->process->name, "has finished %s", conversation->name);
}

static bool
is_lazy (const struct client *client, const struct conversation *conversation)
{
    const struct world *world = world_of (client);

    return world->plan.pace == CLIENTS_LAZY && world->phase == WORLD_ROUGH
        && link_session_last_seq (conversation->session).n < world->plan.requests_count;
}

static void
act_in (struct client *client, struct conversation *conversation)
{
    struct process *process = client->process;
    const enum link_session_phase phase = link_session_phase (conversation->session);

    if (phase == LINK_SESSION_OPENING || phase == LINK_SESSION_CLOSING) return;
    if (!conversation->loaded) {
        load (client, conversation);
    }
    link_session_back (conversation->session);
    switch (process_draw (process, "call", 8)) {
    case 0: case 1: send_some (client, conversation); break;
    case 2: case 3:
        if (!is_lazy (client, conversation)) {
            recv_some (client, conversation);
        }
        break;
    case 4:
        look_at_open_requests (client, conversation);
        break;
    default:
        if (conversation->conduct == CONDUCT_BY_HAND) {
            commit (client, conversation);
        } else {
            push (conversation);
        }
    }
    if (is_hopeless (client, conversation)) {
        link_session_close (conversation->session);
    } else if (all_done (client, conversation)) {
        finish (client, conversation);
    }
}

static void
violate_end (const struct client *client, const struct conversation *conversation,
             enum invariant invariant, enum baton_err error)
{
    sim_violated (invariant, "session %s of %s ended: %s (%s)", conversation->name,
                  client->process->name, baton_strerror (error),
                  link_session_error_text (conversation->session));
}

// A session that ended by itself; an honest client may meet only some ends.
static void
bury (struct client *client, struct conversation *conversation, enum baton_err error)
{
    struct world *world = world_of (client);
    const struct id id = link_session_id (conversation->session);
    const struct truth_session *session = truth_session (&world->checker.truth, id);

    if (error == BATON_DAMAGED) {
        violate_end (client, conversation, INVARIANT_ACK_DURABILITY, error);
    }
    if (error != BATON_CLOSED && error != BATON_FENCED && error != BATON_NO_MATCH) {
        violate_end (client, conversation, INVARIANT_BOUNDS, error);
    }
    if (error == BATON_CLOSED && session && session->state == SESSION_OPEN) {
        violate_end (client, conversation, INVARIANT_OUTPUT_COMMIT, error);
    }
    world_tell (world, client->process->name, "%s has ended: %s", conversation->name,
                baton_strerror (error));
    link_session_free (&conversation->session);
    conversation->reopen_ns = world->now_ns
        + MS_NS * process_draw (client->process, "open again", 500);
}

// Fenced is final for a process: it stops, and its supervisor starts another one if it was the one.
static bool
look_at_ends (struct client *client)
{
    struct process *process = client->process;

    for (uint32_t i = 0; i < client->count; i++) {
        struct conversation *conversation = &client->conversations[i];
        if (!conversation->session) continue;
        const enum baton_err error = link_session_error (conversation->session);
        if (!error) continue;
        if (error == BATON_FENCED) {
            world_sometimes (process->world, process_has_seat (process)
                             ? SOMETIMES_FENCED : SOMETIMES_ZOMBIE_CLIENT);
            process_die (process);
            return false;
        }
        bury (client, conversation, error);
    }
    return true;
}

void
client_act (struct process *process)
{
    struct client *client = process->application;
    const uint32_t which = process_draw (process, "session", client->count);
    struct conversation *conversation = &client->conversations[which];

    if (!look_at_ends (client)) return;
    if (conversation->session) {
        if (!conversation->finished) {
            act_in (client, conversation);
        }
    } else if (!conversation->finished && process->world->now_ns >= conversation->reopen_ns) {
        open_session (client, conversation);
    }
}
