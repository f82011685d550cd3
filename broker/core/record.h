// SPDX-License-Identifier: MPL-2.0
// record.h has the units of the log: what changed, complete enough that apply needs nothing else
// and announce need not know the past. Layouts are for ever: a changed one gets a new version,
// and the old reader stays. docs/formats.md shows the bytes.
#ifndef BATON_RECORD_H
#define BATON_RECORD_H

#include "broker/core/record_head.h"
#include "proto/limits.h"
#include "proto/msg.h"

// Name, number in the log. Numbers are never reused.
#define BATON_RECORDS(X) \
    X (EPOCH, 1) \
    X (OPENED, 2) \
    X (COMMITTED, 3) \
    X (BOUND, 4) \
    X (CLOSED, 5) \
    X (OFFERED, 6) \
    X (SERVER_ENDED, 7) \
    X (OFFER_RETIRED, 8)

enum record_type {
#define X(name, number) RECORD_##name = number,
    BATON_RECORDS (X)
#undef X
};

#define RECORD_VERSION 1

// What an OPENED record makes anew: any of these together.
enum { OPENED_SESSION = 1, OPENED_ACTOR = 2, OPENED_INCARNATION = 4 };

// A new incarnation's number is the index of the record.
struct record_opened {
    uint8_t makes;
    enum session_kind kind;
    struct id session;
    struct id actor;
    struct id instance;
    struct baton_bytes principal;
    struct baton_bytes session_name;
    struct baton_bytes actor_name;
    struct baton_bytes requirement;
};

// What a reject came to. The attempt counts in both.
enum reject_outcome { REJECT_NONE = 1, REJECT_RETRY = 2, REJECT_GIVEN_UP = 3 };

// Responses get their numbers by apply: the session's next ones, in order. A request that is
// given up has a response of status FAILED among them.
struct record_committed {
    struct id actor;
    struct incarnation incarnation;
    struct version version; // the new one
    uint64_t digest;
    struct baton_bytes restart_data;
    struct id session; // none: checkpoint only
    struct request_seq requests_consumed_through;
    struct response_seq responses_consumed_through;
    enum reject_outcome reject;
    const struct msg_request *requests;
    uint32_t requests_count;
    const struct msg_response *responses;
    uint32_t responses_count;
};

// A session gets a server, and its server end a new incarnation: the index of the record.
struct record_bound {
    struct id session;
    struct id actor; // of the server end: new in the first binding, the same afterwards
    struct baton_bytes server;
    struct id instance;
    struct request_seq suspect_through;
};

struct record_closed {
    struct id session;
    enum close_reason reason;
};

// The whole offer, and what is known of the server: a later one needs none of the earlier.
struct record_offered {
    struct baton_bytes name;
    struct baton_bytes principal;
    struct id instance;
    enum { OFFER_ENDED = 1, OFFER_CURRENT = 2 } state;
    struct baton_bytes set;
    struct baton_bytes attributes;
    uint32_t capacity;
    uint32_t credit_count;
    uint64_t credit_bytes;
    uint64_t known_since_utc_ms;
    struct log_index ended;
    struct log_index ended_unknown;
    struct id former[LIMIT_FORMER_INSTANCES];
    uint8_t former_count;
};

enum end_reason { ENDED_BY_NEW_INSTANCE = 1, ENDED_BY_GOODBYE = 2, ENDED_BY_SILENCE = 3 };
// Whether the manager knew what the server had in its hands when it ended.
enum held_knowledge { HELD_KNOWN = 1, HELD_UNKNOWN = 2 };
enum attempt_outcome { ATTEMPT_UNCOUNTED = 1, ATTEMPT_COUNTED = 2, ATTEMPT_GIVEN_UP = 3 };

// A session of which the ended server held requests: they are suspect through [suspect_through].
// Only a request that was alone in the server's hands is counted, and it is that last one.
struct record_end_item {
    struct id session;
    struct request_seq suspect_through;
    enum attempt_outcome outcome;
};

struct record_server_ended {
    struct baton_bytes name;
    struct id instance;
    enum end_reason reason;
    enum held_knowledge held;
    const struct record_end_item *items;
    uint32_t items_count;
};

struct record_offer_retired {
    struct baton_bytes name;
};

struct record {
    struct record_head head;
    union {
        struct record_opened opened;
        struct record_committed committed;
        struct record_bound bound;
        struct record_closed closed;
        struct record_offered offered;
        struct record_server_ended server_ended;
        struct record_offer_retired offer_retired;
    };
};

// Where the arrays of a decoded record live.
struct record_room {
    struct msg_request requests[LIMIT_RECORD_ITEMS_MAX];
    struct msg_response responses[LIMIT_RECORD_ITEMS_MAX + 1];
    struct record_end_item items[LIMIT_RECORD_ITEMS_MAX];
};

// record_encoded_size returns the bytes that [record] takes, head included.
size_t
record_encoded_size (const struct record *record);

// record_encode writes [record] to [data], which has record_encoded_size bytes; the head's length
// is filled in there. Bodies are copied here, once on their way in.
void
record_encode (const struct record *record, void *data, size_t size);

// record_decode fills [record] from exactly one record's [bytes]. Views point into [bytes] and
// into [room]. Returns BATON_DAMAGED if the bytes break the layout.
enum baton_err
record_decode (struct baton_bytes bytes, struct record_room *room, struct record *record);

// record_chain returns what the next record has as its head's chain.
uint64_t
record_chain (struct baton_bytes bytes);

const char *
record_type_name (enum record_type type);

#endif
