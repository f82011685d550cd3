// SPDX-License-Identifier: MPL-2.0
// admin.h has what the verbs that only ask have in common: their options, and how an answer is
// printed for people or for programs.
#ifndef BATON_TOOLS_ADMIN_H
#define BATON_TOOLS_ADMIN_H

#include "tools/ask.h"
#include "tools/options.h"

enum admin_form { FORM_PEOPLE = 1, FORM_JSON = 2 };

struct admin_options {
    const char *store;
    enum admin_form form;
    enum { CELLS_USUAL = 1, CELLS_ALL = 2 } cells; // for people; programs get all
    const char *session;     // NULL: none given
    const char *requirement; // likewise
};

// Ids of the options, for the tables of the verbs.
enum admin_option { ADMIN_STORE = 1, ADMIN_JSON, ADMIN_ALL, ADMIN_SESSION, ADMIN_REQUIRE };

#define ADMIN_RULES \
    {ADMIN_STORE, "store", "DIR", "directory of the broker's store (default ./baton-store)"}, \
    {ADMIN_JSON, "json", NULL, "print JSON, with all that the broker tells"}

#define ADMIN_EXIT_CODES \
    "Exit codes: 0 ok, 1 findings, 2 usage, 3 cannot reach, 4 refused, 75 try later."

// admin_options_read reads the command line of such a verb into [options].
enum options_end
admin_options_read (const struct option_table *table, int argc, char **argv,
                    struct admin_options *options);

// admin_print_rows prints [rows] as a table of the cells [names], up to a NULL, or of all cells if
// that was asked for; or as an array of objects.
enum exit_code
admin_print_rows (const json_t *rows, const char *const *names,
                  const struct admin_options *options);

// admin_say_no_memory says that there is no memory, and returns the code for it.
enum exit_code
admin_say_no_memory (void);

#endif
