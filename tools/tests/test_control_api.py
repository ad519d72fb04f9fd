# SPDX-License-Identifier: Apache-2.0
"""The control interface is what docs/api/openapi.json says: the validator takes the description, every route and verb is tried with every role, what a
vendor sees is searched for what is others', and schemathesis asks whatever comes to its mind."""

import http.client
import json
import os
import sqlite3
import subprocess
import unittest

from control_stage import LIMIT, REPOSITORY, ControlStage, certificate, free_port, tls

DESCRIPTION = REPOSITORY / "docs" / "api" / "openapi.json"
ROLES = ("viewer", "operator", "approver", "vendor")
VALIDATE = """
import json, sys
from openapi_spec_validator import validate
validate(json.load(open(sys.argv[1])))
"""


def python():
    made = subprocess.run(
        ["scripts/foreign-python", "tools/foreign/requirements-openapi.txt"], cwd=REPOSITORY, capture_output=True, text=True, timeout=600)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def refers(value):
    """Everything that a schema refers to."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            else:
                yield from refers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from refers(inner)


class Described(unittest.TestCase):
    def test_the_description_is_one(self):
        run = subprocess.run([python(), "-c", VALIDATE, str(DESCRIPTION)], capture_output=True, text=True, timeout=LIMIT)
        self.assertEqual(run.returncode, 0, run.stderr)
        wrong = json.loads(DESCRIPTION.read_text())
        del wrong["info"]
        run = subprocess.run([python(), "-c", VALIDATE, "/dev/stdin"], input=json.dumps(wrong), capture_output=True, text=True, timeout=LIMIT)
        self.assertNotEqual(run.returncode, 0, "the validator takes anything")

    def test_every_schema_is_there_and_used(self):
        text = json.loads(DESCRIPTION.read_text())
        there = {f"#/components/schemas/{name}" for name in text["components"]["schemas"]}
        self.assertEqual(set(refers(text)), there)


class Asked(unittest.TestCase):
    """A real daemon, with two sealed puljer of three vendors, over TCP."""

    def setUp(self):
        self.description = json.loads(DESCRIPTION.read_text())
        self.stage = ControlStage(self)
        self.chain, _ = certificate(self.stage.folder)
        self.port = free_port()
        tokens = ""
        for role in ROLES:
            (self.stage.folder / f"token-{role}").write_text(self.secret(role))
            vendor = ", vendor: Alfa" if role == "vendor" else ""
            tokens += f"    - {{name: {role}-1, role: {role}, expires: 2099-12-31, token-file: token-{role}{vendor}}}\n"
        self.stage.configure(
            f"api:\n  listen: 127.0.0.1:{self.port}\n  certificate: daemon.pem\n  private-key: daemon.key\n  tokens:\n{tokens}log-level: debug\n")
        self.stage.plant_pulje()
        self.daemon = self.stage.start()

    def secret(self, role):
        return (role + "-secret-") * 6

    def ask(self, role, method, path, body=None, headers=None):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=tls(self.chain), timeout=LIMIT)
        headers = {"authorization": f"Bearer {self.secret(role)}", **(headers or {})}
        return self.stage.ask(method, path, body, headers, connection)

    def routes(self):
        for path, operations in self.description["paths"].items():
            for method, operation in operations.items():
                yield method.upper(), path, operation

    def state(self):
        """All that a change would show in: where the history ends, and what the puljer are."""
        status = self.stage.ask("GET", "/v1/status").json
        return status["head"]

    def test_every_route_with_every_role(self):
        before = self.state()
        for method, path, operation in self.routes():
            for role in ROLES:
                may = role in operation["x-roles"]
                # Nothing that could be carried out: whether somebody may is said before a body is looked at.
                body = {} if method == "POST" else None
                answer = self.ask(role, method, path, body)
                if may:
                    self.assertNotIn(answer.status, (401, 403, 404, 405), f"{role} {method} {path}: {answer}")
                else:
                    self.assertEqual((answer.status, answer.code), (403, "CLI-018"), f"{role} {method} {path}: {answer}")
        known = {(method, path) for method, path, _ in self.routes()}
        for method, path in sorted(known):
            for other in ("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "POST", "GET"):
                if (other, path) in known:
                    continue
                answer = self.ask("operator", other, path)
                self.assertEqual(answer.status, 405, f"{other} {path}: {answer}")
                self.assertEqual(
                    set(answer.headers["allow"].split(", ")), {m for m, p in known if p == path})
        for path in ("/nowhere", "/v1/status/", "/v1//status", "/v1/%73tatus", "/v1/command/x", "/v1/../v1/status"):
            self.assertEqual(self.ask("operator", "GET", path).status, 404, path)
            self.assertEqual(self.ask("vendor", "POST", path, {}).status, 403, path)
        self.assertEqual(self.state(), before)

    def bodies(self, verb):
        """What would be carried out if the role were right: some of them would be no without it, none may be read."""
        yield {"verb": verb, "pulje": "monday", "herIDs": [7700000], "why": "CHG-7", "by": ["Kari", "Ola"]}
        yield {"verb": verb, "pulje": "monday", "herIDs": [100], "why": "CHG-7", "bus": "sb", "test": {"item": "own-ping", "passed": True}}

    def test_every_verb_with_every_role(self):
        verbs = self.description["paths"]["/v1/command"]["post"]["x-verbs"]
        self.assertEqual(sorted(verbs), sorted(self.description["components"]["schemas"]["Command"]["properties"]["verb"]["enum"]))
        before = self.state()
        for verb, roles in verbs.items():
            for role in ROLES:
                if role in roles:
                    continue
                for body in self.bodies(verb):
                    answer = self.ask(role, "POST", "/v1/command", body)
                    self.assertEqual((answer.status, answer.code), (403, "CLI-018"), f"{role} {verb}: {answer}")
        self.assertEqual(self.state(), before, "nothing is written for who may not")
        for verb, roles in verbs.items():
            for role in set(roles) - {"vendor"}:
                # Of nobody's: far enough to see that it is the role's.
                answer = self.ask(role, "POST", "/v1/command", {"verb": verb, "pulje": "none", "bus": "none", "why": "CHG-7", "wave": 99, "by": []})
                self.assertNotEqual(answer.status, 403, f"{role} {verb}: {answer}")

    def test_a_vendor_sees_its_own_and_nothing_else(self):
        hidden = ("planted", "7700000", "7700001", "8800000", "Beta", "Gamma")
        paths = [
            "/v1/status", "/v1/status?pulje=monday", "/v1/report", "/v1/report?pulje=monday", "/v1/drain", "/v1/drain?her-id=100,102",
            "/v1/health"]
        for path in paths:
            answer = self.ask("vendor", "GET", path)
            self.assertEqual(answer.status, 200, f"{path}: {answer}")
            if path != "/v1/health":
                self.assertEqual(answer.json["schema"], "bus-migrator/vendor/1")
                self.assertEqual({p["herID"] for pulje in answer.json["puljer"] for p in pulje["parties"]}, {100, 102})
            for word in hidden:
                self.assertNotIn(word, answer.body.decode(), f"{path} shows {word}")
        # Another's pulje and party are answered as what is not there: the same words.
        for there, nowhere in (("pulje=planted-secret-pulje", "pulje=no-such-thing-here"), ("her-id=7700000", "her-id=9700000"), ("her-id=101", "her-id=9101")):
            for path in ("/v1/status", "/v1/report", "/v1/drain"):
                one, other = self.ask("vendor", "GET", f"{path}?{there}"), self.ask("vendor", "GET", f"{path}?{nowhere}")
                self.assertEqual((one.status, one.code), (other.status, other.code))
                self.assertEqual(one.status, 409)
                self.assertEqual(
                    one.json["text"].replace(there.split("=")[1], "X"), other.json["text"].replace(nowhere.split("=")[1], "X"))
        self.assertEqual(self.ask("vendor", "GET", "/v1/status?form=text").status, 400)

    def test_a_vendor_confirms_its_own_and_nothing_else(self):
        def sign(role="vendor", item="vendor-confirms", herIDs=(100,), pulje="monday", **more):
            return self.ask(role, "POST", "/v1/command", {
                "verb": "sign-test", "pulje": pulje, "herIDs": list(herIDs), "why": "CHG-7", "test": {"item": item, "passed": True}, **more})

        before = self.state()
        for answer, expected in (
                (sign(item="own-ping"), (403, "CLI-018")), (sign(herIDs=[101]), (409, "MIG-202")), (sign(herIDs=[100, 7700000]), (409, "MIG-202")),
                (sign(pulje="planted-secret-pulje", herIDs=[8800000]), (409, "MIG-205")), (sign(herIDs=[]), (400, "CLI-014")),
                (sign(herIDs=[101], preview=True), (409, "MIG-202")), (sign(item="own-ping", preview=True), (403, "CLI-018")),
                (self.ask("operator", "POST", "/v1/command", {"verb": "accept", "by": [], "why": "x", "preview": True}), (403, "CLI-018")),
                (sign(by=["Kari"]), (403, "CLI-021")), (sign(wave=1), (400, "CLI-014")), (sign(why="x" * 70_000), (413, "CLI-025"))):
            self.assertEqual((answer.status, answer.code), expected, answer)
            for word in ("planted", "Gamma", "Beta"):
                self.assertNotIn(word, answer.body.decode().replace("planted-secret-pulje", ""))
        # What would come of it is told by the same rights, and no more of it.
        seen = sign(herIDs=[100, 102], preview=True).json
        self.assertEqual((seen["executed"], seen["events"]), (False, ["group.test-signed"] * 2))
        self.assertLessEqual(set(seen), {"schema", "status", "isRepeat", "executed", "events"})
        self.assertEqual(self.state(), before)
        signed = sign(herIDs=[100, 102])
        self.assertEqual((signed.status, signed.json["events"]), (200, ["group.test-signed"] * 2), signed)
        self.assertNotIn("pulje", signed.json)
        parties = self.ask("vendor", "GET", "/v1/status").json["puljer"][0]["parties"]
        self.assertEqual([p["tests"][-1]["item"] for p in parties], ["vendor-confirms"] * 2)
        # What another vendor's name looks like does not help.
        self.assertEqual(self.ask("vendor", "GET", "/v1/status", headers={"x-vendor": "Gamma-planted"}).json["vendor"], "Alfa")

    def test_what_does_not_fit_is_answered_in_one_form(self):
        def command(body, **headers):
            return self.ask("operator", "POST", "/v1/command", body, {"content-type": "application/json", **headers})

        cases = [
            (command("{"), 400, "CLI-014"), (command("[]"), 400, "CLI-014"), (command('{"verb":"fly"}'), 400, "CLI-014"),
            (command('{"verb":"pause","by":"Kari"}'), 400, "CLI-014"), (command('{"verb":"pause","herID":[1]}'), 400, "CLI-014"),
            (command('{"verb":"pause","pulje":"a/b"}'), 400, "CLI-014"), (command("{" * 100_000), 400, "CLI-014"),
            (command(b"\xff\xfe"), 400, "CLI-014"), (command(""), 400, "CLI-014"),
            (command('{"verb":"pause","why":"x","pulje":"none"}'), 409, "MIG-205"),
            (command('{"verb":"pause","why":"' + "x" * 3_000 + '"}'), 400, "CLI-014"),
            (self.ask("operator", "POST", "/v1/command", "{}", {"content-type": "text/plain"}), 415, "CLI-026"),
            (self.ask("operator", "POST", "/v1/command", "{}"), 415, "CLI-026"),
            (self.ask("operator", "GET", "/v1/drain?after=x"), 400, "CLI-014"), (self.ask("operator", "GET", "/v1/drain?her-id=0"), 400, "CLI-014"),
            (self.ask("operator", "GET", "/v1/drain?her-id=99999999999"), 400, "CLI-014"), (self.ask("operator", "GET", "/v1/status?form=xml"), 400, "CLI-014"),
            (self.ask("operator", "GET", "/v1/drain/bus"), 400, "CLI-014"),
        ]
        for answer, status, code in cases:
            self.assertEqual((answer.status, answer.code), (status, code), answer)
            self.assertEqual(set(answer.json), {"schema", "code", "explanation", "text", "isRefusal"})

    def test_schemathesis(self):
        """No 5xx, no answer that is not described, whoever asks."""
        interpreter = python()
        # As it is described, but for how long it waits for something to happen: nothing does here.
        hasty = json.loads(DESCRIPTION.read_text())
        for parameter in hasty["paths"]["/v1/drain"]["get"]["parameters"]:
            if parameter["name"] == "patience":
                parameter["schema"]["maximum"] = 20
        # It never ends.
        del hasty["paths"]["/v1/live"]
        described = self.stage.folder / "openapi.json"
        described.write_text(json.dumps(hasty))
        runs = {}
        for role in ("viewer", "vendor", "operator"):
            folder = self.stage.folder / role
            folder.mkdir()
            runs[role] = subprocess.Popen(
                [interpreter, "-m", "schemathesis.cli", "--config-file", str(self.settings(role)), "run", str(described)],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder)
        for run in runs.values():
            self.addCleanup(run.communicate)
            self.addCleanup(run.kill)
        told = {role: run.communicate(timeout=240)[0] for role, run in runs.items()}
        for role, run in runs.items():
            self.assertEqual(run.returncode, 0, f"{role}\n{told[role][-6000:]}")
            self.assertIn(f"Selected: {len(list(self.routes())) - 1}/", told[role])
        self.assertIsNone(self.daemon.poll())
        self.stage.end(self.daemon)

    def settings(self, role):
        path = self.stage.folder / f"schemathesis-{role}.toml"
        path.write_text(f"""
