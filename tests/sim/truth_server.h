// SPDX-License-Identifier: MPL-2.0
// truth_server.h has what the log says of servers: what each offers, which process of it is current
// and which were before. A part of the truth (truth.h), with rules of its own: a former process
// never becomes current again, and a session goes to a server that meets its requirement.
#ifndef BATON_TESTS_TRUTH_SERVER_H
#define BATON_TESTS_TRUTH_SERVER_H

#include "broker/core/record.h"

#include <stdlib.h>

enum { TRUTH_NAME_BYTES = 24, TRUTH_OFFER_BYTES = 256 };

// Instances that were current before, newest last; the broker remembers as many.
struct truth_former {
    struct id instances[LIMIT_FORMER_INSTANCES];
    uint32_t count;
};

struct truth_server {
    char name[TRUTH_NAME_BYTES];
    struct id instance; // current one; none after its end by a new one
    struct truth_former former;
    unsigned char set[TRUTH_OFFER_BYTES];
    size_t set_bytes;
    unsigned char attributes[TRUTH_OFFER_BYTES];
    size_t attributes_bytes;
};

struct truth_servers {
    struct truth_server *list;
    uint32_t count;
};

void
truth_servers_fini (struct truth_servers *servers);

void
truth_former_add (struct truth_former *former, struct id instance);

bool
truth_former_has (const struct truth_former *former, struct id instance);

// truth_servers_offered takes an offer. False: a former process has become current again.
bool
truth_servers_offered (struct truth_servers *servers, const struct record_offered *offered);

void
truth_servers_ended (struct truth_servers *servers, const struct record_server_ended *ended);

// truth_servers_retired forgets a server: nothing is known of its processes any more.
void
truth_servers_retired (struct truth_servers *servers, struct baton_bytes name);

// truth_servers_fit tells whether the server [name] offers what [requirement] asks for.
bool
truth_servers_fit (const struct truth_servers *servers, struct baton_bytes name,
                   struct baton_bytes requirement);

#endif
