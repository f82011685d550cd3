// SPDX-License-Identifier: MPL-2.0
#include "tests/story/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/book.h"
#include "broker/core/record.h"
#include "broker/core/roster.h"
#include "proto/requirement_text.h"
#include "tests/story/render.h"
#include "tests/story/twin.h"

enum {
    LINKS_MAX = 32,
    WORDS_MAX = 24,
    LINE_BYTES = 512,
    TRACE_BYTES = 65536,
    ITEMS_MAX = 300,
    PAD_MAX = 1 << 20,
};
#define MS UINT64_C (1000000)

struct story_link { char name[16]; char principal[16]; struct link_number number; };

struct story {
    struct twin twin;
    struct render_names names;
    struct story_link links[LINKS_MAX];
    size_t links_count;
    uint64_t now_ns;
    uint64_t utc_ms;
    struct capacity capacity;
    char trace[TRACE_BYTES];
    size_t trace_used;
    // The line that is played.
    char line[LINE_BYTES];
    char *words[WORDS_MAX];
    size_t words_count;
    struct msg msg;
    struct msg_part part;
    struct msg_request requests[ITEMS_MAX];
    struct msg_response responses[ITEMS_MAX];
    unsigned char stored[4096];
    unsigned char pad[PAD_MAX];
};

struct core_options
story_options (void)
{
    struct core_options options;

    core_options_default (&options);
    options.group = (struct id) { 1, 1 };
    return options;
}

static void
trace (struct story *story, const char *format, ...)
{
    const size_t room = TRACE_BYTES - story->trace_used;
    va_list arguments;

    va_start (arguments, format);
    const int count = vsnprintf (story->trace + story->trace_used, room, format, arguments);
    va_end (arguments);
    assert_true (count >= 0 && (size_t) count < room);
    story->trace_used += (size_t) count;
}

static struct baton_bytes
bytes_of (const char *text)
{
    return (struct baton_bytes) { text, text ? strlen (text) : 0 };
}

// Ids of instances are made of their names.
static struct id
instance_of (const char *name)
{
    struct id id = { 0x1d, 0 };

    for (; *name; name++) {
        id.low = id.low << 8 | (unsigned char) *name;
    }
    return id;
}

static struct story_link *
link_of (struct story *story, const char *name)
{
    for (size_t i = 0; i < story->links_count; i++) {
        if (strcmp (story->links[i].name, name) == 0) return &story->links[i];
    }
    assert_true (story->links_count < LINKS_MAX);
    struct story_link *link = &story->links[story->links_count++];
    snprintf (link->name, sizeof link->name, "%s", name);
    snprintf (link->principal, sizeof link->principal, "p");
    link->number.n = story->links_count;
    return link;
}

static const char *
link_name (const struct story *story, struct link_number number)
{
    assert_true (number.n >= 1 && number.n <= story->links_count);
    return story->links[number.n - 1].name;
}

// option returns what stands behind "key=" in the line, NULL if it is not there.
static const char *
option (const struct story *story, const char *key)
{
    const size_t size = strlen (key);

    for (size_t i = 0; i < story->words_count; i++) {
        const char *word = story->words[i];
        if (strncmp (word, key, size) == 0 && word[size] == '=') return word + size + 1;
    }
    return NULL;
}

static uint64_t
number (const struct story *story, const char *key, uint64_t otherwise)
{
    const char *text = option (story, key);

    return text ? strtoull (text, NULL, 10) : otherwise;
}

static bool
says (const struct story *story, const char *word)
{
    for (size_t i = 0; i < story->words_count; i++) {
        if (strcmp (story->words[i], word) == 0) return true;
    }
    return false;
}

