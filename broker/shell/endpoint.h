// SPDX-License-Identifier: MPL-2.0
// endpoint.h reads "tcp://address:port" and "ipc://path" before ZeroMQ does, so that a wrong one
// is refused with words. It never resolves a name.
#ifndef BATON_SHELL_ENDPOINT_H
#define BATON_SHELL_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

// endpoint_is_valid tells whether [endpoint] has the form of one that a broker can bind.
bool
endpoint_is_valid (const char *endpoint);

// endpoint_is_local tells whether only this machine can reach it: loopback addresses and ipc.
bool
endpoint_is_local (const char *endpoint);

// endpoint_port returns the TCP port; 0 for ipc, and for a port that the system chooses.
uint16_t
endpoint_port (const char *endpoint);

#endif
