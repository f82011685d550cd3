// SPDX-License-Identifier: MPL-2.0
// story_part.h is what story.c and story_say.c share: the one plays lines, the other makes messages
// of them. Nobody else includes it.
#ifndef BATON_TESTS_STORY_PART_H
#define BATON_TESTS_STORY_PART_H

#include "tests/story/render.h"
#include "tests/story/twin.h"

enum {
    LINKS_MAX = 32,
    WORDS_MAX = 24,
    LINE_BYTES = 512,
    TRACE_BYTES = 65536,
    ITEMS_MAX = 300,
    PAD_MAX = 1 << 20,
};
#define MS UINT64_C (1000000)

struct story_link { char name[16]; char principal[16]; struct link_number number; };

struct story {
    struct twin twin;
    struct render_names names;
    struct story_link links[LINKS_MAX];
    size_t links_count;
    uint64_t now_ns;
    uint64_t utc_ms;
    struct capacity capacity;
    char trace[TRACE_BYTES];
    size_t trace_used;
    // The line that is played.
    char line[LINE_BYTES];
    char *words[WORDS_MAX];
    size_t words_count;
    struct msg msg;
    struct msg_part part;
    struct msg_request requests[ITEMS_MAX];
    struct msg_response responses[ITEMS_MAX];
    unsigned char stored[4096];
    unsigned char pad[PAD_MAX];
};

// story_says tells whether [word] is in the line.
bool
story_says (const struct story *story, const char *word);

// story_text returns the bytes of [text]; none of NULL.
struct baton_bytes
story_text (const char *text);

// story_option returns what stands behind "key=" in the line, NULL if it is not there.
const char *
story_option (const struct story *story, const char *key);

// story_fill makes the message that the line says; [link] says it.
void
story_fill (struct story *story, const struct story_link *link);

#endif
