// SPDX-License-Identifier: MPL-2.0
#include "tests/sim/describe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// What stands in [text], and what is still to be said behind it.
struct words {
    char *text;
    size_t used;
};

static void
say (struct words *words, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

static void
say (struct words *words, const char *format, ...)
{
    va_list arguments;

    va_start (arguments, format);
    const int size = vsnprintf (words->text + words->used, DESCRIPTION_BYTES - words->used, format,
                                arguments);
    va_end (arguments);
    if (size > 0) {
        words->used += (size_t) size;
    }
    if (words->used >= DESCRIPTION_BYTES) {
        words->used = DESCRIPTION_BYTES - 1;
    }
}

static void
say_requests (struct words *words, const struct msg_request *requests, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        say (words, "%s %" PRIu64, i == 0 ? ", request" : ",", requests[i].seq.n);
        if (requests[i].state == REQUEST_SKIPPED) {
            say (words, " (ended by the broker)");
        } else if (requests[i].attempt > 1) {
            say (words, " (attempt %" PRIu32 ")", requests[i].attempt);
        }
    }
}

static void
say_responses (struct words *words, const struct msg_response *responses, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const char *text = responses[i].status == RESPONSE_REPLY ? "answer" : "failure";
        say (words, ", %s to %" PRIu64, text, responses[i].request.n);
    }
}

static void
say_commit (struct words *words, const struct msg_commit *commit)
{
    say (words, "COMMIT on version %" PRIu64, commit->expect_version.n);
    for (uint32_t i = 0; i < commit->parts_count; i++) {
        const struct msg_part *part = &commit->parts[i];
        say_requests (words, part->requests, part->requests_count);
        say_responses (words, part->responses, part->responses_count);
        if (part->requests_consumed_through.n > 0) {
            say (words, ", consumed requests up to %" PRIu64, part->requests_consumed_through.n);
        }
        if (part->responses_consumed_through.n > 0) {
            say (words, ", consumed responses up to %" PRIu64,
                 part->responses_consumed_through.n);
        }
        if (part->rejected.n > 0) {
            say (words, ", gives request %" PRIu64 " back", part->rejected.n);
        }
    }
    if (commit->restart_data.size > 0) {
        say (words, ", new restart data");
    }
}

static void
say_committed (struct words *words, const struct msg_committed *committed)
{
    say (words, "COMMITTED");
    for (uint32_t i = 0; i < committed->acks_count; i++) {
        say (words, "%s version %" PRIu64, i == 0 ? "" : ",", committed->acks[i].version.n);
    }
}

static void
say_deliver (struct words *words, const struct msg_deliver *deliver)
{
    say (words, "DELIVER");
    for (uint32_t i = 0; i < deliver->deliveries_count; i++) {
        const struct msg_delivery *delivery = &deliver->deliveries[i];
        say (words, "%s on version %" PRIu64, i == 0 ? "" : ";", delivery->base_version.n);
        if (delivery->phase == DELIVER_QUEUE) {
            say (words, " (as it stood)");
        }
        say_requests (words, delivery->requests, delivery->requests_count);
        for (uint32_t j = 0; j < delivery->responses_count; j++) {
            say (words, ", response %" PRIu64 " to request %" PRIu64,
                 delivery->responses[j].seq.n, delivery->responses[j].request.n);
        }
    }
}

static void
say_refused (struct words *words, const struct msg_refused *refused)
{
    say (words, "REFUSED %s: %s", msg_kind_name (refused->kind), refusal_name (refused->refusal));
    if (refused->version.n > 0) {
        say (words, " (version %" PRIu64 ")", refused->version.n);
    }
    if (refused->text.size > 0) {
        say (words, ", %.*s", (int) refused->text.size, (const char *) refused->text.data);
    }
}

static void
say_opening (struct words *words, const struct msg *msg)
{
    if (msg->kind == MSG_OPEN && msg->open.incarnation.n == 0) {
        say (words, "OPEN session '%.*s' for a new process", (int) msg->open.session.size,
             (const char *) msg->open.session.data);
    } else if (msg->kind == MSG_OPEN) {
        say (words, "OPEN session '%.*s' again, has responses up to %" PRIu64,
             (int) msg->open.session.size, (const char *) msg->open.session.data,
             msg->open.responses_received_through.n);
    } else {
        say (words, "OPENED at version %" PRIu64 ", requests up to %" PRIu64
             " are accepted, responses up to %" PRIu64 " consumed",
             msg->opened.version.n, msg->opened.requests_accepted_through.n,
             msg->opened.responses_consumed_through.n);
    }
}

void
describe_msg (const struct msg *msg, char text[DESCRIPTION_BYTES])
{
    struct words words = { .text = text };

    text[0] = '\0';
    switch (msg->kind) {
    case MSG_OPEN:
    case MSG_OPENED: say_opening (&words, msg); return;
    case MSG_COMMIT: say_commit (&words, &msg->commit); return;
    case MSG_COMMITTED: say_committed (&words, &msg->committed); return;
    case MSG_DELIVER: say_deliver (&words, &msg->deliver); return;
    case MSG_REFUSED: say_refused (&words, &msg->refused); return;
    case MSG_WELCOME: say (&words, "WELCOME in epoch %" PRIu64, msg->epoch.n); return;
    case MSG_RESUMED: say (&words, "RESUMED at version %" PRIu64, msg->resumed.version.n); return;
    case MSG_STATE:
        say (&words, "STATE of version %" PRIu64 ", requests up to %" PRIu64 " are consumed",
             msg->state.version.n, msg->state.requests_consumed_through.n);
        return;
    case MSG_OFFER:
        say (&words, "OFFER to take %" PRIu32 " requests ahead", msg->offer.credit_count);
        return;
    case MSG_CLOSE: say (&words, "CLOSE at version %" PRIu64, msg->close.expect_version.n); return;
    case MSG_CREDIT: say (&words, "CREDIT %" PRIu64, msg->credit.granted_count); return;
    case MSG_HEARTBEAT: say (&words, "~HEARTBEAT"); return;
    case MSG_HELLO:
    case MSG_GOODBYE:
    case MSG_RELOAD:
    case MSG_CLOSED:
    case MSG_OFFERED:
    case MSG_ADMIN_ASK:
    case MSG_ADMIN_TELL: say (&words, "%s", msg_kind_name (msg->kind)); return;
    }
}
