// SPDX-License-Identifier: MPL-2.0
// Goal: the real disk keeps the promises of disk.h, and a journal lives on it.
// Method: directories made under TMPDIR or /tmp; another process for what a lock and a kill need.
// It needs no rights, and touches nothing outside its directory.
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/core/record_head.h"
#include "broker/store/disk_file.h"
#include "broker/store/journal.h"
#include "tests/support/memory_fail.h"

#define PATH_MAX_BYTES 256

static const struct id group = { 1, 2 };
static const struct id identity = { 3, 4 };
static const struct journal_options options = {
    .segment_bytes = 64 * 1024, .batch_max_bytes = 16 * 1024,
};

struct place {
    char parent[PATH_MAX_BYTES];
    char path[PATH_MAX_BYTES + 16];
    struct memory_fail memory;
    struct disk_file *file;
    const struct disk *disk;
};

static void
place_init (struct place *place)
{
    const char *root = getenv ("TMPDIR");
    memset (place, 0, sizeof *place);
    (void) snprintf (place->parent, sizeof place->parent, "%s/baton-test-XXXXXX",
                     root ? root : "/tmp");
    assert_non_null (mkdtemp (place->parent));
    (void) snprintf (place->path, sizeof place->path, "%s/store", place->parent);
    memory_fail_init (&place->memory, 0);
}

static void
place_open (struct place *place)
{
    assert_int_equal (disk_file_open (&place->file, &place->memory.memory, place->path,
                                      DISK_FILE_MAKE), BATON_OK);
    place->disk = disk_file_disk (place->file);
}

static void
remove_name (void *listener, const char *name)
{
    char path[2 * PATH_MAX_BYTES + 16];
    const struct place *place = listener;
    if (name[0] == '.') return;
    (void) snprintf (path, sizeof path, "%s/%s", place->path, name);
    assert_int_equal (unlink (path), 0);
}

static void
place_fini (struct place *place)
{
    if (place->file) {
        assert_int_equal (place->disk->list (place->disk->context, remove_name, place), BATON_OK);
        disk_file_close (&place->file);
        assert_int_equal (rmdir (place->path), 0);
    }
    assert_int_equal (rmdir (place->parent), 0);
    memory_fail_expect_clean (&place->memory);
}

static mode_t
mode_of (const char *path)
{
    struct stat facts;
    assert_int_equal (stat (path, &facts), 0);
    return facts.st_mode & 07777;
}

static void
directory_that_is_missing_is_no_store (void **state)
{
    (void) state;
    struct place place;
    place_init (&place);

    assert_int_equal (disk_file_open (&place.file, &place.memory.memory, place.path,
                                      DISK_FILE_REFUSE), BATON_NO_STORE);
    assert_int_equal (errno, ENOENT);
    assert_null (place.file);
    place_fini (&place);
}

static void
file_in_place_of_the_directory_is_no_store (void **state)
{
    (void) state;
    struct place place;
    place_init (&place);
    FILE *stream = fopen (place.path, "w");
    assert_non_null (stream);
    (void) fclose (stream);

    assert_int_equal (disk_file_open (&place.file, &place.memory.memory, place.path,
                                      DISK_FILE_MAKE), BATON_NO_STORE);
    assert_int_equal (errno, ENOTDIR);
    assert_int_equal (unlink (place.path), 0);
    place_fini (&place);
}

static void
directory_and_files_are_for_their_owner_alone (void **state)
{
    (void) state;
    struct place place;
    struct journal_problem problem;
    char path[PATH_MAX_BYTES + 32];
    place_init (&place);
    const mode_t mask = umask (0);
    place_open (&place);

    assert_int_equal (journal_format (place.disk, &place.memory.memory, group, identity, &problem),
                      BATON_OK);
    assert_int_equal (mode_of (place.path), 0700);
    (void) snprintf (path, sizeof path, "%s/store", place.path);
    assert_int_equal (mode_of (path), 0600);
    (void) umask (mask);
    place_fini (&place);
}

static void
lock_is_for_one_and_free_after_close (void **state)
{
    (void) state;
    struct place place;
    struct disk_file *second;
    place_init (&place);
    place_open (&place);
    assert_int_equal (disk_file_open (&second, &place.memory.memory, place.path,
                                      DISK_FILE_REFUSE), BATON_OK);
    const struct disk *other = disk_file_disk (second);

    assert_int_equal (place.disk->lock (place.disk->context), BATON_OK);
    assert_int_equal (other->lock (other->context), BATON_STORE_IN_USE);
    place.disk->unlock (place.disk->context);
    assert_int_equal (other->lock (other->context), BATON_OK);
    assert_int_equal (place.disk->lock (place.disk->context), BATON_STORE_IN_USE);
    disk_file_close (&second);
    assert_int_equal (place.disk->lock (place.disk->context), BATON_OK);
    place_fini (&place);
}

