// SPDX-License-Identifier: MPL-2.0
// task.c has the calls on one task.
#include "server/server_inner.h"

#include <string.h>

struct baton_task *
server_wrap_task (struct baton_server *self, struct link_task *inner)
{
    struct baton_task *task = link_task_extra (inner);
    struct link_task_view view;
    link_task_read (inner, &view);
    task->server = self;
    task->inner = inner;
    handle_id_text (view.session, task->session_text);
    return task;
}

static enum baton_err
enter (const struct baton_task *self)
{
    return handle_enter (self ? &self->server->handle : NULL);
}

// Waits for acknowledgements to make room in a full window.
static enum baton_err
make_room (struct baton_task *self, uint64_t *deadline_ns)
{
    struct handle *handle = &self->server->handle;
    if (*deadline_ns == 0) {
        *deadline_ns = handle_deadline_ns (handle->timeout_ms);
    }
    (void) link_server_flush (handle->link);
    return handle_wait_room (handle, *deadline_ns);
}

enum baton_err
baton_task_reply (baton_task_t *self, const void *data, size_t size)
{
    if (!data && size > 0) return BATON_BAD_ARGUMENT;
    enum baton_err err = enter (self);
    if (err) return err;

    uint64_t deadline_ns = 0;
    struct handle *handle = &self->server->handle;
    err = link_task_reply (self->inner, (struct baton_bytes) {data, size});
    while (err == BATON_BUSY) {
        err = make_room (self, &deadline_ns);
        if (err) break;
        err = link_task_reply (self->inner, (struct baton_bytes) {data, size});
    }
    handle_pump_work (handle);
    return handle_leave (handle, err);
}

enum baton_err
baton_task_commit (baton_task_t *self, const void *data, size_t size)
{
    if (!data && size > 0) return BATON_BAD_ARGUMENT;
    enum baton_err err = enter (self);
    if (err) return err;

    uint64_t deadline_ns = 0;
    struct handle *handle = &self->server->handle;
    err = link_task_commit (self->inner, (struct baton_bytes) {data, size});
    while (err == BATON_BUSY) {
        err = make_room (self, &deadline_ns);
        if (err) break;
        err = link_task_commit (self->inner, (struct baton_bytes) {data, size});
    }
    handle_pump_work (handle);
    return handle_leave (handle, err);
}

enum baton_err
baton_task_reject (baton_task_t *self, const char *reason)
{
    enum baton_err err = enter (self);
    if (err) return err;

    uint64_t deadline_ns = 0;
    struct handle *handle = &self->server->handle;
    struct baton_bytes text = {reason, reason ? strlen (reason) : 0};
    err = link_task_reject (self->inner, text);
    while (err == BATON_BUSY) {
        err = make_room (self, &deadline_ns);
        if (err) break;
        err = link_task_reject (self->inner, text);
    }
    handle_pump_work (handle);
    return handle_leave (handle, err);
}

enum baton_err
baton_task_next_answer (baton_task_t *self, struct baton_answer *answer)
{
    if (!answer) return BATON_BAD_ARGUMENT;
    enum baton_err err = enter (self);
    if (err) return err;

    struct msg_response inner;
    err = link_task_next_answer (self->inner, &inner);
    if (!err) {
        *answer = (struct baton_answer) {.request = inner.request.n, .body = inner.body};
    }
    return handle_leave (&self->server->handle, err);
}

// Reads a task without waiting for the keeper: NULL gives zeroes. The lock is needed all the
// same, because the keeper may part the task from its session meanwhile.
static struct link_task_view
read_task (const struct baton_task *self)
{
    struct link_task_view view = {0};
    if (!self || enter (self)) return view;

    link_task_read (self->inner, &view);
    (void) handle_leave (&self->server->handle, BATON_OK);
    return view;
}

struct baton_bytes
baton_task_body (const baton_task_t *self)
{
    return read_task (self).body;
}

struct baton_bytes
baton_task_restart_data (const baton_task_t *self)
{
    return read_task (self).restart_data;
}

int
baton_task_is_restarted (const baton_task_t *self)
{
    return read_task (self).restarted;
}

int
baton_task_is_consumed (const baton_task_t *self)
{
    return read_task (self).consumed;
}

uint64_t
baton_task_seq (const baton_task_t *self)
{
    return read_task (self).seq.n;
}

uint32_t
baton_task_attempt (const baton_task_t *self)
{
    return read_task (self).attempt;
}

uint64_t
baton_task_incarnation (const baton_task_t *self)
{
    return read_task (self).incarnation.n;
}

const char *
baton_task_session_id (const baton_task_t *self)
{
    return self ? self->session_text : "";
}
