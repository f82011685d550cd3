// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/loop.h"

#include "broker/shell/clock.h"
#include "broker/shell/notify.h"
#include "broker/shell/refuse.h"
#include "proto/assert.h"

#include <inttypes.h>
#include <string.h>

#define MS_NS UINT64_C (1000000)
#define SECOND_NS (1000 * MS_NS)
#define NEVER UINT64_MAX
// What a step may add to a batch beside the bodies of its message.
#define RECORD_ROOM_BYTES LIMIT_CONTROL_MAX_BYTES
// What a refused end is told to wait.
#define RETRY_AFTER_MS 1000u
// How long the core's own chores wait when there was no room for them.
#define STUCK_MS 100u

enum baton_err
loop_init (struct loop *loop)
{
    const struct memory *memory = &loop->budget->memory;

    gate_init (&loop->gate, memory);
    replica_init (&loop->replica);
    batch_init (&loop->batch, memory);
    admin_init (&loop->admin);
    effect_list_init (&loop->leaving, memory);
    loop->pace = CLOCK_STEADY;
    loop->input = INPUT_NONE;
    loop->step = STEP_DONE;
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
    batch_fini (&loop->batch);
    gate_fini (&loop->gate);
}

static void
read_clocks (struct loop *loop)
{
    const uint64_t before_ns = loop->now_ns;

    loop->now_ns = clock_now_ns ();
    loop->utc_ms = clock_utc_ms ();
    const uint64_t allowed_ns = loop->slept_ns + loop->config->stall_ms * MS_NS;
    if (before_ns != 0 && loop->now_ns - before_ns > allowed_ns) {
        // Frames that prove others alive may wait at the doors: nobody is judged by the time
        // that we ourselves slept.
        loop->pace = CLOCK_STALLED;
        loop->stats->stalled_turns++;
        log_line (loop->log, LOG_WARNING, "the broker stood still for %" PRIu64 " ms (stall_ms %"
                  PRIu64 "); nobody is expired in this turn",
                  (loop->now_ns - before_ns) / MS_NS, loop->config->stall_ms);
    }
}

static void
note_room (struct loop *loop)
{
    uint64_t free_bytes = 0, total_bytes = 0;

    budget_note (loop->budget, &loop->capacity);
    if (loop->disk->space (loop->disk->context, &free_bytes, &total_bytes) == BATON_OK) {
        loop->capacity.disk_free_bytes = free_bytes;
        loop->capacity.disk_total_bytes = total_bytes;
    }
}

// Makes the records so far durable.
static enum baton_err
write_batch (struct loop *loop)
{
    if (loop->batch.count == 0) return BATON_OK;
    const enum baton_err err
        = batch_write (&loop->batch, loop->journal, &loop->replica, loop->stats);
    if (err == BATON_OK) {
        loop->written_ns = loop->now_ns;
    }
    return err;
}

// Room in the batch, in the list of records and on the disk, before work is taken.
static enum baton_err
make_room (struct loop *loop, uint64_t message_bytes)
{
    const uint64_t bytes = message_bytes + RECORD_ROOM_BYTES;
    enum baton_err err = BATON_OK;

    if (loop->batch.bytes + bytes > loop->config->batch_max_bytes) {
        err = write_batch (loop);
    }
    if (err == BATON_OK) {
        err = batch_reserve (&loop->batch);
    }
    if (err == BATON_OK) {
        err = journal_reserve (loop->journal, loop->batch.bytes + bytes);
    }
    return err;
}

static bool
is_room (enum baton_err err)
{
    return err == BATON_NO_MEMORY || err == BATON_DISK_FULL;
}

// One step of the core. What it made is held or collected; nothing leaves yet.
static enum baton_err
step_once (struct loop *loop, struct event *event)
{
    struct core_step step = {0};

    event->now_ns = loop->now_ns;
    event->utc_ms = loop->utc_ms;
    budget_note (loop->budget, &loop->capacity);
    event->capacity = loop->capacity;
    enum baton_err err = chance_fill (loop->chance, 4);
    if (err != BATON_OK) return err;
    event->fresh[0] = chance_id (loop->chance);
    event->fresh[1] = chance_id (loop->chance);
    err = core_step (loop->core, event, gate_inbox (&loop->gate), &step);
    gate_hold (&loop->gate);
    if (step.record) {
        batch_add (&loop->batch, step.record);
    }
    if (err != BATON_OK) return err;
    loop->step = step.rest == CORE_MORE ? STEP_MORE : STEP_DONE;
    return BATON_OK;
}

