// SPDX-License-Identifier: MPL-2.0
// client_inner.h is what the files of the client's API share.
#ifndef BATON_CLIENT_INNER_H
#define BATON_CLIENT_INNER_H

#include "client/baton_client.h"
#include "client/handle.h"
#include "proto/limits.h"
#include "proto/link_client.h"

struct baton_client {
    struct handle handle; // first: is_ready finds the client through it
    struct baton_session *sessions;
    struct baton_session *last_turn; // baton_client_wait gave it last
};

struct baton_session {
    struct baton_client *client;
    struct baton_session *next;
    struct link_session *inner;
    bool opened;     // the application has it
    bool throw_away; // closed with the client
    char name[LIMIT_NAME_MAX_BYTES + 1];
    char id_text[HANDLE_ID_TEXT_MAX];
};

// client_open is baton_client_open with the requirement in stored form, inside the lock.
enum baton_err
client_open (struct baton_client *self, const char *name, struct baton_bytes requirement,
             struct baton_session **session);

// client_free_session takes a session out of its client and frees it.
void
client_free_session (struct baton_session *session);

#endif
