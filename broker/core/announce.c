// SPDX-License-Identifier: MPL-2.0
#include "broker/core/announce_part.h"

#include "proto/assert.h"
#include "proto/mutant.h"

#define NS_PER_MS 1000000u

// Refusals that tell something of the book wait for the record they rest on; the others say
// nothing about it and leave at once.
static bool
refusal_reads_book (enum refusal refusal)
{
    switch (refusal) {
    case REFUSAL_NO_MATCH:
    case REFUSAL_GAP:
    case REFUSAL_FENCED:
    case REFUSAL_NO_SUCH_SESSION:
    case REFUSAL_EXPIRED:
    case REFUSAL_CANCELLED:
    case REFUSAL_FAILED:
    case REFUSAL_CLOSED: return true;
    case REFUSAL_DUPLICATE: return !MUTANT (DUPLICATE_NOT_GATED);
    case REFUSAL_BUSY:
    case REFUSAL_HELLO_FIRST:
    case REFUSAL_OLD_EPOCH:
    case REFUSAL_DENIED:
    case REFUSAL_TOO_LARGE:
    case REFUSAL_MALFORMED:
    case REFUSAL_BAD_VERSION:
    case REFUSAL_MOVED:
    case REFUSAL_UNAVAILABLE: return false;
    }
    return true;
}

static void
count_refusal (struct core_counters *counters, const struct msg_refused *refused)
{
    ASSERT (refused->refusal < CORE_REFUSALS_MAX);
    counters->refused[refused->refusal]++;
    if (refused->refusal == REFUSAL_BUSY) {
        counters->busy[refused->busy_reason]++;
    }
}

// forget_path makes a stranger of the one whose HELLO was refused, though it was known before.
static void
forget_path (const struct stage *stage)
{
    stage_emit (stage, stage->event->link, EFFECT_FORGET);
    if (stage->link) {
        roster_drop_link (stage->roster, stage->link, stage->event->now_ns);
    }
}

void
announce_refusal (const struct stage *stage, const struct decision *decision)
{
    const struct msg_refused *refused = &decision->refused;
    struct effect *effect = stage_emit (stage, stage->event->link, EFFECT_REFUSED);

    effect->refused = *refused;
    // A view into the message lives only for this step; the name of an attribute is kept.
    if (refused->refusal == REFUSAL_NO_MATCH) {
        effect->holds[0] = blob_copy (stage->effects->memory, refused->text);
        effect->refused.text = blob_view (effect->holds[0]);
    }
    if (!refusal_reads_book (refused->refusal)) {
        effect->after.n = 0;
    }
    count_refusal (stage->counters, refused);
    if (refused->kind == MSG_OPEN) {
        roster_rate_add (stage->roster, stage->event->principal, stage->event->now_ns);
    }
    if (refused->kind == MSG_HELLO) {
        forget_path (stage);
    }
}

// tell_fenced says to a process that is still linked that another one took its actor over.
static void
tell_fenced (const struct stage *stage, struct link_number to, const struct decision *decision)
{
    if (to.n == 0 || !roster_link (stage->roster, to)) return;
    struct msg_refused *refused = &stage_emit (stage, to, EFFECT_REFUSED)->refused;
    refused->refusal = REFUSAL_FENCED;
    refused->kind = MSG_COMMIT;
    refused->actor = decision->former_actor;
    refused->incarnation = decision->former_incarnation;
    stage->counters->fenced++;
}

// forget_older_way drops another path of the process that spoke. Which of the two still lives is
// not known here, since a path that has ended may deliver late: if it is the older one,
// HELLO_FIRST brings the process back, where else it would wait for ever.
static void
forget_older_way (const struct stage *stage, struct roster_link *old)
{
    if (MUTANT (OLDER_PATH_STAYS)) return;
    stage_emit (stage, old->number, EFFECT_FORGET);
    roster_drop_link (stage->roster, old, stage->event->now_ns);
}

