// SPDX-License-Identifier: MPL-2.0
// sim.h runs one world from its choices to its end and says whether an invariant was broken. The
// same choices give the same run, step for step, and the same digest.
//
// A run has a safety phase with faults; then the world heals, and everything has to be finished in
// a bounded virtual time (liveness).
#ifndef BATON_TESTS_SIM_H
#define BATON_TESTS_SIM_H

#include "tests/sim/choice.h"
#include "tests/sim/invariant.h"
#include "tests/sim/sometimes.h"

enum { SIM_FACTS_BYTES = 1000 };

enum sim_verdict {
    SIM_PASSED = 1,
    SIM_VIOLATED = 2,
};

struct sim_options {
    // The run is cut, as passed, after this many steps; 0: never. A violation at step n comes again
    // with n here.
    uint64_t steps_max;
    // Events are told here, one line each; NULL: nowhere.
    FILE *chart;
};

struct sim_counts {
    uint64_t steps;       // events of the world: frames taken, timers, calls of programs, faults
    uint64_t commits;     // accepted by the broker
    uint64_t requests;
    uint64_t responses;
    uint64_t crashes;     // of all processes
    uint64_t broker_crashes;
    uint64_t reopenings;  // sessions opened again by another process
    uint64_t virtual_ms;
    uint64_t sometimes[SOMETIMES_COUNT];
};

struct sim_result {
    enum sim_verdict verdict;
    enum invariant invariant;      // if VIOLATED
    uint64_t step;                 // at which it was
    uint64_t digest;               // of the whole run
    char facts[SIM_FACTS_BYTES];   // what was found, for people; "" if PASSED
    struct sim_counts counts;
};

// sim_run makes a world from [choices] and runs it to the end.
//
// After a violation what the world held is not freed (an assertion may have left it anywhere): who
// runs many failing worlds does it in processes of their own.
enum sim_verdict
sim_run (struct choices *choices, const struct sim_options *options, struct sim_result *result);

// sim_violated ends the run that is under way with a violation; for the parts of the simulator. It
// does not return. [format] as printf.
_Noreturn void
sim_violated (enum invariant invariant, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

// sim_counts_add adds one run's figures to the sum of many.
void
sim_counts_add (struct sim_counts *sum, const struct sim_counts *counts);

#endif
