// SPDX-License-Identifier: MPL-2.0
// wire_items.h reads the messages that repeat something: COMMIT, COMMITTED, DELIVER, ADMIN_TELL.
// Their items lie in one list for the whole message, and each part takes its own from the front.
// All of them return false, with the fault filled, if a rule is broken.
#ifndef BATON_WIRE_ITEMS_H
#define BATON_WIRE_ITEMS_H

#include "proto/wire.pb-c.h"
#include "proto/wire_read.h"

// wire_read_commit leaves the digest 0: it is of bytes that are not here any more.
bool
wire_read_commit (struct wire_reader *reader, const Baton__Commit *in, struct msg_commit *out);

bool
wire_read_committed (struct wire_reader *reader, const Baton__Committed *in,
                     struct msg_committed *out);

bool
wire_read_deliver (struct wire_reader *reader, const Baton__Deliver *in, struct msg_deliver *out);

bool
wire_read_admin_tell (struct wire_reader *reader, const Baton__AdminTell *in,
                      struct msg_admin_tell *out);

#endif
