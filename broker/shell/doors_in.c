// SPDX-License-Identifier: MPL-2.0
// doors_in.c is the way in: from a frame at a door to a message on a known path, or a refusal.
#include "broker/shell/doors.h"

#include "broker/shell/refuse.h"

#include <inttypes.h>
#include <string.h>

// Where the kind stands in a frame's head (wire.h).
#define KIND_OFFSET 3u
// Commands that ask for administration come and go; the oldest path makes room.
#define ADMIN_PATHS_MAX_COUNT LIMIT_ADMIN_ASKS_MAX_COUNT
#define RETRY_AFTER_MS 1000u

// Until keys exist, everybody who reaches a door is this principal.
static const char principal_local[] = "local";

// Encodes [msg] for an address that may be nobody's path.
static void
send_straight (struct doors *doors, uint32_t which, const struct address *to,
               const struct msg *msg)
{
    struct port_frame frame;
    const size_t size = wire_encoded_size (msg);

    if (port_frame_new (&frame, size) != BATON_OK) return;
    wire_encode (msg, port_frame_data (&frame), size);
    if (port_send (doors->doors[which].port, to, &frame) == BATON_OK) {
        doors_note_sent (doors, size);
    } else {
        // Nobody keeps frames for a stranger.
        port_frame_fini (&frame);
        doors->stats->frames_dropped_gone++;
    }
}

static void
refuse_straight (struct doors *doors, uint32_t which, const struct address *to,
                 const struct msg_refused *refused)
{
    struct msg msg = {.kind = MSG_REFUSED, .epoch = doors->epoch};

    msg.refused = *refused;
    send_straight (doors, which, to, &msg);
}

// A frame as it came in, with what is known of where it came from.
struct arrival {
    uint32_t which;
    uint64_t now_ns;
    struct address from;
    uint64_t hash;
    struct path *path; // NULL: unknown
};

static void
count_fault (struct stats *stats, enum refusal refusal)
{
    if (refusal == REFUSAL_TOO_LARGE) {
        stats->too_large++;
    } else if (refusal == REFUSAL_BAD_VERSION) {
        stats->bad_version++;
    } else {
        stats->malformed++;
    }
}

// Nonsense: told why, counted; whoever sends too much of it is not listened to for a while.
static void
on_fault (struct doors *doors, struct arrival *arrival, const struct wire_fault *fault)
{
    struct msg_refused refused;

    count_fault (doors->stats, fault->refusal);
    log_line (doors->log, LOG_INFO, "link %" PRIu64 ": %s refused: %s (%s: value %" PRIu64
              ", limit %" PRIu64 ")", arrival->path ? arrival->path->number.n : 0,
              msg_kind_name (fault->kind), refusal_name (fault->refusal),
              fault->what ? fault->what : "frame", fault->value, fault->limit);
    refuse_fault (fault, &refused);
    refuse_straight (doors, arrival->which, &arrival->from, &refused);
    if (!strangers_fault (&doors->strangers, arrival->hash, arrival->now_ns)) return;
    doors->stats->shunned_paths++;
    log_line (doors->log, LOG_WARNING, "link %" PRIu64 ": more than %" PRIu64 " malformed frames"
              " in 10 s; what it sends is dropped", arrival->path ? arrival->path->number.n : 0,
              doors->config->malformed_per_10_s);
    if (arrival->path) {
        doors_drop (doors, arrival->path, DOORS_LOSE);
        arrival->path = NULL;
    }
}

static void
say_hello_first (struct doors *doors, const struct arrival *arrival, const struct msg *msg)
{
    struct msg_refused refused;

    doors->stats->hello_first++;
    // An end that comes back sends all it had queued; one answer is enough for it.
    if (!strangers_may_answer (&doors->strangers, arrival->hash, arrival->now_ns)) {
        doors->stats->answers_kept_back++;
        return;
    }
    refuse_msg (msg, REFUSAL_HELLO_FIRST, &refused);
    refuse_straight (doors, arrival->which, &arrival->from, &refused);
}

// A large frame on an unknown path is not decoded. An end that lost its broker sends such ones
// before it notices; it is told to say HELLO. A HELLO itself is never large.
static void
on_large_stranger (struct doors *doors, struct arrival *arrival, struct baton_bytes frame)
{
    const unsigned char *bytes = frame.data;
    const struct msg msg = {.kind = (enum msg_kind) bytes[KIND_OFFSET]};

    doors->stats->too_large_before_hello++;
    if (bytes[0] == (WIRE_MAGIC & 0xff) && bytes[1] == WIRE_MAGIC >> 8
        && bytes[KIND_OFFSET] > MSG_HELLO && bytes[KIND_OFFSET] <= MSG_ADMIN_TELL) {
        say_hello_first (doors, arrival, &msg);
        return;
    }
    const struct wire_fault fault = {
        .refusal = REFUSAL_TOO_LARGE,
        .kind = MSG_HELLO,
        .what = "frame before HELLO",
        .value = frame.size,
        .limit = doors->config->frame_before_hello_bytes,
    };
    on_fault (doors, arrival, &fault);
}

static void
drop_oldest (struct doors *doors, struct door *door)
{
    struct queue *oldest = queue_first (&door->heard);

    doors_drop (doors, queue_owner (oldest, struct path, in_heard), DOORS_LOSE);
}

