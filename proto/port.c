// SPDX-License-Identifier: MPL-2.0
#include "proto/port.h"

#include "proto/assert.h"
#include "proto/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <zmq.h>

_Static_assert (sizeof (zmq_msg_t) == sizeof (struct port_frame), "a frame is one zmq_msg_t");
_Static_assert (_Alignof (zmq_msg_t) <= _Alignof (struct port_frame), "and aligned like one");

// Below this a stranger can stop a server before authentication (CVE-2020-15166).
#define VERSION_MIN ZMQ_MAKE_VERSION (4, 3, 4)
// Sockets, not connections: doors, lines and what libzmq makes for itself. Each costs a slot.
#define SOCKETS_MAX 64
// Declared as draft by some releases, taken by number in all from 4.3.4 on.
#define OPTION_ZERO_COPY_RECV 10

// Longer than this the other host is taken for gone, whatever TCP still hopes for. Well above any
// pause that an end may make: a stopped reader with a full window looks the same.
#define TCP_GIVE_UP_MS 60000
// A silent connection is asked after 10 s, then each 5 s; without these a host that lost power
// stays connected for ever. Whether a process lives is a question of our own heartbeats.
#define TCP_IDLE_S 10
#define TCP_ASK_EACH_S 5
#define TCP_ASK_COUNT 3
#define HANDSHAKE_MS 3000
#define CONNECT_MS 2000
// What may wait to be accepted when all ends come back at once after a failover.
#define BACKLOG_MAX 4096
// Counts messages. Credit keeps queues shorter; who ignores credit meets this.
#define HIGH_WATER_COUNT 1000
#define RECONNECT_MS 100
#define RECONNECT_MAX_MS 1000

// Frames of one message that one port_receive throws away.
#define SWALLOW_COUNT 64
#define ENDPOINT_MAX_BYTES 512
#define WAIT_ITEMS_MAX 64

struct port_context {
    void *zmq;
    struct port_options options;
    uint32_t ports_count;
};

struct port {
    struct port_context *context;
    void *socket;
    bool door;
    bool swallowing;              // the rest of a message of many frames is still to come
    bool broken;                  // libzmq stopped in the middle of a message: close and reopen
    struct address swallowed_from;
    int fd;
    char endpoint[ENDPOINT_MAX_BYTES];
};

struct setting {
    int option;
    int value;
};

static zmq_msg_t *
msg_of (struct port_frame *frame)
{
    return (zmq_msg_t *) frame->opaque;
}

static enum baton_err
error_of_errno (int error)
{
    switch (error) {
    case ENOMEM: return BATON_NO_MEMORY;
    case EADDRINUSE: return BATON_ADDRESS_IN_USE;
    case EINVAL:
    case ENODEV:
    case ENAMETOOLONG:
    case EPROTONOSUPPORT:
    case ENOCOMPATPROTO: return BATON_BAD_ARGUMENT;
    default: return BATON_NETWORK;
    }
}

// Fewer than one thread or more than one context may have is the caller's configuration.
static enum baton_err
set_context (void *zmq, const struct port_options *options)
{
    const struct setting settings[] = {
        {ZMQ_IO_THREADS, (int) options->io_threads_count},
        {ZMQ_MAX_SOCKETS, SOCKETS_MAX},
        // New sockets never make the end of the context wait for unsent messages.
        {ZMQ_BLOCKY, 0},
        {ZMQ_IPV6, 0},
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (zmq_ctx_set (zmq, settings[i].option, settings[i].value) != 0) {
            return BATON_BAD_ARGUMENT;
        }
    }
    // A kept small message must not keep a receive block of 8 KiB. Bodies are copied when they
    // are queued anyway, so a release that refuses this is no worse.
    (void) zmq_ctx_set (zmq, OPTION_ZERO_COPY_RECV, 0);
    return BATON_OK;
}

enum baton_err
port_context_new (const struct port_options *options, struct port_context **context)
{
    *context = NULL;
    int major, minor, patch;
    zmq_version (&major, &minor, &patch);
    if (ZMQ_MAKE_VERSION (major, minor, patch) < VERSION_MIN) return BATON_BAD_VERSION;
    if (options->io_threads_count == 0 || options->io_threads_count > INT32_MAX
        || options->frame_max_bytes == 0 || options->frame_max_bytes > INT64_MAX) {
        return BATON_BAD_ARGUMENT;
    }

    struct port_context *made = calloc (1, sizeof *made);
    if (!made) return BATON_NO_MEMORY;
    made->options = *options;
    enum baton_err error = BATON_OK;
    made->zmq = zmq_ctx_new ();
    if (made->zmq) {
        error = set_context (made->zmq, options);
    } else {
        error = error_of_errno (zmq_errno ());
    }
    if (error) {
        port_context_free (&made);
        return error;
    }
    *context = made;
    return BATON_OK;
}

