// SPDX-License-Identifier: MPL-2.0
// port.h has sockets without showing ZeroMQ: bind a door, dial a broker, move whole frames, wait.
// It never blocks but in port_wait, never interprets bytes, and sets every socket option by hand
// (docs/decisions). The only module that includes zmq.h.
#ifndef BATON_PORT_H
#define BATON_PORT_H

#include "proto/bytes.h"
#include "proto/errors.h"

#include <stdbool.h>
#include <stdint.h>

// Return path to one peer of a door. An address is not an identity: it may be anybody's next.
#define ADDRESS_MAX_BYTES 255
struct address {
    uint8_t size;
    unsigned char bytes[ADDRESS_MAX_BYTES];
};

// One frame, in or out; 64 bytes that only port.c looks into.
struct port_frame { _Alignas (8) unsigned char opaque[64]; };

struct port_context; // the sockets' home; one for a process, or one for a library handle
struct port;         // one socket

struct port_options {
    uint64_t frame_max_bytes; // a peer that sends a larger frame is disconnected by libzmq
    uint32_t io_threads_count;
    uint32_t connections_max_count;
};

// port_context_new makes the sockets' home; BATON_NO_MEMORY, BATON_NETWORK.
enum baton_err
port_context_new (const struct port_options *options, struct port_context **context);

// port_context_free frees it; all ports must be closed.
void
port_context_free (struct port_context **context);

// port_bind opens a door (ROUTER) at [endpoint] ("tcp://...", "ipc://...").
//
// Errors: BATON_ADDRESS_IN_USE; BATON_BAD_ARGUMENT for an endpoint that libzmq does not take;
// BATON_NETWORK otherwise.
enum baton_err
port_bind (struct port_context *context, const char *endpoint, struct port **port);

// port_dial opens a line (DEALER) to [endpoint]. Connecting goes on in the background for ever.
enum baton_err
port_dial (struct port_context *context, const char *endpoint, struct port **port);

// port_close closes at once: what was not sent is thrown away (ends resend).
void
port_close (struct port **port);

// port_endpoint returns where a door really listens ("tcp://127.0.0.1:*" resolved).
const char *
port_endpoint (const struct port *port);

// port_frame_new makes an outgoing frame of [size] bytes, to be filled through
// port_frame_data; BATON_NO_MEMORY.
enum baton_err
port_frame_new (struct port_frame *frame, size_t size);

void *
port_frame_data (struct port_frame *frame);

struct baton_bytes
port_frame_view (struct port_frame *frame);

// port_frame_fini frees a frame that was received or not sent.
void
port_frame_fini (struct port_frame *frame);

// port_send sends and takes [frame] on success. [to] is NULL on a dialled line.
//
// Errors, with [frame] still the caller's: BATON_BUSY when the peer's queue is full (try again
// later), BATON_NOT_FOUND when the peer is gone, BATON_NETWORK.
enum baton_err
port_send (struct port *port, const struct address *to, struct port_frame *frame);

// port_receive takes one frame without waiting. [from] is NULL on a dialled line.
// A message of more than one frame is swallowed whole and answered as BATON_REFUSED, with [from]
// filled, so that the caller can count it.
//
// Errors: BATON_NOT_FOUND when there is none; BATON_REFUSED; BATON_NETWORK.
enum baton_err
port_receive (struct port *port, struct address *from, struct port_frame *frame);

// port_fd returns a descriptor that becomes readable when port_receive or port_send may have
// something to do (edge-triggered as libzmq's: after a wake-up, drain).
int
port_fd (const struct port *port);

// port_readable tells whether port_receive would find a frame (level-triggered).
bool
port_readable (struct port *port);

// What port_wait looks at: a port, or any descriptor ([port] NULL).
struct port_wait_item {
    struct port *port;
    int fd;
    bool readable; // set by port_wait
};

// port_wait sleeps until an item is readable or [timeout_ms] is over (-1: no end).
//
// Errors: BATON_TIMED_OUT, BATON_INTERRUPTED by a signal, BATON_NETWORK.
enum baton_err
port_wait (struct port_wait_item *items, uint32_t items_count, int timeout_ms);

#endif
