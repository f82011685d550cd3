// SPDX-License-Identifier: MPL-2.0
#include "tests/support/disk_sim.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/disk_inode.h"

#define NAME_MAX_BYTES 64
#define NONE SIZE_MAX

struct name {
    char text[NAME_MAX_BYTES];
    size_t inode;
};

struct names {
    struct name *list;
    size_t count;
};

// A change of the directory: [from] empty is a new file, [to] empty a removal.
struct change {
    char from[NAME_MAX_BYTES];
    char to[NAME_MAX_BYTES];
    size_t inode;
};

struct handle {
    size_t inode;
    enum disk_open how;
    bool open;
};

struct disk_sim {
    struct disk disk;
    uint64_t random;
    struct inode *inodes;
    size_t inode_count;
    struct names cache;
    struct names certain;
    struct change *changes;
    size_t change_count;
    struct handle *handles;
    size_t handle_count;
    bool locked;
    // Planned faults, as numbers of calls; 0: none.
    uint64_t stop_at;
    uint64_t fail_at;
    uint64_t fail_sync_at;
    enum baton_err fail_error;
    bool stopped;
    uint64_t total_bytes;
    enum disk_sim_access access;
    struct disk_sim_counts counts;
};

enum verdict {
    GOES_ON = 1,
    // Does something in part, and says so to nobody.
    STOPS = 2,
    FAILS = 3,
};

uint64_t
disk_sim_random (struct disk_sim *sim)
{
    // SplitMix64.
    sim->random += 0x9e3779b97f4a7c15u;
    uint64_t mixed = sim->random;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

static bool
coin (struct disk_sim *sim)
{
    return disk_sim_random (sim) >> 63;
}

static size_t
names_find (const struct names *names, const char *text)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp (names->list[i].text, text) == 0) return i;
    }
    return NONE;
}

static void
names_take (struct names *names, const char *text)
{
    const size_t found = names_find (names, text);
    if (found == NONE) return;
    names->list[found] = names->list[--names->count];
}

static void
names_put (struct names *names, const char *text, size_t inode)
{
    names_take (names, text);
    names->list = grow (names->list, (names->count + 1) * sizeof *names->list);
    struct name *name = &names->list[names->count++];
    memset (name->text, 0, sizeof name->text);
    memcpy (name->text, text, strlen (text) + 1);
    name->inode = inode;
}

static void
names_copy (struct names *to, const struct names *from)
{
    to->list = grow (to->list, from->count * sizeof *to->list);
    to->count = from->count;
    if (from->count) {
        memcpy (to->list, from->list, from->count * sizeof *to->list);
    }
}

static void
names_apply (struct names *names, const struct change *change)
{
    if (change->from[0] && names_find (names, change->from) == NONE) return;
    if (change->from[0]) {
        names_take (names, change->from);
    }
    if (change->to[0]) {
        names_put (names, change->to, change->inode);
    }
}

static void
add_change (struct disk_sim *sim, const char *from, const char *to, size_t inode)
{
    sim->changes = grow (sim->changes, (sim->change_count + 1) * sizeof *sim->changes);
    struct change *change = &sim->changes[sim->change_count++];
    *change = (struct change) { .inode = inode };
    memcpy (change->from, from, strlen (from) + 1);
    memcpy (change->to, to, strlen (to) + 1);
    names_apply (&sim->cache, change);
}

// Counts a call and says what becomes of it.
static enum verdict
enter (struct disk_sim *sim, enum baton_err *error)
{
    const uint64_t call = ++sim->counts.calls;
    *error = BATON_DISK;
    if (sim->stopped) return FAILS;
    if (sim->stop_at && call >= sim->stop_at) {
        sim->stopped = true;
        return STOPS;
    }
    if (sim->fail_at && call == sim->fail_at) {
        *error = sim->fail_error;
        return FAILS;
    }
    *error = BATON_OK;
    return GOES_ON;
}

static bool
is_read_only (const struct disk_sim *sim)
{
    return sim->access == DISK_SIM_READ_ONLY;
}

static uint64_t
used_bytes (const struct disk_sim *sim)
{
    uint64_t used = 0;
    for (size_t i = 0; i < sim->cache.count; i++) {
        used += sim->inodes[sim->cache.list[i].inode].cache.size_bytes;
    }
    return used;
}

