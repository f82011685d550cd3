// SPDX-License-Identifier: MPL-2.0
// tree_job.h is the client's work in one session: the files of one class, sent to the servers that
// offer this class, and the manifest of what they answered. Each step is committed as a whole with
// the progress; a process that is killed anywhere loses and doubles nothing.
// It must never write to the manifest what is not in the progress committed next.
#ifndef TREE_JOB_H
#define TREE_JOB_H

#include "tree_manifest.h"
#include "tree_progress.h"
#include "tree_sender.h"
#include "tree_settings.h"

struct tree_class {
    const char *name;
    const char *requirement;
    uint64_t size_min;
    uint64_t size_max;
};

struct tree_job {
    const struct tree_class *class;
    const struct tree_settings *settings;
    baton_session_t *session; // NULL when all is done
    struct tree_progress progress;
    struct tree_sender sender;
    struct tree_manifest manifest;
};

// tree_job_open opens the session of [class] and goes on where its restart data stands; a job that
// was done before is done at once. Returns 0, or -1 after telling why not. The caller closes the
// job, also after a failure.
int
tree_job_open (struct tree_job *self, baton_client_t *client, const struct tree_class *class,
               const struct tree_settings *settings);

// tree_job_step takes the answers that are here, sends what may be sent and commits both. Never
// waits for answers. Returns 1 if there was something to do, 0 if not, -1 after telling what went
// wrong.
int
tree_job_step (struct tree_job *self);

// tree_job_is_done returns 1 when the result is written and the session is closed. Else 0.
int
tree_job_is_done (const struct tree_job *self);

// tree_job_close frees all; a session that is not done stays alive in the broker.
void
tree_job_close (struct tree_job *self);

#endif
