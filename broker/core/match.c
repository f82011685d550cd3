// SPDX-License-Identifier: MPL-2.0
#include "broker/core/match.h"

#include "proto/assert.h"

static struct baton_bytes
default_set (void)
{
    return (struct baton_bytes) { MATCH_DEFAULT_SET, sizeof MATCH_DEFAULT_SET - 1 };
}

bool
match_set_is_default (struct baton_bytes set)
{
    return set.size == 0 || attribute_bytes_equal (set, default_set ());
}

static enum match
empty_match (const struct match_offer *offer, struct evaluation *evaluation)
{
    const enum match match = match_set_is_default (offer->set) ? MATCH_YES : MATCH_NO;
    *evaluation = (struct evaluation) { match, EVALUATION_NO_TERM, 0 };
    return match;
}

enum match
match_evaluate (const struct requirement *requirement, const struct match_offer *offer,
                struct evaluation *evaluation)
{
    if (requirement->count == 0) return empty_match (offer, evaluation);
    const struct baton_bytes set = offer->set.size > 0 ? offer->set : default_set ();
    const struct attribute items[] = {
        { .key = { "set", 3 }, .value = value_text (set) },
        { .key = { "name", 4 }, .value = value_text (offer->name) },
    };
    const struct attributes implied = { items, sizeof items / sizeof items[0] };
    return requirement_evaluate (requirement, &implied, &offer->attributes, evaluation);
}

// A product of 64 and 32 bits: high is worth 2^32 of low.
struct product {
    uint64_t high;
    uint64_t low;
};

static struct product
product_of (uint64_t a, uint32_t b)
{
    const uint64_t low = (a & UINT32_MAX) * b;
    return (struct product) { (a >> 32) * b + (low >> 32), low & UINT32_MAX };
}

static int
product_compare (struct product a, struct product b)
{
    if (a.high != b.high) return a.high < b.high ? -1 : 1;
    return (a.low > b.low) - (a.low < b.low);
}

// a / x < b / y is a * y < b * x: no fractions, so equal loads are equal and no order depends on
// rounding.
static int
load_compare (const struct candidate *a, const struct candidate *b)
{
    ASSERT (a->capacity > 0);
    ASSERT (b->capacity > 0);
    return product_compare (product_of (a->outstanding_count, b->capacity),
                            product_of (b->outstanding_count, a->capacity));
}

bool
candidate_is_better (const struct candidate *a, const struct candidate *b)
{
    if (a->readiness != b->readiness) return a->readiness == CANDIDATE_ACCEPTS;
    const int load = load_compare (a, b);
    if (load != 0) return load < 0;
    if (a->idle_since_ns != b->idle_since_ns) return a->idle_since_ns < b->idle_since_ns;
    return attribute_bytes_compare (a->name, b->name) < 0;
}

void
match_miss_init (struct match_miss *miss)
{
    *miss = (struct match_miss) { .reason = MISS_NO_SERVER };
}

static bool
got_further (const struct match_miss *miss, const struct match_offer *offer,
             const struct evaluation *evaluation)
{
    if (miss->reason == MISS_NO_SERVER) return true;
    if (evaluation->passed_count != miss->passed_count) {
        return evaluation->passed_count > miss->passed_count;
    }
    return attribute_bytes_compare (offer->name, miss->server) < 0;
}

void
match_miss_note (struct match_miss *miss, const struct match_offer *offer,
                 const struct evaluation *evaluation)
{
    ASSERT (evaluation->match != MATCH_YES);
    if (!got_further (miss, offer, evaluation)) return;
    miss->reason = evaluation->failed_index == EVALUATION_NO_TERM ? MISS_NOT_DEFAULT : MISS_TERM;
    miss->server = offer->name;
    miss->failed_index = evaluation->failed_index;
    miss->passed_count = evaluation->passed_count;
}
