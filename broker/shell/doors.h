// SPDX-License-Identifier: MPL-2.0
// doors.h has the sockets that ends and administration speak to: who speaks, and what may come
// in. What is malformed, too large or from an unknown path is answered, counted and forgotten
// here; the core sees decoded messages on known paths only. It must never decide about sessions.
//
//   unknown --HELLO--> known --silence, lost, FORGET, GOODBYE--> unknown
//      |                 |
//      +--- too many malformed frames in ten seconds ---> shunned --quiet for a while--> unknown
#ifndef BATON_SHELL_DOORS_H
#define BATON_SHELL_DOORS_H

#include "broker/shell/config.h"
#include "broker/shell/log.h"
#include "broker/shell/paths.h"
#include "broker/shell/stats.h"
#include "broker/shell/strangers.h"
#include "proto/wire.h"

#define DOORS_MAX (LIMIT_ENDPOINTS_MAX_COUNT + 1u)

enum door_kind { DOOR_ENDS = 1, DOOR_ADMIN = 2 };

struct door {
    enum door_kind kind;
    struct port *port; // NULL: closed, to be bound again at [reopen_ns]
    char endpoint[CONFIG_PATH_MAX_BYTES + 16];
    uint64_t reopen_ns;
    uint32_t paths_count;
    struct queue heard; // its paths, longest silent first
};

struct doors {
    const struct config *config;
    const struct memory *memory;
    struct stats *stats;
    struct log *log;
    struct epoch epoch; // of what the doors themselves answer
    struct wire_limits limits;
    struct wire_decoder *decoder;
    struct port_context *context;
    struct door doors[DOORS_MAX];
    uint32_t doors_count;
    struct paths paths;
    struct strangers strangers;
    // Memory of the process beside the budget when the doors were new. It may be below 0: not all
    // that the budget has given away was touched.
    int64_t beside_bytes;
    enum { BESIDE_UNKNOWN = 0, BESIDE_KNOWN = 1 } beside;
    uint64_t guarded_ns;      // when the doors were last closed for their memory
};

// One message on a known path. Views in it are good until doors_done.
struct doors_message {
    struct link_number link;
    enum door_kind door;
    struct baton_bytes principal; // from the path, never from the frame
    struct msg msg;
    struct port_frame frame;
};

enum doors_result {
    DOORS_EMPTY = 1,    // nothing there
    DOORS_HANDLED = 2,  // a frame came and was dealt with here
    DOORS_MESSAGE = 3,  // a message for the caller, who calls doors_done
};

// doors_open makes the sockets' home; no door yet. BATON_NO_MEMORY, BATON_NETWORK.
enum baton_err
doors_open (struct doors *doors, const struct config *config, const struct memory *memory,
            struct stats *stats, struct log *log, uint64_t hash_seed);

// doors_bind opens one more door. Errors as port_bind.
enum baton_err
doors_bind (struct doors *doors, enum door_kind kind, const char *endpoint);

// doors_close closes all doors at once; what was not sent is thrown away.
void
doors_close (struct doors *doors);

// doors_receive takes one frame from door [which].
enum doors_result
doors_receive (struct doors *doors, uint32_t which, uint64_t now_ns,
               struct doors_message *message);

// doors_done frees the frame of a message.
void
doors_done (struct doors_message *message);

// doors_send sends [frame], or keeps it while the peer's queue is full; an unknown [to] drops it.
// Takes [frame] in any case. [doors] is void so that it can be a packer's sink.
void
doors_send (void *doors, struct link_number to, struct port_frame *frame);

// doors_forget drops a path without telling the core.
void
doors_forget (void *doors, struct link_number link);

// How a path is dropped; LOSE has the core told.
enum doors_drop { DOORS_DROP = 1, DOORS_LOSE = 2 };

// doors_drop forgets [path] and frees it.
void
doors_drop (struct doors *doors, struct path *path, enum doors_drop how);

// doors_note_sent counts a frame of [bytes] that ZeroMQ took.
void
doors_note_sent (struct doors *doors, size_t bytes);

// doors_lose drops a path that cannot be served, and has the core told.
void
doors_lose (struct doors *doors, struct link_number link);

// doors_refuse answers a message that the core never saw.
void
doors_refuse (struct doors *doors, struct link_number to, const struct msg_refused *refused);

// doors_retry sends what waits for room; returns whether some still does.
bool
doors_retry (struct doors *doors);

// doors_expire drops paths that were silent for far longer than the core would wait for an end.
void
doors_expire (struct doors *doors, uint64_t now_ns);

// doors_guard binds doors again that ZeroMQ broke, and closes and binds anew all ends' doors when
// the process has grown by more than door_memory_max_bytes beside the [budget_bytes] in use: what a
// peer sends without ever ending a message is seen nowhere else. Ends come back by themselves.
void
doors_guard (struct doors *doors, uint64_t budget_bytes, uint64_t now_ns);

// doors_reopen closes a door, loses its paths, and has it bound again by doors_guard.
void
doors_reopen (struct doors *doors, uint32_t which, uint64_t now_ns);

// doors_has_lost tells whether doors_take_lost has something to give.
bool
doors_has_lost (const struct doors *doors);

// doors_take_lost gives one link that the core must be told of; none if there is no other.
struct link_number
doors_take_lost (struct doors *doors);

// doors_wait_items fills [items] of DOORS_MAX for port_wait and returns how many.
uint32_t
doors_wait_items (struct doors *doors, struct port_wait_item *items);

#endif
