# SPDX-License-Identifier: Apache-2.0
"""bus-migrator watch on the practice ground: lines where there is no terminal, a screen of 80 columns where there is one, JSON for programs; a daemon
that is killed and comes back; Ctrl-C.

Needs the built programs and python3-jsonschema: swift build, then python3 -m pytest tools/tests
"""

import json
import queue
import signal
import subprocess
import threading
import time
import unittest

import jsonschema

from practice_stage import LIMIT, PROGRAMS, REPOSITORY, PracticeStage
from terminal import Terminal

TWO = ("--approved-by", "kari", "--approved-by", "ola", "--because", "a test", "--execute")


class Lines:
    """A program's standard output, line by line as it comes."""

    def __init__(self, process):
        self.process, self.all, self.coming = process, [], queue.Queue()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.coming.put(line.rstrip("\n"))
        self.coming.put(None)

    def until(self, test, what, is_met):
        ends = time.monotonic() + LIMIT
        while True:
            try:
                line = self.coming.get(timeout=max(0.1, ends - time.monotonic()))
            except queue.Empty:
                test.fail(f"waited for {what}; it said:\n" + "\n".join(self.all))
            test.assertIsNotNone(line, f"it has ended, and {what} did not come:\n" + "\n".join(self.all))
            self.all.append(line)
            if is_met(line):
                return line


class Watch(PracticeStage, unittest.TestCase):
    def watch(self, place, *arguments):
        process = subprocess.Popen(
            [PROGRAMS / "bus-migrator", *arguments, "--config", place / "bus-migrator.yaml"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(self.end, process)
        return Lines(process)

    def test_lines_objects_and_a_screen_through_a_killed_daemon(self):
        place = self.ground()
        without = self.run_it(place, "watch")
        self.assertEqual((without.returncode, without.stdout), (4, ""), "no daemon was ever there")
        daemon = self.daemon(place)
        lines, objects = self.watch(place, "watch"), self.watch(place, "status", "--watch", "--json")
        self.assertIn("environment: rehearsal", lines.until(self, "the environment", lambda line: True))
        lines.until(self, "that there is nothing", lambda line: line.endswith("  no pulje"))
        terminal = Terminal([PROGRAMS / "bus-migrator", "watch", "--config", place / "bus-migrator.yaml"], columns=80, rows=24)
        self.addCleanup(terminal.end)
        terminal.wait("the first screen", lambda screen: screen.alternate and "no pulje" in screen.text())
        # A pulje is sealed while they watch.
        self.assertEqual(self.run_it(place, "start", "pulje.yaml", *TWO).returncode, 0)
        lines.until(self, "the pulje", lambda line: "pulje pulje-1  " in line and "servicebus -> tjenestebuss" in line)
        lines.until(self, "a time", lambda line: "until somebody may decide: " in line)
        terminal.wait("a bar", lambda screen: any(line.startswith("  all      [") for line in screen.lines()))
        lines.until(self, "groups that are moved", lambda line: "  all      [" in line and "-" in line.split("[")[1].split("]")[0])
        # It is killed: no word of farewell.
        daemon.kill()
        daemon.wait()
        lines.until(self, "that it is gone", lambda line: "THE DAEMON DOES NOT ANSWER" in line)
        terminal.wait("that it is gone", lambda screen: "THE DAEMON DOES NOT ANSWER" in screen.text())
        self.assertIn("pulje pulje-1", terminal.screen.text(), "what it last told stays")
        self.daemon(place)
        lines.until(self, "its return", lambda line: line.endswith("the daemon answers again"))
        terminal.wait("its return", lambda screen: "DOES NOT ANSWER" not in screen.text() and "pulje pulje-1" in screen.text())
        lines.until(self, "the decision", lambda line: "waits for the decision (accept): no estimate" in line)
        self.assertTrue(any("[##############################] 10 of 10 ready or decided" in line for line in lines.all), "\n".join(lines.all))
        terminal.wait("the decision", lambda screen: "waits for the decision (accept): no estimate" in screen.text())
        terminal.resize(60, 12)
        self.assertEqual(self.run_it(place, "stop-the-line", "--by", "kari", "--because", "a test of the screen").returncode, 0)
        terminal.wait("the stop", lambda screen: "THE LINE IS STOPPED by kari: a test of the screen" in screen.text())
        lines.until(self, "the stop", lambda line: "THE LINE IS STOPPED by kari" in line)
        # Nothing ran over the edge, and nothing of the screen's art is in the lines.
        self.assertFalse(terminal.screen.overflowed, terminal.screen.text())
        self.assertNotIn("\x1b", "\n".join(lines.all))
        terminal.type(b"\x03")
        self.assertEqual(terminal.ending(), 0)
        self.assertTrue(terminal.screen.cursor_shown and not terminal.screen.alternate)
        self.assertIn("pulje pulje-1", terminal.screen.text(), "what was last seen stays on the page")
        terminal.end()
        for one in (lines, objects):
            one.process.send_signal(signal.SIGINT)
            self.assertEqual(one.process.wait(LIMIT), 0, one.process.stderr.read())
            one.reader.join(LIMIT)
        self.check_objects(objects)

    def check_objects(self, objects):
        schema = json.loads((REPOSITORY / "docs" / "schema" / "bus-migrator-1.schema.json").read_text())
        checker = jsonschema.validators.validator_for(schema)
        part = checker({"$schema": schema["$schema"], "$ref": "#/$defs/watch", "$defs": schema["$defs"]})
        told = []
        while (line := objects.coming.get(timeout=LIMIT)) is not None:
            told.append(json.loads(line))
            part.validate(told[-1])
            self.assertEqual(told[-1]["environment"], "rehearsal")
        self.assertEqual(told[0]["puljer"], [])
        self.assertEqual({one["isLive"] for one in told}, {True, False})
        self.assertEqual(told[-1]["stop"]["by"], "kari")
        for one in told:
            for pulje in one["puljer"]:
                self.assertEqual(sum(pulje["whole"]["stages"].values()), pulje["whole"]["groups"])
                outlook = pulje["whole"]["outlook"]
                if outlook["kind"] == "time":
                    self.assertGreaterEqual(outlook.get("to", outlook["from"]), outlook["from"])
        kinds = [one["puljer"][0]["whole"]["outlook"]["kind"] for one in told if one["puljer"]]
        self.assertIn("time", kinds)
        # An estimate is held against what came: somebody could decide no earlier than the first one said.
        first = next(one["puljer"][0]["whole"]["outlook"] for one in told if one["puljer"] and one["puljer"][0]["whole"]["outlook"]["kind"] == "time")
        decided = next(one["now"] for one in told if one["puljer"] and one["puljer"][0]["whole"]["outlook"]["kind"] == "ready")
        self.assertLessEqual(first["from"], decided + 1_000)


if __name__ == "__main__":
    unittest.main()
