// SPDX-License-Identifier: MPL-2.0
// wire_read.h turns what protobuf-c has unpacked into struct msg, field by field, and refuses
// what is out of range. It takes the bodies off the bulk as views and never copies them.
#ifndef BATON_WIRE_READ_H
#define BATON_WIRE_READ_H

#include "proto/wire.h"
#include "proto/wire_arena.h"

#include <protobuf-c/protobuf-c.h>

// One decoding.
struct wire_reader {
    struct wire_arena *arena;
    const struct wire_limits *limits;
    struct wire_fault *fault;
    struct baton_bytes bulk; // what no body has taken yet
};

// wire_descriptor returns the schema of [kind], which must be a kind.
const ProtobufCMessageDescriptor *
wire_descriptor (enum msg_kind kind);

// wire_read fills the part of [msg] that [msg]->kind names from [control], unpacked as
// wire_descriptor of that kind. False if a rule is broken; the fault is filled then.
bool
wire_read (struct wire_reader *reader, const void *control, struct msg *msg);

#endif
