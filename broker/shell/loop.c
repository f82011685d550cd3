// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/loop.h"

#include "broker/shell/clock.h"
#include "broker/shell/notify.h"
#include "broker/shell/refuse.h"

#include <inttypes.h>

#define MS_NS UINT64_C (1000000)
#define SECOND_NS (1000 * MS_NS)

static void
note_memory (void *context, struct capacity *capacity)
{
    const struct loop *loop = context;

    budget_note (loop->budget, capacity);
}

static enum baton_err
fresh (void *context, struct id ids[2])
{
    const struct loop *loop = context;
    const enum baton_err err = chance_fill (loop->chance, 4);

    if (err != BATON_OK) return err;
    ids[0] = chance_id (loop->chance);
    ids[1] = chance_id (loop->chance);
    return BATON_OK;
}

static void
init_turn (struct loop *loop)
{
    const struct turn_limits limits = {
        .batch_max_bytes = loop->config->batch_max_bytes,
        .record_room_bytes = LIMIT_CONTROL_MAX_BYTES,
        .gate_max_count = loop->config->gate_max_count,
        .gate_max_bytes = loop->config->gate_max_bytes,
        .closing_batch_after_ms = loop->config->closing_batch_after_ms,
        .stall_ms = loop->config->stall_ms,
    };
    const struct turn_parts parts = {
        .memory = &loop->budget->memory, .journal = loop->journal, .stats = loop->stats};
    const struct turn_outside outside = {
        .note_memory = note_memory, .fresh = fresh, .context = loop};

    turn_init (&loop->turn, &parts, &limits, &outside);
}

enum baton_err
loop_init (struct loop *loop)
{
    const struct memory *memory = &loop->budget->memory;

    init_turn (loop);
    admin_init (&loop->admin);
    effect_list_init (&loop->leaving, memory);
    loop->state = LOOP_RUNNING;
    loop->watchdog_every_ns = notify_watchdog_ns ();
    loop->packer = packer_new (memory, loop->config->message_aim_bytes);
    if (!loop->packer) return BATON_NO_MEMORY;
    const enum baton_err err = chance_fill (loop->chance, 1);
    if (err != BATON_OK) return err;
    return doors_open (&loop->doors, loop->config, memory, loop->stats, loop->log,
                       chance_number (loop->chance));
}

void
loop_fini (struct loop *loop)
{
    doors_close (&loop->doors);
    packer_free (&loop->packer);
    effect_list_fini (&loop->leaving);
    turn_fini (&loop->turn);
}

static void
read_clocks (struct loop *loop)
{
    const uint64_t stood_ns
        = turn_wake (&loop->turn, clock_now_ns (), clock_utc_ms (), loop->slept_ns);

    if (stood_ns == 0) return;
    loop->stats->stalled_turns++;
    log_line (loop->log, LOG_WARNING, "the broker stood still for %" PRIu64 " ms (stall_ms %"
              PRIu64 "); nobody is expired in this turn", stood_ns / MS_NS,
              loop->config->stall_ms);
}

static void
note_room (struct loop *loop)
{
    struct capacity *capacity = &loop->turn.capacity;
    uint64_t free_bytes = 0, total_bytes = 0;

    budget_note (loop->budget, capacity);
    if (loop->disk->space (loop->disk->context, &free_bytes, &total_bytes) == BATON_OK) {
        capacity->disk_free_bytes = free_bytes;
        capacity->disk_total_bytes = total_bytes;
    }
}

static void
tell_room (const struct loop *loop, enum busy_reason reason, struct msg_refused *refused)
{
    static const char memory[] = "free memory of the broker's budget";
    static const char disk[] = "free disk of the store, for one more segment";

    if (reason == BUSY_MEMORY) {
        refused->text = (struct baton_bytes) {memory, sizeof memory - 1};
        refused->value = loop->turn.capacity.memory_free_bytes;
        refused->limit = config_frame_max_bytes (loop->config);
    } else {
        refused->text = (struct baton_bytes) {disk, sizeof disk - 1};
        refused->value = loop->turn.capacity.disk_free_bytes;
        refused->limit = loop->config->segment_bytes;
    }
}

