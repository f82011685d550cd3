// SPDX-License-Identifier: MPL-2.0
// Goal: an OPEN settles who speaks for a session, and what the one who comes back is told.
// Method: stories of a few steps (story.h) around OPEN, its refusals and the resumption of both
// queues.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/story/story.h"

static void
open_makes_session_actor_and_incarnation (void **state)
{
    (void) state;
    story_play (NULL,
        "c1 -> HELLO\n"
        "c1 <- WELCOME\n"
        "c1 -> OPEN a\n"
        "c1 <- OPENED a incarnation=2 version=0 data=\"\" requests=0/0 responses=0/0\n"
        "c1 <- RESUMED a version=0 requests=0/0\n");
}

static void
open_before_hello_is_refused (void **state)
{
    (void) state;
    story_play (NULL,
        "c1 -> OPEN a\n"
        "c1 <- REFUSED OPEN HELLO_FIRST at once\n");
}

static void
open_again_of_the_same_instance_keeps_the_incarnation (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "c1 -> COMMIT a nothing data=x\n"
        "c1 <- COMMITTED version=1\n"
        "lost c1\n"
        "c2 -> HELLO instance=c1\n"
        "c2 <- WELCOME\n"
        "c2 -> OPEN a\n"
        "c2 <- OPENED a incarnation=2 version=1 data=\"x\" requests=0/0 responses=0/0\n"
        "c2 <- RESUMED a version=1 requests=0/0\n");
}

static void
another_instance_fences_the_one_before_for_good (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "c1 -> COMMIT a nothing data=x\n"
        "c1 <- COMMITTED version=1\n"
        "c2 -> HELLO\n"
        "c2 <- WELCOME\n"
        "c2 -> OPEN a\n"
        "c1 <- REFUSED COMMIT FENCED incarnation=2\n"
        "c2 <- OPENED a incarnation=4 version=1 data=\"x\" requests=0/0 responses=0/0\n"
        "c2 <- RESUMED a version=1 requests=0/0\n"
        "c1 -> COMMIT a nothing incarnation=2 version=1\n"
        "c1 <- REFUSED COMMIT FENCED incarnation=2\n"
        "c1 -> OPEN a incarnation=2\n"
        "c1 <- REFUSED OPEN FENCED incarnation=2\n"
        "c1 -> OPEN a\n"
        "c1 <- REFUSED OPEN FENCED incarnation=0\n"
        "c2 -> COMMIT a nothing\n"
        "c2 <- COMMITTED version=2\n");
}

static void
the_last_eight_former_instances_are_fenced (void **state)
{
    (void) state;
    story_play (NULL,
        "given c0 opens a\n"
        "given c1 opens a\n"
        "given c2 opens a\n"
        "given c3 opens a\n"
        "given c4 opens a\n"
        "given c5 opens a\n"
        "given c6 opens a\n"
        "given c7 opens a\n"
        "given c8 opens a\n"
        "c0 -> OPEN a\n"
        "c0 <- REFUSED OPEN FENCED incarnation=0\n");
}

static void
resuming_process_gets_only_what_it_did_not_receive (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one request=two\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=2 attempt=1 \"two\"\n"
        "s1 -> COMMIT a consumed=2 reply=1:uno reply=2:dos\n"
        "s1 <- COMMITTED version=1\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 REPLY \"uno\"\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=2 to=2 REPLY \"dos\"\n"
        "lost c1\n"
        "c2 -> HELLO instance=c1\n"
        "c2 <- WELCOME\n"
        "c2 -> OPEN a again received=1\n"
        "c2 <- RESUMED a version=1 requests=2/2\n"
        "c2 <- DELIVER a incarnation=2 base=1 LIVE response=2 to=2 REPLY \"dos\"\n");
}

static void
returning_actor_gets_restart_data_and_both_queues_before_anything_new (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers credit=2\n"
        "c1 -> COMMIT a request=one request=two request=three data=asked-3\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=2 attempt=1 \"two\"\n"
        "s1 -> COMMIT a consumed=2 reply=1:uno\n"
        "s1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=1 LIVE request=3 attempt=1 \"three\"\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 REPLY \"uno\"\n"
        "lost c1\n"
        "c2 -> HELLO\n"
        "c2 <- WELCOME\n"
        "c2 -> OPEN a credit=2\n"
        "c2 <- OPENED a incarnation=7 version=1 data=\"asked-3\" requests=3/2 responses=1/0\n"
        "c2 <- DELIVER a incarnation=7 base=1 QUEUE request=2 attempt=1 \"two\"\n"
        "c2 <- DELIVER a incarnation=7 base=1 QUEUE request=3 attempt=1 \"three\"\n"
        "s1 -> COMMIT a consumed=2 reply=2:dos\n"
        "s1 <- COMMITTED version=2\n"
        "c2 -> CREDIT a count=9\n"
        "c2 <- DELIVER a incarnation=7 base=1 QUEUE response=1 to=1 REPLY \"uno\"\n"
        "c2 <- RESUMED a version=1 requests=3/2\n"
        "c2 <- DELIVER a incarnation=7 base=1 LIVE response=2 to=2 REPLY \"dos\"\n");
}

