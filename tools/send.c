// SPDX-License-Identifier: MPL-2.0
// `baton send` sends requests and prints the responses: a client in one line of a shell. This file
// has its options and how it ends; exchange.h does the work.
#include "client/baton.h"
#include "proto/limits.h"
#include "tools/clock.h"
#include "tools/command.h"
#include "tools/exchange.h"
#include "tools/options.h"
#include "tools/say.h"
#include "tools/signals.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

// A broker that is there answers within a moment; one that is not must not hang a script.
#define CONNECT_WITHIN_MS 5000
#define LAST_MARKS_WITHIN_MS 2000
#define NAME_MADE_MAX_BYTES 32

enum send_option {
    OPTION_ENDPOINT = 1, OPTION_SESSION, OPTION_REQUIRE, OPTION_WHOLE, OPTION_EACH_LINE,
    OPTION_RESUME, OPTION_TIMEOUT, OPTION_NO_WAIT, OPTION_CLOSE, OPTION_JSON,
};

static const struct option_rule rules[] = {
    {OPTION_ENDPOINT, "endpoint", "URL,...", "brokers to dial (default tcp://127.0.0.1:7411)"},
    {OPTION_SESSION, "session", "NAME", "a session that stays, to come back to by its name\n"
                                        "(default: a throw-away one)"},
    {OPTION_REQUIRE, "require", "TEXT", "which servers fit, for a new session, like\n"
                                        "'algo = \"sha256\" and cores >= 4'"},
    {OPTION_WHOLE, "whole", NULL, "all of standard input is one request (default)"},
    {OPTION_EACH_LINE, "each-line", NULL, "each line of standard input is a request"},
    {OPTION_RESUME, "resume", NULL, "send nothing; print what the session still owes"},
    {OPTION_TIMEOUT, "timeout", "SECONDS", "wait at most this long for the responses"},
    {OPTION_NO_WAIT, "no-wait", NULL, "end when the requests are safe; print the session's name"},
    {OPTION_CLOSE, "close", NULL, "close the session when all is answered"},
    {OPTION_JSON, "json", NULL, "print each response as a line of JSON"},
};

static const struct option_table table = {
    .command = "baton send",
    .usage = "[OPTION...] [TEXT...]",
    .purpose =
        "Send requests and print the responses in the order of the requests. Each TEXT is one\n"
        "request; without any, requests come from standard input. What was sent is safe even if\n"
        "this command, a server or the broker is killed: a session that has a name can be\n"
        "opened again by anybody who has it.",
    .notes =
        "Exit codes: 0 all answered, 1 some request failed, 2 usage, 3 cannot reach, 4 refused,\n"
        "75 outcome unknown: the work goes on.\n"
        "Example: echo hi | baton send --require 'algo = \"sha256\"'",
    .rules = rules,
    .rules_count = sizeof rules / sizeof rules[0],
    .rest = REST_ANYWHERE,
};

struct send {
    const char *endpoint;
    const char *session; // NULL: throw-away
    const char *requirement;
    char made_name[NAME_MADE_MAX_BYTES];
    enum { NAME_NONE = 1, NAME_GIVEN = 2, NAME_MADE = 3 } naming;
    enum { SOURCE_INPUT = 1, SOURCE_NONE = 2 } source;
    enum { WAIT_ALL = 1, WAIT_SAFE = 2 } wait;
    enum { AFTER_KEEP = 1, AFTER_CLOSE = 2 } after;
    enum { FORM_TEXT = 1, FORM_JSON = 2 } form;
    enum feed_cut cut;
    uint64_t timeout_ms; // CLOCK_NEVER_MS: none
    baton_client_t *client;
    struct exchange exchange;
};

static int
take_option (void *context, int id, const char *value)
{
    struct send *send = context;

    switch ((enum send_option) id) {
    case OPTION_ENDPOINT: send->endpoint = value; return 0;
    case OPTION_SESSION: send->session = value; return 0;
    case OPTION_REQUIRE: send->requirement = value; return 0;
    case OPTION_WHOLE: send->cut = FEED_WHOLE; return 0;
    case OPTION_EACH_LINE: send->cut = FEED_LINES; return 0;
    case OPTION_RESUME: send->source = SOURCE_NONE; return 0;
    case OPTION_TIMEOUT: return options_seconds ("timeout", value, &send->timeout_ms);
    case OPTION_NO_WAIT: send->wait = WAIT_SAFE; return 0;
    case OPTION_CLOSE: send->after = AFTER_CLOSE; return 0;
    case OPTION_JSON: send->form = FORM_JSON; return 0;
    }
    return 1;
}

