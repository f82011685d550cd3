// SPDX-License-Identifier: MPL-2.0
// link_end.c has what a client's session and a server's actor have in common: being found, being
// woken, and the sending, resending and acknowledging of commits.
#include "proto/link_inner.h"

#include "proto/assert.h"
#include "proto/mutant.h"

#include <stddef.h>

static struct id
key_of (const struct link_end *end, enum link_map_key key)
{
    switch (key) {
    case MAP_SESSION: return end->session;
    case MAP_ACTOR: return end->actor;
    case MAP_REF: return (struct id) {0, end->ref};
    }
    return (struct id) {0, 0};
}

// Ids are random bits and references count up: their low byte spreads them.
static uint32_t
chain_of (struct id id)
{
    return (uint32_t) (id.low % LINK_MAP_CHAINS);
}

static void
map_remove (struct link_end *end, enum link_map_key key)
{
    struct link_end **at = &end->link->maps[key][chain_of (key_of (end, key))];
    while (*at && *at != end) {
        at = &(*at)->chains[key];
    }
    if (*at) {
        *at = end->chains[key];
    }
}

static void
map_add (struct link_end *end, enum link_map_key key)
{
    struct link_end **head = &end->link->maps[key][chain_of (key_of (end, key))];
    end->chains[key] = *head;
    *head = end;
}

void
end_fini (struct link_end *end)
{
    struct link *link = end->link;
    map_remove (end, MAP_SESSION);
    map_remove (end, MAP_ACTOR);
    map_remove (end, MAP_REF);
    ring_remove (&end->all);
    ring_remove (&end->work);
    draft_fini (&link->memory, &end->draft);
    outbox_fini (&link->memory, &end->outbox);
    if (link->doing_end == end) {
        link->doing_end = NULL;
        link->doing = DOING_NOTHING;
    }
}

void
end_name (struct link_end *end, struct id session, struct id actor, struct incarnation incarnation)
{
    map_remove (end, MAP_SESSION);
    map_remove (end, MAP_ACTOR);
    map_remove (end, MAP_REF);
    end->session = session;
    end->actor = actor;
    end->incarnation = incarnation;
    map_add (end, MAP_SESSION);
    map_add (end, MAP_ACTOR);
    map_add (end, MAP_REF);
}

void
end_init (struct link_end *end, struct link *link)
{
    *end = (struct link_end) {.link = link, .ref = ++link->refs, .standing = END_MUST_OPEN};
    ring_add (&link->ends, &end->all);
    ring_init (&end->work);
    outbox_init (&end->outbox, (struct version) {0});
    end_name (end, end->session, end->actor, end->incarnation);
}

struct link_end *
end_find (const struct link *link, enum link_map_key key, struct id id)
{
    if (id_is_none (id)) return NULL;

    struct link_end *end = link->maps[key][chain_of (id)];
    while (end && !id_equal (key_of (end, key), id)) {
        end = end->chains[key];
    }
    return end;
}

struct link_end *
end_find_refused (const struct link *link, const struct msg_refused *refused)
{
    struct link_end *end = end_find (link, MAP_ACTOR, refused->actor);
    if (!end) {
        end = end_find (link, MAP_SESSION, refused->session);
    }
    bool stale = end && refused->incarnation.n > 0 && refused->incarnation.n < end->incarnation.n;
    return stale ? NULL : end;
}

void
end_wake (struct link_end *end)
{
    if (ring_is_empty (&end->work)) {
        ring_add (&end->link->work, &end->work);
    }
}

void
end_set_alarm (struct link_end *end, uint64_t when_ns)
{
    if (end->alarm_ns == 0 || when_ns < end->alarm_ns) {
        end->alarm_ns = when_ns;
    }
    if (when_ns < end->link->alarm_ns) {
        end->link->alarm_ns = when_ns;
    }
}

bool
end_is_held (struct link_end *end)
{
    if (end->hold_ns <= end->link->now_ns) return false;

    end_set_alarm (end, end->hold_ns);
    return true;
}

void
end_ring_alarms (struct link *link)
{
    if (link->now_ns < link->alarm_ns) return;

    link->alarm_ns = LINK_NEVER_NS;
    for (struct ring *node = link->ends.next; node != &link->ends; node = node->next) {
        struct link_end *end = RING_ITEM (node, struct link_end, all);
        if (end->alarm_ns == 0) continue;
        if (end->alarm_ns <= link->now_ns) {
            end->alarm_ns = 0;
            end_wake (end);
        } else if (end->alarm_ns < link->alarm_ns) {
            link->alarm_ns = end->alarm_ns;
        }
    }
}

bool
end_window_full (const struct link_end *end, size_t more_bytes)
{
    uint64_t count = end->outbox.held_count + end->draft.items_count;
    uint64_t bytes = end->outbox.held_bytes + end->draft.used_bytes + more_bytes;
    if (count == 0) return false;
    return count >= end->link->unacked_max_count || bytes > LIMIT_UNACKED_MAX_BYTES;
}

