#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Receives messages with Proton's Python binding: a client that shares no line with ours.

Prints one JSON line per message: {"number", "sections", "outcome"}; "sections" is what stood on the wire (sections.py
has the form). Exit code 0 when COUNT messages came and were settled, 1 otherwise, 2 for bad usage.
"""

import argparse
import json
import sys

from proton import Delivery
from proton.reactor import Container

import connection
import sections


class Receive(connection.Program):
    def __init__(self, options):
        super().__init__(options)
        self.received = 0

    def open_link(self, container):
        container.create_receiver(self.connection, source=self.options.address)

    def on_link_opened(self, event):
        # Credit only after the peer's ATTACH: some brokers end the session over credit for a link they refuse.
        event.receiver.flow(min(self.options.credit, self.options.count))

    def on_delivery(self, event):
        delivery = event.delivery
        if not event.link.is_receiver or not delivery.readable or delivery.partial:
            return
        encoded = event.receiver.recv(delivery.pending)
        event.receiver.advance()
        line = {"number": self.received, "sections": sections.decode(encoded), "outcome": self.options.outcome}
        if self.options.outcome == "modified":
            delivery.local.failed = True
        delivery.update({"accepted": Delivery.ACCEPTED, "released": Delivery.RELEASED, "rejected": Delivery.REJECTED,
                         "modified": Delivery.MODIFIED}[self.options.outcome])
        delivery.settle()
        print(json.dumps(line, ensure_ascii=False), flush=True)
        self.received += 1
        if self.received == self.options.count:
            self.finish()
        elif self.received + event.receiver.credit < self.options.count:
            event.receiver.flow(1)

    def progress(self):
        return f"{self.received} of {self.options.count} received"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    connection.add_arguments(parser)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--credit", type=int, default=100)
    parser.add_argument("--outcome", choices=["accepted", "released", "rejected", "modified"], default="accepted")
    options = parser.parse_args()
    if options.count < 1 or options.credit < 1:
        parser.error("--count and --credit must be at least 1")
    program = Receive(options)
    Container(program).run()
    return program.exit_code("receive.py")


if __name__ == "__main__":
    sys.exit(main())
