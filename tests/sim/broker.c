// SPDX-License-Identifier: MPL-2.0
#include "tests/sim/broker.h"

#include "broker/core/book.h"
#include "broker/shell/stats.h"
#include "tests/sim/broker_inner.h"
#include "tests/sim/process.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_NS (1000 * MS_NS)
// As broker/shell/doors.c: a path goes when it was silent so many times longer than an end may be.
#define SILENCE_FACTOR 4u
// Whole books are compared in one turn of so many.
#define LOOK_EVERY_TURNS 16u
#define LOOK_EVERY_MESSAGES 32u

static void
note_memory (void *context, struct capacity *capacity)
{
    const struct broker *broker = context;
    const uint64_t limit = broker->heap.limit_bytes;
    const uint64_t total = limit ? limit : UINT64_C (1) << 40;

    capacity->memory_total_bytes = total;
    capacity->memory_free_bytes
        = broker->heap.used_bytes < total ? total - broker->heap.used_bytes : 0;
}

static enum baton_err
fresh (void *context, struct id ids[2])
{
    struct broker *broker = context;

    for (uint32_t i = 0; i < 2; i++) {
        ids[i] = (struct id) { choice_number (broker->world->choices, CHOICE_BROKER),
                               choice_number (broker->world->choices, CHOICE_BROKER) };
    }
    return BATON_OK;
}

static void
note_record (void *context, struct baton_bytes record)
{
    struct broker *broker = context;

    checker_made (&broker->world->checker, record);
}

void
broker_make_turn (struct broker *broker)
{
    const struct plan *plan = &broker->world->plan;
    const struct turn_parts parts = {
        .memory = &broker->heap.memory,
        .core = broker->core,
        .journal = broker->journal,
        .stats = &broker->stats,
    };
    const struct turn_limits limits = {
        .batch_max_bytes = plan->batch_max_bytes,
        .record_room_bytes = plan->record_room_bytes,
        .gate_max_count = LIMIT_GATE_MAX_COUNT,
        .gate_max_bytes = LIMIT_GATE_MAX_BYTES,
        .closing_batch_after_ms = LIMIT_CLOSING_BATCH_AFTER_MS,
        .stall_ms = LIMIT_STALL_MS,
    };
    const struct turn_outside outside = {
        .note_memory = note_memory,
        .fresh = fresh,
        .note_record = note_record,
        .context = broker,
    };

    turn_init (&broker->turn, &parts, &limits, &outside);
    broker->turn.now_ns = 0;
    turn_wake (&broker->turn, broker->world->now_ns, world_utc_ms (broker->world), 0);
}

void
broker_note_room (struct broker *broker)
{
    const struct disk *disk = disk_sim_disk (broker->disk);
    uint64_t free_bytes = 0, total_bytes = 0;

    if (disk->space (disk->context, &free_bytes, &total_bytes) == BATON_OK) {
        broker->turn.capacity.disk_free_bytes = free_bytes;
        broker->turn.capacity.disk_total_bytes = total_bytes;
    }
}

// What has left the gate is looked at, packed and sent.
static void
release (struct broker *broker)
{
    const struct packer_sink sink = { broker_send, broker_forget, broker };

    if (turn_release (&broker->turn, &broker->leaving) != BATON_OK) return;
    for (size_t i = 0; i < broker->leaving.count; i++) {
        checker_leaves (&broker->world->checker, &broker->leaving.items[i]);
    }
    if (packer_send (broker->packer, &broker->leaving, &sink) != BATON_OK) {
        for (size_t i = 0; i < broker->leaving.count; i++) {
            broker_lose (broker, broker->leaving.items[i].to);
        }
    }
    effect_list_clear (&broker->leaving);
    checker_released (&broker->world->checker);
}

void
broker_note_commit (struct broker *broker)
{
    checker_safe (&broker->world->checker, replica_commit_index (&broker->turn.replica));
}

// A call of the turn that did not work ends the process; a full disk may not, where room was
// reserved before.
static bool
failed (struct broker *broker, enum baton_err err)
{
    // A call whose error nobody needs may have been the one in which the process ended.
    if (err == BATON_OK && !disk_sim_has_stopped (broker->disk)) return false;
    if (err != BATON_OK && err != BATON_DISK) {
        sim_violated (INVARIANT_BOUNDS, "a turn of the broker ended with: %s",
                      baton_strerror (err));
    }
    if (broker->planned == DEATH_NONE) {
        world_sometimes (broker->world, SOMETIMES_SYNC_ERROR);
    } else {
        world_sometimes (broker->world, broker->planned == DEATH_POWER
                         ? SOMETIMES_POWER_LOSS_IN_CALL : SOMETIMES_KILL_IN_CALL);
    }
    broker_die (broker, broker->planned == DEATH_POWER ? DEATH_BY_POWER : DEATH_BY_KILL);
    return true;
}

