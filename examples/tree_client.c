// SPDX-License-Identifier: MPL-2.0
// tree-client makes the SHA-256 manifest of a folder with servers it does not know: a session for
// small files and one for large ones. Kill it anywhere and start it again with the same words.
//
// Exit code: 0 done, 1 something went wrong or a file could not be read, 2 usage.
#include "tree_job.h"

#include <inttypes.h>

#define SMALL_MAX_BYTES (16u * 1024u)

static const struct tree_class classes[] = {
    { "small", "algo = \"sha256\" and class = \"small\"", 0, SMALL_MAX_BYTES },
    { "large", "algo = \"sha256\" and class = \"large\"", SMALL_MAX_BYTES + 1, UINT64_MAX },
};

#define CLASS_COUNT (sizeof classes / sizeof classes[0])

// Steps all jobs until none of them has anything left to do.
static int
work (struct tree_job jobs[CLASS_COUNT], baton_client_t *client, int progress_fd)
{
    for (;;) {
        int moved = 0, done = 1;
        uint64_t answered = 0;
        for (size_t i = 0; i < CLASS_COUNT; i++) {
            int result = tree_job_step (&jobs[i]);
            if (result < 0) return -1;
            moved += result;
            done = done && tree_job_is_done (&jobs[i]);
            answered += jobs[i].progress.answered;
        }
        if (moved > 0 && progress_fd >= 0)
            dprintf (progress_fd, "answered %" PRIu64 "\n", answered);
        if (done) return 0;
        baton_session_t *ready;
        enum baton_err err = moved > 0 ? BATON_OK : baton_client_wait (client, -1, &ready);
        if (err != BATON_OK) {
            fprintf (stderr, "tree-client: wait: %s\n", baton_strerror (err));
            return -1;
        }
    }
}

static uint64_t
close_all (struct tree_job jobs[CLASS_COUNT])
{
    uint64_t unreadable = 0;
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        unreadable += jobs[i].progress.unreadable;
        tree_job_close (&jobs[i]);
    }
    return unreadable;
}

int
main (int argc, char **argv)
{
    struct tree_settings settings;
    struct tree_job jobs[CLASS_COUNT] = { 0 };
    if (tree_settings_read (&settings, argc, argv) != 0) return 2;
    baton_client_t *client = baton_client_new (settings.endpoint);
    int result = client != NULL ? 0 : -1;
    if (result != 0) perror ("tree-client: client");
    for (size_t i = 0; i < CLASS_COUNT && result == 0; i++)
        result = tree_job_open (&jobs[i], client, &classes[i], &settings);
    if (result == 0) result = work (jobs, client, settings.progress_fd);
    uint64_t unreadable = close_all (jobs);
    baton_client_destroy (&client);
    if (unreadable > 0) fprintf (stderr, "tree-client: %" PRIu64 " left out\n", unreadable);
    return result == 0 && unreadable == 0 ? 0 : 1;
}