static struct inode *
inode_of (struct disk_sim *sim, int file)
{
    if (file < 0 || (size_t) file >= sim->handle_count || !sim->handles[file].open) abort ();
    return &sim->inodes[sim->handles[file].inode];
}

static enum baton_err
sim_lock (void *context)
{
    struct disk_sim *sim = context;
    enum baton_err error;
    if (enter (sim, &error) != GOES_ON) return error;
    if (sim->locked) return BATON_STORE_IN_USE;
    sim->locked = true;
    return BATON_OK;
}

static void
sim_unlock (void *context)
{
    struct disk_sim *sim = context;
    sim->locked = false;
}

static enum baton_err
sim_list (void *context, void (*visit) (void *listener, const char *name), void *listener)
{
    struct disk_sim *sim = context;
    enum baton_err error;
    if (enter (sim, &error) != GOES_ON) return error;
    // From the end: no caller may count on an order.
    for (size_t i = sim->cache.count; i > 0; i--) {
        visit (listener, sim->cache.list[i - 1].text);
    }
    return BATON_OK;
}

static int
add_handle (struct disk_sim *sim, size_t inode, enum disk_open how)
{
    size_t i = 0;
    while (i < sim->handle_count && sim->handles[i].open) {
        i++;
    }
    if (i == sim->handle_count) {
        sim->handles = grow (sim->handles, (i + 1) * sizeof *sim->handles);
        sim->handle_count++;
    }
    sim->handles[i] = (struct handle) { .inode = inode, .how = how, .open = true };
    return (int) i;
}

static enum baton_err
sim_create (void *context, const char *name, int *file)
{
    struct disk_sim *sim = context;
    enum baton_err error;
    if (strlen (name) >= NAME_MAX_BYTES) abort ();
    const enum verdict verdict = enter (sim, &error);
    if (verdict == FAILS) return error;
    if (is_read_only (sim)) return BATON_READ_ONLY;
    if (names_find (&sim->cache, name) != NONE) return BATON_DISK;
    sim->inodes = grow (sim->inodes, (sim->inode_count + 1) * sizeof *sim->inodes);
    sim->inodes[sim->inode_count] = (struct inode) { .pending_count = 0 };
    add_change (sim, "", name, sim->inode_count++);
    if (verdict == STOPS) return error;
    *file = add_handle (sim, sim->inode_count - 1, DISK_OPEN_WRITE);
    return BATON_OK;
}

static enum baton_err
sim_open (void *context, const char *name, enum disk_open how, int *file)
{
    struct disk_sim *sim = context;
    enum baton_err error;
    if (enter (sim, &error) != GOES_ON) return error;
    if (how == DISK_OPEN_WRITE && is_read_only (sim)) return BATON_READ_ONLY;
    const size_t found = names_find (&sim->cache, name);
    if (found == NONE) return BATON_NOT_FOUND;
    *file = add_handle (sim, sim->cache.list[found].inode, how);
    return BATON_OK;
}

static void
sim_close (void *context, int file)
{
    struct disk_sim *sim = context;
    if (file < 0 || (size_t) file >= sim->handle_count || !sim->handles[file].open) abort ();
    sim->handles[file].open = false;
}

static enum baton_err
sim_size (void *context, int file, uint64_t *size_bytes)
{
    struct disk_sim *sim = context;
    enum baton_err error;
    if (enter (sim, &error) != GOES_ON) return error;
    *size_bytes = inode_of (sim, file)->cache.size_bytes;
    return BATON_OK;
}

static void
must_be_blocks (uint64_t offset_bytes, size_t size_bytes, const void *data)
{
    if (offset_bytes % DISK_BLOCK_BYTES || size_bytes % DISK_BLOCK_BYTES) abort ();
    if ((uintptr_t) data % DISK_BLOCK_BYTES) abort ();
}

