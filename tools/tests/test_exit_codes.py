# SPDX-License-Identifier: Apache-2.0
"""The exit codes on the page (docs/json.md) are those that bus-migrator's help tells, and those in the program."""

import os
import re
import subprocess
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PROGRAM = REPOSITORY / ".build" / (os.environ.get("CONFIGURATION") or "debug") / "bus-migrator"


class ExitCodes(unittest.TestCase):
    def test_page_help_and_program_have_the_same_ones(self):
        page = (REPOSITORY / "docs" / "json.md").read_text().split("## Exit codes")[1].split("\n## ")[0]
        written = {int(code) for code in re.findall(r"(?m)^\| (\d+) \|", page)}
        source = (REPOSITORY / "Sources" / "bus-migrator" / "ExitCode.swift").read_text()
        programs = {int(code) for code in re.findall(r"static let \w+: Int32 = (\d+)", source)}
        self.assertTrue(PROGRAM.exists(), f"{PROGRAM} is not built: swift build")
        told = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
        helps = {int(code) for code in re.findall(r"(?:Exit codes: |; )(\d+) ", " ".join(told.split()))}
        self.assertGreater(len(programs), 5)
        self.assertEqual(written, programs)
        self.assertEqual(helps, programs)


if __name__ == "__main__":
    unittest.main()
