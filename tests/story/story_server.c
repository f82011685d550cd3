// SPDX-License-Identifier: MPL-2.0
// Goal: servers come, go and come back; what they had goes to exactly one live incarnation.
// Method: stories of a few steps (story.h) around HELLO, OFFER, GOODBYE, RELOAD and silence.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/story/story.h"

static void
hello_of_the_same_instance_gets_everything_unconsumed_again (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one request=two\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=2 attempt=1 \"two\"\n"
        "s1 -> COMMIT a consumed=1\n"
        "s1 <- COMMITTED version=1\n"
        "s2 -> HELLO name=s1 instance=s1\n"
        "s2 <- WELCOME\n"
        "s1 <- FORGET\n"
        "s2 <- DELIVER a incarnation=5 base=1 LIVE request=2 attempt=1 \"two\"\n");
}

static void
new_instance_ends_the_old_one_at_once_and_fences_it (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s2 -> HELLO name=s1\n"
        "s1 <- FORGET\n"
        "s2 <- WELCOME\n"
        "s1 -> COMMIT a consumed=1\n"
        "s1 <- REFUSED COMMIT HELLO_FIRST at once\n"
        "s1 -> HELLO\n"
        "s1 <- REFUSED HELLO FENCED incarnation=0\n"
        "s1 <- FORGET\n"
        "s2 -> OFFER\n"
        "s2 <- OFFERED\n"
        "s2 <- DELIVER a incarnation=8 base=0 LIVE request=1 attempt=2 \"one\"\n"
        "s2 -> COMMIT a consumed=1 reply=1:uno\n"
        "s2 <- COMMITTED version=1\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 REPLY \"uno\"\n");
}

static void
goodbye_gives_work_back_at_once_and_blames_nobody (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "given s2 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=6 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 -> GOODBYE\n"
        "s1 <- FORGET\n"
        "s2 <- DELIVER a incarnation=8 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s2 -> RELOAD a\n"
        "s2 <- STATE a incarnation=8 version=0 data=\"\" requests=1/0 responses=0\n"
        "s2 <- RESUMED a version=0 requests=1/0\n"
        "s2 <- DELIVER a incarnation=8 base=0 LIVE request=1 attempt=1 \"one\"\n");
}

static void
silent_server_is_replaced_after_its_time (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "given s2 offers\n"
        "c1 -> COMMIT a request=one request=two\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=6 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 <- DELIVER a incarnation=6 base=0 LIVE request=2 attempt=1 \"two\"\n"
        "wait 9900 keeping c1 s2\n"
        "wait 200 keeping c1 s2\n"
        "s2 <- DELIVER a incarnation=8 base=0 LIVE request=1 attempt=1 \"one\"\n");
}

static void
zombie_is_fenced_after_its_session_moved (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "given s2 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=6 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "wait 11000 keeping c1 s2\n"
        "s2 <- DELIVER a incarnation=8 base=0 LIVE request=1 attempt=2 \"one\"\n"
        "s1 -> COMMIT a consumed=1 reply=1:late incarnation=6\n"
        "s1 <- REFUSED COMMIT HELLO_FIRST at once\n"
        "s1 -> HELLO\n"
        "s1 <- WELCOME\n"
        "s1 -> OFFER\n"
        "s1 <- OFFERED\n"
        "s1 -> COMMIT a consumed=1 reply=1:late incarnation=6 version=0\n"
        "s1 <- REFUSED COMMIT FENCED incarnation=6\n"
        "s1 -> RELOAD a incarnation=6\n"
        "s1 <- REFUSED RELOAD FENCED incarnation=6\n");
}

static void
what_ended_by_record_stays_ended_though_the_same_instance_comes_back (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "wait 11000 keeping c1\n"
        "s1 -> HELLO\n"
        "s1 <- WELCOME\n"
        "s1 -> COMMIT a consumed=1 reply=1:late\n"
        "s1 <- REFUSED COMMIT FENCED incarnation=5\n"
        "s1 -> OFFER\n"
        "s1 <- OFFERED\n"
        "s1 <- REFUSED COMMIT FENCED incarnation=5\n"
        "s1 <- DELIVER a incarnation=8 base=0 LIVE request=1 attempt=2 \"one\"\n"
        "s1 -> COMMIT a consumed=1 reply=1:late incarnation=5\n"
        "s1 <- REFUSED COMMIT FENCED incarnation=5\n"
        "s1 -> COMMIT a consumed=1 reply=1:anew\n"
        "s1 <- COMMITTED version=1\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 REPLY \"anew\"\n");
}

