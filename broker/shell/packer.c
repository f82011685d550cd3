// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/packer.h"

#include "proto/assert.h"
#include "proto/mutant.h"
#include "proto/wire.h"

#include <string.h>

#define NONE UINT32_MAX
// How far back an item looks for the delivery of its session: sessions that take turns in one
// burst are few, and a longer look would cost more than a second head.
#define LOOK_BACK 16u
// Control bytes that one item adds, about: keeps messages of empty bodies short too.
#define ITEM_OVERHEAD_BYTES 16u

// The effects of one link, chained by their indices.
struct chain {
    struct link_number link;
    uint32_t first;
    uint32_t last;
};

struct item {
    const struct effect_delivery *delivery;
    uint32_t which; // of the message's deliveries
};

struct packer {
    const struct memory *memory;
    uint64_t aim_bytes;

    // Grouping; room for [room] effects.
    uint32_t *next;
    struct chain *chains;
    uint32_t *slots; // of 2 * room; index of a chain, or NONE
    uint32_t room;
    uint32_t chains_count;

    // What is being joined for [to].
    const struct packer_sink *sink;
    struct link_number to;
    struct epoch epoch;
    uint64_t bytes;
    uint32_t items_count;
    uint32_t deliveries_count;
    uint32_t acks_count;
    uint32_t heartbeats_count;
    struct item items[LIMIT_MESSAGE_ITEMS_MAX];
    struct msg_delivery deliveries[LIMIT_MESSAGE_DELIVERIES_MAX];
    struct msg_request requests[LIMIT_MESSAGE_ITEMS_MAX];
    struct msg_response responses[LIMIT_MESSAGE_ITEMS_MAX];
    struct msg_ack acks[LIMIT_MESSAGE_DELIVERIES_MAX];
};

struct packer *
packer_new (const struct memory *memory, uint64_t message_aim_bytes)
{
    struct packer *packer = memory_alloc (memory, sizeof *packer);

    if (!packer) return NULL;
    memset (packer, 0, sizeof *packer);
    packer->memory = memory;
    packer->aim_bytes = message_aim_bytes;
    return packer;
}

static void
drop_room (struct packer *packer)
{
    memory_release (packer->memory, packer->next, packer->room * sizeof *packer->next);
    memory_release (packer->memory, packer->chains, packer->room * sizeof *packer->chains);
    memory_release (packer->memory, packer->slots, 2 * packer->room * sizeof *packer->slots);
    packer->next = NULL;
    packer->chains = NULL;
    packer->slots = NULL;
    packer->room = 0;
}

void
packer_free (struct packer **packer)
{
    if (!*packer) return;
    drop_room (*packer);
    memory_release ((*packer)->memory, *packer, sizeof **packer);
    *packer = NULL;
}

static enum baton_err
reserve (struct packer *packer, size_t count)
{
    uint32_t room = packer->room ? packer->room : 256;

    if (count <= packer->room) return BATON_OK;
    ASSERT (count < UINT32_MAX / 4);
    while (room < count) {
        room *= 2;
    }
    drop_room (packer);
    packer->room = room;
    packer->next = memory_alloc (packer->memory, room * sizeof *packer->next);
    packer->chains = memory_alloc (packer->memory, room * sizeof *packer->chains);
    packer->slots = memory_alloc (packer->memory, 2 * room * sizeof *packer->slots);
    if (packer->next && packer->chains && packer->slots) return BATON_OK;
    drop_room (packer);
    return BATON_NO_MEMORY;
}

// The chain of [link], made if it is the first time; link numbers are ours, so no stranger picks
// which of them meet in a slot.
static struct chain *
chain_of (struct packer *packer, struct link_number link, uint32_t first)
{
    const uint32_t mask = 2 * packer->room - 1;
    uint32_t slot = (uint32_t) (link.n * UINT64_C (0x9E3779B97F4A7C15) >> 32) & mask;

    for (; packer->slots[slot] != NONE; slot = (slot + 1) & mask) {
        struct chain *chain = &packer->chains[packer->slots[slot]];
        if (chain->link.n == link.n) return chain;
    }
    packer->slots[slot] = packer->chains_count;
    packer->chains[packer->chains_count] = (struct chain) {link, first, NONE};
    return &packer->chains[packer->chains_count++];
}

static void
group (struct packer *packer, const struct effect_list *effects)
{
    packer->chains_count = 0;
    memset (packer->slots, 0xff, 2 * packer->room * sizeof *packer->slots);
    for (uint32_t i = 0; i < effects->count; i++) {
        struct chain *chain = chain_of (packer, effects->items[i].to, i);
        if (chain->last != NONE) {
            packer->next[chain->last] = i;
        }
        chain->last = i;
        packer->next[i] = NONE;
    }
}

