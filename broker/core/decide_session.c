// SPDX-License-Identifier: MPL-2.0
// Rules of OPEN, CLOSE and RELOAD: who may speak for a session, and what it is told.
#include "broker/core/decide.h"

#include "proto/assert.h"
#include "proto/mutant.h"

#include <string.h>

// decide_open_identity settles incarnation and instance of an actor that exists.
// VERDICT_NOTHING: the process that opens is the current one; VERDICT_RECORD: it becomes it.
static enum verdict
decide_open_identity (const struct scene *scene, struct decision *decision,
                      const struct actor *actor)
{
    const struct msg_open *open = &scene->event->msg->open;

    decision->refused.actor = actor->id;
    decision->refused.incarnation = open->incarnation;
    if (open->incarnation.n != 0) {
        if (open->incarnation.n == actor->incarnation.n
            && id_equal (actor->instance, scene->link->instance)) {
            return VERDICT_NOTHING;
        }
        return decide_refuse (scene, decision, REFUSAL_FENCED, "actor");
    }
    if (id_equal (actor->instance, scene->link->instance)) return VERDICT_NOTHING;
    if (former_has (actor->former, scene->link->instance) && !MUTANT (FORMER_CLIENT_RETURNS)) {
        return decide_refuse (scene, decision, REFUSAL_FENCED, "actor");
    }
    return VERDICT_RECORD;
}

// decide_open_shape refuses what no OPEN may hold.
static enum verdict
decide_open_shape (const struct scene *scene, struct decision *decision)
{
    const struct msg_open *open = &scene->event->msg->open;
    struct requirement_term terms[LIMIT_TERMS_MAX_COUNT];
    struct requirement requirement;

    if (open->session.size == 0 || open->session.size > LIMIT_NAME_MAX_BYTES) {
        return decide_limit (scene, decision, REFUSAL_MALFORMED, "bytes of the session name",
                             open->session.size, LIMIT_NAME_MAX_BYTES);
    }
    if (open->actor.size > LIMIT_NAME_MAX_BYTES) {
        return decide_limit (scene, decision, REFUSAL_MALFORMED, "bytes of the actor name",
                             open->actor.size, LIMIT_NAME_MAX_BYTES);
    }
    if (open->kind != SESSION_BOUND) {
        return decide_refuse (scene, decision, REFUSAL_MALFORMED,
                              "session kind: only bound sessions are served");
    }
    if (requirement_view (open->requirement, terms, &requirement)) {
        return decide_refuse (scene, decision, REFUSAL_MALFORMED, "requirement");
    }
    return VERDICT_NOTHING;
}

// decide_open_new refuses a session that cannot be made.
static enum verdict
decide_open_new (const struct scene *scene, struct decision *decision)
{
    const struct msg_open *open = &scene->event->msg->open;
    struct match_miss miss;

    if (open->intent == OPEN_EXISTING) {
        return decide_refuse (scene, decision, REFUSAL_NO_SUCH_SESSION, "session");
    }
    if (place_is_hopeless (scene->book, open->requirement, scene->event->utc_ms,
                           scene->options->match_grace_ms, &miss)) {
        decide_refuse (scene, decision, REFUSAL_NO_MATCH, "");
        decision->refused.text = place_missing_text (open->requirement, &miss);
        return VERDICT_REFUSE;
    }
    return decide_room (scene, decision, WORK_NEW, open->requirement.size);
}

static enum verdict
decide_open_record (const struct scene *scene, struct decision *decision,
                    const struct session *session, const struct actor *actor, uint8_t makes)
{
    const struct msg_open *open = &scene->event->msg->open;
    struct record_opened *opened = &decision->record.opened;

    decide_begin (decision, RECORD_OPENED);
    opened->makes = makes;
    opened->kind = open->kind;
    opened->session = session ? session->id : scene->event->fresh[0];
    opened->actor = actor ? actor->id : scene->event->fresh[1];
    opened->instance = scene->link->instance;
    opened->principal = scene->event->principal;
    opened->session_name = open->session;
    opened->actor_name = open->actor.size ? open->actor : open->session;
    opened->requirement = open->requirement;
    return VERDICT_RECORD;
}

// former_client_of finds a link that another instance of [actor] still has.
static struct link_number
former_client_of (const struct scene *scene, const struct actor *actor)
{
    const struct queue *link;

    queue_each (link, &actor->sessions) {
        const struct session *session = queue_owner (link, const struct session, in_actor);
        const struct roster_link *client = roster_session (scene->roster, session)->client;
        if (client && !id_equal (client->instance, scene->link->instance)) return client->number;
    }
    return (struct link_number) { 0 };
}

