// SPDX-License-Identifier: MPL-2.0
// plan.h is what one world is like: how many of what, which limits, which faults at which rate. It
// is drawn first; each world has only some of the kinds of faults, so that they do not drown each
// other.
#ifndef BATON_TESTS_PLAN_H
#define BATON_TESTS_PLAN_H

#include "broker/core/core.h"
#include "tests/sim/choice.h"

// Name, stream, how many times as rare as the others, label.
#define FAULTS(X) \
    X (DROP, CHOICE_DROP, 1, "connection drops") \
    X (CUT, CHOICE_CUT, 1, "one-way cut") \
    X (JAM, CHOICE_CUT, 2, "network stalls") \
    X (KILL, CHOICE_POWER, 3, "broker is killed") \
    X (POWER, CHOICE_POWER, 3, "broker loses power") \
    X (STAND, CHOICE_POWER, 4, "broker stands still") \
    X (SYNC, CHOICE_DISK, 4, "sync fails") \
    X (SLOW, CHOICE_DISK, 1, "disk is slow") \
    X (FULL, CHOICE_DISK, 3, "disk is full") \
    X (ROT, CHOICE_DISK, 8, "a bit rots") \
    X (CLIENT_DIES, CHOICE_DEATH, 1, "a client dies") \
    X (SERVER_DIES, CHOICE_DEATH, 1, "a server dies") \
    X (CLIENT_DOUBLES, CHOICE_DEATH, 2, "a client is started twice") \
    X (SERVER_DOUBLES, CHOICE_DEATH, 2, "a server is started twice") \
    X (PAUSE, CHOICE_DEATH, 1, "a process stands still") \
    X (MEMORY, CHOICE_MEMORY, 1, "an allocation fails")

enum fault {
#define X(name, stream, rarity, label) FAULT_##name,
    FAULTS (X)
#undef X
};
#define X(name, stream, rarity, label) +1
enum { FAULTS_COUNT = 0 FAULTS (X) };
#undef X

struct plan {
    uint32_t clients_count;
    uint32_t sessions_count; // of each client
    uint32_t servers_count;
    uint32_t attackers_count;
    uint32_t requests_count; // of each session
    uint32_t safety_steps;
    uint32_t body_max_bytes;
    uint32_t window_count;   // unanswered requests that a client lets stand
    uint32_t credit_count;   // of a server
    enum { SERVERS_BY_HAND = 1, SERVERS_BY_REPLY = 2 } servers;
    enum { CLIENTS_BY_HAND = 1, CLIENTS_BY_SEND = 2, CLIENTS_MIXED = 3 } clients;

    struct core_options options;
    uint64_t segment_bytes;
    uint64_t batch_max_bytes;
    uint64_t record_room_bytes;
    uint64_t message_aim_bytes;
    uint64_t memory_room_bytes; // above what an empty broker takes; 0: no limit
    uint32_t drain_count;
    uint32_t hwm_count;         // frames that a socket holds
    uint32_t delay_max_us;
    uint32_t act_max_us;        // between two calls of an application
    uint32_t turn_max_us;       // how long the broker gathers input

    uint32_t poison_per_mille;  // of requests: kill whoever handles them
    uint32_t reject_per_mille;
    uint32_t owed_per_mille;    // are consumed by a checkpoint before they are answered
    uint32_t early_per_mille;   // of messages: the gate is opened before the batch is written
    uint32_t twice_per_mille;   // of frames: come again on a later connection
    uint32_t damage_per_mille;  // of an attacker's frames
    uint32_t offers_per_mille;  // of a server's calls: it changes its offer
    uint32_t close_per_mille;   // of finished sessions: closed and opened anew
    enum { CLIENTS_BRISK = 1, CLIENTS_LAZY = 2 } pace; // LAZY: ask much before they look at answers
    uint32_t rates[FAULTS_COUNT];
};

// plan_draw draws a plan from the stream CHOICE_PLAN.
void
plan_draw (struct plan *plan, struct choices *choices);

const char *
fault_label (enum fault fault);

uint32_t
fault_stream (enum fault fault);

#endif
