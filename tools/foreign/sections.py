# SPDX-License-Identifier: Apache-2.0
"""AMQP 1.0 message sections as JSON and back, by Proton's codec and none of ours.

A message is a list of sections in their order on the wire: [{"section": "properties", "value": TYPED}, ...].
TYPED names the AMQP type, so that nothing is lost between uint 5, ulong 5 and string "5":
  ["null"] ["boolean", true] ["uint", 5] ["string", "x"] ["symbol", "x"] ["binary", BASE64] ["uuid", "8-4-4-4-12"]
  ["timestamp", MILLISECONDS] ["char", "x"] ["list", [TYPED, ...]] ["map", [[TYPED, TYPED], ...]]
  ["described", TYPED, TYPED] ["array", TYPE NAME, [TYPED, ...]]
Floats and decimals are written as the hexadecimal bits, since JSON cannot carry them exactly.
"""

import base64
import struct
import uuid

from proton import Data, timestamp

SECTIONS = {
    0x70: "header",
    0x71: "delivery-annotations",
    0x72: "message-annotations",
    0x73: "properties",
    0x74: "application-properties",
    0x75: "data",
    0x76: "amqp-sequence",
    0x77: "amqp-value",
    0x78: "footer",
}
SYMBOLS = {
    "amqp:header:list": 0x70,
    "amqp:delivery-annotations:map": 0x71,
    "amqp:message-annotations:map": 0x72,
    "amqp:properties:list": 0x73,
    "amqp:application-properties:map": 0x74,
    "amqp:data:binary": 0x75,
    "amqp:amqp-sequence:list": 0x76,
    "amqp:amqp-value:*": 0x77,
    "amqp:footer:map": 0x78,
}
CODES = {name: code for code, name in SECTIONS.items()}

SIMPLE = {
    "boolean": (Data.BOOL, "bool"),
    "ubyte": (Data.UBYTE, "ubyte"),
    "byte": (Data.BYTE, "byte"),
    "ushort": (Data.USHORT, "ushort"),
    "short": (Data.SHORT, "short"),
    "uint": (Data.UINT, "uint"),
    "int": (Data.INT, "int"),
    "ulong": (Data.ULONG, "ulong"),
    "long": (Data.LONG, "long"),
    "char": (Data.CHAR, "char"),
    "string": (Data.STRING, "string"),
    "symbol": (Data.SYMBOL, "symbol"),
}
NAMES = {code: name for name, (code, _) in SIMPLE.items()}
OTHER = {
    "null": Data.NULL, "timestamp": Data.TIMESTAMP, "uuid": Data.UUID, "binary": Data.BINARY, "float": Data.FLOAT,
    "double": Data.DOUBLE, "decimal32": Data.DECIMAL32, "decimal64": Data.DECIMAL64, "decimal128": Data.DECIMAL128,
    "list": Data.LIST, "map": Data.MAP, "described": Data.DESCRIBED, "array": Data.ARRAY,
}
NAMES.update({code: name for name, code in OTHER.items()})


def hexadecimal(value, digits):
    return format(value, f"0{digits}x")


def children(data, count):
    data.enter()
    found = []
    for _ in range(count):
        if not data.next():
            raise ValueError("a compound value ends early")
        found.append(read(data))
    data.exit()
    return found


def read(data):
    """The value the cursor stands on."""
    kind = data.type()
    name = NAMES.get(kind)
    if name == "null":
        return ["null"]
    if name == "boolean":
        return [name, bool(data.get_bool())]
    if name in ("char", "string", "symbol"):
        return [name, str(getattr(data, "get_" + name)())]
    if name in SIMPLE:
        return [name, int(getattr(data, "get_" + name)())]
    if name == "timestamp":
        return [name, int(data.get_timestamp())]
    if name == "uuid":
        return [name, str(data.get_uuid())]
    if name == "binary":
        return [name, base64.b64encode(bytes(data.get_binary())).decode()]
    if name == "float":
        return [name, struct.pack(">f", data.get_float()).hex()]
    if name == "double":
        return [name, struct.pack(">d", data.get_double()).hex()]
    if name == "decimal32":
        return [name, hexadecimal(int(data.get_decimal32()), 8)]
    if name == "decimal64":
        return [name, hexadecimal(int(data.get_decimal64()), 16)]
    if name == "decimal128":
        return [name, bytes(data.get_decimal128()).hex()]
    if name == "list":
        return [name, children(data, data.get_list())]
    if name == "map":
        flat = children(data, data.get_map())
        return [name, [[flat[i], flat[i + 1]] for i in range(0, len(flat), 2)]]
    if name == "described":
        return [name, *children(data, 2)]
    if name == "array":
        count, described, element = data.get_array()
        if described:
            raise ValueError("described arrays are not read here")
        return [name, NAMES[element], children(data, count)]
    raise ValueError(f"unknown AMQP type {kind}")


def write(data, typed):
    name = typed[0]
    if name == "null":
        data.put_null()
    elif name in SIMPLE:
        getattr(data, "put_" + SIMPLE[name][1])(typed[1])
    elif name == "timestamp":
        data.put_timestamp(timestamp(typed[1]))
    elif name == "uuid":
        data.put_uuid(uuid.UUID(typed[1]))
    elif name == "binary":
        data.put_binary(base64.b64decode(typed[1]))
    elif name == "float":
        data.put_float(struct.unpack(">f", bytes.fromhex(typed[1]))[0])
    elif name == "double":
        data.put_double(struct.unpack(">d", bytes.fromhex(typed[1]))[0])
    elif name == "decimal32":
        data.put_decimal32(int(typed[1], 16))
    elif name == "decimal64":
        data.put_decimal64(int(typed[1], 16))
    elif name == "decimal128":
        data.put_decimal128(bytes.fromhex(typed[1]))
    elif name in ("list", "map", "described", "array"):
        if name == "list":
            data.put_list()
            inner = typed[1]
        elif name == "map":
            data.put_map()
            inner = [part for pair in typed[1] for part in pair]
        elif name == "described":
            data.put_described()
            inner = typed[1:]
        else:
            data.put_array(False, {**{n: c for n, (c, _) in SIMPLE.items()}, **OTHER}[typed[1]])
            inner = typed[2]
        data.enter()
        for part in inner:
            write(data, part)
        data.exit()
    else:
        raise ValueError(f"unknown type name {name!r}")


def encode(sections):
    """The message's bytes."""
    encoded = b""
    for section in sections:
        data = Data()
        data.put_described()
        data.enter()
        data.put_ulong(CODES[section["section"]])
        write(data, section["value"])
        data.exit()
        encoded += data.encode()
    return encoded


def decode(encoded):
    """The sections of a message's bytes, in their order."""
    sections = []
    while encoded:
        data = Data()
        consumed = data.decode(encoded)
        data.rewind()
        if not data.next() or data.type() != Data.DESCRIBED:
            raise ValueError("a section is not a described value")
        _, descriptor, value = read(data)
        code = descriptor[1] if descriptor[0] == "ulong" else SYMBOLS.get(descriptor[1])
        sections.append({"section": SECTIONS[code], "value": value})
        encoded = encoded[consumed:]
    return sections
