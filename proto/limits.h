// SPDX-License-Identifier: MPL-2.0
// limits.h has every maximum and default of Baton: name, unit, and why this number.
// docs/operating.md lists each of them; the tidy test compares.
#ifndef BATON_LIMITS_H
#define BATON_LIMITS_H

#define KIB 1024u
#define MIB (1024u * KIB)

// Ports below Linux' default ephemeral range (32768), so that a retrying end can never connect
// to itself and block the broker's bind.
#define LIMIT_PORT_ENDS 7411
#define LIMIT_PORT_PEER 7412

// One request or response. Bigger things travel as several requests of one session.
#define LIMIT_BODY_MAX_BYTES (1u * MIB)
// Restart data is replaced at each commit, so its size is paid every time.
#define LIMIT_RESTART_DATA_MAX_BYTES (256u * KIB)
// Room for control fields of a frame; with body and restart data it makes the frame limit.
#define LIMIT_CONTROL_MAX_BYTES (64u * KIB)
#define LIMIT_FRAME_MAX_BYTES \
    (LIMIT_BODY_MAX_BYTES + LIMIT_RESTART_DATA_MAX_BYTES + LIMIT_CONTROL_MAX_BYTES)
// A frame on a path that has not said HELLO: enough for HELLO itself, too little to hurt.
#define LIMIT_FRAME_BEFORE_HELLO_BYTES (4u * KIB)
// What a sender aims at when it packs a message: beyond this ZeroMQ gains nothing.
#define LIMIT_MESSAGE_AIM_BYTES (64u * KIB)

// Items of one record, and so requests of one commit: bounds the work of one step.
#define LIMIT_RECORD_ITEMS_MAX 256u
// One batch of the log, one sync: keeps the longest write below some ten milliseconds.
#define LIMIT_BATCH_MAX_BYTES (8u * MIB)
// One segment of the log.
#define LIMIT_SEGMENT_BYTES (64u * MIB)

// Unacknowledged work of one session in the library; the resend window after a failover.
#define LIMIT_UNACKED_MAX_COUNT 4096u
#define LIMIT_UNACKED_MAX_BYTES (16u * MIB)
// Requests in one session's queue; the memory budget usually decides before.
#define LIMIT_QUEUE_MAX_COUNT 1000000u
// From the oldest unanswered request of a session to its newest: what the book's window of them
// may span, 8 bytes each.
#define LIMIT_QUEUE_WIDTH_MAX (4u * LIMIT_QUEUE_MAX_COUNT)
// What is delivered ahead to an end: hides the round trip, bounds what a crash makes suspect.
#define LIMIT_CREDIT_COUNT 256u
#define LIMIT_CREDIT_BYTES (256u * KIB)
// Sessions whose live state one server handle keeps; the one idle longest is dropped first, and is
// asked for again when its next request comes.
#define LIMIT_LIVE_STATES_MAX_COUNT 4096u
// Restart data in those live states.
#define LIMIT_LIVE_STATES_MAX_BYTES (64u * MIB)
// What a client is sent ahead of taking it, in bytes: over one body, so that one always fits.
#define LIMIT_CLIENT_CREDIT_BYTES (4u * MIB)
// Undelivered responses of one session: beyond it the client must consume before more is taken.
#define LIMIT_RESPONSES_MAX_BYTES (64u * MIB)

// Names of sessions, actors, servers, sets, principals and attribute keys; text values.
#define LIMIT_NAME_MAX_BYTES 255u
#define LIMIT_TEXT_MAX_BYTES 1024u
// One offer.
#define LIMIT_ATTRIBUTES_MAX_COUNT 64u
#define LIMIT_SET_MEMBERS_MAX_COUNT 64u
// One requirement, by decision: bounds the time of one match.
#define LIMIT_TERMS_MAX_COUNT 64u
#define LIMIT_TERM_DEPTH_MAX 16u
// A requirement's stored form, and one offer's.
#define LIMIT_REQUIREMENT_MAX_BYTES (8u * KIB)
#define LIMIT_OFFER_MAX_BYTES (16u * KIB)

