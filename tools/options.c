// SPDX-License-Identifier: MPL-2.0
#include "tools/options.h"

#include "proto/assert.h"
#include "tools/say.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX 24
#define HELP_ID 1000
#define HELP_COLUMN 24
#define WEEK_S (7 * 24 * 3600)

static void
make_long_options (const struct option_table *table, struct option *options)
{
    ASSERT (table->rules_count <= RULES_MAX);
    memset (options, 0, sizeof *options * (RULES_MAX + 2));
    for (size_t i = 0; i < table->rules_count; i++) {
        options[i].name = table->rules[i].name;
        options[i].has_arg = table->rules[i].argument ? required_argument : no_argument;
        options[i].val = table->rules[i].id;
    }
    options[table->rules_count].name = "help";
    options[table->rules_count].val = HELP_ID;
}

static const struct option_rule *
rule_of (const struct option_table *table, int id)
{
    for (size_t i = 0; i < table->rules_count; i++) {
        if (table->rules[i].id == id) return &table->rules[i];
    }
    return NULL;
}

static enum options_end
say_missing_argument (const struct option_table *table, int id)
{
    const struct option_rule *rule = rule_of (table, id);

    if (rule) {
        say ("--%s needs a value: --%s %s", rule->name, rule->name, rule->argument);
    }
    return OPTIONS_WRONG;
}

static enum options_end
say_unknown (const struct option_table *table, const char *word)
{
    say ("%s is no option here, or stands for several; see %s --help", word, table->command);
    return OPTIONS_WRONG;
}

static enum options_end
check_rest (const struct option_table *table, int argc, char **argv, int at)
{
    if (table->rest != REST_NONE || at >= argc) return OPTIONS_READ;

    say ("nothing is known to be done with '%s'; see %s --help", argv[at], table->command);
    return OPTIONS_WRONG;
}

enum options_end
options_read (const struct option_table *table, int argc, char **argv, option_fn *take,
              void *context, int *rest_index)
{
    struct option options[RULES_MAX + 2];
    make_long_options (table, options);
    // Sorting words behind options would pull a command's own options to us.
    const char *letters = table->rest == REST_COMMAND ? "+:h" : ":h";

    // 0 starts anew and reads the leading '+'; our words replace those of getopt.
    optind = 0;
    opterr = 0;
    for (;;) {
        int id = getopt_long (argc, argv, letters, options, NULL);
        if (id == -1) break;
        if (id == ':') return say_missing_argument (table, optopt);
        if (id == '?') return say_unknown (table, argv[optind - 1]);
        if (id == HELP_ID || id == 'h') {
            options_help (table, stdout);
            return OPTIONS_HELPED;
        }
        if (take (context, id, optarg) != 0) return OPTIONS_WRONG;
    }
    *rest_index = optind;
    return check_rest (table, argc, argv, optind);
}

// The help of one option: its name in the left column, its sentence in the right one.
static void
print_rule (const struct option_rule *rule, FILE *file)
{
    int width = fprintf (file, "  --%s%s%s", rule->name, rule->argument ? " " : "",
                         rule->argument ? rule->argument : "");
    const char *line = rule->help;

    if (width > HELP_COLUMN - 2) {
        fputc ('\n', file);
        width = 0;
    }
    while (line) {
        const char *end = strchr (line, '\n');
        int size = (int) (end ? (size_t) (end - line) : strlen (line));
        fprintf (file, "%*s%.*s\n", HELP_COLUMN - width, "", size, line);
        width = 0;
        line = end ? end + 1 : NULL;
    }
}

void
options_help (const struct option_table *table, FILE *file)
{
    static const struct option_rule help = {HELP_ID, "help", NULL, "show this and end"};

    fprintf (file, "usage: %s %s\n\n%s\n\n", table->command, table->usage, table->purpose);
    for (size_t i = 0; i < table->rules_count; i++) {
        print_rule (&table->rules[i], file);
    }
    print_rule (&help, file);
    if (table->notes) {
        fprintf (file, "\n%s\n", table->notes);
    }
}

int
options_number (const char *name, const char *text, const struct option_range *range,
                uint64_t *number)
{
    char *end = NULL;

    errno = 0;
    // strtoull would take "-1" for a very large number.
    uint64_t n = strspn (text, "0123456789") > 0 ? strtoull (text, &end, 10) : 0;
    if (!end || *end != '\0' || errno != 0 || n < range->least || n > range->most) {
        say ("--%s takes a whole number from %" PRIu64 " to %" PRIu64 ", not '%s'", name,
             range->least, range->most, text);
        return 1;
    }
    *number = n;
    return 0;
}

int
options_seconds (const char *name, const char *text, uint64_t *time_ms)
{
    char *end = NULL;
    double seconds = strspn (text, "0123456789.") > 0 ? strtod (text, &end) : -1;

    if (!end || *end != '\0' || !(seconds >= 0 && seconds <= WEEK_S)) {
        say ("--%s takes seconds, like 5 or 0.25, at most %d, not '%s'", name, WEEK_S, text);
        return 1;
    }
    *time_ms = (uint64_t) (seconds * 1000 + 0.5);
    return 0;
}
