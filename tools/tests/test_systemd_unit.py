# SPDX-License-Identifier: Apache-2.0
"""The unit's hardening is a promise with a number: systemd's own analysis must not find it worse than 1.5 of 10."""

import re
import shutil
import subprocess
import unittest
from pathlib import Path

UNIT = Path(__file__).resolve().parent.parent.parent / "systemd" / "bus-migrator.service"


@unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze: scripts/install-dependencies brings it")
class SystemdUnit(unittest.TestCase):
    def test_exposure(self):
        result = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)], capture_output=True, text=True, timeout=120)
        level = re.search(r"Overall exposure level for bus-migrator.service: ([0-9.]+)", result.stdout)
        self.assertIsNotNone(level, result.stdout + result.stderr)
        self.assertLessEqual(float(level[1]), 1.5, result.stdout)

    def test_no_setting_is_misspelt(self):
        result = subprocess.run(["systemd-analyze", "verify", str(UNIT)], capture_output=True, text=True, timeout=120)
        complaints = [line for line in result.stderr.splitlines()
                      if UNIT.name in line and "is not executable: No such file" not in line]
        self.assertEqual(complaints, [])


if __name__ == "__main__":
    unittest.main()
