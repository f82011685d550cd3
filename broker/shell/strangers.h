// SPDX-License-Identifier: MPL-2.0
// strangers.h remembers, in a table of fixed size, which addresses sent nonsense lately and which
// were told to say HELLO, so that answers cost a stranger more than us. Two addresses may share a
// place; the newer one has it then, so nobody can make the table grow.
#ifndef BATON_SHELL_STRANGERS_H
#define BATON_SHELL_STRANGERS_H

#include <stdbool.h>
#include <stdint.h>

#define STRANGERS_COUNT 1024u

struct stranger {
    uint64_t hash;
    uint64_t since_ns;      // of the running ten seconds
    uint32_t faults_count;
    uint64_t answered_ns;
    uint64_t shunned_until_ns; // 0: not shunned
};

struct strangers {
    struct stranger places[STRANGERS_COUNT];
    uint32_t faults_max; // in ten seconds
};

void
strangers_init (struct strangers *strangers, uint32_t faults_max);

// strangers_is_shunned tells whether what comes from the address with [hash] is to be dropped;
// each such frame makes it last longer.
bool
strangers_is_shunned (struct strangers *strangers, uint64_t hash, uint64_t now_ns);

// strangers_fault counts one malformed frame. Returns whether this one was too much: the address
// is shunned from now on.
bool
strangers_fault (struct strangers *strangers, uint64_t hash, uint64_t now_ns);

// strangers_may_answer tells whether an unknown address may be answered now, and notes that it was.
bool
strangers_may_answer (struct strangers *strangers, uint64_t hash, uint64_t now_ns);

#endif
