// SPDX-License-Identifier: MPL-2.0
// stats.h has the counters of the shell: frames, bytes, batches, and what strangers did before
// the core saw them. `baton status` shows all of them; docs/operating.md explains each.
#ifndef BATON_SHELL_STATS_H
#define BATON_SHELL_STATS_H

#include <stdint.h>

// Name of the counter, as status shows it.
#define STATS(X) \
    X (turns) \
    X (stalled_turns) \
    X (frames_in) \
    X (frames_in_bytes) \
    X (frames_out) \
    X (frames_out_bytes) \
    X (frames_held_back) \
    X (frames_dropped_full) \
    X (frames_dropped_gone) \
    X (batches) \
    X (closing_batches) \
    X (records) \
    X (records_bytes) \
    X (links_made) \
    X (links_forgotten) \
    X (links_lost) \
    X (hello_first) \
    X (malformed) \
    X (too_large) \
    X (bad_version) \
    X (too_large_before_hello) \
    X (more_than_one_frame) \
    X (wrong_door) \
    X (shunned_paths) \
    X (shunned_frames) \
    X (connections_refused) \
    X (answers_kept_back) \
    X (no_memory) \
    X (disk_full) \
    X (doors_reopened) \
    X (admin_asks) \
    X (admin_not_safe_in_time)

// Powers of two: bucket i counts values below 2^(i+1); the last one all above.
#define HISTOGRAM_BUCKETS 20u

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t count;
    uint64_t max;
};

struct stats {
#define X(name) uint64_t name;
    STATS (X)
#undef X
    struct histogram batch_records;
    struct histogram sync_us;
};

// histogram_note counts [value].
void
histogram_note (struct histogram *histogram, uint64_t value);

// histogram_quantile returns an upper bound of the value below which [per_mille] of all lie; 0
// without any.
uint64_t
histogram_quantile (const struct histogram *histogram, uint32_t per_mille);

// What a walk over all counters calls for each of them.
struct stats_visitor {
    void (*visit) (void *context, const char *name, uint64_t value);
    void *context;
};

// stats_walk visits all counters in the order of STATS, then the quantiles of both histograms.
void
stats_walk (const struct stats *stats, const struct stats_visitor *visitor);

#endif