static enum baton_err
sim_read (void *context, int file, uint64_t offset_bytes, void *data, size_t size_bytes)
{
    struct disk_sim *sim = context;
    enum baton_err error;
    sim->counts.reads++;
    must_be_blocks (offset_bytes, size_bytes, data);
    if (enter (sim, &error) != GOES_ON) return error;
    struct inode *inode = inode_of (sim, file);
    if (sim->handles[file].how == DISK_OPEN_READ && inode->forgot) {
        inode_drop_cache (inode);
    }
    if (offset_bytes + size_bytes > inode->cache.size_bytes) return BATON_DISK;
    memcpy (data, inode->cache.bytes + offset_bytes, size_bytes);
    return BATON_OK;
}

static bool
has_room (const struct disk_sim *sim, const struct inode *inode, uint64_t end_bytes)
{
    if (sim->total_bytes == 0 || end_bytes <= inode->cache.size_bytes) return true;
    return used_bytes (sim) + (end_bytes - inode->cache.size_bytes) <= sim->total_bytes;
}

static enum baton_err
sim_write (void *context, int file, uint64_t offset_bytes, const void *data, size_t size_bytes)
{
    struct disk_sim *sim = context;
    enum baton_err error;
    sim->counts.writes++;
    must_be_blocks (offset_bytes, size_bytes, data);
    const enum verdict verdict = enter (sim, &error);
    if (verdict == FAILS) return error;
    struct inode *inode = inode_of (sim, file);
    if (sim->handles[file].how != DISK_OPEN_WRITE) abort ();
    if (!has_room (sim, inode, offset_bytes + size_bytes)) return BATON_DISK_FULL;
    if (verdict == STOPS) {
        // The process ended inside the call: a beginning was written.
        size_bytes = (size_t) (disk_sim_random (sim) % (size_bytes + 1));
        size_bytes -= size_bytes % DISK_SIM_SECTOR_BYTES;
    }
    inode_write (inode, offset_bytes, data, size_bytes);
    return error;
}

// Writes a drawn part of a pending write into what is certain.
static void
keep_some (struct disk_sim *sim, struct image *image, const struct pending *pending)
{
    const uint64_t draw = disk_sim_random (sim) % 3;
    if (draw == 0) return;
    if (draw == 1 || !pending->data) {
        image_apply (image, pending);
        return;
    }
    for (uint64_t at = 0; at < pending->size_bytes; at += DISK_SIM_SECTOR_BYTES) {
        const uint64_t left_bytes = pending->size_bytes - at;
        const uint64_t sector = left_bytes < DISK_SIM_SECTOR_BYTES
                                ? left_bytes : DISK_SIM_SECTOR_BYTES;
        if (coin (sim)) {
            image_write (image, pending->offset_bytes + at, pending->data + at, sector);
        }
    }
}

// In a drawn order, so that of two writes to one place either may be the last.
static void
settle_pending (struct disk_sim *sim, struct inode *inode)
{
    while (inode->pending_count) {
        const size_t drawn = (size_t) (disk_sim_random (sim) % inode->pending_count);
        keep_some (sim, &inode->certain, &inode->pending[drawn]);
        free (inode->pending[drawn].data);
        inode->pending[drawn] = inode->pending[--inode->pending_count];
    }
    inode_forget (inode);
}

static enum baton_err
sim_sync (void *context, int file)
{
    struct disk_sim *sim = context;
    enum baton_err error;
    enum verdict verdict = enter (sim, &error);
    struct inode *inode = inode_of (sim, file);
    if (verdict == GOES_ON && ++sim->counts.syncs == sim->fail_sync_at) {
        verdict = FAILS;
        error = BATON_DISK;
    }
    if (verdict == GOES_ON) {
        inode_sync (inode);
    } else if (!sim->stopped) {
        settle_pending (sim, inode);
        inode->forgot = true;
    }
    return error;
}

static enum baton_err
sim_truncate (void *context, int file, uint64_t size_bytes)
{
    struct disk_sim *sim = context;
    enum baton_err error;
    const enum verdict verdict = enter (sim, &error);
    if (verdict == FAILS) return error;
    inode_write (inode_of (sim, file), 0, NULL, size_bytes);
    return error;
}

static enum baton_err
sim_rename (void *context, const char *from, const char *to)
{
    struct disk_sim *sim = context;
    enum baton_err error;
    const enum verdict verdict = enter (sim, &error);
    if (verdict == FAILS) return error;
    if (is_read_only (sim)) return BATON_READ_ONLY;
    const size_t found = names_find (&sim->cache, from);
    if (found == NONE) return BATON_NOT_FOUND;
    add_change (sim, from, to, sim->cache.list[found].inode);
    return error;
}

