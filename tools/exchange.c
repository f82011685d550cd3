// SPDX-License-Identifier: MPL-2.0
#include "tools/exchange.h"

#include "proto/limits.h"
#include "tools/clock.h"
#include "tools/say.h"
#include "tools/signals.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define SAFE_WITHIN_MS 30000
// The client's descriptor tells of answers, not of room in a full window: that is tried for.
#define BLOCKED_RETRY_MS 10

enum { POLL_CLIENT, POLL_INPUT, POLL_SIGNAL, POLLS_COUNT };

static enum baton_err
fail (struct exchange *exchange, enum baton_err error)
{
    exchange->end = EXCHANGE_FAULT;
    return error;
}

// Requests of former processes that still wait for answers; theirs come to us now.
static enum baton_err
expect_former (struct exchange *exchange)
{
    for (;;) {
        struct baton_request request;
        enum baton_err error =
            baton_session_next_open_request (exchange->plan->session, &request);
        if (error == BATON_NOT_FOUND) return BATON_OK;
        if (!error) {
            error = order_expect (&exchange->order, request.seq);
        }
        if (error) return error;
        exchange->expected_count++;
    }
}

static enum baton_err
print_ready (struct exchange *exchange)
{
    struct baton_response response;

    while (order_take (&exchange->order, &response) == BATON_OK) {
        enum baton_err error = answers_print (&exchange->answers, &response);
        if (error) return error;
    }
    return BATON_OK;
}

// Takes the responses that are here; waits for none.
static enum baton_err
take_responses (struct exchange *exchange)
{
    for (;;) {
        struct baton_response response;
        enum baton_err error = baton_session_recv (exchange->plan->session, 0, &response);
        if (error == BATON_TIMED_OUT || error == BATON_INTERRUPTED) return BATON_OK;
        if (error) return error;
        error = order_put (&exchange->order, &response);
        if (error == BATON_NOT_FOUND) {
            // Answered before we came, but not consumed: older than all that we wait for.
            error = answers_print (&exchange->answers, &response);
        } else if (!error) {
            error = print_ready (exchange);
        }
        if (error) return error;
    }
}

static void
say_too_large (struct exchange *exchange)
{
    say ("a request is over the limit of %u bytes; %s", LIMIT_BODY_MAX_BYTES,
         exchange->plan->cut == FEED_WHOLE
         ? "send it in parts, or with --each-line" : "a line is longer: cut it");
    exchange->end = EXCHANGE_INPUT;
}

static void
hold_next (struct exchange *exchange)
{
    const struct exchange_plan *plan = exchange->plan;

    if (exchange->words_sent_count < plan->words_count) {
        const char *word = plan->words[exchange->words_sent_count++];
        exchange->request = (struct baton_bytes) {word, strlen (word)};
        exchange->held = REQUEST_HELD;
        return;
    }
    if (plan->input_fd < 0) {
        exchange->input = INPUT_OVER;
        return;
    }
    enum baton_err error = feed_next (&exchange->feed, &exchange->request);
    if (!error) {
        exchange->held = REQUEST_HELD;
    } else if (error == BATON_TOO_LARGE) {
        say_too_large (exchange);
    } else if (exchange->feed.state != FEED_OPEN) {
        exchange->input = INPUT_OVER;
    }
}

static enum baton_err
send_held (struct exchange *exchange)
{
    uint64_t seq;
    enum baton_err error = baton_session_send (
        exchange->plan->session, exchange->request.data, exchange->request.size, &seq);

    if (error == BATON_TIMED_OUT) {
        // The window is full: nothing was queued, and answers may be waiting for us.
        exchange->held = REQUEST_BLOCKED;
        return BATON_OK;
    }
    if (error == BATON_TOO_LARGE) {
        say_too_large (exchange);
        return BATON_OK;
    }
    exchange->held = REQUEST_NONE;
    exchange->expected_count++;
    return error ? error : order_expect (&exchange->order, seq);
}

// Sends until there is no more to send, or no more is taken.
static enum baton_err
send_ready (struct exchange *exchange)
{
    enum baton_err error = BATON_OK;

    if (exchange->held == REQUEST_BLOCKED) {
        exchange->held = REQUEST_HELD;
    }
    while (!error && !exchange->end && exchange->held != REQUEST_BLOCKED) {
        if (exchange->held == REQUEST_NONE) {
            hold_next (exchange);
        }
        if (exchange->held == REQUEST_NONE) break;
        error = exchange->end ? BATON_OK : send_held (exchange);
    }
    return error;
}

static void
read_input (struct exchange *exchange)
{
    size_t room;
    char *data = feed_room (&exchange->feed, &room);
    ssize_t size = data ? read (exchange->plan->input_fd, data, room) : -1;

    if (size > 0) {
        feed_add (&exchange->feed, (size_t) size);
    } else if (size == 0) {
        feed_end (&exchange->feed);
    } else if (errno != EAGAIN && errno != EINTR) {
        say ("cannot read standard input: %s", strerror (errno));
        exchange->end = EXCHANGE_INPUT;
    }
}

