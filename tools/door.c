// SPDX-License-Identifier: MPL-2.0
#include "tools/door.h"

#include "tools/ask.h"
#include "tools/say.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SCHEME "ipc://"

static enum exit_code
say_no_store (const char *store)
{
    say ("no store at %s (%s); start `batond --store %s`, or name the store of a running broker"
         " with --store DIR", store, strerror (errno), store);
    return EXIT_CODE_CANNOT_REACH;
}

static enum exit_code
say_no_broker (const char *store, const char *path, int error)
{
    if (error == EACCES) {
        say ("%s: this user may not enter; ask as the user that runs batond", path);
    } else if (error == ENOENT) {
        say ("no broker runs on the store %s (no socket %s); start `batond --store %s`", store,
             path, store);
    } else {
        say ("no broker answers at %s (%s); start `batond --store %s`", path, strerror (error),
             store);
    }
    return EXIT_CODE_CANNOT_REACH;
}

// Whether somebody listens at [path]: a socket file outlives a killed broker.
static int
try_connect (const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket (AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) return errno;

    memcpy (address.sun_path, path, strlen (path) + 1);
    int error = connect (fd, (const struct sockaddr *) &address, sizeof address) == 0 ? 0 : errno;
    close (fd);
    return error;
}

enum exit_code
door_find (const char *store, char endpoint[DOOR_ENDPOINT_MAX_BYTES])
{
    struct stat status;
    const char *path = endpoint + strlen (SCHEME);
    int size = snprintf (endpoint, DOOR_ENDPOINT_MAX_BYTES, SCHEME "%s/%s", store, ASK_DOOR_NAME);

    if (size < 0 || size >= DOOR_ENDPOINT_MAX_BYTES) {
        say ("the path of the store has %zu bytes, a socket in it may have 107 in all; name it"
             " from a directory nearer to it: %s", strlen (store), store);
        return EXIT_CODE_USAGE;
    }
    if (stat (store, &status) != 0) return say_no_store (store);
    int error = try_connect (path);
    return error ? say_no_broker (store, path, error) : EXIT_CODE_OK;
}
