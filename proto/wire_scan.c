// SPDX-License-Identifier: MPL-2.0
#include "proto/wire_scan.h"

#include "proto/assert.h"
#include "proto/wire.pb-c.h"

// The most fields that a message of the schema has; tests/wire/test_schema.c holds it.
#define FIELDS_MAX 16u

// Wire types of protobuf that our fields have.
enum { AS_VARINT = 0, AS_64_BIT = 1, AS_LENGTH = 2 };

struct scan {
    const uint8_t *at;
    const uint8_t *end;
    struct wire_fault *fault;
};

static bool
refuse (struct wire_fault *fault, enum refusal refusal, const char *what, uint64_t value,
        uint64_t limit)
{
    fault->refusal = refusal;
    fault->what = what;
    fault->value = value;
    fault->limit = limit;
    return false;
}

static size_t
left_bytes (const struct scan *scan)
{
    return (size_t) (scan->end - scan->at);
}

// Only the shortest form is a number, so that one value has one form; protobuf itself would take
// any. False leaves the fault to the caller, who knows the field.
static bool
take_varint (struct scan *scan, uint64_t *n)
{
    uint64_t sum = 0;
    for (unsigned shift = 0; shift < 64 && scan->at < scan->end; shift += 7) {
        uint8_t byte = *scan->at++;
        if (shift == 63 && byte > 1) return false;
        sum |= (uint64_t) (byte & 0x7f) << shift;
        if (byte < 0x80) {
            *n = sum;
            return byte != 0 || shift == 0;
        }
    }
    return false;
}

static unsigned
form_of (ProtobufCType type)
{
    if (type == PROTOBUF_C_TYPE_BYTES || type == PROTOBUF_C_TYPE_MESSAGE) return AS_LENGTH;
    if (type == PROTOBUF_C_TYPE_FIXED64) return AS_64_BIT;
    ASSERT (type == PROTOBUF_C_TYPE_UINT32 || type == PROTOBUF_C_TYPE_UINT64
            || type == PROTOBUF_C_TYPE_ENUM);
    return AS_VARINT;
}

static uint32_t
count_max (const ProtobufCFieldDescriptor *field)
{
    if (field->label != PROTOBUF_C_LABEL_REPEATED) return 1;
    if (field->descriptor == &baton__part__descriptor) return WIRE_PARTS_MAX;
    if (field->descriptor == &baton__cell__descriptor) return WIRE_CELLS_MAX;
    return WIRE_ITEMS_MAX;
}

static bool
scan_varint (struct scan *scan, const ProtobufCFieldDescriptor *field)
{
    uint64_t n;
    if (!take_varint (scan, &n)) {
        return refuse (scan->fault, REFUSAL_MALFORMED, field->name, 0, 0);
    }
    if (field->type != PROTOBUF_C_TYPE_UINT64 && n > UINT32_MAX) {
        return refuse (scan->fault, REFUSAL_MALFORMED, field->name, n, UINT32_MAX);
    }
    if (field->type != PROTOBUF_C_TYPE_ENUM) return true;
    if (n <= INT32_MAX && protobuf_c_enum_descriptor_get_value (field->descriptor, (int) n)) {
        return true;
    }
    return refuse (scan->fault, REFUSAL_MALFORMED, field->name, n, 0);
}

static bool
scan_message (struct scan *scan, const ProtobufCMessageDescriptor *descriptor);

static bool
scan_length (struct scan *scan, const ProtobufCFieldDescriptor *field)
{
    uint64_t size;
    if (!take_varint (scan, &size) || size > left_bytes (scan)) {
        return refuse (scan->fault, REFUSAL_MALFORMED, field->name, 0, left_bytes (scan));
    }
    struct scan inside = {scan->at, scan->at + size, scan->fault};
    scan->at += size;
    // The schema nests one level deep, so this does not recurse further.
    return field->type != PROTOBUF_C_TYPE_MESSAGE || scan_message (&inside, field->descriptor);
}

static bool
scan_value (struct scan *scan, const ProtobufCFieldDescriptor *field)
{
    switch (form_of (field->type)) {
    case AS_VARINT: return scan_varint (scan, field);
    case AS_LENGTH: return scan_length (scan, field);
    default: break;
    }
    if (left_bytes (scan) < sizeof (uint64_t)) {
        return refuse (scan->fault, REFUSAL_MALFORMED, field->name, left_bytes (scan), 8);
    }
    scan->at += sizeof (uint64_t);
    return true;
}

// Finds the field that the next tag names; NULL with the fault filled.
static const ProtobufCFieldDescriptor *
take_tag (struct scan *scan, const ProtobufCMessageDescriptor *descriptor)
{
    uint64_t tag = 0;
    const ProtobufCFieldDescriptor *field = NULL;
    if (take_varint (scan, &tag) && tag <= UINT32_MAX) {
        field = protobuf_c_message_descriptor_get_field (descriptor, (unsigned) (tag >> 3));
    }
    if (!field) {
        refuse (scan->fault, REFUSAL_MALFORMED, "unknown field", tag >> 3, 0);
        return NULL;
    }
    if ((tag & 7) != form_of (field->type)) {
        refuse (scan->fault, REFUSAL_MALFORMED, field->name, tag & 7, form_of (field->type));
        return NULL;
    }
    return field;
}

static bool
scan_message (struct scan *scan, const ProtobufCMessageDescriptor *descriptor)
{
    uint32_t counts[FIELDS_MAX] = {0};
    ASSERT (descriptor->n_fields <= FIELDS_MAX);
    while (scan->at < scan->end) {
        const ProtobufCFieldDescriptor *field = take_tag (scan, descriptor);
        if (!field) return false;
        uint32_t count = ++counts[field - descriptor->fields];
        if (count > count_max (field)) {
            bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
            return refuse (scan->fault, repeated ? REFUSAL_TOO_LARGE : REFUSAL_MALFORMED,
                           field->name, count, count_max (field));
        }
        if (!scan_value (scan, field)) return false;
    }
    return true;
}

bool
wire_scan (const ProtobufCMessageDescriptor *descriptor, struct baton_bytes control,
           struct wire_fault *fault)
{
    if (control.size == 0) return true;
    const uint8_t *data = control.data;
    struct scan scan = {data, data + control.size, fault};
    return scan_message (&scan, descriptor);
}
