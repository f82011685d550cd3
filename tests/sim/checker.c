// SPDX-License-Identifier: MPL-2.0
#include "tests/sim/checker.h"

#include "broker/core/check.h"
#include "broker/core/roster.h"
#include "tests/sim/broker.h"
#include "tests/sim/process.h"
#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N(number) ((unsigned long long) (number))

static void
make_twin (struct checker *checker)
{
    heap_init (&checker->heap);
    checker->twin = core_new (&checker->heap.memory, &checker->world->plan.options);
    if (!checker->twin) abort ();
}

void
checker_init (struct checker *checker, struct world *world)
{
    memset (checker, 0, sizeof *checker);
    checker->world = world;
    truth_init (&checker->truth, world);
    make_twin (checker);
}

void
checker_fini (struct checker *checker)
{
    checker_crashed (checker);
    free (checker->made);
    core_free (&checker->twin);
    truth_fini (&checker->truth);
}

void
checker_made (struct checker *checker, struct baton_bytes record)
{
    struct record_head head;

    if (!record_head_read (record.data, record.size, &head)) abort ();
    if (checker->made_count == checker->made_room) {
        checker->made_room = checker->made_room ? checker->made_room * 2 : 64;
        checker->made = realloc (checker->made, checker->made_room * sizeof *checker->made);
        if (!checker->made) abort ();
    }
    checker->made[checker->made_count++] = (struct checker_record) {
        head.index.n, blob_copy (&checker->heap.memory, record)
    };
}

// The next record is safe for good: twin and truth take it.
static void
take_record (struct checker *checker, struct baton_bytes record)
{
    const enum baton_err err = core_replay (checker->twin, record);

    if (err) {
        sim_violated (INVARIANT_ACK_DURABILITY, "the record after %llu, which was safe, does not"
                      " continue the log: %s", N (checker->truth.last_index),
                      baton_strerror (err));
    }
    truth_apply (&checker->truth, record);
}

void
checker_take_through (struct checker *checker, uint64_t index)
{
    size_t taken = 0;

    while (taken < checker->made_count && checker->made[taken].index <= index) {
        take_record (checker, blob_view (checker->made[taken].bytes));
        blob_drop (&checker->heap.memory, &checker->made[taken].bytes);
        taken++;
    }
    if (taken == 0) return;
    checker->made_count -= taken;
    memmove (checker->made, checker->made + taken, checker->made_count * sizeof *checker->made);
}

void
checker_safe (struct checker *checker, struct log_index commit)
{
    if (commit.n < checker->commit) {
        sim_violated (INVARIANT_MONOTONICITY, "the commit index fell from %llu to %llu",
                      N (checker->commit), N (commit.n));
    }
    checker->commit = commit.n;
}

void
checker_released (struct checker *checker)
{
    checker_take_through (checker, checker->commit);
}

void
checker_hello (struct checker *checker, struct link_number link, struct baton_bytes name)
{
    struct checker_link *place = &checker->links[link.n % CHECKER_LINKS_MAX];

    place->link = link.n;
    snprintf (place->server, sizeof place->server, "%.*s", (int) name.size,
              (const char *) name.data);
}

void
checker_crashed (struct checker *checker)
{
    for (size_t i = 0; i < checker->made_count; i++) {
        blob_drop (&checker->heap.memory, &checker->made[i].bytes);
    }
    checker->made_count = 0;
    checker->commit = 0;
}

void
checker_recovers (struct checker *checker, struct baton_bytes record)
{
    struct record_head head;
    const struct book *book = core_book (checker->twin);

    if (!record_head_read (record.data, record.size, &head)) abort ();
    if (head.index.n == book->last_index.n && record_chain (record) != book->chain) {
        sim_violated (INVARIANT_ACK_DURABILITY, "record %llu was safe and is another one now",
                      N (head.index.n));
    }
    if (head.index.n <= book->last_index.n) return;
    checker->truth.recovers = true;
    take_record (checker, record);
    checker->truth.recovers = false;
}

static void
compare_books (const struct checker *checker, const struct core *live, const char *when)
{
    const struct book *book = core_book (live);
    const struct book *twin = core_book (checker->twin);

    if (book->last_index.n != twin->last_index.n || book_digest (book) != book_digest (twin)) {
        sim_violated (INVARIANT_DETERMINISM, "%s the live book at record %llu differs from the one"
                      " replayed to %llu", when, N (book->last_index.n), N (twin->last_index.n));
    }
}

