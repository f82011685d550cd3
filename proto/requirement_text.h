// SPDX-License-Identifier: MPL-2.0
// requirement_text.h is the requirement language as people write it, into terms and back:
//
//   algo = "sha256" and (cores >= 8 or not gpu = true) and "avx" in features
//   and region in {"eu", "us"} and exists disk
//
//   any     = all { "or" all }          `and` binds closer than `or`, `not` closest
//   all     = one { "and" one }
//   one     = "not" one | "(" any ")" | "exists" key | text "in" key
//           | key "in" "{" value { "," value } "}" | key ( = != < <= > >= ) value
//   value   = "text" | integer | true | false
//
// Words of the language may be in capitals. Nothing recurses, whatever the text.
#ifndef BATON_REQUIREMENT_TEXT_H
#define BATON_REQUIREMENT_TEXT_H

#include "proto/requirement.h"

// Room for the longest requirement that there is, printed, with its NUL.
#define REQUIREMENT_TEXT_MAX_BYTES \
    (3u * LIMIT_REQUIREMENT_MAX_BYTES + 16u * LIMIT_TERMS_MAX_COUNT)

// What a parsed requirement lives in; the caller's, about 12 KiB, not to be moved.
struct requirement_room {
    struct requirement_term terms[LIMIT_TERMS_MAX_COUNT];
    uint8_t data[LIMIT_REQUIREMENT_MAX_BYTES];
};

// requirement_parse reads [text] into [room]; [requirement] views [room] and not [text]. A text of
// blanks is the empty requirement. What comes out keeps all rules of requirement_check.
//
// Errors: BATON_BAD_ARGUMENT, or BATON_TOO_LARGE if keys and values do not fit into [room]; with
// [fault] filled and [requirement] empty.
enum baton_err
requirement_parse (struct baton_bytes text, struct requirement_room *room,
                   struct requirement *requirement, struct text_fault *fault);

// requirement_print writes [requirement], which requirement_check must accept, into [data] of
// [max_bytes], with a NUL behind; parsed again it gives the same terms. *[size_bytes] is without
// the NUL. REQUIREMENT_TEXT_MAX_BYTES is always enough.
//
// Errors: BATON_TOO_LARGE if there is no room.
enum baton_err
requirement_print (const struct requirement *requirement, char *data, size_t max_bytes,
                   size_t *size_bytes);

// requirement_term_print appends one comparison, as "cores >= 8".
void
requirement_term_print (struct pack *pack, const struct requirement_term *term);

#endif
