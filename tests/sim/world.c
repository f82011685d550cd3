// SPDX-License-Identifier: MPL-2.0
#include "tests/sim/world.h"

#include "tests/sim/application.h"
#include "tests/sim/broker.h"
#include "tests/sim/describe.h"
#include "tests/sim/process.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

// Each kind of fault may strike in one step of so many, so that rates can be small.
#define FAULT_PHASES 4u
// A healed world that needs more than this stands still, whatever the clock says.
#define HEALED_STEPS_MAX 400000u

static struct memory_owner { struct memory memory; } plain;

static void *
plain_alloc (void *context, size_t size_bytes)
{
    (void) context;
    return malloc (size_bytes);
}

static void
plain_release (void *context, void *data, size_t size_bytes)
{
    (void) context;
    (void) size_bytes;
    free (data);
}

static void
add_seats (struct world *world, uint32_t count, enum end_role role, enum seat_kind kind)
{
    for (uint32_t i = 0; i < count; i++) {
        struct seat *seat = &world->seats[world->seats_count];
        seat->world = world;
        seat->number = world->seats_count++;
        seat->role = role;
        seat->kind = kind;
    }
}

struct world *
world_new (struct choices *choices, const struct sim_options *options)
{
    struct world *world = calloc (1, sizeof *world);

    if (!world) abort ();
    world->choices = choices;
    world->chart = options->chart;
    world->steps_max = options->steps_max;
    world->phase = WORLD_ROUGH;
    world->now_ns = 1000 * MS_NS;
    plan_draw (&world->plan, choices);
    plain.memory = (struct memory) { plain_alloc, plain_release, NULL };
    world->decoder = wire_decoder_new (&plain.memory, WIRE_ARENA_BYTES);
    world->limits = (struct wire_limits) {
        .frame_max_bytes = world->plan.batch_max_bytes - world->plan.record_room_bytes,
        .body_max_bytes = world->plan.options.body_max_bytes,
        .restart_data_max_bytes = world->plan.options.restart_data_max_bytes,
    };
    net_init (&world->net, world);
    checker_init (&world->checker, world);
    world->broker = broker_new (world);
    add_seats (world, world->plan.servers_count, END_SERVER, SEAT_HONEST);
    add_seats (world, world->plan.clients_count, END_CLIENT, SEAT_HONEST);
    add_seats (world, world->plan.attackers_count, END_CLIENT, SEAT_ATTACKER);
    return world;
}

void
world_free (struct world **self)
{
    struct world *world = *self;

    *self = NULL;
    net_fini (&world->net);
    for (uint32_t i = 0; i < world->processes_count; i++) {
        process_free (&world->processes[i]);
    }
    broker_free (&world->broker);
    checker_fini (&world->checker);
    calendar_fini (&world->calendar);
    wire_decoder_free (&world->decoder);
    free (world);
}

static void
tell_place (struct world *world, const char *where, const char *to)
{
    fprintf (world->chart, "%llu\t%llu\t%s\t%s\t", (unsigned long long) world->counts.steps,
             (unsigned long long) (world->now_ns / MS_NS), where, to);
}

void
world_tell (struct world *world, const char *who, const char *format, ...)
{
    va_list arguments;

    if (!world->chart) return;
    tell_place (world, who, "");
    va_start (arguments, format);
    vfprintf (world->chart, format, arguments);
    va_end (arguments);
    fputc ('\n', world->chart);
}

void
world_tell_msg (struct world *world, const char *from, const char *to, const struct msg *msg)
{
    char text[DESCRIPTION_BYTES];

    if (!world->chart) return;
    describe_msg (msg, text);
    tell_place (world, from, to);
    fprintf (world->chart, "%s%s\n", msg->kind == MSG_HEARTBEAT ? "~" : "", text);
}

bool
world_fault (struct world *world, enum fault fault)
{
    if (world->phase != WORLD_ROUGH || world->plan.rates[fault] == 0) return false;
    if (world->counts.steps % FAULT_PHASES != fault % FAULT_PHASES) return false;
    return choice_chance (world->choices, fault_stream (fault), fault_label (fault),
                          world->plan.rates[fault]);
}

// A running process for [role], NULL if there is none.
static struct process *
any_process (struct world *world, uint32_t stream, enum end_role role)
{
    struct process *found[WORLD_PROCESSES_MAX];
    uint32_t count = 0;

    for (uint32_t i = 0; i < world->processes_count; i++) {
        struct process *process = world->processes[i];
        if (process->state == PROCESS_RUNS && process->seat->role == role
            && process->seat->kind == SEAT_HONEST) {
            found[count++] = process;
        }
    }
    return count ? found[choice_draw (world->choices, stream, "which process", count)] : NULL;
}

