// SPDX-License-Identifier: MPL-2.0
#include "tests/unit/fake_manager.h"

#include "proto/limits.h"
#include "proto/memory_heap.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define TURN_MS 10
#define HEARTBEAT_MS 100
#define SILENT_MS 500
#define ITEMS_MAX 256u

static const struct id session_id = {2, 2};
static const struct id actor_id = {3, 3};
static const struct incarnation incarnation = {7};

static void
tell (struct fake_manager *self, struct msg msg)
{
    msg.epoch.n = 1;
    struct port_frame frame;
    size_t size = wire_encoded_size (&msg);
    if (port_frame_new (&frame, size)) return;
    (void) wire_encode (&msg, port_frame_data (&frame), size);
    if (port_send (self->port, &self->peer, &frame)) {
        port_frame_fini (&frame);
    }
}

static void
welcome (struct fake_manager *self)
{
    atomic_fetch_add (&self->hellos, 1);
    uint64_t group = (uint64_t) atomic_load (&self->group);
    tell (self, (struct msg) {
        .kind = MSG_WELCOME,
        .welcome = {.role = BROKER_MANAGER, .group = {group, group},
                    .heartbeat_ms = HEARTBEAT_MS, .silent_ms = SILENT_MS,
                    .body_max_bytes = LIMIT_BODY_MAX_BYTES,
                    .restart_data_max_bytes = LIMIT_RESTART_DATA_MAX_BYTES,
                    .unacked_max_count = LIMIT_UNACKED_MAX_COUNT},
    });
}

static bool
is_called (struct baton_bytes name, const char *text)
{
    return name.size == strlen (text) && memcmp (name.data, text, name.size) == 0;
}

static void
open_session (struct fake_manager *self, const struct msg_open *open)
{
    if (is_called (open->session, "nomatch")) {
        tell (self, (struct msg) {
            .kind = MSG_REFUSED,
            .refused = {.refusal = REFUSAL_NO_MATCH, .kind = MSG_OPEN, .ref = open->ref,
                        .text = {"gpu", 3}},
        });
        return;
    }
    const char *data = is_called (open->session, "old") ? "state" : "";
    tell (self, (struct msg) {
        .kind = MSG_OPENED,
        .opened = {.ref = open->ref, .session = session_id, .actor = actor_id,
                   .incarnation = incarnation, .version = self->version,
                   .restart_data = {data, strlen (data)}},
    });
    tell (self, (struct msg) {
        .kind = MSG_RESUMED,
        .resumed = {.ref = open->ref, .session = session_id, .actor = actor_id,
                    .incarnation = incarnation, .version = self->version},
    });
}

static void
deliver (struct fake_manager *self, struct msg_delivery delivery)
{
    delivery.session = session_id;
    delivery.actor = actor_id;
    delivery.incarnation = incarnation;
    delivery.phase = DELIVER_LIVE;
    tell (self, (struct msg) {
        .kind = MSG_DELIVER, .deliver = {.deliveries = &delivery, .deliveries_count = 1}
    });
}

static void
answer (struct fake_manager *self, const struct msg_part *part)
{
    struct msg_response responses[ITEMS_MAX];
    for (uint32_t i = 0; i < part->requests_count; i++) {
        responses[i] = (struct msg_response) {
            .seq = {++self->response_seq}, .request = part->requests[i].seq,
            .status = RESPONSE_REPLY, .body = part->requests[i].body,
        };
    }
    deliver (self, (struct msg_delivery) {
        .responses = responses, .responses_count = part->requests_count
    });
}

static void
commit (struct fake_manager *self, const struct msg_commit *commit)
{
    const struct msg_part *part = &commit->parts[0];
    atomic_store (&self->restart_data_bytes, (unsigned) commit->restart_data.size);
    atomic_fetch_add (&self->requests, part->requests_count);
    atomic_fetch_add (&self->responses, part->responses_count);
    struct msg_ack ack = {
        .actor = commit->actor, .incarnation = commit->incarnation,
        .version = {commit->expect_version.n + 1},
    };
    self->version = ack.version;
    // Counted first: whoever waits for the answer may look at the count at once.
    atomic_fetch_add (&self->commits, 1);
    tell (self, (struct msg) {
        .kind = MSG_COMMITTED, .committed = {.acks = &ack, .acks_count = 1}
    });
    if (part->requests_count > 0 && !atomic_load (&self->mute)) {
        answer (self, part);
    }
}

