// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/paths.h"

#include "proto/assert.h"

#include <string.h>

void
paths_init (struct paths *paths, const struct memory *memory, uint64_t hash_seed)
{
    memset (paths, 0, sizeof *paths);
    paths->memory = memory;
    paths->hash_seed = hash_seed;
    table_init (&paths->by_number);
    table_init (&paths->by_address);
    queue_init (&paths->waiting);
    queue_init (&paths->lost);
}

void
paths_fini (struct paths *paths)
{
    while (paths_take_lost (paths).n > 0) {
    }
    ASSERT (paths->by_number.count == 0);
    table_fini (&paths->by_number, paths->memory);
    table_fini (&paths->by_address, paths->memory);
}

uint64_t
paths_hash (const struct paths *paths, uint32_t door, const struct address *address)
{
    const struct baton_bytes bytes = {address->bytes, address->size};

    return hash_names (paths->hash_seed + door, bytes, (struct baton_bytes) {0});
}

struct path *
paths_make (struct paths *paths, struct queue *heard, uint32_t door,
            const struct address *address)
{
    if (table_reserve (&paths->by_number, paths->memory, 1) != BATON_OK
        || table_reserve (&paths->by_address, paths->memory, 1) != BATON_OK) {
        return NULL;
    }
    struct path *path = memory_alloc (paths->memory, sizeof *path);
    if (!path) return NULL;
    memset (path, 0, sizeof *path);
    path->number.n = ++paths->last_number;
    path->door = door;
    path->address = *address;
    queue_init (&path->in_waiting);
    queue_init (&path->in_heard);
    queue_push (heard, &path->in_heard);
    table_add (&paths->by_number, &path->by_number,
               hash_number (paths->hash_seed, path->number.n));
    table_add (&paths->by_address, &path->by_address, paths_hash (paths, door, address));
    return path;
}

// What an address is looked up by.
struct place { uint32_t door; const struct address *address; };

static bool
is_at (const struct table_node *node, const void *key)
{
    const struct place *place = key;
    const struct path *path = (const struct path *) (const void *)
        ((const unsigned char *) node - offsetof (struct path, by_address));

    return path->door == place->door && path->address.size == place->address->size
           && memcmp (path->address.bytes, place->address->bytes, place->address->size) == 0;
}

static bool
has_number (const struct table_node *node, const void *key)
{
    const struct link_number *number = key;
    const struct path *path = (const struct path *) (const void *)
        ((const unsigned char *) node - offsetof (struct path, by_number));

    return path->number.n == number->n;
}

struct path *
paths_at (const struct paths *paths, uint32_t door, const struct address *address)
{
    const struct place place = {door, address};
    struct table_node *node = table_find (&paths->by_address, paths_hash (paths, door, address),
                                          is_at, &place);

    return node ? table_owner (node, struct path, by_address) : NULL;
}

struct path *
paths_numbered (const struct paths *paths, struct link_number number)
{
    struct table_node *node = table_find (&paths->by_number,
                                          hash_number (paths->hash_seed, number.n), has_number,
                                          &number);

    return node ? table_owner (node, struct path, by_number) : NULL;
}

enum baton_err
paths_hold (struct paths *paths, struct path *path, struct port_frame *frame)
{
    struct path_frame *waiting = memory_alloc (paths->memory, sizeof *waiting);

    if (!waiting) return BATON_NO_MEMORY;
    // A frame is plain bytes that may be moved, as libzmq moves its messages through its pipes.
    *waiting = (struct path_frame) {NULL, *frame, port_frame_view (frame).size};
    if (path->last) {
        path->last->next = waiting;
    } else {
        path->first = waiting;
        queue_push (&paths->waiting, &path->in_waiting);
    }
    path->last = waiting;
    path->waiting_bytes += waiting->bytes;
    return BATON_OK;
}

void
paths_pop (struct paths *paths, struct path *path, struct port_frame *frame)
{
    struct path_frame *oldest = path->first;

    ASSERT (oldest);
    path->first = oldest->next;
    if (!path->first) {
        path->last = NULL;
        queue_remove (&path->in_waiting);
    }
    path->waiting_bytes -= oldest->bytes;
    *frame = oldest->frame;
    memory_release (paths->memory, oldest, sizeof *oldest);
}

// Out of both tables, with nothing left to send.
static void
strip (struct paths *paths, struct path *path)
{
    struct port_frame frame;

    while (path->first) {
        paths_pop (paths, path, &frame);
        port_frame_fini (&frame);
    }
    queue_remove (&path->in_heard);
    table_remove (&paths->by_number, &path->by_number);
    table_remove (&paths->by_address, &path->by_address);
}

void
paths_drop (struct paths *paths, struct path *path)
{
    strip (paths, path);
    memory_release (paths->memory, path, sizeof *path);
}

void
paths_lose (struct paths *paths, struct path *path)
{
    strip (paths, path);
    queue_push (&paths->lost, &path->in_heard);
}

struct link_number
paths_take_lost (struct paths *paths)
{
    struct queue *first = queue_first (&paths->lost);

    if (!first) return (struct link_number) {0};
    struct path *path = queue_owner (first, struct path, in_heard);
    const struct link_number number = path->number;
    queue_remove (first);
    memory_release (paths->memory, path, sizeof *path);
    return number;
}