static bool
has_room_for_processes (const struct world *world)
{
    // Room is kept for those that the healed world starts.
    return world->processes_count + 4 * WORLD_SEATS_MAX < WORLD_PROCESSES_MAX;
}

static void
kill_any (struct world *world, enum end_role role)
{
    struct process *process = any_process (world, CHOICE_DEATH, role);

    if (!process || !has_room_for_processes (world)) return;
    world->counts.crashes++;
    process_die (process);
}

// A second process starts while the first lives on: a zombie from now on, often a paused one.
static void
double_any (struct world *world, enum end_role role)
{
    struct process *process = any_process (world, CHOICE_DEATH, role);

    if (!process || !has_room_for_processes (world) || !process_has_seat (process)) return;
    if (choice_draw (world->choices, CHOICE_DEATH, "pause the first", 2)) {
        process_pause (process, MS_NS * choice_draw (world->choices, CHOICE_DEATH, "pause",
                                                     2 * world->plan.options.end_silent_ms));
    }
    process_start (process->seat);
}

static void
pause_any (struct world *world)
{
    const enum end_role role
        = choice_draw (world->choices, CHOICE_DEATH, "a server", 2) ? END_SERVER : END_CLIENT;
    struct process *process = any_process (world, CHOICE_DEATH, role);

    if (!process) return;
    process_pause (process, MS_NS * choice_draw (world->choices, CHOICE_DEATH, "pause",
                                                 2 * world->plan.options.end_silent_ms));
}

static void
fail_allocation (struct world *world)
{
    if (choice_draw (world->choices, CHOICE_MEMORY, "of an end", 2) == 0) {
        broker_fault (world->broker, FAULT_MEMORY);
        return;
    }
    const enum end_role role
        = choice_draw (world->choices, CHOICE_MEMORY, "a server", 2) ? END_SERVER : END_CLIENT;
    struct process *process = any_process (world, CHOICE_MEMORY, role);
    if (process) {
        process->heap.fail_in = 1 + choice_draw (world->choices, CHOICE_MEMORY, "in so many", 40);
    }
}

static void
strike (struct world *world, enum fault fault)
{
    switch (fault) {
    case FAULT_DROP: net_drop (&world->net); return;
    case FAULT_CUT: net_cut (&world->net); return;
    case FAULT_JAM: net_jam (&world->net); return;
    case FAULT_CLIENT_DIES: kill_any (world, END_CLIENT); return;
    case FAULT_SERVER_DIES: kill_any (world, END_SERVER); return;
    case FAULT_CLIENT_DOUBLES: double_any (world, END_CLIENT); return;
    case FAULT_SERVER_DOUBLES: double_any (world, END_SERVER); return;
    case FAULT_PAUSE: pause_any (world); return;
    case FAULT_MEMORY: fail_allocation (world); return;
    case FAULT_KILL:
    case FAULT_POWER:
    case FAULT_STAND:
    case FAULT_SYNC:
    case FAULT_SLOW:
    case FAULT_FULL:
    case FAULT_ROT: broker_fault (world->broker, fault); return;
    }
}

static void
draw_faults (struct world *world)
{
    for (uint32_t i = 0; i < FAULTS_COUNT && world->phase == WORLD_ROUGH; i++) {
        if (world_fault (world, i)) {
            strike (world, i);
        }
    }
}

void
world_step (struct world *world, uint64_t what)
{
    world->counts.steps++;
    world->digest = truth_chain (truth_chain (world->digest, what), world->now_ns);
    if (world->steps_max != 0 && world->counts.steps >= world->steps_max) {
        world->phase = WORLD_OVER;
    }
}

static void
fill_seat (void *context, uint64_t started_count)
{
    struct seat *seat = context;

    if (seat->process || seat->started_count != started_count) return;
    process_start (seat);
}

void
world_seat_vacant (struct world *world, struct seat *seat)
{
    const uint64_t wait_ms = choice_draw (world->choices, CHOICE_DEATH, "restarts after", 300);

    if (world->phase == WORLD_OVER || world->processes_count + 1 >= WORLD_PROCESSES_MAX) return;
    calendar_add (&world->calendar, world->now_ns + wait_ms * MS_NS, fill_seat, seat,
                  seat->started_count);
}

static bool
is_zombie (const struct process *process)
{
    return process->state == PROCESS_RUNS
        && (!process_has_seat (process) || process->seat->kind == SEAT_ATTACKER);
}

