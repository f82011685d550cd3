// SPDX-License-Identifier: MPL-2.0
// msg.h has the plain structs of all messages: what an end and a broker say to each other,
// after decoding and before encoding. Views only: nothing here owns memory. docs/protocol.md
// tells the rules of each message; proto/wire.proto is their form on the wire.
#ifndef BATON_MSG_H
#define BATON_MSG_H

#include "proto/bytes.h"
#include "proto/errors.h"
#include "proto/numbers.h"

// Name, number on the wire. Numbers are never reused.
#define BATON_MESSAGES(X) \
    X (HELLO, 1) \
    X (WELCOME, 2) \
    X (HEARTBEAT, 3) \
    X (CREDIT, 4) \
    X (GOODBYE, 5) \
    X (OPEN, 6) \
    X (OPENED, 7) \
    X (RESUMED, 8) \
    X (COMMIT, 9) \
    X (COMMITTED, 10) \
    X (DELIVER, 11) \
    X (RELOAD, 12) \
    X (STATE, 13) \
    X (CLOSE, 14) \
    X (CLOSED, 15) \
    X (OFFER, 16) \
    X (OFFERED, 17) \
    X (REFUSED, 18) \
    X (ADMIN_ASK, 19) \
    X (ADMIN_TELL, 20)

enum msg_kind {
#define X(name, number) MSG_##name = number,
    BATON_MESSAGES (X)
#undef X
};

// The only wire version there is; a frame of another one is refused BAD_VERSION.
#define MSG_VERSION 1

enum end_role { END_CLIENT = 1, END_SERVER = 2, END_ADMIN = 3 };
enum broker_role { BROKER_MANAGER = 1, BROKER_STANDBY = 2, BROKER_STARTING = 3 };
enum session_kind { SESSION_BOUND = 1, SESSION_POOLED = 2 };
// Whether an OPEN may make a session. A library that comes back only resumes, so that a session
// closed meanwhile does not rise again.
enum open_intent { OPEN_OR_CREATE = 1, OPEN_EXISTING = 2 };
enum response_status {
    RESPONSE_REPLY = 1,
    RESPONSE_FAILED = 2,
    RESPONSE_EXPIRED = 3,
    RESPONSE_CANCELLED = 4,
};
// SKIPPED: the manager ended this request itself; it is delivered only so that cumulative
// consumed marks have no hole.
enum request_state { REQUEST_OPEN = 1, REQUEST_SKIPPED = 2 };
// QUEUE: an entry of a queue as it stands, sent to a returning actor before RESUMED.
// LIVE: work to do, or a response to take.
enum deliver_phase { DELIVER_QUEUE = 1, DELIVER_LIVE = 2 };
enum close_reason { CLOSE_BY_CLIENT = 1, CLOSE_BY_LIFE = 2, CLOSE_BY_OPERATOR = 3 };
enum admin_topic {
    ADMIN_STATUS = 1,
    ADMIN_SESSIONS = 2,
    ADMIN_SERVERS = 3,
    ADMIN_EXPLAIN = 4,
};

struct msg_hello {
    enum end_role role;
    struct id instance;
    struct baton_bytes name;  // server: its name; others: may be empty
    struct id group;          // the group met before; none at first
};

struct msg_welcome {
    enum broker_role role;
    struct id group;
    struct baton_bytes manager; // endpoint of the manager, as a hint; empty if unknown
    uint32_t heartbeat_ms;
    uint32_t silent_ms;         // an end not heard for this long is taken for gone
    uint64_t body_max_bytes;
    uint64_t restart_data_max_bytes;
    uint32_t unacked_max_count;
};

// Cumulative since OPEN: the client may be sent this much in all.
struct msg_credit {
    struct id session;
    uint64_t granted_count;
    uint64_t granted_bytes;
};

struct msg_open {
    uint64_t ref;                   // chosen by the end, echoed in the answer
    enum open_intent intent;
    enum session_kind kind;
    struct baton_bytes session;     // name given by the application
    struct baton_bytes actor;       // name; empty: the session's
    struct baton_bytes requirement; // stored form (proto/requirement.h); empty: default sets
    struct incarnation incarnation; // none in a process's first OPEN of this actor
    struct version version;         // highest version this end has sent, with an incarnation only
    struct response_seq responses_received_through; // likewise
    uint64_t credit_count;
    uint64_t credit_bytes;
};

struct msg_opened {
    uint64_t ref;
    struct id session;
    struct id actor;
    struct incarnation incarnation;
    struct version version;
    struct baton_bytes restart_data;
    struct request_seq requests_accepted_through;
    struct request_seq requests_consumed_through;
    struct response_seq responses_last;
    struct response_seq responses_consumed_through;
};

// Both queues of [session] as they stood have been sent; what follows is new.
struct msg_resumed {
    uint64_t ref;  // of the OPEN; 0 after STATE
    struct id session;
    struct id actor;
    struct incarnation incarnation;
    struct version version;
    struct request_seq requests_accepted_through;
    struct request_seq requests_consumed_through;
};

