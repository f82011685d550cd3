// SPDX-License-Identifier: MPL-2.0
// For MAP_ANONYMOUS.
#define _DEFAULT_SOURCE
#include "tests/sim/campaign.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    JOBS_MAX = 64,
    SEEDS_PER_PROCESS = 50,
    // A run that takes longer than this does not end.
    RUN_SECONDS_MAX = 120,
};

// What one process and its parent share.
struct desk {
    uint64_t seed;        // that runs now
    uint64_t end_seed;    // the first one that another process runs
    uint64_t seeds_count; // done
    uint64_t violations_count;
    struct sim_counts counts;
    uint64_t failed_seed; // the lowest one
    struct sim_result failure;
};

struct campaign {
    const struct campaign_options *options;
    struct desk *desks; // one for each job
    pid_t children[JOBS_MAX];
    uint32_t running_count;
    uint64_t given_count; // seeds handed out
    bool stops;
    uint64_t began_ns;
    uint64_t told_ns;
};

static uint64_t
now_ns (void)
{
    struct timespec now;

    clock_gettime (CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
}

static void
note_failure (struct desk *desk, uint64_t seed, const struct sim_result *result)
{
    desk->violations_count++;
    if (desk->violations_count > 1 && desk->failed_seed < seed) return;
    desk->failed_seed = seed;
    desk->failure = *result;
}

// Where all seeds are run, each violation is told as it comes.
static void
tell_failure (const struct campaign *campaign, uint64_t seed, const struct sim_result *result)
{
    char name[32];

    if (campaign->options->extent != CAMPAIGN_ALL) return;
    if (campaign->options->form == CAMPAIGN_JSON) return;
    snprintf (name, sizeof name, "seed %" PRIu64, seed);
    campaign_print_result (stdout, name, result);
    fflush (stdout);
}

static void
run_seed (const struct campaign *campaign, struct desk *desk, uint64_t seed)
{
    const struct sim_options options = { 0, NULL };
    struct choices *choices = choices_new (seed);
    struct sim_result result;

    desk->seed = seed;
    alarm (RUN_SECONDS_MAX);
    if (sim_run (choices, &options, &result) == SIM_VIOLATED) {
        note_failure (desk, seed, &result);
        tell_failure (campaign, seed, &result);
    }
    alarm (0);
    sim_counts_add (&desk->counts, &result.counts);
    desk->seeds_count++;
    choices_free (&choices);
}

static void
run_chunk (const struct campaign *campaign, struct desk *desk, uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        run_seed (campaign, desk, first + i);
        if (desk->violations_count > 0 && campaign->options->extent == CAMPAIGN_TO_FIRST) break;
    }
    fflush (NULL);
    _exit (0);
}

// Gives [desk] its next seeds: what is left of those it had, or new ones.
static uint64_t
next_seed (struct campaign *campaign, struct desk *desk)
{
    const struct campaign_options *options = campaign->options;
    uint64_t count = options->seeds_count - campaign->given_count;

    if (desk->seed + 1 < desk->end_seed) return desk->seed + 1;
    if (count > SEEDS_PER_PROCESS) {
        count = SEEDS_PER_PROCESS;
    }
    const uint64_t first = options->first_seed + campaign->given_count;
    campaign->given_count += count;
    desk->end_seed = first + count;
    return first;
}

static void
start_child (struct campaign *campaign, uint32_t job)
{
    struct desk *desk = &campaign->desks[job];
    const uint64_t first = next_seed (campaign, desk);

    if (first == desk->end_seed || campaign->stops) return;
    fflush (NULL);
    const pid_t child = fork ();
    if (child == 0) {
        run_chunk (campaign, desk, first, desk->end_seed - first);
    }
    if (child < 0) {
        perror ("baton-sim: fork");
        exit (2);
    }
    campaign->children[job] = child;
    campaign->running_count++;
}

