// SPDX-License-Identifier: MPL-2.0
// show.h prints what a broker told: as a table or a list for people, as JSON for programs. Rows are
// JSON objects from the beginning, so that both say the same; which cells there are is the
// broker's business, and their names carry the units.
#ifndef BATON_TOOLS_SHOW_H
#define BATON_TOOLS_SHOW_H

#include "proto/errors.h"

#include <jansson.h>
#include <stdio.h>

// show_pick makes a new row of those cells of [row] that [names] lists, up to a NULL, in that
// order; cells that the row lacks are left out. NULL without memory.
json_t *
show_pick (const json_t *row, const char *const *names);

// show_pick_rows makes a new array of such rows; NULL without memory.
json_t *
show_pick_rows (const json_t *rows, const char *const *names);

// show_table prints [rows], an array of objects, one line each under the names of their cells.
// BATON_NO_MEMORY.
enum baton_err
show_table (const json_t *rows, FILE *file);

// show_list prints the object [row], one line for each cell that has a text. Nothing is changed;
// jansson walks over variable objects only. BATON_NO_MEMORY.
enum baton_err
show_list (json_t *row, FILE *file);

// How JSON is laid out: for reading, or one value a line for pipes.
enum show_layout { SHOW_PRETTY = 1, SHOW_LINE = 2 };

// show_json prints [value] and a line end. BATON_NO_MEMORY.
enum baton_err
show_json (const json_t *value, enum show_layout layout, FILE *file);

#endif
