// SPDX-License-Identifier: MPL-2.0
#include "tests/sim/mutant.h"

#include "proto/mutant.h"

#include <ctype.h>
#include <string.h>

#define X(name, text) +1
enum { MUTANTS_COUNT = 1 BATON_MUTANT_LIST (X) };
#undef X

struct entry { const char *name; const char *text; };

static const struct entry entries[MUTANTS_COUNT] = {
#define X(name, text) [MUTANT_##name] = { #name, text },
    BATON_MUTANT_LIST (X)
#undef X
};

// The one place where the second program keeps what it was asked for.
static bool chosen[MUTANTS_COUNT];

bool
mutant_is_chosen (enum mutant mutant)
{
    return chosen[mutant];
}

// The list has names as macros have them; people write them small.
static bool
is_same (const char *macro, const char *name)
{
    while (*macro && tolower ((unsigned char) *macro) == tolower ((unsigned char) *name)) {
        macro++;
        name++;
    }
    return !*macro && !*name;
}

bool
mutant_choose (const char *name)
{
    for (size_t i = 1; i < MUTANTS_COUNT; i++) {
        if (is_same (entries[i].name, name)) {
            chosen[i] = true;
            return true;
        }
    }
#define X(pair, first, second, text) \
    if (is_same (#pair, name)) { \
        chosen[MUTANT_##first] = true; \
        chosen[MUTANT_##second] = true; \
        return true; \
    }
    MUTANT_PAIRS (X)
#undef X
    return false;
}

// Masked by another rule, so that they count only in a pair.
static bool
is_masked (enum mutant mutant)
{
    return mutant == MUTANT_SERVER_FENCE_OFF;
}

static void
print_entry (FILE *out, const char *name, const char *text)
{
    enum { NAME_COLUMNS = 36 };
    char small[NAME_COLUMNS + 1];
    size_t i = 0;

    for (; name[i] && i < NAME_COLUMNS; i++) {
        small[i] = (char) tolower ((unsigned char) name[i]);
    }
    small[i] = '\0';
    fprintf (out, "%-*s %s\n", NAME_COLUMNS, small, text);
}

void
mutant_print (FILE *out)
{
    for (size_t i = 1; i < MUTANTS_COUNT; i++) {
        if (!is_masked ((enum mutant) i)) {
            print_entry (out, entries[i].name, entries[i].text);
        }
    }
#define X(pair, first, second, text) print_entry (out, #pair, text);
    MUTANT_PAIRS (X)
#undef X
}