static void
offer_of_a_former_instance_on_an_old_path_is_fenced (void **state)
{
    (void) state;
    story_play (NULL,
        "s1 -> HELLO name=s instance=x\n"
        "s1 <- WELCOME\n"
        "s2 -> HELLO name=s instance=x\n"
        "s2 <- WELCOME\n"
        "s1 -> OFFER\n"
        "s1 <- OFFERED\n"
        "s3 -> HELLO name=s instance=y\n"
        "s1 <- FORGET\n"
        "s3 <- WELCOME\n"
        "s3 -> OFFER\n"
        "s3 <- OFFERED\n"
        "s2 -> OFFER\n"
        "s2 <- REFUSED OFFER FENCED incarnation=0\n");
}

static void
offer_of_a_path_that_was_greeted_before_must_greet_again (void **state)
{
    (void) state;
    story_play (NULL,
        "s1 -> HELLO name=s instance=x\n"
        "s1 <- WELCOME\n"
        "s2 -> HELLO name=s instance=y\n"
        "s2 <- WELCOME\n"
        "s1 -> OFFER\n"
        "s1 <- OFFERED\n"
        "s2 -> OFFER\n"
        "s2 <- REFUSED OFFER HELLO_FIRST at once\n"
        "s2 -> HELLO name=s instance=y\n"
        "s1 <- FORGET\n"
        "s2 <- WELCOME\n"
        "s2 -> OFFER\n"
        "s2 <- OFFERED\n");
}

static void
name_of_another_principals_server_is_denied (void **state)
{
    (void) state;
    story_play (NULL,
        "s1 -> HELLO as=ann name=s\n"
        "s1 <- WELCOME\n"
        "s2 -> HELLO as=bob name=t\n"
        "s2 <- WELCOME\n"
        "s1 -> OFFER\n"
        "s1 <- OFFERED\n"
        "s3 -> HELLO as=bob name=s\n"
        "s3 <- REFUSED HELLO DENIED \"server of another principal\" at once\n"
        "s3 <- FORGET\n");
}

static void
new_offer_while_loading_lets_the_load_end (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given c1 opens b\n"
        "given c1 opens d\n"
        "given s1 offers credit=1\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=7 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 -> COMMIT a consumed=1 data=x\n"
        "s1 <- COMMITTED version=1\n"
        "c1 -> COMMIT b request=uno\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER b incarnation=10 base=0 LIVE request=1 attempt=1 \"uno\"\n"
        "c1 -> COMMIT d request=eins\n"
        "c1 <- COMMITTED version=1\n"
        "s1 -> RELOAD a\n"
        "s1 <- STATE a incarnation=7 version=1 data=\"x\" requests=1/1 responses=0\n"
        "s1 -> OFFER credit=1 capacity=2\n"
        "s1 <- OFFERED\n"
        "s1 -> COMMIT b consumed=1\n"
        "s1 <- COMMITTED version=1\n"
        "s1 <- DELIVER d incarnation=12 base=0 LIVE request=1 attempt=1 \"eins\"\n"
        "s1 <- DELIVER a incarnation=7 base=1 QUEUE request=1 attempt=1 \"one\"\n"
        "s1 <- RESUMED a version=1 requests=1/1\n"
        "s1 -> COMMIT d consumed=1\n"
        "s1 <- COMMITTED version=1\n");
}

static void
reload_gives_state_and_both_queues_then_the_work_again (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one request=two request=three\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=2 attempt=1 \"two\"\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=3 attempt=1 \"three\"\n"
        "s1 -> COMMIT a consumed=2 reply=2:dos data=mine\n"
        "s1 <- COMMITTED version=1\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=2 REPLY \"dos\"\n"
        "s1 -> RELOAD a\n"
        "s1 <- STATE a incarnation=5 version=1 data=\"mine\" requests=3/2 responses=1\n"
        "s1 <- DELIVER a incarnation=5 base=1 QUEUE request=1 attempt=1 \"one\"\n"
        "s1 <- DELIVER a incarnation=5 base=1 QUEUE response=1 to=2 REPLY \"dos\"\n"
        "s1 <- RESUMED a version=1 requests=3/2\n"
        "s1 <- DELIVER a incarnation=5 base=1 LIVE request=3 attempt=1 \"three\"\n");
}

