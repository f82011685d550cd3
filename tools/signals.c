// SPDX-License-Identifier: MPL-2.0
#include "tools/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void
fill (sigset_t *signals)
{
    sigemptyset (signals);
    sigaddset (signals, SIGTERM);
    sigaddset (signals, SIGINT);
    sigaddset (signals, SIGHUP);
}

void
signals_block (void)
{
    sigset_t signals;

    signal (SIGPIPE, SIG_IGN);
    fill (&signals);
    sigprocmask (SIG_BLOCK, &signals, NULL);
}

void
signals_allow (void)
{
    sigset_t signals;

    fill (&signals);
    sigprocmask (SIG_UNBLOCK, &signals, NULL);
}

int
signals_open (void)
{
    sigset_t signals;

    fill (&signals);
    return signalfd (-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

int
signals_take (int fd)
{
    struct signalfd_siginfo info;

    return read (fd, &info, sizeof info) == (ssize_t) sizeof info;
}
