// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/admin.h"

#include "broker/shell/loop.h"
#include "broker/shell/refuse.h"

#include <string.h>

#define MS_NS UINT64_C (1000000)
#define RETRY_AFTER_MS 1000u

void
admin_init (struct admin *admin)
{
    admin->waits_count = 0;
    tell_init (&admin->tell);
}

static void
refuse (struct loop *loop, const struct doors_message *message, enum refusal refusal,
        const char *text)
{
    struct msg_refused refused;

    refuse_msg (&message->msg, refusal, &refused);
    refused.text = (struct baton_bytes) {text, strlen (text)};
    if (refusal == REFUSAL_UNAVAILABLE) {
        refused.retry_after_ms = RETRY_AFTER_MS;
    }
    doors_refuse (&loop->doors, message->link, &refused);
}

static void
send_single (struct loop *loop, struct link_number to, struct msg *msg)
{
    const struct packer_sink sink = {doors_send, doors_forget, &loop->doors};

    msg->epoch = core_epoch (loop->core);
    if (packer_single (msg, to, &sink) != BATON_OK) {
        loop->stats->no_memory++;
    }
}

static void
welcome (struct loop *loop, const struct doors_message *message)
{
    struct journal_status status;
    struct msg msg = {.kind = MSG_WELCOME};

    journal_status (loop->journal, &status);
    msg.welcome = (struct msg_welcome) {
        .role = BROKER_MANAGER,
        .group = status.group,
        .heartbeat_ms = (uint32_t) loop->config->heartbeat_ms,
        .silent_ms = (uint32_t) loop->config->end_silent_ms,
        .body_max_bytes = loop->config->body_max_bytes,
        .restart_data_max_bytes = loop->config->restart_data_max_bytes,
        .unacked_max_count = (uint32_t) loop->config->unacked_max_count,
    };
    send_single (loop, message->link, &msg);
}

// Puts the answer into the gate, behind the newest record if it was read from the book.
static void
hold_answer (struct admin *admin, struct loop *loop, const struct doors_message *message,
             struct log_index after, uint64_t more_after)
{
    const uint64_t ref = message->msg.admin_ask.ref;
    struct effect_list *inbox = gate_inbox (&loop->turn.gate);
    struct blob *frame = NULL;

    if (effect_list_reserve (inbox, 1) == BATON_OK) {
        frame = tell_encode (&admin->tell, &loop->budget->memory, ref, core_epoch (loop->core),
                             more_after);
    }
    if (!frame) {
        refuse (loop, message, REFUSAL_UNAVAILABLE, "no memory for the answer");
        return;
    }
    struct effect *effect = effect_list_add (inbox);
    effect->to = message->link;
    effect->after = after;
    effect->epoch = core_epoch (loop->core);
    effect->kind = EFFECT_FRAME;
    effect->holds[0] = frame;
    gate_hold (&loop->turn.gate);
    if (after.n > replica_commit_index (&loop->turn.replica).n) {
        admin->waits[admin->waits_count++] = (struct admin_wait) {
            message->link, ref, after, loop->turn.now_ns + loop->config->admin_wait_ms * MS_NS};
    }
}

static void
answer (struct admin *admin, struct loop *loop, const struct doors_message *message)
{
    const struct msg_admin_ask *ask = &message->msg.admin_ask;
    struct log_index after = core_last_index (loop->core);
    struct msg_refused refused;
    uint64_t more_after = 0;

    refuse_msg (&message->msg, REFUSAL_MALFORMED, &refused);
    tell_init (&admin->tell);
    switch (ask->topic) {
    case ADMIN_STATUS:
        more_after = admin_tell_status (loop, &admin->tell);
        after.n = 0;
        break;
    case ADMIN_SESSIONS: more_after = admin_tell_sessions (loop, ask, &admin->tell); break;
    case ADMIN_SERVERS: more_after = admin_tell_servers (loop, ask, &admin->tell); break;
    case ADMIN_EXPLAIN:
        more_after = admin_tell_explain (loop, ask, &admin->tell, &refused);
        break;
    }
    if (more_after == ADMIN_REFUSED) {
        doors_refuse (&loop->doors, message->link, &refused);
    } else {
        hold_answer (admin, loop, message, after, more_after);
    }
}

void
admin_on_message (struct admin *admin, struct loop *loop, const struct doors_message *message)
{
    if (message->msg.kind == MSG_HELLO) {
        welcome (loop, message);
    } else if (message->msg.kind == MSG_HEARTBEAT) {
        struct msg msg = {.kind = MSG_HEARTBEAT};
        send_single (loop, message->link, &msg);
    } else if (message->msg.kind == MSG_GOODBYE) {
        doors_forget (&loop->doors, message->link);
    } else if (message->msg.kind != MSG_ADMIN_ASK) {
        loop->stats->wrong_door++;
        refuse (loop, message, REFUSAL_DENIED, "this door is for administration");
    } else if (admin->waits_count == LIMIT_ADMIN_ASKS_MAX_COUNT) {
        refuse (loop, message, REFUSAL_UNAVAILABLE, "too many questions at a time");
    } else {
        loop->stats->admin_asks++;
        answer (admin, loop, message);
    }
}

static void
give_up (struct loop *loop, const struct admin_wait *wait)
{
    static const char text[] = "not safe yet";
    struct msg_refused refused = {
        .refusal = REFUSAL_UNAVAILABLE,
        .kind = MSG_ADMIN_ASK,
        .ref = wait->ref,
        .retry_after_ms = RETRY_AFTER_MS,
        .text = {text, sizeof text - 1},
    };

    if (gate_withdraw (&loop->turn.gate, wait->link)) {
        loop->stats->admin_not_safe_in_time++;
        doors_refuse (&loop->doors, wait->link, &refused);
    }
}

void
admin_expire (struct admin *admin, struct loop *loop)
{
    const struct log_index commit = replica_commit_index (&loop->turn.replica);
    uint32_t kept_count = 0;

    for (uint32_t i = 0; i < admin->waits_count; i++) {
        const struct admin_wait *wait = &admin->waits[i];
        if (wait->after.n <= commit.n) continue;
        if (wait->until_ns <= loop->turn.now_ns) {
            give_up (loop, wait);
        } else {
            admin->waits[kept_count++] = *wait;
        }
    }
    admin->waits_count = kept_count;
}

uint64_t
admin_due_ns (const struct admin *admin)
{
    uint64_t due_ns = UINT64_MAX;

    for (uint32_t i = 0; i < admin->waits_count; i++) {
        due_ns = admin->waits[i].until_ns < due_ns ? admin->waits[i].until_ns : due_ns;
    }
    return due_ns;
}
