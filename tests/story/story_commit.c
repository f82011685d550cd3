// SPDX-License-Identifier: MPL-2.0
// Goal: COMMIT is all or nothing, once and in order, at both ends.
// Method: stories of a few steps (story.h); each refusal that a commit can meet is met once.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/story/story.h"

static void
request_and_answer_travel_with_the_restart_data_of_their_ends (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=hello data=client-1\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"hello\"\n"
        "s1 -> COMMIT a consumed=1 reply=1:world data=server-1\n"
        "s1 <- COMMITTED version=1\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 REPLY \"world\"\n"
        "c1 -> COMMIT a consumed=1 data=client-2\n"
        "c1 <- COMMITTED version=2\n");
}

static void
stored_commit_is_told_as_duplicate_and_changes_nothing (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "c1 -> COMMIT a request=one seq=1 version=0\n"
        "c1 <- REFUSED COMMIT DUPLICATE version=1\n"
        "c1 -> COMMIT a request=two\n"
        "c1 <- COMMITTED version=2\n"
        "c1 -> COMMIT a request=one seq=1 version=0\n"
        "c1 <- REFUSED COMMIT DUPLICATE version=2\n");
}

static void
commit_after_a_missing_one_is_told_where_to_resend_from (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "c1 -> COMMIT a request=two seq=2 version=1\n"
        "c1 <- REFUSED COMMIT GAP version=0\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n");
}

static void
another_commit_of_the_stored_version_is_malformed (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "c1 -> COMMIT a request=one digest=5\n"
        "c1 <- COMMITTED version=1\n"
        "c1 -> COMMIT a request=one version=0 digest=6\n"
        "c1 <- REFUSED COMMIT MALFORMED \"digest: another commit of this version is "
            "stored\" at once\n");
}

static void
commit_without_a_part_is_a_checkpoint (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "c1 -> COMMIT a nothing data=here\n"
        "c1 <- COMMITTED version=1\n"
        "c2 -> HELLO\n"
        "c2 <- WELCOME\n"
        "c2 -> OPEN a\n"
        "c1 <- REFUSED COMMIT FENCED incarnation=2\n"
        "c2 <- OPENED a incarnation=4 version=1 data=\"here\" requests=0/0 responses=0/0\n"
        "c2 <- RESUMED a version=1 requests=0/0\n");
}

static void
consumed_responses_leave_the_queue (void **state)
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
        "c1 -> COMMIT a consumed=1\n"
        "c1 <- COMMITTED version=2\n"
        "c2 -> HELLO\n"
        "c2 <- WELCOME\n"
        "c2 -> OPEN a\n"
        "c1 <- REFUSED COMMIT FENCED incarnation=2\n"
        "c2 <- OPENED a incarnation=8 version=2 data=\"\" requests=2/2 responses=2/1\n"
        "c2 <- DELIVER a incarnation=8 base=2 QUEUE response=2 to=2 REPLY \"dos\"\n"
        "c2 <- RESUMED a version=2 requests=2/2\n");
}

static void
response_consumed_unseen_is_not_sent_any_more (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a credit=1\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one request=two request=three\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=2 attempt=1 \"two\"\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=3 attempt=1 \"three\"\n"
        "s1 -> COMMIT a consumed=3 reply=1:uno reply=2:dos reply=3:tres\n"
        "s1 <- COMMITTED version=1\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 REPLY \"uno\"\n"
        "c1 -> COMMIT a consumed=2\n"
        "c1 <- COMMITTED version=2\n"
        "c1 -> CREDIT a count=9\n"
        "c1 <- DELIVER a incarnation=2 base=2 LIVE response=3 to=3 REPLY \"tres\"\n");
}

