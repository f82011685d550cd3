// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/config.h"

#include "broker/shell/endpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ZeroMQ's own queues of honest ends stay far below this.
#define DOOR_MEMORY_MIN_BYTES (64u * MIB)
// Of the budget: decoder, packer and an empty book.
#define BUDGET_BESIDE_BATCHES_BYTES (4u * MIB)
#define DEFAULT_STORE "./baton-store"

struct number_rule {
    const char *name;
    size_t offset;
    uint64_t standard;
    uint64_t least;
    uint64_t most;
};

static const struct number_rule number_rules[] = {
#define X(name, standard, least, most) \
    {#name, offsetof (struct config, name), standard, least, most},
    CONFIG_NUMBERS (X)
#undef X
};
#define NUMBER_RULES_COUNT (sizeof number_rules / sizeof number_rules[0])

static uint64_t *
number_of (struct config *config, const struct number_rule *rule)
{
    return (uint64_t *) (void *) ((unsigned char *) config + rule->offset);
}

void
config_default (struct config *config)
{
    memset (config, 0, sizeof *config);
    for (size_t i = 0; i < NUMBER_RULES_COUNT; i++) {
        *number_of (config, &number_rules[i]) = number_rules[i].standard;
    }
    config->security = SECURITY_LOOPBACK;
    config->log_level = LOG_INFO;
}

void
config_finding (struct config_findings *findings, const char *format, ...)
{
    va_list arguments;

    if (findings->count < CONFIG_FINDINGS_MAX) {
        va_start (arguments, format);
        vsnprintf (findings->texts[findings->count], sizeof findings->texts[0], format,
                   arguments);
        va_end (arguments);
    }
    findings->count++;
}

// "file:12: " or "option: ", the beginning of each finding about a place.
static const char *
place_text (const struct config_place *place, char *text, size_t size)
{
    if (place->file) {
        snprintf (text, size, "%s:%" PRIu32 ": ", place->file, place->line);
    } else {
        snprintf (text, size, "option: ");
    }
    return text;
}

static enum baton_err
bad_value (const struct config_place *place, const char *name, const char *value,
           const char *wanted, struct config_findings *findings)
{
    char where[300];

    config_finding (findings, "%s%s = \"%.100s\": wanted %s",
                    place_text (place, where, sizeof where), name, value, wanted);
    return BATON_BAD_CONFIG;
}

static enum baton_err
set_number (struct config *config, const struct config_place *place,
            const struct number_rule *rule, const char *value, struct config_findings *findings)
{
    char wanted[100], *end = NULL;

    snprintf (wanted, sizeof wanted, "a whole number from %" PRIu64 " to %" PRIu64, rule->least,
              rule->most);
    errno = 0;
    const unsigned long long number = strtoull (value, &end, 10);
    // strtoull takes "-1" and " 1"; a setting is digits and nothing else.
    if (value[0] < '0' || value[0] > '9' || *end || errno != 0 || number < rule->least
        || number > rule->most) {
        return bad_value (place, rule->name, value, wanted, findings);
    }
    *number_of (config, rule) = number;
    return BATON_OK;
}

static enum baton_err
set_store (struct config *config, const struct config_place *place, const char *value,
           struct config_findings *findings)
{
    if (!value[0] || strlen (value) >= sizeof config->store) {
        return bad_value (place, "store", value, "a directory of at most 1023 bytes", findings);
    }
    memcpy (config->store, value, strlen (value) + 1);
    return BATON_OK;
}

static enum baton_err
set_endpoint (struct config *config, const struct config_place *place, const char *value,
              struct config_findings *findings)
{
    if (config->endpoints_count == LIMIT_ENDPOINTS_MAX_COUNT) {
        return bad_value (place, "endpoint", value, "at most 8 endpoints", findings);
    }
    if (strlen (value) >= CONFIG_ENDPOINT_MAX_BYTES || !endpoint_is_valid (value)) {
        return bad_value (place, "endpoint", value,
                          "tcp://ADDRESS:PORT or ipc://PATH, without %", findings);
    }
    memcpy (config->endpoints[config->endpoints_count++], value, strlen (value) + 1);
    return BATON_OK;
}

static enum baton_err
set_security (struct config *config, const struct config_place *place, const char *value,
              struct config_findings *findings)
{
    if (strcmp (value, "loopback") == 0) {
        config->security = SECURITY_LOOPBACK;
    } else if (strcmp (value, "none") == 0) {
        config->security = SECURITY_NONE;
    } else {
        return bad_value (place, "security", value, "loopback or none (keys come later)",
                          findings);
    }
    return BATON_OK;
}

static enum baton_err
set_log_level (struct config *config, const struct config_place *place, const char *value,
               struct config_findings *findings)
{
    const enum log_level level = log_level_parse (value);

    if (!level) {
        return bad_value (place, "log_level", value, "error, warning, info or debug", findings);
    }
    config->log_level = level;
    return BATON_OK;
}

enum baton_err
config_set (struct config *config, const struct config_place *place, const char *name,
            const char *value, struct config_findings *findings)
{
    char where[300];

    if (strcmp (name, "store") == 0) return set_store (config, place, value, findings);
    if (strcmp (name, "endpoint") == 0) return set_endpoint (config, place, value, findings);
    if (strcmp (name, "security") == 0) return set_security (config, place, value, findings);
    if (strcmp (name, "log_level") == 0) return set_log_level (config, place, value, findings);
    for (size_t i = 0; i < NUMBER_RULES_COUNT; i++) {
        if (strcmp (name, number_rules[i].name) == 0) {
            return set_number (config, place, &number_rules[i], value, findings);
        }
    }
    config_finding (findings, "%sno setting is called \"%.100s\"; batond(8) lists them all",
                    place_text (place, where, sizeof where), name);
    return BATON_BAD_CONFIG;
}

static void
check_endpoints (const struct config *config, struct config_findings *findings)
{
    for (uint32_t i = 0; i < config->endpoints_count; i++) {
        const char *endpoint = config->endpoints[i];
        if (config->security == SECURITY_LOOPBACK && !endpoint_is_local (endpoint)) {
            config_finding (findings, "endpoint = \"%s\" can be reached from other machines, and"
                            " nothing checks who calls; use 127.0.0.1, [::1] or ipc://, or write"
                            " security = none if the network is guarded", endpoint);
        }
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp (endpoint, config->endpoints[j]) == 0) {
                config_finding (findings, "endpoint = \"%s\" is given twice", endpoint);
            }
        }
    }
}

