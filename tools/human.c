// SPDX-License-Identifier: MPL-2.0
#include "tools/human.h"

#include "proto/assert.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef void
human_fn (uint64_t number, char text[HUMAN_MAX_BYTES]);

static void
put_bytes (uint64_t number, char text[HUMAN_MAX_BYTES])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    double value = (double) number;

    // 1023.95 would be shown as 1024.0.
    while (value >= 1023.95 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1024;
        unit++;
    }
    snprintf (text, HUMAN_MAX_BYTES, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
}

// Two units at most: nobody reads the seconds of a week.
static void
put_seconds (uint64_t seconds, char text[HUMAN_MAX_BYTES])
{
    static const struct { uint64_t s; const char *name; } units[] = {
        {86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"},
    };
    size_t i = 0;

    while (i < 3 && seconds < units[i].s) {
        i++;
    }
    uint64_t big = seconds / units[i].s;
    uint64_t small = i < 3 ? seconds % units[i].s / units[i + 1].s : 0;
    if (small == 0) {
        snprintf (text, HUMAN_MAX_BYTES, "%" PRIu64 " %s", big, units[i].name);
    } else {
        snprintf (text, HUMAN_MAX_BYTES, "%" PRIu64 " %s %" PRIu64 " %s", big, units[i].name,
                  small, units[i + 1].name);
    }
}

static void
put_ms (uint64_t number, char text[HUMAN_MAX_BYTES])
{
    if (number < 1000) {
        snprintf (text, HUMAN_MAX_BYTES, "%" PRIu64 " ms", number);
    } else if (number < 10000) {
        snprintf (text, HUMAN_MAX_BYTES, "%" PRIu64 ".%" PRIu64 " s", number / 1000,
                  number % 1000 / 100);
    } else {
        put_seconds (number / 1000, text);
    }
}

static void
put_us (uint64_t number, char text[HUMAN_MAX_BYTES])
{
    if (number < 10000) {
        snprintf (text, HUMAN_MAX_BYTES, "%" PRIu64 " us", number);
    } else {
        put_ms (number / 1000, text);
    }
}

static void
put_ns (uint64_t number, char text[HUMAN_MAX_BYTES])
{
    if (number < 10000) {
        snprintf (text, HUMAN_MAX_BYTES, "%" PRIu64 " ns", number);
    } else {
        put_us (number / 1000, text);
    }
}

static void
put_plain (uint64_t number, char text[HUMAN_MAX_BYTES])
{
    char digits[HUMAN_MAX_BYTES];
    int count = snprintf (digits, sizeof digits, "%" PRIu64, number);
    size_t used = 0;

    ASSERT (count > 0);
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0) {
            text[used++] = ' ';
        }
        text[used++] = digits[i];
    }
    text[used] = '\0';
}

static const struct { const char *suffix; human_fn *put; } units[] = {
    {"_bytes", put_bytes}, {"_ns", put_ns},        {"_us", put_us},
    {"_ms", put_ms},       {"_s", put_seconds},    {"_count", put_plain},
};
#define UNITS_COUNT (sizeof units / sizeof units[0])

static size_t
unit_of (const char *name)
{
    size_t size = strlen (name);

    for (size_t i = 0; i < UNITS_COUNT; i++) {
        size_t suffix = strlen (units[i].suffix);
        if (size > suffix && strcmp (name + size - suffix, units[i].suffix) == 0) return i;
    }
    return UNITS_COUNT;
}

void
human_number (const char *name, uint64_t number, char text[HUMAN_MAX_BYTES])
{
    size_t unit = unit_of (name);

    (unit < UNITS_COUNT ? units[unit].put : put_plain) (number, text);
}

size_t
human_title_bytes (const char *name)
{
    size_t unit = unit_of (name);
    size_t size = strlen (name);

    return unit < UNITS_COUNT ? size - strlen (units[unit].suffix) : size;
}
