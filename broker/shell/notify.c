// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/notify.h"

#include <stdio.h>
#include <unistd.h>

#ifdef BATON_HAS_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

static void
tell_manager (const char *state)
{
#ifdef BATON_HAS_SYSTEMD
    sd_notify (0, state);
#else
    (void) state;
#endif
}

void
notify_ready (int ready_fd, const char *endpoints)
{
    static const char line[] = "READY\n";

    printf ("READY%s%s\n", endpoints[0] ? " " : "", endpoints);
    fflush (stdout);
    if (ready_fd >= 0) {
        // Who waits for it sees the end of the file if the write fails.
        if (write (ready_fd, line, sizeof line - 1) < 0) {
            perror ("batond: --ready-fd");
        }
        close (ready_fd);
    }
    tell_manager ("READY=1");
}

uint64_t
notify_watchdog_ns (void)
{
#ifdef BATON_HAS_SYSTEMD
    uint64_t interval_us = 0;
    if (sd_watchdog_enabled (0, &interval_us) > 0) return interval_us * 1000 / 3;
#endif
    return 0;
}

void
notify_alive (void)
{
    tell_manager ("WATCHDOG=1");
}

void
notify_stopping (void)
{
    tell_manager ("STOPPING=1");
}
