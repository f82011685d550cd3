// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/endpoint.h"

#include <stdlib.h>
#include <string.h>

#define TCP "tcp://"
#define IPC "ipc://"

static bool
begins_with (const char *text, const char *head)
{
    return strncmp (text, head, strlen (head)) == 0;
}

// The digits behind the last colon, or "*"; NULL if there are none.
static const char *
port_text (const char *endpoint)
{
    const char *colon = strrchr (endpoint + strlen (TCP), ':');

    return colon && colon > endpoint + strlen (TCP) && colon[1] ? colon + 1 : NULL;
}

static bool
port_is_valid (const char *text)
{
    char *end = NULL;

    if (strcmp (text, "*") == 0) return true;
    if (text[0] < '0' || text[0] > '9') return false;
    const unsigned long port = strtoul (text, &end, 10);
    return *end == 0 && port <= 65535;
}

bool
endpoint_is_valid (const char *endpoint)
{
    // ZeroMQ's C bindings take endpoints as formats in places; no address needs the sign.
    if (strchr (endpoint, '%') || strchr (endpoint, ' ')) return false;
    if (begins_with (endpoint, IPC)) return endpoint[strlen (IPC)] != 0;
    if (!begins_with (endpoint, TCP)) return false;
    const char *port = port_text (endpoint);
    return port && port_is_valid (port);
}

bool
endpoint_is_local (const char *endpoint)
{
    if (begins_with (endpoint, IPC)) return true;
    const char *address = endpoint + strlen (TCP);
    if (begins_with (address, "[::1]:") || begins_with (address, "localhost:")) return true;
    if (!begins_with (address, "127.")) return false;
    // "127.evil.example" is a name; four numbers are an address.
    return strspn (address, "0123456789.") == strcspn (address, ":");
}

uint16_t
endpoint_port (const char *endpoint)
{
    const char *port = begins_with (endpoint, TCP) ? port_text (endpoint) : NULL;

    return port ? (uint16_t) strtoul (port, NULL, 10) : 0;
}
