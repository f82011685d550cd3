// SPDX-License-Identifier: MPL-2.0
#include "tests/story/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/record.h"
#include "broker/core/roster.h"
#include "tests/story/story_part.h"

struct core_options
story_options (void)
{
    struct core_options options;

    core_options_default (&options);
    options.group = (struct id) { 1, 1 };
    return options;
}

__attribute__ ((format (printf, 2, 3)))
static void
trace (struct story *story, const char *format, ...)
{
    const size_t room = TRACE_BYTES - story->trace_used;
    va_list arguments;

    va_start (arguments, format);
    const int count = vsnprintf (story->trace + story->trace_used, room, format, arguments);
    va_end (arguments);
    assert_true (count >= 0 && (size_t) count < room);
    story->trace_used += (size_t) count;
}

static struct story_link *
link_of (struct story *story, const char *name)
{
    for (size_t i = 0; i < story->links_count; i++) {
        if (strcmp (story->links[i].name, name) == 0) return &story->links[i];
    }
    assert_true (story->links_count < LINKS_MAX);
    struct story_link *link = &story->links[story->links_count++];
    snprintf (link->name, sizeof link->name, "%s", name);
    snprintf (link->principal, sizeof link->principal, "p");
    link->number.n = story->links_count;
    return link;
}

static const char *
link_name (const struct story *story, struct link_number number)
{
    assert_true (number.n >= 1 && number.n <= story->links_count);
    return story->links[number.n - 1].name;
}

// split cuts the line into words at blanks outside of single quotes, which vanish.
static void
split (struct story *story)
{
    char *to = story->line;
    bool quoted = false;
    bool inside = false;

    story->words_count = 0;
    for (const char *from = story->line; *from; from++) {
        if (*from == '\'') {
            quoted = !quoted;
        } else if (*from == ' ' && !quoted) {
            *to++ = '\0';
            inside = false;
        } else {
            if (!inside) {
                assert_true (story->words_count < WORDS_MAX);
                story->words[story->words_count++] = to;
            }
            inside = true;
            *to++ = *from;
        }
    }
    *to = '\0';
}

static void
learn_names (struct story *story, const struct blob *bytes)
{
    static struct record_room room;
    struct record record;

    assert_int_equal (record_decode (blob_view (bytes), &room, &record), BATON_OK);
    if (record.head.type == RECORD_OPENED && record.opened.makes & OPENED_SESSION) {
        render_names_add (&story->names, record.opened.session, record.opened.session_name);
    }
}

static void
trace_effects (struct story *story, const char *keeping)
{
    char line[RENDER_LINE_BYTES];
    struct effect_list *effects = &story->twin.effects;

    for (size_t i = 0; i < effects->count; i++) {
        const struct effect *effect = &effects->items[i];
        if (keeping && effect->kind == EFFECT_HEARTBEAT) continue;
        render_effect (effect, &story->names, line);
        trace (story, "%s <- %s%s\n", link_name (story, effect->to), line,
               effect->after.n == 0 ? " at once" : "");
    }
    effect_list_clear (effects);
}

static void
step (struct story *story, struct event *event, const char *keeping)
{
    // The text of NO_MATCH is a copy; without memory it is left out, so OPEN has enough.
    const bool plenty = event->msg && event->msg->kind == MSG_OPEN;
    struct core_step done;

    event->now_ns = story->now_ns;
    event->utc_ms = story->utc_ms;
    event->capacity = story->capacity;
    do {
        twin_step (&story->twin, event, plenty ? 0 : TWIN_FAIL_EACH, &done);
        if (done.record) {
            learn_names (story, done.record);
        }
        event->kind = EVENT_CONTINUE;
        event->msg = NULL;
    } while (done.rest == CORE_MORE);
    trace_effects (story, keeping);
}

// "c1 -> KIND ..."
static void
play_message (struct story *story)
{
    struct story_link *link = link_of (story, story->words[0]);

    if (story_option (story, "as")) {
        snprintf (link->principal, sizeof link->principal, "%s", story_option (story, "as"));
    }
    story_fill (story, link);
    struct event event = {
        .kind = EVENT_MESSAGE, .link = link->number, .principal = story_text (link->principal),
        .msg = &story->msg,
    };
    step (story, &event, NULL);
}

static void
pass (struct story *story, uint64_t until_ns)
{
    story->utc_ms += (until_ns - story->now_ns) / MS;
    story->now_ns = until_ns;
}