enum baton_err
packer_single (const struct msg *msg, struct link_number to, const struct packer_sink *sink)
{
    struct port_frame frame;
    const size_t size = wire_encoded_size (msg);
    const enum baton_err err = port_frame_new (&frame, size);

    if (err != BATON_OK) return err;
    const size_t written = wire_encode (msg, port_frame_data (&frame), size);
    ASSERT (written == size);
    sink->frame (sink->context, to, &frame);
    return BATON_OK;
}

static enum baton_err
send_bytes (struct packer *packer, struct baton_bytes bytes)
{
    struct port_frame frame;
    const enum baton_err err = port_frame_new (&frame, bytes.size);

    if (err != BATON_OK) return err;
    if (bytes.size) {
        memcpy (port_frame_data (&frame), bytes.data, bytes.size);
    }
    packer->sink->frame (packer->sink->context, packer->to, &frame);
    return BATON_OK;
}

static enum baton_err
send_msg (struct packer *packer, struct msg *msg)
{
    msg->epoch = packer->epoch;
    return packer_single (msg, packer->to, packer->sink);
}

// Gives each delivery its own stretch of the two arrays: first counts become places, then the
// items fill them.
static void
lay_out_items (struct packer *packer)
{
    uint32_t requests_count = 0, responses_count = 0;

    for (uint32_t i = 0; i < packer->deliveries_count; i++) {
        struct msg_delivery *delivery = &packer->deliveries[i];
        delivery->requests = packer->requests + requests_count;
        delivery->responses = packer->responses + responses_count;
        requests_count += delivery->requests_count;
        responses_count += delivery->responses_count;
        delivery->requests_count = 0;
        delivery->responses_count = 0;
    }
    for (uint32_t i = 0; i < packer->items_count; i++) {
        const struct item *item = &packer->items[i];
        struct msg_delivery *delivery = &packer->deliveries[item->which];
        if (item->delivery->item == DELIVERY_REQUEST) {
            const ptrdiff_t at = delivery->requests - packer->requests;
            packer->requests[at + delivery->requests_count++] = item->delivery->request;
        } else {
            const ptrdiff_t at = delivery->responses - packer->responses;
            packer->responses[at + delivery->responses_count++] = item->delivery->response;
        }
    }
}

static enum baton_err
flush_deliveries (struct packer *packer)
{
    if (packer->deliveries_count == 0) return BATON_OK;
    lay_out_items (packer);
    struct msg msg = {.kind = MSG_DELIVER};
    msg.deliver = (struct msg_deliver) {packer->deliveries, packer->deliveries_count};
    packer->deliveries_count = 0;
    packer->items_count = 0;
    packer->bytes = 0;
    return send_msg (packer, &msg);
}

static enum baton_err
flush_acks (struct packer *packer)
{
    if (packer->acks_count == 0) return BATON_OK;
    struct msg msg = {.kind = MSG_COMMITTED};
    msg.committed = (struct msg_committed) {packer->acks, packer->acks_count};
    packer->acks_count = 0;
    return send_msg (packer, &msg);
}

static enum baton_err
flush (struct packer *packer)
{
    enum baton_err err = flush_deliveries (packer);

    if (err != BATON_OK) return err;
    err = flush_acks (packer);
    if (err != BATON_OK || packer->heartbeats_count == 0) return err;
    packer->heartbeats_count = 0;
    struct msg msg = {.kind = MSG_HEARTBEAT};
    return send_msg (packer, &msg);
}

static bool
heads_agree (const struct msg_delivery *a, const struct msg_delivery *b)
{
    return id_equal (a->session, b->session) && id_equal (a->actor, b->actor)
           && a->incarnation.n == b->incarnation.n && a->base_version.n == b->base_version.n
           && a->phase == b->phase;
}

// The delivery of the message that an item with [head] can join, or the place of a new one. The
// newest delivery of its session decides: an older one would change the session's order.
static uint32_t
find_delivery (const struct packer *packer, const struct msg_delivery *head)
{
    const uint32_t count = packer->deliveries_count;

    for (uint32_t i = count; i > 0 && count - i < LOOK_BACK; i--) {
        const struct msg_delivery *delivery = &packer->deliveries[i - 1];
        if (!id_equal (delivery->session, head->session)) continue;
        return heads_agree (delivery, head) ? i - 1 : count;
    }
    return count;
}

static uint64_t
item_bytes (const struct effect_delivery *delivery)
{
    if (delivery->item == DELIVERY_NOTHING) return ITEM_OVERHEAD_BYTES;
    if (delivery->item == DELIVERY_REQUEST) {
        return ITEM_OVERHEAD_BYTES + delivery->request.body.size;
    }
    return ITEM_OVERHEAD_BYTES + delivery->response.body.size;
}

static bool
is_full (const struct packer *packer, uint64_t more_bytes)
{
    return packer->deliveries_count == LIMIT_MESSAGE_DELIVERIES_MAX
           || packer->items_count == LIMIT_MESSAGE_ITEMS_MAX
           || (packer->deliveries_count > 0 && packer->bytes + more_bytes > packer->aim_bytes);
}