// split cuts the line into words at blanks outside of single quotes, which vanish.
static void
split (struct story *story)
{
    char *to = story->line;
    bool quoted = false;
    bool inside = false;

    story->words_count = 0;
    for (const char *from = story->line; *from; from++) {
        if (*from == '\'') {
            quoted = !quoted;
        } else if (*from == ' ' && !quoted) {
            *to++ = '\0';
            inside = false;
        } else {
            if (!inside) {
                assert_true (story->words_count < WORDS_MAX);
                story->words[story->words_count++] = to;
            }
            inside = true;
            *to++ = *from;
        }
    }
    *to = '\0';
}

static void
learn_names (struct story *story, const struct blob *bytes)
{
    static struct record_room room;
    struct record record;

    assert_int_equal (record_decode (blob_view (bytes), &room, &record), BATON_OK);
    if (record.head.type == RECORD_OPENED && record.opened.makes & OPENED_SESSION) {
        render_names_add (&story->names, record.opened.session, record.opened.session_name);
    }
}

static void
trace_effects (struct story *story, const char *keeping)
{
    char line[RENDER_LINE_BYTES];
    struct effect_list *effects = &story->twin.effects;

    for (size_t i = 0; i < effects->count; i++) {
        const struct effect *effect = &effects->items[i];
        if (keeping && effect->kind == EFFECT_HEARTBEAT) continue;
        render_effect (effect, &story->names, line);
        trace (story, "%s <- %s%s\n", link_name (story, effect->to), line,
               effect->after.n == 0 ? " at once" : "");
    }
    effect_list_clear (effects);
}

static void
step (struct story *story, struct event *event, const char *keeping)
{
    // The text of NO_MATCH is a copy; without memory it is left out, so OPEN has enough.
    const bool plenty = event->msg && event->msg->kind == MSG_OPEN;
    struct core_step done;

    event->now_ns = story->now_ns;
    event->utc_ms = story->utc_ms;
    event->capacity = story->capacity;
    do {
        twin_step (&story->twin, event, plenty ? 0 : TWIN_FAIL_EACH, &done);
        if (done.record) {
            learn_names (story, done.record);
        }
        event->kind = EVENT_CONTINUE;
        event->msg = NULL;
    } while (done.rest == CORE_MORE);
    trace_effects (story, keeping);
}

static const struct book *
book_of (const struct story *story)
{
    return core_book (story->twin.live);
}

static struct id
id_by_name (const struct story *story, const char *name)
{
    for (size_t i = story->names.count; i > 0; i--) {
        if (strcmp (story->names.items[i - 1].name, name) == 0) {
            return story->names.items[i - 1].id;
        }
    }
    return instance_of (name);
}

// The end of a session that the speaker is, as the book has it; zeroes if there is none.
static struct actor
actor_by_name (const struct story *story, const char *name, char role)
{
    const struct session *session = book_session (book_of (story), id_by_name (story, name));
    const struct actor *actor =
        !session ? NULL : role == 'c' ? session->client : session->server_end;
    const struct actor none = { .id = id_by_name (story, name) };

    return actor ? *actor : none;
}

static void
fill_hello (struct story *story, const struct story_link *link)
{
    struct msg_hello *hello = &story->msg.hello;
    const char *instance = option (story, "instance");
    const char *name = option (story, "name");

    hello->role = link->name[0] == 's' ? END_SERVER : link->name[0] == 'a' ? END_ADMIN : END_CLIENT;
    hello->instance = instance_of (instance ? instance : link->name);
    hello->name = bytes_of (name ? name : link->name);
}

static void
fill_requirement (struct story *story, struct baton_bytes *stored)
{
    const char *text = option (story, "requirement");
    struct requirement_room room;
    struct requirement requirement;
    struct text_fault fault;

    if (!text) return;
    assert_int_equal (requirement_parse (bytes_of (text), &room, &requirement, &fault), BATON_OK);
    assert_int_equal (requirement_encode (&requirement, story->stored, sizeof story->stored,
                                          &stored->size), BATON_OK);
    stored->data = story->stored;
}

