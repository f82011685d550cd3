// SPDX-License-Identifier: MPL-2.0
// system.h checks, before anything is opened, that the machine gives what the configuration
// promises to ends.
#ifndef BATON_SHELL_SYSTEM_H
#define BATON_SHELL_SYSTEM_H

#include "broker/shell/config.h"

// system_check raises the limit of descriptors as far as it may, and looks at ports.
// Returns BATON_UNAVAILABLE, with a message, if there are too few descriptors.
enum baton_err
system_check (const struct config *config, struct log *log);

// system_signals blocks the signals that stop a broker and returns a descriptor that is readable
// when one came; -1 if the system has none to give. To be called before any thread is made.
int
system_signals (void);

#endif
