# SPDX-License-Identifier: Apache-2.0
"""What send.py and receive.py share: the command line's connection part, a deadline, and plain failures."""

import sys
from urllib.parse import urlsplit

from proton import SSLDomain
from proton.handlers import MessagingHandler


def add_arguments(parser):
    parser.add_argument("--url", required=True, help="amqp://HOST:PORT or amqps://HOST:PORT")
    parser.add_argument("--address", required=True, help="the link's address, in the broker's own form")
    parser.add_argument("--user", help="SASL PLAIN with this user; without it SASL ANONYMOUS")
    parser.add_argument("--password", default="")
    parser.add_argument("--no-sasl", action="store_true", help="open without a SASL layer")
    parser.add_argument("--ca", help="CA certificate that the server's certificate is checked against (amqps)")
    parser.add_argument("--timeout", type=float, default=120, help="seconds for the whole run (default 120)")


class Program(MessagingHandler):
    """Connects once, never again; any error the peer reports ends it with exit code 1."""

    def __init__(self, options):
        super().__init__(prefetch=0, auto_accept=False)
        self.options = options
        self.trouble = None
        self.finished = False
        self.connection = None
        self.timer = None

    def on_start(self, event):
        options = self.options
        url = urlsplit(options.url)
        settings = {"reconnect": False, "heartbeat": 30}
        if options.no_sasl:
            settings["sasl_enabled"] = False
        else:
            # Left alone, Proton takes the first mechanism the server lists, which may be ANONYMOUS whatever the user is.
            settings["allowed_mechs"] = "PLAIN" if options.user else "ANONYMOUS"
        if options.user:
            settings.update(user=options.user, password=options.password, allow_insecure_mechs=True)
        if url.scheme == "amqps":
            domain = SSLDomain(SSLDomain.MODE_CLIENT)
            domain.set_trusted_ca_db(options.ca)
            domain.set_peer_authentication(SSLDomain.VERIFY_PEER_NAME, options.ca)
            settings["ssl_domain"] = domain
        self.timer = event.container.schedule(options.timeout, self)
        self.connection = event.container.connect(f"{url.scheme}://{url.hostname}:{url.port}", **settings)
        self.open_link(event.container)

    def on_timer_task(self, event):
        if not self.finished:
            self.fail(f"not done after {self.options.timeout:g} s: {self.progress()}")
            event.container.stop()

    def fail(self, text):
        if self.trouble is None:
            self.trouble = text
        if self.connection:
            self.connection.close()
        if self.timer:
            self.timer.cancel()

    def finish(self):
        self.finished = True
        self.timer.cancel()
        self.connection.close()

    def condition(self, what, endpoint):
        condition = endpoint.remote_condition
        self.fail(f"{what}: {condition.name}: {condition.description}" if condition else f"{what} without a reason")

    def on_transport_error(self, event):
        condition = event.transport.condition
        self.fail(f"transport: {condition.name}: {condition.description}" if condition else "transport error")

    def on_connection_error(self, event):
        self.condition("the peer closed the connection", event.connection)

    def on_session_error(self, event):
        self.condition("the peer ended the session", event.session)

    def on_link_error(self, event):
        self.condition("the peer detached the link", event.link)

    def on_connection_closed(self, event):
        if not self.finished:
            self.fail("the peer closed the connection without a reason")

    def on_link_closed(self, event):
        if not self.finished:
            self.fail("the peer detached the link without a reason")

    def on_disconnected(self, event):
        if not self.finished:
            self.fail("disconnected")

    def exit_code(self, name):
        if self.trouble is None and not self.finished:
            self.trouble = f"ended early: {self.progress()}"
        if self.trouble is not None:
            print(f"{name}: {self.trouble}", file=sys.stderr)
            return 1
        return 0
