// SPDX-License-Identifier: MPL-2.0
// config.h has the settings of a broker: a ZPL file, then options over it, each checked before
// anything starts. Nothing comes from the environment. docs/operating.md lists every setting.
#ifndef BATON_SHELL_CONFIG_H
#define BATON_SHELL_CONFIG_H

#include "broker/core/core.h"
#include "broker/shell/log.h"
#include "proto/errors.h"
#include "proto/limits.h"

#include <stdint.h>

#define CONFIG_PATH_MAX_BYTES 1024u
#define CONFIG_ENDPOINT_MAX_BYTES 256u
#define CONFIG_FINDINGS_MAX 16u

// Name, default, least, most. A default of 0 in a setting whose least is not 0 means: worked out
// at start (docs/operating.md says how).
#define CONFIG_NUMBERS(X) \
    X (body_max_bytes, LIMIT_BODY_MAX_BYTES, KIB, LIMIT_BODY_MAX_BYTES) \
    X (restart_data_max_bytes, LIMIT_RESTART_DATA_MAX_BYTES, KIB, LIMIT_RESTART_DATA_MAX_BYTES) \
    X (unacked_max_count, LIMIT_UNACKED_MAX_COUNT, 1, 1000000) \
    X (queue_max_count, LIMIT_QUEUE_MAX_COUNT, 1, 100000000) \
    X (queue_max_bytes, 0, 64u * KIB, (uint64_t) 1 << 44) \
    X (responses_max_bytes, LIMIT_RESPONSES_MAX_BYTES, 64u * KIB, (uint64_t) 1 << 40) \
    X (attempts_max, LIMIT_ATTEMPTS_MAX, 1, 1000) \
    X (connections_max_count, LIMIT_CONNECTIONS_MAX_COUNT, 1, 1000000) \
    X (failed_opens_per_s, LIMIT_FAILED_OPENS_PER_S, 1, 100000) \
    X (heartbeat_ms, LIMIT_HEARTBEAT_MS, 20, 60000) \
    X (end_silent_ms, LIMIT_END_SILENT_MS, 60, 600000) \
    X (rebind_after_ms, LIMIT_REBIND_AFTER_MS, 60, 86400000) \
    X (offer_expire_ms, LIMIT_OFFER_EXPIRE_MS, 1000, 31536000000) \
    X (match_grace_ms, LIMIT_MATCH_GRACE_MS, 0, 86400000) \
    X (session_life_ms, LIMIT_SESSION_LIFE_MS, 1000, 31536000000) \
    X (frame_before_hello_bytes, LIMIT_FRAME_BEFORE_HELLO_BYTES, 512, 64u * KIB) \
    X (message_aim_bytes, LIMIT_MESSAGE_AIM_BYTES, KIB, MIB) \
    X (drain_count, LIMIT_DRAIN_COUNT, 1, 10000) \
    X (malformed_per_10_s, LIMIT_MALFORMED_PER_10_S, 1, 1000) \
    X (link_out_max_bytes, LIMIT_LINK_OUT_MAX_BYTES, 64u * KIB, (uint64_t) 1 << 32) \
    X (gate_max_count, LIMIT_GATE_MAX_COUNT, 256, 100000000) \
    X (gate_max_bytes, LIMIT_GATE_MAX_BYTES, MIB, (uint64_t) 1 << 40) \
    X (admin_wait_ms, LIMIT_ADMIN_WAIT_MS, 1, 60000) \
    X (closing_batch_after_ms, LIMIT_CLOSING_BATCH_AFTER_MS, 1, 10000) \
    X (stall_ms, LIMIT_STALL_MS, 20, 10000) \
    X (memory_max_bytes, 0, 16u * MIB, (uint64_t) 1 << 44) \
    X (door_memory_max_bytes, 0, 16u * MIB, (uint64_t) 1 << 44) \
    X (batch_max_bytes, LIMIT_BATCH_MAX_BYTES, MIB, 64u * MIB) \
    X (segment_bytes, LIMIT_SEGMENT_BYTES, 2u * MIB, 1024u * MIB) \
    X (io_threads_count, 1, 1, 16)

// SECURITY_LOOPBACK serves this machine alone. SECURITY_NONE binds anything, without keys.
enum config_security { SECURITY_LOOPBACK = 1, SECURITY_NONE = 2 };

struct config {
#define X(name, standard, least, most) uint64_t name;
    CONFIG_NUMBERS (X)
#undef X
    char store[CONFIG_PATH_MAX_BYTES];
    char endpoints[LIMIT_ENDPOINTS_MAX_COUNT][CONFIG_ENDPOINT_MAX_BYTES];
    uint32_t endpoints_count;
    enum config_security security;
    enum log_level log_level;
};

// What is wrong, for people: each names place, key, value and range.
struct config_findings {
    uint32_t count; // of all; the first CONFIG_FINDINGS_MAX have a text
    char texts[CONFIG_FINDINGS_MAX][512];
};

// Where a setting was written: a file and line, or an option of the command line.
struct config_place {
    const char *file; // NULL: the command line
    uint32_t line;
};

// config_default fills [config] with defaults: no store, no endpoint yet.
void
config_default (struct config *config);

// config_load reads the ZPL file [path] over [config], and appends what is wrong to [findings].
//
// Errors: BATON_NOT_FOUND no such file or not readable; BATON_BAD_CONFIG with findings.
enum baton_err
config_load (struct config *config, const char *path, struct config_findings *findings);

// config_set sets one setting by name, as a line of the file does; "endpoint" adds one.
// Returns BATON_BAD_CONFIG, with a finding, for an unknown name or a value out of its range.
enum baton_err
config_set (struct config *config, const struct config_place *place, const char *name,
            const char *value, struct config_findings *findings);

// config_finish fills in what has no default (store, endpoint, sizes from the machine's memory)
// and checks settings against each other. Returns BATON_BAD_CONFIG with findings.
//
//   memory_bytes   the memory budget where none is set
enum baton_err
config_finish (struct config *config, uint64_t memory_bytes, struct config_findings *findings);

// config_frame_max_bytes is the largest frame that an end may send.
uint64_t
config_frame_max_bytes (const struct config *config);

// config_core puts the settings of the rules into [options]; group and hash seed stay.
void
config_core (const struct config *config, struct core_options *options);

// config_finding appends one finding.
__attribute__ ((format (printf, 2, 3))) void
config_finding (struct config_findings *findings, const char *format, ...);

#endif
