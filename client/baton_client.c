// SPDX-License-Identifier: MPL-2.0
#include "client/baton_client.h"

#include "client/client_inner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool
has_news (const struct baton_session *session)
{
    return link_session_has_response (session->inner) || link_session_error (session->inner);
}

// For the descriptor: whether a session has something to tell.
static int
is_ready (const struct handle *handle)
{
    const struct baton_client *self = (const struct baton_client *) (const void *) handle;
    for (const struct baton_session *one = self->sessions; one; one = one->next) {
        if (one->opened && has_news (one)) return 1;
    }
    return 0;
}

baton_client_t *
baton_client_new (const char *endpoints)
{
    struct baton_client *self = calloc (1, sizeof *self);
    if (!self) return NULL;

    enum baton_err err = handle_init (&self->handle, END_CLIENT, endpoints, NULL, 0, is_ready);
    if (err) {
        int error = handle_errno (err);
        free (self);
        errno = error;
        return NULL;
    }
    return self;
}

// Whether the linger time has nothing left to wait for.
static bool
is_settled (const struct baton_client *self)
{
    if (link_error (self->handle.link)) return true;
    for (const struct baton_session *one = self->sessions; one; one = one->next) {
        if (link_session_error (one->inner)) continue;
        if (one->throw_away || !link_session_is_safe (one->inner)) return false;
    }
    return true;
}

// Seals what waits, closes what is thrown away, and waits a while for it to be safe.
static void
settle (struct baton_client *self)
{
    for (struct baton_session *one = self->sessions; one; one = one->next) {
        if (one->opened && !one->throw_away) {
            (void) link_session_flush (one->inner);
        } else if (one->throw_away) {
            link_session_close (one->inner);
        }
    }
    uint64_t deadline_ns = handle_deadline_ns (self->handle.linger_ms);
    handle_pump (&self->handle);
    while (!is_settled (self)) {
        enum baton_err err = handle_sleep (&self->handle, deadline_ns);
        if (err && err != BATON_INTERRUPTED) break;
    }
    link_goodbye (self->handle.link);
    handle_pump (&self->handle);
}

static void
free_session (struct baton_session *self)
{
    struct baton_session **at = &self->client->sessions;
    while (*at != self) {
        at = &(*at)->next;
    }
    *at = self->next;
    link_session_free (&self->inner);
    free (self);
}

void
baton_client_destroy (baton_client_t **self)
{
    if (!self || !*self) return;
    struct baton_client *client = *self;
    if (handle_enter (&client->handle)) return;

    settle (client);
    while (client->sessions) {
        free_session (client->sessions);
    }
    (void) handle_leave (&client->handle, BATON_OK);
    handle_fini (&client->handle);
    free (client);
    *self = NULL;
}

enum baton_err
baton_client_set_timeout (baton_client_t *self, int timeout_ms)
{
    enum baton_err err = handle_enter (self ? &self->handle : NULL);
    if (err) return err;

    self->handle.timeout_ms = timeout_ms;
    return handle_leave (&self->handle, BATON_OK);
}

enum baton_err
baton_client_set_linger (baton_client_t *self, int linger_ms)
{
    enum baton_err err = handle_enter (self ? &self->handle : NULL);
    if (err) return err;

    self->handle.linger_ms = linger_ms;
    return handle_leave (&self->handle, BATON_OK);
}

// The session that is open, or on its way, under [name]; NULL if there is none.
static struct baton_session *
find_session (const struct baton_client *self, struct baton_bytes name)
{
    struct baton_session *one = self->sessions;
    for (; one; one = one->next) {
        struct baton_bytes other = link_session_name (one->inner);
        if (!one->throw_away && other.size == name.size
            && memcmp (other.data, name.data, name.size) == 0) return one;
    }
    return NULL;
}

static enum baton_err
begin_session (struct baton_client *self, struct baton_bytes name, struct baton_bytes requirement,
               struct baton_session **session)
{
    struct baton_session *made = calloc (1, sizeof *made);
    if (!made) return BATON_NO_MEMORY;

    enum baton_err err = link_session_open (self->handle.link, name, requirement, &made->inner);
    if (err) {
        free (made);
        return err;
    }
    made->client = self;
    made->next = self->sessions;
    self->sessions = made;
    *session = made;
    return BATON_OK;
}

// A throw-away session has a name that nobody else has.
static enum baton_err
make_up_name (char name[HANDLE_ID_TEXT_MAX])
{
    struct id id;
    enum baton_err err = handle_random (&id);
    if (!err) {
        handle_id_text (id, name);
    }
    return err;
}

static enum baton_err
find_or_begin (struct baton_client *self, const char *name, struct baton_bytes requirement,
               struct baton_session **session)
{
    char made_up[HANDLE_ID_TEXT_MAX];
    if (!name) {
        enum baton_err err = make_up_name (made_up);
        if (err) return err;
        err = begin_session (self, (struct baton_bytes) {made_up, strlen (made_up)}, requirement,
                             session);
        if (!err) {
            (*session)->throw_away = true;
        }
        return err;
    }
    struct baton_bytes bytes = {name, strlen (name)};
    if (bytes.size == 0 || bytes.size > LIMIT_NAME_MAX_BYTES) {
        handle_say (&self->handle, "a session's name has 1 to 255 bytes", NULL);
        return BATON_BAD_ARGUMENT;
    }
    *session = find_session (self, bytes);
    if (!*session) return begin_session (self, bytes, requirement, session);
    if (!(*session)->opened) return BATON_OK;

