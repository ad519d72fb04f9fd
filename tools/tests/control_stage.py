# SPDX-License-Identifier: Apache-2.0
"""A daemon of our own, and whoever asks it over its control socket or its TCP port. Buses and register are not there: nothing of this needs them."""

import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import tempfile
import textwrap
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PROGRAM = REPOSITORY / ".build" / (os.environ.get("CONFIGURATION") or "debug") / "bus-migrator"
LIMIT = 60


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=LIMIT):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        # As bus-migrator's own commands: a full queue is told at once, and tried again.
        ends = time.monotonic() + 5
        while True:
            try:
                return self.sock.connect(self.path)
            except BlockingIOError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.005)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        # What goes on without end is read as far as it has come.
        self.body = response.read1(1 << 16) if self.headers["content-type"] == "text/event-stream" else response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json.get("code")

    def __repr__(self):
        return f"{self.status} {self.body[:400]!r}"


class ControlStage:
    """Starts and stops daemons in a folder of their own."""

    def __init__(self, test):
        test.assertTrue(PROGRAM.exists(), f"{PROGRAM} is not built: swift build")
        # a short path: a Unix socket's may have 103 bytes
        self.folder = Path(tempfile.mkdtemp(prefix="bmc-", dir="/tmp"))
        self.socket = str(self.folder / "control.sock")
        self.database = self.folder / "state" / "migration.sqlite"
        (self.folder / "state").mkdir()
        self.configuration = self.folder / "bus-migrator.yaml"
        for name in ("source", "target"):
            (self.folder / name).write_text("amqp://app:app@127.0.0.1:1/NHN\n")
        (self.folder / "register").write_text("planted-password\n")
        self.running = []
        self.configure()
        test.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        test.addCleanup(self.stop_all)

    def configure(self, more=""):
        self.configuration.write_text(textwrap.dedent("""\
            environment: test
            buses:
              - {name: sb, dialect: rabbitmq-3, hosts: [sb.test], connection-string-file: source}
              - {name: tb, dialect: rabbitmq-4-v2, hosts: [tb.test], connection-string-file: target}
            ping: {own-her-id: 100, state-folder: pings}
            register: {url: "https://127.0.0.1:1/", user: a, password-file: register, writer: {kind: manual}}
            state-directory: state
            """) + more)

    def plant(self, *events):
        """Writes events into the history, chained as the daemon does it. No daemon may run. The first ones make the database."""
        if not self.database.exists():
            self.end(self.start())
        with sqlite3.connect(self.database) as database:
            sequence, previous = database.execute("SELECT sequence, hash FROM event ORDER BY sequence DESC LIMIT 1").fetchone()
            fence = database.execute("SELECT max(token) FROM fence").fetchone()[0]
            for kind, version, event in events:
                sequence += 1
                body = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
                at, actor = int(time.time() * 1000), "Kari"
                text = "event/1\n"
                for field in (previous, sequence, at, fence, actor, kind, version, body):
                    text += f"{len(str(field).encode())}:{field}\n"
                digest = hashlib.sha256(text.encode()).hexdigest()
                database.execute(
                    "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (sequence, at, fence, actor, kind, version, body, previous, digest))
                previous = digest
        database.close()

    def plant_pulje(self):
        """A pulje of five parties of three vendors, sealed and not started: Alfa's and Beta's share a queue. What is the others' bears
        marks that must never reach Alfa."""
        rows = (REPOSITORY / "Tests/MigrationStoreTests/Histories/form-3/KNOWN.events").read_text().splitlines()
        plan = json.loads(rows[1].split("\t", 1)[1])["puljeSealed"]["plan"]
        group = plan["groups"][0]
        # Group and party of Alfa's own; 101 is Beta's, 102 is Alfa's again.
        beta = group["members"][1]
        beta["vendor"] = "Beta-planted"
        for record in (beta["before"], beta["after"]):
            record["name"] = "Beta-planted legekontor"
        other = json.loads(json.dumps(plan["groups"][0]).replace("10", "770000").replace("Party", "Gamma-planted"))
        for member in other["members"]:
            member["vendor"] = "Gamma-planted"
        plan["groups"].append(other)
        plan["source"], plan["target"] = "sb", "tb"
        plan["policy"]["testProtocol"]["vendorConfirms"] = True
        second = json.loads(json.dumps(plan))
        plan["name"], second["name"] = "monday", "planted-secret-pulje"
        second["groups"] = [json.loads(json.dumps(other).replace("770000", "880000"))]
        self.plant(*[("pulje.sealed", 3, {"puljeSealed": {"by": "Planted Person", "plan": one}}) for one in (plan, second)])

    def start(self, logins=None, journal=None):
        """Returns when the daemon is ready, as it tells systemd.

        `logins`: users by name, each with a number and the groups it is in. The daemon, and nobody else, finds them in /etc: it has a mount
        namespace of its own. `journal`: a folder with a socket: the daemon finds it where systemd's journal listens, in the same way.
        """
        heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = str(self.folder / f"notify{len(self.running)}")
        heard.bind(path)
        heard.settimeout(LIMIT)
        log = open(self.folder / f"log{len(self.running)}", "w+")
        command = [str(PROGRAM), "run", "--config", str(self.configuration), "--socket", self.socket]
        if logins is not None:
            passwd, group = self.folder / "passwd", self.folder / "group"
            passwd.write_text("root:x:0:0::/:/bin/sh\n" + "".join(f"{name}:x:{uid}:{uid}::/:/bin/sh\n" for name, (uid, _) in logins.items()))
            groups = sorted({group for _, member in logins.values() for group in member})
            group.write_text("root:x:0:\n" + "".join(
                f"{one}:x:{60_000 + number}:{','.join(name for name, (_, member) in logins.items() if one in member)}\n"
                for number, one in enumerate(groups)))
            command = ["unshare", "--mount", "sh", "-c", f'mount --bind {passwd} /etc/passwd && mount --bind {group} /etc/group && exec "$0" "$@"', *command]
        environment = {**os.environ, "NOTIFY_SOCKET": path}
        if journal is not None:
            status = os.fstat(log.fileno())
            environment["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"
            mounts = 'mount -t tmpfs none /run && mkdir -p /run/systemd/journal && mount --bind "$0" /run/systemd/journal && exec "$@"'
            command = ["unshare", "--mount", "/bin/sh", "-c", mounts, str(journal), *command]
        process = subprocess.Popen(command, env=environment, stderr=log, stdout=subprocess.DEVNULL)
        process.log, process.heard = log, heard
        self.running.append(process)
        self.hear(process, "READY=1")
        return process

    def hear(self, process, wanted):
        while True:
            try:
                if process.heard.recv(4096).decode().startswith(wanted):
                    return
            except TimeoutError:
                raise AssertionError(f"no {wanted}: {self.said(process)}") from None

    def said(self, process):
        process.log.seek(0)
        return process.log.read()

    def reload(self, process):
        process.send_signal(signal.SIGHUP)
        self.hear(process, "RELOADING=1")
        self.hear(process, "READY=1")

    def end(self, process):
        process.terminate()
        code = process.wait(timeout=LIMIT)
        assert code == 0, self.said(process)

    def stop_all(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
                process.wait()
            process.log.close()
            process.heard.close()

    def run(self, *arguments):
        return subprocess.run(
            [str(PROGRAM), *arguments, "--socket", self.socket], capture_output=True, text=True, timeout=LIMIT)

    def ask(self, method, path, body=None, headers=None, connection=None):
        connection = connection or UnixConnection(self.socket)
        # what no page of another site could send
        headers = {"bus-migrator-request": "1", **(headers or {})}
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("content-type", "application/json")
        try:
            connection.request(method, path, body=body, headers=headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def command(self, verb, key=None, headers=None, connection=None, **fields):
        headers = {**(headers or {}), **({"idempotency-key": key} if key else {})}
        return self.ask("POST", "/v1/command", {"verb": verb, **fields}, headers, connection)


def certificate(folder, name="daemon"):
    """A key and a certificate for 127.0.0.1, signed by itself."""
    key, chain = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(chain)], check=True, capture_output=True)
    return chain, key


def tls(chain):
    return ssl.create_default_context(cafile=str(chain))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def memory(process):
    """Resident bytes."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def until(condition, within=LIMIT):
    """Another process cannot wake us."""
    ends = time.monotonic() + within
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True
