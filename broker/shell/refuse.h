// SPDX-License-Identifier: MPL-2.0
// refuse.h makes the refusals that the shell gives itself, before or instead of the core: they
// name the refused message as the core would.
#ifndef BATON_SHELL_REFUSE_H
#define BATON_SHELL_REFUSE_H

#include "proto/wire.h"

// refuse_msg fills [refused] with [refusal] of [msg]: its kind, ref, actor and version.
void
refuse_msg (const struct msg *msg, enum refusal refusal, struct msg_refused *refused);

// refuse_busy fills [refused] with BUSY of [msg], to be resent after [retry_after_ms].
void
refuse_busy (const struct msg *msg, enum busy_reason reason, uint32_t retry_after_ms,
             struct msg_refused *refused);

// refuse_fault fills [refused] with what wire_decode found.
void
refuse_fault (const struct wire_fault *fault, struct msg_refused *refused);

#endif
