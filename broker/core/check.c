// SPDX-License-Identifier: MPL-2.0
#include "broker/core/check.h"

#include "proto/assert.h"

struct sums {
    uint64_t requests_count;
    uint64_t requests_bytes;
    uint64_t responses_count;
    uint64_t responses_bytes;
};

static void
check_marks (const struct session *session)
{
    ASSERT (session->requests_consumed_through.n <= session->requests_accepted_through.n);
    ASSERT (session->suspect_through.n <= session->requests_accepted_through.n);
    ASSERT (session->responses_consumed_through.n <= session->responses_last.n);
}

static void
check_requests (const struct session *session, struct sums *sums, uint32_t attempts_max)
{
    uint32_t open_count = 0;
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < session->requests.length; i++) {
        const struct request_seq seq = { session->requests.first + i };
        const struct request *request = session_request (session, seq);
        if (!request) continue;
        ASSERT (request->seq.n == seq.n);
        ASSERT (request->seq.n <= session->requests_accepted_through.n);
        ASSERT (request->attempts < attempts_max);
        ASSERT (request->home);
        open_count++;
        bytes += request->body.size;
    }
    ASSERT (open_count == session->open_count);
    ASSERT (bytes == session->requests_bytes);
    sums->requests_count += open_count;
    sums->requests_bytes += bytes;
}

static void
check_responses (const struct session *session, struct sums *sums)
{
    uint64_t bytes = 0;

    for (uint64_t i = session->responses_consumed_through.n + 1;
         i <= session->responses_last.n; i++) {
        const struct response *response = session_response (session, (struct response_seq) { i });
        ASSERT (response);
        ASSERT (response->seq.n == i);
        ASSERT (response->request.n <= session->requests_accepted_through.n);
        ASSERT (!session_request (session, response->request));
        bytes += response->body.size;
        sums->responses_count++;
    }
    ASSERT (bytes == session->responses_bytes);
    sums->responses_bytes += bytes;
}

static void
check_ends (const struct book *book, const struct session *session)
{
    ASSERT (session->opened.n <= book->last_index.n);
    ASSERT (session->client->incarnation.n <= book->last_index.n);
    ASSERT (session->client->incarnation.n > 0);
    ASSERT (book_session (book, session->id) == session);
    ASSERT (book_actor (book, session->client->id) == session->client);
    ASSERT (!session->server == !session->server_end);
    if (session->server_end) {
        ASSERT (session->server_end->incarnation.n == session->bound.n);
        ASSERT (session->server_end->incarnation.n != session->client->incarnation.n);
        ASSERT (book_actor (book, session->server_end->id) == session->server_end);
    }
}

static void
check_server (const struct book *book, const struct server *server)
{
    uint64_t open_count = 0;
    uint32_t sessions_count = 0;
    const struct queue *link;

    queue_each (link, &server->sessions) {
        const struct session *session = queue_owner (link, const struct session, in_server);
        ASSERT (session->server == server);
        open_count += session->open_count;
        sessions_count++;
    }
    ASSERT (open_count == server->open_count);
    ASSERT (sessions_count == server->sessions_count);
    ASSERT (book_server (book, blob_view (server->name)) == server);
    ASSERT (server->offered.n <= book->last_index.n);
    ASSERT (server->offer == OFFER_KNOWN || sessions_count > 0);
}

void
book_check (const struct book *book, uint32_t attempts_max)
{
    struct sums sums = { 0 };
    const struct queue *link;

    queue_each (link, &book->sessions) {
        const struct session *session = queue_owner (link, const struct session, in_book);
        check_marks (session);
        check_requests (session, &sums, attempts_max);
        check_responses (session, &sums);
        check_ends (book, session);
    }
    queue_each (link, &book->servers) {
        check_server (book, queue_owner (link, const struct server, in_book));
    }
    queue_each (link, &book->unoffered) {
        check_server (book, queue_owner (link, const struct server, in_book));
    }
    ASSERT (sums.requests_count == book->requests_count);
    ASSERT (sums.requests_bytes == book->requests_bytes);
    ASSERT (sums.responses_count == book->responses_count);
    ASSERT (sums.responses_bytes == book->responses_bytes);
}