static void
blocks_come_back_as_they_were_written (void **state)
{
    (void) state;
    struct place place;
    int file;
    uint64_t size_bytes;
    _Alignas (DISK_BLOCK_BYTES) static uint8_t blocks[2 * DISK_BLOCK_BYTES];
    _Alignas (DISK_BLOCK_BYTES) static uint8_t back[2 * DISK_BLOCK_BYTES];
    place_init (&place);
    place_open (&place);
    const struct disk *disk = place.disk;
    memset (blocks, 7, sizeof blocks);

    assert_int_equal (disk->create (disk->context, "a", &file), BATON_OK);
    assert_int_equal (disk->write (disk->context, file, 4096, blocks, sizeof blocks), BATON_OK);
    assert_int_equal (disk->sync (disk->context, file), BATON_OK);
    disk->close (disk->context, file);
    assert_int_equal (disk->rename (disk->context, "a", "b"), BATON_OK);
    assert_int_equal (disk->sync_directory (disk->context), BATON_OK);
    assert_int_equal (disk->open (disk->context, "b", DISK_OPEN_READ, &file), BATON_OK);
    assert_int_equal (disk->size (disk->context, file, &size_bytes), BATON_OK);
    assert_int_equal (size_bytes, 3 * 4096);
    assert_int_equal (disk->read (disk->context, file, 4096, back, sizeof back), BATON_OK);
    assert_memory_equal (back, blocks, sizeof blocks);
    assert_int_equal (disk->read (disk->context, file, 8192, back, sizeof back), BATON_DISK);
    assert_int_equal (disk_file_errno (place.file), ENODATA);
    disk->close (disk->context, file);
    place_fini (&place);
}

static void
names_that_are_there_or_not_are_told (void **state)
{
    (void) state;
    struct place place;
    int file;
    uint64_t size_bytes;
    place_init (&place);
    place_open (&place);
    const struct disk *disk = place.disk;

    assert_int_equal (disk->open (disk->context, "a", DISK_OPEN_READ, &file), BATON_NOT_FOUND);
    assert_int_equal (disk->remove (disk->context, "a"), BATON_NOT_FOUND);
    assert_int_equal (disk->create (disk->context, "a", &file), BATON_OK);
    assert_int_equal (disk->truncate (disk->context, file, 4096), BATON_OK);
    assert_int_equal (disk->size (disk->context, file, &size_bytes), BATON_OK);
    assert_int_equal (size_bytes, 4096);
    disk->close (disk->context, file);
    assert_int_equal (disk->create (disk->context, "a", &file), BATON_DISK);
    assert_int_equal (disk_file_errno (place.file), EEXIST);
    assert_int_equal (disk->remove (disk->context, "a"), BATON_OK);
    place_fini (&place);
}

static void
space_of_the_disk_is_told (void **state)
{
    (void) state;
    struct place place;
    uint64_t free_bytes;
    uint64_t total_bytes;
    place_init (&place);
    place_open (&place);

    assert_int_equal (place.disk->space (place.disk->context, &free_bytes, &total_bytes),
                      BATON_OK);
    assert_true (total_bytes > 0);
    assert_true (free_bytes <= total_bytes);
    place_fini (&place);
}

// A limit of the process stands in for the end of the disk.
static void
file_that_may_not_grow_is_a_full_disk (void **state)
{
    (void) state;
    struct place place;
    struct journal *journal = NULL;
    struct journal_problem problem;
    struct journal_report report;
    struct rlimit before;
    place_init (&place);
    place_open (&place);
    assert_int_equal (journal_format (place.disk, &place.memory.memory, group, identity, &problem),
                      BATON_OK);
    assert_int_equal (getrlimit (RLIMIT_FSIZE, &before), 0);
    (void) signal (SIGXFSZ, SIG_IGN);
    const struct rlimit small = { 32 * 1024, before.rlim_max };
    assert_int_equal (setrlimit (RLIMIT_FSIZE, &small), 0);

    const enum baton_err error = journal_open (&journal, place.disk, &place.memory.memory,
                                               &options, &report);
    assert_int_equal (setrlimit (RLIMIT_FSIZE, &before), 0);
    assert_int_equal (error, BATON_DISK_FULL);
    assert_int_equal (report.problem.limit, options.segment_bytes);
    assert_int_equal (disk_file_errno (place.file), EFBIG);
    place_fini (&place);
}

