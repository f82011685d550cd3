// SPDX-License-Identifier: MPL-2.0
// twin.h has a core under test beside a second one that is fed by core_replay with the records
// of the first. Every step is held against what must always be true: the book passes its own
// check, the replayed book equals the live one, numbers only rise, no effect rests on a record
// that does not exist yet, a refused allocation changes nothing.
#ifndef BATON_TESTS_TWIN_H
#define BATON_TESTS_TWIN_H

#include "broker/core/core.h"
#include "tests/support/memory_fail.h"

enum { TWIN_RECORDS_MAX = 16384 };
// Instead of a number: refuse the first allocation, then the second, and so on, until the step
// is done without asking for that many.
#define TWIN_FAIL_EACH SIZE_MAX

struct twin {
    struct memory_fail memory; // of the live core and its effects
    struct memory_fail mirror_memory;
    struct core_options options;
    struct core *live;
    struct core *mirror;
    struct effect_list effects;              // of the steps since the last clear
    struct blob *records[TWIN_RECORDS_MAX];  // the log, from index 1
    size_t records_count;
    struct epoch epoch;
    uint64_t fresh;                          // makes ids
    uint64_t refused_allocations;
};

void
twin_init (struct twin *twin, const struct core_options *options);

// twin_fini frees all and fails the test if something leaked.
void
twin_fini (struct twin *twin);

// twin_step runs one event and checks. Returns what core_step said in [step]; the record is the
// twin's. With [fail_after] > 0 the allocation of that number is refused first, and the step is
// done again.
void
twin_step (struct twin *twin, const struct event *event, size_t fail_after,
           struct core_step *step);

// twin_crash throws both cores away and builds them again from the first [kept] records.
void
twin_crash (struct twin *twin, size_t kept);

// twin_check_front shows that the log may be cut where the core says: what is left of it gives the
// same book.
void
twin_check_front (struct twin *twin);

// twin_id makes an id that was never given before.
struct id
twin_id (struct twin *twin);

#endif