static enum exit_code
say_library (const struct send *send, const char *what, enum baton_err error)
{
    const char *text = baton_client_error_text (send->client);

    // The library's own sentence, where there is one, says more than the error's.
    say ("%s: %s", what, *text ? text : baton_strerror (error));
    return exit_code_of (error);
}

static enum exit_code
check_options (const struct send *send, int words_count)
{
    if (send->source == SOURCE_NONE && (words_count > 0 || !send->session)) {
        say ("--resume goes with --session NAME and sends nothing");
        return EXIT_CODE_USAGE;
    }
    if (words_count > 0 && send->cut == FEED_LINES) {
        say ("--each-line is for standard input, but %d texts are given; leave one out",
             words_count);
        return EXIT_CODE_USAGE;
    }
    if (send->wait == WAIT_SAFE && send->after == AFTER_CLOSE) {
        say ("--no-wait leaves the work to be fetched later, --close throws it away; choose one");
        return EXIT_CODE_USAGE;
    }
    if (send->session && (strlen (send->session) > LIMIT_NAME_MAX_BYTES || !*send->session)) {
        say ("--session takes a name of 1 to %u bytes, not %zu", LIMIT_NAME_MAX_BYTES,
             strlen (send->session));
        return EXIT_CODE_USAGE;
    }
    return EXIT_CODE_OK;
}

// Work that may be left behind needs a name to come back to.
static enum exit_code
choose_name (struct send *send)
{
    uint64_t chance;

    send->naming = send->session ? NAME_GIVEN : NAME_NONE;
    if (send->session || (send->wait == WAIT_ALL && send->timeout_ms == CLOCK_NEVER_MS)) {
        return EXIT_CODE_OK;
    }
    if (getrandom (&chance, sizeof chance, 0) != (ssize_t) sizeof chance) {
        say ("no random number for a session's name (%s); give --session NAME",
             strerror (errno));
        return EXIT_CODE_TRY_LATER;
    }
    snprintf (send->made_name, sizeof send->made_name, "send-%016" PRIx64, chance);
    send->session = send->made_name;
    send->naming = NAME_MADE;
    return EXIT_CODE_OK;
}

static const char *
endpoint_text (const struct send *send)
{
    return send->endpoint ? send->endpoint : "tcp://127.0.0.1:7411";
}

static enum exit_code
say_not_opened (const struct send *send, enum baton_err error)
{
    struct baton_client_counters counters = {0};

    if (error == BATON_TIMED_OUT
        && baton_client_read_counters (send->client, &counters) == BATON_OK
        && counters.welcomes == 0) {
        say ("no broker answers at %s within %d s; start `batond`, or name one with --endpoint",
             endpoint_text (send), CONNECT_WITHIN_MS / 1000);
        return EXIT_CODE_CANNOT_REACH;
    }
    enum exit_code code = say_library (send, "cannot open the session", error);
    if (error == BATON_NO_MATCH) {
        say ("`baton explain --require '%s'` tells what each server lacks",
             send->requirement ? send->requirement : "");
    }
    return error == BATON_BAD_ARGUMENT ? EXIT_CODE_USAGE : code;
}

static enum exit_code
open_session (struct send *send, baton_session_t **session)
{
    // Threads of the client inherit this, so that signals come to us alone. While we wait for the
    // broker nothing is at stake, and they end the process.
    signals_block ();
    send->client = baton_client_new (send->endpoint);
    signals_allow ();
    if (!send->client) {
        say ("cannot dial '%s': %s; an endpoint is like tcp://127.0.0.1:7411",
             endpoint_text (send), strerror (errno));
        return errno == EINVAL ? EXIT_CODE_USAGE : EXIT_CODE_TRY_LATER;
    }
    enum baton_err error = baton_client_set_timeout (send->client, CONNECT_WITHIN_MS);
    if (!error) {
        error = baton_client_open (send->client, send->session, send->requirement, session);
    }
    signals_block ();
    return error ? say_not_opened (send, error) : EXIT_CODE_OK;
}

static enum exit_code
say_unknown (const struct send *send)
{
    say ("unknown: %zu of %zu answers are not here yet; the work goes on. To fetch them:"
         " baton send --session '%s' --resume%s%s", send->exchange.order.waiting_count,
         send->exchange.expected_count, send->session,
         send->endpoint ? " --endpoint " : "", send->endpoint ? send->endpoint : "");
    return EXIT_CODE_TRY_LATER;
}

static enum exit_code
say_stopped (const struct send *send)
{
    if (send->naming != NAME_NONE) return say_unknown (send);

    say ("stopped by a signal with %zu of %zu answers missing; the session is closed",
         send->exchange.order.waiting_count, send->exchange.expected_count);
    return EXIT_CODE_TRY_LATER;
}

