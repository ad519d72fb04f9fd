# SPDX-License-Identifier: Apache-2.0
"""The bill of materials is CycloneDX 1.5 by CycloneDX's own validator, names everything that was resolved and is loaded, and nothing of this machine.

Needs the built programs: swift build, then python3 -m pytest tools/tests
"""

import json
import os
import re
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PROGRAMS = REPOSITORY / ".build" / (os.environ.get("CONFIGURATION") or "debug")
VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
wrong = JsonStrictValidator(SchemaVersion.V1_5).validate_str(sys.stdin.read())
if wrong: sys.exit(str(wrong)[:2000])
"""


def run(*command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=600, cwd=REPOSITORY, **more)


class BillOfMaterials(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.environment = {**os.environ, "SOURCE_DATE_EPOCH": "1767225600"}
        made = run("scripts/sbom", "--programs", PROGRAMS, folder.name, env=cls.environment)
        if made.returncode:
            raise AssertionError(made.stderr)
        cls.texts = {name: (Path(folder.name) / f"{name}.cdx.json").read_text() for name in ("bus-migrator", "bus-pinger")}
        cls.documents = {name: json.loads(text) for name, text in cls.texts.items()}
        python = run("scripts/foreign-python", "tools/foreign/requirements-sbom.txt")
        if python.returncode:
            raise AssertionError(python.stderr)
        cls.python = python.stdout.strip()

    def validated(self, text):
        return run(self.python, "-c", VALIDATE, input=text)

    def test_is_what_cyclonedx_takes(self):
        for text in self.texts.values():
            self.assertEqual(self.validated(text).stderr, "")
        wrong = json.loads(self.texts["bus-pinger"])
        wrong["components"][0]["hashes"] = [{"alg": "SHA-256", "content": "short"}]
        self.assertNotEqual(self.validated(json.dumps(wrong)).returncode, 0, "the validator takes anything")

    def test_every_resolved_package_of_the_programs_is_there_with_version_commit_and_licence(self):
        pins = {pin["identity"]: pin["state"] for pin in json.loads((REPOSITORY / "Package.resolved").read_text())["pins"]}
        told = {part["bom-ref"].removeprefix("swift:"): part for part in self.documents["bus-migrator"]["components"] if part["bom-ref"].startswith("swift:")}
        self.assertGreater(len(told), 20)
        for identity, part in told.items():
            self.assertEqual(part["version"], pins[identity]["version"])
            self.assertIn({"name": "tjenestebuss:commit", "value": pins[identity]["revision"]}, part["properties"])
            self.assertIn(part["licenses"][0].get("expression") or part["licenses"][0]["license"]["id"], ("Apache-2.0", "Apache-2.0 WITH Swift-exception", "MIT"))
        for identity in ("swift-nio", "swift-nio-ssl", "grdb.swift", "yams", "hummingbird", "async-http-client", "swift-crypto"):
            self.assertIn(identity, told)
        self.assertNotIn("swift:hummingbird", {part["bom-ref"] for part in self.documents["bus-pinger"]["components"]}, "the pinger serves nothing")

    def test_what_is_carried_along_is_named(self):
        names = [part["name"] for part in self.documents["bus-migrator"]["components"] if part["bom-ref"].startswith("carried:")]
        self.assertEqual(sorted(names), ["BoringSSL", "BoringSSL", "XKCP", "libyaml", "llhttp"])
        carried = run("find", ".build/checkouts", "-path", "*/Sources/*", "-name", "hash.txt").stdout.split()
        self.assertEqual(len(carried), names.count("BoringSSL"), "another package carries C code with a hash.txt: name it in scripts/sbom")

    def test_every_library_that_a_program_loads_is_there_with_its_hash(self):
        for name, document in self.documents.items():
            files = {file["name"]: file["hashes"][0]["content"] for part in document["components"] for file in part.get("components", [])}
            for library, path in re.findall(r"(\S+) => (/\S+)", run("ldd", PROGRAMS / name).stdout):
                if "/swift/" in path:
                    continue
                self.assertEqual(files[library], run("sha256sum", path).stdout.split()[0], library)
            packages = {part["name"] for part in document["components"] if part["bom-ref"].startswith("deb:")}
            self.assertLessEqual({"libqpid-proton11", "libsqlite3-0", "zlib1g", "libssl3", "libc6"}, packages)
            self.assertEqual(document["metadata"]["component"]["hashes"][0]["content"], run("sha256sum", PROGRAMS / name).stdout.split()[0])

    def test_every_part_hangs_on_the_program(self):
        for name, document in self.documents.items():
            needs = {item["ref"]: item["dependsOn"] for item in document["dependencies"]}
            seen, todo = set(), [name]
            while todo:
                part = todo.pop()
                if part not in seen:
                    seen.add(part)
                    todo += needs[part]
            self.assertEqual(seen, {name} | {part["bom-ref"] for part in document["components"]})

    def test_nothing_of_this_machine_is_in_it_and_the_same_parts_make_the_same_document(self):
        for name, text in self.texts.items():
            for word in (str(REPOSITORY), os.path.expanduser("~") + "/", "/tmp/", socket.gethostname(), ".build"):
                self.assertNotIn(word, text)
            hosts = set(re.findall(r"https?://([^/\"]+)", text))
            self.assertLessEqual(hosts, {"github.com", "cyclonedx.org"})
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(run("scripts/sbom", "--programs", PROGRAMS, folder, env=self.environment).returncode, 0)
            for name, text in self.texts.items():
                self.assertEqual((Path(folder) / f"{name}.cdx.json").read_text(), text)


if __name__ == "__main__":
    unittest.main()
