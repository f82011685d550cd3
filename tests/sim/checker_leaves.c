// SPDX-License-Identifier: MPL-2.0
// checker_leaves.c looks at what leaves the broker: it may say nothing that is not safe, it may say
// nothing wrong, and work goes out by the rules of suspects.
#include "tests/sim/checker.h"

#include "tests/sim/world.h"

#include <string.h>

#define N(number) ((unsigned long long) (number))

// What leaves says what the log has.
static void
must_be_safe (bool safe, const struct effect *effect, const char *what)
{
    if (safe) return;
    sim_violated (INVARIANT_OUTPUT_COMMIT, "effect %d, decided at record %llu, leaves for link %llu"
                  " and says what is not in the safe log: %s", effect->kind,
                  N (effect->after.n), N (effect->to.n), what);
}

static void
look_at_opened (const struct truth *truth, const struct effect *effect)
{
    const struct msg_opened *opened = &effect->opened;
    const struct truth_session *session = truth_session (truth, opened->session);

    must_be_safe (session, effect, "session");
    must_be_safe (opened->incarnation.n == session->client_incarnation, effect, "incarnation");
    must_be_safe (opened->version.n == session->client_version, effect, "version");
    must_be_safe (opened->requests_accepted_through.n == session->requests_count, effect,
                  "requests");
    must_be_safe (opened->responses_last.n == session->responses_count, effect, "responses");
    must_be_safe (opened->responses_consumed_through.n == session->responses_consumed, effect,
                  "consumed mark");
}

static void
look_at_ack (const struct truth *truth, const struct effect *effect)
{
    const struct msg_ack *ack = &effect->committed;
    const struct truth_session *session = truth_session_of_actor (truth, ack->actor);

    must_be_safe (session, effect, "actor");
    const bool client = id_equal (session->client_actor, ack->actor);
    const uint64_t version = client ? session->client_version : session->server_version;
    must_be_safe (ack->version.n <= version, effect, "version");
}

static bool
holds_suspect (const struct truth_session *session)
{
    return session->sent_through > session->requests_consumed
        && session->requests_consumed < session->suspect_through;
}

// A suspect goes to a server that holds nothing, and nothing else goes there until it is consumed.
static void
look_at_company (const struct checker *checker, const struct truth_session *session, uint64_t seq)
{
    const bool suspect = seq <= session->suspect_through;

    for (uint32_t i = 0; i < checker->truth.sessions_count; i++) {
        const struct truth_session *other = checker->truth.sessions[i];
        if (other->state == SESSION_CLOSED || other->binding != BINDING_STANDS
            || strcmp (other->server, session->server) != 0) {
            continue;
        }
        const bool holds = other->sent_through > other->requests_consumed;
        if ((suspect && holds) || holds_suspect (other)) {
            sim_violated (INVARIANT_ASSIGNMENT, "request %llu of %s goes to %s, which holds request"
                          " %llu of %s; a suspect goes alone", N (seq), session->name,
                          session->server, N (other->sent_through), other->name);
        }
    }
    if (suspect) {
        world_sometimes (checker->world, SOMETIMES_SUSPECT_ALONE);
    }
}

static void
look_at_request (struct checker *checker, const struct effect *effect,
                 struct truth_session *session)
{
    const struct msg_delivery *head = &effect->delivery.head;
    const struct msg_request *request = &effect->delivery.request;
    const bool to_server = id_equal (session->server_actor, head->actor);

