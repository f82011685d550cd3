// SPDX-License-Identifier: MPL-2.0
// baton_session.c has the calls on one session: each drives the engine in the caller's thread
// until it has an answer or the time is over.
#include "client/client_inner.h"

#include "proto/requirement_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert ((int) BATON_STATUS_REPLY == (int) RESPONSE_REPLY, "same numbers");
_Static_assert ((int) BATON_STATUS_FAILED == (int) RESPONSE_FAILED, "same numbers");
_Static_assert ((int) BATON_STATUS_EXPIRED == (int) RESPONSE_EXPIRED, "same numbers");
_Static_assert ((int) BATON_STATUS_CANCELLED == (int) RESPONSE_CANCELLED, "same numbers");

static void
say_fault (struct handle *handle, const char *text, const struct text_fault *fault)
{
    (void) snprintf (handle->text, sizeof handle->text, "requirement, at byte %zu: %s, in: %s",
                     fault->position_bytes, fault->sentence, text);
}

// Room for a requirement in both forms; some 20 KiB, so not on the stack.
struct parse_room {
    struct requirement_room text;
    unsigned char stored[LIMIT_REQUIREMENT_MAX_BYTES];
};

static enum baton_err
parse (struct handle *handle, const char *text, struct parse_room *room,
       struct baton_bytes *stored)
{
    struct requirement requirement;
    struct text_fault fault;
    if (requirement_parse ((struct baton_bytes) {text, strlen (text)}, &room->text, &requirement,
                           &fault)) {
        say_fault (handle, text, &fault);
        return BATON_BAD_ARGUMENT;
    }
    size_t size = 0;
    enum baton_err err = requirement_encode (&requirement, room->stored, sizeof room->stored,
                                             &size);
    *stored = (struct baton_bytes) {room->stored, size};
    return err;
}

static enum baton_err
open_with (struct baton_client *self, const char *name, const char *requirement,
           struct baton_session **session)
{
    struct baton_bytes stored = {0};
    if (!requirement || !requirement[0]) return client_open (self, name, stored, session);

    struct parse_room *room = malloc (sizeof *room);
    if (!room) return BATON_NO_MEMORY;
    enum baton_err err = parse (&self->handle, requirement, room, &stored);
    if (!err) {
        err = client_open (self, name, stored, session);
    }
    free (room);
    return err;
}

enum baton_err
baton_client_open (baton_client_t *self, const char *name, const char *requirement,
                   baton_session_t **session)
{
    if (!session) return BATON_BAD_ARGUMENT;
    *session = NULL;
    enum baton_err err = handle_enter (self ? &self->handle : NULL);
    if (err) return err;

    return handle_leave (&self->handle, open_with (self, name, requirement, session));
}

static enum baton_err
enter (const struct baton_session *self)
{
    enum baton_err err = handle_enter (self ? &self->client->handle : NULL);
    if (err) return err;

    link_session_back (self->inner);
    return BATON_OK;
}

// Ends a call; what the broker said to an error is kept for baton_client_error_text.
static enum baton_err
leave (const struct baton_session *self, enum baton_err err)
{
    struct handle *handle = &self->client->handle;
    if (err && err == link_session_error (self->inner) && !handle->text[0]) {
        const char *text = link_session_error_text (self->inner);
        handle_say (handle, baton_strerror (err), text[0] ? text : NULL);
    }
    return handle_leave (handle, err);
}

// Makes room in a full window: what waits leaves, and acknowledgements are taken.
static enum baton_err
make_room (struct baton_session *self, uint64_t deadline_ns)
{
    enum baton_err err = link_session_push (self->inner);
    if (err && err != BATON_BUSY) return err;
    return handle_wait_room (&self->client->handle, deadline_ns);
}

enum baton_err
baton_session_send (baton_session_t *self, const void *data, size_t size, uint64_t *seq)
{
    if (!data && size > 0) return BATON_BAD_ARGUMENT;
    enum baton_err err = enter (self);
    if (err) return err;

    struct handle *handle = &self->client->handle;
    uint64_t deadline_ns = 0;
    struct request_seq given = {0};
    err = link_session_send (self->inner, (struct baton_bytes) {data, size}, &given);
    while (err == BATON_BUSY) {
        deadline_ns = deadline_ns ? deadline_ns : handle_deadline_ns (handle->timeout_ms);
        err = make_room (self, deadline_ns);
        if (err) break;
        err = link_session_send (self->inner, (struct baton_bytes) {data, size}, &given);
    }
    handle_pump_work (handle);
    if (seq) {
        *seq = given.n;
    }
    return leave (self, err);
}

enum baton_err
baton_session_commit (baton_session_t *self, const void *data, size_t size)
{
    if (!data && size > 0) return BATON_BAD_ARGUMENT;
    enum baton_err err = enter (self);
    if (err) return err;

    struct handle *handle = &self->client->handle;
    uint64_t deadline_ns = 0;
    err = link_session_commit (self->inner, (struct baton_bytes) {data, size});
    while (err == BATON_BUSY) {
        deadline_ns = deadline_ns ? deadline_ns : handle_deadline_ns (handle->timeout_ms);
        err = handle_wait_room (handle, deadline_ns);
        if (err) break;
        err = link_session_commit (self->inner, (struct baton_bytes) {data, size});
    }
    if (err == BATON_TOO_LARGE) {
        handle_say (handle, "restart data is over its limit; keep position, length and digest there"
                            " and the bulk in a file that is synced before the commit", NULL);
    }
    handle_pump_work (handle);
    return leave (self, err);
}

