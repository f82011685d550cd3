// SPDX-License-Identifier: MPL-2.0
#include "tests/sim/chart.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    LANES_MAX = 16,
    LANE_COLUMNS = 12,
    NAME_BYTES = 24,
    LINE_BYTES = 1024,
    FIELDS_COUNT = 5,
};

struct event {
    unsigned long step;
    unsigned long ms;
    int lane; // below 0: at no process
    int to;   // below 0: a happening
    bool lost;
    char *text;
};

struct chart {
    char names[LANES_MAX][NAME_BYTES];
    int lanes_count;
    struct event *events;
    size_t events_count;
    size_t events_max;
};

// What the messages of the protocol are for.
static const struct { const char *word; const char *text; } glossary[] = {
    { "HELLO", "a process says who it is" },
    { "WELCOME", "the broker takes it" },
    { "OPEN ", "a client asks for its session, new or as it was left" },
    { "OPENED", "here is the session: restart data and how far all is" },
    { "RESUMED", "the queues as they stood have been sent; what follows is new" },
    { "COMMIT ", "work, what was consumed, new restart data: stored in one step or not at all" },
    { "COMMITTED", "the commit is safe" },
    { "DELIVER", "a request goes to a server, or a response to a client" },
    { "RELOAD", "a server does not hold the session's state and asks for it" },
    { "STATE", "the restart data of the session, for the server" },
    { "CREDIT", "a client may be sent this much more" },
    { "OFFER ", "a server says what it can do" },
    { "OFFERED", "the offer is known" },
    { "CLOSE ", "a client ends its session" },
    { "CLOSED", "the session is no more" },
    { "GOODBYE", "a process takes its leave" },
    { "REFUSED", "the broker does not do it, and says why" },
    { "DUPLICATE", "that commit is stored already" },
    { "GAP", "a commit before that one is missing" },
    { "FENCED", "a newer process has taken over; the old one must stop" },
};

static void *
grow (void *data, size_t size_bytes)
{
    void *grown = realloc (data, size_bytes);

    if (!grown) abort ();
    return grown;
}

// Processes have short names in the simulator: c1, s0-4, x2.
static void
write_name (const char *name, char written[NAME_BYTES])
{
    const char *kind = *name == 'c' ? "client " : *name == 's' ? "server " : "attacker ";
    const bool is_short = *name && strchr ("csx", *name) && isdigit ((unsigned char) name[1]);

    snprintf (written, NAME_BYTES, "%s%s", is_short ? kind : "", is_short ? name + 1 : name);
}

static int
lane_of (struct chart *chart, const char *told)
{
    char name[NAME_BYTES];

    if (!*told || strcmp (told, "world") == 0 || strcmp (told, "net") == 0) return -1;
    write_name (told, name);
    for (int i = 0; i < chart->lanes_count; i++) {
        if (strcmp (chart->names[i], name) == 0) return i;
    }
    if (chart->lanes_count == LANES_MAX) return -1;
    memcpy (chart->names[chart->lanes_count], name, sizeof name);
    return chart->lanes_count++;
}

static bool
ends_in_lost (const char *text)
{
    const size_t size = strlen (text);

    return size >= 4 && strcmp (text + size - 4, "LOST") == 0;
}

// Cuts [line] into its fields; false if there are fewer.
static bool
cut (char *line, char *fields[FIELDS_COUNT])
{
    line[strcspn (line, "\n")] = '\0';
    for (int i = 0; i < FIELDS_COUNT; i++) {
        fields[i] = line;
        line = strchr (line, '\t');
        if (!line) return i == FIELDS_COUNT - 1;
        if (i < FIELDS_COUNT - 1) {
            *line++ = '\0';
        }
    }
    return true;
}

static void
add_event (struct chart *chart, char *fields[FIELDS_COUNT])
{
    if (chart->events_count == chart->events_max) {
        chart->events_max = chart->events_max ? 2 * chart->events_max : 64;
        chart->events = grow (chart->events, chart->events_max * sizeof *chart->events);
    }
    struct event *event = &chart->events[chart->events_count++];
    *event = (struct event) {
        .step = strtoul (fields[0], NULL, 10),
        .ms = strtoul (fields[1], NULL, 10),
        .lane = lane_of (chart, fields[2]),
        .to = lane_of (chart, fields[3]),
        .lost = ends_in_lost (fields[4]),
        .text = grow (NULL, strlen (fields[4]) + 1),
    };
    memcpy (event->text, fields[4], strlen (fields[4]) + 1);
}

static void
read_events (struct chart *chart, FILE *events)
{
    char line[LINE_BYTES];
    char *fields[FIELDS_COUNT];

    while (fgets (line, sizeof line, events)) {
        if (cut (line, fields) && *fields[4] != '~') {
            add_event (chart, fields);
        }
    }
}