    must_be_safe (request->seq.n <= session->requests_count, effect, "request");
    const struct truth_request *stored = &session->requests[request->seq.n - 1];
    must_be_safe ((request->state == REQUEST_SKIPPED) == (stored->state != REQUEST_STANDS),
                  effect, "state of the request");
    if (request->state == REQUEST_OPEN) {
        must_be_safe (stored->hash == truth_hash (request->body), effect, "body");
        if (request->attempt != stored->attempts + 1) {
            sim_violated (INVARIANT_ASSIGNMENT, "request %llu of %s leaves as attempt %u; the log"
                          " has counted %u", N (request->seq.n), session->name, request->attempt,
                          stored->attempts);
        }
    }
    if (!to_server || head->phase != DELIVER_LIVE) return;
    if (request->seq.n != session->sent_through + 1) {
        sim_violated (INVARIANT_ASSIGNMENT, "request %llu of %s leaves after %llu",
                      N (request->seq.n), session->name, N (session->sent_through));
    }
    look_at_company (checker, session, request->seq.n);
    session->sent_through = request->seq.n;
    session->left_through = request->seq.n;
    session->sent_link = effect->to.n;
}

static void
look_at_delivery (struct checker *checker, const struct effect *effect)
{
    const struct effect_delivery *delivery = &effect->delivery;
    struct truth_session *session = truth_session (&checker->truth, delivery->head.session);

    must_be_safe (session, effect, "session");
    if (delivery->item == DELIVERY_REQUEST) {
        look_at_request (checker, effect, session);
    } else if (delivery->item == DELIVERY_RESPONSE) {
        const uint64_t seq = delivery->response.seq.n;
        must_be_safe (seq <= session->responses_count
                          && session->responses[seq - 1].hash
                              == truth_hash (delivery->response.body),
                      effect, "response");
    }
}

static void
count_refusal (struct world *world, const struct msg_refused *refused)
{
    switch (refused->refusal) {
    case REFUSAL_BUSY:
        if (refused->busy_reason == BUSY_QUEUE) world_sometimes (world, SOMETIMES_BUSY_QUEUE);
        if (refused->busy_reason == BUSY_MEMORY) world_sometimes (world, SOMETIMES_BUSY_MEMORY);
        if (refused->busy_reason == BUSY_DISK) world_sometimes (world, SOMETIMES_BUSY_DISK);
        if (refused->busy_reason == BUSY_RATE) world_sometimes (world, SOMETIMES_BUSY_RATE);
        return;
    case REFUSAL_DUPLICATE: world_sometimes (world, SOMETIMES_DUPLICATE); return;
    case REFUSAL_GAP: world_sometimes (world, SOMETIMES_GAP); return;
    case REFUSAL_OLD_EPOCH: world_sometimes (world, SOMETIMES_OLD_EPOCH); return;
    case REFUSAL_FENCED: world_sometimes (world, SOMETIMES_FENCED); return;
    case REFUSAL_NO_MATCH: world_sometimes (world, SOMETIMES_NO_MATCH); return;
    case REFUSAL_NO_SUCH_SESSION: world_sometimes (world, SOMETIMES_NO_SUCH_SESSION); return;
    case REFUSAL_TOO_LARGE: world_sometimes (world, SOMETIMES_TOO_LARGE); return;
    case REFUSAL_MALFORMED: world_sometimes (world, SOMETIMES_MALFORMED); return;
    case REFUSAL_DENIED: world_sometimes (world, SOMETIMES_DENIED); return;
    case REFUSAL_HELLO_FIRST:
    case REFUSAL_BAD_VERSION:
    case REFUSAL_MOVED:
    case REFUSAL_UNAVAILABLE:
    case REFUSAL_EXPIRED:
    case REFUSAL_CANCELLED:
    case REFUSAL_FAILED:
    case REFUSAL_CLOSED: return;
    }
}

