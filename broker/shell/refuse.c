// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/refuse.h"

#include <string.h>

static uint64_t
ref_of (const struct msg *msg)
{
    switch (msg->kind) {
    case MSG_OPEN: return msg->open.ref;
    case MSG_CLOSE: return msg->close.ref;
    case MSG_OFFER: return msg->offer.ref;
    case MSG_ADMIN_ASK: return msg->admin_ask.ref;
    case MSG_HELLO:
    case MSG_WELCOME:
    case MSG_HEARTBEAT:
    case MSG_CREDIT:
    case MSG_GOODBYE:
    case MSG_OPENED:
    case MSG_RESUMED:
    case MSG_COMMIT:
    case MSG_COMMITTED:
    case MSG_DELIVER:
    case MSG_RELOAD:
    case MSG_STATE:
    case MSG_CLOSED:
    case MSG_OFFERED:
    case MSG_REFUSED:
    case MSG_ADMIN_TELL: break;
    }
    return 0;
}

void
refuse_msg (const struct msg *msg, enum refusal refusal, struct msg_refused *refused)
{
    memset (refused, 0, sizeof *refused);
    refused->refusal = refusal;
    refused->kind = msg->kind;
    refused->ref = ref_of (msg);
    if (msg->kind == MSG_COMMIT) {
        refused->actor = msg->commit.actor;
        refused->incarnation = msg->commit.incarnation;
        refused->version = msg->commit.expect_version;
    } else if (msg->kind == MSG_CLOSE) {
        refused->session = msg->close.session;
        refused->actor = msg->close.actor;
        refused->incarnation = msg->close.incarnation;
        refused->version = msg->close.expect_version;
    } else if (msg->kind == MSG_CREDIT) {
        refused->session = msg->credit.session;
    } else if (msg->kind == MSG_RELOAD) {
        refused->session = msg->reload.session;
        refused->actor = msg->reload.actor;
        refused->incarnation = msg->reload.incarnation;
    }
}

void
refuse_busy (const struct msg *msg, enum busy_reason reason, uint32_t retry_after_ms,
             struct msg_refused *refused)
{
    refuse_msg (msg, REFUSAL_BUSY, refused);
    refused->busy_reason = reason;
    refused->retry_after_ms = retry_after_ms;
}

void
refuse_fault (const struct wire_fault *fault, struct msg_refused *refused)
{
    memset (refused, 0, sizeof *refused);
    refused->refusal = fault->refusal;
    refused->kind = fault->kind;
    refused->value = fault->value;
    refused->limit = fault->limit;
    if (fault->what) {
        refused->text = (struct baton_bytes) {fault->what, strlen (fault->what)};
    }
}