// Clients to the left of the broker, servers to its right, each in the order of their names.
static int
rank (const char *name)
{
    if (strncmp (name, "client", 6) == 0) return 0;
    if (strcmp (name, "broker") == 0) return 1;
    return strncmp (name, "server", 6) == 0 ? 2 : 3;
}

static bool
is_left_of (const char *a, const char *b)
{
    if (rank (a) != rank (b)) return rank (a) < rank (b);
    return strcmp (a, b) < 0;
}

static void
sort_lanes (struct chart *chart)
{
    int place[LANES_MAX];
    char names[LANES_MAX][NAME_BYTES];

    memcpy (names, chart->names, sizeof names);
    for (int i = 0; i < chart->lanes_count; i++) {
        place[i] = 0;
        for (int j = 0; j < chart->lanes_count; j++) {
            place[i] += j != i && is_left_of (names[j], names[i]);
        }
        memcpy (chart->names[place[i]], names[i], NAME_BYTES);
    }
    for (size_t i = 0; i < chart->events_count; i++) {
        struct event *event = &chart->events[i];
        event->lane = event->lane < 0 ? -1 : place[event->lane];
        event->to = event->to < 0 ? -1 : place[event->to];
    }
}

static size_t
center (int lane)
{
    return (size_t) lane * LANE_COLUMNS + LANE_COLUMNS / 2;
}

static void
draw_head (const struct chart *chart, FILE *out)
{
    fprintf (out, "%6s %7s ", "step", "ms");
    for (int i = 0; i < chart->lanes_count; i++) {
        const int size = (int) strlen (chart->names[i]);
        const int left = size < LANE_COLUMNS ? (LANE_COLUMNS - size) / 2 : 0;
        fprintf (out, "%*s%-*s", left, "", LANE_COLUMNS - left, chart->names[i]);
    }
    fprintf (out, "\n");
}

// An arrow that is lost ends half way.
static void
draw_arrow (const struct event *event, char *row)
{
    const size_t from = center (event->lane);
    const size_t to = center (event->to);
    const size_t low = from < to ? from : to;
    const size_t high = from < to ? to : from;

    for (size_t i = low + 1; i < high; i++) {
        row[i] = event->lost && i % 2 == 0 ? ' ' : '-';
    }
    row[from] = 'o';
    if (event->lost) {
        row[(from + to) / 2] = 'x';
    } else {
        row[from < to ? to - 1 : to + 1] = from < to ? '>' : '<';
    }
}

static void
draw_event (const struct chart *chart, const struct event *event, FILE *out)
{
    char row[LANES_MAX * LANE_COLUMNS + 1];
    const size_t size = (size_t) chart->lanes_count * LANE_COLUMNS;

    memset (row, ' ', size);
    row[size] = '\0';
    for (int i = 0; i < chart->lanes_count; i++) {
        row[center (i)] = '|';
    }
    if (event->lane >= 0 && event->to >= 0 && event->to != event->lane) {
        draw_arrow (event, row);
    } else if (event->lane >= 0) {
        row[center (event->lane)] = '#';
    }
    fprintf (out, "%6lu %7lu %s %s\n", event->step, event->ms, row, event->text);
}

static bool
is_told (const struct chart *chart, const char *word)
{
    for (size_t i = 0; i < chart->events_count; i++) {
        const char *found = strstr (chart->events[i].text, word);
        if (found && chart->events[i].to >= 0) return true;
    }
    return false;
}

static void
draw_glossary (const struct chart *chart, FILE *out)
{
    fprintf (out, "\no---> a message from one process to another    # something happens at one\n"
             "o-x    a message that is lost on its way\n");
    for (size_t i = 0; i < sizeof glossary / sizeof *glossary; i++) {
        if (is_told (chart, glossary[i].word)) {
            fprintf (out, "%-10s %s\n", glossary[i].word, glossary[i].text);
        }
    }
}

size_t
chart_draw (FILE *events, FILE *out)
{
    struct chart chart = { .lanes_count = 0 };

    read_events (&chart, events);
    sort_lanes (&chart);
    draw_head (&chart, out);
    for (size_t i = 0; i < chart.events_count; i++) {
        draw_event (&chart, &chart.events[i], out);
    }
    draw_glossary (&chart, out);
    for (size_t i = 0; i < chart.events_count; i++) {
        free (chart.events[i].text);
    }
    free (chart.events);
    return chart.events_count;
}

size_t
chart_count (FILE *events)
{
    char line[LINE_BYTES];
    char *fields[FIELDS_COUNT];
    size_t count = 0;

    while (fgets (line, sizeof line, events)) {
        count += cut (line, fields) && *fields[4] != '~';
    }
    return count;
}