static enum baton_err
sim_remove (void *context, const char *name)
{
    struct disk_sim *sim = context;
    enum baton_err error;
    const enum verdict verdict = enter (sim, &error);
    if (verdict == FAILS) return error;
    if (is_read_only (sim)) return BATON_READ_ONLY;
    if (names_find (&sim->cache, name) == NONE) return BATON_NOT_FOUND;
    add_change (sim, name, "", 0);
    return error;
}

static bool
is_named (const struct names *names, size_t inode)
{
    for (size_t i = 0; i < names->count; i++) {
        if (names->list[i].inode == inode) return true;
    }
    return false;
}

static bool
is_open (const struct disk_sim *sim, size_t inode)
{
    for (size_t i = 0; i < sim->handle_count; i++) {
        if (sim->handles[i].open && sim->handles[i].inode == inode) return true;
    }
    return false;
}

// Frees the bytes of files that no name and no process has any more; called when the directory
// is certain. Inodes keep their numbers.
static void
free_unnamed (struct disk_sim *sim)
{
    for (size_t i = 0; i < sim->inode_count; i++) {
        struct inode *inode = &sim->inodes[i];
        if (is_named (&sim->certain, i) || is_open (sim, i)) continue;
        inode_forget (inode);
        free (inode->cache.bytes);
        free (inode->certain.bytes);
        *inode = (struct inode) { .pending_count = 0 };
    }
}

static enum baton_err
sim_sync_directory (void *context)
{
    struct disk_sim *sim = context;
    enum baton_err error;
    if (enter (sim, &error) != GOES_ON) return error;
    names_copy (&sim->certain, &sim->cache);
    sim->change_count = 0;
    free_unnamed (sim);
    return BATON_OK;
}

static enum baton_err
sim_space (void *context, uint64_t *free_bytes, uint64_t *total_bytes)
{
    struct disk_sim *sim = context;
    enum baton_err error;
    if (enter (sim, &error) != GOES_ON) return error;
    const uint64_t used = used_bytes (sim);
    *total_bytes = sim->total_bytes ? sim->total_bytes : UINT64_MAX;
    *free_bytes = *total_bytes > used ? *total_bytes - used : 0;
    return BATON_OK;
}

static const struct disk calls = {
    .lock = sim_lock,
    .unlock = sim_unlock,
    .list = sim_list,
    .create = sim_create,
    .open = sim_open,
    .close = sim_close,
    .size = sim_size,
    .read = sim_read,
    .write = sim_write,
    .sync = sim_sync,
    .truncate = sim_truncate,
    .rename = sim_rename,
    .remove = sim_remove,
    .sync_directory = sim_sync_directory,
    .space = sim_space,
};

struct disk_sim *
disk_sim_new (uint64_t seed)
{
    struct disk_sim *sim = grow (NULL, sizeof *sim);
    *sim = (struct disk_sim) { .disk = calls, .random = seed, .access = DISK_SIM_READ_WRITE };
    sim->disk.context = sim;
    return sim;
}

struct disk_sim *
disk_sim_copy (const struct disk_sim *sim, uint64_t seed)
{
    struct disk_sim *copy = disk_sim_new (seed);
    copy->inodes = grow (NULL, sim->inode_count * sizeof *copy->inodes);
    copy->inode_count = sim->inode_count;
    for (size_t i = 0; i < sim->inode_count; i++) {
        inode_copy (&copy->inodes[i], &sim->inodes[i]);
    }
    names_copy (&copy->cache, &sim->cache);
    names_copy (&copy->certain, &sim->certain);
    copy->changes = grow (NULL, sim->change_count * sizeof *copy->changes);
    copy->change_count = sim->change_count;
    if (sim->change_count) {
        memcpy (copy->changes, sim->changes, sim->change_count * sizeof *copy->changes);
    }
    copy->total_bytes = sim->total_bytes;
    copy->access = sim->access;
    return copy;
}

