// SPDX-License-Identifier: MPL-2.0
// options.h reads a command line after a table, which also makes the help. It is getopt_long with
// one place for the words; it knows no command and never ends the process.
#ifndef BATON_TOOLS_OPTIONS_H
#define BATON_TOOLS_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// One long option. Letters are for --help alone: scripts with words can be read.
struct option_rule {
    int id;               // from 1; the command's own enum
    const char *name;     // without dashes
    const char *argument; // "DIR"; NULL for none
    const char *help;     // one sentence; lines are broken by '\n'
};

// What may follow the options.
enum option_rest {
    REST_NONE = 1,     // nothing
    REST_ANYWHERE = 2, // words, between options too
    REST_COMMAND = 3,  // a command with options of its own, up to the end
};

struct option_table {
    const char *command; // "baton send"
    const char *usage;   // what follows the command in the first line of its help
    const char *purpose; // what it does, a few lines
    const char *notes;   // exit codes, examples; behind the options
    const struct option_rule *rules;
    size_t rules_count;
    enum option_rest rest;
};

// Called for each option in its order. [value] is NULL where the rule has no argument.
// Returns 0, or anything else to end the reading, having said why.
typedef int
option_fn (void *context, int id, const char *value);

enum options_end { OPTIONS_READ = 1, OPTIONS_HELPED = 2, OPTIONS_WRONG = 3 };

// options_read walks over [argv], whose first word is the command's own, and calls [take].
// *[rest_index] is then the first of the words that are no options (REST_ANYWHERE moves them
// behind the others). --help prints the help on standard output.
//
// Returns OPTIONS_WRONG, having said what and what instead, for an option that is unknown, not
// unique when shortened, or lacks its argument; for words where none may be; and when [take] said
// so.
enum options_end
options_read (const struct option_table *table, int argc, char **argv, option_fn *take,
              void *context, int *rest_index);

// options_help writes the help of [table].
void
options_help (const struct option_table *table, FILE *file);

// A whole number from [least] to [most], as options take it.
struct option_range {
    uint64_t least;
    uint64_t most;
};

// options_number reads all of [text] as a number in [range]. Returns 0, or 1 having said what
// option [name] takes.
int
options_number (const char *name, const char *text, const struct option_range *range,
                uint64_t *number);

// options_seconds reads [text], like 5 or 0.25, as a time of at most a week. Returns as
// options_number.
int
options_seconds (const char *name, const char *text, uint64_t *time_ms);

#endif
