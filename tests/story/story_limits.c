// SPDX-License-Identifier: MPL-2.0
// Goal: what is over a limit is told so, in order, and what makes room is taken last of all to be
// refused.
// Method: stories of a few steps (story.h) with small limits, each reason of BUSY once.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/story/story.h"

static void
full_queue_is_busy_and_takes_more_once_answers_come (void **state)
{
    struct core_options options = story_options ();

    (void) state;
    options.queue_max_count = 2;
    story_play (&options,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one request=two\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=2 attempt=1 \"two\"\n"
        "c1 -> COMMIT a request=three\n"
        "c1 <- REFUSED COMMIT BUSY(queue) at once\n"
        "c1 -> COMMIT a nothing version=3\n"
        "c1 <- REFUSED COMMIT GAP version=1\n"
        "s1 -> COMMIT a consumed=1 reply=1:x\n"
        "s1 <- COMMITTED version=1\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 REPLY \"x\"\n"
        "c1 -> COMMIT a request=three\n"
        "c1 <- COMMITTED version=2\n"
        "s1 <- DELIVER a incarnation=5 base=1 LIVE request=3 attempt=1 \"three\"\n");
}

static void
bytes_of_a_queue_are_limited (void **state)
{
    struct core_options options = story_options ();

    (void) state;
    options.queue_max_bytes = 10;
    story_play (&options,
        "given c1 opens a\n"
        "c1 -> COMMIT a request=12345678\n"
        "c1 <- COMMITTED version=1\n"
        "c1 -> COMMIT a request=123\n"
        "c1 <- REFUSED COMMIT BUSY(queue) at once\n"
        "c1 -> COMMIT a request=12\n"
        "c1 <- COMMITTED version=2\n");
}

static void
empty_queue_takes_any_commit (void **state)
{
    struct core_options options = story_options ();

    (void) state;
    options.queue_max_count = 1;
    story_play (&options,
        "given c1 opens a\n"
        "c1 -> COMMIT a request=one request=two\n"
        "c1 <- COMMITTED version=1\n");
}

static void
short_memory_refuses_new_work_first_and_answers_last (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "memory 150000\n"
        "c1 -> OPEN b\n"
        "c1 <- REFUSED OPEN BUSY(memory) at once\n"
        "c1 -> COMMIT a request=two\n"
        "c1 <- REFUSED COMMIT BUSY(memory) at once\n"
        "c1 -> COMMIT a nothing\n"
        "c1 <- COMMITTED version=2\n"
        "memory 10000\n"
        "c1 -> COMMIT a nothing\n"
        "c1 <- REFUSED COMMIT BUSY(memory) at once\n"
        "s1 -> COMMIT a consumed=1 reply=1:uno\n"
        "s1 <- COMMITTED version=1\n"
        "c1 <- DELIVER a incarnation=2 base=2 LIVE response=1 to=1 REPLY \"uno\"\n"
        "c1 -> COMMIT a consumed=1\n"
        "c1 <- COMMITTED version=3\n");
}

static void
short_disk_refuses_new_work_first_and_answers_last (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "disk 30000\n"
        "c1 -> COMMIT a request=two\n"
        "c1 <- REFUSED COMMIT BUSY(disk) at once\n"
        "c1 -> COMMIT a nothing\n"
        "c1 <- COMMITTED version=2\n"
        "disk 10000\n"
        "c1 -> COMMIT a nothing\n"
        "c1 <- REFUSED COMMIT BUSY(disk) at once\n"
        "s1 -> COMMIT a consumed=1 reply=1:uno\n"
        "s1 <- COMMITTED version=1\n"
        "c1 <- DELIVER a incarnation=2 base=2 LIVE response=1 to=1 REPLY \"uno\"\n");
}

static void
connections_are_limited_and_those_there_stay (void **state)
{
    struct core_options options = story_options ();

    (void) state;
    options.connections_max_count = 2;
    story_play (&options,
        "c1 -> HELLO\n"
        "c1 <- WELCOME\n"
        "c2 -> HELLO\n"
        "c2 <- WELCOME\n"
        "c3 -> HELLO\n"
        "c3 <- REFUSED HELLO BUSY(rate) at once\n"
        "c3 <- FORGET\n"
        "c2 -> HELLO\n"
        "c2 <- WELCOME\n"
        "lost c1\n"
        "c3 -> HELLO\n"
        "c3 <- WELCOME\n");
}

static void
answers_that_the_client_leaves_lying_hold_up_its_requests (void **state)
{
    struct core_options options = story_options ();

    (void) state;
    options.responses_max_bytes = 4;
    story_play (&options,
        "given c1 opens a\n"
        "given s1 offers credit=1\n"
        "c1 -> COMMIT a request=one request=two\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 -> COMMIT a consumed=1 reply=1:12345\n"
        "s1 <- COMMITTED version=1\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 REPLY \"12345\"\n"
        "c1 -> COMMIT a consumed=1\n"
        "c1 <- COMMITTED version=2\n"
        "s1 <- DELIVER a incarnation=5 base=1 LIVE request=2 attempt=1 \"two\"\n");
}

static void
server_shapes_that_no_hello_or_offer_may_have (void **state)
{
    (void) state;
    story_play (NULL,
        "s1 -> HELLO name=''\n"
        "s1 <- REFUSED HELLO MALFORMED \"bytes of the name\" at once\n"
        "s1 <- FORGET\n"
        "s1 -> HELLO\n"
        "s1 <- WELCOME\n"
        "s1 -> OFFER capacity=0\n"
        "s1 <- REFUSED OFFER MALFORMED \"capacity\" at once\n"
        "s1 -> OFFER credit=0\n"
        "s1 <- REFUSED OFFER MALFORMED \"credit_count\" at once\n"
        "s1 -> OFFER credit=257\n"
        "s1 <- REFUSED OFFER MALFORMED \"credit_count\" at once\n");
}

static void
silent_end_is_forgotten_and_must_greet_again (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "wait 2900\n"
        "c1 -> HEARTBEAT\n"
        "c1 <- HEARTBEAT at once\n"
        "wait 2900\n"
        "c1 -> HEARTBEAT\n"
        "c1 <- HEARTBEAT at once\n"
        "wait 3000\n"
        "c1 -> HEARTBEAT\n"
        "c1 <- REFUSED HEARTBEAT HELLO_FIRST at once\n");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (full_queue_is_busy_and_takes_more_once_answers_come),
        cmocka_unit_test (bytes_of_a_queue_are_limited),
        cmocka_unit_test (empty_queue_takes_any_commit),
        cmocka_unit_test (short_memory_refuses_new_work_first_and_answers_last),
        cmocka_unit_test (short_disk_refuses_new_work_first_and_answers_last),
        cmocka_unit_test (connections_are_limited_and_those_there_stay),
        cmocka_unit_test (answers_that_the_client_leaves_lying_hold_up_its_requests),
        cmocka_unit_test (server_shapes_that_no_hello_or_offer_may_have),
        cmocka_unit_test (silent_end_is_forgotten_and_must_greet_again),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
