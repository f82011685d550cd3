// SPDX-License-Identifier: MPL-2.0
// describe.h says in words what a message says, for the chart: for people who do not know the code.
#ifndef BATON_TESTS_DESCRIBE_H
#define BATON_TESTS_DESCRIBE_H

#include "proto/msg.h"

enum { DESCRIPTION_BYTES = 400 };

// describe_msg writes a description of [msg] to [text], cut at its end.
void
describe_msg (const struct msg *msg, char text[DESCRIPTION_BYTES]);

#endif
