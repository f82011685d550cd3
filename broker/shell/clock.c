// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/clock.h"

#include <time.h>

static struct timespec
read_clock (clockid_t which)
{
    struct timespec now = {0};

    clock_gettime (which, &now);
    return now;
}

uint64_t
clock_now_ns (void)
{
    const struct timespec now = read_clock (CLOCK_MONOTONIC);

    return (uint64_t) now.tv_sec * UINT64_C (1000000000) + (uint64_t) now.tv_nsec;
}

uint64_t
clock_utc_ms (void)
{
    const struct timespec now = read_clock (CLOCK_REALTIME);

    return (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}
