// SPDX-License-Identifier: MPL-2.0
// Goal: a request that kills or is refused ends as FAILED after its last attempt; innocent ones
// never do.
// Method: stories of a few steps (story.h) with rejects and dying servers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/story/story.h"

static void
rejected_request_comes_again_later_one_attempt_poorer (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=bad request=good\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"bad\"\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=2 attempt=1 \"good\"\n"
        "s1 -> COMMIT a reject=1\n"
        "s1 <- COMMITTED version=1\n"
        "wait 49 keeping c1 s1\n"
        "wait 1 keeping c1 s1\n"
        "s1 <- DELIVER a incarnation=5 base=1 LIVE request=1 attempt=2 \"bad\"\n"
        "s1 <- DELIVER a incarnation=5 base=1 LIVE request=2 attempt=1 \"good\"\n"
        "s1 -> COMMIT a reject=1\n"
        "s1 <- COMMITTED version=2\n"
        "wait 99 keeping c1 s1\n"
        "wait 1 keeping c1 s1\n"
        "s1 <- DELIVER a incarnation=5 base=2 LIVE request=1 attempt=3 \"bad\"\n"
        "s1 <- DELIVER a incarnation=5 base=2 LIVE request=2 attempt=1 \"good\"\n");
}

static void
last_reject_fails_the_request_and_leaves_a_hole (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=bad request=good\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"bad\"\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=2 attempt=1 \"good\"\n"
        "s1 -> COMMIT a reject=1\n"
        "s1 <- COMMITTED version=1\n"
        "wait 50\n"
        "s1 <- DELIVER a incarnation=5 base=1 LIVE request=1 attempt=2 \"bad\"\n"
        "s1 <- DELIVER a incarnation=5 base=1 LIVE request=2 attempt=1 \"good\"\n"
        "s1 -> COMMIT a reject=1\n"
        "s1 <- COMMITTED version=2\n"
        "wait 100\n"
        "s1 <- DELIVER a incarnation=5 base=2 LIVE request=1 attempt=3 \"bad\"\n"
        "s1 <- DELIVER a incarnation=5 base=2 LIVE request=2 attempt=1 \"good\"\n"
        "s1 -> COMMIT a reject=1 reason=broken\n"
        "s1 <- COMMITTED version=3\n"
        "s1 <- DELIVER a incarnation=5 base=3 LIVE skipped=1\n"
        "s1 <- DELIVER a incarnation=5 base=3 LIVE request=2 attempt=1 \"good\"\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 FAILED \"broken\"\n"
        "s1 -> COMMIT a consumed=2 reply=2:fine\n"
        "s1 <- COMMITTED version=4\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=2 to=2 REPLY \"fine\"\n");
}

static void
hole_that_is_given_back_comes_again_with_what_follows (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=bad request=good\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"bad\"\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=2 attempt=1 \"good\"\n"
        "s1 -> COMMIT a reject=1\n"
        "s1 <- COMMITTED version=1\n"
        "wait 50\n"
        "s1 <- DELIVER a incarnation=5 base=1 LIVE request=1 attempt=2 \"bad\"\n"
        "s1 <- DELIVER a incarnation=5 base=1 LIVE request=2 attempt=1 \"good\"\n"
        "s1 -> COMMIT a reject=1\n"
        "s1 <- COMMITTED version=2\n"
        "wait 100\n"
        "s1 <- DELIVER a incarnation=5 base=2 LIVE request=1 attempt=3 \"bad\"\n"
        "s1 <- DELIVER a incarnation=5 base=2 LIVE request=2 attempt=1 \"good\"\n"
        "s1 -> COMMIT a reject=1\n"
        "s1 <- COMMITTED version=3\n"
        "s1 <- DELIVER a incarnation=5 base=3 LIVE skipped=1\n"
        "s1 <- DELIVER a incarnation=5 base=3 LIVE request=2 attempt=1 \"good\"\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 FAILED \"\"\n"
        "s1 -> COMMIT a reject=1\n"
        "s1 <- COMMITTED version=4\n"
        "s1 <- DELIVER a incarnation=5 base=4 LIVE skipped=1\n"
        "s1 <- DELIVER a incarnation=5 base=4 LIVE request=2 attempt=1 \"good\"\n");
}

static void
request_that_was_alone_with_three_dead_servers_fails (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers name=s\n"
        "c1 -> COMMIT a request=killer\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"killer\"\n"
        "s2 -> HELLO name=s\n"
        "s1 <- FORGET\n"
        "s2 <- WELCOME\n"
        "s2 -> OFFER\n"
        "s2 <- OFFERED\n"
        "s2 <- DELIVER a incarnation=8 base=0 LIVE request=1 attempt=2 \"killer\"\n"
        "s3 -> HELLO name=s\n"
        "s2 <- FORGET\n"
        "s3 <- WELCOME\n"
        "s3 -> OFFER\n"
        "s3 <- OFFERED\n"
        "s3 <- DELIVER a incarnation=11 base=0 LIVE request=1 attempt=3 \"killer\"\n"
        "s4 -> HELLO name=s\n"
        "s3 <- FORGET\n"
        "s4 <- WELCOME\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 FAILED \"\"\n"
        "s4 -> OFFER\n"
        "s4 <- OFFERED\n");
}

