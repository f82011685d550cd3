// SPDX-License-Identifier: MPL-2.0
// hello_server.c answers each request with a greeting, until it is interrupted. A request whose
// server dies goes to the next one that is started.
#include <baton.h>
#include <stdio.h>

static int
greet (baton_task_t *task, void *context)
{
    (void) context;
    struct baton_bytes body = baton_task_body (task);
    char text[100];
    int size = snprintf (text, sizeof text, "Hello, %.*s!", (int) body.size,
                         (const char *) body.data);
    return (int) baton_task_reply (task, text, (size_t) size < sizeof text ? (size_t) size : 99);
}

int
main (void)
{
    baton_server_t *server = baton_server_new (NULL, NULL);
    enum baton_err err = baton_server_run (server, greet, NULL);
    if (err) fprintf (stderr, "hello_server: %s\n", baton_strerror (err));
    baton_server_destroy (&server);
    return err ? 1 : 0;
}
