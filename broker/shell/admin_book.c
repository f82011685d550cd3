// SPDX-License-Identifier: MPL-2.0
// admin_book.c tells of sessions and servers, and explains a placement. It only reads the book
// and the roster; rows come in the order of the log, so that pages of one question fit together.
#include "broker/core/place.h"
#include "broker/shell/loop.h"
#include "proto/requirement_text.h"

#include <string.h>

static struct baton_bytes
words (const char *text)
{
    return (struct baton_bytes) {text, strlen (text)};
}

static enum tell_flag
flag (bool yes)
{
    return yes ? TELL_YES : TELL_NO;
}

static const char *
session_state (const struct roster *roster, const struct session *session)
{
    if (!session->server) return "waiting for a server";
    if (!place_server_is_there (roster, session->server)) return "server away";
    if (!roster_session (roster, session)->client) return "client away";
    return "running";
}

static void
tell_session_ends (const struct session *session, struct tell *tell)
{
    const struct actor *server_end = session->server_end;

    tell_number (tell, "client_incarnation", session->client->incarnation.n);
    tell_number (tell, "client_version", session->client->version.n);
    tell_text (tell, "server",
               session->server ? blob_view (session->server->name) : words (""));
    tell_number (tell, "server_incarnation", server_end ? server_end->incarnation.n : 0);
    tell_number (tell, "server_version", server_end ? server_end->version.n : 0);
}

static void
tell_session (const struct loop *loop, const struct session *session, struct tell *tell)
{
    tell_text (tell, "session", blob_view (session->name));
    tell_id (tell, "id", session->id);
    tell_text (tell, "principal", blob_view (session->principal));
    tell_words (tell, "state", session_state (core_roster (loop->core), session));
    tell_session_ends (session, tell);
    tell_number (tell, "requests_open", session->open_count);
    tell_number (tell, "requests_bytes", session->requests_bytes);
    tell_number (tell, "requests_accepted_through", session->requests_accepted_through.n);
    tell_number (tell, "requests_consumed_through", session->requests_consumed_through.n);
    tell_number (tell, "responses_waiting", session->responses_last.n
                                                - session->responses_consumed_through.n);
    tell_number (tell, "responses_bytes", session->responses_bytes);
    tell_number (tell, "responses_last", session->responses_last.n);
    tell_number (tell, "responses_consumed_through", session->responses_consumed_through.n);
}

uint64_t
admin_tell_sessions (const struct loop *loop, const struct msg_admin_ask *ask,
                     struct tell *tell)
{
    const struct book *book = core_book (loop->core);
    const struct queue *at;
    uint64_t told = 0;

    queue_each (at, &book->sessions) {
        const struct session *session = queue_owner (at, struct session, in_book);
        // The record that opened a session is its row number: it rises along the list.
        if (session->opened.n <= ask->after) continue;
        if (ask->argument.size && !bytes_equal (ask->argument, blob_view (session->name))) {
            continue;
        }
        if (!tell_row (tell)) return told;
        tell_session (loop, session, tell);
        told = session->opened.n;
    }
    return 0;
}

// All attributes as `key="value"`, separated by commas.
static void
tell_attributes (const struct attributes *attributes, struct tell *tell)
{
    uint8_t data[LIMIT_TEXT_MAX_BYTES];
    struct pack pack;
    size_t size = 0;

    pack_init (&pack, data, sizeof data);
    for (uint32_t i = 0; i < attributes->count && pack_fits (&pack); i++) {
        size = pack.used_bytes;
        if (i > 0) {
            pack_bytes (&pack, words (", "));
        }
        attribute_print (&pack, &attributes->items[i]);
    }
    // What did not fit as a whole is left out.
    tell_copy (tell, "attributes",
               (struct baton_bytes) {data, pack_fits (&pack) ? pack.used_bytes : size});
}

static const char *
server_state (const struct roster *roster, const struct server *server)
{
    if (place_server_is_there (roster, server)) return "here";
    return server->offer == OFFER_KNOWN ? "away" : "retired";
}

static void
tell_server (const struct loop *loop, const struct server *server, struct tell *tell)
{
    const struct roster *roster = core_roster (loop->core);
    const struct baton_bytes set = blob_view (server->set);

    tell_text (tell, "server", blob_view (server->name));
    tell_words (tell, "state", server_state (roster, server));
    tell_text (tell, "set", match_set_is_default (set) ? words (MATCH_DEFAULT_SET) : set);
    tell_attributes (&server->items, tell);
    tell_number (tell, "capacity", server->capacity);
    tell_number (tell, "requests_open", server->open_count);
    tell_number (tell, "delivered_not_consumed", roster_server (roster, server)->held_count);
    tell_number (tell, "sessions_count", server->sessions_count);
    tell_number (tell, "credit_count", server->credit_count);
    tell_number (tell, "credit_bytes", server->credit_bytes);
    tell_number (tell, "offered_index", server->offered.n);
}

