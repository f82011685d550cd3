// SPDX-License-Identifier: MPL-2.0
#include "tests/sim/process.h"

#include "tests/sim/application.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// How long a full socket is left alone, as client/handle.c does.
#define BLOCKED_RETRY_NS (10 * MS_NS)
#define FRAME_BYTES_MAX 65536u
// An application that finds nothing to do comes back ever later, up to 2^(IDLE_MAX / 2) times.
#define IDLE_MAX 14u

static uint32_t
stream_of (const struct process *process)
{
    return CHOICE_PROCESS + process->seat->number;
}

uint32_t
process_draw (struct process *process, const char *label, uint32_t max)
{
    return choice_draw (process->world->choices, stream_of (process), label, max);
}

bool
process_chance (struct process *process, const char *label, uint32_t per_mille)
{
    return choice_chance (process->world->choices, stream_of (process), label, per_mille);
}

static void
start_application (struct process *process)
{
    if (process->seat->kind == SEAT_ATTACKER) {
        attacker_start (process);
    } else if (process->seat->role == END_CLIENT) {
        client_start (process);
    } else {
        server_start (process);
    }
}

static void
stop_application (struct process *process)
{
    if (!process->application) return;
    if (process->seat->kind == SEAT_ATTACKER) {
        attacker_stop (process);
    } else if (process->seat->role == END_CLIENT) {
        client_stop (process);
    } else {
        server_stop (process);
    }
}

static void
act (struct process *process)
{
    if (process->seat->kind == SEAT_ATTACKER) {
        attacker_act (process);
    } else if (process->seat->role == END_CLIENT) {
        client_act (process);
    } else {
        server_act (process);
    }
}

static void plan_act (struct process *process);

static void
happen_act (void *context, uint64_t number)
{
    struct process *process = context;
    struct world *world = process->world;

    if (process->state != PROCESS_RUNS || number != process->act_number) return;
    if (process->paused_until_ns > world->now_ns) {
        calendar_add (&world->calendar, process->paused_until_ns, happen_act, process, number);
        return;
    }
    world_step (world, process->number);
    act (process);
    if (process->state != PROCESS_RUNS) return;
    process_pump (process);
    plan_act (process);
}

static void
plan_act (struct process *process)
{
    struct world *world = process->world;
    const uint32_t idle = process->idle_count < IDLE_MAX ? process->idle_count : IDLE_MAX;
    const uint64_t pace_us = 1 + process_draw (process, "pace", world->plan.act_max_us);
    uint64_t at_ns = world->now_ns + (pace_us << idle / 2) * US_NS;

    if (at_ns < process->busy_until_ns) {
        at_ns = process->busy_until_ns;
    }
    process->idle_count++;
    calendar_add (&world->calendar, at_ns, happen_act, process, ++process->act_number);
}

// An application that waits has something to look at.
static void
note_news (struct process *process)
{
    const bool waits = process->idle_count > IDLE_MAX / 2;

    process->idle_count = 0;
    if (waits) {
        plan_act (process);
    }
}

static void
make_link (struct process *process)
{
    struct world *world = process->world;
    const struct link_options options = {
        .role = process->seat->role,
        .instance = { 0x1000 + process->number, choice_number (world->choices, CHOICE_PLAN) },
        .name = { process->name, process->seat->role == END_SERVER ? strlen (process->name) : 0 },
        .endpoints_count = 1,
        .seed = process_draw (process, "jitter", 1000),
        .task_extra_bytes = sizeof (void *),
    };

    if (link_new (&process->heap.memory, &options, world->now_ns, &process->link)) abort ();
}

// A server may come back under another name, as one that is named after its process does.
static void
name_process (struct process *process)
{
    const struct seat *seat = process->seat;
    const bool server = seat->role == END_SERVER && seat->kind == SEAT_HONEST;
    const uint32_t variant
        = server && seat->world->phase == WORLD_ROUGH ? process_draw (process, "name", 5) : 0;

    if (seat->kind == SEAT_ATTACKER) {
        snprintf (process->name, sizeof process->name, "x%u", seat->number);
    } else if (variant == 4) {
        snprintf (process->name, sizeof process->name, "s%u-%u", seat->number, process->number);
    } else {
        snprintf (process->name, sizeof process->name, "%c%u", server ? 's' : 'c', seat->number);
    }
}

struct process *
process_start (struct seat *seat)
{
    struct world *world = seat->world;
    struct process *process = calloc (1, sizeof *process);

    if (!process || world->processes_count == WORLD_PROCESSES_MAX) abort ();
    process->world = world;
    process->seat = seat;
    process->number = world->processes_count;
    process->state = PROCESS_RUNS;
    process->principal
        = seat->kind == SEAT_ATTACKER ? PRINCIPAL_ATTACKER : PRINCIPAL_HONEST;
    heap_init (&process->heap);
    world->processes[world->processes_count++] = process;
    seat->process = process;
    seat->started_count++;
    name_process (process);
    world_tell (world, process->name, "process %u starts", process->number);
    if (seat->kind == SEAT_HONEST) {
        make_link (process);
    }
    start_application (process);
    process_pump (process);
    plan_act (process);
    return process;
}

static void
drop_inbox (struct process *process)
{
    while (process->inbox.first) {
        struct parcel *next = process->inbox.first->next;
        free (process->inbox.first);
        process->inbox.first = next;
    }
    process->inbox.last = NULL;
}

