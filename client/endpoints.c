// SPDX-License-Identifier: MPL-2.0
#include "client/endpoints.h"

#include "proto/assert.h"
#include "proto/limits.h"

#include <string.h>

// More brokers than a group, its standby and some mistakes would have.
#define ENDPOINTS_MAX_COUNT 64u
#define ENDPOINT_MAX_BYTES 511u
#define SEPARATORS ", \t\n"

#define TEXT_OF(number) #number
#define PORT_TEXT(number) TEXT_OF (number)
#define DEFAULT_ENDPOINT "tcp://127.0.0.1:" PORT_TEXT (LIMIT_PORT_ENDS)

static bool
starts_with (const char *text, const char *start)
{
    return strncmp (text, start, strlen (start)) == 0;
}

static bool
is_endpoint (const char *text)
{
    if (strlen (text) > ENDPOINT_MAX_BYTES) return false;
    if (starts_with (text, "ipc://")) return text[strlen ("ipc://")] != 0;

    // A tcp endpoint has a port: something behind the last colon, which is not the scheme's.
    const char *colon = strrchr (text, ':');
    return starts_with (text, "tcp://") && colon > text + strlen ("tcp://") && colon[1] != 0;
}

// Turns the copy of the list into strings one behind the other.
static enum baton_err
cut (struct handle *handle, size_t list_bytes)
{
    char *write = handle->endpoints;
    char *read = handle->endpoints;
    const char *end = handle->endpoints + list_bytes;
    while (read < end) {
        read += strspn (read, SEPARATORS);
        size_t size = strcspn (read, SEPARATORS);
        if (size == 0) break;
        memmove (write, read, size);
        read += size < (size_t) (end - read) ? size + 1 : size;
        write[size] = 0;
        if (!is_endpoint (write)) return BATON_BAD_ARGUMENT;
        write += size + 1;
        handle->endpoints_count++;
    }
    bool good = handle->endpoints_count > 0 && handle->endpoints_count <= ENDPOINTS_MAX_COUNT;
    return good ? BATON_OK : BATON_BAD_ARGUMENT;
}

enum baton_err
endpoints_parse (struct handle *handle, const char *list)
{
    const char *from = list ? list : DEFAULT_ENDPOINT;
    size_t size = strlen (from);
    handle->endpoints_bytes = size + 1;
    handle->endpoints = memory_alloc (&handle->memory, size + 1);
    if (!handle->endpoints) return BATON_NO_MEMORY;

    memcpy (handle->endpoints, from, size + 1);
    return cut (handle, size);
}

const char *
endpoints_get (const struct handle *handle, uint32_t endpoint_index)
{
    ASSERT (endpoint_index < handle->endpoints_count);
    const char *endpoint = handle->endpoints;
    for (uint32_t i = 0; i < endpoint_index; i++) {
        endpoint += strlen (endpoint) + 1;
    }
    return endpoint;
}
