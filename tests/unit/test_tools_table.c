// SPDX-License-Identifier: MPL-2.0
// Goal: tables, lists and human units of the command line look as they should, whatever names
// strangers chose.
// Method: print into memory and compare text.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/human.h"
#include "tools/show.h"
#include "tools/table.h"

#include <stdlib.h>
#include <string.h>

// What is printed to file, as a string.
struct paper {
    FILE *file;
    char *text;
    size_t size;
};

static void
paper_open (struct paper *paper)
{
    paper->file = open_memstream (&paper->text, &paper->size);
    assert_non_null (paper->file);
}

static void
expect_text (struct paper *paper, const char *text)
{
    fclose (paper->file);
    assert_string_equal (paper->text, text);
    free (paper->text);
}

static void
table_of_two (struct table *table, const char *name, const char *number)
{
    table_init (table);
    assert_int_equal (table_add_column (table, "name", ALIGN_LEFT), BATON_OK);
    assert_int_equal (table_add_column (table, "open", ALIGN_RIGHT), BATON_OK);
    assert_int_equal (table_add_row (table), BATON_OK);
    assert_int_equal (table_set (table, 0, "a"), BATON_OK);
    assert_int_equal (table_set (table, 1, "1"), BATON_OK);
    assert_int_equal (table_add_row (table), BATON_OK);
    assert_int_equal (table_set (table, 0, name), BATON_OK);
    assert_int_equal (table_set (table, 1, number), BATON_OK);
}

static void
numbers_stand_right_and_texts_left (void **state)
{
    (void) state;
    struct table table;
    struct paper paper;
    table_of_two (&table, "longer", "12345");
    paper_open (&paper);

    table_print (&table, HEAD_SHOWN, paper.file);

    expect_text (&paper, "name     open\n"
                         "a           1\n"
                         "longer  12345\n");
    table_fini (&table);
}

static void
hidden_head_does_not_widen (void **state)
{
    (void) state;
    struct table table;
    struct paper paper;
    table_of_two (&table, "b", "2");
    paper_open (&paper);

    table_print (&table, HEAD_HIDDEN, paper.file);

    expect_text (&paper, "a  1\nb  2\n");
    table_fini (&table);
}

static void
width_counts_characters_not_bytes (void **state)
{
    (void) state;
    struct table table;
    struct paper paper;
    table_of_two (&table, "\xc3\xa4\xc3\xb6", "2");
    paper_open (&paper);

    table_print (&table, HEAD_HIDDEN, paper.file);

    expect_text (&paper, "a   1\n\xc3\xa4\xc3\xb6  2\n");
    table_fini (&table);
}

static void
control_characters_do_not_reach_the_terminal (void **state)
{
    (void) state;
    struct table table;
    struct paper paper;
    table_of_two (&table, "x\033[2J\n", "2");
    paper_open (&paper);

    table_print (&table, HEAD_HIDDEN, paper.file);

    expect_text (&paper, "a       1\nx?[2J?  2\n");
    table_fini (&table);
}

static void
empty_column_is_left_out (void **state)
{
    (void) state;
    json_t *rows = json_pack ("[{s:s,s:s,s:i},{s:s,s:s,s:i}]", "name", "a", "fails", "", "n", 1,
                              "name", "b", "fails", "", "n", 2);
    struct paper paper;
    paper_open (&paper);

    assert_int_equal (show_table (rows, paper.file), BATON_OK);

    expect_text (&paper, "name  n\na     1\nb     2\n");
    json_decref (rows);
}

static void
line_ends_without_blanks (void **state)
{
    (void) state;
    json_t *rows = json_pack ("[{s:s,s:s},{s:s}]", "name", "a", "fails", "why", "name", "bb");
    struct paper paper;
    paper_open (&paper);

    assert_int_equal (show_table (rows, paper.file), BATON_OK);

    expect_text (&paper, "name  fails\na     why\nbb\n");
    json_decref (rows);
}

