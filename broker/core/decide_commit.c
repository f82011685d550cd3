// SPDX-License-Identifier: MPL-2.0
// Rules of COMMIT, the one verb of an actor: what it consumed, what it puts out, and its new
// restart data, all or nothing, once.
#include "broker/core/decide.h"

#include "proto/assert.h"
#include "proto/mutant.h"

#include <string.h>

static const struct msg_part no_part;

static const struct msg_part *
part_of (const struct msg_commit *commit)
{
    return commit->parts_count ? &commit->parts[0] : &no_part;
}

static enum verdict
malformed (const struct scene *scene, struct decision *decision, const char *text)
{
    return decide_refuse (scene, decision, REFUSAL_MALFORMED, text);
}

// Who commits: the actor must exist, belong to the principal, and be held by this process.
static enum verdict
decide_commit_actor (const struct scene *scene, struct decision *decision,
                     const struct actor *actor)
{
    const struct msg_commit *commit = &scene->event->msg->commit;

    if (!actor) return decide_refuse (scene, decision, REFUSAL_NO_SUCH_SESSION, "actor");
    if (actor->role != scene->link->role) {
        return decide_refuse (scene, decision, REFUSAL_DENIED, "actor of another role");
    }
    if (actor->role == END_CLIENT
        && !bytes_equal (blob_view (actor->principal), scene->event->principal)) {
        return decide_refuse (scene, decision, REFUSAL_DENIED, "actor of another principal");
    }
    if (MUTANT (CLIENT_FENCE_OFF) && actor->role == END_CLIENT) return VERDICT_NOTHING;
    if (MUTANT (SERVER_FENCE_OFF) && actor->role == END_SERVER) return VERDICT_NOTHING;
    if (actor->incarnation.n != commit->incarnation.n
        || !id_equal (actor->instance, scene->link->instance)) {
        return decide_refuse (scene, decision, REFUSAL_FENCED, "actor");
    }
    // The record that ended the server ended this incarnation, and may have answered for it.
    if (actor->session && !server_is_current (actor->session->server, actor->session)) {
        return decide_refuse (scene, decision, REFUSAL_FENCED, "server");
    }
    return actor->role == END_CLIENT ? decide_path (scene, decision, actor) : VERDICT_NOTHING;
}

// Where it builds on: only the commit after the stored one is new.
static enum verdict
decide_commit_version (const struct scene *scene, struct decision *decision,
                       const struct actor *actor)
{
    const struct msg_commit *commit = &scene->event->msg->commit;

    decision->refused.version = actor->version;
    if (MUTANT (VERSION_CHECK_OFF)) return VERDICT_NOTHING;
    if (commit->expect_version.n > actor->version.n) {
        return decide_refuse (scene, decision, REFUSAL_GAP, "version");
    }
    if (commit->expect_version.n == actor->version.n) {
        // From here on a refusal names the version that has to be sent again.
        decision->refused.version = commit->expect_version;
        return VERDICT_NOTHING;
    }
    if (MUTANT (REQUEST_DEDUPE_OFF) && actor->role == END_CLIENT) return VERDICT_NOTHING;
    if (commit->expect_version.n + 1 == actor->version.n && commit->digest != actor->digest) {
        return malformed (scene, decision, "digest: another commit of this version is stored");
    }
    return decide_refuse (scene, decision, REFUSAL_DUPLICATE, "version");
}

static enum verdict
decide_commit_sizes (const struct scene *scene, struct decision *decision)
{
    const struct msg_commit *commit = &scene->event->msg->commit;
    const struct msg_part *part = part_of (commit);
    const uint64_t items_count = (uint64_t) part->requests_count + part->responses_count;

    if (commit->parts_count > 1) {
        return decide_limit (scene, decision, REFUSAL_MALFORMED, "parts of one commit",
                             commit->parts_count, 1);
    }
    if (items_count > LIMIT_RECORD_ITEMS_MAX) {
        return decide_limit (scene, decision, REFUSAL_TOO_LARGE,
                             "items of one commit; send more commits", items_count,
                             LIMIT_RECORD_ITEMS_MAX);
    }
    if (commit->restart_data.size > scene->options->restart_data_max_bytes) {
        return decide_limit (scene, decision, REFUSAL_TOO_LARGE,
                             "restart data; keep bulk in a file and its length here",
                             commit->restart_data.size, scene->options->restart_data_max_bytes);
    }
    return VERDICT_NOTHING;
}

