// SPDX-License-Identifier: MPL-2.0
// wire_put_items.h writes the messages that repeat something: the control part of COMMIT,
// COMMITTED, DELIVER and ADMIN_TELL, and the bodies of those that have some. wire_items.h reads
// them.
#ifndef BATON_WIRE_PUT_ITEMS_H
#define BATON_WIRE_PUT_ITEMS_H

#include "proto/msg.h"
#include "proto/wire_sink.h"

void
wire_put_commit (struct sink *sink, const struct msg_commit *in);

// wire_put_commit_bodies puts restart data, bodies of requests, bodies of responses.
void
wire_put_commit_bodies (struct sink *sink, const struct msg_commit *in);

void
wire_put_committed (struct sink *sink, const struct msg_committed *in);

void
wire_put_deliver (struct sink *sink, const struct msg_deliver *in);

// wire_put_deliver_bodies puts bodies of requests, then bodies of responses.
void
wire_put_deliver_bodies (struct sink *sink, const struct msg_deliver *in);

void
wire_put_admin_tell (struct sink *sink, const struct msg_admin_tell *in);

#endif
