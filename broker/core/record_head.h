// SPDX-License-Identifier: MPL-2.0
// record_head.h has the fixed first 40 bytes of every record, the only part of a record that
// the store looks at. record.c makes whole records and owns what follows the head.
//
//   offset  0  length_bytes  u32   the whole record, head included
//           4  type          u16
//           6  version       u16   of the layout of this type's body
//           8  epoch         u64
//          16  index         u64   log index
//          24  chain         u64   XXH3_64 of all bytes of the record before; 0 before the first
//          32  utc_ms        u64
#ifndef BATON_CORE_RECORD_HEAD_H
#define BATON_CORE_RECORD_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/core/little.h"
#include "proto/numbers.h"

#define RECORD_HEAD_BYTES 40u

struct record_head {
    uint32_t length_bytes;
    uint16_t type;
    uint16_t version;
    struct epoch epoch;
    struct log_index index;
    uint64_t chain;
    uint64_t utc_ms;
};

// record_head_read fills [head] from the first bytes of a record.
//
//   bytes, size   may hold more than this record; the next one starts at head->length_bytes
//
// Returns false, and leaves [head] alone, if no whole record can start here: fewer than 40
// bytes, or a length below 40 or beyond [size]. It judges no other field.
static inline bool
record_head_read (const void *bytes, size_t size, struct record_head *head)
{
    const uint8_t *at = bytes;
    if (size < RECORD_HEAD_BYTES) return false;
    const uint32_t length_bytes = little_get_u32 (at);
    if (length_bytes < RECORD_HEAD_BYTES || length_bytes > size) return false;
    *head = (struct record_head) {
        .length_bytes = length_bytes,
        .type = little_get_u16 (at + 4),
        .version = little_get_u16 (at + 6),
        .epoch = { little_get_u64 (at + 8) },
        .index = { little_get_u64 (at + 16) },
        .chain = little_get_u64 (at + 24),
        .utc_ms = little_get_u64 (at + 32),
    };
    return true;
}

// record_head_write puts [head] into the first RECORD_HEAD_BYTES of [bytes].
static inline void
record_head_write (struct record_head head, void *bytes)
{
    uint8_t *at = bytes;
    little_put_u32 (at, head.length_bytes);
    little_put_u16 (at + 4, head.type);
    little_put_u16 (at + 6, head.version);
    little_put_u64 (at + 8, head.epoch.n);
    little_put_u64 (at + 16, head.index.n);
    little_put_u64 (at + 24, head.chain);
    little_put_u64 (at + 32, head.utc_ms);
}

#endif