// A process that did not end by itself names its seed too.
static void
look_at_end (struct campaign *campaign, struct desk *desk, int status)
{
    struct sim_result result = { .verdict = SIM_VIOLATED, .invariant = INVARIANT_ASSERTION };

    if (!WIFEXITED (status) || WEXITSTATUS (status) != 0) {
        snprintf (result.facts, sizeof result.facts, WIFSIGNALED (status)
                  && WTERMSIG (status) == SIGALRM ? "the run does not end" : "the run crashed");
        desk->seeds_count++;
        note_failure (desk, desk->seed, &result);
        tell_failure (campaign, desk->seed, &result);
    }
    if (desk->violations_count > 0 && campaign->options->extent == CAMPAIGN_TO_FIRST) {
        campaign->stops = true;
    }
}

static void
await_child (struct campaign *campaign)
{
    int status = 0;
    const pid_t child = wait (&status);

    for (uint32_t i = 0; i < campaign->options->jobs_count; i++) {
        if (campaign->children[i] != child) continue;
        campaign->children[i] = 0;
        campaign->running_count--;
        look_at_end (campaign, &campaign->desks[i], status);
        start_child (campaign, i);
        return;
    }
}

static struct desk
sum_up (const struct campaign *campaign)
{
    struct desk sum = { .failed_seed = UINT64_MAX };

    for (uint32_t i = 0; i < campaign->options->jobs_count; i++) {
        const struct desk *desk = &campaign->desks[i];
        sum.seeds_count += desk->seeds_count;
        sum.violations_count += desk->violations_count;
        sim_counts_add (&sum.counts, &desk->counts);
        if (desk->violations_count > 0 && desk->failed_seed < sum.failed_seed) {
            sum.failed_seed = desk->failed_seed;
            sum.failure = desk->failure;
        }
    }
    return sum;
}

static void
tell_progress (struct campaign *campaign)
{
    const uint64_t now = now_ns ();

    if (campaign->options->progress != CAMPAIGN_TOLD || now - campaign->told_ns < 500000000u) {
        return;
    }
    campaign->told_ns = now;
    const struct desk sum = sum_up (campaign);
    fprintf (stderr, "\r%" PRIu64 " of %" PRIu64 " seeds, %" PRIu64 " violations ",
             sum.seeds_count, campaign->options->seeds_count, sum.violations_count);
}

void
campaign_print_result (FILE *out, const char *name, const struct sim_result *result)
{
    if (result->verdict == SIM_PASSED) {
        fprintf (out, "%s: passed, %" PRIu64 " steps\n", name, result->counts.steps);
        return;
    }
    fprintf (out, "%s: violates invariant %d %s (%s) at step %" PRIu64 ":\n    %s\n", name,
             (int) result->invariant, invariant_name (result->invariant),
             invariant_text (result->invariant), result->step, result->facts);
}

static double
mean (uint64_t sum, uint64_t count)
{
    return count ? (double) sum / (double) count : 0;
}

struct figure { const char *name; double value; };
enum { FIGURES_COUNT = 8 };

static void
fill_figures (const struct campaign *campaign, const struct desk *sum,
              struct figure figures[FIGURES_COUNT])
{
    const double hours = (double) (now_ns () - campaign->began_ns) / 3.6e12
        * (double) campaign->options->jobs_count;
    const uint64_t seeds = sum->seeds_count;
    const struct sim_counts *counts = &sum->counts;
    const struct figure all[FIGURES_COUNT] = {
        { "steps per seed", mean (counts->steps, seeds) },
        { "commits per seed", mean (counts->commits, seeds) },
        { "crashes per seed", mean (counts->crashes, seeds) },
        { "broker crashes per seed", mean (counts->broker_crashes, seeds) },
        { "reopenings per seed", mean (counts->reopenings, seeds) },
        { "virtual seconds per seed", mean (counts->virtual_ms, seeds) / 1000 },
        { "seeds per core-hour", hours > 0 ? (double) seeds / hours : 0 },
        { "seconds", hours * 3600 / (double) campaign->options->jobs_count },
    };

