// SPDX-License-Identifier: MPL-2.0
// One step:  take_answers -> send -> sync the manifest -> commit (progress)
// The end:   report taken -> committed and safe -> result file -> session closed
// The result file is written before the session goes: whoever finds it need not ask the broker.
#include "tree_job.h"

#include "tree_digest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
fail (const struct tree_job *self, const char *what, const char *why)
{
    fprintf (stderr, "tree-client: %s: %s: %s\n", self->class->name, what, why);
    return -1;
}

// Writes "OUT/CLASS.SUFFIX" to [path].
static void
out_path (const struct tree_job *self, const char *suffix, char path[PATH_MAX])
{
    snprintf (path, PATH_MAX, "%s/%s.%s", self->settings->out, self->class->name, suffix);
}

static int
open_session (struct tree_job *self, baton_client_t *client)
{
    char name[256];
    snprintf (name, sizeof name, "%s-%s", self->settings->job, self->class->name);
    enum baton_err err
        = baton_client_open (client, name, self->class->requirement, &self->session);
    if (err != BATON_OK) {
        fprintf (stderr, "tree-client: %s: %s %s\n", name, baton_strerror (err),
                 baton_client_error_text (client));
        return -1;
    }
    baton_session_set_commit_mode (self->session, BATON_COMMIT_BY_HAND);
    if (tree_progress_load (&self->progress, baton_session_restart_data (self->session)) != 0)
        return fail (self, name, "its restart data are not of this program");
    return 0;
}

static int
sync_folder (const char *path)
{
    int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -1;
    int result = fsync (fd);
    close (fd);
    return result;
}

// A whole result or none: it is written beside its place, synced, and moved there.
static int
write_result (const struct tree_job *self)
{
    char path[PATH_MAX], draft[PATH_MAX], chain[2 * TREE_DIGEST_BYTES + 1];
    const struct tree_progress *done = &self->progress;
    out_path (self, "result", path);
    out_path (self, "draft", draft);
    FILE *file = fopen (draft, "w");
    if (file == NULL) return -1;
    tree_digest_print (done->chain, chain);
    fprintf (file, "files=%" PRIu64 " requests=%" PRIu64 " answered=%" PRIu64
             " unreadable=%" PRIu64 " chain=%s\n",
             done->files, done->requests, done->answered, done->unreadable, chain);
    int is_written = fflush (file) == 0 && fsync (fileno (file)) == 0;
    if (fclose (file) != 0 || !is_written) return -1;
    return rename (draft, path) == 0 ? sync_folder (self->settings->out) : -1;
}

// The progress in the broker says REPORTED by now, so a crash in here is repeated, not lost.
static int
finish (struct tree_job *self)
{
    enum baton_err err = baton_session_flush (self->session, -1);
    if (err != BATON_OK) return fail (self, "flush", baton_strerror (err));
    if (write_result (self) != 0) return fail (self, self->settings->out, strerror (errno));
    err = baton_session_close (&self->session);
    return err == BATON_OK ? 0 : fail (self, "close", baton_strerror (err));
}

static int
open_files (struct tree_job *self)
{
    char path[PATH_MAX];
    const struct tree_settings *settings = self->settings;
    out_path (self, "manifest", path);
    if (tree_manifest_open (&self->manifest, path, self->progress.manifest_bytes) != 0
        || sync_folder (settings->out) != 0)
        return fail (self, path, strerror (errno));
    if (tree_sender_open (&self->sender, settings->root, &self->progress, self->class->size_min,
                          self->class->size_max, settings->content_max) != 0)
        return fail (self, settings->root, strerror (errno));
    return 0;
}

int
tree_job_open (struct tree_job *self, baton_client_t *client, const struct tree_class *class,
               const struct tree_settings *settings)
{
    char path[PATH_MAX];
    memset (self, 0, sizeof *self);
    self->sender.fd = -1;
    self->class = class;
    self->settings = settings;
    if (open_session (self, client) != 0) return -1;
    if (self->progress.stage == TREE_STAGE_REPORTED) return finish (self);
    out_path (self, "result", path);
    if (self->progress.requests == 0 && access (path, F_OK) == 0) {
        // Done by a former process, which closed the session: this one was made just now.
        baton_session_close (&self->session);
        return 0;
    }
    return open_files (self);
}

