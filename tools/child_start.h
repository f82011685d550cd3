// SPDX-License-Identifier: MPL-2.0
// child_start.h is the part of child.h between fork and exec: pipes, environment, process group.
#ifndef BATON_TOOLS_CHILD_START_H
#define BATON_TOOLS_CHILD_START_H

#include "tools/child.h"

// child_launch starts [command] and fills the pid and descriptors of [child], whose request is
// set. Nothing is left behind where it fails: BATON_BUSY if there is no descriptor or process to
// be had, BATON_NO_MEMORY.
enum baton_err
child_launch (struct child *child, const struct child_command *command);

#endif
