// SPDX-License-Identifier: MPL-2.0
// Goal: no session waits for something that nothing ends, and what a session keeps is bounded.
// Method: stories of a few steps (story.h), each of an end that comes back otherwise than it went.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/core/book.h"
#include "tests/story/story.h"
#include "tests/support/memory_fail.h"

static void
server_that_comes_back_and_fits_no_more_is_not_awaited (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a requirement='gpu = 1'\n"
        "given s1 offers has='gpu=1'\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "given s2 offers has='gpu=1'\n"
        "s1x -> HELLO name=s1 instance=x\n"
        "s1 <- FORGET\n"
        "s1x <- WELCOME\n"
        "s1x -> OFFER has='gpu=2'\n"
        "s1x <- OFFERED\n"
        "s2 <- DELIVER a incarnation=9 base=0 LIVE request=1 attempt=2 \"one\"\n");
}

static void
client_that_takes_turns_goes_on_when_memory_is_short (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "given s1 offers\n"
        "c1 -> COMMIT a request=one\n"
        "c1 <- COMMITTED version=1\n"
        "s1 <- DELIVER a incarnation=5 base=0 LIVE request=1 attempt=1 \"one\"\n"
        "s1 -> COMMIT a consumed=1 reply=1:xxx\n"
        "s1 <- COMMITTED version=1\n"
        "c1 <- DELIVER a incarnation=2 base=1 LIVE response=1 to=1 REPLY \"xxx\"\n"
        "memory 150000\n"
        "c1 -> COMMIT a request=four consumed=1\n"
        "c1 <- REFUSED COMMIT BUSY(memory) at once\n"
        "c1 -> COMMIT a request=x request=y consumed=1\n"
        "c1 <- REFUSED COMMIT BUSY(memory) at once\n"
        "c1 -> COMMIT a request=two consumed=1\n"
        "c1 <- COMMITTED version=2\n"
        "s1 <- DELIVER a incarnation=5 base=1 LIVE request=2 attempt=1 \"two\"\n"
        "s1 -> COMMIT a consumed=2 reply=2:yyy\n"
        "s1 <- COMMITTED version=2\n"
        "c1 <- DELIVER a incarnation=2 base=2 LIVE response=2 to=2 REPLY \"yyy\"\n"
        "memory 500000\n"
        "disk 30000\n"
        "c1 -> COMMIT a request=two consumed=2\n"
        "c1 <- REFUSED COMMIT BUSY(disk) at once\n");
}

static void
late_commits_of_a_former_path_are_not_taken_for_those_of_the_present_one (void **state)
{
    (void) state;
    story_play (NULL,
        "given c1 opens a\n"
        "c2 -> HELLO instance=c1\n"
        "c2 <- WELCOME\n"
        "c2 -> OPEN a\n"
        "c1 <- FORGET\n"
        "c2 <- OPENED a incarnation=2 version=0 data=\"\" requests=0/0 responses=0/0\n"
        "c2 <- RESUMED a version=0 requests=0/0\n"
        "c1 -> COMMIT a request=late version=0\n"
        "c1 <- REFUSED COMMIT HELLO_FIRST at once\n"
        "c1 -> COMMIT a request=later version=1\n"
        "c1 <- REFUSED COMMIT HELLO_FIRST at once\n"
        "c3 -> HELLO instance=c1\n"
        "c3 <- WELCOME\n"
        "c3 -> COMMIT a request=unopened version=0\n"
        "c3 <- REFUSED COMMIT HELLO_FIRST at once\n"
        "c3 -> CLOSE a\n"
        "c3 <- REFUSED CLOSE HELLO_FIRST at once\n"
        "c2 -> COMMIT a request=mine version=0\n"
        "c2 <- COMMITTED version=1\n");
}

// A core of its own, whose records are thrown away as they are made: what is left is the book's.
struct kept { struct memory_fail memory; struct core *core; struct effect_list effects; };

static void
say (struct kept *kept, const struct msg *msg)
{
    static uint64_t fresh;
    fresh++;
    const struct event event = {
        .kind = msg ? EVENT_MESSAGE : EVENT_START,
        .now_ns = 1, .utc_ms = 1, .epoch = {1}, .link = {1}, .msg = msg,
        .capacity = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
        .fresh = {{1, fresh}, {2, fresh}},
    };
    struct core_step step;

    assert_int_equal (core_step (kept->core, &event, &kept->effects, &step), BATON_OK);
    effect_list_clear (&kept->effects);
    blob_drop (&kept->memory.memory, &step.record);
}

static void
commit_with (struct kept *kept, uint64_t version, struct baton_bytes restart_data)
{
    static const struct baton_bytes name = {"a", 1};
    const struct session *session =
        book_session_by_name (core_book (kept->core), (struct baton_bytes) {0}, name);
    const struct msg_request request = {.seq = {version + 1}, .body = {"b", 1}};
    const struct msg_part part = {
        .session = session->id, .requests = &request, .requests_count = 1,
    };
    const struct msg msg = {.kind = MSG_COMMIT, .epoch = {1}, .commit = {
        .actor = session->client->id, .incarnation = session->client->incarnation,
        .expect_version = {version}, .restart_data = restart_data,
        .parts = &part, .parts_count = 1,
    }};

    say (kept, &msg);
    assert_int_equal (core_book (kept->core)->requests_count, version + 1);
}

static void
queued_requests_do_not_keep_the_restart_data_they_came_with (void **state)
{
    static const char restart_data[64 * 1024];
    const struct msg hello = {.kind = MSG_HELLO, .hello = {.role = END_CLIENT, .instance = {1, 1}}};
    const struct msg open = {.kind = MSG_OPEN, .epoch = {1}, .open = {
        .ref = 1, .intent = OPEN_OR_CREATE, .kind = SESSION_BOUND, .session = {"a", 1},
    }};
    const struct core_options options = story_options ();
    struct kept kept;

    (void) state;
    memory_fail_init (&kept.memory, 0);
    effect_list_init (&kept.effects, &kept.memory.memory);
    kept.core = core_new (&kept.memory.memory, &options);
    say (&kept, NULL);
    say (&kept, &hello);
    say (&kept, &open);
    const size_t before = kept.memory.live_bytes;
    for (uint64_t i = 0; i < 100; i++) {
        commit_with (&kept, i, (struct baton_bytes) {restart_data, sizeof restart_data});
    }
    assert_in_range (kept.memory.live_bytes - before, sizeof restart_data,
                     2 * sizeof restart_data);
    effect_list_fini (&kept.effects);
    core_free (&kept.core);
    memory_fail_expect_clean (&kept.memory);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (server_that_comes_back_and_fits_no_more_is_not_awaited),
        cmocka_unit_test (client_that_takes_turns_goes_on_when_memory_is_short),
        cmocka_unit_test (late_commits_of_a_former_path_are_not_taken_for_those_of_the_present_one),
        cmocka_unit_test (queued_requests_do_not_keep_the_restart_data_they_came_with),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
