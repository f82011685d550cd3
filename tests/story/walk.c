// SPDX-License-Identifier: MPL-2.0
// Goal: whatever ends, network and crashes do, nothing is lost, doubled or reordered, nothing
// stops the core, and once the weather is calm everything gets answered.
// Method: seeds of random lawful, late, doubled and senseless messages over a core that dies and is
// rebuilt from its records, with restart data that are chains over what was done (truth.h); after
// each step the replayed book must equal the live one (twin.h).
// BATON_SEED, BATON_SEEDS: from where, and how many; BATON_TRACE: tells each step.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/story/walk_end.h"
#include "tests/story/walk_stranger.h"

#include "broker/core/book.h"

#define MS ((uint64_t) NS_PER_MS)

enum {
    CLIENTS_COUNT = 3,
    SERVERS_COUNT = 3,
    PROCESSES = 2, // of one client or server at a time: the newer one fences the older
    ROUGH_STEPS = 1500,
    CALM_ROUNDS = 60000,
    SEEDS_COUNT = 150,
};

struct walk {
    struct world world;
    struct walk_client clients[CLIENTS_COUNT][PROCESSES];
    struct walk_server servers[SERVERS_COUNT][PROCESSES];
    struct stranger strangers[2];
};

static uint64_t running_seed;

static void
start_missing (struct walk *walk)
{
    for (uint32_t i = 0; i < CLIENTS_COUNT; i++) {
        struct walk_client *both = walk->clients[i];
        if (!both[0].end.process && !both[1].end.process) {
            walk_client_start (&walk->world, &both[0], i);
        }
    }
    for (uint32_t i = 0; i < SERVERS_COUNT; i++) {
        struct walk_server *both = walk->servers[i];
        if (!both[0].end.process && !both[1].end.process) {
            walk_server_start (&walk->world, &both[0], i);
        }
    }
}

// Processes die, take their leave, or are started a second time while the first still runs.
static void
disturb_processes (struct walk *walk)
{
    struct world *world = &walk->world;
    struct walk_client *client =
        &walk->clients[world_draw (world, CLIENTS_COUNT)][world_draw (world, PROCESSES)];
    const uint32_t who = (uint32_t) world_draw (world, SERVERS_COUNT);
    struct walk_server *server = &walk->servers[who][world_draw (world, PROCESSES)];

    if (world_draw (world, 2)) {
        if (client->end.process) {
            walk_end_stop (world, &client->end);
        } else {
            const ptrdiff_t row = (client - &walk->clients[0][0]) / PROCESSES;
            walk_client_start (world, client, (uint32_t) row);
        }
    } else if (!server->end.process) {
        walk_server_start (world, server, who);
    } else if (world_draw (world, 2)) {
        walk_end_stop (world, &server->end);
    } else {
        walk_server_goodbye (world, server);
    }
}

static struct walk_end *
draw_end (struct walk *walk)
{
    struct world *world = &walk->world;
    const uint64_t process = world_draw (world, PROCESSES);

    if (world_draw (world, 2)) {
        return &walk->clients[world_draw (world, CLIENTS_COUNT)][process].end;
    }
    return &walk->servers[world_draw (world, SERVERS_COUNT)][process].end;
}

// A message is said twice: the path repeats its oldest one at its end.
static void
double_letter (struct world *world, struct path *path)
{
    if (path->state != PATH_OPEN || path->out_count == 0 || path->out_count > 200) return;
    const enum msg_kind kind = path->out[0]->msg.kind;
    if (kind == MSG_COMMIT || kind == MSG_HEARTBEAT || kind == MSG_CLOSE) {
        const struct letter copy = *path->out[0];
        world_post (world, path, &copy);
    }
}

static void
pass_time (struct world *world)
{
    uint64_t ms = world_draw (world, 30);

    if (world->phase == WORLD_ROUGH && world_happens (world, world->weather.pause)) {
        ms = world_draw (world, 20000);
    }
    world->now_ns += ms * MS;
    world->utc_ms += ms;
}

static void
draw_capacity (struct world *world)
{
    world->capacity = (struct capacity) { 1 << 30, 1 << 30, 1 << 30, 1 << 30 };
    if (!world_happens (world, world->weather.shortage * 10)) return;
    if (world_draw (world, 2)) {
        world->capacity.memory_free_bytes = world_draw (world, 1 << 28);
    } else {
        world->capacity.disk_free_bytes = world_draw (world, 1 << 26);
    }
}

