// SPDX-License-Identifier: MPL-2.0
#include "tools/ask.h"

#include "proto/limits.h"
#include "proto/memory_heap.h"
#include "proto/port.h"
#include "proto/wire.h"
#include "tools/clock.h"
#include "tools/door.h"
#include "tools/say.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// Longer than the broker itself makes an answer wait until it is safe (admin_wait_ms).
#define ANSWER_WITHIN_MS (LIMIT_ADMIN_WAIT_MS + 3000u)

struct asking {
    const struct question *question;
    struct memory memory;
    struct port_context *context;
    struct port *port;
    struct wire_decoder *decoder;
    char endpoint[DOOR_ENDPOINT_MAX_BYTES];
    uint64_t deadline_ms;
    uint64_t ref;
    uint64_t after;
    json_t *rows;
    enum { ASKING_GOES_ON = 1, ASKING_DONE = 2 } state;
};

static enum exit_code
say_world (const struct asking *asking, enum baton_err error)
{
    say ("%s: %s", asking->endpoint, baton_strerror (error));
    return exit_code_of (error);
}

static enum baton_err
send_msg (struct asking *asking, const struct msg *msg)
{
    struct port_frame frame;
    size_t size = wire_encoded_size (msg);
    enum baton_err error = port_frame_new (&frame, size);
    if (error) return error;

    wire_encode (msg, port_frame_data (&frame), size);
    error = port_send (asking->port, NULL, &frame);
    if (error) {
        port_frame_fini (&frame);
    }
    return error;
}

static enum baton_err
send_question (struct asking *asking)
{
    struct msg msg = {.kind = MSG_ADMIN_ASK};

    msg.admin_ask = (struct msg_admin_ask) {
        .ref = asking->ref,
        .topic = asking->question->topic,
        .argument = asking->question->argument,
        .requirement = asking->question->requirement,
        .after = asking->after,
    };
    return send_msg (asking, &msg);
}

// The door takes short questions from anybody; a long one needs a path that said HELLO.
static enum baton_err
send_hello (struct asking *asking)
{
    struct msg msg = {.kind = MSG_HELLO};

    // An instance is compared for equality only, and nobody else asks over this path.
    msg.hello = (struct msg_hello) {.role = END_ADMIN, .instance = {.high = 1, .low = 1}};
    enum baton_err error = send_msg (asking, &msg);
    return error ? error : send_question (asking);
}

static json_t *
make_number (uint64_t number)
{
    char digits[24];

    if (number <= INT64_MAX) return json_integer ((json_int_t) number);
    snprintf (digits, sizeof digits, "%" PRIu64, number);
    return json_string (digits);
}

// Text that is not UTF-8 must not take the whole answer with it.
static json_t *
make_text (struct baton_bytes text)
{
    json_t *string = json_stringn (text.size > 0 ? text.data : "", text.size);

    return string ? string : json_string ("(not UTF-8)");
}

static json_t *
make_cell (const struct msg_cell *cell)
{
    switch (cell->kind) {
    case CELL_TEXT: return make_text (cell->text);
    case CELL_NUMBER: return make_number (cell->number);
    case CELL_FLAG: return json_boolean (cell->number != 0);
    }
    return json_null ();
}

static enum baton_err
add_cell (json_t *row, const struct msg_cell *cell)
{
    char name[LIMIT_NAME_MAX_BYTES + 1];
    size_t size = cell->name.size < sizeof name ? cell->name.size : sizeof name - 1;

    if (size > 0) {
        memcpy (name, cell->name.data, size);
    }
    name[size] = '\0';
    return json_object_set_new (row, name, make_cell (cell)) == 0 ? BATON_OK : BATON_NO_MEMORY;
}

static enum baton_err
add_row (json_t *rows, const struct msg_row *row)
{
    json_t *object = json_object ();
    enum baton_err error = object ? BATON_OK : BATON_NO_MEMORY;

    for (uint32_t i = 0; i < row->cells_count && !error; i++) {
        error = add_cell (object, &row->cells[i]);
    }
    // The array takes the object even where it fails.
    if (json_array_append_new (rows, object) != 0) return BATON_NO_MEMORY;
    return error;
}

static enum exit_code
on_tell (struct asking *asking, const struct msg_admin_tell *tell)
{
    enum baton_err error = BATON_OK;

    if (tell->ref != asking->ref) return EXIT_CODE_OK;
    for (uint32_t i = 0; i < tell->rows_count && !error; i++) {
        error = add_row (asking->rows, &tell->rows[i]);
    }
    if (!error && tell->more_after != 0) {
        asking->after = tell->more_after;
        asking->ref++;
        error = send_question (asking);
    } else {
        asking->state = ASKING_DONE;
    }
    return error ? say_world (asking, error) : EXIT_CODE_OK;
}

