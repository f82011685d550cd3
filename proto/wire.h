// SPDX-License-Identifier: MPL-2.0
// wire.h turns bytes into messages and back: one frame is one message. A fixed header, the
// control fields as protobuf, then all bodies end to end ("bulk"), which decoding never copies.
// Pure; the only module that knows the generated protobuf code. Limits come before decoding.
#ifndef BATON_WIRE_H
#define BATON_WIRE_H

#include "proto/memory.h"
#include "proto/msg.h"

// Header, little-endian: u16 magic 0x4E42 ("BN"), u8 version, u8 kind, u32 control_bytes,
// u64 epoch, u32 bulk_bytes, u32 reserved (0).
#define WIRE_HEADER_BYTES 24u
#define WIRE_MAGIC 0x4E42u

// What one message may repeat, checked before anything is unpacked. A broker takes one part and
// LIMIT_RECORD_ITEMS_MAX items; the wire takes more, so that who sends too much is told so by
// the core, which knows the session, and not by a decoder that has just given up.
#define WIRE_PARTS_MAX 16u
#define WIRE_ITEMS_MAX 1024u // of each other kind: requests, responses, deliveries, acks, rows
#define WIRE_CELLS_MAX 2048u
// An arena that holds the control fields of any message within these counts and
// LIMIT_CONTROL_MAX_BYTES; tests/wire/test_limits.c measures it.
#define WIRE_ARENA_BYTES (1024u * 1024u)

// What wire_decode found wrong, beside the refusal: for the answer, the log and the counters.
struct wire_fault {
    enum refusal refusal;  // MALFORMED, TOO_LARGE or BAD_VERSION
    enum msg_kind kind;    // 0 if the header was not even that good
    const char *what;      // static text naming the field
    uint64_t value;
    uint64_t limit;
};

struct wire_limits {
    uint64_t frame_max_bytes;
    uint64_t body_max_bytes;
    uint64_t restart_data_max_bytes;
};

// A decoder owns an arena of fixed size that the control fields of one message live in.
struct wire_decoder;

// wire_decoder_new makes a decoder with an arena of [arena_bytes]; NULL without memory.
struct wire_decoder *
wire_decoder_new (const struct memory *memory, size_t arena_bytes);

void
wire_decoder_free (struct wire_decoder **decoder);

// wire_decode fills [msg] from [frame]. Views in [msg] point into [frame] and into the decoder's
// arena: they hold until the next wire_decode with it, and as long as [frame] does.
// Numbers are range-checked, unknown fields and enum numbers refused; request, response and
// restart-data sizes are held against [limits].
// Returns BATON_OK; BATON_REFUSED with [fault] filled when the bytes are a stranger's nonsense.
enum baton_err
wire_decode (struct wire_decoder *decoder, const struct wire_limits *limits,
             struct baton_bytes frame, struct msg *msg, struct wire_fault *fault);

// wire_encoded_size returns the bytes that [msg] takes as a frame.
size_t
wire_encoded_size (const struct msg *msg);

// wire_encode writes [msg] into [data], which has room for wire_encoded_size bytes, and returns
// the bytes written. Bodies are copied here, once. Asserts that counts are consistent.
size_t
wire_encode (const struct msg *msg, void *data, size_t size);

#endif
