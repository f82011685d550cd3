// SPDX-License-Identifier: MPL-2.0
// notify.h tells whoever started the broker that it is ready, alive, or stopping: a line on
// standard output, a descriptor, and the service manager where Baton was built with libsystemd.
#ifndef BATON_SHELL_NOTIFY_H
#define BATON_SHELL_NOTIFY_H

#include <stdint.h>

// notify_ready writes "READY" and [endpoints] (separated by spaces) to standard output, and
// "READY\n" to [ready_fd], which it closes; -1 for none.
void
notify_ready (int ready_fd, const char *endpoints);

// notify_watchdog_ns returns how often notify_alive is wanted; 0 for never.
uint64_t
notify_watchdog_ns (void);

// notify_alive feeds the service manager's watchdog. Called by a loop that made a turn.
void
notify_alive (void);

void
notify_stopping (void);

#endif
