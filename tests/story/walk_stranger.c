// SPDX-License-Identifier: MPL-2.0
#include "tests/story/walk_stranger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/requirement_text.h"

// Small numbers near zero and near what was seen; sometimes the largest there is.
static uint64_t
draw_near (struct world *world, uint64_t number)
{
    switch (world_draw (world, 8)) {
    case 0: return 0;
    case 1: return UINT64_MAX;
    case 2: return number + 1;
    case 3: return number ? number - 1 : 0;
    case 4: return world_draw (world, 6);
    default: return number;
    }
}

// Ids of others are known to the stranger, too.
static struct stranger_seen
draw_seen (struct world *world, const struct stranger *stranger)
{
    struct stranger_seen seen = { { 0 }, { 0 }, world_draw (world, 50), world_draw (world, 9) };

    if (world_draw (world, 6) == 0 && world->truth.sessions_count > 0) {
        const struct truth_session *other =
            &world->truth.sessions[world_draw (world, world->truth.sessions_count)];
        seen.session = other->id;
        seen.actor = world_draw (world, 2) ? other->client_actor : other->server_actor;
        seen.incarnation = other->server_incarnation;
    } else if (stranger->seen_count > 0) {
        seen = stranger->seen[world_draw (world, stranger->seen_count)];
    }
    return seen;
}

static void
put_stored (struct letter *letter, const char *text, struct baton_bytes *stored)
{
    struct requirement_room room;
    struct requirement requirement;
    struct text_fault fault;

    assert_int_equal (requirement_parse ((struct baton_bytes) { text, strlen (text) }, &room,
                                         &requirement, &fault), BATON_OK);
    assert_int_equal (requirement_encode (&requirement, letter->stored, sizeof letter->stored,
                                          &stored->size), BATON_OK);
}

static void
fill_open (struct world *world, struct letter *letter, struct stranger_seen seen)
{
    struct msg_open *open = &letter->msg.open;

    open->ref = world_draw (world, 100);
    open->intent = 1 + (enum open_intent) world_draw (world, 2);
    open->kind = world_draw (world, 9) ? SESSION_BOUND : SESSION_POOLED;
    open->session.size = world_draw (world, 9) ? 2 : world_draw (world, 16);
    snprintf (letter->names[0], sizeof letter->names[0], "m%u",
              (unsigned) world_draw (world, 3));
    open->actor.size = world_draw (world, 3) ? 0 : 2;
    snprintf (letter->names[1], sizeof letter->names[1], "m%u",
              (unsigned) world_draw (world, 3));
    if (world_draw (world, 2)) {
        open->incarnation.n = draw_near (world, seen.incarnation);
    }
    open->version.n = draw_near (world, seen.version);
    open->responses_received_through.n = draw_near (world, world_draw (world, 9));
    open->credit_count = draw_near (world, 3);
    open->credit_bytes = draw_near (world, 100);
    put_stored (letter, world_draw (world, 9) ? "set = \"junk\"" : "wheels > 3",
                &open->requirement);
    if (world_draw (world, 20) == 0) {
        open->requirement.size = world_draw (world, sizeof letter->stored);
    }
}

static void
fill_part (struct world *world, struct letter *letter, struct stranger_seen seen)
{
    struct msg_part *part = &letter->part;
    const uint64_t from = world_draw (world, 6);

    part->session = seen.session;
    part->requests_count = world_draw (world, 2) ? (uint32_t) world_draw (world, 5) : 0;
    part->responses_count = world_draw (world, 2) ? (uint32_t) world_draw (world, 5) : 0;
    part->requests_consumed_through.n = world_draw (world, 2) ? draw_near (world, from) : 0;
    part->responses_consumed_through.n = world_draw (world, 2) ? draw_near (world, from) : 0;
    part->rejected.n = world_draw (world, 3) ? 0 : draw_near (world, from + 1);
    for (uint32_t i = 0; i < LETTER_ITEMS_MAX; i++) {
        letter->requests[i].seq.n = from + i;
        letter->requests[i].body.size = world_draw (world, LETTER_BODY_BYTES);
        letter->responses[i].request.n = world_draw (world, 5) ? from + i : from;
        letter->responses[i].status = world_draw (world, 9) ? RESPONSE_REPLY : RESPONSE_FAILED;
        letter->responses[i].body.size = world_draw (world, LETTER_BODY_BYTES);
    }
}

static void
fill_commit (struct world *world, struct letter *letter, struct stranger_seen seen)
{
    struct msg_commit *commit = &letter->msg.commit;

    commit->actor = seen.actor;
    commit->incarnation.n = world_draw (world, 5) ? seen.incarnation
                                                  : draw_near (world, seen.incarnation);
    commit->expect_version.n = world_draw (world, 5) ? seen.version
                                                     : draw_near (world, seen.version);
    commit->restart_data.size = world_draw (world, LETTER_RESTART_BYTES);
    commit->parts_count = world_draw (world, 9) ? 1 : 0;
    commit->digest = world_draw (world, 3);
    fill_part (world, letter, seen);
}

