// SPDX-License-Identifier: MPL-2.0
// ledger_client keeps one session under load and checks each answer against what it sent itself.
// Every step commits requests, answers and restart data at once; two ledgers lie beside it:
//
//   NAME.acked      what the broker has acknowledged as safe; appended, synced, never cut
//   NAME.consumed   the answers consumed; synced before the commit, cut to it at restart
//
// Now and then the session is closed and opened anew: then the next generation begins.
//
// Usage: ledger_client ENDPOINT NAME FOLDER PROGRESS-FD. SIGTERM lets it finish and close the
// session. Exit code 1: what went wrong is on stderr; a line with FAULT tells a broken promise.
#include "ledger.h"

#include "client/baton.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_MAX_COUNT 512u
#define BATCH_MAX_COUNT 64u
#define BATCH_MAX_BYTES (512u * 1024u)
#define BODY_MAX_BYTES (64u * 1024u)
#define GENERATION_COUNT 3000u

// Restart data. [sent] is the server's state after all that was sent, and [expected] after each of
// the requests that may be open: a request sent again with other content shows as another chain.
struct progress {
    uint64_t generation;
    uint64_t steps;
    uint64_t consumed;
    uint64_t ledger_bytes;
    struct ledger_state sent;
    uint64_t expected[OPEN_MAX_COUNT];
};

// A line of the acked ledger.
struct acked {
    uint64_t generation;
    uint64_t steps;
    uint64_t sent;
    uint64_t consumed;
    uint64_t closing; // 1: all is done, and the session may be gone
};

struct client {
    const char *name;
    struct progress progress;
    baton_client_t *handle;
    baton_session_t *session;
    int acked_fd;
    int consumed_fd;
    int progress_fd;
    uint64_t seed;
    uint8_t body[BODY_MAX_BYTES];
};

static volatile sig_atomic_t stopping;

static void
stop (int number)
{
    (void) number;
    stopping = 1;
}

__attribute__ ((format (printf, 1, 2), noreturn)) static void
die (const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    vfprintf (stderr, format, arguments);
    va_end (arguments);
    fputc ('\n', stderr);
    exit (1);
}

static void
must (enum baton_err err, const char *what)
{
    if (err != BATON_OK) die ("%s: %s", what, baton_strerror (err));
}

// A signal interrupts any call that waits; nothing has happened then.
#define MUST(call, what) \
    do { \
        enum baton_err result; \
        do result = (call); \
        while (result == BATON_INTERRUPTED); \
        must (result, what); \
    } while (0)

static int
open_ledger (const char *folder, const char *name, const char *kind)
{
    char path[PATH_MAX];
    snprintf (path, sizeof path, "%s/%s.%s", folder, name, kind);
    int fd = open (path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0) die ("%s: %s", path, strerror (errno));
    return fd;
}

static void
append (int fd, const char *line, size_t size)
{
    if (write (fd, line, size) != (ssize_t) size || fdatasync (fd) != 0)
        die ("ledger: %s", strerror (errno));
}

// The last complete line of the acked ledger; a kill may have left a piece behind it.
static void
read_acked (int fd, struct acked *acked)
{
    char text[257];
    off_t end = lseek (fd, 0, SEEK_END);
    ssize_t size = pread (fd, text, 256, end > 256 ? end - 256 : 0);
    memset (acked, 0, sizeof *acked);
    text[size > 0 ? size : 0] = '\0';
    char *last = strrchr (text, '\n');
    if (last == NULL) return;
    *last = '\0';
    char *line = strrchr (text, '\n');
    line = line != NULL ? line + 1 : text;
    if (sscanf (line, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
                &acked->generation, &acked->steps, &acked->sent, &acked->consumed,
                &acked->closing) != 5)
        die ("acked ledger: no line but \"%s\"", line);
}

static void
write_acked (const struct client *self, unsigned closing)
{
    char line[120];
    const struct progress *now = &self->progress;
    int size = snprintf (line, sizeof line,
                         "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %u\n", now->generation,
                         now->steps, now->sent.count, now->consumed, closing);
    append (self->acked_fd, line, (size_t) size);
}

