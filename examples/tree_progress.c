// SPDX-License-Identifier: MPL-2.0
// The struct itself is the format: restart data is read by the program that wrote it.
#include "tree_progress.h"

#include <stddef.h>
#include <string.h>

int
tree_progress_load (struct tree_progress *self, struct baton_bytes data)
{
    memset (self, 0, sizeof *self);
    self->layout = TREE_PROGRESS_LAYOUT;
    self->stage = TREE_STAGE_WALK;
    if (data.size == 0) return 0;
    if (data.size > sizeof *self) return -1;
    memcpy (self, data.data, data.size);
    if (self->layout != TREE_PROGRESS_LAYOUT) return -1;
    if (self->position_size > TREE_PATH_MAX_BYTES) return -1;
    return data.size == tree_progress_view (self).size ? 0 : -1;
}

struct baton_bytes
tree_progress_view (const struct tree_progress *self)
{
    size_t size = offsetof (struct tree_progress, position) + (size_t) self->position_size;
    return (struct baton_bytes) { self, size };
}
