// SPDX-License-Identifier: MPL-2.0
// link_offer.c has what a server tells of itself, and what belongs to the server as a whole.
#include "proto/link_actor.h"

#include "proto/assert.h"

#include <stddef.h>
#include <string.h>

void
server_init (struct link *link)
{
    struct link_server *server = &link->server;
    server->mode = LINK_TASK_BY_REPLY;
    server->offer.standing = END_READY;
    ring_init (&server->ready);
    ring_init (&server->ended);
    ring_init (&server->orphans);
    ring_init (&server->aborts);
    ring_init (&server->dirty);
    ring_init (&server->graves);
}

void
server_bury (struct link *link)
{
    struct ring *graves = &link->server.graves;
    while (!ring_is_empty (graves)) {
        struct kept *kept = RING_ITEM (graves->next, struct kept, ring);
        ring_remove (&kept->ring);
        memory_release (&link->memory, kept, kept->block_bytes);
    }
}

static void
free_tasks (struct ring *tasks)
{
    while (!ring_is_empty (tasks)) {
        struct link_task *task = RING_ITEM (tasks->next, struct link_task, ring);
        task_free (&task);
    }
}

void
server_fini (struct link *link)
{
    struct link_server *server = &link->server;
    free_tasks (&server->ended);
    free_tasks (&server->orphans);
    server_bury (link);
    struct link_abort lost;
    while (link_server_next_abort (link, &lost) == BATON_OK) {
        continue;
    }
    memory_release (&link->memory, server->offer.block, server->offer.block_bytes);
}

void
server_begin (struct link *link)
{
    struct server_offer *offer = &link->server.offer;
    if (offer->block) {
        offer->standing = END_MUST_OPEN;
        offer->hold_ns = 0;
    }
}

static enum baton_err
check_offer (const struct link_offer *offer)
{
    if (offer->set.size > LIMIT_NAME_MAX_BYTES) return BATON_BAD_ARGUMENT;
    if (offer->attributes.size > LIMIT_OFFER_MAX_BYTES) return BATON_TOO_LARGE;
    if (offer->capacity == 0 || offer->credit_bytes == 0) return BATON_BAD_ARGUMENT;
    if (offer->credit_count == 0 || offer->credit_count > LIMIT_CREDIT_COUNT)
        return BATON_BAD_ARGUMENT;
    return BATON_OK;
}

enum baton_err
link_server_offer (struct link *link, const struct link_offer *offer)
{
    ASSERT (link->role == END_SERVER);
    enum baton_err err = check_offer (offer);
    if (err) return err;
    // One byte more, so that an offer of nothing has a block too.
    size_t size = offer->set.size + offer->attributes.size + 1;
    unsigned char *block = memory_alloc (&link->memory, size);
    if (!block) return BATON_NO_MEMORY;

    if (offer->set.size > 0) {
        memcpy (block, offer->set.data, offer->set.size);
    }
    if (offer->attributes.size > 0) {
        memcpy (block + offer->set.size, offer->attributes.data, offer->attributes.size);
    }
    struct server_offer *kept = &link->server.offer;
    memory_release (&link->memory, kept->block, kept->block_bytes);
    *kept = (struct server_offer) {
        .block = block,
        .block_bytes = size,
        .standing = END_MUST_OPEN,
        .msg = {
            .ref = ++link->refs,
            .set = {block, offer->set.size},
            .attributes = {block + offer->set.size, offer->attributes.size},
            .capacity = offer->capacity,
            .credit_count = offer->credit_count,
            .credit_bytes = offer->credit_bytes,
        },
    };
    return BATON_OK;
}

enum baton_err
link_server_offer_error (const struct link *link)
{
    return link->server.offer.error;
}

bool
server_offer_next (const struct link *link, struct msg *msg)
{
    const struct server_offer *offer = &link->server.offer;
    if (offer->standing != END_MUST_OPEN || link->now_ns < offer->hold_ns) return false;

    msg->offer = offer->msg;
    return true;
}

void
server_take_offered (struct link *link, const struct msg_offered *offered)
{
    if (offered->ref == link->server.offer.msg.ref) {
        link->server.offer.standing = END_READY;
    } else {
        link->counters.ignored++;
    }
}

void
server_take_refused_offer (struct link *link, const struct msg_refused *refused)
{
    struct server_offer *offer = &link->server.offer;
    if (refused->ref != offer->msg.ref) {
        link->counters.refused++;
        return;
    }
    if (refused->refusal == REFUSAL_BUSY || refused->refusal == REFUSAL_UNAVAILABLE) {
        link->counters.busy++;
        offer->standing = END_MUST_OPEN;
        offer->hold_ns = link_retry_ns (link, refused);
        return;
    }
    offer->standing = END_READY;
    offer->error = link_error_of (refused->refusal);
    link_keep_text (link->error_text, refused->text);
}

void
link_server_set_mode (struct link *link, enum link_task_mode mode)
{
    link->server.mode = mode;
    for (struct ring *node = link->ends.next; node != &link->ends; node = node->next) {
        struct link_actor *actor = actor_of (RING_ITEM (node, struct link_end, all));
        // Work that was begun in one mode ends in it.
        if (actor->end.draft.items_count == 0 && actor->answered_max.n <= actor->consumed_through.n
            && actor->ready_through.n == actor->consumed_through.n) {
            actor->mode = mode;
        }
    }
}

enum baton_err
link_server_next_abort (struct link *link, struct link_abort *lost)
{
    struct ring *aborts = &link->server.aborts;
    if (ring_is_empty (aborts)) return BATON_NOT_FOUND;

    struct link_actor *actor = RING_ITEM (aborts->next, struct link_actor, dirty);
    *lost = (struct link_abort) {.session = actor->end.session, .reason = actor->lost};
    ring_remove (&actor->dirty);
    memory_release (&link->memory, actor, sizeof *actor);
    return BATON_OK;
}

bool
link_server_has_task (const struct link *link)
{
    return !ring_is_empty (&link->server.ready);
}

uint64_t
link_server_waits_ns (const struct link *link)
{
    if (ring_is_empty (&link->server.dirty)) return 0;
    return link->now_ns - link->server.dirty_ns;
}

bool
link_server_is_safe (const struct link *link)
{
    const struct ring *node = link->ends.next;
    for (; node != &link->ends; node = node->next) {
        const struct link_end *end = (const struct link_end *) (const void *)
            ((const char *) node - offsetof (struct link_end, all));
        if (!outbox_is_empty (&end->outbox)) return false;
    }
    return true;
}
