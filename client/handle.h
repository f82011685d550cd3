// SPDX-License-Identifier: MPL-2.0
// handle.h is what a client's and a server's handle have in common: the pure link engine joined
// to a clock, to chance, to a socket and to the thread that keeps the link alive while the
// application is away. It must never know sessions or tasks.
//
// The application's thread drives the engine inside its own calls. The keeper sleeps; when no call
// drove the engine for half a heartbeat, it takes the lock and does it. The lock is held for the
// whole of a call, also while that waits, so each of the two sees all that the other did.
#ifndef BATON_HANDLE_H
#define BATON_HANDLE_H

#include "proto/link.h"
#include "proto/port.h"
#include "proto/wire.h"

#include <pthread.h>
#include <stdatomic.h>

#define HANDLE_TEXT_MAX 512u
// 32 hexadecimal digits and the end.
#define HANDLE_ID_TEXT_MAX 33u

struct handle;

// Tells whether the application has something to take, for the descriptor.
typedef int
handle_ready_fn (const struct handle *handle);

struct handle {
    struct memory memory;
    struct link *link;
    handle_ready_fn *ready;
    char *endpoints; // one behind the other, each with its end
    size_t endpoints_bytes;
    uint32_t endpoints_count;
    struct wire_decoder *decoder;
    struct port_context *context;
    struct port *port; // NULL before the first dial
    int watch_fd;      // what the application polls: the port's descriptor and wake_fd
    int wake_fd;       // readable while something waits that the port does not show any more
    bool woken;        // wake_fd is readable
    bool blocked;      // the port took nothing more
    bool unread;       // the port has more than was taken in one go
    uint64_t taken_count; // frames taken so far
    int timeout_ms;
    int linger_ms;
    char text[HANDLE_TEXT_MAX];

    atomic_bool inside; // a call of the application is on its way
    pthread_mutex_t lock;
    uint64_t pumps_count; // how often the engine was driven
    pthread_t keeper;
    pthread_mutex_t keeper_lock;
    pthread_cond_t keeper_wake;
    bool stopping;
};

// handle_init makes a handle for [role]. [endpoints] as for baton_client_new; [name] may be NULL.
// A server gets [task_extra_bytes] of its own in each task (link_task_extra).
//
// Errors, with nothing left to free: BATON_BAD_ARGUMENT, BATON_NO_MEMORY, BATON_NETWORK.
enum baton_err
handle_init (struct handle *handle, enum end_role role, const char *endpoints, const char *name,
             size_t task_extra_bytes, handle_ready_fn *ready);

// handle_fini stops the keeper and closes everything.
void
handle_fini (struct handle *handle);

// handle_errno returns what errno says about an error of handle_init.
int
handle_errno (enum baton_err error);

// handle_enter begins a call of the application. BATON_IN_USE when another thread is inside;
// BATON_BAD_ARGUMENT for NULL. After BATON_OK handle_leave must end it.
enum baton_err
handle_enter (struct handle *handle);

// handle_leave ends the call and returns [error].
enum baton_err
handle_leave (struct handle *handle, enum baton_err error);

// handle_pump takes what the socket has, tells the engine the time, and sends what is due.
void
handle_pump (struct handle *handle);

// handle_pump_work is handle_pump if a call left something to send.
void
handle_pump_work (struct handle *handle);

// handle_deadline_ns returns when [timeout_ms] from now is over; UINT64_MAX for a negative one.
uint64_t
handle_deadline_ns (int timeout_ms);

// handle_sleep waits until there may be news, or the engine has something to do, then pumps.
// Call it after handle_pump. BATON_TIMED_OUT when [deadline_ns] has come, BATON_INTERRUPTED,
// BATON_NETWORK, link_error.
enum baton_err
handle_sleep (struct handle *handle, uint64_t deadline_ns);

// handle_say keeps a sentence for baton_client_error_text: [what], and [detail] if not NULL.
void
handle_say (struct handle *handle, const char *what, const char *detail);

// handle_random fills 128 random bits. BATON_NETWORK if the system has none.
enum baton_err
handle_random (struct id *id);

// handle_id_text writes [id] as 32 hexadecimal digits.
void
handle_id_text (struct id id, char text[HANDLE_ID_TEXT_MAX]);

// handle_wait_room is for a call that was told BATON_BUSY: it returns when something came that may
// have made the room, without sleeping if that was there already. Errors as handle_sleep.
enum baton_err
handle_wait_room (struct handle *handle, uint64_t deadline_ns);

#endif
