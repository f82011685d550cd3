// SPDX-License-Identifier: MPL-2.0
// server_inner.h is what the files of the server's API share.
#ifndef BATON_SERVER_INNER_H
#define BATON_SERVER_INNER_H

#include "client/handle.h"
#include "proto/attribute.h"
#include "proto/limits.h"
#include "proto/link_server.h"
#include "server/baton_server.h"

// How long the end of a server waits for its goodbye to leave the machine: a courtesy, no promise.
#define SERVER_GOODBYE_MS 20

// One attribute as it was offered; the block holds what [attribute] views.
struct offered {
    struct attribute attribute;
    unsigned char *block;
};

struct baton_server {
    struct handle handle; // first: is_ready finds the server through it
    char name[LIMIT_NAME_MAX_BYTES + 1];
    char set[LIMIT_NAME_MAX_BYTES + 1];
    struct offered attributes[LIMIT_ATTRIBUTES_MAX_COUNT];
    uint32_t attributes_count;
    uint32_t capacity;
    uint32_t credit_count;
    uint64_t credit_bytes;
    bool offer_changed; // since it was told to the engine
    baton_abort_fn *tell;
    void *tell_context;
};

// Lives in the engine's task, and as long as that.
struct baton_task {
    struct baton_server *server;
    struct link_task *inner;
    char session_text[HANDLE_ID_TEXT_MAX];
};

// server_tell_offer hands a changed offer to the engine.
enum baton_err
server_tell_offer (struct baton_server *self);

void
server_offer_fini (struct baton_server *self);

// server_wrap_task makes the application's view of a task.
struct baton_task *
server_wrap_task (struct baton_server *self, struct link_task *inner);

#endif
