// SPDX-License-Identifier: MPL-2.0
// log.h writes lines to standard error: time, level, message with ids. One line per cause and
// second; what was kept back is counted and told with the next line of that cause, so that a
// stranger cannot fill a disk.
#ifndef BATON_SHELL_LOG_H
#define BATON_SHELL_LOG_H

#include <stdint.h>

enum log_level { LOG_ERROR = 1, LOG_WARNING = 2, LOG_INFO = 3, LOG_DEBUG = 4 };

#define LOG_CAUSES_MAX 64u

// A cause is the format of its line.
struct log_cause {
    const char *format;
    int64_t second;
    uint32_t written_count;
    uint64_t kept_back_count;
};

struct log {
    enum log_level level; // lines above it are not written
    struct log_cause causes[LOG_CAUSES_MAX];
    uint64_t lines_count;
    uint64_t kept_back_count;
};

void
log_init (struct log *log, enum log_level level);

// log_line writes one line, unless the level or the rate forbids it. [format] is a literal.
__attribute__ ((format (printf, 3, 4))) void
log_line (struct log *log, enum log_level level, const char *format, ...);

// log_level_parse returns the level called [name], 0 if there is none.
enum log_level
log_level_parse (const char *name);

const char *
log_level_name (enum log_level level);

#endif
