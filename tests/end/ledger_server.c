// SPDX-License-Identifier: MPL-2.0
// ledger_server folds the requests of each session into a chain and answers with count and chain.
// It holds live state in memory, answers several requests before one commit, and drops the state
// when the library says so: the hardest lawful way to use the server's side.
//
// Usage: ledger_server ENDPOINT NAME. It is stopped by killing it. Exit code 1: what went wrong is
// on stderr; a line with FAULT tells a broken promise.
#include "ledger.h"

#include "client/baton.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SESSIONS_MAX 4096u

struct live {
    char id[33];
    struct ledger_state state;
    baton_task_t *last; // answered and not committed; NULL when all is
};

static struct live lives[SESSIONS_MAX];
static size_t lives_count;

static struct live *
find (const char *id)
{
    for (size_t i = 0; i < lives_count; i++) {
        if (strcmp (lives[i].id, id) == 0) return &lives[i];
    }
    return NULL;
}

static void
forget (const char *id, enum baton_err reason, void *context)
{
    (void) reason;
    (void) context;
    struct live *live = find (id);
    if (live != NULL) *live = lives[--lives_count];
}

static void
fault (const baton_task_t *task, const struct ledger_state *state)
{
    fprintf (stderr, "FAULT %s session %s: request %" PRIu64 " came at count %" PRIu64 "\n",
             baton_task_seq (task) <= state->count ? "doubled" : "lost",
             baton_task_session_id (task), baton_task_seq (task), state->count);
    exit (1);
}

// The live state of the task's session, made from its restart data when that is what counts.
static struct live *
state_of (const baton_task_t *task)
{
    const char *id = baton_task_session_id (task);
    struct baton_bytes data = baton_task_restart_data (task);
    struct live *live = find (id);
    int is_fresh = live == NULL;
    if (is_fresh && lives_count == SESSIONS_MAX) {
        fprintf (stderr, "more than %u sessions: abort is not told\n", SESSIONS_MAX);
        exit (1);
    }
    if (is_fresh) live = &lives[lives_count++];
    if (is_fresh && !baton_task_is_restarted (task)) {
        fprintf (stderr, "FAULT lost session %s: no state, and not restarted\n", id);
        exit (1);
    }
    if (!is_fresh && !baton_task_is_restarted (task)) return live;
    memset (live, 0, sizeof *live);
    memcpy (live->id, id, sizeof live->id);
    if (data.size == sizeof live->state) memcpy (&live->state, data.data, data.size);
    return live;
}

// A session that is lost to this server is dropped; other errors end the program.
static void
check (enum baton_err err, const char *id)
{
    if (err == BATON_OK) return;
    if (err == BATON_FENCED || err == BATON_CLOSED || err == BATON_NOT_FOUND) {
        forget (id, err, NULL);
        return;
    }
    fprintf (stderr, "session %s: %s\n", id, baton_strerror (err));
    exit (1);
}

static void
commit (struct live *live)
{
    char id[sizeof live->id];
    memcpy (id, live->id, sizeof id);
    baton_task_t *task = live->last;
    live->last = NULL;
    check (baton_task_commit (task, &live->state, sizeof live->state), id);
}

static void
commit_all (void)
{
    // From the end: a session that is lost meanwhile is replaced by the last one.
    for (size_t i = lives_count; i > 0; i--) {
        if (i <= lives_count && lives[i - 1].last != NULL) commit (&lives[i - 1]);
    }
}

static void
serve (baton_task_t *task, uint64_t *seed)
{
    struct live *live = state_of (task);
    struct baton_bytes body = baton_task_body (task);
    if (baton_task_seq (task) != live->state.count + 1) fault (task, &live->state);
    ledger_fold (&live->state, body.data, body.size);
    live->last = task;
    enum baton_err err = baton_task_reply (task, &live->state, sizeof live->state);
    if (err != BATON_OK) {
        check (err, live->id);
        return;
    }
    if (ledger_random (seed, 4) == 0) commit (live);
}

int
main (int argc, char **argv)
{
    if (argc != 3) return 2;
    baton_server_t *server = baton_server_new (argv[1], argv[2]);
    if (server == NULL) return 1;
    baton_server_set_mode (server, BATON_SERVER_BY_HAND);
    baton_server_set_abort (server, forget, NULL);
    uint64_t seed = (uint64_t) getpid () + 1;
    for (;;) {
        baton_task_t *task;
        enum baton_err err = baton_server_next (server, 0, &task);
        if (err == BATON_TIMED_OUT) {
            commit_all ();
            err = baton_server_next (server, 1000, &task);
        }
        if (err == BATON_OK) serve (task, &seed);
        else if (err != BATON_TIMED_OUT) {
            fprintf (stderr, "next: %s %s\n", baton_strerror (err),
                     baton_server_error_text (server));
            return 1;
        }
    }
}
