// SPDX-License-Identifier: MPL-2.0
// assert.c is the assert hook of the tests: a failed ASSERT goes to cmocka, so that
// expect_assert_failure can show that it fires, and any other one fails the test.
#include "proto/assert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

void
assert_failed (const char *condition, const char *file, int line)
{
    mock_assert (0, condition, file, line);
    // mock_assert jumps out; the compiler cannot know.
    abort ();
}
