// SPDX-License-Identifier: MPL-2.0
// bytes.h has the one view of memory that Baton hands around, in the API and inside.
#ifndef BATON_BYTES_H
#define BATON_BYTES_H

#include <stddef.h>

// A view: never freed through this struct. [data] may be NULL only if [size] is 0.
struct baton_bytes { const void *data; size_t size; };

#endif
