// SPDX-License-Identifier: MPL-2.0
// baton.h is all of Baton's library: the client's side, the server's side, errors and bytes.
// Installed as <baton.h>; each part can be included alone as <baton/client.h> and so on.
#ifndef BATON_H
#define BATON_H

#include "client/baton_client.h"
#include "server/baton_server.h"

#define BATON_VERSION_MAJOR 0
#define BATON_VERSION_MINOR 1
#define BATON_VERSION_PATCH 0

#endif
