// SPDX-License-Identifier: MPL-2.0
// command.h lists the verbs of `baton`. Each has its own file, options and help.
#ifndef BATON_TOOLS_COMMAND_H
#define BATON_TOOLS_COMMAND_H

#include "tools/exit_code.h"

// Verb, what it does.
#define COMMANDS(X) \
    X (status, "how the broker of a store is, and what it waits for") \
    X (sessions, "the sessions of a broker, with their queues") \
    X (servers, "the servers that a broker knows, with their offers") \
    X (explain, "which server a requirement or a session gets, and why") \
    X (send, "send requests and print the responses") \
    X (serve, "run a command for each request")

// command_VERB runs `baton VERB`; [argv] begins with the verb.
#define X(verb, purpose) enum exit_code command_##verb (int argc, char **argv);
COMMANDS (X)
#undef X

#endif
