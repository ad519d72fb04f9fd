# SPDX-License-Identifier: Apache-2.0
"""The guides say what is true: every command in them exists with its options, both languages have the same commands, every code that is named
exists, every link leads somewhere, and day one's commands move a pulje on real brokers, just as they stand there.

Needs the built programs, and for day one the brokers: swift build, then scripts/with-brokers python3 -m pytest tools/tests
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
DOCS = REPOSITORY / "docs"
PROGRAMS = REPOSITORY / ".build" / (os.environ.get("CONFIGURATION") or "debug")
BROKERS = os.environ.get("TJENESTEBUSS_RABBITMQ4_URL")
GUIDES = ("day-one", "a-pulje", "rollback-at-night", "close-a-bus", "upgrade", "disaster")
LANGUAGES = ("nb", "en")
TEN_MINUTES = 600
CHANGES = ("pause", "resume", "rollback", "stop-the-line", "quarantine", "readmit", "waive")


def text_of(name, language):
    return (DOCS / f"{name}.{language}.md").read_text()


def fenced(text, info):
    return re.findall(rf"^```{info}\n(.*?)^```$", text, re.M | re.S)


def commands(text):
    """Every command line of our programs: in fences, in indented blocks, in running text."""
    found = []
    for line in "\n".join([*fenced(text, "sh"), *fenced(text, "sh practice"), *re.findall(r"^ {4,}(\S.*)$", text, re.M)]).splitlines():
        found += re.findall(r"(?:^|; |with_secrets |until | -- )((?:bus-migrator|bus-pinger) [^|>&;]*)", line)
    # In running text a command may be cut short, but what is there must be right.
    return found + [code for code in re.findall(r"`([^`\n]+)`", text) if re.match(r"(bus-migrator|bus-pinger) [a-z0-9]", code)]


def tree(program):
    dumped = subprocess.run([PROGRAMS / program, "--experimental-dump-help"], capture_output=True, text=True, check=True).stdout
    return json.loads(dumped)["command"]


def options(command):
    return {("-" if name["kind"] == "short" else "--") + name["name"]: argument["kind"]
            for argument in command.get("arguments", []) for name in argument.get("names", [])}


def wrong_with(line, trees):
    """Why a command line cannot be typed as it stands; nothing when it can."""
    program, *words = [word for word in shlex.split(line.replace("...", "x"))]
    command = trees[program]
    while words:
        below = next((item for item in command.get("subcommands", []) if item["commandName"] == words[0]), None)
        if below is None:
            break
        command, words = below, words[1:]
    if program == "bus-pinger" and command is trees[program]:
        command = next(item for item in command["subcommands"] if item["commandName"] == "check")
    known = options(command)
    if command.get("subcommands") and words and not words[0].startswith("-"):
        return f"{line}: there is no {words[0]}"
    place, given = 0, set()
    while place < len(words):
        word = words[place]
        if word.startswith("-"):
            if word not in known:
                return f"{line}: {command['commandName']} has no {word}"
            given.add(word)
            place += 2 if known[word] == "option" else 1
        else:
            place += 1
    # Whatever changes something asks for a reason, for which both languages must leave room.
    if "--because" in known and ("--approved-by" in given or given and command["commandName"] in CHANGES) and "--because" not in given:
        return f"{line}: no --because"
    # Else it would be a dry run, at night as well. Without it there is prose on it, and no line to type.
    if "--execute" in known and "--execute" not in given and ({"--because", "--seen"} & given) and "--pause" not in given:
        return f"{line}: no --execute"
    return None


class Guides(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for program in ("bus-migrator", "bus-pinger"):
            assert (PROGRAMS / program).exists(), f"{program} is not built: swift build"
        cls.trees = {program: tree(program) for program in ("bus-migrator", "bus-pinger")}

    def test_every_command_exists_with_its_options(self):
        count = 0
        for name in GUIDES:
            for language in LANGUAGES:
                for line in commands(text_of(name, language)):
                    count += 1
                    self.assertIsNone(wrong_with(line, self.trees), f"{name}.{language}.md")
        self.assertGreater(count, 150)

    def test_a_command_that_is_wrong_is_seen(self):
        for line in ("bus-migrator rolback --her-id 1", "bus-migrator rollback --herid 1", "bus-migrator drain forwrd", "bus-pinger 93238 --nosend",
                     "bus-migrator accept --approved-by a --approved-by b", "bus-migrator rollback --her-id 1",
                     'bus-migrator rollback --her-id 1 --because "x"'):
            self.assertIsNotNone(wrong_with(line, self.trees), line)

    def test_both_languages_have_the_same_commands_headings_and_codes(self):
        for name in GUIDES:
            one, other = (text_of(name, language) for language in LANGUAGES)
            # Only reasons, and words in capitals that stand for the reader's own, are in the language.
            bare = [[re.sub(r'"[^"]*"|\b[A-ZÆØÅ]{3,}\b', "*", line) for line in commands(text)] for text in (one, other)]
            self.assertEqual(bare[0], bare[1], name)
            self.assertEqual([len(item) for item in re.findall(r"^(#+) ", one, re.M)], [len(item) for item in re.findall(r"^(#+) ", other, re.M)], name)
            codes = [sorted(re.findall(r"\b[A-Z]+-\d{3}\b", text)) for text in (one, other)]
            self.assertEqual(codes[0], codes[1], name)
            self.assertEqual(fenced(one, "sh practice"), fenced(other, "sh practice"), name)

    def test_every_code_exists(self):
        known = set(re.findall(r"^\| ([A-Z]+-\d+) ", (DOCS / "error-codes.md").read_text(), re.M))
        for page in [DOCS / f"{name}.{language}.md" for name in GUIDES for language in LANGUAGES] + [DOCS / "threat-model.md", DOCS / "privacy.md"]:
            self.assertLessEqual(set(re.findall(r"\b(?:MIG|CLI|STORE|FWD|SHOVEL|TB|AR|PROBE)-\d{3}\b", page.read_text())), known, page.name)

    def test_every_link_leads_somewhere(self):
        for page in sorted(DOCS.glob("*.md")) + [REPOSITORY / "README.md"]:
            for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
                if "://" not in target:
                    self.assertTrue((page.parent / target).exists(), f"{page.name}: {target}")

    def test_what_the_threat_model_rests_on_is_there(self):
        text = (DOCS / "threat-model.md").read_text() + (DOCS / "privacy.md").read_text()
        named = re.findall(r"`((?:Tests|tools|scripts)/[^`]+)`", text)
        self.assertGreater(len(named), 20)
        for path in named:
            self.assertTrue((REPOSITORY / path).exists(), path)
        made = (REPOSITORY / "Makefile").read_text()
        for target in re.findall(r"`make ([a-z-]+)`", text):
            self.assertRegex(made, rf"(?m)^{target}:")

    def test_night_is_one_page_that_begins_with_the_command(self):
        for language in LANGUAGES:
            lines = text_of("rollback-at-night", language).splitlines()
            self.assertTrue(lines[2].startswith("    bus-migrator rollback "), lines[2])
            self.assertLessEqual(sum(1 + len(line) // 105 for line in lines), 75, "no longer a page")

    def test_every_page_stands_on_the_map(self):
        known = (DOCS / "README.md").read_text()
        for page in DOCS.glob("*.md"):
            if page.name != "README.md":
                self.assertIn(f"({page.name})", known)


@unittest.skipUnless(BROKERS, "no brokers: run under scripts/with-brokers")
class DayOne(unittest.TestCase):
    def test_its_commands_move_a_pulje_within_ten_minutes(self):
        blocks = fenced(text_of("day-one", "en"), "sh practice")
        self.assertGreater(len(blocks), 8)
        # A source tree is all that the guide asks for. A short path: a Unix socket's may have 103 bytes.
        place = Path(tempfile.mkdtemp(prefix="bmg-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, place, ignore_errors=True)
        (place / ".build").mkdir()
        os.symlink(PROGRAMS, place / ".build" / "debug")
        begun = time.monotonic()
        ground = subprocess.Popen(
            [REPOSITORY / "scripts" / "practice"], env={**os.environ, "BROKERS": "rabbitmq", "DIRECTORY": str(place / "var" / "practice")},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        try:
            said = []
            for line in ground.stdout:
                said.append(line)
                if line.startswith("ready:"):
                    break
            self.assertTrue(said and said[-1].startswith("ready:"), "".join(said))
            script = "set -e -o pipefail\nset -v\n" + "\n".join(blocks) + "\nwait\n"
            played = subprocess.run(
                ["/bin/bash", "-c", script], cwd=place, capture_output=True, text=True, timeout=TEN_MINUTES)
            self.assertEqual(played.returncode, 0, played.stdout[-3000:] + played.stderr[-3000:])
        finally:
            os.killpg(ground.pid, signal.SIGTERM)
            ground.stdout.close()
            ground.wait(60)
        seconds = time.monotonic() - begun
        self.assertLess(seconds, TEN_MINUTES)
        print(f"day one's first pulje took {seconds:.0f} s")
        folder = place / "var" / "practice"
        report = (folder / "report.md").read_text()
        self.assertIn("# Pulje pulje-1: PARTLY_BACK", report)
        self.assertRegex(report, r"\| 3004 \|.*\| RESTORED \|")
        self.assertEqual(len(re.findall(r"\| ACCEPTED \|", report)), 11)
        self.assertIn("the history is whole", played.stdout)
        self.assertEqual(len(list((folder / "backups").iterdir())), 1)


if __name__ == "__main__":
    unittest.main()
