// SPDX-License-Identifier: MPL-2.0
#include "broker/core/effect.h"

#include "proto/assert.h"

#include <string.h>

#define EFFECTS_CAPACITY_MIN 64u

void
effect_list_init (struct effect_list *list, const struct memory *memory)
{
    memset (list, 0, sizeof *list);
    list->memory = memory;
}

void
effect_list_fini (struct effect_list *list)
{
    effect_list_clear (list);
    memory_release (list->memory, list->items, list->capacity * sizeof *list->items);
    memset (list, 0, sizeof *list);
}

enum baton_err
effect_list_reserve (struct effect_list *list, size_t more)
{
    size_t capacity = list->capacity ? list->capacity : EFFECTS_CAPACITY_MIN;

    while (capacity < list->count + more) {
        capacity *= 2;
    }
    if (capacity == list->capacity) return BATON_OK;
    struct effect *items = memory_alloc (list->memory, capacity * sizeof *items);
    if (!items) return BATON_NO_MEMORY;
    if (list->count) {
        memcpy (items, list->items, list->count * sizeof *items);
    }
    memory_release (list->memory, list->items, list->capacity * sizeof *items);
    list->items = items;
    list->capacity = capacity;
    return BATON_OK;
}

struct effect *
effect_list_add (struct effect_list *list)
{
    ASSERT (list->count < list->capacity);
    struct effect *effect = &list->items[list->count++];
    memset (effect, 0, sizeof *effect);
    return effect;
}

void
effect_drop (const struct memory *memory, struct effect *effect)
{
    blob_drop (memory, &effect->holds[0]);
    blob_drop (memory, &effect->holds[1]);
}

void
effect_list_clear (struct effect_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        effect_drop (list->memory, &list->items[i]);
    }
    list->count = 0;
}
