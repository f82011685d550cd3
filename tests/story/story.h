// SPDX-License-Identifier: MPL-2.0
// story.h plays a whole core in a few lines of text. A story is what is done and what comes of it,
// as it would stand in a protocol; the lines with "<-" are compared with what the core really did.
//
//   c1 -> HELLO                    by its first letter the link is a client's or a server's; also:
//                                  name=, instance= (both default to the link's name), as=PRINCIPAL
//   c1 -> OPEN a                   actor=, requirement='...', credit=, bytes=, kind=pooled,
//                                  again (resume: incarnation and marks are those of the book),
//                                  existing, incarnation=, received=
//   c1 -> COMMIT a request=x       data=, consumed= (responses), version=, incarnation=, digest=,
//                                  actor=OTHER'S SESSION, pad=BYTES of the last body
//   s1 -> COMMIT a consumed=1      reply=1:x, reject=2, reason=x, status=failed, nothing
//   c1 -> CREDIT a count=1 bytes=1
//   s1 -> RELOAD a      c1 -> CLOSE a      s1 -> OFFER set= capacity= credit= bytes= has='k=v'
//   s1 -> GOODBYE       c1 -> HEARTBEAT    c1 -> WELCOME (nonsense)    epoch= with each
//   given c1 opens a credit=1      HELLO, if it has not been said, and OPEN; what comes is not told
//   given s1 offers                HELLO and OFFER
//   start               a new reign        crash      the core dies, and starts from its records
//   lost c1             a path is gone     wait 500 keeping c1 s1      in ms; these stay alive
//   memory 100          bytes free         disk 100
//
// What comes "at once" waits for no record. A line gives the version, incarnation and ids that the
// book has unless it says others.
#ifndef BATON_TESTS_STORY_H
#define BATON_TESTS_STORY_H

#include "broker/core/core.h"

// story_options returns the options that stories have unless they say others.
struct core_options
story_options (void);

// story_play plays [text], each step but OPEN once for every allocation that can be refused; and
// fails the test where the core does otherwise. [options] may be NULL.
void
story_play (const struct core_options *options, const char *text);

#endif
