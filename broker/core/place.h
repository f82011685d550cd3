// SPDX-License-Identifier: MPL-2.0
// place.h chooses the server for a session from the book's offers and the roster's links, and
// says why this one, or why none. It only reads.
#ifndef BATON_PLACE_H
#define BATON_PLACE_H

#include "broker/core/match.h"
#include "broker/core/roster.h"

// FOUND: [server] is the choice. AWAITED: the server that the session was bound to may come back.
// ABSENT: known servers fit, none of them is there. NONE: no known server fits, see [miss].
enum place_outcome { PLACE_FOUND = 1, PLACE_AWAITED = 2, PLACE_ABSENT = 3, PLACE_NONE = 4 };

struct choice {
    enum place_outcome outcome;
    const struct server *server;
    uint32_t fitting_count;
    struct match_miss miss;
};

// place_choose looks for the best server that meets [requirement] (stored form, checked before).
//
//   before   the server that the session was bound to: preferred, and awaited for a time;
//            NULL for a session's first placement
//
// Source: req 1.42, 3.7, 3.9 - 3.12; docs/decisions/0013.
void
place_choose (const struct book *book, const struct roster *roster,
              struct baton_bytes requirement, const struct server *before, uint64_t now_ns,
              struct choice *choice);

// place_is_hopeless tells whether no known offer fits, while at least one offer has been known
// for [grace_ms]: then waiting makes no sense. Judged on the book alone. Source: req 3.13.
bool
place_is_hopeless (const struct book *book, struct baton_bytes requirement, uint64_t utc_ms,
                   uint64_t grace_ms, struct match_miss *miss);

// place_missing_text returns the key of the term that failed in [miss], as a view into
// [requirement]; a static text where no term is to blame.
struct baton_bytes
place_missing_text (struct baton_bytes requirement, const struct match_miss *miss);

// place_server_is_there tells whether [server] can be given work now.
bool
place_server_is_there (const struct roster *roster, const struct server *server);

#endif
