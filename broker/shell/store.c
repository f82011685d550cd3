// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum exit_code
store_exit_code (enum baton_err error)
{
    if (error == BATON_OK) return EXIT_CODE_OK;
    if (error == BATON_DAMAGED || error == BATON_DISK) return EXIT_CODE_STORE_DAMAGED;
    if (error == BATON_STORE_IN_USE || error == BATON_DISK_FULL || error == BATON_NO_MEMORY) {
        return EXIT_CODE_TRY_LATER;
    }
    return error == BATON_BAD_ARGUMENT ? EXIT_CODE_USAGE : EXIT_CODE_REFUSED;
}

static const char *
fault_text (enum journal_fault fault)
{
    switch (fault) {
#define X(name, number, text) case JOURNAL_FAULT_##name: return text;
        JOURNAL_FAULTS (X)
#undef X
    }
    return "";
}

// What to do, for people who have only this line.
static const char *
advice (enum baton_err error)
{
    if (error == BATON_NO_STORE) return "make one with `batond --format DIR`, or name another";
    if (error == BATON_STORE_EXISTS) return "use it, or name an empty directory";
    if (error == BATON_STORE_IN_USE) return "stop the other broker first";
    if (error == BATON_FOREIGN_STORE) return "name the right directory; nothing was changed";
    if (error == BATON_BAD_VERSION) return "use the newer batond that wrote it";
    if (error == BATON_NOT_FOUND) return "make the directory above it first, or name another";
    if (error == BATON_READ_ONLY) return "mount it writable, or give this user the right to write";
    if (error == BATON_NO_MEMORY) return "raise memory_max_bytes, or lower batch_max_bytes";
    if (error == BATON_DISK_FULL) return "free space on that disk";
    if (error == BATON_DAMAGED) {
        return "nothing was cut or changed; restore the directory from a copy, see operating.md";
    }
    if (error == BATON_BAD_ARGUMENT) return "change segment_bytes or batch_max_bytes";
    return "see the system's log for this disk";
}

// What value and limit of a fault are called; NULL where they say nothing to people.
static const char *
value_name (enum journal_fault fault)
{
    switch (fault) {
    case JOURNAL_FAULT_FORMAT_VERSION: return "format found";
    case JOURNAL_FAULT_SEGMENT_SIZE: return "bytes found";
    case JOURNAL_FAULT_SEGMENT_MISSING: return "oldest segment found";
    case JOURNAL_FAULT_SPACE: return "bytes free";
    case JOURNAL_FAULT_OPTION: return "bytes given";
    case JOURNAL_FAULT_LOCK:
    case JOURNAL_FAULT_NO_STORE:
    case JOURNAL_FAULT_EXISTS:
    case JOURNAL_FAULT_STORE_FILE:
    case JOURNAL_FAULT_GROUP:
    case JOURNAL_FAULT_SEGMENT_HEAD:
    case JOURNAL_FAULT_SEGMENT_IDENTITY:
    case JOURNAL_FAULT_SEGMENT_SHORT:
    case JOURNAL_FAULT_BATCH:
    case JOURNAL_FAULT_BATCH_ORDER:
    case JOURNAL_FAULT_RECORD:
    case JOURNAL_FAULT_DISK_CALL: break;
    }
    return NULL;
}

static const char *
limit_name (enum journal_fault fault)
{
    if (fault == JOURNAL_FAULT_FORMAT_VERSION) return "newest format known";
    if (fault == JOURNAL_FAULT_SEGMENT_MISSING) return "oldest segment needed";
    return "bytes needed";
}

// Facts of [problem] that it has, and what the system said: an empty text if there are none.
static void
put_facts (const struct journal_problem *problem, int system, char *text, size_t size)
{
    size_t used = 0;
    const char *value = value_name (problem->fault);
    const struct { const char *name; uint64_t fact; } facts[] = {
        {"segment", problem->segment_number}, {"offset", problem->offset_bytes},
        {"from record", problem->first_index.n}, {"to record", problem->last_index.n},
    };

    text[0] = 0;
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        if (facts[i].fact == 0 || used >= size) continue;
        used += (size_t) snprintf (text + used, size - used, ", %s %" PRIu64, facts[i].name,
                                   facts[i].fact);
    }
    if (value && used < size) {
        used += (size_t) snprintf (text + used, size - used, ", %s %" PRIu64 ", %s %" PRIu64,
                                   value, problem->value, limit_name (problem->fault),
                                   problem->limit);
    }
    if (system != 0 && used < size) {
        snprintf (text + used, size - used, " (%s)", strerror (system));
    }
}

