// SPDX-License-Identifier: MPL-2.0
#include "tests/story/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct writer { char *text; size_t used; const struct render_names *names; };

__attribute__ ((format (printf, 2, 3)))
static void
put (struct writer *writer, const char *format, ...)
{
    const size_t room = RENDER_LINE_BYTES - writer->used;
    va_list arguments;

    va_start (arguments, format);
    const int count = vsnprintf (writer->text + writer->used, room, format, arguments);
    va_end (arguments);
    assert_true (count >= 0 && (size_t) count < room);
    writer->used += (size_t) count;
}

static void
put_number (struct writer *writer, const char *key, uint64_t number)
{
    put (writer, " %s=%llu", key, (unsigned long long) number);
}

static void
put_pair (struct writer *writer, const char *key, uint64_t through, uint64_t consumed)
{
    put (writer, " %s=%llu/%llu", key, (unsigned long long) through,
         (unsigned long long) consumed);
}

// Bytes that are no text are shown as their size.
static void
put_bytes (struct writer *writer, const char *before, struct baton_bytes bytes)
{
    const char *text = bytes.data;
    bool is_text = bytes.size <= 100;

    for (size_t i = 0; is_text && i < bytes.size; i++) {
        is_text = text[i] >= ' ' && text[i] <= '~';
    }
    if (is_text) {
        put (writer, "%s\"%.*s\"", before, (int) bytes.size, bytes.size ? text : "");
    } else {
        put (writer, "%s%zu bytes", before, bytes.size);
    }
}

static void
put_id (struct writer *writer, struct id id)
{
    for (size_t i = writer->names->count; i > 0; i--) {
        if (!id_equal (writer->names->items[i - 1].id, id)) continue;
        put (writer, " %s", writer->names->items[i - 1].name);
        return;
    }
    put (writer, " #%llx", (unsigned long long) id.low);
}

void
render_names_add (struct render_names *names, struct id id, struct baton_bytes name)
{
    if (names->count == RENDER_NAMES_MAX) {
        memmove (names->items, names->items + 1, (RENDER_NAMES_MAX - 1) * sizeof *names->items);
        names->count--;
    }
    names->items[names->count].id = id;
    snprintf (names->items[names->count].name, RENDER_NAME_BYTES, "%.*s", (int) name.size,
              (const char *) name.data);
    names->count++;
}

static const char *
status_name (enum response_status status)
{
    switch (status) {
    case RESPONSE_REPLY: return "REPLY";
    case RESPONSE_FAILED: return "FAILED";
    case RESPONSE_EXPIRED: return "EXPIRED";
    case RESPONSE_CANCELLED: return "CANCELLED";
    }
    return "?";
}

static const char *
reason_name (enum close_reason reason)
{
    switch (reason) {
    case CLOSE_BY_CLIENT: return "BY_CLIENT";
    case CLOSE_BY_LIFE: return "BY_LIFE";
    case CLOSE_BY_OPERATOR: return "BY_OPERATOR";
    }
    return "?";
}

static void
put_opened (struct writer *writer, const struct msg_opened *opened)
{
    put (writer, "OPENED");
    put_id (writer, opened->session);
    put_number (writer, "incarnation", opened->incarnation.n);
    put_number (writer, "version", opened->version.n);
    put_bytes (writer, " data=", opened->restart_data);
    put_pair (writer, "requests", opened->requests_accepted_through.n,
              opened->requests_consumed_through.n);
    put_pair (writer, "responses", opened->responses_last.n,
              opened->responses_consumed_through.n);
}

static void
put_resumed (struct writer *writer, const struct msg_resumed *resumed)
{
    put (writer, "RESUMED");
    put_id (writer, resumed->session);
    put_number (writer, "version", resumed->version.n);
    put_pair (writer, "requests", resumed->requests_accepted_through.n,
              resumed->requests_consumed_through.n);
}

