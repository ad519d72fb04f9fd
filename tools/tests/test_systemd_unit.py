# SPDX-License-Identifier: Apache-2.0
"""The units' hardening is a promise with a number: systemd's own analysis must not find one worse than 1.5 of 10, and must understand every line."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

UNITS = sorted((Path(__file__).resolve().parent.parent.parent / "systemd").glob("*.*"))


class SystemdUnit(unittest.TestCase):
    def test_the_daemon_may_do_little(self):
        for unit in [u for u in UNITS if u.suffix == ".service"]:
            result = subprocess.run(
                ["/usr/bin/systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", str(unit)],
                capture_output=True, text=True)
            self.assertEqual(result.returncode, 0, f"{unit.name}: {result.stdout[-200:]}{result.stderr}")

    def test_systemd_understands_every_line(self):
        with tempfile.TemporaryDirectory() as root:
            place = Path(root) / "usr/lib/systemd/system"
            place.mkdir(parents=True)
            units = [u for u in UNITS if u.suffix in (".service", ".socket", ".timer")]
            self.assertEqual(len(units), 6)
            for unit in units:
                shutil.copy(unit, place)
            for target in ("sysinit", "multi-user", "sockets", "timers", "network-online", "time-sync", "nss-lookup", "shutdown", "basic", "network", "time-set"):
                (place / f"{target}.target").write_text("[Unit]\nDescription=as systemd has it\n")
            for program in ("usr/bin/bus-migrator", "bin/kill"):
                path = Path(root) / program
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("#!/bin/sh\n")
                path.chmod(0o755)
            result = subprocess.run(
                ["/usr/bin/systemd-analyze", "verify", "--man=no", f"--root={root}", *[u.name for u in units]], capture_output=True, text=True)
            self.assertEqual((result.returncode, result.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
