// SPDX-License-Identifier: MPL-2.0
#include "broker/core/core.h"

#include "broker/core/announce.h"
#include "broker/core/apply.h"
#include "broker/core/chore.h"
#include "broker/core/decide.h"
#include "broker/core/flow.h"

#include "proto/assert.h"
#include "proto/mutant.h"

#include <string.h>

#define NS_PER_MS 1000000u

struct core {
    const struct memory *memory;
    struct core_options options;
    struct book book;
    struct roster roster;
    struct core_counters counters;
    struct record_room record_room;     // arrays of the record that is applied
    struct decision_room decision_room; // arrays of the record in the making
    struct apply_room apply_room;
    struct decision decision;
};

void
core_options_default (struct core_options *options)
{
    *options = (struct core_options) {
        .body_max_bytes = LIMIT_BODY_MAX_BYTES,
        .restart_data_max_bytes = LIMIT_RESTART_DATA_MAX_BYTES,
        .unacked_max_count = LIMIT_UNACKED_MAX_COUNT,
        .queue_max_count = LIMIT_QUEUE_MAX_COUNT,
        .queue_max_bytes = UINT64_MAX,
        .responses_max_bytes = LIMIT_RESPONSES_MAX_BYTES,
        .attempts_max = LIMIT_ATTEMPTS_MAX,
        .connections_max_count = LIMIT_CONNECTIONS_MAX_COUNT,
        .failed_opens_per_s = LIMIT_FAILED_OPENS_PER_S,
        .heartbeat_ms = LIMIT_HEARTBEAT_MS,
        .end_silent_ms = LIMIT_END_SILENT_MS,
        .rebind_after_ms = LIMIT_REBIND_AFTER_MS,
        .offer_expire_ms = LIMIT_OFFER_EXPIRE_MS,
        .match_grace_ms = LIMIT_MATCH_GRACE_MS,
        .session_life_ms = LIMIT_SESSION_LIFE_MS,
    };
}

struct core *
core_new (const struct memory *memory, const struct core_options *options)
{
    struct core *core = memory_alloc (memory, sizeof *core);

    if (!core) return NULL;
    memset (core, 0, sizeof *core);
    core->memory = memory;
    core->options = *options;
    book_init (&core->book, memory, options->hash_seed);
    roster_init (&core->roster, memory, options->hash_seed);
    return core;
}

void
core_free (struct core **self)
{
    struct core *core = *self;

    *self = NULL;
    if (!core) return;
    roster_fini (&core->roster);
    book_fini (&core->book);
    memory_release (core->memory, core, sizeof *core);
}

// What a record is about to take out of the book, or out of a server's hands, so that the roster
// can follow.
struct leaving { uint32_t session_slot; uint32_t server_slot; };
#define SLOT_NONE UINT32_MAX

// let_go takes what [session]'s server holds of it off the server's account.
static void
let_go (struct core *core, const struct session *session)
{
    struct roster_session *place = roster_session (&core->roster, session);
    struct roster_server *server = roster_server (&core->roster, session->server);

    roster_unsend (server, place, session->requests_consumed_through);
    roster_work (&core->roster, server);
}

static struct leaving
leaving_by (struct core *core, const struct record *record)
{
    const struct book *book = &core->book;
    struct leaving leaving = { SLOT_NONE, SLOT_NONE };
    const struct session *session = NULL;
    const struct server *server = NULL;

    if (record->head.type == RECORD_CLOSED) {
        session = book_session (book, record->closed.session);
        leaving.session_slot = session ? session->slot : SLOT_NONE;
    } else if (record->head.type == RECORD_BOUND) {
        session = book_session (book, record->bound.session);
    } else if (record->head.type == RECORD_OFFER_RETIRED) {
        server = book_server (book, record->offer_retired.name);
    }
    if (session && session->server) {
        let_go (core, session);
        server = session->server;
    }
    leaving.server_slot = server ? server->slot : SLOT_NONE;
    return leaving;
}

