// SPDX-License-Identifier: MPL-2.0
#include "tests/story/walk_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/story/render.h"

// A core that asks to go on more often than this in one go does not come to an end.
#define CONTINUES_MAX 10000u

uint64_t
world_draw (struct world *world, uint64_t count)
{
    uint64_t z = (world->chance += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % count;
}

bool
world_happens (struct world *world, uint32_t per_mille)
{
    return world_draw (world, 1000) < per_mille;
}

void
world_trace (const struct world *world, const char *format, ...)
{
    va_list arguments;

    if (!getenv ("BATON_TRACE")) return;
    fprintf (stderr, "%6llu ms %4llu: ", (unsigned long long) (world->now_ns / NS_PER_MS),
             (unsigned long long) core_last_index (world->twin.live).n);
    va_start (arguments, format);
    vfprintf (stderr, format, arguments);
    va_end (arguments);
    fputc ('\n', stderr);
}

// Each seed has its own limits: either the queue is the narrow place or the answers are. Both at
// once would hold up a client that must consume before it may ask.
static struct core_options
draw_options (struct world *world)
{
    struct core_options options;

    core_options_default (&options);
    options.group = (struct id) { 1, 1 };
    options.hash_seed = world_draw (world, 1000);
    options.body_max_bytes = LETTER_BODY_BYTES;
    options.restart_data_max_bytes = sizeof (struct truth_client_state);
    if (world_draw (world, 2)) {
        options.queue_max_count = 3 + world_draw (world, 6);
        options.queue_max_bytes = 100 + world_draw (world, 400);
    } else {
        options.responses_max_bytes = 1 + world_draw (world, 100);
    }
    options.attempts_max = 1 + (uint32_t) world_draw (world, 4);
    options.connections_max_count = 10 + (uint32_t) world_draw (world, 30);
    options.rebind_after_ms = 2000 + world_draw (world, 10000);
    options.offer_expire_ms = 10000 + world_draw (world, 60000);
    options.match_grace_ms = world_draw (world, 6000);
    options.session_life_ms = 20000 + world_draw (world, 200000);
    return options;
}

static struct weather
draw_weather (struct world *world)
{
    struct weather weather = { 0 };
    uint32_t *rates[] = {
        &weather.loss, &weather.crash, &weather.process, &weather.pause, &weather.nonsense,
        &weather.shortage, &weather.refusal,
    };

    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        const uint64_t kind = world_draw (world, 4);
        *rates[i] = kind == 0 ? 0 : (uint32_t) world_draw (world, kind == 3 ? 60 : 15);
    }
    return weather;
}

static void
step_more (struct world *world, struct core_step *step)
{
    struct event event = {
        .kind = EVENT_CONTINUE, .now_ns = world->now_ns, .utc_ms = world->utc_ms,
        .capacity = world->capacity,
    };

    for (uint32_t i = 0; step->rest == CORE_MORE; i++) {
        assert_true (i < CONTINUES_MAX);
        twin_step (&world->twin, &event, 0, step);
        if (step->record) {
            truth_apply (&world->truth, blob_view (step->record));
        }
    }
}

static struct path *
path_of (struct world *world, struct link_number link)
{
    for (size_t i = 0; i < PATHS_MAX; i++) {
        if (world->paths[i].state != PATH_FREE && world->paths[i].link.n == link.n) {
            return &world->paths[i];
        }
    }
    return NULL;
}

static void
release_one (struct world *world, struct effect *effect)
{
    struct path *path = path_of (world, effect->to);

    if (path && effect->kind == EFFECT_FORGET) {
        path->link.n = ++world->links;
    }
    if (!path || path->state != PATH_OPEN || effect->kind == EFFECT_FORGET) {
        effect_drop (&world->twin.memory.memory, effect);
        return;
    }
    assert_true (path->in_count < PATH_ITEMS_MAX);
    path->in[path->in_count++] = *effect;
}

