// SPDX-License-Identifier: MPL-2.0
// main.c is batond: command line and configuration, then one broker.
#include "broker/shell/broker.h"
#include "broker/shell/budget.h"
#include "broker/shell/options.h"
#include "broker/shell/system.h"
#include "proto/assert.h"
#include "proto/memory_heap.h"

#include <czmq.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#ifndef BATON_VERSION
#define BATON_VERSION "0.1.0"
#endif

// A fault of ours: stop before damage spreads. What was acknowledged is in the log.
void
assert_failed (const char *condition, const char *file, int line)
{
    fprintf (stderr, "batond: a fault of Baton itself: %s does not hold (%s:%d)\n", condition,
             file, line);
    broker_say_last ();
    abort ();
}

static void
print_findings (const struct config_findings *findings)
{
    for (uint32_t i = 0; i < findings->count && i < CONFIG_FINDINGS_MAX; i++) {
        fprintf (stderr, "batond: %s\n", findings->texts[i]);
    }
    if (findings->count > CONFIG_FINDINGS_MAX) {
        fprintf (stderr, "batond: and %u others\n", findings->count - CONFIG_FINDINGS_MAX);
    }
}

// File, then options, then what is worked out; [missing] tells whether a store may be made.
static enum baton_err
read_config (const struct options *options, struct config *config, enum store_missing *missing,
             struct config_findings *findings)
{
    enum baton_err err = BATON_OK;

    config_default (config);
    if (options->config_file) {
        err = config_load (config, options->config_file, findings);
    }
    if (options_apply (options, config, findings) != BATON_OK && err == BATON_OK) {
        err = BATON_BAD_CONFIG;
    }
    *missing = config->store[0] ? STORE_REFUSE : STORE_MAKE;
    if (err == BATON_OK) {
        err = config_finish (config, budget_of_machine (), findings);
    }
    return err;
}

static enum exit_code
check (const struct options *options, enum baton_err err, const struct config_findings *findings)
{
    print_findings (findings);
    if (err == BATON_NOT_FOUND) return EXIT_CODE_USAGE;
    if (err != BATON_OK) return EXIT_CODE_FINDINGS;
    printf ("%s: ok\n", options->config_file);
    return EXIT_CODE_OK;
}

static enum exit_code
serve (const struct options *options, const struct config *config, enum store_missing missing,
       struct log *log)
{
    const struct broker_options broker_options = {
        .config = config,
        .missing = missing,
        .ready_fd = options->ready_fd,
        .signal_fd = system_signals (),
    };

    if (broker_options.signal_fd < 0) {
        log_line (log, LOG_ERROR, "the system gives no descriptor for signals");
        return EXIT_CODE_TRY_LATER;
    }
    if (system_check (config, log) != BATON_OK) return EXIT_CODE_REFUSED;
    const enum exit_code code = broker_run (&broker_options, log);
    close (broker_options.signal_fd);
    return code;
}

static enum exit_code
format (const struct options *options, struct log *log)
{
    const struct memory memory = memory_heap ();
    struct chance chance = {.left_count = 0};

    return store_format (options->format_dir, &memory, &chance, log);
}

static enum exit_code
run (const struct options *options)
{
    static struct config config;
    static struct config_findings findings;
    static struct log log;
    enum store_missing missing;

    const enum baton_err err = read_config (options, &config, &missing, &findings);
    if (options->mode == OPTIONS_CHECK) return check (options, err, &findings);
    if (err != BATON_OK) {
        print_findings (&findings);
        return EXIT_CODE_USAGE;
    }
    log_init (&log, config.log_level);
    if (options->mode == OPTIONS_FORMAT) return format (options, &log);
    return serve (options, &config, missing, &log);
}

int
main (int argc, char **argv)
{
    struct options options;

    // CZMQ only reads the configuration here; it must not take our signals.
    zsys_handler_set (NULL);
    // The store and its socket are for this user alone.
    umask (0077);
    if (options_read (&options, argc, argv) != BATON_OK) return EXIT_CODE_USAGE;
    if (options.mode == OPTIONS_HELP) {
        options_help ();
        return EXIT_CODE_OK;
    }
    if (options.mode == OPTIONS_VERSION) {
        puts ("batond " BATON_VERSION);
        return EXIT_CODE_OK;
    }
    return (int) run (&options);
}
