// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/system.h"

#include "broker/shell/endpoint.h"

#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

static enum baton_err
check_descriptors (const struct config *config, struct log *log)
{
    const uint64_t wanted = config->connections_max_count + LIMIT_DESCRIPTORS_RESERVE;
    struct rlimit limit;

    if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return BATON_OK;
    const uint64_t had = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit (RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted) return BATON_OK;
    log_line (log, LOG_ERROR, "too few descriptors: the limit is %" PRIu64 " (at most %" PRIu64
              " for this user), connections_max_count = %" PRIu64 " needs %" PRIu64 "; raise it"
              " with LimitNOFILE=%" PRIu64 " or `ulimit -n %" PRIu64 "`, or set"
              " connections_max_count to at most %" PRIu64, had, (uint64_t) limit.rlim_max,
              config->connections_max_count, wanted, wanted, wanted,
              limit.rlim_max > LIMIT_DESCRIPTORS_RESERVE
                  ? (uint64_t) limit.rlim_max - LIMIT_DESCRIPTORS_RESERVE : 0);
    return BATON_UNAVAILABLE;
}

// In that range a retrying end can connect to itself and so keep us from binding.
static void
check_ports (const struct config *config, struct log *log)
{
    unsigned low = 32768, high = 60999;
    FILE *file = fopen ("/proc/sys/net/ipv4/ip_local_port_range", "r");

    if (file) {
        if (fscanf (file, "%u %u", &low, &high) != 2) {
            low = 32768;
            high = 60999;
        }
        fclose (file);
    }
    for (uint32_t i = 0; i < config->endpoints_count; i++) {
        const uint16_t port = endpoint_port (config->endpoints[i]);
        if (port < low || port > high) continue;
        log_line (log, LOG_WARNING, "%s: port %u lies among those that the system gives to"
                  " callers (%u to %u): a client that tries again and again may take it; use one"
                  " below %u", config->endpoints[i], port, low, high, low);
    }
}

enum baton_err
system_check (const struct config *config, struct log *log)
{
    check_ports (config, log);
    return check_descriptors (config, log);
}

int
system_signals (void)
{
    sigset_t signals;

    signal (SIGPIPE, SIG_IGN);
    sigemptyset (&signals);
    sigaddset (&signals, SIGTERM);
    sigaddset (&signals, SIGINT);
    if (sigprocmask (SIG_BLOCK, &signals, NULL) != 0) return -1;
    return signalfd (-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}