static void
fill_open (struct story *story)
{
    struct msg_open *open = &story->msg.open;
    const char *name = story->words[3];
    const struct actor actor = actor_by_name (story, name, 'c');

    open->ref = 7;
    open->intent = says (story, "again") || says (story, "existing") ? OPEN_EXISTING
                                                                     : OPEN_OR_CREATE;
    open->kind = option (story, "kind") ? SESSION_POOLED : SESSION_BOUND;
    open->session = bytes_of (strcmp (name, "-") == 0 ? "" : name);
    open->actor = bytes_of (option (story, "actor"));
    open->incarnation.n =
        number (story, "incarnation", says (story, "again") ? actor.incarnation.n : 0);
    open->version = actor.version;
    open->responses_received_through.n = number (story, "received", 0);
    open->credit_count = number (story, "credit", 100);
    open->credit_bytes = number (story, "bytes", 1000000);
    fill_requirement (story, &open->requirement);
}

static void
put_request (struct story *story, const char *body)
{
    const struct session *session = book_session (book_of (story), story->part.session);
    const uint64_t next = session ? session->requests_accepted_through.n + 1 : 1;
    struct msg_request *request = &story->requests[story->part.requests_count];

    request->seq.n = number (story, "seq", next) + story->part.requests_count;
    request->state = REQUEST_OPEN;
    request->body = bytes_of (body);
    story->part.requests_count++;
}

// "1:x"; with a pad, that many zeroes for a body.
static void
put_response (struct story *story, const char *text)
{
    struct msg_response *response = &story->responses[story->part.responses_count++];
    char *end;

    response->request.n = strtoull (text, &end, 10);
    response->status = option (story, "status") ? RESPONSE_FAILED : RESPONSE_REPLY;
    response->body = bytes_of (*end == ':' ? end + 1 : "");
}

static void
fill_items (struct story *story)
{
    for (size_t i = 4; i < story->words_count; i++) {
        const char *word = story->words[i];
        if (strncmp (word, "request=", 8) == 0) {
            put_request (story, word + 8);
        } else if (strncmp (word, "reply=", 6) == 0) {
            put_response (story, word + 6);
        }
    }
    for (uint64_t i = number (story, "many", 0); i > 0; i--) {
        put_request (story, "x");
    }
    if (option (story, "pad") && story->part.requests_count > 0) {
        story->requests[story->part.requests_count - 1].body =
            (struct baton_bytes) { story->pad, number (story, "pad", 0) };
    }
}

static void
fill_commit (struct story *story, char role)
{
    struct msg_commit *commit = &story->msg.commit;
    struct msg_part *part = &story->part;
    const char *other = option (story, "actor");
    const struct actor actor = actor_by_name (story, other ? other : story->words[3], role);

    memset (part, 0, sizeof *part);
    part->session = id_by_name (story, story->words[3]);
    part->requests = story->requests;
    part->responses = story->responses;
    fill_items (story);
    if (role == 'c') {
        part->responses_consumed_through.n = number (story, "consumed", 0);
    } else {
        part->requests_consumed_through.n = number (story, "consumed", 0);
    }
    part->rejected.n = number (story, "reject", 0);
    part->reject_reason = bytes_of (option (story, "reason"));
    commit->actor = actor.id;
    commit->incarnation.n = number (story, "incarnation", actor.incarnation.n);
    commit->expect_version.n = number (story, "version", actor.version.n);
    commit->restart_data = bytes_of (option (story, "data"));
    if (option (story, "data_bytes")) {
        commit->restart_data =
            (struct baton_bytes) { story->pad, number (story, "data_bytes", 0) };
    }
    commit->parts = part;
    commit->parts_count = (uint32_t) number (story, "parts", says (story, "nothing") ? 0 : 1);
    commit->digest = number (story, "digest", commit->expect_version.n);
}

