# SPDX-License-Identifier: Apache-2.0
"""A program on a pseudo-terminal, and what its screen shows: as much of a terminal as bus-pinger's watch uses."""

import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import threading
import time

SEQUENCE = re.compile(rb"\x1b\[(\??)([0-9;]*)([A-Za-z])")


class Screen:
    """Rows of text, two pages, a cursor. What it does not know it refuses, so that nothing is passed over."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.pages = {False: {}, True: {}}
        self.alternate = False
        self.cursor_shown = True
        self.row = self.column = 0
        self.saved = (0, 0)
        self.rest = b""
        self.overflowed = False
        self.coloured = False

    @property
    def page(self):
        return self.pages[self.alternate]

    def lines(self, alternate=None):
        page = self.pages[self.alternate if alternate is None else alternate]
        return ["".join(page.get(row, [])).rstrip() for row in range(max(page, default=-1) + 1)]

    def text(self, alternate=None):
        return "\n".join(self.lines(alternate))

    def feed(self, data):
        data = self.rest + data
        self.rest = b""
        while data:
            if data[:1] == b"\x1b":
                found = SEQUENCE.match(data)
                if not found:
                    if len(data) > 16:
                        raise ValueError(f"an escape sequence that this terminal does not know: {data[:16]!r}")
                    self.rest = data
                    return
                self.control(found[1] + found[3], found[2].decode())
                data = data[found.end():]
            else:
                end = data.find(b"\x1b")
                piece, data = (data, b"") if end < 0 else (data[:end], data[end:])
                try:
                    text = piece.decode()
                except UnicodeDecodeError as error:
                    if data or len(piece) - error.start > 3:
                        raise
                    text, self.rest = piece[:error.start].decode(), piece[error.start:]
                for sign in text:
                    self.put(sign)

    def put(self, sign):
        if sign == "\r":
            self.column = 0
        elif sign == "\n":
            self.row += 1
            if self.alternate and self.row >= self.rows:
                self.overflowed = True
        elif sign != "\x07":
            if self.column >= self.columns:
                self.overflowed = self.overflowed or self.alternate
                self.row, self.column = self.row + 1, 0
            line = self.page.setdefault(self.row, [])
            line.extend(" " * (self.column + 1 - len(line)))
            line[self.column] = sign
            self.column += 1

    def control(self, name, numbers):
        if name == b"H" and not numbers:
            self.row = self.column = 0
        elif name == b"K" and not numbers:
            del self.page.setdefault(self.row, [])[self.column:]
        elif name == b"J" and numbers in ("", "2"):
            if numbers == "2":
                self.page.clear()
            else:
                for row in [row for row in self.page if row > self.row]:
                    del self.page[row]
                del self.page.setdefault(self.row, [])[self.column:]
        elif name == b"m":
            self.coloured = self.coloured or numbers not in ("", "0")
        elif name in (b"?h", b"?l") and numbers == "25":
            self.cursor_shown = name == b"?h"
        elif name in (b"?h", b"?l") and numbers == "1049":
            if name == b"?h":
                self.saved = (self.row, self.column)
                self.pages[True].clear()
            else:
                self.row, self.column = self.saved
            self.alternate = name == b"?h"
        else:
            raise ValueError(f"a control sequence that this terminal does not know: {name!r} {numbers!r}")


class Terminal:
    """A program with a terminal of its own, which it controls: a Ctrl-C that is typed is a signal, a terminal that closes too."""

    def __init__(self, command, columns=100, rows=30, environment=None):
        self.master, slave = os.openpty()
        self.screen = Screen(columns, rows)
        self.size(columns, rows)
        self.modes = termios.tcgetattr(slave)

        def control():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        variables = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        variables.update({"TERM": "xterm", **(environment or {})})
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, preexec_fn=control, env=variables)
        os.close(slave)
        self.changed = threading.Condition()
        self.failure = None
        self.everything = b""
        self.is_open = True
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def size(self, columns, rows):
        """As a window's edge is drawn: the kernel tells the program."""
        self.screen.columns, self.screen.rows = columns, rows
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        with self.changed:
            # What stood there is the old window's.
            self.screen.pages[True].clear()
            self.screen.overflowed = False
            self.size(columns, rows)

    def read(self):
        while True:
            ready, _, _ = select.select([self.master], [], [], 0.2)
            try:
                data = os.read(self.master, 65536) if ready else None
            except OSError:
                data = b""
            with self.changed:
                if not self.is_open:
                    return
                if data:
                    self.everything += data
                    try:
                        self.screen.feed(data)
                    except ValueError as error:
                        self.failure = error
                self.changed.notify_all()
                if data == b"":
                    return

    def type(self, text):
        os.write(self.master, text)

    def wait(self, what, is_met, seconds=90):
        limit = time.monotonic() + seconds
        with self.changed:
            while not is_met(self.screen):
                if self.failure:
                    raise self.failure
                if time.monotonic() > limit:
                    raise AssertionError(f"waited for {what}; the screen shows\n{self.screen.text()}\n--- and the page behind it\n"
                                         f"{self.screen.text(False)}")
                self.changed.wait(1)

    def close(self):
        """The window is closed: nobody holds the terminal any more."""
        with self.changed:
            self.is_open = False
        self.reader.join(10)
        os.close(self.master)

    def modes_now(self):
        return termios.tcgetattr(self.master)

    def ending(self, seconds=60):
        code = self.process.wait(seconds)
        self.reader.join(10)
        if self.failure:
            raise self.failure
        return code

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)
        if self.is_open:
            with self.changed:
                self.is_open = False
            self.reader.join(10)
            os.close(self.master)