// "given c1 opens a" is HELLO, if the path is not known yet, and OPEN; "given s1 offers" likewise.
// What comes of them is not told.
static void
play_given (struct story *story)
{
    static char hello[] = "HELLO", open[] = "OPEN", offer[] = "OFFER";
    const size_t told = story->trace_used;
    const bool opens = strcmp (story->words[2], "opens") == 0;

    assert_true (opens || strcmp (story->words[2], "offers") == 0);
    story->words[0] = story->words[1];
    story->words[2] = hello;
    const struct link_number number = link_of (story, story->words[0])->number;
    if (!roster_link (core_roster (story->twin.live), number)) {
        play_message (story);
    }
    story->words[2] = opens ? open : offer;
    play_message (story);
    story->trace_used = told;
    story->trace[told] = '\0';
}

// Timers run when they are due; those who are kept alive say so each second.
static void
play_wait (struct story *story)
{
    const uint64_t end_ns = story->now_ns + strtoull (story->words[1], NULL, 10) * MS;

    while (story->now_ns < end_ns) {
        const uint64_t due_ns = core_deadline_ns (story->twin.live);
        uint64_t next_ns = story->now_ns + 1000 * MS < end_ns ? story->now_ns + 1000 * MS : end_ns;
        if (due_ns > story->now_ns && due_ns < next_ns) {
            next_ns = due_ns;
        }
        pass (story, next_ns);
        for (size_t i = 3; i < story->words_count; i++) {
            const struct story_link *link = link_of (story, story->words[i]);
            const struct epoch epoch = core_epoch (story->twin.live);
            const struct msg msg = { .kind = MSG_HEARTBEAT, .epoch = epoch };
            struct event event = {
                .kind = EVENT_MESSAGE, .link = link->number,
                .principal = story_text (link->principal), .msg = &msg,
            };
            step (story, &event, "keeping");
        }
        if (core_deadline_ns (story->twin.live) <= story->now_ns) {
            step (story, &(struct event) { .kind = EVENT_TICK }, NULL);
        }
    }
}

static void
play_line (struct story *story)
{
    if (story->words_count > 2 && strcmp (story->words[0], "given") == 0) {
        play_given (story);
    } else if (story->words_count > 2 && strcmp (story->words[1], "->") == 0) {
        play_message (story);
    } else if (story_says (story, "start")) {
        step (story, &(struct event) { .kind = EVENT_START }, NULL);
    } else if (story_says (story, "crash")) {
        twin_crash (&story->twin, story->twin.records_count);
        step (story, &(struct event) { .kind = EVENT_START }, NULL);
    } else if (story_says (story, "lost")) {
        struct event event = {
            .kind = EVENT_LINK_LOST, .link = link_of (story, story->words[1])->number,
        };
        step (story, &event, NULL);
    } else if (story_says (story, "wait")) {
        play_wait (story);
    } else if (story_says (story, "memory")) {
        story->capacity.memory_free_bytes = strtoull (story->words[1], NULL, 10);
    } else if (story_says (story, "disk")) {
        story->capacity.disk_free_bytes = strtoull (story->words[1], NULL, 10);
    } else {
        fail_msg ("a story cannot do this: %s", story->words[0]);
    }
}

static void
play_all (struct story *story, const char *text)
{
    while (*text) {
        const size_t size = strcspn (text, "\n");
        assert_true (size < LINE_BYTES);
        memcpy (story->line, text, size);
        story->line[size] = '\0';
        text += size + (text[size] == '\n');
        if (strstr (story->line, " <- ")) continue;
        trace (story, "%s\n", story->line);
        split (story);
        play_line (story);
    }
}

void
story_play (const struct core_options *options, const char *text)
{
    const struct core_options usual = story_options ();
    struct story *story = calloc (1, sizeof *story);

    assert_non_null (story);
    twin_init (&story->twin, options ? options : &usual);
    story->now_ns = 1000 * MS;
    story->utc_ms = 1700000000000u;
    story->capacity = (struct capacity) { 1000000, 1000000, 1000000, 1000000 };
    step (story, &(struct event) { .kind = EVENT_START }, NULL);
    play_all (story, text);
    if (strcmp (story->trace, text) != 0) {
        printf ("the core did:\n%s\nwanted was:\n%s\n", story->trace, text);
        fail_msg ("the story went another way");
    }
    twin_fini (&story->twin);
    free (story);
}
