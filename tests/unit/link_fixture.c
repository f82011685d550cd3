// SPDX-License-Identifier: MPL-2.0
#include "tests/unit/link_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

const struct id fixture_group = {1, 1};
const struct id fixture_session = {2, 2};
const struct id fixture_actor = {3, 3};

#define INCARNATION 7u
#define DELIVER_MAX 300u

void
fixture_init (struct link_fixture *self, enum end_role role, uint32_t endpoints_count)
{
    memset (self, 0, sizeof *self);
    memory_fail_init (&self->memory, 0);
    self->now_ns = 1000 * MS;
    self->epoch = 5;
    struct link_options options = {
        .role = role,
        .instance = {9, 9},
        .name = text_bytes ("tester"),
        .endpoints_count = endpoints_count,
        .seed = 1,
        .task_extra_bytes = 24,
    };
    assert_int_equal (link_new (&self->memory.memory, &options, self->now_ns, &self->link),
                      BATON_OK);
}

void
fixture_fini (struct link_fixture *self)
{
    link_free (&self->link);
    memory_fail_expect_clean (&self->memory);
}

enum msg_kind
fixture_next (struct link_fixture *self)
{
    for (;;) {
        struct link_action action;
        link_next (self->link, &action);
        if (action.kind == LINK_IDLE) return 0;
        link_done (self->link);
        if (action.kind == LINK_SEND) {
            self->msg = action.msg;
            return action.msg.kind;
        }
        self->dialled_index = action.endpoint_index;
    }
}

void
fixture_pass (struct link_fixture *self, uint32_t time_ms)
{
    // Smaller than the stall that makes the engine doubt itself.
    const uint32_t step_ms = 10;
    while (time_ms > 0) {
        uint32_t one_ms = time_ms < step_ms ? time_ms : step_ms;
        self->now_ns += one_ms * MS;
        link_step (self->link, self->now_ns);
        time_ms -= one_ms;
    }
}

void
fixture_give (struct link_fixture *self, struct msg msg)
{
    msg.epoch.n = self->epoch;
    link_take (self->link, self->now_ns, &msg);
}

void
fixture_welcome (struct link_fixture *self)
{
    fixture_give (self, (struct msg) {
        .kind = MSG_WELCOME,
        .welcome = {
            .role = BROKER_MANAGER,
            .group = fixture_group,
            .heartbeat_ms = LIMIT_HEARTBEAT_MS,
            .silent_ms = LIMIT_END_SILENT_MS,
        },
    });
}

void
fixture_connect (struct link_fixture *self)
{
    assert_int_equal (fixture_next (self), MSG_HELLO);
    fixture_welcome (self);
    assert_true (link_is_served (self->link));
}

struct msg
fixture_opened (uint64_t ref, uint64_t version, const char *data)
{
    return (struct msg) {
        .kind = MSG_OPENED,
        .opened = {
            .ref = ref,
            .session = fixture_session,
            .actor = fixture_actor,
            .incarnation = {INCARNATION},
            .version = {version},
            .restart_data = text_bytes (data),
        },
    };
}

struct msg
fixture_resumed (uint64_t ref, uint64_t version)
{
    return (struct msg) {
        .kind = MSG_RESUMED,
        .resumed = {
            .ref = ref,
            .session = fixture_session,
            .actor = fixture_actor,
            .incarnation = {INCARNATION},
            .version = {version},
        },
    };
}

struct link_session *
fixture_open (struct link_fixture *self, uint64_t version, const char *data)
{
    struct link_session *session;
    assert_int_equal (link_session_open (self->link, text_bytes ("s"), text_bytes (""), &session),
                      BATON_OK);
    assert_int_equal (fixture_next (self), MSG_OPEN);
    uint64_t ref = self->msg.open.ref;
    fixture_give (self, fixture_opened (ref, version, data));
    fixture_give (self, fixture_resumed (ref, version));
    assert_int_equal (link_session_phase (session), LINK_SESSION_LIVE);
    return session;
}

void
fixture_ack (struct link_fixture *self, uint64_t version)
{
    struct msg_ack ack = {
        .actor = fixture_actor, .incarnation = {INCARNATION}, .version = {version}
    };
    fixture_give (self, (struct msg) {
        .kind = MSG_COMMITTED, .committed = {.acks = &ack, .acks_count = 1}
    });
}

void
fixture_refuse (struct link_fixture *self, enum msg_kind kind, enum refusal refusal,
                uint64_t version)
{
    fixture_give (self, (struct msg) {
        .kind = MSG_REFUSED,
        .refused = {
            .refusal = refusal,
            .kind = kind,
            .session = fixture_session,
            .actor = fixture_actor,
            .incarnation = {INCARNATION},
            .version = {version},
            .retry_after_ms = 100,
            .text = text_bytes ("because"),
        },
    });
}

static void
give_delivery (struct link_fixture *self, struct msg_delivery delivery)
{
    delivery.session = fixture_session;
    delivery.actor = fixture_actor;
    delivery.incarnation.n = INCARNATION;
    fixture_give (self, (struct msg) {
        .kind = MSG_DELIVER, .deliver = {.deliveries = &delivery, .deliveries_count = 1}
    });
}

void
fixture_respond (struct link_fixture *self, uint64_t seq, uint64_t request, const char *body)
{
    struct msg_response response = {
        .seq = {seq}, .request = {request}, .status = RESPONSE_REPLY, .body = text_bytes (body)
    };
    give_delivery (self, (struct msg_delivery) {
        .phase = DELIVER_LIVE, .responses = &response, .responses_count = 1
    });
}

void
fixture_deliver (struct link_fixture *self, uint64_t base, uint64_t first, uint64_t last)
{
    struct msg_request requests[DELIVER_MAX];
    uint32_t count = 0;
    for (uint64_t seq = first; seq <= last; seq++) {
        requests[count++] = (struct msg_request) {
            .seq = {seq}, .state = REQUEST_OPEN, .attempt = 1, .body = text_bytes ("r")
        };
    }
    give_delivery (self, (struct msg_delivery) {
        .base_version = {base},
        .phase = DELIVER_LIVE,
        .requests = requests,
        .requests_count = count,
    });
}
