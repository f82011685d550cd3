// SPDX-License-Identifier: MPL-2.0
// blob.h has counted bytes: a record, restart data, a name. The book, the gate and the journal
// share one copy, and the last one that lets go frees it. One thread only.
#ifndef BATON_BLOB_H
#define BATON_BLOB_H

#include "proto/bytes.h"
#include "proto/memory.h"

#include <stdint.h>

struct blob {
    uint32_t refs_count;
    size_t size;
    unsigned char data[];
};

// blob_new makes a blob of [size] bytes, not zeroed, with one reference; NULL without memory.
struct blob *
blob_new (const struct memory *memory, size_t size);

// blob_copy makes a blob that holds a copy of [bytes]; NULL without memory.
struct blob *
blob_copy (const struct memory *memory, struct baton_bytes bytes);

// blob_take adds a reference and returns [blob]; NULL stays NULL.
struct blob *
blob_take (struct blob *blob);

// blob_drop takes one reference away, frees the blob with the last one, and clears *[blob].
void
blob_drop (const struct memory *memory, struct blob **blob);

static inline struct baton_bytes
blob_view (const struct blob *blob)
{
    struct baton_bytes view = { blob ? blob->data : 0, blob ? blob->size : 0 };
    return view;
}

#endif
