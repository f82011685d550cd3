// SPDX-License-Identifier: MPL-2.0
// Goal: a wrong setting is refused before anything starts, and the message names place, key, value
// and range; defaults are those of limits.h; nothing but this machine is served unless said so.
// Method: files are written into a temporary directory and read; findings are compared as text.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/shell/config.h"
#include "broker/shell/endpoint.h"

#define MEMORY_BYTES (1024u * (uint64_t) MIB)

struct fixture {
    char path[64];
    struct config config;
    struct config_findings findings;
};

// Reads [text] as a file over the defaults.
static enum baton_err
load (struct fixture *fixture, const char *text)
{
    memset (fixture, 0, sizeof *fixture);
    snprintf (fixture->path, sizeof fixture->path, "/tmp/test_config-XXXXXX");
    const int fd = mkstemp (fixture->path);
    assert_true (fd >= 0);
    assert_int_equal (write (fd, text, strlen (text)), (ssize_t) strlen (text));
    close (fd);
    config_default (&fixture->config);
    enum baton_err err = config_load (&fixture->config, fixture->path, &fixture->findings);
    unlink (fixture->path);
    if (err == BATON_OK) {
        err = config_finish (&fixture->config, MEMORY_BYTES, &fixture->findings);
    }
    return err;
}

static void
expect_finding (const struct fixture *fixture, const char *part)
{
    for (uint32_t i = 0; i < fixture->findings.count && i < CONFIG_FINDINGS_MAX; i++) {
        if (strstr (fixture->findings.texts[i], part)) return;
    }
    fail_msg ("no finding says \"%s\"; the first is \"%s\"", part, fixture->findings.texts[0]);
}

static void
empty_file_gives_the_defaults (void **state)
{
    (void) state;
    struct fixture fixture;

    assert_int_equal (load (&fixture, "# nothing set\n\n"), BATON_OK);

    assert_int_equal (fixture.config.body_max_bytes, LIMIT_BODY_MAX_BYTES);
    assert_int_equal (fixture.config.memory_max_bytes, MEMORY_BYTES);
    assert_int_equal (fixture.config.queue_max_bytes, MEMORY_BYTES / 2);
    assert_string_equal (fixture.config.store, "./baton-store");
    assert_string_equal (fixture.config.endpoints[0], "tcp://127.0.0.1:7411");
    assert_int_equal (fixture.config.security, SECURITY_LOOPBACK);
}

static void
settings_stand_at_the_top_and_below_limits (void **state)
{
    (void) state;
    struct fixture fixture;

    assert_int_equal (load (&fixture, "store = /var/lib/x\n"
                                      "endpoint = tcp://127.0.0.1:7000\n"
                                      "endpoint = \"ipc:///run/x\"\n"
                                      "log_level = debug\n"
                                      "limits\n"
                                      "    heartbeat_ms = 50 # short\n"
                                      "    end_silent_ms = 200\n"
                                      "rebind_after_ms = 500\n"), BATON_OK);

    assert_string_equal (fixture.config.store, "/var/lib/x");
    assert_int_equal (fixture.config.endpoints_count, 2);
    assert_string_equal (fixture.config.endpoints[1], "ipc:///run/x");
    assert_int_equal (fixture.config.heartbeat_ms, 50);
    assert_int_equal (fixture.config.rebind_after_ms, 500);
    assert_int_equal (fixture.config.log_level, LOG_DEBUG);
}

static void
unknown_key_names_file_and_line (void **state)
{
    (void) state;
    struct fixture fixture;

    assert_int_equal (load (&fixture, "# head\n\nlimits\n    heartbeat = 5\n"),
                      BATON_BAD_CONFIG);

    expect_finding (&fixture, ":4: no setting is called \"heartbeat\"");
}

static void
value_out_of_range_names_value_and_range (void **state)
{
    (void) state;
    struct fixture fixture;

    assert_int_equal (load (&fixture, "store = x\nbody_max_bytes = 5000000\n"),
                      BATON_BAD_CONFIG);

    expect_finding (&fixture, ":2: body_max_bytes = \"5000000\"");
    expect_finding (&fixture, "from 1024 to 1048576");
}

static void
number_is_digits_and_nothing_else (void **state)
{
    (void) state;
    static const char *const wrong[] = {
        "-1", "+5", "1k", "0x10", "1.5", "99999999999999999999999", "ten"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct fixture fixture;
        char text[100];
        snprintf (text, sizeof text, "drain_count = %s\n", wrong[i]);
        assert_int_equal (load (&fixture, text), BATON_BAD_CONFIG);
        expect_finding (&fixture, "drain_count");
    }
}

