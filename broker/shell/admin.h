// SPDX-License-Identifier: MPL-2.0
// admin.h answers those who ask through the door in the store's directory. It reads and never
// changes anything. What it reads from the book waits in the gate like every answer; what is said
// of the broker itself leaves at once, so that status works while the log stands still.
#ifndef BATON_SHELL_ADMIN_H
#define BATON_SHELL_ADMIN_H

#include "broker/shell/tell.h"

struct loop;
struct doors_message;

// An answer that waits in the gate.
struct admin_wait {
    struct link_number link;
    uint64_t ref;
    struct log_index after;
    uint64_t until_ns;
};

struct admin {
    struct admin_wait waits[LIMIT_ADMIN_ASKS_MAX_COUNT];
    uint32_t waits_count;
    struct tell tell;
};

void
admin_init (struct admin *admin);

// admin_on_message answers one message of the administration's door.
void
admin_on_message (struct admin *admin, struct loop *loop, const struct doors_message *message);

// admin_expire answers UNAVAILABLE where the log was not safe within admin_wait_ms.
void
admin_expire (struct admin *admin, struct loop *loop);

// admin_due_ns returns when admin_expire is due; UINT64_MAX for never.
uint64_t
admin_due_ns (const struct admin *admin);

// The topics, one function each: rows behind [ask->after] are put into [tell]. Each returns the
// number of the last row told if there are others, 0 if these were all.

uint64_t
admin_tell_status (const struct loop *loop, struct tell *tell);

uint64_t
admin_tell_sessions (const struct loop *loop, const struct msg_admin_ask *ask,
                     struct tell *tell);

uint64_t
admin_tell_servers (const struct loop *loop, const struct msg_admin_ask *ask,
                    struct tell *tell);

// admin_tell_explain also fills [refused] and returns UINT64_MAX if what is asked about is not
// there or no requirement.
#define ADMIN_REFUSED UINT64_MAX
uint64_t
admin_tell_explain (const struct loop *loop, const struct msg_admin_ask *ask,
                    struct tell *tell, struct msg_refused *refused);

#endif
