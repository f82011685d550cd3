// SPDX-License-Identifier: MPL-2.0
#include "client/handle.h"

#include "client/endpoints.h"
#include "client/keeper.h"
#include "proto/limits.h"
#include "proto/memory_heap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS UINT64_C (1000000)
#define NS_PER_S UINT64_C (1000000000)
// How soon a full socket is tried again: libzmq makes room in bursts.
#define BLOCKED_RETRY_NS (5 * NS_PER_MS)
// One message's control fields, decoded: a few times their size on the wire.
#define ARENA_BYTES (8u * (size_t) LIMIT_CONTROL_MAX_BYTES)

static const struct wire_limits wire_limits = {
    .frame_max_bytes = LIMIT_FRAME_MAX_BYTES,
    .body_max_bytes = LIMIT_BODY_MAX_BYTES,
    .restart_data_max_bytes = LIMIT_RESTART_DATA_MAX_BYTES,
};

static uint64_t
now_ns (void)
{
    struct timespec now;
    (void) clock_gettime (CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * NS_PER_S + (uint64_t) now.tv_nsec;
}

enum baton_err
handle_random (struct id *id)
{
    ssize_t got;
    do {
        got = getrandom (id, sizeof *id, 0);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t) sizeof *id && !id_is_none (*id) ? BATON_OK : BATON_NETWORK;
}

void
handle_id_text (struct id id, char text[HANDLE_ID_TEXT_MAX])
{
    (void) snprintf (text, HANDLE_ID_TEXT_MAX, "%016llx%016llx", (unsigned long long) id.high,
                     (unsigned long long) id.low);
}

static enum baton_err
make_link (struct handle *handle, enum end_role role, const char *name, size_t task_extra_bytes)
{
    struct id instance;
    struct id seed;
    if (handle_random (&instance) || handle_random (&seed)) return BATON_NETWORK;

    struct link_options options = {
        .role = role,
        .instance = instance,
        .name = {name, name ? strlen (name) : 0},
        .endpoints_count = handle->endpoints_count,
        .seed = seed.low,
        .task_extra_bytes = task_extra_bytes,
    };
    return link_new (&handle->memory, &options, now_ns (), &handle->link);
}

static enum baton_err
make_socket_home (struct handle *handle)
{
    struct port_options options = {
        .frame_max_bytes = LIMIT_FRAME_MAX_BYTES,
        .io_threads_count = 1,
        .connections_max_count = 1,
    };
    enum baton_err err = port_context_new (&options, &handle->context);
    if (err) return err;
    handle->decoder = wire_decoder_new (&handle->memory, ARENA_BYTES);
    return handle->decoder ? BATON_OK : BATON_NO_MEMORY;
}

static enum baton_err
make_descriptors (struct handle *handle)
{
    handle->watch_fd = epoll_create1 (EPOLL_CLOEXEC);
    handle->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN};
    if (handle->watch_fd < 0 || handle->wake_fd < 0) return BATON_NETWORK;
    if (epoll_ctl (handle->watch_fd, EPOLL_CTL_ADD, handle->wake_fd, &event)) return BATON_NETWORK;
    return BATON_OK;
}

static void
close_fd (int fd)
{
    if (fd >= 0) {
        (void) close (fd);
    }
}

// Frees all but the keeper and its locks; also what is half made.
static void
free_parts (struct handle *handle)
{
    close_fd (handle->watch_fd);
    close_fd (handle->wake_fd);
    port_close (&handle->port);
    port_context_free (&handle->context);
    wire_decoder_free (&handle->decoder);
    link_free (&handle->link);
    memory_release (&handle->memory, handle->endpoints, handle->endpoints_bytes);
}

enum baton_err
handle_init (struct handle *handle, enum end_role role, const char *endpoints, const char *name,
             size_t task_extra_bytes, handle_ready_fn *ready)
{
    memset (handle, 0, sizeof *handle);
    handle->memory = memory_heap ();
    handle->ready = ready;
    handle->watch_fd = -1;
    handle->wake_fd = -1;
    handle->timeout_ms = -1;
    handle->linger_ms = 1000;
    atomic_init (&handle->inside, false);
    enum baton_err err = endpoints_parse (handle, endpoints);
    if (!err) {
        err = make_link (handle, role, name, task_extra_bytes);
    }
    if (!err) {
        err = make_socket_home (handle);
    }
    if (!err) {
        err = make_descriptors (handle);
    }
    if (!err) {
        err = keeper_start (handle);
    }
    if (err) {
        free_parts (handle);
    }
    return err;
}

void
handle_fini (struct handle *handle)
{
    keeper_stop (handle);
    free_parts (handle);
}

int
handle_errno (enum baton_err error)
{
    if (error == BATON_BAD_ARGUMENT) return EINVAL;
    if (error == BATON_NO_MEMORY) return ENOMEM;
    return errno == EMFILE || errno == ENFILE ? EMFILE : EAGAIN;
}

enum baton_err
handle_enter (struct handle *handle)
{
    if (!handle) return BATON_BAD_ARGUMENT;
    if (atomic_exchange (&handle->inside, true)) return BATON_IN_USE;

    (void) pthread_mutex_lock (&handle->lock);
    handle->text[0] = 0;
    return BATON_OK;
}

enum baton_err
handle_leave (struct handle *handle, enum baton_err error)
{
    keeper_show (handle);
    (void) pthread_mutex_unlock (&handle->lock);
    atomic_store (&handle->inside, false);
    return error;
}

