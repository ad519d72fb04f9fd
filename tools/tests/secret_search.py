# SPDX-License-Identifier: Apache-2.0
"""Looks for secrets in everything that programs have written: in plain words, and in the dresses that passwords wear on their way."""

import base64
import json
import sqlite3
import urllib.parse
from pathlib import Path


class SecretSearch:
    def __init__(self):
        # needle: what it is, never shown with the secret itself
        self.needles = {}
        self.secrets = {}

    def plant(self, what, secret, users=()):
        """Has it looked for from now on.

        `users`: who logs in with it, since a login over HTTP is one word made of both.
        """
        assert len(secret) >= 12, f"{what} is too short to be found only where it is"
        self.secrets[secret] = what
        forms = {"": secret, " in a URL": urllib.parse.quote(secret, safe=""), " in JSON": json.dumps(secret)[1:-1]}
        for shift in range(3):
            # Whatever stands before it moves its letters by none, one or two places; those at either end are somebody else's too.
            coded = base64.b64encode(b"x" * shift + secret.encode()).decode().rstrip("=")
            forms[f" in base64, {shift}"] = coded[(0, 2, 3)[shift]:-2]
        for user in users:
            forms[f" with {user} in base64"] = base64.b64encode(f"{user}:{secret}".encode()).decode()
        for form, text in forms.items():
            self.needles.setdefault(text.encode(), what + form)
        return secret

    def found(self, data):
        return [what for needle, what in self.needles.items() if needle in data]

    def in_folder(self, folder, but=()):
        """What is found where: in each file's bytes, and in the rows of databases, whose pages may cut a text in two."""
        finds = []
        for path in sorted(Path(folder).rglob("*")):
            if not path.is_file() or any(path == other or other in path.parents for other in but):
                continue
            data = path.read_bytes()
            finds += [(str(path.relative_to(folder)), what) for what in self.found(data)]
            if data.startswith(b"SQLite format 3\0"):
                with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
                    rows = "\n".join(database.iterdump()).encode()
                database.close()
                finds += [(f"rows of {path.relative_to(folder)}", what) for what in self.found(rows)]
        return finds
