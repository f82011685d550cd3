// SPDX-License-Identifier: MPL-2.0
// tree_progress.h is the client's restart data of one session: all that another process needs to
// go on, and nothing that can grow. Only programs for the same machine type may share it.
// It must never hold what the manifest holds.
#ifndef TREE_PROGRESS_H
#define TREE_PROGRESS_H

#include "tree_message.h"

#include <baton.h>

enum tree_stage {
    TREE_STAGE_WALK = 1,     // files are being sent
    TREE_STAGE_ASKED = 2,    // all are sent, and the request for the report too
    TREE_STAGE_REPORTED = 3, // the report is here, and right
};

struct tree_progress {
    uint64_t layout;         // TREE_PROGRESS_LAYOUT
    uint64_t stage;          // an enum tree_stage
    uint64_t requests;       // sent
    uint64_t answered;
    uint64_t files;          // of which digests arrived
    uint64_t unreadable;
    uint64_t manifest_bytes; // what of the manifest happened
    uint64_t sent_bytes;     // of the file at the position; 0 when all of it was sent
    uint64_t size_bytes;     // of that file, while it is half sent
    uint8_t chain[TREE_DIGEST_BYTES];
    uint64_t position_size;
    char position[TREE_PATH_MAX_BYTES + 1]; // path of the file sent last, ended by a zero
};

// Changes with the struct. Another byte order gives another number.
#define TREE_PROGRESS_LAYOUT UINT64_C (0x7472656570726701)

// tree_progress_load reads restart data; empty data is a fresh start. Returns 0, or -1 if another
// program wrote it.
int
tree_progress_load (struct tree_progress *self, struct baton_bytes data);

// tree_progress_view returns the bytes to commit: the position's unused room stays at home.
struct baton_bytes
tree_progress_view (const struct tree_progress *self);

#endif
