// SPDX-License-Identifier: MPL-2.0
#include "tests/sim/sim.h"

#include "proto/assert.h"
#include "tests/sim/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

// The run that is under way in this process; assertions of production end it.
static struct {
    jmp_buf end;
    struct sim_result *result;
    struct world *world;
} run;

const char *
invariant_name (enum invariant invariant)
{
    switch (invariant) {
#define X(name, number, text) case INVARIANT_##name: return #name;
        INVARIANTS (X)
#undef X
    }
    return "?";
}

const char *
invariant_text (enum invariant invariant)
{
    switch (invariant) {
#define X(name, number, text) case INVARIANT_##name: return text;
        INVARIANTS (X)
#undef X
    }
    return "?";
}

const char *
sometimes_text (enum sometimes which)
{
    static const char *const texts[] = {
#define X(name, text) text,
        SOMETIMES (X)
#undef X
    };

    return texts[which];
}

void
sim_violated (enum invariant invariant, const char *format, ...)
{
    va_list arguments;
    struct sim_result *result = run.result;

    if (!result) abort ();
    result->verdict = SIM_VIOLATED;
    result->invariant = invariant;
    va_start (arguments, format);
    vsnprintf (result->facts, sizeof result->facts, format, arguments);
    va_end (arguments);
    longjmp (run.end, 1);
}

void
assert_failed (const char *condition, const char *file, int line)
{
    if (!run.result) {
        fprintf (stderr, "%s:%d: %s\n", file, line, condition);
        abort ();
    }
    sim_violated (INVARIANT_ASSERTION, "%s:%d: %s", file, line, condition);
}

static void
take_figures (struct sim_result *result, const struct world *world)
{
    result->counts = world->counts;
    result->step = world->counts.steps;
    result->digest = world->digest;
}

enum sim_verdict
sim_run (struct choices *choices, const struct sim_options *options, struct sim_result *result)
{
    memset (result, 0, sizeof *result);
    result->verdict = SIM_PASSED;
    run.result = result;
    run.world = NULL;
    if (setjmp (run.end) == 0) {
        run.world = world_new (choices, options);
        world_run (run.world);
        struct world *world = run.world;
        take_figures (result, world);
        world_free (&world);
        run.world = NULL;
    }
    if (run.world) {
        take_figures (result, run.world);
    }
    run.result = NULL;
    return result->verdict;
}

void
sim_counts_add (struct sim_counts *sum, const struct sim_counts *counts)
{
    sum->steps += counts->steps;
    sum->commits += counts->commits;
    sum->requests += counts->requests;
    sum->responses += counts->responses;
    sum->crashes += counts->crashes;
    sum->broker_crashes += counts->broker_crashes;
    sum->reopenings += counts->reopenings;
    sum->virtual_ms += counts->virtual_ms;
    for (uint32_t i = 0; i < SOMETIMES_COUNT; i++) {
        sum->sometimes[i] += counts->sometimes[i];
    }
}