static enum verdict
decide_open_checked (const struct scene *scene, struct decision *decision)
{
    const struct msg_open *open = &scene->event->msg->open;
    const struct baton_bytes principal = scene->event->principal;
    const struct session *session = book_session_by_name (scene->book, principal, open->session);
    const struct actor *actor = session ? session->client : book_client_actor (
        scene->book, principal, open->actor.size ? open->actor : open->session);
    uint8_t makes = 0;

    if (open->incarnation.n != 0 && !actor) {
        return decide_refuse (scene, decision, REFUSAL_NO_SUCH_SESSION, "actor");
    }
    if (actor) {
        const enum verdict verdict = decide_open_identity (scene, decision, actor);
        if (verdict == VERDICT_REFUSE) return verdict;
        makes |= verdict == VERDICT_RECORD ? OPENED_INCARNATION : 0;
        decision->former_client = former_client_of (scene, actor);
        decision->former_actor = actor->id;
        decision->former_incarnation = actor->incarnation;
    } else {
        makes |= OPENED_ACTOR | OPENED_INCARNATION;
    }
    if (!session) {
        if (decide_open_new (scene, decision) == VERDICT_REFUSE) return VERDICT_REFUSE;
        makes |= OPENED_SESSION;
    }
    if (makes == 0) {
        decision->verdict = VERDICT_ANSWER;
        return VERDICT_ANSWER;
    }
    if (decide_room (scene, decision, WORK_KEEP, 0) == VERDICT_REFUSE) return VERDICT_REFUSE;
    return decide_open_record (scene, decision, session, actor, makes);
}

// A principal that fails to open too often is told BUSY(rate) instead of the reason; openings
// that are good are never held up by others that are not.
enum verdict
decide_open (const struct scene *scene, struct decision *decision)
{
    const struct event *event = scene->event;
    const uint32_t failed = roster_rate (scene->roster, event->principal, event->now_ns);

    decision->refused.ref = event->msg->open.ref;
    enum verdict verdict = decide_open_shape (scene, decision);
    if (verdict == VERDICT_NOTHING) {
        verdict = decide_open_checked (scene, decision);
    }
    if (verdict == VERDICT_REFUSE && failed >= scene->options->failed_opens_per_s) {
        return decide_busy (scene, decision, BUSY_RATE, "failed OPENs in a second", failed,
                            scene->options->failed_opens_per_s);
    }
    return verdict;
}

enum verdict
decide_path (const struct scene *scene, struct decision *decision, const struct actor *actor)
{
    const struct queue *link;

    queue_each (link, &actor->sessions) {
        const struct session *session = queue_owner (link, const struct session, in_actor);
        if (roster_session (scene->roster, session)->client == scene->link) {
            return VERDICT_NOTHING;
        }
    }
    return decide_refuse (scene, decision, REFUSAL_HELLO_FIRST, "opened over another path");
}

enum verdict
decide_close (const struct scene *scene, struct decision *decision)
{
    const struct msg_close *close = &scene->event->msg->close;
    const struct session *session = book_session (scene->book, close->session);

    decision->refused.ref = close->ref;
    decision->refused.session = close->session;
    decision->refused.actor = close->actor;
    decision->refused.incarnation = close->incarnation;
    if (!session) return decide_refuse (scene, decision, REFUSAL_NO_SUCH_SESSION, "session");
    if (!bytes_equal (blob_view (session->principal), scene->event->principal)) {
        return decide_refuse (scene, decision, REFUSAL_DENIED, "session of another principal");
    }
    if (!id_equal (session->client->id, close->actor)) {
        return decide_refuse (scene, decision, REFUSAL_MALFORMED, "actor");
    }
    if (session->client->incarnation.n != close->incarnation.n
        || !id_equal (session->client->instance, scene->link->instance)) {
        return decide_refuse (scene, decision, REFUSAL_FENCED, "actor");
    }
    if (decide_path (scene, decision, session->client) == VERDICT_REFUSE) return VERDICT_REFUSE;
    decision->refused.version = session->client->version;
    if (session->client->version.n != close->expect_version.n) {
        return decide_refuse (scene, decision, REFUSAL_GAP, "version");
    }
    decide_life (scene, session, decision);
    decision->record.closed.reason = CLOSE_BY_CLIENT;
    decision->former_client = scene->link->number;
    return VERDICT_RECORD;
}

enum verdict
decide_reload (const struct scene *scene, struct decision *decision)
{
    const struct msg_reload *reload = &scene->event->msg->reload;
    const struct session *session = book_session (scene->book, reload->session);

    decision->refused.session = reload->session;
    decision->refused.actor = reload->actor;
    decision->refused.incarnation = reload->incarnation;
    if (!session || !session->server_end
        || !id_equal (session->server_end->id, reload->actor)) {
        return decide_refuse (scene, decision, REFUSAL_NO_SUCH_SESSION, "session");
    }
    if (session->server_end->incarnation.n != reload->incarnation.n
        || !id_equal (session->server_end->instance, scene->link->instance)
        || !server_is_current (session->server, session)) {
        return decide_refuse (scene, decision, REFUSAL_FENCED, "actor");
    }
    decision->verdict = VERDICT_ANSWER;
    return VERDICT_ANSWER;
}
