# SPDX-License-Identifier: Apache-2.0
"""What the units promise, tried without systemd as the first process: socket activation, readiness, status, watchdog, reload, credentials, and a clean
stop.

Needs the built program: swift build, then python3 -m pytest tools/tests
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import textwrap
import time
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PROGRAM = REPOSITORY / ".build" / (os.environ.get("CONFIGURATION") or "debug") / "bus-migrator"
LIMIT = 60


class Notified:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, folder):
        self.path = str(Path(folder) / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.seen = []

    def until(self, wanted, within=LIMIT):
        """Reads until a datagram begins with `wanted`; everything before it stays in `seen`."""
        ends = time.monotonic() + within
        while True:
            self.socket.settimeout(max(0.01, ends - time.monotonic()))
            try:
                text = self.socket.recv(4096).decode()
            except TimeoutError:
                raise AssertionError(f"no {wanted} within {within} s; seen: {self.seen}") from None
            self.seen.append(text)
            if text.startswith(wanted):
                return text


class DaemonAsAUnit(unittest.TestCase):
    def setUp(self):
        self.assertTrue(PROGRAM.exists(), f"{PROGRAM} is not built: swift build")
        # a short path: a Unix socket's may have 103 bytes
        self.folder = Path(tempfile.mkdtemp(prefix="bmu-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.socket = str(self.folder / "control.sock")
        credentials = self.folder / "credentials"
        credentials.mkdir(mode=0o700)
        (credentials / "secret_source").write_text("amqp://app:app@127.0.0.1:1/NHN\n")
        (credentials / "secret_target").write_text("amqp://app:app@127.0.0.1:1/NHN\n")
        (credentials / "secret_register").write_text("planted-password\n")
        self.credentials = str(credentials)
        self.configuration = self.folder / "bus-migrator.yaml"
        self.configure()
        self.running = []
        self.addCleanup(self.stop_all)

    def configure(self, more=""):
        self.configuration.write_text(textwrap.dedent("""\
            environment: test
            buses:
              - {name: sb, dialect: rabbitmq-3, hosts: [sb.test], connection-string-credential: secret_source}
              - {name: tb, dialect: rabbitmq-4-v2, hosts: [tb.test], connection-string-credential: secret_target}
            ping: {own-her-id: 100, state-folder: pings}
            register: {url: "https://127.0.0.1:1/", user: a, password-credential: secret_register, writer: {kind: manual}}
            state-directory: state
            """) + more)
        (self.folder / "state").mkdir(exist_ok=True)

    def stop_all(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
                process.communicate()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()

    def start(self, listening=None, **more):
        """Starts the daemon as systemd would."""
        environment = {**os.environ, "CREDENTIALS_DIRECTORY": self.credentials, **more}
        command = [str(PROGRAM), "run", "--config", str(self.configuration), "--socket", self.socket]
        if listening is None:
            process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        else:
            environment["LISTEN_FDS"] = "1"
            process = subprocess.Popen(
                ["/bin/sh", "-c", 'export LISTEN_PID=$$; exec "$0" "$@"', *command], env=environment, stderr=subprocess.PIPE,
                stdout=subprocess.PIPE, text=True, pass_fds=(3,), preexec_fn=lambda: os.dup2(listening.fileno(), 3))
        self.running.append(process)
        return process

    def end(self, process):
        process.terminate()
        output, complaint = process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, 0, complaint)
        return complaint

    def ask(self):
        """`status`, as a process that may have to wait."""
        process = subprocess.Popen(
            [str(PROGRAM), "status", "--socket", self.socket, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.running.append(process)
        return process

    def answered(self, asked):
        output, complaint = asked.communicate(timeout=LIMIT)
        self.assertEqual(asked.returncode, 0, complaint)
        return json.loads(output)

    def listen(self):
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(self.socket)
        listening.listen(64)
        self.addCleanup(listening.close)
        return listening

    def test_status_is_answered_while_the_daemon_restarts(self):
        listening = self.listen()
        early = self.ask()
        first = self.start(listening)
        status = self.answered(early)
        self.assertEqual(status["daemon"]["processID"], first.pid)
        self.end(first)
        self.assertTrue(os.path.exists(self.socket), "the socket is systemd's, and stays")
        between = self.ask()
        time.sleep(0.3)
        self.assertIsNone(between.poll(), "nobody answers yet, and nobody was refused")
        second = self.start(listening)
        status = self.answered(between)
        self.assertEqual((status["daemon"]["processID"], status["daemon"]["starts"]), (second.pid, 2))
        self.end(second)

    def test_systemd_socket_activate_starts_it(self):
        activate = subprocess.Popen(
            ["/usr/bin/systemd-socket-activate", "--listen", self.socket, "-E", f"CREDENTIALS_DIRECTORY={self.credentials}", "-E", "PATH", str(PROGRAM),
             "run", "--config", str(self.configuration), "--socket", self.socket], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.running.append(activate)
        ends = time.monotonic() + LIMIT
        while not os.path.exists(self.socket) and time.monotonic() < ends:
            time.sleep(0.05)
        status = self.answered(self.ask())
        self.assertEqual(status["daemon"]["processID"], activate.pid)
        self.end(activate)

    def test_what_is_handed_over_must_be_one_listening_socket(self):
        pair, other = socket.socketpair()
        nothing = open(os.devnull)
        for wrong in (pair, nothing):
            self.addCleanup(wrong.close)
            process = self.start(wrong)
            _, complaint = process.communicate(timeout=LIMIT)
            self.assertEqual(process.returncode, 1)
            self.assertIn("CLI-012", complaint)
        other.close()

    def test_ready_status_watchdog_reload_stop(self):
        notified = Notified(self.folder)
        self.addCleanup(notified.socket.close)
        process = self.start(NOTIFY_SOCKET=notified.path, WATCHDOG_USEC="400000")
        notified.until("READY=1")
        self.assertEqual(self.answered(self.ask())["daemon"]["starts"], 1)
        notified.until("WATCHDOG=1")
        notified.until("WATCHDOG=1")
        self.assertTrue(any(line.startswith("STATUS=") for line in notified.seen), notified.seen)
        self.configure("log-level: debug\nlimits: {register: 3/s}\n")
        process.send_signal(signal.SIGHUP)
        self.assertIn("MONOTONIC_USEC=", notified.until("RELOADING=1"))
        notified.until("READY=1")
        process.terminate()
        notified.until("STOPPING=1")
        _, complaint = process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, 0, complaint)
        self.assertIn("api, hooks, limits, log-level, tell, timings are taken up", complaint)
        self.assertNotIn("planted-password", complaint)

    def test_a_reload_of_a_wrong_file_changes_nothing_and_says_so(self):
        notified = Notified(self.folder)
        self.addCleanup(notified.socket.close)
        process = self.start(NOTIFY_SOCKET=notified.path)
        notified.until("READY=1")
        self.configure("limitz: {register: 3/s}\n")
        process.send_signal(signal.SIGHUP)
        notified.until("RELOADING=1")
        notified.until("READY=1")
        self.configure("audit-heads: {file: heads.log}\n")
        process.send_signal(signal.SIGHUP)
        notified.until("RELOADING=1")
        notified.until("READY=1")
        complaint = self.end(process)
        self.assertIn("CLI-003", complaint)
        self.assertIn("the configuration is as it was", complaint)
        self.assertIn("needs a restart: audit-heads", complaint)

    def test_a_credential_that_is_missing_is_named(self):
        os.unlink(f"{self.credentials}/secret_target")
        process = self.start()
        _, complaint = process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, 2)
        self.assertIn("CLI-006", complaint)
        self.assertIn("secret_target", complaint)

    def test_one_user_cannot_keep_the_operator_out(self):
        listening = self.listen()
        os.chmod(self.socket, 0o666)
        os.chmod(self.folder, 0o755)
        process = self.start(listening)
        self.answered(self.ask())
        crowd = subprocess.Popen(
            ["/usr/bin/python3", "-c", textwrap.dedent(f"""
                import os, select, socket, sys, time
                os.setgid(65534); os.setuid(65534)
                all = []
                for _ in range(300):
                    s = socket.socket(socket.AF_UNIX); s.connect({self.socket!r}); all.append(s)
                away, ends = 0, time.monotonic() + 20
                poll = select.poll()
                for s in all: poll.register(s, select.POLLIN)
                while away < 236 and time.monotonic() < ends:
                    for number, _ in poll.poll(100):
                        poll.unregister(number)
                        away += next(s for s in all if s.fileno() == number).recv(100).startswith(b"HTTP/1.1 503")
                print(away, flush=True)
                sys.stdin.read()
                """)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.running.append(crowd)
        self.assertEqual(int(crowd.stdout.readline()), 300 - 64)
        self.assertEqual(self.answered(self.ask())["daemon"]["processID"], process.pid)
        crowd.communicate("", timeout=LIMIT)
        self.end(process)

    def test_who_may_do_what(self):
        """A login that is in none of the groups may nothing, though the file lets it in. With groups: scripts/deb-test."""
        listening = self.listen()
        os.chmod(self.socket, 0o666)
        os.chmod(self.folder, 0o755)
        process = self.start(listening)
        self.answered(self.ask())

        # What a page of another site could not send.
        ours = r"content-type: application/json\r\nbus-migrator-request: 1\r\n"

        def asks(method, path, **who):
            result = subprocess.run(
                ["/usr/bin/python3", "-c", textwrap.dedent(f"""
                    import socket
                    s = socket.socket(socket.AF_UNIX); s.connect({self.socket!r})
                    s.sendall(b"{method} {path} HTTP/1.1\\r\\nhost: localhost\\r\\n{ours}content-length: 2\\r\\nconnection: close\\r\\n\\r\\n{{}}")
                    print(s.makefile().read())
                    """)], capture_output=True, text=True, timeout=LIMIT, **who)
            return result.stdout + result.stderr

        nobody = {"user": 65534, "group": 65534, "extra_groups": []}
        for method, path in (("GET", "/v1/status"), ("GET", "/v1/report"), ("GET", "/v1/drain"), ("POST", "/v1/command"), ("POST", "/v1/drain/trial")):
            answer = asks(method, path, **nobody)
            self.assertIn("403", answer.splitlines()[0], answer)
            self.assertIn("CLI-018", answer)
        self.assertIn("200", asks("GET", "/v1/status").splitlines()[0])
        # Who is gone before anybody looks is nobody, and may nothing.
        gone = subprocess.run(
            ["/usr/bin/python3", "-c", textwrap.dedent(f"""
                import socket
                body = b'{{"verb":"stop","by":["x"],"why":"y"}}'
                for _ in range(200):
                    s = socket.socket(socket.AF_UNIX); s.connect({self.socket!r})
                    s.sendall(b"POST /v1/command HTTP/1.1\\r\\nhost: localhost\\r\\n{ours}content-length: %d\\r\\n\\r\\n" % len(body) + body)
                    s.close()
                """)], capture_output=True, text=True, timeout=LIMIT, **nobody)
        self.assertEqual(gone.returncode, 0, gone.stderr)
        status = self.answered(self.ask())
        self.assertIsNone(status.get("stop"), status)
        self.end(process)


if __name__ == "__main__":
    unittest.main()
