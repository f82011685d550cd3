// SPDX-License-Identifier: MPL-2.0
// tree_walk.h walks the regular files of a folder in an order that never changes, and can go on
// after any file of it: the walk's position is a path, which fits into restart data.
// It must never open a file, nor follow a symbolic link; the tree must hold still meanwhile.
#ifndef TREE_WALK_H
#define TREE_WALK_H

#include <stdint.h>

struct tree_walk;

// A file found: [path] begins with the root as it was given, and holds until the next call.
struct tree_file {
    const char *path;
    uint64_t size;
};

enum tree_step {
    TREE_STEP_FILE = 1,
    TREE_STEP_UNREADABLE = 2, // a folder or file that cannot be looked at; errno says why
    TREE_STEP_END = 3,
    TREE_STEP_FAILED = 4,     // the walk cannot go on; errno says why
};

// tree_walk_open starts a walk over the files below [root] of [size_min] to [size_max] bytes that
// come after the path [after] in the walk's order; "" begins at the start. NULL with errno set if
// [root] is no folder or memory is out. The caller closes the walk.
struct tree_walk *
tree_walk_open (const char *root, const char *after, uint64_t size_min, uint64_t size_max);

// tree_walk_next gives the next file in [file]; for TREE_STEP_UNREADABLE only its path,
// else nothing.
enum tree_step
tree_walk_next (struct tree_walk *self, struct tree_file *file);

// tree_walk_close ends the walk; *[self] becomes NULL, and may be NULL.
void
tree_walk_close (struct tree_walk **self);

#endif
