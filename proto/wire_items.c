// SPDX-License-Identifier: MPL-2.0
#include "proto/wire_items.h"

#include "proto/wire_check.h"

// Items that no part or delivery of the message has taken yet.
struct items {
    const struct msg_request *requests;
    const struct msg_response *responses;
    uint32_t requests_count;
    uint32_t responses_count;
};

// In a COMMIT a request has no state yet and was never attempted.
static bool
read_request (struct wire_reader *reader, const Baton__Request *in, enum msg_kind kind,
              struct msg_request *out)
{
    *out = (struct msg_request) {
        .seq = {in->seq},
        .state = kind == MSG_COMMIT ? REQUEST_OPEN : (enum request_state) in->state,
        .attempt = in->attempt,
    };
    if (kind == MSG_COMMIT
        && !(is_none (reader, "state", (uint64_t) in->state)
             && is_none (reader, "attempt", in->attempt))) {
        return false;
    }
    return is_some (reader, "seq", out->seq.n) && is_some (reader, "state", out->state)
           && take_body (reader, "body_size", in->body_size, reader->limits->body_max_bytes,
                         &out->body);
}

// In a COMMIT a response has no number yet: the manager numbers responses in log order.
static bool
read_response (struct wire_reader *reader, const Baton__Response *in, enum msg_kind kind,
               struct msg_response *out)
{
    *out = (struct msg_response) {
        .seq = {in->seq},
        .request = {in->request},
        .status = (enum response_status) in->status,
    };
    bool numbered = kind == MSG_COMMIT ? is_none (reader, "seq", in->seq)
                                       : is_some (reader, "seq", in->seq);
    return numbered && is_some (reader, "request", out->request.n)
           && is_some (reader, "status", out->status)
           && take_body (reader, "body_size", in->body_size, reader->limits->body_max_bytes,
                         &out->body);
}

static bool
read_requests (struct wire_reader *reader, Baton__Request *const *in, size_t count,
               enum msg_kind kind, struct items *items)
{
    struct msg_request *requests = array_new (reader, count, sizeof *requests);
    if (count > 0 && !requests) return false;
    for (size_t i = 0; i < count; i++) {
        if (!read_request (reader, in[i], kind, &requests[i])) return false;
    }
    items->requests = requests;
    items->requests_count = (uint32_t) count;
    return true;
}

static bool
read_responses (struct wire_reader *reader, Baton__Response *const *in, size_t count,
                enum msg_kind kind, struct items *items)
{
    struct msg_response *responses = array_new (reader, count, sizeof *responses);
    if (count > 0 && !responses) return false;
    for (size_t i = 0; i < count; i++) {
        if (!read_response (reader, in[i], kind, &responses[i])) return false;
    }
    items->responses = responses;
    items->responses_count = (uint32_t) count;
    return true;
}

// Moves the next [requests_count] and [responses_count] from [items] to [taken].
static bool
take_items (struct wire_reader *reader, struct items *items, uint32_t requests_count,
            uint32_t responses_count, struct items *taken)
{
    if (requests_count > items->requests_count) {
        return refuse (reader, REFUSAL_MALFORMED, "requests_count", requests_count,
                       items->requests_count);
    }
    if (responses_count > items->responses_count) {
        return refuse (reader, REFUSAL_MALFORMED, "responses_count", responses_count,
                       items->responses_count);
    }
    *taken = (struct items) {
        .requests = requests_count > 0 ? items->requests : NULL,
        .responses = responses_count > 0 ? items->responses : NULL,
        .requests_count = requests_count,
        .responses_count = responses_count,
    };
    if (requests_count > 0) {
        items->requests += requests_count;
        items->requests_count -= requests_count;
    }
    if (responses_count > 0) {
        items->responses += responses_count;
        items->responses_count -= responses_count;
    }
    return true;
}

static bool
all_taken (struct wire_reader *reader, const struct items *items)
{
    return is_none (reader, "requests", items->requests_count)
           && is_none (reader, "responses", items->responses_count);
}

static bool
read_part (struct wire_reader *reader, const Baton__Part *in, struct items *items,
           struct msg_part *out)
{
    struct items own;
    if (!take_items (reader, items, in->requests_count, in->responses_count, &own)) return false;
    *out = (struct msg_part) {
        .session = {in->session_high, in->session_low},
        .requests = own.requests,
        .requests_count = own.requests_count,
        .responses = own.responses,
        .responses_count = own.responses_count,
        .requests_consumed_through = {in->requests_consumed_through},
        .responses_consumed_through = {in->responses_consumed_through},
        .rejected = {in->rejected},
        .reject_reason = view (in->reject_reason),
    };
    return is_id (reader, "session", out->session)
           && fits (reader, "reject_reason", out->reject_reason, LIMIT_TEXT_MAX_BYTES);
}

