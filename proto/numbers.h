// SPDX-License-Identifier: MPL-2.0
// numbers.h has the six numbers of Baton as six types, so that comparing an epoch with a
// sequence does not compile. 0 is "none" in each of them and never names a real thing.
#ifndef BATON_NUMBERS_H
#define BATON_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

// epoch: the reign of one manager; every frame carries it.
struct epoch { uint64_t n; };
// incarnation: the log index of the record that opened an actor; rises, never reused.
struct incarnation { uint64_t n; };
// version: how many commits an actor has made; restart data and version change together.
struct version { uint64_t n; };
// request_seq: numbers the requests of one session, from 1, given by the client.
struct request_seq { uint64_t n; };
// response_seq: numbers the responses of one session, from 1, given by the manager in log order.
struct response_seq { uint64_t n; };
// log_index: position of a record in the log, from 1.
struct log_index { uint64_t n; };

// An id is 128 random bits made outside the core; all zero is "none".
struct id { uint64_t high; uint64_t low; };

// link_number names one path to one end for the life of a broker process; never reused.
struct link_number { uint64_t n; };

static inline bool
id_equal (struct id a, struct id b)
{
    return a.high == b.high && a.low == b.low;
}

static inline bool
id_is_none (struct id a)
{
    return a.high == 0 && a.low == 0;
}

static inline bool
epoch_is_newer (struct epoch a, struct epoch b)
{
    return a.n > b.n;
}

#endif
