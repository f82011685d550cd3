// SPDX-License-Identifier: MPL-2.0
#include "proto/wire_put_items.h"

// A COMMIT does not say state and attempt: its requests are new.
static void
put_request (struct sink *sink, uint8_t tag, const struct msg_request *in, enum msg_kind kind)
{
    Baton__Request out = BATON__REQUEST__INIT;
    out.seq = in->seq.n;
    if (kind == MSG_DELIVER) {
        out.state = (Baton__RequestState) in->state;
        out.attempt = in->attempt;
    }
    out.body_size = size_of (in->body);
    put_item (sink, tag, &out.base);
}

// A COMMIT does not number responses: the manager does.
static void
put_response (struct sink *sink, uint8_t tag, const struct msg_response *in, enum msg_kind kind)
{
    Baton__Response out = BATON__RESPONSE__INIT;
    if (kind == MSG_DELIVER) {
        out.seq = in->seq.n;
    }
    out.request = in->request.n;
    out.status = (Baton__ResponseStatus) in->status;
    out.body_size = size_of (in->body);
    put_item (sink, tag, &out.base);
}

static void
put_part (struct sink *sink, const struct msg_part *in)
{
    ASSERT (in->requests_count == 0 || in->requests != NULL);
    ASSERT (in->responses_count == 0 || in->responses != NULL);
    Baton__Part out = BATON__PART__INIT;
    out.session_high = in->session.high;
    out.session_low = in->session.low;
    out.requests_count = in->requests_count;
    out.responses_count = in->responses_count;
    out.requests_consumed_through = in->requests_consumed_through.n;
    out.responses_consumed_through = in->responses_consumed_through.n;
    out.rejected = in->rejected.n;
    out.reject_reason = bytes_of (in->reject_reason);
    put_item (sink, ITEM_TAG (6), &out.base);
}

void
wire_put_commit (struct sink *sink, const struct msg_commit *in)
{
    ASSERT (in->parts_count == 0 || in->parts != NULL);
    Baton__Commit out = BATON__COMMIT__INIT;
    out.actor_high = in->actor.high;
    out.actor_low = in->actor.low;
    out.incarnation = in->incarnation.n;
    out.expect_version = in->expect_version.n;
    out.restart_data_size = size_of (in->restart_data);
    put_fields (sink, &out.base);
    for (uint32_t i = 0; i < in->parts_count; i++) {
        put_part (sink, &in->parts[i]);
    }
    for (uint32_t i = 0; i < in->parts_count; i++) {
        for (uint32_t j = 0; j < in->parts[i].requests_count; j++) {
            put_request (sink, ITEM_TAG (7), &in->parts[i].requests[j], MSG_COMMIT);
        }
    }
    for (uint32_t i = 0; i < in->parts_count; i++) {
        for (uint32_t j = 0; j < in->parts[i].responses_count; j++) {
            put_response (sink, ITEM_TAG (8), &in->parts[i].responses[j], MSG_COMMIT);
        }
    }
}

void
wire_put_commit_bodies (struct sink *sink, const struct msg_commit *in)
{
    put_bytes (sink, in->restart_data);
    for (uint32_t i = 0; i < in->parts_count; i++) {
        for (uint32_t j = 0; j < in->parts[i].requests_count; j++) {
            put_bytes (sink, in->parts[i].requests[j].body);
        }
    }
    for (uint32_t i = 0; i < in->parts_count; i++) {
        for (uint32_t j = 0; j < in->parts[i].responses_count; j++) {
            put_bytes (sink, in->parts[i].responses[j].body);
        }
    }
}

void
wire_put_committed (struct sink *sink, const struct msg_committed *in)
{
    ASSERT (in->acks_count == 0 || in->acks != NULL);
    for (uint32_t i = 0; i < in->acks_count; i++) {
        Baton__Ack out = BATON__ACK__INIT;
        out.actor_high = in->acks[i].actor.high;
        out.actor_low = in->acks[i].actor.low;
        out.incarnation = in->acks[i].incarnation.n;
        out.version = in->acks[i].version.n;
        put_item (sink, ITEM_TAG (1), &out.base);
    }
}

static void
put_delivery (struct sink *sink, const struct msg_delivery *in)
{
    ASSERT (in->requests_count == 0 || in->requests != NULL);
    ASSERT (in->responses_count == 0 || in->responses != NULL);
    Baton__Delivery out = BATON__DELIVERY__INIT;
    out.session_high = in->session.high;
    out.session_low = in->session.low;
    out.actor_high = in->actor.high;
    out.actor_low = in->actor.low;
    out.incarnation = in->incarnation.n;
    out.base_version = in->base_version.n;
    out.phase = (Baton__DeliverPhase) in->phase;
    out.requests_count = in->requests_count;
    out.responses_count = in->responses_count;
    put_item (sink, ITEM_TAG (1), &out.base);
}

void
wire_put_deliver (struct sink *sink, const struct msg_deliver *in)
{
    ASSERT (in->deliveries_count == 0 || in->deliveries != NULL);
    for (uint32_t i = 0; i < in->deliveries_count; i++) {
        put_delivery (sink, &in->deliveries[i]);
    }
    for (uint32_t i = 0; i < in->deliveries_count; i++) {
        for (uint32_t j = 0; j < in->deliveries[i].requests_count; j++) {
            put_request (sink, ITEM_TAG (2), &in->deliveries[i].requests[j], MSG_DELIVER);
        }
    }
    for (uint32_t i = 0; i < in->deliveries_count; i++) {
        for (uint32_t j = 0; j < in->deliveries[i].responses_count; j++) {
            put_response (sink, ITEM_TAG (3), &in->deliveries[i].responses[j], MSG_DELIVER);
        }
    }
}

void
wire_put_deliver_bodies (struct sink *sink, const struct msg_deliver *in)
{
    for (uint32_t i = 0; i < in->deliveries_count; i++) {
        for (uint32_t j = 0; j < in->deliveries[i].requests_count; j++) {
            put_bytes (sink, in->deliveries[i].requests[j].body);
        }
    }
    for (uint32_t i = 0; i < in->deliveries_count; i++) {
        for (uint32_t j = 0; j < in->deliveries[i].responses_count; j++) {
            put_bytes (sink, in->deliveries[i].responses[j].body);
        }
    }
}

static void
put_cell (struct sink *sink, const struct msg_cell *in)
{
    Baton__Cell out = BATON__CELL__INIT;
    out.name = bytes_of (in->name);
    out.kind = (Baton__CellKind) in->kind;
    out.text = bytes_of (in->text);
    out.number = in->number;
    put_item (sink, ITEM_TAG (3), &out.base);
}

void
wire_put_admin_tell (struct sink *sink, const struct msg_admin_tell *in)
{
    ASSERT (in->rows_count == 0 || in->rows != NULL);
    Baton__AdminTell out = BATON__ADMIN_TELL__INIT;
    out.ref = in->ref;
    out.more_after = in->more_after;
    put_fields (sink, &out.base);
    for (uint32_t i = 0; i < in->rows_count; i++) {
        ASSERT (in->rows[i].cells_count == 0 || in->rows[i].cells != NULL);
        Baton__Row row = BATON__ROW__INIT;
        row.cells_count = in->rows[i].cells_count;
        put_item (sink, ITEM_TAG (2), &row.base);
    }
    for (uint32_t i = 0; i < in->rows_count; i++) {
        for (uint32_t j = 0; j < in->rows[i].cells_count; j++) {
            put_cell (sink, &in->rows[i].cells[j]);
        }
    }
}
