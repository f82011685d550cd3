// SPDX-License-Identifier: MPL-2.0
// churn_client opens sessions, sends a few requests in each, takes the answers and closes them,
// for ever: a broker must be as large after a hundred thousand requests as after ten thousand.
//
// Usage: churn_client ENDPOINT NAME PROGRESS-FD. Each number on standard input is a number
// of requests to do; when they are answered and their sessions closed, the line "done" goes to the
// descriptor. Ends at the end of input.
#include "ledger.h"

#include "client/baton.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PER_SESSION 10u

static void
must (enum baton_err err, const char *what, baton_client_t *client)
{
    if (err == BATON_OK) return;
    fprintf (stderr, "%s: %s %s\n", what, baton_strerror (err), baton_client_error_text (client));
    exit (1);
}

static void
check (const struct ledger_state *expected, const struct baton_response *answer)
{
    struct ledger_state state = { 0, 0 };
    if (answer->body.size == sizeof state) memcpy (&state, answer->body.data, sizeof state);
    if (answer->status == BATON_STATUS_REPLY && state.count == expected->count
        && state.chain == expected->chain)
        return;
    fprintf (stderr, "FAULT lost: answer %" PRIu64 " is not the server's\n", answer->request);
    exit (1);
}

// Every other session is a throw-away one, every other commits restart data.
static void
one_session (baton_client_t *client, const char *name, uint64_t number)
{
    char body[100];
    struct ledger_state expected[PER_SESSION + 1] = { 0 };
    baton_session_t *session;
    if (number % 2 != 0) name = NULL;
    must (baton_client_open (client, name, NULL, &session), "open", client);
    for (size_t i = 1; i <= PER_SESSION; i++) {
        memset (body, (int) (number + i), sizeof body);
        expected[i] = expected[i - 1];
        ledger_fold (&expected[i], body, sizeof body);
        must (baton_session_send (session, body, sizeof body, NULL), "send", client);
    }
    if (name != NULL) must (baton_session_commit (session, body, sizeof body), "commit", client);
    for (size_t i = 1; i <= PER_SESSION; i++) {
        struct baton_response answer;
        must (baton_session_recv (session, -1, &answer), "recv", client);
        check (&expected[i], &answer);
    }
    must (baton_session_close (&session), "close", client);
}

int
main (int argc, char **argv)
{
    if (argc != 4) return 2;
    int progress_fd = (int) strtol (argv[3], NULL, 10);
    baton_client_t *client = baton_client_new (argv[1]);
    if (client == NULL) return 1;
    char line[32];
    uint64_t number = 0;
    while (fgets (line, sizeof line, stdin) != NULL) {
        uint64_t end = number + strtoul (line, NULL, 10) / PER_SESSION;
        for (; number < end; number++)
            one_session (client, argv[2], number);
        dprintf (progress_fd, "done\n");
    }
    baton_client_destroy (&client);
    return 0;
}