static void
refuse_for_room (struct broker *broker, const struct arrival *arrival, const struct msg *msg,
                 enum baton_err err)
{
    struct msg answer = { .kind = MSG_REFUSED, .epoch = core_epoch (broker->core) };

    world_sometimes (broker->world, err == BATON_NO_MEMORY ? SOMETIMES_NO_MEMORY
                                                           : SOMETIMES_DISK_FULL);
    if (turn_refuse (msg, err, &answer.refused)) {
        broker_send_straight (broker, arrival->address, &answer);
    }
}

static void
count_message (struct broker *broker, const struct arrival *arrival, const struct msg *msg,
               size_t size)
{
    struct world *world = broker->world;

    world_step (world, arrival->address << 20 ^ (uint64_t) msg->kind << 16 ^ size
                           ^ core_last_index (broker->core).n << 32);
    if (msg->kind == MSG_HELLO && msg->hello.role == END_SERVER) {
        checker_hello (&world->checker, arrival->path->link, msg->hello.name);
    }
}

// A message that made no record has changed nothing in the book.
static enum baton_err
take_message (struct broker *broker, const struct arrival *arrival, const struct msg *msg)
{
    const struct book *book = core_book (broker->core);
    const bool looks = ++broker->messages_count % LOOK_EVERY_MESSAGES == 0;
    const struct log_index before = book->last_index;
    const uint64_t digest = looks ? book_digest (book) : 0;
    const char *principal = arrival->process->principal;
    const enum baton_err err = turn_message (
        &broker->turn, arrival->path->link,
        (struct baton_bytes) { principal, strlen (principal) }, msg, arrival->parcel->size);

    if (looks && before.n == book->last_index.n && book_digest (book) != digest) {
        sim_violated (INVARIANT_STATELESS_REFUSAL, "a %s without a record changed the book",
                      msg_kind_name (msg->kind));
    }
    return err;
}

// Takes one frame; false if the process has ended.
static bool
take_frame (struct broker *broker, const struct arrival *arrival)
{
    struct world *world = broker->world;
    struct msg msg;

    if (!broker_admit (broker, arrival, &msg)) return true;
    struct arrival known = *arrival;
    known.path = broker_path_at (broker, arrival->address);
    count_message (broker, &known, &msg, arrival->parcel->size);
    world_tell_msg (world, arrival->process->name, "broker", &msg);
    const enum baton_err err = take_message (broker, &known, &msg);
    broker_note_commit (broker);
    if (err == BATON_NO_MEMORY || err == BATON_DISK_FULL) {
        refuse_for_room (broker, &known, &msg, err);
    } else if (failed (broker, err)) {
        return false;
    }
    if (failed (broker, BATON_OK)) return false;
    if (world->phase == WORLD_ROUGH
        && choice_chance (world->choices, CHOICE_BROKER, "early release",
                          world->plan.early_per_mille)) {
        release (broker);
    }
    return true;
}

static bool
drain (struct broker *broker)
{
    for (uint32_t i = 0; i < broker->world->plan.drain_count && broker->inbox; i++) {
        struct arrival *arrival = broker->inbox;
        broker->inbox = arrival->next;
        if (!broker->inbox) {
            broker->inbox_last = NULL;
        }
        const bool goes_on = take_frame (broker, arrival);
        free (arrival->parcel);
        free (arrival);
        if (!goes_on) return false;
        // Between two steps of one turn.
        if (world_fault (broker->world, FAULT_KILL)) {
            broker_die (broker, DEATH_BY_KILL);
            return false;
        }
    }
    broker->turn.input = broker->inbox ? INPUT_LEFT : INPUT_NONE;
    return true;
}

static bool
tell_lost (struct broker *broker)
{
    while (broker->lost_count > 0) {
        const struct link_number link = broker->lost[--broker->lost_count];
        if (failed (broker, turn_lost (&broker->turn, link))) return false;
    }
    return true;
}

