// SPDX-License-Identifier: MPL-2.0
// flow.h moves what the queues hold to the ends, as far as their credit goes: requests to servers
// in order and round robin over sessions, responses and resumed queues to clients. It reads the
// book, notes in the roster what was sent, and makes effects; it needs no record, because a bound
// session's requests have one place to go.
#ifndef BATON_FLOW_H
#define BATON_FLOW_H

#include "broker/core/core.h"
#include "broker/core/roster.h"

// Effects that one step may make by flowing: what is left follows by EVENT_CONTINUE.
#define FLOW_EFFECTS_MAX 512u

// What telling works with.
struct stage {
    const struct book *book;
    struct roster *roster;
    const struct core_options *options;
    const struct event *event;
    struct roster_link *link; // who spoke; NULL if nobody did
    struct effect_list *effects;
    struct core_counters *counters;
};

// stage_emit appends an effect that waits for the newest record. The room must be reserved.
struct effect *
stage_emit (const struct stage *stage, struct link_number to, enum effect_kind kind);

// flow sends what can be sent, at most FLOW_EFFECTS_MAX effects.
void
flow (const struct stage *stage);

// flow_is_left tells whether flow stopped because of that number, and not for want of credit.
bool
flow_is_left (const struct roster *roster);

#endif