static int
take_digest (struct tree_job *self, struct baton_bytes body)
{
    const uint8_t *digest = body.data;
    const char *path = (const char *) digest + TREE_DIGEST_BYTES;
    struct tree_progress *progress = &self->progress;
    tree_digest_chain (progress->chain, digest);
    progress->files++;
    if (tree_manifest_append (&self->manifest, digest, path, body.size - TREE_DIGEST_BYTES) != 0)
        return fail (self, "manifest", strerror (errno));
    return 0;
}

// The server counted on its own side: both sides must have come to the same.
static int
take_report (struct tree_job *self, struct baton_bytes body)
{
    struct tree_report report;
    if (tree_report_read (&report, body.data, body.size) != 0)
        return fail (self, "report", "is not one");
    if (report.files != self->progress.files
        || memcmp (report.chain, self->progress.chain, TREE_DIGEST_BYTES) != 0)
        return fail (self, "report", "the server's count or digest of digests differs from ours");
    self->progress.stage = TREE_STAGE_REPORTED;
    return 0;
}

static int
take_answer (struct tree_job *self, const struct baton_response *answer)
{
    struct tree_progress *progress = &self->progress;
    if (answer->status != BATON_STATUS_REPLY) {
        fprintf (stderr, "tree-client: %s: request %" PRIu64 " ended as %d: %.*s\n",
                 self->class->name, answer->request, (int) answer->status,
                 (int) answer->body.size, (const char *) answer->body.data);
        return -1;
    }
    if (answer->request != progress->answered + 1)
        return fail (self, "answer", "not to the oldest open request");
    progress->answered++;
    int is_last = progress->stage == TREE_STAGE_ASKED && progress->answered == progress->requests;
    if (is_last) return take_report (self, answer->body);
    if (answer->body.size == 0) return 0;
    if (answer->body.size <= TREE_DIGEST_BYTES) return fail (self, "answer", "too short");
    return take_digest (self, answer->body);
}

// Returns how many were taken, or -1.
static int
take_answers (struct tree_job *self)
{
    struct baton_response answer;
    for (int count = 0;; count++) {
        enum baton_err err = baton_session_recv (self->session, 0, &answer);
        if (err == BATON_TIMED_OUT) return count;
        if (err != BATON_OK) return fail (self, "recv", baton_strerror (err));
        if (take_answer (self, &answer) != 0) return -1;
    }
}

static int
commit (struct tree_job *self)
{
    struct tree_progress *progress = &self->progress;
    if (self->manifest.length_bytes != progress->manifest_bytes
        && tree_manifest_sync (&self->manifest) != 0)
        return fail (self, "manifest", strerror (errno));
    progress->manifest_bytes = self->manifest.length_bytes;
    struct baton_bytes data = tree_progress_view (progress);
    enum baton_err err = baton_session_commit (self->session, data.data, data.size);
    return err == BATON_OK ? 0 : fail (self, "commit", baton_strerror (err));
}

int
tree_job_step (struct tree_job *self)
{
    if (tree_job_is_done (self)) return 0;
    int taken = take_answers (self);
    if (taken < 0) return -1;
    uint64_t open = self->progress.requests - self->progress.answered;
    unsigned open_max = self->settings->open_max;
    unsigned room = open < open_max ? open_max - (unsigned) open : 0;
    int sent = tree_sender_send (&self->sender, &self->progress, self->session, room);
    if (sent < 0) return -1;
    if (taken + sent == 0) return 0;
    if (commit (self) != 0) return -1;
    if (self->progress.stage == TREE_STAGE_REPORTED && finish (self) != 0) return -1;
    return 1;
}

int
tree_job_is_done (const struct tree_job *self)
{
    return self->session == NULL;
}

void
tree_job_close (struct tree_job *self)
{
    baton_session_destroy (&self->session);
    tree_manifest_close (&self->manifest);
    tree_sender_close (&self->sender);
}
