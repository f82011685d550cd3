// SPDX-License-Identifier: MPL-2.0
// recover.h finds what a log holds after a crash, and writes its uncertain tail into a fresh
// segment. It changes nothing that counts before all has been read and found good; a crash in
// the middle leaves a log from which the same records come back.
#ifndef BATON_STORE_RECOVER_H
#define BATON_STORE_RECOVER_H

#include "broker/store/journal.h"
#include "broker/store/segments.h"
#include "broker/store/writer.h"

struct recovered {
    struct position last;
    struct log_index commit;
    uint64_t front_number;
};

// recover reads the directory into [segments], which is empty, and makes [writer] stand in a
// fresh segment. writer_fini is due in any case.
//
//   options   with sizes, no defaults any more
//   report    everything but problem, group and identity is filled
//
// Errors: those of journal_open but BATON_NO_STORE and BATON_STORE_IN_USE, the problem noted in
// the place that [segments] knows.
DISK_MUST_USE enum baton_err
recover (struct segments *segments, struct writer *writer, const struct journal_options *options,
         struct recovered *recovered, struct journal_report *report);

#endif
