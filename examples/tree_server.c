// SPDX-License-Identifier: MPL-2.0
// tree-server digests files for tree-client. It keeps nothing in memory: what it knows of a
// session stands in the session's restart data, so that any other server of the same class can go
// on in the middle of a file. Killing it is the way to stop it.
//
// Exit code: 1 something went wrong, 2 usage.
#include "tree_digest.h"

#include <baton.h>
#include <stdio.h>
#include <string.h>

// Restart data, for servers of the same machine type and nettle.
struct state {
    uint64_t layout;
    struct tree_report report;
    uint64_t digested_bytes; // of the file that is half here
    struct sha256_ctx file;  // its digest so far
};

#define STATE_LAYOUT (UINT64_C (0x7472656573720100) + sizeof (struct state))

// Returns 0, or -1 if another program wrote the restart data.
static int
load (struct state *state, struct baton_bytes data)
{
    memset (state, 0, sizeof *state);
    state->layout = STATE_LAYOUT;
    sha256_init (&state->file);
    if (data.size == 0) return 0;
    if (data.size != sizeof *state) return -1;
    memcpy (state, data.data, sizeof *state);
    return state->layout == STATE_LAYOUT ? 0 : -1;
}

// Adds one piece; after the last one writes digest and path to [answer]. Returns its bytes.
static size_t
digest (struct state *state, const struct tree_request *piece, uint8_t *answer)
{
    sha256_update (&state->file, piece->content_size, piece->content);
    state->digested_bytes += piece->content_size;
    if (piece->kind == TREE_KIND_PIECE) return 0;
    sha256_digest (&state->file, TREE_DIGEST_BYTES, answer);
    tree_digest_chain (state->report.chain, answer);
    state->report.files++;
    state->digested_bytes = 0;
    memcpy (answer + TREE_DIGEST_BYTES, piece->path, piece->path_size);
    return TREE_DIGEST_BYTES + piece->path_size;
}

// Answer and new state become final together, or not at all.
static int
serve (baton_task_t *task, void *context)
{
    (void) context;
    struct state state;
    struct tree_request request;
    uint8_t answer[TREE_DIGEST_BYTES + TREE_PATH_MAX_BYTES];
    size_t size = TREE_REPORT_BYTES;
    struct baton_bytes body = baton_task_body (task);
    if (load (&state, baton_task_restart_data (task)) != 0
        || tree_request_read (&request, body.data, body.size) != 0
        || (request.kind != TREE_KIND_REPORT && request.offset != state.digested_bytes)) {
        baton_task_reject (task, "not a request of tree-client, or not the one that comes next");
        return 0;
    }
    if (request.kind == TREE_KIND_REPORT) tree_report_write (&state.report, answer);
    else size = digest (&state, &request, answer);
    enum baton_err err = baton_task_reply (task, answer, size);
    if (err == BATON_OK) err = baton_task_commit (task, &state, sizeof state);
    // A session that went to another server is no fault: it goes on there.
    return err == BATON_OK || err == BATON_FENCED || err == BATON_CLOSED ? 0 : (int) err;
}

int
main (int argc, char **argv)
{
    if (argc != 4) {
        fputs ("usage: tree-server ENDPOINTS NAME small|large\n", stderr);
        return 2;
    }
    baton_server_t *server = baton_server_new (argv[1], argv[2]);
    enum baton_err err = server == NULL ? BATON_BAD_ARGUMENT : BATON_OK;
    if (err == BATON_OK) err = baton_server_join (server, argv[3]);
    if (err == BATON_OK) err = baton_server_offer (server, "algo", "sha256");
    if (err == BATON_OK) err = baton_server_offer (server, "class", argv[3]);
    if (err == BATON_OK) err = baton_server_run (server, serve, NULL);
    fprintf (stderr, "tree-server: %s %s\n", baton_strerror (err),
             baton_server_error_text (server));
    baton_server_destroy (&server);
    return 1;
}
