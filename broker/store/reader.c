// SPDX-License-Identifier: MPL-2.0
#include "broker/store/reader.h"

#include "proto/assert.h"

enum baton_err
reader_init (struct reader *reader, const struct disk *disk, const struct memory *memory,
             size_t room_bytes)
{
    ASSERT (room_bytes % DISK_BLOCK_BYTES == 0);
    *reader = (struct reader) { .disk = disk, .memory = memory };
    return buffer_init (&reader->window, memory, room_bytes);
}

void
reader_fini (struct reader *reader)
{
    reader_close (reader);
    if (reader->window.owned) {
        buffer_fini (&reader->window, reader->memory);
    }
}

enum baton_err
reader_open (struct reader *reader, const char *name)
{
    const struct disk *disk = reader->disk;
    reader_close (reader);
    enum baton_err error = disk->open (disk->context, name, DISK_OPEN_READ, &reader->file);
    if (error != BATON_OK) return error;
    reader->open = true;
    error = disk->size (disk->context, reader->file, &reader->file_bytes);
    // A last block that is not whole was never written by us: it does not count.
    reader->file_bytes -= reader->file_bytes % DISK_BLOCK_BYTES;
    return error;
}

void
reader_close (struct reader *reader)
{
    if (reader->open) {
        reader->disk->close (reader->disk->context, reader->file);
    }
    reader->open = false;
    reader->file_bytes = 0;
    reader->filled_bytes = 0;
}

static enum baton_err
load (struct reader *reader, uint64_t offset_bytes)
{
    const struct disk *disk = reader->disk;
    uint64_t size_bytes = reader->file_bytes - offset_bytes;
    if (size_bytes > reader->window.size_bytes) {
        size_bytes = reader->window.size_bytes;
    }
    reader->filled_bytes = 0;
    const enum baton_err error = disk->read (disk->context, reader->file, offset_bytes,
                                             reader->window.bytes, (size_t) size_bytes);
    if (error != BATON_OK) return error;
    reader->start_bytes = offset_bytes;
    reader->filled_bytes = size_bytes;
    return BATON_OK;
}

enum baton_err
reader_view (struct reader *reader, uint64_t offset_bytes, uint64_t size_bytes,
             const uint8_t **data)
{
    ASSERT (reader->open);
    ASSERT (size_bytes <= reader->window.size_bytes);
    *data = NULL;
    if (offset_bytes > reader->file_bytes) return BATON_OK;
    if (size_bytes > reader->file_bytes - offset_bytes) return BATON_OK;
    const bool shown = offset_bytes >= reader->start_bytes
                       && offset_bytes + size_bytes <= reader->start_bytes + reader->filled_bytes;
    if (!shown) {
        const enum baton_err error = load (reader, offset_bytes);
        if (error != BATON_OK) return error;
    }
    *data = reader->window.bytes + (offset_bytes - reader->start_bytes);
    return BATON_OK;
}