// Drops what [stored] covers; nonsense about versions that were never made is ignored. What a
// closing session cut may have been sent before, and stored all the same.
static void
take_ack (struct link_end *end, struct version stored)
{
    if (stored.n > end->outbox.next.n && stored.n > end->sent.n) {
        end->link->counters.ignored++;
        return;
    }
    outbox_ack (&end->link->memory, &end->outbox, stored);
    end_wake (end);
}

enum baton_err
end_restart (struct link_end *end, struct version stored)
{
    if (stored.n < end->outbox.acked.n) return BATON_DAMAGED;

    take_ack (end, stored);
    if (!MUTANT (RESEND_FORGOTTEN)) {
        outbox_rewind (&end->outbox, end->outbox.acked);
    }
    end->hold_ns = 0;
    end->gap_ns = 0;
    end->resent_ns = 0;
    end_wake (end);
    return BATON_OK;
}

// A GAP that came too soon after a resend may be an old one: is the version still missing?
static void
look_at_gap (struct link_end *end)
{
    if (end->gap_ns == 0 || end->link->now_ns < end->gap_ns) return;

    end->gap_ns = 0;
    if (end->outbox.acked.n == end->resent.n) {
        outbox_rewind (&end->outbox, end->resent);
        end->resent_ns = end->link->now_ns;
    }
}

bool
end_commit_next (struct link_end *end, struct msg *msg)
{
    if (end_is_held (end)) return false;
    look_at_gap (end);
    if (end->gap_ns) {
        end_set_alarm (end, end->gap_ns);
    }
    if (!end->outbox.unsent) return false;

    msg->kind = MSG_COMMIT;
    msg->commit = end->outbox.unsent->commit;
    return true;
}

void
end_commit_done (struct link_end *end)
{
    const struct sealed *sealed = end->outbox.unsent;
    struct link_counters *counters = &end->link->counters;
    ASSERT (sealed);
    if (sealed->sent_before) {
        counters->commits_resent++;
    } else {
        counters->commits++;
        counters->requests += sealed->part.requests_count;
        counters->responses += sealed->part.responses_count;
    }
    if (sealed->commit.expect_version.n >= end->sent.n) {
        end->sent.n = sealed->commit.expect_version.n + 1;
    }
    outbox_sent (&end->outbox);
}

void
end_take_committed (struct link *link, const struct msg_committed *committed)
{
    for (uint32_t i = 0; i < committed->acks_count; i++) {
        const struct msg_ack *ack = &committed->acks[i];
        struct link_end *end = end_find (link, MAP_ACTOR, ack->actor);
        if (end && end->incarnation.n == ack->incarnation.n) {
            take_ack (end, ack->version);
        } else {
            link->counters.ignored++;
        }
    }
}

// Resends from [stored], unless that was done a moment ago: every commit behind a missing one is
// answered with its own GAP, and one resend answers them all.
static void
take_gap (struct link_end *end, struct version stored)
{
    if (stored.n < end->outbox.acked.n) return;

    take_ack (end, MUTANT (GAP_TAKEN_AS_ACK) ? end->sent : stored);
    uint64_t again_ns = end->resent_ns + LIMIT_RESEND_MIN_MS * LINK_NS_PER_MS;
    if (end->resent_ns && stored.n == end->resent.n && end->link->now_ns < again_ns) {
        end->gap_ns = again_ns;
        end_set_alarm (end, again_ns);
        return;
    }
    outbox_rewind (&end->outbox, stored);
    end->resent = stored;
    end->resent_ns = end->link->now_ns;
    end_wake (end);
}

static void
take_wait (struct link_end *end, struct version from, const struct msg_refused *refused)
{
    end->link->counters.busy++;
    if (from.n < end->outbox.acked.n || MUTANT (BUSY_NOT_RESENT)) return;

    outbox_rewind (&end->outbox, from);
    end->hold_ns = link_retry_ns (end->link, refused);
    end_set_alarm (end, end->hold_ns);
}

bool
end_take_refused_commit (struct link_end *end, const struct msg_refused *refused)
{
    if (refused->refusal == REFUSAL_DUPLICATE) {
        end->link->counters.duplicates++;
        if (MUTANT (DUPLICATE_NOT_AN_ACK)) return true;
        take_ack (end, refused->version);
        return true;
    }
    if (refused->refusal == REFUSAL_GAP) {
        take_gap (end, refused->version);
        return true;
    }
    if (refused->refusal == REFUSAL_BUSY) {
        take_wait (end, refused->version, refused);
        return true;
    }
    if (refused->refusal == REFUSAL_UNAVAILABLE) {
        take_wait (end, end->outbox.acked, refused);
        return true;
    }
    return false;
}
