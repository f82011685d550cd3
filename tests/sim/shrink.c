// SPDX-License-Identifier: MPL-2.0
#include "tests/sim/shrink.h"

#include "tests/sim/chart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// A try that takes longer than this hangs.
#define TRY_SECONDS_MAX 20u
// Choices with fewer possibilities are kinds and counts, not times.
#define RAISE_MAX 1000u
// Values that are tried of one choice of the plan.
#define PLAN_TRIES_MAX 12u

// One run, and what it drew.
struct outcome {
    struct sim_result result;
    uint64_t events_count; // rows of its chart
    struct choice *list;
    size_t count;
};

// What a child says before the choices that it drew.
struct report {
    struct sim_result result;
    uint64_t events_count;
    size_t count;
};

struct shrinking {
    const struct shrink_options *options;
    uint64_t began_ms;
    uint64_t runs_count;
    struct outcome best;
    struct choice *next; // the candidate, with room for best.count
};

static uint64_t
now_ms (void)
{
    struct timespec now;

    if (clock_gettime (CLOCK_MONOTONIC, &now) != 0) abort ();
    return (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}

static struct choice *
new_list (size_t count)
{
    struct choice *list = malloc ((count + 1) * sizeof *list);

    if (!list) abort ();
    return list;
}

static bool
write_all (int fd, const void *data, size_t size_bytes)
{
    const char *at = data;

    while (size_bytes > 0) {
        const ssize_t put = write (fd, at, size_bytes);
        if (put < 0 && errno != EINTR) return false;
        if (put < 0) continue;
        at += put;
        size_bytes -= (size_t) put;
    }
    return true;
}

static bool
read_all (int fd, void *data, size_t size_bytes)
{
    char *at = data;

    while (size_bytes > 0) {
        const ssize_t got = read (fd, at, size_bytes);
        if (got == 0 || (got < 0 && errno != EINTR)) return false;
        if (got < 0) continue;
        at += got;
        size_bytes -= (size_t) got;
    }
    return true;
}

static _Noreturn void
run_in_child (int fd, const struct choice *list, size_t count, uint64_t steps_max)
{
    struct choices *choices = choices_new_list (list, count);
    FILE *events = tmpfile ();
    const struct sim_options options = { .steps_max = steps_max, .chart = events };
    struct report report;

    if (!events) abort ();
    alarm (TRY_SECONDS_MAX);
    memset (&report, 0, sizeof report);
    (void) sim_run (choices, &options, &report.result);
    rewind (events);
    report.events_count = chart_count (events);
    const struct choice *drawn = choices_view (choices, &report.count);
    const bool told = write_all (fd, &report, sizeof report)
        && write_all (fd, drawn, report.count * sizeof *drawn);
    _exit (told ? 0 : 1);
}

// Labels are static text of this program, so they mean the same in the child and here.
static bool
receive (int fd, struct outcome *outcome)
{
    struct report report;

    if (!read_all (fd, &report, sizeof report)) return false;
    outcome->result = report.result;
    outcome->events_count = report.events_count;
    outcome->count = report.count;
    outcome->list = new_list (report.count);
    if (read_all (fd, outcome->list, report.count * sizeof *outcome->list)) return true;
    free (outcome->list);
    return false;
}

// A program that dies has broken an assertion that nobody wrote down; it drew what it was given.
static void
note_death (struct outcome *outcome, const struct choice *list, size_t count, int status)
{
    *outcome = (struct outcome) { .list = new_list (count), .count = count };
    if (count > 0) {
        memcpy (outcome->list, list, count * sizeof *list);
    }
    outcome->result.verdict = SIM_PASSED;
    if (WIFSIGNALED (status) && WTERMSIG (status) != SIGALRM) {
        outcome->result.verdict = SIM_VIOLATED;
        outcome->result.invariant = INVARIANT_ASSERTION;
        snprintf (outcome->result.facts, sizeof outcome->result.facts,
                  "the program died by signal %d", WTERMSIG (status));
    }
}

static void
run_apart (const struct choice *list, size_t count, uint64_t steps_max, struct outcome *outcome)
{
    int fds[2], status = 0;

    if (pipe (fds) != 0) abort ();
    fflush (NULL);
    const pid_t child = fork ();
    if (child < 0) abort ();
    if (child == 0) {
        close (fds[0]);
        run_in_child (fds[1], list, count, steps_max);
    }
    close (fds[1]);
    const bool told = receive (fds[0], outcome);
    close (fds[0]);
    while (waitpid (child, &status, 0) < 0 && errno == EINTR) continue;
    if (!told) {
        note_death (outcome, list, count, status);
    }
}

size_t
shrink_nonzero_count (const struct choice *list, size_t count)
{
    size_t nonzero = 0;

    for (size_t i = 0; i < count; i++) {
        nonzero += list[i].value != 0;
    }
    return nonzero;
}

static uint64_t
sum_of (const struct outcome *outcome)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < outcome->count; i++) {
        sum += outcome->list[i].value;
    }
    return sum;
}