// No memory and no room on the disk end a message, not the broker.
static void
refuse_for_room (struct loop *loop, const struct doors_message *message, enum baton_err err)
{
    const enum busy_reason reason = err == BATON_NO_MEMORY ? BUSY_MEMORY : BUSY_DISK;
    const struct capacity *capacity = &loop->turn.capacity;
    struct msg_refused refused;

    note_room (loop);
    loop->stats->no_memory += reason == BUSY_MEMORY;
    loop->stats->disk_full += reason == BUSY_DISK;
    log_line (loop->log, LOG_WARNING, "link %" PRIu64 ": %s refused BUSY(%s): %" PRIu64 " of %"
              PRIu64 " bytes of memory and %" PRIu64 " of %" PRIu64 " bytes of disk are free",
              message->link.n, msg_kind_name (message->msg.kind),
              reason == BUSY_MEMORY ? "memory" : "disk", capacity->memory_free_bytes,
              capacity->memory_total_bytes, capacity->disk_free_bytes,
              capacity->disk_total_bytes);
    if (!turn_refuse (&message->msg, err, &refused)) return;
    tell_room (loop, reason, &refused);
    doors_refuse (&loop->doors, message->link, &refused);
}

static enum baton_err
on_message (struct loop *loop, const struct doors_message *message, size_t frame_bytes)
{
    if (message->door == DOOR_ADMIN) {
        admin_on_message (&loop->admin, loop, message);
        return BATON_OK;
    }
    if (message->msg.kind == MSG_ADMIN_ASK) {
        static const char text[] = "this door is for ends";
        struct msg_refused refused;
        loop->stats->wrong_door++;
        refuse_msg (&message->msg, REFUSAL_DENIED, &refused);
        refused.text = (struct baton_bytes) {text, sizeof text - 1};
        doors_refuse (&loop->doors, message->link, &refused);
        return BATON_OK;
    }
    const enum baton_err err = turn_message (&loop->turn, message->link, message->principal,
                                             &message->msg, frame_bytes);
    if (err != BATON_NO_MEMORY && err != BATON_DISK_FULL) return err;
    refuse_for_room (loop, message, err);
    return BATON_OK;
}

static enum baton_err
drain_door (struct loop *loop, uint32_t which)
{
    struct doors_message message;

    for (uint64_t i = 0; i < loop->config->drain_count; i++) {
        if (turn_is_too_deep (&loop->turn)) break;
        const enum doors_result result
            = doors_receive (&loop->doors, which, loop->turn.now_ns, &message);
        if (result == DOORS_EMPTY) return BATON_OK;
        if (result == DOORS_HANDLED) continue;
        const enum baton_err err
            = on_message (loop, &message, port_frame_view (&message.frame).size);
        doors_done (&message);
        if (err != BATON_OK) return err;
    }
    loop->turn.input = INPUT_LEFT;
    return BATON_OK;
}

static enum baton_err
drain (struct loop *loop)
{
    enum baton_err err = turn_begin (&loop->turn);

    for (uint32_t i = 0; err == BATON_OK && i < loop->doors.doors_count; i++) {
        err = drain_door (loop, i);
    }
    return err;
}

// Tells the core of paths that are gone.
static enum baton_err
tell_lost (struct loop *loop)
{
    enum baton_err err = BATON_OK;
    struct link_number lost;

    while (err == BATON_OK && (lost = doors_take_lost (&loop->doors)).n > 0) {
        err = turn_lost (&loop->turn, lost);
    }
    return err;
}

// What cannot be packed is lost to its ends: they are let go, come back, and are told again.
static void
lose_receivers (struct loop *loop)
{
    loop->stats->no_memory++;
    log_line (loop->log, LOG_ERROR, "no memory to send; %zu effects are dropped with their links",
              loop->leaving.count);
    for (size_t i = 0; i < loop->leaving.count; i++) {
        doors_lose (&loop->doors, loop->leaving.items[i].to);
    }
}

static void
release (struct loop *loop)
{
    const struct packer_sink sink = {doors_send, doors_forget, &loop->doors};

    if (turn_release (&loop->turn, &loop->leaving) != BATON_OK) {
        loop->stats->no_memory++;
        return;
    }
    if (packer_send (loop->packer, &loop->leaving, &sink) != BATON_OK) {
        lose_receivers (loop);
    }
    effect_list_clear (&loop->leaving);
}

