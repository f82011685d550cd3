// SPDX-License-Identifier: MPL-2.0
// Goal: baton status finds what an operator should act on, and nothing else; every error has an
// exit code.
// Method: rows of status as a broker tells them, one thing wrong in each.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/exit_code.h"
#include "tools/findings.h"

#include <string.h>

#define GIB (1024 * 1024 * 1024LL)

static json_t *
healthy (void)
{
    json_t *status = json_pack (
        "{s:s, s:I, s:I, s:I, s:I, s:i, s:i}", "role", "manager", "memory_used_bytes", 1 * GIB,
        "memory_max_bytes", 4 * GIB, "disk_free_bytes", 50 * GIB, "disk_total_bytes", 100 * GIB,
        "requests_count", 5, "servers_count", 1);

    assert_non_null (status);
    return status;
}

// Takes [status]; [word] begins the only finding, NULL: there must be none.
static void
expect_finding (json_t *status, const char *word)
{
    json_t *findings = findings_of (status);

    assert_non_null (findings);
    assert_int_equal (json_array_size (findings), word ? 1 : 0);
    if (word) {
        const char *text = json_string_value (json_array_get (findings, 0));
        assert_memory_equal (text, word, strlen (word));
    }
    json_decref (findings);
    json_decref (status);
}

static json_t *
changed (const char *name, json_t *value)
{
    json_t *status = healthy ();

    assert_int_equal (json_object_set_new (status, name, value), 0);
    return status;
}

static void
healthy_broker_has_no_finding (void **state)
{
    (void) state;

    expect_finding (healthy (), NULL);
    expect_finding (json_object (), NULL);
}

static void
little_room_is_found_before_work_is_refused (void **state)
{
    (void) state;

    expect_finding (changed ("memory_used_bytes", json_integer (3 * GIB)), NULL);
    expect_finding (changed ("memory_used_bytes", json_integer (3 * GIB + GIB / 8)), "memory: ");
    expect_finding (changed ("memory_used_bytes", json_integer (9 * GIB)),
                    "memory: 0 B of 4.0 GiB free (0 %); below 20 %");
    expect_finding (changed ("disk_free_bytes", json_integer (9 * GIB)), "disk: 9.0 GiB");
    expect_finding (changed ("disk_free_bytes", json_integer (10 * GIB)), NULL);
}

static void
broker_that_serves_nobody_is_found (void **state)
{
    (void) state;

    expect_finding (changed ("role", json_string ("starting")), "role: this broker is starting");
}

static void
work_without_any_server_is_found (void **state)
{
    (void) state;

    expect_finding (changed ("servers_count", json_integer (0)), "servers: 5 requests wait");
}

static void
every_error_ends_a_command_with_a_code_of_the_list (void **state)
{
    (void) state;

#define X(name, number, text) \
    assert_true (exit_code_of (BATON_##name) >= 2 && exit_code_of (BATON_##name) <= 75);
    BATON_ERRORS (X)
#undef X
#define X(name, number, text) \
    assert_true (exit_code_of_refusal (REFUSAL_##name) == EXIT_CODE_REFUSED \
                 || exit_code_of_refusal (REFUSAL_##name) == EXIT_CODE_TRY_LATER);
    BATON_REFUSALS (X)
#undef X
    assert_int_equal (exit_code_of (BATON_OK), EXIT_CODE_OK);
    assert_int_equal (exit_code_of (BATON_TIMED_OUT), EXIT_CODE_TRY_LATER);
    assert_int_equal (exit_code_of (BATON_NETWORK), EXIT_CODE_CANNOT_REACH);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (healthy_broker_has_no_finding),
        cmocka_unit_test (little_room_is_found_before_work_is_refused),
        cmocka_unit_test (broker_that_serves_nobody_is_found),
        cmocka_unit_test (work_without_any_server_is_found),
        cmocka_unit_test (every_error_ends_a_command_with_a_code_of_the_list),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
