// SPDX-License-Identifier: MPL-2.0
// core.h is the door to the rules of sessions and placement: one event in, at most one record
// and any number of effects out. Pure: no clock, no I/O, no chance, no globals.
//
// decide (const book, const roster, event) -> record or refusal; apply (book, record);
// announce (const book, roster, record) -> effects. Recovery calls core_replay only.
#ifndef BATON_CORE_H
#define BATON_CORE_H

#include "broker/core/blob.h"
#include "broker/core/effect.h"
#include "broker/core/event.h"

struct core;
struct book;
struct roster;

struct core_options {
    struct id group;
    uint64_t hash_seed;
    uint64_t body_max_bytes;
    uint64_t restart_data_max_bytes;
    uint32_t unacked_max_count;
    uint64_t queue_max_count;
    uint64_t queue_max_bytes;
    uint64_t responses_max_bytes;
    uint32_t attempts_max;
    uint32_t connections_max_count;
    uint32_t failed_opens_per_s;
    uint32_t heartbeat_ms;
    uint32_t end_silent_ms;
    uint64_t rebind_after_ms;
    uint64_t offer_expire_ms;
    uint64_t match_grace_ms;
    uint64_t session_life_ms;
};

// Fills [options] with the defaults of limits.h.
void
core_options_default (struct core_options *options);

// What one step made. [record] is NULL if the book did not change; else the caller gets the
// reference and appends the bytes to the log. [more] asks for EVENT_CONTINUE before other input.
struct core_step {
    struct blob *record;
    struct log_index index;
    enum { CORE_DONE = 1, CORE_MORE = 2 } rest;
};

// core_new makes an empty core; NULL without memory. [memory] must outlive it.
struct core *
core_new (const struct memory *memory, const struct core_options *options);

void
core_free (struct core **core);

// core_replay applies one record of the log, as recovery and a standby do.
//
// Errors: BATON_NO_MEMORY; BATON_DAMAGED if the bytes are no record, or do not continue the log.
enum baton_err
core_replay (struct core *core, struct baton_bytes record);

// core_step runs the corridor once. Effects are appended to [effects], oldest first.
// Whatever an end sends ends as effects; BATON_NO_MEMORY changes nothing and may be retried.
enum baton_err
core_step (struct core *core, const struct event *event, struct effect_list *effects,
           struct core_step *step);

// core_deadline_ns returns when the next EVENT_TICK is due, UINT64_MAX for never.
uint64_t
core_deadline_ns (const struct core *core);

// Index of the newest record applied, and the chain hash that the next record names.
struct log_index
core_last_index (const struct core *core);

struct epoch
core_epoch (const struct core *core);

// core_pinned_index returns the oldest record that something alive still needs: log segments
// wholly below it may go.
struct log_index
core_pinned_index (const struct core *core);

// Reading for administration and checks; nothing may be changed through these.
const struct book *
core_book (const struct core *core);

const struct roster *
core_roster (const struct core *core);

// Counters of what strangers did: one for each refusal, by its wire number.
#define CORE_REFUSALS_MAX 32
struct core_counters {
    uint64_t refused[CORE_REFUSALS_MAX];
    uint64_t busy[8]; // by enum busy_reason
    uint64_t opened, resumed, taken_over, closed, expired_sessions;
    uint64_t commits, requests, responses;
    uint64_t deliveries, redeliveries, reloads;
    uint64_t responses_dropped; // second answers
    uint64_t rejects, attempts_counted, failed_requests;
    uint64_t bound, rebound, server_ends, fenced;
};

const struct core_counters *
core_counters (const struct core *core);

#endif
