// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/turn.h"

#include "broker/shell/refuse.h"
#include "proto/assert.h"

#include <string.h>

#define MS_NS UINT64_C (1000000)
// What a refused end is told to wait.
#define RETRY_AFTER_MS 1000u
// How long the core's own chores wait when there was no room for them.
#define STUCK_MS 100u

void
turn_init (struct turn *turn, const struct turn_parts *parts, const struct turn_limits *limits,
           const struct turn_outside *outside)
{
    memset (turn, 0, sizeof *turn);
    turn->parts = *parts;
    turn->limits = *limits;
    turn->outside = *outside;
    gate_init (&turn->gate, parts->memory);
    replica_init (&turn->replica);
    batch_init (&turn->batch, parts->memory);
    turn->pace = CLOCK_STEADY;
    turn->input = INPUT_NONE;
    turn->step = STEP_DONE;
}

void
turn_fini (struct turn *turn)
{
    batch_fini (&turn->batch);
    gate_fini (&turn->gate);
}

uint64_t
turn_wake (struct turn *turn, uint64_t now_ns, uint64_t utc_ms, uint64_t slept_ns)
{
    const uint64_t before_ns = turn->now_ns;
    const uint64_t allowed_ns = slept_ns + turn->limits.stall_ms * MS_NS;

    turn->now_ns = now_ns;
    turn->utc_ms = utc_ms;
    if (before_ns == 0 || now_ns - before_ns <= allowed_ns) return 0;
    // Frames that prove others alive may wait at the doors: nobody is judged by the time that we
    // ourselves slept.
    turn->pace = CLOCK_STALLED;
    return now_ns - before_ns;
}

enum baton_err
turn_write (struct turn *turn)
{
    if (turn->batch.count == 0) return BATON_OK;
    const enum baton_err err
        = batch_write (&turn->batch, turn->parts.journal, &turn->replica, turn->parts.stats);
    if (err == BATON_OK) {
        turn->written_ns = turn->now_ns;
    }
    return err;
}