static void
fill_offer (struct story *story)
{
    struct msg_offer *offer = &story->msg.offer;
    const char *text = option (story, "has");
    unsigned char room[1024];
    struct pack pack;
    struct attribute attribute;
    struct text_fault fault;

    offer->ref = 7;
    offer->set = bytes_of (option (story, "set"));
    offer->capacity = (uint32_t) number (story, "capacity", 1);
    offer->credit_count = (uint32_t) number (story, "credit", 16);
    offer->credit_bytes = number (story, "bytes", 100000);
    if (!text) return;
    pack_init (&pack, room, sizeof room);
    assert_int_equal (attribute_parse_text (bytes_of (text), &pack, &attribute, &fault),
                      BATON_OK);
    const struct attributes attributes = { &attribute, 1 };
    assert_int_equal (attributes_encode (&attributes, story->stored, sizeof story->stored,
                                         &offer->attributes.size), BATON_OK);
    offer->attributes.data = story->stored;
}

static void
fill_small (struct story *story, char role)
{
    const char *name = story->words_count > 3 ? story->words[3] : "";
    const struct actor actor = actor_by_name (story, name, role);
    struct msg *msg = &story->msg;

    if (msg->kind == MSG_CREDIT) {
        msg->credit.session = id_by_name (story, name);
        msg->credit.granted_count = number (story, "count", 0);
        msg->credit.granted_bytes = number (story, "bytes", 1000000);
    } else if (msg->kind == MSG_RELOAD) {
        msg->reload.session = id_by_name (story, name);
        msg->reload.actor = actor.id;
        msg->reload.incarnation.n = number (story, "incarnation", actor.incarnation.n);
    } else if (msg->kind == MSG_CLOSE) {
        const char *other = option (story, "actor");
        msg->close.ref = 7;
        msg->close.session = id_by_name (story, name);
        msg->close.actor = other ? actor_by_name (story, other, role).id : actor.id;
        msg->close.incarnation.n = number (story, "incarnation", actor.incarnation.n);
        msg->close.expect_version.n = number (story, "version", actor.version.n);
    }
}

static enum msg_kind
kind_by_name (const char *name)
{
    for (int kind = MSG_HELLO; kind <= MSG_ADMIN_TELL; kind++) {
        if (strcmp (msg_kind_name ((enum msg_kind) kind), name) == 0) return (enum msg_kind) kind;
    }
    fail_msg ("no message is called %s", name);
    return MSG_HELLO;
}

// "c1 -> KIND ..."
static void
play_message (struct story *story)
{
    struct story_link *link = link_of (story, story->words[0]);

    memset (&story->msg, 0, sizeof story->msg);
    memset (story->requests, 0, sizeof story->requests);
    memset (story->responses, 0, sizeof story->responses);
    story->msg.kind = kind_by_name (story->words[2]);
    story->msg.epoch.n = number (story, "epoch", core_epoch (story->twin.live).n);
    if (option (story, "as")) {
        snprintf (link->principal, sizeof link->principal, "%s", option (story, "as"));
    }
    if (story->msg.kind == MSG_HELLO) {
        fill_hello (story, link);
    } else if (story->msg.kind == MSG_OPEN) {
        fill_open (story);
    } else if (story->msg.kind == MSG_COMMIT) {
        fill_commit (story, link->name[0]);
    } else if (story->msg.kind == MSG_OFFER) {
        fill_offer (story);
    } else {
        fill_small (story, link->name[0]);
    }
    struct event event = {
        .kind = EVENT_MESSAGE, .link = link->number, .principal = bytes_of (link->principal),
        .msg = &story->msg,
    };
    step (story, &event, NULL);
}

static void
pass (struct story *story, uint64_t until_ns)
{
    story->utc_ms += (until_ns - story->now_ns) / MS;
    story->now_ns = until_ns;
}