struct msg_request {
    struct request_seq seq;
    enum request_state state;
    uint32_t attempt;  // 0 in COMMIT; in DELIVER 1 for the first attempt
    struct baton_bytes body;
};

struct msg_response {
    struct response_seq seq;    // none in COMMIT: the manager numbers responses
    struct request_seq request; // the request it answers
    enum response_status status;
    struct baton_bytes body;
};

// One session's share of a commit.
struct msg_part {
    struct id session;
    const struct msg_request *requests;
    uint32_t requests_count;
    const struct msg_response *responses;
    uint32_t responses_count;
    struct request_seq requests_consumed_through;
    struct response_seq responses_consumed_through;
    // The request that follows requests_consumed_through is given back, one attempt poorer.
    struct request_seq rejected;
    struct baton_bytes reject_reason;
};

struct msg_commit {
    struct id actor;
    struct incarnation incarnation;
    struct version expect_version;
    struct baton_bytes restart_data;
    const struct msg_part *parts;
    uint32_t parts_count;
    uint64_t digest; // of the frame behind its header; made by wire_decode, not sent
};

struct msg_ack {
    struct id actor;
    struct incarnation incarnation;
    struct version version; // all commits that led to this version and below are safe
};

struct msg_committed {
    const struct msg_ack *acks;
    uint32_t acks_count;
};

struct msg_delivery {
    struct id session;
    struct id actor;                // of the end that gets this
    struct incarnation incarnation; // of that actor
    struct version base_version;    // stored version of that actor
    enum deliver_phase phase;
    const struct msg_request *requests;
    uint32_t requests_count;
    const struct msg_response *responses;
    uint32_t responses_count;
};

struct msg_deliver {
    const struct msg_delivery *deliveries;
    uint32_t deliveries_count;
};

// A server does not hold the live state that a delivery builds on.
struct msg_reload {
    struct id session;
    struct id actor;
    struct incarnation incarnation;
};

struct msg_state {
    struct id session;
    struct id actor;
    struct incarnation incarnation;
    struct version version;
    struct baton_bytes restart_data;
    struct request_seq requests_accepted_through;
    struct request_seq requests_consumed_through;
    struct response_seq responses_last;
};

struct msg_close {
    uint64_t ref;
    struct id session;
    struct id actor;
    struct incarnation incarnation;
    struct version expect_version;
};

struct msg_closed {
    uint64_t ref; // of the CLOSE; 0 as a notice
    struct id session;
    enum close_reason reason;
};

struct msg_offer {
    uint64_t ref;
    struct baton_bytes set;        // empty: the default set
    struct baton_bytes attributes; // stored form (proto/attribute.h)
    uint32_t capacity;             // requests in work at a time; at least 1
    uint32_t credit_count;         // delivered ahead, not yet consumed
    uint64_t credit_bytes;
};

struct msg_offered {
    uint64_t ref;
};

struct msg_refused {
    enum refusal refusal;
    enum msg_kind kind;             // of the message that is refused
    uint64_t ref;                   // of that message; 0 if it had none
    struct id session;
    struct id actor;
    struct incarnation incarnation;
    struct version version;         // GAP, DUPLICATE: the stored one; BUSY: the refused one
    enum busy_reason busy_reason;   // BUSY only
    uint32_t retry_after_ms;        // BUSY, UNAVAILABLE
    uint64_t value;                 // what was met, where a limit refused it
    uint64_t limit;
    struct baton_bytes text;        // for people: the field, attribute or reason; static text
};

struct msg_admin_ask {
    uint64_t ref;
    enum admin_topic topic;
    struct baton_bytes argument;    // SESSIONS, EXPLAIN: a session's name; may be empty
    struct baton_bytes requirement; // EXPLAIN: stored form
    uint64_t after;                 // go on after this row number; 0 at first
};

enum cell_kind { CELL_TEXT = 1, CELL_NUMBER = 2, CELL_FLAG = 3 };

struct msg_cell {
    struct baton_bytes name;
    enum cell_kind kind;
    struct baton_bytes text;
    uint64_t number; // FLAG: 0 or 1
};

struct msg_row {
    const struct msg_cell *cells;
    uint32_t cells_count;
};

struct msg_admin_tell {
    uint64_t ref;
    const struct msg_row *rows;
    uint32_t rows_count;
    uint64_t more_after; // ask again with after = this; 0: these were the last rows
};

struct msg {
    enum msg_kind kind;
    struct epoch epoch;
    union {
        struct msg_hello hello;
        struct msg_welcome welcome;
        struct msg_credit credit;
        struct msg_open open;
        struct msg_opened opened;
        struct msg_resumed resumed;
        struct msg_commit commit;
        struct msg_committed committed;
        struct msg_deliver deliver;
        struct msg_reload reload;
        struct msg_state state;
        struct msg_close close;
        struct msg_closed closed;
        struct msg_offer offer;
        struct msg_offered offered;
        struct msg_refused refused;
        struct msg_admin_ask admin_ask;
        struct msg_admin_tell admin_tell;
    };
};

// msg_kind_name returns "COMMIT" and the like, "?" for a number that is no message.
const char *
msg_kind_name (enum msg_kind kind);

#endif