void
checker_recovered (struct checker *checker, const struct core *live, struct log_index last)
{
    const uint64_t safe = core_last_index (checker->twin).n;

    if (last.n < safe) {
        sim_violated (INVARIANT_ACK_DURABILITY, "the store gave back records through %llu; %llu was"
                      " safe", N (last.n), N (safe));
    }
    compare_books (checker, live, "after a restart");
}

// The book's view of a session against the naive one.
static void
compare_session (const struct truth_session *truth, const struct session *session)
{
    const bool same = session->requests_accepted_through.n == truth->requests_count
        && session->requests_consumed_through.n == truth->requests_consumed
        && session->open_count == truth->open_count
        && session->responses_last.n == truth->responses_count
        && session->responses_consumed_through.n == truth->responses_consumed
        && session->client->version.n == truth->client_version
        && session->client->incarnation.n == truth->client_incarnation;

    if (same) return;
    sim_violated (INVARIANT_CONSERVATION, "session %s: the book has %llu accepted, %llu consumed,"
                  " %u open, %llu answered; the log has %llu, %llu, %llu, %llu", truth->name,
                  N (session->requests_accepted_through.n),
                  N (session->requests_consumed_through.n), session->open_count,
                  N (session->responses_last.n), N (truth->requests_count),
                  N (truth->requests_consumed), N (truth->open_count), N (truth->responses_count));
}

static void
compare_truth (const struct checker *checker, const struct book *book)
{
    const struct truth *truth = &checker->truth;
    uint32_t open_count = 0;

    for (uint32_t i = 0; i < truth->sessions_count; i++) {
        const struct session *session = book_session (book, truth->sessions[i]->id);
        if (!session != (truth->sessions[i]->state == SESSION_CLOSED)) {
            sim_violated (INVARIANT_CONSERVATION, "session %s is %s the book",
                          truth->sessions[i]->name, session ? "still in" : "not in");
        }
        if (!session) continue;
        open_count++;
        compare_session (truth->sessions[i], session);
    }
    if (open_count != book->sessions_count) {
        sim_violated (INVARIANT_CONSERVATION, "the book has %u sessions, the log %u",
                      book->sessions_count, open_count);
    }
}

// Nobody is sent more than it granted. Deliveries are counted where they are decided.
static void
check_credit (const struct core *live)
{
    const struct roster *roster = core_roster (live);
    const struct queue *link;

    queue_each (link, &core_book (live)->sessions) {
        const struct session *session = queue_owner (link, const struct session, in_book);
        const struct roster_session *place = roster_session (roster, session);
        if (place->client && place->sent_count > place->granted_count) {
            sim_violated (INVARIANT_BOUNDS, "a client was sent %llu items and has granted %llu",
                          N (place->sent_count), N (place->granted_count));
        }
    }
    queue_each (link, &core_book (live)->servers) {
        const struct server *server = queue_owner (link, const struct server, in_book);
        const uint64_t held_count = roster_server (roster, server)->held_count;
        if (held_count > 1 && held_count > server->credit_count) {
            sim_violated (INVARIANT_BOUNDS, "a server was sent %llu requests and has granted %u",
                          N (held_count), server->credit_count);
        }
    }
}

void
checker_looks (struct checker *checker, const struct core *live)
{
    check_credit (live);
    checker->looks_count++;
    compare_books (checker, live, "at work");
    compare_truth (checker, core_book (live));
    book_check (core_book (live), checker->world->plan.options.attempts_max);
}

void
checker_epoch (struct checker *checker, struct process *process, struct epoch epoch)
{
    if (epoch.n < process->epoch.n || epoch.n > checker->truth.epoch) {
        sim_violated (INVARIANT_EPOCH_ECHO, "%s follows epoch %llu after %llu; the manager's is"
                      " %llu", process->name, N (epoch.n), N (process->epoch.n),
                      N (checker->truth.epoch));
    }
}

bool
checker_is_served (const struct truth_session *session)
{
    return !session->honest || session->state == SESSION_CLOSED || session->open_count == 0
        || session->responses_count > session->responses_consumed;
}

void
checker_finished (struct checker *checker, const struct core *live)
{
    const struct truth *truth = &checker->truth;

    checker_looks (checker, live);
    for (uint32_t i = 0; i < truth->sessions_count; i++) {
        const struct truth_session *session = truth->sessions[i];
        if (!checker_is_served (session)) {
            sim_violated (INVARIANT_LIVENESS, "session %s has %llu requests that nobody answered",
                          session->name, N (session->open_count));
        }
    }
}
