// SPDX-License-Identifier: MPL-2.0
#include "proto/errors.h"

const char *
baton_strerror (enum baton_err error)
{
    switch (error) {
    case BATON_OK: return "success";
#define X(name, number, text) case BATON_##name: return text;
        BATON_ERRORS (X)
#undef X
    }
    return "an error number that this library does not know";
}

const char *
refusal_name (enum refusal refusal)
{
    switch (refusal) {
#define X(name, number, text) case REFUSAL_##name: return #name;
        BATON_REFUSALS (X)
#undef X
    }
    return "?";
}

const char *
refusal_text (enum refusal refusal)
{
    switch (refusal) {
#define X(name, number, text) case REFUSAL_##name: return text;
        BATON_REFUSALS (X)
#undef X
    }
    return "?";
}