// A reader goes through the rows of the chart one by one, so they weigh most.
static uint64_t
weight_of (const struct outcome *outcome)
{
    return 4 * outcome->events_count + shrink_nonzero_count (outcome->list, outcome->count)
        + outcome->result.step;
}

static bool
is_smaller (const struct outcome *a, const struct outcome *b)
{
    const uint64_t size_a = weight_of (a);
    const uint64_t size_b = weight_of (b);

    return size_a != size_b ? size_a < size_b : sum_of (a) < sum_of (b);
}

static bool
has_time (const struct shrinking *self)
{
    return now_ms () - self->began_ms < self->options->budget_ms;
}

static void
adopt (struct shrinking *self, struct outcome *outcome)
{
    free (self->best.list);
    free (self->next);
    self->best = *outcome;
    self->next = new_list (outcome->count);
}

// Runs the first [count] of the candidate and keeps it if it fails alike and is smaller.
static bool
try_next (struct shrinking *self, size_t count)
{
    struct outcome outcome;

    self->runs_count++;
    run_apart (self->next, count, self->best.result.step + 1, &outcome);
    const bool same = outcome.result.verdict == SIM_VIOLATED
        && outcome.result.invariant == self->best.result.invariant;
    if (!same || !is_smaller (&outcome, &self->best)) {
        free (outcome.list);
        return false;
    }
    adopt (self, &outcome);
    return true;
}

static void
copy_best (struct shrinking *self)
{
    memcpy (self->next, self->best.list, self->best.count * sizeof *self->next);
}

// The largest part of the choices that can be left out at the end, to a sixteenth.
static bool
cut_horizon (struct shrinking *self)
{
    for (size_t i = 0; i < 16; i++) {
        const size_t kept = self->best.count / 16 * i;
        copy_best (self);
        if (try_next (self, kept)) return true;
        if (!has_time (self)) return false;
    }
    return false;
}

static bool
clear_streams (struct shrinking *self)
{
    bool progress = false;

    for (uint32_t stream = 0; stream < CHOICE_STREAMS_COUNT && has_time (self); stream++) {
        size_t cleared = 0;
        copy_best (self);
        for (size_t i = 0; i < self->best.count; i++) {
            if (self->next[i].stream != stream || self->next[i].value == 0) continue;
            self->next[i].value = 0;
            cleared++;
        }
        progress |= cleared > 0 && try_next (self, self->best.count);
    }
    return progress;
}

// Clears [size] choices that are not 0, from the [first]th on. Returns how many there were.
static size_t
clear_chunk (struct shrinking *self, size_t first, size_t size)
{
    size_t seen = 0, cleared = 0;

    copy_best (self);
    for (size_t i = 0; i < self->best.count && cleared < size; i++) {
        if (self->next[i].value == 0 || seen++ < first) continue;
        self->next[i].value = 0;
        cleared++;
    }
    return cleared;
}

static bool
clear_chunks (struct shrinking *self)
{
    bool progress = false;
    size_t size = shrink_nonzero_count (self->best.list, self->best.count) / 2;

    for (; size > 0; size /= 2) {
        size_t first = 0;
        while (has_time (self) && clear_chunk (self, first, size) > 0) {
            if (try_next (self, self->best.count)) {
                progress = true;
            } else {
                first += size;
            }
        }
    }
    return progress;
}

// Takes [size] choices out of [stream], from its [first]th on: what came after comes earlier.
// Returns how many there were; the candidate is as much shorter.
static size_t
take_chunk_out (struct shrinking *self, uint32_t stream, size_t first, size_t size)
{
    size_t seen = 0, taken = 0, kept = 0;

    for (size_t i = 0; i < self->best.count; i++) {
        const struct choice choice = self->best.list[i];
        if (choice.stream == stream && seen++ >= first && taken < size) {
            taken++;
        } else {
            self->next[kept++] = choice;
        }
    }
    return taken;
}

static size_t
stream_count (const struct shrinking *self, uint32_t stream)
{
    size_t count = 0;

    for (size_t i = 0; i < self->best.count; i++) {
        count += self->best.list[i].stream == stream;
    }
    return count;
}

static bool
take_out_of (struct shrinking *self, uint32_t stream)
{
    bool progress = false;

    for (size_t size = stream_count (self, stream) / 2; size > 0; size /= 2) {
        size_t first = 0;
        while (has_time (self)) {
            const size_t taken = take_chunk_out (self, stream, first, size);
            if (taken == 0) break;
            if (try_next (self, self->best.count - taken)) {
                progress = true;
            } else {
                first += size;
            }
        }
    }
    return progress;
}

