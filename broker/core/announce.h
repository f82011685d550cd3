// SPDX-License-Identifier: MPL-2.0
// announce.h tells the ends what a record, an answer or a refusal means for them, and notes in
// the roster what has been told. It never changes the book.
#ifndef BATON_ANNOUNCE_H
#define BATON_ANNOUNCE_H

#include "broker/core/decide.h"
#include "broker/core/flow.h"

// Effects that announcing one decision makes at the most, beside what flows.
#define ANNOUNCE_EFFECTS_MAX 8u

// announce tells of a record that has been applied, or of an answer that needed none.
void
announce (const struct stage *stage, const struct decision *decision);

// announce_refusal tells the one who spoke why nothing happened, and counts it.
void
announce_refusal (const struct stage *stage, const struct decision *decision);

// announce_backoff lets sessions be served again whose wait after a reject is over.
void
announce_backoff (const struct stage *stage);

// announce_silence lets the sessions of a server that is over due be placed elsewhere.
void
announce_silence (const struct stage *stage, const struct server *server);

#endif
