// SPDX-License-Identifier: MPL-2.0
#include "broker/store/layout.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "broker/core/little.h"
#include "proto/assert.h"

// All three kinds begin alike, so that a reader of any format finds kind, checksum and version:
// eight letters, XXH3_64 of everything after it, and what differs.
#define AT_MAGIC 0
#define AT_CHECKSUM 8
#define AT_BODY 16
#define AT_VERSION 16
#define AT_KIND 20
#define AT_GROUP 24
#define AT_IDENTITY 40

#define AT_SEGMENT_GENERATION 56
#define AT_SEGMENT_NUMBER 64
#define AT_SEGMENT_SIZE 72
#define AT_SEGMENT_FROM_INDEX 80
#define AT_SEGMENT_FROM_CHAIN 88
#define AT_SEGMENT_COMMIT 96
#define AT_SEGMENT_FRONT 104
#define AT_SEGMENT_BATCH_MAX 112

#define AT_BATCH_GROUP 16
#define AT_BATCH_GENERATION 32
#define AT_BATCH_SEGMENT 40
#define AT_BATCH_OFFSET 48
#define AT_BATCH_NUMBER 56
#define AT_BATCH_RECORDS_BYTES 64
#define AT_BATCH_FIRST_INDEX 72
#define AT_BATCH_COMMIT 80
#define AT_BATCH_FRONT 88
#define AT_BATCH_RECORD_COUNT 96

#define MAGIC_BYTES 8
static const char magic_store[] = "BATONSTR";
static const char magic_segment[] = "BATONSEG";
static const char magic_batch[] = "BATONBAT";

#define DIGITS 16
static const char name_prefix[] = "log-";

uint64_t
layout_chain (const void *record, size_t size_bytes)
{
    return XXH3_64bits (record, size_bytes);
}

static void
put_id (uint8_t *bytes, struct id id)
{
    little_put_u64 (bytes, id.high);
    little_put_u64 (bytes + 8, id.low);
}

static struct id
get_id (const uint8_t *bytes)
{
    return (struct id) { .high = little_get_u64 (bytes), .low = little_get_u64 (bytes + 8) };
}

uint64_t
layout_seed (struct id identity)
{
    uint8_t bytes[16];
    put_id (bytes, identity);
    return XXH3_64bits (bytes, sizeof bytes);
}

// Puts kind and checksum around a body that is complete.
static void
seal (const char *magic, uint64_t seed, uint8_t *bytes, size_t size_bytes)
{
    memcpy (bytes + AT_MAGIC, magic, MAGIC_BYTES);
    little_put_u64 (bytes + AT_CHECKSUM,
                    XXH3_64bits_withSeed (bytes + AT_BODY, size_bytes - AT_BODY, seed));
}

static bool
is_sealed (const char *magic, uint64_t seed, const uint8_t *bytes, size_t size_bytes)
{
    if (memcmp (bytes + AT_MAGIC, magic, MAGIC_BYTES) != 0) return false;
    return little_get_u64 (bytes + AT_CHECKSUM)
           == XXH3_64bits_withSeed (bytes + AT_BODY, size_bytes - AT_BODY, seed);
}

static void
put_common (struct store_name name, uint32_t kind, uint8_t *block)
{
    memset (block, 0, DISK_BLOCK_BYTES);
    little_put_u32 (block + AT_VERSION, LAYOUT_FORMAT_VERSION);
    little_put_u32 (block + AT_KIND, kind);
    put_id (block + AT_GROUP, name.group);
    put_id (block + AT_IDENTITY, name.identity);
}

static enum baton_err
get_common (const char *magic, const uint8_t *block, struct store_name *name, uint32_t *version)
{
    if (!is_sealed (magic, 0, block, DISK_BLOCK_BYTES)) return BATON_DAMAGED;
    *version = little_get_u32 (block + AT_VERSION);
    if (*version != LAYOUT_FORMAT_VERSION) return BATON_BAD_VERSION;
    name->group = get_id (block + AT_GROUP);
    name->identity = get_id (block + AT_IDENTITY);
    return BATON_OK;
}

void
layout_put_store (struct store_head head, uint8_t block[DISK_BLOCK_BYTES])
{
    put_common (head.name, (uint32_t) head.register_kind, block);
    seal (magic_store, 0, block, DISK_BLOCK_BYTES);
}

enum baton_err
layout_get_store (const uint8_t block[DISK_BLOCK_BYTES], struct store_head *head,
                  uint32_t *version)
{
    const enum baton_err error = get_common (magic_store, block, &head->name, version);
    if (error != BATON_OK) return error;
    // A kind that this program does not know was written by a newer one.
    if (little_get_u32 (block + AT_KIND) != REGISTER_SINGLE) return BATON_BAD_VERSION;
    head->register_kind = REGISTER_SINGLE;
    return BATON_OK;
}

void
layout_put_segment (struct segment_head head, struct store_name name,
                    uint8_t block[DISK_BLOCK_BYTES])
{
    put_common (name, 0, block);
    little_put_u64 (block + AT_SEGMENT_GENERATION, head.generation);
    little_put_u64 (block + AT_SEGMENT_NUMBER, head.number);
    little_put_u64 (block + AT_SEGMENT_SIZE, head.size_bytes);
    little_put_u64 (block + AT_SEGMENT_FROM_INDEX, head.from.index.n);
    little_put_u64 (block + AT_SEGMENT_FROM_CHAIN, head.from.chain);
    little_put_u64 (block + AT_SEGMENT_COMMIT, head.commit.n);
    little_put_u64 (block + AT_SEGMENT_FRONT, head.front_number);
    little_put_u64 (block + AT_SEGMENT_BATCH_MAX, head.batch_max_bytes);
    seal (magic_segment, 0, block, DISK_BLOCK_BYTES);
}

