// SPDX-License-Identifier: MPL-2.0
// table.h has the intrusive hash table: looks things up, and is never walked, so that nothing the
// core does depends on hash order.
#ifndef BATON_TABLE_H
#define BATON_TABLE_H

#include "proto/bytes.h"
#include "proto/errors.h"
#include "proto/memory.h"
#include "proto/numbers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_node { struct table_node *next; uint64_t hash; };

struct table {
    struct table_node **buckets;
    uint32_t buckets_count; // a power of two, or 0
    uint32_t count;
};

// table_owner turns a node back into the struct that has it as [member].
#define table_owner(node, type, member) \
    ((type *) ((uintptr_t) (node) - offsetof (type, member)))

void
table_init (struct table *table);

void
table_fini (struct table *table, const struct memory *memory);

// table_reserve makes room for [more] further nodes: BATON_NO_MEMORY leaves it as it was.
enum baton_err
table_reserve (struct table *table, const struct memory *memory, uint32_t more);

// table_add puts [node] in under [hash]. The room must have been reserved.
void
table_add (struct table *table, struct table_node *node, uint64_t hash);

void
table_remove (struct table *table, struct table_node *node);

// table_find returns the first node with [hash] for which [is_it] says true; NULL if none.
struct table_node *
table_find (const struct table *table, uint64_t hash,
            bool (*is_it) (const struct table_node *node, const void *key), const void *key);

// Hashes: of an id, of a number, and of two names together ([second] may be empty).
uint64_t
hash_id (uint64_t seed, struct id id);

uint64_t
hash_number (uint64_t seed, uint64_t number);

uint64_t
hash_names (uint64_t seed, struct baton_bytes first, struct baton_bytes second);

// bytes_equal compares two views byte for byte.
bool
bytes_equal (struct baton_bytes a, struct baton_bytes b);

#endif
