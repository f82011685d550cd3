// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/log.h"

#include "proto/limits.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LINE_MAX_BYTES 2048u

static const char *const level_names[] = {"", "error", "warning", "info", "debug"};

void
log_init (struct log *log, enum log_level level)
{
    memset (log, 0, sizeof *log);
    log->level = level;
}

const char *
log_level_name (enum log_level level)
{
    return level_names[level];
}

enum log_level
log_level_parse (const char *name)
{
    for (enum log_level level = LOG_ERROR; level <= LOG_DEBUG; level++) {
        if (strcmp (name, level_names[level]) == 0) return level;
    }
    return 0;
}

// The cause of [format]; when all places are taken, the one that was quiet for longest.
static struct log_cause *
find_cause (struct log *log, const char *format)
{
    struct log_cause *oldest = &log->causes[0];

    for (uint32_t i = 0; i < LOG_CAUSES_MAX; i++) {
        struct log_cause *cause = &log->causes[i];
        if (cause->format == format) return cause;
        if (cause->second < oldest->second) {
            oldest = cause;
        }
    }
    *oldest = (struct log_cause) {.format = format};
    return oldest;
}

// Whether a line of this cause may be written now; notes it either way.
static bool
may_write (struct log *log, struct log_cause *cause, int64_t second)
{
    if (cause->second != second) {
        cause->second = second;
        cause->written_count = 0;
    }
    if (cause->written_count >= LIMIT_LOG_LINES_PER_S) {
        cause->kept_back_count++;
        log->kept_back_count++;
        return false;
    }
    cause->written_count++;
    return true;
}

static size_t
put_time (char *line, size_t size, struct timespec now)
{
    struct tm parts;

    gmtime_r (&now.tv_sec, &parts);
    size_t used = strftime (line, size, "%Y-%m-%dT%H:%M:%S", &parts);
    return used + (size_t) snprintf (line + used, size - used, ".%03ldZ", now.tv_nsec / 1000000);
}

static size_t
at_most (size_t used, int more, size_t max)
{
    const size_t sum = used + (more > 0 ? (size_t) more : 0);

    return sum < max ? sum : max - 1;
}

void
log_line (struct log *log, enum log_level level, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    struct timespec now;
    va_list arguments;

    if (level > log->level) return;
    clock_gettime (CLOCK_REALTIME, &now);
    struct log_cause *cause = find_cause (log, format);
    if (!may_write (log, cause, now.tv_sec)) return;
    size_t used = put_time (line, sizeof line, now);
    used = at_most (used, snprintf (line + used, sizeof line - used, " %-7s ",
                                    level_names[level]), sizeof line);
    va_start (arguments, format);
    used = at_most (used, vsnprintf (line + used, sizeof line - used, format, arguments),
                    sizeof line);
    va_end (arguments);
    if (cause->kept_back_count > 0) {
        used = at_most (used, snprintf (line + used, sizeof line - used, " (and %llu like it)",
                                        (unsigned long long) cause->kept_back_count),
                        sizeof line);
        cause->kept_back_count = 0;
    }
    line[used < sizeof line - 1 ? used++ : used] = '\n';
    // One write per line, so that lines of several programs in one file stay whole.
    fwrite (line, 1, used, stderr);
    log->lines_count++;
}