// Bodies of a commit, and the largest of them.
static uint64_t
bodies_bytes (const struct msg_part *part, uint64_t *largest)
{
    uint64_t sum = 0;

    *largest = 0;
    for (uint32_t i = 0; i < part->requests_count; i++) {
        sum += part->requests[i].body.size;
        *largest = part->requests[i].body.size > *largest ? part->requests[i].body.size : *largest;
    }
    for (uint32_t i = 0; i < part->responses_count; i++) {
        sum += part->responses[i].body.size;
        *largest =
            part->responses[i].body.size > *largest ? part->responses[i].body.size : *largest;
    }
    return sum;
}

static enum work
work_of (const struct msg_part *part)
{
    if (part->requests_count > 0) return WORK_NEW;
    return part->responses_count > 0 || part->responses_consumed_through.n > 0 ? WORK_COMPLETION
                                                                               : WORK_KEEP;
}

// makes_room tells whether a commit of [size] bytes lets go of as much as it brings. A client that
// asks and takes in one commit can do neither alone: refused, it would hold what fills the memory.
static bool
makes_room (const struct actor *actor, const struct session *session, const struct msg_part *part,
            uint64_t size)
{
    uint64_t freed = blob_view (actor->restart_data).size;
    uint64_t count = 0;

    if (!session || actor->role != END_CLIENT) return false;
    for (uint64_t i = session->responses_consumed_through.n + 1;
         i <= part->responses_consumed_through.n; i++) {
        freed += session_response (session, (struct response_seq) { i })->body.size;
        count++;
    }
    return count >= part->requests_count && freed >= size;
}

static enum verdict
decide_commit_room (const struct scene *scene, struct decision *decision,
                    const struct actor *actor, const struct session *session)
{
    const struct msg_commit *commit = &scene->event->msg->commit;
    const struct msg_part *part = part_of (commit);
    uint64_t largest;
    const uint64_t size = bodies_bytes (part, &largest) + commit->restart_data.size;
    const enum work work = work_of (part);
    // On disk it takes its place all the same.
    const enum work memory_work =
        work == WORK_NEW && makes_room (actor, session, part, size) ? WORK_COMPLETION : work;

    if (largest > scene->options->body_max_bytes) {
        return decide_limit (scene, decision, REFUSAL_TOO_LARGE, "body", largest,
                             scene->options->body_max_bytes);
    }
    if (decide_memory (scene, decision, memory_work, size) == VERDICT_REFUSE) {
        return VERDICT_REFUSE;
    }
    return decide_disk (scene, decision, work, size);
}

// One old request that stays unanswered makes the queue wide however few others are open.
static enum verdict
decide_queue_width (const struct scene *scene, struct decision *decision,
                    const struct session *session, const struct msg_part *part)
{
    const uint64_t width = (uint64_t) session->requests.length + part->requests_count;

    if (width <= LIMIT_QUEUE_WIDTH_MAX) return VERDICT_NOTHING;
    return decide_busy (scene, decision, BUSY_QUEUE,
                        "requests from the oldest unanswered one to the newest", width,
                        LIMIT_QUEUE_WIDTH_MAX);
}

