// SPDX-License-Identifier: MPL-2.0
#include "tests/sim/net.h"

#include "tests/sim/broker.h"
#include "tests/sim/process.h"

#include <stdlib.h>
#include <string.h>

// What a copy of an old frame may be at most; larger ones do not come again.
#define AGAIN_BYTES_MAX 4096u
// Of OPEN, HELLO and COMMIT: how many are cut off on their way, in worlds with cuts.
#define CUTS_PER_MILLE 15u

static struct parcel *
parcel_new (const void *bytes, size_t size)
{
    struct parcel *parcel = malloc (sizeof *parcel + size);

    if (!parcel) abort ();
    parcel->next = NULL;
    parcel->at_ns = 0;
    parcel->size = size;
    memcpy (parcel->bytes, bytes, size);
    return parcel;
}

static void
pipe_push (struct pipe *pipe, struct parcel *parcel)
{
    parcel->next = NULL;
    if (pipe->last) {
        pipe->last->next = parcel;
    } else {
        pipe->first = parcel;
    }
    pipe->last = parcel;
    pipe->count++;
}

static struct parcel *
pipe_pop (struct pipe *pipe)
{
    struct parcel *parcel = pipe->first;

    if (!parcel) return NULL;
    pipe->first = parcel->next;
    if (!pipe->first) {
        pipe->last = NULL;
    }
    pipe->count--;
    return parcel;
}

// Frees all but the first [kept].
static void
pipe_cut (struct pipe *pipe, uint32_t kept)
{
    struct pipe all = *pipe;
    struct parcel *parcel;

    pipe->first = NULL;
    pipe->last = NULL;
    pipe->count = 0;
    for (uint32_t i = 0; i < kept; i++) {
        pipe_push (pipe, pipe_pop (&all));
    }
    while ((parcel = pipe_pop (&all))) {
        free (parcel);
    }
}

void
net_init (struct net *net, struct world *world)
{
    *net = (struct net) { .world = world };
}

static void
connection_free (struct net *net, struct connection *connection)
{
    struct connection **at = &net->connections;

    while (*at != connection) {
        at = &(*at)->next;
    }
    *at = connection->next;
    pipe_cut (&connection->up, 0);
    pipe_cut (&connection->down, 0);
    free (connection);
}

void
net_fini (struct net *net)
{
    while (net->connections) {
        connection_free (net, net->connections);
    }
    for (uint32_t i = 0; i < net->world->processes_count; i++) {
        struct line *line = &net->world->processes[i]->line;
        pipe_cut (&line->waiting, 0);
        free (line->again);
        line->again = NULL;
    }
}

static struct connection *
connection_at (const struct net *net, uint64_t address)
{
    struct connection *connection = net->connections;

    while (connection && connection->address != address) {
        connection = connection->next;
    }
    return connection;
}

struct process *
net_process_at (const struct net *net, uint64_t address)
{
    const struct connection *connection = connection_at (net, address);

    return connection ? connection->process : NULL;
}

static void
settle (struct net *net, struct connection *connection)
{
    if (connection->state == CONNECTION_DROPPED && !connection->up.first
        && !connection->down.first) {
        connection_free (net, connection);
    }
}

static void deliver_up (void *context, uint64_t address);
static void deliver_down (void *context, uint64_t address);

static void
plan_delivery (struct connection *connection, struct pipe *pipe)
{
    struct world *world = connection->world;
    uint64_t at_ns = pipe->first ? pipe->first->at_ns : 0;

    if (!pipe->first || pipe->planned) return;
    if (at_ns < pipe->cut_until_ns) {
        at_ns = pipe->cut_until_ns;
    }
    if (at_ns < world->net.jammed_until_ns) {
        at_ns = world->net.jammed_until_ns;
    }
    pipe->planned = true;
    calendar_add (&world->calendar, at_ns, pipe == &connection->up ? deliver_up : deliver_down,
                  world, connection->address);
}

