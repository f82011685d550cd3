// SPDX-License-Identifier: MPL-2.0
// little.h reads and writes little-endian numbers in stored bytes, whatever the machine and
// the alignment. Compilers make one instruction of each. It must never check bounds: the
// caller has done so.
#ifndef BATON_CORE_LITTLE_H
#define BATON_CORE_LITTLE_H

#include <stdint.h>

static inline uint16_t
little_get_u16 (const uint8_t *bytes)
{
    return (uint16_t) (bytes[0] | (uint16_t) (bytes[1] << 8));
}

static inline uint32_t
little_get_u32 (const uint8_t *bytes)
{
    return (uint32_t) little_get_u16 (bytes) | (uint32_t) little_get_u16 (bytes + 2) << 16;
}

static inline uint64_t
little_get_u64 (const uint8_t *bytes)
{
    return (uint64_t) little_get_u32 (bytes) | (uint64_t) little_get_u32 (bytes + 4) << 32;
}

static inline void
little_put_u16 (uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t) value;
    bytes[1] = (uint8_t) (value >> 8);
}

static inline void
little_put_u32 (uint8_t *bytes, uint32_t value)
{
    little_put_u16 (bytes, (uint16_t) value);
    little_put_u16 (bytes + 2, (uint16_t) (value >> 16));
}

static inline void
little_put_u64 (uint8_t *bytes, uint64_t value)
{
    little_put_u32 (bytes, (uint32_t) value);
    little_put_u32 (bytes + 4, (uint32_t) (value >> 32));
}

#endif
