// SPDX-License-Identifier: MPL-2.0
// broker_life.c starts the broker from what its disk gives back, and ends it in all ways there are.
#include "tests/sim/broker_inner.h"

#include "broker/store/layout.h"
#include "tests/sim/process.h"

#include <stdlib.h>
#include <string.h>

static const struct id group = { 7, 7 };

struct broker *
broker_new (struct world *world)
{
    struct broker *broker = calloc (1, sizeof *broker);

    if (!broker) abort ();
    broker->world = world;
    broker->state = BROKER_DOWN;
    broker->planned = DEATH_NONE;
    broker->disk = disk_sim_new (choice_draw (world->choices, CHOICE_DISK, "disk", 1000000));
    heap_init (&broker->heap);
    return broker;
}

static void
drop_inbox (struct broker *broker)
{
    while (broker->inbox) {
        struct arrival *next = broker->inbox->next;
        free (broker->inbox->parcel);
        free (broker->inbox);
        broker->inbox = next;
    }
    broker->inbox_last = NULL;
}

// Frees what the process had; none of it may be left over.
static void
take_down (struct broker *broker)
{
    if (broker->core) {
        effect_list_fini (&broker->leaving);
        turn_fini (&broker->turn);
        packer_free (&broker->packer);
        core_free (&broker->core);
    }
    journal_close (&broker->journal);
    drop_inbox (broker);
    broker->state = BROKER_DOWN;
    broker->world->counts.sometimes[SOMETIMES_NO_MEMORY] += broker->heap.failed_count;
    if (broker->heap.used_bytes > 0) {
        sim_violated (INVARIANT_ASSERTION, "the broker leaks %llu bytes",
                      (unsigned long long) broker->heap.used_bytes);
    }
}

void
broker_free (struct broker **self)
{
    struct broker *broker = *self;

    *self = NULL;
    take_down (broker);
    disk_sim_free (broker->disk);
    free (broker);
}

static void start (void *context, uint64_t number);

static void
plan_start (struct broker *broker)
{
    struct world *world = broker->world;
    const uint64_t wait_ms = choice_draw (world->choices, CHOICE_POWER, "down for", 400);

    calendar_add (&world->calendar, world->now_ns + (1 + wait_ms) * MS_NS, start, broker,
                  ++broker->start_number);
}

void
broker_die (struct broker *broker, enum broker_death death)
{
    struct world *world = broker->world;

    world_tell (world, "broker", "dies: %s", death == DEATH_BY_POWER ? "power lost" : "killed");
    world->counts.crashes++;
    world->counts.broker_crashes++;
    take_down (broker);
    if (death == DEATH_BY_POWER) {
        world_sometimes (world, SOMETIMES_POWER_LOSS);
        disk_sim_crash (broker->disk);
    } else {
        disk_sim_kill (broker->disk);
    }
    broker->planned = DEATH_NONE;
    checker_crashed (&world->checker);
    net_drop_all (&world->net);
    plan_start (broker);
}

static enum baton_err
replay_record (void *context, struct baton_bytes record)
{
    struct broker *broker = context;

    checker_recovers (&broker->world->checker, record);
    return core_replay (broker->core, record);
}

static void
note_report (struct broker *broker, const struct journal_report *report)
{
    if (report->cut_bytes > 0) {
        world_sometimes (broker->world, SOMETIMES_TORN_TAIL_CUT);
    }
    if (report->rewritten_count > 0) {
        world_sometimes (broker->world, SOMETIMES_TAIL_REWRITTEN);
    }
}

static enum baton_err
open_store (struct broker *broker, struct journal_report *report)
{
    const struct plan *plan = &broker->world->plan;
    const struct journal_options options = {
        .group = group,
        .segment_bytes = plan->segment_bytes,
        .batch_max_bytes = plan->batch_max_bytes,
    };
    const struct record_visitor visitor = { replay_record, broker };

    enum baton_err err = journal_open (&broker->journal, disk_sim_disk (broker->disk),
                                       &broker->heap.memory, &options, report);
    if (err != BATON_OK) return err;
    broker->core = core_new (&broker->heap.memory, &plan->options);
    if (!broker->core) return BATON_NO_MEMORY;
    effect_list_init (&broker->leaving, &broker->heap.memory);
    broker_make_turn (broker);
    err = journal_replay (broker->journal, &visitor);
    if (err != BATON_OK) return err;
    checker_recovered (&broker->world->checker, broker->core, report->last_index);
    return BATON_OK;
}