// What was acknowledged to a former process must be here, and restart data and requests must be of
// one step.
static void
check_restart (const struct client *self, const struct acked *acked)
{
    const struct progress *now = &self->progress;
    if (now->generation != acked->generation || now->steps < acked->steps
        || now->sent.count < acked->sent || now->consumed < acked->consumed)
        die ("FAULT lost: acknowledged generation %" PRIu64 " step %" PRIu64 " requests %" PRIu64
             " consumed %" PRIu64 ", restart data has %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
             acked->generation, acked->steps, acked->sent, acked->consumed, now->generation,
             now->steps, now->sent.count, now->consumed);
    uint64_t last = baton_session_last_seq (self->session);
    if (last != now->sent.count)
        die ("FAULT %s: restart data says %" PRIu64 " requests, the session has %" PRIu64,
             last < now->sent.count ? "lost" : "doubled", now->sent.count, last);
}

static void
cut_consumed (const struct client *self)
{
    struct stat facts;
    uint64_t length = self->progress.ledger_bytes;
    if (fstat (self->consumed_fd, &facts) != 0 || (uint64_t) facts.st_size < length)
        die ("FAULT lost: the consumed ledger is shorter than restart data says");
    if (ftruncate (self->consumed_fd, (off_t) length) != 0) die ("ledger: %s", strerror (errno));
}

static void
open_session (struct client *self)
{
    struct acked acked;
    read_acked (self->acked_fd, &acked);
    MUST (baton_client_open (self->handle, self->name, NULL, &self->session), "open");
    MUST (baton_session_set_commit_mode (self->session, BATON_COMMIT_BY_HAND), "mode");
    struct baton_bytes data = baton_session_restart_data (self->session);
    if (data.size != 0 && data.size != sizeof self->progress)
        die ("FAULT lost: restart data of %zu bytes", data.size);
    memset (&self->progress, 0, sizeof self->progress);
    if (data.size != 0) memcpy (&self->progress, data.data, data.size);
    if (data.size == 0 && acked.closing) {
        self->progress.generation = acked.generation + 1;
        write_acked (self, 0);
        read_acked (self->acked_fd, &acked);
    }
    if (data.size == 0 && !acked.closing) self->progress.generation = acked.generation;
    check_restart (self, &acked);
    cut_consumed (self);
}

static void
check_answer (const struct client *self, const struct baton_response *answer)
{
    struct ledger_state state;
    uint64_t due = self->progress.consumed + 1;
    if (answer->status != BATON_STATUS_REPLY)
        die ("FAULT lost: request %" PRIu64 " ended as %d: %.*s", answer->request,
             (int) answer->status, (int) answer->body.size, (const char *) answer->body.data);
    if (answer->request != due || answer->seq != due)
        die ("FAULT %s: answer %" PRIu64 " to request %" PRIu64 ", due is %" PRIu64,
             answer->request < due ? "doubled" : "lost", answer->seq, answer->request, due);
    if (answer->body.size != sizeof state) die ("FAULT lost: an answer of other size");
    memcpy (&state, answer->body.data, sizeof state);
    if (state.count != due)
        die ("FAULT %s: the server counts %" PRIu64 " at request %" PRIu64,
             state.count > due ? "doubled" : "lost", state.count, due);
    if (state.chain != self->progress.expected[due % OPEN_MAX_COUNT])
        die ("FAULT doubled: the server's chain is of other requests, at %" PRIu64, due);
}

// Takes what is here, writes it to the ledger and syncs that. Returns how many.
static unsigned
take_answers (struct client *self)
{
    char lines[BATCH_MAX_COUNT * 24];
    size_t size = 0;
    unsigned count = 0;
    struct baton_response answer;
    while (count < BATCH_MAX_COUNT) {
        enum baton_err err = baton_session_recv (self->session, 0, &answer);
        if (err == BATON_TIMED_OUT) break;
        if (err == BATON_INTERRUPTED) continue;
        must (err, "recv");
        check_answer (self, &answer);
        self->progress.consumed++;
        size += (size_t) snprintf (lines + size, 24, "%" PRIu64 "\n", answer.request);
        count++;
    }
    if (count > 0) append (self->consumed_fd, lines, size);
    self->progress.ledger_bytes += size;
    return count;
}

