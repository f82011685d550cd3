// SPDX-License-Identifier: MPL-2.0
#include "broker/store/writer.h"

#include <string.h>

#include "proto/assert.h"
#include "proto/mutant.h"

enum baton_err
writer_init (struct writer *writer, const struct disk *disk, const struct memory *memory,
             struct store_name name, uint64_t segment_bytes, uint64_t batch_max_bytes,
             uint64_t next_number)
{
    ASSERT (segment_bytes % DISK_BLOCK_BYTES == 0);
    ASSERT (segment_bytes >= writer_least_bytes (batch_max_bytes));
    *writer = (struct writer) {
        .disk = disk,
        .memory = memory,
        .name = name,
        .seed = layout_seed (name.identity),
        .segment_bytes = segment_bytes,
        .batch_max_bytes = batch_max_bytes,
        .next_number = next_number,
    };
    const uint64_t slice = segment_bytes < WRITER_SLICE_BYTES ? segment_bytes : WRITER_SLICE_BYTES;
    enum baton_err error = buffer_init (&writer->zeros, memory, (size_t) slice);
    if (error != BATON_OK) return error;
    memset (writer->zeros.bytes, 0, writer->zeros.size_bytes);
    return buffer_init (&writer->batch, memory, (size_t) layout_batch_bytes (batch_max_bytes));
}

void
writer_fini (struct writer *writer)
{
    if (writer->open) {
        writer->disk->close (writer->disk->context, writer->file);
    }
    if (writer->next_open) {
        writer->disk->close (writer->disk->context, writer->next_file);
    }
    writer->open = false;
    writer->next_open = false;
    if (writer->zeros.owned) {
        buffer_fini (&writer->zeros, writer->memory);
    }
    if (writer->batch.owned) {
        buffer_fini (&writer->batch, writer->memory);
    }
}

static uint64_t
with_spare (uint64_t records_bytes)
{
    return layout_batch_bytes (records_bytes) + WRITER_SPARE_BLOCKS * DISK_BLOCK_BYTES;
}

uint64_t
writer_least_bytes (uint64_t batch_max_bytes)
{
    return DISK_BLOCK_BYTES + with_spare (batch_max_bytes);
}

bool
writer_fits (const struct writer *writer, uint64_t records_bytes)
{
    const uint64_t needed_bytes = records_bytes ? with_spare (records_bytes) : DISK_BLOCK_BYTES;
    return writer->offset_bytes + needed_bytes <= writer->head.size_bytes;
}

static enum baton_err
create_next (struct writer *writer)
{
    char name[LAYOUT_NAME_MAX_BYTES];
    layout_new_name (writer->next_number, name);
    const enum baton_err error = writer->disk->create (writer->disk->context, name,
                                                       &writer->next_file);
    if (error != BATON_OK) return error;
    writer->next_open = true;
    writer->next_filled_bytes = 0;
    return BATON_OK;
}

static enum baton_err
fill_slice (struct writer *writer, uint64_t wanted_bytes)
{
    const struct disk *disk = writer->disk;
    uint64_t slice_bytes = wanted_bytes - writer->next_filled_bytes;
    if (slice_bytes > writer->zeros.size_bytes) {
        slice_bytes = writer->zeros.size_bytes;
    }
    enum baton_err error = disk->write (disk->context, writer->next_file,
                                        writer->next_filled_bytes, writer->zeros.bytes,
                                        (size_t) slice_bytes);
    if (error != BATON_OK) return error;
    // Some file systems find out only now that there is no room. The slice is then not counted,
    // and is written again by the next call.
    error = disk->sync (disk->context, writer->next_file);
    if (error != BATON_OK) return error;
    writer->next_filled_bytes += slice_bytes;
    return BATON_OK;
}

enum baton_err
writer_fill (struct writer *writer, uint64_t wanted_bytes)
{
    ASSERT (wanted_bytes % DISK_BLOCK_BYTES == 0);
    if (!writer->next_open) {
        const enum baton_err error = create_next (writer);
        if (error != BATON_OK) return error;
    }
    while (writer->next_filled_bytes < wanted_bytes) {
        const enum baton_err error = fill_slice (writer, wanted_bytes);
        if (error != BATON_OK) return error;
    }
    return BATON_OK;
}

