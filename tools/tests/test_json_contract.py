# SPDX-License-Identifier: Apache-2.0
"""What bus-migrator answers with --json is what docs/schema/bus-migrator-1.schema.json says: real answers of every command that has it, on the
practice ground (two buses in memory, a register, systems at work), and errors. A command with --json that is not tried here fails the test.

Needs the built programs and python3-jsonschema: swift build, then python3 -m pytest tools/tests
"""

import json
import subprocess
import unittest

import jsonschema

from practice_stage import PROGRAMS, REPOSITORY, PracticeStage

SCHEMA = REPOSITORY / "docs" / "schema" / "bus-migrator-1.schema.json"
CONTRACT = REPOSITORY / "docs" / "json.md"
ERROR_CODES = REPOSITORY / "docs" / "error-codes.md"
TWO = ("--approved-by", "kari", "--approved-by", "ola", "--because", "a test")
ONE = ("--by", "kari", "--because", "a test")
# Asked for with a register of collaboration protocols, which the practice ground has not: RegistryEndpointsTests looks at the answer's form.
# test_watch.py follows it, and holds each line against the schema.
TRIED_ELSEWHERE = {"registry endpoints", "watch"}


def commands_with_json(command, path=()):
    """Every command that has --json, by the words it is called with."""
    found = set()
    if any(name["name"] == "json" for argument in command.get("arguments", []) for name in argument.get("names", [])):
        found.add(" ".join(path))
    for below in command.get("subcommands", []):
        found |= commands_with_json(below, (*path, below["commandName"]))
    return found


