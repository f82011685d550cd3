// SPDX-License-Identifier: MPL-2.0
#include "tests/support/memory_fail.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/assert.h"

// Fresh memory is not zero, and neither is freed memory: code that counts on it must show.
enum { FILL_FRESH = 0xa5, FILL_FREED = 0x5a };
#define BLOCK_MAGIC 0xb10cb10cb10cb10cu
#define REPORT_MAX 16u

// A block's head, before the bytes that the caller sees. The list ends in the allocator itself,
// so a leak can be named by its size and number.
struct block {
    alignas (max_align_t) uint64_t magic;
    const struct memory_fail *owner;
    size_t size_bytes;
    size_t number;
    struct block *next;
    struct block *previous;
};

// One list for all allocators of a test program: tests run one after the other.
static struct block *newest;

static void
block_link (struct block *block)
{
    block->next = newest;
    block->previous = NULL;
    if (newest) {
        newest->previous = block;
    }
    newest = block;
}

static void
block_unlink (struct block *block)
{
    if (block->next) {
        block->next->previous = block->previous;
    }
    if (block->previous) {
        block->previous->next = block->next;
    } else {
        newest = block->next;
    }
}

static bool
is_refused (const struct memory_fail *fail)
{
    if (fail->fail_at == 0) return false;
    if (fail->fail_ever_after) return fail->asked_count >= fail->fail_at;
    return fail->asked_count == fail->fail_at;
}

static void *
fail_alloc (void *context, size_t size_bytes)
{
    struct memory_fail *fail = context;
    fail->asked_count++;
    if (is_refused (fail)) {
        fail->failed = true;
        return NULL;
    }

    struct block *block = malloc (sizeof *block + size_bytes);
    if (!block) fail_msg ("the machine itself has no %zu bytes", size_bytes);
    *block = (struct block) {
        .magic = BLOCK_MAGIC,
        .owner = fail,
        .size_bytes = size_bytes,
        .number = fail->asked_count,
    };
    block_link (block);
    fail->live_count++;
    fail->live_bytes += size_bytes;
    if (fail->live_bytes > fail->most_bytes) {
        fail->most_bytes = fail->live_bytes;
    }
    memset (block + 1, FILL_FRESH, size_bytes);
    return block + 1;
}

static void
fail_release (void *context, void *data, size_t size_bytes)
{
    struct memory_fail *fail = context;
    if (!data) return;

    struct block *block = (struct block *) data - 1;
    ASSERT (block->magic == BLOCK_MAGIC);
    ASSERT (block->owner == fail);
    ASSERT (block->size_bytes == size_bytes);
    block_unlink (block);
    fail->live_count--;
    fail->live_bytes -= size_bytes;
    memset (block, FILL_FREED, sizeof *block + size_bytes);
    free (block);
}

void
memory_fail_init (struct memory_fail *fail, size_t fail_at)
{
    *fail = (struct memory_fail) {
        .memory = {.alloc = fail_alloc, .release = fail_release, .context = fail},
        .fail_at = fail_at,
    };
}

size_t
memory_fail_report (const struct memory_fail *fail)
{
    size_t found = 0;
    for (const struct block *block = newest; block; block = block->next) {
        if (block->owner != fail) continue;
        if (found++ < REPORT_MAX)
            fprintf (stderr, "leak: allocation %zu, %zu bytes\n", block->number, block->size_bytes);
    }
    return found;
}

void
memory_fail_expect_clean (const struct memory_fail *fail)
{
    size_t leaked = memory_fail_report (fail);
    if (leaked > 0) fail_msg ("%zu blocks, %zu bytes leaked", leaked, fail->live_bytes);
    assert_int_equal (fail->live_count, 0);
}
