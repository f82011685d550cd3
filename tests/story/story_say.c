// SPDX-License-Identifier: MPL-2.0
// story_say.c makes messages of the words of a line; what it does not say, the book does.
#include "tests/story/story_part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/book.h"
#include "proto/requirement_text.h"

struct baton_bytes
story_text (const char *text)
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

const char *
story_option (const struct story *story, const char *key)
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
    const char *text = story_option (story, key);

    return text ? strtoull (text, NULL, 10) : otherwise;
}

bool
story_says (const struct story *story, const char *word)
{
    for (size_t i = 0; i < story->words_count; i++) {
        if (strcmp (story->words[i], word) == 0) return true;
    }
    return false;
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
    const char *instance = story_option (story, "instance");
    const char *name = story_option (story, "name");

    hello->role = link->name[0] == 's' ? END_SERVER : link->name[0] == 'a' ? END_ADMIN : END_CLIENT;
    hello->instance = instance_of (instance ? instance : link->name);
    hello->name = story_text (name ? name : link->name);
}

static void
fill_requirement (struct story *story, struct baton_bytes *stored)
{
    const char *text = story_option (story, "requirement");
    struct requirement_room room;
    struct requirement requirement;
    struct text_fault fault;

    if (!text) return;
    assert_int_equal (requirement_parse (story_text (text), &room, &requirement, &fault), BATON_OK);
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
    open->intent = story_says (story, "again") || story_says (story, "existing") ? OPEN_EXISTING
                                                                     : OPEN_OR_CREATE;
    open->kind = story_option (story, "kind") ? SESSION_POOLED : SESSION_BOUND;
    open->session = story_text (strcmp (name, "-") == 0 ? "" : name);
    open->actor = story_text (story_option (story, "actor"));
    open->incarnation.n =
        number (story, "incarnation", story_says (story, "again") ? actor.incarnation.n : 0);
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
    request->body = story_text (body);
    story->part.requests_count++;
}

// "1:x"; with a pad, that many zeroes for a body.
static void
put_response (struct story *story, const char *text)
{
    struct msg_response *response = &story->responses[story->part.responses_count++];
    char *end;

    response->request.n = strtoull (text, &end, 10);
    response->status = story_option (story, "status") ? RESPONSE_FAILED : RESPONSE_REPLY;
    response->body = story_text (*end == ':' ? end + 1 : "");
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
    if (story_option (story, "pad") && story->part.requests_count > 0) {
        story->requests[story->part.requests_count - 1].body =
            (struct baton_bytes) { story->pad, number (story, "pad", 0) };
    }
}

static void
fill_commit (struct story *story, char role)
{
    struct msg_commit *commit = &story->msg.commit;
    struct msg_part *part = &story->part;
    const char *other = story_option (story, "actor");
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
    part->reject_reason = story_text (story_option (story, "reason"));
    commit->actor = actor.id;
    commit->incarnation.n = number (story, "incarnation", actor.incarnation.n);
    commit->expect_version.n = number (story, "version", actor.version.n);
    commit->restart_data = story_text (story_option (story, "data"));
    if (story_option (story, "data_bytes")) {
        commit->restart_data =
            (struct baton_bytes) { story->pad, number (story, "data_bytes", 0) };
    }
    commit->parts = part;
    commit->parts_count = (uint32_t) number (story, "parts", story_says (story, "nothing") ? 0 : 1);
    commit->digest = number (story, "digest", commit->expect_version.n);
}

static void
fill_offer (struct story *story)
{
    struct msg_offer *offer = &story->msg.offer;
    const char *text = story_option (story, "has");
    unsigned char room[1024];
    struct pack pack;
    struct attribute attribute;
    struct text_fault fault;

    offer->ref = 7;
    offer->set = story_text (story_option (story, "set"));
    offer->capacity = (uint32_t) number (story, "capacity", 1);
    offer->credit_count = (uint32_t) number (story, "credit", 16);
    offer->credit_bytes = number (story, "bytes", 100000);
    if (!text) return;
    pack_init (&pack, room, sizeof room);
    assert_int_equal (attribute_parse_text (story_text (text), &pack, &attribute, &fault),
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
        const char *other = story_option (story, "actor");
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

void
story_fill (struct story *story, const struct story_link *link)
{
    memset (&story->msg, 0, sizeof story->msg);
    memset (story->requests, 0, sizeof story->requests);
    memset (story->responses, 0, sizeof story->responses);
    story->msg.kind = kind_by_name (story->words[2]);
    story->msg.epoch.n = number (story, "epoch", core_epoch (story->twin.live).n);
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
}