class JSONContract(PracticeStage, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.schema = json.loads(SCHEMA.read_text())
        dumped = subprocess.run([PROGRAMS / "bus-migrator", "--experimental-dump-help"], capture_output=True, text=True, check=True).stdout
        cls.commands = commands_with_json(json.loads(dumped)["command"])

    def setUp(self):
        super().setUp()
        self.tried, self.codes = set(), set()

    def check(self, answer, name, words):
        """Against the schema that the answer itself names, which must be the one that is promised."""
        self.assertEqual(answer.get("schema"), f"bus-migrator/{name}", words)
        checker = jsonschema.validators.validator_for(self.schema)
        part = {"$schema": self.schema["$schema"], "$ref": f"#/$defs/{name.rsplit('/', 1)[0]}", "$defs": self.schema["$defs"]}
        trouble = [f"{list(error.absolute_path)}: {error.message[:300]}" for error in checker(part).iter_errors(answer)]
        self.assertEqual(trouble, [], words)
        # The whole file says so, too.
        checker(self.schema).validate(answer)

    def told(self, place, name, *arguments, code=0, lines=False):
        """Runs a command with --json and checks what it tells."""
        words = next(" ".join(arguments[:count]) for count in (2, 1) if " ".join(map(str, arguments[:count])) in self.commands)
        result = self.run_it(place, *arguments, "--json")
        self.assertEqual(result.returncode, code, f"{arguments}: {result.stdout[-1500:]} {result.stderr[-1500:]}")
        answers = [json.loads(line) for line in result.stdout.splitlines()] if lines else [json.loads(result.stdout)]
        self.assertGreater(len(answers), 0, arguments)
        for answer in answers:
            self.check(answer, name, arguments)
            if name not in ("error/1", "explain/1", "config-check/1", "config-show/1", "config-keys/1", "report-verification/1"):
                self.assertEqual(answer.get("environment"), "rehearsal", arguments)
        self.tried.add(words)
        self.codes.add(code)
        if name == "error/1":
            self.assertEqual(answers[-1]["exitCode"], code, arguments)
            self.assertIn(answers[-1]["code"], ERROR_CODES.read_text(), arguments)
            self.assertIs(answers[-1]["isRefusal"], code == 3, arguments)
        return answers[-1]

    def test_the_schema_is_one_and_refuses_what_is_not_promised(self):
        jsonschema.validators.validator_for(self.schema).check_schema(self.schema)
        good = {"schema": "bus-migrator/explain/1", "code": "MIG-403", "kind": "wait", "meaning": "m", "next": "n"}
        self.check(good, "explain/1", "by hand")
        for wrong in ({**good, "code": 403}, {key: value for key, value in good.items() if key != "next"}):
            with self.assertRaises(AssertionError):
                self.check(wrong, "explain/1", "by hand")
        # What is added later breaks nobody.
        self.check({**good, "later": 1}, "explain/1", "by hand")

    def test_every_schema_stands_on_the_page(self):
        page = CONTRACT.read_text()
        names = {definition["properties"]["schema"]["const"] for definition in self.schema["$defs"].values() if "schema" in definition.get("properties", {})}
        self.assertGreater(len(names), 20)
        for name in names:
            self.assertIn(f"`{name}`", page)
        for words in self.commands:
            self.assertIn(f"`{words}`", page)

    def test_every_command_answers_as_is_promised(self):
        place = self.ground()
        told = lambda *arguments, **more: self.told(place, *arguments, **more)
        # Before there is a daemon.
        told("config-check/1", "config", "check")
        told("config-show/1", "config", "show", "--all")
        told("config-keys/1", "config", "keys")
        # No daemon yet, and the practice ground's register does not know the HER-ID that pings come from.
        doctor = told("doctor/1", "doctor", "--backups", "backups", code=1)
        marks = {finding["step"]: finding["mark"] for finding in doctor["findings"]}
        self.assertEqual(
            {step: marks[step] for step in ("DOC-001", "DOC-002", "DOC-003", "DOC-004", "DOC-006", "DOC-007", "DOC-008", "DOC-011", "DOC-013")},
            {"DOC-001": "fine", "DOC-002": "fine", "DOC-003": "fine", "DOC-004": "notice", "DOC-006": "fine", "DOC-007": "fine", "DOC-008": "wrong",
             "DOC-011": "wrong", "DOC-013": "fine"}, doctor)
        told("explain/1", "explain", "MIG-403")
        told("explain/1", "explain", "FWD-105")
        told("error/1", "explain", "NOT-1", code=2)
        told("error/1", "status", code=4)
        told("error/1", "pause", *ONE, code=4)
        told("error/1", "rollback", code=2)
        told("registry-sync/1", "registry", "sync", "--her-id", "2001,3004")
        told("registry-sync/1", "registry", "sync", "--her-id", "2001,3004,1000,1001,1002", "--execute")
        told("registry-export/1", "registry", "export", "parties.json")
        told("registry-import/1", "registry", "import", "parties.json")
        told("registry-import/1", "registry", "import", "parties.json", "--execute")
        for name, *words in (("show", "2001"), ("show", "2001", "--live"), ("groups",), ("verify",)):
            told(f"registry-{name}/1", "registry", name, *words)
        told("registry-diff/2", "registry", "diff")
        told("error/1", "registry", "show", "9", code=self.run_it(place, "registry", "show", "9").returncode)
        (place / "queues.txt").write_text("2001_async\n2002_async\nsomething\n")
        told("registry-queues/1", "registry", "queues", "queues.txt", "--bus", "servicebus")
        told("error/1", "registry", "endpoints", code=2)
        told("shadow/1", "shadow", "look", "pulje.yaml", "--to", "shadow.jsonl")
        told("shadow-score/1", "shadow", "score", "shadow.jsonl")
        plan = told("plan/1", "plan", "pulje.yaml")
        self.assertTrue(plan["isClear"])
        # A pulje, from its start to its end.
        daemon = self.daemon(place)
        told("error/1", "status", "--pulje", "no such name", code=2)
        start = ("start", "pulje.yaml", *TWO)
        self.assertIs(told("command/1", *start)["executed"], False)
        told("error/1", "start", "pulje.yaml", "--approved-by", "kari", "--because", "alone", code=3)
        self.assertIs(told("command/1", *start, "--execute")["executed"], True)
        told("command/1", "pause", *ONE)
        self.assertEqual(told("command/1", "pause", *ONE)["status"], "already_paused")
        told("command/1", "resume", *ONE, "--execute")
        told("command/1", "stop-the-line", *ONE)
        told("command/1", "release-the-line", *TWO)
        told("command/1", "release-the-line", *TWO, "--execute")
        groups = lambda: json.loads(self.run_it(place, "status", "--json").stdout)["puljer"][0]["groups"]
        phase = lambda herID: next(group["phase"] for group in groups() if group["id"] == herID)
        self.until(lambda: phase(3004) in ("DRAINING", "DRAINED", "OBSERVING"), "the drain")
        told("status/1", "status")
        told("drain-status/1", "drain")
        told("drain-status/1", "drain", "status")
        told("drain-explain/1", "drain", "explain", "3004")
        told("drain-forward/1", "drain", "forward", "--her-id", "3004")
        told("drain-forward-trial/1", "drain", "forward", "--her-id", "3004", "--check")
        told("drain-bus/1", "drain", "--bus", "servicebus")
        told("command/1", "drain", "forward", "--her-id", "3004", *TWO)
        told("command/1", "close-bus", "servicebus", "--check")
        told("error/1", "close-bus", "servicebus", *TWO, code=3)
        told("command/1", "rollback", "--her-id", "3004", *ONE)
        told("command/1", "rollback", "--her-id", "3004", *ONE, "--execute")
        told("command/1", "quarantine", "--her-id", "2001", *ONE)
        told("command/1", "quarantine", "--her-id", "2001", *ONE, "--execute")
        told("command/1", "readmit", "--her-id", "2001", *ONE)
        told("command/1", "readmit", "--her-id", "2001", *ONE, "--execute")
        # a group leaves its drain when it may: then nothing is waived
        drains = phase(2002) == "DRAINING" and self.run_it(place, "waive", "--her-id", "2002", "--for", "1d", *ONE).returncode == 0
        told(*(("command/1", "waive") if drains else ("error/1", "waive")), "--her-id", "2002", "--for", "1d", *ONE, code=0 if drains else 3)
        told("command/1", "drain", "except", "--her-id", "2002", "--queue", "sb.test.nhn.no/NHNTESTServiceBus/2002_async", "--for", "1d", *TWO)
        told("error/1", "sign-test", "--her-id", "2001", "--item", "own-ping", "--seen", "x", "--by", "kari", code=3)
        self.until(lambda: {group["phase"] for group in groups()} <= {"OBSERVING", "RESTORED"}, "the watch")
        told("drain-status/1", "drain", "watch", "--until-drained", lines=True)
        self.until(lambda: self.run_it(place, "accept", *TWO).returncode == 0, "the end of the watch")
        told("command/1", "accept", *TWO)
        told("command/1", "accept", *TWO, "--execute")
        told("command/1", "retire", "--her-id", "2001", *TWO)
        told("error/1", "approve-removal", "--her-id", "2001", *TWO, code=3)
        told("report/1", "report")
        told("audit/1", "audit", "verify")
        self.run_it(place, "report", "--format", "html", "--output", "report.html")
        told("report-verification/1", "report", "--verify", "report.html")
        backup = told("backup-made/1", "backup", "--to", "backups")
        self.end(daemon)
        told("restore/1", "restore", backup["folder"])
        told("restore/1", "restore", backup["folder"], "--execute", "--replace", "--by", "kari")
        self.assertLessEqual({0, 2, 3, 4}, self.codes)
        self.assertEqual(self.commands - TRIED_ELSEWHERE - self.tried, set(), "commands with --json whose answer nobody looks at")


if __name__ == "__main__":
    unittest.main()