    memcpy (figures, all, sizeof all);
}

static void
print_text (const struct campaign *campaign, const struct desk *sum)
{
    struct figure figures[FIGURES_COUNT];
    char name[64];

    fill_figures (campaign, sum, figures);
    for (uint32_t i = 0; i < SOMETIMES_COUNT; i++) {
        printf ("sometimes %-38s %12" PRIu64 "%s\n", sometimes_text (i),
                sum->counts.sometimes[i], sum->counts.sometimes[i] ? "" : "  never");
    }
    for (uint32_t i = 0; i < FIGURES_COUNT; i++) {
        printf ("%-48s %12.1f\n", figures[i].name, figures[i].value);
    }
    if (sum->violations_count > 0 && campaign->options->extent == CAMPAIGN_TO_FIRST) {
        snprintf (name, sizeof name, "seed %" PRIu64, sum->failed_seed);
        campaign_print_result (stdout, name, &sum->failure);
    }
    printf ("%" PRIu64 " seeds, %" PRIu64 " violations\n", sum->seeds_count,
            sum->violations_count);
}

static void
print_json_text (const char *text)
{
    putchar ('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            putchar ('\\');
        }
        putchar ((unsigned char) *text < ' ' ? ' ' : *text);
    }
    putchar ('"');
}

static void
print_json (const struct campaign *campaign, const struct desk *sum)
{
    struct figure figures[FIGURES_COUNT];

    fill_figures (campaign, sum, figures);
    printf ("{\"seeds\": %" PRIu64 ", \"first\": %" PRIu64 ", \"violations\": %" PRIu64,
            sum->seeds_count, campaign->options->first_seed, sum->violations_count);
    for (uint32_t i = 0; i < FIGURES_COUNT; i++) {
        printf (", \"%s\": %.1f", figures[i].name, figures[i].value);
    }
    printf (", \"sometimes\": {");
    for (uint32_t i = 0; i < SOMETIMES_COUNT; i++) {
        printf ("%s\"%s\": %" PRIu64, i ? ", " : "", sometimes_text (i),
                sum->counts.sometimes[i]);
    }
    printf ("}");
    if (sum->violations_count > 0) {
        printf (", \"seed\": %" PRIu64 ", \"invariant\": \"%s\", \"facts\": ", sum->failed_seed,
                invariant_name (sum->failure.invariant));
        print_json_text (sum->failure.facts);
    }
    printf ("}\n");
}

static struct desk *
share_desks (uint32_t count)
{
    struct desk *desks = mmap (NULL, count * sizeof *desks, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (desks == MAP_FAILED) {
        perror ("baton-sim: mmap");
        exit (2);
    }
    return desks;
}

int
campaign_run (const struct campaign_options *given)
{
    struct campaign_options options = *given;
    struct campaign campaign = { .options = &options, .began_ns = now_ns () };

    if (options.jobs_count == 0 || options.jobs_count > JOBS_MAX) {
        options.jobs_count = options.jobs_count ? JOBS_MAX : 1;
    }
    campaign.desks = share_desks (options.jobs_count);
    for (uint32_t i = 0; i < options.jobs_count; i++) {
        start_child (&campaign, i);
    }
    while (campaign.running_count > 0) {
        await_child (&campaign);
        tell_progress (&campaign);
    }
    if (options.progress == CAMPAIGN_TOLD) {
        fprintf (stderr, "\r%60s\r", "");
    }
    const struct desk sum = sum_up (&campaign);
    if (options.form == CAMPAIGN_JSON) {
        print_json (&campaign, &sum);
    } else {
        print_text (&campaign, &sum);
    }
    munmap (campaign.desks, options.jobs_count * sizeof *campaign.desks);
    return sum.violations_count > 0 ? 1 : 0;
}