static enum exit_code
on_refused (struct asking *asking, const struct msg_refused *refused)
{
    if (refused->refusal == REFUSAL_HELLO_FIRST) {
        enum baton_err error = send_hello (asking);
        return error ? say_world (asking, error) : EXIT_CODE_OK;
    }
    if (refused->ref != asking->ref && refused->ref != 0) return EXIT_CODE_OK;

    say ("%s: %s%s%.*s", refusal_name (refused->refusal), refusal_text (refused->refusal),
         refused->text.size > 0 ? ": " : "", (int) refused->text.size,
         refused->text.size > 0 ? (const char *) refused->text.data : "");
    return exit_code_of_refusal (refused->refusal);
}

static enum exit_code
on_frame (struct asking *asking, struct baton_bytes frame)
{
    static const struct wire_limits limits = {
        .frame_max_bytes = LIMIT_FRAME_MAX_BYTES,
        .body_max_bytes = LIMIT_BODY_MAX_BYTES,
        .restart_data_max_bytes = LIMIT_RESTART_DATA_MAX_BYTES,
    };
    struct msg msg;
    struct wire_fault fault;

    if (wire_decode (asking->decoder, &limits, frame, &msg, &fault)) {
        say ("%s: the answer is no message of ours: %s; are batond and baton of one version?",
             asking->endpoint, fault.what ? fault.what : refusal_name (fault.refusal));
        return EXIT_CODE_REFUSED;
    }
    if (msg.kind == MSG_ADMIN_TELL) return on_tell (asking, &msg.admin_tell);
    if (msg.kind == MSG_REFUSED) return on_refused (asking, &msg.refused);
    // WELCOME and heartbeats say nothing that was asked.
    return EXIT_CODE_OK;
}

static enum exit_code
wait_frame (struct asking *asking)
{
    struct port_wait_item item = {.port = asking->port};
    enum baton_err error = port_wait (&item, 1, clock_left_ms (asking->deadline_ms));

    if (!error) return EXIT_CODE_OK;
    if (error != BATON_TIMED_OUT) return say_world (asking, error);
    say ("the broker at %s accepts, but does not answer within %u s; see its log, or try again",
         asking->endpoint, ANSWER_WITHIN_MS / 1000u);
    return EXIT_CODE_TRY_LATER;
}

static enum exit_code
take_frames (struct asking *asking)
{
    enum exit_code code = EXIT_CODE_OK;
    struct port_frame frame;

    while (code == EXIT_CODE_OK && asking->state == ASKING_GOES_ON) {
        enum baton_err error = port_receive (asking->port, NULL, &frame);
        if (error == BATON_NOT_FOUND) return EXIT_CODE_OK;
        if (error) return say_world (asking, error);
        code = on_frame (asking, port_frame_view (&frame));
        port_frame_fini (&frame);
    }
    return code;
}

static enum exit_code
converse (struct asking *asking)
{
    enum baton_err error = send_question (asking);
    enum exit_code code = error ? say_world (asking, error) : EXIT_CODE_OK;

    while (code == EXIT_CODE_OK && asking->state == ASKING_GOES_ON) {
        code = wait_frame (asking);
        if (code == EXIT_CODE_OK) {
            code = take_frames (asking);
        }
    }
    return code;
}

static enum baton_err
asking_open (struct asking *asking)
{
    static const struct port_options options = {
        .frame_max_bytes = LIMIT_FRAME_MAX_BYTES,
        .io_threads_count = 1,
        .connections_max_count = 1,
    };
    enum baton_err error = port_context_new (&options, &asking->context);

    if (!error) {
        error = port_dial (asking->context, asking->endpoint, &asking->port);
    }
    if (error) return error;
    asking->decoder = wire_decoder_new (&asking->memory, WIRE_ARENA_BYTES);
    asking->rows = json_array ();
    return asking->decoder && asking->rows ? BATON_OK : BATON_NO_MEMORY;
}

static void
asking_close (struct asking *asking)
{
    wire_decoder_free (&asking->decoder);
    if (asking->port) {
        port_close (&asking->port);
    }
    if (asking->context) {
        port_context_free (&asking->context);
    }
    json_decref (asking->rows);
}

enum exit_code
ask (const struct question *question, json_t **rows)
{
    struct asking asking = {.question = question, .ref = 1, .state = ASKING_GOES_ON};
    enum exit_code code = door_find (question->store, asking.endpoint);
    if (code != EXIT_CODE_OK) return code;

    asking.memory = memory_heap ();
    asking.deadline_ms = clock_ms () + ANSWER_WITHIN_MS;
    enum baton_err error = asking_open (&asking);
    code = error ? say_world (&asking, error) : converse (&asking);
    if (code == EXIT_CODE_OK) {
        *rows = json_incref (asking.rows);
    }
    asking_close (&asking);
    return code;
}
