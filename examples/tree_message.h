// SPDX-License-Identifier: MPL-2.0
// tree_message.h lays out what client and server of the tree digest say to each other: bytes in
// one fixed order, so that the two may be different machines.
// It must never touch a file or a socket. What arrives was written by somebody else: it is checked.
#ifndef TREE_MESSAGE_H
#define TREE_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#define TREE_DIGEST_BYTES 32u
#define TREE_PATH_MAX_BYTES 4096u
// Kind, offset and length of the path, before the path.
#define TREE_HEAD_BYTES 11u
// Baton carries bodies of up to 1 MiB: the content's share of that, whatever the path.
#define TREE_CONTENT_MAX_BYTES (1024u * 1024u - TREE_HEAD_BYTES - TREE_PATH_MAX_BYTES)

enum tree_kind {
    TREE_KIND_PIECE = 1,  // a piece of a file, more follow; answered by nothing at all
    TREE_KIND_LAST = 2,   // its last piece, or all of it; answered by digest and path
    TREE_KIND_REPORT = 3, // no more files; answered by a report
};

// A request. [path] is not ended by a zero; it comes back in the answer, so that the client need
// not remember what is under way.
struct tree_request {
    enum tree_kind kind;
    uint64_t offset; // of the content in its file
    const char *path;
    size_t path_size;
    const uint8_t *content;
    size_t content_size;
};

// What a server knows of a session: files digested, and the digest of their digests in order.
struct tree_report {
    uint64_t files;
    uint8_t chain[TREE_DIGEST_BYTES];
};

#define TREE_REPORT_BYTES (8u + TREE_DIGEST_BYTES)

// tree_request_write_head writes kind, offset and path at [bytes], which has room for
// TREE_HEAD_BYTES + [path_size]; the content follows there. Returns the bytes written.
size_t
tree_request_write_head (const struct tree_request *self, uint8_t *bytes);

// tree_request_read sets [self] to views into [bytes]. Returns 0, or -1 for what is no request.
int
tree_request_read (struct tree_request *self, const uint8_t *bytes, size_t size);

// tree_report_write fills [bytes].
void
tree_report_write (const struct tree_report *self, uint8_t bytes[TREE_REPORT_BYTES]);

// tree_report_read returns 0, or -1 for what is no report.
int
tree_report_read (struct tree_report *self, const uint8_t *bytes, size_t size);

#endif
