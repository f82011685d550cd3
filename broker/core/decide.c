// SPDX-License-Identifier: MPL-2.0
#include "broker/core/decide.h"

#include "proto/assert.h"
#include "proto/mutant.h"

#include <string.h>

// How long a refused end waits before it asks again; ends add their own jitter.
#define RETRY_AFTER_MS 100u

enum verdict
decide_refuse (const struct scene *scene, struct decision *decision, enum refusal refusal,
               const char *text)
{
    decision->verdict = VERDICT_REFUSE;
    decision->refused.refusal = refusal;
    decision->refused.kind = scene->event->msg->kind;
    decision->refused.text.data = text;
    decision->refused.text.size = strlen (text);
    if (refusal == REFUSAL_BUSY || refusal == REFUSAL_UNAVAILABLE) {
        decision->refused.retry_after_ms = RETRY_AFTER_MS;
    }
    return VERDICT_REFUSE;
}

enum verdict
decide_limit (const struct scene *scene, struct decision *decision, enum refusal refusal,
              const char *text, uint64_t value, uint64_t limit)
{
    decision->refused.value = value;
    decision->refused.limit = limit;
    return decide_refuse (scene, decision, refusal, text);
}

enum verdict
decide_busy (const struct scene *scene, struct decision *decision, enum busy_reason reason,
             const char *text, uint64_t value, uint64_t limit)
{
    decision->refused.busy_reason = reason;
    return decide_limit (scene, decision, REFUSAL_BUSY, text, value, limit);
}

// The share of memory that must stay free for [work], in percent: what frees memory is admitted
// longer than what takes it.
static uint64_t
memory_reserve_percent (enum work work)
{
    switch (work) {
    case WORK_NEW: return 20;
    case WORK_KEEP: return 5;
    case WORK_COMPLETION: return 0;
    }
    return 0;
}

static uint64_t
disk_reserve_percent (enum work work)
{
    switch (work) {
    case WORK_NEW: return 5;
    case WORK_KEEP: return 2;
    case WORK_COMPLETION: return 0;
    }
    return 0;
}

// share returns [percent] of [total] without overflow.
static uint64_t
share (uint64_t total, uint64_t percent)
{
    return total / 100 * percent;
}

enum verdict
decide_memory (const struct scene *scene, struct decision *decision, enum work work,
               uint64_t size)
{
    const struct capacity *capacity = &scene->event->capacity;
    const uint64_t wanted =
        share (capacity->memory_total_bytes, memory_reserve_percent (work)) + size;

    if (capacity->memory_free_bytes >= wanted) return VERDICT_NOTHING;
    return decide_busy (scene, decision, BUSY_MEMORY, "free memory of the broker's budget",
                        capacity->memory_free_bytes, wanted);
}

enum verdict
decide_disk (const struct scene *scene, struct decision *decision, enum work work, uint64_t size)
{
    const struct capacity *capacity = &scene->event->capacity;
    const uint64_t wanted =
        share (capacity->disk_total_bytes, disk_reserve_percent (work)) + size;

    if (capacity->disk_free_bytes >= wanted) return VERDICT_NOTHING;
    return decide_busy (scene, decision, BUSY_DISK, "free disk of the store",
                        capacity->disk_free_bytes, wanted);
}

enum verdict
decide_room (const struct scene *scene, struct decision *decision, enum work work, uint64_t size)
{
    const enum verdict verdict = decide_memory (scene, decision, work, size);

    return verdict == VERDICT_REFUSE ? verdict : decide_disk (scene, decision, work, size);
}

void
decide_begin (struct decision *decision, enum record_type type)
{
    decision->verdict = VERDICT_RECORD;
    decision->record.head.type = (uint16_t) type;
    decision->record.head.version = RECORD_VERSION;
}

// What an end of [role] may say once it is known.
static bool
role_may_say (enum end_role role, enum msg_kind kind)
{
    switch (kind) {
    case MSG_HELLO:
    case MSG_HEARTBEAT:
    case MSG_GOODBYE: return true;
    case MSG_OPEN:
    case MSG_CLOSE:
    case MSG_CREDIT: return role == END_CLIENT;
    case MSG_OFFER:
    case MSG_RELOAD: return role == END_SERVER;
    case MSG_COMMIT: return role == END_CLIENT || role == END_SERVER;
    case MSG_WELCOME:
    case MSG_OPENED:
    case MSG_RESUMED:
    case MSG_COMMITTED:
    case MSG_DELIVER:
    case MSG_STATE:
    case MSG_CLOSED:
    case MSG_OFFERED:
    case MSG_REFUSED:
    case MSG_ADMIN_ASK:
    case MSG_ADMIN_TELL: return false;
    }
    return false;
}

