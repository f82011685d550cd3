// SPDX-License-Identifier: MPL-2.0
// paths.h has the known paths of all doors: ZeroMQ's address of a peer on one side, the number
// that the core knows it by on the other, and what could not be sent to it yet. An address is
// never an identity and never leaves this module and the doors.
#ifndef BATON_SHELL_PATHS_H
#define BATON_SHELL_PATHS_H

#include "broker/core/queue.h"
#include "broker/core/table.h"
#include "proto/port.h"

// A frame that waits for room in its peer's ZeroMQ queue.
struct path_frame {
    struct path_frame *next;
    struct port_frame frame;
    size_t bytes;
};

struct path {
    struct link_number number;
    uint32_t door;
    struct address address;
    uint64_t heard_ns;

    struct path_frame *first;
    struct path_frame *last;
    uint64_t waiting_bytes;

    struct queue in_heard;   // of its door, longest silent first; or in lost
    struct queue in_waiting; // frames are waiting
    struct table_node by_number;
    struct table_node by_address;
};

struct paths {
    const struct memory *memory;
    uint64_t hash_seed;
    uint64_t last_number;
    struct table by_number;
    struct table by_address;
    struct queue waiting;
    struct queue lost; // no longer known; the core is still to be told
};

// paths_init starts without paths. [hash_seed] is random: strangers may choose addresses.
void
paths_init (struct paths *paths, const struct memory *memory, uint64_t hash_seed);

// paths_fini frees what is left. All paths must have been dropped or lost before.
void
paths_fini (struct paths *paths);

uint64_t
paths_hash (const struct paths *paths, uint32_t door, const struct address *address);

// paths_make makes a path of [door] and puts it at the end of [heard]; NULL without memory.
struct path *
paths_make (struct paths *paths, struct queue *heard, uint32_t door,
            const struct address *address);

// paths_at finds the path that an address of a door stands for; NULL if there is none.
struct path *
paths_at (const struct paths *paths, uint32_t door, const struct address *address);

// paths_numbered finds a path by the core's number; NULL if there is none.
struct path *
paths_numbered (const struct paths *paths, struct link_number number);

// paths_hold keeps [frame] until there is room for it: BATON_NO_MEMORY, [frame] still the
// caller's.
enum baton_err
paths_hold (struct paths *paths, struct path *path, struct port_frame *frame);

// paths_pop takes the oldest waiting frame out.
void
paths_pop (struct paths *paths, struct path *path, struct port_frame *frame);

// paths_drop forgets a path and frees it with its frames.
void
paths_drop (struct paths *paths, struct path *path);

// paths_lose forgets a path, but keeps its number for paths_take_lost.
void
paths_lose (struct paths *paths, struct path *path);

// paths_take_lost gives the number of one lost path; none if there is no other.
struct link_number
paths_take_lost (struct paths *paths);

#endif
