// SPDX-License-Identifier: MPL-2.0
// main.c is baton-sim: it runs many worlds in some processes, or one of them told in full, and says
// whether an invariant was broken, how much happened, and how fast it was.
#include "tests/sim/campaign.h"
#include "tests/sim/chart.h"
#include "tests/sim/shrink.h"

#ifdef BATON_MUTANTS
#include "tests/sim/mutant.h"
#endif

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_FOUND = 1, EXIT_USAGE = 2, BUDGET_MS = 300000 };

struct settings {
    struct campaign_options campaign;
    enum { MODE_CAMPAIGN = 1, MODE_ONE = 2, MODE_REPLAY = 3, MODE_SHRINK = 4, MODE_LIST = 5 } mode;
    uint64_t seed;
    uint64_t steps_max;
    const char *file;    // of choices
    const char *keep;    // where to put shrunk choices
    bool verbose;
    bool digest;
};

static const char usage[] =
    "usage: baton-sim --seeds N [--first F] [--jobs J] [--all] [--json] [--quiet]\n"
    "       baton-sim --seed S [--verbose] [--digest] [--steps N] [--shrink] [--keep FILE]\n"
    "       baton-sim --replay FILE [--verbose] [--digest] [--steps N] [--shrink] [--keep FILE]\n"
    "       baton-sim --list-sometimes\n"
    "       baton-sim --list-mutants | --mutant NAME ...\n";

static int
fail_usage (const char *what)
{
    fprintf (stderr, "baton-sim: %s\n%s", what, usage);
    return EXIT_USAGE;
}

static bool
read_number (const char *text, uint64_t *number)
{
    char *end;

    errno = 0;
    *number = text ? strtoull (text, &end, 0) : 0;
    return text && *text && !*end && errno == 0;
}

// Options with a number behind them; false if [name] is none of these or the number is no number.
static bool
take_number (struct settings *settings, const char *name, const char *text)
{
    struct campaign_options *campaign = &settings->campaign;
    uint64_t number;

    if (!read_number (text, &number)) return false;
    if (strcmp (name, "--seeds") == 0) {
        campaign->seeds_count = number;
        settings->mode = MODE_CAMPAIGN;
    } else if (strcmp (name, "--first") == 0) {
        campaign->first_seed = number;
    } else if (strcmp (name, "--jobs") == 0) {
        campaign->jobs_count = (uint32_t) number;
    } else if (strcmp (name, "--steps") == 0) {
        settings->steps_max = number;
    } else if (strcmp (name, "--seed") == 0) {
        settings->seed = number;
        settings->mode = MODE_ONE;
    } else {
        return false;
    }
    return true;
}

static bool
take_word (struct settings *settings, const char *name)
{
    if (strcmp (name, "--all") == 0) {
        settings->campaign.extent = CAMPAIGN_ALL;
    } else if (strcmp (name, "--json") == 0) {
        settings->campaign.form = CAMPAIGN_JSON;
    } else if (strcmp (name, "--quiet") == 0) {
        settings->campaign.progress = CAMPAIGN_SILENT;
    } else if (strcmp (name, "--verbose") == 0) {
        settings->verbose = true;
    } else if (strcmp (name, "--digest") == 0) {
        settings->digest = true;
    } else if (strcmp (name, "--shrink") == 0) {
        settings->mode = MODE_SHRINK;
    } else if (strcmp (name, "--list-sometimes") == 0) {
        settings->mode = MODE_LIST;
    } else {
        return false;
    }
    return true;
}

#ifdef BATON_MUTANTS
static bool
take_mutant (const char *name)
{
    return mutant_choose (name);
}
#endif

static bool
take_text (struct settings *settings, const char *name, const char *text)
{
    if (!text) return false;
#ifdef BATON_MUTANTS
    if (strcmp (name, "--mutant") == 0) return take_mutant (text);
#endif
    if (strcmp (name, "--replay") == 0) {
        settings->file = text;
        settings->mode = settings->mode == MODE_SHRINK ? MODE_SHRINK : MODE_REPLAY;
    } else if (strcmp (name, "--keep") == 0) {
        settings->keep = text;
    } else {
        return false;
    }
    return true;
}

static bool
take_options (struct settings *settings, int count, char **words)
{
    for (int i = 1; i < count; i++) {
        if (take_word (settings, words[i])) continue;
        const char *next = i + 1 < count ? words[i + 1] : NULL;
        const bool shrinks = settings->mode == MODE_SHRINK;
        if (!take_number (settings, words[i], next) && !take_text (settings, words[i], next)) {
            return false;
        }
        if (shrinks) {
            settings->mode = MODE_SHRINK;
        }
        i++;
    }
    return true;
}

static struct choices *
load_choices (const struct settings *settings)
{
    size_t line = 0;

    if (!settings->file) return choices_new (settings->seed);
    FILE *file = fopen (settings->file, "r");
    if (!file) {
        fprintf (stderr, "baton-sim: %s: %s\n", settings->file, strerror (errno));
        return NULL;
    }
    struct choices *choices = choices_load (file, &line);
    fclose (file);
    if (!choices) {
        fprintf (stderr, "baton-sim: %s: line %zu is not \"stream max value label\"\n",
                 settings->file, line);
    }
    return choices;
}

