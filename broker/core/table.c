// SPDX-License-Identifier: MPL-2.0
#include "broker/core/table.h"

#include "proto/assert.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define TABLE_BUCKETS_MIN 16u

void
table_init (struct table *table)
{
    memset (table, 0, sizeof *table);
}

void
table_fini (struct table *table, const struct memory *memory)
{
    memory_release (memory, table->buckets, table->buckets_count * sizeof (struct table_node *));
    memset (table, 0, sizeof *table);
}

static void
table_link (struct table *table, struct table_node *node)
{
    struct table_node **bucket = &table->buckets[node->hash & (table->buckets_count - 1)];

    node->next = *bucket;
    *bucket = node;
}

static void
table_move (struct table *table, const struct table *old)
{
    for (uint32_t i = 0; i < old->buckets_count; i++) {
        for (struct table_node *node = old->buckets[i], *next; node; node = next) {
            next = node->next;
            table_link (table, node);
        }
    }
}

enum baton_err
table_reserve (struct table *table, const struct memory *memory, uint32_t more)
{
    const struct table old = *table;
    uint32_t wanted = old.buckets_count ? old.buckets_count : TABLE_BUCKETS_MIN;

    ASSERT (more <= UINT32_MAX / 4 - old.count);
    while (wanted < old.count + more) {
        wanted *= 2;
    }
    if (wanted == old.buckets_count) return BATON_OK;
    struct table_node **buckets = memory_alloc (memory, wanted * sizeof *buckets);
    if (!buckets) return BATON_NO_MEMORY;
    memset (buckets, 0, wanted * sizeof *buckets);
    table->buckets = buckets;
    table->buckets_count = wanted;
    table_move (table, &old);
    memory_release (memory, old.buckets, old.buckets_count * sizeof *buckets);
    return BATON_OK;
}

void
table_add (struct table *table, struct table_node *node, uint64_t hash)
{
    ASSERT (table->count < table->buckets_count);
    node->hash = hash;
    table_link (table, node);
    table->count++;
}

void
table_remove (struct table *table, struct table_node *node)
{
    struct table_node **at = &table->buckets[node->hash & (table->buckets_count - 1)];

    while (*at != node) {
        ASSERT (*at);
        at = &(*at)->next;
    }
    *at = node->next;
    table->count--;
}

struct table_node *
table_find (const struct table *table, uint64_t hash,
            bool (*is_it) (const struct table_node *node, const void *key), const void *key)
{
    if (table->buckets_count == 0) return NULL;
    struct table_node *node = table->buckets[hash & (table->buckets_count - 1)];
    while (node && (node->hash != hash || !is_it (node, key))) {
        node = node->next;
    }
    return node;
}

uint64_t
hash_id (uint64_t seed, struct id id)
{
    const uint64_t words[2] = { id.high, id.low };

    return XXH3_64bits_withSeed (words, sizeof words, seed);
}

uint64_t
hash_number (uint64_t seed, uint64_t number)
{
    return XXH3_64bits_withSeed (&number, sizeof number, seed);
}

static uint64_t
hash_bytes (uint64_t seed, struct baton_bytes bytes)
{
    return bytes.size ? XXH3_64bits_withSeed (bytes.data, bytes.size, seed) : seed;
}

uint64_t
hash_names (uint64_t seed, struct baton_bytes first, struct baton_bytes second)
{
    return hash_bytes (hash_bytes (seed, first) + first.size, second);
}

bool
bytes_equal (struct baton_bytes a, struct baton_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp (a.data, b.data, a.size) == 0);
}
