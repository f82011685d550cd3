// SPDX-License-Identifier: MPL-2.0
// clock.h reads the monotonic clock for the commands' time limits. It never tells the date.
#ifndef BATON_TOOLS_CLOCK_H
#define BATON_TOOLS_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER_MS UINT64_MAX

// clock_ms returns milliseconds since some moment in the past; it never goes back.
uint64_t
clock_ms (void);

// clock_left_ms returns the time until [deadline_ms] as poll takes it: 0 if it has passed, -1 for
// CLOCK_NEVER_MS.
int
clock_left_ms (uint64_t deadline_ms);

#endif
