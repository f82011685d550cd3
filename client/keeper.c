// SPDX-License-Identifier: MPL-2.0
#include "client/keeper.h"

#include "proto/limits.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>

#define NS_PER_MS 1000000L
#define NS_PER_S 1000000000L
// How often the engine is driven while the application is away: under LIMIT_STALL_MS, so that
// a broker that falls silent meanwhile is noticed.
#define AWAY_TURN_MS 100u

void
keeper_show (struct handle *handle)
{
    // libzmq's descriptor shows an edge once, and sending may have used it up.
    bool ready = handle->unread || link_error (handle->link) || handle->ready (handle) != 0
        || (handle->port && port_readable (handle->port));
    if (ready == handle->woken) return;

    handle->woken = ready;
    if (ready) {
        (void) eventfd_write (handle->wake_fd, 1);
    } else {
        eventfd_t count;
        (void) eventfd_read (handle->wake_fd, &count);
    }
}

// What the keeper remembers from look to look.
struct watch {
    uint64_t seen_count; // pumps_count at the last look
    uint32_t half_ms;    // half a heartbeat, as known then
};

// Drives the engine if nobody did since the last look. Returns milliseconds to the next one.
static uint32_t
look (struct handle *handle, struct watch *watch)
{
    // Somebody is inside, and drives it himself.
    if (pthread_mutex_trylock (&handle->lock)) return watch->half_ms;

    bool away = handle->pumps_count == watch->seen_count;
    if (away) {
        handle_pump (handle);
        keeper_show (handle);
    }
    watch->seen_count = handle->pumps_count;
    watch->half_ms = link_heartbeat_ms (handle->link) / 2 + 1;
    (void) pthread_mutex_unlock (&handle->lock);
    return away && watch->half_ms > AWAY_TURN_MS ? AWAY_TURN_MS : watch->half_ms;
}

static struct timespec
from_now (uint32_t wait_ms)
{
    struct timespec then;
    (void) clock_gettime (CLOCK_MONOTONIC, &then);
    then.tv_sec += wait_ms / 1000;
    then.tv_nsec += (long) (wait_ms % 1000) * NS_PER_MS;
    if (then.tv_nsec >= NS_PER_S) {
        then.tv_nsec -= NS_PER_S;
        then.tv_sec++;
    }
    return then;
}

static void *
keep (void *context)
{
    struct handle *handle = context;
    struct watch watch = {.half_ms = LIMIT_HEARTBEAT_MS / 2};
    uint32_t wait_ms = AWAY_TURN_MS;
    (void) pthread_mutex_lock (&handle->keeper_lock);
    while (!handle->stopping) {
        struct timespec until = from_now (wait_ms);
        int woken = pthread_cond_timedwait (&handle->keeper_wake, &handle->keeper_lock, &until);
        if (woken != ETIMEDOUT) continue;

        (void) pthread_mutex_unlock (&handle->keeper_lock);
        wait_ms = look (handle, &watch);
        (void) pthread_mutex_lock (&handle->keeper_lock);
    }
    (void) pthread_mutex_unlock (&handle->keeper_lock);
    return NULL;
}

// The application's signals are for its own threads.
static int
start_without_signals (struct handle *handle)
{
    sigset_t all;
    sigset_t before;
    (void) sigfillset (&all);
    (void) pthread_sigmask (SIG_SETMASK, &all, &before);
    int error = pthread_create (&handle->keeper, NULL, keep, handle);
    (void) pthread_sigmask (SIG_SETMASK, &before, NULL);
    return error;
}

static void
free_locks (struct handle *handle)
{
    (void) pthread_cond_destroy (&handle->keeper_wake);
    (void) pthread_mutex_destroy (&handle->keeper_lock);
    (void) pthread_mutex_destroy (&handle->lock);
}

enum baton_err
keeper_start (struct handle *handle)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init (&attributes)) return BATON_NO_MEMORY;
    (void) pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
    // On Linux these three cannot fail.
    (void) pthread_cond_init (&handle->keeper_wake, &attributes);
    (void) pthread_mutex_init (&handle->keeper_lock, NULL);
    (void) pthread_mutex_init (&handle->lock, NULL);
    (void) pthread_condattr_destroy (&attributes);
    int error = start_without_signals (handle);
    if (error == 0) return BATON_OK;

    free_locks (handle);
    errno = error;
    return BATON_NETWORK;
}

void
keeper_stop (struct handle *handle)
{
    (void) pthread_mutex_lock (&handle->keeper_lock);
    handle->stopping = true;
    (void) pthread_cond_signal (&handle->keeper_wake);
    (void) pthread_mutex_unlock (&handle->keeper_lock);
    (void) pthread_join (handle->keeper, NULL);
    free_locks (handle);
}
