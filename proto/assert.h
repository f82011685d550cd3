// SPDX-License-Identifier: MPL-2.0
// assert.h has ASSERT, which stays on in every build: what we do wrong stops the process
// before damage spreads. Input from outside is refused, never asserted (docs/style.md).
#ifndef BATON_ASSERT_H
#define BATON_ASSERT_H

// assert_failed never returns. A program provides it; in tests it is cmocka's mock_assert.
#if defined(__GNUC__)
__attribute__ ((noreturn))
#endif
void
assert_failed (const char *condition, const char *file, int line);

#define ASSERT(condition) \
    ((condition) ? (void) 0 : assert_failed (#condition, __FILE__, __LINE__))

#endif