// How an exchange that stopped is told.
static enum exit_code
explain_end (const struct send *send, enum baton_err error)
{
    const struct answers *answers = &send->exchange.answers;

    switch (send->exchange.end) {
    case EXCHANGE_ANSWERED:
        return answers->failed_count > 0 ? EXIT_CODE_FINDINGS : EXIT_CODE_OK;
    case EXCHANGE_SAFE:
        printf ("%s\n", send->session);
        return EXIT_CODE_OK;
    case EXCHANGE_TIMED_OUT: return say_unknown (send);
    case EXCHANGE_SIGNAL: return say_stopped (send);
    case EXCHANGE_INPUT: return EXIT_CODE_USAGE;
    case EXCHANGE_FAULT: break;
    }
    // Told by main, which looks at standard output last; what was not shown is not consumed.
    if (error == BATON_DISK) return EXIT_CODE_FINDINGS;
    if (error == BATON_FENCED) {
        say ("another process has opened session '%s'; its answers go there", send->session);
        return EXIT_CODE_REFUSED;
    }
    return say_library (send, "the session", error);
}

static void
close_session (baton_session_t **session, const char *name)
{
    enum baton_err error = baton_session_close (session);

    if (error) {
        say ("all is answered, but session '%s' could not be closed: %s", name,
             baton_strerror (error));
    }
}

// An empty checkpoint takes what was printed as consumed, so that it never comes again.
static void
consume_printed (baton_session_t *session)
{
    enum baton_err error = baton_session_commit (session, NULL, 0);

    if (!error) {
        error = baton_session_flush (session, LAST_MARKS_WITHIN_MS);
    }
    if (error) {
        say ("the last answers may be shown once more: %s", baton_strerror (error));
    }
}

// A throw-away session needs nothing: it ends with the client.
static void
leave (const struct send *send, baton_session_t **session)
{
    const struct exchange *exchange = &send->exchange;

    baton_client_set_timeout (send->client, LAST_MARKS_WITHIN_MS);
    if (exchange->end == EXCHANGE_FAULT || send->naming == NAME_NONE) return;
    if (exchange->end == EXCHANGE_ANSWERED
        && (send->naming == NAME_MADE || send->after == AFTER_CLOSE)) {
        close_session (session, send->session);
    } else if (exchange->answers.replies_count + exchange->answers.failed_count > 0) {
        consume_printed (*session);
    }
}

static enum answers_form
answers_form_of (const struct send *send, int words_count)
{
    if (send->form == FORM_JSON) return ANSWERS_JSON;
    return send->cut == FEED_LINES || words_count > 1 || send->source == SOURCE_NONE
        ? ANSWERS_LINES : ANSWERS_BYTES;
}

static enum exit_code
converse (struct send *send, baton_session_t **session, char **words, int words_count)
{
    const struct exchange_plan plan = {
        .client = send->client,
        .session = *session,
        .words = words,
        .words_count = (size_t) words_count,
        .input_fd = send->source == SOURCE_INPUT && words_count == 0 ? 0 : -1,
        .cut = send->cut,
        .form = answers_form_of (send, words_count),
        .goal = send->wait == WAIT_SAFE ? EXCHANGE_SAFE : EXCHANGE_ANSWERED,
        .deadline_ms = send->timeout_ms == CLOCK_NEVER_MS ? CLOCK_NEVER_MS
                                                          : clock_ms () + send->timeout_ms,
    };

    enum baton_err error = exchange_run (&send->exchange, &plan);
    enum exit_code code = explain_end (send, error);
    leave (send, session);
    exchange_fini (&send->exchange);
    return code;
}

static enum exit_code
run (struct send *send, char **words, int words_count)
{
    baton_session_t *session = NULL;
    enum exit_code code = check_options (send, words_count);

    if (code == EXIT_CODE_OK) {
        code = choose_name (send);
    }
    if (code != EXIT_CODE_OK) return code;
    code = open_session (send, &session);
    if (code == EXIT_CODE_OK) {
        code = converse (send, &session, words, words_count);
    }
    baton_session_destroy (&session);
    baton_client_destroy (&send->client);
    return code;
}

enum exit_code
command_send (int argc, char **argv)
{
    struct send send = {
        .naming = NAME_NONE, .source = SOURCE_INPUT, .wait = WAIT_ALL, .after = AFTER_KEEP,
        .form = FORM_TEXT, .cut = FEED_WHOLE, .timeout_ms = CLOCK_NEVER_MS,
    };
    int rest;
    enum options_end end = options_read (&table, argc, argv, take_option, &send, &rest);
    if (end != OPTIONS_READ) return end == OPTIONS_HELPED ? EXIT_CODE_OK : EXIT_CODE_USAGE;

    return run (&send, argv + rest, argc - rest);
}
