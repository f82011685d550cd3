// SPDX-License-Identifier: MPL-2.0
// link_ring.h has the list that the link engine uses: nodes lie inside the things that are listed,
// so putting one in needs no memory and taking it out no search.
#ifndef BATON_LINK_RING_H
#define BATON_LINK_RING_H

#include <stdbool.h>
#include <stddef.h>

// A ring of things: the head is a node too, and an empty ring is a head that points at itself.
struct ring {
    struct ring *next;
    struct ring *previous;
};

static inline void
ring_init (struct ring *ring)
{
    ring->next = ring;
    ring->previous = ring;
}

static inline bool
ring_is_empty (const struct ring *ring)
{
    return ring->next == ring;
}

// ring_add puts [node], which is in no ring, at the end of [head]'s ring.
static inline void
ring_add (struct ring *head, struct ring *node)
{
    node->next = head;
    node->previous = head->previous;
    head->previous->next = node;
    head->previous = node;
}

// ring_remove takes [node] out of its ring; it may be removed again.
static inline void
ring_remove (struct ring *node)
{
    node->previous->next = node->next;
    node->next->previous = node->previous;
    ring_init (node);
}

#define RING_ITEM(node, type, member) \
    ((type *) (void *) ((char *) (node) - offsetof (type, member)))

#endif
