// SPDX-License-Identifier: MPL-2.0
// keeper.h has the thread that keeps the link of a handle alive while the application is away,
// and the descriptor that tells the application to come back. It must never touch the engine
// without the handle's lock.
#ifndef BATON_KEEPER_H
#define BATON_KEEPER_H

#include "client/handle.h"

// keeper_start makes the lock and the thread. BATON_NETWORK if the system has no more threads.
enum baton_err
keeper_start (struct handle *handle);

// keeper_stop ends the thread and waits for it.
void
keeper_stop (struct handle *handle);

// keeper_show makes the descriptor readable if something waits for the application that the
// socket does not show any more, and unreadable if not. With the lock held.
void
keeper_show (struct handle *handle);

#endif