// release lets go of all effects whose record is safe.
static void
release (struct world *world)
{
    struct effect_list *list = &world->twin.effects;
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].after.n > world->safe) {
            list->items[kept++] = list->items[i];
        } else {
            release_one (world, &list->items[i]);
        }
    }
    list->count = kept;
}

static void
trace_effects (const struct world *world, size_t from)
{
    static const struct render_names none;
    char line[RENDER_LINE_BYTES];

    if (!getenv ("BATON_TRACE")) return;
    for (size_t i = from; i < world->twin.effects.count; i++) {
        const struct effect *effect = &world->twin.effects.items[i];
        render_effect (effect, &none, line);
        world_trace (world, "    %llu <- %s", (unsigned long long) effect->to.n, line);
    }
}

static void
run (struct world *world, struct event *event)
{
    const size_t from = world->twin.effects.count;
    size_t fail_after = 0;
    struct core_step step;

    event->now_ns = world->now_ns;
    event->utc_ms = world->utc_ms;
    event->capacity = world->capacity;
    if (world->phase == WORLD_ROUGH && world_happens (world, world->weather.refusal * 4)) {
        fail_after = 1 + world_draw (world, 12);
    }
    twin_step (&world->twin, event, fail_after, &step);
    if (step.record) {
        truth_apply (&world->truth, blob_view (step.record));
    }
    step_more (world, &step);
    trace_effects (world, from);
    release (world);
}

void
world_init (struct world *world, uint64_t seed)
{
    memset (world, 0, sizeof *world);
    world->chance = seed;
    world->phase = WORLD_ROUGH;
    world->now_ns = 1000 * (uint64_t) NS_PER_MS;
    world->utc_ms = 1700000000000u;
    world->capacity = (struct capacity) { 1 << 30, 1 << 30, 1 << 30, 1 << 30 };
    const struct core_options options = draw_options (world);
    world->weather = draw_weather (world);
    twin_init (&world->twin, &options);
    truth_init (&world->truth);
    run (world, &(struct event) { .kind = EVENT_START });
}

static void
path_clear (struct world *world, struct path *path)
{
    for (size_t i = 0; i < path->out_count; i++) {
        free (path->out[i]);
    }
    for (size_t i = 0; i < path->in_count; i++) {
        effect_drop (&world->twin.memory.memory, &path->in[i]);
    }
    path->out_count = 0;
    path->in_count = 0;
}

void
world_fini (struct world *world)
{
    for (size_t i = 0; i < PATHS_MAX; i++) {
        path_clear (world, &world->paths[i]);
    }
    twin_fini (&world->twin);
}

struct path *
world_open (struct world *world, const char *principal)
{
    for (size_t i = 0; i < PATHS_MAX; i++) {
        struct path *path = &world->paths[i];
        if (path->state != PATH_FREE) continue;
        path->state = PATH_OPEN;
        path->link.n = ++world->links;
        path->principal = principal;
        return path;
    }
    return NULL;
}

void
world_leave (struct world *world, struct path **self)
{
    struct path *path = *self;

    *self = NULL;
    if (!path) return;
    for (size_t i = 0; i < path->in_count; i++) {
        effect_drop (&world->twin.memory.memory, &path->in[i]);
    }
    path->in_count = 0;
    path->state = PATH_LEFT;
    // What was said last may be lost, and the core may hear of the end of the path or not.
    while (path->out_count > 0 && world_draw (world, 3) == 0) {
        free (path->out[--path->out_count]);
    }
    const struct link_number link = path->link;
    const bool told = world_draw (world, 2);
    if (told) {
        path_clear (world, path);
    }
    if (path->out_count == 0) {
        path->state = PATH_FREE;
    }
    if (told) {
        run (world, &(struct event) { .kind = EVENT_LINK_LOST, .link = link });
    }
}

