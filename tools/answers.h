// SPDX-License-Identifier: MPL-2.0
// answers.h prints responses: bodies for pipes, or JSON lines; what went wrong on standard error.
#ifndef BATON_TOOLS_ANSWERS_H
#define BATON_TOOLS_ANSWERS_H

#include "client/baton_client.h"

#include <stdint.h>
#include <stdio.h>

// BYTES: the body as it is. LINES: a line end behind a body that has none. JSON: an object a line.
enum answers_form { ANSWERS_BYTES = 1, ANSWERS_LINES = 2, ANSWERS_JSON = 3 };

struct answers {
    enum answers_form form;
    FILE *file;
    const char *session;   // name; "" for a throw-away one
    const char *id;        // of the session
    uint64_t replies_count;
    uint64_t failed_count; // FAILED, EXPIRED, CANCELLED
};

// answers_print prints one response. A body that is UTF-8 is "body" in JSON, any other one is
// "body_base64".
// Errors: BATON_NO_MEMORY; BATON_DISK if it could not be written.
enum baton_err
answers_print (struct answers *answers, const struct baton_response *response);

#endif