bool
wire_read_commit (struct wire_reader *reader, const Baton__Commit *in, struct msg_commit *out)
{
    *out = (struct msg_commit) {
        .actor = {in->actor_high, in->actor_low},
        .incarnation = {in->incarnation},
        .expect_version = {in->expect_version},
        .parts_count = (uint32_t) in->n_parts,
    };
    struct items items = {0};
    if (!(is_id (reader, "actor", out->actor)
          && is_some (reader, "incarnation", out->incarnation.n)
          && take_restart_data (reader, in->restart_data_size, &out->restart_data)
          && read_requests (reader, in->requests, in->n_requests, MSG_COMMIT, &items)
          && read_responses (reader, in->responses, in->n_responses, MSG_COMMIT, &items))) {
        return false;
    }
    struct msg_part *parts = array_new (reader, in->n_parts, sizeof *parts);
    if (in->n_parts > 0 && !parts) return false;
    for (size_t i = 0; i < in->n_parts; i++) {
        if (!read_part (reader, in->parts[i], &items, &parts[i])) return false;
    }
    out->parts = parts;
    return all_taken (reader, &items);
}

bool
wire_read_committed (struct wire_reader *reader, const Baton__Committed *in,
                struct msg_committed *out)
{
    struct msg_ack *acks = array_new (reader, in->n_acks, sizeof *acks);
    if (in->n_acks > 0 && !acks) return false;
    for (size_t i = 0; i < in->n_acks; i++) {
        const Baton__Ack *ack = in->acks[i];
        acks[i] = (struct msg_ack) {
            .actor = {ack->actor_high, ack->actor_low},
            .incarnation = {ack->incarnation},
            .version = {ack->version},
        };
        if (!is_id (reader, "actor", acks[i].actor)) return false;
        if (!is_some (reader, "incarnation", ack->incarnation)) return false;
    }
    *out = (struct msg_committed) {.acks = acks, .acks_count = (uint32_t) in->n_acks};
    return true;
}

static bool
read_delivery (struct wire_reader *reader, const Baton__Delivery *in, struct items *items,
               struct msg_delivery *out)
{
    struct items own;
    if (!take_items (reader, items, in->requests_count, in->responses_count, &own)) return false;
    *out = (struct msg_delivery) {
        .session = {in->session_high, in->session_low},
        .actor = {in->actor_high, in->actor_low},
        .incarnation = {in->incarnation},
        .base_version = {in->base_version},
        .phase = (enum deliver_phase) in->phase,
        .requests = own.requests,
        .requests_count = own.requests_count,
        .responses = own.responses,
        .responses_count = own.responses_count,
    };
    return is_id (reader, "session", out->session) && is_id (reader, "actor", out->actor)
           && is_some (reader, "incarnation", out->incarnation.n)
           && is_some (reader, "phase", out->phase);
}

bool
wire_read_deliver (struct wire_reader *reader, const Baton__Deliver *in, struct msg_deliver *out)
{
    struct items items = {0};
    if (!(read_requests (reader, in->requests, in->n_requests, MSG_DELIVER, &items)
          && read_responses (reader, in->responses, in->n_responses, MSG_DELIVER, &items))) {
        return false;
    }
    struct msg_delivery *deliveries = array_new (reader, in->n_deliveries, sizeof *deliveries);
    if (in->n_deliveries > 0 && !deliveries) return false;
    for (size_t i = 0; i < in->n_deliveries; i++) {
        if (!read_delivery (reader, in->deliveries[i], &items, &deliveries[i])) return false;
    }
    *out = (struct msg_deliver) {
        .deliveries = deliveries,
        .deliveries_count = (uint32_t) in->n_deliveries,
    };
    return all_taken (reader, &items);
}

static bool
read_cell (struct wire_reader *reader, const Baton__Cell *in, struct msg_cell *out)
{
    *out = (struct msg_cell) {
        .name = view (in->name),
        .kind = (enum cell_kind) in->kind,
        .text = view (in->text),
        .number = in->number,
    };
    return is_name (reader, "name", out->name) && is_some (reader, "kind", out->kind)
           && fits (reader, "text", out->text, LIMIT_TEXT_MAX_BYTES)
           && (out->kind != CELL_FLAG || out->number <= 1
               || refuse (reader, REFUSAL_MALFORMED, "number", out->number, 1));
}

static bool
read_rows (struct wire_reader *reader, const Baton__AdminTell *in, const struct msg_cell *cells,
           struct msg_row *rows)
{
    size_t left = in->n_cells;
    for (size_t i = 0; i < in->n_rows; i++) {
        uint32_t count = in->rows[i]->cells_count;
        if (count > left) return refuse (reader, REFUSAL_MALFORMED, "cells_count", count, left);
        rows[i] = (struct msg_row) {count > 0 ? cells + (in->n_cells - left) : NULL, count};
        left -= count;
    }
    return is_none (reader, "cells", left);
}

bool
wire_read_admin_tell (struct wire_reader *reader, const Baton__AdminTell *in,
                 struct msg_admin_tell *out)
{
    struct msg_cell *cells = array_new (reader, in->n_cells, sizeof *cells);
    if (in->n_cells > 0 && !cells) return false;
    for (size_t i = 0; i < in->n_cells; i++) {
        if (!read_cell (reader, in->cells[i], &cells[i])) return false;
    }
    struct msg_row *rows = array_new (reader, in->n_rows, sizeof *rows);
    if (in->n_rows > 0 && !rows) return false;
    *out = (struct msg_admin_tell) {
        .ref = in->ref,
        .rows = rows,
        .rows_count = (uint32_t) in->n_rows,
        .more_after = in->more_after,
    };
    return is_some (reader, "ref", out->ref) && read_rows (reader, in, cells, rows);
}