static void
base_version_of_a_delivery_tells_a_server_whether_it_holds_the_state (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers credit=1\n"
        "c1 -> COMMIT a request=one request=two\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 -> COMMIT a consumed=1 reply=1:uno\n"
        "s1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=1 LIVE request=2 attempt=1 \"two\"\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 REPLY \"uno\"\n");
}

static void
session_whose_work_was_all_consumed_is_told_to_its_next_server (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 -> COMMIT a consumed=1 data=mine\n"
        "s1 <- COMMITTED version=1\n"
        "s1 -> GOODBYE\n"
        "s1 <- FORGET\n"
        "s2 -> HELLO\n"
        "s2 <- WELCOME\n"
        "s2 -> OFFER\n"
        "s2 <- OFFERED\n"
        "s2 <- DELIVER a incarnation=9 base=1 LIVE\n"
        "s2 -> RELOAD a\n"
        "s2 <- STATE a incarnation=9 version=1 data=\"mine\" requests=1/1 responses=0\n"
        "s2 <- DELIVER a incarnation=9 base=1 QUEUE request=1 attempt=1 \"one\"\n"
        "s2 <- RESUMED a version=1 requests=1/1\n"
        "s2 -> COMMIT a consumed=1 reply=1:uno\n"
        "s2 <- COMMITTED version=2\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 REPLY \"uno\"\n");
}

static void
offers_and_queues_survive_the_broker (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one data=x\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "crash\n"
        "s1 -> HELLO\n"
        "s1 <- WELCOME\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "c1 -> HELLO\n"
        "c1 <- WELCOME\n"
        "c1 -> OPEN a again\n"
        "c1 <- RESUMED a version=1 requests=1/0\n"
        "s1 -> COMMIT a consumed=1 reply=1:uno\n"
        "s1 <- COMMITTED version=1\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 REPLY \"uno\"\n");
}

static void
offer_of_a_server_that_stays_away_expires (void **state)
{
    (void) state;
    story_play (NULL,
        "c1 -> HELLO\n"
        "c1 <- WELCOME\n"
        "s1 -> HELLO\n"
        "s1 <- WELCOME\n"
        "s1 -> OFFER set=big\n"
        "s1 <- OFFERED\n"
        "wait 3599000 keeping c1\n"
        "c1 -> OPEN a\n"
        "c1 <- REFUSED OPEN NO_MATCH \"no server is in the default set\"\n"
        "wait 10000 keeping c1\n"
        "c1 -> OPEN b\n"
        "c1 <- OPENED b incarnation=4 version=0 data=\"\" requests=0/0 responses=0/0\n"
        "c1 <- RESUMED b version=0 requests=0/0\n");
}

static void
server_is_sent_no_more_than_its_credit (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers credit=1\n"
        "c1 -> COMMIT a request=one request=two\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 -> OFFER credit=2\n"
        "s1 <- OFFERED\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=2 attempt=1 \"two\"\n"
        "s1 -> COMMIT a consumed=1\n"
        "s1 <- COMMITTED version=1\n");
}

static void
body_larger_than_the_credit_goes_alone (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers bytes=4\n"
        "c1 -> COMMIT a request=long-one request=x\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"long-one\"\n"
        "s1 -> COMMIT a consumed=1\n"
        "s1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=1 LIVE request=2 attempt=1 \"x\"\n");
}

static void
link_lost_and_back_keeps_the_incarnation (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "lost s1\n"
        "c1 -> COMMIT a request=two\n"
        "c1 <- COMMITTED version=2\n"
        "s2 -> HELLO name=s1 instance=s1\n"
        "s2 <- WELCOME\n"
        "s2 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s2 <- DELIVER a incarnation=5 base=0 LIVE request=2 attempt=1 \"two\"\n"
        "s2 -> COMMIT a consumed=2 reply=1:uno reply=2:dos\n"
        "s2 <- COMMITTED version=1\n"
        "c1 <- DELIVER a incarnation=2 base=2 LIVE response=1 to=1 REPLY \"uno\"\n"
        "c1 <- DELIVER a incarnation=2 base=2 LIVE response=2 to=2 REPLY \"dos\"\n");
}

