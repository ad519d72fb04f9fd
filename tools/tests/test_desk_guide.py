# SPDX-License-Identifier: Apache-2.0
"""The desk's guide says what bus-pinger prints now, and its page to print is one A4 page on which everything fits.

Needs the brokers and the built program: swift build, then scripts/with-brokers python3 -m pytest tools/tests
"""

import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

from pinger_stage import RABBITMQ4, REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tools" / "desk-guide"))
import desk_guide  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"


class DeskGuidePage(unittest.TestCase):
    def test_is_one_page_with_a_picture_of_each_finding(self):
        for language in desk_guide.LANGUAGES:
            root = ElementTree.parse(REPOSITORY / "docs" / f"pinger-desk.{language}.svg").getroot()
            self.assertEqual((root.get("width"), root.get("height"), root.get("viewBox")), ("210mm", "297mm", "0 0 595 842"))
            texts = root.findall(f"{SVG}text")
            for text in texts:
                x, y, size = (float(text.get(name)) for name in ("x", "y", "font-size"))
                self.assertGreaterEqual(size, 5, text.text)
                self.assertLessEqual(x + len(text.text) * size * 0.602, 595 - 15, text.text)
                self.assertLessEqual(y, 842 - 10, text.text)
            # Nothing from outside, and nothing that a printer would not have.
            self.assertFalse([item for item in root.iter() if item.tag.removeprefix(SVG) not in ("svg", "title", "style", "rect", "text")])
            headings = [text.text for text in texts if text.get("font-weight")]
            for _, heading in desk_guide.FINDINGS:
                self.assertIn(heading[language], headings)
            boxes = [(float(box.get("y")), float(box.get("y")) + float(box.get("height")), float(box.get("x")))
                     for box in root.findall(f"{SVG}rect")[1:]]
            self.assertEqual(len(boxes), len(desk_guide.FINDINGS))
            for top, _, x in boxes:
                self.assertFalse([1 for other, end, side in boxes if side == x and other < top < end], "pictures lie over each other")

    def test_page_that_is_too_long_is_refused(self):
        page = desk_guide.Page("x")
        page.line(22, 900, 5, "below the edge")
        with self.assertRaises(ValueError):
            page.end()
        with self.assertRaises(ValueError):
            page.line(22, 100, 5, "x" * 200)

    def test_times_and_ids_may_differ_and_nothing_else(self):
        one = "20 dns  ok  25.4 ms  tb.test.nhn.no: 192.0.2.7\nmelding 25f4076c-ff79-4927-ace4-2471fd3018f5, 310 byte"
        other = "20 dns  ok   5.0 ms  tb.test.nhn.no: 192.0.2.7\nmelding 3743ec79-b9c6-4021-b8bb-bfc1fac5c23f, 311 byte"
        self.assertEqual(desk_guide.words_of(one), desk_guide.words_of(other))
        self.assertNotEqual(desk_guide.words_of(one), desk_guide.words_of(other.replace("ok", "FEIL")))


@unittest.skipUnless(RABBITMQ4, "no brokers: run under scripts/with-brokers")
class DeskGuide(unittest.TestCase):
    def test_says_what_the_program_prints(self):
        with tempfile.TemporaryDirectory() as folder:
            for path, text in desk_guide.pages(desk_guide.Stage(folder)):
                self.assertEqual(desk_guide.words_of(path.read_text()), desk_guide.words_of(text),
                                 f"{path.name}: scripts/with-brokers tools/desk-guide/desk_guide.py --write")


if __name__ == "__main__":
    unittest.main()
