// SPDX-License-Identifier: MPL-2.0
// wire_check.h has what wire_read.c and wire_items.c hold each field against. A check that fails
// fills the reader's fault and is false, so that checks stand in a row with &&.
#ifndef BATON_WIRE_CHECK_H
#define BATON_WIRE_CHECK_H

#include "proto/limits.h"
#include "proto/wire_read.h"

// refuse fills the fault and returns false. [value] was met, [limit] would have been right.
static inline bool
refuse (struct wire_reader *reader, enum refusal refusal, const char *what, uint64_t value,
        uint64_t limit)
{
    struct wire_fault *fault = reader->fault;
    fault->refusal = refusal;
    fault->what = what;
    fault->value = value;
    fault->limit = limit;
    return false;
}

// is_some holds where 0 would mean none.
static inline bool
is_some (struct wire_reader *reader, const char *what, uint64_t n)
{
    return n != 0 || refuse (reader, REFUSAL_MALFORMED, what, 0, 0);
}

// is_none holds where only 0 is right.
static inline bool
is_none (struct wire_reader *reader, const char *what, uint64_t n)
{
    return n == 0 || refuse (reader, REFUSAL_MALFORMED, what, n, 0);
}

// is_id holds for every id but none.
static inline bool
is_id (struct wire_reader *reader, const char *what, struct id id)
{
    return !id_is_none (id) || refuse (reader, REFUSAL_MALFORMED, what, 0, 0);
}

// fits holds up to [max_bytes].
static inline bool
fits (struct wire_reader *reader, const char *what, struct baton_bytes bytes, uint64_t max_bytes)
{
    return bytes.size <= max_bytes
           || refuse (reader, REFUSAL_TOO_LARGE, what, bytes.size, max_bytes);
}

// is_name holds for what may be a name, the empty one too.
static inline bool
is_name (struct wire_reader *reader, const char *what, struct baton_bytes name)
{
    return fits (reader, what, name, LIMIT_NAME_MAX_BYTES);
}

// view borrows what protobuf-c has copied into the arena.
static inline struct baton_bytes
view (ProtobufCBinaryData bytes)
{
    return (struct baton_bytes) {bytes.len > 0 ? bytes.data : NULL, bytes.len};
}

// take_body takes the next [size] bytes of the bulk.
static inline bool
take_body (struct wire_reader *reader, const char *what, uint32_t size, uint64_t max_bytes,
           struct baton_bytes *body)
{
    if (size > max_bytes) return refuse (reader, REFUSAL_TOO_LARGE, what, size, max_bytes);
    if (size > reader->bulk.size) {
        return refuse (reader, REFUSAL_MALFORMED, what, size, reader->bulk.size);
    }
    *body = (struct baton_bytes) {size > 0 ? reader->bulk.data : NULL, size};
    if (size > 0) {
        reader->bulk.data = (const uint8_t *) reader->bulk.data + size;
        reader->bulk.size -= size;
    }
    return true;
}

// take_restart_data is take_body under the limit of restart data.
static inline bool
take_restart_data (struct wire_reader *reader, uint32_t size, struct baton_bytes *restart_data)
{
    return take_body (reader, "restart_data_size", size, reader->limits->restart_data_max_bytes,
                      restart_data);
}

// array_new takes an array for [count] things from the arena; NULL with the fault filled, or
// for none.
static inline void *
array_new (struct wire_reader *reader, size_t count, size_t size_bytes)
{
    if (count == 0) return NULL;
    // wire_scan has bounded count, so the product is far from overflow.
    void *array = wire_arena_alloc (reader->arena, count * size_bytes);
    if (!array) {
        refuse (reader, REFUSAL_TOO_LARGE, "control", count, reader->arena->size_bytes);
    }
    return array;
}

#endif
