// SPDX-License-Identifier: MPL-2.0
#include "tools/table.h"

#include "proto/assert.h"

#include <stdlib.h>
#include <string.h>

void
table_init (struct table *table)
{
    memset (table, 0, sizeof *table);
}

void
table_fini (struct table *table)
{
    for (size_t i = 0; i < table->columns_count; i++) {
        free (table->columns[i].title);
    }
    for (size_t i = 0; i < table->rows_count * table->columns_count; i++) {
        free (table->cells[i]);
    }
    free (table->columns);
    free (table->cells);
    table_init (table);
}

static char *
copy_clean (const char *text)
{
    char *copy = strdup (text);

    for (char *c = copy; c && *c; c++) {
        if ((unsigned char) *c < ' ' || *c == 0x7f) {
            *c = '?';
        }
    }
    return copy;
}

enum baton_err
table_add_column (struct table *table, const char *title, enum table_align align)
{
    ASSERT (table->rows_count == 0);
    struct table_column *columns =
        realloc (table->columns, (table->columns_count + 1) * sizeof *columns);
    if (!columns) return BATON_NO_MEMORY;
    table->columns = columns;

    char *copy = copy_clean (title);
    if (!copy) return BATON_NO_MEMORY;
    columns[table->columns_count++] = (struct table_column) {copy, align};
    return BATON_OK;
}

enum baton_err
table_add_row (struct table *table)
{
    ASSERT (table->columns_count > 0);
    size_t used = table->rows_count * table->columns_count;
    char **cells = realloc (table->cells, (used + table->columns_count) * sizeof *cells);
    if (!cells) return BATON_NO_MEMORY;

    memset (cells + used, 0, table->columns_count * sizeof *cells);
    table->cells = cells;
    table->rows_count++;
    return BATON_OK;
}

static char **
cell_of (const struct table *table, size_t row, size_t column)
{
    ASSERT (row < table->rows_count);
    ASSERT (column < table->columns_count);
    return &table->cells[row * table->columns_count + column];
}

enum baton_err
table_set (struct table *table, size_t column_index, const char *text)
{
    char **cell = cell_of (table, table->rows_count - 1, column_index);
    char *copy = copy_clean (text);

    if (!copy) return BATON_NO_MEMORY;
    free (*cell);
    *cell = copy;
    return BATON_OK;
}

// Characters of [text]: every byte that does not go on with one that began before.
static size_t
width_of (const char *text)
{
    size_t width = 0;

    for (; text && *text; text++) {
        width += ((unsigned char) *text & 0xc0) != 0x80;
    }
    return width;
}

// Width of a column; 0 if it has no text and is to be left out.
static size_t
column_width (const struct table *table, size_t column, enum table_head head)
{
    size_t widest = 0;

    for (size_t row = 0; row < table->rows_count; row++) {
        size_t width = width_of (*cell_of (table, row, column));
        widest = width > widest ? width : widest;
    }
    size_t title = width_of (table->columns[column].title);
    return widest > 0 && head == HEAD_SHOWN && title > widest ? title : widest;
}

static void
print_blanks (size_t count, FILE *file)
{
    for (; count > 0; count--) {
        fputc (' ', file);
    }
}

// One line of cells. Blanks wait until a text follows them, so that none ends the line.
struct line {
    FILE *file;
    size_t blanks;
};

static void
print_cell (struct line *line, const char *text, size_t width, enum table_align align)
{
    size_t pad = width - width_of (text);

    if (text && *text) {
        print_blanks (line->blanks + (align == ALIGN_RIGHT ? pad : 0), line->file);
        fputs (text, line->file);
        line->blanks = align == ALIGN_RIGHT ? 0 : pad;
    } else {
        line->blanks += width;
    }
    line->blanks += 2;
}

#define TITLE_ROW ((size_t) -1)

static void
print_row (const struct table *table, size_t row, const size_t *widths, FILE *file)
{
    struct line line = {file, 0};

    for (size_t i = 0; i < table->columns_count; i++) {
        if (widths[i] == 0) continue;
        const char *text =
            row == TITLE_ROW ? table->columns[i].title : *cell_of (table, row, i);
        print_cell (&line, text, widths[i], table->columns[i].align);
    }
    fputc ('\n', file);
}

void
table_print (const struct table *table, enum table_head head, FILE *file)
{
    size_t *widths = calloc (table->columns_count + 1, sizeof *widths);

    // Without memory for the widths there is none for anything else.
    if (!widths) return;
    for (size_t i = 0; i < table->columns_count; i++) {
        widths[i] = column_width (table, i, head);
    }
    if (head == HEAD_SHOWN && table->rows_count > 0) {
        print_row (table, TITLE_ROW, widths, file);
    }
    for (size_t row = 0; row < table->rows_count; row++) {
        print_row (table, row, widths, file);
    }
    free (widths);
}
