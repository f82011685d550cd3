// SPDX-License-Identifier: MPL-2.0
#include "broker/core/server.h"

bool
server_is_current (const struct server *server, const struct session *session)
{
    return session->server == server && server->offer == OFFER_KNOWN
        && server->state == INSTANCE_CURRENT
        && id_equal (server->instance, session->server_instance)
        && session->bound.n > server->ended.n;
}
