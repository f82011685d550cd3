// SPDX-License-Identifier: MPL-2.0
// broker_doors.c is the way in and out, by the rules of broker/shell/doors_in.c: what is malformed
// or comes over an unknown path is answered here, and the core sees messages on known paths only.
#include "tests/sim/broker_inner.h"

#include "broker/shell/refuse.h"
#include "tests/sim/process.h"

#include <stdlib.h>
#include <string.h>

#define ANSWER_BYTES_MAX 4096u

struct path *
broker_path_at (struct broker *broker, uint64_t address)
{
    for (uint32_t i = 0; i < BROKER_PATHS_MAX; i++) {
        struct path *path = &broker->paths[i];
        if (path->link.n != 0 && path->address == address) return path;
    }
    return NULL;
}

static struct path *
path_of (struct broker *broker, struct link_number link)
{
    for (uint32_t i = 0; i < BROKER_PATHS_MAX; i++) {
        if (link.n != 0 && broker->paths[i].link.n == link.n) return &broker->paths[i];
    }
    return NULL;
}

void
broker_lose (struct broker *broker, struct link_number link)
{
    struct path *path = path_of (broker, link);

    if (!path) return;
    path->link.n = 0;
    if (broker->lost_count == BROKER_LOST_MAX) abort ();
    broker->lost[broker->lost_count++] = link;
}

void
broker_forget (void *context, struct link_number link)
{
    struct path *path = path_of (context, link);

    if (path) {
        path->link.n = 0;
    }
}

void
broker_send (void *context, struct link_number to, struct port_frame *frame)
{
    struct broker *broker = context;
    const struct path *path = path_of (broker, to);
    const struct baton_bytes bytes = port_frame_view (frame);

    if (path && !net_send_down (&broker->world->net, path->address, bytes.data, bytes.size)) {
        broker_lose (broker, to);
    }
    port_frame_fini (frame);
}

void
broker_send_straight (struct broker *broker, uint64_t address, const struct msg *msg)
{
    unsigned char bytes[ANSWER_BYTES_MAX];
    const size_t size = wire_encoded_size (msg);

    if (size > sizeof bytes) abort ();
    wire_encode (msg, bytes, size);
    (void) net_send_down (&broker->world->net, address, bytes, size);
}

static void
answer (struct broker *broker, uint64_t address, const struct msg_refused *refused)
{
    struct msg msg = { .kind = MSG_REFUSED, .epoch = core_epoch (broker->core) };

    msg.refused = *refused;
    broker_send_straight (broker, address, &msg);
}

static void
on_fault (struct broker *broker, const struct arrival *arrival, const struct wire_fault *fault)
{
    struct world *world = broker->world;
    struct msg_refused refused;

    if (arrival->process->seat->kind != SEAT_ATTACKER) {
        sim_violated (INVARIANT_BOUNDS, "a frame of %s is no message: %s (value %llu, limit %llu)",
                      arrival->process->name, fault->what, (unsigned long long) fault->value,
                      (unsigned long long) fault->limit);
    }
    world_sometimes (world, fault->refusal == REFUSAL_TOO_LARGE ? SOMETIMES_TOO_LARGE
                                                                : SOMETIMES_DAMAGED_FRAME);
    refuse_fault (fault, &refused);
    answer (broker, arrival->address, &refused);
    if (!strangers_fault (&broker->strangers, arrival->address, world->now_ns)) return;
    const struct path *path = broker_path_at (broker, arrival->address);
    if (path) {
        broker_lose (broker, path->link);
    }
}

static void
say_hello_first (struct broker *broker, const struct arrival *arrival, const struct msg *msg)
{
    struct msg_refused refused;

    world_sometimes (broker->world, SOMETIMES_HELLO_FIRST);
    if (!strangers_may_answer (&broker->strangers, arrival->address, broker->world->now_ns)) return;
    refuse_msg (msg, REFUSAL_HELLO_FIRST, &refused);
    answer (broker, arrival->address, &refused);
}

// A HELLO on an unknown path makes it known.
static struct path *
make_path (struct broker *broker, const struct arrival *arrival)
{
    for (uint32_t i = 0; i < BROKER_PATHS_MAX; i++) {
        struct path *path = &broker->paths[i];
        if (path->link.n != 0) continue;
        path->link.n = ++broker->links;
        path->address = arrival->address;
        return path;
    }
    // The oldest one has long been silent.
    struct path *oldest = &broker->paths[0];
    for (uint32_t i = 1; i < BROKER_PATHS_MAX; i++) {
        if (broker->paths[i].heard_ns < oldest->heard_ns) {
            oldest = &broker->paths[i];
        }
    }
    broker_lose (broker, oldest->link);
    return make_path (broker, arrival);
}

bool
broker_admit (struct broker *broker, const struct arrival *arrival, struct msg *msg)
{
    struct world *world = broker->world;
    const struct baton_bytes frame = { arrival->parcel->bytes, arrival->parcel->size };
    struct path *path = broker_path_at (broker, arrival->address);
    struct wire_fault fault = { 0 };

    if (strangers_is_shunned (&broker->strangers, arrival->address, world->now_ns)) return false;
    if (wire_decode (world->decoder, &world->limits, frame, msg, &fault) != BATON_OK) {
        on_fault (broker, arrival, &fault);
        return false;
    }
    if (!path && msg->kind != MSG_HELLO) {
        say_hello_first (broker, arrival, msg);
        return false;
    }
    if (msg->kind == MSG_ADMIN_ASK) return false;
    if (!path) {
        path = make_path (broker, arrival);
    }
    path->heard_ns = world->now_ns;
    return true;
}

void
broker_expire (struct broker *broker, uint64_t silent_ns)
{
    for (uint32_t i = 0; i < BROKER_PATHS_MAX; i++) {
        const struct path *path = &broker->paths[i];
        if (path->link.n != 0 && broker->world->now_ns - path->heard_ns >= silent_ns) {
            broker_lose (broker, path->link);
        }
    }
}
