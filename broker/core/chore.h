// SPDX-License-Identifier: MPL-2.0
// chore.h has what is to be done without anybody having spoken: silent links are dropped, gone
// servers ended and their offers retired, sessions closed whose client stayed away, old offers
// written anew, sessions placed. One chore at a time makes a record; the rest follows by
// EVENT_CONTINUE.
#ifndef BATON_CHORE_H
#define BATON_CHORE_H

#include "broker/core/announce.h"

// chore_due does what needs no record and decides the first thing that does.
// Returns VERDICT_RECORD with [decision] filled, or VERDICT_NOTHING.
enum verdict
chore_due (const struct stage *stage, struct decision *decision);

// chore_deadline_ns returns when chore_due is to be called next, UINT64_MAX for never.
uint64_t
chore_deadline_ns (const struct book *book, const struct roster *roster,
                   const struct core_options *options);

#endif
