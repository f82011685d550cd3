// SPDX-License-Identifier: MPL-2.0
// admin_status.c tells of the broker itself: one row. docs/operating.md explains each cell.
#include "broker/core/roster.h"
#include "broker/shell/loop.h"

#include <string.h>

static void
visit_counter (void *context, const char *name, uint64_t value)
{
    tell_number (context, name, value);
}

static void
tell_log (const struct loop *loop, struct tell *tell)
{
    struct journal_status status;
    struct journal_segment oldest;

    journal_status (loop->journal, &status);
    tell_id (tell, "group", status.group);
    tell_id (tell, "store_identity", status.identity);
    tell_words (tell, "store", loop->config->store);
    tell_number (tell, "first_index", status.first_index.n);
    tell_number (tell, "last_index", core_last_index (loop->core).n);
    tell_number (tell, "commit_index", replica_commit_index (&loop->turn.replica).n);
    tell_number (tell, "segments_count", status.segment_count);
    tell_number (tell, "log_bytes", status.file_bytes);
    // The oldest record that something alive needs: segments wholly below it can go.
    tell_number (tell, "pinned_index", core_pinned_index (loop->core).n);
    journal_segment_at (loop->journal, 0, &oldest);
    tell_number (tell, "pinned_segment", oldest.number);
    tell_number (tell, "pinned_segment_last_index", oldest.last_index.n);
    tell_number (tell, "disk_free_bytes", loop->turn.capacity.disk_free_bytes);
    tell_number (tell, "disk_total_bytes", loop->turn.capacity.disk_total_bytes);
}

static void
tell_book (const struct loop *loop, struct tell *tell)
{
    const struct book *book = core_book (loop->core);

    tell_number (tell, "sessions_count", book->sessions_count);
    tell_number (tell, "actors_count", book->actors_by_id.count);
    tell_number (tell, "servers_count", book->servers_count);
    tell_number (tell, "requests_count", book->requests_count);
    tell_number (tell, "requests_bytes", book->requests_bytes);
    tell_number (tell, "responses_count", book->responses_count);
    tell_number (tell, "responses_bytes", book->responses_bytes);
    tell_number (tell, "links_count", core_roster (loop->core)->links_count);
}

static void
tell_memory (const struct loop *loop, struct tell *tell)
{
    const struct gate_depth depth = gate_depth (&loop->turn.gate);

    tell_number (tell, "memory_used_bytes", loop->budget->used_bytes);
    tell_number (tell, "memory_most_bytes", loop->budget->most_bytes);
    tell_number (tell, "memory_max_bytes", loop->budget->total_bytes);
    tell_number (tell, "memory_refused_count", loop->budget->refused_count);
    tell_number (tell, "gate_count", depth.count);
    tell_number (tell, "gate_bytes", depth.bytes);
    tell_number (tell, "log_lines", loop->log->lines_count);
    tell_number (tell, "log_lines_kept_back", loop->log->kept_back_count);
}

static void
tell_refusals (const struct core_counters *counters, struct tell *tell)
{
    static const char *const names[CORE_REFUSALS_MAX] = {
#define X(name, number, text) [number] = "refused_" #name,
        BATON_REFUSALS (X)
#undef X
    };
    static const char *const busy[] = {
        "", "busy_queue", "busy_memory", "busy_disk", "busy_rate"};

    for (uint32_t i = 0; i < CORE_REFUSALS_MAX; i++) {
        if (names[i]) {
            tell_number (tell, names[i], counters->refused[i]);
        }
    }
    for (uint32_t i = BUSY_QUEUE; i <= BUSY_RATE; i++) {
        tell_number (tell, busy[i], counters->busy[i]);
    }
}

// Counters of the rules, in the order of struct core_counters.
static void
tell_rules (const struct core_counters *counters, struct tell *tell)
{
#define COUNTER(name) tell_number (tell, #name, counters->name)
    COUNTER (opened);
    COUNTER (resumed);
    COUNTER (taken_over);
    COUNTER (closed);
    COUNTER (expired_sessions);
    COUNTER (commits);
    COUNTER (requests);
    COUNTER (responses);
    COUNTER (deliveries);
    COUNTER (redeliveries);
    COUNTER (reloads);
    COUNTER (responses_dropped);
    COUNTER (rejects);
    COUNTER (attempts_counted);
    COUNTER (failed_requests);
    COUNTER (bound);
    COUNTER (rebound);
    COUNTER (server_ends);
    COUNTER (fenced);
#undef COUNTER
}

uint64_t
admin_tell_status (const struct loop *loop, struct tell *tell)
{
    const struct stats_visitor visitor = {visit_counter, tell};

    tell_row (tell);
    tell_words (tell, "role", "manager");
    tell_number (tell, "epoch", core_epoch (loop->core).n);
    tell_number (tell, "uptime_s", (loop->turn.now_ns - loop->started_ns) / UINT64_C (1000000000));
    tell_words (tell, "endpoint", loop->config->endpoints[0]);
    tell_log (loop, tell);
    tell_book (loop, tell);
    tell_memory (loop, tell);
    tell_rules (core_counters (loop->core), tell);
    tell_refusals (core_counters (loop->core), tell);
    stats_walk (loop->stats, &visitor);
    return 0;
}
