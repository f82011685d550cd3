// SPDX-License-Identifier: MPL-2.0
#include "proto/wire_read.h"

#include "proto/assert.h"
#include "proto/wire_check.h"
#include "proto/wire_items.h"

static bool
read_hello (struct wire_reader *reader, const Baton__Hello *in, struct msg_hello *out)
{
    *out = (struct msg_hello) {
        .role = (enum end_role) in->role,
        .instance = {in->instance_high, in->instance_low},
        .name = view (in->name),
        .group = {in->group_high, in->group_low},
    };
    return is_some (reader, "role", out->role) && is_id (reader, "instance", out->instance)
           && is_name (reader, "name", out->name)
           && (out->role != END_SERVER || is_some (reader, "name", out->name.size));
}

static bool
read_welcome (struct wire_reader *reader, const Baton__Welcome *in, struct msg_welcome *out)
{
    *out = (struct msg_welcome) {
        .role = (enum broker_role) in->role,
        .group = {in->group_high, in->group_low},
        .manager = view (in->manager),
        .heartbeat_ms = in->heartbeat_ms,
        .silent_ms = in->silent_ms,
        .body_max_bytes = in->body_max_bytes,
        .restart_data_max_bytes = in->restart_data_max_bytes,
        .unacked_max_count = in->unacked_max_count,
    };
    return is_some (reader, "role", out->role)
           && fits (reader, "manager", out->manager, LIMIT_TEXT_MAX_BYTES)
           && is_some (reader, "heartbeat_ms", out->heartbeat_ms)
           && is_some (reader, "silent_ms", out->silent_ms);
}

static bool
read_credit (struct wire_reader *reader, const Baton__Credit *in, struct msg_credit *out)
{
    *out = (struct msg_credit) {
        .session = {in->session_high, in->session_low},
        .granted_count = in->granted_count,
        .granted_bytes = in->granted_bytes,
    };
    return is_id (reader, "session", out->session);
}

static bool
read_open (struct wire_reader *reader, const Baton__Open *in, struct msg_open *out)
{
    *out = (struct msg_open) {
        .ref = in->ref,
        .intent = (enum open_intent) in->intent,
        .kind = (enum session_kind) in->kind,
        .session = view (in->session),
        .actor = view (in->actor),
        .requirement = view (in->requirement),
        .incarnation = {in->incarnation},
        .version = {in->version},
        .responses_received_through = {in->responses_received_through},
        .credit_count = in->credit_count,
        .credit_bytes = in->credit_bytes,
    };
    return is_some (reader, "ref", out->ref) && is_some (reader, "intent", out->intent)
           && is_some (reader, "kind", out->kind)
           && is_some (reader, "session", out->session.size)
           && is_name (reader, "session", out->session) && is_name (reader, "actor", out->actor)
           && fits (reader, "requirement", out->requirement, LIMIT_REQUIREMENT_MAX_BYTES);
}

static bool
read_opened (struct wire_reader *reader, const Baton__Opened *in, struct msg_opened *out)
{
    *out = (struct msg_opened) {
        .ref = in->ref,
        .session = {in->session_high, in->session_low},
        .actor = {in->actor_high, in->actor_low},
        .incarnation = {in->incarnation},
        .version = {in->version},
        .requests_accepted_through = {in->requests_accepted_through},
        .requests_consumed_through = {in->requests_consumed_through},
        .responses_last = {in->responses_last},
        .responses_consumed_through = {in->responses_consumed_through},
    };
    return is_some (reader, "ref", out->ref) && is_id (reader, "session", out->session)
           && is_id (reader, "actor", out->actor)
           && is_some (reader, "incarnation", out->incarnation.n)
           && take_restart_data (reader, in->restart_data_size, &out->restart_data);
}

