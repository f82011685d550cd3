// SPDX-License-Identifier: MPL-2.0
#include "server/baton_server.h"

#include "server/server_inner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Replies of quick handlers gather for this long before they leave together.
#define GATHER_NS UINT64_C (2000000)

// For the descriptor: whether there is a task, or an ended session to tell.
static int
is_ready (const struct handle *handle)
{
    return link_server_has_task (handle->link) || link_server_offer_error (handle->link);
}

// "host-pid": says where it is, and is another one after a restart.
static void
make_up_name (char name[LIMIT_NAME_MAX_BYTES + 1])
{
    char host[200] = "";
    if (gethostname (host, sizeof host - 1) || !host[0]) {
        (void) snprintf (host, sizeof host, "server");
    }
    (void) snprintf (name, LIMIT_NAME_MAX_BYTES + 1, "%s-%ld", host, (long) getpid ());
}

static enum baton_err
init (struct baton_server *self, const char *endpoints, const char *name)
{
    if (!name) {
        make_up_name (self->name);
    } else if (!name[0] || strlen (name) > LIMIT_NAME_MAX_BYTES) {
        return BATON_BAD_ARGUMENT;
    } else {
        memcpy (self->name, name, strlen (name));
    }
    self->capacity = 1;
    self->credit_count = LIMIT_CREDIT_COUNT;
    self->credit_bytes = LIMIT_CREDIT_BYTES;
    self->offer_changed = true;
    return handle_init (&self->handle, END_SERVER, endpoints, self->name,
                        sizeof (struct baton_task), is_ready);
}

baton_server_t *
baton_server_new (const char *endpoints, const char *name)
{
    struct baton_server *self = calloc (1, sizeof *self);
    if (!self) return NULL;

    enum baton_err err = init (self, endpoints, name);
    if (err) {
        int error = handle_errno (err);
        free (self);
        errno = error;
        return NULL;
    }
    return self;
}

// Lets what was committed become safe, for a while, and says goodbye.
static void
settle (struct baton_server *self)
{
    struct handle *handle = &self->handle;
    uint64_t deadline_ns = handle_deadline_ns (handle->linger_ms);
    (void) link_server_flush (handle->link);
    handle_pump (handle);
    while (!link_error (handle->link) && !link_server_is_safe (handle->link)) {
        enum baton_err err = handle_sleep (handle, deadline_ns);
        if (err && err != BATON_INTERRUPTED) break;
    }
    link_goodbye (handle->link);
    handle_pump (handle);
    (void) handle_sleep (handle, handle_deadline_ns (SERVER_GOODBYE_MS));
}

void
baton_server_destroy (baton_server_t **self)
{
    if (!self || !*self) return;
    struct baton_server *server = *self;
    if (handle_enter (&server->handle)) return;

    settle (server);
    (void) handle_leave (&server->handle, BATON_OK);
    handle_fini (&server->handle);
    server_offer_fini (server);
    free (server);
    *self = NULL;
}

enum baton_err
baton_server_set_linger (baton_server_t *self, int linger_ms)
{
    enum baton_err err = handle_enter (self ? &self->handle : NULL);
    if (err) return err;

    self->handle.linger_ms = linger_ms;
    return handle_leave (&self->handle, BATON_OK);
}

enum baton_err
baton_server_set_timeout (baton_server_t *self, int timeout_ms)
{
    enum baton_err err = handle_enter (self ? &self->handle : NULL);
    if (err) return err;

    self->handle.timeout_ms = timeout_ms;
    return handle_leave (&self->handle, BATON_OK);
}

enum baton_err
baton_server_set_mode (baton_server_t *self, enum baton_server_mode mode)
{
    if (mode != BATON_SERVER_BY_REPLY && mode != BATON_SERVER_BY_HAND) return BATON_BAD_ARGUMENT;
    enum baton_err err = handle_enter (self ? &self->handle : NULL);
    if (err) return err;

    link_server_set_mode (self->handle.link, mode == BATON_SERVER_BY_REPLY ? LINK_TASK_BY_REPLY
                                                                          : LINK_TASK_BY_HAND);
    return handle_leave (&self->handle, BATON_OK);
}

enum baton_err
baton_server_set_abort (baton_server_t *self, baton_abort_fn *tell, void *context)
{
    enum baton_err err = handle_enter (self ? &self->handle : NULL);
    if (err) return err;

    self->tell = tell;
    self->tell_context = context;
    return handle_leave (&self->handle, BATON_OK);
}

// Tells the application which live state is void, before it gets a task that builds on it.
static void
tell_aborts (struct baton_server *self)
{
    struct link_abort lost;
    while (link_server_next_abort (self->handle.link, &lost) == BATON_OK) {
        if (!self->tell) continue;
        char text[HANDLE_ID_TEXT_MAX];
        handle_id_text (lost.session, text);
        enum baton_err reason = lost.reason == BATON_FENCED ? BATON_FENCED : BATON_CLOSED;
        self->tell (text, reason, self->tell_context);
    }
}