// The next frame of [pipe] if it may arrive now; else it is planned anew.
static struct parcel *
take_due (struct connection *connection, struct pipe *pipe)
{
    const struct world *world = connection->world;

    pipe->planned = false;
    if (!pipe->first) return NULL;
    if (world->now_ns < pipe->cut_until_ns || world->now_ns < world->net.jammed_until_ns
        || world->now_ns < pipe->first->at_ns) {
        plan_delivery (connection, pipe);
        return NULL;
    }
    struct parcel *parcel = pipe_pop (pipe);
    plan_delivery (connection, pipe);
    return parcel;
}

static void
deliver_up (void *context, uint64_t address)
{
    struct world *world = context;
    struct connection *connection = connection_at (&world->net, address);

    if (!connection) return;
    struct parcel *parcel = take_due (connection, &connection->up);
    settle (&world->net, connection);
    if (parcel) {
        broker_arrive (world->broker, address, parcel);
    }
}

static void
deliver_down (void *context, uint64_t address)
{
    struct world *world = context;
    struct connection *connection = connection_at (&world->net, address);

    if (!connection) return;
    struct process *process = connection->process;
    const uint64_t line_number = connection->line_number;
    struct parcel *parcel = take_due (connection, &connection->down);
    settle (&world->net, connection);
    if (!parcel) return;
    if (process->state == PROCESS_RUNS && process->line.number == line_number) {
        process_arrive (process, parcel);
    } else {
        free (parcel);
    }
}

static void
push (struct connection *connection, struct pipe *pipe, struct parcel *parcel)
{
    struct world *world = connection->world;
    const uint64_t delay_us
        = 20 + choice_draw (world->choices, CHOICE_DELAY, "delay", world->plan.delay_max_us);
    uint64_t at_ns = world->now_ns + delay_us * US_NS;

    if (at_ns < pipe->last_ns) {
        at_ns = pipe->last_ns;
    }
    pipe->last_ns = at_ns;
    parcel->at_ns = at_ns;
    pipe_push (pipe, parcel);
    plan_delivery (connection, pipe);
}

// An end reads its connections one after the other: what an old one still carries comes before all
// that the next one brings, or is lost.
static void
lose_late (struct net *net, const struct process *process)
{
    struct connection *next;

    for (struct connection *each = net->connections; each; each = next) {
        next = each->next;
        if (each->process != process || each->state == CONNECTION_OPEN) continue;
        pipe_cut (&each->down, 0);
        settle (net, each);
    }
}

static void
send_again (struct world *world, struct line *line)
{
    if (!line->again) return;
    push (line->connection, &line->connection->up, line->again);
    line->again = NULL;
    world_sometimes (world, SOMETIMES_FRAME_REPEATED);
}

static void
connect_now (void *context, uint64_t line_number)
{
    struct process *process = context;
    struct world *world = process->world;
    struct line *line = &process->line;
    struct parcel *parcel;

    if (line->number != line_number || !line->connecting) return;
    line->connecting = false;
    if (!broker_is_up (world->broker)) return;
    lose_late (&world->net, process);
    struct connection *connection = calloc (1, sizeof *connection);
    if (!connection) abort ();
    connection->world = world;
    connection->address = ++world->net.addresses;
    connection->process = process;
    connection->line_number = line->number;
    connection->state = CONNECTION_OPEN;
    connection->next = world->net.connections;
    world->net.connections = connection;
    line->connection = connection;
    while ((parcel = pipe_pop (&line->waiting))) {
        push (connection, &connection->up, parcel);
    }
    send_again (world, line);
}

static void
connect_soon (struct process *process)
{
    struct world *world = process->world;
    struct line *line = &process->line;

    if (line->connecting || line->connection || !broker_is_up (world->broker)) return;
    line->connecting = true;
    const uint64_t wait_ms = choice_draw (world->choices, CHOICE_DELAY, "connect", 150);
    calendar_add (&world->calendar, world->now_ns + wait_ms * MS_NS, connect_now, process,
                  line->number);
}

