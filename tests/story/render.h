// SPDX-License-Identifier: MPL-2.0
// render.h turns effects into lines of text, short enough to be read and compared in a test.
#ifndef BATON_TESTS_RENDER_H
#define BATON_TESTS_RENDER_H

#include "broker/core/effect.h"

enum { RENDER_NAMES_MAX = 64, RENDER_NAME_BYTES = 24, RENDER_LINE_BYTES = 512 };

// Names for ids, so that a trace says "a" where the wire has 128 bits.
struct render_names {
    struct { struct id id; char name[RENDER_NAME_BYTES]; } items[RENDER_NAMES_MAX];
    size_t count;
};

// render_names_add gives [id] a name; the newest one counts.
void
render_names_add (struct render_names *names, struct id id, struct baton_bytes name);

// render_effect writes one line without its receiver: "OPENED a incarnation=2 version=0 ...".
void
render_effect (const struct effect *effect, const struct render_names *names,
               char line[RENDER_LINE_BYTES]);

#endif