// The end of all faults. Zombies and attackers go; servers come anew, under their own names and
// with offers that fit everything; clients go on as they are.
static void
heal (struct world *world)
{
    world_tell (world, "world", "heals");
    world->phase = WORLD_HEALS;
    world->healed_ns = world->now_ns;
    net_stumble (&world->net);
    net_heal (&world->net);
    broker_heal (world->broker);
    for (uint32_t i = 0; i < world->processes_count; i++) {
        struct process *process = world->processes[i];
        process->heap.fail_in = 0;
        process->busy_until_ns = 0;
        if (is_zombie (process)) {
            process->seat->process
                = process_has_seat (process) ? NULL : process->seat->process;
            process_die (process);
        } else if (process->state == PROCESS_RUNS && process->seat->role == END_SERVER) {
            process_die (process);
        } else if (process->state == PROCESS_RUNS && process->paused_until_ns > world->now_ns) {
            process_pause (process, MS_NS);
        }
    }
}

static bool
is_finished (const struct world *world)
{
    const struct plan *plan = &world->plan;

    for (uint32_t i = 0; i < world->seats_count; i++) {
        const struct seat *seat = &world->seats[i];
        if (seat->kind == SEAT_HONEST && seat->role == END_CLIENT
            && seat->done_count < plan->sessions_count) {
            return false;
        }
        if (seat->role == END_SERVER && seat->process && seat->process->link
            && !link_server_is_safe (seat->process->link)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < world->checker.truth.sessions_count; i++) {
        if (!checker_is_served (world->checker.truth.sessions[i])) return false;
    }
    return true;
}

// What a healed world may take: some rounds of each patience there is, and the work itself.
static uint64_t
patience_ns (const struct world *world)
{
    const struct core_options *options = &world->plan.options;
    const uint64_t work = (uint64_t) world->plan.requests_count * world->plan.sessions_count
        * world->plan.clients_count;
    const uint64_t patience_ms = 60000 + 10 * options->rebind_after_ms
        + 10 * options->end_silent_ms
        + work * (5000 + 50 * world->plan.delay_max_us / 1000 + world->plan.act_max_us / 10);

    return patience_ms * MS_NS;
}

static void
check_patience (const struct world *world, uint64_t healed_steps)
{
    char waiting[600] = "";
    size_t used = 0;

    if (world->now_ns - world->healed_ns < patience_ns (world)
        && world->counts.steps - healed_steps < HEALED_STEPS_MAX) {
        return;
    }
    for (uint32_t i = 0; i < world->checker.truth.sessions_count; i++) {
        const struct truth_session *session = world->checker.truth.sessions[i];
        if (!session->honest || session->state == SESSION_CLOSED || used > 450) continue;
        used += (size_t) snprintf (
            waiting + used, sizeof waiting - used, " %s: sent %llu open %llu consumed %llu answers"
            " %llu/%llu;", session->name, (unsigned long long) session->requests_count,
            (unsigned long long) session->open_count,
            (unsigned long long) session->requests_consumed,
            (unsigned long long) session->responses_consumed,
            (unsigned long long) session->responses_count);
    }
    sim_violated (INVARIANT_LIVENESS, "%llu ms and %llu steps after healing work is left:%s",
                  (unsigned long long) ((world->now_ns - world->healed_ns) / MS_NS),
                  (unsigned long long) (world->counts.steps - healed_steps), waiting);
}

static bool
happen_next (struct world *world)
{
    struct appointment next;

    if (!calendar_take (&world->calendar, &next)) return false;
    world->now_ns = next.at_ns > world->now_ns ? next.at_ns : world->now_ns;
    next.happen (next.context, next.number);
    return true;
}

static void
run_rough (struct world *world)
{
    uint64_t drawn_at = 0;

    while (world->phase == WORLD_ROUGH && happen_next (world)) {
        if (world->counts.steps == drawn_at) continue;
        drawn_at = world->counts.steps;
        draw_faults (world);
        if (world->counts.steps >= world->plan.safety_steps) return;
    }
}

static void
run_healed (struct world *world)
{
    const uint64_t healed_steps = world->counts.steps;

    heal (world);
    while (world->phase == WORLD_HEALS && !is_finished (world)) {
        if (!happen_next (world)) {
            sim_violated (INVARIANT_LIVENESS, "nothing will ever happen, and work is left");
        }
        check_patience (world, healed_steps);
    }
}

static void
look_at_end (struct world *world)
{
    // The last turn may have begun and not ended only where the run was cut.
    if (world->phase != WORLD_HEALS || !broker_core (world->broker)) return;
    checker_finished (&world->checker, broker_core (world->broker));
}

void
world_run (struct world *world)
{
    broker_format (world->broker);
    for (uint32_t i = 0; i < world->seats_count; i++) {
        process_start (&world->seats[i]);
    }
    run_rough (world);
    if (world->phase == WORLD_ROUGH) {
        run_healed (world);
    }
    look_at_end (world);
    for (uint32_t i = 0; i < world->processes_count; i++) {
        process_collect (world->processes[i]);
    }
    world->counts.commits = world->checker.truth.last_index;
    world->counts.virtual_ms = world->now_ns / MS_NS;
}
