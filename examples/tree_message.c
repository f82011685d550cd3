// SPDX-License-Identifier: MPL-2.0
// Layout of a request: kind (1 byte), offset (8), length of the path (2), path, content; of a
// report: files (8), chain (32). Numbers are little-endian.
#include "tree_message.h"

#include <string.h>

static void
put (uint8_t *bytes, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t) (value >> (8 * i));
}

static uint64_t
get (const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t) bytes[i] << (8 * i);
    return value;
}

size_t
tree_request_write_head (const struct tree_request *self, uint8_t *bytes)
{
    bytes[0] = (uint8_t) self->kind;
    put (bytes + 1, self->offset, 8);
    put (bytes + 9, self->path_size, 2);
    if (self->path_size > 0) memcpy (bytes + TREE_HEAD_BYTES, self->path, self->path_size);
    return TREE_HEAD_BYTES + self->path_size;
}

int
tree_request_read (struct tree_request *self, const uint8_t *bytes, size_t size)
{
    if (size < TREE_HEAD_BYTES) return -1;
    if (bytes[0] < TREE_KIND_PIECE || bytes[0] > TREE_KIND_REPORT) return -1;
    self->kind = (enum tree_kind) bytes[0];
    self->offset = get (bytes + 1, 8);
    self->path_size = (size_t) get (bytes + 9, 2);
    if (self->path_size > TREE_PATH_MAX_BYTES) return -1;
    if (self->path_size > size - TREE_HEAD_BYTES) return -1;
    self->path = (const char *) bytes + TREE_HEAD_BYTES;
    self->content = bytes + TREE_HEAD_BYTES + self->path_size;
    self->content_size = size - TREE_HEAD_BYTES - self->path_size;
    return 0;
}

void
tree_report_write (const struct tree_report *self, uint8_t bytes[TREE_REPORT_BYTES])
{
    put (bytes, self->files, 8);
    memcpy (bytes + 8, self->chain, TREE_DIGEST_BYTES);
}

int
tree_report_read (struct tree_report *self, const uint8_t *bytes, size_t size)
{
    if (size != TREE_REPORT_BYTES) return -1;
    self->files = get (bytes, 8);
    memcpy (self->chain, bytes + 8, TREE_DIGEST_BYTES);
    return 0;
}
