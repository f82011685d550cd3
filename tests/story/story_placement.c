// SPDX-License-Identifier: MPL-2.0
// Goal: the right server gets a session, and a session without one waits or is told that it waits
// in vain.
// Method: stories of a few steps (story.h) with several servers; who gets DELIVER was chosen.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/story/story.h"

static void
least_outstanding_work_wins (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given c1 opens b\n"
        "given s1 offers\n"
        "given s2 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=7 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "c1 -> COMMIT b request=two\n"
        "c1 <- COMMITTED version=1\n"
        "s2 <- DELIVER b incarnation=9 base=0 LIVE request=1 attempt=1 \"two\"\n");
}

static void
work_is_measured_against_capacity (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given c1 opens b\n"
        "given c1 opens d\n"
        "given s1 offers capacity=3\n"
        "given s2 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=8 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "c1 -> COMMIT b request=two\n"
        "c1 <- COMMITTED version=1\n"
        "s2 <- DELIVER b incarnation=10 base=0 LIVE request=1 attempt=1 \"two\"\n"
        "c1 -> COMMIT d request=three\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER d incarnation=12 base=0 LIVE request=1 attempt=1 \"three\"\n");
}

static void
of_idle_servers_the_one_idle_longest_wins (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given c1 opens b\n"
        "given s1 offers\n"
        "wait 1\n"
        "s2 -> HELLO\n"
        "s2 <- WELCOME\n"
        "s2 -> OFFER\n"
        "s2 <- OFFERED\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=7 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "wait 1\n"
        "s1 -> COMMIT a consumed=1 reply=1:x\n"
        "s1 <- COMMITTED version=1\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 REPLY \"x\"\n"
        "c1 -> COMMIT b request=two\n"
        "c1 <- COMMITTED version=1\n"
        "s2 <- DELIVER b incarnation=10 base=0 LIVE request=1 attempt=1 \"two\"\n");
}

static void
of_equal_servers_the_lower_name_wins (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s2 offers\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=6 base=0 LIVE request=1 attempt=1 \"one\"\n");
}

static void
session_stays_with_its_server (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s2 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s2 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 -> HELLO\n"
        "s1 <- WELCOME\n"
        "s1 -> OFFER\n"
        "s1 <- OFFERED\n"
        "c1 -> COMMIT a request=two\n"
        "c1 <- COMMITTED version=2\n"
        "s2 <- DELIVER a incarnation=5 base=0 LIVE request=2 attempt=1 \"two\"\n");
}

static void
changed_offer_counts_for_new_sessions_and_bound_ones_stay (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a requirement='gpu = 4'\n"
        "given s1 offers has='gpu=4'\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 -> OFFER has='gpu=2'\n"
        "s1 <- OFFERED\n"
        "c1 -> COMMIT a request=two\n"
        "c1 <- COMMITTED version=2\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=2 attempt=1 \"two\"\n"
        "given c2 opens b requirement='gpu = 2'\n"
        "c2 -> COMMIT b request=new\n"
        "c2 <- COMMITTED version=1\n"
        "s1 <- DELIVER b incarnation=10 base=0 LIVE request=1 attempt=1 \"new\"\n");
}

static void
requirement_is_held_against_servers_of_all_sets (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a requirement='gpu >= 2'\n"
        "given s1 offers\n"
        "given s2 offers set=big has='gpu=4'\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s2 <- DELIVER a incarnation=6 base=0 LIVE request=1 attempt=1 \"one\"\n");
}

static void
request_waits_until_a_fitting_server_comes (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 -> HELLO\n"
        "s1 <- WELCOME\n"
        "s1 -> OFFER set=big\n"
        "s1 <- OFFERED\n"
        "s2 -> HELLO\n"
        "s2 <- WELCOME\n"
        "s2 -> OFFER\n"
        "s2 <- OFFERED\n"
        "s2 <- DELIVER a incarnation=6 base=0 LIVE request=1 attempt=1 \"one\"\n");
}

static void
what_never_can_match_is_refused_once_an_offer_is_settled (void **state)
{
    (void) state;
    story_play (NULL,
        "c1 -> HELLO\n"
        "c1 <- WELCOME\n"
        "s1 -> HELLO\n"
        "s1 <- WELCOME\n"
        "s1 -> OFFER has='gpu=1'\n"
        "s1 <- OFFERED\n"
        "c1 -> OPEN a requirement='gpu >= 2'\n"
        "c1 <- OPENED a incarnation=3 version=0 data=\"\" requests=0/0 responses=0/0\n"
        "c1 <- RESUMED a version=0 requests=0/0\n"
        "wait 5000 keeping c1 s1\n"
        "c1 -> OPEN b requirement='gpu >= 2'\n"
        "c1 <- REFUSED OPEN NO_MATCH \"gpu\"\n"
        "c1 -> OPEN d requirement='cores > 1'\n"
        "c1 <- REFUSED OPEN NO_MATCH \"cores\"\n"
        "c1 -> OPEN e requirement='gpu = 1'\n"
        "c1 <- OPENED e incarnation=4 version=0 data=\"\" requests=0/0 responses=0/0\n"
        "c1 <- RESUMED e version=0 requests=0/0\n");
}