// Lets the core finish what it has begun. BATON_NO_MEMORY leaves the rest for a later turn.
static enum baton_err
finish_step (struct loop *loop)
{
    while (loop->step == STEP_MORE) {
        struct event event = {.kind = EVENT_CONTINUE};
        enum baton_err err = make_room (loop, 0);
        if (err == BATON_OK) {
            err = step_once (loop, &event);
        }
        if (err != BATON_OK) return err;
    }
    return BATON_OK;
}

static enum baton_err
step (struct loop *loop, struct event *event, uint64_t message_bytes)
{
    enum baton_err err = finish_step (loop);

    if (err != BATON_OK) return err;
    err = make_room (loop, message_bytes);
    if (err != BATON_OK) return err;
    err = step_once (loop, event);
    return err == BATON_OK ? finish_step (loop) : err;
}

// These make no record, so they need no room in the log.
static bool
makes_no_record (enum msg_kind kind)
{
    return kind == MSG_HEARTBEAT || kind == MSG_CREDIT || kind == MSG_RELOAD;
}

// An end that says something makes itself heard, whatever the disk is like.
static enum baton_err
step_on_message (struct loop *loop, struct event *event, uint64_t message_bytes)
{
    const enum baton_err err = step (loop, event, message_bytes);

    if (err != BATON_DISK_FULL || !makes_no_record (event->msg->kind)
        || loop->step == STEP_MORE) {
        return err;
    }
    return step_once (loop, event);
}

static void
tell_room (const struct loop *loop, enum busy_reason reason, struct msg_refused *refused)
{
    static const char memory[] = "free memory of the broker's budget";
    static const char disk[] = "free disk of the store, for one more segment";

    if (reason == BUSY_MEMORY) {
        refused->text = (struct baton_bytes) {memory, sizeof memory - 1};
        refused->value = loop->capacity.memory_free_bytes;
        refused->limit = config_frame_max_bytes (loop->config);
    } else {
        refused->text = (struct baton_bytes) {disk, sizeof disk - 1};
        refused->value = loop->capacity.disk_free_bytes;
        refused->limit = loop->config->segment_bytes;
    }
}

// No memory and no room on the disk end a message, not the broker.
static enum baton_err
refuse_for_room (struct loop *loop, const struct doors_message *message, enum baton_err err)
{
    const enum busy_reason reason = err == BATON_NO_MEMORY ? BUSY_MEMORY : BUSY_DISK;
    struct msg_refused refused;

    note_room (loop);
    loop->stats->no_memory += reason == BUSY_MEMORY;
    loop->stats->disk_full += reason == BUSY_DISK;
    log_line (loop->log, LOG_WARNING, "link %" PRIu64 ": %s refused BUSY(%s): %" PRIu64 " of %"
              PRIu64 " bytes of memory and %" PRIu64 " of %" PRIu64 " bytes of disk are free",
              message->link.n, msg_kind_name (message->msg.kind),
              reason == BUSY_MEMORY ? "memory" : "disk", loop->capacity.memory_free_bytes,
              loop->capacity.memory_total_bytes, loop->capacity.disk_free_bytes,
              loop->capacity.disk_total_bytes);
    // Nobody waits for the answer to these two; with all else an end stands still without one.
    if (message->msg.kind == MSG_HEARTBEAT || message->msg.kind == MSG_GOODBYE) return BATON_OK;
    refuse_busy (&message->msg, reason, RETRY_AFTER_MS, &refused);
    tell_room (loop, reason, &refused);
    doors_refuse (&loop->doors, message->link, &refused);
    return BATON_OK;
}

