# SPDX-License-Identifier: MPL-2.0
"""frames.py makes and reads frames as docs/protocol.md tells it, from proto/wire.proto and nothing
else of ours: a second reading of the protocol, which can also write what ours never would.
"""
import os
import re
import struct

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
MAGIC, VERSION, HEADER_BYTES = 0x4E42, 1, 24
HEADER = struct.Struct("<HBBIQII")
VARINT, FIXED, LENGTH = 0, 1, 2


def read_schema():
    """Fields of each message by name: (number, type, repeated); and the numbers of each enum."""
    with open(os.path.join(ROOT, "proto", "wire.proto"), encoding="ascii") as file:
        text = re.sub(r"//[^\n]*", "", file.read())
    messages, enums = {}, {}
    for word, name, body in re.findall(r"\b(message|enum) (\w+) \{([^}]*)\}", text):
        if word == "enum":
            enums[name] = {one: int(number)
                           for one, number in re.findall(r"(\w+) = (\d+);", body)}
        else:
            messages[name] = {field: (int(number), kind, bool(repeated)) for repeated, kind, field,
                              number in re.findall(r"(repeated )?(\w+) (\w+) = (\d+);", body)}
    return messages, enums


MESSAGES, ENUMS = read_schema()
KINDS = {name.removeprefix("MSG_"): number for name, number in ENUMS["MsgKind"].items() if number}
NUMBERS = {name: number for values in ENUMS.values() for name, number in values.items()}


def message_of(kind):
    return "".join(word.capitalize() for word in kind.split("_"))


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def put(number, kind, value):
    """One field. Enums may be given by name."""
    if kind == "fixed64":
        return varint(number << 3 | FIXED) + struct.pack("<Q", value)
    if kind in MESSAGES:
        value = control(kind, value)
    if isinstance(value, (bytes, bytearray)):
        return varint(number << 3 | LENGTH) + varint(len(value)) + value
    return varint(number << 3 | VARINT) + varint(NUMBERS.get(value, value))


def control(message, fields):
    """The control part. An id may be given as one field: `actor` = (high, low)."""
    out = b""
    for name, value in fields.items():
        if name in MESSAGES[message]:
            number, kind, repeated = MESSAGES[message][name]
            out += b"".join(put(number, kind, one) for one in (value if repeated else [value]))
        else:
            for part, half in zip(("_high", "_low"), value):
                out += put(MESSAGES[message][name + part][0], "fixed64", half)
    return out


def frame(kind, fields=None, bulk=b"", epoch=0, **changes):
    """A whole frame. [changes] lie in the header: magic, version, kind, control_bytes, bulk_bytes,
    reserved."""
    body = control(message_of(kind), fields or {})
    head = {"magic": MAGIC, "version": VERSION, "kind": KINDS[kind], "control_bytes": len(body),
            "epoch": epoch, "bulk_bytes": len(bulk), "reserved": 0} | changes
    return HEADER.pack(*head.values()) + body + bulk


def take_varint(data, at):
    number, shift = 0, 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def read_control(message, data):
    """The fields that are there; ids as one field, repeated ones as lists, others as 0 or empty."""
    by_number = {number: (name, kind, repeated)
                 for name, (number, kind, repeated) in MESSAGES[message].items()}
    fields = {name: [] if repeated else b"" if kind == "bytes" else 0
              for name, (_, kind, repeated) in MESSAGES[message].items()}
    at = 0
    while at < len(data):
        tag, at = take_varint(data, at)
        name, kind, repeated = by_number[tag >> 3]
        if tag & 7 == FIXED:
            value, at = struct.unpack_from("<Q", data, at)[0], at + 8
        else:
            value, at = take_varint(data, at)
        if tag & 7 == LENGTH:
            value, at = data[at:at + value], at + value
            value = read_control(kind, value) if kind in MESSAGES else value
        if repeated:
            fields[name].append(value)
        else:
            fields[name] = value
    for name in [name[:-5] for name in fields if name.endswith("_high")]:
        fields[name] = (fields.pop(name + "_high"), fields.pop(name + "_low"))
    return fields


def read_frame(data):
    """(kind, epoch, fields, bulk) of a frame from a broker."""
    _, _, number, control_bytes, epoch, bulk_bytes, _ = HEADER.unpack_from(data)
    kind = next(name for name, one in KINDS.items() if one == number)
    end = HEADER_BYTES + control_bytes
    assert end + bulk_bytes == len(data), "a broker's frame has the size that its header tells"
    return kind, epoch, read_control(message_of(kind), data[HEADER_BYTES:end]), data[end:]
