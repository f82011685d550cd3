// SPDX-License-Identifier: MPL-2.0
// campaign.h runs many seeds in some processes and adds up what they did. Every process runs a few
// seeds and ends, so that what a violated world leaves behind goes with it; one that crashes or
// hangs is found out with its seed.
#ifndef BATON_TESTS_CAMPAIGN_H
#define BATON_TESTS_CAMPAIGN_H

#include "tests/sim/sim.h"

struct campaign_options {
    uint64_t seeds_count;
    uint64_t first_seed;
    uint32_t jobs_count;
    // TO_FIRST ends with the first violation; ALL runs all seeds and counts them.
    enum { CAMPAIGN_TO_FIRST = 1, CAMPAIGN_ALL = 2 } extent;
    enum { CAMPAIGN_TEXT = 1, CAMPAIGN_JSON = 2 } form;
    enum { CAMPAIGN_TOLD = 1, CAMPAIGN_SILENT = 2 } progress;
};

// campaign_run runs all seeds, prints, and returns the exit code: 0 without a violation, else 1.
int
campaign_run (const struct campaign_options *options);

// campaign_print_result prints one line for the run called [name].
void
campaign_print_result (FILE *out, const char *name, const struct sim_result *result);

#endif
