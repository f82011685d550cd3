// SPDX-License-Identifier: MPL-2.0
// order.h puts responses into the order of their requests. A session's responses come in the order
// in which its server answered, which may answer a later request first.
#ifndef BATON_TOOLS_ORDER_H
#define BATON_TOOLS_ORDER_H

#include "client/baton_client.h"

struct order_item {
    uint64_t request;
    enum { ORDER_WAITS = 1, ORDER_HERE = 2, ORDER_TAKEN = 3 } state;
    struct baton_response response; // HERE
    void *body;                     // of the response, ours; NULL until it is here
};

// Requests without a response that was taken, in rising numbers from items[head_index] on.
struct order {
    struct order_item *items;
    size_t capacity;
    size_t head_index;
    size_t end_index;
    size_t waiting_count; // without a response
    void *taken;          // body of the response that was taken last
};

void
order_init (struct order *order);

void
order_fini (struct order *order);

// order_expect says that request number [request], above all before, will be answered.
// BATON_NO_MEMORY.
enum baton_err
order_expect (struct order *order, uint64_t request);

// order_put notes a copy of [response].
//
// Errors: BATON_NOT_FOUND if its request is not expected, or was answered; BATON_NO_MEMORY.
enum baton_err
order_put (struct order *order, const struct baton_response *response);

// order_take gives the response to the oldest request, if it is there: BATON_NOT_FOUND if not.
// The body holds until the next order_take.
enum baton_err
order_take (struct order *order, struct baton_response *response);

// order_take_any gives the oldest response that is there, whatever is still missing before it:
// BATON_NOT_FOUND if there is none. Holds as for order_take.
enum baton_err
order_take_any (struct order *order, struct baton_response *response);

#endif
