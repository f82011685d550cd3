// SPDX-License-Identifier: MPL-2.0
// table.h lays text out in aligned columns for people. It knows cells and widths, no meaning.
// Widths count characters (UTF-8), not bytes; control characters are shown as '?', since names
// come from strangers and a terminal obeys them.
#ifndef BATON_TOOLS_TABLE_H
#define BATON_TOOLS_TABLE_H

#include "proto/errors.h"

#include <stddef.h>
#include <stdio.h>

enum table_align { ALIGN_LEFT = 1, ALIGN_RIGHT = 2 };

struct table_column {
    char *title;
    enum table_align align;
};

// Cells lie row after row, columns_count in each; NULL is an empty one. All texts are the table's.
struct table {
    struct table_column *columns;
    size_t columns_count;
    char **cells;
    size_t rows_count;
};

// table_init starts a table without columns.
void
table_init (struct table *table);

void
table_fini (struct table *table);

// table_add_column adds a column behind the others; only before the first row. BATON_NO_MEMORY.
enum baton_err
table_add_column (struct table *table, const char *title, enum table_align align);

// table_add_row adds a row of empty cells. BATON_NO_MEMORY.
enum baton_err
table_add_row (struct table *table);

// table_set puts a copy of [text] into the newest row's cell in column [column_index].
// BATON_NO_MEMORY.
enum baton_err
table_set (struct table *table, size_t column_index, const char *text);

// Titles are for tables of many columns; a list of names and values speaks for itself.
enum table_head { HEAD_SHOWN = 1, HEAD_HIDDEN = 2 };

// table_print writes the table, two blanks between columns, no blank at line ends. Columns without
// any text are left out, and a column is as wide as its widest text.
void
table_print (const struct table *table, enum table_head head, FILE *file);

#endif
