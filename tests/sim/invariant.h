// SPDX-License-Identifier: MPL-2.0
// invariant.h lists what must always hold, with the numbers of the test plan: a violation is named
// by one of these and nothing else.
#ifndef BATON_TESTS_INVARIANT_H
#define BATON_TESTS_INVARIANT_H

#define INVARIANTS(X) \
    X (ASSERTION, 99, "no assertion of ours fails") \
    X (ACK_DURABILITY, 4, "what was acknowledged stays in the log") \
    X (OUTPUT_COMMIT, 5, "nothing leaves before its record is safe") \
    X (MONOTONICITY, 6, "epoch and commit index never go back") \
    X (REQUEST_UNIQUENESS, 10, "one request in the log for each number of a session") \
    X (SESSION_ORDER, 11, "accepted requests of a session form 1..n") \
    X (CONSERVATION, 12, "each accepted request is in exactly one place") \
    X (SINGLE_ANSWER, 13, "at most one answer to a request, by who may give it") \
    X (SERVER_COUPLING, 14, "a server's restart data is what it consumed and answered") \
    X (CLIENT_COUPLING, 15, "a client's restart data is what it sent and consumed") \
    X (INCARNATION_FENCE, 16, "a former incarnation changes nothing; incarnations rise") \
    X (ASSIGNMENT, 17, "attempts rise one at a time, and end in one error answer") \
    X (BOUNDS, 19, "limits hold, and a refusal is explicit") \
    X (DETERMINISM, 20, "the replayed book equals the live book") \
    X (LIVENESS, 21, "after healing all work is done in bounded time") \
    X (RECOVERY, 22, "recovery can be repeated") \
    X (EPOCH_ECHO, 23, "ends never see an epoch decrease") \
    X (STATELESS_REFUSAL, 24, "a refused frame changes nothing")

enum invariant {
#define X(name, number, text) INVARIANT_##name = number,
    INVARIANTS (X)
#undef X
};

// invariant_name returns "ACK_DURABILITY" and the like, "?" for a number that is none.
const char *
invariant_name (enum invariant invariant);

const char *
invariant_text (enum invariant invariant);

#endif