// All ends of all doors: the limit is one for the broker.
static uint32_t
ends_count (const struct doors *doors)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < doors->doors_count; i++) {
        count += doors->doors[i].kind == DOOR_ENDS ? doors->doors[i].paths_count : 0;
    }
    return count;
}

static bool
has_room (struct doors *doors, struct door *door)
{
    if (door->kind == DOOR_ENDS) return ends_count (doors) < doors->config->connections_max_count;
    if (door->paths_count >= ADMIN_PATHS_MAX_COUNT) {
        drop_oldest (doors, door);
    }
    return true;
}

// A HELLO on an unknown path, or anything on the administration's door, makes the path known.
static struct path *
make_path (struct doors *doors, struct arrival *arrival, const struct msg *msg)
{
    struct door *door = &doors->doors[arrival->which];
    struct msg_refused refused;
    struct path *path = NULL;

    if (has_room (doors, door)) {
        path = paths_make (&doors->paths, &door->heard, arrival->which, &arrival->from);
    }
    if (path) {
        door->paths_count++;
        doors->stats->links_made++;
        log_line (doors->log, LOG_DEBUG, "link %" PRIu64 ": new", path->number.n);
        return path;
    }
    doors->stats->connections_refused++;
    log_line (doors->log, LOG_WARNING, "a new link was refused: %" PRIu32 " are open"
              " (connections_max_count %" PRIu64 ")", ends_count (doors),
              doors->config->connections_max_count);
    refuse_busy (msg, BUSY_RATE, RETRY_AFTER_MS, &refused);
    refused.value = ends_count (doors);
    refused.limit = doors->config->connections_max_count;
    refuse_straight (doors, arrival->which, &arrival->from, &refused);
    return NULL;
}

static enum doors_result
admit (struct doors *doors, struct arrival *arrival, struct doors_message *message)
{
    struct door *door = &doors->doors[arrival->which];
    struct wire_fault fault = {0};
    const struct baton_bytes frame = port_frame_view (&message->frame);

    if (!arrival->path && frame.size > doors->config->frame_before_hello_bytes) {
        on_large_stranger (doors, arrival, frame);
        return DOORS_HANDLED;
    }
    if (wire_decode (doors->decoder, &doors->limits, frame, &message->msg, &fault) != BATON_OK) {
        on_fault (doors, arrival, &fault);
        return DOORS_HANDLED;
    }
    if (!arrival->path && door->kind == DOOR_ENDS && message->msg.kind != MSG_HELLO) {
        say_hello_first (doors, arrival, &message->msg);
        return DOORS_HANDLED;
    }
    if (!arrival->path) {
        arrival->path = make_path (doors, arrival, &message->msg);
    }
    return arrival->path ? DOORS_MESSAGE : DOORS_HANDLED;
}

static void
note_heard (struct doors *doors, struct path *path, uint64_t now_ns)
{
    path->heard_ns = now_ns;
    queue_remove (&path->in_heard);
    queue_push (&doors->doors[path->door].heard, &path->in_heard);
}

// One frame that came whole. Shunned ones cost a look into a table and nothing else.
static enum doors_result
on_frame (struct doors *doors, struct arrival *arrival, struct doors_message *message)
{
    const struct door *door = &doors->doors[arrival->which];

    doors->stats->frames_in++;
    doors->stats->frames_in_bytes += port_frame_view (&message->frame).size;
    if (admit (doors, arrival, message) != DOORS_MESSAGE) return DOORS_HANDLED;
    note_heard (doors, arrival->path, arrival->now_ns);
    message->link = arrival->path->number;
    message->door = door->kind;
    message->principal
        = (struct baton_bytes) {principal_local, sizeof principal_local - 1};
    return DOORS_MESSAGE;
}

static void
on_more_frames (struct doors *doors, struct arrival *arrival)
{
    const struct wire_fault fault = {
        .refusal = REFUSAL_MALFORMED, .what = "more than one frame in a message"};

    doors->stats->more_than_one_frame++;
    on_fault (doors, arrival, &fault);
}

enum doors_result
doors_receive (struct doors *doors, uint32_t which, uint64_t now_ns,
               struct doors_message *message)
{
    struct arrival arrival = {.which = which, .now_ns = now_ns};
    enum doors_result result = DOORS_HANDLED;

    if (!doors->doors[which].port) return DOORS_EMPTY;
    const enum baton_err err
        = port_receive (doors->doors[which].port, &arrival.from, &message->frame);

    if (err == BATON_NETWORK) {
        doors_reopen (doors, which, now_ns);
    }
    if (err != BATON_OK && err != BATON_REFUSED) return DOORS_EMPTY;
    arrival.hash = paths_hash (&doors->paths, which, &arrival.from);
    if (strangers_is_shunned (&doors->strangers, arrival.hash, now_ns)) {
        doors->stats->shunned_frames++;
    } else {
        arrival.path = paths_at (&doors->paths, which, &arrival.from);
        if (err == BATON_REFUSED) {
            on_more_frames (doors, &arrival);
        } else {
            result = on_frame (doors, &arrival, message);
        }
    }
    if (err == BATON_OK && result != DOORS_MESSAGE) {
        port_frame_fini (&message->frame);
    }
    return result;
}
