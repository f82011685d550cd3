// SPDX-License-Identifier: MPL-2.0
// library_assert.c is the assert hook inside libbaton: a fault of our own stops the program before
// damage spreads. Nothing that an application or a broker does can get here.
#include "proto/assert.h"

#include <stdio.h>
#include <stdlib.h>

void
assert_failed (const char *condition, const char *file, int line)
{
    (void) fprintf (stderr, "libbaton: fault of its own at %s:%d: %s; please report it\n", file,
                    line, condition);
    abort ();
}
