// SPDX-License-Identifier: MPL-2.0
// exit_code.h has how every command of Baton ends, once: the manual pages list these numbers, and
// scripts depend on them. Numbers are never reused.
#ifndef BATON_TOOLS_EXIT_CODE_H
#define BATON_TOOLS_EXIT_CODE_H

#include "proto/errors.h"

enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_FINDINGS = 1,      // it worked, and what it found is not good
    EXIT_CODE_USAGE = 2,         // the command line is wrong; nothing was done
    EXIT_CODE_CANNOT_REACH = 3,  // no broker there
    EXIT_CODE_REFUSED = 4,       // a broker said no, for good
    EXIT_CODE_STORE_DAMAGED = 5, // what is on the disk cannot be trusted
    EXIT_CODE_TRY_LATER = 75,    // not now, or the outcome is unknown; EX_TEMPFAIL of sysexits.h
};

// exit_code_of returns how a command ends that cannot get over [error].
enum exit_code
exit_code_of (enum baton_err error);

// exit_code_of_refusal returns how a command ends whose question was refused.
enum exit_code
exit_code_of_refusal (enum refusal refusal);

#endif