// roster_follow gives places to what a record brought, and takes them from what it removed.
static void
roster_follow (struct core *core, const struct record *record, struct leaving leaving,
               uint64_t now_ns)
{
    const struct session *session = NULL;
    const struct server *server = NULL;

    if (leaving.session_slot != SLOT_NONE) {
        roster_end_session (&core->roster, leaving.session_slot);
    }
    if (record->head.type == RECORD_OPENED && record->opened.makes & OPENED_SESSION) {
        session = book_session (&core->book, record->opened.session);
        if (session) {
            roster_begin_session (&core->roster, session, now_ns);
        }
    } else if (record->head.type == RECORD_BOUND) {
        session = book_session (&core->book, record->bound.session);
        if (session) {
            queue_remove (&roster_session (&core->roster, session)->in_server);
            queue_remove (&roster_session (&core->roster, session)->in_placing);
            server = session->server;
        }
    } else if (record->head.type == RECORD_OFFERED) {
        server = book_server (&core->book, record->offered.name);
    }
    // Only one whose last session or offer went has left.
    if (leaving.server_slot != SLOT_NONE
        && slots_gave_last (&core->book.server_slots, leaving.server_slot)) {
        roster_end_server (&core->roster, leaving.server_slot);
    }
    if (server && !roster_server (&core->roster, server)->server) {
        roster_begin_server (&core->roster, server, now_ns);
    }
}

static enum baton_err
core_reserve (struct core *core, const struct record *record)
{
    if (roster_reserve (&core->roster, core->book.session_slots.count + 1,
                        core->book.server_slots.count + 1)) {
        return BATON_NO_MEMORY;
    }
    return apply_reserve (&core->book, record, &core->apply_room);
}

// core_apply puts one record, whose bytes [home] has, into the book.
static enum baton_err
core_apply (struct core *core, struct blob *home, uint64_t now_ns)
{
    struct record record;
    enum baton_err error = record_decode (blob_view (home), &core->record_room, &record);

    if (!error) {
        error = core_reserve (core, &record);
    }
    if (error) return error;
    const struct leaving leaving = leaving_by (core, &record);
    apply (&core->book, &record, home, &core->apply_room);
    apply_room_clear (core->memory, &core->apply_room);
    roster_follow (core, &record, leaving, now_ns);
    return BATON_OK;
}

enum baton_err
core_replay (struct core *core, struct baton_bytes bytes)
{
    struct record_head head;

    if (!record_head_read (bytes.data, bytes.size, &head)) return BATON_DAMAGED;
    const bool continues = head.index.n == core->book.last_index.n + 1
        && head.chain == core->book.chain && head.epoch.n >= core->book.epoch.n;
    // The front of the log may be gone: then the first record there is begins anywhere.
    if (!continues && core->book.last_index.n != 0) return BATON_DAMAGED;
    struct blob *home = blob_copy (core->memory, bytes);
    if (!home) return BATON_NO_MEMORY;
    const enum baton_err error = core_apply (core, home, 0);
    blob_drop (core->memory, &home);
    return error;
}

// core_record makes the decided record, applies it, and hands it out in [step].
static enum baton_err
core_record (struct core *core, const struct event *event, struct core_step *step)
{
    struct record *record = &core->decision.record;

    record->head.index.n = core->book.last_index.n + 1;
    record->head.epoch = core->book.epoch;
    if (event->kind == EVENT_START && !MUTANT (EPOCH_NOT_RAISED)) {
        record->head.epoch = event->epoch;
    }
    record->head.chain = core->book.chain;
    record->head.utc_ms = event->utc_ms;
    const size_t size = record_encoded_size (record);
    struct blob *home = blob_new (core->memory, size);
    if (!home) return BATON_NO_MEMORY;
    record_encode (record, home->data, size);
    const enum baton_err error = core_apply (core, home, event->now_ns);
    if (error) {
        blob_drop (core->memory, &home);
        return error;
    }
    step->record = home;
    step->index = record->head.index;
    return BATON_OK;
}