static void
open_of_a_session_that_is_closed_makes_no_new_one_when_it_must_exist (void **state)
{
    (void) state;
    story_play (NULL,
        "c1 -> HELLO\n"
        "c1 <- WELCOME\n"
        "c1 -> OPEN a existing\n"
        "c1 <- REFUSED OPEN NO_SUCH_SESSION\n"
        "c1 -> OPEN a\n"
        "c1 <- OPENED a incarnation=2 version=0 data=\"\" requests=0/0 responses=0/0\n"
        "c1 <- RESUMED a version=0 requests=0/0\n"
        "c1 -> CLOSE a\n"
        "c1 <- CLOSED a BY_CLIENT\n"
        "c1 -> OPEN a existing incarnation=2\n"
        "c1 <- REFUSED OPEN NO_SUCH_SESSION\n");
}

static void
sessions_of_two_principals_never_meet (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a as=ann\n"
        "c1 -> COMMIT a nothing data=anns\n"
        "c1 <- COMMITTED version=1\n"
        "c2 -> HELLO as=bob\n"
        "c2 <- WELCOME\n"
        "c2 -> OPEN a\n"
        "c2 <- OPENED a incarnation=4 version=0 data=\"\" requests=0/0 responses=0/0\n"
        "c2 <- RESUMED a version=0 requests=0/0\n");
}

static void
one_actor_may_have_two_sessions (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a actor=me\n"
        "c1 -> COMMIT a nothing data=x\n"
        "c1 <- COMMITTED version=1\n"
        "c1 -> OPEN b actor=me incarnation=2\n"
        "c1 <- OPENED b incarnation=2 version=1 data=\"x\" requests=0/0 responses=0/0\n"
        "c1 <- RESUMED b version=1 requests=0/0\n"
        "c1 -> COMMIT b request=one data=y\n"
        "c1 <- COMMITTED version=2\n"
        "c1 -> COMMIT a nothing data=z\n"
        "c1 <- COMMITTED version=3\n"
        "c2 -> HELLO\n"
        "c2 <- WELCOME\n"
        "c2 -> OPEN b actor=me\n"
        "c1 <- REFUSED COMMIT FENCED incarnation=2\n"
        "c2 <- OPENED b incarnation=7 version=3 data=\"z\" requests=1/0 responses=0/0\n"
        "c2 <- DELIVER b incarnation=7 base=3 QUEUE request=1 attempt=1 \"one\"\n"
        "c2 <- RESUMED b version=3 requests=1/0\n"
        "c1 -> COMMIT a nothing incarnation=2 version=3\n"
        "c1 <- REFUSED COMMIT FENCED incarnation=2\n");
}

static void
hello_again_stops_deliveries_until_the_next_open (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "c1 -> HELLO\n"
        "c1 <- WELCOME\n"
        "s1 -> COMMIT a consumed=1 reply=1:uno\n"
        "s1 <- COMMITTED version=1\n"
        "c1 -> OPEN a again\n"
        "c1 <- RESUMED a version=1 requests=1/1\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 REPLY \"uno\"\n");
}

static void
old_epoch_is_told_the_new_one_and_is_not_fenced (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "crash\n"
        "c1 -> HELLO\n"
        "c1 <- WELCOME\n"
        "c1 -> OPEN a again epoch=1\n"
        "c1 <- REFUSED OPEN OLD_EPOCH epoch=2 at once\n"
        "c1 -> OPEN a again\n"
        "c1 <- RESUMED a version=0 requests=0/0\n");
}

static void
epoch_ahead_of_the_broker_is_unavailable (void **state)
{
    (void) state;
    story_play (NULL,
        "c1 -> HELLO\n"
        "c1 <- WELCOME\n"
        "c1 -> OPEN a epoch=9\n"
        "c1 <- REFUSED OPEN UNAVAILABLE epoch=1 at once\n");
}

static void
shapes_that_no_open_may_have_are_malformed (void **state)
{
    (void) state;
    story_play (NULL,
        "c1 -> HELLO\n"
        "c1 <- WELCOME\n"
        "c1 -> OPEN -\n"
        "c1 <- REFUSED OPEN MALFORMED \"bytes of the session name\" at once\n"
        "c1 -> OPEN a kind=pooled\n"
        "c1 <- REFUSED OPEN MALFORMED \"session kind: only bound sessions are served\" "
            "at once\n");
}

static void
messages_of_another_role_are_denied (void **state)
{
    (void) state;
    story_play (NULL,
        "c1 -> HELLO\n"
        "c1 <- WELCOME\n"
        "c1 -> OFFER\n"
        "c1 <- REFUSED OFFER DENIED \"this message from this role\" at once\n"
        "s1 -> HELLO\n"
        "s1 <- WELCOME\n"
        "s1 -> OPEN a\n"
        "s1 <- REFUSED OPEN DENIED \"this message from this role\" at once\n"
        "c1 -> WELCOME\n"
        "c1 <- REFUSED WELCOME DENIED \"this message from this role\" at once\n");
}