static enum baton_err
keep_house (struct broker *broker)
{
    const struct world *world = broker->world;

    if (world->now_ns < broker->housekeeping_ns) return BATON_OK;
    broker->housekeeping_ns = world->now_ns + SECOND_NS;
    broker_note_room (broker);
    if (broker->turn.pace == CLOCK_STEADY) {
        broker_expire (broker, SILENCE_FACTOR * world->plan.options.end_silent_ms * MS_NS);
    }
    struct journal_status before, after;
    journal_status (broker->journal, &before);
    const enum baton_err err = turn_drop_front (&broker->turn);
    journal_status (broker->journal, &after);
    broker->world->counts.sometimes[SOMETIMES_SEGMENT_DROPPED]
        += before.segment_count - after.segment_count;
    return err;
}

// Everything of one turn, in the order of loop.c.
static bool
work (struct broker *broker)
{
    struct turn *turn = &broker->turn;

    if (failed (broker, turn_begin (turn)) || !drain (broker) || !tell_lost (broker)) return false;
    if (failed (broker, turn_tick (turn))) return false;
    if (world_fault (broker->world, FAULT_POWER)) {
        broker_die (broker, DEATH_BY_POWER);
        return false;
    }
    const uint64_t records_count = turn->batch.count;
    if (failed (broker, turn_write (turn))) return false;
    if (records_count > 0 && broker->slow_until_ns > broker->world->now_ns) {
        broker->busy_until_ns = broker->world->now_ns + broker->slow_ns;
    }
    broker_note_commit (broker);
    release (broker);
    if (failed (broker, turn_tend (turn))) return false;
    return !failed (broker, keep_house (broker));
}

static void
take_turn (void *context, uint64_t number)
{
    struct broker *broker = context;
    struct world *world = broker->world;

    if (broker->state != BROKER_UP || number != broker->turn_number) return;
    broker->turn_ns = 0;
    if (world->now_ns < broker->busy_until_ns) {
        broker_plan_turn (broker, broker->busy_until_ns);
        return;
    }
    world_step (world, 1);
    if (turn_wake (&broker->turn, world->now_ns, world_utc_ms (world), broker->slept_ns) > 0) {
        world_sometimes (world, SOMETIMES_BROKER_STALLED);
    }
    if (!work (broker)) return;
    if (broker->turn.step == STEP_MORE) {
        world_sometimes (world, SOMETIMES_BIG_EVENT);
    }
    if (++broker->turns_count % LOOK_EVERY_TURNS == 0) {
        checker_looks (&world->checker, broker->core);
    }
    uint64_t due_ns = turn_due_ns (&broker->turn);
    if (due_ns > broker->housekeeping_ns) {
        due_ns = broker->housekeeping_ns;
    }
    broker->slept_ns = due_ns > world->now_ns ? due_ns - world->now_ns + MS_NS : MS_NS;
    broker_plan_turn (broker, due_ns > world->now_ns ? due_ns + MS_NS / 2
                                                     : world->now_ns + 50 * US_NS);
}

void
broker_plan_turn (struct broker *broker, uint64_t at_ns)
{
    if (at_ns < broker->busy_until_ns) {
        at_ns = broker->busy_until_ns;
    }
    if (broker->turn_ns != 0 && broker->turn_ns <= at_ns) return;
    broker->turn_ns = at_ns;
    calendar_add (&broker->world->calendar, at_ns, take_turn, broker, ++broker->turn_number);
}

void
broker_arrive (struct broker *broker, uint64_t address, struct parcel *parcel)
{
    struct world *world = broker->world;
    struct process *process = net_process_at (&world->net, address);

    if (broker->state != BROKER_UP || !process) {
        free (parcel);
        return;
    }
    struct arrival *arrival = calloc (1, sizeof *arrival);
    if (!arrival) abort ();
    arrival->address = address;
    arrival->parcel = parcel;
    arrival->process = process;
    if (broker->inbox_last) {
        broker->inbox_last->next = arrival;
    } else {
        broker->inbox = arrival;
    }
    broker->inbox_last = arrival;
    const uint64_t gathers_us
        = choice_draw (world->choices, CHOICE_BROKER, "turn gathers", world->plan.turn_max_us);
    broker_plan_turn (broker, world->now_ns + gathers_us * US_NS);
}

bool
broker_is_up (const struct broker *broker)
{
    return broker->state == BROKER_UP;
}

const struct core *
broker_core (const struct broker *broker)
{
    return broker->state == BROKER_UP ? broker->core : NULL;
}
