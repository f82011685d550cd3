// SPDX-License-Identifier: MPL-2.0
#include "tests/sim/truth_server.h"

#include "broker/core/match.h"

#include <stdio.h>
#include <string.h>

void
truth_servers_fini (struct truth_servers *servers)
{
    free (servers->list);
    *servers = (struct truth_servers) { NULL, 0 };
}

void
truth_former_add (struct truth_former *former, struct id instance)
{
    if (former->count == LIMIT_FORMER_INSTANCES) {
        former->count--;
        memmove (former->instances, former->instances + 1,
                 former->count * sizeof *former->instances);
    }
    former->instances[former->count++] = instance;
}

bool
truth_former_has (const struct truth_former *former, struct id instance)
{
    for (uint32_t i = 0; i < former->count; i++) {
        if (id_equal (former->instances[i], instance)) return true;
    }
    return false;
}

static struct truth_server *
find (const struct truth_servers *servers, struct baton_bytes name)
{
    for (uint32_t i = 0; i < servers->count; i++) {
        struct truth_server *server = &servers->list[i];
        if (strlen (server->name) == name.size
            && memcmp (server->name, name.data, name.size) == 0) {
            return server;
        }
    }
    return NULL;
}

static struct truth_server *
add (struct truth_servers *servers, struct baton_bytes name)
{
    servers->list = realloc (servers->list, (servers->count + 1) * sizeof *servers->list);
    if (!servers->list) abort ();
    struct truth_server *server = &servers->list[servers->count++];
    memset (server, 0, sizeof *server);
    snprintf (server->name, sizeof server->name, "%.*s", (int) name.size,
              (const char *) name.data);
    return server;
}

static void
keep (unsigned char *place, size_t *place_bytes, struct baton_bytes from)
{
    if (from.size > TRUTH_OFFER_BYTES) abort ();
    *place_bytes = from.size;
    if (from.size > 0) {
        memcpy (place, from.data, from.size);
    }
}

bool
truth_servers_offered (struct truth_servers *servers, const struct record_offered *offered)
{
    struct truth_server *server = find (servers, offered->name);

    if (!server) {
        server = add (servers, offered->name);
    }
    keep (server->set, &server->set_bytes, offered->set);
    keep (server->attributes, &server->attributes_bytes, offered->attributes);
    if (offered->state != OFFER_CURRENT || id_equal (server->instance, offered->instance)) {
        return true;
    }
    if (!id_is_none (server->instance)) {
        truth_former_add (&server->former, server->instance);
    }
    server->instance = offered->instance;
    return !truth_former_has (&server->former, offered->instance);
}

void
truth_servers_ended (struct truth_servers *servers, const struct record_server_ended *ended)
{
    struct truth_server *server = find (servers, ended->name);

    if (!server || ended->reason != ENDED_BY_NEW_INSTANCE) return;
    truth_former_add (&server->former, ended->instance);
    server->instance = (struct id) { 0, 0 };
}

void
truth_servers_retired (struct truth_servers *servers, struct baton_bytes name)
{
    struct truth_server *server = find (servers, name);

    if (!server) return;
    servers->count--;
    *server = servers->list[servers->count];
}

bool
truth_servers_fit (const struct truth_servers *servers, struct baton_bytes name,
                   struct baton_bytes requirement)
{
    const struct truth_server *server = find (servers, name);
    struct requirement_term terms[LIMIT_TERMS_MAX_COUNT];
    struct attribute items[LIMIT_ATTRIBUTES_MAX_COUNT];
    struct match_offer offer = { .name = name };
    struct requirement asked;
    struct evaluation evaluation;

    if (!server || requirement_view (requirement, terms, &asked)) return false;
    offer.set = (struct baton_bytes) { server->set, server->set_bytes };
    const struct baton_bytes stored = { server->attributes, server->attributes_bytes };
    if (attributes_view (stored, items, &offer.attributes)) return false;
    return match_evaluate (&asked, &offer, &evaluation) == MATCH_YES;
}
