// SPDX-License-Identifier: MPL-2.0
// packer.h turns the effects that left the gate together into few frames: grouped per link, in
// order per link, bodies copied once, straight into the frame. It must never hold an effect back
// for a later turn.
//
// What is joined, always for one link:
//   - DELIVER items, up to a size to aim at; items of one session whose heads agree stand in one
//     delivery. Items of one session keep their order; different sessions may pass each other
//     within one message;
//   - COMMITTED, the newest version per actor. It goes after the DELIVERs that it was among: a
//     server that learns of its own commit first would take a delivery decided before it for one
//     that builds on a state it no longer has;
//   - HEARTBEATs, to one.
// Any other effect, and a new epoch, ends what is being joined.
#ifndef BATON_SHELL_PACKER_H
#define BATON_SHELL_PACKER_H

#include "broker/core/effect.h"
#include "proto/limits.h"
#include "proto/port.h"

// Where frames go. [frame] takes the frame in any case.
struct packer_sink {
    void (*frame) (void *context, struct link_number to, struct port_frame *frame);
    void (*forget) (void *context, struct link_number link);
    void *context;
};

struct packer;

// packer_new makes a packer that aims at messages of [message_aim_bytes]; NULL without memory.
struct packer *
packer_new (const struct memory *memory, uint64_t message_aim_bytes);

void
packer_free (struct packer **packer);

// packer_send makes frames of all [effects] and hands them to [sink]. The list stays the
// caller's, to be cleared.
//
// Errors: BATON_NO_MEMORY: what was not sent yet is lost to its ends; the caller must drop the
// paths of all links in [effects], so that the ends come back and are told again.
enum baton_err
packer_send (struct packer *packer, const struct effect_list *effects,
             const struct packer_sink *sink);

// packer_single hands one message to [sink], for answers that do not come from the core.
enum baton_err
packer_single (const struct msg *msg, struct link_number to, const struct packer_sink *sink);

#endif
