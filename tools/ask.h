// SPDX-License-Identifier: MPL-2.0
// ask.h asks the broker of a store what it sees, over the socket in the store's directory: whoever
// may enter the directory may ask. It reads only; nothing can be changed through it.
#ifndef BATON_TOOLS_ASK_H
#define BATON_TOOLS_ASK_H

#include "proto/msg.h"
#include "tools/exit_code.h"

#include <jansson.h>

#define ASK_STORE_DEFAULT "./baton-store"
// Name of the socket in the store's directory.
#define ASK_DOOR_NAME "admin"

struct question {
    const char *store; // directory
    enum admin_topic topic;
    struct baton_bytes argument;
    struct baton_bytes requirement; // stored form
};

// ask gets all rows of the answer as an array of objects, in the order in which they are told; the
// caller's, to be given to json_decref. A number too large for JSON's integers becomes a string.
//
// Returns EXIT_CODE_OK; EXIT_CODE_CANNOT_REACH if nobody answers there, EXIT_CODE_TRY_LATER if the
// broker cannot tell now, EXIT_CODE_REFUSED if it will not; having said what and what next.
enum exit_code
ask (const struct question *question, json_t **rows);

#endif
