// SPDX-License-Identifier: MPL-2.0
// Goal: the parts of the tree digest that a crash leans on give after a restart what they would
// have given without it.
// Method: a tree with odd names in a fresh folder; the walk is broken off after each file.
#include "examples/tree_manifest.h"
#include "examples/tree_message.h"
#include "examples/tree_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

// Names chosen for their order: a folder `a` comes before `a.b` though '.' sorts before '/'.
static const char *const folders[] = { "tree", "tree/a", "tree/a/deep", "tree/a.b", "tree/empty" };
static const char *const files[] = { // in the order of the walk
    "tree/a/deep/x", "tree/a/line\nbreak", "tree/a/z", "tree/a.b/back\\slash", "tree/a.c",
    "tree/\xff odd" };

#define COUNT(list) (sizeof (list) / sizeof (list)[0])

static char place[] = "/tmp/test_tree-XXXXXX";

static void
write_file (const char *path, const char *content)
{
    FILE *file = fopen (path, "w");
    assert_non_null (file);
    assert_true (fputs (content, file) >= 0);
    assert_int_equal (fclose (file), 0);
}

static int
set_up (void **state)
{
    (void) state;
    if (mkdtemp (place) == NULL || chdir (place) != 0) return -1;
    for (size_t i = 0; i < COUNT (folders); i++)
        assert_int_equal (mkdir (folders[i], 0700), 0);
    for (size_t i = 0; i < COUNT (files); i++)
        write_file (files[i], "12345");
    return symlink ("a.c", "tree/link");
}

static int
tear_down (void **state)
{
    (void) state;
    unlink ("tree/link");
    unlink ("manifest");
    for (size_t i = 0; i < COUNT (files); i++)
        unlink (files[i]);
    for (size_t i = COUNT (folders); i > 0; i--)
        rmdir (folders[i - 1]);
    return chdir ("/") == 0 ? rmdir (place) : -1;
}

static void
assert_walk (const char *after, size_t first, uint64_t size_min, size_t end)
{
    struct tree_file file;
    struct tree_walk *walk = tree_walk_open ("tree", after, size_min, 5);
    assert_non_null (walk);
    for (size_t i = first; i < end; i++) {
        assert_int_equal (tree_walk_next (walk, &file), TREE_STEP_FILE);
        assert_string_equal (file.path, files[i]);
    }
    assert_int_equal (tree_walk_next (walk, &file), TREE_STEP_END);
    tree_walk_close (&walk);
}

static void
walk_finds_regular_files_in_order (void **state)
{
    (void) state;
    assert_walk ("", 0, 5, COUNT (files));
}

static void
walk_goes_on_after_any_file (void **state)
{
    (void) state;
    for (size_t i = 0; i < COUNT (files); i++)
        assert_walk (files[i], i + 1, 0, COUNT (files));
}

static void
walk_goes_on_after_a_file_that_is_gone (void **state)
{
    (void) state;
    assert_walk ("tree/a/deep/y", 1, 0, COUNT (files));
    assert_walk ("tree/a/gone/q", 1, 0, COUNT (files));
}

static void
walk_leaves_out_other_sizes (void **state)
{
    (void) state;
    assert_walk ("", 0, 6, 0);
}

static void
walk_of_a_file_is_refused (void **state)
{
    (void) state;
    assert_null (tree_walk_open ("tree/a.c", "", 0, 5));
    assert_int_equal (errno, ENOTDIR);
}

static void
manifest_is_cut_to_what_happened (void **state)
{
    (void) state;
    struct tree_manifest manifest;
    const uint8_t digest[TREE_DIGEST_BYTES] = { 0xab };
    struct stat facts;

    assert_int_equal (tree_manifest_open (&manifest, "manifest", 0), 0);
    assert_int_equal (tree_manifest_append (&manifest, digest, "one", 3), 0);
    uint64_t length = manifest.length_bytes;
    assert_int_equal (tree_manifest_append (&manifest, digest, "never\n", 6), 0);
    assert_int_equal (tree_manifest_sync (&manifest), 0);
    tree_manifest_close (&manifest);

    assert_int_equal (tree_manifest_open (&manifest, "manifest", length), 0);
    tree_manifest_close (&manifest);
    assert_int_equal (stat ("manifest", &facts), 0);
    assert_int_equal (facts.st_size, 2 * TREE_DIGEST_BYTES + 2 + 3 + 1);
    assert_int_equal (tree_manifest_open (&manifest, "manifest", length + 1), -1);
    assert_int_equal (errno, EIO);
}

static void
cut_request_is_none (void **state)
{
    (void) state;
    uint8_t bytes[TREE_HEAD_BYTES + 2];
    struct tree_request written = { .kind = TREE_KIND_LAST, .offset = 7, .path = "ab",
                                    .path_size = 2 };
    struct tree_request read;
    size_t size = tree_request_write_head (&written, bytes);
    for (size_t i = 0; i < size; i++)
        assert_int_equal (tree_request_read (&read, bytes, i), -1);
    assert_int_equal (tree_request_read (&read, bytes, size), 0);
    assert_int_equal (read.offset, 7);
    assert_memory_equal (read.path, "ab", 2);
    assert_int_equal (read.content_size, 0);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (walk_finds_regular_files_in_order),
        cmocka_unit_test (walk_goes_on_after_any_file),
        cmocka_unit_test (walk_goes_on_after_a_file_that_is_gone),
        cmocka_unit_test (walk_leaves_out_other_sizes),
        cmocka_unit_test (walk_of_a_file_is_refused),
        cmocka_unit_test (manifest_is_cut_to_what_happened),
        cmocka_unit_test (cut_request_is_none),
    };
    return cmocka_run_group_tests (tests, set_up, tear_down);
}
