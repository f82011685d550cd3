// SPDX-License-Identifier: MPL-2.0
// signals.h turns the signals that end a command (SIGTERM, SIGINT, SIGHUP) into a descriptor for
// poll, so that nothing happens inside handlers.
#ifndef BATON_TOOLS_SIGNALS_H
#define BATON_TOOLS_SIGNALS_H

// signals_block keeps them away from this thread and from those that it makes afterwards, and
// ignores SIGPIPE: a reader that went away is an error of writing like others.
void
signals_block (void);

// signals_allow lets them end the process again, in this thread.
void
signals_allow (void);

// signals_open returns a descriptor that is readable when one came while they were blocked; -1
// with errno.
int
signals_open (void);

// signals_take forgets one that came; returns 0 if there is none.
int
signals_take (int fd);

#endif