static void
fill_offer (struct world *world, struct letter *letter)
{
    struct msg_offer *offer = &letter->msg.offer;

    snprintf (letter->names[0], sizeof letter->names[0], "junk");
    offer->set.size = 4;
    offer->capacity = (uint32_t) world_draw (world, 3);
    offer->credit_count = (uint32_t) world_draw (world, 5);
    offer->credit_bytes = draw_near (world, 50);
    offer->attributes.size = world_draw (world, 9) ? 0 : world_draw (world, 60);
}

static void
fill_small (struct world *world, struct letter *letter, struct stranger_seen seen)
{
    struct msg *msg = &letter->msg;

    if (msg->kind == MSG_CREDIT) {
        msg->credit.session = seen.session;
        msg->credit.granted_count = draw_near (world, 5);
        msg->credit.granted_bytes = draw_near (world, 500);
    } else if (msg->kind == MSG_RELOAD) {
        msg->reload.session = seen.session;
        msg->reload.actor = seen.actor;
        msg->reload.incarnation.n = draw_near (world, seen.incarnation);
    } else if (msg->kind == MSG_CLOSE) {
        msg->close.session = seen.session;
        msg->close.actor = seen.actor;
        msg->close.incarnation.n = seen.incarnation;
        msg->close.expect_version.n = draw_near (world, seen.version);
    }
}

static void
fill_hello (struct world *world, struct stranger *stranger, struct letter *letter)
{
    struct msg_hello *hello = &letter->msg.hello;

    if (world_draw (world, 6) == 0) {
        stranger->instance = twin_id (&world->twin);
    }
    hello->role = world_draw (world, 12) ? stranger->role
                                         : 1 + (enum end_role) world_draw (world, 3);
    hello->instance = stranger->instance;
    hello->name.size = world_draw (world, 12) ? 2 : 0;
    snprintf (letter->names[0], sizeof letter->names[0], "%s",
              world_draw (world, 12) ? "m0" : "s1");
}

void
stranger_act (struct world *world, struct stranger *stranger)
{
    static const enum msg_kind kinds[] = {
        MSG_HELLO, MSG_HEARTBEAT, MSG_CREDIT, MSG_GOODBYE, MSG_OPEN, MSG_OPEN, MSG_COMMIT,
        MSG_COMMIT, MSG_COMMIT, MSG_COMMIT, MSG_COMMIT, MSG_RELOAD, MSG_RELOAD, MSG_CLOSE,
        MSG_OFFER, MSG_OFFER, MSG_WELCOME, MSG_DELIVER, MSG_ADMIN_ASK,
    };
    const struct stranger_seen seen = draw_seen (world, stranger);
    struct letter letter = { .msg.kind = kinds[world_draw (world, sizeof kinds / sizeof *kinds)] };

    if (!stranger->path && !(stranger->path = world_open (world, "mallory"))) return;
    if (stranger->path->out_count > 100) return;
    if (world_draw (world, 8) == 0 || id_is_none (stranger->instance)) {
        letter.msg.kind = MSG_HELLO;
    }
    letter.msg.epoch.n = world_draw (world, 30) ? stranger->epoch.n : world_draw (world, 9);
    switch ((int) letter.msg.kind) {
    case MSG_HELLO: fill_hello (world, stranger, &letter); break;
    case MSG_OPEN: fill_open (world, &letter, seen); break;
    case MSG_COMMIT: fill_commit (world, &letter, seen); break;
    case MSG_OFFER: fill_offer (world, &letter); break;
    default: fill_small (world, &letter, seen); break;
    }
    world_post (world, stranger->path, &letter);
}

static void
learn (struct stranger *stranger, struct stranger_seen seen)
{
    for (uint32_t i = 0; i < stranger->seen_count; i++) {
        if (!id_equal (stranger->seen[i].actor, seen.actor)) continue;
        if (id_is_none (seen.session)) {
            seen.session = stranger->seen[i].session;
        }
        stranger->seen[i] = seen;
        return;
    }
    if (id_is_none (seen.session)) return;
    if (stranger->seen_count == STRANGER_SEEN_MAX) {
        memmove (stranger->seen, stranger->seen + 1,
                 --stranger->seen_count * sizeof *stranger->seen);
    }
    stranger->seen[stranger->seen_count++] = seen;
}

void
stranger_take (struct world *world, struct stranger *stranger)
{
    struct effect effect;

    if (!world_take (stranger->path, &effect)) return;
    stranger->epoch = effect.epoch;
    if (effect.kind == EFFECT_OPENED) {
        const struct msg_opened *opened = &effect.opened;
        learn (stranger, (struct stranger_seen) { opened->session, opened->actor,
                                                  opened->incarnation.n, opened->version.n });
    } else if (effect.kind == EFFECT_DELIVER) {
        const struct msg_delivery *head = &effect.delivery.head;
        learn (stranger, (struct stranger_seen) { head->session, head->actor,
                                                  head->incarnation.n, head->base_version.n });
    } else if (effect.kind == EFFECT_COMMITTED) {
        const struct msg_ack *ack = &effect.committed;
        learn (stranger, (struct stranger_seen) { { 0 }, ack->actor, ack->incarnation.n,
                                                  ack->version.n });
    }
    effect_drop (&world->twin.memory.memory, &effect);
}
