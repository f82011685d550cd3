// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/doors.h"

#include "broker/shell/packer.h"
#include "proto/assert.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MS_NS UINT64_C (1000000)
// Control fields grow when they are decoded; this is many times what honest ones need, and what
// does not fit is refused as too large.
#define ARENA_BYTES (1u * MIB)
// A path is dropped here when it was silent so many times longer than the core waits for an end.
#define SILENCE_FACTOR 4u

enum baton_err
doors_open (struct doors *doors, const struct config *config, const struct memory *memory,
            struct stats *stats, struct log *log, uint64_t hash_seed)
{
    const struct port_options options = {
        .frame_max_bytes = config_frame_max_bytes (config),
        .io_threads_count = (uint32_t) config->io_threads_count,
        .connections_max_count = (uint32_t) config->connections_max_count,
    };

    memset (doors, 0, sizeof *doors);
    doors->config = config;
    doors->memory = memory;
    doors->stats = stats;
    doors->log = log;
    doors->limits = (struct wire_limits) {
        .frame_max_bytes = config_frame_max_bytes (config),
        .body_max_bytes = config->body_max_bytes,
        .restart_data_max_bytes = config->restart_data_max_bytes,
    };
    paths_init (&doors->paths, memory, hash_seed);
    strangers_init (&doors->strangers, (uint32_t) config->malformed_per_10_s);
    doors->decoder = wire_decoder_new (memory, ARENA_BYTES);
    if (!doors->decoder) return BATON_NO_MEMORY;
    return port_context_new (&options, &doors->context);
}

enum baton_err
doors_bind (struct doors *doors, enum door_kind kind, const char *endpoint)
{
    ASSERT (doors->doors_count < DOORS_MAX);
    struct door *door = &doors->doors[doors->doors_count];
    const enum baton_err err = port_bind (doors->context, endpoint, &door->port);

    if (err != BATON_OK) return err;
    door->kind = kind;
    // As it was resolved: the same port must come back.
    snprintf (door->endpoint, sizeof door->endpoint, "%s", port_endpoint (door->port));
    queue_init (&door->heard);
    doors->doors_count++;
    return BATON_OK;
}

void
doors_close (struct doors *doors)
{
    for (uint32_t i = 0; i < doors->doors_count; i++) {
        struct queue *first;
        while ((first = queue_first (&doors->doors[i].heard))) {
            paths_drop (&doors->paths, queue_owner (first, struct path, in_heard));
        }
        if (doors->doors[i].port) {
            port_close (&doors->doors[i].port);
        }
    }
    doors->doors_count = 0;
    paths_fini (&doors->paths);
    if (doors->decoder) {
        wire_decoder_free (&doors->decoder);
    }
    if (doors->context) {
        port_context_free (&doors->context);
    }
}

void
doors_drop (struct doors *doors, struct path *path, enum doors_drop how)
{
    doors->doors[path->door].paths_count--;
    if (how == DOORS_LOSE && doors->doors[path->door].kind == DOOR_ENDS) {
        paths_lose (&doors->paths, path);
    } else {
        paths_drop (&doors->paths, path);
    }
}

void
doors_note_sent (struct doors *doors, size_t bytes)
{
    doors->stats->frames_out++;
    doors->stats->frames_out_bytes += bytes;
}

static void
hold_frame (struct doors *doors, struct path *path, struct port_frame *frame)
{
    const size_t bytes = port_frame_view (frame).size;

    if (path->waiting_bytes + bytes <= doors->config->link_out_max_bytes
        && paths_hold (&doors->paths, path, frame) == BATON_OK) {
        doors->stats->frames_held_back++;
        return;
    }
    port_frame_fini (frame);
    doors->stats->frames_dropped_full++;
    log_line (doors->log, LOG_WARNING, "link %" PRIu64 ": does not read; %" PRIu64 " bytes wait"
              " (link_out_max_bytes %" PRIu64 "): the link is dropped, its sessions stay",
              path->number.n, path->waiting_bytes, doors->config->link_out_max_bytes);
    doors_drop (doors, path, DOORS_LOSE);
}

