// SPDX-License-Identifier: MPL-2.0
// Goal: proto/wire.proto keeps the rules of its head, and says the same as msg.h and errors.h.
// Method: the generated descriptors of every kind are walked; what protobuf leaves out of them
// (what is reserved) is read from the file itself.
#include "proto/msg.h"
#include "proto/wire.pb-c.h"
#include "proto/wire_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FIELDS_MAX 16u // as wire_scan.c counts them

static void
check_fields (const ProtobufCMessageDescriptor *message, unsigned level)
{
    assert_true (message->n_fields <= FIELDS_MAX);
    for (unsigned i = 0; i < message->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->fields[i];
        bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
        bool is_message = field->type == PROTOBUF_C_TYPE_MESSAGE;
        bool is_known = is_message || field->type == PROTOBUF_C_TYPE_UINT32
                        || field->type == PROTOBUF_C_TYPE_UINT64
                        || field->type == PROTOBUF_C_TYPE_FIXED64
                        || field->type == PROTOBUF_C_TYPE_ENUM
                        || field->type == PROTOBUF_C_TYPE_BYTES;
        if (repeated != is_message || !is_known || (is_message && level > 0)) {
            fail_msg ("%s.%s breaks a rule of the schema", message->name, field->name);
        }
        if (is_message) {
            check_fields (field->descriptor, level + 1);
        }
    }
}

static void
messages_nest_one_level_and_only_what_repeats (void **state)
{
    (void) state;
#define X(name, n) check_fields (wire_descriptor (MSG_##name), 0);
    BATON_MESSAGES (X)
#undef X
}

static void
expect_number (const ProtobufCEnumDescriptor *list, const char *name, int number)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value_by_name (list, name);
    if (!value || value->value != number) fail_msg ("%s is not %d in the schema", name, number);
}

static void
kinds_are_those_of_msg_h (void **state)
{
    (void) state;
    unsigned count = 1; // NONE
#define X(name, n) expect_number (&baton__msg_kind__descriptor, "MSG_" #name, n); count++;
    BATON_MESSAGES (X)
#undef X
    assert_int_equal (baton__msg_kind__descriptor.n_values, count);
}

static void
refusals_are_those_of_errors_h (void **state)
{
    (void) state;
    unsigned count = 1;
#define X(name, n, text) expect_number (&baton__refusal__descriptor, "REFUSAL_" #name, n); count++;
    BATON_REFUSALS (X)
#undef X
    assert_int_equal (baton__refusal__descriptor.n_values, count);
}

struct named {
    const ProtobufCEnumDescriptor *list;
    const char *name;
    int number;
};
#define NAMED(list, name) {&baton__##list##__descriptor, #name, name}

static const struct named named[] = {
    NAMED (end_role, END_CLIENT), NAMED (end_role, END_SERVER), NAMED (end_role, END_ADMIN),
    NAMED (broker_role, BROKER_MANAGER), NAMED (broker_role, BROKER_STANDBY),
    NAMED (broker_role, BROKER_STARTING),
    NAMED (session_kind, SESSION_BOUND), NAMED (session_kind, SESSION_POOLED),
    NAMED (open_intent, OPEN_OR_CREATE), NAMED (open_intent, OPEN_EXISTING),
    NAMED (response_status, RESPONSE_REPLY), NAMED (response_status, RESPONSE_FAILED),
    NAMED (response_status, RESPONSE_EXPIRED), NAMED (response_status, RESPONSE_CANCELLED),
    NAMED (request_state, REQUEST_OPEN), NAMED (request_state, REQUEST_SKIPPED),
    NAMED (deliver_phase, DELIVER_QUEUE), NAMED (deliver_phase, DELIVER_LIVE),
    NAMED (close_reason, CLOSE_BY_CLIENT), NAMED (close_reason, CLOSE_BY_LIFE),
    NAMED (close_reason, CLOSE_BY_OPERATOR),
    NAMED (admin_topic, ADMIN_STATUS), NAMED (admin_topic, ADMIN_SESSIONS),
    NAMED (admin_topic, ADMIN_SERVERS), NAMED (admin_topic, ADMIN_EXPLAIN),
    NAMED (cell_kind, CELL_TEXT), NAMED (cell_kind, CELL_NUMBER), NAMED (cell_kind, CELL_FLAG),
    NAMED (busy_reason, BUSY_QUEUE), NAMED (busy_reason, BUSY_MEMORY),
    NAMED (busy_reason, BUSY_DISK), NAMED (busy_reason, BUSY_RATE),
};

static void
all_other_enums_are_those_of_msg_h_and_errors_h (void **state)
{
    (void) state;
    unsigned values = 0;
    const ProtobufCEnumDescriptor *before = NULL;
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        expect_number (named[i].list, named[i].name, named[i].number);
        if (named[i].list != before) {
            if (before) assert_int_equal (before->n_values, values);
            before = named[i].list;
            values = 1;
        }
        values++;
    }
    assert_int_equal (before->n_values, values);
}

static void
what_is_reserved_has_a_name (void **state)
{
    (void) state;
    const char *root = getenv ("BATON_SOURCE_DIR");
    if (!root) skip ();
    char path[1024];
    assert_true (snprintf (path, sizeof path, "%s/proto/wire.proto", root) < (int) sizeof path);
    FILE *file = fopen (path, "r");
    assert_non_null (file);
    char line[256];
    unsigned numbers = 0, unnamed = 0;
    while (fgets (line, sizeof line, file)) {
        if (strncmp (line, "    reserved \"", 14) == 0) {
            unnamed = 0;
        } else if (strncmp (line, "    reserved ", 13) == 0) {
            numbers++;
            assert_int_equal (unnamed++, 0);
        }
    }
    (void) fclose (file);
    assert_int_equal (unnamed, 0);
    assert_true (numbers > 20);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (messages_nest_one_level_and_only_what_repeats),
        cmocka_unit_test (kinds_are_those_of_msg_h),
        cmocka_unit_test (refusals_are_those_of_errors_h),
        cmocka_unit_test (all_other_enums_are_those_of_msg_h_and_errors_h),
        cmocka_unit_test (what_is_reserved_has_a_name),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
