// SPDX-License-Identifier: MPL-2.0
// Goal: no frame at all harms a decoder, and what it accepts means the same encoded again.
// Method: libFuzzer; clang only, built where BATON_FUZZ is ON. Run: fuzz_decode -max_len=4096
// CORPUS-DIR. The decoder is made once, so growth of memory would show as a leak or a limit.
#include "proto/assert.h"
#include "proto/limits.h"
#include "proto/memory_heap.h"
#include "proto/wire.h"

#include <stdint.h>
#include <stdlib.h>

void
assert_failed (const char *condition, const char *file, int line)
{
    (void) condition;
    (void) file;
    (void) line;
    abort ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    static struct wire_decoder *decoder;
    static struct wire_decoder *second;
    static const struct wire_limits limits = {
        LIMIT_FRAME_MAX_BYTES, LIMIT_BODY_MAX_BYTES, LIMIT_RESTART_DATA_MAX_BYTES};
    const struct memory heap = memory_heap ();
    if (!decoder) {
        decoder = wire_decoder_new (&heap, WIRE_ARENA_BYTES);
        second = wire_decoder_new (&heap, WIRE_ARENA_BYTES);
    }

    struct msg msg, again;
    struct wire_fault fault;
    if (wire_decode (decoder, &limits, (struct baton_bytes) {data, size}, &msg, &fault)) return 0;
    size_t encoded = wire_encoded_size (&msg);
    unsigned char *frame = malloc (encoded);
    ASSERT (frame != NULL);
    ASSERT (wire_encode (&msg, frame, encoded) == encoded);
    // Never longer: what was accepted was in its shortest form, up to fields that said 0.
    ASSERT (encoded <= size);
    ASSERT (wire_decode (second, &limits, (struct baton_bytes) {frame, encoded}, &again, &fault)
            == BATON_OK);
    ASSERT (wire_encoded_size (&again) == encoded);
    free (frame);
    return 0;
}
