// SPDX-License-Identifier: MPL-2.0
#include "tools/show.h"

#include "tools/human.h"
#include "tools/table.h"

#include <stdlib.h>
#include <string.h>

#define TITLE_MAX_BYTES 128

// Whether a cell before [name] has the same heading, as "requests_count" before "requests_bytes".
static int
is_taken (json_t *names, const char *name, size_t size)
{
    const char *other;
    json_t *cell;

    json_object_foreach (names, other, cell) {
        if (strcmp (other, name) == 0) return 0;
        if (human_title_bytes (other) == size && memcmp (other, name, size) == 0) return 1;
    }
    return 0;
}

// A heading of a cell's name: without its unit, unless that makes the difference; blanks for
// underscores.
static void
make_title (json_t *names, const char *name, char title[TITLE_MAX_BYTES])
{
    size_t size = human_title_bytes (name);

    size = is_taken (names, name, size) ? strlen (name) : size;
    size = size < TITLE_MAX_BYTES ? size : TITLE_MAX_BYTES - 1;
    for (size_t i = 0; i < size; i++) {
        title[i] = name[i] == '_' ? ' ' : name[i];
    }
    title[size] = '\0';
}

// The text of a cell for people; [room] is for those that are made.
static const char *
cell_text (const char *name, const json_t *cell, char room[HUMAN_MAX_BYTES])
{
    if (json_is_string (cell)) return json_string_value (cell);
    if (json_is_boolean (cell)) return json_boolean_value (cell) ? "yes" : "no";
    if (!json_is_integer (cell)) return "";

    human_number (name, (uint64_t) json_integer_value (cell), room);
    return room;
}

json_t *
show_pick (const json_t *row, const char *const *names)
{
    json_t *picked = json_object ();

    for (; picked && *names; names++) {
        json_t *cell = json_object_get (row, *names);
        if (cell && json_object_set (picked, *names, cell) != 0) {
            json_decref (picked);
            return NULL;
        }
    }
    return picked;
}

json_t *
show_pick_rows (const json_t *rows, const char *const *names)
{
    json_t *picked = json_array ();
    size_t i;
    json_t *row;

    json_array_foreach (rows, i, row) {
        // Takes the row, and fails for NULL too.
        if (!picked || json_array_append_new (picked, show_pick (row, names)) != 0) {
            json_decref (picked);
            return NULL;
        }
    }
    return picked;
}

// Names of all cells in the order in which rows bring them; rows may lack some.
static json_t *
gather_names (const json_t *rows)
{
    json_t *names = json_object ();
    size_t i;
    json_t *row;

    json_array_foreach (rows, i, row) {
        // The first value stays: it says the column's type.
        if (json_object_update_missing (names, row) != 0) {
            json_decref (names);
            return NULL;
        }
    }
    return names;
}

static enum baton_err
add_columns (struct table *table, json_t *names)
{
    const char *name;
    json_t *cell;

    json_object_foreach (names, name, cell) {
        char title[TITLE_MAX_BYTES];
        make_title (names, name, title);
        enum baton_err error = table_add_column (
            table, title, json_is_integer (cell) ? ALIGN_RIGHT : ALIGN_LEFT);
        if (error) return error;
    }
    return BATON_OK;
}

static enum baton_err
add_row (struct table *table, json_t *names, const json_t *row)
{
    enum baton_err error = table_add_row (table);
    size_t column = 0;
    const char *name;
    json_t *unused;

    if (error) return error;
    json_object_foreach (names, name, unused) {
        char room[HUMAN_MAX_BYTES];
        const json_t *cell = json_object_get (row, name);
        error = cell ? table_set (table, column, cell_text (name, cell, room)) : BATON_OK;
        if (error) return error;
        column++;
    }
    return BATON_OK;
}

static enum baton_err
fill (struct table *table, json_t *names, const json_t *rows)
{
    enum baton_err error = add_columns (table, names);
    size_t i;
    json_t *row;

    if (error) return error;
    json_array_foreach (rows, i, row) {
        error = add_row (table, names, row);
        if (error) return error;
    }
    return BATON_OK;
}

enum baton_err
show_table (const json_t *rows, FILE *file)
{
    json_t *names = gather_names (rows);
    if (!names) return BATON_NO_MEMORY;

    struct table table;
    table_init (&table);
    enum baton_err error = fill (&table, names, rows);
    if (!error) {
        table_print (&table, HEAD_SHOWN, file);
    }
    table_fini (&table);
    json_decref (names);
    return error;
}

static enum baton_err
add_pair (struct table *table, json_t *row, const char *name, const json_t *cell)
{
    char title[TITLE_MAX_BYTES], room[HUMAN_MAX_BYTES];
    const char *text = cell_text (name, cell, room);
    if (!*text) return BATON_OK;

    enum baton_err error = table_add_row (table);
    make_title (row, name, title);
    if (!error) {
        error = table_set (table, 0, title);
    }
    return error ? error : table_set (table, 1, text);
}

static enum baton_err
fill_list (struct table *table, json_t *row)
{
    enum baton_err error = table_add_column (table, "name", ALIGN_LEFT);
    const char *name;
    json_t *cell;

    if (!error) {
        error = table_add_column (table, "value", ALIGN_LEFT);
    }
    json_object_foreach (row, name, cell) {
        if (error) return error;
        error = add_pair (table, row, name, cell);
    }
    return error;
}

enum baton_err
show_list (json_t *row, FILE *file)
{
    struct table table;

    table_init (&table);
    enum baton_err error = fill_list (&table, row);
    if (!error) {
        table_print (&table, HEAD_HIDDEN, file);
    }
    table_fini (&table);
    return error;
}

enum baton_err
show_json (const json_t *value, enum show_layout layout, FILE *file)
{
    size_t flags = layout == SHOW_PRETTY ? JSON_INDENT (2) : JSON_COMPACT;

    if (json_dumpf (value, file, flags | JSON_ENCODE_ANY) != 0) return BATON_NO_MEMORY;
    fputc ('\n', file);
    return BATON_OK;
}
