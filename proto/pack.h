// SPDX-License-Identifier: MPL-2.0
// pack.h has bytes that grow in an array of fixed size, and bytes that are taken off the front
// of a view, little-endian. Both are total: too little room or too few bytes is a result that is
// asked for, never an overrun, so strangers' bytes may be read with it.
#ifndef BATON_PACK_H
#define BATON_PACK_H

#include "proto/bytes.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// What does not fit is counted but not written, so that one run tells the size that is needed.
struct pack {
    uint8_t *data;
    size_t max_bytes;
    size_t used_bytes;
};

// What is left to read.
struct unpack {
    const uint8_t *data;
    size_t size_bytes;
};

// pack_init starts an empty pack in the caller's [data] of [max_bytes]; NULL with 0 only counts.
static inline void
pack_init (struct pack *pack, void *data, size_t max_bytes)
{
    pack->data = data;
    pack->max_bytes = max_bytes;
    pack->used_bytes = 0;
}

// pack_fits returns whether all that was put so far had room.
static inline bool
pack_fits (const struct pack *pack)
{
    return pack->used_bytes <= pack->max_bytes;
}

// pack_bytes appends [bytes].
static inline void
pack_bytes (struct pack *pack, struct baton_bytes bytes)
{
    if (bytes.size > 0 && pack_fits (pack) && bytes.size <= pack->max_bytes - pack->used_bytes) {
        memcpy (pack->data + pack->used_bytes, bytes.data, bytes.size);
    }
    pack->used_bytes += bytes.size;
}

// pack_u8 appends one byte.
static inline void
pack_u8 (struct pack *pack, uint8_t n)
{
    pack_bytes (pack, (struct baton_bytes) { &n, 1 });
}

// pack_u16 appends two bytes.
static inline void
pack_u16 (struct pack *pack, uint16_t n)
{
    const uint8_t bytes[2] = { (uint8_t) (n & 0xff), (uint8_t) (n >> 8) };
    pack_bytes (pack, (struct baton_bytes) { bytes, sizeof bytes });
}

// pack_u64 appends eight bytes.
static inline void
pack_u64 (struct pack *pack, uint64_t n)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t) (n >> (8 * i));
    }
    pack_bytes (pack, (struct baton_bytes) { bytes, sizeof bytes });
}

// pack_since returns a view of what was put since [start_bytes] were used; empty if it did not fit.
static inline struct baton_bytes
pack_since (const struct pack *pack, size_t start_bytes)
{
    struct baton_bytes view = { NULL, 0 };
    if (pack_fits (pack) && pack->used_bytes > start_bytes) {
        view.data = pack->data + start_bytes;
        view.size = pack->used_bytes - start_bytes;
    }
    return view;
}

// unpack_init starts at the first of [bytes].
static inline void
unpack_init (struct unpack *unpack, struct baton_bytes bytes)
{
    unpack->data = bytes.data;
    unpack->size_bytes = bytes.size;
}

// unpack_bytes takes a view of [size] bytes; false if there are fewer.
static inline bool
unpack_bytes (struct unpack *unpack, size_t size, struct baton_bytes *bytes)
{
    if (size > unpack->size_bytes) return false;
    bytes->data = size > 0 ? unpack->data : NULL;
    bytes->size = size;
    if (size > 0) {
        unpack->data += size;
        unpack->size_bytes -= size;
    }
    return true;
}

// unpack_u8 takes one byte; false if there is none.
static inline bool
unpack_u8 (struct unpack *unpack, uint8_t *n)
{
    struct baton_bytes bytes;
    if (!unpack_bytes (unpack, 1, &bytes)) return false;
    *n = *(const uint8_t *) bytes.data;
    return true;
}

// unpack_u16 takes two bytes; false if there are fewer.
static inline bool
unpack_u16 (struct unpack *unpack, uint16_t *n)
{
    struct baton_bytes bytes;
    if (!unpack_bytes (unpack, 2, &bytes)) return false;
    const uint8_t *data = bytes.data;
    *n = (uint16_t) (data[0] | (uint16_t) (data[1] << 8));
    return true;
}

// unpack_u64 takes eight bytes; false if there are fewer.
static inline bool
unpack_u64 (struct unpack *unpack, uint64_t *n)
{
    struct baton_bytes bytes;
    if (!unpack_bytes (unpack, 8, &bytes)) return false;
    const uint8_t *data = bytes.data;
    uint64_t sum = 0;
    for (size_t i = 0; i < 8; i++) {
        sum |= (uint64_t) data[i] << (8 * i);
    }
    *n = sum;
    return true;
}

#endif
