# SPDX-License-Identifier: Apache-2.0
"""bus-pinger --support-bundle over TLS to a real RabbitMQ 4.0: the certificate chain as OpenSSL sees it, and no secret, wherever one was planted.

Needs the brokers and the built program: swift build, then scripts/with-brokers python3 -m pytest tools/tests
"""

import base64
import http.server
import json
import os
import re
import subprocess
import textwrap
import threading
import unittest
import urllib.parse
import urllib.request

from pinger_stage import RABBITMQ4, PingerStage

SECRET = "Pl4nted"
PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class Talkative(http.server.BaseHTTPRequestHandler):
    """A management interface whose answers carry secrets in their headers and bodies, and that refuses whoever asks."""

    asked = []

    def do_HEAD(self):
        self.asked.append((self.command, self.path, dict(self.headers)))
        self.send_response(401)
        self.send_header("Set-Cookie", f"session={SECRET}Cookie")
        self.send_header("WWW-Authenticate", f'Basic realm="{SECRET}Realm"')
        self.send_header("X-Token", f"{SECRET}Token")
        body = f"{SECRET}Answer".encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD

    def log_message(self, *_):
        pass


@unittest.skipUnless(RABBITMQ4, "no brokers: run under scripts/with-brokers")
class BusPingerBundle(PingerStage, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.secure = urllib.parse.urlsplit(os.environ["TJENESTEBUSS_RABBITMQ4_AMQPS_URL"])
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Talkative)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.web = server.server_address[1]
        Talkative.asked.clear()
        # What a patient's message might be, and its headers.
        message = {"properties": {"headers": {"fromHerId": f"{SECRET}Header"}, "message_id": f"{SECRET}Id"}, "routing_key": self.queue,
                   "payload": f"{SECRET}Body", "payload_encoding": "string"}
        self.publish(message)

    def publish(self, message):
        base = os.environ["TJENESTEBUSS_RABBITMQ4_MANAGEMENT_URL"]
        request = urllib.request.Request(f"{base}/api/exchanges/%2f/amq.default/publish", data=json.dumps(message).encode())
        request.add_header("Authorization", "Basic Z3Vlc3Q6Z3Vlc3Q=")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            self.assertTrue(json.loads(answer.read())["routed"])

    def configure(self, password="app", authority=True, management=True):
        trusted = f"\n    authorities: [{os.environ['TJENESTEBUSS_RABBITMQ4_CA']}]" if authority else ""
        counted = (f"\n    management: {{url: \"http://127.0.0.1:{self.web}\", user: {SECRET}Monitor, password: {SECRET}Management}}"
                   if management else "")
        (self.folder / "cache-file").write_text(f"{SECRET}File\n")
        self.config.write_text(textwrap.dedent("""\
            own-her-id: 100
            ping: {time-to-live-seconds: 2, party-interval-seconds: 0}
            registry: {soap: {url: "https://127.0.0.1:1/AR?token=SECRETQuery", user: SECRETArUser, password-file: cache-file}}
            buses:
              - name: tjenestebuss
                dialect: rabbitmq-4-v2
                hosts: [tb.test]
                connection-string: amqps://app:PASSWORD@HOST:PORT""").replace("SECRET", SECRET).replace("PASSWORD", password)
            .replace("HOST", self.secure.hostname).replace("PORT", str(self.secure.port)) + trusted + counted + "\n")

    def bundle(self):
        file = self.folder / "bundle.json"
        file.unlink(missing_ok=True)
        run = self.run_it("--support-bundle", str(file))
        self.assertTrue(file.exists(), run)
        text = file.read_text()
        for place in (text, run.stdout, run.stderr):
            self.assertNotIn(SECRET, place)
            for form in (f"app:{SECRET}", f"{SECRET}Management", f"{SECRET}Body", f"{SECRET}File"):
                self.assertNotIn(base64.b64encode(form.encode()).decode().rstrip("="), place)
        self.assertEqual(text.count("\n"), 1)
        # The text of certificates apart, nothing in it may be a secret in disguise either.
        self.assertNotIn("Basic ", text)
        return run, json.loads(text)

    def openssl(self):
        """The certificates that the bus sends, as another program sees them."""
        shown = subprocess.run(
            ["openssl", "s_client", "-connect", f"{self.secure.hostname}:{self.secure.port}", "-servername", self.secure.hostname,
             "-showcerts"], input="", capture_output=True, text=True, timeout=60)
        found = [item.replace("\n", "") for item in PEM.findall(shown.stdout)]
        # The server's own is shown once more by some versions.
        return list(dict.fromkeys(found))

    def test_chain_is_what_the_bus_sends(self):
        self.configure()
        run, bundle = self.bundle()
        # All is well, but for a management interface that refuses us.
        self.assertEqual((run.returncode, bundle["report"]["status"], bundle["report"].get("first_failure")), (1, "warning", None), run)
        self.assertTrue([request for request in Talkative.asked if request[0] == "GET"])
        self.assertEqual(bundle["certificates_seen"], "handshake done")
        self.assertEqual([item["pem"].replace("\n", "") for item in bundle["certificates"]], self.openssl())
        self.assertGreaterEqual(len(bundle["certificates"]), 1)
        for item in bundle["certificates"]:
            dates = subprocess.run(["openssl", "x509", "-noout", "-dates", "-dateopt", "iso_8601"], input=item["pem"], capture_output=True,
                                   text=True, check=True, timeout=60).stdout
            self.assertEqual(re.findall(r"=(.+)", dates), [item[key].replace("T", " ") for key in ("not_before", "not_after")])
        self.assertEqual(bundle["schema"], "bus-pinger-support/1")
        self.assertTrue(bundle["buses"][0]["encrypted"] and bundle["buses"][0]["counted_over_http"])
        self.assertEqual(bundle["register"], "https://127.0.0.1:1/AR")
        self.assertEqual(bundle["clock"]["asked"], "127.0.0.1")
        self.assertLess(abs(bundle["clock"]["ahead_seconds"]), 3)
        # The clock is asked for without a login.
        head = [headers for method, _, headers in Talkative.asked if method == "HEAD"]
        self.assertEqual(len(head), 1)
        self.assertNotIn("authorization", {name.lower() for name in head[0]})

    def test_login_in_a_url_is_refused_without_a_word_of_it(self):
        self.configure()
        for find, put in (("https://", f"https://u:{SECRET}Url@"), ("http://127", f"http://u:{SECRET}Url@127")):
            text = self.config.read_text()
            self.config.write_text(text.replace(find, put, 1))
            run = self.run_it("--support-bundle", str(self.folder / "bundle.json"))
            self.config.write_text(text)
            self.assertEqual(run.returncode, 3, run)
            self.assertNotIn(f"{SECRET}Url", run.stdout + run.stderr)
            self.assertFalse((self.folder / "bundle.json").exists())

    def test_chain_of_a_bus_that_is_not_trusted(self):
        self.configure(authority=False)
        run, bundle = self.bundle()
        self.assertEqual(bundle["report"]["first_failure"], 22)
        self.assertEqual([item["pem"].replace("\n", "") for item in bundle["certificates"]], self.openssl())
        self.assertIn("brokers test CA", run.stdout)

    def test_wrong_password_is_nowhere(self):
        self.configure(password=f"{SECRET}Bus")
        run, bundle = self.bundle()
        self.assertEqual(bundle["report"]["first_failure"], 23)
        self.assertEqual(run.returncode, 2)

    def test_no_chain_without_tls(self):
        plain = urllib.parse.urlsplit(RABBITMQ4)
        self.configure(management=False)
        self.config.write_text(self.config.read_text().replace("amqps://", "amqp://").replace(f":{self.secure.port}", f":{plain.port}")
                               .replace(f"@{self.secure.hostname}", f"@{plain.hostname}"))
        _, bundle = self.bundle()
        self.assertEqual((bundle["certificates"], bundle["certificates_seen"]), ([], "the connection is not encrypted"))


if __name__ == "__main__":
    unittest.main()
