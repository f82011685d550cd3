// SPDX-License-Identifier: MPL-2.0
// walk_world.h has the surroundings of a random walk: time, paths that hold back, lose and double
// what is said, a gate that opens when records are safe, and crashes of the core that lose what
// was not. What the ends do is walk_client.c and walk_server.c.
#ifndef BATON_TESTS_WALK_WORLD_H
#define BATON_TESTS_WALK_WORLD_H

#include "tests/story/truth.h"
#include "tests/story/twin.h"

enum {
    LETTER_ITEMS_MAX = 8,
    LETTER_BODY_BYTES = 48,
    LETTER_RESTART_BYTES = 128,
    PATHS_MAX = 48,
    PATH_ITEMS_MAX = 512,
};

// One message on its way to the core, with the bytes that it views.
struct letter {
    struct msg msg;
    struct msg_part part;
    struct msg_request requests[LETTER_ITEMS_MAX];
    struct msg_response responses[LETTER_ITEMS_MAX];
    unsigned char bodies[LETTER_ITEMS_MAX * 2][LETTER_BODY_BYTES];
    unsigned char restart_data[LETTER_RESTART_BYTES];
    char names[2][16];
    unsigned char stored[64];
};

enum path_state { PATH_FREE = 0, PATH_OPEN = 1, PATH_LEFT = 2 };

struct path {
    enum path_state state; // LEFT: the end has gone, what it said may still arrive
    struct link_number link;
    const char *principal;
    struct letter *out[PATH_ITEMS_MAX]; // oldest first
    size_t out_count;
    struct effect in[PATH_ITEMS_MAX];
    size_t in_count;
};

// How rough a run is, drawn once for each seed.
struct weather {
    uint32_t loss, crash, process, pause, nonsense, shortage, refusal; // in 1 000 steps
};

struct world {
    struct twin twin;
    struct truth truth;
    struct weather weather;
    uint64_t chance;
    uint64_t now_ns;
    uint64_t utc_ms;
    uint64_t safe;        // records that a crash cannot lose
    uint64_t links;
    uint64_t nonces;
    enum { WORLD_ROUGH = 1, WORLD_CALM = 2 } phase;
    struct capacity capacity;
    struct path paths[PATHS_MAX];
    uint64_t steps, crashes, letters;
    struct core_counters counters; // over all reigns
};

#define NS_PER_MS 1000000u

void
world_init (struct world *world, uint64_t seed);

void
world_fini (struct world *world);

// world_draw returns a number below [count].
uint64_t
world_draw (struct world *world, uint64_t count);

// world_happens is true [per_mille] times in 1 000.
bool
world_happens (struct world *world, uint32_t per_mille);

// world_open makes a path; NULL if all are in use.
struct path *
world_open (struct world *world, const char *principal);

// world_leave drops the end's side of a path, what it was sent with it.
void
world_leave (struct world *world, struct path **path);

// letter_settle makes the views of [letter] point into it, after it was copied.
void
letter_settle (struct letter *letter);

// world_post puts a copy of [letter] behind what was said before on [path].
void
world_post (struct world *world, struct path *path, const struct letter *letter);

// world_carry delivers the oldest letter of [path] to the core, if there is one.
void
world_carry (struct world *world, struct path *path);

// world_take takes the oldest effect that arrived on [path]; the caller drops it.
bool
world_take (struct path *path, struct effect *effect);

// world_sync makes all records safe and lets go what waited for them.
void
world_sync (struct world *world);

// world_tick runs the core's timers if they are due.
void
world_tick (struct world *world);

// world_crash kills the core and starts another from what is safe.
void
world_crash (struct world *world);

// world_count adds the counters of the reign that ends.
void
world_count (struct world *world);

// world_trace prints a line if BATON_TRACE is set.
void
world_trace (const struct world *world, const char *format, ...)
#if defined(__GNUC__)
    __attribute__ ((format (printf, 2, 3)))
#endif
    ;

#endif
