// SPDX-License-Identifier: MPL-2.0
// calendar.h has what is going to happen, by virtual time; of two things at the same time the one
// that was planned first comes first.
#ifndef BATON_TESTS_CALENDAR_H
#define BATON_TESTS_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What is called when the time has come; [number] is what the planner gave, to tell an outdated
// appointment from a good one.
struct appointment {
    uint64_t at_ns;
    uint64_t order;
    void (*happen) (void *context, uint64_t number);
    void *context;
    uint64_t number;
};

struct calendar {
    struct appointment *heap;
    size_t count;
    size_t room;
    uint64_t orders;
};

void
calendar_fini (struct calendar *calendar);

void
calendar_add (struct calendar *calendar, uint64_t at_ns,
              void (*happen) (void *context, uint64_t number), void *context, uint64_t number);

// calendar_take takes the next appointment; false if there is none.
bool
calendar_take (struct calendar *calendar, struct appointment *next);

#endif
