// SPDX-License-Identifier: MPL-2.0
#include "proto/link_outbox.h"

#include "proto/assert.h"
#include "proto/limits.h"

#include <string.h>

// First room of a draft: enough for a lone small request.
#define DRAFT_ITEMS_MIN 8u
#define DRAFT_BYTES_MIN 1024u
// A draft that grew beyond this for one large body does not keep its room.
#define DRAFT_BYTES_KEEP LIMIT_MESSAGE_AIM_BYTES

// Replaces *[block] by one of [new_bytes] that begins with the first [used_bytes] of it.
static enum baton_err
regrow (const struct memory *memory, void **block, size_t used_bytes, size_t old_bytes,
        size_t new_bytes)
{
    void *grown = memory_alloc (memory, new_bytes);
    if (!grown) return BATON_NO_MEMORY;

    if (used_bytes > 0) {
        memcpy (grown, *block, used_bytes);
    }
    memory_release (memory, *block, old_bytes);
    *block = grown;
    return BATON_OK;
}

static enum baton_err
reserve_item (const struct memory *memory, struct draft *draft)
{
    if (draft->items_count < draft->items_max) return BATON_OK;

    uint32_t max = draft->items_max ? draft->items_max * 2 : DRAFT_ITEMS_MIN;
    void *block = draft->items;
    enum baton_err err = regrow (memory, &block, draft->items_count * sizeof *draft->items,
                                 draft->items_max * sizeof *draft->items,
                                 max * sizeof *draft->items);
    if (err) return err;

    draft->items = block;
    draft->items_max = max;
    return BATON_OK;
}

static enum baton_err
reserve_bytes (const struct memory *memory, struct draft *draft, size_t more_bytes)
{
    size_t wanted = draft->used_bytes + more_bytes;
    if (wanted <= draft->max_bytes) return BATON_OK;

    size_t max = draft->max_bytes * 2;
    if (max < wanted) {
        max = wanted;
    }
    if (max < DRAFT_BYTES_MIN) {
        max = DRAFT_BYTES_MIN;
    }
    void *block = draft->bytes;
    enum baton_err err = regrow (memory, &block, draft->used_bytes, draft->max_bytes, max);
    if (err) return err;

    draft->bytes = block;
    draft->max_bytes = max;
    return BATON_OK;
}

enum baton_err
draft_add (const struct memory *memory, struct draft *draft, uint64_t number,
           struct baton_bytes body)
{
    ASSERT (draft->items_count < LIMIT_RECORD_ITEMS_MAX);
    if (reserve_item (memory, draft)) return BATON_NO_MEMORY;
    if (reserve_bytes (memory, draft, body.size)) return BATON_NO_MEMORY;

    uint32_t place = draft->items_count++;
    for (; place > 0 && draft->items[place - 1].number > number; place--) {
        draft->items[place] = draft->items[place - 1];
    }
    draft->items[place] = (struct draft_item) {
        .number = number, .offset_bytes = draft->used_bytes, .size_bytes = body.size
    };
    if (body.size > 0) {
        memcpy (draft->bytes + draft->used_bytes, body.data, body.size);
    }
    draft->used_bytes += body.size;
    return BATON_OK;
}

void
draft_remove_from (struct draft *draft, uint64_t number)
{
    uint32_t kept_count = 0;
    for (uint32_t i = 0; i < draft->items_count; i++) {
        if (draft->items[i].number < number) {
            draft->items[kept_count++] = draft->items[i];
        }
    }
    draft->items_count = kept_count;
}

void
draft_clear (const struct memory *memory, struct draft *draft)
{
    draft->items_count = 0;
    draft->used_bytes = 0;
    if (draft->max_bytes > DRAFT_BYTES_KEEP) {
        draft_fini (memory, draft);
    }
}

void
draft_fini (const struct memory *memory, struct draft *draft)
{
    memory_release (memory, draft->items, draft->items_max * sizeof *draft->items);
    memory_release (memory, draft->bytes, draft->max_bytes);
    *draft = (struct draft) {0};
}

void
outbox_init (struct outbox *outbox, struct version stored)
{
    *outbox = (struct outbox) {.acked = stored, .next = stored};
}

void
outbox_fini (const struct memory *memory, struct outbox *outbox)
{
    outbox_cut (memory, outbox, outbox->acked);
    ASSERT (outbox->held_count == 0);
}

// Copies [from] to *[at], moves *[at] behind it, and returns the copy's view.
static struct baton_bytes
place_bytes (unsigned char **at, struct baton_bytes from)
{
    struct baton_bytes view = {*at, from.size};
    if (from.size > 0) {
        memcpy (*at, from.data, from.size);
        *at += from.size;
    }
    return view;
}

static void
place_requests (struct sealed *sealed, struct msg_request *requests, const struct draft *draft,
                const unsigned char *bodies)
{
    for (uint32_t i = 0; i < draft->items_count; i++) {
        const struct draft_item *item = &draft->items[i];
        requests[i] = (struct msg_request) {
            .seq = {item->number},
            .state = REQUEST_OPEN,
            .body = {bodies + item->offset_bytes, item->size_bytes},
        };
    }
    sealed->part.requests = requests;
    sealed->part.requests_count = draft->items_count;
}

static void
place_responses (struct sealed *sealed, struct msg_response *responses, const struct draft *draft,
                 const unsigned char *bodies)
{
    for (uint32_t i = 0; i < draft->items_count; i++) {
        const struct draft_item *item = &draft->items[i];
        responses[i] = (struct msg_response) {
            .request = {item->number},
            .status = RESPONSE_REPLY,
            .body = {bodies + item->offset_bytes, item->size_bytes},
        };
    }
    sealed->part.responses = responses;
    sealed->part.responses_count = draft->items_count;
}