static void
print_verdict (const struct settings *settings, const struct sim_result *result)
{
    char name[64];

    snprintf (name, sizeof name, "seed %" PRIu64, settings->seed);
    campaign_print_result (stdout, settings->file ? settings->file : name, result);
    if (settings->digest) {
        printf ("digest %016" PRIx64 "\n", result->digest);
    }
}

static int
run_one (const struct settings *settings)
{
    struct choices *choices = load_choices (settings);
    FILE *events = settings->verbose ? tmpfile () : NULL;
    const struct sim_options options = { settings->steps_max, events };
    struct sim_result result;

    if (!choices) return EXIT_USAGE;
    const enum sim_verdict verdict = sim_run (choices, &options, &result);
    if (events) {
        rewind (events);
        chart_draw (events, stdout);
        fclose (events);
    }
    print_verdict (settings, &result);
    choices_free (&choices);
    return verdict == SIM_PASSED ? EXIT_SUCCESS : EXIT_FOUND;
}

static int
keep_shrunk (const char *path, const struct shrunk *shrunk)
{
    FILE *file = fopen (path, "w");

    if (!file) {
        fprintf (stderr, "baton-sim: %s: %s\n", path, strerror (errno));
        return EXIT_USAGE;
    }
    fprintf (file, "# %s: %s\n", invariant_name (shrunk->result.invariant),
             shrunk->result.facts);
    const bool saved = choices_save (file, shrunk->list, shrunk->count);
    return fclose (file) == 0 && saved ? EXIT_FOUND : EXIT_USAGE;
}

static void
show_shrunk (const struct shrunk *shrunk)
{
    FILE *events = tmpfile ();
    const struct sim_options options = { 0, events };
    struct sim_result result;
    struct choices *choices = choices_new_list (shrunk->list, shrunk->count);

    (void) sim_run (choices, &options, &result);
    rewind (events);
    chart_draw (events, stdout);
    fclose (events);
    choices_free (&choices);
}

static int
run_shrink (const struct settings *settings)
{
    struct choices *choices = load_choices (settings);
    const struct sim_options options = { 0, NULL };
    const struct shrink_options shrink_options = { BUDGET_MS, stderr };
    struct sim_result result;
    struct shrunk shrunk;
    size_t count = 0;

    if (!choices) return EXIT_USAGE;
    if (sim_run (choices, &options, &result) == SIM_PASSED) {
        print_verdict (settings, &result);
        choices_free (&choices);
        return EXIT_SUCCESS;
    }
    const struct choice *list = choices_view (choices, &count);
    if (!shrink (list, count, &shrink_options, &shrunk)) return EXIT_SUCCESS;
    show_shrunk (&shrunk);
    print_verdict (settings, &shrunk.result);
    printf ("%zu steps, %zu choices that are not the mildest, found in %" PRIu64 " runs\n",
            (size_t) shrunk.result.step, shrink_nonzero_count (shrunk.list, shrunk.count),
            shrunk.runs_count);
    const int code = settings->keep ? keep_shrunk (settings->keep, &shrunk) : EXIT_FOUND;
    shrunk_fini (&shrunk);
    choices_free (&choices);
    return code;
}

static int
list_sometimes (void)
{
    for (uint32_t i = 0; i < SOMETIMES_COUNT; i++) {
        printf ("%s\n", sometimes_text (i));
    }
    return EXIT_SUCCESS;
}

// What is left out for a mutant is compiled into the second program alone, beside this one.
static int
hand_on_mutants (char **words)
{
#ifdef BATON_MUTANTS
    (void) words;
    mutant_print (stdout);
    return EXIT_SUCCESS;
#else
    char path[4096];

    snprintf (path, sizeof path, "%s-mutants", words[0]);
    execv (path, words);
    fprintf (stderr, "baton-sim: %s: %s\n", path, strerror (errno));
    return EXIT_USAGE;
#endif
}

static bool
wants_mutants (int count, char **words)
{
    for (int i = 1; i < count; i++) {
#ifndef BATON_MUTANTS
        if (strcmp (words[i], "--mutant") == 0) return true;
#endif
        if (strcmp (words[i], "--list-mutants") == 0) return true;
    }
    return false;
}

int
main (int count, char **words)
{
    struct settings settings = {
        .campaign = {
            .first_seed = 1,
            .jobs_count = (uint32_t) sysconf (_SC_NPROCESSORS_ONLN),
            .extent = CAMPAIGN_TO_FIRST,
            .form = CAMPAIGN_TEXT,
            .progress = isatty (STDERR_FILENO) ? CAMPAIGN_TOLD : CAMPAIGN_SILENT,
        },
    };

    if (wants_mutants (count, words)) return hand_on_mutants (words);
    if (!take_options (&settings, count, words)) return fail_usage ("an option is not known");
    switch (settings.mode) {
    case MODE_CAMPAIGN: return campaign_run (&settings.campaign);
    case MODE_ONE:
    case MODE_REPLAY: return run_one (&settings);
    case MODE_SHRINK: return run_shrink (&settings);
    case MODE_LIST: return list_sometimes ();
    }
    return fail_usage ("say --seeds or --seed");
}
