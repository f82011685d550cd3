// SPDX-License-Identifier: MPL-2.0
// walk_stranger.h has two ends that say anything: a client and a server of another principal,
// with ids, incarnations and versions that they saw, guessed or made up. Nothing that they do may
// stop the core or touch the sessions of others.
#ifndef BATON_TESTS_WALK_STRANGER_H
#define BATON_TESTS_WALK_STRANGER_H

#include "tests/story/walk_world.h"

enum { STRANGER_SEEN_MAX = 8 };

struct stranger_seen {
    struct id session;
    struct id actor;
    uint64_t incarnation;
    uint64_t version;
};

struct stranger {
    enum end_role role;
    struct id instance;
    struct path *path;
    struct epoch epoch;
    struct stranger_seen seen[STRANGER_SEEN_MAX]; // newest last
    uint32_t seen_count;
};

// stranger_act says one thing, most of the time nonsense.
void
stranger_act (struct world *world, struct stranger *stranger);

// stranger_take learns from what arrived.
void
stranger_take (struct world *world, struct stranger *stranger);

#endif
