// SPDX-License-Identifier: MPL-2.0
// errors.h lists every error of the library and every refusal of the broker, once: name,
// number, text for people. Numbers are never reused.
#ifndef BATON_ERRORS_H
#define BATON_ERRORS_H

#include <stdint.h>

// Marks what leaves the shared library; all else is hidden.
#ifndef BATON_EXPORT
#if defined(__GNUC__)
#define BATON_EXPORT __attribute__ ((visibility ("default")))
#else
#define BATON_EXPORT
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

// Errors are what a call of the library, or a module of ours, returns. 0 is success.
#define BATON_ERRORS(X) \
    X (NO_MEMORY, 1, "out of memory") \
    X (BAD_ARGUMENT, 2, "an argument is out of its range") \
    X (TIMED_OUT, 3, "no answer yet: the outcome is unknown, the work goes on") \
    X (INTERRUPTED, 4, "a signal arrived while waiting") \
    X (IN_USE, 5, "the handle is in use by another thread") \
    X (CLOSED, 6, "the session is closed") \
    X (FENCED, 7, "another process took this actor over; this one must stop") \
    X (NO_MATCH, 8, "no known server can ever match the requirement") \
    X (TOO_LARGE, 9, "over a size limit") \
    X (DENIED, 10, "this principal may not do that") \
    X (FOREIGN_GROUP, 11, "the broker belongs to another group than before") \
    X (BAD_VERSION, 12, "the two sides speak different versions") \
    X (BUSY, 13, "over a limit for now; try again later") \
    X (UNAVAILABLE, 14, "the broker cannot serve now") \
    X (REFUSED, 15, "the broker refused the message") \
    X (NETWORK, 16, "a socket could not be made or used") \
    X (DISK, 17, "the disk refused an operation") \
    X (DISK_FULL, 18, "no room on the disk") \
    X (DAMAGED, 19, "stored bytes are damaged") \
    X (FOREIGN_STORE, 20, "the directory is not a store of this group") \
    X (STORE_IN_USE, 21, "another process uses the store") \
    X (NO_STORE, 22, "there is no store in the directory") \
    X (READ_ONLY, 23, "the store cannot be written") \
    X (BAD_CONFIG, 24, "the configuration is not valid") \
    X (ADDRESS_IN_USE, 25, "another process listens at the endpoint") \
    X (NOT_FOUND, 26, "there is no such thing") \
    X (STORE_EXISTS, 27, "the directory holds a store already")

enum baton_err {
    BATON_OK = 0,
#define X(name, number, text) BATON_##name = number,
    BATON_ERRORS (X)
#undef X
};

// Refusals are what the manager answers to a frame that it does not carry out.
#define BATON_REFUSALS(X) \
    X (BUSY, 1, "over a limit for now; resend later from the refused version") \
    X (HELLO_FIRST, 2, "this path is not known; say HELLO and resend") \
    X (NO_MATCH, 3, "no known server can ever match the requirement") \
    X (GAP, 4, "a commit before this one is missing; resend from the stored version") \
    X (DUPLICATE, 5, "this commit is stored already") \
    X (FENCED, 6, "a newer incarnation of this actor exists; stop") \
    X (OLD_EPOCH, 7, "the epoch is over; say HELLO again and resend") \
    X (NO_SUCH_SESSION, 8, "the session does not exist, or is closed") \
    X (DENIED, 9, "the principal may not do that") \
    X (TOO_LARGE, 10, "over a size limit") \
    X (MALFORMED, 11, "the message breaks a rule of the protocol") \
    X (BAD_VERSION, 12, "this protocol version is not spoken here") \
    X (MOVED, 13, "another broker is the manager") \
    X (UNAVAILABLE, 14, "the broker cannot serve now") \
    X (EXPIRED, 15, "the deadline passed before the request was answered") \
    X (CANCELLED, 16, "the request was cancelled") \
    X (FAILED, 17, "the request was given up after its last attempt") \
    X (CLOSED, 18, "the session was closed by the broker")

enum refusal {
#define X(name, number, text) REFUSAL_##name = number,
    BATON_REFUSALS (X)
#undef X
};

// What a BUSY is about.
enum busy_reason {
    BUSY_QUEUE = 1,
    BUSY_MEMORY = 2,
    BUSY_DISK = 3,
    BUSY_RATE = 4,
};

// baton_strerror returns the text of [error], never NULL, for ever valid.
BATON_EXPORT const char *
baton_strerror (enum baton_err error);

// refusal_name returns the name on the wire ("GAP"), "?" for a number that is none.
const char *
refusal_name (enum refusal refusal);

// refusal_text returns the sentence for people, "?" for a number that is none.
const char *
refusal_text (enum refusal refusal);

#ifdef __cplusplus
}
#endif

#endif