void
port_context_free (struct port_context **context)
{
    if (!*context) return;
    ASSERT ((*context)->ports_count == 0);
    if ((*context)->zmq) {
        // A signal may stop the wait for the I/O threads; the work goes on where it was.
        while (zmq_ctx_term ((*context)->zmq) != 0 && zmq_errno () == EINTR) {
        }
    }
    free (*context);
    *context = NULL;
}

// libzmq adds up to one interval at random, but its generator starts alike in all processes, and
// all ends would come back in step. So the interval itself differs.
static int
reconnect_ms (void)
{
    unsigned char byte = 0;
    if (getrandom (&byte, sizeof byte, GRND_NONBLOCK) != (ssize_t) sizeof byte) {
        byte = (unsigned char) (getpid () & 0xff);
    }
    return RECONNECT_MS + byte % RECONNECT_MS;
}

static int
backlog (const struct port_options *options)
{
    uint32_t most = options->connections_max_count;
    return most > 0 && most < BACKLOG_MAX ? (int) most : BACKLOG_MAX;
}

static bool
set_options (void *socket, const struct setting *settings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct setting *one = &settings[i];
        if (zmq_setsockopt (socket, one->option, &one->value, sizeof one->value) != 0) {
            return false;
        }
    }
    return true;
}

// Every option by hand: what libzmq does by itself is wrong for us in most of them. No routing
// ids are set, so none can be claimed; no ZMTP heartbeats, which drop busy peers and, on a line
// whose reader pauses, end the process; ends have heartbeats of their own.
static enum baton_err
set_socket (struct port *port, const char *endpoint)
{
    const struct port_options *options = &port->context->options;
    const struct setting both[] = {
        {ZMQ_LINGER, 0},
        {ZMQ_SNDHWM, HIGH_WATER_COUNT},
        {ZMQ_RCVHWM, HIGH_WATER_COUNT},
        {ZMQ_SNDTIMEO, 0},
        {ZMQ_RCVTIMEO, 0},
        {ZMQ_IMMEDIATE, 0},
        {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
        {ZMQ_HEARTBEAT_IVL, 0},
        {ZMQ_TCP_KEEPALIVE, 1},
        {ZMQ_TCP_KEEPALIVE_IDLE, TCP_IDLE_S},
        {ZMQ_TCP_KEEPALIVE_INTVL, TCP_ASK_EACH_S},
        {ZMQ_TCP_KEEPALIVE_CNT, TCP_ASK_COUNT},
        {ZMQ_TCP_MAXRT, TCP_GIVE_UP_MS},
        // An IPv6 address is written in brackets. Names are looked up as IPv4: with IPv6 on,
        // "localhost" would be tried as ::1 for ever while the broker listens on 127.0.0.1.
        {ZMQ_IPV6, strchr (endpoint, '[') ? 1 : 0},
    };
    const struct setting door[] = {
        {ZMQ_ROUTER_MANDATORY, 1},
        {ZMQ_ROUTER_HANDOVER, 0},
        {ZMQ_BACKLOG, backlog (options)},
    };
    const struct setting line[] = {
        {ZMQ_CONNECT_TIMEOUT, CONNECT_MS},
        {ZMQ_RECONNECT_IVL, reconnect_ms ()},
        {ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS},
    };
    int64_t frame_max_bytes = (int64_t) options->frame_max_bytes;
    bool good = set_options (port->socket, both, sizeof both / sizeof both[0])
                && (port->door ? set_options (port->socket, door, sizeof door / sizeof door[0])
                               : set_options (port->socket, line, sizeof line / sizeof line[0]))
                && zmq_setsockopt (port->socket, ZMQ_MAXMSGSIZE, &frame_max_bytes,
                                   sizeof frame_max_bytes) == 0;
    return good ? BATON_OK : BATON_NETWORK;
}

static enum baton_err
port_new (struct port_context *context, int type, const char *endpoint, struct port **port)
{
    struct port *made = calloc (1, sizeof *made);
    if (!made) return BATON_NO_MEMORY;
    made->context = context;
    made->door = type == ZMQ_ROUTER;
    context->ports_count++;
    made->socket = zmq_socket (context->zmq, type);
    enum baton_err error = BATON_NETWORK;
    size_t size = sizeof made->fd;
    if (made->socket && zmq_getsockopt (made->socket, ZMQ_FD, &made->fd, &size) == 0) {
        error = set_socket (made, endpoint);
    }
    if (error) {
        port_close (&made);
        return error;
    }
    *port = made;
    return BATON_OK;
}

// libzmq cuts a port to 16 bits without a word, so that 99999 would listen on 34463.
static bool
ends_in_port (const char *endpoint)
{
    const char *colon = strrchr (endpoint, ':');
    size_t size = strlen (colon + 1);
    if (strcmp (colon + 1, "*") == 0) return true;
    return size > 0 && size <= 5 && strspn (colon + 1, "0123456789") == size
           && strtoul (colon + 1, NULL, 10) <= UINT16_MAX;
}

// Other transports of libzmq (pgm, vmci, ws) have rules of their own that nobody has looked at.
static bool
is_endpoint (const char *endpoint)
{
    if (!endpoint || strlen (endpoint) >= ENDPOINT_MAX_BYTES) return false;
    if (strncmp (endpoint, "tcp://", 6) == 0) return ends_in_port (endpoint);
    return strncmp (endpoint, "ipc://", 6) == 0;
}

// libzmq unlinks the path of an ipc endpoint before it binds, so it would take the door from a
// process that still listens there, without a word. A listener answers a connect.
static bool
is_ipc_taken (const char *endpoint)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    const char *path = endpoint + strlen ("ipc://");
    if (strncmp (endpoint, "ipc://", 6) != 0 || path[0] == '*' || path[0] == '@'
        || strlen (path) >= sizeof name.sun_path) {
        return false;
    }
    memcpy (name.sun_path, path, strlen (path) + 1);
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    // EAGAIN: a listener with a full backlog.
    bool taken =
        connect (fd, (const struct sockaddr *) &name, sizeof name) == 0 || errno == EAGAIN;
    (void) close (fd);
    return taken;
}

