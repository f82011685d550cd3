// SPDX-License-Identifier: MPL-2.0
#include "broker/core/chore.h"

#define NS_PER_MS UINT64_C (1000000)
// Sessions that one step tries to place without success before it makes way for other input.
#define PLACINGS_PER_STEP 64u

static struct scene
scene_of (const struct stage *stage)
{
    const struct scene scene = {
        .book = stage->book,
        .roster = stage->roster,
        .options = stage->options,
        .event = stage->event,
    };

    return scene;
}

static void
drop_silent_links (const struct stage *stage)
{
    const uint64_t silent_ns = stage->options->end_silent_ms * NS_PER_MS;
    struct queue *first;

    while ((first = queue_first (&stage->roster->heard))) {
        struct roster_link *link = queue_owner (first, struct roster_link, in_heard);
        if (stage->event->now_ns - link->heard_ns < silent_ns) return;
        roster_drop_link (stage->roster, link, stage->event->now_ns);
    }
}

// server_due_ns returns when something is to be done about a server that is gone.
static uint64_t
server_due_ns (const struct stage *stage, const struct server *server)
{
    const struct roster_server *place = roster_server (stage->roster, server);
    const uint64_t rebind_ns = stage->options->rebind_after_ms * NS_PER_MS;
    const uint64_t expire_ns = stage->options->offer_expire_ms * NS_PER_MS;

    if (place->link) return UINT64_MAX;
    return place->gone_since_ns + (place->silence == SILENCE_RUNNING ? rebind_ns : expire_ns);
}

// decide_server_due acts on one gone server that is due.
static enum verdict
decide_server_due (const struct stage *stage, const struct server *server,
                   struct decision *decision)
{
    const struct roster_server *place = roster_server (stage->roster, server);
    const struct scene scene = scene_of (stage);

    if (place->silence == SILENCE_OVER) return decide_expiry (server, decision);
    if (server->state == INSTANCE_CURRENT && server->sessions_count > 0) {
        return decide_silence (&scene, server, decision);
    }
    announce_silence (stage, server);
    return VERDICT_NOTHING;
}

// decide_servers looks through the servers when one of them may be due.
static enum verdict
decide_servers (const struct stage *stage, struct decision *decision)
{
    const uint64_t now_ns = stage->event->now_ns;
    uint64_t next_ns = UINT64_MAX;
    const struct queue *link;

    if (stage->roster->servers_due_ns > now_ns) return VERDICT_NOTHING;
    queue_each (link, &stage->book->servers) {
        const struct server *server = queue_owner (link, const struct server, in_book);
        if (server_due_ns (stage, server) <= now_ns
            && decide_server_due (stage, server, decision) == VERDICT_RECORD) {
            return VERDICT_RECORD;
        }
        const uint64_t due_ns = server_due_ns (stage, server);
        next_ns = due_ns < next_ns ? due_ns : next_ns;
    }
    stage->roster->servers_due_ns = next_ns;
    return VERDICT_NOTHING;
}

static enum verdict
decide_absent (const struct stage *stage, struct decision *decision)
{
    const struct queue *first = queue_first (&stage->roster->absent);
    const struct scene scene = scene_of (stage);

    if (!first) return VERDICT_NOTHING;
    const struct roster_session *place = queue_owner (first, struct roster_session, in_absent);
    const uint64_t life_ns = stage->options->session_life_ms * NS_PER_MS;
    if (place->absent_since_ns + life_ns > stage->event->now_ns) return VERDICT_NOTHING;
    return decide_life (&scene, place->session, decision);
}

// old_offer returns the server whose offer must be written anew, because it alone would pin the
// front of the log; NULL if there is none.
static const struct server *
old_offer (const struct book *book)
{
    const struct queue *first = queue_first (&book->servers);

    if (!first) return NULL;
    const struct server *server = queue_owner (first, const struct server, in_book);
    const bool old = book->last_index.n - server->offered.n >= LIMIT_OFFER_RENEW_RECORDS
        || book->log_bytes - server->offered_log_bytes >= LIMIT_OFFER_RENEW_BYTES;
    return old ? server : NULL;
}

static enum verdict
decide_old_offer (const struct book *book, struct decision *decision)
{
    const struct server *server = old_offer (book);

    return server ? decide_renewal (server, decision) : VERDICT_NOTHING;
}

// decide_placing tries sessions that want a server; those that find none wait for a change.
static enum verdict
decide_placing (const struct stage *stage, struct decision *decision)
{
    const struct scene scene = scene_of (stage);
    struct queue *first;

    for (uint32_t i = 0; i < PLACINGS_PER_STEP; i++) {
        if (!(first = queue_first (&stage->roster->to_place))) return VERDICT_NOTHING;
        struct roster_session *place = queue_owner (first, struct roster_session, in_placing);
        // The record takes it off the list, once it could be made.
        if (decide_bind (&scene, place->session, decision) == VERDICT_RECORD) {
            return VERDICT_RECORD;
        }
        queue_remove (&place->in_placing);
        if (decide_wants_server (place->session)) {
            queue_push (&stage->roster->waiting, &place->in_placing);
        }
    }
    return VERDICT_NOTHING;
}

enum verdict
chore_due (const struct stage *stage, struct decision *decision)
{
    drop_silent_links (stage);
    announce_backoff (stage);
    if (decide_servers (stage, decision) == VERDICT_RECORD) return VERDICT_RECORD;
    if (decide_absent (stage, decision) == VERDICT_RECORD) return VERDICT_RECORD;
    if (decide_old_offer (stage->book, decision) == VERDICT_RECORD) return VERDICT_RECORD;
    return decide_placing (stage, decision);
}

static uint64_t
earlier (uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t
backoff_over_ns (const struct roster *roster)
{
    uint64_t over_ns = UINT64_MAX;
    const struct queue *link;

    queue_each (link, &roster->backoff) {
        const struct roster_session *place =
            queue_owner (link, const struct roster_session, in_backoff);
        over_ns = earlier (over_ns, place->not_before_ns);
    }
    return over_ns;
}

uint64_t
chore_deadline_ns (const struct book *book, const struct roster *roster,
                   const struct core_options *options)
{
    uint64_t deadline_ns = earlier (roster->servers_due_ns, backoff_over_ns (roster));
    const struct queue *link;

    // Where all ends talk all the time, no timer would ever come to it.
    if (old_offer (book)) return 0;
    if ((link = queue_first (&roster->heard))) {
        const struct roster_link *first = queue_owner (link, const struct roster_link, in_heard);
        deadline_ns =
            earlier (deadline_ns, first->heard_ns + options->end_silent_ms * NS_PER_MS);
    }
    if ((link = queue_first (&roster->absent))) {
        const struct roster_session *first =
            queue_owner (link, const struct roster_session, in_absent);
        deadline_ns =
            earlier (deadline_ns, first->absent_since_ns + options->session_life_ms * NS_PER_MS);
    }
    return deadline_ns;
}
