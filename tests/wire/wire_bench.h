// SPDX-License-Identifier: MPL-2.0
// wire_bench.h has what all tests of the wire start from: a decoder over the counting allocator,
// the default limits, and a frame to encode into.
#ifndef BATON_TESTS_WIRE_BENCH_H
#define BATON_TESTS_WIRE_BENCH_H

#include "proto/limits.h"
#include "proto/wire.h"
#include "tests/support/memory_fail.h"

#include <stdlib.h>
#include <string.h>

struct wire_bench {
    struct memory_fail memory;
    struct wire_decoder *decoder;
    struct wire_limits limits;
    struct wire_fault fault;
    struct msg msg;           // what the last wire_bench_decode found
    unsigned char *frame;     // frame_bytes long, of its own so that sanitizers see its end
    size_t frame_bytes;
};

// wire_bench_init takes memory: wire_bench_fini gives it back and looks for leaks.
static inline void
wire_bench_init (struct wire_bench *bench)
{
    *bench = (struct wire_bench) {
        .limits = {
            .frame_max_bytes = LIMIT_FRAME_MAX_BYTES,
            .body_max_bytes = LIMIT_BODY_MAX_BYTES,
            .restart_data_max_bytes = LIMIT_RESTART_DATA_MAX_BYTES,
        },
    };
    memory_fail_init (&bench->memory, 0);
    bench->decoder = wire_decoder_new (&bench->memory.memory, WIRE_ARENA_BYTES);
}

static inline void
wire_bench_fini (struct wire_bench *bench)
{
    free (bench->frame);
    wire_decoder_free (&bench->decoder);
    memory_fail_expect_clean (&bench->memory);
}

// wire_bench_take_bytes makes the frame a copy of [data], exactly as long.
static inline void
wire_bench_take_bytes (struct wire_bench *bench, const void *data, size_t size)
{
    unsigned char *frame = malloc (size > 0 ? size : 1);
    if (!frame) abort ();
    if (size > 0) {
        memcpy (frame, data, size);
    }
    free (bench->frame);
    bench->frame = frame;
    bench->frame_bytes = size;
}

// wire_bench_take_parts makes a frame of any bytes: a good header of epoch 1 before [control] and
// [bulk].
static inline void
wire_bench_take_parts (struct wire_bench *bench, unsigned kind, struct baton_bytes control,
                       struct baton_bytes bulk)
{
    size_t size = WIRE_HEADER_BYTES + control.size + bulk.size;
    unsigned char *frame = calloc (1, size);
    if (!frame) abort ();
    frame[0] = WIRE_MAGIC & 0xff;
    frame[1] = WIRE_MAGIC >> 8;
    frame[2] = MSG_VERSION;
    frame[3] = (unsigned char) kind;
    for (unsigned i = 0; i < 4; i++) {
        frame[4 + i] = (unsigned char) (control.size >> (8 * i));
        frame[16 + i] = (unsigned char) (bulk.size >> (8 * i));
    }
    frame[8] = 1;
    if (control.size > 0) {
        memcpy (frame + WIRE_HEADER_BYTES, control.data, control.size);
    }
    if (bulk.size > 0) {
        memcpy (frame + WIRE_HEADER_BYTES + control.size, bulk.data, bulk.size);
    }
    free (bench->frame);
    bench->frame = frame;
    bench->frame_bytes = size;
}

// wire_bench_encode makes the frame that of [msg].
static inline void
wire_bench_encode (struct wire_bench *bench, const struct msg *msg)
{
    size_t size = wire_encoded_size (msg);
    unsigned char *frame = malloc (size);
    if (!frame) abort ();
    bench->frame_bytes = wire_encode (msg, frame, size);
    free (bench->frame);
    bench->frame = frame;
}

// wire_bench_decode decodes the frame into msg or fault.
static inline enum baton_err
wire_bench_decode (struct wire_bench *bench)
{
    struct baton_bytes frame = {bench->frame, bench->frame_bytes};
    return wire_decode (bench->decoder, &bench->limits, frame, &bench->msg, &bench->fault);
}

#endif
