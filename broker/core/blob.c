// SPDX-License-Identifier: MPL-2.0
#include "broker/core/blob.h"

#include "proto/assert.h"

#include <string.h>

struct blob *
blob_new (const struct memory *memory, size_t size)
{
    struct blob *blob = memory_alloc (memory, sizeof *blob + size);

    if (!blob) return NULL;
    blob->refs_count = 1;
    blob->size = size;
    return blob;
}

struct blob *
blob_copy (const struct memory *memory, struct baton_bytes bytes)
{
    struct blob *blob = blob_new (memory, bytes.size);

    if (blob && bytes.size) {
        memcpy (blob->data, bytes.data, bytes.size);
    }
    return blob;
}

struct blob *
blob_take (struct blob *blob)
{
    if (blob) {
        ASSERT (blob->refs_count > 0);
        ASSERT (blob->refs_count < UINT32_MAX);
        blob->refs_count++;
    }
    return blob;
}

void
blob_drop (const struct memory *memory, struct blob **blob)
{
    struct blob *last = *blob;

    *blob = NULL;
    if (!last) return;
    ASSERT (last->refs_count > 0);
    if (--last->refs_count == 0) {
        memory_release (memory, last, sizeof *last + last->size);
    }
}
