// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/broker.h"

#include "broker/shell/clock.h"
#include "broker/shell/loop.h"
#include "broker/shell/notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ADMIN_NAME "admin"
// A progress line for people, about so many times a second at the usual speed.
#define PROGRESS_EVERY_COUNT 65536u
#define ENDPOINTS_TEXT_BYTES (LIMIT_ENDPOINTS_MAX_COUNT * (CONFIG_ENDPOINT_MAX_BYTES + 1))

struct broker {
    const struct broker_options *options;
    const struct config *config;
    struct log *log;
    struct budget budget;
    struct stats stats;
    struct chance chance;
    struct store store;
    struct loop loop;
};

// For broker_say_last alone: an assertion knows no broker.
static const struct loop *running;

void
broker_say_last (void)
{
    if (running && running->core) {
        fprintf (stderr, "batond: epoch %" PRIu64 ", last record %" PRIu64 ", safe through %"
                 PRIu64 "\n", core_epoch (running->core).n, core_last_index (running->core).n,
                 replica_commit_index (&running->turn.replica).n);
    }
}

struct replay {
    struct core *core;
    uint64_t count;
    uint64_t first;
    uint64_t last;
    enum { PROGRESS_QUIET = 1, PROGRESS_SHOWN = 2 } progress;
};

static enum baton_err
replay_record (void *context, struct baton_bytes record)
{
    struct replay *replay = context;

    if (replay->progress == PROGRESS_SHOWN && replay->count % PROGRESS_EVERY_COUNT == 0) {
        fprintf (stderr, "\rreplaying: %" PRIu64 " of %" PRIu64 " records", replay->count,
                 replay->last - replay->first + 1);
    }
    replay->count++;
    return core_replay (replay->core, record);
}

static enum exit_code
say_replay_failed (const struct broker *broker, const struct replay *replay,
                   enum baton_err error)
{
    if (error == BATON_NO_MEMORY) {
        log_line (broker->log, LOG_ERROR, "store %s: what it holds needs more than the memory"
                  " budget of %" PRIu64 " bytes; raise memory_max_bytes", broker->config->store,
                  broker->budget.total_bytes);
        return EXIT_CODE_TRY_LATER;
    }
    log_line (broker->log, LOG_ERROR, "store %s: record %" PRIu64 " cannot be applied (%s);"
              " nothing was changed", broker->config->store,
              core_last_index (broker->loop.core).n + 1, baton_strerror (error));
    store_say (broker->config->store, broker->store.disk_file, error,
               journal_problem_view (broker->store.journal), broker->log);
    (void) replay;
    return store_exit_code (error);
}

// Rebuilds the book from the log.
static enum exit_code
replay_log (struct broker *broker)
{
    const struct journal_report *report = &broker->store.report;
    struct replay replay = {
        .core = broker->loop.core,
        .first = report->first_index.n,
        .last = report->last_index.n,
        .progress = isatty (STDERR_FILENO) ? PROGRESS_SHOWN : PROGRESS_QUIET,
    };
    const struct record_visitor visitor = {replay_record, &replay};
    const uint64_t before_ns = clock_now_ns ();
    const enum baton_err error = journal_replay (broker->store.journal, &visitor);

    if (replay.progress == PROGRESS_SHOWN && replay.count > 0) {
        fputs ("\r\033[K", stderr);
    }
    if (error != BATON_OK) return say_replay_failed (broker, &replay, error);
    log_line (broker->log, LOG_INFO, "replayed %" PRIu64 " records in %" PRIu64 " ms: epoch %"
              PRIu64 ", last record %" PRIu64, replay.count,
              (clock_now_ns () - before_ns) / UINT64_C (1000000),
              core_epoch (broker->loop.core).n, core_last_index (broker->loop.core).n);
    return EXIT_CODE_OK;
}

static enum exit_code
say_no_memory (const struct broker *broker)
{
    log_line (broker->log, LOG_ERROR, "out of memory at start: the budget is %" PRIu64
              " bytes; raise memory_max_bytes", broker->budget.total_bytes);
    return EXIT_CODE_TRY_LATER;
}

static enum exit_code
make_core (struct broker *broker)
{
    struct core_options options;

    if (chance_fill (&broker->chance, 1) != BATON_OK) {
        log_line (broker->log, LOG_ERROR, "the system gives no random numbers");
        return EXIT_CODE_TRY_LATER;
    }
    core_options_default (&options);
    config_core (broker->config, &options);
    options.group = broker->store.report.group;
    options.hash_seed = chance_number (&broker->chance);
    broker->loop.core = core_new (&broker->budget.memory, &options);
    return broker->loop.core ? EXIT_CODE_OK : say_no_memory (broker);
}

static enum exit_code
begin_reign (struct broker *broker)
{
    const enum baton_err error = loop_begin_reign (&broker->loop);

    if (error == BATON_OK) return EXIT_CODE_OK;
    store_say (broker->config->store, broker->store.disk_file, error,
               journal_problem_view (broker->store.journal), broker->log);
    return store_exit_code (error);
}

