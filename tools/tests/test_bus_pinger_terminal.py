# SPDX-License-Identifier: Apache-2.0
"""bus-pinger on a real terminal (a pseudo-terminal that it controls), beside a real RabbitMQ 4.0: the watch's screen, Ctrl-C as it is
typed, windows that change their size or are closed, pipes, kills.

Needs the brokers and the built program: swift build, then scripts/with-brokers python3 -m pytest tools/tests
"""

import re
import signal
import subprocess
import time
import unittest

from pinger_stage import RABBITMQ4, PingerStage
from terminal import Terminal

CTRL_C = b"\x03"


@unittest.skipUnless(RABBITMQ4, "no brokers: run under scripts/with-brokers")
class BusPingerTerminal(PingerStage, unittest.TestCase):
    def terminal(self, *arguments, **options):
        made = Terminal(self.command(*arguments), **options)
        self.addCleanup(made.end)
        return made

    def restored(self, terminal):
        screen = terminal.screen
        self.assertFalse(screen.alternate, "the page behind the screen is back")
        self.assertTrue(screen.cursor_shown, "the cursor is back")
        self.assertEqual(terminal.modes_now(), terminal.modes, "the terminal's modes are as they were")

    def test_watch_shows_how_it_goes_and_that_it_changed(self):
        self.while_somebody_listens()
        # The usual ration, in a folder of our own: other tests ping HER-ID 200 too.
        self.config.write_text(self.config.read_text().replace("party-interval-seconds: 0", f"state-folder: {self.folder}/pings"))
        terminal = self.terminal("--watch", "5s", "--quit-after", "arrival")
        # A screen is read when its last line stands there: before, it is half of the one before.
        terminal.wait("the first round", lambda screen: re.search(r"^1 rounds, 1 sent, 0 lost, 0.0 % lost$(.|\n)*\nCtrl-C ends$",
                                                                  screen.text(), re.MULTILINE))
        first = terminal.screen.lines()
        self.assertTrue(terminal.screen.alternate and not terminal.screen.cursor_shown)
        self.assertEqual(first[0], "bus-pinger 200 (tjenestebuss), every 10 s: no party is pinged more often")
        self.assertRegex(first[2], r"^last [\d.]+  avg [\d.]+  p50 [\d.]+  p95 [\d.]+  p99 [\d.]+  max [\d.]+ ms$")
        self.assertEqual(first[4], ".")
        self.assertTrue(first[5].startswith("OK: "), first)
        self.assertRegex("\n".join(first), r" +\d+-\d+ ms +1 #{40}")
        self.assertEqual(first[-1], "Ctrl-C ends")
        begun = time.monotonic()
        self.management("DELETE", self.queue)
        terminal.wait("the second round", lambda screen: re.search(
            r"2 rounds, 2 sent, 1 lost, 50.0 % lost(.|\n)*round 2: OK -> CRITICAL PING-26\nCtrl-C ends$", screen.text()))
        # The ration: ten seconds, whatever was asked for.
        self.assertGreater(time.monotonic() - begun, 5)
        second = terminal.screen.text()
        self.assertIn(".|X", second)
        self.assertIn("CRITICAL PING-26: The queue or exchange does not exist on this bus.", second)
        self.assertRegex(second, r"the verdict changed:\n  \d\d:\d\d:\d\d round 2: OK -> CRITICAL PING-26")
        terminal.type(CTRL_C)
        self.assertEqual(terminal.ending(), 2, "the worst that was seen")
        self.restored(terminal)
        summary = terminal.screen.text()
        self.assertIn("--- HER-ID 200: 2 rounds, 2 sent, 1 lost, 50.0 % lost", summary)
        self.assertIn("worst: CRITICAL", summary)
        self.assertIn("round 2: OK -> CRITICAL PING-26", summary)

    def test_watch_marks_that_nobody_listens_any_more(self):
        end = self.while_somebody_listens()
        terminal = self.terminal("--watch", "300ms", "--no-send")
        terminal.wait("good rounds", lambda screen: "..." in screen.text())
        self.assertTrue(terminal.screen.coloured)
        self.assertIn("every 300 ms", terminal.screen.lines()[0])
        end()
        terminal.wait("the change", lambda screen: ".|X" in screen.text())
        self.while_somebody_listens()
        terminal.wait("the way back", lambda screen: re.search(r"X\|\.\.(.|\n)*PING-31 -> OK\nCtrl-C ends$", screen.text()))
        shown = terminal.screen.text()
        self.assertIn("OK -> CRITICAL PING-31", shown)
        self.assertIn("CRITICAL PING-31 -> OK", shown)
        terminal.type(CTRL_C)
        self.assertEqual(terminal.ending(), 2)
        self.restored(terminal)

    def test_window_made_small_and_large_again(self):
        self.while_somebody_listens()
        # A round a minute: what is drawn after a change of size is drawn for its sake.
        terminal = self.terminal("--watch", "1m", "--no-send")
        terminal.wait("the first round", lambda screen: "Ctrl-C ends" in screen.text())
        whole = terminal.screen.lines()
        for columns, rows in ((40, 8), (20, 4), (7, 2), (1, 1), (100, 30)):
            terminal.resize(columns, rows)
            foot = "Ctrl-C ends"[:columns] if columns >= 11 else ("Ctrl-C ends"[:columns - 1] + "…")
            terminal.wait(f"the screen at {columns} x {rows}", lambda screen: foot in screen.text())
            lines = terminal.screen.lines()
            self.assertFalse(terminal.screen.overflowed, f"{columns} x {rows}: {lines}")
            self.assertLessEqual(len(lines), max(1, rows - 1))
            self.assertLessEqual(max(map(len, lines)), columns)
        self.assertEqual(terminal.screen.lines(), whole)
        terminal.type(CTRL_C)
        self.assertEqual(terminal.ending(), 0)
        self.restored(terminal)

    def test_watch_comes_back_after_a_stop(self):
        self.while_somebody_listens()
        terminal = self.terminal("--watch", "1m", "--no-send")
        terminal.wait("the first round", lambda screen: "Ctrl-C ends" in screen.text())
        terminal.process.send_signal(signal.SIGSTOP)
        with terminal.changed:
            terminal.screen.feed(b"\x1b[?1049l\x1b[?25h$ ")
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait("the screen", lambda screen: screen.alternate and "Ctrl-C ends" in screen.text())
        self.assertFalse(terminal.screen.cursor_shown)
        terminal.type(CTRL_C)
        self.assertEqual(terminal.ending(), 0)
        self.restored(terminal)

    def test_terminal_closed_in_a_watch(self):
        self.while_somebody_listens()
        terminal = self.terminal("--watch", "300ms", "--no-send")
        terminal.wait("three rounds", lambda screen: "..." in screen.text())
        terminal.close()
        self.assertEqual(terminal.ending(), 0, "the worst that was seen")

    def test_terminal_closed_while_a_ping_is_out(self):
        # Nobody answers on the reply queue for ten seconds: that is when the window is closed.
        replies = self.queue + "_replies"
        self.declare(replies)
        self.addCleanup(self.management, "DELETE", replies)
        self.config.write_text(self.config.read_text() + f"    reply-queue: {replies}\n")
        for how, code in (("closed", 129), ("typed", 130), ("killed", -signal.SIGKILL)):
            terminal = self.terminal()
            limit = time.monotonic() + 30
            while not self.lying_there():
                self.assertLess(time.monotonic(), limit, "no ping ever came")
                time.sleep(0.05)
            if how == "closed":
                terminal.close()
            elif how == "typed":
                terminal.type(CTRL_C)
            else:
                terminal.process.kill()
            self.assertEqual(terminal.ending(), code, how)
            self.wait_until_empty()
            self.wait_until_empty(replies)

    def test_batch_has_a_progress_bar_that_goes_away(self):
        # Numbers that are none need no register to be told of.
        (self.folder / "list").write_text("\n".join(f"{number}x" for number in range(40)) + "\n")
        self.config.write_text(
            self.config.read_text() + 'registry: {soap: {url: "https://127.0.0.1:1/AR", user: ar, password: ar}}\n')
        command = [self.command()[0], "--batch", str(self.folder / "list"), "--config", str(self.config), "--language", "en"]
        terminal = Terminal(command, columns=160, rows=60)
        self.addCleanup(terminal.end)
        self.assertEqual(terminal.ending(), 2)
        self.assertIn(b"\r[##############################] 100 % 40/40, 40 !", terminal.everything)
        lines = terminal.screen.lines()
        self.assertTrue(lines[0].startswith("status "), lines[0])
        self.assertEqual(sum("PING-10" in line for line in lines), 40)
        self.assertFalse([line for line in lines if "%" in line or "[#" in line])
        self.assertTrue(terminal.screen.coloured)
        self.restored(terminal)

    def test_colour_is_for_terminals_that_want_it(self):
        for environment, wanted in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
            terminal = self.terminal("--no-send", environment=environment)
            self.assertEqual(terminal.ending(), 2)
            self.assertIn("PING-31 failed", terminal.screen.text())
            self.assertEqual(terminal.screen.coloured, wanted, environment)

    def test_readers_that_go_away(self):
        self.while_somebody_listens()
        line = " ".join(f"'{word}'" for word in self.command())
        for rest, lines in (("", 1), (" --format json", 1), (" --no-send --watch 100ms", 2), (" --no-send --watch 100ms --format json", 2)):
            run = subprocess.run(
                ["/bin/bash", "-c", f"{line}{rest} | head -n {lines}; echo ${{PIPESTATUS[0]}}"], capture_output=True, text=True,
                timeout=120)
            self.assertEqual(run.stderr if "watch" not in rest else "", "", rest)
            # A report of one piece may be in the pipe before its reader is gone.
            wanted = ("141",) if "watch" in rest else ("0", "141")
            self.assertIn(run.stdout.splitlines()[-1], wanted, rest)
            self.assertEqual(len(run.stdout.splitlines()), lines + 1, rest)
        # Nobody reads at all: the report itself cannot be written.
        run = subprocess.run(["/bin/bash", "-c", f"sleep 0 | {{ {line} | : ; echo ${{PIPESTATUS[0]}}; }}"], capture_output=True, text=True, timeout=120)
        self.assertEqual((run.stdout, run.stderr), ("141\n", ""))
        self.wait_until_empty()


if __name__ == "__main__":
    unittest.main()