// Refusals that read the book say what is safe.
static void
look_at_refusal (struct checker *checker, const struct effect *effect)
{
    const struct msg_refused *refused = &effect->refused;
    const struct truth_session *session = truth_session_of_actor (&checker->truth, refused->actor);

    count_refusal (checker->world, refused);
    if (refused->refusal == REFUSAL_DUPLICATE || refused->refusal == REFUSAL_GAP) {
        must_be_safe (session, effect, "actor");
        const bool client = id_equal (session->client_actor, refused->actor);
        const uint64_t version = client ? session->client_version : session->server_version;
        must_be_safe (refused->version.n <= version, effect, "version");
    } else if (refused->refusal == REFUSAL_NO_SUCH_SESSION && refused->kind != MSG_OPEN
               && checker->world->plan.attackers_count == 0) {
        const struct truth_session *named = truth_session (&checker->truth, refused->session);
        must_be_safe (!named || named->state == SESSION_CLOSED
                          || (session == NULL && !id_is_none (refused->actor)),
                      effect, "no such session");
    }
}

// All that a server was sent over another link than [kept], and has not consumed, is sent again.
static void
forget_sent (struct checker *checker, struct link_number to, uint64_t kept)
{
    const struct checker_link *link = &checker->links[to.n % CHECKER_LINKS_MAX];

    if (link->link != to.n) return;
    for (uint32_t i = 0; i < checker->truth.sessions_count; i++) {
        struct truth_session *session = checker->truth.sessions[i];
        if (session->binding == BINDING_STANDS && session->sent_link != kept
            && strcmp (session->server, link->server) == 0) {
            session->sent_through = session->requests_consumed;
            session->left_through = session->requests_consumed;
        }
    }
}

static void
look_at_state (struct checker *checker, const struct effect *effect)
{
    struct truth_session *session = truth_session (&checker->truth, effect->state.session);

    must_be_safe (session, effect, "session");
    must_be_safe (effect->state.incarnation.n == session->server_incarnation, effect,
                  "incarnation");
    must_be_safe (effect->state.version.n == session->server_version, effect, "version");
    must_be_safe (effect->state.requests_consumed_through.n == session->requests_consumed, effect,
                  "consumed mark");
    session->sent_through = session->requests_consumed;
    session->left_through = session->requests_consumed;
    world_sometimes (checker->world, SOMETIMES_RELOAD);
}

static void
look_at_closed (struct checker *checker, const struct effect *effect)
{
    const struct truth_session *session
        = truth_session (&checker->truth, effect->closed.session);

    must_be_safe (session && session->state == SESSION_CLOSED, effect, "closed session");
}

static void
look_at (struct checker *checker, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_OPENED: look_at_opened (&checker->truth, effect); return;
    case EFFECT_COMMITTED: look_at_ack (&checker->truth, effect); return;
    case EFFECT_DELIVER: look_at_delivery (checker, effect); return;
    case EFFECT_STATE: look_at_state (checker, effect); return;
    case EFFECT_CLOSED: look_at_closed (checker, effect); return;
    case EFFECT_REFUSED: look_at_refusal (checker, effect); return;
    case EFFECT_RESUMED:
        if (effect->resumed.ref != 0) {
            world_sometimes (checker->world, SOMETIMES_RESUMED_IN_PROCESS);
        }
        return;
    case EFFECT_WELCOME: forget_sent (checker, effect->to, 0); return;
    case EFFECT_OFFERED: forget_sent (checker, effect->to, effect->to.n); return;
    case EFFECT_HEARTBEAT:
    case EFFECT_FRAME:
    case EFFECT_FORGET: return;
    }
}

void
checker_leaves (struct checker *checker, const struct effect *effect)
{
    if (effect->after.n > checker->commit) {
        sim_violated (INVARIANT_OUTPUT_COMMIT, "effect %d for link %llu rests on record %llu and"
                      " leaves at commit index %llu", effect->kind, N (effect->to.n),
                      N (effect->after.n), N (checker->commit));
    }
    if (effect->epoch.n < checker->epoch) {
        sim_violated (INVARIANT_MONOTONICITY, "an effect of epoch %llu leaves after one of %llu",
                      N (effect->epoch.n), N (checker->epoch));
    }
    checker->epoch = effect->epoch.n;
    // The truth as it was when this was decided: effects and records in the order of decisions.
    checker_take_through (checker, effect->after.n);
    look_at (checker, effect);
}
