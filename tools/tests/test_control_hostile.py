# SPDX-License-Identifier: Apache-2.0
"""Whoever comes to do harm at the socket or the port: too many, too slow, too much, and never done. Meanwhile root is answered within two seconds, and
afterwards memory and descriptors are what they were."""

import http.client
import os
import resource
import select
import signal
import socket
import ssl
import subprocess
import sys
import textwrap
import threading
import time
import unittest

from control_stage import ControlStage, UnixConnection, certificate, descriptors, free_port, memory, tls, until

CROWD = 10_000
NOBODY = 65534
# Seconds. Where the machine is busy by itself, and an answer takes its time without anybody who disturbs: forty times that.
ROOT_WAITS = 2.0
TIMES_THE_USUAL = 40


def raise_limit():
    """As many descriptors as this process may have: it holds the crowd's ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CROWD + 2_000
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))


class Watch(threading.Thread):
    """Asks for the status as root, all the while."""

    def __init__(self, stage):
        super().__init__(daemon=True)
        self.stage, self.times, self.wrong, self.is_over = stage, [], [], threading.Event()

    def run(self):
        while not self.is_over.wait(0.05):
            began = time.monotonic()
            try:
                answer = self.stage.ask("GET", "/v1/status", connection=UnixConnection(self.stage.socket, timeout=10))
                if answer.status != 200:
                    self.wrong.append(repr(answer))
            except OSError as error:
                self.wrong.append(repr(error))
            self.times.append(time.monotonic() - began)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.join(30)


class Hostile(unittest.TestCase):
    def setUp(self):
        raise_limit()
        self.stage = ControlStage(self)
        self.chain, _ = certificate(self.stage.folder)
        self.port = free_port()
        self.secret = "operator-secret-" * 4
        (self.stage.folder / "token").write_text(self.secret)
        self.stage.configure(textwrap.dedent(f"""\
            api:
              listen: 0.0.0.0:{self.port}
              certificate: daemon.pem
              private-key: daemon.key
              tokens: [{{name: kari, role: operator, expires: 2099-12-31, token-file: token}}]
            """))
        self.daemon = self.stage.start()
        os.chmod(self.stage.folder, 0o755)
        os.chmod(self.stage.socket, 0o666)
        self.measure_the_usual()
        self.assertEqual(self.over_tcp(), 200)
        # What one connection of each kind leaves behind is gone by now.
        self.assertTrue(until(lambda: descriptors(self.daemon) == descriptors(self.daemon)))
        self.before = (memory(self.daemon), descriptors(self.daemon))

    def measure_the_usual(self):
        times = []
        for _ in range(21):
            began = time.monotonic()
            self.assertEqual(self.stage.ask("GET", "/v1/status").status, 200)
            times.append(time.monotonic() - began)
        self.bound = max(ROOT_WAITS, TIMES_THE_USUAL * sorted(times)[10])

    def over_tcp(self, connection=None):
        connection = connection or http.client.HTTPSConnection("127.0.0.1", self.port, context=tls(self.chain), timeout=30)
        return self.stage.ask("GET", "/v1/status", headers={"authorization": f"Bearer {self.secret}"}, connection=connection).status

    def undisturbed(self, watch, least=3):
        self.assertEqual(watch.wrong, [], "root was not answered")
        self.assertGreaterEqual(len(watch.times), least)
        self.assertLess(max(watch.times), self.bound, sorted(watch.times)[-5:])
        self.assertIsNone(self.daemon.poll(), self.stage.said(self.daemon)[-2000:])

    def as_before(self):
        self.assertTrue(
            until(lambda: descriptors(self.daemon) <= self.before[1] + 4), f"{self.before[1]} descriptors were {descriptors(self.daemon)}")
        self.assertLess(memory(self.daemon), self.before[0] + (96 << 20), "memory stays")
        self.assertEqual(self.stage.ask("GET", "/v1/status").status, 200)
        self.assertEqual(self.over_tcp(), 200)
        self.stage.end(self.daemon)

    def crowd(self, code):
        """A program of nobody's that holds its connections until it is told to go; says how many it has."""
        preamble = f"""
            import os, resource, select, socket, sys, time
            resource.setrlimit(resource.RLIMIT_NOFILE, ({CROWD + 100}, {CROWD + 2_000}))
            os.setgid({NOBODY}); os.setuid({NOBODY})
            held = []
        """
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(preamble) + textwrap.dedent(code) + "print(len(held), flush=True)\nsys.stdin.read()\n"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.dismiss, process)
        return process

    def dismiss(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()

    def test_ten_thousand_connections_on_the_socket(self):
        with Watch(self.stage) as watch:
            crowd = self.crowd(f"""
                for _ in range({CROWD}):
                    s = socket.socket(socket.AF_UNIX); s.connect({self.stage.socket!r}); held.append(s)
            """)
            self.assertEqual(int(crowd.stdout.readline()), CROWD)
            seen = len(watch.times)
            self.assertTrue(until(lambda: len(watch.times) > seen + 5))
            self.assertLess(descriptors(self.daemon), self.before[1] + 100, "who is one too many holds nothing here")
            self.dismiss(crowd)
        self.undisturbed(watch)
        self.as_before()

    def test_ten_thousand_connections_on_the_port(self):
        with Watch(self.stage) as watch:
            crowd = self.crowd(f"""
                for number in range({CROWD}):
                    s = socket.socket(); s.bind((f"127.0.0.{{2 + number % 8}}", 0)); s.connect(("127.0.0.1", {self.port})); held.append(s)
            """)
            self.assertEqual(int(crowd.stdout.readline()), CROWD)
            seen = len(watch.times)
            self.assertTrue(until(lambda: len(watch.times) > seen + 5))
            self.assertLess(descriptors(self.daemon), self.before[1] + 300)
            # The silent ones are shown out, and there is room again while the crowd still stands there.
            self.assertTrue(until(lambda: descriptors(self.daemon) <= self.before[1] + 4, within=30), descriptors(self.daemon))
            self.assertEqual(self.over_tcp(), 200)
            self.dismiss(crowd)
        self.undisturbed(watch)
        self.as_before()

    def slow(self, connect, head):
        """Each of them sends a byte a second, or nothing, or never an end, or reads nothing. Returns those who were not cut off in time."""
        every = {
            "a byte a second of a head": (b"", b"GET /v1/status HTTP/1.1\r\nhost: localhost\r\nx-long: " + b"a" * 600),
            "headers that never end": (b"GET /v1/status HTTP/1.1\r\nhost: localhost\r\n", b"x-a: b\r\n" * 500),
            "nothing at all": (b"", b""),
        }
        standing = {}
        for name, (begin, rest) in every.items():
            for _ in range(5):
                connection = connect()
                if begin:
                    connection.sendall(begin)
                connection.setblocking(False)
                standing[connection] = (name, iter(rest))
        ends = time.monotonic() + 25
        while standing and time.monotonic() < ends:
            for connection in list(standing):
                name, rest = standing[connection]
                byte = next(rest, None)
                try:
                    if byte is not None:
                        connection.send(bytes([byte]))
                    if connection.recv(1_000) == b"":
                        raise ConnectionError
                except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    continue
                except OSError:
                    connection.close()
                    del standing[connection]
            time.sleep(1)
        left = sorted({name for name, _ in standing.values()})
        for connection in standing:
            connection.close()
        return left

    def unix(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.stage.socket)
        return connection

    def secure(self):
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        return tls(self.chain).wrap_socket(raw, server_hostname="127.0.0.1")

    def test_slow_clients_are_cut_off(self):
        with Watch(self.stage) as watch:
            self.assertEqual(self.slow(self.unix, b""), [])
            self.assertEqual(self.slow(self.secure, f"authorization: Bearer {self.secret}\r\n".encode()), [])
            # A handshake that never goes on.
            silent = socket.create_connection(("127.0.0.1", self.port))
            self.assertTrue(select.select([silent], [], [], 20)[0], "a handshake that never begins is cut off")
            silent.close()
        self.undisturbed(watch)
        self.as_before()

    def test_bodies_that_are_too_large_or_never_end(self):
        authorization = f"authorization: Bearer {self.secret}\r\n"
        with Watch(self.stage) as watch:
            for connect in (self.unix, self.secure):
                connection = connect()
                connection.sendall(
                    f"POST /v1/command HTTP/1.1\r\nhost: localhost\r\n{authorization}bus-migrator-request: 1\r\ncontent-type: application/json\r\ncontent-length: 99999999\r\n\r\n".encode())
                self.assertIn(b"413", connection.recv(100))
                connection.close()
                # Chunks: nothing says beforehand how many there are.
                connection = connect()
                connection.settimeout(60)
                connection.sendall(
                    f"POST /v1/command HTTP/1.1\r\nhost: localhost\r\n{authorization}bus-migrator-request: 1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n".encode())
                chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
                answer = b""
                try:
                    for _ in range(1_000):
                        if select.select([connection], [], [], 0)[0]:
                            answer = connection.recv(100)
                            break
                        connection.sendall(chunk)
                except OSError:
                    answer = answer or b"cut off"
                self.assertTrue(b"413" in answer or answer == b"cut off", answer)
                connection.close()
            # Without a right to command, nothing of the body is taken in.
            stranger = http.client.HTTPSConnection("127.0.0.1", self.port, context=tls(self.chain), timeout=30)
            self.assertEqual(self.stage.ask("POST", "/v1/command", b" " * 1_000_000, {"content-type": "application/json"}, stranger).status, 401)
            large = self.unix()
            large.sendall(b"GET /v1/status HTTP/1.1\r\nhost: localhost\r\n" + b"".join(b"x-%d: %s\r\n" % (n, b"a" * 1_000) for n in range(60)) + b"\r\n")
            self.assertIn(b"HTTP/1.1 4", large.recv(100))
            large.close()
        self.undisturbed(watch, least=1)
        self.as_before()

    def test_answers_that_nobody_reads(self):
        """Ask and ask on one connection, read nothing: what waits to be sent is bounded, and the reader is shown out."""
        self.stage.end(self.daemon)
        self.stage.plant_pulje()
        self.daemon = self.stage.start()
        os.chmod(self.stage.socket, 0o666)
        self.measure_the_usual()
        self.assertEqual(self.over_tcp(), 200)
        self.before = (memory(self.daemon), descriptors(self.daemon))
        with Watch(self.stage) as watch:
            readers = [connect() for connect in (self.unix, self.secure) for _ in range(2)]
            question = f"GET /v1/status HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {self.secret}\r\n\r\n".encode()
            highest = 0
            ends = time.monotonic() + 45
            open_readers = set(readers)
            for reader in readers:
                reader.setblocking(False)
            while open_readers and time.monotonic() < ends:
                for reader in list(open_readers):
                    try:
                        for _ in range(100):
                            reader.send(question)
                    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                        pass
                    except OSError:
                        open_readers.discard(reader)
                highest = max(highest, memory(self.daemon))
                time.sleep(0.5)
            self.assertEqual(len(open_readers), 0, "they were not shown out")
            self.assertLess(highest, self.before[0] + (64 << 20))
            for reader in readers:
                reader.close()
        self.undisturbed(watch)
        self.as_before()


if __name__ == "__main__":
    unittest.main()
