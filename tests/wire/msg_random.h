// SPDX-License-Identifier: MPL-2.0
// msg_random.h makes random messages that keep all rules of the wire, of every kind, and tells
// whether two messages are the same, field by field. Both read one table of fields, so a field
// that is generated is also compared.
#ifndef BATON_TESTS_MSG_RANDOM_H
#define BATON_TESTS_MSG_RANDOM_H

#include "proto/msg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A seeded generator, and the memory that bytes and items of one message lie in.
struct msg_random {
    uint64_t state;
    size_t used_bytes;
    _Alignas (8) unsigned char bytes[1u << 20];
};

// The most bytes of one body or restart data that is made: enough to matter, little enough for
// many messages a second.
#define RANDOM_BODY_MAX_BYTES 600u

// msg_random_seed reads BATON_SEED or draws one, prints it, and returns it.
uint64_t
msg_random_seed (void);

// msg_random_next returns the next 64 random bits.
uint64_t
msg_random_next (struct msg_random *random);

// msg_random_below returns a number from 0 to [bound] - 1; [bound] is not 0.
uint64_t
msg_random_below (struct msg_random *random, uint64_t bound);

// msg_random_fill makes [msg] a random message of [kind]. It views memory of [random] and holds
// until the next call.
void
msg_random_fill (struct msg_random *random, enum msg_kind kind, struct msg *msg);

// msg_same tells whether [a] and [b] say the same. The digest of a COMMIT is not compared.
bool
msg_same (const struct msg *a, const struct msg *b);

#endif
