# SPDX-License-Identifier: Apache-2.0
"""verify-ledger, run as the program it is, on small hand-made logs."""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

PROGRAM = Path(__file__).resolve().parent.parent / "verify-ledger"


class VerifyLedger(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.directory = Path(folder.name)
        self.sent = [self.line(n, outcome="accepted") for n in range(10)]
        self.received = [self.line(n) for n in range(10)]
        self.left = []
        self.ledger = {"sent": 10, "received": 10, "duplicate": 0, "left": 0, "lost": 0, "verdict": "ok"}

    @staticmethod
    def line(number, **more):
        return {"id": f"id-{number}", "from": 1, "to": 2, "bus": "servicebus", "queue": "2_async", "at_ms": 100 + number,
                "epj": "vendor-a", **more}

    def write(self):
        for name in ("sent", "received", "left"):
            records = getattr(self, name)
            (self.directory / f"{name}.log").write_text("".join(json.dumps(record) + "\n" for record in records))
        (self.directory / "ledger.json").write_text(json.dumps(self.ledger))

    def verify(self, minimum=10):
        return subprocess.run(
            [str(PROGRAM), str(self.directory), "--minimum-sent", str(minimum)], capture_output=True, text=True, timeout=120)

    def expect(self, code, *texts, minimum=10):
        result = self.verify(minimum)
        output = result.stdout + result.stderr
        self.assertEqual(result.returncode, code, output)
        for text in texts:
            self.assertIn(text, output)
        return output

    def expect_fault(self, fault, **ledger):
        """A fault the program saw too: red, but the two agree."""
        self.ledger.update(ledger, verdict="failed")
        self.write()
        output = self.expect(1, f"FAULT {fault}", "agrees")
        self.assertNotIn("MISMATCH", output)

    # what a good run looks like

    def test_a_clean_run(self):
        self.write()
        self.expect(0, "verdict by the logs: ok", "agrees", "bus servicebus: 10 accepted, 10 received")

    def test_two_attempts_under_one_id_are_one_message(self):
        self.sent.insert(0, self.line(0, outcome="unknown"))
        self.sent.insert(0, self.line(1, outcome="released"))
        self.write()
        self.expect(0, "verdict by the logs: ok")

    def test_an_unknown_outcome_is_counted_apart_and_may_arrive_or_not(self):
        self.sent += [self.line(10, outcome="unknown"), self.line(11, outcome="unknown")]
        self.received.append(self.line(10))
        self.ledger["unknown"] = 2
        self.write()
        self.assertRegex(self.expect(0), r"unknown +2 +2\n")

    def test_a_message_that_was_never_sent_out_and_never_came_is_no_fault(self):
        self.sent += [self.line(10, outcome="rejected"), self.line(11, outcome="not-sent")]
        self.write()
        self.expect(0)

    # each fault

    def test_a_lost_message(self):
        del self.received[3]
        self.expect_fault("1 lost: id-3", received=9, lost=1)

    def test_a_duplicate(self):
        self.received.append(self.line(3))
        self.expect_fault("1 duplicate: id-3", duplicate=1)

    def test_a_message_received_three_times_is_two_duplicates(self):
        self.received += [self.line(3), self.line(3)]
        self.expect_fault("2 duplicate: id-3, id-3", duplicate=2)

    def test_a_duplicate_of_a_message_whose_outcome_is_unknown(self):
        self.sent.append(self.line(10, outcome="unknown"))
        self.received += [self.line(10), self.line(10)]
        self.expect_fault("1 duplicate: id-10", duplicate=1)

    def test_a_message_left_on_a_queue(self):
        self.left.append(self.received.pop(3))
        self.expect_fault("1 left: id-3", received=9, left=1)

    def test_a_copy_left_on_a_queue_after_it_was_received(self):
        self.left.append(self.line(3))
        self.expect_fault("1 lying copy: id-3")

    def test_an_alien_received(self):
        self.received.append(self.line(99))
        self.expect_fault("1 alien: id-99", alien=1)

    def test_an_alien_left(self):
        self.left.append(self.line(99))
        self.expect_fault("1 alien: id-99", left=1, alien=1)

    def test_a_message_that_came_although_its_sender_was_told_no(self):
        self.sent.append(self.line(10, outcome="rejected"))
        self.received.append(self.line(10))
        self.expect_fault("1 denied: id-10")

    def test_a_message_that_came_to_another_party_than_it_was_sent_to(self):
        self.received[3]["to"] = 3
        self.expect_fault("1 misdirected: id-3")

    def test_too_few_sent(self):
        self.ledger["verdict"] = "failed"
        self.write()
        self.expect(1, "FAULT only 10 messages were sent, 11 are asked for", "agrees", minimum=11)

    # the program's ledger against ours

    def test_a_program_that_does_not_see_the_loss(self):
        del self.received[3]
        self.write()
        self.expect(1, "MISMATCH lost: 1 by the logs, 0 by the program", "MISMATCH verdict: failed by the logs, ok by", "DISAGREES")

    def test_a_program_that_miscounts_a_clean_run(self):
        for name in ("sent", "received", "duplicate", "left", "lost"):
            with self.subTest(name):
                self.ledger = {"sent": 10, "received": 10, "duplicate": 0, "left": 0, "lost": 0, "verdict": "ok"}
                self.ledger[name] += 1
                self.write()
                self.expect(1, f"MISMATCH {name}:", "DISAGREES")

    def test_a_program_that_calls_a_clean_run_failed(self):
        self.ledger["verdict"] = "failed"
        self.write()
        self.expect(1, "MISMATCH verdict: ok by the logs, failed by the program")

    # logs that cannot be trusted

    def test_a_last_line_cut_off_in_the_middle(self):
        for name in ("sent", "received", "left"):
            with self.subTest(name):
                self.left = [self.line(3)]
                self.write()
                path = self.directory / f"{name}.log"
                content = path.read_text()
                path.write_text(content[:-20])
                self.expect(2, f"{name}.log:{content.count(chr(10))}: the last line has no end")

    def test_a_last_line_that_is_whole_but_for_its_end(self):
        self.write()
        path = self.directory / "received.log"
        path.write_text(path.read_text()[:-1])
        self.expect(2, "received.log:10: the last line has no end")

    def test_a_line_in_the_middle_that_is_no_json(self):
        self.write()
        path = self.directory / "sent.log"
        lines = path.read_text().split("\n")
        lines[4] = lines[4][:25]
        path.write_text("\n".join(lines))
        self.expect(2, "sent.log:5: not readable as JSON")

    def test_malformed_records(self):
        good = json.dumps(self.line(3, outcome="accepted"))
        cases = {
            "[]": "not a JSON object", "": "not readable as JSON", "17": "not a JSON object", "\xff": None,
            good.replace('"id": "id-3"', '"id": 3'): '"id" is 3, not a text',
            good.replace('"id": "id-3"', '"id": ""'): '"id" is empty',
            good.replace('"to": 2', '"to": "2"'): '"to" is "2", not a number',
            good.replace('"to": 2', '"to": true'): '"to" is true, not a number',
            good.replace('"to": 2, ', ""): 'no "to"',
            good.replace('"to": 2', '"to": 2, "to": 3'): "a name stands twice",
            good.replace('"accepted"', '"fine"'): 'unknown outcome "fine"',
            good.replace(', "outcome": "accepted"', ""): 'no "outcome"',
        }
        for bad, text in cases.items():
            with self.subTest(bad):
                self.write()
                path = self.directory / "sent.log"
                lines = path.read_bytes().split(b"\n")
                lines[3] = bad.encode("latin-1")
                path.write_bytes(b"\n".join(lines))
                self.expect(2, "sent.log:4: ", text or "not readable as JSON")

    def test_many_bad_lines_are_counted(self):
        self.write()
        (self.directory / "sent.log").write_text("x\n" * 50)
        self.expect(2, "sent.log:20:", "and 30 more")

    def test_a_missing_file(self):
        for name in ("sent.log", "received.log", "left.log", "ledger.json"):
            with self.subTest(name):
                self.write()
                (self.directory / name).unlink()
                self.expect(2, f"{name}: No such file")

    def test_a_ledger_that_cannot_be_read(self):
        for content, text in (("{", "not readable as JSON"), ("[]", "not a JSON object"),
                              ('{"sent": 10}', '"received" is missing'),
                              (json.dumps({**self.ledger, "lost": "0"}), '"lost" is missing or not a whole number'),
                              (json.dumps({**self.ledger, "verdict": "fine"}), '"verdict" is neither')):
            with self.subTest(content):
                self.write()
                (self.directory / "ledger.json").write_text(content)
                self.expect(2, text)

    def test_an_empty_run_is_not_a_good_run(self):
        self.sent, self.received = [], []
        self.ledger.update(sent=0, received=0, verdict="failed")
        self.write()
        self.expect(1, "FAULT only 0 messages were sent")


if __name__ == "__main__":
    unittest.main()
