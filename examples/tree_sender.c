// SPDX-License-Identifier: MPL-2.0
// One request after the other:  next_file -> send_piece, until the file is sent -> next_file
//                               ... -> ask_report, once
#include "tree_sender.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// What one commit may hold: 256 requests and 1 MiB (baton_session_send).
#define COMMIT_COUNT_MAX 256u
#define COMMIT_BYTES_MAX (1024u * 1024u)

int
tree_sender_open (struct tree_sender *self, const char *root, const struct tree_progress *progress,
                  uint64_t size_min, uint64_t size_max, size_t content_max)
{
    memset (self, 0, sizeof *self);
    self->fd = -1;
    self->content_max = content_max;
    self->body = malloc (TREE_HEAD_BYTES + TREE_PATH_MAX_BYTES + content_max);
    self->walk = tree_walk_open (root, progress->position, size_min, size_max);
    return self->body != NULL && self->walk != NULL ? 0 : -1;
}

static int
fail (const char *path, const char *what)
{
    fprintf (stderr, "tree-client: %s: %s\n", path, what);
    return -1;
}

// The position names what is done, not what is looked at: a restart goes on after it.
static void
set_position (struct tree_progress *progress, const char *path, size_t path_size)
{
    memcpy (progress->position, path, path_size);
    progress->position[path_size] = '\0';
    progress->position_size = path_size;
}

static void
leave_out (struct tree_progress *progress, const char *path)
{
    fprintf (stderr, "tree-client: left out %s: %s\n", path, strerror (errno));
    progress->unreadable++;
    size_t path_size = strlen (path);
    if (path_size <= TREE_PATH_MAX_BYTES) set_position (progress, path, path_size);
}

// Returns 0, or -1 with errno set and nothing open.
static int
open_file (struct tree_sender *self, const char *path)
{
    struct stat facts;
    self->path_size = strlen (path);
    if (self->path_size > TREE_PATH_MAX_BYTES) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy (self->path, path, self->path_size + 1);
    self->fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (self->fd < 0) return -1;
    if (fstat (self->fd, &facts) != 0) {
        close (self->fd);
        self->fd = -1;
        return -1;
    }
    self->size = (uint64_t) facts.st_size;
    return 0;
}

// Opens the next file that can be read. Returns 1, 0 at the end of the walk, or -1.
static int
next_file (struct tree_sender *self, struct tree_progress *progress)
{
    struct tree_file file;
    for (;;) {
        enum tree_step step = tree_walk_next (self->walk, &file);
        if (step == TREE_STEP_END) return 0;
        if (step == TREE_STEP_FAILED) return fail ("the walk", strerror (errno));
        if (step == TREE_STEP_FILE && open_file (self, file.path) == 0) return 1;
        leave_out (progress, file.path);
    }
}

// After a restart in the middle of a file, that file goes on before the walk does. Its size then
// must be what it was: a digest of two contents would be none of the file.
static int
find_content (struct tree_sender *self, struct tree_progress *progress)
{
    if (self->fd >= 0) return 1;
    if (progress->sent_bytes == 0) return next_file (self, progress);
    if (open_file (self, progress->position) != 0)
        return fail (progress->position, strerror (errno));
    if (self->size != progress->size_bytes)
        return fail (progress->position, "changed while it was read");
    return 1;
}

static int
send_body (baton_session_t *session, struct tree_progress *progress, const void *body, size_t size)
{
    enum baton_err err = baton_session_send (session, body, size, NULL);
    if (err != BATON_OK) return fail ("send", baton_strerror (err));
    progress->requests++;
    return 0;
}

// Reads all of [size] bytes: a file that became shorter or grew meanwhile has no digest.
static int
read_content (struct tree_sender *self, uint64_t offset, uint8_t *content, size_t size)
{
    size_t got = 0;
    while (got < size) {
        ssize_t n = pread (self->fd, content + got, size - got, (off_t) (offset + got));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        got += (size_t) n;
    }
    return 0;
}

static size_t
piece_bytes (const struct tree_sender *self, const struct tree_progress *progress)
{
    uint64_t left = self->size - progress->sent_bytes;
    return left < self->content_max ? (size_t) left : self->content_max;
}

// Returns the bytes of the request that was sent, or -1.
static long
send_piece (struct tree_sender *self, struct tree_progress *progress, baton_session_t *session)
{
    size_t size = piece_bytes (self, progress);
    int is_last = progress->sent_bytes + size == self->size;
    struct tree_request request = {
        .kind = is_last ? TREE_KIND_LAST : TREE_KIND_PIECE, .offset = progress->sent_bytes,
        .path = self->path, .path_size = self->path_size };
    size_t head = tree_request_write_head (&request, self->body);
    if (read_content (self, request.offset, self->body + head, size) != 0)
        return fail (self->path, "changed while it was read");
    if (send_body (session, progress, self->body, head + size) != 0) return -1;
    set_position (progress, self->path, self->path_size);
    progress->size_bytes = self->size;
    progress->sent_bytes = is_last ? 0 : progress->sent_bytes + size;
    if (is_last) {
        close (self->fd);
        self->fd = -1;
    }
    return (long) (head + size);
}

static int
ask_report (struct tree_sender *self, struct tree_progress *progress, baton_session_t *session)
{
    struct tree_request request = { .kind = TREE_KIND_REPORT };
    progress->stage = TREE_STAGE_ASKED;
    size_t size = tree_request_write_head (&request, self->body);
    return send_body (session, progress, self->body, size);
}

int
tree_sender_send (struct tree_sender *self, struct tree_progress *progress,
                  baton_session_t *session, unsigned count_max)
{
    size_t room = COMMIT_BYTES_MAX;
    unsigned count = 0;
    if (count_max > COMMIT_COUNT_MAX) count_max = COMMIT_COUNT_MAX;
    while (count < count_max && progress->stage == TREE_STAGE_WALK) {
        int found = find_content (self, progress);
        if (found < 0) return -1;
        if (found == 0) return ask_report (self, progress, session) == 0 ? (int) count + 1 : -1;
        size_t next = TREE_HEAD_BYTES + TREE_PATH_MAX_BYTES + piece_bytes (self, progress);
        if (next > room) break;
        long sent = send_piece (self, progress, session);
        if (sent < 0) return -1;
        room -= (size_t) sent;
        count++;
    }
    return (int) count;
}

void
tree_sender_close (struct tree_sender *self)
{
    if (self->body != NULL && self->fd >= 0) close (self->fd);
    free (self->body);
    tree_walk_close (&self->walk);
    self->fd = -1;
    self->body = NULL;
}
