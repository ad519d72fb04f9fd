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
        self.assertEqual([kind for kind, _, _ in self.events()], ["environment.named", "daemon.started"])
        done = self.stage.run("stop-the-line", "--by", "Kari", "--because", "strange answers", "--json")
        self.assertEqual(json.loads(done.stdout)["status"], "done", done.stderr)
        again = self.stage.run("stop-the-line", "--by", "Ola", "--because", "I think so too", "--json")
        self.assertEqual((again.returncode, json.loads(again.stdout)["status"]), (0, "already_stopped"))
        kinds = [kind for kind, _, _ in self.events()]
        self.assertEqual(kinds, ["environment.named", "daemon.started", "command.given", "line.stopped"])
        _, actor, body = self.events()[2]
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

    def test_a_preview_says_what_would_come_of_it_and_writes_nothing(self):
        self.stage.plant_pulje()
        daemon = self.stage.start()
        before = self.events()
        back = dict(pulje="monday", herIDs=[100], by=["Kari"], why="CHG-7")
        seen = self.stage.command("rollback", key="once", preview=True, **back).json
        self.assertEqual((seen["status"], seen["executed"], seen["isRepeat"]), ("done", False, False))
        self.assertEqual(seen["events"], ["group.withdrawn"])
        self.assertEqual((seen["preview"]["groups"], seen["preview"]["alongside"]), (1, [101, 102]), "they share its queues")
        self.assertEqual(seen["preview"]["herIDs"], [100, 101, 102])
        # The same no as for real, and as little of it is kept.
        for verb, fields, status, code in (
                ("rollback", {**back, "herIDs": [4]}, 409, "MIG-202"), ("accept", dict(pulje="monday", by=["Kari", "Ola"], why="x"), 409, None),
                ("release", dict(by=["Kari", "Ola"], why="x"), 200, None), ("stop", dict(by=["Kari"], why=" "), 400, "CLI-019"),
                ("check-bus", dict(bus="nowhere"), 400, "CLI-014"), ("pause", dict(pulje="monday", by=["Kari"], why="x"), 200, None)):
            answer = self.stage.command(verb, preview=True, **fields)
            self.assertEqual(answer.status, status, (verb, answer))
            if code:
                self.assertEqual(answer.code, code, verb)
        self.assertEqual(self.events(), before, "a preview has written")
        # The key was not spent, and the command is the same one without the preview.
        done = self.stage.command("rollback", key="once", **back).json
        self.assertEqual((done["executed"], done["isRepeat"], done["events"]), (True, False, seen["events"]))
        again = self.stage.command("rollback", key="once", preview=True, **back).json
        self.assertEqual((again["executed"], again["isRepeat"]), (False, True))
        left = self.stage.command("rollback", preview=True, pulje="monday", by=["Kari"], why="the rest").json["preview"]
        self.assertEqual([warning["kind"] for warning in left["warnings"]], ["left-out"], left)
        self.assertIn("HER-ID 100, 101, 102, WITHDRAWN [MIG-", left["warnings"][0]["text"])
        self.stage.end(daemon)

    def test_what_writes_is_a_dry_run_without_execute_and_a_brake_acts_at_once(self):
        self.stage.plant_pulje()
        self.stage.start()
        kinds = [kind for kind, _, _ in self.events()]
        back = ("rollback", "--pulje", "monday", "--her-id", "100", "--by", "Kari", "--because", "CHG-7")
        dry = self.stage.run(*back)
        self.assertEqual(dry.returncode, 0, dry.stderr)
        self.assertIn("go along, because they share queues with those that are named: 101, 102", dry.stdout)
        self.assertEqual(dry.stdout.splitlines()[-1], "Nothing was changed. To do it, give the same command with --execute.")
        self.assertIs(json.loads(self.stage.run(*back, "--json").stdout)["executed"], False)
        no = self.stage.run("accept", "--pulje", "monday", "--approved-by", "Kari", "--approved-by", "Ola", "--because", "x")
        self.assertEqual((no.returncode, no.stdout), (3, ""))
        self.assertEqual([kind for kind, _, _ in self.events()], kinds)
        self.assertEqual(self.stage.run(*back, "--execute").returncode, 0)
        kinds += ["command.given", "group.withdrawn"]
        self.assertEqual([kind for kind, _, _ in self.events()], kinds)
        for brake, event in ((("stop-the-line",), "line.stopped"), (("pause", "--pulje", "monday"), "pulje.paused")):
            brake += ("--by", "Kari", "--because", "x")
            dry = self.stage.run(*brake, "--dry-run")
            self.assertIn("give the same command without --dry-run", dry.stdout, dry.stderr)
            self.assertEqual([kind for kind, _, _ in self.events()], kinds)
            self.assertEqual(self.stage.run(*brake).returncode, 0)
            kinds += ["command.given", event]
            self.assertEqual([kind for kind, _, _ in self.events()], kinds)
        warned = self.stage.run("resume", "--pulje", "monday", "--by", "Kari", "--because", "x")
        self.assertIn("! The line is stopped by Kari (x)", warned.stdout)

    def test_environments_are_never_mixed(self):
        self.stage.plant_pulje()
        self.stage.start()
        kinds = [kind for kind, _, _ in self.events()]
        self.assertEqual(self.stage.ask("GET", "/v1/health").json["environment"], "test")
        other = self.stage.folder / "production.yaml"
        other.write_text(self.stage.configuration.read_text().replace("environment: test", "environment: production"))
        for command in (["status"], ["drain"], ["stop-the-line", "--because", "x"], ["rollback", "--her-id", "100", "--because", "x", "--execute"],
                        ["drain", "explain", "100"], ["metrics"], ["report"], ["close-bus", "sb", "--check"]):
            refused = self.stage.run(*command, "--config", str(other))
            self.assertEqual((refused.returncode, refused.stdout), (2, ""), command)
            self.assertIn("[CLI-027]", refused.stderr, command)
        self.assertEqual([kind for kind, _, _ in self.events()], kinds)
        # Where no configuration is read, the daemon's own is shown.
        for arguments in (["--config", str(self.stage.configuration)], []):
            for command in (["status"], ["drain"], ["drain", "status"], ["drain", "forward", "--her-id", "100"],
                            ["stop-the-line", "--because", "x", "--dry-run"], ["pause", "--pulje", "monday", "--because", "x", "--dry-run"]):
                seen = self.stage.run(*command, *arguments)
                self.assertEqual(seen.stdout.splitlines()[:1], ["environment: test"], (command, seen.stderr))
                told = self.stage.run(*command, *arguments, "--json")
                self.assertEqual(json.loads(told.stdout)["environment"], "test", command)
        audit = self.stage.run("audit", "verify", "--config", str(self.stage.configuration))
        self.assertEqual((audit.returncode, audit.stdout.splitlines()[:1]), (0, ["environment: test"]), audit.stderr)


if __name__ == "__main__":
    unittest.main()
