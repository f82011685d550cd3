// SPDX-License-Identifier: MPL-2.0
// `baton serve` runs a command for each request: a server in one line of a shell. This file has
// its options and its loop; crew.h does the work.
//
//   WORKING --signal--> FINISHING --all done--> OVER
//      |                    |
//      +------ fault -------+--signal--> STOPPING --all ended--> OVER
#include "client/baton.h"
#include "proto/limits.h"
#include "tools/clock.h"
#include "tools/command.h"
#include "tools/crew.h"
#include "tools/options.h"
#include "tools/say.h"
#include "tools/show.h"
#include "tools/signals.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CAPACITY_MAX 256u
#define NO_BROKER_AFTER_MS 3000u
// A link that flaps must not fill a disk with lines.
#define LINK_SAID_EVERY_MS 5000u
#define LAST_ANSWERS_WITHIN_MS 5000
// Delivered ahead for each seat: hides the way to the broker, and leaves work for others.
#define CREDIT_FOR_SEAT 4u
#define CREDIT_MIN 16u

enum serve_option {
    OPTION_ENDPOINT = 1, OPTION_NAME, OPTION_SET, OPTION_OFFER, OPTION_CAPACITY, OPTION_JSON,
};

static const struct option_rule rules[] = {
    {OPTION_ENDPOINT, "endpoint", "URL,...", "brokers to dial (default tcp://127.0.0.1:7411)"},
    {OPTION_NAME, "name", "N", "name of this server (default HOST-PID); a new process\n"
                               "with the same name replaces the old one"},
    {OPTION_SET, "set", "S", "server set to join (default: the default set)"},
    {OPTION_OFFER, "offer", "KEY=VALUE", "an attribute that requirements can ask for; may be\n"
                                         "given several times"},
    {OPTION_CAPACITY, "capacity", "N", "commands at a time, each of another session\n"
                                       "(default: number of cores)"},
    {OPTION_JSON, "json", NULL, "tell each finished request as a line of JSON"},
};

static const struct option_table table = {
    .command = "baton serve",
    .usage = "[OPTION...] -- CMD [ARG...]",
    .purpose =
        "Run CMD for each request. The request is its standard input, its standard output the\n"
        "response. Another exit code than 0, or a signal, gives the request back, one attempt\n"
        "poorer, with the end of standard error as the reason. CMD finds BATON_SESSION,\n"
        "BATON_REQUEST_SEQ and BATON_ATTEMPT in its environment. Requests of one session are done\n"
        "in their order, those of several sessions side by side.",
    .notes =
        "SIGTERM or SIGINT: finish what runs, then go; a second one stops what runs.\n"
        "Exit codes: 0 ended by a signal, 2 usage, 3 cannot reach, 4 refused, 75 try later.\n"
        "Example: baton serve --offer algo=sha256 -- sha256sum",
    .rules = rules,
    .rules_count = sizeof rules / sizeof rules[0],
    .rest = REST_COMMAND,
};

struct serve {
    const char *endpoint;
    const char *name;
    const char *set;
    const char **offers; // KEY=VALUE, as given
    size_t offers_count;
    uint32_t capacity;
    enum { TELL_NOTHING = 1, TELL_JSON = 2 } tell;
    char program[PATH_MAX];
    char **words; // the command as given
    baton_server_t *server;
    struct crew crew;
    int signal_fd;
    struct pollfd *polls; // ours, then the crew's
    enum { WORKING = 1, FINISHING = 2, STOPPING = 3, OVER = 4 } state;
    enum exit_code code;
    uint64_t no_broker_at_ms;
    uint64_t links; // welcomes told so far
    uint64_t say_link_at_ms;
};

enum { POLL_SERVER, POLL_SIGNAL, POLLS_OF_OURS };