static struct stage
stage_of (struct core *core, const struct event *event, struct roster_link *link,
          struct effect_list *effects)
{
    const struct stage stage = {
        .book = &core->book,
        .roster = &core->roster,
        .options = &core->options,
        .event = event,
        .link = link,
        .effects = effects,
        .counters = &core->counters,
    };

    return stage;
}

static enum verdict
decide_message (const struct scene *scene, struct decision *decision)
{
    decision->verdict = VERDICT_ANSWER;
    if (scene->event->msg->kind == MSG_HELLO) return decide_hello (scene, decision);
    if (decide_rights (scene, decision) == VERDICT_REFUSE) return VERDICT_REFUSE;
    switch (scene->event->msg->kind) {
    case MSG_OPEN: return decide_open (scene, decision);
    case MSG_COMMIT: return decide_commit (scene, decision);
    case MSG_CLOSE: return decide_close (scene, decision);
    case MSG_RELOAD: return decide_reload (scene, decision);
    case MSG_CREDIT: return decide_credit (scene, decision);
    case MSG_OFFER: return decide_offer (scene, decision);
    case MSG_GOODBYE: return decide_goodbye (scene, decision);
    case MSG_HELLO:
    case MSG_HEARTBEAT:
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
    case MSG_ADMIN_TELL: return VERDICT_ANSWER;
    }
    return VERDICT_ANSWER;
}

// link_is_same tells whether a HELLO comes from the process that is known at [link].
static bool
link_is_same (const struct roster_link *link, const struct msg_hello *hello)
{
    return link->role == hello->role && id_equal (link->instance, hello->instance)
        && bytes_equal (blob_view (link->name), hello->name);
}

// core_greet finds or makes the link of a HELLO that is not refused.
static enum baton_err
core_greet (struct core *core, const struct event *event, struct roster_link **link)
{
    const struct msg_hello *hello = &event->msg->hello;

    if (*link && link_is_same (*link, hello)) {
        // It holds nothing to be sure of any more: each session goes on with its next OPEN.
        roster_leave_all (&core->roster, *link, event->now_ns);
        return BATON_OK;
    }
    if (*link) {
        roster_drop_link (&core->roster, *link, event->now_ns);
        *link = NULL;
    }
    const enum baton_err error =
        roster_add_link (&core->roster, event->link, event->principal, hello, link);
    if (!error) {
        roster_hear (&core->roster, *link, event->now_ns);
    }
    return error;
}

static enum baton_err
core_message (struct core *core, const struct event *event, struct effect_list *effects,
              struct core_step *step)
{
    struct roster_link *link = roster_link (&core->roster, event->link);
    const struct scene scene = {
        &core->book, &core->roster, &core->options, event, link,
    };
    struct decision *decision = &core->decision;
    enum baton_err error = BATON_OK;

    if (link) {
        roster_hear (&core->roster, link, event->now_ns);
    }
    const enum verdict verdict = decide_message (&scene, decision);
    if (event->msg->kind == MSG_HELLO && verdict != VERDICT_REFUSE) {
        error = core_greet (core, event, &link);
    }
    if (!error && verdict == VERDICT_RECORD) {
        error = core_record (core, event, step);
    }
    if (error) return error;
    struct stage stage = stage_of (core, event, link, effects);
    if (verdict == VERDICT_REFUSE) {
        announce_refusal (&stage, decision);
    } else {
        announce (&stage, decision);
    }
    return BATON_OK;
}

// core_decided applies what a chore decided, and tells of it.
static enum baton_err
core_decided (struct core *core, const struct event *event, struct effect_list *effects,
              struct core_step *step)
{
    const enum baton_err error = core_record (core, event, step);

