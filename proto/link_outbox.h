// SPDX-License-Identifier: MPL-2.0
// link_outbox.h has what one actor has said and the manager has not made safe yet: a draft that
// gathers requests or responses, and a row of sealed commits that are kept, sent and sent again
// until they are acknowledged. Pure. It knows neither links nor sessions.
//
// 1. Sealed commits have rising versions without holes: acked, acked + 1, ... next - 1.
// 2. All commits before [unsent] were sent at least once over the present link.
// 3. Nothing leaves the row but through an acknowledgement, a cut, or the end of the actor.
#ifndef BATON_LINK_OUTBOX_H
#define BATON_LINK_OUTBOX_H

#include "proto/memory.h"
#include "proto/msg.h"

#include <stdbool.h>

// One request or response that waits in a draft.
struct draft_item {
    uint64_t number; // requests: their seq; responses: the request they answer
    size_t offset_bytes;
    size_t size_bytes;
};

// Bodies are copied end to end, so that a draft costs two allocations however many items it has.
struct draft {
    struct draft_item *items;
    unsigned char *bytes;
    uint32_t items_count;
    uint32_t items_max;
    size_t used_bytes;
    size_t max_bytes;
};

enum draft_kind { DRAFT_REQUESTS = 1, DRAFT_RESPONSES = 2 };

// What a commit says beside the items of the draft.
struct commit_head {
    struct id session;
    struct id actor;
    struct incarnation incarnation;
    struct baton_bytes restart_data;
    struct request_seq requests_consumed_through;
    struct response_seq responses_consumed_through;
    struct request_seq rejected;
    struct baton_bytes reject_reason;
};

// One sealed commit; a single block of memory with all its bytes.
struct sealed {
    struct sealed *next;
    struct msg_commit commit;
    struct msg_part part;
    size_t block_bytes;
    size_t held_bytes;   // bodies and restart data, what the window counts
    uint32_t held_count; // items, at least 1
    bool sent_before;    // over any link
};

struct outbox {
    struct sealed *first;
    struct sealed *last;
    struct sealed *unsent;
    struct version acked; // stored by the manager, as far as is known
    struct version next;  // that the next commit builds on
    uint64_t held_count;
    uint64_t held_bytes;
};

// draft_add copies [body] as an item, in rising order of [number], which no other item may have:
// the protocol wants it so, and answers may be given in any order. BATON_NO_MEMORY leaves the
// draft as it was.
enum baton_err
draft_add (const struct memory *memory, struct draft *draft, uint64_t number,
           struct baton_bytes body);

// draft_remove_from forgets the items numbered [number] and above.
void
draft_remove_from (struct draft *draft, uint64_t number);

// draft_clear forgets all items, and gives back the room if it is large.
void
draft_clear (const struct memory *memory, struct draft *draft);

void
draft_fini (const struct memory *memory, struct draft *draft);

// outbox_init makes an empty row that builds on [stored].
void
outbox_init (struct outbox *outbox, struct version stored);

void
outbox_fini (const struct memory *memory, struct outbox *outbox);

// outbox_seal appends one commit with [head] and all items of [draft], which is cleared; [draft]
// may be NULL for none. BATON_NO_MEMORY changes nothing.
enum baton_err
outbox_seal (const struct memory *memory, struct outbox *outbox, enum draft_kind kind,
             struct draft *draft, const struct commit_head *head);

// outbox_ack drops all commits that led to [stored] and below. Returns how many that were.
uint32_t
outbox_ack (const struct memory *memory, struct outbox *outbox, struct version stored);

// outbox_rewind makes [from] the next commit to be sent, if it was sent already. Nothing happens
// when the row does not reach back or forth to it.
void
outbox_rewind (struct outbox *outbox, struct version from);

// outbox_sent notes that the commit at [unsent] left.
void
outbox_sent (struct outbox *outbox);

// outbox_cut drops the commits from version [from] on: none of them may have been accepted.
void
outbox_cut (const struct memory *memory, struct outbox *outbox, struct version from);

static inline bool
outbox_is_empty (const struct outbox *outbox)
{
    return !outbox->first;
}

#endif