static int
take_option (void *context, int id, const char *value)
{
    static const struct option_range capacities = {1, CAPACITY_MAX};
    struct serve *serve = context;
    uint64_t number;

    switch ((enum serve_option) id) {
    case OPTION_ENDPOINT: serve->endpoint = value; return 0;
    case OPTION_NAME: serve->name = value; return 0;
    case OPTION_SET: serve->set = value; return 0;
    case OPTION_OFFER: serve->offers[serve->offers_count++] = value; return 0;
    case OPTION_JSON: serve->tell = TELL_JSON; return 0;
    case OPTION_CAPACITY:
        if (options_number ("capacity", value, &capacities, &number) != 0) return 1;
        serve->capacity = (uint32_t) number;
        return 0;
    }
    return 1;
}

static enum exit_code
say_library (const struct serve *serve, const char *what, enum baton_err error)
{
    const char *text = baton_server_error_text (serve->server);

    // The library's own sentence, where there is one, says more than the error's.
    say ("%s: %s", what, *text ? text : baton_strerror (error));
    return exit_code_of (error);
}

// KEY=VALUE is cut in a copy: what the command line holds is shown by ps.
static enum exit_code
offer_one (struct serve *serve, const char *offer)
{
    const char *sign = strchr (offer, '=');
    if (!sign) {
        say ("--offer takes KEY=VALUE, not '%s'", offer);
        return EXIT_CODE_USAGE;
    }
    char *key = strndup (offer, (size_t) (sign - offer));
    if (!key) return say_library (serve, "--offer", BATON_NO_MEMORY);

    enum baton_err error = baton_server_offer (serve->server, key, sign + 1);
    free (key);
    return error ? say_library (serve, offer, error) : EXIT_CODE_OK;
}

static uint32_t
credit_of (uint32_t capacity)
{
    uint32_t credit = capacity * CREDIT_FOR_SEAT;

    credit = credit < CREDIT_MIN ? CREDIT_MIN : credit;
    return credit > LIMIT_CREDIT_COUNT ? LIMIT_CREDIT_COUNT : credit;
}

static enum exit_code
open_server (struct serve *serve)
{
    serve->server = baton_server_new (serve->endpoint, serve->name);
    if (!serve->server) {
        say ("cannot serve '%s' as '%s': %s; an endpoint is like tcp://127.0.0.1:7411, a name"
             " has at most %u bytes", serve->endpoint ? serve->endpoint : "the default endpoint",
             serve->name ? serve->name : "HOST-PID", strerror (errno), LIMIT_NAME_MAX_BYTES);
        return errno == EINVAL ? EXIT_CODE_USAGE : EXIT_CODE_TRY_LATER;
    }
    enum baton_err error = baton_server_set_capacity (serve->server, serve->capacity);
    if (!error) {
        error = baton_server_set_credit (serve->server, credit_of (serve->capacity),
                                         LIMIT_CREDIT_BYTES);
    }
    if (!error) {
        error = baton_server_join (serve->server, serve->set);
    }
    if (error) return say_library (serve, "--set", error);
    for (size_t i = 0; i < serve->offers_count; i++) {
        enum exit_code code = offer_one (serve, serve->offers[i]);
        if (code != EXIT_CODE_OK) return code;
    }
    return EXIT_CODE_OK;
}

static void
note_signals (struct serve *serve)
{
    while (signals_take (serve->signal_fd)) {
        if (serve->state == WORKING) {
            serve->state = FINISHING;
            if (serve->crew.bench.at_work_count > 0) {
                say ("finishing %zu commands; a second signal stops them",
                     serve->crew.bench.at_work_count);
            }
        } else {
            serve->state = STOPPING;
            crew_stop (&serve->crew);
        }
    }
}

// A fault of the link ends the service: what runs has nobody to answer to.
static void
note_fault (struct serve *serve, enum baton_err error)
{
    if (!error || serve->state == STOPPING) return;

    serve->code = error == BATON_FENCED ? EXIT_CODE_REFUSED : exit_code_of (error);
    if (error == BATON_FENCED) {
        say ("a new process serves as '%s'; this one stops", baton_server_name (serve->server));
    } else {
        say_library (serve, "the broker's link", error);
    }
    serve->state = STOPPING;
    crew_stop (&serve->crew);
}

