# SPDX-License-Identifier: Apache-2.0
"""tools/check-report finds what would load, run or lie, and passes a page that does none of it."""

import hashlib
import importlib.machinery
import importlib.util
import unittest
from pathlib import Path

TOOL = Path(__file__).resolve().parents[1] / "check-report"
LOADER = importlib.machinery.SourceFileLoader("check_report", str(TOOL))
SPECIFICATION = importlib.util.spec_from_loader("check_report", LOADER)
check_report = importlib.util.module_from_spec(SPECIFICATION)
LOADER.exec_module(check_report)

FACTS = '{"a":1}'
PAGE = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'">
<title>t</title></head><body><p>text</p>
<script type="application/json" id="report-facts">{{"sha256":"{hashlib.sha256(FACTS.encode()).hexdigest()}","facts":{FACTS}}}</script>
</body></html>
"""


class CheckReport(unittest.TestCase):
    def test_a_page_that_needs_nothing_passes(self):
        self.assertEqual(check_report.faults(PAGE), [])

    def test_each_way_out_is_found(self):
        for planted in ("<img src=x>", "<a href=\"https://example.org\">x</a>", "<p onclick=\"x()\">x</p>", "<script>x()</script>",
                        "<p style=\"background:url(x)\">x</p>", "<iframe></iframe>", "<p>unclosed <b>bold</p>", "<form action=x></form>"):
            self.assertTrue(check_report.faults(PAGE.replace("<p>text</p>", planted)), planted)

    def test_a_policy_that_lets_something_in_is_found(self):
        for policy in ("default-src *", "default-src 'none'; script-src 'unsafe-inline'", ""):
            self.assertTrue(check_report.faults(PAGE.replace("default-src 'none'; base-uri 'none'", policy)), policy)

    def test_figures_that_were_changed_are_found(self):
        self.assertTrue(check_report.faults(PAGE.replace('"a":1', '"a":2')))


if __name__ == "__main__":
    unittest.main()
