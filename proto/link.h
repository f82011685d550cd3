// SPDX-License-Identifier: MPL-2.0
// link.h is one end of a conversation with the manager: the rules that client and server library
// share and the simulator runs as they are. Pure: time, chance and messages are handed in, what
// is to be done is asked for. It must never touch sockets, clocks, threads or the wire's bytes.
//
// In: link_step (time), link_take (a message), link_lost, and the calls of link_client.h and
// link_server.h. Out: link_next says what to do now, link_done that it was done; link_deadline_ns
// when to come back at the latest. What is to be sent follows from the state, so there is no
// queue of frames that could overflow: a message that did not leave is simply asked for again.
//
//            link_new
//               |
//               v    LINK_DIAL done          WELCOME (manager)        last WELCOME, or a while
//            RETRY ------------> GREETING ---------------> SETTLING ------------> SERVED
//               ^  silence, lost     ^   HELLO_FIRST, OLD_EPOCH  |                    |
//               +--------------------+---------------------------+--------------------+
//
// 1. The epoch rises only by a manager's WELCOME; frames below it are ignored.
// 2. Whatever is not acknowledged is sent again after each WELCOME.
// 3. No memory: a message is dropped as if it was lost, and the link starts over later.
#ifndef BATON_LINK_H
#define BATON_LINK_H

#include "proto/memory.h"
#include "proto/msg.h"

#include <stdbool.h>

struct link;

struct link_options {
    enum end_role role;       // END_CLIENT or END_SERVER
    struct id instance;       // 128 random bits of this handle
    struct baton_bytes name;  // server: its name; copied
    uint32_t endpoints_count; // brokers that can be dialled, at least 1
    uint64_t seed;            // for the jitter of retries
    size_t task_extra_bytes;  // server: room in each task for the caller, see link_task_extra
};

enum link_action_kind {
    LINK_IDLE = 1, // nothing now; come back at the deadline or with a message
    LINK_DIAL = 2, // close the line there is, and dial endpoint [endpoint_index]
    LINK_SEND = 3, // send [msg] over the line; its views hold until the next call
};

struct link_action {
    enum link_action_kind kind;
    uint32_t endpoint_index;
    struct msg msg;
};

struct link_counters {
    uint64_t commits, commits_resent, duplicates;
    uint64_t requests, responses, redelivered, skipped;
    uint64_t tasks, hits, reloads, aborted;
    uint64_t welcomes, links_lost, busy, refused, ignored;
};

// link_new makes an end that has nobody to talk to yet. BATON_NO_MEMORY, BATON_BAD_ARGUMENT for
// a name over its limit.
enum baton_err
link_new (const struct memory *memory, const struct link_options *options, uint64_t now_ns,
          struct link **link);

// link_free frees it and all sessions, actors and tasks of it.
void
link_free (struct link **link);

// link_step tells the time, which never goes back. Take all messages that are there first, so
// that a broker is not taken for silent because its reader was.
void
link_step (struct link *link, uint64_t now_ns);

// link_take hands in one message from the line that was dialled last.
void
link_take (struct link *link, uint64_t now_ns, const struct msg *msg);

// link_ignore counts a frame that was no message.
void
link_ignore (struct link *link);

// link_lost tells that the line cannot be used or dialled; another one will be asked for.
void
link_lost (struct link *link, uint64_t now_ns);

// link_next says what to do now. The same answer comes until link_done, or until something that
// was handed in changes it.
void
link_next (struct link *link, struct link_action *action);

// link_done tells that what link_next said last was done: dialled, or handed to the socket.
void
link_done (struct link *link);

// link_has_work returns whether a session or task call left something to look at: link_next may
// have something to send.
bool
link_has_work (const struct link *link);

// link_deadline_ns returns when to call link_step at the latest; UINT64_MAX for never.
uint64_t
link_deadline_ns (const struct link *link);

// link_goodbye makes the end say GOODBYE when nothing else is left to send, and nothing after it.
void
link_goodbye (struct link *link);

// link_is_over returns whether GOODBYE was sent.
bool
link_is_over (const struct link *link);

// link_error returns why this end can never go on: BATON_OK while it can, BATON_FOREIGN_GROUP,
// BATON_BAD_VERSION, BATON_DENIED, BATON_FENCED (a new process took the server's name).
enum baton_err
link_error (const struct link *link);

// link_error_text returns what the broker said to that, "" if nothing.
const char *
link_error_text (const struct link *link);

// link_epoch returns the epoch of the manager listened to; none before the first.
struct epoch
link_epoch (const struct link *link);

// link_is_served returns whether a manager takes what is sent now.
bool
link_is_served (const struct link *link);

// link_heartbeat_ms returns the interval that the manager asked for last.
uint32_t
link_heartbeat_ms (const struct link *link);

const struct link_counters *
link_counters (const struct link *link);

#endif