static const char *
endpoint_text (const struct serve *serve)
{
    return serve->endpoint ? serve->endpoint : "tcp://127.0.0.1:7411";
}

static void
note_links (struct serve *serve)
{
    struct baton_server_counters counters;

    if (baton_server_read_counters (serve->server, &counters)) return;
    uint64_t now_ms = clock_ms ();
    if (counters.welcomes > serve->links && now_ms >= serve->say_link_at_ms) {
        serve->links = counters.welcomes;
        serve->no_broker_at_ms = CLOCK_NEVER_MS;
        serve->say_link_at_ms = now_ms + LINK_SAID_EVERY_MS;
        say ("%s serves at %s%s", baton_server_name (serve->server), endpoint_text (serve),
             serve->links > 1 ? " again" : "");
    }
    if (serve->no_broker_at_ms <= now_ms) {
        serve->no_broker_at_ms = CLOCK_NEVER_MS;
        say ("no broker at %s yet; still trying", endpoint_text (serve));
    }
}

static void
work (struct serve *serve)
{
    if (serve->state == WORKING) {
        note_fault (serve, crew_take (&serve->crew));
    } else if (serve->state == FINISHING) {
        // Lets replies leave, and hears of lost sessions.
        baton_server_flush (serve->server, 0);
    }
    crew_drop_lost (&serve->crew);
    if (serve->state == WORKING) {
        crew_start (&serve->crew);
    } else if (serve->crew.bench.at_work_count == 0) {
        serve->state = OVER;
    }
}

static int
wait_ms (struct serve *serve)
{
    uint64_t deadline_ms = crew_deadline_ms (&serve->crew);

    if (serve->state == WORKING && serve->no_broker_at_ms < deadline_ms) {
        deadline_ms = serve->no_broker_at_ms;
    }
    return clock_left_ms (deadline_ms);
}

static void
turn (struct serve *serve)
{
    nfds_t count = POLLS_OF_OURS + (nfds_t) serve->capacity * CHILD_POLLS;

    // While finishing nothing is taken, so the server's descriptor may stay readable.
    int server_fd = serve->state == WORKING ? baton_server_fd (serve->server) : -1;
    serve->polls[POLL_SERVER] = (struct pollfd) {.fd = server_fd, .events = POLLIN};
    serve->polls[POLL_SIGNAL] = (struct pollfd) {.fd = serve->signal_fd, .events = POLLIN};
    crew_polls (&serve->crew, serve->polls + POLLS_OF_OURS);
    say_progress ("%" PRIu64 " answered, %" PRIu64 " rejected, %zu at work, %zu wait",
                  serve->crew.answered_count, serve->crew.rejected_count,
                  serve->crew.bench.at_work_count,
                  serve->crew.bench.jobs_count - serve->crew.bench.at_work_count);
    if (poll (serve->polls, count, wait_ms (serve)) > 0) {
        note_signals (serve);
        crew_note (&serve->crew, serve->polls + POLLS_OF_OURS);
    }
}

static void
run (struct serve *serve)
{
    serve->state = WORKING;
    serve->no_broker_at_ms = clock_ms () + NO_BROKER_AFTER_MS;
    work (serve);
    while (serve->state != OVER) {
        turn (serve);
        work (serve);
        note_links (serve);
    }
    say_progress_end ();
    enum baton_err error = baton_server_flush (serve->server, LAST_ANSWERS_WITHIN_MS);
    if (error && serve->code == EXIT_CODE_OK) {
        say ("the last answers may not have been taken (%s); what was not comes again elsewhere",
             baton_strerror (error));
        serve->code = EXIT_CODE_TRY_LATER;
    }
}

