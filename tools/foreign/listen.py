#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A peer that listens, on Proton's Python binding: a server that shares no line with ours, for our client to meet.

Prints "port N" once it listens, then a JSON line per message that came: {"address", "sections", "bytes"}. Ends when its standard
input does, so that none outlives the test that started it. Whoever comes is let in (SASL ANONYMOUS, or none).

What it does with a link or message follows from the address:
  missing...     the attach is refused with amqp:not-found
  rejecting...   each message is rejected, releasing... released, modifying... modified (failed), silent... left without an outcome
  detaching...   the link is detached with amqp:link:detach-forced when a message comes; ending... the session is ended with
                 amqp:internal-error, closing... the connection closed with amqp:connection:forced
  other          a queue: messages are accepted, kept, and sent to receivers of the same address, byte for byte. What a
                 receiver releases or leaves comes again; modified(failed) comes again too.
"""

import argparse
import json
import sys
import threading
from collections import defaultdict, deque

from proton import Condition, Delivery, Endpoint, SSLDomain, Terminus
from proton.reactor import ApplicationEvent, Container, EventInjector, Handler

import sections

VERDICTS = {"rejecting": Delivery.REJECTED, "releasing": Delivery.RELEASED, "modifying": Delivery.MODIFIED}


class Listener(Handler):
    def __init__(self, options):
        super().__init__()
        self.options = options
        self.queues = defaultdict(deque)
        self.parts = defaultdict(bytes)
        self.unsettled = defaultdict(dict)
        self.senders = []
        self.connections = []
        self.tag = 0

    def on_reactor_init(self, event):
        self.reactor = event.reactor
        domain = None
        if self.options.certificate:
            domain = SSLDomain(SSLDomain.MODE_SERVER)
            domain.set_credentials(self.options.certificate, self.options.key, None)
            if self.options.client_ca:
                domain.set_trusted_ca_db(self.options.client_ca)
                domain.set_peer_authentication(SSLDomain.VERIFY_PEER, self.options.client_ca)
        self.acceptor = event.reactor.listen("127.0.0.1:0", domain)
        injector = EventInjector()
        event.reactor.selectable(injector)
        threading.Thread(target=self.wait_for_end, args=(injector,), daemon=True).start()
        print(f"port {self.acceptor._selectable._delegate.getsockname()[1]}", flush=True)

    @staticmethod
    def wait_for_end(injector):
        sys.stdin.read()
        injector.trigger(ApplicationEvent("input_ended"))
        injector.close()

    def on_input_ended(self, event):
        self.acceptor.close()
        for connection in self.connections:
            connection.close()
        self.reactor.stop()

    # endpoints: opened and closed as the peer does

    def on_connection_remote_open(self, event):
        event.connection.container = "foreign-listener"
        event.connection.open()
        self.connections.append(event.connection)

    def on_connection_remote_close(self, event):
        event.connection.close()
        self.forget([sender for sender in self.senders if sender.connection == event.connection])

    def on_transport_closed(self, event):
        self.forget([sender for sender in self.senders if sender.connection == event.connection])

    def on_session_remote_open(self, event):
        event.session.open()

    def on_session_remote_close(self, event):
        event.session.close()
        self.forget([sender for sender in self.senders if sender.session == event.session])

    def on_link_remote_open(self, event):
        link = event.link
        address = (link.remote_source if link.is_sender else link.remote_target).address or ""
        if address.startswith("missing"):
            # the attach is answered without a terminus, as the standard wants it, then refused
            (link.source if link.is_sender else link.target).type = Terminus.UNSPECIFIED
            link.open()
            link.condition = Condition("amqp:not-found", f"no node {address}")
            link.close()
            return
        link.source.copy(link.remote_source)
        link.target.copy(link.remote_target)
        link.open()
        if link.is_sender:
            self.senders.append(link)
            self.serve()
        else:
            link.flow(self.options.credit)

    def on_link_remote_close(self, event):
        if event.link.state & Endpoint.LOCAL_ACTIVE:
            event.link.close()
        self.forget([sender for sender in self.senders if sender == event.link])

    def forget(self, senders):
        for sender in senders:
            self.senders.remove(sender)
            address = sender.source.address
            for encoded in reversed(list(self.unsettled.pop(sender.name, {}).values())):
                self.queues[address].appendleft(encoded)
        self.serve()

    # messages

    def on_delivery(self, event):
        delivery, link = event.delivery, event.link
        if link.is_sender:
            self.settled(delivery, link)
            return
        if not delivery.readable:
            return
        key = (link.name, delivery.tag)
        self.parts[key] += link.recv(delivery.pending) or b""
        if delivery.partial:
            return
        encoded = self.parts.pop(key)
        link.advance()
        self.came(link, delivery, encoded)

    def came(self, link, delivery, encoded):
        address = link.target.address
        line = {"address": address, "sections": sections.decode(encoded), "bytes": len(encoded)}
        print(json.dumps(line, ensure_ascii=False), flush=True)
        kind = next((name for name in (*VERDICTS, "silent", "detaching", "ending", "closing") if address.startswith(name)), "")
        if kind == "detaching":
            link.condition = Condition("amqp:link:detach-forced", "on demand")
            link.close()
        elif kind == "ending":
            link.session.condition = Condition("amqp:internal-error", "on demand")
            link.session.close()
        elif kind == "closing":
            link.connection.condition = Condition("amqp:connection:forced", "on demand")
            link.connection.close()
        elif kind == "silent":
            link.flow(1)
        else:
            if kind == "modifying":
                delivery.local.failed = True
            if kind == "rejecting":
                delivery.local.condition = Condition("x:refused", "on demand")
            delivery.update(VERDICTS.get(kind, Delivery.ACCEPTED))
            delivery.settle()
            link.flow(1)
            if not kind:
                self.queues[address].append(encoded)
                self.serve()

    def settled(self, delivery, link):
        if not delivery.updated or not delivery.settled:
            return
        encoded = self.unsettled[link.name].pop(delivery.tag, None)
        if encoded is not None and delivery.remote_state in (Delivery.RELEASED, Delivery.MODIFIED):
            self.queues[link.source.address].appendleft(encoded)
        delivery.settle()
        self.serve()

    def on_link_flow(self, event):
        if event.link.is_sender:
            self.serve()

    def serve(self):
        for sender in self.senders:
            queue = self.queues[sender.source.address]
            while queue and sender.credit > 0:
                encoded = queue.popleft()
                self.tag += 1
                delivery = sender.delivery(str(self.tag))
                sender.stream(encoded)
                sender.advance()
                self.unsettled[sender.name][delivery.tag] = encoded
            if sender.credit > 0 and sender.drain_mode:
                sender.drained()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--credit", type=int, default=10, help="what a sender to us gets (default 10)")
    parser.add_argument("--certificate", help="PEM file; then TLS is spoken")
    parser.add_argument("--key", help="PEM file of its key")
    parser.add_argument("--client-ca", help="PEM file; then a client must show a certificate of this authority")
    Container(Listener(parser.parse_args())).run()


if __name__ == "__main__":
    main()
