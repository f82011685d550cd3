// SPDX-License-Identifier: MPL-2.0
// doors_guard.c closes doors and binds them again: one that ZeroMQ broke, and all of the ends when
// memory grows that nobody accounts for.
#include "broker/shell/doors.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#define MS_NS UINT64_C (1000000)
// ZeroMQ lets go of a port in its own thread, a little after the door was closed.
#define REOPEN_AFTER_NS (100 * MS_NS)
// What was freed goes back to the system in its own time; the ends need some to come back.
#define GUARD_PAUSE_NS (10000 * MS_NS)

// Memory of this process that is in use now.
static uint64_t
read_resident_bytes (void)
{
    unsigned long long total_pages = 0, resident_pages = 0;
    FILE *file = fopen ("/proc/self/statm", "r");

    if (!file) return 0;
    if (fscanf (file, "%llu %llu", &total_pages, &resident_pages) != 2) {
        resident_pages = 0;
    }
    fclose (file);
    return resident_pages * (uint64_t) sysconf (_SC_PAGESIZE);
}

void
doors_reopen (struct doors *doors, uint32_t which, uint64_t now_ns)
{
    struct door *door = &doors->doors[which];
    struct queue *first;

    if (!door->port) return;
    while ((first = queue_first (&door->heard))) {
        doors->stats->links_lost++;
        doors_drop (doors, queue_owner (first, struct path, in_heard), DOORS_LOSE);
    }
    port_close (&door->port);
    door->reopen_ns = now_ns + REOPEN_AFTER_NS;
    doors->stats->doors_reopened++;
    log_line (doors->log, LOG_WARNING, "%s: closed, to be bound again", door->endpoint);
}

static void
bind_again (struct doors *doors, struct door *door, uint64_t now_ns)
{
    const enum baton_err err = port_bind (doors->context, door->endpoint, &door->port);

    if (err == BATON_OK) {
        // By now ZeroMQ has freed what the old door held.
        malloc_trim (0);
        log_line (doors->log, LOG_INFO, "%s: bound again", door->endpoint);
        return;
    }
    door->port = NULL;
    door->reopen_ns = now_ns + REOPEN_AFTER_NS;
    log_line (doors->log, LOG_WARNING, "%s: cannot be bound again yet: %s", door->endpoint,
              baton_strerror (err));
}

// How much more memory there is beside the budget than when the doors were new.
static uint64_t
grown_bytes (struct doors *doors, uint64_t budget_bytes)
{
    const int64_t bytes = (int64_t) read_resident_bytes () - (int64_t) budget_bytes;

    if (doors->beside == BESIDE_UNKNOWN) {
        doors->beside_bytes = bytes;
        doors->beside = BESIDE_KNOWN;
    }
    return bytes > doors->beside_bytes ? (uint64_t) (bytes - doors->beside_bytes) : 0;
}

static bool
is_too_large (struct doors *doors, uint64_t budget_bytes)
{
    const uint64_t max_bytes = doors->config->door_memory_max_bytes;

    if (grown_bytes (doors, budget_bytes) <= max_bytes) return false;
    // It may be ours, freed and not given back yet.
    malloc_trim (0);
    const uint64_t grown = grown_bytes (doors, budget_bytes);
    if (grown <= max_bytes) return false;
    log_line (doors->log, LOG_ERROR, "%" PRIu64 " bytes of memory grew beside the budget"
              " (door_memory_max_bytes %" PRIu64 "): somebody sends messages without an end; all"
              " doors are closed and bound anew, ends come back by themselves; if it goes on,"
              " keep strangers out with a firewall", grown, max_bytes);
    return true;
}

static void
guard_memory (struct doors *doors, uint64_t budget_bytes, uint64_t now_ns)
{
    if (doors->guarded_ns != 0 && now_ns - doors->guarded_ns < GUARD_PAUSE_NS) return;
    if (!is_too_large (doors, budget_bytes)) return;
    doors->guarded_ns = now_ns;
    for (uint32_t i = 0; i < doors->doors_count; i++) {
        if (doors->doors[i].kind == DOOR_ENDS) {
            doors_reopen (doors, i, now_ns);
        }
    }
}

void
doors_guard (struct doors *doors, uint64_t budget_bytes, uint64_t now_ns)
{
    for (uint32_t i = 0; i < doors->doors_count; i++) {
        struct door *door = &doors->doors[i];
        if (!door->port && door->reopen_ns <= now_ns) {
            bind_again (doors, door, now_ns);
        }
    }
    guard_memory (doors, budget_bytes, now_ns);
}