static const char *
outcome_name (enum crew_outcome outcome)
{
    switch (outcome) {
    case CREW_ANSWERED: return "answered";
    case CREW_REJECTED: return "rejected";
    case CREW_LOST: return "lost";
    }
    return "?";
}

static void
tell_json (const struct crew_report *report, void *context)
{
    json_t *reason = json_string (report->reason);
    json_t *line = json_pack (
        "{s:s, s:s, s:I, s:I, s:I, s:o}", "outcome", outcome_name (report->outcome), "session",
        report->session, "request", (json_int_t) report->request, "attempt",
        (json_int_t) report->attempt, "answer_bytes", (json_int_t) report->answer_bytes,
        "reason", reason ? reason : json_string ("(not UTF-8)"));

    (void) context;
    if (line) {
        show_json (line, SHOW_LINE, stdout);
        fflush (stdout);
    }
    json_decref (line);
}

static enum exit_code
find_command (struct serve *serve, char **words)
{
    if (!words[0]) {
        say ("no command: %s %s", table.command, table.usage);
        return EXIT_CODE_USAGE;
    }
    enum baton_err error = child_find_program (words[0], serve->program, sizeof serve->program);
    if (error) {
        say ("%s: %s", words[0], error == BATON_NOT_FOUND
             ? "no such command; name one in PATH, or with its path"
             : "cannot be run; it must be a file that this user may execute");
        return EXIT_CODE_USAGE;
    }
    serve->words = words;
    return EXIT_CODE_OK;
}

static enum exit_code
serve_with_crew (struct serve *serve)
{
    enum baton_err error = crew_init (&serve->crew, serve->server, serve->capacity);
    size_t count = POLLS_OF_OURS + (size_t) serve->capacity * CHILD_POLLS;

    serve->crew.command = (struct child_command) {serve->program, serve->words};
    serve->crew.report = serve->tell == TELL_JSON ? tell_json : NULL;
    serve->polls = calloc (count, sizeof *serve->polls);
    if (error || !serve->polls) {
        serve->code = say_library (serve, "start", error ? error : BATON_NO_MEMORY);
    } else {
        run (serve);
    }
    crew_fini (&serve->crew);
    free (serve->polls);
    return serve->code;
}

static enum exit_code
serve_with_options (struct serve *serve, char **words)
{
    enum exit_code code = find_command (serve, words);
    if (code != EXIT_CODE_OK) return code;
    // Before the server makes threads, which inherit it: signals come here alone.
    signals_block ();
    serve->signal_fd = signals_open ();
    if (serve->signal_fd < 0) {
        say ("cannot watch signals: %s", strerror (errno));
        return EXIT_CODE_TRY_LATER;
    }
    code = open_server (serve);
    if (code == EXIT_CODE_OK) {
        code = serve_with_crew (serve);
    }
    baton_server_destroy (&serve->server);
    close (serve->signal_fd);
    return code;
}

static uint32_t
cores_count (void)
{
    long count = sysconf (_SC_NPROCESSORS_ONLN);

    if (count < 1) return 1;
    return count > (long) CAPACITY_MAX ? CAPACITY_MAX : (uint32_t) count;
}

enum exit_code
command_serve (int argc, char **argv)
{
    struct serve serve = {.capacity = cores_count (), .tell = TELL_NOTHING};
    int rest;

    // Each option is at most one offer.
    serve.offers = calloc ((size_t) argc, sizeof *serve.offers);
    if (!serve.offers) return EXIT_CODE_TRY_LATER;
    enum options_end end = options_read (&table, argc, argv, take_option, &serve, &rest);
    enum exit_code code = end == OPTIONS_HELPED ? EXIT_CODE_OK
        : end == OPTIONS_WRONG ? EXIT_CODE_USAGE : serve_with_options (&serve, argv + rest);
    free (serve.offers);
    return code;
}