static void
several_held_at_a_death_are_suspects_uncounted_and_go_one_at_a_time (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given c1 opens b\n"
        "given s1 offers name=s\n"
        "c1 -> COMMIT a request=one request=two\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=6 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 <- DELIVER a incarnation=6 base=0 LIVE request=2 attempt=1 \"two\"\n"
        "c1 -> COMMIT b request=uno\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER b incarnation=8 base=0 LIVE request=1 attempt=1 \"uno\"\n"
        "given s2 offers name=s\n"
        "c1 -> COMMIT a request=three\n"
        "c1 <- COMMITTED version=2\n"
        "s2 -> COMMIT a consumed=1 reply=1:x\n"
        "s2 <- COMMITTED version=1\n"
        "s2 <- DELIVER a incarnation=11 base=1 LIVE request=2 attempt=1 \"two\"\n"
        "c1 <- DELIVER a incarnation=2 base=2 LIVE response=1 to=1 REPLY \"x\"\n"
        "s2 -> COMMIT a consumed=2 reply=2:x\n"
        "s2 <- COMMITTED version=2\n"
        "s2 <- DELIVER b incarnation=12 base=0 LIVE request=1 attempt=1 \"uno\"\n"
        "c1 <- DELIVER a incarnation=2 base=2 LIVE response=2 to=2 REPLY \"x\"\n"
        "s2 -> COMMIT b consumed=1 reply=1:x\n"
        "s2 <- COMMITTED version=1\n"
        "s2 <- DELIVER a incarnation=11 base=2 LIVE request=3 attempt=1 \"three\"\n"
        "c1 <- DELIVER b incarnation=3 base=1 LIVE response=1 to=1 REPLY \"x\"\n");
}

static void
suspect_waits_until_its_server_holds_nothing (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given c1 opens b\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one request=two\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=6 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 <- DELIVER a incarnation=6 base=0 LIVE request=2 attempt=1 \"two\"\n"
        "s2 -> HELLO\n"
        "s2 <- WELCOME\n"
        "s2 -> OFFER capacity=100\n"
        "s2 <- OFFERED\n"
        "c1 -> COMMIT b request=uno\n"
        "c1 <- COMMITTED version=1\n"
        "s2 <- DELIVER b incarnation=9 base=0 LIVE request=1 attempt=1 \"uno\"\n"
        "wait 11000 keeping c1 s2\n"
        "s2 -> COMMIT b consumed=1 reply=1:x\n"
        "s2 <- COMMITTED version=1\n"
        "s2 <- DELIVER a incarnation=11 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "c1 <- DELIVER b incarnation=3 base=1 LIVE response=1 to=1 REPLY \"x\"\n"
        "s2 -> COMMIT a consumed=1 reply=1:x\n"
        "s2 <- COMMITTED version=1\n"
        "s2 <- DELIVER a incarnation=11 base=1 LIVE request=2 attempt=1 \"two\"\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 REPLY \"x\"\n");
}

static void
held_work_of_a_server_that_a_restart_knows_nothing_of_is_suspect (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one request=two\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=2 attempt=1 \"two\"\n"
        "crash\n"
        "s2 -> HELLO name=s1\n"
        "s2 <- WELCOME\n"
        "s2 -> OFFER\n"
        "s2 <- OFFERED\n"
        "s2 <- DELIVER a incarnation=9 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s2 -> COMMIT a consumed=1 reply=1:x\n"
        "s2 <- COMMITTED version=1\n"
        "s2 <- DELIVER a incarnation=9 base=1 LIVE request=2 attempt=1 \"two\"\n");
}

static void
restart_of_the_broker_counts_no_attempt (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "crash\n"
        "s1 -> HELLO\n"
        "s1 <- WELCOME\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "crash\n"
        "s1 -> HELLO\n"
        "s1 <- WELCOME\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "crash\n"
        "s1 -> HELLO\n"
        "s1 <- WELCOME\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 -> COMMIT a consumed=1 reply=1:x\n"
        "s1 <- COMMITTED version=1\n");
}

static void
consumed_request_is_not_blamed_for_a_death (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers name=s\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 -> COMMIT a consumed=1\n"
        "s1 <- COMMITTED version=1\n"
        "s2 -> HELLO name=s\n"
        "s1 <- FORGET\n"
        "s2 <- WELCOME\n"
        "s2 -> OFFER\n"
        "s2 <- OFFERED\n"
        "s2 <- DELIVER a incarnation=9 base=1 LIVE\n"
        "s2 -> RELOAD a\n"
        "s2 <- STATE a incarnation=9 version=1 data=\"\" requests=1/1 responses=0\n"
        "s2 <- DELIVER a incarnation=9 base=1 QUEUE request=1 attempt=1 \"one\"\n"
        "s2 <- RESUMED a version=1 requests=1/1\n");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (rejected_request_comes_again_later_one_attempt_poorer),
        cmocka_unit_test (last_reject_fails_the_request_and_leaves_a_hole),
        cmocka_unit_test (hole_that_is_given_back_comes_again_with_what_follows),
        cmocka_unit_test (request_that_was_alone_with_three_dead_servers_fails),
        cmocka_unit_test (several_held_at_a_death_are_suspects_uncounted_and_go_one_at_a_time),
        cmocka_unit_test (suspect_waits_until_its_server_holds_nothing),
        cmocka_unit_test (held_work_of_a_server_that_a_restart_knows_nothing_of_is_suspect),
        cmocka_unit_test (restart_of_the_broker_counts_no_attempt),
        cmocka_unit_test (consumed_request_is_not_blamed_for_a_death),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
