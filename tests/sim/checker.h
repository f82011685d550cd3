// SPDX-License-Identifier: MPL-2.0
// checker.h watches a world and stops it at the first broken invariant (invariant.h). What is cheap
// is looked at in every step; whole books are compared every so often, and at each restart and end.
//
// It has a core of its own, the twin, that gets each record when it is safe and never forgets it,
// and the truth (truth.h).
#ifndef BATON_TESTS_CHECKER_H
#define BATON_TESTS_CHECKER_H

#include "broker/core/core.h"
#include "tests/sim/heap.h"
#include "tests/sim/truth.h"

struct world;
struct process;

struct checker_record {
    uint64_t index;
    struct blob *bytes;
};

// Which server said HELLO over a link.
enum { CHECKER_LINKS_MAX = 256 };
struct checker_link {
    uint64_t link;
    char server[24];
};

struct checker {
    struct world *world;
    struct heap heap;
    struct core *twin;
    struct truth truth;
    // Records that were made and are not safe yet, oldest first.
    struct checker_record *made;
    size_t made_count;
    size_t made_room;
    uint64_t commit;       // of the running broker
    uint64_t epoch;        // that left last
    uint64_t looks_count;
    struct checker_link links[CHECKER_LINKS_MAX]; // by number, newer ones over older ones
};

void
checker_init (struct checker *checker, struct world *world);

void
checker_fini (struct checker *checker);

// checker_made takes note of a record that the core has just made.
void
checker_made (struct checker *checker, struct baton_bytes record);

// checker_safe is told the commit index, whenever it may have moved.
void
checker_safe (struct checker *checker, struct log_index commit);

// checker_released is told that all that may leave has left: what is safe is taken for good.
void
checker_released (struct checker *checker);

// checker_take_through gives the twin and the truth all records through [index], for checker.c and
// checker_leaves.c alone.
void
checker_take_through (struct checker *checker, uint64_t index);

// checker_leaves looks at one effect that has just left the gate; the commit index is known.
void
checker_leaves (struct checker *checker, const struct effect *effect);

// checker_hello is told which server speaks over a link.
void
checker_hello (struct checker *checker, struct link_number link, struct baton_bytes name);

// checker_crashed forgets what was not safe.
void
checker_crashed (struct checker *checker);

// checker_recovers is shown each record that a store gives back, in order.
void
checker_recovers (struct checker *checker, struct baton_bytes record);

// checker_recovered compares the core that was built from them with the twin.
void
checker_recovered (struct checker *checker, const struct core *live, struct log_index last);

// checker_looks compares the live book with the twin's and with the truth; all records are safe.
void
checker_looks (struct checker *checker, const struct core *live);

// checker_epoch looks at the epoch that an end follows.
void
checker_epoch (struct checker *checker, struct process *process, struct epoch epoch);

// checker_is_served tells whether nothing of [session] waits for a server. Where its client stays
// away for good, its requests may wait behind answers that nobody consumes.
bool
checker_is_served (const struct truth_session *session);

// checker_finished looks at the end, when all work is said to be done.
void
checker_finished (struct checker *checker, const struct core *live);

#endif
