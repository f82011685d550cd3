// SPDX-License-Identifier: MPL-2.0
// Goal: the intrusive list keeps its order, whatever is taken out of it or spliced behind it.
// Method: five links by hand; the order is read as a text.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/queue.h"

struct thing { char name; struct queue link; };

static struct thing things[] = {
    { .name = 'a' }, { .name = 'b' }, { .name = 'c' }, { .name = 'd' }, { .name = 'e' },
};

static void
fill (struct queue *list, int first, int count)
{
    queue_init (list);
    for (int i = first; i < first + count; i++) {
        queue_init (&things[i].link);
        queue_push (list, &things[i].link);
    }
}

static void
assert_order (const struct queue *list, const char *wanted)
{
    char order[16] = "";
    const struct queue *link;

    queue_each (link, list) {
        const char name[2] = { queue_owner (link, const struct thing, link)->name, '\0' };
        strncat (order, name, sizeof order - strlen (order) - 1);
    }
    assert_string_equal (order, wanted);
}

static void
links_stay_in_the_order_of_pushing (void **state)
{
    struct queue list;

    (void) state;
    fill (&list, 0, 3);
    assert_order (&list, "abc");
    assert_ptr_equal (queue_first (&list), &things[0].link);
    assert_true (queue_holds (&things[1].link));
}

static void
removed_link_is_in_no_list_and_may_be_removed_again (void **state)
{
    struct queue list;

    (void) state;
    fill (&list, 0, 3);
    queue_remove (&things[1].link);
    queue_remove (&things[1].link);
    assert_order (&list, "ac");
    assert_false (queue_holds (&things[1].link));
}

static void
last_link_leaves_an_empty_list (void **state)
{
    struct queue list;

    (void) state;
    fill (&list, 0, 1);
    queue_remove (&things[0].link);
    assert_true (queue_is_empty (&list));
    assert_null (queue_first (&list));
}

static void
splice_moves_all_behind_and_empties_the_other (void **state)
{
    struct queue list;
    struct queue other;

    (void) state;
    fill (&list, 0, 2);
    fill (&other, 2, 3);
    queue_splice (&list, &other);
    assert_order (&list, "abcde");
    assert_true (queue_is_empty (&other));
    queue_splice (&list, &other);
    assert_order (&list, "abcde");
    queue_splice (&other, &list);
    assert_order (&other, "abcde");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (links_stay_in_the_order_of_pushing),
        cmocka_unit_test (removed_link_is_in_no_list_and_may_be_removed_again),
        cmocka_unit_test (last_link_leaves_an_empty_list),
        cmocka_unit_test (splice_moves_all_behind_and_empties_the_other),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
