// SPDX-License-Identifier: MPL-2.0
// store.h opens the store for a broker, makes one, and says what is wrong with one in words: the
// journal itself returns facts only.
#ifndef BATON_SHELL_STORE_H
#define BATON_SHELL_STORE_H

#include "broker/shell/chance.h"
#include "broker/shell/config.h"
#include "broker/shell/exit_code.h"
#include "broker/store/disk_file.h"
#include "broker/store/journal.h"

struct store {
    const struct memory *memory;
    struct disk_file *disk_file;
    struct journal *journal;
    struct journal_report report;
};

// store_format makes an empty store with a new group in [directory], and the directory if it is
// not there.
enum exit_code
store_format (const char *directory, const struct memory *memory, struct chance *chance,
              struct log *log);

// store_open opens and recovers the store of [config]. [bare] makes one where there is none.
enum store_missing { STORE_REFUSE = 1, STORE_MAKE = 2 };
enum exit_code
store_open (struct store *store, const struct config *config, enum store_missing missing,
            const struct memory *memory, struct chance *chance, struct log *log);

void
store_close (struct store *store);

// store_exit_code returns how the process ends over [error] of the store.
enum exit_code
store_exit_code (enum baton_err error);

// store_say logs what [error] of an operation on the store means and what to do.
void
store_say (const char *directory, const struct disk_file *disk_file, enum baton_err error,
           const struct journal_problem *problem, struct log *log);

#endif
