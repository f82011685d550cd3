// SPDX-License-Identifier: MPL-2.0
// hello_client.c sends three requests and prints the answers. Start a broker (batond) and
// hello_server in other shells, in any order.
#include <baton.h>
#include <stdio.h>
#include <string.h>

int
main (void)
{
    baton_client_t *client = baton_client_new (NULL);
    baton_session_t *session;
    enum baton_err err = baton_client_open (client, NULL, NULL, &session);
    const char *names[] = {"world", "ZeroMQ", "you"};
    for (int i = 0; i < 3 && !err; i++) {
        err = baton_session_send (session, names[i], strlen (names[i]), NULL);
    }
    for (int i = 0; i < 3 && !err; i++) {
        struct baton_response response;
        err = baton_session_recv (session, -1, &response);
        if (!err) printf ("%.*s\n", (int) response.body.size, (const char *) response.body.data);
    }
    if (err) fprintf (stderr, "hello_client: %s\n", baton_strerror (err));
    baton_client_destroy (&client);
    return err ? 1 : 0;
}