static void
list_shows_units_and_plain_words (void **state)
{
    (void) state;
    json_t *row = json_pack ("{s:s,s:i,s:i,s:b}", "role", "manager", "queue_bytes", 1536,
                             "silent_ms", 2500, "safe", 1);
    struct paper paper;
    paper_open (&paper);

    assert_int_equal (show_list (row, paper.file), BATON_OK);

    expect_text (&paper, "role    manager\n"
                         "queue   1.5 KiB\n"
                         "silent  2.5 s\n"
                         "safe    yes\n");
    json_decref (row);
}

static void
list_tells_cells_of_one_noun_apart_and_leaves_out_empty_ones (void **state)
{
    (void) state;
    json_t *row = json_pack ("{s:i,s:i,s:s}", "requests_count", 3, "requests_bytes", 2048,
                             "server", "");
    struct paper paper;
    paper_open (&paper);

    assert_int_equal (show_list (row, paper.file), BATON_OK);

    expect_text (&paper, "requests        3\n"
                         "requests bytes  2.0 KiB\n");
    json_decref (row);
}

static void
picked_cells_come_in_the_asked_order (void **state)
{
    (void) state;
    static const char *const names[] = {"b", "none", "a", NULL};
    json_t *row = json_pack ("{s:i,s:i,s:i}", "a", 1, "b", 2, "c", 3);
    struct paper paper;
    paper_open (&paper);

    json_t *picked = show_pick (row, names);
    assert_int_equal (show_json (picked, SHOW_LINE, paper.file), BATON_OK);

    expect_text (&paper, "{\"b\":2,\"a\":1}\n");
    json_decref (picked);
    json_decref (row);
}

static void
expect_human (const char *name, uint64_t number, const char *wanted)
{
    char text[HUMAN_MAX_BYTES];

    human_number (name, number, text);
    assert_string_equal (text, wanted);
}

static void
bytes_are_shown_in_binary_units (void **state)
{
    (void) state;

    expect_human ("x_bytes", 0, "0 B");
    expect_human ("x_bytes", 1023, "1023 B");
    expect_human ("x_bytes", 1024, "1.0 KiB");
    expect_human ("x_bytes", 1048575, "1.0 MiB");
    expect_human ("x_bytes", UINT64_MAX, "16.0 EiB");
}

static void
times_have_two_units_at_most (void **state)
{
    (void) state;

    expect_human ("x_ms", 999, "999 ms");
    expect_human ("x_ms", 9999, "9.9 s");
    expect_human ("x_ms", 200000, "3 min 20 s");
    expect_human ("x_s", 90061, "1 d 1 h");
    expect_human ("x_s", 60, "1 min");
    expect_human ("x_us", 9999, "9999 us");
    expect_human ("x_ns", 12345678, "12 ms");
    expect_human ("x_s", UINT64_MAX, "213503982334601 d 7 h");
}

static void
plain_numbers_are_grouped (void **state)
{
    (void) state;

    expect_human ("index", 7, "7");
    expect_human ("index", 1234, "1 234");
    expect_human ("x_count", UINT64_MAX, "18 446 744 073 709 551 615");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (numbers_stand_right_and_texts_left),
        cmocka_unit_test (hidden_head_does_not_widen),
        cmocka_unit_test (width_counts_characters_not_bytes),
        cmocka_unit_test (control_characters_do_not_reach_the_terminal),
        cmocka_unit_test (empty_column_is_left_out),
        cmocka_unit_test (line_ends_without_blanks),
        cmocka_unit_test (list_shows_units_and_plain_words),
        cmocka_unit_test (list_tells_cells_of_one_noun_apart_and_leaves_out_empty_ones),
        cmocka_unit_test (picked_cells_come_in_the_asked_order),
        cmocka_unit_test (bytes_are_shown_in_binary_units),
        cmocka_unit_test (times_have_two_units_at_most),
        cmocka_unit_test (plain_numbers_are_grouped),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
