// SPDX-License-Identifier: MPL-2.0
// tell.h collects the rows of one administration answer: cells with names, no layout; what people
// see is made by the command. A full answer says so, and the next page goes on behind it.
#ifndef BATON_SHELL_TELL_H
#define BATON_SHELL_TELL_H

#include "broker/core/blob.h"
#include "proto/limits.h"
#include "proto/msg.h"

#define TELL_CELLS_MAX 2048u
#define TELL_SCRATCH_BYTES (32u * KIB)

struct tell {
    struct msg_row rows[LIMIT_ADMIN_ROWS_MAX_COUNT];
    uint32_t rows_count;
    struct msg_cell cells[TELL_CELLS_MAX];
    uint32_t cells_count;
    char scratch[TELL_SCRATCH_BYTES]; // texts that were made for this answer
    size_t scratch_bytes;
    uint64_t bytes; // of the answer, about
};

void
tell_init (struct tell *tell);

// tell_row begins a row; returns false when the answer is full: send what there is, and the rest
// on the next page.
bool
tell_row (struct tell *tell);

// These add a cell to the newest row. [name] is static; [text] must stay until tell_encode, and is
// cut at LIMIT_TEXT_MAX_BYTES.
void
tell_text (struct tell *tell, const char *name, struct baton_bytes text);

void
tell_words (struct tell *tell, const char *name, const char *words);

void
tell_number (struct tell *tell, const char *name, uint64_t number);

enum tell_flag { TELL_NO = 1, TELL_YES = 2 };

void
tell_flag (struct tell *tell, const char *name, enum tell_flag flag);

// tell_id adds an id as 32 hexadecimal digits.
void
tell_id (struct tell *tell, const char *name, struct id id);

// tell_copy adds a copy of [text], for texts that were made for this answer.
void
tell_copy (struct tell *tell, const char *name, struct baton_bytes text);

// tell_encode makes the frame of the answer; NULL without memory.
//
//   more_after   number of the last row told if there are others; 0: these were all
struct blob *
tell_encode (struct tell *tell, const struct memory *memory, uint64_t ref, struct epoch epoch,
             uint64_t more_after);

#endif
