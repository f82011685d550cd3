// SPDX-License-Identifier: MPL-2.0
// wire_scan.h looks through control bytes before protobuf-c sees them, without taking memory:
// protobuf-c keeps unknown fields, cuts numbers that are too long and allocates as a frame likes.
#ifndef BATON_WIRE_SCAN_H
#define BATON_WIRE_SCAN_H

#include "proto/wire.h"

#include <protobuf-c/protobuf-c.h>

// wire_scan returns whether [control] is a message of [descriptor] by all rules of the schema:
// known fields only, each of its own wire type, a field that is not repeated at most once, no
// more items than wire.h allows, numbers in their shortest form and within 32 bits where the
// field has 32, enum numbers that the schema names. If not, refusal, what, value and limit of
// [fault] are filled.
bool
wire_scan (const ProtobufCMessageDescriptor *descriptor, struct baton_bytes control,
           struct wire_fault *fault);

#endif
