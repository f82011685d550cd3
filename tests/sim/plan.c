// SPDX-License-Identifier: MPL-2.0
#include "tests/sim/plan.h"

#include "proto/limits.h"

static uint32_t
draw (struct choices *choices, const char *label, uint32_t max)
{
    return choice_draw (choices, CHOICE_PLAN, label, max);
}

// One of a row of numbers, the mildest first.
static uint32_t
one_of (struct choices *choices, const char *label, const uint32_t *numbers, uint32_t count)
{
    return numbers[draw (choices, label, count)];
}
#define ONE_OF(choices, label, ...) \
    one_of (choices, label, (const uint32_t[]) { __VA_ARGS__ }, \
            sizeof (const uint32_t[]) { __VA_ARGS__ } / sizeof (uint32_t))

static void
draw_crowd (struct plan *plan, struct choices *choices)
{
    plan->clients_count = 1 + draw (choices, "clients", 4);
    plan->sessions_count = 1 + draw (choices, "sessions of a client", 2);
    plan->servers_count = 1 + draw (choices, "servers", 3);
    plan->attackers_count = ONE_OF (choices, "attackers", 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
    plan->requests_count = 2 + draw (choices, "requests of a session", 30);
    plan->safety_steps = 100 * (1 + draw (choices, "hundreds of steps", 40));
    plan->body_max_bytes = ONE_OF (choices, "body bytes", 24, 24, 64, 64, 400);
    plan->window_count = ONE_OF (choices, "window", 1, 4, 8, 20, 40);
    plan->credit_count = ONE_OF (choices, "credit", 256, 1, 2, 4, 8);
    plan->servers = draw (choices, "servers by reply", 3) == 2 ? SERVERS_BY_REPLY
                                                               : SERVERS_BY_HAND;
    plan->clients = 1 + draw (choices, "clients by hand or send", 3);
    plan->act_max_us = ONE_OF (choices, "pace of calls", 1000, 5000, 20000);
}

static void
draw_options (struct plan *plan, struct choices *choices)
{
    struct core_options *options = &plan->options;

    core_options_default (options);
    options->group = (struct id) { 7, 7 };
    options->hash_seed = draw (choices, "hash seed", 1000);
    options->heartbeat_ms = ONE_OF (choices, "heartbeat", 1000, 200, 50);
    options->end_silent_ms = 3 * options->heartbeat_ms;
    options->rebind_after_ms = ONE_OF (choices, "rebind after", 10000, 1000, 200);
    options->offer_expire_ms = ONE_OF (choices, "offers expire", 3600000, 20000, 3000);
    options->match_grace_ms = ONE_OF (choices, "match grace", 5000, 500, 0);
    options->session_life_ms = ONE_OF (choices, "session life", 604800000, 60000, 4000);
    options->attempts_max = ONE_OF (choices, "attempts", 3, 1, 2, 5);
    options->body_max_bytes = ONE_OF (choices, "body max", LIMIT_BODY_MAX_BYTES, 500);
    if (draw (choices, "few unacknowledged", 4) == 3) {
        options->unacked_max_count = 2 + draw (choices, "unacknowledged", 10);
    }
    // One narrow place at a time: a client may have to consume before it may ask.
    const uint32_t narrow = draw (choices, "narrow queue", 4);
    if (narrow == 1) {
        options->queue_max_count = 3 + draw (choices, "queue count", 6);
    } else if (narrow == 2) {
        options->queue_max_bytes = 2000 + draw (choices, "queue bytes", 3000);
    } else if (narrow == 3) {
        options->responses_max_bytes = 1 + draw (choices, "responses bytes", 300);
    }
}

static void
draw_store (struct plan *plan, struct choices *choices)
{
    const uint32_t blocks = ONE_OF (choices, "blocks of a batch", 40, 24, 12);

    plan->batch_max_bytes = 4096 * (uint64_t) blocks;
    plan->record_room_bytes = plan->batch_max_bytes / 3;
    plan->segment_bytes
        = plan->batch_max_bytes + 4096 * (uint64_t) ONE_OF (choices, "segment", 60, 24, 8);
    plan->message_aim_bytes = ONE_OF (choices, "message aim", LIMIT_MESSAGE_AIM_BYTES, 1000, 1);
    if (draw (choices, "little memory", 5) == 4) {
        plan->memory_room_bytes = 1000u * ONE_OF (choices, "memory room", 2000, 200, 40);
    }
    plan->drain_count = ONE_OF (choices, "drain count", 200, 10, 1);
    plan->turn_max_us = ONE_OF (choices, "turn", 100, 2000, 1);
}

static void
draw_net (struct plan *plan, struct choices *choices)
{
    plan->hwm_count = ONE_OF (choices, "high water", 1000, 1000, 1000, 5);
    plan->delay_max_us = ONE_OF (choices, "delay", 200, 5000, 100000);
    plan->early_per_mille = ONE_OF (choices, "early release", 0, 100, 500);
    plan->twice_per_mille = ONE_OF (choices, "frames twice", 0, 0, 10, 50);
    plan->damage_per_mille
        = plan->attackers_count ? ONE_OF (choices, "damage", 500, 200, 0) : 0;
}

static void
draw_work (struct plan *plan, struct choices *choices)
{
    plan->poison_per_mille = ONE_OF (choices, "poison", 0, 0, 20, 100);
    plan->reject_per_mille = ONE_OF (choices, "reject", 0, 20, 100);
    plan->owed_per_mille = ONE_OF (choices, "owed", 0, 50, 300);
    plan->offers_per_mille = ONE_OF (choices, "offers", 0, 0, 20);
    plan->close_per_mille = ONE_OF (choices, "close", 0, 500, 1000);
}

// Clients that look at no answer before they asked everything use up their credit.
static void
draw_pace (struct plan *plan, struct choices *choices)
{
    plan->pace = draw (choices, "lazy clients", 20) == 19 ? CLIENTS_LAZY : CLIENTS_BRISK;
    if (plan->pace == CLIENTS_BRISK) return;
    plan->clients_count = 1;
    plan->sessions_count = 1;
    plan->requests_count = 300 + draw (choices, "requests of a lazy client", 200);
    plan->window_count = plan->requests_count;
    plan->body_max_bytes = 24;
    plan->safety_steps = 6000;
    plan->options.queue_max_count = LIMIT_QUEUE_MAX_COUNT;
    plan->options.queue_max_bytes = UINT64_MAX;
    plan->options.responses_max_bytes = LIMIT_RESPONSES_MAX_BYTES;
}

void
plan_draw (struct plan *plan, struct choices *choices)
{
    static const uint32_t rarity[] = {
#define X(name, stream, rarity, label) rarity,
        FAULTS (X)
#undef X
    };

    *plan = (struct plan) { 0 };
    draw_crowd (plan, choices);
    draw_options (plan, choices);
    draw_store (plan, choices);
    draw_net (plan, choices);
    draw_work (plan, choices);
    for (uint32_t i = 0; i < FAULTS_COUNT; i++) {
        const uint32_t rate = ONE_OF (choices, fault_label (i), 0, 0, 4, 16, 48);
        plan->rates[i] = (rate + rarity[i] - 1) / rarity[i];
    }
    draw_pace (plan, choices);
}

const char *
fault_label (enum fault fault)
{
    static const char *const labels[] = {
#define X(name, stream, rarity, label) label,
        FAULTS (X)
#undef X
    };

    return labels[fault];
}

uint32_t
fault_stream (enum fault fault)
{
    static const uint32_t streams[] = {
#define X(name, stream, rarity, label) stream,
        FAULTS (X)
#undef X
    };

    return streams[fault];
}