static enum baton_err
append_one (struct journal *journal)
{
    struct journal_status status;
    uint8_t bytes[RECORD_HEAD_BYTES + 1000] = { 0 };
    journal_status (journal, &status);
    record_head_write ((struct record_head) {
        .length_bytes = sizeof bytes,
        .index = { status.last_index.n + 1 },
        .chain = status.last_chain,
    }, bytes);
    const struct baton_bytes record = { bytes, sizeof bytes };
    const enum baton_err error = journal_append (journal, &record, 1, status.durable_index);
    return error == BATON_OK ? journal_sync (journal) : error;
}

static enum baton_err
count_record (void *context, struct baton_bytes record)
{
    (void) record;
    ++*(uint64_t *) context;
    return BATON_OK;
}

// Appends until it is killed, and tells each promise through [out_fd].
static void
run_victim (const struct place *place, int out_fd)
{
    struct memory_fail memory;
    struct disk_file *file;
    struct journal *journal;
    struct journal_report report;
    memory_fail_init (&memory, 0);
    if (disk_file_open (&file, &memory.memory, place->path, DISK_FILE_REFUSE) != BATON_OK) {
        _exit (2);
    }
    if (journal_open (&journal, disk_file_disk (file), &memory.memory, &options, &report)
        != BATON_OK) {
        _exit (3);
    }
    while (append_one (journal) == BATON_OK) {
        if (write (out_fd, "1", 1) != 1) _exit (4);
    }
    _exit (5);
}

// Starts a victim, kills it after [promise_count] promises, and returns how many it made.
static uint64_t
kill_victim (const struct place *place, uint64_t promise_count)
{
    int fds[2];
    char byte;
    uint64_t promised = 0;
    int status;
    assert_int_equal (pipe (fds), 0);
    const pid_t victim = fork ();
    assert_true (victim >= 0);
    if (victim == 0) {
        (void) close (fds[0]);
        run_victim (place, fds[1]);
    }
    (void) close (fds[1]);
    while (read (fds[0], &byte, 1) == 1) {
        if (++promised == promise_count) {
            assert_int_equal (kill (victim, SIGKILL), 0);
        }
    }
    (void) close (fds[0]);
    assert_int_equal (waitpid (victim, &status, 0), victim);
    assert_true (WIFSIGNALED (status));
    return promised;
}

static void
killed_process_loses_no_promise_and_frees_the_lock (void **state)
{
    (void) state;
    struct place place;
    struct journal_problem problem;
    uint64_t promised = 0;
    place_init (&place);
    place_open (&place);
    assert_int_equal (journal_format (place.disk, &place.memory.memory, group, identity, &problem),
                      BATON_OK);
    for (uint64_t i = 1; i <= 5; i++) {
        struct journal *journal;
        struct journal_report report;
        uint64_t count = 0;
        const struct record_visitor visitor = { count_record, &count };
        promised += kill_victim (&place, 13 * i);
        assert_int_equal (journal_open (&journal, place.disk, &place.memory.memory, &options,
                                        &report), BATON_OK);
        assert_int_equal (journal_replay (journal, &visitor), BATON_OK);
        assert_true (count >= promised);
        assert_int_equal (count, report.last_index.n);
        promised = count;
        journal_close (&journal);
    }
    place_fini (&place);
}

static void
no_memory_is_told (void **state)
{
    (void) state;
    struct place place;
    place_init (&place);
    memory_fail_init (&place.memory, 1);
    assert_int_equal (disk_file_open (&place.file, &place.memory.memory, place.path,
                                      DISK_FILE_MAKE), BATON_NO_MEMORY);
    assert_null (place.file);
    place_fini (&place);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (directory_that_is_missing_is_no_store),
        cmocka_unit_test (file_in_place_of_the_directory_is_no_store),
        cmocka_unit_test (directory_and_files_are_for_their_owner_alone),
        cmocka_unit_test (lock_is_for_one_and_free_after_close),
        cmocka_unit_test (blocks_come_back_as_they_were_written),
        cmocka_unit_test (names_that_are_there_or_not_are_told),
        cmocka_unit_test (space_of_the_disk_is_told),
        cmocka_unit_test (file_that_may_not_grow_is_a_full_disk),
        cmocka_unit_test (killed_process_loses_no_promise_and_frees_the_lock),
        cmocka_unit_test (no_memory_is_told),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
