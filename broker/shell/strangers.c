// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/strangers.h"

#include "proto/limits.h"

#include <string.h>

#define MS_NS UINT64_C (1000000)
#define WINDOW_NS (10000 * MS_NS)

void
strangers_init (struct strangers *strangers, uint32_t faults_max)
{
    memset (strangers, 0, sizeof *strangers);
    strangers->faults_max = faults_max;
}

static struct stranger *
find (struct strangers *strangers, uint64_t hash)
{
    struct stranger *place = &strangers->places[hash % STRANGERS_COUNT];

    return place->hash == hash ? place : NULL;
}

static struct stranger *
take_place (struct strangers *strangers, uint64_t hash)
{
    struct stranger *place = &strangers->places[hash % STRANGERS_COUNT];

    if (place->hash != hash) {
        *place = (struct stranger) {.hash = hash};
    }
    return place;
}

bool
strangers_is_shunned (struct strangers *strangers, uint64_t hash, uint64_t now_ns)
{
    struct stranger *stranger = find (strangers, hash);

    if (!stranger || stranger->shunned_until_ns == 0) return false;
    if (now_ns >= stranger->shunned_until_ns) {
        *stranger = (struct stranger) {.hash = hash};
        return false;
    }
    stranger->shunned_until_ns = now_ns + LIMIT_SHUN_MS * MS_NS;
    return true;
}

bool
strangers_fault (struct strangers *strangers, uint64_t hash, uint64_t now_ns)
{
    struct stranger *stranger = take_place (strangers, hash);

    if (stranger->faults_count == 0 || now_ns - stranger->since_ns > WINDOW_NS) {
        stranger->since_ns = now_ns;
        stranger->faults_count = 0;
    }
    stranger->faults_count++;
    if (stranger->faults_count <= strangers->faults_max) return false;
    stranger->shunned_until_ns = now_ns + LIMIT_SHUN_MS * MS_NS;
    return true;
}

bool
strangers_may_answer (struct strangers *strangers, uint64_t hash, uint64_t now_ns)
{
    struct stranger *stranger = take_place (strangers, hash);

    if (stranger->answered_ns != 0
        && now_ns - stranger->answered_ns < LIMIT_STRANGER_ANSWER_MS * MS_NS) {
        return false;
    }
    stranger->answered_ns = now_ns;
    return true;
}
