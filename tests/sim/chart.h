// SPDX-License-Identifier: MPL-2.0
// chart.h draws what a run told of itself as a sequence chart: one row for each event, one column
// for each process, time downwards, in words for people who do not know the code. It must never
// look into the world itself.
//
// A told event is one line of five fields with tabs between them:
//   step, virtual milliseconds, where, to whom, text
// To whom is empty for a happening at one place. Text that begins with '~' is of no interest and is
// left out; text that ends in "LOST" never arrived.
#ifndef BATON_TESTS_CHART_H
#define BATON_TESTS_CHART_H

#include <stddef.h>
#include <stdio.h>

// chart_draw reads events up to the end of [events] and draws them to [out], with an explanation
// of the messages among them. Returns the number of rows.
size_t
chart_draw (FILE *events, FILE *out);

// chart_count returns how many rows chart_draw would draw.
size_t
chart_count (FILE *events);

#endif
