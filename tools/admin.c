// SPDX-License-Identifier: MPL-2.0
#include "tools/admin.h"

#include "tools/say.h"
#include "tools/show.h"

static int
take_option (void *context, int id, const char *value)
{
    struct admin_options *options = context;

    switch ((enum admin_option) id) {
    case ADMIN_STORE: options->store = value; return 0;
    case ADMIN_JSON: options->form = FORM_JSON; return 0;
    case ADMIN_ALL: options->cells = CELLS_ALL; return 0;
    case ADMIN_SESSION: options->session = value; return 0;
    case ADMIN_REQUIRE: options->requirement = value; return 0;
    }
    return 1;
}

enum options_end
admin_options_read (const struct option_table *table, int argc, char **argv,
                    struct admin_options *options)
{
    int rest;

    *options = (struct admin_options) {.store = ASK_STORE_DEFAULT, .form = FORM_PEOPLE,
                                       .cells = CELLS_USUAL};
    return options_read (table, argc, argv, take_option, options, &rest);
}

enum exit_code
admin_say_no_memory (void)
{
    say ("%s", baton_strerror (BATON_NO_MEMORY));
    return exit_code_of (BATON_NO_MEMORY);
}

static enum baton_err
print_usual (const json_t *rows, const char *const *names)
{
    json_t *picked = show_pick_rows (rows, names);
    enum baton_err error = picked ? show_table (picked, stdout) : BATON_NO_MEMORY;

    json_decref (picked);
    return error;
}

enum exit_code
admin_print_rows (const json_t *rows, const char *const *names,
                  const struct admin_options *options)
{
    enum baton_err error = BATON_OK;

    if (options->form == FORM_JSON) {
        error = show_json (rows, SHOW_PRETTY, stdout);
    } else if (options->cells == CELLS_ALL) {
        error = show_table (rows, stdout);
    } else {
        error = print_usual (rows, names);
    }
    return error ? admin_say_no_memory () : EXIT_CODE_OK;
}