static enum baton_err
flush (struct baton_session *self, int timeout_ms)
{
    struct handle *handle = &self->client->handle;
    uint64_t deadline_ns = handle_deadline_ns (timeout_ms);
    enum baton_err err = link_session_flush (self->inner);
    handle_pump (handle);
    while (!err && !link_session_is_safe (self->inner)) {
        err = handle_sleep (handle, deadline_ns);
        if (!err) {
            err = link_session_error (self->inner);
        }
    }
    return err ? err : link_session_error (self->inner);
}

enum baton_err
baton_session_flush (baton_session_t *self, int timeout_ms)
{
    enum baton_err err = enter (self);
    return err ? err : leave (self, flush (self, timeout_ms));
}

static enum baton_err
receive (struct baton_session *self, int timeout_ms, struct msg_response *response)
{
    struct handle *handle = &self->client->handle;
    enum baton_err err = link_session_recv (self->inner, response);
    if (!err) {
        handle_pump_work (handle);
        return BATON_OK;
    }
    uint64_t deadline_ns = handle_deadline_ns (timeout_ms);
    if (err == BATON_NOT_FOUND) {
        (void) link_session_push (self->inner);
        handle_pump (handle);
        err = link_session_recv (self->inner, response);
    }
    while (err == BATON_NOT_FOUND) {
        err = handle_sleep (handle, deadline_ns);
        if (err) return err;
        err = link_session_recv (self->inner, response);
    }
    return err;
}

enum baton_err
baton_session_recv (baton_session_t *self, int timeout_ms, struct baton_response *response)
{
    if (!response) return BATON_BAD_ARGUMENT;
    enum baton_err err = enter (self);
    if (err) return err;

    struct msg_response inner;
    err = receive (self, timeout_ms, &inner);
    if (!err) {
        *response = (struct baton_response) {
            .seq = inner.seq.n,
            .request = inner.request.n,
            .status = (enum baton_status) inner.status,
            .body = inner.body,
        };
    }
    return leave (self, err);
}

// Waits while open requests may still be on their way.
static enum baton_err
next_open_request (struct baton_session *self, struct msg_request *request)
{
    struct handle *handle = &self->client->handle;
    uint64_t deadline_ns = handle_deadline_ns (handle->timeout_ms);
    handle_pump (handle);
    for (;;) {
        bool all_here = link_session_phase (self->inner) == LINK_SESSION_LIVE;
        enum baton_err err = link_session_open_request (self->inner, request);
        if (err != BATON_NOT_FOUND || all_here) return err;
        err = handle_sleep (handle, deadline_ns);
        if (err) return err;
    }
}

enum baton_err
baton_session_next_open_request (baton_session_t *self, struct baton_request *request)
{
    if (!request) return BATON_BAD_ARGUMENT;
    enum baton_err err = enter (self);
    if (err) return err;

    struct msg_request inner;
    err = next_open_request (self, &inner);
    if (!err) {
        *request = (struct baton_request) {.seq = inner.seq.n, .body = inner.body};
    }
    return leave (self, err);
}

enum baton_err
baton_session_set_commit_mode (baton_session_t *self, enum baton_commit_mode mode)
{
    if (mode != BATON_COMMIT_AUTO && mode != BATON_COMMIT_BY_HAND) return BATON_BAD_ARGUMENT;
    enum baton_err err = enter (self);
    if (err) return err;

    err = link_session_set_mode (self->inner, mode == BATON_COMMIT_AUTO ? LINK_COMMIT_BY_SEND
                                                                        : LINK_COMMIT_BY_HAND);
    return leave (self, err ? BATON_BAD_ARGUMENT : BATON_OK);
}

// Waits for the broker's word that the session is gone; BATON_OK then.
static enum baton_err
await_closed (struct baton_session *self)
{
    struct handle *handle = &self->client->handle;
    uint64_t deadline_ns = handle_deadline_ns (handle->timeout_ms);
    link_session_close (self->inner);
    handle_pump (handle);
    enum baton_err err = link_session_error (self->inner);
    while (!err) {
        err = handle_sleep (handle, deadline_ns);
        if (!err) {
            err = link_session_error (self->inner);
        }
    }
    return err == BATON_CLOSED ? BATON_OK : err;
}

enum baton_err
baton_session_close (baton_session_t **self)
{
    if (!self || !*self) return BATON_BAD_ARGUMENT;
    struct baton_session *session = *self;
    struct handle *handle = &session->client->handle;
    enum baton_err err = enter (session);
    if (err) return err;

    err = await_closed (session);
    if (err) return leave (session, err);
    client_free_session (session);
    *self = NULL;
    return handle_leave (handle, BATON_OK);
}

void
baton_session_destroy (baton_session_t **self)
{
    if (!self || !*self) return;
    struct baton_session *session = *self;
    struct handle *handle = &session->client->handle;
    if (enter (session)) return;

    if (session->throw_away && !link_session_error (session->inner)) {
        // Closed in the background; the rest of it goes with the client.
        session->opened = false;
        link_session_close (session->inner);
    } else {
        (void) link_session_push (session->inner);
        handle_pump (handle);
        client_free_session (session);
    }
    handle_pump (handle);
    *self = NULL;
    (void) handle_leave (handle, BATON_OK);
}

struct baton_bytes
baton_session_restart_data (const baton_session_t *self)
{
    return self ? link_session_restart_data (self->inner) : (struct baton_bytes) {NULL, 0};
}

uint64_t
baton_session_last_seq (const baton_session_t *self)
{
    return self ? link_session_last_seq (self->inner).n : 0;
}

uint64_t
baton_session_incarnation (const baton_session_t *self)
{
    return self ? link_session_incarnation (self->inner).n : 0;
}

const char *
baton_session_name (const baton_session_t *self)
{
    return self ? self->name : "";
}

const char *
baton_session_id (const baton_session_t *self)
{
    return self ? self->id_text : "";
}
