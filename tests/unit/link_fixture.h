// SPDX-License-Identifier: MPL-2.0
// link_fixture.h plays the manager for the tests of the link engine: it dials, welcomes, takes
// what the engine says and hands in answers made by hand. No sockets, no clock, no bytes.
#ifndef BATON_TESTS_LINK_FIXTURE_H
#define BATON_TESTS_LINK_FIXTURE_H

#include "proto/limits.h"
#include "proto/link.h"
#include "proto/link_client.h"
#include "proto/link_server.h"
#include "tests/support/memory_fail.h"

#define MS UINT64_C (1000000)

struct link_fixture {
    struct memory_fail memory;
    struct link *link;
    struct msg msg; // what the engine said last; its views hold until the next call
    uint32_t dialled_index;
    uint64_t now_ns;
    uint64_t epoch;
};

extern const struct id fixture_group;
extern const struct id fixture_session;
extern const struct id fixture_actor;

// Every call of fixture_init is undone by fixture_fini, which also fails the test for leaks.
void
fixture_init (struct link_fixture *self, enum end_role role, uint32_t endpoints_count);

void
fixture_fini (struct link_fixture *self);

// fixture_next takes the next thing that the engine says, dialling on the way.
// Returns its kind, 0 if it says nothing.
enum msg_kind
fixture_next (struct link_fixture *self);

// fixture_pass lets time pass, in steps as a loop would.
void
fixture_pass (struct link_fixture *self, uint32_t time_ms);

// fixture_give hands in [msg] in the present epoch.
void
fixture_give (struct link_fixture *self, struct msg msg);

// fixture_welcome answers a HELLO as the manager.
void
fixture_welcome (struct link_fixture *self);

// fixture_connect dials, takes the HELLO and welcomes.
void
fixture_connect (struct link_fixture *self);

// fixture_open opens session "s" with incarnation 7, version [version] and restart data [data],
// answered by OPENED and RESUMED. The application's restart data of "" is none.
struct link_session *
fixture_open (struct link_fixture *self, uint64_t version, const char *data);

struct msg
fixture_opened (uint64_t ref, uint64_t version, const char *data);

struct msg
fixture_resumed (uint64_t ref, uint64_t version);

// fixture_ack acknowledges commits up to [version].
void
fixture_ack (struct link_fixture *self, uint64_t version);

// fixture_refuse refuses something of the fixture's actor; a lone REFUSED is filled by the caller.
void
fixture_refuse (struct link_fixture *self, enum msg_kind kind, enum refusal refusal,
                uint64_t version);

// fixture_respond delivers response [seq] to request [request] with [body].
void
fixture_respond (struct link_fixture *self, uint64_t seq, uint64_t request, const char *body);

// fixture_deliver delivers requests [first]..[last] to the server's actor, incarnation 7, on top of
// version [base]; first > last: an empty delivery. Bodies are "r".
void
fixture_deliver (struct link_fixture *self, uint64_t base, uint64_t first, uint64_t last);

static inline struct baton_bytes
text_bytes (const char *text)
{
    size_t size = 0;
    while (text[size]) {
        size++;
    }
    return (struct baton_bytes) {text, size};
}

#endif