void
letter_settle (struct letter *letter)
{
    if (letter->msg.kind == MSG_COMMIT) {
        letter->msg.commit.restart_data.data = letter->restart_data;
        letter->msg.commit.parts = &letter->part;
        letter->part.requests = letter->requests;
        letter->part.responses = letter->responses;
    } else if (letter->msg.kind == MSG_HELLO) {
        letter->msg.hello.name.data = letter->names[0];
    } else if (letter->msg.kind == MSG_OPEN) {
        letter->msg.open.session.data = letter->names[0];
        letter->msg.open.actor.data = letter->names[1];
        letter->msg.open.requirement.data = letter->stored;
    } else if (letter->msg.kind == MSG_OFFER) {
        letter->msg.offer.set.data = letter->names[0];
        letter->msg.offer.attributes.data = letter->stored;
    }
    for (size_t i = 0; i < LETTER_ITEMS_MAX; i++) {
        letter->requests[i].body.data = letter->bodies[i];
        letter->responses[i].body.data = letter->bodies[LETTER_ITEMS_MAX + i];
    }
}

void
world_post (struct world *world, struct path *path, const struct letter *letter)
{
    struct letter *copy = malloc (sizeof *copy);

    assert_non_null (copy);
    *copy = *letter;
    letter_settle (copy);
    assert_true (path->out_count < PATH_ITEMS_MAX);
    path->out[path->out_count++] = copy;
    world->letters++;
}

void
world_carry (struct world *world, struct path *path)
{
    if (path->state == PATH_FREE || path->out_count == 0) return;
    struct letter *letter = path->out[0];
    memmove (path->out, path->out + 1, --path->out_count * sizeof *path->out);
    world_trace (world, "%llu -> %s", (unsigned long long) path->link.n,
                 msg_kind_name (letter->msg.kind));
    struct event event = {
        .kind = EVENT_MESSAGE,
        .link = path->link,
        .principal = { path->principal, strlen (path->principal) },
        .msg = &letter->msg,
    };
    run (world, &event);
    free (letter);
    if (path->state == PATH_LEFT && path->out_count == 0) {
        path->state = PATH_FREE;
    }
}

bool
world_take (struct path *path, struct effect *effect)
{
    if (!path || path->in_count == 0) return false;
    *effect = path->in[0];
    memmove (path->in, path->in + 1, --path->in_count * sizeof *path->in);
    return true;
}

void
world_sync (struct world *world)
{
    world->safe = world->twin.records_count;
    release (world);
}

void
world_tick (struct world *world)
{
    if (core_deadline_ns (world->twin.live) > world->now_ns) return;
    world_trace (world, "tick");
    run (world, &(struct event) { .kind = EVENT_TICK });
}

void
world_count (struct world *world)
{
    const struct core_counters *reign = core_counters (world->twin.live);

    for (size_t i = 0; i < CORE_REFUSALS_MAX; i++) {
        world->counters.refused[i] += reign->refused[i];
    }
    for (size_t i = 0; i < sizeof reign->busy / sizeof *reign->busy; i++) {
        world->counters.busy[i] += reign->busy[i];
    }
    world->counters.reloads += reign->reloads;
    world->counters.responses_dropped += reign->responses_dropped;
    world->counters.expired_sessions += reign->expired_sessions;
    world->counters.rejects += reign->rejects;
}

void
world_crash (struct world *world)
{
    const uint64_t unsafe = world->twin.records_count - world->safe;
    const uint64_t kept = world->safe + world_draw (world, unsafe + 1);

    twin_check_front (&world->twin);
    world_count (world);
    world_trace (world, "crash, %llu records kept", (unsigned long long) kept);
    twin_crash (&world->twin, kept);
    truth_init (&world->truth);
    for (size_t i = 0; i < kept; i++) {
        truth_apply (&world->truth, blob_view (world->twin.records[i]));
    }
    for (size_t i = 0; i < PATHS_MAX; i++) {
        world->paths[i].link.n = ++world->links;
    }
    world->safe = kept;
    world->crashes++;
    run (world, &(struct event) { .kind = EVENT_START });
}