// leave_former takes all sessions of [actor] off other paths than the one that spoke: the path
// that opened last speaks for the actor, and a former process may have had several.
static void
leave_former (const struct stage *stage, const struct actor *actor)
{
    const struct queue *link;

    queue_each (link, &actor->sessions) {
        const struct session *session = queue_owner (link, const struct session, in_actor);
        struct roster_session *place = roster_session (stage->roster, session);
        if (!place->client || place->client == stage->link) continue;
        if (id_equal (place->client->instance, stage->link->instance)) {
            forget_older_way (stage, place->client);
        } else {
            roster_leave (stage->roster, place, stage->event->now_ns);
        }
    }
}

// seat_client makes the link that spoke the way to the session's client, with fresh credit.
static void
seat_client (const struct stage *stage, struct roster_session *place)
{
    const struct msg_open *open = &stage->event->msg->open;

    roster_seat (place, stage->link);
    place->granted_count = open->credit_count;
    place->granted_bytes = open->credit_bytes;
    place->sent_count = 0;
    place->sent_bytes = 0;
    place->resume_ref = open->ref;
    place->client_phase = CLIENT_RESUMING;
    roster_serve_client (stage->roster, place);
}

// resume_at starts where a process says it stands: it holds what was delivered before.
static void
resume_at (struct roster_session *place, struct response_seq received_through)
{
    const struct session *session = place->session;

    place->queue_next.n = 0;
    place->responses_sent_through = session->responses_consumed_through;
    if (MUTANT (RESUME_SKIPS_UNSEEN)) received_through = session->responses_last;
    if (received_through.n > place->responses_sent_through.n
        && received_through.n <= session->responses_last.n) {
        place->responses_sent_through = received_through;
    }
    place->resume_through = place->responses_sent_through;
}

// restart_from_book gives both queues as they stand, after the restart data.
static void
restart_from_book (const struct stage *stage, struct roster_session *place)
{
    const struct session *session = place->session;
    struct effect *effect = stage_emit (stage, stage->link->number, EFFECT_OPENED);
    struct msg_opened *opened = &effect->opened;

    opened->ref = stage->event->msg->open.ref;
    opened->session = session->id;
    opened->actor = session->client->id;
    opened->incarnation = session->client->incarnation;
    opened->version = session->client->version;
    effect->holds[0] = blob_take (session->client->restart_data);
    opened->restart_data = blob_view (effect->holds[0]);
    opened->requests_accepted_through = session->requests_accepted_through;
    opened->requests_consumed_through = session->requests_consumed_through;
    opened->responses_last = session->responses_last;
    opened->responses_consumed_through = session->responses_consumed_through;
    place->queue_next.n = session->requests.length > 0 ? session->requests.first : 0;
    place->queue_through = session->requests_accepted_through;
    place->responses_sent_through = session->responses_consumed_through;
    place->resume_through = session->responses_last;
}

static void
announce_opened (const struct stage *stage, const struct decision *decision)
{
    const struct msg_open *open = &stage->event->msg->open;
    const struct session *session =
        book_session_by_name (stage->book, stage->event->principal, open->session);

    ASSERT (session);
    if (decision->verdict == VERDICT_RECORD
        && decision->record.opened.makes & OPENED_INCARNATION) {
        tell_fenced (stage, decision->former_client, decision);
        stage->counters->taken_over += !id_is_none (decision->former_actor);
    }
    struct roster_session *place = roster_session (stage->roster, session);
    leave_former (stage, session->client);
    seat_client (stage, place);
    if (open->incarnation.n != 0 && open->intent == OPEN_EXISTING) {
        resume_at (place, open->responses_received_through);
        stage->counters->resumed++;
    } else {
        restart_from_book (stage, place);
        stage->counters->opened++;
    }
}

static void
acknowledge (const struct stage *stage, const struct record_committed *committed)
{
    struct msg_ack *ack = &stage_emit (stage, stage->link->number, EFFECT_COMMITTED)->committed;

    ack->actor = committed->actor;
    ack->incarnation = committed->incarnation;
    ack->version = committed->version;
}

// announce_want gets a session's requests on their way: to its server, or to a placement first.
void
announce_want (const struct stage *stage, const struct session *session)
{
    struct roster_session *place = roster_session (stage->roster, session);

    if (session->server && server_is_current (session->server, session)) {
        roster_serve_server (stage->roster, roster_server (stage->roster, session->server), place);
    } else if (session->open_count > 0 && !queue_holds (&place->in_placing)) {
        roster_place (stage->roster, place);
    }
}