static void
request_consumed_and_not_answered_stays_open (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one request=two\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=2 attempt=1 \"two\"\n"
        "s1 -> COMMIT a consumed=2 reply=2:dos\n"
        "s1 <- COMMITTED version=1\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=2 REPLY \"dos\"\n"
        "c2 -> HELLO\n"
        "c2 <- WELCOME\n"
        "c2 -> OPEN a\n"
        "c1 <- REFUSED COMMIT FENCED incarnation=2\n"
        "c2 <- OPENED a incarnation=7 version=1 data=\"\" requests=2/2 responses=1/0\n"
        "c2 <- DELIVER a incarnation=7 base=1 QUEUE request=1 attempt=1 \"one\"\n"
        "c2 <- DELIVER a incarnation=7 base=1 QUEUE response=1 to=2 REPLY \"dos\"\n"
        "c2 <- RESUMED a version=1 requests=2/2\n"
        "s1 -> COMMIT a consumed=2 reply=1:uno\n"
        "s1 <- COMMITTED version=2\n"
        "c2 <- DELIVER a incarnation=7 base=1 LIVE response=2 to=1 REPLY \"uno\"\n");
}

static void
second_answer_is_left_out (void **state)
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
        "s1 -> COMMIT a consumed=1 reply=1:again\n"
        "s1 <- COMMITTED version=2\n");
}

static void
restart_data_of_one_end_never_reaches_the_other (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one data=of-client\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 -> COMMIT a data=of-server\n"
        "s1 <- COMMITTED version=1\n"
        "s1 -> RELOAD a\n"
        "s1 <- STATE a incarnation=5 version=1 data=\"of-server\" requests=1/0 responses=0\n"
        "s1 <- RESUMED a version=1 requests=1/0\n"
        "s1 <- DELIVER a incarnation=5 base=1 LIVE request=1 attempt=1 \"one\"\n"
        "c2 -> HELLO\n"
        "c2 <- WELCOME\n"
        "c2 -> OPEN a\n"
        "c1 <- REFUSED COMMIT FENCED incarnation=2\n"
        "c2 <- OPENED a incarnation=7 version=1 data=\"of-client\" requests=1/0 "
            "responses=0/0\n"
        "c2 <- DELIVER a incarnation=7 base=1 QUEUE request=1 attempt=1 \"one\"\n"
        "c2 <- RESUMED a version=1 requests=1/0\n");
}

static void
numbers_and_marks_of_a_client_out_of_order_are_malformed (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "c1 -> COMMIT a request=one seq=2\n"
        "c1 <- REFUSED COMMIT MALFORMED \"request_seq: not the next one\" at once\n"
        "c1 -> COMMIT a consumed=1\n"
        "c1 <- REFUSED COMMIT MALFORMED \"responses_consumed_through\" at once\n"
        "c1 -> COMMIT a reply=1:x\n"
        "c1 <- REFUSED COMMIT MALFORMED \"a client's commit with a server's fields\" at "
            "once\n"
        "c1 -> COMMIT a parts=2\n"
        "c1 <- REFUSED COMMIT MALFORMED \"parts of one commit\" at once\n");
}

static void
numbers_and_marks_of_a_server_out_of_order_are_malformed (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 -> COMMIT a consumed=2\n"
        "s1 <- REFUSED COMMIT MALFORMED \"requests_consumed_through\" at once\n"
        "s1 -> COMMIT a reply=1:x\n"
        "s1 <- REFUSED COMMIT MALFORMED \"response to a request that is not consumed\" "
            "at once\n"
        "s1 -> COMMIT a consumed=1 reply=1:x reply=1:y\n"
        "s1 <- REFUSED COMMIT MALFORMED \"responses: request numbers must rise\" at once\n"
        "s1 -> COMMIT a consumed=1 reply=1:x status=failed\n"
        "s1 <- REFUSED COMMIT MALFORMED \"status: servers reply or reject\" at once\n"
        "s1 -> COMMIT a consumed=1 reject=1\n"
        "s1 <- REFUSED COMMIT MALFORMED \"rejected: only the first unconsumed request\" "
            "at once\n"
        "s1 -> COMMIT a request=x\n"
        "s1 <- REFUSED COMMIT MALFORMED \"a server's commit with a client's fields\" at "
            "once\n"
        "s1 -> COMMIT a consumed=1\n"
        "s1 <- COMMITTED version=1\n"
        "s1 -> COMMIT a consumed=0\n"
        "s1 <- REFUSED COMMIT MALFORMED \"requests_consumed_through\" at once\n");
}