enum baton_err
port_bind (struct port_context *context, const char *endpoint, struct port **port)
{
    *port = NULL;
    if (!is_endpoint (endpoint)) return BATON_BAD_ARGUMENT;
    if (is_ipc_taken (endpoint)) return BATON_ADDRESS_IN_USE;
    struct port *made = NULL;
    enum baton_err error = port_new (context, ZMQ_ROUTER, endpoint, &made);
    if (error) return error;

    size_t size = sizeof made->endpoint;
    if (zmq_bind (made->socket, endpoint) != 0
        || zmq_getsockopt (made->socket, ZMQ_LAST_ENDPOINT, made->endpoint, &size) != 0) {
        error = error_of_errno (zmq_errno ());
        port_close (&made);
        return error;
    }
    *port = made;
    return BATON_OK;
}

enum baton_err
port_dial (struct port_context *context, const char *endpoint, struct port **port)
{
    *port = NULL;
    if (!is_endpoint (endpoint)) return BATON_BAD_ARGUMENT;
    struct port *made = NULL;
    enum baton_err error = port_new (context, ZMQ_DEALER, endpoint, &made);
    if (error) return error;

    memcpy (made->endpoint, endpoint, strlen (endpoint) + 1);
    if (zmq_connect (made->socket, endpoint) != 0) {
        error = error_of_errno (zmq_errno ());
        port_close (&made);
        return error;
    }
    *port = made;
    return BATON_OK;
}

void
port_close (struct port **port)
{
    if (!*port) return;
    if ((*port)->socket) {
        (void) zmq_close ((*port)->socket);
    }
    (*port)->context->ports_count--;
    free (*port);
    *port = NULL;
}

const char *
port_endpoint (const struct port *port)
{
    return port->endpoint;
}

enum baton_err
port_frame_new (struct port_frame *frame, size_t size)
{
    return zmq_msg_init_size (msg_of (frame), size) == 0 ? BATON_OK : BATON_NO_MEMORY;
}

void *
port_frame_data (struct port_frame *frame)
{
    return zmq_msg_data (msg_of (frame));
}

struct baton_bytes
port_frame_view (struct port_frame *frame)
{
    return (struct baton_bytes) {zmq_msg_data (msg_of (frame)), zmq_msg_size (msg_of (frame))};
}

void
port_frame_fini (struct port_frame *frame)
{
    (void) zmq_msg_close (msg_of (frame));
}

static enum baton_err
send_error (int error)
{
    if (error == EAGAIN) return BATON_BUSY;
    if (error == EHOSTUNREACH) return BATON_NOT_FOUND;
    return BATON_NETWORK;
}

static uint32_t
events_of (struct port *port)
{
    int events = 0;
    size_t size = sizeof events;
    if (zmq_getsockopt (port->socket, ZMQ_EVENTS, &events, &size) != 0) return 0;
    return (uint32_t) events;
}