// "given c1 opens a" is HELLO, if the path is not known yet, and OPEN; "given s1 offers" likewise.
// What comes of them is not told.
static void
play_given (struct story *story)
{
    static char hello[] = "HELLO", open[] = "OPEN", offer[] = "OFFER";
    const size_t told = story->trace_used;
    const bool opens = strcmp (story->words[2], "opens") == 0;

    assert_true (opens || strcmp (story->words[2], "offers") == 0);
    story->words[0] = story->words[1];
    story->words[2] = hello;
    const struct link_number number = link_of (story, story->words[0])->number;
    if (!roster_link (core_roster (story->twin.live), number)) {
        play_message (story);
    }
    story->words[2] = opens ? open : offer;
    play_message (story);
    story->trace_used = told;
    story->trace[told] = '\0';
}

// Timers run when they are due; those who are kept alive say so each second.
static void
play_wait (struct story *story)
{
    const uint64_t end_ns = story->now_ns + strtoull (story->words[1], NULL, 10) * MS;

    while (story->now_ns < end_ns) {
        const uint64_t due_ns = core_deadline_ns (story->twin.live);
        uint64_t next_ns = story->now_ns + 1000 * MS < end_ns ? story->now_ns + 1000 * MS : end_ns;
        if (due_ns > story->now_ns && due_ns < next_ns) {
            next_ns = due_ns;
        }
        pass (story, next_ns);
        for (size_t i = 3; i < story->words_count; i++) {
            const struct story_link *link = link_of (story, story->words[i]);
            const struct msg msg = { .kind = MSG_HEARTBEAT, .epoch = core_epoch (story->twin.live) };
            struct event event = {
                .kind = EVENT_MESSAGE, .link = link->number,
                .principal = bytes_of (link->principal), .msg = &msg,
            };
            step (story, &event, "keeping");
        }
        if (core_deadline_ns (story->twin.live) <= story->now_ns) {
            step (story, &(struct event) { .kind = EVENT_TICK }, NULL);
        }
    }
}

static void
play_line (struct story *story)
{
    if (story->words_count > 2 && strcmp (story->words[0], "given") == 0) {
        play_given (story);
    } else if (story->words_count > 2 && strcmp (story->words[1], "->") == 0) {
        play_message (story);
    } else if (says (story, "start")) {
        step (story, &(struct event) { .kind = EVENT_START }, NULL);
    } else if (says (story, "crash")) {
        twin_crash (&story->twin, story->twin.records_count);
        step (story, &(struct event) { .kind = EVENT_START }, NULL);
    } else if (says (story, "lost")) {
        struct event event = {
            .kind = EVENT_LINK_LOST, .link = link_of (story, story->words[1])->number,
        };
        step (story, &event, NULL);
    } else if (says (story, "wait")) {
        play_wait (story);
    } else if (says (story, "memory")) {
        story->capacity.memory_free_bytes = strtoull (story->words[1], NULL, 10);
    } else if (says (story, "disk")) {
        story->capacity.disk_free_bytes = strtoull (story->words[1], NULL, 10);
    } else {
        fail_msg ("a story cannot do this: %s", story->words[0]);
    }
}

static void
play_all (struct story *story, const char *text)
{
    while (*text) {
        const size_t size = strcspn (text, "\n");
        assert_true (size < LINE_BYTES);
        memcpy (story->line, text, size);
        story->line[size] = '\0';
        text += size + (text[size] == '\n');
        if (strstr (story->line, " <- ")) continue;
        trace (story, "%s\n", story->line);
        split (story);
        play_line (story);
    }
}

void
story_play (const struct core_options *options, const char *text)
{
    const struct core_options usual = story_options ();
    struct story *story = calloc (1, sizeof *story);

    assert_non_null (story);
    twin_init (&story->twin, options ? options : &usual);
    story->now_ns = 1000 * MS;
    story->utc_ms = 1700000000000u;
    story->capacity = (struct capacity) { 1000000, 1000000, 1000000, 1000000 };
    step (story, &(struct event) { .kind = EVENT_START }, NULL);
    play_all (story, text);
    if (strcmp (story->trace, text) != 0) {
        printf ("the core did:\n%s\nwanted was:\n%s\n", story->trace, text);
        fail_msg ("the story went another way");
    }
    twin_fini (&story->twin);
    free (story);
}
