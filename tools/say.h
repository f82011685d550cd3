// SPDX-License-Identifier: MPL-2.0
// say.h tells people on standard error what is wrong and what to do next, and, on a terminal only,
// how far things are. Standard output belongs to results and is never touched here.
#ifndef BATON_TOOLS_SAY_H
#define BATON_TOOLS_SAY_H

// say_name sets what each line starts with, "baton send" and the like; a static string.
void
say_name (const char *name);

// say writes one line. [format] has no line end. Control characters of what is inserted, which may
// come from strangers, are shown as '?'.
__attribute__ ((format (printf, 1, 2))) void
say (const char *format, ...);

// say_progress shows a line that the next one replaces; nothing if standard error is no terminal.
__attribute__ ((format (printf, 1, 2))) void
say_progress (const char *format, ...);

// say_progress_end takes the progress line away, if there is one.
void
say_progress_end (void);

#endif
