// SPDX-License-Identifier: MPL-2.0
// announce_part.h is what announce.c and announce_server.c share: the one tells of sessions and
// clients, the other of servers. Nobody else includes it.
#ifndef BATON_ANNOUNCE_PART_H
#define BATON_ANNOUNCE_PART_H

#include "broker/core/announce.h"

// announce_want gets a session's requests on their way: to its server, or to a placement first.
void
announce_want (const struct stage *stage, const struct session *session);

void
announce_hello (const struct stage *stage);

void
announce_offered (const struct stage *stage);

void
announce_server_ended (const struct stage *stage, const struct decision *decision);

void
announce_reload (const struct stage *stage);

#endif