    handle_say (&self->handle, "the session is open in this client already", name);
    return BATON_BAD_ARGUMENT;
}

// Waits until the broker answered. A refused session goes; one without an answer stays.
static enum baton_err
await_opened (struct baton_client *self, struct baton_session *session)
{
    uint64_t deadline_ns = handle_deadline_ns (self->handle.timeout_ms);
    handle_pump (&self->handle);
    enum baton_err err = BATON_OK;
    while (!err && link_session_phase (session->inner) == LINK_SESSION_OPENING) {
        err = handle_sleep (&self->handle, deadline_ns);
    }
    enum baton_err refusal = link_session_error (session->inner);
    if (refusal) {
        const char *text = link_session_error_text (session->inner);
        handle_say (&self->handle, baton_strerror (refusal), text[0] ? text : NULL);
        free_session (session);
        return refusal;
    }
    if (err && session->throw_away) {
        // Nobody can name it again. If it was made after all, closing it is all that is left.
        link_session_close (session->inner);
    }
    return err;
}

// Throw-away sessions that were let go, and are closed by now, need nothing any more.
static void
free_closed (struct baton_client *self)
{
    struct baton_session *one = self->sessions;
    while (one) {
        struct baton_session *next = one->next;
        if (one->throw_away && !one->opened && link_session_error (one->inner)) {
            free_session (one);
        }
        one = next;
    }
}

enum baton_err
client_open (struct baton_client *self, const char *name, struct baton_bytes requirement,
             struct baton_session **session)
{
    struct baton_session *made;
    free_closed (self);
    enum baton_err err = find_or_begin (self, name, requirement, &made);
    if (err) return err;
    err = await_opened (self, made);
    if (err) return err;

    made->opened = true;
    handle_id_text (link_session_id (made->inner), made->id_text);
    struct baton_bytes bytes = link_session_name (made->inner);
    if (!made->throw_away) {
        memcpy (made->name, bytes.data, bytes.size);
    }
    *session = made;
    return BATON_OK;
}

// The next session in turn with something to tell.
static struct baton_session *
next_with_news (struct baton_client *self)
{
    struct baton_session *found = NULL;
    struct baton_session *after = NULL;
    bool behind = false;
    for (struct baton_session *one = self->sessions; one; one = one->next) {
        bool news = one->opened && has_news (one);
        if (news && !found) {
            found = one;
        }
        if (news && behind && !after) {
            after = one;
        }
        behind = behind || one == self->last_turn;
    }
    return after ? after : found;
}

static void
push_all (struct baton_client *self)
{
    for (struct baton_session *one = self->sessions; one; one = one->next) {
        if (one->opened) {
            // Its own next call tells what is wrong with it.
            (void) link_session_push (one->inner);
        }
    }
}

static bool
has_opened (const struct baton_client *self)
{
    const struct baton_session *one = self->sessions;
    while (one && !one->opened) {
        one = one->next;
    }
    return one;
}

static enum baton_err
wait_for_news (struct baton_client *self, int timeout_ms, struct baton_session **session)
{
    uint64_t deadline_ns = handle_deadline_ns (timeout_ms);
    push_all (self);
    handle_pump (&self->handle);
    for (;;) {
        struct baton_session *found = next_with_news (self);
        if (found) {
            self->last_turn = found;
            *session = found;
            return BATON_OK;
        }
        enum baton_err err = handle_sleep (&self->handle, deadline_ns);
        if (err) return err;
    }
}

enum baton_err
baton_client_wait (baton_client_t *self, int timeout_ms, baton_session_t **session)
{
    if (session) {
        *session = NULL;
    }
    enum baton_err err = handle_enter (self ? &self->handle : NULL);
    if (err) return err;

    err = session && has_opened (self) ? wait_for_news (self, timeout_ms, session)
                                       : BATON_BAD_ARGUMENT;
    return handle_leave (&self->handle, err);
}

int
baton_client_fd (const baton_client_t *self)
{
    return self ? self->handle.watch_fd : -1;
}

const char *
baton_client_error_text (const baton_client_t *self)
{
    return self ? self->handle.text : "";
}

enum baton_err
baton_client_read_counters (baton_client_t *self, struct baton_client_counters *counters)
{
    if (!counters) return BATON_BAD_ARGUMENT;
    enum baton_err err = handle_enter (self ? &self->handle : NULL);
    if (err) return err;

    const struct link_counters *from = link_counters (self->handle.link);
    *counters = (struct baton_client_counters) {
        .commits = from->commits,
        .commits_resent = from->commits_resent,
        .duplicates = from->duplicates,
        .requests = from->requests,
        .responses = from->responses,
        .redelivered = from->redelivered,
        .welcomes = from->welcomes,
        .links_lost = from->links_lost,
        .busy = from->busy,
        .refused = from->refused,
        .ignored = from->ignored,
        .epoch = link_epoch (self->handle.link).n,
    };
    return handle_leave (&self->handle, BATON_OK);
}

void
client_free_session (struct baton_session *session)
{
    struct baton_client *self = session->client;
    if (self->last_turn == session) {
        self->last_turn = NULL;
    }
    free_session (session);
}