static enum baton_err
refused_offer (struct baton_server *self)
{
    enum baton_err err = link_server_offer_error (self->handle.link);
    if (!err) return BATON_OK;

    handle_say (&self->handle, "the offer was refused", link_error_text (self->handle.link));
    return err == BATON_DENIED ? BATON_DENIED : BATON_REFUSED;
}

// Replies leave now if nothing more is here to do, or if the oldest has waited long enough.
static void
flush_if_due (struct baton_server *self)
{
    struct link *link = self->handle.link;
    if (!link_server_has_task (link) || link_server_waits_ns (link) >= GATHER_NS) {
        // What does not fit the window goes when acknowledgements come.
        (void) link_server_flush (link);
    }
}

static enum baton_err
next_task (struct baton_server *self, int timeout_ms, struct link_task **task)
{
    uint64_t deadline_ns = handle_deadline_ns (timeout_ms);
    struct handle *handle = &self->handle;
    enum baton_err err = server_tell_offer (self);
    if (err) return err;

    handle_pump (handle);
    flush_if_due (self);
    handle_pump_work (handle);
    for (;;) {
        tell_aborts (self);
        err = refused_offer (self);
        if (err) return err;
        err = link_server_next (handle->link, task);
        if (err != BATON_NOT_FOUND) return err;
        (void) link_server_flush (handle->link);
        handle_pump_work (handle);
        err = handle_sleep (handle, deadline_ns);
        if (err) return err;
    }
}

enum baton_err
baton_server_next (baton_server_t *self, int timeout_ms, baton_task_t **task)
{
    if (!task) return BATON_BAD_ARGUMENT;
    *task = NULL;
    enum baton_err err = handle_enter (self ? &self->handle : NULL);
    if (err) return err;

    struct link_task *inner = NULL;
    err = next_task (self, timeout_ms, &inner);
    if (!err) {
        *task = server_wrap_task (self, inner);
    } else if (err == link_error (self->handle.link)) {
        handle_say (&self->handle, baton_strerror (err), link_error_text (self->handle.link));
    }
    return handle_leave (&self->handle, err);
}

enum baton_err
baton_server_run (baton_server_t *self, baton_server_fn *handler, void *context)
{
    if (!self || !handler) return BATON_BAD_ARGUMENT;
    for (;;) {
        baton_task_t *task;
        enum baton_err err = baton_server_next (self, -1, &task);
        if (err) return err;
        if (handler (task, context)) break;
    }
    enum baton_err err = baton_server_flush (self, self->handle.linger_ms);
    return err == BATON_TIMED_OUT ? BATON_OK : err;
}

static enum baton_err
flush (struct baton_server *self, int timeout_ms)
{
    struct handle *handle = &self->handle;
    uint64_t deadline_ns = handle_deadline_ns (timeout_ms);
    for (;;) {
        enum baton_err err = link_server_flush (handle->link);
        if (err && err != BATON_BUSY) return err;
        handle_pump (handle);
        if (!err && link_server_is_safe (handle->link)) return link_error (handle->link);
        err = handle_sleep (handle, deadline_ns);
        if (err) return err;
    }
}

enum baton_err
baton_server_flush (baton_server_t *self, int timeout_ms)
{
    enum baton_err err = handle_enter (self ? &self->handle : NULL);
    return err ? err : handle_leave (&self->handle, flush (self, timeout_ms));
}

int
baton_server_fd (const baton_server_t *self)
{
    return self ? self->handle.watch_fd : -1;
}

const char *
baton_server_error_text (const baton_server_t *self)
{
    return self ? self->handle.text : "";
}

const char *
baton_server_name (const baton_server_t *self)
{
    return self ? self->name : "";
}

enum baton_err
baton_server_read_counters (baton_server_t *self, struct baton_server_counters *counters)
{
    if (!counters) return BATON_BAD_ARGUMENT;
    enum baton_err err = handle_enter (self ? &self->handle : NULL);
    if (err) return err;

    const struct link_counters *from = link_counters (self->handle.link);
    *counters = (struct baton_server_counters) {
        .tasks = from->tasks,
        .hits = from->hits,
        .reloads = from->reloads,
        .redelivered = from->redelivered,
        .skipped = from->skipped,
        .aborted = from->aborted,
        .commits = from->commits,
        .commits_resent = from->commits_resent,
        .duplicates = from->duplicates,
        .responses = from->responses,
        .welcomes = from->welcomes,
        .links_lost = from->links_lost,
        .busy = from->busy,
        .refused = from->refused,
        .ignored = from->ignored,
        .epoch = link_epoch (self->handle.link).n,
    };
    return handle_leave (&self->handle, BATON_OK);
}
