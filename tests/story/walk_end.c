// SPDX-License-Identifier: MPL-2.0
#include "tests/story/walk_end.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MS ((uint64_t) NS_PER_MS)

void
walk_end_start (struct world *world, struct walk_end *end, enum end_role role, uint32_t who)
{
    memset (end, 0, sizeof *end);
    end->process = PROCESS_RUNS;
    end->role = role;
    end->who = who;
    end->instance = twin_id (&world->twin);
    end->phase = END_DOWN;
}

void
walk_end_stop (struct world *world, struct walk_end *end)
{
    world_leave (world, &end->path);
    end->process = PROCESS_GONE;
}

void
walk_end_leave (struct world *world, struct walk_end *end)
{
    world_leave (world, &end->path);
    end->phase = END_DOWN;
    end->retry_ns = world->now_ns + world_draw (world, 200) * MS;
}

void
walk_end_say (struct world *world, struct walk_end *end, const struct letter *letter)
{
    struct letter said = *letter;

    said.msg.epoch = end->epoch;
    world_post (world, end->path, &said);
}

void
walk_end_greet (struct world *world, struct walk_end *end, const char *name)
{
    struct letter letter = { .msg.kind = MSG_HELLO };

    letter.msg.hello.role = end->role;
    letter.msg.hello.instance = end->instance;
    letter.msg.hello.name.size = strlen (name);
    memcpy (letter.names[0], name, strlen (name));
    end->phase = END_GREETING;
    end->heard_ns = world->now_ns;
    walk_end_say (world, end, &letter);
}

void
walk_end_live (struct world *world, struct walk_end *end, const char *name)
{
    const struct letter heartbeat = { .msg.kind = MSG_HEARTBEAT };

    if (end->phase == END_DOWN) {
        if (world->now_ns < end->retry_ns) return;
        end->path = world_open (world, TRUTH_PRINCIPAL);
        if (end->path) {
            walk_end_greet (world, end, name);
        }
    } else if (world->now_ns - end->heard_ns > 3000 * MS) {
        walk_end_leave (world, end);
    } else if (end->phase == END_WELCOME && world->now_ns - end->heard_ns > 1000 * MS
               && world->now_ns - end->asked_ns > 1000 * MS) {
        end->asked_ns = world->now_ns;
        walk_end_say (world, end, &heartbeat);
    }
}

static uint64_t
digest_of (const struct letter *letter)
{
    const struct msg_part *part = &letter->part;
    uint64_t digest = letter->msg.commit.expect_version.n;

    for (uint32_t i = 0; i < part->requests_count; i++) {
        digest = truth_chain (digest, truth_body_of (part->requests[i].body).nonce);
    }
    for (uint32_t i = 0; i < part->responses_count; i++) {
        digest = truth_chain (digest, part->responses[i].request.n);
    }
    digest = truth_chain (digest, part->requests_consumed_through.n);
    return truth_chain (digest, part->responses_consumed_through.n);
}

void
walk_seal (struct world *world, struct walk_end *end, struct walk_actor *actor,
           struct letter *letter)
{
    struct msg_commit *commit = &letter->msg.commit;

    assert_true (actor->window_count < WINDOW_MAX);
    letter_settle (letter);
    letter->msg.kind = MSG_COMMIT;
    commit->actor = actor->id;
    commit->incarnation = actor->incarnation;
    commit->expect_version.n = actor->next++;
    letter_settle (letter);
    commit->digest = digest_of (letter);
    actor->window[actor->window_count++] = *letter;
    walk_end_say (world, end, letter);
}

void
walk_acked (struct walk_actor *actor, uint64_t version)
{
    uint32_t gone = 0;

    assert_true (version <= actor->next);
    while (gone < actor->window_count
           && actor->window[gone].msg.commit.expect_version.n < version) {
        gone++;
    }
    actor->window_count -= gone;
    memmove (actor->window, actor->window + gone, actor->window_count * sizeof *actor->window);
    if (version > actor->stored) {
        actor->stored = version;
    }
}

void
walk_resend (struct world *world, struct walk_end *end, struct walk_actor *actor)
{
    actor->resend_ns = 0;
    for (uint32_t i = 0; i < actor->window_count; i++) {
        walk_end_say (world, end, &actor->window[i]);
    }
}

bool
walk_commit_refused (struct world *world, struct walk_actor *actor,
                     const struct msg_refused *refused)
{
    switch (refused->refusal) {
    case REFUSAL_DUPLICATE:
        walk_acked (actor, refused->version.n);
        return true;
    case REFUSAL_GAP:
        // What was acknowledged stays.
        assert_true (refused->version.n >= actor->stored);
        walk_acked (actor, refused->version.n);
        actor->resend_ns = world->now_ns + 100 * MS;
        return true;
    case REFUSAL_BUSY:
        actor->resend_ns = world->now_ns + 100 * MS;
        return true;
    case REFUSAL_HELLO_FIRST:
    case REFUSAL_NO_MATCH:
    case REFUSAL_FENCED:
    case REFUSAL_OLD_EPOCH:
    case REFUSAL_NO_SUCH_SESSION:
    case REFUSAL_DENIED:
    case REFUSAL_TOO_LARGE:
    case REFUSAL_MALFORMED:
    case REFUSAL_BAD_VERSION:
    case REFUSAL_MOVED:
    case REFUSAL_UNAVAILABLE:
    case REFUSAL_EXPIRED:
    case REFUSAL_CANCELLED:
    case REFUSAL_FAILED:
    case REFUSAL_CLOSED: return false;
    }
    return false;
}
