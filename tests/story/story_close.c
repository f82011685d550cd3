// SPDX-License-Identifier: MPL-2.0
// Goal: a closed session is gone for both ends, and takes nothing with it that is not its own.
// Method: stories of a few steps (story.h) around CLOSE and the life of sessions.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/story/story.h"

static void
close_drops_both_queues_and_tells_the_server (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one request=two\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=2 attempt=1 \"two\"\n"
        "s1 -> COMMIT a consumed=1 reply=1:uno\n"
        "s1 <- COMMITTED version=1\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 REPLY \"uno\"\n"
        "c1 -> CLOSE a\n"
        "c1 <- CLOSED a BY_CLIENT\n"
        "s1 <- CLOSED a BY_CLIENT\n"
        "c1 -> OPEN a\n"
        "c1 <- OPENED a incarnation=8 version=0 data=\"\" requests=0/0 responses=0/0\n"
        "c1 <- RESUMED a version=0 requests=0/0\n");
}

static void
late_messages_of_a_closed_session_meet_no_such_session (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "c1 -> CLOSE a\n"
        "c1 <- CLOSED a BY_CLIENT\n"
        "s1 <- CLOSED a BY_CLIENT\n"
        "c1 -> CLOSE a\n"
        "c1 <- REFUSED CLOSE NO_SUCH_SESSION\n"
        "c1 -> COMMIT a nothing\n"
        "c1 <- REFUSED COMMIT NO_SUCH_SESSION\n"
        "c1 -> CREDIT a count=1\n"
        "c1 <- REFUSED CREDIT NO_SUCH_SESSION\n"
        "s1 -> COMMIT a consumed=1\n"
        "s1 <- REFUSED COMMIT NO_SUCH_SESSION\n"
        "s1 -> RELOAD a\n"
        "s1 <- REFUSED RELOAD NO_SUCH_SESSION\n"
        "c1 -> OPEN a existing incarnation=2\n"
        "c1 <- REFUSED OPEN NO_SUCH_SESSION\n");
}

static void
close_at_another_version_is_a_gap (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "c1 -> CLOSE a version=0\n"
        "c1 <- REFUSED CLOSE GAP version=1\n"
        "c1 -> CLOSE a version=2\n"
        "c1 <- REFUSED CLOSE GAP version=1\n"
        "c1 -> CLOSE a version=1\n"
        "c1 <- CLOSED a BY_CLIENT\n");
}

static void
only_the_current_process_of_the_actor_may_close (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given c2 opens a\n"
        "c1 -> CLOSE a incarnation=2\n"
        "c1 <- REFUSED CLOSE FENCED incarnation=2\n"
        "c1 -> CLOSE a\n"
        "c1 <- REFUSED CLOSE FENCED incarnation=3\n"
        "c2 -> CLOSE a actor=b\n"
        "c2 <- REFUSED CLOSE MALFORMED \"actor\" at once\n"
        "c2 -> CLOSE a\n"
        "c2 <- CLOSED a BY_CLIENT\n");
}

static void
close_gives_the_server_its_credit_back (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given c1 opens b\n"
        "given s1 offers credit=1\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=6 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "c1 -> COMMIT b request=two\n"
        "c1 <- COMMITTED version=1\n"
        "c1 -> CLOSE a\n"
        "c1 <- CLOSED a BY_CLIENT\n"
        "s1 <- CLOSED a BY_CLIENT\n"
        "s1 <- DELIVER b incarnation=8 base=0 LIVE request=1 attempt=1 \"two\"\n"
        "s1 -> COMMIT b consumed=1 reply=1:x\n"
        "s1 <- COMMITTED version=1\n"
        "c1 <- DELIVER b incarnation=3 base=1 LIVE response=1 to=1 REPLY \"x\"\n");
}

