// SPDX-License-Identifier: MPL-2.0
// application.h is what a process runs on top of its link: a client that sends requests and keeps
// its progress as restart data, a server that answers them and does the same, an attacker that says
// anything. Each calls the engine as client/ and server/ do.
#ifndef BATON_TESTS_APPLICATION_H
#define BATON_TESTS_APPLICATION_H

#include "tests/sim/process.h"

// client_start begins to open the sessions that the seat has not finished.
void
client_start (struct process *process);

// client_act makes one call, as an application does from time to time.
void
client_act (struct process *process);

void
client_stop (struct process *process);

void
server_start (struct process *process);

void
server_act (struct process *process);

void
server_stop (struct process *process);

void
attacker_start (struct process *process);

void
attacker_act (struct process *process);

void
attacker_stop (struct process *process);

// What a request begins with; the rest is filler.
enum errand {
    ERRAND_PLAIN = 0,
    ERRAND_POISON = 1, // kills the process that handles it
    ERRAND_REJECT = 2, // is given back
    ERRAND_OWED = 3,   // is consumed by a checkpoint and answered later
};
struct errand_body {
    uint64_t unique;
    uint32_t errand;
    uint32_t filler;
};

#endif