static enum baton_err
begin (struct broker *broker, struct journal_report *report)
{
    const struct plan *plan = &broker->world->plan;
    const enum baton_err err = open_store (broker, report);

    if (err != BATON_OK) return err;
    note_report (broker, report);
    broker->packer = packer_new (&broker->heap.memory, plan->message_aim_bytes);
    if (!broker->packer) return BATON_NO_MEMORY;
    broker_note_room (broker);
    return turn_begin_reign (&broker->turn);
}

// A lone store that is damaged stops, and says so: that ends the run, rightly.
static void
end_for_good (struct broker *broker, const struct journal_report *report)
{
    if (!broker->rotten) {
        sim_violated (INVARIANT_ACK_DURABILITY, "the store is damaged (fault %d, segment %llu), and"
                      " nothing had rotted", report->problem.fault,
                      (unsigned long long) report->problem.segment_number);
    }
    take_down (broker);
    world_sometimes (broker->world, SOMETIMES_DAMAGED_STORE);
    world_tell (broker->world, "broker", "stops for good: its store is damaged");
    broker->state = BROKER_ENDED;
    broker->world->phase = WORLD_OVER;
}

static void
fail_start (struct broker *broker, enum baton_err err, const struct journal_report *report)
{
    struct world *world = broker->world;

    world_tell (world, "broker", "cannot start: %s", baton_strerror (err));
    if (err == BATON_DAMAGED) {
        end_for_good (broker, report);
        return;
    }
    if (err == BATON_DISK_FULL) {
        world_sometimes (world, SOMETIMES_DISK_FULL);
        if (++broker->full_starts_count >= 3) {
            disk_sim_set_total (broker->disk, 0);
        }
    } else if (err == BATON_DISK && broker->planned != DEATH_NONE) {
        world_sometimes (world, SOMETIMES_CRASH_IN_RECOVERY);
    } else if (err != BATON_NO_MEMORY && err != BATON_DISK) {
        sim_violated (INVARIANT_RECOVERY, "the broker cannot start: %s (fault %d)",
                      baton_strerror (err), report->problem.fault);
    }
    broker_die (broker, broker->planned == DEATH_POWER ? DEATH_BY_POWER : DEATH_BY_KILL);
}

// The process may end at any call of its start.
static void
plan_crash_in_recovery (struct broker *broker)
{
    struct world *world = broker->world;
    const uint32_t *rates = world->plan.rates;

    if (world->phase != WORLD_ROUGH || rates[FAULT_KILL] + rates[FAULT_POWER] == 0) return;
    if (!choice_chance (world->choices, CHOICE_POWER, "crash in recovery", 150)) return;
    broker->planned = choice_draw (world->choices, CHOICE_POWER, "by power", 2) ? DEATH_POWER
                                                                                : DEATH_KILL;
    disk_sim_stop_at (broker->disk, 1 + choice_draw (world->choices, CHOICE_POWER, "at call", 80));
}

static void
start (void *context, uint64_t number)
{
    struct broker *broker = context;
    struct world *world = broker->world;
    struct journal_report report = { .generation = 0 };

    if (number != broker->start_number || broker->state != BROKER_DOWN) return;
    world_step (world, 2);
    heap_init (&broker->heap);
    memset (broker->paths, 0, sizeof broker->paths);
    broker->lost_count = 0;
    strangers_init (&broker->strangers, LIMIT_MALFORMED_PER_10_S);
    world->utc_skew_ms
        += 1000 * ((int64_t) choice_draw (world->choices, CHOICE_POWER, "clock ahead s", 3)
                   - (int64_t) choice_draw (world->choices, CHOICE_POWER, "clock behind s", 3));
    plan_crash_in_recovery (broker);
    const enum baton_err err = begin (broker, &report);
    if (err != BATON_OK) {
        fail_start (broker, err, &report);
        return;
    }
    broker_note_commit (broker);
    checker_released (&world->checker);
    world_tell (world, "broker", "is up with epoch %llu",
                (unsigned long long) core_epoch (broker->core).n);
    broker->state = BROKER_UP;
    broker->full_starts_count = 0;
    broker->turn_ns = 0;
    broker->busy_until_ns = 0;
    broker->housekeeping_ns = 0;
    broker->slept_ns = 1000 * MS_NS;
    if (world->plan.memory_room_bytes > 0 && world->phase == WORLD_ROUGH) {
        broker->heap.limit_bytes = broker->heap.used_bytes + world->plan.memory_room_bytes;
    }
    broker_plan_turn (broker, world->now_ns);
    net_broker_is_up (&world->net);
}

void
broker_format (struct broker *broker)
{
    struct journal_problem problem;

    if (journal_format (disk_sim_disk (broker->disk), &broker->heap.memory, group,
                        (struct id) { 8, 8 }, &problem) != BATON_OK) {
        abort ();
    }
    start (broker, broker->start_number);
}

