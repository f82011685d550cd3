// SPDX-License-Identifier: MPL-2.0
// `baton status` tells how a broker is, and ends with 1 if there is something to act on.
#include "tools/admin.h"
#include "tools/command.h"
#include "tools/findings.h"
#include "tools/say.h"
#include "tools/show.h"

#include <stdio.h>

static const struct option_rule rules[] = {
    ADMIN_RULES,
    {ADMIN_ALL, "all", NULL, "show all counters, not only the usual lines"},
};

static const struct option_table table = {
    .command = "baton status",
    .usage = "[OPTION...]",
    .purpose = "Tell how the broker of a store is. What its operator should act on is a finding,\n"
               "told on standard error, in JSON as \"findings\".",
    .notes = ADMIN_EXIT_CODES,
    .rules = rules,
    .rules_count = sizeof rules / sizeof rules[0],
    .rest = REST_NONE,
};

static const char *const usual_names[] = {
    "role", "epoch", "uptime_s", "endpoint", "store", "sessions_count", "servers_count",
    "requests_count", "requests_bytes", "responses_count", "responses_bytes", "links_count",
    "last_index", "commit_index", "log_bytes", "segments_count", "memory_used_bytes",
    "memory_max_bytes", "disk_free_bytes", NULL,
};

static enum baton_err
print_json (json_t *status, json_t *findings)
{
    if (json_object_set (status, "findings", findings) != 0) return BATON_NO_MEMORY;

    return show_json (status, SHOW_PRETTY, stdout);
}

static enum baton_err
print_list (json_t *status, const json_t *findings, const struct admin_options *options)
{
    json_t *row = options->cells == CELLS_ALL ? json_incref (status)
                                              : show_pick (status, usual_names);
    enum baton_err error = row ? show_list (row, stdout) : BATON_NO_MEMORY;
    size_t i;
    json_t *finding;

    json_decref (row);
    fflush (stdout);
    json_array_foreach (findings, i, finding) {
        say ("finding: %s", json_string_value (finding));
    }
    return error;
}

static enum exit_code
print (json_t *status, const struct admin_options *options)
{
    json_t *findings = findings_of (status);
    if (!findings) return admin_say_no_memory ();

    enum baton_err error = options->form == FORM_JSON ? print_json (status, findings)
                                                      : print_list (status, findings, options);
    enum exit_code code =
        json_array_size (findings) > 0 ? EXIT_CODE_FINDINGS : EXIT_CODE_OK;
    json_decref (findings);
    return error ? admin_say_no_memory () : code;
}

enum exit_code
command_status (int argc, char **argv)
{
    struct admin_options options;
    enum options_end end = admin_options_read (&table, argc, argv, &options);
    if (end != OPTIONS_READ) return end == OPTIONS_HELPED ? EXIT_CODE_OK : EXIT_CODE_USAGE;

    const struct question question = {.store = options.store, .topic = ADMIN_STATUS};
    json_t *rows = NULL;
    enum exit_code code = ask (&question, &rows);
    if (code != EXIT_CODE_OK) return code;
    json_t *status = json_array_get (rows, 0);
    if (status) {
        code = print (status, &options);
    } else {
        say ("the broker told nothing of itself; are batond and baton of one version?");
        code = EXIT_CODE_REFUSED;
    }
    json_decref (rows);
    return code;
}