static bool
read_resumed (struct wire_reader *reader, const Baton__Resumed *in, struct msg_resumed *out)
{
    *out = (struct msg_resumed) {
        .ref = in->ref,
        .session = {in->session_high, in->session_low},
        .actor = {in->actor_high, in->actor_low},
        .incarnation = {in->incarnation},
        .version = {in->version},
        .requests_accepted_through = {in->requests_accepted_through},
        .requests_consumed_through = {in->requests_consumed_through},
    };
    return is_id (reader, "session", out->session) && is_id (reader, "actor", out->actor)
           && is_some (reader, "incarnation", out->incarnation.n);
}

static bool
read_reload (struct wire_reader *reader, const Baton__Reload *in, struct msg_reload *out)
{
    *out = (struct msg_reload) {
        .session = {in->session_high, in->session_low},
        .actor = {in->actor_high, in->actor_low},
        .incarnation = {in->incarnation},
    };
    return is_id (reader, "session", out->session) && is_id (reader, "actor", out->actor)
           && is_some (reader, "incarnation", out->incarnation.n);
}

static bool
read_state (struct wire_reader *reader, const Baton__State *in, struct msg_state *out)
{
    *out = (struct msg_state) {
        .session = {in->session_high, in->session_low},
        .actor = {in->actor_high, in->actor_low},
        .incarnation = {in->incarnation},
        .version = {in->version},
        .requests_accepted_through = {in->requests_accepted_through},
        .requests_consumed_through = {in->requests_consumed_through},
        .responses_last = {in->responses_last},
    };
    return is_id (reader, "session", out->session) && is_id (reader, "actor", out->actor)
           && is_some (reader, "incarnation", out->incarnation.n)
           && take_restart_data (reader, in->restart_data_size, &out->restart_data);
}

static bool
read_close (struct wire_reader *reader, const Baton__Close *in, struct msg_close *out)
{
    *out = (struct msg_close) {
        .ref = in->ref,
        .session = {in->session_high, in->session_low},
        .actor = {in->actor_high, in->actor_low},
        .incarnation = {in->incarnation},
        .expect_version = {in->expect_version},
    };
    return is_some (reader, "ref", out->ref) && is_id (reader, "session", out->session)
           && is_id (reader, "actor", out->actor)
           && is_some (reader, "incarnation", out->incarnation.n);
}

static bool
read_closed (struct wire_reader *reader, const Baton__Closed *in, struct msg_closed *out)
{
    *out = (struct msg_closed) {
        .ref = in->ref,
        .session = {in->session_high, in->session_low},
        .reason = (enum close_reason) in->reason,
    };
    return is_id (reader, "session", out->session) && is_some (reader, "reason", out->reason);
}

static bool
read_offer (struct wire_reader *reader, const Baton__Offer *in, struct msg_offer *out)
{
    *out = (struct msg_offer) {
        .ref = in->ref,
        .set = view (in->set),
        .attributes = view (in->attributes),
        .capacity = in->capacity,
        .credit_count = in->credit_count,
        .credit_bytes = in->credit_bytes,
    };
    return is_some (reader, "ref", out->ref) && is_name (reader, "set", out->set)
           && fits (reader, "attributes", out->attributes, LIMIT_OFFER_MAX_BYTES)
           && is_some (reader, "capacity", out->capacity);
}

static bool
read_offered (struct wire_reader *reader, const Baton__Offered *in, struct msg_offered *out)
{
    *out = (struct msg_offered) {.ref = in->ref};
    return is_some (reader, "ref", out->ref);
}

static bool
read_refused (struct wire_reader *reader, const Baton__Refused *in, struct msg_refused *out)
{
    *out = (struct msg_refused) {
        .refusal = (enum refusal) in->refusal,
        .kind = (enum msg_kind) in->kind,
        .ref = in->ref,
        .session = {in->session_high, in->session_low},
        .actor = {in->actor_high, in->actor_low},
        .incarnation = {in->incarnation},
        .version = {in->version},
        .busy_reason = (enum busy_reason) in->busy_reason,
        .retry_after_ms = in->retry_after_ms,
        .value = in->value,
        .limit = in->limit,
        .text = view (in->text),
    };
    return is_some (reader, "refusal", out->refusal)
           && fits (reader, "text", out->text, LIMIT_TEXT_MAX_BYTES);
}