enum verdict
decide_rights (const struct scene *scene, struct decision *decision)
{
    const struct msg *msg = scene->event->msg;

    if (!scene->link) {
        return decide_refuse (scene, decision, REFUSAL_HELLO_FIRST, "this path");
    }
    if (!role_may_say (scene->link->role, msg->kind)) {
        return decide_refuse (scene, decision, REFUSAL_DENIED, "this message from this role");
    }
    if (msg->kind == MSG_GOODBYE) return VERDICT_NOTHING;
    if (epoch_is_newer (scene->book->epoch, msg->epoch)) {
        return decide_limit (scene, decision, REFUSAL_OLD_EPOCH, "epoch", msg->epoch.n,
                             scene->book->epoch.n);
    }
    if (epoch_is_newer (msg->epoch, scene->book->epoch)) {
        return decide_limit (scene, decision, REFUSAL_UNAVAILABLE, "epoch ahead of this broker's",
                             msg->epoch.n, scene->book->epoch.n);
    }
    return VERDICT_NOTHING;
}

enum verdict
decide_credit (const struct scene *scene, struct decision *decision)
{
    const struct session *session =
        book_session (scene->book, scene->event->msg->credit.session);

    decision->refused.session = scene->event->msg->credit.session;
    if (!session) return decide_refuse (scene, decision, REFUSAL_NO_SUCH_SESSION, "session");
    if (roster_session (scene->roster, session)->client != scene->link) {
        return decide_refuse (scene, decision, REFUSAL_DENIED, "session opened elsewhere");
    }
    decision->verdict = VERDICT_ANSWER;
    return VERDICT_ANSWER;
}

// suspects_of returns through which request a session's next server must take them one by one.
// Where nobody knows what the ended instance had in its hands, it is at most its credit.
static struct request_seq
suspects_of (const struct session *session)
{
    struct request_seq through = { session->requests_consumed_through.n + LIMIT_CREDIT_COUNT };

    if (!session->server || session->bound.n >= session->server->ended_unknown.n
        || MUTANT (UNKNOWN_DEATH_UNSUSPECTED)) {
        return session->suspect_through;
    }
    if (through.n > session->requests_accepted_through.n) {
        through = session->requests_accepted_through;
    }
    return through.n > session->suspect_through.n ? through : session->suspect_through;
}

// note_former_server keeps who has to be told that its incarnation is over.
static void
note_former_server (const struct scene *scene, const struct session *session,
                    struct decision *decision)
{
    const struct roster_link *link;

    if (!session->server_end) return;
    decision->former_actor = session->server_end->id;
    decision->former_incarnation = session->server_end->incarnation;
    link = roster_server (scene->roster, session->server)->link;
    if (link && id_equal (link->instance, session->server_instance)) {
        decision->former_server = link->number;
    }
}

bool
decide_wants_server (const struct session *session)
{
    return session->open_count > 0
        && !(session->server && server_is_current (session->server, session));
}

enum verdict
decide_bind (const struct scene *scene, const struct session *session, struct decision *decision)
{
    const struct server *before = session->server;
    struct record_bound *bound = &decision->record.bound;
    struct choice choice;

    if (!decide_wants_server (session)) return VERDICT_NOTHING;
    place_choose (scene->book, scene->roster, blob_view (session->requirement), before,
                  scene->event->now_ns, &choice);
    if (choice.outcome != PLACE_FOUND) return VERDICT_NOTHING;
    decide_begin (decision, RECORD_BOUND);
    bound->session = session->id;
    bound->actor = session->server_end ? session->server_end->id : scene->event->fresh[0];
    bound->server = blob_view (choice.server->name);
    bound->instance = choice.server->instance;
    bound->suspect_through = suspects_of (session);
    note_former_server (scene, session, decision);
    return VERDICT_RECORD;
}

enum verdict
decide_life (const struct scene *scene, const struct session *session, struct decision *decision)
{
    decide_begin (decision, RECORD_CLOSED);
    decision->record.closed.session = session->id;
    decision->record.closed.reason = CLOSE_BY_LIFE;
    if (session->server && roster_server (scene->roster, session->server)->link) {
        decision->former_server = roster_server (scene->roster, session->server)->link->number;
    }
    return VERDICT_RECORD;
}