// libzmq decides on the address frame alone whether the message goes; if it does not, nothing of
// the message may follow, or the next frame would be taken for an address.
static enum baton_err
send_address (struct port *port, const struct address *to)
{
    if (zmq_send (port->socket, to->bytes, to->size, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0) {
        return BATON_OK;
    }
    if (zmq_errno () != EAGAIN) return send_error (zmq_errno ());
    // A peer that died with a full queue still looks busy until the socket has looked at what its
    // I/O thread reports, which sending alone does not make it do.
    (void) events_of (port);
    if (zmq_send (port->socket, to->bytes, to->size, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0) {
        return BATON_OK;
    }
    return send_error (zmq_errno ());
}

enum baton_err
port_send (struct port *port, const struct address *to, struct port_frame *frame)
{
    ASSERT (port->door == (to != NULL));
    if (port->broken) return BATON_NETWORK;
    if (to) {
        enum baton_err error = send_address (port, to);
        if (error) return error;
    }
    if (zmq_msg_send (msg_of (frame), port->socket, ZMQ_DONTWAIT) >= 0) return BATON_OK;
    // Behind an accepted address libzmq takes the frame, or drops it with the peer. If it ever
    // does not, the socket waits for the rest of a message that we cannot finish.
    port->broken = to != NULL;
    return to ? BATON_NETWORK : send_error (zmq_errno ());
}

static enum baton_err
receive_error (int error)
{
    return error == EAGAIN || error == EINTR ? BATON_NOT_FOUND : BATON_NETWORK;
}

// Throws frames away up to the last of the message, but only so many at a time: a message of a
// million frames must not hold up a loop.
static void
swallow (struct port *port)
{
    port->swallowing = true;
    for (int i = 0; i < SWALLOW_COUNT && port->swallowing; i++) {
        zmq_msg_t rest;
        (void) zmq_msg_init (&rest);
        if (zmq_msg_recv (&rest, port->socket, ZMQ_DONTWAIT) < 0) {
            // Messages arrive whole, so there is always a rest to take.
            port->swallowing = false;
            port->broken = true;
            return;
        }
        port->swallowing = zmq_msg_more (&rest) != 0;
        (void) zmq_msg_close (&rest);
    }
}

// Takes the frame that a door puts before each message.
static enum baton_err
receive_address (struct port *port, struct address *from)
{
    int size = zmq_recv (port->socket, from->bytes, sizeof from->bytes, ZMQ_DONTWAIT);
    if (size < 0) return receive_error (zmq_errno ());
    ASSERT (size <= ADDRESS_MAX_BYTES); // ZMTP has one byte for it
    from->size = (uint8_t) size;
    return BATON_OK;
}

static enum baton_err
refuse_rest (struct port *port, struct address *from)
{
    if (from) {
        *from = port->swallowed_from;
    }
    swallow (port);
    return BATON_REFUSED;
}

enum baton_err
port_receive (struct port *port, struct address *from, struct port_frame *frame)
{
    ASSERT (port->door == (from != NULL));
    if (port->broken) return BATON_NETWORK;
    if (port->swallowing) return refuse_rest (port, from);
    if (from) {
        enum baton_err error = receive_address (port, from);
        if (error) return error;
    }
    (void) zmq_msg_init (msg_of (frame));
    if (zmq_msg_recv (msg_of (frame), port->socket, ZMQ_DONTWAIT) < 0) {
        int error = zmq_errno ();
        (void) zmq_msg_close (msg_of (frame));
        // Messages arrive whole, so behind an address there is a frame.
        return from ? BATON_NETWORK : receive_error (error);
    }
    if (!zmq_msg_more (msg_of (frame))) return BATON_OK;
    (void) zmq_msg_close (msg_of (frame));
    if (from) {
        port->swallowed_from = *from;
    }
    return refuse_rest (port, from);
}

int
port_fd (const struct port *port)
{
    return port->fd;
}

bool
port_readable (struct port *port)
{
    return port->swallowing || (events_of (port) & ZMQ_POLLIN) != 0;
}

enum baton_err
port_wait (struct port_wait_item *items, uint32_t items_count, int timeout_ms)
{
    if (items_count > WAIT_ITEMS_MAX) return BATON_BAD_ARGUMENT;
    if (items_count == 0 && timeout_ms < 0) return BATON_BAD_ARGUMENT;
    zmq_pollitem_t polled[WAIT_ITEMS_MAX];
    for (uint32_t i = 0; i < items_count; i++) {
        items[i].readable = false;
        polled[i] = (zmq_pollitem_t) {
            .socket = items[i].port ? items[i].port->socket : NULL,
            .fd = items[i].fd,
            .events = ZMQ_POLLIN,
        };
    }
    int found = zmq_poll (polled, (int) items_count, timeout_ms);
    if (found < 0) return zmq_errno () == EINTR ? BATON_INTERRUPTED : BATON_NETWORK;
    if (found == 0) return BATON_TIMED_OUT;
    for (uint32_t i = 0; i < items_count; i++) {
        items[i].readable = polled[i].revents != 0;
    }
    return BATON_OK;
}
