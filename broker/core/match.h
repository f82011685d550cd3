// SPDX-License-Identifier: MPL-2.0
// match.h says which servers fit a requirement, which of them is best, and, where none fits, what
// to tell. Pure, and ignorant of book and roster: place.c asks it about one server at a time.
//
// 1. An empty requirement fits servers of the default set only; any other requirement is held
//    against servers of all sets.
// 2. A server that names no set is in the default set, whose name is "default".
// 3. Every server has the attributes `set` and `name`, texts, which offers cannot say otherwise.
// 4. The same input gives the same choice, whatever the order of asking.
#ifndef BATON_MATCH_H
#define BATON_MATCH_H

#include "proto/requirement.h"

#define MATCH_DEFAULT_SET "default"

// One server's offer, as views.
struct match_offer {
    struct baton_bytes name;
    struct baton_bytes set; // empty: the default set
    struct attributes attributes;
};

// A fitting server as the choice sees it.
struct candidate {
    struct baton_bytes name;
    uint32_t capacity;          // requests in work at a time; at least 1
    uint64_t outstanding_count; // assigned, not yet answered
    uint64_t idle_since_ns;     // when it last went from having work to having none
    enum { CANDIDATE_ACCEPTS = 1, CANDIDATE_DECLINES = 2 } readiness;
};

// Why no server fits, gathered over all of them.
struct match_miss {
    enum { MISS_NO_SERVER = 1, MISS_NOT_DEFAULT = 2, MISS_TERM = 3 } reason;
    struct baton_bytes server; // the one that got furthest
    uint32_t failed_index;     // MISS_TERM: its first failing term
    uint32_t passed_count;
};

// match_evaluate holds [offer] against [requirement], which requirement_check must accept.
// An empty requirement that does not fit gives MATCH_NO with EVALUATION_NO_TERM.
//
// Source: req 3.9, 3.11, 3.14.
enum match
match_evaluate (const struct requirement *requirement, const struct match_offer *offer,
                struct evaluation *evaluation);

// match_set_is_default returns whether a server that names [set] is in the default set.
bool
match_set_is_default (struct baton_bytes set);

// candidate_is_better returns whether [a] is to be chosen before [b]: one that accepts work before
// one that declines, then least outstanding work for its capacity, then longest idle, then the
// lower name. Of two candidates with different names exactly one is better. Source: req 3.12.
bool
candidate_is_better (const struct candidate *a, const struct candidate *b);

// match_miss_init starts with no server seen.
void
match_miss_init (struct match_miss *miss);

// match_miss_note adds a server that did not fit; the one that got furthest stays, of equals the
// one with the lower name. Views [offer]'s name. Source: req 3.13.
void
match_miss_note (struct match_miss *miss, const struct match_offer *offer,
                 const struct evaluation *evaluation);

#endif