static void
refused_hello_of_a_known_path_forgets_it (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "s1 -> HELLO name=''\n"
        "s1 <- REFUSED HELLO MALFORMED \"bytes of the name\" at once\n"
        "s1 <- FORGET\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 -> HEARTBEAT\n"
        "s1 <- REFUSED HEARTBEAT HELLO_FIRST at once\n"
        "s1 -> HELLO\n"
        "s1 <- WELCOME\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n");
}

static void
sessions_take_turns_at_a_server (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given c1 opens b\n"
        "given s1 offers credit=1\n"
        "c1 -> COMMIT a request=1 request=2 request=3\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=6 base=0 LIVE request=1 attempt=1 \"1\"\n"
        "c1 -> COMMIT b request=1 request=2\n"
        "c1 <- COMMITTED version=1\n"
        "s1 -> COMMIT a consumed=1\n"
        "s1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=6 base=1 LIVE request=2 attempt=1 \"2\"\n"
        "s1 -> COMMIT a consumed=2\n"
        "s1 <- COMMITTED version=2\n"
        "s1 <- DELIVER b incarnation=8 base=0 LIVE request=1 attempt=1 \"1\"\n"
        "s1 -> COMMIT b consumed=1\n"
        "s1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=6 base=2 LIVE request=3 attempt=1 \"3\"\n"
        "s1 -> COMMIT a consumed=3\n"
        "s1 <- COMMITTED version=3\n"
        "s1 <- DELIVER b incarnation=8 base=1 LIVE request=2 attempt=1 \"2\"\n");
}

static void
late_reload_of_a_former_incarnation_is_fenced_and_disturbs_nothing (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one request=two\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=2 attempt=1 \"two\"\n"
        "wait 11000 keeping c1\n"
        "s1 -> HELLO\n"
        "s1 <- WELCOME\n"
        "s1 -> OFFER\n"
        "s1 <- OFFERED\n"
        "s1 <- REFUSED COMMIT FENCED incarnation=5\n"
        "s1 <- DELIVER a incarnation=8 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 -> RELOAD a incarnation=5\n"
        "s1 <- REFUSED RELOAD FENCED incarnation=5\n"
        "s1 -> COMMIT a consumed=1\n"
        "s1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=8 base=1 LIVE request=2 attempt=1 \"two\"\n");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (hello_of_the_same_instance_gets_everything_unconsumed_again),
        cmocka_unit_test (new_instance_ends_the_old_one_at_once_and_fences_it),
        cmocka_unit_test (goodbye_gives_work_back_at_once_and_blames_nobody),
        cmocka_unit_test (silent_server_is_replaced_after_its_time),
        cmocka_unit_test (zombie_is_fenced_after_its_session_moved),
        cmocka_unit_test (what_ended_by_record_stays_ended_though_the_same_instance_comes_back),
        cmocka_unit_test (offer_of_a_former_instance_on_an_old_path_is_fenced),
        cmocka_unit_test (offer_of_a_path_that_was_greeted_before_must_greet_again),
        cmocka_unit_test (name_of_another_principals_server_is_denied),
        cmocka_unit_test (new_offer_while_loading_lets_the_load_end),
        cmocka_unit_test (reload_gives_state_and_both_queues_then_the_work_again),
        cmocka_unit_test (base_version_of_a_delivery_tells_a_server_whether_it_holds_the_state),
        cmocka_unit_test (session_whose_work_was_all_consumed_is_told_to_its_next_server),
        cmocka_unit_test (offers_and_queues_survive_the_broker),
        cmocka_unit_test (offer_of_a_server_that_stays_away_expires),
        cmocka_unit_test (server_is_sent_no_more_than_its_credit),
        cmocka_unit_test (body_larger_than_the_credit_goes_alone),
        cmocka_unit_test (link_lost_and_back_keeps_the_incarnation),
        cmocka_unit_test (refused_hello_of_a_known_path_forgets_it),
        cmocka_unit_test (sessions_take_turns_at_a_server),
        cmocka_unit_test (late_reload_of_a_former_incarnation_is_fenced_and_disturbs_nothing),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