// What the system said; a directory that could not be opened has left it in errno.
static int
system_error (const struct disk_file *disk_file, enum baton_err error)
{
    if (disk_file) return disk_file_errno (disk_file);
    return error == BATON_NO_MEMORY ? 0 : errno;
}

void
store_say (const char *directory, const struct disk_file *disk_file, enum baton_err error,
           const struct journal_problem *problem, struct log *log)
{
    const int system = system_error (disk_file, error);
    const char *fault = fault_text (problem->fault);
    // Behind a semicolon the text tells what value and limit are, which the facts do here.
    int fault_size = (int) strcspn (fault, ";");
    char facts[400];

    if (strncmp (fault, baton_strerror (error), (size_t) fault_size) == 0) {
        fault_size = 0;
    }
    put_facts (problem, system, facts, sizeof facts);
    log_line (log, LOG_ERROR, "store %s: %s%s%.*s%s; %s", directory, baton_strerror (error),
              fault_size > 0 ? ": " : "", fault_size, fault, facts, advice (error));
}

enum exit_code
store_format (const char *directory, const struct memory *memory, struct chance *chance,
              struct log *log)
{
    struct disk_file *disk_file = NULL;
    struct journal_problem problem = {0};
    enum baton_err error = chance_fill (chance, 4);

    if (error == BATON_OK) {
        error = disk_file_open (&disk_file, memory, directory, DISK_FILE_MAKE);
    }
    if (error == BATON_OK) {
        const struct id group = chance_id (chance), identity = chance_id (chance);
        error = journal_format (disk_file_disk (disk_file), memory, group, identity, &problem);
        if (error == BATON_OK) {
            log_line (log, LOG_INFO, "store %s: made, group %016" PRIx64 "%016" PRIx64,
                      directory, group.high, group.low);
        }
    }
    if (error != BATON_OK) {
        store_say (directory, disk_file, error, &problem, log);
    }
    disk_file_close (&disk_file);
    return store_exit_code (error);
}

static enum baton_err
open_journal (struct store *store, const struct config *config)
{
    const struct journal_options options = {
        .segment_bytes = config->segment_bytes,
        .batch_max_bytes = config->batch_max_bytes,
    };
    enum baton_err error
        = disk_file_open (&store->disk_file, store->memory, config->store, DISK_FILE_REFUSE);

    if (error == BATON_OK) {
        error = journal_open (&store->journal, disk_file_disk (store->disk_file), store->memory,
                              &options, &store->report);
    }
    return error;
}

static void
say_report (const struct config *config, const struct journal_report *report, struct log *log)
{
    log_line (log, LOG_INFO, "store %s: group %016" PRIx64 "%016" PRIx64 ", records %" PRIu64
              " to %" PRIu64 ", safe through %" PRIu64, config->store, report->group.high,
              report->group.low, report->first_index.n, report->last_index.n,
              report->commit_index.n);
    if (report->cut_bytes > 0) {
        log_line (log, LOG_WARNING, "store %s: a write was under way when the broker ended: %"
                  PRIu64 " bytes at %" PRIu64 " of segment %" PRIu64 " were cut; nothing in them"
                  " had been acknowledged", config->store, report->cut_bytes,
                  report->cut_offset_bytes, report->cut_segment_number);
    }
    if (report->rewritten_count > 0) {
        log_line (log, LOG_INFO, "store %s: %" PRIu64 " records of the last batches were written"
                  " anew and synced", config->store, report->rewritten_count);
    }
}

enum exit_code
store_open (struct store *store, const struct config *config, enum store_missing missing,
            const struct memory *memory, struct chance *chance, struct log *log)
{
    memset (store, 0, sizeof *store);
    store->memory = memory;
    enum baton_err error = open_journal (store, config);
    if (error == BATON_NO_STORE && missing == STORE_MAKE) {
        disk_file_close (&store->disk_file);
        log_line (log, LOG_INFO, "no store in %s yet: making one", config->store);
        const enum exit_code code = store_format (config->store, memory, chance, log);
        if (code != EXIT_CODE_OK) return code;
        error = open_journal (store, config);
    }
    if (error == BATON_NO_MEMORY) {
        log_line (log, LOG_ERROR, "store %s: to open it needs more than the memory budget of %"
                  PRIu64 " bytes; raise memory_max_bytes, or lower batch_max_bytes",
                  config->store, config->memory_max_bytes);
        return store_exit_code (error);
    }
    if (error != BATON_OK) {
        store_say (config->store, store->disk_file, error, &store->report.problem, log);
        return store_exit_code (error);
    }
    say_report (config, &store->report, log);
    return EXIT_CODE_OK;
}

void
store_close (struct store *store)
{
    journal_close (&store->journal);
    disk_file_close (&store->disk_file);
}