// Drops [connection]; of what is on its way in each direction the newest may be lost, at most
// [lost_max] frames.
static void
drop_losing (struct net *net, struct connection *connection, uint32_t lost_max)
{
    struct world *world = net->world;
    struct pipe *pipes[] = { &connection->up, &connection->down };

    for (uint32_t i = 0; i < 2; i++) {
        const uint32_t most = pipes[i]->count < lost_max ? pipes[i]->count : lost_max;
        const uint32_t lost = choice_draw (world->choices, CHOICE_DROP, "frames lost", most + 1);
        pipe_cut (pipes[i], pipes[i]->count - lost);
    }
    connection->state = CONNECTION_DROPPED;
    if (connection->process->line.connection == connection) {
        connection->process->line.connection = NULL;
    }
    settle (net, connection);
}

static void
drop (struct net *net, struct connection *connection)
{
    drop_losing (net, connection, UINT32_MAX);
}

void
net_hang_up (struct net *net, struct process *process)
{
    struct line *line = &process->line;

    if (line->connection) {
        drop (net, line->connection);
    }
    pipe_cut (&line->waiting, 0);
    line->number = 0;
    line->connecting = false;
}

void
net_dial (struct net *net, struct process *process)
{
    net_hang_up (net, process);
    process->line.number = ++net->lines;
    connect_soon (process);
}

// An old frame may come again, on this connection or a later one, as an end's resend would.
static void
keep_for_again (struct world *world, struct line *line, const void *bytes, size_t size)
{
    if (line->again || size > AGAIN_BYTES_MAX || world->phase != WORLD_ROUGH) return;
    if (line->times == FRAME_ONCE) return;
    if (choice_chance (world->choices, CHOICE_TWICE, "frame again", world->plan.twice_per_mille)) {
        line->again = parcel_new (bytes, size);
    }
}

// Holds [pipe] up for a while, as far as the plan has cuts at all.
static uint64_t
cut_pipe (struct world *world, struct pipe *pipe)
{
    const uint64_t cut_ms = choice_draw (world->choices, CHOICE_CUT, "cut",
                                         2 * world->plan.options.end_silent_ms);

    pipe->cut_until_ns = world->now_ns + cut_ms * MS_NS;
    world_sometimes (world, SOMETIMES_ONE_WAY_CUT);
    return cut_ms;
}

// What an end says once, and waits for the answer, is what hurts most when it arrives late, behind
// the same from a newer connection.
static void
cut_behind (struct world *world, struct line *line)
{
    struct connection *connection = line->connection;
    struct process *process = connection->process;
    const bool stumbles = line->stumbles && line->times == FRAME_OPENS;

    if (line->times == FRAME_ONCE || world->plan.rates[FAULT_CUT] == 0) return;
    if (!stumbles && (world->phase != WORLD_ROUGH
                      || !choice_chance (world->choices, CHOICE_CUT, "cut with it",
                                         CUTS_PER_MILLE))) {
        return;
    }
    line->stumbles = false;
    (void) cut_pipe (world, &connection->up);
    if (stumbles || choice_draw (world->choices, CHOICE_CUT, "and drops", 2)) {
        drop_losing (&world->net, connection, stumbles ? 0 : UINT32_MAX);
        connect_soon (process);
    }
}

bool
net_send_up (struct net *net, struct process *process, const void *bytes, size_t size)
{
    struct world *world = net->world;
    struct line *line = &process->line;
    const uint32_t queued = line->connection ? line->connection->up.count : line->waiting.count;

    if (queued >= world->plan.hwm_count) return false;
    keep_for_again (world, line, bytes, size);
    if (line->connection) {
        push (line->connection, &line->connection->up, parcel_new (bytes, size));
        if (line->again && choice_draw (world->choices, CHOICE_TWICE, "on this line", 4) == 3) {
            send_again (world, line);
        }
        cut_behind (world, line);
    } else {
        pipe_push (&line->waiting, parcel_new (bytes, size));
        connect_soon (process);
    }
    return true;
}

