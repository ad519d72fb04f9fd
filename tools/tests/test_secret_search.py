# SPDX-License-Identifier: Apache-2.0
"""The search for secrets finds what is there, in each dress and in each kind of file: else test_secrets.py would prove nothing."""

import base64
import sqlite3
import tempfile
import unittest
import urllib.parse
from pathlib import Path

from secret_search import SecretSearch

SECRET = "hemmelig/ord+med \"tegn\" 123"


class Search(unittest.TestCase):
    def setUp(self):
        self.search = SecretSearch()
        self.search.plant("the password", SECRET, ["app"])
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_finds_a_secret_in_every_dress(self):
        for text in (f"a line with {SECRET} in it", "amqp://app:" + urllib.parse.quote(SECRET, safe="") + "@h/", '{"why":"hemmelig/ord+med \\"tegn\\" 123"}',
                     "authorization: Basic " + base64.b64encode(f"app:{SECRET}".encode()).decode(),
                     # a login of whomever, and the secret somewhere inside
                     *(base64.b64encode(f"{user}:{SECRET} and more".encode()).decode() for user in ("a", "ab", "abc", "abcd"))):
            self.assertTrue(self.search.found(text.encode()), text)
        self.assertEqual(self.search.found(b"a line with hemmelig and ord in it, and 123"), [])

    def test_finds_it_in_every_kind_of_file_and_not_in_those_left_out(self):
        (self.folder / "own").mkdir()
        (self.folder / "own" / "password").write_text(SECRET)
        (self.folder / "binary").write_bytes(b"\0\xff" * 5000 + SECRET.encode() + b"\0")
        database = sqlite3.connect(self.folder / "history.sqlite")
        self.addCleanup(database.close)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE event (body TEXT)")
        database.execute("INSERT INTO event VALUES (?)", ["x" * 4000 + SECRET + "x" * 4000])
        database.commit()
        places = {place for place, _ in self.search.in_folder(self.folder, but=[self.folder / "own"])}
        self.assertIn("binary", places)
        self.assertIn("rows of history.sqlite", places, "not yet in the file, and cut in two by its pages")
        self.assertFalse([place for place in places if place.startswith("own")])


if __name__ == "__main__":
    unittest.main()