static enum exit_code
say_bind_failed (const struct broker *broker, const char *endpoint, enum baton_err error)
{
    const char *next = error == BATON_ADDRESS_IN_USE
                           ? "stop the other program (`ss -ltnp` names it), or choose another"
                             " --endpoint"
                           : "wanted an address of this machine and a port that this user may"
                             " take; for ipc a path of at most 107 bytes, in a directory where"
                             " this user may write";

    log_line (broker->log, LOG_ERROR, "%s: cannot be bound: %s; %s", endpoint,
              baton_strerror (error), next);
    return EXIT_CODE_CANNOT_BIND;
}

// The administration's door first: whoever sees READY may ask.
static enum exit_code
bind_doors (struct broker *broker)
{
    char admin[CONFIG_PATH_MAX_BYTES + 16];
    const struct config *config = broker->config;

    snprintf (admin, sizeof admin, "ipc://%s/" ADMIN_NAME, config->store);
    enum baton_err error = doors_bind (&broker->loop.doors, DOOR_ADMIN, admin);
    if (error != BATON_OK) return say_bind_failed (broker, admin, error);
    for (uint32_t i = 0; i < config->endpoints_count; i++) {
        error = doors_bind (&broker->loop.doors, DOOR_ENDS, config->endpoints[i]);
        if (error != BATON_OK) return say_bind_failed (broker, config->endpoints[i], error);
    }
    return EXIT_CODE_OK;
}

static void
say_ready (struct broker *broker)
{
    char text[ENDPOINTS_TEXT_BYTES] = "";
    size_t used = 0;

    for (uint32_t i = 0; i < broker->loop.doors.doors_count; i++) {
        const struct door *door = &broker->loop.doors.doors[i];
        if (door->kind != DOOR_ENDS) continue;
        const int more = snprintf (text + used, sizeof text - used, "%s%s", used ? " " : "",
                                   port_endpoint (door->port));
        used += more > 0 && (size_t) more < sizeof text - used ? (size_t) more : 0;
    }
    log_line (broker->log, LOG_INFO, "serving %s, epoch %" PRIu64 ", memory budget %" PRIu64
              " bytes", text, core_epoch (broker->loop.core).n, broker->budget.total_bytes);
    notify_ready (broker->options->ready_fd, text);
}

static enum exit_code
say_stopped (struct broker *broker, enum baton_err error)
{
    if (error == BATON_OK) {
        log_line (broker->log, LOG_INFO, "stopped: epoch %" PRIu64 ", last record %" PRIu64,
                  core_epoch (broker->loop.core).n, core_last_index (broker->loop.core).n);
        return EXIT_CODE_OK;
    }
    log_line (broker->log, LOG_ERROR, "the broker stops at once, nothing more is answered: %s;"
              " safe through record %" PRIu64, baton_strerror (error),
              replica_commit_index (&broker->loop.turn.replica).n);
    store_say (broker->config->store, broker->store.disk_file, error,
               journal_problem_view (broker->store.journal), broker->log);
    return store_exit_code (error);
}

static enum exit_code
serve (struct broker *broker)
{
    enum exit_code code = replay_log (broker);

    if (code == EXIT_CODE_OK) {
        code = begin_reign (broker);
    }
    // Nothing is answered before the reign's own record is safe, so no door is open before.
    if (code == EXIT_CODE_OK) {
        code = bind_doors (broker);
    }
    if (code != EXIT_CODE_OK) return code;
    say_ready (broker);
    return say_stopped (broker, loop_run (&broker->loop));
}

static enum exit_code
start (struct broker *broker)
{
    struct loop *loop = &broker->loop;
    enum exit_code code = make_core (broker);

    if (code != EXIT_CODE_OK) return code;
    loop->config = broker->config;
    loop->log = broker->log;
    loop->budget = &broker->budget;
    loop->stats = &broker->stats;
    loop->chance = &broker->chance;
    loop->disk = disk_file_disk (broker->store.disk_file);
    loop->journal = broker->store.journal;
    loop->signal_fd = broker->options->signal_fd;
    const enum baton_err error = loop_init (loop);
    if (error == BATON_OK) {
        running = loop;
        code = serve (broker);
        running = NULL;
    } else if (error == BATON_NO_MEMORY) {
        code = say_no_memory (broker);
    } else {
        log_line (broker->log, LOG_ERROR, "ZeroMQ cannot be used: %s (wanted libzmq 4.3.4 or"
                  " later)", baton_strerror (error));
        code = EXIT_CODE_CANNOT_BIND;
    }
    loop_fini (loop);
    core_free (&loop->core);
    return code;
}

enum exit_code
broker_run (const struct broker_options *options, struct log *log)
{
    struct broker *broker = calloc (1, sizeof *broker);

    if (!broker) return EXIT_CODE_TRY_LATER;
    broker->options = options;
    broker->config = options->config;
    broker->log = log;
    budget_init (&broker->budget, options->config->memory_max_bytes);
    enum exit_code code = store_open (&broker->store, options->config, options->missing,
                                      &broker->budget.memory, &broker->chance, log);
    if (code == EXIT_CODE_OK) {
        code = start (broker);
    }
    store_close (&broker->store);
    free (broker);
    return code;
}
