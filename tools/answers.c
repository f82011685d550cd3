// SPDX-License-Identifier: MPL-2.0
#include "tools/answers.h"

#include "tools/say.h"
#include "tools/show.h"

#include <czmq.h>
#include <inttypes.h>

static const char *
status_name (enum baton_status status)
{
    switch (status) {
    case BATON_STATUS_REPLY: return "reply";
    case BATON_STATUS_FAILED: return "failed";
    case BATON_STATUS_EXPIRED: return "expired";
    case BATON_STATUS_CANCELLED: return "cancelled";
    }
    return "unknown";
}

static json_t *
make_base64 (struct baton_bytes body)
{
    zarmour_t *armour = zarmour_new ();

    zarmour_set_mode (armour, ZARMOUR_MODE_BASE64_STD);
    char *text = zarmour_encode (armour, body.data, body.size);
    json_t *string = json_string (text);
    zstr_free (&text);
    zarmour_destroy (&armour);
    return string;
}

static int
add_body (json_t *object, struct baton_bytes body)
{
    json_t *text = json_stringn (body.size > 0 ? body.data : "", body.size);

    if (text) return json_object_set_new (object, "body", text);
    return json_object_set_new (object, "body_base64", make_base64 (body));
}

static enum baton_err
print_json (const struct answers *answers, const struct baton_response *response)
{
    json_t *object = json_pack (
        "{s:s, s:s, s:I, s:I, s:s}", "session", answers->session, "id", answers->id, "request",
        (json_int_t) response->request, "response", (json_int_t) response->seq, "status",
        status_name (response->status));
    enum baton_err error = !object || add_body (object, response->body) != 0
        ? BATON_NO_MEMORY : show_json (object, SHOW_LINE, answers->file);

    json_decref (object);
    return error;
}

static void
print_body (const struct answers *answers, struct baton_bytes body)
{
    const char *data = body.data;

    fwrite (data ? data : "", 1, body.size, answers->file);
    if (answers->form == ANSWERS_LINES && (body.size == 0 || data[body.size - 1] != '\n')) {
        fputc ('\n', answers->file);
    }
}

static void
say_failed (const struct baton_response *response)
{
    say ("request %" PRIu64 ": %s: %.*s", response->request, status_name (response->status),
         (int) response->body.size,
         response->body.size > 0 ? (const char *) response->body.data : "");
}

enum baton_err
answers_print (struct answers *answers, const struct baton_response *response)
{
    enum baton_err error = BATON_OK;
    int is_reply = response->status == BATON_STATUS_REPLY;

    answers->replies_count += is_reply ? 1 : 0;
    answers->failed_count += is_reply ? 0 : 1;
    if (answers->form == ANSWERS_JSON) {
        error = print_json (answers, response);
    } else if (is_reply) {
        print_body (answers, response->body);
    }
    if (!is_reply) {
        say_failed (response);
    }
    // Seen by the reader of the pipe before it counts as consumed.
    if (!error && (fflush (answers->file) != 0 || ferror (answers->file))) {
        error = BATON_DISK;
    }
    return error;
}