void
handle_say (struct handle *handle, const char *what, const char *detail)
{
    (void) snprintf (handle->text, sizeof handle->text, detail ? "%s: %s" : "%s", what,
                     detail ? detail : "");
}

uint64_t
handle_deadline_ns (int timeout_ms)
{
    return timeout_ms < 0 ? UINT64_MAX : now_ns () + (uint64_t) timeout_ms * NS_PER_MS;
}

static void
watch_port (struct handle *handle, int operation)
{
    struct epoll_event event = {.events = EPOLLIN};
    if (handle->port) {
        (void) epoll_ctl (handle->watch_fd, operation, port_fd (handle->port), &event);
    }
}

static void
close_line (struct handle *handle)
{
    watch_port (handle, EPOLL_CTL_DEL);
    port_close (&handle->port);
}

// A line that cannot be used any more goes at once: it would report the same for ever.
static void
lose_line (struct handle *handle)
{
    close_line (handle);
    link_lost (handle->link, now_ns ());
}

// Closes the line there is and dials another; an endpoint that cannot be dialled counts as lost.
static void
dial (struct handle *handle, uint32_t endpoint_index)
{
    close_line (handle);
    const char *endpoint = endpoints_get (handle, endpoint_index);
    if (port_dial (handle->context, endpoint, &handle->port)) {
        link_lost (handle->link, now_ns ());
        return;
    }
    watch_port (handle, EPOLL_CTL_ADD);
    link_done (handle->link);
}

// Whether the message left; if not, the engine asks for it again.
static bool
send_msg (struct handle *handle, const struct msg *msg)
{
    struct port_frame frame;
    size_t size = wire_encoded_size (msg);
    if (!handle->port || port_frame_new (&frame, size)) {
        handle->blocked = true;
        return false;
    }
    (void) wire_encode (msg, port_frame_data (&frame), size);
    enum baton_err err = port_send (handle->port, NULL, &frame);
    if (!err) {
        link_done (handle->link);
        return true;
    }
    port_frame_fini (&frame);
    if (err == BATON_BUSY) {
        handle->blocked = true;
    } else {
        lose_line (handle);
    }
    return false;
}

static void
do_actions (struct handle *handle)
{
    handle->blocked = false;
    for (;;) {
        struct link_action action;
        link_next (handle->link, &action);
        if (action.kind == LINK_IDLE) return;
        if (action.kind == LINK_DIAL) {
            dial (handle, action.endpoint_index);
        } else if (!send_msg (handle, &action.msg)) {
            return;
        }
    }
}

static void
take_frame (struct handle *handle, struct port_frame *frame, uint64_t now)
{
    struct msg msg;
    struct wire_fault fault;
    if (wire_decode (handle->decoder, &wire_limits, port_frame_view (frame), &msg, &fault)) {
        link_ignore (handle->link);
    } else {
        link_take (handle->link, now, &msg);
    }
    port_frame_fini (frame);
}

// Takes what has arrived, at most one turn's worth: the rest is seen in the next turn.
static void
take_frames (struct handle *handle, uint64_t now)
{
    handle->unread = false;
    for (uint32_t i = 0; handle->port; i++) {
        if (i == LIMIT_DRAIN_COUNT) {
            handle->unread = true;
            return;
        }
        struct port_frame frame;
        enum baton_err err = port_receive (handle->port, NULL, &frame);
        if (err == BATON_NOT_FOUND) return;
        handle->taken_count++;
        if (err == BATON_REFUSED) {
            link_ignore (handle->link);
        } else if (err) {
            lose_line (handle);
            return;
        } else {
            take_frame (handle, &frame, now);
        }
    }
}

void
handle_pump (struct handle *handle)
{
    take_frames (handle, now_ns ());
    link_step (handle->link, now_ns ());
    do_actions (handle);
    handle->pumps_count++;
}

void
handle_pump_work (struct handle *handle)
{
    if (link_has_work (handle->link)) {
        handle_pump (handle);
    }
}

// Milliseconds from now to [deadline_ns], rounded up so that nobody wakes just before it.
static int
wait_ms (uint64_t now, uint64_t deadline_ns)
{
    if (deadline_ns <= now) return 0;
    uint64_t left_ms = (deadline_ns - now + NS_PER_MS - 1) / NS_PER_MS;
    return left_ms < 60000 ? (int) left_ms : 60000;
}

enum baton_err
handle_sleep (struct handle *handle, uint64_t deadline_ns)
{
    if (link_error (handle->link)) return link_error (handle->link);
    uint64_t now = now_ns ();
    if (now >= deadline_ns) return BATON_TIMED_OUT;

    uint64_t until_ns = link_deadline_ns (handle->link);
    if (handle->blocked) {
        // Something is due and cannot leave; looking at once would only burn time.
        until_ns = now + BLOCKED_RETRY_NS;
    }
    if (deadline_ns < until_ns) {
        until_ns = deadline_ns;
    }
    struct port_wait_item item = {.port = handle->port};
    enum baton_err err = port_wait (&item, handle->port ? 1 : 0,
                                    handle->unread ? 0 : wait_ms (now, until_ns));
    if (err && err != BATON_TIMED_OUT) return err;
    handle_pump (handle);
    return link_error (handle->link);
}

enum baton_err
handle_wait_room (struct handle *handle, uint64_t deadline_ns)
{
    const uint64_t before_count = handle->taken_count;

    handle_pump (handle);
    if (handle->taken_count != before_count) return link_error (handle->link);
    return handle_sleep (handle, deadline_ns);
}
