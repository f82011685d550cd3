// SPDX-License-Identifier: MPL-2.0
#include "broker/core/place.h"

#include "proto/assert.h"
#include "proto/mutant.h"

#include <string.h>

bool
place_server_is_there (const struct roster *roster, const struct server *server)
{
    const struct roster_link *link = roster_server (roster, server)->link;

    return link && server->offer == OFFER_KNOWN && server->state == INSTANCE_CURRENT
        && id_equal (link->instance, server->instance);
}

static struct match_offer
offer_of (const struct server *server)
{
    const struct match_offer offer = {
        .name = blob_view (server->name),
        .set = blob_view (server->set),
        .attributes = server->items,
    };

    return offer;
}

static struct candidate
candidate_of (const struct roster *roster, const struct server *server)
{
    const struct candidate candidate = {
        .name = blob_view (server->name),
        .capacity = server->capacity,
        .outstanding_count = server->open_count,
        .idle_since_ns = roster_server (roster, server)->idle_since_ns,
        .readiness = CANDIDATE_ACCEPTS,
    };

    return candidate;
}

// fits holds one server against the requirement and keeps what there is to tell if it does not.
static bool
fits (const struct requirement *requirement, const struct server *server,
      struct match_miss *miss)
{
    const struct match_offer offer = offer_of (server);
    struct evaluation evaluation;

    if (match_evaluate (requirement, &offer, &evaluation) == MATCH_YES) return true;
    if (MUTANT (UNFIT_SERVER_TAKEN)) return true;
    match_miss_note (miss, &offer, &evaluation);
    return false;
}

// consider makes [server] the choice if it is better than the one so far.
static void
consider (const struct roster *roster, const struct server *server, struct choice *choice)
{
    if (choice->server) {
        const struct candidate fresh = candidate_of (roster, server);
        const struct candidate best = candidate_of (roster, choice->server);
        if (!candidate_is_better (&fresh, &best)) return;
    }
    choice->server = server;
}

static void
look_through (const struct book *book, const struct roster *roster,
              const struct requirement *requirement, const struct server *before,
              struct choice *choice)
{
    const struct queue *link;
    bool stays = false;

    queue_each (link, &book->servers) {
        const struct server *server = queue_owner (link, const struct server, in_book);
        if (!fits (requirement, server, &choice->miss)) continue;
        choice->fitting_count++;
        if (stays || !place_server_is_there (roster, server)) continue;
        if (server == before) {
            choice->server = server;
            stays = true;
        } else {
            consider (roster, server, choice);
        }
    }
}

void
place_choose (const struct book *book, const struct roster *roster,
              struct baton_bytes stored, const struct server *before, uint64_t now_ns,
              struct choice *choice)
{
    struct requirement_term terms[LIMIT_TERMS_MAX_COUNT];
    struct requirement requirement;
    const enum baton_err error = requirement_view (stored, terms, &requirement);

    ASSERT (!error);
    memset (choice, 0, sizeof *choice);
    match_miss_init (&choice->miss);
    look_through (book, roster, &requirement, before, choice);
    if (before && choice->server != before
        && now_ns < roster_server (roster, before)->wait_until_ns) {
        choice->outcome = PLACE_AWAITED;
        choice->server = NULL;
    } else if (choice->server) {
        choice->outcome = PLACE_FOUND;
    } else {
        choice->outcome = choice->fitting_count ? PLACE_ABSENT : PLACE_NONE;
    }
}

bool
place_is_hopeless (const struct book *book, struct baton_bytes stored, uint64_t utc_ms,
                   uint64_t grace_ms, struct match_miss *miss)
{
    struct requirement_term terms[LIMIT_TERMS_MAX_COUNT];
    struct requirement requirement;
    const enum baton_err error = requirement_view (stored, terms, &requirement);
    const struct queue *link;
    bool settled = false;

    ASSERT (!error);
    match_miss_init (miss);
    queue_each (link, &book->servers) {
        const struct server *server = queue_owner (link, const struct server, in_book);
        if (fits (&requirement, server, miss)) return false;
        settled = settled || server->known_since_utc_ms + grace_ms <= utc_ms;
    }
    return settled;
}

struct baton_bytes
place_missing_text (struct baton_bytes stored, const struct match_miss *miss)
{
    static const char no_default[] = "no server is in the default set";
    static const char no_server[] = "no server is known";
    struct requirement_term terms[LIMIT_TERMS_MAX_COUNT];
    struct requirement requirement;

    if (miss->reason == MISS_NO_SERVER) {
        return (struct baton_bytes) { no_server, sizeof no_server - 1 };
    }
    if (miss->reason == MISS_NOT_DEFAULT || requirement_view (stored, terms, &requirement)) {
        return (struct baton_bytes) { no_default, sizeof no_default - 1 };
    }
    return terms[miss->failed_index].key;
}
