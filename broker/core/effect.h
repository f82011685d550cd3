// SPDX-License-Identifier: MPL-2.0
// effect.h has what the core wants done outside: one small item for one end. Effects wait in the
// gate until the log is safe through [after]; the shell packs what leaves together for one end
// into few messages. An effect holds references to the bytes that it shows.
#ifndef BATON_EFFECT_H
#define BATON_EFFECT_H

#include "broker/core/blob.h"
#include "proto/msg.h"

enum effect_kind {
    EFFECT_WELCOME = 1,
    EFFECT_HEARTBEAT,
    EFFECT_OPENED,
    EFFECT_RESUMED,
    EFFECT_COMMITTED,
    EFFECT_DELIVER,   // one request, one response, or neither (see delivery)
    EFFECT_STATE,
    EFFECT_CLOSED,
    EFFECT_OFFERED,
    EFFECT_REFUSED,
    EFFECT_FRAME,     // an answer already encoded, in holds[0] (administration)
    EFFECT_FORGET,    // drop the path: what still comes over it is a stranger's
};

enum delivery_item { DELIVERY_NOTHING = 1, DELIVERY_REQUEST = 2, DELIVERY_RESPONSE = 3 };

// One item of a DELIVER; the arrays of [head] are unused.
struct effect_delivery {
    struct msg_delivery head;
    enum delivery_item item;
    struct msg_request request;
    struct msg_response response;
};

struct effect {
    struct link_number to;
    // Newest record applied when this was decided; 0: says nothing about the book, leaves at once.
    struct log_index after;
    struct epoch epoch;
    enum effect_kind kind;
    struct blob *holds[2];
    union {
        struct msg_welcome welcome;
        struct msg_opened opened;
        struct msg_resumed resumed;
        struct msg_ack committed;
        struct effect_delivery delivery;
        struct msg_state state;
        struct msg_closed closed;
        struct msg_offered offered;
        struct msg_refused refused;
    };
};

// A growing list of effects, oldest first. The list owns the references of its effects.
struct effect_list {
    const struct memory *memory;
    struct effect *items;
    size_t count;
    size_t capacity;
};

void
effect_list_init (struct effect_list *list, const struct memory *memory);

// effect_list_fini drops what is left.
void
effect_list_fini (struct effect_list *list);

// effect_list_reserve makes room for [more] further effects: BATON_NO_MEMORY leaves it as it was.
enum baton_err
effect_list_reserve (struct effect_list *list, size_t more);

// effect_list_add appends a zeroed effect and returns it. The room must have been reserved.
struct effect *
effect_list_add (struct effect_list *list);

// effect_drop lets go of what one effect holds.
void
effect_drop (const struct memory *memory, struct effect *effect);

// effect_list_clear drops all effects and keeps the room.
void
effect_list_clear (struct effect_list *list);

#endif
