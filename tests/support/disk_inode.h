// SPDX-License-Identifier: MPL-2.0
// disk_inode.h is the content of one file of the simulated disk: what a process reads, what is
// certain, and the writes between the two. It draws nothing: disk_sim.c says what survives.
#ifndef BATON_TESTS_DISK_INODE_H
#define BATON_TESTS_DISK_INODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Bytes that may grow.
struct image {
    uint8_t *bytes;
    uint64_t size_bytes;
    uint64_t room_bytes;
};

// A write, or with data NULL a change of size, that no sync has made certain.
struct pending {
    uint8_t *data;
    uint64_t offset_bytes;
    uint64_t size_bytes;
};

// One file's content; names point to it.
struct inode {
    struct image cache;
    struct image certain;
    struct pending *pending;
    size_t pending_count;
    // A failed sync has left bytes in the cache that are on their way nowhere.
    bool forgot;
};

static inline void *
grow (void *data, size_t size_bytes)
{
    void *grown = realloc (data, size_bytes ? size_bytes : 1);
    if (!grown) abort ();
    return grown;
}

static inline void
image_resize (struct image *image, uint64_t size_bytes)
{
    if (size_bytes > image->room_bytes) {
        image->bytes = grow (image->bytes, (size_t) size_bytes);
        image->room_bytes = size_bytes;
    }
    if (size_bytes > image->size_bytes) {
        memset (image->bytes + image->size_bytes, 0, (size_t) (size_bytes - image->size_bytes));
    }
    image->size_bytes = size_bytes;
}

static inline void
image_write (struct image *image, uint64_t offset_bytes, const void *data, uint64_t size_bytes)
{
    if (size_bytes == 0) return;
    if (offset_bytes + size_bytes > image->size_bytes) {
        image_resize (image, offset_bytes + size_bytes);
    }
    memcpy (image->bytes + offset_bytes, data, (size_t) size_bytes);
}

static inline void
image_copy (struct image *to, const struct image *from)
{
    image_resize (to, 0);
    image_write (to, 0, from->bytes, from->size_bytes);
}

static inline void
image_apply (struct image *image, const struct pending *pending)
{
    if (pending->data) {
        image_write (image, pending->offset_bytes, pending->data, pending->size_bytes);
    } else {
        image_resize (image, pending->size_bytes);
    }
}

static inline void
inode_forget (struct inode *inode)
{
    for (size_t i = 0; i < inode->pending_count; i++) {
        free (inode->pending[i].data);
    }
    free (inode->pending);
    inode->pending = NULL;
    inode->pending_count = 0;
}

static inline void
inode_write (struct inode *inode, uint64_t offset_bytes, const void *data, uint64_t size_bytes)
{
    inode->pending = grow (inode->pending, (inode->pending_count + 1) * sizeof *inode->pending);
    struct pending *pending = &inode->pending[inode->pending_count++];
    *pending = (struct pending) { .offset_bytes = offset_bytes, .size_bytes = size_bytes };
    if (data) {
        pending->data = grow (NULL, (size_t) size_bytes);
        memcpy (pending->data, data, (size_t) size_bytes);
    }
    image_apply (&inode->cache, pending);
}

static inline void
inode_sync (struct inode *inode)
{
    for (size_t i = 0; i < inode->pending_count; i++) {
        image_apply (&inode->certain, &inode->pending[i]);
    }
    inode_forget (inode);
}

// A read past the cache shows what is certain and what is still on its way, without what a
// failed sync has forgotten; the cache is dropped for it.
static inline void
inode_drop_cache (struct inode *inode)
{
    inode->forgot = false;
    image_copy (&inode->cache, &inode->certain);
    for (size_t i = 0; i < inode->pending_count; i++) {
        image_apply (&inode->cache, &inode->pending[i]);
    }
}

static inline void
inode_copy (struct inode *to, const struct inode *from)
{
    *to = (struct inode) { .pending_count = 0 };
    image_copy (&to->cache, &from->cache);
    for (size_t i = 0; i < from->pending_count; i++) {
        const struct pending *pending = &from->pending[i];
        inode_write (to, pending->offset_bytes, pending->data, pending->size_bytes);
    }
    to->forgot = from->forgot;
    // What a failed sync forgot is in the cache alone, so both are copied as they are.
    image_copy (&to->cache, &from->cache);
    image_copy (&to->certain, &from->certain);
}

#endif
