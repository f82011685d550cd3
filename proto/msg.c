// SPDX-License-Identifier: MPL-2.0
#include "proto/msg.h"

const char *
msg_kind_name (enum msg_kind kind)
{
    switch (kind) {
#define X(name, number) case MSG_##name: return #name;
        BATON_MESSAGES (X)
#undef X
    }
    return "?";
}