// Lays head, items, bodies, restart data and reason out in the one block behind [sealed].
static void
fill (struct sealed *sealed, enum draft_kind kind, const struct draft *draft,
      const struct commit_head *head)
{
    size_t item_bytes = kind == DRAFT_REQUESTS ? sizeof (struct msg_request)
                                               : sizeof (struct msg_response);
    unsigned char *items = (unsigned char *) (sealed + 1);
    unsigned char *at = items + item_bytes * draft->items_count;
    struct baton_bytes bodies = place_bytes (
        &at, (struct baton_bytes) {draft->bytes, draft->used_bytes});
    if (kind == DRAFT_REQUESTS) {
        place_requests (sealed, (struct msg_request *) (void *) items, draft, bodies.data);
    } else {
        place_responses (sealed, (struct msg_response *) (void *) items, draft, bodies.data);
    }
    sealed->commit.restart_data = place_bytes (&at, head->restart_data);
    sealed->part.reject_reason = place_bytes (&at, head->reject_reason);
    ASSERT (at == (unsigned char *) sealed + sealed->block_bytes);
}

static void
fill_head (struct sealed *sealed, const struct commit_head *head, struct version expect)
{
    sealed->part.session = head->session;
    sealed->part.requests_consumed_through = head->requests_consumed_through;
    sealed->part.responses_consumed_through = head->responses_consumed_through;
    sealed->part.rejected = head->rejected;
    sealed->commit.actor = head->actor;
    sealed->commit.incarnation = head->incarnation;
    sealed->commit.expect_version = expect;
    sealed->commit.parts = &sealed->part;
    sealed->commit.parts_count = 1;
}

static void
append (struct outbox *outbox, struct sealed *sealed)
{
    if (outbox->last) {
        outbox->last->next = sealed;
    } else {
        outbox->first = sealed;
    }
    outbox->last = sealed;
    if (!outbox->unsent) {
        outbox->unsent = sealed;
    }
    outbox->next.n++;
    outbox->held_count += sealed->held_count;
    outbox->held_bytes += sealed->held_bytes;
}

enum baton_err
outbox_seal (const struct memory *memory, struct outbox *outbox, enum draft_kind kind,
             struct draft *draft, const struct commit_head *head)
{
    struct draft none = {0};
    const struct draft *from = draft ? draft : &none;
    size_t item_bytes = kind == DRAFT_REQUESTS ? sizeof (struct msg_request)
                                               : sizeof (struct msg_response);
    size_t size = sizeof (struct sealed) + item_bytes * from->items_count + from->used_bytes
                  + head->restart_data.size + head->reject_reason.size;
    struct sealed *sealed = memory_alloc (memory, size);
    if (!sealed) return BATON_NO_MEMORY;

    *sealed = (struct sealed) {
        .block_bytes = size,
        .held_bytes = from->used_bytes + head->restart_data.size,
        .held_count = from->items_count > 0 ? from->items_count : 1,
    };
    fill (sealed, kind, from, head);
    fill_head (sealed, head, outbox->next);
    append (outbox, sealed);
    if (draft) {
        draft_clear (memory, draft);
    }
    return BATON_OK;
}

static void
drop (const struct memory *memory, struct outbox *outbox, struct sealed *sealed)
{
    ASSERT (outbox->held_count >= sealed->held_count);
    ASSERT (outbox->held_bytes >= sealed->held_bytes);
    outbox->held_count -= sealed->held_count;
    outbox->held_bytes -= sealed->held_bytes;
    memory_release (memory, sealed, sealed->block_bytes);
}

uint32_t
outbox_ack (const struct memory *memory, struct outbox *outbox, struct version stored)
{
    uint32_t dropped_count = 0;
    while (outbox->first && outbox->first->commit.expect_version.n < stored.n) {
        struct sealed *sealed = outbox->first;
        outbox->first = sealed->next;
        if (outbox->unsent == sealed) {
            outbox->unsent = sealed->next;
        }
        if (outbox->last == sealed) {
            outbox->last = NULL;
        }
        outbox->acked.n = sealed->commit.expect_version.n + 1;
        drop (memory, outbox, sealed);
        dropped_count++;
    }
    return dropped_count;
}

void
outbox_rewind (struct outbox *outbox, struct version from)
{
    struct sealed *sealed = outbox->first;
    while (sealed && sealed != outbox->unsent && sealed->commit.expect_version.n < from.n) {
        sealed = sealed->next;
    }
    if (sealed) {
        outbox->unsent = sealed;
    }
}

void
outbox_sent (struct outbox *outbox)
{
    ASSERT (outbox->unsent);
    outbox->unsent->sent_before = true;
    outbox->unsent = outbox->unsent->next;
}

void
outbox_cut (const struct memory *memory, struct outbox *outbox, struct version from)
{
    struct sealed **link = &outbox->first;
    struct sealed *last = NULL;
    while (*link && (*link)->commit.expect_version.n < from.n) {
        last = *link;
        link = &(*link)->next;
    }
    struct sealed *sealed = *link;
    *link = NULL;
    outbox->last = last;
    while (sealed) {
        struct sealed *next = sealed->next;
        if (outbox->unsent == sealed) {
            outbox->unsent = NULL;
        }
        outbox->next.n--;
        drop (memory, outbox, sealed);
        sealed = next;
    }
}
