# SPDX-License-Identifier: Apache-2.0
"""Commands at a real daemon: a reason for each, who gave it in the history, and none of them twice."""

import json
import os
import sqlite3
import unittest

from control_stage import ControlStage


class ControlCommands(unittest.TestCase):
    def setUp(self):
        self.stage = ControlStage(self)

    def events(self):
        with sqlite3.connect(f"file:{self.stage.database}?mode=ro", uri=True) as database:
            return [(kind, actor, json.loads(body)) for kind, actor, body in database.execute("SELECT kind, actor, body FROM event ORDER BY sequence")]

    def test_a_change_needs_a_reason_and_stands_in_the_history(self):
        daemon = self.stage.start()
        for why in ("", " \n"):
            answer = self.stage.command("stop", by=["Kari"], why=why)
            self.assertEqual((answer.status, answer.code), (400, "CLI-019"), answer)
        self.assertEqual(self.stage.run("stop-the-line").returncode, 2)
        self.assertEqual([kind for kind, _, _ in self.events()], ["daemon.started"])
        done = self.stage.run("stop-the-line", "--by", "Kari", "--because", "strange answers", "--json")
        self.assertEqual(json.loads(done.stdout)["status"], "done", done.stderr)
        again = self.stage.run("stop-the-line", "--by", "Ola", "--because", "I think so too", "--json")
        self.assertEqual((again.returncode, json.loads(again.stdout)["status"]), (0, "already_stopped"))
        kinds = [kind for kind, _, _ in self.events()]
        self.assertEqual(kinds, ["daemon.started", "command.given", "line.stopped"])
        _, actor, body = self.events()[1]
        record = body["commanded"]["record"]
        self.assertEqual(actor, "Kari")
        self.assertEqual(record["giver"]["login"]["uid"], os.getuid())
        self.assertEqual(
            (record["by"], record["verb"], record["reason"], record["role"], record["status"], record["kinds"]),
            (["Kari"], "stop", "strange answers", "rescue", "done", ["line.stopped"]))
        self.stage.end(daemon)

    def test_the_same_key_is_the_same_command_also_after_a_restart(self):
        daemon = self.stage.start()
        stop = dict(by=["Kari"], why="CHG-7")
        first = self.stage.command("stop", key="monday-1", **stop).json
        self.assertEqual((first["status"], first["events"], first["isRepeat"]), ("done", ["line.stopped"], False))
        self.assertEqual(self.stage.command("release", by=["Kari", "Ola"], why="over").status, 200)
        self.stage.end(daemon)
        daemon = self.stage.start()
        again = self.stage.command("stop", key="monday-1", **stop).json
        self.assertEqual((again["status"], again["events"], again["isRepeat"]), ("done", ["line.stopped"], True))
        self.assertIsNone(self.stage.ask("GET", "/v1/status").json.get("stop"), "it was not carried out again")
        other = self.stage.command("stop", key="monday-1", by=["Kari"], why="another reason")
        self.assertEqual((other.status, other.code), (409, "CLI-020"))
        by_hand = self.stage.run("stop-the-line", "--by", "Kari", "--because", "CHG-7", "--idempotency-key", "monday-1")
        self.assertEqual(by_hand.returncode, 0)
        self.assertIn("not carried out again", by_hand.stdout)
        for key in ("a b", "x" * 201):
            self.assertEqual(self.stage.command("stop", key=key, **stop).code, "CLI-014")
        self.assertEqual([kind for kind, _, _ in self.events()].count("line.stopped"), 1)
        self.stage.end(daemon)

    def test_a_killed_daemon_knows_the_key_of_what_it_did(self):
        daemon = self.stage.start()
        self.assertEqual(self.stage.command("stop", key="k", by=["Kari"], why="CHG-7").json["status"], "done")
        daemon.kill()
        daemon.wait()
        self.stage.start()
        self.assertTrue(self.stage.command("stop", key="k", by=["Kari"], why="CHG-7").json["isRepeat"])


if __name__ == "__main__":
    unittest.main()