// back_off makes a rejected request wait, longer with each attempt.
static void
back_off (const struct stage *stage, const struct session *session, struct roster_session *place)
{
    const struct request_seq seq = { session->requests_consumed_through.n + 1 };
    const struct request *request = session_request (session, seq);
    uint64_t wait_ms = LIMIT_RETRY_MIN_MS;

    for (uint32_t i = 1; request && i < request->attempts && wait_ms < LIMIT_RETRY_MAX_MS; i++) {
        wait_ms *= 2;
    }
    place->not_before_ns = stage->event->now_ns + wait_ms * NS_PER_MS;
    queue_remove (&place->in_backoff);
    queue_push (&stage->roster->backoff, &place->in_backoff);
}

static void
note_reject (const struct stage *stage, const struct decision *decision,
             const struct session *session, struct roster_server *server)
{
    struct roster_session *place = roster_session (stage->roster, session);
    const enum reject_outcome reject = decision->record.committed.reject;

    if (stage->event->msg->commit.parts[0].rejected.n == 0) return;
    // What was given back comes again, and with it a hole that has been ended meanwhile.
    roster_unsend (server, place, session->requests_consumed_through);
    if (reject == REJECT_NONE) return;
    stage->counters->rejects++;
    stage->counters->attempts_counted++;
    if (reject == REJECT_RETRY) {
        back_off (stage, session, place);
    } else {
        stage->counters->failed_requests++;
    }
}

static void
note_consumption (const struct stage *stage, const struct decision *decision,
                  const struct session *session, struct roster_server *server)
{
    struct roster_session *place = roster_session (stage->roster, session);

    ASSERT (server->held_count >= decision->consumed_count);
    ASSERT (place->held_bytes >= decision->consumed_bytes);
    server->held_count -= decision->consumed_count;
    server->held_bytes -= decision->consumed_bytes;
    place->held_bytes -= decision->consumed_bytes;
    if (place->requests_sent_through.n < session->requests_consumed_through.n) {
        place->requests_sent_through = session->requests_consumed_through;
    }
    if (server->held_count == 0) {
        server->work = WORK_SHARED;
        server->idle_since_ns = stage->event->now_ns;
    }
}

static void
announce_server_commit (const struct stage *stage, const struct decision *decision,
                        const struct session *session)
{
    struct roster_server *server = roster_server (stage->roster, session->server);

    note_consumption (stage, decision, session, server);
    note_reject (stage, decision, session, server);
    roster_serve_client (stage->roster, roster_session (stage->roster, session));
    announce_want (stage, session);
    roster_work (stage->roster, server);
}

// A client that opened anew may consume, by a commit it sends again, responses that it was shown
// over its former path and that were not yet sent over this one: they are gone now.
static void
announce_client_commit (const struct stage *stage, const struct session *session)
{
    struct roster_session *place = roster_session (stage->roster, session);

    if (place->responses_sent_through.n < session->responses_consumed_through.n) {
        place->responses_sent_through = session->responses_consumed_through;
        roster_serve_client (stage->roster, place);
    }
    announce_want (stage, session);
}

static void
announce_committed (const struct stage *stage, const struct decision *decision)
{
    const struct record_committed *committed = &decision->record.committed;
    const struct session *session = book_session (stage->book, committed->session);

    acknowledge (stage, committed);
    stage->counters->commits++;
    stage->counters->requests += committed->requests_count;
    stage->counters->responses += committed->responses_count;
    stage->counters->responses_dropped += decision->dropped_count;
    if (!session) return;
    if (stage->link->role == END_SERVER) {
        announce_server_commit (stage, decision, session);
    } else {
        announce_client_commit (stage, session);
    }
}

static void
announce_bound (const struct stage *stage, const struct decision *decision)
{
    const struct session *session = book_session (stage->book, decision->record.bound.session);
    struct roster_session *place = roster_session (stage->roster, session);

    tell_fenced (stage, decision->former_server, decision);
    queue_remove (&place->in_server);
    place->requests_sent_through = session->requests_consumed_through;
    place->held_bytes = 0;
    place->binding = SERVER_TO_TELL;
    place->server_phase = SERVER_LIVE;
    place->not_before_ns = 0;
    roster_serve_server (stage->roster, roster_server (stage->roster, session->server), place);
    stage->counters->bound++;
    stage->counters->rebound += !id_is_none (decision->former_actor);
}