static void
plan_death (struct broker *broker, enum broker_death death)
{
    struct world *world = broker->world;
    const uint32_t calls = choice_draw (world->choices, CHOICE_POWER, "in so many calls", 12);

    if (calls == 0) {
        broker_die (broker, death);
        return;
    }
    broker->planned = death == DEATH_BY_POWER ? DEATH_POWER : DEATH_KILL;
    disk_sim_stop_at (broker->disk, calls);
}

static void
fill_disk (struct broker *broker)
{
    const struct disk *disk = disk_sim_disk (broker->disk);
    struct world *world = broker->world;
    uint64_t free_bytes = 0, total_bytes = 0;

    disk_sim_set_total (broker->disk, 0);
    if (disk->space (disk->context, &free_bytes, &total_bytes) != BATON_OK) return;
    const uint64_t left = 4096 * (uint64_t) choice_draw (world->choices, CHOICE_DISK,
                                                         "blocks left", 60);
    disk_sim_set_total (broker->disk, total_bytes - free_bytes + left);
    world_tell (world, "broker", "its disk has %llu bytes left", (unsigned long long) left);
}

// One bit of one file, when the log is closed: rot in the last batch that is not yet closed is the
// one that cannot be told from a torn tail.
static void
rot (struct broker *broker)
{
    struct world *world = broker->world;
    struct journal_status status;
    char name[LAYOUT_NAME_MAX_BYTES];

    if (broker->rotten || broker->turn.written_ns != 0 || broker->turn.batch.count > 0) return;
    journal_status (broker->journal, &status);
    struct journal_segment segment;
    journal_segment_at (broker->journal,
                        choice_draw (world->choices, CHOICE_DISK, "segment",
                                     (uint32_t) status.segment_count), &segment);
    layout_segment_name (segment.number, name);
    unsigned char byte;
    const uint64_t size = disk_sim_peek (broker->disk, name, 0, &byte, 1);
    if (size == 0) return;
    disk_sim_flip (broker->disk, name,
                   choice_draw (world->choices, CHOICE_DISK, "byte", (uint32_t) size), 1);
    broker->rotten = true;
    world_tell (world, "broker", "a bit of %s rots", name);
}

static void
stand (struct broker *broker)
{
    struct world *world = broker->world;
    const uint64_t stand_ms = choice_draw (world->choices, CHOICE_POWER, "stands still for",
                                           2 * world->plan.options.end_silent_ms);

    broker->busy_until_ns = world->now_ns + stand_ms * MS_NS;
    world_tell (world, "broker", "stands still for %llu ms", (unsigned long long) stand_ms);
}

static void
slow (struct broker *broker)
{
    struct world *world = broker->world;

    broker->slow_until_ns
        = world->now_ns + MS_NS * choice_draw (world->choices, CHOICE_DISK, "slow for", 2000);
    broker->slow_ns = MS_NS * choice_draw (world->choices, CHOICE_DISK, "a sync takes", 400);
}

void
broker_fault (struct broker *broker, enum fault fault)
{
    struct choices *choices = broker->world->choices;

    if (broker->state != BROKER_UP) return;
    switch (fault) {
    case FAULT_KILL: plan_death (broker, DEATH_BY_KILL); return;
    case FAULT_POWER: plan_death (broker, DEATH_BY_POWER); return;
    case FAULT_STAND: stand (broker); return;
    case FAULT_SYNC:
        disk_sim_fail_sync_at (broker->disk, 1 + choice_draw (choices, CHOICE_DISK, "sync", 4));
        return;
    case FAULT_SLOW: slow (broker); return;
    case FAULT_FULL: fill_disk (broker); return;
    case FAULT_ROT: rot (broker); return;
    case FAULT_MEMORY:
        broker->heap.fail_in = 1 + choice_draw (choices, CHOICE_MEMORY, "broker's", 60);
        return;
    case FAULT_DROP:
    case FAULT_CUT:
    case FAULT_JAM:
    case FAULT_CLIENT_DIES:
    case FAULT_SERVER_DIES:
    case FAULT_CLIENT_DOUBLES:
    case FAULT_SERVER_DOUBLES:
    case FAULT_PAUSE: return;
    }
}

void
broker_heal (struct broker *broker)
{
    disk_sim_set_total (broker->disk, 0);
    disk_sim_stop_at (broker->disk, 0);
    disk_sim_fail_sync_at (broker->disk, 0);
    broker->planned = DEATH_NONE;
    broker->slow_until_ns = 0;
    broker->busy_until_ns = 0;
    broker->heap.limit_bytes = 0;
    broker->heap.fail_in = 0;
    if (broker->state == BROKER_UP) {
        broker->housekeeping_ns = 0;
        broker_plan_turn (broker, broker->world->now_ns);
    }
}
