// SPDX-License-Identifier: MPL-2.0
// feed.h cuts input into requests: all of it is one, or each line is one. Bytes are put in by the
// caller; nothing is read here.
#ifndef BATON_TOOLS_FEED_H
#define BATON_TOOLS_FEED_H

#include "proto/bytes.h"
#include "proto/errors.h"

#include <stddef.h>
#include <stdint.h>

enum feed_cut { FEED_WHOLE = 1, FEED_LINES = 2 };
enum feed_state { FEED_OPEN = 1, FEED_ENDED = 2, FEED_EMPTY = 3 };

struct feed {
    enum feed_cut cut;
    enum feed_state state;
    size_t request_max_bytes;
    char *data;
    size_t capacity_bytes;
    size_t start_bytes;   // what is before was given out
    size_t used_bytes;
    size_t scanned_bytes; // no line end before
};

// feed_init starts an empty feed whose requests have at most [request_max_bytes].
void
feed_init (struct feed *feed, enum feed_cut cut, size_t request_max_bytes);

void
feed_fini (struct feed *feed);

// feed_room returns where to put the next bytes, *[size_bytes] at most, at least 1; NULL without
// memory. Requests given out before are void then.
char *
feed_room (struct feed *feed, size_t *size_bytes);

// feed_add says that [size_bytes] were put there.
void
feed_add (struct feed *feed, size_t size_bytes);

// feed_end says that no more will come.
void
feed_end (struct feed *feed);

// feed_next takes the next request. A line comes without its end; what stands behind the last line
// end is a line too. Input of no bytes is one empty request, or no line.
//
// Errors: BATON_NOT_FOUND if none is complete (then all are done if the feed was ended);
// BATON_TOO_LARGE, as long as the next one is over the limit.
enum baton_err
feed_next (struct feed *feed, struct baton_bytes *request);

#endif