static enum verdict
decide_queue_room (const struct scene *scene, struct decision *decision,
                   const struct session *session, const struct msg_part *part)
{
    const struct core_options *options = scene->options;
    const uint64_t count = (uint64_t) session->open_count + part->requests_count;
    uint64_t largest;
    const uint64_t bytes = session->requests_bytes + bodies_bytes (part, &largest);

    // An empty queue takes any commit, so that none is put off for ever.
    if (part->requests_count == 0 || session->open_count == 0) return VERDICT_NOTHING;
    if (count > options->queue_max_count && !MUTANT (QUEUE_LIMIT_IGNORED)) {
        return decide_busy (scene, decision, BUSY_QUEUE, "requests in the session's queue",
                            count, options->queue_max_count);
    }
    if (bytes > options->queue_max_bytes) {
        return decide_busy (scene, decision, BUSY_QUEUE, "bytes in the session's queue", bytes,
                            options->queue_max_bytes);
    }
    return decide_queue_width (scene, decision, session, part);
}

static enum verdict
decide_client_part (const struct scene *scene, struct decision *decision,
                    const struct session *session, const struct msg_part *part)
{
    if (part->responses_count > 0 || part->rejected.n > 0
        || part->requests_consumed_through.n > 0) {
        return malformed (scene, decision, "a client's commit with a server's fields");
    }
    for (uint32_t i = 0; i < part->requests_count; i++) {
        if (part->requests[i].seq.n != session->requests_accepted_through.n + 1 + i
            && !MUTANT (REQUEST_DEDUPE_OFF)) {
            return malformed (scene, decision, "request_seq: not the next one");
        }
    }
    if (part->responses_consumed_through.n < session->responses_consumed_through.n
        || part->responses_consumed_through.n > session->responses_last.n) {
        return malformed (scene, decision, "responses_consumed_through");
    }
    return decide_queue_room (scene, decision, session, part);
}

static enum verdict
decide_server_marks (const struct scene *scene, struct decision *decision,
                     const struct session *session, const struct msg_part *part)
{
    const uint64_t consumed = part->requests_consumed_through.n;

    if (part->requests_count > 0 || part->responses_consumed_through.n > 0) {
        return malformed (scene, decision, "a server's commit with a client's fields");
    }
    if (consumed < session->requests_consumed_through.n
        || consumed > session->requests_accepted_through.n) {
        return malformed (scene, decision, "requests_consumed_through");
    }
    if (part->rejected.n > 0
        && (part->rejected.n != consumed + 1
            || part->rejected.n > session->requests_accepted_through.n)) {
        return malformed (scene, decision, "rejected: only the first unconsumed request");
    }
    return VERDICT_NOTHING;
}

static enum verdict
decide_server_part (const struct scene *scene, struct decision *decision,
                    const struct session *session, const struct msg_part *part)
{
    uint64_t before = 0;

    if (decide_server_marks (scene, decision, session, part) == VERDICT_REFUSE) {
        return VERDICT_REFUSE;
    }
    for (uint32_t i = 0; i < part->responses_count; i++) {
        const struct msg_response *response = &part->responses[i];
        if (response->request.n == 0
            || response->request.n > part->requests_consumed_through.n) {
            return malformed (scene, decision, "response to a request that is not consumed");
        }
        if (response->status != RESPONSE_REPLY) {
            return malformed (scene, decision, "status: servers reply or reject");
        }
        if (response->request.n <= before) {
            return malformed (scene, decision, "responses: request numbers must rise");
        }
        before = response->request.n;
    }
    return VERDICT_NOTHING;
}

// A session's share: it must be the actor's own.
static enum verdict
decide_part (const struct scene *scene, struct decision *decision, const struct actor *actor,
             const struct session *session)
{
    const struct msg_part *part = part_of (&scene->event->msg->commit);
    enum verdict verdict;

    if (!session || (session->client != actor && session->server_end != actor)) {
        return decide_refuse (scene, decision, REFUSAL_NO_SUCH_SESSION, "session");
    }
    verdict = actor->role == END_CLIENT
        ? decide_client_part (scene, decision, session, part)
        : decide_server_part (scene, decision, session, part);
    return verdict == VERDICT_REFUSE ? verdict : VERDICT_NOTHING;
}

