// SPDX-License-Identifier: MPL-2.0
// Goal: command lines of the command baton are read as their help says, and wrong ones refused.
// Method: small tables and lines; what was taken is written down as text and compared.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/options.h"

#include <stdlib.h>
#include <string.h>

static const struct option_rule rules[] = {
    {1, "name", "N", "a name"},
    {2, "json", NULL, "print JSON"},
    {3, "jitter", NULL, "another with j"},
};

static struct option_table
table_with (enum option_rest rest)
{
    return (struct option_table) {
        .command = "baton try", .usage = "[OPTION...]", .purpose = "Try.",
        .rules = rules, .rules_count = 3, .rest = rest,
    };
}

// Everything that was taken, one behind the other.
struct taken { char text[256]; };

static int
take (void *context, int id, const char *value)
{
    struct taken *taken = context;
    size_t used = strlen (taken->text);

    snprintf (taken->text + used, sizeof taken->text - used, "%d=%s;", id, value ? value : "");
    return value && strcmp (value, "bad") == 0;
}

// getopt may move words, so each test has a line of its own; NULL ends it.
static enum options_end
read_line (enum option_rest rest, char **line, struct taken *taken, int *rest_index)
{
    struct option_table table = table_with (rest);
    int count = 0;

    taken->text[0] = '\0';
    while (line[count]) {
        count++;
    }
    return options_read (&table, count, line, take, taken, rest_index);
}

static void
options_are_given_in_their_order (void **state)
{
    (void) state;
    char *line[] = {"try", "--json", "--name", "a", "--name=b", NULL};
    struct taken taken;
    int rest;

    assert_int_equal (read_line (REST_NONE, line, &taken, &rest), OPTIONS_READ);

    assert_string_equal (taken.text, "2=;1=a;1=b;");
    assert_int_equal (rest, 5);
}

static void
words_between_options_are_kept (void **state)
{
    (void) state;
    char *line[] = {"try", "one", "--json", "two", NULL};
    struct taken taken;
    int rest;

    assert_int_equal (read_line (REST_ANYWHERE, line, &taken, &rest), OPTIONS_READ);

    assert_string_equal (taken.text, "2=;");
    assert_string_equal (line[rest], "one");
    assert_string_equal (line[rest + 1], "two");
}

static void
options_of_a_command_are_its_own (void **state)
{
    (void) state;
    char *line[] = {"try", "--json", "--", "ls", "--json", "--name", NULL};
    struct taken taken;
    int rest;

    assert_int_equal (read_line (REST_COMMAND, line, &taken, &rest), OPTIONS_READ);

    assert_string_equal (taken.text, "2=;");
    assert_string_equal (line[rest], "ls");
    assert_string_equal (line[rest + 1], "--json");
}

static void
command_without_dashes_before_it_is_found (void **state)
{
    (void) state;
    char *line[] = {"try", "--json", "ls", "--name", NULL};
    struct taken taken;
    int rest;

    assert_int_equal (read_line (REST_COMMAND, line, &taken, &rest), OPTIONS_READ);

    assert_int_equal (rest, 2);
    assert_string_equal (line[rest + 1], "--name");
}

static void
wrong_lines_are_refused (void **state)
{
    (void) state;
    char *unknown[] = {"try", "--nonsense", NULL};
    char *missing[] = {"try", "--name", NULL};
    char *two[] = {"try", "--j", NULL};
    char *word[] = {"try", "word", NULL};
    char *said[] = {"try", "--name", "bad", NULL};
    char *superfluous[] = {"try", "--json=yes", NULL};
    struct taken taken;
    int rest;

    assert_int_equal (read_line (REST_NONE, unknown, &taken, &rest), OPTIONS_WRONG);
    assert_int_equal (read_line (REST_NONE, missing, &taken, &rest), OPTIONS_WRONG);
    assert_int_equal (read_line (REST_NONE, two, &taken, &rest), OPTIONS_WRONG);
    assert_int_equal (read_line (REST_NONE, word, &taken, &rest), OPTIONS_WRONG);
    assert_int_equal (read_line (REST_NONE, said, &taken, &rest), OPTIONS_WRONG);
    assert_int_equal (read_line (REST_NONE, superfluous, &taken, &rest), OPTIONS_WRONG);
}

static void
help_names_every_option (void **state)
{
    (void) state;
    struct option_table table = table_with (REST_NONE);
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream (&text, &size);
    assert_non_null (file);

    options_help (&table, file);

    fclose (file);
    assert_non_null (strstr (text, "usage: baton try [OPTION...]\n"));
    assert_non_null (strstr (text, "\n  --name N              a name\n"));
    assert_non_null (strstr (text, "\n  --help                show this and end\n"));
    free (text);
}

static void
numbers_are_taken_whole_and_in_range (void **state)
{
    (void) state;
    static const struct option_range range = {1, 256};
    static const char *const wrong[] = {"", "0", "257", "-1", "1x", " 1", "99999999999999999999"};
    uint64_t number = 0;

    assert_int_equal (options_number ("n", "256", &range, &number), 0);
    assert_int_equal (number, 256);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal (options_number ("n", wrong[i], &range, &number), 1);
    }
}

static void
seconds_may_have_fractions (void **state)
{
    (void) state;
    static const char *const wrong[] = {"", "-1", "1s", "nan", "inf", "604801", "."};
    uint64_t time_ms = 0;

    assert_int_equal (options_seconds ("t", "0.25", &time_ms), 0);
    assert_int_equal (time_ms, 250);
    assert_int_equal (options_seconds ("t", "604800", &time_ms), 0);
    assert_int_equal (time_ms, 604800000);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal (options_seconds ("t", wrong[i], &time_ms), 1);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (options_are_given_in_their_order),
        cmocka_unit_test (words_between_options_are_kept),
        cmocka_unit_test (options_of_a_command_are_its_own),
        cmocka_unit_test (command_without_dashes_before_it_is_found),
        cmocka_unit_test (wrong_lines_are_refused),
        cmocka_unit_test (help_names_every_option),
        cmocka_unit_test (numbers_are_taken_whole_and_in_range),
        cmocka_unit_test (seconds_may_have_fractions),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
