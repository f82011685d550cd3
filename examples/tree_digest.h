// SPDX-License-Identifier: MPL-2.0
// tree_digest.h is SHA-256, by nettle: its hash state is a plain struct without pointers, so that
// a half-read file's state can be kept in restart data. (libcrypto's EVP hides its state.)
// It must never allocate.
#ifndef TREE_DIGEST_H
#define TREE_DIGEST_H

#include "tree_message.h"

#include <nettle/sha2.h>

// tree_digest_chain makes [chain] the digest of itself and the next file's [digest]: one value
// that tells which digests were added and in which order. It begins with zeroes.
static inline void
tree_digest_chain (uint8_t chain[TREE_DIGEST_BYTES], const uint8_t digest[TREE_DIGEST_BYTES])
{
    struct sha256_ctx state;
    sha256_init (&state);
    sha256_update (&state, TREE_DIGEST_BYTES, chain);
    sha256_update (&state, TREE_DIGEST_BYTES, digest);
    sha256_digest (&state, TREE_DIGEST_BYTES, chain);
}

// tree_digest_print writes [digest] as 64 hexadecimal digits and a zero to [text].
static inline void
tree_digest_print (const uint8_t digest[TREE_DIGEST_BYTES], char text[2 * TREE_DIGEST_BYTES + 1])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < TREE_DIGEST_BYTES; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    text[2 * TREE_DIGEST_BYTES] = '\0';
}

#endif
