// SPDX-License-Identifier: MPL-2.0
// findings.h looks through a broker's status for what its operator should act on.
#ifndef BATON_TOOLS_FINDINGS_H
#define BATON_TOOLS_FINDINGS_H

#include <jansson.h>

// findings_of returns a new array of sentences, each with thing, value, limit and next step; empty
// if all is well. NULL without memory.
json_t *
findings_of (const json_t *status);

#endif
