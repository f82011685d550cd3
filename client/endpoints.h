// SPDX-License-Identifier: MPL-2.0
// endpoints.h has the list of brokers that a handle may dial: text from the application, checked
// once and kept. It must never resolve or dial anything.
#ifndef BATON_ENDPOINTS_H
#define BATON_ENDPOINTS_H

#include "client/handle.h"

// endpoints_parse keeps the endpoints of [list], separated by commas or spaces; NULL stands for
// the broker of this machine.
//
// Errors: BATON_BAD_ARGUMENT for an empty list, more than 64 endpoints, one that is neither
// tcp:// nor ipc://, or too long; BATON_NO_MEMORY.
enum baton_err
endpoints_parse (struct handle *handle, const char *list);

// endpoints_get returns one of them.
const char *
endpoints_get (const struct handle *handle, uint32_t endpoint_index);

#endif
