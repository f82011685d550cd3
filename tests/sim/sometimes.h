// SPDX-License-Identifier: MPL-2.0
// sometimes.h lists what has to happen now and then in a big run: where one of these stays 0, the
// generator is blind there and its silence proves nothing.
#ifndef BATON_TESTS_SOMETIMES_H
#define BATON_TESTS_SOMETIMES_H

#include <stdint.h>

#define SOMETIMES(X) \
    X (TORN_TAIL_CUT, "torn tail cut") \
    X (TAIL_REWRITTEN, "tail rewritten at start") \
    X (SEGMENT_DROPPED, "segment dropped") \
    X (SYNC_ERROR, "sync error ended the broker") \
    X (POWER_LOSS, "power lost") \
    X (POWER_LOSS_IN_CALL, "power lost inside a disk call") \
    X (KILL_IN_CALL, "broker killed inside a disk call") \
    X (CRASH_IN_RECOVERY, "crash inside recovery") \
    X (DAMAGED_STORE, "lone store stopped: damaged") \
    X (DISK_FULL, "disk full") \
    X (DUPLICATE, "DUPLICATE") \
    X (GAP, "GAP") \
    X (OLD_EPOCH, "OLD_EPOCH") \
    X (FENCED, "FENCED") \
    X (BUSY_QUEUE, "BUSY(queue)") \
    X (BUSY_MEMORY, "BUSY(memory)") \
    X (BUSY_DISK, "BUSY(disk)") \
    X (BUSY_RATE, "BUSY(rate)") \
    X (HELLO_FIRST, "HELLO_FIRST") \
    X (NO_MATCH, "NO_MATCH") \
    X (NO_SUCH_SESSION, "NO_SUCH_SESSION") \
    X (TOO_LARGE, "TOO_LARGE") \
    X (MALFORMED, "MALFORMED") \
    X (DENIED, "DENIED") \
    X (POISON, "poison answered FAILED") \
    X (REJECT, "request given back") \
    X (SUSPECT_ALONE, "suspect delivered alone") \
    X (SKIPPED, "SKIPPED delivered") \
    X (ZOMBIE_CLIENT, "zombie client spoke and was fenced") \
    X (ZOMBIE_SERVER, "zombie server answered and was ignored") \
    X (REBOUND_AFTER_SILENCE, "session bound anew after silence") \
    X (SERVER_INSTANCE_REPLACED, "server instance replaced") \
    X (HIT, "delivery met live state") \
    X (RELOAD, "RELOAD") \
    X (REDELIVERY, "redelivery") \
    X (SESSION_CLOSED, "session closed") \
    X (SESSION_EXPIRED, "session expired") \
    X (OFFER_EXPIRED, "offer expired") \
    X (SESSION_REOPENED, "session reopened by another process") \
    X (RESUMED_IN_PROCESS, "session resumed inside a process") \
    X (COMMIT_RESENT, "commit resent") \
    X (LINK_DROPPED, "connection dropped") \
    X (ONE_WAY_CUT, "one-way cut") \
    X (FRAME_REPEATED, "old frame came again") \
    X (DAMAGED_FRAME, "damaged bytes refused") \
    X (DAMAGED_FRAME_TAKEN, "damaged bytes still a message") \
    X (NO_MEMORY, "allocation failed") \
    X (SERVER_STALLED, "handler stalled beyond silence") \
    X (BROKER_STALLED, "broker stood still") \
    X (BIG_EVENT, "event split over several records")

enum sometimes {
#define X(name, text) SOMETIMES_##name,
    SOMETIMES (X)
#undef X
};
#define X(name, text) +1
enum { SOMETIMES_COUNT = 0 SOMETIMES (X) };
#undef X

const char *
sometimes_text (enum sometimes which);

#endif
