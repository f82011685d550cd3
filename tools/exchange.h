// SPDX-License-Identifier: MPL-2.0
// exchange.h sends requests over an open session and prints the responses as they come, until all
// are answered, or safe, or the time is over. Input is read only as fast as requests leave.
#ifndef BATON_TOOLS_EXCHANGE_H
#define BATON_TOOLS_EXCHANGE_H

#include "client/baton_client.h"
#include "tools/answers.h"
#include "tools/feed.h"
#include "tools/order.h"

#include <stddef.h>
#include <stdint.h>

// Why an exchange is over.
enum exchange_end {
    EXCHANGE_ANSWERED = 1,  // every request has its answer
    EXCHANGE_SAFE = 2,      // every request is safe; nobody waits for answers
    EXCHANGE_TIMED_OUT = 3, // the outcome is unknown
    EXCHANGE_SIGNAL = 4,    // SIGINT, SIGTERM or SIGHUP
    EXCHANGE_INPUT = 5,     // the input cannot be sent; told
    EXCHANGE_FAULT = 6,     // a call failed
};

struct exchange_plan {
    baton_client_t *client;
    baton_session_t *session;
    char **words;           // requests, before those of the input
    size_t words_count;
    int input_fd;           // -1: no input
    enum feed_cut cut;
    enum answers_form form;
    enum exchange_end goal; // ANSWERED or SAFE
    uint64_t deadline_ms;
};

struct exchange {
    const struct exchange_plan *plan;
    struct feed feed;
    struct order order;
    struct answers answers;
    int signal_fd;
    size_t words_sent_count;
    size_t expected_count;      // answers, of former processes' requests too
    struct baton_bytes request; // to be sent next
    enum { REQUEST_NONE = 1, REQUEST_HELD = 2, REQUEST_BLOCKED = 3 } held;
    enum { INPUT_OPEN = 1, INPUT_OVER = 2 } input;
    enum exchange_end end;      // 0: goes on
};

// exchange_run does all of it; exchange->end tells why it is over. Signals must be blocked
// (signals.h).
//
// Errors, all with EXCHANGE_FAULT: those of the session's calls; BATON_DISK if standard output does
// not take the answers.
enum baton_err
exchange_run (struct exchange *exchange, const struct exchange_plan *plan);

// exchange_fini frees what exchange_run made.
void
exchange_fini (struct exchange *exchange);

#endif