static void
what_is_over_a_size_limit_is_too_large (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "c1 -> COMMIT a many=257\n"
        "c1 <- REFUSED COMMIT TOO_LARGE \"items of one commit; send more commits\" at once\n"
        "c1 -> COMMIT a nothing data_bytes=262145\n"
        "c1 <- REFUSED COMMIT TOO_LARGE \"restart data; keep bulk in a file and its "
            "length here\" at once\n"
        "c1 -> COMMIT a request=x pad=1048577\n"
        "c1 <- REFUSED COMMIT TOO_LARGE \"body\" at once\n"
        "c1 -> COMMIT a many=256\n"
        "c1 <- COMMITTED version=1\n");
}

static void
actors_of_others_are_denied_and_unknown_ones_are_no_session (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a as=ann\n"
        "c2 -> HELLO as=bob\n"
        "c2 <- WELCOME\n"
        "c2 -> COMMIT a nothing\n"
        "c2 <- REFUSED COMMIT DENIED \"actor of another principal\" at once\n"
        "c2 -> CLOSE a\n"
        "c2 <- REFUSED CLOSE DENIED \"session of another principal\" at once\n"
        "c2 -> CREDIT a count=5\n"
        "c2 <- REFUSED CREDIT DENIED \"session opened elsewhere\" at once\n"
        "c2 -> COMMIT nowhere nothing\n"
        "c2 <- REFUSED COMMIT NO_SUCH_SESSION\n"
        "s1 -> HELLO\n"
        "s1 <- WELCOME\n"
        "s1 -> COMMIT a nothing actor=a incarnation=2\n"
        "s1 <- REFUSED COMMIT NO_SUCH_SESSION\n"
        "c3 -> HELLO as=ann\n"
        "c3 <- WELCOME\n"
        "c3 -> COMMIT a nothing\n"
        "c3 <- REFUSED COMMIT FENCED incarnation=2\n");
}

static void
client_is_sent_no_more_than_its_credit (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a credit=1\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one request=two\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=2 attempt=1 \"two\"\n"
        "s1 -> COMMIT a consumed=2 reply=1:uno reply=2:dos\n"
        "s1 <- COMMITTED version=1\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 REPLY \"uno\"\n"
        "c1 -> CREDIT a count=1\n"
        "c1 -> CREDIT a count=2\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=2 to=2 REPLY \"dos\"\n");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (request_and_answer_travel_with_the_restart_data_of_their_ends),
        cmocka_unit_test (stored_commit_is_told_as_duplicate_and_changes_nothing),
        cmocka_unit_test (commit_after_a_missing_one_is_told_where_to_resend_from),
        cmocka_unit_test (another_commit_of_the_stored_version_is_malformed),
        cmocka_unit_test (commit_without_a_part_is_a_checkpoint),
        cmocka_unit_test (consumed_responses_leave_the_queue),
        cmocka_unit_test (response_consumed_unseen_is_not_sent_any_more),
        cmocka_unit_test (request_consumed_and_not_answered_stays_open),
        cmocka_unit_test (second_answer_is_left_out),
        cmocka_unit_test (restart_data_of_one_end_never_reaches_the_other),
        cmocka_unit_test (numbers_and_marks_of_a_client_out_of_order_are_malformed),
        cmocka_unit_test (numbers_and_marks_of_a_server_out_of_order_are_malformed),
        cmocka_unit_test (what_is_over_a_size_limit_is_too_large),
        cmocka_unit_test (actors_of_others_are_denied_and_unknown_ones_are_no_session),
        cmocka_unit_test (client_is_sent_no_more_than_its_credit),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
