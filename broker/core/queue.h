// SPDX-License-Identifier: MPL-2.0
// queue.h has the intrusive list: a circular list whose links lie inside the things listed. It
// never allocates, so nothing that apply does with it can fail.
#ifndef BATON_QUEUE_H
#define BATON_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue { struct queue *next; struct queue *before; };

// queue_owner turns a link back into the struct that has it as [member].
#define queue_owner(link, type, member) \
    ((type *) ((uintptr_t) (link) - offsetof (type, member)))

// queue_each walks [list]; the current link must stay in it during the body.
#define queue_each(link, list) \
    for ((link) = (list)->next; (link) != (list); (link) = (link)->next)

// queue_init makes an empty list, or a link that is in no list: the two look alike.
static inline void
queue_init (struct queue *link)
{
    link->next = link;
    link->before = link;
}

static inline bool
queue_is_empty (const struct queue *list)
{
    return list->next == list;
}

// queue_holds tells whether [link] is in some list.
static inline bool
queue_holds (const struct queue *link)
{
    return link->next != link;
}

static inline void
queue_push (struct queue *list, struct queue *link)
{
    link->next = list;
    link->before = list->before;
    list->before->next = link;
    list->before = link;
}

// queue_remove takes [link] out of its list; harmless if it is in none.
static inline void
queue_remove (struct queue *link)
{
    link->next->before = link->before;
    link->before->next = link->next;
    queue_init (link);
}

// queue_first returns the first link, NULL if the list is empty.
static inline struct queue *
queue_first (const struct queue *list)
{
    return queue_is_empty (list) ? NULL : list->next;
}

// queue_splice moves everything in [from] to the end of [list].
static inline void
queue_splice (struct queue *list, struct queue *from)
{
    if (queue_is_empty (from)) return;
    from->next->before = list->before;
    list->before->next = from->next;
    from->before->next = list;
    list->before = from->before;
    queue_init (from);
}

#endif
