// SPDX-License-Identifier: MPL-2.0
// record_visitor.h has who gets the records of a log when it is read.
#ifndef BATON_STORE_RECORD_VISITOR_H
#define BATON_STORE_RECORD_VISITOR_H

#include "proto/bytes.h"
#include "proto/errors.h"

// visit is called for each record in index order. Another result than BATON_OK stops the reading
// and is returned by it. The bytes are valid during the call alone.
struct record_visitor {
    enum baton_err (*visit) (void *context, struct baton_bytes record);
    void *context;
};

#endif
