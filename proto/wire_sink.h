// SPDX-License-Identifier: MPL-2.0
// wire_sink.h has where encoded bytes go. Counting and writing are the same calls on another sink,
// so the size that was told cannot differ from what is written.
//
// Encoding has no memory of its own, so it never holds a whole generated message: the fields that
// a message has once are packed from a generated struct on the stack, and each repeated item
// likewise, one after the other, behind its tag and length, which are written by hand. The bytes
// are those that protobuf-c would pack for the whole message (tests/wire/test_golden.c).
#ifndef BATON_WIRE_SINK_H
#define BATON_WIRE_SINK_H

#include "proto/assert.h"
#include "proto/bytes.h"
#include "proto/wire.pb-c.h"

#include <stdint.h>
#include <string.h>

// [data] NULL: bytes are only counted.
struct sink {
    uint8_t *data;
    size_t size_bytes;
    size_t used_bytes;
};

// ITEM_TAG is the tag of a repeated item: field number, wire type 2.
#define ITEM_TAG(number) ((uint8_t) ((number) << 3 | 2))

// sink_take makes room for [size] more bytes; returns where they go, NULL if they are counted.
static inline uint8_t *
sink_take (struct sink *sink, size_t size)
{
    uint8_t *at = NULL;
    if (sink->data) {
        ASSERT (size <= sink->size_bytes - sink->used_bytes);
        at = sink->data + sink->used_bytes;
    }
    sink->used_bytes += size;
    return at;
}

// put_bytes copies a body: the only copy that encoding makes.
static inline void
put_bytes (struct sink *sink, struct baton_bytes bytes)
{
    ASSERT (bytes.size <= UINT32_MAX);
    ASSERT (bytes.size == 0 || bytes.data != NULL);
    uint8_t *at = sink_take (sink, bytes.size);
    if (at && bytes.size > 0) {
        memcpy (at, bytes.data, bytes.size);
    }
}

// put_number writes the low [size] bytes of [n], little-endian.
static inline void
put_number (struct sink *sink, uint64_t n, size_t size)
{
    uint8_t *at = sink_take (sink, size);
    for (size_t i = 0; at && i < size; i++) {
        at[i] = (uint8_t) (n >> (8 * i));
    }
}

// put_fields packs the fields that a message has once.
static inline void
put_fields (struct sink *sink, const ProtobufCMessage *message)
{
    uint8_t *at = sink_take (sink, protobuf_c_message_get_packed_size (message));
    if (at) {
        protobuf_c_message_pack (message, at);
    }
}

// put_item packs one repeated item behind its [tag] and its length.
static inline void
put_item (struct sink *sink, uint8_t tag, const ProtobufCMessage *item)
{
    uint8_t head[1 + 5] = {tag};
    size_t head_size = 1;
    size_t size = protobuf_c_message_get_packed_size (item);
    size_t left = size;
    for (; left >= 0x80; left >>= 7) {
        head[head_size++] = (uint8_t) (left | 0x80);
    }
    head[head_size++] = (uint8_t) left;

    uint8_t *at = sink_take (sink, head_size + size);
    if (at) {
        memcpy (at, head, head_size);
        protobuf_c_message_pack (item, at + head_size);
    }
}

// bytes_of lends bytes to protobuf-c, which has no type for what is only read, and only reads.
static inline ProtobufCBinaryData
bytes_of (struct baton_bytes bytes)
{
    return (ProtobufCBinaryData) {bytes.size, (uint8_t *) (uintptr_t) bytes.data};
}

// size_of is the size of a body as the control part has it.
static inline uint32_t
size_of (struct baton_bytes body)
{
    ASSERT (body.size <= UINT32_MAX);
    return (uint32_t) body.size;
}

#endif