static void
put_delivery (struct writer *writer, const struct effect_delivery *delivery)
{
    const struct msg_delivery *head = &delivery->head;

    put (writer, "DELIVER");
    put_id (writer, head->session);
    put_number (writer, "incarnation", head->incarnation.n);
    put_number (writer, "base", head->base_version.n);
    put (writer, head->phase == DELIVER_QUEUE ? " QUEUE" : " LIVE");
    if (delivery->item == DELIVERY_REQUEST && delivery->request.state == REQUEST_SKIPPED) {
        put_number (writer, "skipped", delivery->request.seq.n);
    } else if (delivery->item == DELIVERY_REQUEST) {
        put_number (writer, "request", delivery->request.seq.n);
        put_number (writer, "attempt", delivery->request.attempt);
        put_bytes (writer, " ", delivery->request.body);
    } else if (delivery->item == DELIVERY_RESPONSE) {
        put_number (writer, "response", delivery->response.seq.n);
        put_number (writer, "to", delivery->response.request.n);
        put (writer, " %s", status_name (delivery->response.status));
        put_bytes (writer, " ", delivery->response.body);
    }
}

static void
put_state (struct writer *writer, const struct msg_state *state)
{
    put (writer, "STATE");
    put_id (writer, state->session);
    put_number (writer, "incarnation", state->incarnation.n);
    put_number (writer, "version", state->version.n);
    put_bytes (writer, " data=", state->restart_data);
    put_pair (writer, "requests", state->requests_accepted_through.n,
              state->requests_consumed_through.n);
    put_number (writer, "responses", state->responses_last.n);
}

static void
put_reason (struct writer *writer, const struct msg_refused *refused)
{
    static const char *const reasons[] = { "?", "queue", "memory", "disk", "rate" };

    if (refused->refusal == REFUSAL_BUSY) {
        put (writer, "(%s)", reasons[refused->busy_reason]);
    } else if (refused->refusal == REFUSAL_GAP || refused->refusal == REFUSAL_DUPLICATE) {
        put_number (writer, "version", refused->version.n);
    } else if (refused->refusal == REFUSAL_FENCED) {
        put_number (writer, "incarnation", refused->incarnation.n);
    } else if (refused->refusal == REFUSAL_OLD_EPOCH
               || refused->refusal == REFUSAL_UNAVAILABLE) {
        put_number (writer, "epoch", refused->limit);
    } else if (refused->refusal != REFUSAL_HELLO_FIRST
               && refused->refusal != REFUSAL_NO_SUCH_SESSION) {
        put_bytes (writer, " ", refused->text);
    }
}

static void
put_refused (struct writer *writer, const struct msg_refused *refused)
{
    put (writer, "REFUSED %s %s", msg_kind_name (refused->kind), refusal_name (refused->refusal));
    put_reason (writer, refused);
}

void
render_effect (const struct effect *effect, const struct render_names *names,
               char line[RENDER_LINE_BYTES])
{
    struct writer writer = { .text = line, .names = names };

    line[0] = '\0';
    switch (effect->kind) {
    case EFFECT_WELCOME: put (&writer, "WELCOME"); break;
    case EFFECT_HEARTBEAT: put (&writer, "HEARTBEAT"); break;
    case EFFECT_OPENED: put_opened (&writer, &effect->opened); break;
    case EFFECT_RESUMED: put_resumed (&writer, &effect->resumed); break;
    case EFFECT_COMMITTED:
        put (&writer, "COMMITTED");
        put_number (&writer, "version", effect->committed.version.n);
        break;
    case EFFECT_DELIVER: put_delivery (&writer, &effect->delivery); break;
    case EFFECT_STATE: put_state (&writer, &effect->state); break;
    case EFFECT_CLOSED:
        put (&writer, "CLOSED");
        put_id (&writer, effect->closed.session);
        put (&writer, " %s", reason_name (effect->closed.reason));
        break;
    case EFFECT_OFFERED: put (&writer, "OFFERED"); break;
    case EFFECT_REFUSED: put_refused (&writer, &effect->refused); break;
    case EFFECT_FRAME: put (&writer, "FRAME"); break;
    case EFFECT_FORGET: put (&writer, "FORGET"); break;
    }
}
