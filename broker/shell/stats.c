// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/stats.h"

void
histogram_note (struct histogram *histogram, uint64_t value)
{
    uint32_t bucket = 0;

    for (uint64_t rest = value >> 1; rest > 0 && bucket < HISTOGRAM_BUCKETS - 1; rest >>= 1) {
        bucket++;
    }
    histogram->counts[bucket]++;
    histogram->count++;
    if (value > histogram->max) {
        histogram->max = value;
    }
}

uint64_t
histogram_quantile (const struct histogram *histogram, uint32_t per_mille)
{
    uint64_t wanted = (histogram->count * per_mille + 999) / 1000, met = 0;

    if (histogram->count == 0) return 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        met += histogram->counts[i];
        if (met < wanted) continue;
        const uint64_t bound = ((uint64_t) 2 << i) - 1;
        return i == HISTOGRAM_BUCKETS - 1 || bound > histogram->max ? histogram->max : bound;
    }
    return histogram->max;
}

void
stats_walk (const struct stats *stats, const struct stats_visitor *visitor)
{
#define X(name) visitor->visit (visitor->context, #name, stats->name);
    STATS (X)
#undef X
    static const char *const names[] = {
        "batch_records_p50", "batch_records_p99", "batch_records_max",
        "sync_us_p50", "sync_us_p99", "sync_us_max"};
    const struct histogram *histograms[] = {&stats->batch_records, &stats->sync_us};
    for (uint32_t i = 0; i < 2; i++) {
        visitor->visit (visitor->context, names[3 * i], histogram_quantile (histograms[i], 500));
        visitor->visit (visitor->context, names[3 * i + 1],
                        histogram_quantile (histograms[i], 990));
        visitor->visit (visitor->context, names[3 * i + 2], histograms[i]->max);
    }
}
