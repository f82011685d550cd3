// SPDX-License-Identifier: MPL-2.0
// replica.h computes the commit index, and nothing else does: the least durable mark over the
// stores that are required. A record at or below it is safe. It must never learn how a mark was
// reached (a disk here, a link there), only that it was.
//
// Invariants:
//   1. the commit index never goes back within one start of a broker;
//   2. it stays where it was, at first none, until the EPOCH record of a new reign is safe;
//   3. at least one store is required at any time.
#ifndef BATON_REPLICA_H
#define BATON_REPLICA_H

#include "proto/numbers.h"

// Copies of the log. A single broker requires SELF alone; a standby's store will be PEER, and
// becomes required by a confirmed change of the in-sync set, never by a setting.
enum replica_store { REPLICA_SELF = 1, REPLICA_PEER = 2 };
#define REPLICA_STORES_COUNT 2u

struct replica_mark {
    bool required;
    struct log_index durable;
};

struct replica {
    struct epoch epoch;
    struct log_index reign_index; // of this reign's EPOCH record; none before it is made
    struct log_index commit;
    struct replica_mark marks[REPLICA_STORES_COUNT];
};

// replica_init starts without a reign, with SELF as the only required store.
void
replica_init (struct replica *replica);

// replica_begin_reign notes the EPOCH record of a new reign. Nothing is safe for the gate before
// that record is.
//
//   epoch          newer than the one before
//   reign_index    index of the EPOCH record, behind all that is durable already
void
replica_begin_reign (struct replica *replica, struct epoch epoch, struct log_index reign_index);

// replica_durable notes that [store] has all records through [index] on stable storage. Marks
// only rise.
void
replica_durable (struct replica *replica, enum replica_store store, struct log_index index);

// replica_commit_index returns the newest record known to be safe; none before the EPOCH record
// of the first reign of this start is.
struct log_index
replica_commit_index (const struct replica *replica);

// replica_epoch returns the reign's epoch; none before there is one.
struct epoch
replica_epoch (const struct replica *replica);

#endif