static void
empty_requirement_without_a_default_set_is_refused (void **state)
{
    (void) state;
    story_play (NULL,
        "c1 -> HELLO\n"
        "c1 <- WELCOME\n"
        "s1 -> HELLO\n"
        "s1 <- WELCOME\n"
        "s1 -> OFFER set=big\n"
        "s1 <- OFFERED\n"
        "wait 5000 keeping c1 s1\n"
        "c1 -> OPEN a\n"
        "c1 <- REFUSED OPEN NO_MATCH \"no server is in the default set\"\n");
}

static void
server_that_fits_and_is_away_is_waited_for (void **state)
{
    (void) state;
    story_play (NULL,
        "c1 -> HELLO\n"
        "c1 <- WELCOME\n"
        "s1 -> HELLO\n"
        "s1 <- WELCOME\n"
        "s1 -> OFFER\n"
        "s1 <- OFFERED\n"
        "lost s1\n"
        "wait 60000 keeping c1\n"
        "c1 -> OPEN a\n"
        "c1 <- OPENED a incarnation=3 version=0 data=\"\" requests=0/0 responses=0/0\n"
        "c1 <- RESUMED a version=0 requests=0/0\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 -> HELLO\n"
        "s1 <- WELCOME\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n");
}

static void
new_instance_of_the_same_server_is_awaited_before_another_takes_over (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "given s2 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=6 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s3 -> HELLO name=s1\n"
        "s1 <- FORGET\n"
        "s3 <- WELCOME\n"
        "wait 2000 keeping c1 s2 s3\n"
        "s3 -> OFFER\n"
        "s3 <- OFFERED\n"
        "s3 <- DELIVER a incarnation=9 base=0 LIVE request=1 attempt=2 \"one\"\n");
}

static void
new_instance_that_never_offers_is_not_awaited_for_ever (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "given s2 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=6 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s3 -> HELLO name=s1\n"
        "s1 <- FORGET\n"
        "s3 <- WELCOME\n"
        "wait 10000 keeping c1 s2 s3\n"
        "s2 <- DELIVER a incarnation=8 base=0 LIVE request=1 attempt=2 \"one\"\n");
}

static void
idle_session_is_bound_again_with_its_next_request (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 -> COMMIT a consumed=1 reply=1:uno\n"
        "s1 <- COMMITTED version=1\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 REPLY \"uno\"\n"
        "s1 -> GOODBYE\n"
        "s1 <- FORGET\n"
        "s2 -> HELLO\n"
        "s2 <- WELCOME\n"
        "s2 -> OFFER\n"
        "s2 <- OFFERED\n"
        "c1 -> COMMIT a request=two\n"
        "c1 <- COMMITTED version=2\n"
        "s2 <- DELIVER a incarnation=10 base=1 LIVE request=2 attempt=1 \"two\"\n");
}

static void
session_that_was_served_after_a_restart_finds_its_servers_next_instance (void **state)
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
        "s1 -> COMMIT a consumed=1 reply=1:uno\n"
        "s1 <- COMMITTED version=1\n"
        "s2 -> HELLO name=s1\n"
        "s1 <- FORGET\n"
        "s2 <- WELCOME\n"
        "s2 -> OFFER\n"
        "s2 <- OFFERED\n"
        "c1 -> HELLO\n"
        "c1 <- WELCOME\n"
        "c1 -> OPEN a again\n"
        "c1 <- RESUMED a version=1 requests=1/1\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 REPLY \"uno\"\n"
        "c1 -> COMMIT a request=two\n"
        "c1 <- COMMITTED version=2\n"
        "s2 <- DELIVER a incarnation=11 base=1 LIVE request=2 attempt=1 \"two\"\n");
}

static void
after_a_restart_servers_have_their_full_time_to_come_back (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "crash\n"
        "c1 -> HELLO\n"
        "c1 <- WELCOME\n"
        "s2 -> HELLO\n"
        "s2 <- WELCOME\n"
        "s2 -> OFFER\n"
        "s2 <- OFFERED\n"
        "wait 9900 keeping c1 s2\n"
        "wait 200 keeping c1 s2\n"
        "s2 <- DELIVER a incarnation=9 base=0 LIVE request=1 attempt=1 \"one\"\n");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (least_outstanding_work_wins),
        cmocka_unit_test (work_is_measured_against_capacity),
        cmocka_unit_test (of_idle_servers_the_one_idle_longest_wins),
        cmocka_unit_test (of_equal_servers_the_lower_name_wins),
        cmocka_unit_test (session_stays_with_its_server),
        cmocka_unit_test (changed_offer_counts_for_new_sessions_and_bound_ones_stay),
        cmocka_unit_test (requirement_is_held_against_servers_of_all_sets),
        cmocka_unit_test (request_waits_until_a_fitting_server_comes),
        cmocka_unit_test (what_never_can_match_is_refused_once_an_offer_is_settled),
        cmocka_unit_test (empty_requirement_without_a_default_set_is_refused),
        cmocka_unit_test (server_that_fits_and_is_away_is_waited_for),
        cmocka_unit_test (new_instance_of_the_same_server_is_awaited_before_another_takes_over),
        cmocka_unit_test (new_instance_that_never_offers_is_not_awaited_for_ever),
        cmocka_unit_test (idle_session_is_bound_again_with_its_next_request),
        cmocka_unit_test (session_that_was_served_after_a_restart_finds_its_servers_next_instance),
        cmocka_unit_test (after_a_restart_servers_have_their_full_time_to_come_back),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