enum baton_err
layout_get_segment (const uint8_t block[DISK_BLOCK_BYTES], struct segment_head *head,
                    struct store_name *name, uint32_t *version)
{
    const enum baton_err error = get_common (magic_segment, block, name, version);
    if (error != BATON_OK) return error;
    *head = (struct segment_head) {
        .generation = little_get_u64 (block + AT_SEGMENT_GENERATION),
        .number = little_get_u64 (block + AT_SEGMENT_NUMBER),
        .size_bytes = little_get_u64 (block + AT_SEGMENT_SIZE),
        .from = { .index = { little_get_u64 (block + AT_SEGMENT_FROM_INDEX) },
                  .chain = little_get_u64 (block + AT_SEGMENT_FROM_CHAIN) },
        .commit = { little_get_u64 (block + AT_SEGMENT_COMMIT) },
        .front_number = little_get_u64 (block + AT_SEGMENT_FRONT),
        .batch_max_bytes = little_get_u64 (block + AT_SEGMENT_BATCH_MAX),
    };
    return BATON_OK;
}

void
layout_put_batch (struct batch_head head, struct id group, uint64_t seed, uint8_t *batch)
{
    const size_t used_bytes = LAYOUT_BATCH_HEAD_BYTES + (size_t) head.records_bytes;
    const size_t size_bytes = (size_t) layout_batch_bytes (head.records_bytes);
    memset (batch, 0, LAYOUT_BATCH_HEAD_BYTES);
    memset (batch + used_bytes, 0, size_bytes - used_bytes);
    put_id (batch + AT_BATCH_GROUP, group);
    little_put_u64 (batch + AT_BATCH_GENERATION, head.generation);
    little_put_u64 (batch + AT_BATCH_SEGMENT, head.segment_number);
    little_put_u64 (batch + AT_BATCH_OFFSET, head.offset_bytes);
    little_put_u64 (batch + AT_BATCH_NUMBER, head.batch_number);
    little_put_u64 (batch + AT_BATCH_RECORDS_BYTES, head.records_bytes);
    little_put_u64 (batch + AT_BATCH_FIRST_INDEX, head.first_index.n);
    little_put_u64 (batch + AT_BATCH_COMMIT, head.commit.n);
    little_put_u64 (batch + AT_BATCH_FRONT, head.front_number);
    little_put_u32 (batch + AT_BATCH_RECORD_COUNT, head.record_count);
    seal (magic_batch, seed, batch, size_bytes);
}

bool
layout_get_batch_head (const uint8_t *batch, struct id group, uint64_t room_bytes,
                       struct batch_head *head)
{
    if (memcmp (batch, magic_batch, MAGIC_BYTES) != 0) return false;
    if (!id_equal (get_id (batch + AT_BATCH_GROUP), group)) return false;
    *head = (struct batch_head) {
        .generation = little_get_u64 (batch + AT_BATCH_GENERATION),
        .segment_number = little_get_u64 (batch + AT_BATCH_SEGMENT),
        .offset_bytes = little_get_u64 (batch + AT_BATCH_OFFSET),
        .batch_number = little_get_u64 (batch + AT_BATCH_NUMBER),
        .records_bytes = little_get_u64 (batch + AT_BATCH_RECORDS_BYTES),
        .record_count = little_get_u32 (batch + AT_BATCH_RECORD_COUNT),
        .first_index = { little_get_u64 (batch + AT_BATCH_FIRST_INDEX) },
        .commit = { little_get_u64 (batch + AT_BATCH_COMMIT) },
        .front_number = little_get_u64 (batch + AT_BATCH_FRONT),
    };
    // Compared before rounding: a length near the top of the numbers must not wrap.
    return head->records_bytes <= room_bytes
           && layout_batch_bytes (head->records_bytes) <= room_bytes;
}

bool
layout_batch_is_intact (const uint8_t *batch, const struct batch_head *head, uint64_t seed)
{
    return is_sealed (magic_batch, seed, batch, (size_t) layout_batch_bytes (head->records_bytes));
}

static void
put_name (uint64_t number, const char *ending, char name[LAYOUT_NAME_MAX_BYTES])
{
    char *digits = name + sizeof name_prefix - 1;
    memcpy (name, name_prefix, sizeof name_prefix - 1);
    for (size_t i = DIGITS; i > 0; i--) {
        digits[i - 1] = (char) ('0' + number % 10);
        number /= 10;
    }
    ASSERT (number == 0);
    memcpy (digits + DIGITS, ending, strlen (ending) + 1);
}

void
layout_new_name (uint64_t number, char name[LAYOUT_NAME_MAX_BYTES])
{
    put_name (number, ".new", name);
}

void
layout_segment_name (uint64_t number, char name[LAYOUT_NAME_MAX_BYTES])
{
    put_name (number, ".seg", name);
}

// Returns the number between prefix and [ending], 0 if the name has another form.
static uint64_t
number_of (const char *name, const char *ending)
{
    const size_t prefix_bytes = sizeof name_prefix - 1;
    if (strlen (name) != prefix_bytes + DIGITS + strlen (ending)) return 0;
    if (memcmp (name, name_prefix, prefix_bytes) != 0) return 0;
    if (strcmp (name + prefix_bytes + DIGITS, ending) != 0) return 0;
    uint64_t number = 0;
    for (size_t i = 0; i < DIGITS; i++) {
        const char digit = name[prefix_bytes + i];
        if (digit < '0' || digit > '9') return 0;
        number = number * 10 + (uint64_t) (digit - '0');
    }
    return number;
}

uint64_t
layout_name_number (const char *name)
{
    return number_of (name, ".seg");
}

bool
layout_name_is_leftover (const char *name)
{
    return number_of (name, ".new") != 0;
}
