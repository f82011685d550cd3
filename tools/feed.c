// SPDX-License-Identifier: MPL-2.0
#include "tools/feed.h"

#include "proto/assert.h"

#include <stdlib.h>
#include <string.h>

// What one read asks for at least: fewer calls, and small enough to come from a pipe at once.
#define ROOM_BYTES 65536u

void
feed_init (struct feed *feed, enum feed_cut cut, size_t request_max_bytes)
{
    memset (feed, 0, sizeof *feed);
    feed->cut = cut;
    feed->state = FEED_OPEN;
    feed->request_max_bytes = request_max_bytes;
}

void
feed_fini (struct feed *feed)
{
    free (feed->data);
    feed->data = NULL;
}

static void
move_to_front (struct feed *feed)
{
    if (feed->start_bytes == 0) return;

    memmove (feed->data, feed->data + feed->start_bytes, feed->used_bytes - feed->start_bytes);
    feed->used_bytes -= feed->start_bytes;
    feed->scanned_bytes -= feed->start_bytes;
    feed->start_bytes = 0;
}

char *
feed_room (struct feed *feed, size_t *size_bytes)
{
    if (feed->data) {
        move_to_front (feed);
    }
    if (feed->capacity_bytes - feed->used_bytes < ROOM_BYTES) {
        size_t capacity_bytes = feed->capacity_bytes * 2 + 2 * ROOM_BYTES;
        char *data = realloc (feed->data, capacity_bytes);
        if (!data) return NULL;
        feed->data = data;
        feed->capacity_bytes = capacity_bytes;
    }
    *size_bytes = feed->capacity_bytes - feed->used_bytes;
    return feed->data + feed->used_bytes;
}

void
feed_add (struct feed *feed, size_t size_bytes)
{
    ASSERT (size_bytes <= feed->capacity_bytes - feed->used_bytes);
    feed->used_bytes += size_bytes;
}

void
feed_end (struct feed *feed)
{
    if (feed->state == FEED_OPEN) {
        feed->state = FEED_ENDED;
    }
}

static enum baton_err
give (struct feed *feed, size_t size_bytes, struct baton_bytes *request)
{
    if (size_bytes > feed->request_max_bytes) return BATON_TOO_LARGE;

    request->data = size_bytes > 0 ? feed->data + feed->start_bytes : NULL;
    request->size = size_bytes;
    return BATON_OK;
}

// All that is left, once no more will come.
static enum baton_err
give_rest (struct feed *feed, struct baton_bytes *request)
{
    size_t size_bytes = feed->used_bytes - feed->start_bytes;

    if (size_bytes > feed->request_max_bytes) return BATON_TOO_LARGE;
    if (feed->state != FEED_ENDED) return BATON_NOT_FOUND;
    feed->state = FEED_EMPTY;
    if (feed->cut == FEED_LINES && size_bytes == 0) return BATON_NOT_FOUND;
    enum baton_err error = give (feed, size_bytes, request);
    feed->start_bytes = feed->used_bytes;
    feed->scanned_bytes = feed->used_bytes;
    return error;
}

static enum baton_err
give_line (struct feed *feed, struct baton_bytes *request)
{
    size_t left = feed->used_bytes - feed->scanned_bytes;
    const char *end = left > 0 ? memchr (feed->data + feed->scanned_bytes, '\n', left) : NULL;

    if (!end) {
        feed->scanned_bytes = feed->used_bytes;
        return give_rest (feed, request);
    }
    size_t through_bytes = (size_t) (end - feed->data);
    enum baton_err error = give (feed, through_bytes - feed->start_bytes, request);
    if (error) return error;
    feed->start_bytes = through_bytes + 1;
    feed->scanned_bytes = through_bytes + 1;
    return BATON_OK;
}

enum baton_err
feed_next (struct feed *feed, struct baton_bytes *request)
{
    if (feed->state == FEED_EMPTY) return BATON_NOT_FOUND;

    return feed->cut == FEED_LINES ? give_line (feed, request) : give_rest (feed, request);
}
