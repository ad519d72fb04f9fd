# SPDX-License-Identifier: Apache-2.0
"""The control interface over TCP: TLS always, tokens, what each role may, and what a vendor sees."""

import http.client
import json
import socket
import ssl
import subprocess
import textwrap
import unittest
import warnings

from control_stage import LIMIT, PROGRAM, Answer, ControlStage, certificate, free_port, tls

ROLES = ("viewer", "operator", "approver", "vendor")


class ControlOverTCP(unittest.TestCase):
    def setUp(self):
        self.stage = ControlStage(self)
        self.chain, self.key = certificate(self.stage.folder)
        self.port = free_port()
        self.secrets = {}
        for role in (*ROLES, "old"):
            self.secrets[role] = (role + "-planted-") * 6
            (self.stage.folder / f"token-{role}").write_text(self.secrets[role] + "\n")
        self.configure()

    def configure(self, tokens=ROLES, more="", expires="2099-12-31"):
        lines = [f"api:\n  listen: 127.0.0.1:{self.port}\n  certificate: daemon.pem\n  private-key: daemon.key\n  tokens:\n"]
        for role in tokens:
            vendor = ", vendor: Alfa" if role == "vendor" else ""
            lines.append(f"    - {{name: {role}-1, role: {role}, expires: {expires}, token-file: token-{role}{vendor}}}\n")
        lines.append("    - {name: old-1, role: viewer, expires: 2020-01-01, token-file: token-old}\n")
        self.stage.configure("".join(lines) + more)

    def connection(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=tls(self.chain), timeout=LIMIT)

    def ask(self, role, method, path, body=None, headers=None):
        headers = dict(headers or {})
        if role:
            headers["authorization"] = f"Bearer {self.secrets[role]}"
        return self.stage.ask(method, path, body, headers, self.connection())

    def command(self, role, verb, **fields):
        return self.ask(role, "POST", "/v1/command", {"verb": verb, **fields})

    def test_nobody_without_a_token_and_nothing_in_the_clear(self):
        daemon = self.stage.start()
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic eDp5"}):
            for method, path in (("GET", "/v1/status"), ("POST", "/v1/command"), ("GET", "/nowhere"), ("GET", "/v1/health")):
                answer = self.ask(None, method, path, headers=headers)
                self.assertEqual((answer.status, answer.code, answer.headers["www-authenticate"]), (401, "CLI-022", "Bearer"))
        expired = self.ask("old", "GET", "/v1/status")
        self.assertEqual((expired.status, expired.code), (401, "CLI-022"))
        self.assertIn("old-1 has expired", expired.json["text"])
        plain = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        plain.request("GET", "/v1/status", headers={"authorization": f"Bearer {self.secrets['operator']}"})
        with self.assertRaises((http.client.HTTPException, ConnectionError)):
            plain.getresponse()
        plain.close()
        old = ssl.create_default_context(cafile=str(self.chain))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            old.minimum_version = ssl.TLSVersion.TLSv1
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            old.wrap_socket(socket.create_connection(("127.0.0.1", self.port)), server_hostname="127.0.0.1")
        self.assertEqual(self.ask("viewer", "GET", "/v1/status").status, 200)
        self.stage.end(daemon)
        self.assertNotIn("planted", self.stage.said(daemon))

    def test_a_token_speaks_for_its_holder(self):
        daemon = self.stage.start()
        stop = self.command("operator", "stop", why="CHG-7")
        self.assertEqual((stop.status, stop.json["status"]), (200, "done"), stop)
        self.assertEqual(self.stage.ask("GET", "/v1/status").json["stop"]["by"], "operator-1")
        for by in (["Kari"], ["operator-1", "Kari"]):
            other = self.command("operator", "stop", by=by, why="CHG-7")
            self.assertEqual((other.status, other.code), (403, "CLI-021"), other)
        without = self.command("approver", "release", by=["Kari", "Ola"], why="CHG-7")
        self.assertEqual((without.status, without.code), (403, "CLI-021"))
        alone = self.command("approver", "release", why="CHG-7")
        self.assertEqual((alone.status, alone.code), (409, "MIG-204"))
        self.assertEqual(self.command("approver", "release", by=["Kari", "approver-1"], why="CHG-7").status, 200)
        self.stage.end(daemon)

    def test_certificate_and_tokens_are_taken_up_by_a_reload(self):
        daemon = self.stage.start()
        self.assertEqual(self.ask("operator", "GET", "/v1/status").status, 200)
        kept = self.connection()
        kept.request("GET", "/v1/status", headers={"authorization": f"Bearer {self.secrets['operator']}"})
        self.assertEqual(Answer(kept.getresponse()).status, 200)
        before = self.chain.read_text()
        certificate(self.stage.folder)
        self.assertNotEqual(before, self.chain.read_text())
        self.configure(tokens=("viewer",))
        self.stage.reload(daemon)
        self.assertEqual(self.ask("viewer", "GET", "/v1/status").status, 200, "the new certificate is trusted")
        self.assertEqual(self.ask("operator", "GET", "/v1/status").status, 401)
        kept.request("GET", "/v1/status", headers={"authorization": f"Bearer {self.secrets['operator']}"})
        self.assertEqual(Answer(kept.getresponse()).status, 401, "also on a connection that stands")
        kept.close()
        # A wrong file changes nothing.
        self.chain.write_text("no certificate")
        self.stage.reload(daemon)
        self.chain.write_text(before)
        self.assertIn("CLI-006", self.stage.said(daemon))
        self.port = free_port()
        self.configure()
        self.key.write_text(self.key.read_text())
        certificate(self.stage.folder)
        self.stage.reload(daemon)
        self.assertIn("needs a restart: api.listen", self.stage.said(daemon))
        self.stage.end(daemon)

    def test_what_is_wrong_in_the_file_is_named(self):
        def complaint(text):
            self.stage.configure(text)
            result = subprocess.run([str(PROGRAM), "config", "check", "--config", str(self.stage.configuration)], capture_output=True, text=True, timeout=LIMIT)
            self.assertEqual(result.returncode, 2, text)
            self.assertNotIn("planted", result.stdout + result.stderr)
            return result.stderr

        (self.stage.folder / "short").write_text("short-planted")
        good = textwrap.dedent(f"""\
            api:
              listen: 127.0.0.1:{self.port}
              certificate: daemon.pem
              private-key: daemon.key
              tokens:
                - {{name: a, role: viewer, expires: 2099-12-31, token-file: token-viewer}}
            """)
        for was, wrong, wanted in (
                (f"127.0.0.1:{self.port}", "8443", "host:port"), ("daemon.pem", "missing.pem", "CLI-006"),
                ("daemon.key", "daemon.pem", "CLI-006"), ("  private-key: daemon.key\n", "", "private-key"),
                ("role: viewer", "role: vendor", "vendor"), ("role: viewer", "role: king", "one of"),
                ("role: viewer", "role: viewer, vendor: Alfa", "no vendor"), ("2099-12-31", "soon", "2027-01-31"),
                ("expires: 2099-12-31, ", "", "expires"), ("token-file: token-viewer", "token-file: short", "openssl rand"),
                ("token-file: token-viewer", "token: planted", "CLI-003"),
                ("    - {name: a", "    - {name: a, role: viewer, expires: 2099-12-31, token-file: token-old}\n    - {name: a", "once"),
                ("    - {name: a", "    - {name: b, role: viewer, expires: 2099-12-31, token-file: token-viewer}\n    - {name: a", "once")):
            self.assertIn(was, good)
            self.assertIn(wanted, complaint(good.replace(was, wrong)), wrong)


    # what is live

    def live(self, role):
        connection = self.connection()
        connection.request("GET", "/v1/live", headers={"authorization": f"Bearer {self.secrets[role]}", "bus-migrator-request": "1"})
        answer = connection.getresponse()
        self.addCleanup(connection.close)
        self.assertEqual(answer.status, 200)
        return answer

    def events(self, answer):
        """(name, data, the event as it came), until the stream ends."""
        event = []
        for line in answer:
            if line.strip():
                event.append(line.decode().rstrip("\n"))
            elif event:
                fields = dict(one.split(": ", 1) for one in event if not one.startswith(":"))
                if fields:
                    yield fields["event"], json.loads(fields["data"]), fields
                event = []

    def test_a_stream_ends_with_the_rights_of_who_reads_it(self):
        daemon = self.stage.start()
        streams = {role: self.events(self.live(role)) for role in ("operator", "vendor", "viewer")}
        for stream in streams.values():
            next(stream)
        self.configure(tokens=("viewer",))
        self.stage.reload(daemon)
        self.assertEqual(self.command("viewer", "stop", why="x").status, 403)
        # With the next that there is to tell, or the next sign of life: nothing is told any more, and it ends.
        for role in ("operator", "vendor"):
            told = [(name, data.get("reason")) for name, data, _ in streams[role]]
            self.assertEqual(told, [("again", "rights-ended")], role)
        self.assertEqual(self.stage.command("stop", by=["Kari"], why="CHG-7").status, 200)
        self.assertEqual(next(streams["viewer"])[0], "line", "whose rights stand goes on reading")
        self.stage.end(daemon)

    def test_a_vendor_hears_of_its_own_parties_live_and_of_nothing_else(self):
        (self.stage.folder / "token-gamma").write_text("gamma-planted-" * 6 + "\n")
        self.secrets["gamma"] = "gamma-planted-" * 6
        self.stage.plant_pulje()
        self.configure()
        text = self.stage.configuration.read_text()
        self.stage.configuration.write_text(text.replace("    - {name: old-1", "    - {name: gamma-1, role: vendor, expires: 2099-12-31, token-file: token-gamma, vendor: Gamma-planted}\n    - {name: old-1"))
        daemon = self.stage.start()
        alfa, gamma = self.events(self.live("vendor")), self.events(self.live("gamma"))
        own = {}
        for vendor, stream in (("Alfa", alfa), ("Gamma-planted", gamma)):
            name, view, fields = next(stream)
            self.assertEqual((name, view["schema"], view["vendor"]), ("vendor", "bus-migrator/vendor/1", vendor))
            self.assertNotIn("id", fields, "a number would tell that something happens to others")
            own[vendor] = {party["herID"] for pulje in view["puljer"] for party in pulje["parties"]}
        self.assertTrue(own["Alfa"] and own["Gamma-planted"] and not own["Alfa"] & own["Gamma-planted"])
        # What is done to Gamma's party is Gamma's to hear, and then something of Alfa's.
        signed = {"verb": "sign-test", "test": {"item": "vendor-confirms", "passed": True}, "why": "seen", "pulje": "monday"}
        others, ours = min(own["Gamma-planted"]), min(own["Alfa"])
        known = next(pulje for pulje in self.ask("gamma", "GET", "/v1/status").json["puljer"] if pulje["name"] == "monday")["parties"][0]["herID"]
        self.assertEqual(self.stage.ask("POST", "/v1/command", {**signed, "herIDs": [known]}, {"authorization": f"Bearer {self.secrets['gamma']}"}, self.connection()).status, 200)
        name, view, _ = next(gamma)
        party = next(party for pulje in view["puljer"] for party in pulje["parties"] if party["herID"] == known)
        self.assertEqual([test["item"] for test in party["tests"]], ["vendor-confirms"])
        self.assertEqual(self.command("vendor", **signed, herIDs=[ours]).status, 200)
        name, view, fields = next(alfa)
        text = json.dumps(fields)
        self.assertEqual({party["herID"] for pulje in view["puljer"] for party in pulje["parties"]}, own["Alfa"])
        self.assertTrue(any(party["tests"] for pulje in view["puljer"] for party in pulje["parties"] if party["herID"] == ours), "the first that Alfa hears is its own")
        for word in ("planted", "Gamma", "Beta", str(others), str(known)):
            self.assertNotIn(word, text)
        waits = self.ask("vendor", "GET", "/v1/drain?after=1&patience=100")
        self.assertEqual((waits.status, waits.code), (400, "CLI-014"), waits)
        self.stage.end(daemon)


if __name__ == "__main__":
    unittest.main()
