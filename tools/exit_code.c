// SPDX-License-Identifier: MPL-2.0
#include "tools/exit_code.h"

enum exit_code
exit_code_of (enum baton_err error)
{
    switch (error) {
    case BATON_OK: return EXIT_CODE_OK;
    case BATON_BAD_ARGUMENT:
    case BATON_BAD_CONFIG: return EXIT_CODE_USAGE;
    case BATON_NETWORK:
    case BATON_NO_STORE: return EXIT_CODE_CANNOT_REACH;
    case BATON_DISK:
    case BATON_DAMAGED:
    case BATON_FOREIGN_STORE:
    case BATON_READ_ONLY: return EXIT_CODE_STORE_DAMAGED;
    case BATON_NO_MEMORY:
    case BATON_TIMED_OUT:
    case BATON_INTERRUPTED:
    case BATON_BUSY:
    case BATON_UNAVAILABLE:
    case BATON_DISK_FULL:
    case BATON_STORE_IN_USE:
    case BATON_ADDRESS_IN_USE: return EXIT_CODE_TRY_LATER;
    case BATON_IN_USE:
    case BATON_CLOSED:
    case BATON_FENCED:
    case BATON_NO_MATCH:
    case BATON_TOO_LARGE:
    case BATON_DENIED:
    case BATON_FOREIGN_GROUP:
    case BATON_BAD_VERSION:
    case BATON_REFUSED:
    case BATON_NOT_FOUND:
    case BATON_STORE_EXISTS: return EXIT_CODE_REFUSED;
    }
    return EXIT_CODE_REFUSED;
}

enum exit_code
exit_code_of_refusal (enum refusal refusal)
{
    switch (refusal) {
    case REFUSAL_BUSY:
    case REFUSAL_HELLO_FIRST:
    case REFUSAL_OLD_EPOCH:
    case REFUSAL_MOVED:
    case REFUSAL_UNAVAILABLE: return EXIT_CODE_TRY_LATER;
    case REFUSAL_NO_MATCH:
    case REFUSAL_GAP:
    case REFUSAL_DUPLICATE:
    case REFUSAL_FENCED:
    case REFUSAL_NO_SUCH_SESSION:
    case REFUSAL_DENIED:
    case REFUSAL_TOO_LARGE:
    case REFUSAL_MALFORMED:
    case REFUSAL_BAD_VERSION:
    case REFUSAL_EXPIRED:
    case REFUSAL_CANCELLED:
    case REFUSAL_FAILED:
    case REFUSAL_CLOSED: return EXIT_CODE_REFUSED;
    }
    return EXIT_CODE_REFUSED;
}
