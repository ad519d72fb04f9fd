# SPDX-License-Identifier: Apache-2.0
"""The operators' page of codes says what the program says, in both languages.

Needs the built program: swift build, then python3 -m pytest tools/tests
"""

import re
import subprocess
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


if __name__ == "__main__":
    unittest.main()