// Servers have no rising number of their own, so the page goes on by position.
uint64_t
admin_tell_servers (const struct loop *loop, const struct msg_admin_ask *ask,
                    struct tell *tell)
{
    const struct book *book = core_book (loop->core);
    const struct queue *lists[] = {&book->servers, &book->unoffered};
    uint64_t position = 0;

    for (uint32_t i = 0; i < 2; i++) {
        const struct queue *at;
        queue_each (at, lists[i]) {
            if (++position <= ask->after) continue;
            if (!tell_row (tell)) return position - 1;
            tell_server (loop, queue_owner (at, struct server, in_book), tell);
        }
    }
    return 0;
}

static const char *
outcome_words (const struct choice *choice)
{
    switch (choice->outcome) {
    case PLACE_FOUND: return "this server is chosen";
    case PLACE_AWAITED: return "the session waits for its server to come back";
    case PLACE_ABSENT: return "servers fit, but none of them is here";
    case PLACE_NONE: break;
    }
    return choice->miss.reason == MISS_NO_SERVER ? "no server is known"
                                                 : "no known server fits";
}

static void
tell_choice (const struct choice *choice, struct baton_bytes requirement, struct tell *tell)
{
    tell_words (tell, "outcome", outcome_words (choice));
    tell_text (tell, "server", choice->server ? blob_view (choice->server->name) : words (""));
    tell_number (tell, "fitting_count", choice->fitting_count);
    if (choice->outcome == PLACE_NONE) {
        tell_text (tell, "missing", place_missing_text (requirement, &choice->miss));
        tell_text (tell, "furthest_server", choice->miss.server);
    }
}

static void
tell_failed_term (const struct requirement *requirement, uint32_t failed_index,
                  struct tell *tell)
{
    uint8_t data[LIMIT_TEXT_MAX_BYTES];
    struct pack pack;

    if (failed_index == EVALUATION_NO_TERM) {
        tell_words (tell, "fails", "not in the default set");
        return;
    }
    pack_init (&pack, data, sizeof data);
    requirement_term_print (&pack, &requirement->terms[failed_index]);
    tell_copy (tell, "fails",
               (struct baton_bytes) {data, pack_fits (&pack) ? pack.used_bytes : 0});
}

static void
tell_match (const struct loop *loop, const struct requirement *requirement,
            const struct server *server, struct tell *tell)
{
    const struct roster *roster = core_roster (loop->core);
    const struct match_offer offer = {
        blob_view (server->name), blob_view (server->set), server->items};
    struct evaluation evaluation;
    const enum match match = match_evaluate (requirement, &offer, &evaluation);

    tell_text (tell, "server", offer.name);
    tell_flag (tell, "fits", flag (match == MATCH_YES));
    if (match == MATCH_YES) {
        tell_words (tell, "fails", "");
    } else {
        tell_failed_term (requirement, evaluation.failed_index, tell);
    }
    tell_words (tell, "state", server_state (roster, server));
    tell_number (tell, "capacity", server->capacity);
    tell_number (tell, "requests_open", server->open_count);
}

// What is explained: a session by its name, or a requirement.
struct subject {
    struct baton_bytes requirement;
    const struct server *before;
};

static bool
find_subject (const struct loop *loop, const struct msg_admin_ask *ask, struct subject *subject,
              struct msg_refused *refused)
{
    const struct book *book = core_book (loop->core);
    const struct queue *at;

    *subject = (struct subject) {ask->requirement, NULL};
    if (ask->argument.size == 0) return true;
    queue_each (at, &book->sessions) {
        const struct session *session = queue_owner (at, struct session, in_book);
        if (!bytes_equal (ask->argument, blob_view (session->name))) continue;
        *subject = (struct subject) {blob_view (session->requirement), session->server};
        return true;
    }
    refused->refusal = REFUSAL_NO_SUCH_SESSION;
    return false;
}

uint64_t
admin_tell_explain (const struct loop *loop, const struct msg_admin_ask *ask,
                    struct tell *tell, struct msg_refused *refused)
{
    const struct book *book = core_book (loop->core);
    struct requirement_term terms[LIMIT_TERMS_MAX_COUNT];
    struct requirement requirement;
    struct subject subject;
    struct choice choice;
    uint64_t position = 0;
    const struct queue *at;

    if (!find_subject (loop, ask, &subject, refused)) return ADMIN_REFUSED;
    if (requirement_view (subject.requirement, terms, &requirement) != BATON_OK) {
        refused->refusal = REFUSAL_MALFORMED;
        refused->text = words ("requirement");
        return ADMIN_REFUSED;
    }
    if (ask->after == 0) {
        place_choose (book, core_roster (loop->core), subject.requirement, subject.before,
                      loop->turn.now_ns, &choice);
        tell_row (tell);
        tell_choice (&choice, subject.requirement, tell);
    }
    queue_each (at, &book->servers) {
        if (++position <= ask->after) continue;
        if (!tell_row (tell)) return position - 1;
        tell_match (loop, &requirement, queue_owner (at, struct server, in_book), tell);
    }
    return 0;
}
