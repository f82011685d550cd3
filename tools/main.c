// SPDX-License-Identifier: MPL-2.0
// The command `baton`: finds the verb and gives it the rest of the line.
#include "client/baton.h"
#include "proto/assert.h"
#include "tools/command.h"
#include "tools/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct command {
    const char *verb;
    const char *name;
    const char *purpose;
    enum exit_code (*run) (int argc, char **argv);
};

static const struct command commands[] = {
#define X(verb, purpose) {#verb, "baton " #verb, purpose, command_##verb},
    COMMANDS (X)
#undef X
};
#define COMMANDS_COUNT (sizeof commands / sizeof commands[0])

void
assert_failed (const char *condition, const char *file, int line)
{
    fprintf (stderr, "baton: broken inside: %s (%s:%d); please report this line\n", condition,
             file, line);
    abort ();
}

static void
help (FILE *file)
{
    fputs ("usage: baton VERB [OPTION...]\n\nWork with the broker batond.\n\n", file);
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        fprintf (file, "  %-10s%s\n", commands[i].verb, commands[i].purpose);
    }
    fputs ("\n`baton VERB --help` tells more of each; `baton --version` tells the version.\n",
           file);
}

static enum exit_code
run_word (const char *word)
{
    if (strcmp (word, "--help") == 0 || strcmp (word, "-h") == 0 || strcmp (word, "help") == 0) {
        help (stdout);
        return EXIT_CODE_OK;
    }
    if (strcmp (word, "--version") == 0) {
        printf ("baton %d.%d.%d\n", BATON_VERSION_MAJOR, BATON_VERSION_MINOR,
                BATON_VERSION_PATCH);
        return EXIT_CODE_OK;
    }
    say ("'%s' is no verb of baton; `baton --help` lists them", word);
    return EXIT_CODE_USAGE;
}

// A result that did not reach the disk or the pipe is none.
static enum exit_code
finish (enum exit_code code)
{
    if (fflush (stdout) == 0 && !ferror (stdout)) return code;

    say ("not all of the output could be written");
    return code == EXIT_CODE_OK ? EXIT_CODE_FINDINGS : code;
}

int
main (int argc, char **argv)
{
    if (argc < 2) {
        help (stderr);
        return EXIT_CODE_USAGE;
    }
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        if (strcmp (argv[1], commands[i].verb) == 0) {
            say_name (commands[i].name);
            return (int) finish (commands[i].run (argc - 1, argv + 1));
        }
    }
    return (int) finish (run_word (argv[1]));
}
