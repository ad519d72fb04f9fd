# SPDX-License-Identifier: Apache-2.0
"""People are told: a webhook whose signature others verify, mail over a relay that is not ours, a program; figures that promtool takes; rules and a
Grafana dashboard that name only figures that exist."""

import base64
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import re
import socket
import ssl
import subprocess
import threading
import unittest

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from control_stage import LIMIT, REPOSITORY, ControlStage, certificate, free_port, until

SECRET = base64.b64encode(b"a key of thirty-two bytes, planted").decode()
MONITORING = REPOSITORY / "config" / "monitoring"


class Receiver:
    """A webhook's receiver over TLS. Answers what `answers` says, and 204 when that is used up."""

    def __init__(self, chain, key):
        self.got, self.answers = [], []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append((dict(self.headers.items()), body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Mailbox:
    def __init__(self):
        self.mails, self.logins, self.over_tls = [], [], []

    async def handle_DATA(self, server, session, envelope):
        self.over_tls.append(session.ssl is not None)
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 queued"


class Telling(unittest.TestCase):
    def setUp(self):
        self.stage = ControlStage(self)
        self.chain, self.key = certificate(self.stage.folder, "receiver")
        (self.stage.folder / "hook-secret").write_text(f"whsec_{SECRET}\n")
        (self.stage.folder / "relay-password").write_text("planted-relay-password\n")

    def verified(self, headers, body):
        """As the Standard Webhooks specification says."""
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(base64.b64decode(SECRET), signed, hashlib.sha256).digest()).decode()
        self.assertEqual(headers["webhook-signature"], f"v1,{expected}")
        message = json.loads(body)
        self.assertEqual(message["id"], headers["webhook-id"])
        return message

    def stop_and_release(self):
        self.assertEqual(self.stage.command("stop", by=["Kari"], why="strange answers").status, 200)

    def release(self):
        self.assertEqual(self.stage.command("release", by=["Kari", "Ola"], why="it was nothing").status, 200)

    def test_one_message_when_it_begins_and_one_when_it_ends_over_restarts_and_failures(self):
        receiver = Receiver(self.chain, self.key)
        self.addCleanup(receiver.stop)
        self.stage.configure(f"""\
tell:
  dashboard: https://migrator.test/
  settling: 1s
  webhooks:
    - {{name: vakt, url: "https://127.0.0.1:{receiver.port}/hook", secret-file: hook-secret, authorities: [receiver.pem]}}
""")
        receiver.answers = [500]
        daemon = self.stage.start()
        self.stop_and_release()
        # refused once, and told again with the same id
        self.assertTrue(until(lambda: len(receiver.got) >= 2), self.stage.said(daemon))
        first, second = (self.verified(*got) for got in receiver.got[:2])
        self.assertEqual(first, second)
        self.assertEqual(
            (first["schema"], first["environment"], first["kind"], first["code"], first["weight"], first["link"]),
            ("bus-migrator/telling/1", "test", "began", "MIG-417", "alarm", "https://migrator.test/#code=MIG-417"))
        self.assertIn("strange answers", first["seen"])
        self.assertTrue(first["next"])
        # it stands over a restart, and nobody is told again
        self.stage.end(daemon)
        daemon = self.stage.start()
        self.release()
        self.assertTrue(until(lambda: len(receiver.got) >= 3), self.stage.said(daemon))
        ended = self.verified(*receiver.got[2])
        self.assertEqual((ended["kind"], ended["code"], ended["since"]), ("ended", "MIG-417", first["since"]))
        self.assertEqual(len(receiver.got), 3)
        self.stage.end(daemon)
        said = self.stage.said(daemon)
        self.assertNotIn(SECRET, said)

    def test_a_reload_takes_up_who_is_told(self):
        first, second = Receiver(self.chain, self.key), Receiver(self.chain, self.key)
        self.addCleanup(first.stop)
        self.addCleanup(second.stop)

        def tell(**ports):
            lines = [f'    - {{name: {name}, url: "https://127.0.0.1:{port}/hook", secret-file: hook-secret, authorities: [receiver.pem]}}\n' for name, port in ports.items()]
            self.stage.configure("tell:\n  settling: 1s\n  webhooks:\n" + "".join(lines) if lines else "")

        tell()
        daemon = self.stage.start()
        self.stop_and_release()
        # nobody was to be told at the start
        tell(vakt=first.port)
        self.stage.reload(daemon)
        self.assertTrue(until(lambda: len(first.got) >= 1), self.stage.said(daemon))
        tell(vakt=first.port, more=second.port)
        self.stage.reload(daemon)
        self.assertTrue(until(lambda: len(second.got) >= 1), self.stage.said(daemon))
        self.assertEqual([self.verified(*got)["code"] for got in second.got], ["MIG-417"])
        tell(more=second.port)
        self.stage.reload(daemon)
        self.release()
        self.assertTrue(until(lambda: len(second.got) >= 2), self.stage.said(daemon))
        self.assertEqual([self.verified(*got)["kind"] for got in second.got], ["began", "ended"])
        self.assertEqual([self.verified(*got)["kind"] for got in first.got], ["began"], "told once, and nothing after it was taken out")
        self.assertNotIn("needs a restart", self.stage.said(daemon))
        self.stage.end(daemon)

    def test_mail_over_a_relay_with_starttls_and_login_in_one_mail_for_all_that_waits(self):
        box = Mailbox()

        def login(server, session, envelope, mechanism, data):
            box.logins.append((mechanism, data.login, data.password, session.ssl is not None))
            return AuthResult(success=data.password == b"planted-relay-password")

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        port = free_port()
        relay = Controller(
            box, hostname="127.0.0.1", port=port, tls_context=context, require_starttls=True, authenticator=login, auth_required=True)
        relay.start()
        self.addCleanup(relay.stop)
        self.stage.configure(f"""\
tell:
  settling: 1s
  mail:
    - name: vakt-mail
      relay: 127.0.0.1:{port}
      protection: starttls
      user: migrator
      password-file: relay-password
      authorities: [receiver.pem]
      from: migrator@example.no
      to: [kari@example.no, ola@example.no]
""")
        daemon = self.stage.start()
        self.stop_and_release()
        self.assertTrue(until(lambda: box.mails), self.stage.said(daemon))
        sender, recipients, mail = box.mails[0]
        self.assertEqual((sender, recipients), ("migrator@example.no", ["kari@example.no", "ola@example.no"]))
        self.assertEqual(box.over_tls, [True])
        self.assertEqual(box.logins[0][1:], (b"migrator", b"planted-relay-password", True))
        self.assertIn("[test] MIG-417", mail["Subject"])
        self.assertEqual(mail["Auto-Submitted"], "auto-generated")
        self.assertIn("strange answers", mail.get_content())
        self.assertIn("bus-migrator explain MIG-417", mail.get_content())
        self.stage.end(daemon)
        self.assertNotIn("planted-relay-password", self.stage.said(daemon))

    def test_a_program_with_the_chief_of_it_in_its_environment(self):
        program = self.stage.folder / "tell.sh"
        told = self.stage.folder / "told"
        program.write_text(
            f'#!/bin/sh\necho "$BUS_MIGRATOR_KIND $BUS_MIGRATOR_CODE $BUS_MIGRATOR_ENVIRONMENT ${{NOTIFY_SOCKET:-nothing of ours}}" >> {told}\n'
            f"cat >> {told}.json\n")
        program.chmod(0o755)
        self.stage.configure("tell:\n  settling: 1s\n  programs: [{name: page, run: tell.sh}]\n")
        daemon = self.stage.start()
        self.stop_and_release()
        self.assertTrue(until(told.exists), self.stage.said(daemon))
        self.release()
        self.assertTrue(until(lambda: len(told.read_text().splitlines()) == 2))
        self.assertEqual(
            told.read_text().splitlines(), ["began MIG-417 test nothing of ours", "ended MIG-417 test nothing of ours"])
        self.stage.end(daemon)

    def test_configuration_that_is_wrong_is_told_with_its_place(self):
        for tell, words in (
                ("webhooks: [{name: a, url: 'http://x.no/', secret-file: hook-secret}]", "https"),
                ("webhooks: [{name: a, url: 'https://x.no/'}]", "secret-file"),
                ("mail: [{name: a, relay: 'smtp.example.no:25', protection: none, from: a@b.no, to: [c@d.no]}]", "starttls"),
                ("mail: [{name: a, relay: 'localhost:25', protection: none, from: 'a b', to: [c@d.no]}]", "mail address"),
                ("programs: [{name: a, run: /bin/true}, {name: a, run: /bin/true}]", "stands twice"),
                ("webhook: []", "webhooks")):
            with self.subTest(tell):
                self.stage.configure(f"tell: {{{tell}}}\n" if not tell.startswith("[") else tell)
                checked = subprocess.run(
                    [str(REPOSITORY / ".build" / "debug" / "bus-migrator"), "config", "check", "--config", str(self.stage.configuration)],
                    capture_output=True, text=True, timeout=LIMIT)
                self.assertEqual(checked.returncode, 2, checked.stdout)
                self.assertIn(words, checked.stderr)
                self.assertIn("bus-migrator.yaml", checked.stderr)


class Figures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = subprocess.run([str(REPOSITORY / "scripts" / "foreign-monitoring")], check=True, capture_output=True, text=True)
        cls.promtool = folder.stdout.strip() + "/usr/bin/promtool"

    def test_the_page_is_as_prometheus_reads_it(self):
        stage = ControlStage(self)
        daemon = stage.start()
        answer = stage.ask("GET", "/metrics")
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.headers["content-type"].startswith("text/plain; version=0.0.4"))
        text = answer.body.decode()
        checked = subprocess.run([self.promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=LIMIT)
        self.assertEqual((checked.returncode, checked.stdout), (0, ""), checked.stderr)
        self.assertIn('bus_migrator_info{version="', text)
        self.assertIn('environment="test"} 1', text)
        self.assertIn("bus_migrator_recovered 1", text)
        self.assertIn("bus_migrator_line_stopped 0", text)
        stage.command("stop", by=["Kari"], why="x")
        text = stage.ask("GET", "/metrics").body.decode()
        self.assertIn("bus_migrator_line_stopped 1", text)
        self.assertIn('bus_migrator_conditions{pulje="",code="MIG-417",weight="alarm"} 1', text)
        file = stage.folder / "bus-migrator.prom"
        self.assertEqual(stage.run("metrics", "--write", str(file)).returncode, 0)
        self.assertIn("bus_migrator_line_stopped 1", file.read_text())
        self.assertEqual([path.name for path in stage.folder.glob("*.tmp")], [])
        stage.end(daemon)

    def test_rules(self):
        for arguments in (["check", "rules", "bus-migrator.rules.yaml"], ["test", "rules", "bus-migrator.rules.test.yaml"]):
            run = subprocess.run([self.promtool, *arguments], cwd=MONITORING, capture_output=True, text=True, timeout=LIMIT)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_rules_and_dashboard_name_only_figures_that_there_are(self):
        source = (REPOSITORY / "Sources" / "bus-migrator" / "Observing" / "MetricsPage.swift").read_text()
        there = {f"bus_migrator_{name}" for name in re.findall(r'"([a-z_]+)", \.(?:gauge|counter)', source)}
        self.assertGreater(len(there), 20)
        dashboard = json.loads((MONITORING / "grafana-dashboard.json").read_text())
        named = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
        for text in (named, (MONITORING / "bus-migrator.rules.yaml").read_text()):
            used = set(re.findall(r"bus_migrator_[a-z_]+", text))
            self.assertTrue(used)
            self.assertEqual(used - there, set())
        described = (REPOSITORY / "docs" / "monitoring.md").read_text()
        self.assertEqual({name for name in there if name not in described}, set(), "not in docs/monitoring.md")


class JournalFields(unittest.TestCase):
    def test_fields_of_their_own(self):
        stage = ControlStage(self)
        folder = stage.folder / "journal"
        folder.mkdir()
        journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(journal.close)
        journal.bind(str(folder / "socket"))
        journal.settimeout(LIMIT)
        daemon = stage.start(journal=folder)
        stage.command("stop", by=["Kari"], why="two\nlines")
        while True:
            fields = self.fields(journal.recv(1 << 16))
            if fields.get("KIND") == "line.stopped":
                break
        self.assertEqual(
            (fields["PRIORITY"], fields["SYSLOG_IDENTIFIER"], fields["OPERATOR"]), ("3", "bus-migrator", "Kari"))
        self.assertIn("two\nlines", fields["MESSAGE"])
        self.assertEqual(fields["MESSAGE_ID"], hashlib.sha256(b"bus-migrator:line.stopped").hexdigest()[:32])
        stage.end(daemon)
        # nothing twice: what the journal took is not on standard error as well
        self.assertNotIn("two", stage.said(daemon))

    @staticmethod
    def fields(datagram):
        """As systemd's journal reads it: NAME=value, or NAME, a length and the value."""
        fields = {}
        while datagram:
            line, _, rest = datagram.partition(b"\n")
            name, equals, value = line.partition(b"=")
            if not equals:
                length = int.from_bytes(rest[:8], "little")
                value, rest = rest[8:8 + length], rest[8 + length + 1:]
            fields[name.decode()], datagram = value.decode(), rest
        return fields


if __name__ == "__main__":
    unittest.main()
