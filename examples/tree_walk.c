// SPDX-License-Identifier: MPL-2.0
// The walk is libc's fts with entries sorted by the bytes of their names. To go on after a path,
// folders that lie before it are skipped unread, so a restart costs one folder per level.
#include "tree_walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <sys/stat.h>

#include <fts.h>

struct tree_walk {
    FTS *fts;
    char *after;
    uint64_t size_min;
    uint64_t size_max;
};

static int
by_name (const FTSENT **a, const FTSENT **b)
{
    return strcmp ((*a)->fts_name, (*b)->fts_name);
}

// The end of a name sorts before a slash, and a slash before all else: then comparing whole paths
// gives the order of a walk that compares names.
static int
rank (char c)
{
    return c == '\0' ? 0 : c == '/' ? 1 : 1 + (unsigned char) c;
}

static int
path_order (const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return rank (*a) - rank (*b);
}

static int
leads_to (const char *folder, const char *path)
{
    size_t length = strlen (folder);
    return strncmp (folder, path, length) == 0 && (path[length] == '/' || length == 0);
}

struct tree_walk *
tree_walk_open (const char *root, const char *after, uint64_t size_min, uint64_t size_max)
{
    struct stat facts;
    if (lstat (root, &facts) != 0) return NULL;
    if (!S_ISDIR (facts.st_mode)) {
        errno = ENOTDIR;
        return NULL;
    }
    struct tree_walk *self = calloc (1, sizeof *self);
    char *roots[] = { strdup (root), NULL };
    if (self != NULL && roots[0] != NULL) {
        self->size_min = size_min;
        self->size_max = size_max;
        self->after = strdup (after);
        self->fts = fts_open (roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    }
    free (roots[0]);
    if (self != NULL && (self->after == NULL || self->fts == NULL)) tree_walk_close (&self);
    return self;
}

static int
is_wanted (const struct tree_walk *self, const FTSENT *entry)
{
    if (path_order (entry->fts_path, self->after) <= 0) return 0;
    if (entry->fts_info != FTS_F) return 1;
    uint64_t size = (uint64_t) entry->fts_statp->st_size;
    return size >= self->size_min && size <= self->size_max;
}

enum tree_step
tree_walk_next (struct tree_walk *self, struct tree_file *file)
{
    for (;;) {
        errno = 0;
        FTSENT *entry = fts_read (self->fts);
        if (entry == NULL) return errno == 0 ? TREE_STEP_END : TREE_STEP_FAILED;
        if (entry->fts_info == FTS_D) {
            int before = path_order (entry->fts_path, self->after) < 0;
            if (before && !leads_to (entry->fts_path, self->after))
                fts_set (self->fts, entry, FTS_SKIP);
            continue;
        }
        int is_file = entry->fts_info == FTS_F;
        int is_bad = entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR
                     || entry->fts_info == FTS_NS;
        if ((!is_file && !is_bad) || !is_wanted (self, entry)) continue;
        file->path = entry->fts_path;
        file->size = is_file ? (uint64_t) entry->fts_statp->st_size : 0;
        errno = entry->fts_errno;
        return is_file ? TREE_STEP_FILE : TREE_STEP_UNREADABLE;
    }
}

void
tree_walk_close (struct tree_walk **self)
{
    if (*self == NULL) return;
    if ((*self)->fts != NULL) fts_close ((*self)->fts);
    free ((*self)->after);
    free (*self);
    *self = NULL;
}