static enum baton_err
join_delivery (struct packer *packer, const struct effect_delivery *delivery)
{
    const uint64_t bytes = item_bytes (delivery);

    if (is_full (packer, bytes)) {
        const enum baton_err err = flush_deliveries (packer);
        if (err != BATON_OK) return err;
    }
    const uint32_t which = find_delivery (packer, &delivery->head);
    struct msg_delivery *head = &packer->deliveries[which];
    if (which == packer->deliveries_count) {
        packer->deliveries_count++;
        *head = delivery->head;
        head->requests_count = 0;
        head->responses_count = 0;
    }
    packer->bytes += bytes;
    if (delivery->item == DELIVERY_NOTHING) return BATON_OK;
    head->requests_count += delivery->item == DELIVERY_REQUEST;
    head->responses_count += delivery->item == DELIVERY_RESPONSE;
    packer->items[packer->items_count++] = (struct item) {delivery, which};
    return BATON_OK;
}

static enum baton_err
join_ack (struct packer *packer, const struct msg_ack *ack)
{
    for (uint32_t i = 0; i < packer->acks_count; i++) {
        struct msg_ack *other = &packer->acks[i];
        if (id_equal (other->actor, ack->actor) && other->incarnation.n == ack->incarnation.n) {
            *other = *ack;
            return BATON_OK;
        }
    }
    if (packer->acks_count == LIMIT_MESSAGE_DELIVERIES_MAX) {
        const enum baton_err err = flush (packer);
        if (err != BATON_OK) return err;
    }
    packer->acks[packer->acks_count++] = *ack;
    return BATON_OK;
}

// A message of one effect that is never joined with others.
static enum baton_err
send_alone (struct packer *packer, const struct effect *effect)
{
    struct msg msg = {.kind = MSG_REFUSED};

    switch (effect->kind) {
    case EFFECT_WELCOME: msg.kind = MSG_WELCOME; msg.welcome = effect->welcome; break;
    case EFFECT_OPENED: msg.kind = MSG_OPENED; msg.opened = effect->opened; break;
    case EFFECT_RESUMED: msg.kind = MSG_RESUMED; msg.resumed = effect->resumed; break;
    case EFFECT_STATE: msg.kind = MSG_STATE; msg.state = effect->state; break;
    case EFFECT_CLOSED: msg.kind = MSG_CLOSED; msg.closed = effect->closed; break;
    case EFFECT_OFFERED: msg.kind = MSG_OFFERED; msg.offered = effect->offered; break;
    case EFFECT_REFUSED: msg.refused = effect->refused; break;
    case EFFECT_FRAME: return send_bytes (packer, blob_view (effect->holds[0]));
    case EFFECT_FORGET:
        packer->sink->forget (packer->sink->context, packer->to);
        return BATON_OK;
    case EFFECT_HEARTBEAT:
    case EFFECT_COMMITTED:
    case EFFECT_DELIVER: break;
    }
    // Those three are joined, never sent alone.
    ASSERT (msg.kind != MSG_REFUSED || effect->kind == EFFECT_REFUSED);
    return send_msg (packer, &msg);
}

static enum baton_err
take (struct packer *packer, const struct effect *effect)
{
    const bool joins = effect->kind == EFFECT_DELIVER || effect->kind == EFFECT_COMMITTED
                       || effect->kind == EFFECT_HEARTBEAT;

    if ((!joins && !MUTANT (PACKER_OVERTAKES)) || effect->epoch.n != packer->epoch.n) {
        const enum baton_err err = flush (packer);
        if (err != BATON_OK) return err;
    }
    packer->epoch = effect->epoch;
    if (effect->kind == EFFECT_DELIVER) return join_delivery (packer, &effect->delivery);
    if (effect->kind == EFFECT_COMMITTED) return join_ack (packer, &effect->committed);
    if (effect->kind != EFFECT_HEARTBEAT) return send_alone (packer, effect);
    packer->heartbeats_count++;
    return BATON_OK;
}

static enum baton_err
send_chain (struct packer *packer, const struct chain *chain, const struct effect *effects)
{
    packer->to = chain->link;
    packer->epoch = effects[chain->first].epoch;
    for (uint32_t i = chain->first; i != NONE; i = packer->next[i]) {
        const enum baton_err err = take (packer, &effects[i]);
        if (err != BATON_OK) return err;
    }
    return flush (packer);
}

enum baton_err
packer_send (struct packer *packer, const struct effect_list *effects,
             const struct packer_sink *sink)
{
    if (effects->count == 0) return BATON_OK;
    enum baton_err err = reserve (packer, effects->count);
    if (err != BATON_OK) return err;
    group (packer, effects);
    packer->sink = sink;
    for (uint32_t i = 0; err == BATON_OK && i < packer->chains_count; i++) {
        err = send_chain (packer, &packer->chains[i], effects->items);
    }
    // After a failure the next turn starts with nothing half joined.
    packer->deliveries_count = 0;
    packer->items_count = 0;
    packer->bytes = 0;
    packer->acks_count = 0;
    packer->heartbeats_count = 0;
    return err;
}
