// SPDX-License-Identifier: MPL-2.0
#include "broker/core/actor.h"

#include <string.h>

bool
former_has (const struct former *former, struct id instance)
{
    for (uint8_t i = 0; former && i < former->count; i++) {
        if (id_equal (former->instances[i], instance)) return true;
    }
    return false;
}

void
former_add (struct former *former, struct id instance)
{
    if (former->count == LIMIT_FORMER_INSTANCES) {
        memmove (former->instances, former->instances + 1,
                 (LIMIT_FORMER_INSTANCES - 1) * sizeof *former->instances);
        former->count--;
    }
    former->instances[former->count++] = instance;
}
