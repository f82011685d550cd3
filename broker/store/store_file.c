// SPDX-License-Identifier: MPL-2.0
#include "broker/store/store_file.h"

#include <string.h>

#include "broker/store/reader.h"
#include "broker/store/writer.h"
#include "proto/assert.h"

// What lies in the directory, and one leftover at a time: a sweep lists again after each.
struct inventory {
    bool store;
    bool new_store;
    // The first segment, which a format makes; any other, which only a broker makes.
    bool first_segment;
    bool more_segments;
    bool leftover;
    char leftover_name[LAYOUT_NAME_MAX_BYTES];
};

static void
note_name (void *listener, const char *name)
{
    struct inventory *inventory = listener;
    const bool new_store = strcmp (name, LAYOUT_STORE_NEW_NAME) == 0;
    inventory->store |= strcmp (name, LAYOUT_STORE_NAME) == 0;
    inventory->new_store |= new_store;
    inventory->first_segment |= layout_name_number (name) == 1;
    inventory->more_segments |= layout_name_number (name) > 1;
    if (new_store || layout_name_is_leftover (name)) {
        inventory->leftover = true;
        memcpy (inventory->leftover_name, name, strlen (name) + 1);
    }
}

static enum baton_err
take_stock (const struct disk *disk, struct inventory *inventory)
{
    *inventory = (struct inventory) { .store = false };
    return disk->list (disk->context, note_name, inventory);
}

static enum baton_err
sweep (const struct disk *disk)
{
    for (;;) {
        struct inventory inventory;
        enum baton_err error = take_stock (disk, &inventory);
        if (error != BATON_OK || !inventory.leftover) return error;
        error = disk->remove (disk->context, inventory.leftover_name);
        if (error != BATON_OK) return error;
    }
}

enum baton_err
store_file_sweep (const struct disk *disk, struct journal_problem *problem)
{
    return problem_of_disk (problem, sweep (disk));
}

// Removes the segment of a format that a crash stopped.
static enum baton_err
remove_first_segment (const struct disk *disk)
{
    char name[LAYOUT_NAME_MAX_BYTES];
    layout_segment_name (1, name);
    const enum baton_err error = disk->remove (disk->context, name);
    return error == BATON_NOT_FOUND ? BATON_OK : error;
}

static enum baton_err
clear_for_format (const struct disk *disk, struct journal_problem *problem)
{
    struct inventory inventory;
    enum baton_err error = take_stock (disk, &inventory);
    if (error != BATON_OK) return error;
    // A first segment beside an unfinished `store` is of a format that never ended: it is empty.
    const bool unfinished = inventory.new_store && !inventory.more_segments;
    const bool segments = inventory.first_segment || inventory.more_segments;
    if (inventory.store || (segments && !unfinished)) {
        return problem_note (problem, BATON_STORE_EXISTS, JOURNAL_FAULT_EXISTS, 0, 0);
    }
    error = remove_first_segment (disk);
    if (error != BATON_OK) return error;
    // Certain before the new `store.new` goes: without it the segment would be somebody's work.
    error = disk->sync_directory (disk->context);
    if (error != BATON_OK) return error;
    return sweep (disk);
}

static enum baton_err
write_block (const struct disk *disk, const char *name, const uint8_t *block)
{
    int file;
    enum baton_err error = disk->create (disk->context, name, &file);
    if (error != BATON_OK) return error;
    error = disk->write (disk->context, file, 0, block, DISK_BLOCK_BYTES);
    if (error == BATON_OK) {
        error = disk->sync (disk->context, file);
    }
    disk->close (disk->context, file);
    if (error != BATON_OK) return error;
    return disk->sync_directory (disk->context);
}

// The smallest segment there can be: the first start of a broker continues it with a full one.
static enum baton_err
write_first_segment (struct writer *writer)
{
    enum baton_err error = writer_fill (writer, 2 * DISK_BLOCK_BYTES);
    if (error != BATON_OK) return error;
    error = writer_start (writer, 1, (struct position) { .chain = 0 }, (struct log_index) { 0 }, 1);
    if (error != BATON_OK) return error;
    return writer_publish (writer);
}

static enum baton_err
format (const struct disk *disk, struct writer *writer, struct store_name name)
{
    const struct store_head head = { .name = name, .register_kind = REGISTER_SINGLE };
    layout_put_store (head, writer->batch.bytes);
    enum baton_err error = write_block (disk, LAYOUT_STORE_NEW_NAME, writer->batch.bytes);
    if (error != BATON_OK) return error;
    error = write_first_segment (writer);
    if (error != BATON_OK) return error;
    error = disk->rename (disk->context, LAYOUT_STORE_NEW_NAME, LAYOUT_STORE_NAME);
    if (error != BATON_OK) return error;
    return disk->sync_directory (disk->context);
}

enum baton_err
store_file_format (const struct disk *disk, const struct memory *memory, struct store_name name,
                   struct journal_problem *problem)
{
    ASSERT (!id_is_none (name.group));
    ASSERT (!id_is_none (name.identity));
    enum baton_err error = clear_for_format (disk, problem);
    if (error != BATON_OK) return problem_of_disk (problem, error);
    struct writer writer;
    const uint64_t batch_max_bytes = DISK_BLOCK_BYTES;
    error = writer_init (&writer, disk, memory, name, writer_least_bytes (batch_max_bytes),
                         batch_max_bytes, 1);
    if (error == BATON_OK) {
        error = format (disk, &writer, name);
    }
    writer_fini (&writer);
    return problem_of_disk (problem, error);
}

static enum baton_err
get_store (const uint8_t *block, struct store_head *head, struct journal_problem *problem)
{
    uint32_t version = 0;
    if (!block) return problem_note (problem, BATON_DAMAGED, JOURNAL_FAULT_STORE_FILE, 0, 0);
    const enum baton_err error = layout_get_store (block, head, &version);
    if (error == BATON_BAD_VERSION) {
        return problem_note (problem, error, JOURNAL_FAULT_FORMAT_VERSION, version,
                             LAYOUT_FORMAT_VERSION);
    }
    if (error != BATON_OK) return problem_note (problem, error, JOURNAL_FAULT_STORE_FILE, 0, 0);
    return BATON_OK;
}

enum baton_err
store_file_read (const struct disk *disk, const struct memory *memory, struct store_head *head,
                 struct journal_problem *problem)
{
    struct reader reader;
    const uint8_t *block = NULL;
    enum baton_err error = reader_init (&reader, disk, memory, DISK_BLOCK_BYTES);
    if (error == BATON_OK) {
        error = reader_open (&reader, LAYOUT_STORE_NAME);
    }
    if (error == BATON_OK) {
        error = reader_view (&reader, 0, DISK_BLOCK_BYTES, &block);
    }
    if (error == BATON_OK) {
        error = get_store (block, head, problem);
    } else if (error == BATON_NOT_FOUND) {
        error = problem_note (problem, BATON_NO_STORE, JOURNAL_FAULT_NO_STORE, 0, 0);
    }
    reader_fini (&reader);
    return problem_of_disk (problem, error);
}