static void
tell_closed (const struct stage *stage, struct link_number to, const struct record_closed *closed,
             uint64_t ref)
{
    if (to.n == 0 || !roster_link (stage->roster, to)) return;
    struct msg_closed *told = &stage_emit (stage, to, EFFECT_CLOSED)->closed;
    told->ref = ref;
    told->session = closed->session;
    told->reason = closed->reason;
}

static void
announce_closed (const struct stage *stage, const struct decision *decision)
{
    const struct record_closed *closed = &decision->record.closed;
    const uint64_t ref = closed->reason == CLOSE_BY_CLIENT ? stage->event->msg->close.ref : 0;

    tell_closed (stage, decision->former_client, closed, ref);
    tell_closed (stage, decision->former_server, closed, 0);
    stage->counters->closed++;
    stage->counters->expired_sessions += closed->reason == CLOSE_BY_LIFE;
}

static void
announce_goodbye (const struct stage *stage)
{
    stage_emit (stage, stage->link->number, EFFECT_FORGET);
    roster_drop_link (stage->roster, stage->link, stage->event->now_ns);
}

static void
announce_credit (const struct stage *stage)
{
    const struct msg_credit *credit = &stage->event->msg->credit;
    struct roster_session *place =
        roster_session (stage->roster, book_session (stage->book, credit->session));

    if (credit->granted_count > place->granted_count) {
        place->granted_count = credit->granted_count;
    }
    if (credit->granted_bytes > place->granted_bytes) {
        place->granted_bytes = credit->granted_bytes;
    }
    roster_serve_client (stage->roster, place);
}

void
announce_backoff (const struct stage *stage)
{
    struct queue *link = stage->roster->backoff.next;

    while (link != &stage->roster->backoff) {
        struct roster_session *place = queue_owner (link, struct roster_session, in_backoff);
        link = link->next;
        if (place->not_before_ns > stage->event->now_ns) continue;
        queue_remove (&place->in_backoff);
        announce_want (stage, place->session);
    }
}

static void
announce_record (const struct stage *stage, const struct decision *decision)
{
    switch ((enum record_type) decision->record.head.type) {
    case RECORD_EPOCH: return;
    case RECORD_OPENED: announce_opened (stage, decision); return;
    case RECORD_COMMITTED: announce_committed (stage, decision); return;
    case RECORD_BOUND: announce_bound (stage, decision); return;
    case RECORD_CLOSED: announce_closed (stage, decision); return;
    case RECORD_OFFERED: announce_offered (stage); return;
    case RECORD_SERVER_ENDED: announce_server_ended (stage, decision); return;
    case RECORD_OFFER_RETIRED: return;
    }
}

// A heartbeat says that this loop lives, and nothing of the book: it does not wait for a disk.
static void
announce_heartbeat (const struct stage *stage)
{
    stage_emit (stage, stage->link->number, EFFECT_HEARTBEAT)->after.n = 0;
}

// What follows from the message itself, with a record or without.
static void
announce_message (const struct stage *stage, const struct decision *decision)
{
    switch (stage->event->msg->kind) {
    case MSG_HELLO: announce_hello (stage); return;
    case MSG_HEARTBEAT: announce_heartbeat (stage); return;
    case MSG_CREDIT: announce_credit (stage); return;
    case MSG_GOODBYE: announce_goodbye (stage); return;
    case MSG_RELOAD: announce_reload (stage); return;
    case MSG_OPEN:
        if (decision->verdict == VERDICT_ANSWER) {
            announce_opened (stage, decision);
        }
        return;
    case MSG_OFFER:
        if (decision->verdict == VERDICT_ANSWER) {
            announce_offered (stage);
        }
        return;
    case MSG_COMMIT:
    case MSG_CLOSE:
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
    case MSG_ADMIN_TELL: return;
    }
}

void
announce (const struct stage *stage, const struct decision *decision)
{
    if (decision->verdict == VERDICT_RECORD) {
        announce_record (stage, decision);
    }
    if (stage->event->kind == EVENT_MESSAGE) {
        announce_message (stage, decision);
    }
}
