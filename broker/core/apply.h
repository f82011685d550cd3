// SPDX-License-Identifier: MPL-2.0
// apply.h is the only writer of the book: one record in, the book changed. Manager, recovery and
// standby share it. It cannot fail: apply_reserve has taken what it needs before. Records of
// objects that the book does not know are skipped: their beginning left the log with its front,
// and their end follows.
#ifndef BATON_APPLY_H
#define BATON_APPLY_H

#include "broker/core/book.h"
#include "broker/core/record.h"

enum { APPLY_BLOBS_MAX = 5 };

// What one record needs: taken by apply piece by piece, or given back by apply_room_clear.
struct apply_room {
    struct session *session;
    struct actor *actor;
    struct former *former;
    struct server *server;
    struct blob *blobs[APPLY_BLOBS_MAX];
    struct blob *bodies;       // where bodies go that do not stay in the record's bytes
    size_t bodies_used_bytes;
    struct request *requests[LIMIT_RECORD_ITEMS_MAX];
    uint32_t requests_count;
    struct response *responses[LIMIT_RECORD_ITEMS_MAX + 1];
    uint32_t responses_count;
};

// apply_reserve takes what [record] will need into [room], which must be clear, and makes the
// book's own room. BATON_NO_MEMORY leaves the room clear and the book as it was.
enum baton_err
apply_reserve (struct book *book, const struct record *record, struct apply_room *room);

// apply changes the book by one record. [home] has its bytes: bodies stay in them, unless larger
// restart data would stay with them.
void
apply (struct book *book, const struct record *record, struct blob *home,
       struct apply_room *room);

// apply_room_clear gives back what apply did not take.
void
apply_room_clear (const struct memory *memory, struct apply_room *room);

#endif
