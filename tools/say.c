// SPDX-License-Identifier: MPL-2.0
#include "tools/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// A line of standard error; what is longer is cut.
#define LINE_MAX_BYTES 2048

// A command is one process with one standard error; this is its state.
static const char *name = "baton";
static enum { PROGRESS_NONE = 1, PROGRESS_SHOWN = 2 } progress = PROGRESS_NONE;

void
say_name (const char *given)
{
    name = given;
}

static void
clean (char *text)
{
    for (char *c = text; *c; c++) {
        if ((unsigned char) *c < ' ' || *c == 0x7f) {
            *c = '?';
        }
    }
}

__attribute__ ((format (printf, 2, 0))) static void
print_cleaned (const char *before, const char *format, va_list arguments, const char *after)
{
    char line[LINE_MAX_BYTES];

    // A format that fails leaves a line that says at least who speaks.
    if (vsnprintf (line, sizeof line, format, arguments) < 0) {
        line[0] = '\0';
    }
    clean (line);
    fprintf (stderr, "%s%s%s", before, line, after);
    fflush (stderr);
}

void
say (const char *format, ...)
{
    va_list arguments;

    say_progress_end ();
    fprintf (stderr, "%s: ", name);
    va_start (arguments, format);
    print_cleaned ("", format, arguments, "\n");
    va_end (arguments);
}

void
say_progress (const char *format, ...)
{
    if (!isatty (STDERR_FILENO)) return;

    va_list arguments;
    va_start (arguments, format);
    print_cleaned ("\r\033[K", format, arguments, "");
    va_end (arguments);
    progress = PROGRESS_SHOWN;
}

void
say_progress_end (void)
{
    if (progress == PROGRESS_NONE) return;

    fputs ("\r\033[K", stderr);
    fflush (stderr);
    progress = PROGRESS_NONE;
}
