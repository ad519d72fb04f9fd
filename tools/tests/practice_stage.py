# SPDX-License-Identifier: Apache-2.0
"""The practice ground (two buses in memory, a register, systems at work: docs/day-one.en.md) and a daemon on it."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PROGRAMS = REPOSITORY / ".build" / (os.environ.get("CONFIGURATION") or "debug")
LIMIT = 120


class PracticeStage:
    """For test cases: what it starts ends with the test."""

    @classmethod
    def setUpClass(cls):
        for program in ("bus-migrator", "rehearsal"):
            assert (PROGRAMS / program).exists(), f"{program} is not built: swift build"

    def setUp(self):
        # a short path: a Unix socket's may have 103 bytes
        self.folder = Path(tempfile.mkdtemp(prefix="bmj-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def ground(self):
        """The practice ground, of the environment rehearsal."""
        place = self.folder / "practice"
        ground = subprocess.Popen(
            [PROGRAMS / "rehearsal", "practice", "--directory", place, "--brokers", "embedded"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True)
        self.addCleanup(self.end, ground)
        said = []
        for line in ground.stdout:
            said.append(line)
            if line.startswith("ready:"):
                return place
        self.fail("".join(said))

    def daemon(self, place):
        daemon = subprocess.Popen(
            [PROGRAMS / "bus-migrator", "run", "--config", place / "bus-migrator.yaml"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(self.end, daemon)
        self.until(lambda: self.run_it(place, "status").returncode == 0, "the daemon")
        return daemon

    def end(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdout:
            process.stdout.close()

    def until(self, condition, what):
        ends = time.monotonic() + LIMIT
        while not condition():
            self.assertLess(time.monotonic(), ends, what)
            time.sleep(0.2)

    def run_it(self, place, *arguments):
        return subprocess.run(
            [PROGRAMS / "bus-migrator", *map(str, arguments), *([] if arguments[0] == "explain" or arguments[:2] == ("config", "keys") else ["--config", "bus-migrator.yaml"])],
            capture_output=True, text=True, timeout=LIMIT, cwd=place)