static void
a_sixth_failure_within_a_second_is_busy (void **state)
{
    (void) state;
    story_play (NULL,
        "c1 -> HELLO\n"
        "c1 <- WELCOME\n"
        "c1 -> OPEN x existing\n"
        "c1 <- REFUSED OPEN NO_SUCH_SESSION\n"
        "c1 -> OPEN x existing\n"
        "c1 <- REFUSED OPEN NO_SUCH_SESSION\n"
        "c1 -> OPEN x existing\n"
        "c1 <- REFUSED OPEN NO_SUCH_SESSION\n"
        "c1 -> OPEN x existing\n"
        "c1 <- REFUSED OPEN NO_SUCH_SESSION\n"
        "c1 -> OPEN x existing\n"
        "c1 <- REFUSED OPEN NO_SUCH_SESSION\n"
        "c1 -> OPEN x existing\n"
        "c1 <- REFUSED OPEN BUSY(rate) at once\n"
        "c1 -> OPEN y\n"
        "c1 <- OPENED y incarnation=2 version=0 data=\"\" requests=0/0 responses=0/0\n"
        "c1 <- RESUMED y version=0 requests=0/0\n"
        "wait 1000\n"
        "c1 -> OPEN x existing\n"
        "c1 <- REFUSED OPEN NO_SUCH_SESSION\n");
}

static void
takeover_reaches_the_path_that_opened_last (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a actor=me instance=x\n"
        "given c2 opens b actor=me incarnation=2 instance=x\n"
        "given s1 offers\n"
        "c2 -> COMMIT b request=one\n"
        "c2 <- COMMITTED version=1\n"
        "s1 <- DELIVER b incarnation=6 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "c3 -> HELLO\n"
        "c3 <- WELCOME\n"
        "c3 -> OPEN a actor=me\n"
        "c2 <- REFUSED COMMIT FENCED incarnation=2\n"
        "c3 <- OPENED a incarnation=7 version=1 data=\"\" requests=0/0 responses=0/0\n"
        "c3 <- RESUMED a version=1 requests=0/0\n"
        "s1 -> COMMIT b consumed=1 reply=1:uno\n"
        "s1 <- COMMITTED version=1\n"
        "c3 -> OPEN b actor=me incarnation=7\n"
        "c3 <- OPENED b incarnation=7 version=1 data=\"\" requests=1/1 responses=1/0\n"
        "c3 <- DELIVER b incarnation=7 base=1 QUEUE response=1 to=1 REPLY \"uno\"\n"
        "c3 <- RESUMED b version=1 requests=1/1\n");
}

// Simulator: a path that has ended delivered late, and its OPEN took the session off the path that
// lives; with the older one forgotten, its end is told HELLO_FIRST instead of waiting for ever.
static void
an_open_of_the_same_process_forgets_its_older_path (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a instance=x\n"
        "c2 -> HELLO instance=x\n"
        "c2 <- WELCOME\n"
        "c2 -> OPEN a\n"
        "c1 <- FORGET\n"
        "c2 <- OPENED a incarnation=2 version=0 data=\"\" requests=0/0 responses=0/0\n"
        "c2 <- RESUMED a version=0 requests=0/0\n"
        "c1 -> HEARTBEAT\n"
        "c1 <- REFUSED HEARTBEAT HELLO_FIRST at once\n");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (open_makes_session_actor_and_incarnation),
        cmocka_unit_test (open_before_hello_is_refused),
        cmocka_unit_test (open_again_of_the_same_instance_keeps_the_incarnation),
        cmocka_unit_test (another_instance_fences_the_one_before_for_good),
        cmocka_unit_test (the_last_eight_former_instances_are_fenced),
        cmocka_unit_test (resuming_process_gets_only_what_it_did_not_receive),
        cmocka_unit_test (returning_actor_gets_restart_data_and_both_queues_before_anything_new),
        cmocka_unit_test (open_of_a_session_that_is_closed_makes_no_new_one_when_it_must_exist),
        cmocka_unit_test (sessions_of_two_principals_never_meet),
        cmocka_unit_test (one_actor_may_have_two_sessions),
        cmocka_unit_test (hello_again_stops_deliveries_until_the_next_open),
        cmocka_unit_test (old_epoch_is_told_the_new_one_and_is_not_fenced),
        cmocka_unit_test (epoch_ahead_of_the_broker_is_unavailable),
        cmocka_unit_test (shapes_that_no_open_may_have_are_malformed),
        cmocka_unit_test (messages_of_another_role_are_denied),
        cmocka_unit_test (a_sixth_failure_within_a_second_is_busy),
        cmocka_unit_test (takeover_reaches_the_path_that_opened_last),
        cmocka_unit_test (an_open_of_the_same_process_forgets_its_older_path),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
