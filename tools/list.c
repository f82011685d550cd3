// SPDX-License-Identifier: MPL-2.0
// `baton sessions` and `baton servers` list what a broker has.
#include "tools/admin.h"
#include "tools/command.h"
#include "tools/say.h"

#include <stdio.h>
#include <string.h>

#define RULE_ALL {ADMIN_ALL, "all", NULL, "show all columns, not only the usual ones"}

static const struct option_rule sessions_rules[] = {
    ADMIN_RULES,
    RULE_ALL,
    {ADMIN_SESSION, "session", "NAME", "only the session with this name"},
};

static const struct option_table sessions_table = {
    .command = "baton sessions",
    .usage = "[OPTION...]",
    .purpose = "List the sessions of a broker: their states, servers, and how much waits.",
    .notes = ADMIN_EXIT_CODES,
    .rules = sessions_rules,
    .rules_count = sizeof sessions_rules / sizeof sessions_rules[0],
    .rest = REST_NONE,
};

static const char *const sessions_names[] = {
    "session", "state", "server", "requests_open", "requests_bytes", "responses_waiting",
    "responses_bytes", "id", NULL,
};

static const struct option_rule servers_rules[] = {ADMIN_RULES, RULE_ALL};

static const struct option_table servers_table = {
    .command = "baton servers",
    .usage = "[OPTION...]",
    .purpose = "List the servers that a broker knows: whether they are here, what they offer,\n"
               "what they have to do.",
    .notes = ADMIN_EXIT_CODES,
    .rules = servers_rules,
    .rules_count = sizeof servers_rules / sizeof servers_rules[0],
    .rest = REST_NONE,
};

static const char *const servers_names[] = {
    "server", "state", "set", "capacity", "sessions_count", "requests_open", "attributes", NULL,
};

// What a list is called, so that an empty one says so.
struct list {
    const struct option_table *table;
    enum admin_topic topic;
    const char *const *names;
    const char *none;
};

static enum exit_code
run (const struct list *list, int argc, char **argv)
{
    struct admin_options options;
    enum options_end end = admin_options_read (list->table, argc, argv, &options);
    if (end != OPTIONS_READ) return end == OPTIONS_HELPED ? EXIT_CODE_OK : EXIT_CODE_USAGE;

    struct question question = {.store = options.store, .topic = list->topic};
    json_t *rows = NULL;
    if (options.session) {
        question.argument =
            (struct baton_bytes) {options.session, strlen (options.session)};
    }
    enum exit_code code = ask (&question, &rows);
    if (code != EXIT_CODE_OK) return code;
    if (json_array_size (rows) == 0 && options.form == FORM_PEOPLE) {
        say ("%s", list->none);
    } else {
        code = admin_print_rows (rows, list->names, &options);
    }
    json_decref (rows);
    return code;
}

enum exit_code
command_sessions (int argc, char **argv)
{
    static const struct list list = {&sessions_table, ADMIN_SESSIONS, sessions_names,
                                     "no such session, or none at all"};

    return run (&list, argc, argv);
}

enum exit_code
command_servers (int argc, char **argv)
{
    static const struct list list = {&servers_table, ADMIN_SERVERS, servers_names,
                                     "no server is known yet; start one, for example"
                                     " `baton serve --offer algo=sha256 -- sha256sum`"};

    return run (&list, argc, argv);
}