// All ends of a broker; libzmq has no cap of its own.
#define LIMIT_CONNECTIONS_MAX_COUNT 4096u
// Descriptors a broker needs beside its connections.
#define LIMIT_DESCRIPTORS_RESERVE 64u
// Failed OPENs of one principal in a second, before BUSY(rate).
#define LIMIT_FAILED_OPENS_PER_S 5u
// Malformed frames on one path in ten seconds, before it is forgotten and dropped.
#define LIMIT_MALFORMED_PER_10_S 3u
// Former instances of an actor that are remembered to fence a late OPEN.
#define LIMIT_FORMER_INSTANCES 8u
// Attempts of one request before FAILED.
#define LIMIT_ATTEMPTS_MAX 3u
// Frames taken from one socket in one turn, so that no door starves another.
#define LIMIT_DRAIN_COUNT 200u
// Effects that wait for their records; beyond it the broker reads no further frames.
#define LIMIT_GATE_MAX_COUNT 65536u
#define LIMIT_GATE_MAX_BYTES (64u * MIB)
// Kept for one end whose ZeroMQ queue is full. Credit keeps an honest end far below it.
#define LIMIT_LINK_OUT_MAX_BYTES (16u * MIB)
// One DELIVER: keeps its control fields well below LIMIT_CONTROL_MAX_BYTES.
#define LIMIT_MESSAGE_ITEMS_MAX 512u
#define LIMIT_MESSAGE_DELIVERIES_MAX 128u
// Endpoints of one broker's ends: each one more socket that every turn looks at.
#define LIMIT_ENDPOINTS_MAX_COUNT 8u
// Administration answers under way at a time, and rows of one answer.
#define LIMIT_ADMIN_ASKS_MAX_COUNT 64u
#define LIMIT_ADMIN_ROWS_MAX_COUNT 128u
// Log lines of one cause in a second; the others are counted and told with the next one.
#define LIMIT_LOG_LINES_PER_S 1u

// Records after which an offer is written anew, so that a server that never changes does not pin
// the front of the log: rare beside what was written, often enough to free segments.
#define LIMIT_OFFER_RENEW_RECORDS 100000u
// The same in bytes of records: four times what 4096 of the largest offers take, so that writing
// them all anew cannot make them old again.
#define LIMIT_OFFER_RENEW_BYTES (256u * MIB)

// Times.
#define LIMIT_HEARTBEAT_MS 1000u
#define LIMIT_END_SILENT_MS 3000u
#define LIMIT_HELLO_WITHIN_MS 5000u
// An end repeats HELLO after this until it is welcome: some tries within one heartbeat.
#define LIMIT_HELLO_RETRY_MS 250u
// An end dials again after a random time up to this, so that a crowd does not come at once.
#define LIMIT_DIAL_RETRY_MAX_MS 1000u
// An end resends from the same version at most this often: a row of late GAPs means one resend.
#define LIMIT_RESEND_MIN_MS 100u
// A consumed mark without requests leaves after this, together with what was consumed meanwhile.
#define LIMIT_CONSUME_AFTER_MS 50u
#define LIMIT_REBIND_AFTER_MS 10000u
#define LIMIT_OFFER_EXPIRE_MS 3600000u
#define LIMIT_MATCH_GRACE_MS 5000u
// A week: a client that stays away longer has lost its conversation.
#define LIMIT_SESSION_LIFE_MS 604800000u
#define LIMIT_ADMIN_WAIT_MS 2000u
// First wait before a rejected request goes out again; doubles, up to the second figure.
#define LIMIT_RETRY_MIN_MS 50u
#define LIMIT_RETRY_MAX_MS 5000u
// A path that sent too much nonsense is dropped until it was quiet for this long.
#define LIMIT_SHUN_MS 10000u
// One answer in this time to a path that has not said HELLO.
#define LIMIT_STRANGER_ANSWER_MS 100u
// First wait before a frame for a full end is tried again.
#define LIMIT_SEND_RETRY_MS 10u
// After this idle time the log is closed by an empty batch.
#define LIMIT_CLOSING_BATCH_AFTER_MS 10u
// A loop turn longer than this suspects and expires nobody.
#define LIMIT_STALL_MS 250u

#endif
