// SPDX-License-Identifier: MPL-2.0
#include "broker/replica/gate.h"

#include "proto/assert.h"
#include "proto/mutant.h"

#include <string.h>

void
gate_init (struct gate *gate, const struct memory *memory)
{
    memset (gate, 0, sizeof *gate);
    effect_list_init (&gate->held, memory);
}

void
gate_fini (struct gate *gate)
{
    effect_list_fini (&gate->held);
    memset (gate, 0, sizeof *gate);
}

struct effect_list *
gate_inbox (struct gate *gate)
{
    return &gate->held;
}

// A blob that several effects share is counted with each of them: the depth is an upper bound.
static size_t
effect_bytes (const struct effect *effect)
{
    return sizeof *effect + blob_view (effect->holds[0]).size + blob_view (effect->holds[1]).size;
}

static bool
keeps_its_place (enum effect_kind kind)
{
    return kind == EFFECT_WELCOME || kind == EFFECT_FORGET;
}

void
gate_hold (struct gate *gate)
{
    ASSERT (gate->noted_count <= gate->held.count);
    for (; gate->noted_count < gate->held.count; gate->noted_count++) {
        struct effect *effect = &gate->held.items[gate->noted_count];
        if (effect->after.n == 0 && keeps_its_place (effect->kind)) {
            effect->after = gate->newest;
        }
        if (effect->after.n > 0) {
            ASSERT (effect->after.n >= gate->newest.n);
            gate->newest = effect->after;
        }
        gate->held_bytes += effect_bytes (effect);
    }
}

static bool
may_leave (const struct effect *effect, struct log_index commit)
{
    if (MUTANT (ACK_BEFORE_SAFE) && effect->kind == EFFECT_COMMITTED) return true;
    return effect->after.n <= commit.n;
}

// The usual turn: the log is safe through all that was announced, nothing is copied.
static void
exchange (struct gate *gate, struct effect_list *out)
{
    const struct effect_list empty = *out;

    *out = gate->held;
    gate->held = empty;
    gate->noted_count = 0;
    gate->held_bytes = 0;
}

static void
move_some (struct gate *gate, struct log_index commit, struct effect_list *out)
{
    size_t kept_count = 0;

    for (size_t i = 0; i < gate->held.count; i++) {
        struct effect *effect = &gate->held.items[i];
        if (may_leave (effect, commit)) {
            gate->held_bytes -= effect_bytes (effect);
            *effect_list_add (out) = *effect;
        } else {
            gate->held.items[kept_count++] = *effect;
        }
    }
    gate->held.count = kept_count;
    gate->noted_count = kept_count;
}

enum baton_err
gate_release (struct gate *gate, struct log_index commit, struct effect_list *out)
{
    size_t leaving_count = 0;

    ASSERT (gate->noted_count == gate->held.count);
    ASSERT (commit.n >= gate->released.n);
    ASSERT (out->memory == gate->held.memory);
    for (size_t i = 0; i < gate->held.count; i++) {
        leaving_count += may_leave (&gate->held.items[i], commit);
    }
    if (leaving_count == gate->held.count && out->count == 0) {
        exchange (gate, out);
    } else if (leaving_count > 0) {
        enum baton_err err = effect_list_reserve (out, leaving_count);
        if (err != BATON_OK) return err;
        move_some (gate, commit, out);
    }
    gate->released = commit;
    return BATON_OK;
}

bool
gate_withdraw (struct gate *gate, struct link_number to)
{
    ASSERT (gate->noted_count == gate->held.count);
    for (size_t i = gate->held.count; i > 0; i--) {
        struct effect *effect = &gate->held.items[i - 1];
        if (effect->kind != EFFECT_FRAME || effect->to.n != to.n) continue;
        gate->held_bytes -= effect_bytes (effect);
        effect_drop (gate->held.memory, effect);
        memmove (effect, effect + 1, (gate->held.count - i) * sizeof *effect);
        gate->held.count--;
        gate->noted_count--;
        return true;
    }
    return false;
}

struct gate_depth
gate_depth (const struct gate *gate)
{
    return (struct gate_depth) {gate->noted_count, gate->held_bytes};
}