// Content is drawn anew by each process: one that was never accepted must not come back.
static size_t
draw_body (struct client *self)
{
    size_t size = 16 + ledger_random (&self->seed, 500);
    if (ledger_random (&self->seed, 100) == 0)
        size = 1 + ledger_random (&self->seed, BODY_MAX_BYTES);
    for (size_t i = 0; i < size; i++)
        self->body[i] = (uint8_t) ledger_random (&self->seed, 256);
    return size;
}

static unsigned
send_requests (struct client *self)
{
    struct progress *progress = &self->progress;
    uint64_t room = OPEN_MAX_COUNT - (progress->sent.count - progress->consumed);
    uint64_t want = 1 + ledger_random (&self->seed, BATCH_MAX_COUNT);
    size_t bytes = 0;
    unsigned count = 0;
    while (!stopping && count < want && count < room && bytes < BATCH_MAX_BYTES) {
        size_t size = draw_body (self);
        uint64_t seq = 0;
        MUST (baton_session_send (self->session, self->body, size, &seq), "send");
        ledger_fold (&progress->sent, self->body, size);
        if (seq != progress->sent.count)
            die ("FAULT lost: request %" PRIu64 " got number %" PRIu64, progress->sent.count, seq);
        progress->expected[seq % OPEN_MAX_COUNT] = progress->sent.chain;
        bytes += size;
        count++;
    }
    return count;
}

// Waits until all committed steps are safe, and puts that on record.
static void
note_acked (struct client *self, unsigned closing)
{
    MUST (baton_session_flush (self->session, -1), "flush");
    write_acked (self, closing);
}

static void
close_session (struct client *self)
{
    note_acked (self, 1);
    MUST (baton_session_close (&self->session), "close");
}

static void
step (struct client *self)
{
    const struct progress *progress = &self->progress;
    unsigned moved = take_answers (self);
    if (progress->sent.count < GENERATION_COUNT) moved += send_requests (self);
    if (moved > 0) {
        self->progress.steps++;
        MUST (baton_session_commit (self->session, progress, sizeof *progress), "commit");
        dprintf (self->progress_fd, "%" PRIu64 " %" PRIu64 "\n", progress->generation,
                 progress->consumed);
        if (ledger_random (&self->seed, 4) == 0) note_acked (self, 0);
        return;
    }
    baton_session_t *ready;
    enum baton_err err = baton_client_wait (self->handle, 1000, &ready);
    if (err != BATON_TIMED_OUT && err != BATON_INTERRUPTED) must (err, "wait");
}

static void
work (struct client *self)
{
    const struct progress *progress = &self->progress;
    for (;;) {
        int is_done = progress->consumed == progress->sent.count;
        if (stopping && is_done) break;
        if (is_done && progress->sent.count >= GENERATION_COUNT) {
            close_session (self);
            open_session (self);
        }
        step (self);
    }
    close_session (self);
}

int
main (int argc, char **argv)
{
    static struct client self;
    struct sigaction action = { .sa_handler = stop };
    if (argc != 5) return 2;
    sigaction (SIGTERM, &action, NULL);
    self.name = argv[2];
    self.acked_fd = open_ledger (argv[3], argv[2], "acked");
    self.consumed_fd = open_ledger (argv[3], argv[2], "consumed");
    self.progress_fd = (int) strtol (argv[4], NULL, 10);
    self.handle = baton_client_new (argv[1]);
    if (self.handle == NULL) die ("client: %s", strerror (errno));
    open_session (&self);
    self.seed = (baton_session_incarnation (self.session) << 20) + (uint64_t) getpid () + 1;
    work (&self);
    baton_client_destroy (&self.handle);
    return 0;
}
