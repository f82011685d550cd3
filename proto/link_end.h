// SPDX-License-Identifier: MPL-2.0
// link_end.h has the end, which is what a client's session and a server's actor have in common:
// being found, being woken, and the sending, resending and acknowledging of commits. For the files
// of the link engine alone.
#ifndef BATON_LINK_END_H
#define BATON_LINK_END_H

#include "proto/link_outbox.h"
#include "proto/link_ring.h"

struct link;

// How an end is found again: by what a message names.
enum link_map_key { MAP_SESSION, MAP_ACTOR, MAP_REF };
#define LINK_MAPS 3
#define LINK_MAP_CHAINS 256u

// What an end has to do on the present line before its commits may leave.
enum end_standing {
    END_MUST_OPEN = 1, // nothing said yet on this line
    END_WAITS = 2,     // said, not answered
    END_READY = 3,
};

struct link_end {
    struct link *link;
    struct ring all;  // in link.ends, oldest first
    struct ring work; // in link.work if something may be to send
    struct link_end *chains[LINK_MAPS];
    struct id session;
    struct id actor;
    uint64_t ref;
    struct incarnation incarnation;
    enum end_standing standing;
    struct outbox outbox;
    struct draft draft;
    struct version sent;      // highest version that was sent
    uint64_t hold_ns;         // the manager asked to wait until then
    uint64_t alarm_ns;        // look again then; 0: no need
    struct version resent;    // where the last resend after a GAP began, and when
    uint64_t resent_ns;
    uint64_t gap_ns;          // look then whether [resent] is still missing; 0: no need
};

// end_init makes [end] one of [link], known by its reference; ids come with end_name.
void
end_init (struct link_end *end, struct link *link);

void
end_fini (struct link_end *end);

// end_name makes the end known by session and actor.
void
end_name (struct link_end *end, struct id session, struct id actor, struct incarnation incarnation);

struct link_end *
end_find (const struct link *link, enum link_map_key key, struct id id);

// end_find_refused returns the end that a refusal of a COMMIT or RELOAD is about; NULL if it is
// none of ours, or one that we held before. The manager names its own present incarnation, and
// none for what it does not know any more.
struct link_end *
end_find_refused (const struct link *link, const struct msg_refused *refused);

// end_wake makes link_next look at the end.
void
end_wake (struct link_end *end);

// end_set_alarm wakes the end at [when_ns], if not before.
void
end_set_alarm (struct link_end *end, uint64_t when_ns);

// end_is_held returns whether the manager asked to wait; the alarm is set then.
bool
end_is_held (struct link_end *end);

// end_ring_alarms wakes the ends whose time has come.
void
end_ring_alarms (struct link *link);

// end_window_full returns whether [more_bytes] must wait for acknowledgements.
bool
end_window_full (const struct link_end *end, size_t more_bytes);

// end_restart resends all that is not acknowledged, [stored] being safe.
// Returns BATON_DAMAGED if the manager forgot what it had acknowledged.
enum baton_err
end_restart (struct link_end *end, struct version stored);

// end_commit_next fills [msg] with the next commit to send; false if there is none now.
bool
end_commit_next (struct link_end *end, struct msg *msg);

void
end_commit_done (struct link_end *end);

void
end_take_committed (struct link *link, const struct msg_committed *committed);

// end_take_refused_commit handles what both ends handle alike: DUPLICATE, GAP, BUSY and
// UNAVAILABLE. Returns false for any other refusal.
bool
end_take_refused_commit (struct link_end *end, const struct msg_refused *refused);

#endif