static void
take_offer (struct fake_manager *self, const struct msg_offer *offer)
{
    atomic_store (&self->set_bytes, (unsigned) offer->set.size);
    atomic_store (&self->attributes_bytes, (unsigned) offer->attributes.size);
    atomic_fetch_add (&self->offers, 1);
    tell (self, (struct msg) {.kind = MSG_OFFERED, .offered = {.ref = offer->ref}});
    struct msg_request requests[ITEMS_MAX];
    uint32_t count = atomic_load (&self->requests_count);
    for (uint32_t i = 0; i < count; i++) {
        requests[i] = (struct msg_request) {
            .seq = {i + 1}, .state = REQUEST_OPEN, .attempt = 1, .body = {"work", 4}
        };
    }
    if (count > 0) {
        deliver (self, (struct msg_delivery) {.requests = requests, .requests_count = count});
    }
}

static void
close_session (struct fake_manager *self, const struct msg_close *close)
{
    atomic_fetch_add (&self->closes, 1);
    tell (self, (struct msg) {
        .kind = MSG_CLOSED,
        .closed = {.ref = close->ref, .session = close->session, .reason = CLOSE_BY_CLIENT},
    });
}

static void
take (struct fake_manager *self, const struct msg *msg)
{
    if (msg->kind == MSG_HELLO) {
        welcome (self);
    } else if (msg->kind == MSG_HEARTBEAT) {
        atomic_fetch_add (&self->heartbeats, 1);
        tell (self, (struct msg) {.kind = MSG_HEARTBEAT});
    } else if (msg->kind == MSG_OPEN) {
        open_session (self, &msg->open);
    } else if (msg->kind == MSG_COMMIT) {
        commit (self, &msg->commit);
    } else if (msg->kind == MSG_OFFER) {
        take_offer (self, &msg->offer);
    } else if (msg->kind == MSG_CLOSE) {
        close_session (self, &msg->close);
    } else if (msg->kind == MSG_GOODBYE) {
        atomic_fetch_add (&self->goodbyes, 1);
    }
}

static void
turn (struct fake_manager *self)
{
    const struct wire_limits limits = {
        LIMIT_FRAME_MAX_BYTES, LIMIT_BODY_MAX_BYTES, LIMIT_RESTART_DATA_MAX_BYTES
    };
    struct port_frame frame;
    while (port_receive (self->port, &self->peer, &frame) == BATON_OK) {
        struct msg msg;
        struct wire_fault fault;
        bool good = !wire_decode (self->decoder, &limits, port_frame_view (&frame), &msg, &fault);
        if (good && !atomic_load (&self->deaf)) {
            take (self, &msg);
        }
        port_frame_fini (&frame);
    }
}

static void *
run (void *context)
{
    struct fake_manager *self = context;
    while (!atomic_load (&self->stopping)) {
        struct port_wait_item item = {.port = self->port};
        (void) port_wait (&item, 1, TURN_MS);
        turn (self);
    }
    return NULL;
}

void
fake_manager_start (struct fake_manager *self)
{
    memset (self, 0, sizeof *self);
    atomic_store (&self->group, 1);
    self->memory = memory_heap ();
    struct port_options options = {
        .frame_max_bytes = LIMIT_FRAME_MAX_BYTES, .io_threads_count = 1,
        .connections_max_count = 16,
    };
    assert_int_equal (port_context_new (&options, &self->context), BATON_OK);
    assert_int_equal (port_bind (self->context, "tcp://127.0.0.1:*", &self->port), BATON_OK);
    self->decoder = wire_decoder_new (&self->memory, 1024 * 1024);
    assert_non_null (self->decoder);
    self->endpoint = port_endpoint (self->port);
    assert_int_equal (pthread_create (&self->thread, NULL, run, self), 0);
}

void
fake_manager_stop (struct fake_manager *self)
{
    atomic_store (&self->stopping, 1);
    assert_int_equal (pthread_join (self->thread, NULL), 0);
    port_close (&self->port);
    port_context_free (&self->context);
    wire_decoder_free (&self->decoder);
}

void
fake_manager_await (const atomic_uint *counter, unsigned count)
{
    for (int turns = 0; atomic_load (counter) < count; turns++) {
        if (turns > 1000) fail_msg ("the manager saw %u of %u", atomic_load (counter), count);
        (void) poll (NULL, 0, TURN_MS);
    }
}