static void
disturb (struct walk *walk)
{
    struct world *world = &walk->world;
    struct walk_end *end = draw_end (walk);

    if (world_happens (world, world->weather.process)) {
        disturb_processes (walk);
    }
    if (world_happens (world, world->weather.loss) && end->path) {
        walk_end_leave (world, end);
    }
    if (world_happens (world, world->weather.loss)) {
        double_letter (world, &world->paths[world_draw (world, PATHS_MAX)]);
    }
    if (world_happens (world, world->weather.crash)) {
        world_crash (world);
    }
    if (world_happens (world, world->weather.nonsense * 10)) {
        stranger_act (world, &walk->strangers[world_draw (world, 2)]);
    }
    if (world_draw (world, 50) == 0) {
        draw_capacity (world);
    }
    if (world_draw (world, 50) == 0) {
        start_missing (walk);
    }
}

static void
act_all (struct walk *walk, uint32_t per_mille)
{
    struct world *world = &walk->world;

    for (uint32_t i = 0; i < CLIENTS_COUNT * PROCESSES; i++) {
        struct walk_client *client = &walk->clients[0][0] + i;
        if (!world_happens (world, per_mille)) continue;
        while (client->end.process && walk_client_take (world, client)) {}
        if (client->end.process) {
            walk_client_act (world, client);
        }
    }
    for (uint32_t i = 0; i < SERVERS_COUNT * PROCESSES; i++) {
        struct walk_server *server = &walk->servers[0][0] + i;
        if (!world_happens (world, per_mille)) continue;
        while (server->end.process && walk_server_take (world, server)) {}
        if (server->end.process) {
            walk_server_act (world, server);
        }
    }
    stranger_take (world, &walk->strangers[0]);
    stranger_take (world, &walk->strangers[1]);
}

static void
carry_all (struct world *world, uint32_t per_mille)
{
    for (size_t i = 0; i < PATHS_MAX; i++) {
        while (world_happens (world, per_mille) && world->paths[i].out_count > 0) {
            world_carry (world, &world->paths[i]);
        }
    }
}

static void
walk_rough (struct walk *walk)
{
    struct world *world = &walk->world;

    for (uint32_t i = 0; i < ROUGH_STEPS; i++) {
        disturb (walk);
        act_all (walk, 200);
        carry_all (world, 300);
        if (world_draw (world, 3) == 0) {
            world_sync (world);
        }
        pass_time (world);
        if (world_draw (world, 4) > 0) {
            world_tick (world);
        }
        world->steps++;
        if (world_draw (world, 100) == 0) {
            twin_check_front (&world->twin);
        }
    }
}

static bool
all_is_answered (const struct walk *walk)
{
    const struct truth *truth = &walk->world.truth;

    for (uint32_t i = 0; i < truth->sessions_count; i++) {
        const struct truth_session *session = &truth->sessions[i];
        if (id_is_none (session->id)) continue;
        if (session->responses_count < session->requests_count) return false;
        if (session->client_share.consumed < session->responses_count) return false;
    }
    for (uint32_t i = 0; i < CLIENTS_COUNT * PROCESSES; i++) {
        const struct walk_client *client = &walk->clients[0][0] + i;
        if (client->end.process && client->actor.window_count > 0) return false;
    }
    return true;
}

// tell_left says what was not finished, for who looks for the cause.
static void
tell_left (const struct walk *walk)
{
    const struct truth *truth = &walk->world.truth;

    for (uint32_t i = 0; i < truth->sessions_count; i++) {
        const struct truth_session *session = &truth->sessions[i];
        if (id_is_none (session->id)) continue;
        print_message ("session #%llx of c%u at %s: %llu requests, %llu consumed, %llu responses,"
                       " %llu consumed\n", (unsigned long long) session->id.low, session->client,
                       session->server, (unsigned long long) session->requests_count,
                       (unsigned long long) session->server_state.consumed,
                       (unsigned long long) session->responses_count,
                       (unsigned long long) session->client_share.consumed);
    }
}

static void
calm_down (struct walk *walk)
{
    struct world *world = &walk->world;

    world->phase = WORLD_CALM;
    world->capacity = (struct capacity) { 1 << 30, 1 << 30, 1 << 30, 1 << 30 };
    world_leave (world, &walk->strangers[0].path);
    world_leave (world, &walk->strangers[1].path);
    for (uint32_t i = 0; i < CALM_ROUNDS && !all_is_answered (walk); i++) {
        start_missing (walk);
        act_all (walk, 1000);
        carry_all (world, 1000);
        world_sync (world);
        world_tick (world);
        world->now_ns += 10 * MS;
        world->utc_ms += 10;
    }
    if (!all_is_answered (walk)) {
        tell_left (walk);
        fail_msg ("not everything was answered in calm weather");
    }
}