static bool
take_chunks_out (struct shrinking *self)
{
    bool progress = false;

    for (uint32_t stream = 1; stream < CHOICE_STREAMS_COUNT && has_time (self); stream++) {
        progress |= take_out_of (self, stream);
    }
    return progress;
}

static bool
try_value (struct shrinking *self, size_t place, uint32_t value)
{
    copy_best (self);
    self->next[place].value = value;
    return try_next (self, self->best.count);
}

// Halves the distance to the highest value below that is known not to do. What a success draws
// behind [place] may be shorter than before; [place] itself stays.
static bool
lower_at (struct shrinking *self, size_t place)
{
    uint32_t bad = 0;
    bool progress = false;

    while (place < self->best.count && self->best.list[place].value > bad + 1) {
        const uint32_t value = self->best.list[place].value;
        const uint32_t middle = bad + (value - bad) / 2;
        if (try_value (self, place, middle)) {
            progress = true;
        } else {
            bad = middle;
        }
        if (!has_time (self)) return progress;
    }
    return progress;
}

static bool
lower (struct shrinking *self)
{
    bool progress = false;

    for (size_t place = 0; place < self->best.count && has_time (self); place++) {
        progress |= self->best.list[place].value > 1 && lower_at (self, place);
    }
    return progress;
}

// A plan that is less mild may need less: a longer rough phase, or a credit that is used up sooner.
static bool
change_plan (struct shrinking *self)
{
    bool progress = false;

    for (size_t place = 0; place < self->best.count && has_time (self); place++) {
        if (self->best.list[place].stream != CHOICE_PLAN) continue;
        const uint32_t max = self->best.list[place].max;
        const uint32_t step = max < PLAN_TRIES_MAX ? 1 : max / PLAN_TRIES_MAX;
        for (uint32_t value = 0; value < max && has_time (self); value += step) {
            if (value == self->best.list[place].value || !try_value (self, place, value)) continue;
            progress = true;
            if (place >= self->best.count) break;
        }
    }
    return progress;
}

// A pause that lasts longer may spare many steps in which nothing happens.
static bool
raise_some (struct shrinking *self)
{
    bool progress = false;

    for (size_t place = 0; place < self->best.count && has_time (self); place++) {
        const struct choice choice = self->best.list[place];
        if (choice.stream == CHOICE_PLAN || choice.max < RAISE_MAX) continue;
        progress |= choice.value + 1 < choice.max && try_value (self, place, choice.max - 1);
    }
    return progress;
}

static void
tell (const struct shrinking *self, const char *pass)
{
    if (!self->options->progress) return;
    fprintf (self->options->progress,
             "%-10s %6llu events, %6llu steps, %6zu choices not 0, after %llu runs\n", pass,
             (unsigned long long) self->best.events_count,
             (unsigned long long) self->best.result.step,
             shrink_nonzero_count (self->best.list, self->best.count),
             (unsigned long long) self->runs_count);
    fflush (self->options->progress);
}

static bool
round_of_passes (struct shrinking *self)
{
    static const struct { const char *name; bool (*pass) (struct shrinking *); } passes[] = {
        { "horizon", cut_horizon },
        { "streams", clear_streams },
        { "chunks", clear_chunks },
        { "take out", take_chunks_out },
        { "plan", change_plan },
        { "pauses", raise_some },
        { "lower", lower },
    };
    bool progress = false;

    for (size_t i = 0; i < sizeof passes / sizeof *passes && has_time (self); i++) {
        progress |= passes[i].pass (self);
        tell (self, passes[i].name);
    }
    return progress;
}

static size_t
without_trailing_zeros (const struct outcome *outcome)
{
    size_t count = outcome->count;

    while (count > 0 && outcome->list[count - 1].value == 0) {
        count--;
    }
    return count;
}

bool
shrink (const struct choice *list, size_t count, const struct shrink_options *options,
        struct shrunk *shrunk)
{
    struct shrinking self = { .options = options, .began_ms = now_ms () };

    run_apart (list, count, 0, &self.best);
    self.next = new_list (self.best.count);
    self.runs_count = 1;
    const bool fails = self.best.result.verdict == SIM_VIOLATED;
    if (fails) {
        tell (&self, "start");
        while (has_time (&self) && round_of_passes (&self)) continue;
    }
    free (self.next);
    *shrunk = (struct shrunk) {
        .list = self.best.list,
        .count = without_trailing_zeros (&self.best),
        .result = self.best.result,
        .events_count = self.best.events_count,
        .runs_count = self.runs_count,
        .took_ms = now_ms () - self.began_ms,
    };
    return fails;
}

void
shrunk_fini (struct shrunk *shrunk)
{
    free (shrunk->list);
    memset (shrunk, 0, sizeof *shrunk);
}
