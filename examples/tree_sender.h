// SPDX-License-Identifier: MPL-2.0
// tree_sender.h sends the files of one session's walk: small ones whole, larger ones in pieces.
// It keeps no state of its own that a restart would miss: what was sent stands in the progress,
// and happens when the caller commits that.
#ifndef TREE_SENDER_H
#define TREE_SENDER_H

#include "tree_progress.h"
#include "tree_walk.h"

struct tree_sender {
    struct tree_walk *walk;
    int fd;             // of the file to send from; -1 between files
    uint64_t size;      // of that file when it was opened
    char path[TREE_PATH_MAX_BYTES + 1];
    size_t path_size;
    size_t content_max; // bytes of a file that travel in one request
    uint8_t *body;
};

// tree_sender_open prepares to send the files below [root] of [size_min] to [size_max] bytes from
// where [progress] stands, at most [content_max] bytes of a file in one request. Returns 0, or -1
// with errno set. The caller closes the sender, also after a failure.
int
tree_sender_open (struct tree_sender *self, const char *root, const struct tree_progress *progress,
                  uint64_t size_min, uint64_t size_max, size_t content_max);

// tree_sender_send sends as much as one commit may hold, and at most [count_max] requests; after
// the last file it asks for the report. A file that cannot be read is told on stderr, counted and
// left out. Returns how many requests were sent, or -1 after telling why it cannot go on.
int
tree_sender_send (struct tree_sender *self, struct tree_progress *progress,
                  baton_session_t *session, unsigned count_max);

// tree_sender_close frees all.
void
tree_sender_close (struct tree_sender *self);

#endif
