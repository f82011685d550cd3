// SPDX-License-Identifier: MPL-2.0
// choice.h is where all chance of the simulator comes from. Every random decision is a choice: a
// number below a limit, recorded with its place. A run is a function of its choices alone, so a
// run can be repeated, made smaller and kept as a file. Nothing in tests/sim may draw elsewhere.
//
// Choices are drawn from streams, one for each kind of fault and each process: a choice that is
// taken out of one stream does not shift the others. 0 is the mildest choice everywhere: no fault,
// the smallest, the soonest; so a choice set to 0 makes a run simpler.
//
// A stream continues by its list, then by its generator if it has one, then with 0.
#ifndef BATON_TESTS_CHOICE_H
#define BATON_TESTS_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// What a stream is for. Processes have a row of streams each: CHOICE_PROCESS + number.
enum choice_stream {
    CHOICE_PLAN = 0,    // what the world is like: counts, limits, which faults at which rate
    CHOICE_DELAY = 1,   // how long frames take
    CHOICE_DROP = 2,    // connections that drop
    CHOICE_CUT = 3,     // one-way cuts and stalls of the network
    CHOICE_TWICE = 4,   // frames that come again
    CHOICE_DAMAGE = 5,  // bytes that change, ends that lie
    CHOICE_DISK = 6,    // full, slow, sync errors, rot
    CHOICE_POWER = 7,   // crashes of the broker: when, and how much of a disk survives
    CHOICE_DEATH = 8,   // crashes, stalls and zombies of ends
    CHOICE_BROKER = 9,  // fresh ids, pace of the broker
    CHOICE_MEMORY = 10, // allocations that fail
    CHOICE_PROCESS = 16,
};
#define CHOICE_STREAMS_COUNT 64u

struct choice {
    const char *label; // static or owned by the choices; a short word for people
    uint32_t stream;
    uint32_t max;      // of a list that was edited by hand: 0, not checked
    uint32_t value;    // below [max]
};

struct choices;

// choices_new makes choices whose streams are generated from [seed].
struct choices *
choices_new (uint64_t seed);

// choices_new_list makes choices that follow [list], which is copied: the values of each stream in
// the order in which they stand there, and 0 from then on.
struct choices *
choices_new_list (const struct choice *list, size_t count);

void
choices_free (struct choices **choices);

// choice_draw returns the next number of [stream], 0 to [max] - 1, and records it. A listed value
// that is too large is taken modulo [max]. [max] is at least 1; with 1 nothing is recorded.
uint32_t
choice_draw (struct choices *choices, uint32_t stream, const char *label, uint32_t max);

// choice_chance returns true [per_mille] times in a thousand, and records 0 or 1. At 0 it returns
// false and at 1000 true, and nothing is recorded.
bool
choice_chance (struct choices *choices, uint32_t stream, const char *label, uint32_t per_mille);

// choice_number returns 64 bits that are a function of the stream and of how often it was called:
// for ids and bodies, whose value nothing depends on. It is not recorded.
uint64_t
choice_number (struct choices *choices, uint32_t stream);

// choices_view shows what was drawn so far, in order; it holds until the next draw.
const struct choice *
choices_view (const struct choices *choices, size_t *count);

// choices_save writes [list] as text: one line "stream max value label" each. False: I/O error.
bool
choices_save (FILE *file, const struct choice *list, size_t count);

// choices_load reads such lines up to the end of [file]; lines that begin with '#' are skipped.
// NULL with [line] set to the line that cannot be read.
struct choices *
choices_load (FILE *file, size_t *line);

#endif
