// SPDX-License-Identifier: MPL-2.0
// broker.h is one broker from start to end: store, replay, reign, doors, turns. Each thing that can
// go wrong on the way has its own message and exit code.
#ifndef BATON_SHELL_BROKER_H
#define BATON_SHELL_BROKER_H

#include "broker/shell/config.h"
#include "broker/shell/exit_code.h"
#include "broker/shell/store.h"

struct broker_options {
    const struct config *config;
    enum store_missing missing;
    int ready_fd;  // -1: none
    int signal_fd;
};

// broker_run serves until a signal says stop.
enum exit_code
broker_run (const struct broker_options *options, struct log *log);

// broker_say_last writes epoch and last record of the running broker to standard error: what is
// worth knowing when the process must stop at once.
void
broker_say_last (void);

#endif
