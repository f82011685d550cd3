// SPDX-License-Identifier: MPL-2.0
// mutant.h names rules of ours that can be taken out, one at a time, to see whether the simulator
// notices: a test that never failed proves nothing. Only a second program, which is never
// installed, is built with BATON_MUTANTS and can choose one (tests/sim). Everywhere else MUTANT is
// a constant that is false, so nothing of this file is left in the object code.
#ifndef BATON_MUTANT_H
#define BATON_MUTANT_H

#include <stdbool.h>

// Name, what the program does wrong with it. docs/testing.md has what each of them is worth.
#define BATON_MUTANT_LIST(X) \
    X (SERVER_COMMIT_IN_HALVES, "a server's responses and its restart data are two commits") \
    X (CLIENT_COMMIT_IN_HALVES, "a client's restart data and its requests are two commits") \
    X (REQUEST_DEDUPE_OFF, "a client's commit that is stored already is taken as a new one") \
    X (CLIENT_FENCE_OFF, "commits of a client's former process are taken") \
    X (SERVER_FENCE_OFF, "commits of a server end's former incarnation are taken") \
    X (VERSION_CHECK_OFF, "a commit is taken whatever version it builds on") \
    X (DUPLICATE_NOT_GATED, "DUPLICATE leaves before the commit that it tells of is safe") \
    X (ACK_BEFORE_SAFE, "COMMITTED leaves before its record is safe") \
    X (SKIP_SYNC, "a batch counts as durable without a sync") \
    X (SYNC_ERROR_IGNORED, "a batch whose sync failed counts as durable") \
    X (TAIL_NOT_REWRITTEN, "what recovery reads behind the commit index is believed as it is") \
    X (CORRUPT_BATCH_TAKEN_FOR_TORN_TAIL, "a bad batch is cut although an intact one follows") \
    X (TORN_BATCH_TAKEN, "recovery takes a batch whose checksum is wrong") \
    X (NAME_NOT_SYNCED, "a new segment counts before its name is on the disk") \
    X (SEGMENT_DROPPED_EARLY, "a segment goes although its end is still needed") \
    X (PIN_FORGETS_OFFERS, "offers do not keep their segment") \
    X (EPOCH_NOT_RAISED, "a start goes on in the epoch of the one before") \
    X (INCARNATION_REUSED, "a new process gets the incarnation of the one before") \
    X (SERVER_INCARNATION_REUSED, "a new binding gets the incarnation of the one before") \
    X (FORMER_CLIENT_RETURNS, "a former process of a client may open again") \
    X (FORMER_SERVER_RETURNS, "a former process of a server may greet again") \
    X (MARK_NOT_APPLIED, "a server's consumed mark is not kept") \
    X (CONSUMED_RESPONSES_KEPT, "a client's consumed mark frees nothing") \
    X (REDELIVERY_FORGOTTEN, "a server that comes back is not sent again what was on its way") \
    X (RESUME_SKIPS_UNSEEN, "a client that comes back is sent only what is new") \
    X (RELOAD_GIVES_OLD_VERSION, "STATE names the version before the one of its restart data") \
    X (OWED_REQUESTS_NOT_SHOWN, "STATE leaves out requests that were consumed and not answered") \
    X (SKIPPED_NOT_DELIVERED, "a request that the manager ended is left out of the deliveries") \
    X (SUSPECT_NOT_ALONE, "a suspect is delivered in company") \
    X (SUSPECT_MARK_LOST, "requests that died in company do not become suspects") \
    X (UNKNOWN_DEATH_UNSUSPECTED, "who died while the broker was away leaves no suspects") \
    X (COUNTED_IN_COMPANY, "a death counts an attempt although several were held") \
    X (DEATH_NOT_COUNTED, "a death counts no attempt") \
    X (REJECT_NOT_COUNTED, "a request given back counts no attempt") \
    X (UNFIT_SERVER_TAKEN, "a server is chosen that does not meet the requirement") \
    X (OFFER_NOT_CURRENT, "an offer does not make its instance current") \
    X (QUEUE_LIMIT_IGNORED, "a session's queue grows over its limit") \
    X (CLIENT_CREDIT_IGNORED, "a client is sent more than it granted") \
    X (SERVER_CREDIT_IGNORED, "a server is sent more than it granted") \
    X (CLOSED_SERVER_END_STAYS, "closing a session leaves the actor of its server end") \
    X (OLDER_PATH_STAYS, "an older path of a client's process is left standing") \
    X (FAILED_COMMIT_LEAVES_DATA, "a server's commit that failed leaves its restart data behind") \
    X (PACKER_OVERTAKES, "a message leaves before the deliveries that were made before it") \
    X (GAP_TAKEN_AS_ACK, "an end takes GAP as the acknowledgement of all it sent") \
    X (BUSY_NOT_RESENT, "an end does not send again what was refused BUSY") \
    X (RESEND_FORGOTTEN, "an end does not send again what was on its way when its line was lost") \
    X (DUPLICATE_NOT_AN_ACK, "an end does not take DUPLICATE as an acknowledgement") \
    X (RESPONSE_SHOWN_TWICE, "a client shows a response that came again") \
    X (DELIVERY_SHOWN_TWICE, "a server shows a request that came again") \
    X (HOLE_TAKEN, "a server takes a request although the one before it is missing") \
    X (STATE_TAKEN_FOR_FRESH, "a server works on a session without its restart data")

enum mutant {
    MUTANT_NONE,
#define X(name, text) MUTANT_##name,
    BATON_MUTANT_LIST (X)
#undef X
};

#ifdef BATON_MUTANTS
// mutant_is_chosen tells whether the program was asked to do this wrong.
bool
mutant_is_chosen (enum mutant mutant);

#define MUTANT(name) mutant_is_chosen (MUTANT_##name)
#else
#define MUTANT(name) (MUTANT_##name == MUTANT_NONE)
#endif

#endif
