// SPDX-License-Identifier: MPL-2.0
// fake_manager.h is a manager of a few rules, for the tests of the two APIs: it welcomes, opens,
// acknowledges each commit at once, answers every request with its own body and without looking at
// credit, and hands out a row of requests to whoever makes an offer. It lives on a loopback port,
// in a thread of its own, and stores nothing but a version.
#ifndef BATON_TESTS_FAKE_MANAGER_H
#define BATON_TESTS_FAKE_MANAGER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "proto/port.h"
#include "proto/wire.h"

struct fake_manager {
    // How to behave; may be changed while it runs.
    atomic_int deaf;            // not 0: takes frames and does nothing
    atomic_int mute;            // not 0: does not answer requests of clients
    atomic_int group;           // number of its group
    atomic_uint requests_count; // handed out after an OFFER
    // What it saw.
    atomic_uint hellos, heartbeats, commits, requests, responses, closes, goodbyes, offers;
    atomic_uint restart_data_bytes; // of the newest commit
    atomic_uint set_bytes, attributes_bytes; // of the newest offer
    // Its own.
    const char *endpoint;
    pthread_t thread;
    atomic_int stopping;
    struct memory memory;
    struct port_context *context;
    struct port *port;
    struct wire_decoder *decoder;
    struct address peer;
    uint64_t response_seq;
    struct version version; // of the client's session
};

// fake_manager_start fails the test if there is no port. Sessions called "nomatch" are refused
// NO_MATCH; one called "old" has restart data "state".
void
fake_manager_start (struct fake_manager *self);

void
fake_manager_stop (struct fake_manager *self);

// fake_manager_await waits until [counter] is at least [count], at most ten seconds.
void
fake_manager_await (const atomic_uint *counter, unsigned count);

#endif