void
writer_drop_next (struct writer *writer)
{
    char name[LAYOUT_NAME_MAX_BYTES];
    if (!writer->next_open) return;
    writer->disk->close (writer->disk->context, writer->next_file);
    writer->next_open = false;
    writer->next_filled_bytes = 0;
    layout_new_name (writer->next_number, name);
    (void) (writer->disk->remove (writer->disk->context, name) == BATON_OK);
}

static void
take_next (struct writer *writer)
{
    if (writer->open) {
        writer->disk->close (writer->disk->context, writer->file);
    }
    writer->file = writer->next_file;
    writer->open = true;
    writer->next_open = false;
    writer->next_number++;
    writer->next_filled_bytes = 0;
    writer->offset_bytes = DISK_BLOCK_BYTES;
    writer->batch_number = 0;
}

enum baton_err
writer_start (struct writer *writer, uint64_t generation, struct position from,
              struct log_index commit, uint64_t front_number)
{
    ASSERT (writer->next_open);
    ASSERT (writer->next_filled_bytes >= 2 * DISK_BLOCK_BYTES);
    ASSERT (writer->gathered_count == 0);
    writer->head = (struct segment_head) {
        .generation = generation,
        .number = writer->next_number,
        .size_bytes = writer->next_filled_bytes,
        .from = from,
        .commit = commit,
        .front_number = front_number,
        .batch_max_bytes = writer->batch_max_bytes,
    };
    take_next (writer);
    layout_put_segment (writer->head, writer->name, writer->batch.bytes);
    return writer->disk->write (writer->disk->context, writer->file, 0, writer->batch.bytes,
                                DISK_BLOCK_BYTES);
}

enum baton_err
writer_publish (struct writer *writer)
{
    const struct disk *disk = writer->disk;
    char new_name[LAYOUT_NAME_MAX_BYTES];
    char name[LAYOUT_NAME_MAX_BYTES];
    // The bytes before the name: a file that has the name is whole.
    enum baton_err error = writer_sync (writer);
    if (error != BATON_OK) return error;
    layout_new_name (writer->head.number, new_name);
    layout_segment_name (writer->head.number, name);
    error = disk->rename (disk->context, new_name, name);
    if (error != BATON_OK || MUTANT (NAME_NOT_SYNCED)) return error;
    return disk->sync_directory (disk->context);
}

void
writer_put (struct writer *writer, struct baton_bytes record)
{
    ASSERT (record.size <= writer->batch_max_bytes);
    ASSERT (writer->gathered_bytes <= writer->batch_max_bytes - record.size);
    uint8_t *records = writer->batch.bytes + LAYOUT_BATCH_HEAD_BYTES;
    memcpy (records + writer->gathered_bytes, record.data, record.size);
    writer->gathered_bytes += record.size;
    writer->gathered_count++;
}

enum baton_err
writer_write (struct writer *writer, struct log_index first_index, struct log_index commit,
              uint64_t front_number)
{
    const uint64_t size_bytes = layout_batch_bytes (writer->gathered_bytes);
    ASSERT (writer->offset_bytes + size_bytes <= writer->head.size_bytes);
    const struct batch_head head = {
        .generation = writer->head.generation,
        .segment_number = writer->head.number,
        .offset_bytes = writer->offset_bytes,
        .batch_number = ++writer->batch_number,
        .records_bytes = writer->gathered_bytes,
        .record_count = writer->gathered_count,
        .first_index = first_index,
        .commit = commit,
        .front_number = front_number,
    };
    layout_put_batch (head, writer->name.group, writer->seed, writer->batch.bytes);
    const enum baton_err error = writer->disk->write (writer->disk->context, writer->file,
                                                      writer->offset_bytes, writer->batch.bytes,
                                                      (size_t) size_bytes);
    writer->offset_bytes += size_bytes;
    writer->gathered_bytes = 0;
    writer->gathered_count = 0;
    return error;
}

enum baton_err
writer_sync (struct writer *writer)
{
    ASSERT (writer->open);
    return writer->disk->sync (writer->disk->context, writer->file);
}
