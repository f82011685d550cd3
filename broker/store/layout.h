// SPDX-License-Identifier: MPL-2.0
// layout.h turns the three kinds of blocks of a store into structs and back, and names its
// files. docs/formats.md is the same as tables. It must never read a disk or judge an order:
// it says whether these bytes are what was once written, nothing more.
#ifndef BATON_STORE_LAYOUT_H
#define BATON_STORE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/store/disk.h"
#include "proto/errors.h"
#include "proto/numbers.h"

// Raised when old programs cannot read the bytes any more; the reader of old ones stays.
#define LAYOUT_FORMAT_VERSION 1u
// What comes before the records of a batch.
#define LAYOUT_BATCH_HEAD_BYTES 128u
// "log-", 16 digits, ".seg" or ".new", and the final zero.
#define LAYOUT_NAME_MAX_BYTES 32u

#define LAYOUT_STORE_NAME "store"
#define LAYOUT_STORE_NEW_NAME "store.new"

enum register_kind {
    // One broker, no standby: each start raises the epoch by a record.
    REGISTER_SINGLE = 1,
};

// Whose store this is. Group: one log with one history. Identity: this one copy of it.
struct store_name {
    struct id group;
    struct id identity;
};

struct store_head {
    struct store_name name;
    enum register_kind register_kind;
};

// A place in the log: a record and the chain that the record after it carries.
struct position {
    struct log_index index;
    uint64_t chain;
};

struct segment_head {
    uint64_t generation;
    uint64_t number;
    uint64_t size_bytes;
    // The last record before this segment; it supersedes older generations after it.
    struct position from;
    // Known when the segment was made: the newest safe record, the oldest segment kept.
    struct log_index commit;
    uint64_t front_number;
    // Records bytes of its largest lawful batch, so that a reader has room for it.
    uint64_t batch_max_bytes;
};

// What a batch says about itself. The first three fields say where it belongs.
struct batch_head {
    uint64_t generation;
    uint64_t segment_number;
    uint64_t offset_bytes;
    uint64_t batch_number;
    uint64_t records_bytes;
    uint32_t record_count;
    // Index of its first record; of the next record to come if it has none.
    struct log_index first_index;
    struct log_index commit;
    uint64_t front_number;
};

// layout_blocks rounds [size_bytes] up to whole blocks, in bytes.
static inline uint64_t
layout_blocks (uint64_t size_bytes)
{
    return (size_bytes + DISK_BLOCK_BYTES - 1) / DISK_BLOCK_BYTES * DISK_BLOCK_BYTES;
}

// layout_batch_bytes is the room that a batch with [records_bytes] of records takes on disk.
static inline uint64_t
layout_batch_bytes (uint64_t records_bytes)
{
    return layout_blocks (LAYOUT_BATCH_HEAD_BYTES + records_bytes);
}

// layout_chain is what the record after this one carries as its chain.
uint64_t
layout_chain (const void *record, size_t size_bytes);

// layout_seed makes the seed of the batch checksums from the store's identity, which no end of
// a conversation knows: a body that looks like a batch is none.
uint64_t
layout_seed (struct id identity);

// The put functions fill one whole block. The get functions return BATON_DAMAGED if the block
// is not one that put made, and BATON_BAD_VERSION with its number in [version] if it is intact
// and of a newer format.

void
layout_put_store (struct store_head head, uint8_t block[DISK_BLOCK_BYTES]);

DISK_MUST_USE enum baton_err
layout_get_store (const uint8_t block[DISK_BLOCK_BYTES], struct store_head *head,
                  uint32_t *version);

void
layout_put_segment (struct segment_head head, struct store_name name,
                    uint8_t block[DISK_BLOCK_BYTES]);

// layout_get_segment also gives the [name] of the store that the segment was written for.
DISK_MUST_USE enum baton_err
layout_get_segment (const uint8_t block[DISK_BLOCK_BYTES], struct segment_head *head,
                    struct store_name *name, uint32_t *version);

// layout_put_batch writes the head before the records that lie in [batch] already, zeroes the
// rest of the last block, and seals all of it with the checksum.
void
layout_put_batch (struct batch_head head, struct id group, uint64_t seed, uint8_t *batch);

// layout_get_batch_head reads the first block of what may be a batch; nothing in it is sure
// before layout_batch_is_intact. Returns false if it is not the head of a batch of this group
// with a length of at most [room_bytes].
bool
layout_get_batch_head (const uint8_t *batch, struct id group, uint64_t room_bytes,
                       struct batch_head *head);

// layout_batch_is_intact checks all layout_batch_bytes (head.records_bytes) bytes.
bool
layout_batch_is_intact (const uint8_t *batch, const struct batch_head *head, uint64_t seed);

// The names of a segment's file: while it is made, and when it counts.
void
layout_new_name (uint64_t number, char name[LAYOUT_NAME_MAX_BYTES]);

void
layout_segment_name (uint64_t number, char name[LAYOUT_NAME_MAX_BYTES]);

// layout_name_number returns the number of a segment file that counts, 0 for other names.
uint64_t
layout_name_number (const char *name);

// layout_name_is_leftover says whether a crash left this segment unfinished.
bool
layout_name_is_leftover (const char *name);

#endif
