// SPDX-License-Identifier: MPL-2.0
#include "tests/sim/choice.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_BYTES = 32, LINE_BYTES = 128 };

// One row of choices: what is listed comes first.
struct row {
    uint64_t state;  // of its generator
    uint64_t calls;  // of choice_number
    size_t *listed;  // places in the list
    size_t listed_count;
    size_t listed_max;
    size_t taken_count;
};

struct choices {
    bool generates;
    struct row rows[CHOICE_STREAMS_COUNT];
    struct choice *list;
    size_t list_count;
    struct choice *drawn;
    size_t drawn_count;
    size_t drawn_max;
    char (*labels)[LABEL_BYTES]; // of a list that was loaded
};

static void *
grow (void *data, size_t size_bytes)
{
    void *grown = realloc (data, size_bytes ? size_bytes : 1);

    if (!grown) abort ();
    return grown;
}

// splitmix64: each stream's sequence is its own, whatever the others do.
static uint64_t
mix (uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C (0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t
next (struct row *row)
{
    row->state += UINT64_C (0x9e3779b97f4a7c15);
    return mix (row->state);
}

static struct choices *
make (void)
{
    struct choices *choices = grow (NULL, sizeof *choices);

    memset (choices, 0, sizeof *choices);
    choices->drawn_max = 4096;
    choices->drawn = grow (NULL, choices->drawn_max * sizeof *choices->drawn);
    return choices;
}

struct choices *
choices_new (uint64_t seed)
{
    struct choices *choices = make ();

    choices->generates = true;
    for (size_t i = 0; i < CHOICE_STREAMS_COUNT; i++) {
        choices->rows[i].state = mix (seed * CHOICE_STREAMS_COUNT + i + 1);
    }
    return choices;
}

static void
list_in_row (struct choices *choices, size_t place)
{
    struct row *row = &choices->rows[choices->list[place].stream % CHOICE_STREAMS_COUNT];

    if (row->listed_count == row->listed_max) {
        row->listed_max = row->listed_max ? row->listed_max * 2 : 64;
        row->listed = grow (row->listed, row->listed_max * sizeof *row->listed);
    }
    row->listed[row->listed_count++] = place;
}

struct choices *
choices_new_list (const struct choice *list, size_t count)
{
    struct choices *choices = make ();

    choices->list = grow (NULL, count * sizeof *list);
    choices->list_count = count;
    if (count > 0) {
        memcpy (choices->list, list, count * sizeof *list);
    }
    for (size_t i = 0; i < count; i++) {
        list_in_row (choices, i);
    }
    return choices;
}

void
choices_free (struct choices **self)
{
    struct choices *choices = *self;

    *self = NULL;
    if (!choices) return;
    for (size_t i = 0; i < CHOICE_STREAMS_COUNT; i++) {
        free (choices->rows[i].listed);
    }
    free (choices->list);
    free (choices->drawn);
    free (choices->labels);
    free (choices);
}

static void
note (struct choices *choices, struct choice choice)
{
    if (choices->drawn_count == choices->drawn_max) {
        choices->drawn_max *= 2;
        choices->drawn = grow (choices->drawn, choices->drawn_max * sizeof *choices->drawn);
    }
    choices->drawn[choices->drawn_count++] = choice;
}

// What the list has next for [row]; false if it has nothing more.
static bool
take_listed (struct choices *choices, struct row *row, uint32_t max, uint32_t *value)
{
    if (row->taken_count == row->listed_count) return false;
    *value = choices->list[row->listed[row->taken_count++]].value % max;
    return true;
}

uint32_t
choice_draw (struct choices *choices, uint32_t stream, const char *label, uint32_t max)
{
    struct row *row = &choices->rows[stream % CHOICE_STREAMS_COUNT];
    uint32_t value = 0;

    if (max <= 1) return 0;
    if (!take_listed (choices, row, max, &value) && choices->generates) {
        value = (uint32_t) (next (row) % max);
    }
    note (choices, (struct choice) { label, stream, max, value });
    return value;
}

bool
choice_chance (struct choices *choices, uint32_t stream, const char *label, uint32_t per_mille)
{
    struct row *row = &choices->rows[stream % CHOICE_STREAMS_COUNT];
    uint32_t value = 0;

    if (per_mille == 0 || per_mille >= 1000) return per_mille > 0;
    if (!take_listed (choices, row, 2, &value) && choices->generates) {
        value = next (row) % 1000 < per_mille;
    }
    note (choices, (struct choice) { label, stream, 2, value });
    return value == 1;
}

uint64_t
choice_number (struct choices *choices, uint32_t stream)
{
    struct row *row = &choices->rows[stream % CHOICE_STREAMS_COUNT];

    return mix ((uint64_t) stream << 40 ^ ++row->calls);
}

const struct choice *
choices_view (const struct choices *choices, size_t *count)
{
    *count = choices->drawn_count;
    return choices->drawn;
}

bool
choices_save (FILE *file, const struct choice *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fprintf (file, "%" PRIu32 " %" PRIu32 " %" PRIu32 " %s\n", list[i].stream,
                     list[i].max, list[i].value, list[i].label) < 0) {
            return false;
        }
    }
    return true;
}

static bool
read_line (const char *line, struct choice *choice, char label[LABEL_BYTES])
{
    label[0] = '\0';
    return sscanf (line, "%" SCNu32 " %" SCNu32 " %" SCNu32 " %31[^\n]", &choice->stream,
                   &choice->max, &choice->value, label) >= 3
        && choice->stream < CHOICE_STREAMS_COUNT;
}

static void
keep_line (struct choices *choices, struct choice choice, const char label[LABEL_BYTES])
{
    const size_t place = choices->list_count++;

    choices->list = grow (choices->list, choices->list_count * sizeof *choices->list);
    choices->labels = grow (choices->labels, choices->list_count * sizeof *choices->labels);
    memcpy (choices->labels[place], label, LABEL_BYTES);
    choices->list[place] = choice;
    list_in_row (choices, place);
}

struct choices *
choices_load (FILE *file, size_t *line)
{
    struct choices *choices = make ();
    char text[LINE_BYTES], label[LABEL_BYTES];
    struct choice choice = { 0 };

    *line = 0;
    while (fgets (text, sizeof text, file)) {
        (*line)++;
        if (text[0] == '#' || text[0] == '\n') continue;
        if (!read_line (text, &choice, label)) {
            choices_free (&choices);
            return NULL;
        }
        keep_line (choices, choice, label);
    }
    for (size_t i = 0; i < choices->list_count; i++) {
        choices->list[i].label = choices->labels[i];
    }
    return choices;
}
