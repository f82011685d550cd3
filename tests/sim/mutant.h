// SPDX-License-Identifier: MPL-2.0
// mutant.h chooses which rules the second program, baton-sim-mutants, leaves out (proto/mutant.h).
// In baton-sim itself there is nothing to choose: it hands these options on to the second program.
#ifndef BATON_TESTS_MUTANT_H
#define BATON_TESTS_MUTANT_H

#include <stdbool.h>
#include <stdio.h>

// Rules that are taken out together: each alone is covered by the other, or by a third.
#define MUTANT_PAIRS(X) \
    X (server_fence_and_version_off, SERVER_FENCE_OFF, VERSION_CHECK_OFF, \
       "a server's commit is taken whatever incarnation and version it builds on")

// mutant_choose takes out the rule, or the pair of rules, with this name from now on, for the rest
// of the process. False: there is none, and nothing is taken out.
bool
mutant_choose (const char *name);

// mutant_print lists all that there is to choose: the name, two spaces at least, and what the
// program does wrong then.
void
mutant_print (FILE *out);

#endif
