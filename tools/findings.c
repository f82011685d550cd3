// SPDX-License-Identifier: MPL-2.0
#include "tools/findings.h"

#include "tools/human.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SENTENCE_MAX_BYTES 512
// Shares that the broker keeps free, in percent, before it refuses new work.
#define MEMORY_RESERVE_PERCENT 20u
#define DISK_RESERVE_PERCENT 5u
// Told this much earlier, so that there is time to act.
#define WARN_BEFORE_PERCENT 5u

__attribute__ ((format (printf, 2, 3))) static void
add (json_t *findings, const char *format, ...)
{
    char sentence[SENTENCE_MAX_BYTES];
    va_list arguments;

    va_start (arguments, format);
    vsnprintf (sentence, sizeof sentence, format, arguments);
    va_end (arguments);
    json_array_append_new (findings, json_string (sentence));
}

// A number of the status; 0 if the broker does not tell it.
static uint64_t
number (const json_t *status, const char *name)
{
    return (uint64_t) json_integer_value (json_object_get (status, name));
}

struct room {
    const char *thing;
    uint64_t free_bytes;
    uint64_t total_bytes;
    uint64_t reserve_percent;
    const char *busy;
    const char *next;
};

static void
look_at_room (json_t *findings, const struct room *room)
{
    if (room->total_bytes < 100) return;

    uint64_t percent = room->free_bytes / (room->total_bytes / 100);
    char free_text[HUMAN_MAX_BYTES], total_text[HUMAN_MAX_BYTES];
    if (percent >= room->reserve_percent + WARN_BEFORE_PERCENT) return;

    human_number ("free_bytes", room->free_bytes, free_text);
    human_number ("total_bytes", room->total_bytes, total_text);
    add (findings, "%s: %s of %s free (%" PRIu64 " %%); below %" PRIu64 " %% new work is refused"
         " with BUSY(%s); %s", room->thing, free_text, total_text, percent,
         room->reserve_percent, room->busy, room->next);
}

static void
look_at_memory (json_t *findings, const json_t *status)
{
    uint64_t total = number (status, "memory_max_bytes");
    uint64_t used = number (status, "memory_used_bytes");
    const struct room room = {
        "memory", used < total ? total - used : 0, total, MEMORY_RESERVE_PERCENT, "memory",
        "let clients consume responses, add servers, or raise memory_max_bytes",
    };

    look_at_room (findings, &room);
}

static void
look_at_disk (json_t *findings, const json_t *status)
{
    const struct room room = {
        "disk", number (status, "disk_free_bytes"), number (status, "disk_total_bytes"),
        DISK_RESERVE_PERCENT, "disk", "free room on the disk of the store",
    };

    look_at_room (findings, &room);
}

static void
look_at_role (json_t *findings, const json_t *status)
{
    const char *role = json_string_value (json_object_get (status, "role"));

    if (role && strcmp (role, "manager") != 0) {
        add (findings, "role: this broker is %s and serves nobody; wait, or see its log", role);
    }
}

static void
look_at_work (json_t *findings, const json_t *status)
{
    uint64_t requests = number (status, "requests_count");

    if (requests > 0 && number (status, "servers_count") == 0) {
        add (findings, "servers: %" PRIu64 " requests wait and no server is known; start one",
             requests);
    }
}

json_t *
findings_of (const json_t *status)
{
    json_t *findings = json_array ();

    if (findings) {
        look_at_role (findings, status);
        look_at_memory (findings, status);
        look_at_disk (findings, status);
        look_at_work (findings, status);
    }
    return findings;
}