static enum baton_err
keep_house (struct loop *loop)
{
    const uint64_t now_ns = loop->turn.now_ns;

    if (now_ns < loop->housekeeping_ns) return BATON_OK;
    loop->housekeeping_ns = now_ns + SECOND_NS;
    if (loop->turn.pace == CLOCK_STEADY) {
        doors_expire (&loop->doors, now_ns);
    }
    doors_guard (&loop->doors, loop->budget->used_bytes, now_ns);
    budget_trim (loop->budget);
    return turn_drop_front (&loop->turn);
}

static void
feed_watchdog (struct loop *loop)
{
    if (loop->watchdog_every_ns == 0 || loop->turn.now_ns < loop->watchdog_ns) return;
    loop->watchdog_ns = loop->turn.now_ns + loop->watchdog_every_ns;
    notify_alive ();
}

static uint64_t
earlier (uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

// How long the next wait may be, in whole milliseconds: a late turn is better than an early one
// that finds nothing due.
static int
wait_ms (struct loop *loop, bool sends_wait)
{
    const uint64_t now_ns = loop->turn.now_ns;
    uint64_t due_ns = turn_due_ns (&loop->turn);

    if (due_ns == now_ns || doors_has_lost (&loop->doors)) return 0;
    due_ns = earlier (due_ns, loop->housekeeping_ns);
    if (sends_wait) {
        due_ns = earlier (due_ns, now_ns + LIMIT_SEND_RETRY_MS * MS_NS);
    }
    if (loop->watchdog_every_ns != 0) {
        due_ns = earlier (due_ns, loop->watchdog_ns);
    }
    due_ns = earlier (due_ns, admin_due_ns (&loop->admin));
    if (due_ns <= now_ns) return 1;
    return (int) ((earlier (due_ns - now_ns, SECOND_NS) + MS_NS - 1) / MS_NS);
}

static enum baton_err
wait (struct loop *loop)
{
    struct port_wait_item items[DOORS_MAX + 1];
    const bool sends_wait = doors_retry (&loop->doors);
    const uint32_t count = doors_wait_items (&loop->doors, items);
    const int timeout_ms = wait_ms (loop, sends_wait);

    items[count] = (struct port_wait_item) {.port = NULL, .fd = loop->signal_fd};
    const enum baton_err err = port_wait (items, count + 1, timeout_ms);
    loop->slept_ns = (uint64_t) timeout_ms * MS_NS;
    if (err == BATON_OK && items[count].readable) {
        loop->state = LOOP_STOPPING;
    }
    return err == BATON_TIMED_OUT || err == BATON_INTERRUPTED ? BATON_OK : err;
}

static enum baton_err
take_turn (struct loop *loop)
{
    // A disk may lose much of its reserve within a second.
    note_room (loop);
    enum baton_err err = drain (loop);

    loop->stats->turns++;
    if (err == BATON_OK) {
        err = tell_lost (loop);
    }
    if (err == BATON_OK) {
        err = turn_tick (&loop->turn);
    }
    if (err == BATON_OK) {
        err = turn_write (&loop->turn);
    }
    if (err != BATON_OK) return err;
    release (loop);
    admin_expire (&loop->admin, loop);
    err = turn_tend (&loop->turn);
    if (err == BATON_OK) {
        err = keep_house (loop);
    }
    feed_watchdog (loop);
    return err;
}

enum baton_err
loop_begin_reign (struct loop *loop)
{
    loop->turn.parts.core = loop->core;
    read_clocks (loop);
    loop->started_ns = loop->turn.now_ns;
    note_room (loop);
    const enum baton_err err = turn_begin_reign (&loop->turn);
    if (err != BATON_OK) return err;
    loop->doors.epoch = core_epoch (loop->core);
    return BATON_OK;
}

// Frames that were read are answered, frames that were not are resent by their ends.
static enum baton_err
stop (struct loop *loop)
{
    const enum baton_err err = turn_write (&loop->turn);

    notify_stopping ();
    if (err != BATON_OK) return err;
    release (loop);
    doors_retry (&loop->doors);
    return turn_stop (&loop->turn);
}

enum baton_err
loop_run (struct loop *loop)
{
    enum baton_err err = BATON_OK;

    while (err == BATON_OK && loop->state == LOOP_RUNNING) {
        err = wait (loop);
        read_clocks (loop);
        if (err == BATON_OK) {
            err = take_turn (loop);
        }
    }
    return err == BATON_OK ? stop (loop) : err;
}
