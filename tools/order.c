// SPDX-License-Identifier: MPL-2.0
#include "tools/order.h"

#include "proto/assert.h"

#include <stdlib.h>
#include <string.h>

void
order_init (struct order *order)
{
    memset (order, 0, sizeof *order);
}

void
order_fini (struct order *order)
{
    for (size_t i = order->head_index; i < order->end_index; i++) {
        free (order->items[i].body);
    }
    free (order->taken);
    free (order->items);
    order_init (order);
}

// Room behind the last item: what was taken leaves first, so that a long stream stays small.
static enum baton_err
reserve (struct order *order)
{
    if (order->end_index < order->capacity) return BATON_OK;

    size_t count = order->end_index - order->head_index;
    if (order->head_index > count) {
        memmove (order->items, order->items + order->head_index, count * sizeof *order->items);
    } else {
        size_t capacity = order->capacity * 2 + 64;
        struct order_item *items = realloc (order->items, capacity * sizeof *items);
        if (!items) return BATON_NO_MEMORY;
        memmove (items, items + order->head_index, count * sizeof *items);
        order->items = items;
        order->capacity = capacity;
    }
    order->head_index = 0;
    order->end_index = count;
    return BATON_OK;
}

enum baton_err
order_expect (struct order *order, uint64_t request)
{
    enum baton_err error = reserve (order);

    if (error) return error;
    ASSERT (order->end_index == order->head_index
            || order->items[order->end_index - 1].request < request);
    order->items[order->end_index++] =
        (struct order_item) {.request = request, .state = ORDER_WAITS};
    order->waiting_count++;
    return BATON_OK;
}

// The item of [request] by halving, since numbers rise; NULL if there is none.
static struct order_item *
find (struct order *order, uint64_t request)
{
    size_t low = order->head_index, high = order->end_index;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order->items[middle].request < request) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == order->end_index || order->items[low].request != request) return NULL;
    return &order->items[low];
}

enum baton_err
order_put (struct order *order, const struct baton_response *response)
{
    struct order_item *item = find (order, response->request);
    if (!item || item->state != ORDER_WAITS) return BATON_NOT_FOUND;

    item->body = malloc (response->body.size + 1);
    if (!item->body) return BATON_NO_MEMORY;
    if (response->body.size > 0) {
        memcpy (item->body, response->body.data, response->body.size);
    }
    item->response = *response;
    item->response.body.data = item->body;
    item->state = ORDER_HERE;
    order->waiting_count--;
    return BATON_OK;
}

static void
take (struct order *order, struct order_item *item, struct baton_response *response)
{
    free (order->taken);
    order->taken = item->body;
    *response = item->response;
    item->body = NULL;
    item->state = ORDER_TAKEN;
}

enum baton_err
order_take (struct order *order, struct baton_response *response)
{
    while (order->head_index < order->end_index
           && order->items[order->head_index].state == ORDER_TAKEN) {
        order->head_index++;
    }
    if (order->head_index == order->end_index) return BATON_NOT_FOUND;
    struct order_item *item = &order->items[order->head_index];
    if (item->state != ORDER_HERE) return BATON_NOT_FOUND;

    take (order, item, response);
    order->head_index++;
    return BATON_OK;
}

enum baton_err
order_take_any (struct order *order, struct baton_response *response)
{
    for (size_t i = order->head_index; i < order->end_index; i++) {
        if (order->items[i].state == ORDER_HERE) {
            take (order, &order->items[i], response);
            return BATON_OK;
        }
    }
    return BATON_NOT_FOUND;
}