struct sums {
    uint64_t records, accepted, answered, given_up, rebound, crashes, refused_allocations;
    struct core_counters counters;
};

static void
add_counters (struct sums *sums, const struct core_counters *counters)
{
    for (size_t i = 0; i < CORE_REFUSALS_MAX; i++) {
        sums->counters.refused[i] += counters->refused[i];
    }
    for (size_t i = 0; i < sizeof counters->busy / sizeof *counters->busy; i++) {
        sums->counters.busy[i] += counters->busy[i];
    }
    sums->counters.reloads += counters->reloads;
    sums->counters.responses_dropped += counters->responses_dropped;
    sums->counters.expired_sessions += counters->expired_sessions;
    sums->counters.rejects += counters->rejects;
}

// A walk that never meets a refusal is blind to it.
static void
check_sight (const struct sums *sums)
{
    static const enum refusal wanted[] = {
        REFUSAL_BUSY, REFUSAL_HELLO_FIRST, REFUSAL_NO_MATCH, REFUSAL_GAP, REFUSAL_DUPLICATE,
        REFUSAL_FENCED, REFUSAL_OLD_EPOCH, REFUSAL_NO_SUCH_SESSION, REFUSAL_DENIED,
        REFUSAL_MALFORMED, REFUSAL_UNAVAILABLE,
    };

    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        print_message ("%s %llu, ", refusal_name (wanted[i]),
                       (unsigned long long) sums->counters.refused[wanted[i]]);
        assert_true (sums->counters.refused[wanted[i]] > 0);
    }
    for (int i = BUSY_QUEUE; i <= BUSY_RATE; i++) {
        assert_true (sums->counters.busy[i] > 0);
    }
    assert_true (sums->counters.reloads > 0);
    assert_true (sums->counters.expired_sessions > 0);
    assert_true (sums->counters.rejects > 0);
    print_message ("reloads %llu, second answers %llu, expired sessions %llu\n",
                   (unsigned long long) sums->counters.reloads,
                   (unsigned long long) sums->counters.responses_dropped,
                   (unsigned long long) sums->counters.expired_sessions);
}

static void
walk_seed (uint64_t seed, struct sums *sums)
{
    struct walk *walk = calloc (1, sizeof *walk);

    assert_non_null (walk);
    world_init (&walk->world, seed);
    walk->strangers[0].role = END_CLIENT;
    walk->strangers[1].role = END_SERVER;
    start_missing (walk);
    walk_rough (walk);
    calm_down (walk);
    twin_check_front (&walk->world.twin);
    sums->records += walk->world.twin.records_count;
    sums->accepted += walk->world.truth.accepted;
    sums->answered += walk->world.truth.answered;
    sums->given_up += walk->world.truth.given_up;
    sums->rebound += walk->world.truth.rebound;
    sums->crashes += walk->world.crashes;
    sums->refused_allocations += walk->world.twin.refused_allocations;
    world_count (&walk->world);
    add_counters (sums, &walk->world.counters);
    world_fini (&walk->world);
    free (walk);
}

static void
whatever_happens_each_request_is_answered_once (void **state)
{
    const char *given = getenv ("BATON_SEED");
    const char *count = getenv ("BATON_SEEDS");
    const uint64_t first = given ? strtoull (given, NULL, 10) : 1;
    const uint64_t seeds = count ? strtoull (count, NULL, 10) : given ? 1 : SEEDS_COUNT;
    struct sums sums = { 0 };

    (void) state;
    for (running_seed = first; running_seed < first + seeds; running_seed++) {
        walk_seed (running_seed, &sums);
    }
    running_seed = 0;
    print_message ("BATON_SEED=%llu BATON_SEEDS=%llu: each seed %llu records, %llu requests,"
                   " %llu answers, %llu given up, %llu rebound, %llu crashes,"
                   " %llu refused allocations\n",
                   (unsigned long long) first, (unsigned long long) seeds,
                   (unsigned long long) (sums.records / seeds),
                   (unsigned long long) (sums.accepted / seeds),
                   (unsigned long long) (sums.answered / seeds),
                   (unsigned long long) (sums.given_up / seeds),
                   (unsigned long long) (sums.rebound / seeds),
                   (unsigned long long) (sums.crashes / seeds),
                   (unsigned long long) (sums.refused_allocations / seeds));
    if (seeds >= SEEDS_COUNT) {
        check_sight (&sums);
    }
}

static int
name_the_seed (void **state)
{
    (void) state;
    if (running_seed) print_message ("it was BATON_SEED=%llu\n", (unsigned long long) running_seed);
    return 0;
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown (whatever_happens_each_request_is_answered_once, name_the_seed),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
