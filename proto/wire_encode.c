// SPDX-License-Identifier: MPL-2.0
#include "proto/wire.h"

#include "proto/wire_put_items.h"
#include "proto/wire_sink.h"

static void
put_hello (struct sink *sink, const struct msg_hello *in)
{
    Baton__Hello out = BATON__HELLO__INIT;
    out.role = (Baton__EndRole) in->role;
    out.instance_high = in->instance.high;
    out.instance_low = in->instance.low;
    out.name = bytes_of (in->name);
    out.group_high = in->group.high;
    out.group_low = in->group.low;
    put_fields (sink, &out.base);
}

static void
put_welcome (struct sink *sink, const struct msg_welcome *in)
{
    Baton__Welcome out = BATON__WELCOME__INIT;
    out.role = (Baton__BrokerRole) in->role;
    out.group_high = in->group.high;
    out.group_low = in->group.low;
    out.manager = bytes_of (in->manager);
    out.heartbeat_ms = in->heartbeat_ms;
    out.silent_ms = in->silent_ms;
    out.body_max_bytes = in->body_max_bytes;
    out.restart_data_max_bytes = in->restart_data_max_bytes;
    out.unacked_max_count = in->unacked_max_count;
    put_fields (sink, &out.base);
}

static void
put_credit (struct sink *sink, const struct msg_credit *in)
{
    Baton__Credit out = BATON__CREDIT__INIT;
    out.session_high = in->session.high;
    out.session_low = in->session.low;
    out.granted_count = in->granted_count;
    out.granted_bytes = in->granted_bytes;
    put_fields (sink, &out.base);
}

static void
put_open (struct sink *sink, const struct msg_open *in)
{
    Baton__Open out = BATON__OPEN__INIT;
    out.ref = in->ref;
    out.intent = (Baton__OpenIntent) in->intent;
    out.kind = (Baton__SessionKind) in->kind;
    out.session = bytes_of (in->session);
    out.actor = bytes_of (in->actor);
    out.requirement = bytes_of (in->requirement);
    out.incarnation = in->incarnation.n;
    out.version = in->version.n;
    out.responses_received_through = in->responses_received_through.n;
    out.credit_count = in->credit_count;
    out.credit_bytes = in->credit_bytes;
    put_fields (sink, &out.base);
}

static void
put_opened (struct sink *sink, const struct msg_opened *in)
{
    Baton__Opened out = BATON__OPENED__INIT;
    out.ref = in->ref;
    out.session_high = in->session.high;
    out.session_low = in->session.low;
    out.actor_high = in->actor.high;
    out.actor_low = in->actor.low;
    out.incarnation = in->incarnation.n;
    out.version = in->version.n;
    out.restart_data_size = size_of (in->restart_data);
    out.requests_accepted_through = in->requests_accepted_through.n;
    out.requests_consumed_through = in->requests_consumed_through.n;
    out.responses_last = in->responses_last.n;
    out.responses_consumed_through = in->responses_consumed_through.n;
    put_fields (sink, &out.base);
}

static void
put_resumed (struct sink *sink, const struct msg_resumed *in)
{
    Baton__Resumed out = BATON__RESUMED__INIT;
    out.ref = in->ref;
    out.session_high = in->session.high;
    out.session_low = in->session.low;
    out.actor_high = in->actor.high;
    out.actor_low = in->actor.low;
    out.incarnation = in->incarnation.n;
    out.version = in->version.n;
    out.requests_accepted_through = in->requests_accepted_through.n;
    out.requests_consumed_through = in->requests_consumed_through.n;
    put_fields (sink, &out.base);
}

static void
put_reload (struct sink *sink, const struct msg_reload *in)
{
    Baton__Reload out = BATON__RELOAD__INIT;
    out.session_high = in->session.high;
    out.session_low = in->session.low;
    out.actor_high = in->actor.high;
    out.actor_low = in->actor.low;
    out.incarnation = in->incarnation.n;
    put_fields (sink, &out.base);
}

static void
put_state (struct sink *sink, const struct msg_state *in)
{
    Baton__State out = BATON__STATE__INIT;
    out.session_high = in->session.high;
    out.session_low = in->session.low;
    out.actor_high = in->actor.high;
    out.actor_low = in->actor.low;
    out.incarnation = in->incarnation.n;
    out.version = in->version.n;
    out.restart_data_size = size_of (in->restart_data);
    out.requests_accepted_through = in->requests_accepted_through.n;
    out.requests_consumed_through = in->requests_consumed_through.n;
    out.responses_last = in->responses_last.n;
    put_fields (sink, &out.base);
}

static void
put_close (struct sink *sink, const struct msg_close *in)
{
    Baton__Close out = BATON__CLOSE__INIT;
    out.ref = in->ref;
    out.session_high = in->session.high;
    out.session_low = in->session.low;
    out.actor_high = in->actor.high;
    out.actor_low = in->actor.low;
    out.incarnation = in->incarnation.n;
    out.expect_version = in->expect_version.n;
    put_fields (sink, &out.base);
}

static void
put_closed (struct sink *sink, const struct msg_closed *in)
{
    Baton__Closed out = BATON__CLOSED__INIT;
    out.ref = in->ref;
    out.session_high = in->session.high;
    out.session_low = in->session.low;
    out.reason = (Baton__CloseReason) in->reason;
    put_fields (sink, &out.base);
}

