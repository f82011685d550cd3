// SPDX-License-Identifier: MPL-2.0
// clock.h reads the two clocks. The loop reads them once a turn and hands the values on; nobody
// else decides by them.
#ifndef BATON_SHELL_CLOCK_H
#define BATON_SHELL_CLOCK_H

#include <stdint.h>

// clock_now_ns never goes back, and means nothing to another process.
uint64_t
clock_now_ns (void);

// clock_utc_ms is the wall clock; it may jump.
uint64_t
clock_utc_ms (void);

#endif