static void
send_on (struct doors *doors, struct path *path, struct port_frame *frame)
{
    const size_t bytes = port_frame_view (frame).size;

    if (path->first) {
        hold_frame (doors, path, frame);
        return;
    }
    const enum baton_err err
        = port_send (doors->doors[path->door].port, &path->address, frame);
    if (err == BATON_OK) {
        doors_note_sent (doors, bytes);
    } else if (err == BATON_BUSY) {
        hold_frame (doors, path, frame);
    } else {
        port_frame_fini (frame);
        doors->stats->frames_dropped_gone++;
        doors->stats->links_lost++;
        log_line (doors->log, LOG_DEBUG, "link %" PRIu64 ": gone (%s)", path->number.n,
                  baton_strerror (err));
        doors_drop (doors, path, DOORS_LOSE);
    }
}

void
doors_send (void *context, struct link_number to, struct port_frame *frame)
{
    struct doors *doors = context;
    struct path *path = paths_numbered (&doors->paths, to);

    if (path) {
        send_on (doors, path, frame);
    } else {
        port_frame_fini (frame);
        doors->stats->frames_dropped_gone++;
    }
}

void
doors_forget (void *context, struct link_number link)
{
    struct doors *doors = context;
    struct path *path = paths_numbered (&doors->paths, link);

    if (path) {
        doors->stats->links_forgotten++;
        log_line (doors->log, LOG_DEBUG, "link %" PRIu64 ": forgotten", link.n);
        doors_drop (doors, path, DOORS_DROP);
    }
}

void
doors_lose (struct doors *doors, struct link_number link)
{
    struct path *path = paths_numbered (&doors->paths, link);

    if (path) {
        doors->stats->links_lost++;
        doors_drop (doors, path, DOORS_LOSE);
    }
}

void
doors_refuse (struct doors *doors, struct link_number to, const struct msg_refused *refused)
{
    const struct packer_sink sink = {doors_send, doors_forget, doors};
    struct msg msg = {.kind = MSG_REFUSED, .epoch = doors->epoch};

    msg.refused = *refused;
    if (packer_single (&msg, to, &sink) != BATON_OK) {
        doors->stats->no_memory++;
    }
}

void
doors_done (struct doors_message *message)
{
    port_frame_fini (&message->frame);
}

// Sends what waits for [path]; returns false when its peer is still full, or gone.
static bool
retry_path (struct doors *doors, struct path *path)
{
    struct port *port = doors->doors[path->door].port;

    while (path->first) {
        const size_t bytes = path->first->bytes;
        struct port_frame sent;
        const enum baton_err err = port_send (port, &path->address, &path->first->frame);
        if (err == BATON_BUSY) return false;
        if (err != BATON_OK) {
            doors->stats->links_lost++;
            doors_drop (doors, path, DOORS_LOSE);
            return true;
        }
        doors_note_sent (doors, bytes);
        // ZeroMQ has taken the bytes; what is left in the struct is an empty frame.
        paths_pop (&doors->paths, path, &sent);
    }
    return true;
}

bool
doors_retry (struct doors *doors)
{
    struct queue *at = doors->paths.waiting.next;

    while (at != &doors->paths.waiting) {
        struct queue *next = at->next;
        retry_path (doors, queue_owner (at, struct path, in_waiting));
        at = next;
    }
    return !queue_is_empty (&doors->paths.waiting);
}

void
doors_expire (struct doors *doors, uint64_t now_ns)
{
    const uint64_t silent_ns = SILENCE_FACTOR * doors->config->end_silent_ms * MS_NS;

    for (uint32_t i = 0; i < doors->doors_count; i++) {
        struct queue *first;
        while ((first = queue_first (&doors->doors[i].heard))) {
            struct path *path = queue_owner (first, struct path, in_heard);
            if (now_ns - path->heard_ns < silent_ns) break;
            doors->stats->links_lost++;
            doors_drop (doors, path, DOORS_LOSE);
        }
    }
}

bool
doors_has_lost (const struct doors *doors)
{
    return !queue_is_empty (&doors->paths.lost);
}

struct link_number
doors_take_lost (struct doors *doors)
{
    return paths_take_lost (&doors->paths);
}

uint32_t
doors_wait_items (struct doors *doors, struct port_wait_item *items)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < doors->doors_count; i++) {
        if (doors->doors[i].port) {
            items[count++] = (struct port_wait_item) {.port = doors->doors[i].port};
        }
    }
    return count;
}