bool
net_send_down (struct net *net, uint64_t address, const void *bytes, size_t size)
{
    struct connection *connection = connection_at (net, address);

    if (!connection || connection->state != CONNECTION_OPEN) return false;
    push (connection, &connection->down, parcel_new (bytes, size));
    return true;
}

static struct connection *
any_open (struct net *net, uint32_t stream)
{
    struct connection *connection = net->connections;
    uint32_t count = 0;

    for (const struct connection *each = connection; each; each = each->next) {
        count += each->state == CONNECTION_OPEN;
    }
    if (count == 0) return NULL;
    uint32_t which = choice_draw (net->world->choices, stream, "which connection", count);
    for (;; connection = connection->next) {
        if (connection->state != CONNECTION_OPEN) continue;
        if (which-- == 0) return connection;
    }
}

void
net_drop (struct net *net)
{
    struct connection *connection = any_open (net, CHOICE_DROP);

    if (!connection) return;
    struct process *process = connection->process;
    world_tell (net->world, process->name, "connection %llu drops",
                (unsigned long long) connection->address);
    drop (net, connection);
    connect_soon (process);
    world_sometimes (net->world, SOMETIMES_LINK_DROPPED);
}

void
net_drop_all (struct net *net)
{
    struct connection *next;

    for (struct connection *each = net->connections; each; each = next) {
        next = each->next;
        // Nobody takes what was on its way up.
        pipe_cut (&each->up, 0);
        if (each->state == CONNECTION_OPEN) {
            drop (net, each);
        } else {
            settle (net, each);
        }
    }
}

void
net_broker_is_up (struct net *net)
{
    for (uint32_t i = 0; i < net->world->processes_count; i++) {
        struct process *process = net->world->processes[i];
        if (process->state != PROCESS_RUNS || process->line.number == 0) continue;
        process->line.connecting = false;
        connect_soon (process);
    }
}

void
net_cut (struct net *net)
{
    struct world *world = net->world;
    struct connection *connection = any_open (net, CHOICE_CUT);

    if (!connection) return;
    const bool down = choice_draw (world->choices, CHOICE_CUT, "direction", 2);
    struct pipe *pipe = down ? &connection->down : &connection->up;
    const uint64_t cut_ms = cut_pipe (world, pipe);
    world_tell (world, connection->process->name, "cut %s the broker for %llu ms",
                down ? "from" : "to", (unsigned long long) cut_ms);
}

void
net_jam (struct net *net)
{
    struct world *world = net->world;
    const uint64_t jam_ms = choice_draw (world->choices, CHOICE_CUT, "jam",
                                         2 * world->plan.options.end_silent_ms);

    net->jammed_until_ns = world->now_ns + jam_ms * MS_NS;
    world_tell (world, "net", "nothing moves for %llu ms", (unsigned long long) jam_ms);
}

void
net_stumble (struct net *net)
{
    struct world *world = net->world;

    if (world->plan.rates[FAULT_CUT] == 0) return;
    for (uint32_t i = 0; i < world->processes_count; i++) {
        struct process *process = world->processes[i];
        if (process->state != PROCESS_RUNS || !process_has_seat (process)
            || !process->line.connection) {
            continue;
        }
        if (choice_draw (world->choices, CHOICE_CUT, "stumbles", 4) == 3) {
            process->line.stumbles = true;
            drop (net, process->line.connection);
            connect_soon (process);
        }
    }
}

void
net_heal (struct net *net)
{
    net->jammed_until_ns = 0;
    for (struct connection *each = net->connections; each; each = each->next) {
        // What an old connection still carries may come when all is quiet again.
        const uint32_t late_ms = each->state == CONNECTION_DROPPED && each->up.first
            ? choice_draw (net->world->choices, CHOICE_CUT, "late",
                           2 * net->world->plan.options.end_silent_ms) : 0;
        each->up.cut_until_ns = late_ms ? net->world->now_ns + late_ms * MS_NS : 0;
        each->down.cut_until_ns = 0;
    }
}