static enum baton_err
on_message (struct loop *loop, const struct doors_message *message, size_t frame_bytes)
{
    struct event event = {
        .kind = EVENT_MESSAGE,
        .link = message->link,
        .principal = message->principal,
        .msg = &message->msg,
    };

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
    const enum baton_err err = step_on_message (loop, &event, frame_bytes);
    return is_room (err) ? refuse_for_room (loop, message, err) : err;
}

static bool
is_too_deep (const struct loop *loop)
{
    const struct gate_depth depth = gate_depth (&loop->gate);

    return depth.count >= loop->config->gate_max_count
           || depth.bytes >= loop->config->gate_max_bytes;
}

static enum baton_err
drain_door (struct loop *loop, uint32_t which)
{
    struct doors_message message;

    for (uint64_t i = 0; i < loop->config->drain_count; i++) {
        if (is_too_deep (loop)) break;
        const enum doors_result result
            = doors_receive (&loop->doors, which, loop->now_ns, &message);
        if (result == DOORS_EMPTY) return BATON_OK;
        if (result == DOORS_HANDLED) continue;
        const enum baton_err err
            = on_message (loop, &message, port_frame_view (&message.frame).size);
        doors_done (&message);
        if (err != BATON_OK) return err;
    }
    loop->input = INPUT_LEFT;
    return BATON_OK;
}

static enum baton_err
drain (struct loop *loop)
{
    enum baton_err err = finish_step (loop);

    loop->input = INPUT_NONE;
    if (is_room (err)) {
        // The ends are still read, and told BUSY.
        loop->stuck_until_ns = loop->now_ns + STUCK_MS * MS_NS;
        err = BATON_OK;
    }
    for (uint32_t i = 0; err == BATON_OK && i < loop->doors.doors_count; i++) {
        err = drain_door (loop, i);
    }
    return err;
}

// Tells the core of paths that are gone.
static enum baton_err
tell_lost (struct loop *loop)
{
    struct link_number lost;

    while ((lost = doors_take_lost (&loop->doors)).n > 0) {
        struct event event = {.kind = EVENT_LINK_LOST, .link = lost};
        const enum baton_err err = step (loop, &event, 0);
        // An end that is not told of is found silent by the core itself, later.
        if (err != BATON_OK && !is_room (err)) return err;
    }
    return BATON_OK;
}

static enum baton_err
tick (struct loop *loop)
{
    enum baton_err err = BATON_OK;

    if (loop->pace == CLOCK_STALLED) {
        loop->pace = loop->input == INPUT_LEFT ? CLOCK_STALLED : CLOCK_STEADY;
        return BATON_OK;
    }
    if (core_deadline_ns (loop->core) <= loop->now_ns && loop->stuck_until_ns <= loop->now_ns) {
        struct event event = {.kind = EVENT_TICK};
        err = step (loop, &event, 0);
    }
    if (!is_room (err)) return err;
    loop->stuck_until_ns = loop->now_ns + STUCK_MS * MS_NS;
    return BATON_OK;
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
    const struct log_index commit = replica_commit_index (&loop->replica);

    if (gate_release (&loop->gate, commit, &loop->leaving) != BATON_OK) {
        loop->stats->no_memory++;
        return;
    }
    if (packer_send (loop->packer, &loop->leaving, &sink) != BATON_OK) {
        lose_receivers (loop);
    }
    effect_list_clear (&loop->leaving);
}

// Segments that nothing alive needs can go when a new one has begun, and later when what they
// held has ended.
static enum baton_err
drop_front (struct loop *loop)
{
    struct journal_status status;

    journal_status (loop->journal, &status);
    loop->segments_count = status.segment_count;
    if (status.segment_count < 2) return BATON_OK;
    return journal_drop_front (loop->journal, core_pinned_index (loop->core));
}

static enum baton_err
keep_house (struct loop *loop)
{
    if (loop->now_ns < loop->housekeeping_ns) return BATON_OK;
    loop->housekeeping_ns = loop->now_ns + SECOND_NS;
    if (loop->pace == CLOCK_STEADY) {
        doors_expire (&loop->doors, loop->now_ns);
    }
    doors_guard (&loop->doors, loop->budget->used_bytes, loop->now_ns);
    budget_trim (loop->budget);
    return drop_front (loop);
}

