# SPDX-License-Identifier: Apache-2.0
"""The messages send.py knows: each section and each type AMQP 1.0 has, in forms RabbitMQ 4 takes.

RabbitMQ 4 wants a body section, annotation keys that are symbols beginning with "x-", and no map, list or array in the
application properties; our in-memory broker is held to the same.
"""

import base64

UUID = "8f14e45f-ceea-467f-a8d6-0d1b2c3d4e5f"
TIME = 1_790_000_000_123


def binary(content):
    return ["binary", base64.b64encode(content).decode()]


def data(content):
    return {"section": "data", "value": binary(content)}


def value(typed):
    return {"section": "amqp-value", "value": typed}


def header():
    """durable, priority 3 (a quorum queue of RabbitMQ 4 lets priorities above 4 overtake), ttl one hour, not first-acquirer"""
    return {
        "section": "header",
        "value": ["list", [["boolean", True], ["ubyte", 3], ["uint", 3_600_000], ["boolean", False], ["uint", 0]]],
    }


def properties(identifier, correlation=("null",)):
    """All thirteen; user-id is left out since a broker checks it against the login."""
    return {
        "section": "properties",
        "value": ["list", [
            identifier, ["null"], ["string", "93238_async"], ["string", "DIALOG_INNBYGGER_TEST"],
            ["string", "91462_async"], list(correlation), ["symbol", "text/plain"], ["symbol", "identity"],
            ["timestamp", TIME + 3_600_000], ["timestamp", TIME], ["string", "group-æøå"], ["uint", 4_294_967_295],
            ["string", "reply-group"],
        ]],
    }


def application_properties(pairs):
    return {"section": "application-properties", "value": ["map", [[["string", key], typed] for key, typed in pairs]]}


PRIMITIVES = [
    ("null", ["null"]), ("true", ["boolean", True]), ("false", ["boolean", False]),
    ("ubyte", ["ubyte", 255]), ("ushort", ["ushort", 65_535]), ("uint", ["uint", 4_294_967_295]), ("uint0", ["uint", 0]),
    ("ulong", ["ulong", 18_446_744_073_709_551_615]), ("ulong0", ["ulong", 0]), ("byte", ["byte", -128]),
    ("short", ["short", -32_768]), ("int", ["int", -2_147_483_648]), ("smallint", ["int", -1]),
    ("long", ["long", -9_223_372_036_854_775_808]), ("smalllong", ["long", -1]), ("float", ["float", "3fc00000"]),
    ("double", ["double", "c005bf0a8b145769"]), ("decimal32", ["decimal32", "2200007b"]),
    ("decimal64", ["decimal64", "223000000000007b"]), ("decimal128", ["decimal128", "2204000000000000000000000000007b"]),
    ("char", ["char", "ø"]), ("timestamp", ["timestamp", TIME]), ("before 1970", ["timestamp", -1]), ("uuid", ["uuid", UUID]),
    ("binary", binary(bytes(range(256)))), ("empty binary", binary(b"")), ("string", ["string", "blåbærsyltetøy 🫐"]),
    ("empty string", ["string", ""]), ("symbol", ["symbol", "amqp:accepted:list"]), ("long string", ["string", "x" * 300]),
]


def health(number):
    """As the sector's clients write a message: the five fields receivers check, one data section."""
    return [
        {"section": "header", "value": ["list", [["boolean", True], ["null"], ["uint", 345_600_000]]]},
        {"section": "properties", "value": ["list", [
            ["string", f"foreign-{number}"], ["null"], ["string", "93238_async"], ["string", "DIALOG_INNBYGGER_TEST"],
            ["string", "91462_async"], ["string", f"foreign-{number}"], ["symbol", "text/plain"],
        ]]},
        application_properties([
            ("fromHerId", ["string", "91462"]), ("toHerId", ["string", "93238"]),
            ("applicationTimeStamp", ["string", "2026-09-21T13:33:20Z"]),
        ]),
        data(f"message {number}".encode()),
    ]


SHAPES = {
    "health": health,
    "data": lambda n: [data(f"message {n}".encode())],
    "data-empty": lambda n: [data(b"")],
    "data-many": lambda n: [data(b"one"), data(b""), data(b"three")],
    "data-large": lambda n: [data(bytes(i % 251 for i in range(300_000)))],
    "value-string": lambda n: [value(["string", f"message {n}"])],
    "value-null": lambda n: [value(["null"])],
    "value-binary": lambda n: [value(binary(f"message {n}".encode()))],
    "value-list": lambda n: [value(["list", [typed for _, typed in PRIMITIVES]])],
    "value-map": lambda n: [value(["map", [
        [["string", "sequence"], ["int", n]], [["symbol", "nested"], ["map", [[["uint", 1], ["list", []]]]]],
        [["ulong", 2], ["array", "int", [["int", -1], ["int", 2], ["int", 3]]]],
    ]])],
    "value-described": lambda n: [value(["described", ["symbol", "example:described"], ["list", [["int", n]]]])],
    "sequence": lambda n: [{"section": "amqp-sequence", "value": ["list", [["int", n], ["string", "two"], ["null"]]]}],
    "sequence-many": lambda n: [
        {"section": "amqp-sequence", "value": ["list", [["int", 1]]]},
        {"section": "amqp-sequence", "value": ["list", []]},
        {"section": "amqp-sequence", "value": ["list", [["int", 3]]]},
    ],
    "header": lambda n: [header(), data(b"with a header")],
    "properties-string-id": lambda n: [properties(["string", f"id-{n}"], ["string", "correlation"]), data(b"string id")],
    "properties-ulong-id": lambda n: [properties(["ulong", n], ["ulong", 0]), data(b"ulong id")],
    "properties-uuid-id": lambda n: [properties(["uuid", UUID], ["uuid", UUID]), data(b"uuid id")],
    "properties-binary-id": lambda n: [properties(binary(b"\x00\x01\xff"), binary(b"")), data(b"binary id")],
    "application-properties": lambda n: [application_properties(PRIMITIVES), data(b"every primitive type")],
    "annotations": lambda n: [
        {"section": "message-annotations", "value": ["map", [
            [["symbol", "x-opt-number"], ["ulong", n]], [["symbol", "x-opt-text"], ["string", "tekst"]],
        ]]},
        data(b"with annotations"),
    ],
    "footer": lambda n: [
        data(b"with a footer"), {"section": "footer", "value": ["map", [[["symbol", "x-opt-digest"], binary(b"\x01\x02")]]]},
    ],
    "everything": lambda n: [
        header(),
        {"section": "message-annotations", "value": ["map", [[["symbol", "x-opt-number"], ["ulong", n]]]]},
        properties(["string", f"everything-{n}"], ["string", "correlation"]),
        application_properties(PRIMITIVES),
        data(b"everything at once"),
        {"section": "footer", "value": ["map", [[["symbol", "x-opt-digest"], binary(b"\x01\x02")]]]},
    ],
}
