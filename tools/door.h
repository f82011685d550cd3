// SPDX-License-Identifier: MPL-2.0
// door.h finds the socket of a store's broker and says at once when nobody is behind it, where
// ZeroMQ would dial in silence for ever.
#ifndef BATON_TOOLS_DOOR_H
#define BATON_TOOLS_DOOR_H

#include "tools/exit_code.h"

// The longest path that a Unix socket can have, with its NUL, and "ipc://" before it.
#define DOOR_ENDPOINT_MAX_BYTES (108 + 6)

// door_find makes the endpoint of the broker that serves [store].
//
// Returns EXIT_CODE_USAGE if the path is too long for a socket; EXIT_CODE_CANNOT_REACH if there is
// no store, no socket in it, nobody listening, or no right to enter; having said which, and how to
// get one.
enum exit_code
door_find (const char *store, char endpoint[DOOR_ENDPOINT_MAX_BYTES]);

#endif
