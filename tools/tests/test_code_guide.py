# SPDX-License-Identifier: Apache-2.0
"""The operators' page of codes says what the program says, in both languages.

Needs the built program: swift build, then python3 -m pytest tools/tests
"""

import importlib.machinery
import importlib.util
import json
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent


class CodeGuide(unittest.TestCase):
    def test_says_what_the_program_says(self):
        result = subprocess.run([REPOSITORY / "tools" / "code-guide"], capture_output=True, text=True, timeout=300)
        self.assertEqual((result.returncode, result.stdout + result.stderr), (0, ""))

    def test_has_every_code_of_the_book_once_and_the_same_in_both_languages(self):
        listed = re.findall(r"^\| ((?:MIG|FWD|SHOVEL)-\d+) ", (REPOSITORY / "docs" / "error-codes.md").read_text(), re.M)
        self.assertGreater(len(listed), 100)
        for language in ("nb", "en"):
            text = (REPOSITORY / "docs" / f"what-codes-mean.{language}.md").read_text()
            self.assertEqual(sorted(re.findall(r"^\| ([A-Z]+-\d+) ", text, re.M)), sorted(listed))

    def test_the_norwegian_page_is_norwegian(self):
        rows = {}
        for language in ("nb", "en"):
            text = (REPOSITORY / "docs" / f"what-codes-mean.{language}.md").read_text()
            rows[language] = dict(re.findall(r"^\| ([A-Z]+-\d+) \| (.*) \|$", text, re.M))
        for code, row in rows["nb"].items():
            for nb, en in zip(row.split(" | "), rows["en"][code].split(" | "), strict=True):
                self.assertNotEqual(nb, en, code)

    def test_an_english_text_that_has_changed_and_a_code_without_norwegian_are_told(self):
        loader = importlib.machinery.SourceFileLoader("code_guide", str(REPOSITORY / "tools" / "code-guide"))
        guide = importlib.util.module_from_spec(importlib.util.spec_from_loader("code_guide", loader))
        loader.exec_module(guide)
        entry = {"code": "MIG-1", "meaning": "It is so.", "next": "Nothing."}
        with tempfile.TemporaryDirectory() as folder:
            guide.WORDS = Path(folder) / "words.json"
            guide.WORDS.write_text(json.dumps({"MIG-1": {"of": guide.fingerprint(entry), "meaning": "Det er slik.", "next": "Ingenting."}}))
            self.assertEqual([one["meaning"] for one in guide.in_norwegian([entry])], ["Det er slik."])
            for changed in ([entry | {"next": "Wait."}], [entry, entry | {"code": "MIG-2"}], []):
                with self.assertRaises(SystemExit) as told:
                    guide.in_norwegian(changed)
                self.assertRegex(str(told.exception), "MIG-[12]")


if __name__ == "__main__":
    unittest.main()
