// SPDX-License-Identifier: MPL-2.0
#include "tests/sim/calendar.h"

#include <stdlib.h>

void
calendar_fini (struct calendar *calendar)
{
    free (calendar->heap);
    *calendar = (struct calendar) { 0 };
}

static bool
is_before (const struct appointment *a, const struct appointment *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

void
calendar_add (struct calendar *calendar, uint64_t at_ns,
              void (*happen) (void *context, uint64_t number), void *context, uint64_t number)
{
    if (calendar->count == calendar->room) {
        calendar->room = calendar->room ? calendar->room * 2 : 256;
        calendar->heap = realloc (calendar->heap, calendar->room * sizeof *calendar->heap);
        if (!calendar->heap) abort ();
    }
    const struct appointment added = { at_ns, ++calendar->orders, happen, context, number };
    size_t at = calendar->count++;
    while (at > 0 && is_before (&added, &calendar->heap[(at - 1) / 2])) {
        calendar->heap[at] = calendar->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    calendar->heap[at] = added;
}

bool
calendar_take (struct calendar *calendar, struct appointment *next)
{
    if (calendar->count == 0) return false;
    *next = calendar->heap[0];
    const struct appointment moved = calendar->heap[--calendar->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= calendar->count) break;
        if (child + 1 < calendar->count
            && is_before (&calendar->heap[child + 1], &calendar->heap[child])) {
            child++;
        }
        if (!is_before (&calendar->heap[child], &moved)) break;
        calendar->heap[at] = calendar->heap[child];
        at = child;
    }
    calendar->heap[at] = moved;
    return true;
}