// A request that was answered already keeps its one answer: later ones are left out and counted.
static void
record_responses (struct decision *decision, const struct session *session,
                  const struct msg_part *part)
{
    struct record_committed *committed = &decision->record.committed;

    committed->responses = decision->room->responses;
    for (uint32_t i = 0; i < part->responses_count; i++) {
        if (session_request (session, part->responses[i].request)) {
            decision->room->responses[committed->responses_count++] = part->responses[i];
        } else {
            decision->dropped_count++;
        }
    }
}

// The last attempt of a rejected request ends it with an error answer, in the same record.
static void
record_reject (const struct scene *scene, struct decision *decision,
               const struct session *session, const struct msg_part *part)
{
    struct record_committed *committed = &decision->record.committed;
    const struct request *request = session_request (session, part->rejected);

    committed->reject = REJECT_NONE;
    if (part->rejected.n == 0 || !request) return;
    committed->reject = REJECT_RETRY;
    if (request->attempts + 1 < scene->options->attempts_max) return;
    committed->reject = REJECT_GIVEN_UP;
    decision->room->responses[committed->responses_count++] = (struct msg_response) {
        .request = part->rejected,
        .status = RESPONSE_FAILED,
        .body = part->reject_reason,
    };
}

static void
record_consumption (const struct scene *scene, struct decision *decision,
                    const struct session *session, const struct msg_part *part)
{
    const uint64_t sent = roster_session (scene->roster, session)->requests_sent_through.n;
    uint64_t seq = session->requests_consumed_through.n + 1;

    for (; seq <= part->requests_consumed_through.n && seq <= sent; seq++) {
        const struct request *request = session_request (session, (struct request_seq) { seq });
        decision->consumed_count++;
        decision->consumed_bytes += request ? request->body.size : 0;
    }
}

static void
record_part (const struct scene *scene, struct decision *decision, const struct actor *actor,
             const struct session *session)
{
    const struct msg_part *part = part_of (&scene->event->msg->commit);
    struct record_committed *committed = &decision->record.committed;

    committed->session = session->id;
    committed->requests_consumed_through = session->requests_consumed_through;
    committed->responses_consumed_through = session->responses_consumed_through;
    if (actor->role == END_CLIENT) {
        committed->requests = part->requests;
        committed->requests_count = part->requests_count;
        committed->responses_consumed_through = part->responses_consumed_through;
    } else {
        committed->requests_consumed_through = part->requests_consumed_through;
        record_responses (decision, session, part);
        record_reject (scene, decision, session, part);
        record_consumption (scene, decision, session, part);
    }
}

enum verdict
decide_commit (const struct scene *scene, struct decision *decision)
{
    const struct msg_commit *commit = &scene->event->msg->commit;
    const struct actor *actor = book_actor (scene->book, commit->actor);
    const struct session *session = NULL;
    struct record_committed *committed = &decision->record.committed;

    decision->refused.actor = commit->actor;
    decision->refused.incarnation = commit->incarnation;
    decision->refused.session = part_of (commit)->session;
    if (decide_commit_actor (scene, decision, actor) == VERDICT_REFUSE) return VERDICT_REFUSE;
    if (decide_commit_version (scene, decision, actor) == VERDICT_REFUSE) return VERDICT_REFUSE;
    if (decide_commit_sizes (scene, decision) == VERDICT_REFUSE) return VERDICT_REFUSE;
    if (commit->parts_count == 1) {
        session = book_session (scene->book, commit->parts[0].session);
        if (decide_part (scene, decision, actor, session) == VERDICT_REFUSE) return VERDICT_REFUSE;
    }
    if (decide_commit_room (scene, decision, actor, session) == VERDICT_REFUSE) {
        return VERDICT_REFUSE;
    }
    decide_begin (decision, RECORD_COMMITTED);
    committed->actor = actor->id;
    committed->incarnation = actor->incarnation;
    committed->version.n = actor->version.n + 1;
    committed->digest = commit->digest;
    committed->restart_data = commit->restart_data;
    committed->reject = REJECT_NONE;
    if (session) {
        record_part (scene, decision, actor, session);
    }
    return VERDICT_RECORD;
}
