// SPDX-License-Identifier: MPL-2.0
#include "proto/wire.h"

#include "proto/assert.h"
#include "proto/limits.h"
#include "proto/wire_arena.h"
#include "proto/wire_read.h"
#include "proto/wire_scan.h"

#include <stdalign.h>
#include <stdint.h>

// The digest is inlined so that the pure rooms want no symbol of its library.
#define XXH_INLINE_ALL
#include <xxhash.h> // tidy allows layer: the digest of a commit is made where its bytes are

struct wire_decoder {
    struct memory memory;
    struct wire_arena arena;
    // The arena's bytes follow the struct.
    alignas (max_align_t) unsigned char bytes[];
};

struct header {
    uint16_t magic;
    uint8_t version;
    uint8_t kind;
    uint32_t control_bytes;
    uint64_t epoch;
    uint32_t bulk_bytes;
    uint32_t reserved;
};

struct wire_decoder *
wire_decoder_new (const struct memory *memory, size_t arena_bytes)
{
    ASSERT (memory != NULL);
    if (arena_bytes > SIZE_MAX - sizeof (struct wire_decoder)) return NULL;
    struct wire_decoder *decoder =
        memory_alloc (memory, sizeof (struct wire_decoder) + arena_bytes);
    if (!decoder) return NULL;
    decoder->memory = *memory;
    decoder->arena = (struct wire_arena) {.data = decoder->bytes, .size_bytes = arena_bytes};
    return decoder;
}

void
wire_decoder_free (struct wire_decoder **decoder)
{
    if (!*decoder) return;
    struct memory memory = (*decoder)->memory;
    size_t arena_bytes = (*decoder)->arena.size_bytes;
    memory_release (&memory, *decoder, sizeof (struct wire_decoder) + arena_bytes);
    *decoder = NULL;
}

static void *
give_to_protobuf (void *arena, size_t size)
{
    return wire_arena_alloc (arena, size);
}

// The next reset takes everything back at once.
static void
take_from_protobuf (void *arena, void *data)
{
    (void) arena;
    (void) data;
}

static enum baton_err
refuse (struct wire_fault *fault, enum refusal refusal, const char *what, uint64_t value,
        uint64_t limit)
{
    fault->refusal = refusal;
    fault->what = what;
    fault->value = value;
    fault->limit = limit;
    return BATON_REFUSED;
}

static uint64_t
number_at (const uint8_t *data, size_t size)
{
    uint64_t n = 0;
    for (size_t i = 0; i < size; i++) {
        n |= (uint64_t) data[i] << (8 * i);
    }
    return n;
}

static struct header
header_of (const uint8_t *data)
{
    return (struct header) {
        .magic = (uint16_t) number_at (data, 2),
        .version = data[2],
        .kind = data[3],
        .control_bytes = (uint32_t) number_at (data + 4, 4),
        .epoch = number_at (data + 8, 8),
        .bulk_bytes = (uint32_t) number_at (data + 16, 4),
        .reserved = (uint32_t) number_at (data + 20, 4),
    };
}

static bool
is_kind (uint8_t number)
{
    switch ((enum msg_kind) number) {
#define X(name, n) case MSG_##name:
        BATON_MESSAGES (X)
#undef X
        return true;
    }
    return false;
}

// Magic and version first: a frame of another version says nothing else that we can read.
static enum baton_err
check_header (const struct header *header, size_t frame_bytes, const struct wire_limits *limits,
              struct wire_fault *fault)
{
    if (header->magic != WIRE_MAGIC) {
        return refuse (fault, REFUSAL_MALFORMED, "magic", header->magic, WIRE_MAGIC);
    }
    if (header->version != MSG_VERSION) {
        return refuse (fault, REFUSAL_BAD_VERSION, "version", header->version, MSG_VERSION);
    }
    if (!is_kind (header->kind)) {
        return refuse (fault, REFUSAL_MALFORMED, "kind", header->kind, 0);
    }
    fault->kind = (enum msg_kind) header->kind;
    if (frame_bytes > limits->frame_max_bytes) {
        return refuse (fault, REFUSAL_TOO_LARGE, "frame", frame_bytes, limits->frame_max_bytes);
    }
    if (header->reserved != 0) {
        return refuse (fault, REFUSAL_MALFORMED, "reserved", header->reserved, 0);
    }
    uint64_t told_bytes =
        (uint64_t) WIRE_HEADER_BYTES + header->control_bytes + header->bulk_bytes;
    if (told_bytes != frame_bytes) {
        return refuse (fault, REFUSAL_MALFORMED, "frame", frame_bytes, told_bytes);
    }
    if (header->control_bytes > LIMIT_CONTROL_MAX_BYTES) {
        return refuse (fault, REFUSAL_TOO_LARGE, "control", header->control_bytes,
                       LIMIT_CONTROL_MAX_BYTES);
    }
    return BATON_OK;
}

static enum baton_err
read_control (struct wire_reader *reader, struct baton_bytes control, struct msg *msg)
{
    const ProtobufCMessageDescriptor *descriptor = wire_descriptor (msg->kind);
    if (!wire_scan (descriptor, control, reader->fault)) return BATON_REFUSED;

    ProtobufCAllocator allocator = {give_to_protobuf, take_from_protobuf, reader->arena};
    void *unpacked =
        protobuf_c_message_unpack (descriptor, &allocator, control.size, control.data);
    if (!unpacked) {
        return refuse (reader->fault,
                       reader->arena->exhausted ? REFUSAL_TOO_LARGE : REFUSAL_MALFORMED,
                       "control", control.size, reader->arena->size_bytes);
    }
    if (!wire_read (reader, unpacked, msg)) return BATON_REFUSED;
    if (reader->bulk.size > 0) {
        return refuse (reader->fault, REFUSAL_MALFORMED, "bulk", reader->bulk.size, 0);
    }
    return BATON_OK;
}

enum baton_err
wire_decode (struct wire_decoder *decoder, const struct wire_limits *limits,
             struct baton_bytes frame, struct msg *msg, struct wire_fault *fault)
{
    *fault = (struct wire_fault) {.what = ""};
    *msg = (struct msg) {0};
    if (frame.size < WIRE_HEADER_BYTES) {
        return refuse (fault, REFUSAL_MALFORMED, "header", frame.size, WIRE_HEADER_BYTES);
    }
    const uint8_t *data = frame.data;
    struct header header = header_of (data);
    enum baton_err error = check_header (&header, frame.size, limits, fault);
    if (error) return error;

    wire_arena_reset (&decoder->arena);
    const uint8_t *control = data + WIRE_HEADER_BYTES;
    struct wire_reader reader = {
        .arena = &decoder->arena,
        .limits = limits,
        .fault = fault,
        .bulk = {control + header.control_bytes, header.bulk_bytes},
    };
    msg->kind = (enum msg_kind) header.kind;
    msg->epoch.n = header.epoch;
    error = read_control (&reader, (struct baton_bytes) {control, header.control_bytes}, msg);
    if (!error && msg->kind == MSG_COMMIT) {
        msg->commit.digest = XXH3_64bits (control, frame.size - WIRE_HEADER_BYTES);
    }
    return error;
}