static void
broken_lines_are_named (void **state)
{
    (void) state;
    static const char *const wrong[] = {
        "limits\n  heartbeat_ms = 50\n", "a\n        b = 1\n", "store = \"x\n",
        "\tstore = x\n", "= 5\n", "store x\n"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct fixture fixture;
        assert_int_equal (load (&fixture, wrong[i]), BATON_BAD_CONFIG);
        assert_true (fixture.findings.count > 0);
    }
}

static void
unknown_section_is_refused (void **state)
{
    (void) state;
    struct fixture fixture;

    assert_int_equal (load (&fixture, "server\n    heartbeat_ms = 50\n"), BATON_BAD_CONFIG);

    expect_finding (&fixture, ":1: no section is called \"server\"");
}

static void
all_findings_are_told_at_once (void **state)
{
    (void) state;
    struct fixture fixture;

    assert_int_equal (load (&fixture, "one = 1\ntwo = 2\nsecurity = maybe\n"),
                      BATON_BAD_CONFIG);

    assert_int_equal (fixture.findings.count, 3);
    expect_finding (&fixture, ":3: security = \"maybe\"");
}

static void
other_machines_need_a_written_word (void **state)
{
    (void) state;
    struct fixture fixture;

    assert_int_equal (load (&fixture, "endpoint = tcp://0.0.0.0:7411\n"), BATON_BAD_CONFIG);
    expect_finding (&fixture, "security = none");

    assert_int_equal (load (&fixture, "endpoint = tcp://*:7411\nsecurity = none\n"), BATON_OK);
}

static void
settings_are_checked_against_each_other (void **state)
{
    (void) state;
    struct fixture fixture;

    assert_int_equal (load (&fixture, "heartbeat_ms = 2000\n"), BATON_BAD_CONFIG);
    expect_finding (&fixture, "end_silent_ms = 3000: wanted at least twice");
    assert_int_equal (load (&fixture, "batch_max_bytes = 1048576\n"), BATON_BAD_CONFIG);
    expect_finding (&fixture, "batch_max_bytes = 1048576: wanted at least");
    assert_int_equal (load (&fixture, "segment_bytes = 2097152\n"), BATON_BAD_CONFIG);
    expect_finding (&fixture, "segment_bytes = 2097152: wanted at least twice");
}

static void
file_that_is_not_there_is_told_apart (void **state)
{
    (void) state;
    struct fixture fixture = {.findings = {.count = 0}};

    assert_int_equal (config_load (&fixture.config, "/nonexistent/batond.cfg",
                                   &fixture.findings), BATON_NOT_FOUND);

    expect_finding (&fixture, "/nonexistent/batond.cfg: cannot be read");
}

static void
endpoints_are_read_before_zeromq_does (void **state)
{
    (void) state;
    static const char *const good[] = {
        "tcp://127.0.0.1:7411", "tcp://127.0.0.1:*", "tcp://[::1]:80", "ipc://x"};
    static const char *const bad[] = {
        "127.0.0.1:7411", "tcp://127.0.0.1", "tcp://:7411", "tcp://a:99999", "tcp://a:b",
        "ipc://", "udp://a:1", "tcp://fe80::1%eth0:7411", "tcp://a: 1"};

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true (endpoint_is_valid (good[i]));
        assert_true (endpoint_is_local (good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false (endpoint_is_valid (bad[i]));
    }
    assert_false (endpoint_is_local ("tcp://127.evil.example:7411"));
    assert_false (endpoint_is_local ("tcp://10.0.0.1:7411"));
    assert_int_equal (endpoint_port ("tcp://[::1]:7411"), 7411);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (empty_file_gives_the_defaults),
        cmocka_unit_test (settings_stand_at_the_top_and_below_limits),
        cmocka_unit_test (unknown_key_names_file_and_line),
        cmocka_unit_test (value_out_of_range_names_value_and_range),
        cmocka_unit_test (number_is_digits_and_nothing_else),
        cmocka_unit_test (broken_lines_are_named),
        cmocka_unit_test (unknown_section_is_refused),
        cmocka_unit_test (all_findings_are_told_at_once),
        cmocka_unit_test (other_machines_need_a_written_word),
        cmocka_unit_test (settings_are_checked_against_each_other),
        cmocka_unit_test (file_that_is_not_there_is_told_apart),
        cmocka_unit_test (endpoints_are_read_before_zeromq_does),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