// After the answers have left: prepare the next segment, close the log when it is quiet.
static enum baton_err
tend_log (struct loop *loop)
{
    const uint64_t quiet_ns = loop->config->closing_batch_after_ms * MS_NS;
    enum baton_err err = journal_prepare (loop->journal);

    if (err != BATON_OK) return err;
    if (loop->written_ns == 0 || loop->now_ns - loop->written_ns < quiet_ns) return BATON_OK;
    loop->written_ns = 0;
    loop->stats->closing_batches++;
    err = journal_close_batch (loop->journal, replica_commit_index (&loop->replica));
    return err;
}

static void
feed_watchdog (struct loop *loop)
{
    if (loop->watchdog_every_ns == 0 || loop->now_ns < loop->watchdog_ns) return;
    loop->watchdog_ns = loop->now_ns + loop->watchdog_every_ns;
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
    const bool stuck = loop->stuck_until_ns > loop->now_ns;
    uint64_t due_ns = loop->housekeeping_ns;

    if (loop->input == INPUT_LEFT || doors_has_lost (&loop->doors)) return 0;
    if (loop->step == STEP_MORE && !stuck) return 0;
    due_ns = earlier (due_ns, stuck ? loop->stuck_until_ns : core_deadline_ns (loop->core));
    if (loop->written_ns != 0) {
        due_ns = earlier (due_ns, loop->written_ns
                                      + loop->config->closing_batch_after_ms * MS_NS);
    }
    if (sends_wait) {
        due_ns = earlier (due_ns, loop->now_ns + LIMIT_SEND_RETRY_MS * MS_NS);
    }
    if (loop->watchdog_every_ns != 0) {
        due_ns = earlier (due_ns, loop->watchdog_ns);
    }
    due_ns = earlier (due_ns, admin_due_ns (&loop->admin));
    if (due_ns <= loop->now_ns) return 1;
    return (int) ((earlier (due_ns - loop->now_ns, SECOND_NS) + MS_NS - 1) / MS_NS);
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
turn (struct loop *loop)
{
    // A disk may lose much of its reserve within a second.
    note_room (loop);
    enum baton_err err = drain (loop);

    loop->stats->turns++;
    if (err == BATON_OK) {
        err = tell_lost (loop);
    }
    if (err == BATON_OK) {
        err = tick (loop);
    }
    if (err == BATON_OK) {
        err = write_batch (loop);
    }
    if (err != BATON_OK) return err;
    release (loop);
    admin_expire (&loop->admin, loop);
    err = tend_log (loop);
    if (err == BATON_OK) {
        err = keep_house (loop);
    }
    feed_watchdog (loop);
    return err;
}

enum baton_err
loop_begin_reign (struct loop *loop)
{
    struct event event = {.kind = EVENT_START};

    read_clocks (loop);
    loop->started_ns = loop->now_ns;
    note_room (loop);
    replica_durable (&loop->replica, REPLICA_SELF, journal_durable_index (loop->journal));
    event.epoch.n = core_epoch (loop->core).n + 1;
    const struct log_index reign_index = {core_last_index (loop->core).n + 1};
    replica_begin_reign (&loop->replica, event.epoch, reign_index);
    enum baton_err err = step (loop, &event, 0);
    if (err == BATON_OK) {
        err = write_batch (loop);
    }
    if (err != BATON_OK) return err;
    ASSERT (replica_commit_index (&loop->replica).n >= reign_index.n);
    loop->doors.epoch = event.epoch;
    return BATON_OK;
}

// Frames that were read are answered, frames that were not are resent by their ends.
static enum baton_err
stop (struct loop *loop)
{
    enum baton_err err = write_batch (loop);

    notify_stopping ();
    if (err != BATON_OK) return err;
    release (loop);
    doors_retry (&loop->doors);
    return journal_close_batch (loop->journal, replica_commit_index (&loop->replica));
}

enum baton_err
loop_run (struct loop *loop)
{
    enum baton_err err = BATON_OK;

    while (err == BATON_OK && loop->state == LOOP_RUNNING) {
        err = wait (loop);
        read_clocks (loop);
        if (err == BATON_OK) {
            err = turn (loop);
        }
    }
    return err == BATON_OK ? stop (loop) : err;
}
