// SPDX-License-Identifier: MPL-2.0
// tree_manifest.h is the bulk of a session's result: lines as sha256sum prints them. Too big for
// restart data, it lies in a file; restart data says how long the file is, and by that, what in
// it happened. It is synced before a commit that counts on it, and cut to the length at restart.
#ifndef TREE_MANIFEST_H
#define TREE_MANIFEST_H

#include "tree_message.h"

#include <stdio.h>

struct tree_manifest {
    FILE *file;
    uint64_t length_bytes; // with what is not synced yet
};

// tree_manifest_open opens [path], or makes it, and cuts it to [length_bytes]. Returns 0, or -1
// with errno set; EIO when the file is shorter than that: somebody else had a hand in it.
int
tree_manifest_open (struct tree_manifest *self, const char *path, uint64_t length_bytes);

// tree_manifest_append adds the line of one file. Returns 0, or -1 with errno set.
int
tree_manifest_append (struct tree_manifest *self, const uint8_t digest[TREE_DIGEST_BYTES],
                      const char *path, size_t path_size);

// tree_manifest_sync returns when all lines are on the disk: 0, or -1 with errno set.
int
tree_manifest_sync (struct tree_manifest *self);

// tree_manifest_close closes the file.
void
tree_manifest_close (struct tree_manifest *self);

#endif
