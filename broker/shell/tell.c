// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/tell.h"

#include "proto/assert.h"
#include "proto/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// An answer is control fields only, so it stays well below LIMIT_CONTROL_MAX_BYTES.
#define ANSWER_AIM_BYTES (32u * KIB)
#define CELL_OVERHEAD_BYTES 16u
// A row never has more cells than this; room for them is kept when it begins.
#define ROW_CELLS_MAX 160u

void
tell_init (struct tell *tell)
{
    tell->rows_count = 0;
    tell->cells_count = 0;
    tell->scratch_bytes = 0;
    tell->bytes = 0;
}

bool
tell_row (struct tell *tell)
{
    if (tell->rows_count == LIMIT_ADMIN_ROWS_MAX_COUNT || tell->bytes >= ANSWER_AIM_BYTES
        || tell->cells_count + ROW_CELLS_MAX > TELL_CELLS_MAX
        || tell->scratch_bytes + 4 * LIMIT_TEXT_MAX_BYTES > TELL_SCRATCH_BYTES) {
        return false;
    }
    tell->rows[tell->rows_count++] = (struct msg_row) {&tell->cells[tell->cells_count], 0};
    return true;
}

static struct msg_cell *
add_cell (struct tell *tell, const char *name, enum cell_kind kind)
{
    struct msg_row *row = &tell->rows[tell->rows_count - 1];

    ASSERT (tell->rows_count > 0);
    ASSERT (row->cells_count < ROW_CELLS_MAX);
    struct msg_cell *cell = &tell->cells[tell->cells_count++];
    memset (cell, 0, sizeof *cell);
    cell->name = (struct baton_bytes) {name, strlen (name)};
    cell->kind = kind;
    row->cells_count++;
    tell->bytes += cell->name.size + CELL_OVERHEAD_BYTES;
    return cell;
}

void
tell_text (struct tell *tell, const char *name, struct baton_bytes text)
{
    struct msg_cell *cell = add_cell (tell, name, CELL_TEXT);

    cell->text = text;
    if (cell->text.size > LIMIT_TEXT_MAX_BYTES) {
        cell->text.size = LIMIT_TEXT_MAX_BYTES;
    }
    tell->bytes += cell->text.size;
}

void
tell_words (struct tell *tell, const char *name, const char *words)
{
    tell_text (tell, name, (struct baton_bytes) {words, strlen (words)});
}

void
tell_number (struct tell *tell, const char *name, uint64_t number)
{
    add_cell (tell, name, CELL_NUMBER)->number = number;
}

void
tell_flag (struct tell *tell, const char *name, enum tell_flag flag)
{
    add_cell (tell, name, CELL_FLAG)->number = flag == TELL_YES;
}

void
tell_copy (struct tell *tell, const char *name, struct baton_bytes text)
{
    char *at = tell->scratch + tell->scratch_bytes;
    const size_t size = text.size < LIMIT_TEXT_MAX_BYTES ? text.size : LIMIT_TEXT_MAX_BYTES;

    ASSERT (size <= TELL_SCRATCH_BYTES - tell->scratch_bytes);
    if (size > 0) {
        memcpy (at, text.data, size);
    }
    tell->scratch_bytes += size;
    tell_text (tell, name, (struct baton_bytes) {at, size});
}

void
tell_id (struct tell *tell, const char *name, struct id id)
{
    char digits[33];

    snprintf (digits, sizeof digits, "%016" PRIx64 "%016" PRIx64, id.high, id.low);
    tell_copy (tell, name, (struct baton_bytes) {digits, 32});
}

struct blob *
tell_encode (struct tell *tell, const struct memory *memory, uint64_t ref, struct epoch epoch,
             uint64_t more_after)
{
    struct msg msg = {.kind = MSG_ADMIN_TELL, .epoch = epoch};

    msg.admin_tell = (struct msg_admin_tell) {
        .ref = ref,
        .rows = tell->rows,
        .rows_count = tell->rows_count,
        .more_after = more_after,
    };
    const size_t size = wire_encoded_size (&msg);
    struct blob *frame = blob_new (memory, size);
    if (frame) {
        wire_encode (&msg, frame->data, size);
    }
    return frame;
}