static int
wants_input (const struct exchange *exchange)
{
    return exchange->plan->input_fd >= 0 && exchange->input == INPUT_OPEN
        && exchange->held == REQUEST_NONE && exchange->feed.state == FEED_OPEN;
}

static void
show_progress (const struct exchange *exchange)
{
    // Between results on the same terminal it would only disturb.
    if (isatty (STDOUT_FILENO)) return;

    say_progress ("%zu of %zu answered", exchange->expected_count - exchange->order.waiting_count,
                  exchange->expected_count);
}

static int
wait_ms (const struct exchange *exchange)
{
    int left_ms = clock_left_ms (exchange->plan->deadline_ms);

    if (exchange->held != REQUEST_BLOCKED) return left_ms;
    return left_ms >= 0 && left_ms < BLOCKED_RETRY_MS ? left_ms : BLOCKED_RETRY_MS;
}

static void
wait_for_something (struct exchange *exchange)
{
    struct pollfd polls[POLLS_COUNT] = {
        [POLL_CLIENT] = {.fd = baton_client_fd (exchange->plan->client), .events = POLLIN},
        [POLL_INPUT] = {.fd = wants_input (exchange) ? exchange->plan->input_fd : -1,
                        .events = POLLIN},
        [POLL_SIGNAL] = {.fd = exchange->signal_fd, .events = POLLIN},
    };

    show_progress (exchange);
    int count = poll (polls, POLLS_COUNT, wait_ms (exchange));
    if (count > 0 && polls[POLL_SIGNAL].revents) {
        exchange->end = EXCHANGE_SIGNAL;
    } else if (count > 0 && polls[POLL_INPUT].revents) {
        read_input (exchange);
    } else if (count == 0 && clock_left_ms (exchange->plan->deadline_ms) == 0) {
        exchange->end = EXCHANGE_TIMED_OUT;
    }
}

static enum baton_err
make_safe (struct exchange *exchange)
{
    uint64_t deadline_ms = exchange->plan->deadline_ms;
    enum baton_err error = baton_session_flush (
        exchange->plan->session,
        deadline_ms == CLOCK_NEVER_MS ? SAFE_WITHIN_MS : clock_left_ms (deadline_ms));

    if (error && error != BATON_TIMED_OUT) return error;
    exchange->end = error ? EXCHANGE_TIMED_OUT : EXCHANGE_SAFE;
    return BATON_OK;
}

static enum baton_err
turn (struct exchange *exchange)
{
    enum baton_err error = send_ready (exchange);

    if (!error && !exchange->end && exchange->plan->goal == EXCHANGE_ANSWERED) {
        error = take_responses (exchange);
    }
    if (error || exchange->end) return error;
    if (exchange->input == INPUT_OVER && exchange->plan->goal == EXCHANGE_SAFE) {
        return make_safe (exchange);
    }
    if (exchange->input == INPUT_OVER && exchange->order.waiting_count == 0) {
        exchange->end = EXCHANGE_ANSWERED;
        return BATON_OK;
    }
    wait_for_something (exchange);
    return BATON_OK;
}

static void
prepare (struct exchange *exchange, const struct exchange_plan *plan)
{
    memset (exchange, 0, sizeof *exchange);
    exchange->plan = plan;
    exchange->held = REQUEST_NONE;
    exchange->input = INPUT_OPEN;
    exchange->answers.form = plan->form;
    exchange->answers.file = stdout;
    exchange->answers.session = baton_session_name (plan->session);
    exchange->answers.id = baton_session_id (plan->session);
    feed_init (&exchange->feed, plan->cut, LIMIT_BODY_MAX_BYTES);
    order_init (&exchange->order);
    exchange->signal_fd = signals_open ();
    if (plan->input_fd >= 0 && isatty (plan->input_fd)) {
        say ("reading the request%s from the terminal; Ctrl-D ends",
             plan->cut == FEED_LINES ? "s, one a line," : "");
    }
}

enum baton_err
exchange_run (struct exchange *exchange, const struct exchange_plan *plan)
{
    struct baton_response response;

    prepare (exchange, plan);
    enum baton_err error = exchange->signal_fd < 0 ? BATON_NO_MEMORY : expect_former (exchange);

    // What comes for others stands on lines of its own before what we asked for.
    if (exchange->expected_count > 0 && exchange->answers.form == ANSWERS_BYTES) {
        exchange->answers.form = ANSWERS_LINES;
    }
    // From here on no call may wait: input, answers and signals are watched together.
    if (!error) {
        error = baton_client_set_timeout (plan->client, 0);
    }
    while (!error && !exchange->end) {
        error = turn (exchange);
    }
    say_progress_end ();
    // What is here but before its turn would be lost if it were not shown now.
    while (!error && order_take_any (&exchange->order, &response) == BATON_OK) {
        error = answers_print (&exchange->answers, &response);
    }
    return error ? fail (exchange, error) : BATON_OK;
}

void
exchange_fini (struct exchange *exchange)
{
    if (exchange->signal_fd >= 0) {
        close (exchange->signal_fd);
    }
    feed_fini (&exchange->feed);
    order_fini (&exchange->order);
}