// Room in the batch, in the list of records and on the disk, before work is taken.
static enum baton_err
make_room (struct turn *turn, uint64_t message_bytes)
{
    const uint64_t bytes = message_bytes + turn->limits.record_room_bytes;
    enum baton_err err = BATON_OK;

    if (turn->batch.bytes + bytes > turn->limits.batch_max_bytes) {
        err = turn_write (turn);
    }
    if (err == BATON_OK) {
        err = batch_reserve (&turn->batch);
    }
    if (err == BATON_OK) {
        err = journal_reserve (turn->parts.journal, turn->batch.bytes + bytes);
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
step_once (struct turn *turn, struct event *event)
{
    struct core_step step = {0};

    event->now_ns = turn->now_ns;
    event->utc_ms = turn->utc_ms;
    turn->outside.note_memory (turn->outside.context, &turn->capacity);
    event->capacity = turn->capacity;
    enum baton_err err = turn->outside.fresh (turn->outside.context, event->fresh);
    if (err != BATON_OK) return err;
    err = core_step (turn->parts.core, event, gate_inbox (&turn->gate), &step);
    gate_hold (&turn->gate);
    if (step.record) {
        batch_add (&turn->batch, step.record);
        if (turn->outside.note_record) {
            turn->outside.note_record (turn->outside.context, blob_view (step.record));
        }
    }
    if (err != BATON_OK) return err;
    turn->step = step.rest == CORE_MORE ? STEP_MORE : STEP_DONE;
    return BATON_OK;
}

// Lets the core finish what it has begun. BATON_NO_MEMORY leaves the rest for a later turn.
static enum baton_err
finish_step (struct turn *turn)
{
    while (turn->step == STEP_MORE) {
        struct event event = {.kind = EVENT_CONTINUE};
        enum baton_err err = make_room (turn, 0);
        if (err == BATON_OK) {
            err = step_once (turn, &event);
        }
        if (err != BATON_OK) return err;
    }
    return BATON_OK;
}

static enum baton_err
step (struct turn *turn, struct event *event, uint64_t message_bytes)
{
    enum baton_err err = finish_step (turn);

    if (err != BATON_OK) return err;
    err = make_room (turn, message_bytes);
    if (err != BATON_OK) return err;
    err = step_once (turn, event);
    return err == BATON_OK ? finish_step (turn) : err;
}

// These make no record, so they need no room in the log.
static bool
makes_no_record (enum msg_kind kind)
{
    return kind == MSG_HEARTBEAT || kind == MSG_CREDIT || kind == MSG_RELOAD;
}

enum baton_err
turn_begin_reign (struct turn *turn)
{
    struct event event = {.kind = EVENT_START};

    replica_durable (&turn->replica, REPLICA_SELF, journal_durable_index (turn->parts.journal));
    event.epoch.n = core_epoch (turn->parts.core).n + 1;
    const struct log_index reign_index = {core_last_index (turn->parts.core).n + 1};
    replica_begin_reign (&turn->replica, event.epoch, reign_index);
    enum baton_err err = step (turn, &event, 0);
    if (err == BATON_OK) {
        err = turn_write (turn);
    }
    if (err != BATON_OK) return err;
    ASSERT (replica_commit_index (&turn->replica).n >= reign_index.n);
    return BATON_OK;
}

enum baton_err
turn_begin (struct turn *turn)
{
    const enum baton_err err = finish_step (turn);

    turn->input = INPUT_NONE;
    if (!is_room (err)) return err;
    // The ends are still read, and told BUSY.
    turn->stuck_until_ns = turn->now_ns + STUCK_MS * MS_NS;
    return BATON_OK;
}

bool
turn_is_too_deep (const struct turn *turn)
{
    const struct gate_depth depth = gate_depth (&turn->gate);

    return depth.count >= turn->limits.gate_max_count || depth.bytes >= turn->limits.gate_max_bytes;
}

enum baton_err
turn_message (struct turn *turn, struct link_number link, struct baton_bytes principal,
              const struct msg *msg, uint64_t frame_bytes)
{
    struct event event = {
        .kind = EVENT_MESSAGE, .link = link, .principal = principal, .msg = msg};
    const enum baton_err err = step (turn, &event, frame_bytes);

    // An end that says something makes itself heard, whatever the disk is like.
    if (err != BATON_DISK_FULL || !makes_no_record (msg->kind) || turn->step == STEP_MORE) {
        return err;
    }
    return step_once (turn, &event);
}

bool
turn_refuse (const struct msg *msg, enum baton_err error, struct msg_refused *refused)
{
    const enum busy_reason reason = error == BATON_NO_MEMORY ? BUSY_MEMORY : BUSY_DISK;

    refuse_busy (msg, reason, RETRY_AFTER_MS, refused);
    return msg->kind != MSG_HEARTBEAT && msg->kind != MSG_GOODBYE;
}

enum baton_err
turn_lost (struct turn *turn, struct link_number link)
{
    struct event event = {.kind = EVENT_LINK_LOST, .link = link};
    const enum baton_err err = step (turn, &event, 0);

    // An end that is not told of is found silent by the core itself, later.
    return is_room (err) ? BATON_OK : err;
}

enum baton_err
turn_tick (struct turn *turn)
{
    struct event event = {.kind = EVENT_TICK};

    if (turn->pace == CLOCK_STALLED) {
        turn->pace = turn->input == INPUT_LEFT ? CLOCK_STALLED : CLOCK_STEADY;
        return BATON_OK;
    }
    if (core_deadline_ns (turn->parts.core) > turn->now_ns
        || turn->stuck_until_ns > turn->now_ns) {
        return BATON_OK;
    }
    const enum baton_err err = step (turn, &event, 0);
    if (!is_room (err)) return err;
    turn->stuck_until_ns = turn->now_ns + STUCK_MS * MS_NS;
    return BATON_OK;
}

enum baton_err
turn_release (struct turn *turn, struct effect_list *leaving)
{
    return gate_release (&turn->gate, replica_commit_index (&turn->replica), leaving);
}

enum baton_err
turn_tend (struct turn *turn)
{
    const uint64_t quiet_ns = turn->limits.closing_batch_after_ms * MS_NS;
    const enum baton_err err = journal_prepare (turn->parts.journal);

    if (err != BATON_OK) return err;
    if (turn->written_ns == 0 || turn->now_ns - turn->written_ns < quiet_ns) return BATON_OK;
    turn->written_ns = 0;
    turn->parts.stats->closing_batches++;
    return journal_close_batch (turn->parts.journal, replica_commit_index (&turn->replica));
}

enum baton_err
turn_drop_front (struct turn *turn)
{
    struct journal_status status;

    journal_status (turn->parts.journal, &status);
    if (status.segment_count < 2) return BATON_OK;
    return journal_drop_front (turn->parts.journal, core_pinned_index (turn->parts.core));
}

enum baton_err
turn_stop (struct turn *turn)
{
    const enum baton_err err = turn_write (turn);

    if (err != BATON_OK) return err;
    return journal_close_batch (turn->parts.journal, replica_commit_index (&turn->replica));
}

static uint64_t
earlier (uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t
turn_due_ns (const struct turn *turn)
{
    const bool stuck = turn->stuck_until_ns > turn->now_ns;
    uint64_t due_ns = stuck ? turn->stuck_until_ns : core_deadline_ns (turn->parts.core);

    if (turn->input == INPUT_LEFT || (turn->step == STEP_MORE && !stuck)) return turn->now_ns;
    if (turn->written_ns != 0) {
        due_ns = earlier (due_ns,
                          turn->written_ns + turn->limits.closing_batch_after_ms * MS_NS);
    }
    return due_ns;
}
