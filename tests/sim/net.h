// SPDX-License-Identifier: MPL-2.0
// net.h has connections as ZeroMQ makes them. A line is an end's socket, made by dialling: it keeps
// what is sent while there is no connection, and connects anew by itself. A connection keeps the
// order and loses nothing, until it drops: then the newest frames on their way are gone, nobody is
// told, and the next connection is a new path for the broker, where what an old one still carries
// may arrive after what was said on a newer one. An end reads them one after the other.
#ifndef BATON_TESTS_NET_H
#define BATON_TESTS_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world;
struct process;

// One frame on its way.
struct parcel {
    struct parcel *next;
    uint64_t at_ns;
    size_t size;
    unsigned char bytes[];
};

// Frames in one direction of a connection, oldest first.
struct pipe {
    struct parcel *first;
    struct parcel *last;
    uint32_t count;
    uint64_t last_ns;   // when the newest one arrives
    uint64_t cut_until_ns;
    bool planned;       // the first one has its appointment
};

enum connection_state { CONNECTION_OPEN = 1, CONNECTION_DROPPED = 2 };

struct connection {
    struct connection *next;
    struct world *world;
    uint64_t address;        // of the path, as the broker sees it; never given twice
    struct process *process; // the end
    uint64_t line_number;    // its line
    enum connection_state state;
    struct pipe up;
    struct pipe down;
};

// An end's socket.
struct line {
    uint64_t number; // 0: not dialled
    struct connection *connection;
    struct pipe waiting; // for a connection
    bool connecting;
    struct parcel *again; // an old frame that will come once more, or NULL
    // Whether the present frame may: OPEN, HELLO and COMMIT are what an end resends.
    enum { FRAME_ONCE = 1, FRAME_TWICE = 2, FRAME_OPENS = 3 } times;
    // The next OPEN is cut off and comes late, when the end has moved to another connection.
    bool stumbles;
};

struct net {
    struct world *world;
    struct connection *connections; // all that carry something or are open
    uint64_t addresses;
    uint64_t lines;
    uint64_t jammed_until_ns;
};

void
net_init (struct net *net, struct world *world);

void
net_fini (struct net *net);

// net_dial gives [process] a new line; what the old one held is gone.
void
net_dial (struct net *net, struct process *process);

// net_hang_up ends the line of [process]: its last frames may still arrive.
void
net_hang_up (struct net *net, struct process *process);

// net_send_up takes a copy of the frame. False if the socket is full: try again later.
bool
net_send_up (struct net *net, struct process *process, const void *bytes, size_t size);

// net_send_down takes a copy of the frame to the end at [address]. False if nobody is there.
bool
net_send_down (struct net *net, uint64_t address, const void *bytes, size_t size);

// net_drop drops one connection that is open, if there is one.
void
net_drop (struct net *net);

// net_drop_all drops all, as a broker that dies does, and connects nobody until net_broker_is_up.
void
net_drop_all (struct net *net);

void
net_broker_is_up (struct net *net);

// net_cut holds up one direction of one connection for a while.
void
net_cut (struct net *net);

// net_jam holds up everything for a while.
void
net_jam (struct net *net);

// net_stumble is the last that goes wrong: some ends lose their connection, and what they say to
// open their sessions anew arrives late, behind the same over yet another connection.
void
net_stumble (struct net *net);

// net_heal ends all cuts and jams.
void
net_heal (struct net *net);

// net_process_at returns the end of a path, NULL if it is unknown.
struct process *
net_process_at (const struct net *net, uint64_t address);

#endif
