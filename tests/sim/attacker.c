// SPDX-License-Identifier: MPL-2.0
// attacker.c is an end that means no good: under a principal of its own it says anything that the
// wire can carry, names sessions and actors of others as if it had seen them, and damages bytes.
// Nobody else may notice.
#include "tests/sim/application.h"

#include "tests/sim/broker.h"
#include "tests/wire/msg_random.h"

#include <stdlib.h>
#include <string.h>

#define FRAME_BYTES_MAX 65536u

struct attacker {
    struct process *process;
    struct id instance;
    enum end_role role;
    struct msg_random random;
};

void
attacker_start (struct process *process)
{
    struct attacker *attacker = calloc (1, sizeof *attacker);

    if (!attacker) abort ();
    process->application = attacker;
    attacker->process = process;
    attacker->instance = (struct id) { 0xbad, process->number };
    attacker->role = END_CLIENT;
    net_dial (&process->world->net, process);
}

void
attacker_stop (struct process *process)
{
    free (process->application);
    process->application = NULL;
}

static void
damage (struct process *process, unsigned char *bytes, size_t size)
{
    const uint32_t count = 1 + process_draw (process, "bytes damaged", 3);

    for (uint32_t i = 0; i < count; i++) {
        const uint32_t at = process_draw (process, "which byte", (uint32_t) size);
        bytes[at] ^= (unsigned char) (1 + process_draw (process, "how", 255));
    }
    struct msg msg;
    struct wire_fault fault;
    struct world *world = process->world;
    if (wire_decode (world->decoder, &world->limits, (struct baton_bytes) { bytes, size }, &msg,
                     &fault) == BATON_OK) {
        world_sometimes (world, SOMETIMES_DAMAGED_FRAME_TAKEN);
    }
}

static void
say (struct attacker *attacker, struct msg *msg)
{
    struct process *process = attacker->process;
    struct world *world = process->world;
    const struct core *core = broker_core (world->broker);
    unsigned char bytes[FRAME_BYTES_MAX];

    msg->epoch.n = core ? core_epoch (core).n : 1;
    if (process_chance (process, "old epoch", 50)) {
        msg->epoch.n -= 1;
    }
    const size_t size = wire_encoded_size (msg);
    if (size > sizeof bytes) return;
    wire_encode (msg, bytes, size);
    if (process_chance (process, "damages", world->plan.damage_per_mille)) {
        damage (process, bytes, size);
    }
    (void) net_send_up (&world->net, process, bytes, size);
}

static void
say_hello (struct attacker *attacker)
{
    struct process *process = attacker->process;
    struct msg msg = { .kind = MSG_HELLO };

    attacker->role = process_draw (process, "as a server", 2) ? END_SERVER : END_CLIENT;
    msg.hello.role = attacker->role;
    msg.hello.instance = attacker->instance;
    msg.hello.name = (struct baton_bytes) { process->name, strlen (process->name) };
    say (attacker, &msg);
}

// A session of somebody, as if it had been seen on the wire.
static const struct truth_session *
somebody (struct attacker *attacker)
{
    const struct truth *truth = &attacker->process->world->checker.truth;

    if (truth->sessions_count == 0) return NULL;
    return truth->sessions[process_draw (attacker->process, "whose", truth->sessions_count)];
}

static void
forge_commit (struct attacker *attacker, const struct truth_session *session)
{
    const bool server = attacker->role == END_SERVER;
    const unsigned char stolen[8] = "stolen!";
    const struct msg_request request = {
        .seq = { session->requests_count + 1 }, .state = REQUEST_OPEN, .body = { stolen, 8 }
    };
    const struct msg_response response = {
        .request = { session->requests_consumed + 1 }, .status = RESPONSE_REPLY,
        .body = { stolen, 8 }
    };
    const struct msg_part part = {
        .session = session->id,
        .requests = &request,
        .requests_count = !server,
        .responses = &response,
        .responses_count = server,
        .requests_consumed_through = { server ? session->requests_consumed + 1 : 0 },
    };
    struct msg msg = { .kind = MSG_COMMIT };

    msg.commit = (struct msg_commit) {
        .actor = server ? session->server_actor : session->client_actor,
        .incarnation = { server ? session->server_incarnation : session->client_incarnation },
        .expect_version = { server ? session->server_version : session->client_version },
        .restart_data = { stolen, 8 },
        .parts = &part,
        .parts_count = 1,
    };
    if (id_is_none (msg.commit.actor) || msg.commit.incarnation.n == 0) return;
    say (attacker, &msg);
}

static void
forge_other (struct attacker *attacker, const struct truth_session *session)
{
    struct msg msg = { .kind = MSG_CLOSE };

    switch (process_draw (attacker->process, "forges", 4)) {
    case 0:
        msg.close = (struct msg_close) {
            .ref = 1, .session = session->id, .actor = session->client_actor,
            .incarnation = { session->client_incarnation },
            .expect_version = { session->client_version },
        };
        break;
    case 1:
        msg.kind = MSG_CREDIT;
        msg.credit = (struct msg_credit) { session->id, 1000, 1000000 };
        break;
    case 2:
        if (session->server_incarnation == 0) return;
        msg.kind = MSG_RELOAD;
        msg.reload = (struct msg_reload) {
            session->id, session->server_actor, { session->server_incarnation }
        };
        break;
    default:
        msg.kind = MSG_OPEN;
        msg.open = (struct msg_open) {
            .ref = 1, .intent = OPEN_OR_CREATE, .kind = SESSION_BOUND,
            .session = { session->name, strlen (session->name) },
            .credit_count = 10, .credit_bytes = 10000,
        };
    }
    say (attacker, &msg);
}

// Any message of any kind; an offer must not take work from honest servers.
static void
say_anything (struct attacker *attacker)
{
    struct process *process = attacker->process;
    struct msg msg;

    attacker->random.state = 1 + process_draw (process, "any message", 1u << 30);
    msg_random_fill (&attacker->random, 1 + process_draw (process, "kind", MSG_ADMIN_TELL), &msg);
    if (msg.kind == MSG_OFFER) {
        msg.offer.set = (struct baton_bytes) { "evil", 4 };
        msg.offer.attributes = (struct baton_bytes) { NULL, 0 };
    }
    say (attacker, &msg);
}

void
attacker_act (struct process *process)
{
    struct attacker *attacker = process->application;
    const struct truth_session *session = somebody (attacker);

    // It must not drown the others.
    process->busy_until_ns = process->world->now_ns + 20 * MS_NS;
    switch (process_draw (process, "attack", 8)) {
    case 0: net_dial (&process->world->net, process); return;
    case 1: case 2: say_hello (attacker); return;
    case 3: case 4: say_anything (attacker); return;
    default: break;
    }
    if (!session) {
        say_hello (attacker);
    } else if (process_draw (process, "commits", 2)) {
        forge_commit (attacker, session);
    } else {
        forge_other (attacker, session);
    }
}
