// SPDX-License-Identifier: MPL-2.0
// exit_code.h has how batond ends; docs/operating.md says what to do for each. The numbers are
// those of all commands of Baton and are never reused.
#ifndef BATON_SHELL_EXIT_CODE_H
#define BATON_SHELL_EXIT_CODE_H

enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_FINDINGS = 1,      // --check found something
    EXIT_CODE_USAGE = 2,         // command line or configuration
    EXIT_CODE_CANNOT_BIND = 3,   // an endpoint is taken or not ours
    EXIT_CODE_REFUSED = 4,       // no store, a foreign one, a limit of the system too low
    EXIT_CODE_STORE_DAMAGED = 5, // what is on the disk cannot be trusted
    EXIT_CODE_TRY_LATER = 75,    // in use, full, out of memory
};

#endif
