#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sends messages with Proton's Python binding: a client that shares no line with ours.

Prints one JSON line per message: {"number", "shape", "sections", "outcome"}; "sections" is what was put on the wire
(sections.py has the form). Exit code 0 when every message was settled as accepted, 1 otherwise, 2 for bad usage.
"""

import argparse
import json
import sys

from proton import Delivery
from proton.reactor import Container

import connection
import sections
import shapes


class Send(connection.Program):
    def __init__(self, options, messages):
        super().__init__(options)
        self.messages = messages
        self.next = 0
        self.settled = 0
        self.refused = 0
        self.waiting = {}

    def open_link(self, container):
        container.create_sender(self.connection, target=self.options.address)

    def on_sendable(self, event):
        while event.sender.credit and self.next < len(self.messages):
            delivery = event.sender.delivery(str(self.next))
            event.sender.stream(sections.encode(self.messages[self.next]["sections"]))
            event.sender.advance()
            self.waiting[delivery.tag] = self.messages[self.next]
            self.next += 1

    def on_delivery(self, event):
        delivery = event.delivery
        if not event.link.is_sender or not delivery.updated or delivery.tag not in self.waiting:
            return
        message = self.waiting.pop(delivery.tag)
        names = {Delivery.ACCEPTED: "accepted", Delivery.REJECTED: "rejected", Delivery.RELEASED: "released",
                 Delivery.MODIFIED: "modified"}
        outcome = names.get(delivery.remote_state, str(delivery.remote_state))
        print(json.dumps({**message, "outcome": outcome}, ensure_ascii=False), flush=True)
        self.settled += 1
        self.refused += outcome != "accepted"
        delivery.settle()
        if self.settled == len(self.messages):
            if self.refused:
                self.fail(f"{self.refused} of {self.settled} messages were not accepted")
            else:
                self.finish()

    def progress(self):
        return f"{self.settled} of {len(self.messages)} settled, {self.next} sent"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    connection.add_arguments(parser)
    parser.add_argument("--count", type=int, default=1, help="how many messages (default 1; with --shape all: rounds)")
    parser.add_argument("--shape", default="health", help="all, or one of: " + ", ".join(shapes.SHAPES))
    parser.add_argument("--from", dest="source", help="send the messages of this file instead ('-': standard input): "
                        "one JSON object with \"sections\" per line, as send.py and receive.py print them")
    options = parser.parse_args()
    if options.source:
        with (sys.stdin if options.source == "-" else open(options.source, encoding="utf-8")) as lines:
            messages = [{"number": n, "shape": "given", "sections": json.loads(line)["sections"]}
                        for n, line in enumerate(lines)]
    elif options.shape == "all":
        messages = [{"shape": name, "sections": make(n)} for n in range(options.count) for name, make in shapes.SHAPES.items()]
        messages = [{"number": n, **message} for n, message in enumerate(messages)]
    elif options.shape in shapes.SHAPES:
        make = shapes.SHAPES[options.shape]
        messages = [{"number": n, "shape": options.shape, "sections": make(n)} for n in range(options.count)]
    else:
        parser.error(f"unknown shape {options.shape!r}")
    if not messages:
        parser.error("nothing to send")
    program = Send(options, messages)
    Container(program).run()
    return program.exit_code("send.py")


if __name__ == "__main__":
    sys.exit(main())