void
disk_sim_free (struct disk_sim *sim)
{
    for (size_t i = 0; i < sim->inode_count; i++) {
        inode_forget (&sim->inodes[i]);
        free (sim->inodes[i].cache.bytes);
        free (sim->inodes[i].certain.bytes);
    }
    free (sim->inodes);
    free (sim->cache.list);
    free (sim->certain.list);
    free (sim->changes);
    free (sim->handles);
    free (sim);
}

const struct disk *
disk_sim_disk (const struct disk_sim *sim)
{
    return &sim->disk;
}

void
disk_sim_kill (struct disk_sim *sim)
{
    sim->handle_count = 0;
    sim->locked = false;
    sim->stopped = false;
    sim->stop_at = 0;
    sim->fail_at = 0;
    sim->fail_sync_at = 0;
}

void
disk_sim_crash (struct disk_sim *sim)
{
    disk_sim_kill (sim);
    for (size_t i = 0; i < sim->inode_count; i++) {
        settle_pending (sim, &sim->inodes[i]);
        image_copy (&sim->inodes[i].cache, &sim->inodes[i].certain);
    }
    for (size_t i = 0; i < sim->change_count; i++) {
        if (coin (sim)) {
            names_apply (&sim->certain, &sim->changes[i]);
        }
    }
    sim->change_count = 0;
    names_copy (&sim->cache, &sim->certain);
    free_unnamed (sim);
}

void
disk_sim_stop_at (struct disk_sim *sim, uint64_t nth)
{
    sim->stop_at = nth ? sim->counts.calls + nth : 0;
}

bool
disk_sim_has_stopped (const struct disk_sim *sim)
{
    return sim->stopped;
}

void
disk_sim_fail_at (struct disk_sim *sim, uint64_t nth, enum baton_err error)
{
    sim->fail_at = nth ? sim->counts.calls + nth : 0;
    sim->fail_error = error;
}

void
disk_sim_fail_sync_at (struct disk_sim *sim, uint64_t nth)
{
    sim->fail_sync_at = nth ? sim->counts.syncs + nth : 0;
}

void
disk_sim_set_total (struct disk_sim *sim, uint64_t total_bytes)
{
    sim->total_bytes = total_bytes;
}

void
disk_sim_set_access (struct disk_sim *sim, enum disk_sim_access access)
{
    sim->access = access;
}

static struct inode *
inode_named (const struct disk_sim *sim, const char *name)
{
    const size_t found = names_find (&sim->cache, name);
    return found == NONE ? NULL : &sim->inodes[sim->cache.list[found].inode];
}

void
disk_sim_flip (struct disk_sim *sim, const char *name, uint64_t offset_bytes, uint8_t mask)
{
    struct inode *inode = inode_named (sim, name);
    if (!inode || offset_bytes >= inode->cache.size_bytes) abort ();
    inode_sync (inode);
    inode->certain.bytes[offset_bytes] ^= mask;
    inode->cache.bytes[offset_bytes] ^= mask;
}

void
disk_sim_overwrite (struct disk_sim *sim, const char *name, uint64_t offset_bytes,
                    const void *data, size_t size_bytes)
{
    struct inode *inode = inode_named (sim, name);
    if (!inode) abort ();
    inode_sync (inode);
    image_write (&inode->certain, offset_bytes, data, size_bytes);
    image_write (&inode->cache, offset_bytes, data, size_bytes);
}

uint64_t
disk_sim_peek (const struct disk_sim *sim, const char *name, uint64_t offset_bytes, void *data,
               size_t size_bytes)
{
    const struct inode *inode = inode_named (sim, name);
    if (!inode) return 0;
    if (size_bytes && offset_bytes + size_bytes <= inode->cache.size_bytes) {
        memcpy (data, inode->cache.bytes + offset_bytes, size_bytes);
    }
    return inode->cache.size_bytes;
}

void
disk_sim_discard (struct disk_sim *sim, const char *name)
{
    names_take (&sim->cache, name);
    names_take (&sim->certain, name);
}

size_t
disk_sim_file_count (const struct disk_sim *sim)
{
    return sim->cache.count;
}

struct disk_sim_counts
disk_sim_counts (const struct disk_sim *sim)
{
    return sim->counts;
}
