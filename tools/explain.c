// SPDX-License-Identifier: MPL-2.0
// `baton explain` tells which server a requirement, or a session, would get now, and what each
// known server lacks.
#include "proto/requirement_text.h"
#include "tools/admin.h"
#include "tools/command.h"
#include "tools/say.h"
#include "tools/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option_rule rules[] = {
    {ADMIN_REQUIRE, "require", "TEXT", "a requirement, like 'algo = \"sha256\" and cores >= 4'"},
    {ADMIN_SESSION, "session", "NAME", "a session that exists, with the requirement it has"},
    ADMIN_RULES,
};

static const struct option_table table = {
    .command = "baton explain",
    .usage = "--require TEXT | --session NAME",
    .purpose = "Tell which server would be chosen now and why, or why none: for each known server\n"
               "the first comparison that it does not meet.",
    .notes = "An empty TEXT stands for the default set.\n"
             "Exit codes: 0 a server is chosen, 1 none is, 2 usage, 3 cannot reach, 4 refused,\n"
             "75 try later.",
    .rules = rules,
    .rules_count = sizeof rules / sizeof rules[0],
    .rest = REST_NONE,
};

static const char *const choice_names[] = {
    "outcome", "server", "fitting_count", "missing", "furthest_server", NULL,
};

// Puts a sign under the place where the requirement is wrong.
static enum exit_code
say_fault (const char *text, const struct text_fault *fault)
{
    say ("--require: %s, at character %zu:", fault->sentence, fault->position_bytes + 1);
    fprintf (stderr, "    %s\n    %*s^\n", text, (int) fault->position_bytes, "");
    return EXIT_CODE_USAGE;
}

// The requirement in its stored form, in [data].
static enum exit_code
encode (const char *text, uint8_t data[LIMIT_REQUIREMENT_MAX_BYTES], struct baton_bytes *stored)
{
    struct requirement_room *room = malloc (sizeof *room);
    struct requirement requirement;
    struct text_fault fault = {0, ""};
    if (!room) return admin_say_no_memory ();

    enum baton_err error = requirement_parse ((struct baton_bytes) {text, strlen (text)}, room,
                                              &requirement, &fault);
    enum exit_code code = error ? say_fault (text, &fault) : EXIT_CODE_OK;
    if (!error) {
        error = requirement_encode (&requirement, data, LIMIT_REQUIREMENT_MAX_BYTES,
                                    &stored->size);
        stored->data = data;
        code = exit_code_of (error);
    }
    free (room);
    return code;
}

static int
is_chosen (const json_t *choice)
{
    const char *outcome = json_string_value (json_object_get (choice, "outcome"));

    return outcome && strcmp (outcome, "this server is chosen") == 0;
}

static enum baton_err
print_people (const json_t *choice, json_t *candidates)
{
    json_t *row = show_pick (choice, choice_names);
    enum baton_err error = row ? show_list (row, stdout) : BATON_NO_MEMORY;

    json_decref (row);
    if (!error && json_array_size (candidates) > 0) {
        fputc ('\n', stdout);
        error = show_table (candidates, stdout);
    }
    return error;
}

// The first row is the choice, the others are the candidates.
static enum exit_code
print (json_t *rows, const struct admin_options *options)
{
    json_t *choice = json_incref (json_array_get (rows, 0));
    enum baton_err error = BATON_OK;

    json_array_remove (rows, 0);
    if (options->form == FORM_JSON) {
        error = json_object_set (choice, "candidates", rows) != 0
            ? BATON_NO_MEMORY : show_json (choice, SHOW_PRETTY, stdout);
    } else {
        error = print_people (choice, rows);
    }
    enum exit_code code = is_chosen (choice) ? EXIT_CODE_OK : EXIT_CODE_FINDINGS;
    json_decref (choice);
    return error ? admin_say_no_memory () : code;
}

static enum exit_code
run (const struct admin_options *options)
{
    struct question question = {.store = options->store, .topic = ADMIN_EXPLAIN};
    uint8_t stored[LIMIT_REQUIREMENT_MAX_BYTES];
    enum exit_code code = EXIT_CODE_OK;
    json_t *rows = NULL;

    if (options->session) {
        question.argument =
            (struct baton_bytes) {options->session, strlen (options->session)};
    } else {
        code = encode (options->requirement, stored, &question.requirement);
    }
    if (code == EXIT_CODE_OK) {
        code = ask (&question, &rows);
    }
    if (code == EXIT_CODE_OK && json_array_size (rows) > 0) {
        code = print (rows, options);
    }
    json_decref (rows);
    return code;
}

enum exit_code
command_explain (int argc, char **argv)
{
    struct admin_options options;
    enum options_end end = admin_options_read (&table, argc, argv, &options);
    if (end != OPTIONS_READ) return end == OPTIONS_HELPED ? EXIT_CODE_OK : EXIT_CODE_USAGE;

    if ((options.session != NULL) == (options.requirement != NULL)) {
        say ("give either --require TEXT or --session NAME; see %s --help", table.command);
        return EXIT_CODE_USAGE;
    }
    return run (&options);
}
