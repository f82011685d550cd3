// SPDX-License-Identifier: MPL-2.0
// human.h writes numbers as people read them. The unit is the last word of a value's name, as
// everywhere in Baton: "silent_ms", "queue_bytes". Machines get the plain number (--json).
#ifndef BATON_TOOLS_HUMAN_H
#define BATON_TOOLS_HUMAN_H

#include <stddef.h>
#include <stdint.h>

// Enough for every text that human_number makes, with its NUL.
#define HUMAN_MAX_BYTES 32

// human_number writes [number] in the unit that [name] ends with: "1.5 MiB", "3 min 20 s".
// Without a unit the digits stand in groups of three.
void
human_number (const char *name, uint64_t number, char text[HUMAN_MAX_BYTES]);

// human_title returns how many bytes of [name] make a heading: all but the unit, which the values
// show themselves.
size_t
human_title_bytes (const char *name);

#endif
