// SPDX-License-Identifier: MPL-2.0
// check.h walks the whole book and asserts what must hold after every record. Tests and the
// simulator call it after each step.
//
// 1. Marks rise in order: consumed <= accepted for requests, consumed <= last for responses.
// 2. A queue holds what its numbers say: open requests at their places, and every response from
//    the first unconsumed one to the last.
// 3. Counts and bytes of sessions, servers and the book are the sums of what they hold.
// 4. Incarnations are indexes of records in the log, and none is shared by the two ends.
// 5. A session has a server exactly if it has a server end; both ends point at each other.
// 6. Nothing is newer than the newest record.
// 7. A request that reached the limit of attempts is not open any more.
#ifndef BATON_CHECK_H
#define BATON_CHECK_H

#include "broker/core/book.h"

// book_check asserts all of the above; [attempts_max] is the limit of 7.
void
book_check (const struct book *book, uint32_t attempts_max);

#endif