    if (error) return error;
    const struct stage stage = stage_of (core, event, NULL, effects);
    announce (&stage, &core->decision);
    return BATON_OK;
}

// Every reign begins with all sessions absent and all servers gone, as of now: timers start with
// full grace.
static enum baton_err
core_begin (struct core *core, const struct event *event, struct core_step *step)
{
    struct queue *link;

    decide_begin (&core->decision, RECORD_EPOCH);
    const enum baton_err error = core_record (core, event, step);
    if (error) return error;
    queue_each (link, &core->book.sessions) {
        const struct session *session = queue_owner (link, const struct session, in_book);
        roster_end_session (&core->roster, session->slot);
        roster_begin_session (&core->roster, session, event->now_ns);
        if (session->open_count > 0) {
            roster_place (&core->roster, roster_session (&core->roster, session));
        }
    }
    queue_each (link, &core->book.servers) {
        const struct server *server = queue_owner (link, const struct server, in_book);
        roster_end_server (&core->roster, server->slot);
        roster_begin_server (&core->roster, server, event->now_ns);
        // Sessions of an instance that had ended keep waiting for the server to come back.
        roster_server (&core->roster, server)->wait_until_ns =
            event->now_ns + core->options.rebind_after_ms * NS_PER_MS;
    }
    return BATON_OK;
}

static enum baton_err
core_chore (struct core *core, const struct event *event, struct effect_list *effects,
            struct core_step *step)
{
    const struct stage stage = stage_of (core, event, NULL, effects);

    if (chore_due (&stage, &core->decision) != VERDICT_RECORD) return BATON_OK;
    return core_decided (core, event, effects, step);
}

static void
core_link_lost (struct core *core, const struct event *event)
{
    struct roster_link *link = roster_link (&core->roster, event->link);

    if (link) {
        roster_drop_link (&core->roster, link, event->now_ns);
    }
}

static enum baton_err
core_event (struct core *core, const struct event *event, struct effect_list *effects,
            struct core_step *step)
{
    switch (event->kind) {
    case EVENT_START: return core_begin (core, event, step);
    case EVENT_MESSAGE: return core_message (core, event, effects, step);
    case EVENT_LINK_LOST: core_link_lost (core, event); return BATON_OK;
    case EVENT_TICK:
    case EVENT_CONTINUE: return core_chore (core, event, effects, step);
    }
    return BATON_OK;
}

enum baton_err
core_step (struct core *core, const struct event *event, struct effect_list *effects,
           struct core_step *step)
{
    memset (step, 0, sizeof *step);
    step->rest = CORE_DONE;
    memset (&core->decision, 0, sizeof core->decision);
    core->decision.room = &core->decision_room;
    if (effect_list_reserve (effects, ANNOUNCE_EFFECTS_MAX + FLOW_EFFECTS_MAX)) {
        return BATON_NO_MEMORY;
    }
    const enum baton_err error = core_event (core, event, effects, step);
    if (error) return error;
    const struct stage stage = stage_of (core, event, NULL, effects);
    flow (&stage);
    if (flow_is_left (&core->roster) || !queue_is_empty (&core->roster.to_place)
        || (step->record && event->kind != EVENT_MESSAGE)) {
        step->rest = CORE_MORE;
    }
    return BATON_OK;
}

uint64_t
core_deadline_ns (const struct core *core)
{
    return chore_deadline_ns (&core->book, &core->roster, &core->options);
}

struct log_index
core_last_index (const struct core *core)
{
    return core->book.last_index;
}

struct epoch
core_epoch (const struct core *core)
{
    return core->book.epoch;
}

struct log_index
core_pinned_index (const struct core *core)
{
    return book_pinned (&core->book);
}

const struct book *
core_book (const struct core *core)
{
    return &core->book;
}

const struct roster *
core_roster (const struct core *core)
{
    return &core->roster;
}

const struct core_counters *
core_counters (const struct core *core)
{
    return &core->counters;
}