static void
check_times (const struct config *config, struct config_findings *findings)
{
    if (config->end_silent_ms < 2 * config->heartbeat_ms) {
        config_finding (findings, "end_silent_ms = %" PRIu64 ": wanted at least twice"
                        " heartbeat_ms (%" PRIu64 "), or one late frame counts as gone",
                        config->end_silent_ms, config->heartbeat_ms);
    }
    if (config->rebind_after_ms < config->end_silent_ms) {
        config_finding (findings, "rebind_after_ms = %" PRIu64 ": wanted at least end_silent_ms"
                        " (%" PRIu64 ")", config->rebind_after_ms, config->end_silent_ms);
    }
}

static void
check_sizes (const struct config *config, struct config_findings *findings)
{
    const uint64_t frame = config_frame_max_bytes (config);

    // A commit is one record, and a record is never split over batches.
    if (config->batch_max_bytes < frame + LIMIT_CONTROL_MAX_BYTES) {
        config_finding (findings, "batch_max_bytes = %" PRIu64 ": wanted at least %" PRIu64
                        ", room for one commit of body_max_bytes and restart_data_max_bytes",
                        config->batch_max_bytes, frame + LIMIT_CONTROL_MAX_BYTES);
    }
    if (config->segment_bytes < 2 * config->batch_max_bytes) {
        config_finding (findings, "segment_bytes = %" PRIu64 ": wanted at least twice"
                        " batch_max_bytes (%" PRIu64 ")", config->segment_bytes,
                        config->batch_max_bytes);
    }
    if (config->segment_bytes % 4096 != 0) {
        config_finding (findings, "segment_bytes = %" PRIu64 ": wanted a multiple of 4096",
                        config->segment_bytes);
    }
    if (config->memory_max_bytes < 2 * config->batch_max_bytes + BUDGET_BESIDE_BATCHES_BYTES) {
        config_finding (findings, "memory_max_bytes = %" PRIu64 ": wanted at least %" PRIu64
                        ", twice batch_max_bytes (%" PRIu64 ") and %u for all else",
                        config->memory_max_bytes,
                        2 * config->batch_max_bytes + BUDGET_BESIDE_BATCHES_BYTES,
                        config->batch_max_bytes, BUDGET_BESIDE_BATCHES_BYTES);
    }
    if (config->queue_max_bytes > config->memory_max_bytes) {
        config_finding (findings, "queue_max_bytes = %" PRIu64 ": wanted at most"
                        " memory_max_bytes (%" PRIu64 ")", config->queue_max_bytes,
                        config->memory_max_bytes);
    }
}

enum baton_err
config_finish (struct config *config, uint64_t memory_bytes, struct config_findings *findings)
{
    const uint32_t before_count = findings->count;

    if (!config->store[0]) {
        memcpy (config->store, DEFAULT_STORE, sizeof DEFAULT_STORE);
    }
    if (config->endpoints_count == 0) {
        snprintf (config->endpoints[config->endpoints_count++], CONFIG_ENDPOINT_MAX_BYTES,
                  "tcp://127.0.0.1:%d", LIMIT_PORT_ENDS);
    }
    if (config->memory_max_bytes == 0) {
        config->memory_max_bytes = memory_bytes;
    }
    if (config->queue_max_bytes == 0) {
        config->queue_max_bytes = config->memory_max_bytes / 2;
    }
    if (config->door_memory_max_bytes == 0) {
        config->door_memory_max_bytes = config->memory_max_bytes / 4 > DOOR_MEMORY_MIN_BYTES
                                            ? config->memory_max_bytes / 4
                                            : DOOR_MEMORY_MIN_BYTES;
    }
    check_endpoints (config, findings);
    check_times (config, findings);
    check_sizes (config, findings);
    return findings->count == before_count ? BATON_OK : BATON_BAD_CONFIG;
}

uint64_t
config_frame_max_bytes (const struct config *config)
{
    return config->body_max_bytes + config->restart_data_max_bytes + LIMIT_CONTROL_MAX_BYTES;
}

void
config_core (const struct config *config, struct core_options *options)
{
    options->body_max_bytes = config->body_max_bytes;
    options->restart_data_max_bytes = config->restart_data_max_bytes;
    options->unacked_max_count = (uint32_t) config->unacked_max_count;
    options->queue_max_count = config->queue_max_count;
    options->queue_max_bytes = config->queue_max_bytes;
    options->responses_max_bytes = config->responses_max_bytes;
    options->attempts_max = (uint32_t) config->attempts_max;
    options->connections_max_count = (uint32_t) config->connections_max_count;
    options->failed_opens_per_s = (uint32_t) config->failed_opens_per_s;
    options->heartbeat_ms = (uint32_t) config->heartbeat_ms;
    options->end_silent_ms = (uint32_t) config->end_silent_ms;
    options->rebind_after_ms = config->rebind_after_ms;
    options->offer_expire_ms = config->offer_expire_ms;
    options->match_grace_ms = config->match_grace_ms;
    options->session_life_ms = config->session_life_ms;
}