static bool
read_admin_ask (struct wire_reader *reader, const Baton__AdminAsk *in, struct msg_admin_ask *out)
{
    *out = (struct msg_admin_ask) {
        .ref = in->ref,
        .topic = (enum admin_topic) in->topic,
        .argument = view (in->argument),
        .requirement = view (in->requirement),
        .after = in->after,
    };
    return is_some (reader, "ref", out->ref) && is_some (reader, "topic", out->topic)
           && is_name (reader, "argument", out->argument)
           && fits (reader, "requirement", out->requirement, LIMIT_REQUIREMENT_MAX_BYTES);
}

const ProtobufCMessageDescriptor *
wire_descriptor (enum msg_kind kind)
{
    switch (kind) {
    case MSG_HELLO: return &baton__hello__descriptor;
    case MSG_WELCOME: return &baton__welcome__descriptor;
    case MSG_HEARTBEAT: return &baton__heartbeat__descriptor;
    case MSG_CREDIT: return &baton__credit__descriptor;
    case MSG_GOODBYE: return &baton__goodbye__descriptor;
    case MSG_OPEN: return &baton__open__descriptor;
    case MSG_OPENED: return &baton__opened__descriptor;
    case MSG_RESUMED: return &baton__resumed__descriptor;
    case MSG_COMMIT: return &baton__commit__descriptor;
    case MSG_COMMITTED: return &baton__committed__descriptor;
    case MSG_DELIVER: return &baton__deliver__descriptor;
    case MSG_RELOAD: return &baton__reload__descriptor;
    case MSG_STATE: return &baton__state__descriptor;
    case MSG_CLOSE: return &baton__close__descriptor;
    case MSG_CLOSED: return &baton__closed__descriptor;
    case MSG_OFFER: return &baton__offer__descriptor;
    case MSG_OFFERED: return &baton__offered__descriptor;
    case MSG_REFUSED: return &baton__refused__descriptor;
    case MSG_ADMIN_ASK: return &baton__admin_ask__descriptor;
    case MSG_ADMIN_TELL: return &baton__admin_tell__descriptor;
    }
    ASSERT (false); // callers check the kind
    return NULL;
}

bool
wire_read (struct wire_reader *reader, const void *control, struct msg *msg)
{
    switch (msg->kind) {
    case MSG_HELLO: return read_hello (reader, control, &msg->hello);
    case MSG_WELCOME: return read_welcome (reader, control, &msg->welcome);
    case MSG_CREDIT: return read_credit (reader, control, &msg->credit);
    case MSG_OPEN: return read_open (reader, control, &msg->open);
    case MSG_OPENED: return read_opened (reader, control, &msg->opened);
    case MSG_RESUMED: return read_resumed (reader, control, &msg->resumed);
    case MSG_COMMIT: return wire_read_commit (reader, control, &msg->commit);
    case MSG_COMMITTED: return wire_read_committed (reader, control, &msg->committed);
    case MSG_DELIVER: return wire_read_deliver (reader, control, &msg->deliver);
    case MSG_RELOAD: return read_reload (reader, control, &msg->reload);
    case MSG_STATE: return read_state (reader, control, &msg->state);
    case MSG_CLOSE: return read_close (reader, control, &msg->close);
    case MSG_CLOSED: return read_closed (reader, control, &msg->closed);
    case MSG_OFFER: return read_offer (reader, control, &msg->offer);
    case MSG_OFFERED: return read_offered (reader, control, &msg->offered);
    case MSG_REFUSED: return read_refused (reader, control, &msg->refused);
    case MSG_ADMIN_ASK: return read_admin_ask (reader, control, &msg->admin_ask);
    case MSG_ADMIN_TELL: return wire_read_admin_tell (reader, control, &msg->admin_tell);
    case MSG_HEARTBEAT:
    case MSG_GOODBYE: return true; // nothing but their header
    }
    return false;
}