static void
close_of_a_suspects_session_lets_others_be_served (void **state)
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
        "s2 -> HELLO name=s\n"
        "s1 <- FORGET\n"
        "s2 <- WELCOME\n"
        "s2 -> OFFER\n"
        "s2 <- OFFERED\n"
        "s2 <- DELIVER a incarnation=9 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "c1 -> COMMIT b request=uno\n"
        "c1 <- COMMITTED version=1\n"
        "c1 -> CLOSE a\n"
        "c1 <- CLOSED a BY_CLIENT\n"
        "s2 <- CLOSED a BY_CLIENT\n"
        "s2 <- DELIVER b incarnation=11 base=0 LIVE request=1 attempt=1 \"uno\"\n");
}

static void
close_of_one_session_keeps_the_actors_other_one (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a actor=me\n"
        "given c1 opens b actor=me incarnation=2\n"
        "c1 -> COMMIT a nothing data=x\n"
        "c1 <- COMMITTED version=1\n"
        "c1 -> CLOSE a\n"
        "c1 <- CLOSED a BY_CLIENT\n"
        "c1 -> COMMIT b request=one data=y\n"
        "c1 <- COMMITTED version=2\n"
        "c2 -> HELLO\n"
        "c2 <- WELCOME\n"
        "c2 -> OPEN b actor=me\n"
        "c1 <- REFUSED COMMIT FENCED incarnation=2\n"
        "c2 <- OPENED b incarnation=7 version=2 data=\"y\" requests=1/0 responses=0/0\n"
        "c2 <- DELIVER b incarnation=7 base=2 QUEUE request=1 attempt=1 \"one\"\n"
        "c2 <- RESUMED b version=2 requests=1/0\n");
}

static void
session_without_its_client_is_closed_after_its_life (void **state)
{
    struct core_options options = story_options ();

    (void) state;
    options.session_life_ms = 60000;
    story_play (&options,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "lost c1\n"
        "wait 59000 keeping s1\n"
        "wait 1000 keeping s1\n"
        "s1 <- CLOSED a BY_LIFE\n");
}

static void
life_begins_anew_when_the_client_was_there (void **state)
{
    struct core_options options = story_options ();

    (void) state;
    options.session_life_ms = 60000;
    story_play (&options,
        "given c1 opens a\n"
        "lost c1\n"
        "wait 59000\n"
        "c1 -> HELLO\n"
        "c1 <- WELCOME\n"
        "c1 -> OPEN a again\n"
        "c1 <- RESUMED a version=0 requests=0/0\n"
        "lost c1\n"
        "wait 59000\n"
        "wait 1000\n"
        "c1 -> HELLO\n"
        "c1 <- WELCOME\n"
        "c1 -> OPEN a existing\n"
        "c1 <- REFUSED OPEN NO_SUCH_SESSION\n");
}

static void
life_begins_anew_with_a_reign (void **state)
{
    struct core_options options = story_options ();

    (void) state;
    options.session_life_ms = 60000;
    story_play (&options,
        "given c1 opens a\n"
        "lost c1\n"
        "wait 59000\n"
        "crash\n"
        "wait 59000\n"
        "c1 -> HELLO\n"
        "c1 <- WELCOME\n"
        "c1 -> OPEN a again\n"
        "c1 <- RESUMED a version=0 requests=0/0\n");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (close_drops_both_queues_and_tells_the_server),
        cmocka_unit_test (late_messages_of_a_closed_session_meet_no_such_session),
        cmocka_unit_test (close_at_another_version_is_a_gap),
        cmocka_unit_test (only_the_current_process_of_the_actor_may_close),
        cmocka_unit_test (close_gives_the_server_its_credit_back),
        cmocka_unit_test (close_of_a_suspects_session_lets_others_be_served),
        cmocka_unit_test (close_of_one_session_keeps_the_actors_other_one),
        cmocka_unit_test (session_without_its_client_is_closed_after_its_life),
        cmocka_unit_test (life_begins_anew_when_the_client_was_there),
        cmocka_unit_test (life_begins_anew_with_a_reign),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
