// SPDX-License-Identifier: MPL-2.0
// broker.h is the manager: core, replica, gate, journal and packer as they are in production,
// joined by broker/shell/turn.h, over a disk that lies. Doors are simulated here, by the same rules
// as broker/shell/doors_in.c. It is killed, loses power, meets sync errors, and starts again.
#ifndef BATON_TESTS_BROKER_H
#define BATON_TESTS_BROKER_H

#include "tests/sim/world.h"

struct broker *
broker_new (struct world *world);

void
broker_free (struct broker **broker);

// broker_format makes the store and starts the broker for the first time.
void
broker_format (struct broker *broker);

// broker_arrive hands in one frame of the path at [address].
void
broker_arrive (struct broker *broker, uint64_t address, struct parcel *parcel);

bool
broker_is_up (const struct broker *broker);

enum broker_death { DEATH_BY_KILL = 1, DEATH_BY_POWER = 2 };

// broker_die ends it now, and has it started again after a while.
void
broker_die (struct broker *broker, enum broker_death death);

// broker_fault lets [fault] strike it, for those that are its own.
void
broker_fault (struct broker *broker, enum fault fault);

// broker_heal ends what the disk suffers from.
void
broker_heal (struct broker *broker);

// broker_core returns the live core, NULL while it is down.
const struct core *
broker_core (const struct broker *broker);

#endif