static void
put_offer (struct sink *sink, const struct msg_offer *in)
{
    Baton__Offer out = BATON__OFFER__INIT;
    out.ref = in->ref;
    out.set = bytes_of (in->set);
    out.attributes = bytes_of (in->attributes);
    out.capacity = in->capacity;
    out.credit_count = in->credit_count;
    out.credit_bytes = in->credit_bytes;
    put_fields (sink, &out.base);
}

static void
put_offered (struct sink *sink, const struct msg_offered *in)
{
    Baton__Offered out = BATON__OFFERED__INIT;
    out.ref = in->ref;
    put_fields (sink, &out.base);
}

static void
put_refused (struct sink *sink, const struct msg_refused *in)
{
    Baton__Refused out = BATON__REFUSED__INIT;
    out.refusal = (Baton__Refusal) in->refusal;
    out.kind = (Baton__MsgKind) in->kind;
    out.ref = in->ref;
    out.session_high = in->session.high;
    out.session_low = in->session.low;
    out.actor_high = in->actor.high;
    out.actor_low = in->actor.low;
    out.incarnation = in->incarnation.n;
    out.version = in->version.n;
    out.busy_reason = (Baton__BusyReason) in->busy_reason;
    out.retry_after_ms = in->retry_after_ms;
    out.value = in->value;
    out.limit = in->limit;
    out.text = bytes_of (in->text);
    put_fields (sink, &out.base);
}

static void
put_admin_ask (struct sink *sink, const struct msg_admin_ask *in)
{
    Baton__AdminAsk out = BATON__ADMIN_ASK__INIT;
    out.ref = in->ref;
    out.topic = (Baton__AdminTopic) in->topic;
    out.argument = bytes_of (in->argument);
    out.requirement = bytes_of (in->requirement);
    out.after = in->after;
    put_fields (sink, &out.base);
}

static void
put_control (struct sink *sink, const struct msg *msg)
{
    switch (msg->kind) {
    case MSG_HELLO: put_hello (sink, &msg->hello); return;
    case MSG_WELCOME: put_welcome (sink, &msg->welcome); return;
    case MSG_CREDIT: put_credit (sink, &msg->credit); return;
    case MSG_OPEN: put_open (sink, &msg->open); return;
    case MSG_OPENED: put_opened (sink, &msg->opened); return;
    case MSG_RESUMED: put_resumed (sink, &msg->resumed); return;
    case MSG_COMMIT: wire_put_commit (sink, &msg->commit); return;
    case MSG_COMMITTED: wire_put_committed (sink, &msg->committed); return;
    case MSG_DELIVER: wire_put_deliver (sink, &msg->deliver); return;
    case MSG_RELOAD: put_reload (sink, &msg->reload); return;
    case MSG_STATE: put_state (sink, &msg->state); return;
    case MSG_CLOSE: put_close (sink, &msg->close); return;
    case MSG_CLOSED: put_closed (sink, &msg->closed); return;
    case MSG_OFFER: put_offer (sink, &msg->offer); return;
    case MSG_OFFERED: put_offered (sink, &msg->offered); return;
    case MSG_REFUSED: put_refused (sink, &msg->refused); return;
    case MSG_ADMIN_ASK: put_admin_ask (sink, &msg->admin_ask); return;
    case MSG_ADMIN_TELL: wire_put_admin_tell (sink, &msg->admin_tell); return;
    case MSG_HEARTBEAT:
    case MSG_GOODBYE: return; // nothing but their header
    }
    ASSERT (false); // callers check the kind
}

static void
put_bulk (struct sink *sink, const struct msg *msg)
{
    if (msg->kind == MSG_COMMIT) {
        wire_put_commit_bodies (sink, &msg->commit);
    } else if (msg->kind == MSG_DELIVER) {
        wire_put_deliver_bodies (sink, &msg->deliver);
    } else if (msg->kind == MSG_OPENED) {
        put_bytes (sink, msg->opened.restart_data);
    } else if (msg->kind == MSG_STATE) {
        put_bytes (sink, msg->state.restart_data);
    }
}

// Writes or counts the frame. The header comes last, since it has the sizes of the rest.
static void
put_frame (struct sink *sink, const struct msg *msg)
{
    sink_take (sink, WIRE_HEADER_BYTES);
    put_control (sink, msg);
    size_t control_bytes = sink->used_bytes - WIRE_HEADER_BYTES;
    put_bulk (sink, msg);
    size_t bulk_bytes = sink->used_bytes - WIRE_HEADER_BYTES - control_bytes;
    ASSERT (control_bytes <= UINT32_MAX);
    ASSERT (bulk_bytes <= UINT32_MAX);
    if (!sink->data) return;

    struct sink header = {sink->data, WIRE_HEADER_BYTES, 0};
    put_number (&header, WIRE_MAGIC, 2);
    put_number (&header, MSG_VERSION, 1);
    put_number (&header, (uint64_t) msg->kind, 1);
    put_number (&header, control_bytes, 4);
    put_number (&header, msg->epoch.n, 8);
    put_number (&header, bulk_bytes, 4);
    put_number (&header, 0, 4);
}

size_t
wire_encoded_size (const struct msg *msg)
{
    struct sink sink = {NULL, 0, 0};
    put_frame (&sink, msg);
    return sink.used_bytes;
}

size_t
wire_encode (const struct msg *msg, void *data, size_t size)
{
    ASSERT (data != NULL);
    struct sink sink = {data, size, 0};
    put_frame (&sink, msg);
    return sink.used_bytes;
}