void
process_collect (struct process *process)
{
    uint64_t *sometimes = process->world->counts.sometimes;

    if (!process->link) return;
    const struct link_counters *counters = link_counters (process->link);
    sometimes[SOMETIMES_COMMIT_RESENT] += counters->commits_resent;
    sometimes[SOMETIMES_REDELIVERY] += counters->redelivered;
    sometimes[SOMETIMES_SKIPPED] += counters->skipped;
    sometimes[SOMETIMES_HIT] += counters->hits;
    sometimes[SOMETIMES_NO_MEMORY] += process->heap.failed_count;
}

void
process_die (struct process *process)
{
    if (process->state == PROCESS_DEAD) return;
    world_tell (process->world, process->name, "process %u dies", process->number);
    process->state = PROCESS_DEAD;
    process_collect (process);
    stop_application (process);
    link_free (&process->link);
    drop_inbox (process);
    net_hang_up (&process->world->net, process);
    if (process->seat->process == process) {
        process->seat->process = NULL;
        world_seat_vacant (process->world, process->seat);
    }
}

void
process_free (struct process **self)
{
    struct process *process = *self;

    *self = NULL;
    if (process->state == PROCESS_RUNS) {
        stop_application (process);
        link_free (&process->link);
        drop_inbox (process);
    }
    free (process->line.again);
    free (process);
}

static void
take (struct process *process, struct parcel *parcel)
{
    struct world *world = process->world;
    struct msg msg;
    struct wire_fault fault;
    const struct wire_limits limits
        = { LIMIT_FRAME_MAX_BYTES, LIMIT_BODY_MAX_BYTES, LIMIT_RESTART_DATA_MAX_BYTES };
    const struct baton_bytes frame = { parcel->bytes, parcel->size };

    if (!process->link) {
        // An attacker does not listen.
    } else if (wire_decode (world->decoder, &limits, frame, &msg, &fault)) {
        sim_violated (INVARIANT_STATELESS_REFUSAL,
                      "%s got a frame of the broker that is no message:"
                      " %s", process->name, fault.what);
    } else {
        world_tell_msg (world, "broker", process->name, &msg);
        link_take (process->link, world->now_ns, &msg);
    }
    free (parcel);
}

static void wake_up (void *context, uint64_t number);

static void
plan_wake (struct process *process, uint64_t at_ns)
{
    if (at_ns == UINT64_MAX) return;
    if (at_ns < process->world->now_ns) {
        at_ns = process->world->now_ns;
    }
    // An earlier appointment that stands finds that it is early, and plans anew.
    if (process->wake_ns != 0 && process->wake_ns <= at_ns) return;
    process->wake_ns = at_ns;
    calendar_add (&process->world->calendar, at_ns, wake_up, process, ++process->wake_number);
}

static void
take_inbox (struct process *process)
{
    while (process->inbox.first) {
        struct parcel *parcel = process->inbox.first;
        process->inbox.first = parcel->next;
        if (!process->inbox.first) {
            process->inbox.last = NULL;
        }
        take (process, parcel);
    }
}

static void
wake_up (void *context, uint64_t number)
{
    struct process *process = context;

    if (process->state != PROCESS_RUNS || number != process->wake_number) return;
    process->wake_ns = 0;
    if (process->paused_until_ns > process->world->now_ns) {
        plan_wake (process, process->paused_until_ns);
        return;
    }
    world_step (process->world, process->number);
    process_pump (process);
}

void
process_pause (struct process *process, uint64_t ns)
{
    world_tell (process->world, process->name, "process %u stands still for %llu ms",
                process->number, (unsigned long long) (ns / MS_NS));
    process->paused_until_ns = process->world->now_ns + ns;
    process->wake_ns = 0;
    plan_wake (process, process->paused_until_ns);
}

static void
check_epoch (struct process *process)
{
    const struct epoch epoch = link_epoch (process->link);

    if (epoch.n != process->epoch.n) {
        checker_epoch (&process->world->checker, process, epoch);
        process->epoch = epoch;
    }
}

void
process_arrive (struct process *process, struct parcel *parcel)
{
    parcel->next = NULL;
    if (process->inbox.last) {
        process->inbox.last->next = parcel;
    } else {
        process->inbox.first = parcel;
    }
    process->inbox.last = parcel;
    if (process->paused_until_ns > process->world->now_ns) return;
    world_step (process->world, process->number);
    process_pump (process);
    note_news (process);
}

static bool
send_msg (struct process *process, const struct msg *msg)
{
    unsigned char bytes[FRAME_BYTES_MAX];
    const size_t size = wire_encoded_size (msg);

    if (size > sizeof bytes) abort ();
    wire_encode (msg, bytes, size);
    const bool resent = msg->kind == MSG_COMMIT || msg->kind == MSG_OPEN || msg->kind == MSG_HELLO;
    process->line.times
        = msg->kind == MSG_OPEN ? FRAME_OPENS : resent ? FRAME_TWICE : FRAME_ONCE;
    return net_send_up (&process->world->net, process, bytes, size);
}

static void
do_actions (struct process *process)
{
    struct link_action action;

    process->blocked = false;
    for (;;) {
        link_next (process->link, &action);
        if (action.kind == LINK_IDLE) return;
        if (action.kind == LINK_DIAL) {
            net_dial (&process->world->net, process);
        } else if (!send_msg (process, &action.msg)) {
            process->blocked = true;
            return;
        }
        link_done (process->link);
    }
}

void
process_pump (struct process *process)
{
    struct world *world = process->world;

    if (!process->link) {
        take_inbox (process);
        return;
    }
    take_inbox (process);
    link_step (process->link, world->now_ns);
    do_actions (process);
    check_epoch (process);
    const uint64_t due_ns = process->blocked ? world->now_ns + BLOCKED_RETRY_NS
                                             : link_deadline_ns (process->link);
    plan_wake (process, due_ns <= world->now_ns ? world->now_ns + US_NS : due_ns);
}