base-url = "https://127.0.0.1:{self.port}"
tls-verify = "{self.chain}"
headers = {{ authorization = "Bearer {self.secret(role)}" }}
request-timeout = 20
color = false
[phases.fuzzing]
enabled = true
[phases.stateful]
enabled = false
[phases.examples]
enabled = false
[generation]
max-examples = 20
deterministic = true
mode = "all"
[checks]
enabled = false
not_a_server_error.enabled = true
status_code_conformance.enabled = true
content_type_conformance.enabled = true
response_schema_conformance.enabled = true
response_headers_conformance.enabled = true
""")
        return path


ASKS = """
import http.client, json, socket, sys
path, questions = json.load(sys.stdin)
answers = []
for method, address, body in questions:
    connection = http.client.HTTPConnection("localhost", timeout=60)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(path)
    connection.request(method, address, body=None if body is None else json.dumps(body), headers={"bus-migrator-request": "1", "content-type": "application/json"})
    answer = connection.getresponse()
    # A stream of events has no end, figures are text.
    is_json = answer.headers["content-type"].startswith("application/json")
    answers.append((answer.status, json.loads(answer.read()).get("code") if is_json else None))
    connection.close()
print(json.dumps(answers))
"""


class AskedByLogins(unittest.TestCase):
    """Over the socket, where the kernel says who asks and the groups say what that one may."""

    LOGINS = {
        "seer": (5001, ["bus-migrator-viewer"]), "runner": (5002, ["bus-migrator-viewer", "bus-migrator-operator"]),
        "leader": (5003, ["bus-migrator-approver"]), "both": (5004, ["bus-migrator-operator", "bus-migrator-approver"]),
        "stranger": (5005, ["bus-migrator-vendor", "sudo"])}

    def setUp(self):
        self.description = json.loads(DESCRIPTION.read_text())
        self.stage = ControlStage(self)
        self.stage.plant_pulje()
        self.daemon = self.stage.start(self.LOGINS)
        os.chmod(self.stage.folder, 0o755)
        os.chmod(self.stage.socket, 0o666)

    def asked(self, uid, questions):
        run = subprocess.run(
            ["/usr/bin/python3", "-c", ASKS], input=json.dumps([self.stage.socket, questions]), capture_output=True, text=True, timeout=LIMIT, user=uid, group=uid,
            extra_groups=[], cwd="/")
        self.assertEqual(run.returncode, 0, run.stderr)
        return [tuple(answer) for answer in json.loads(run.stdout)]

    def test_every_verb_and_route_with_every_login(self):
        verbs = self.description["paths"]["/v1/command"]["post"]["x-verbs"]
        routes = [(m.upper(), p, o) for p, operations in self.description["paths"].items() for m, o in operations.items()]
        for name, (uid, groups) in self.LOGINS.items():
            roles = {group.removeprefix("bus-migrator-") for group in groups} & {"viewer", "operator", "approver"}
            # Of nobody's, and without a wave that is there: far enough to see whether it is the login's.
            asked = self.asked(uid, [("POST", "/v1/command", {"verb": verb, "pulje": "none", "bus": "none", "why": "CHG-7"}) for verb in verbs])
            for verb, answer in zip(verbs, asked):
                if roles & set(verbs[verb]):
                    self.assertNotEqual(answer[0], 403, f"{name} {verb}")
                    if verb in ("stop", "release"):
                        self.assertIn(answer[1], ("MIG-224", "MIG-204", "MIG-213", None), f"{name} {verb} {answer}")
                else:
                    self.assertEqual(answer, (403, "CLI-018"), f"{name} {verb}")
            asked = self.asked(uid, [(method, path, {} if method == "POST" else None) for method, path, _ in routes])
            for (method, path, operation), answer in zip(routes, asked):
                if roles & set(operation["x-roles"]):
                    self.assertNotIn(answer[0], (403, 404, 405), f"{name} {method} {path}")
                else:
                    self.assertEqual(answer, (403, "CLI-018"), f"{name} {method} {path}")

    def test_the_history_has_the_login_that_said_it(self):
        stop = {"verb": "stop", "by": ["Kari"], "why": "CHG-7"}
        release = {"verb": "release", "by": ["Kari", "Ola"], "why": "CHG-8"}
        self.assertEqual(self.asked(5002, [("POST", "/v1/command", stop), ("POST", "/v1/command", release)]), [(200, None), (403, "CLI-018")])
        # The brake is everybody's who may change anything.
        self.assertEqual(self.asked(5003, [("POST", "/v1/command", release), ("POST", "/v1/command", stop)]), [(200, None), (200, None)])
        self.assertEqual(self.asked(5001, [("POST", "/v1/command", stop)]), [(403, "CLI-018")])
        with sqlite3.connect(f"file:{self.stage.database}?mode=ro", uri=True) as database:
            records = [json.loads(body)["commanded"]["record"] for body, in database.execute("SELECT body FROM event WHERE kind = 'command.given' ORDER BY sequence")]
        database.close()
        self.assertEqual(
            [(record["verb"], record["role"], record["giver"]["login"], record["by"], record["reason"]) for record in records],
            [("stop", "operator", {"uid": 5002, "name": "runner"}, ["Kari"], "CHG-7"),
             ("release", "approver", {"uid": 5003, "name": "leader"}, ["Kari", "Ola"], "CHG-8"),
             ("stop", "approver", {"uid": 5003, "name": "leader"}, ["Kari"], "CHG-7")])


if __name__ == "__main__":
    unittest.main()
