// SPDX-License-Identifier: MPL-2.0
#include "tools/clock.h"

#include <limits.h>
#include <time.h>

uint64_t
clock_ms (void)
{
    struct timespec now;

    // Cannot fail for this clock with a good pointer.
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}

int
clock_left_ms (uint64_t deadline_ms)
{
    if (deadline_ms == CLOCK_NEVER_MS) return -1;
    uint64_t now_ms = clock_ms ();
    if (deadline_ms <= now_ms) return 0;

    uint64_t left_ms = deadline_ms - now_ms;
    return left_ms > INT_MAX ? INT_MAX : (int) left_ms;
}
