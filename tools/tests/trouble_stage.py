# SPDX-License-Identifier: Apache-2.0
"""A pulje on real brokers that has run into trouble: a party's queue is gone from the bus that it left, the bus that it went to goes away, and somebody
stops the line.

Needs the brokers (scripts/with-brokers) and the built programs.
"""

import base64
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

from browser_stage import LIMIT, Forwarded, programs
from control_stage import UnixConnection

SOURCE, TARGET = "TJENESTEBUSS_RABBITMQ3_MANAGEMENT_URL", "TJENESTEBUSS_RABBITMQ4_MANAGEMENT_URL"


class Relay(Forwarded):
    """A port that leads to another; the bus behind it can go away."""

    def __init__(self, host, port):
        self.place = (host, port)
        super().__init__(None)

    def reach(self):
        return socket.create_connection(self.place, timeout=LIMIT)


class TroubleStage:
    """Use it with `with`: then the light of one party's way back is red, and alerts stand."""

    GONE = "2001_async"

    def __enter__(self):
        self.migrator, self.rehearsal = programs()
        # a short path: a Unix socket's may have 103 bytes
        self.folder = Path(tempfile.mkdtemp(prefix="bmt-", dir="/tmp"))
        self.socket = str(self.folder / "control.sock")
        self.relays, self.ground, self.daemon = [], None, None
        try:
            self.play()
            self.forwarded = Forwarded(self.socket)
            self.url = f"http://localhost:{self.forwarded.port}/"
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for relay in [*self.relays, *([self.forwarded] if hasattr(self, "forwarded") else [])]:
            relay.close()
        for process in (self.daemon, self.ground):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()
        if self.ground is not None:
            self.reader.join(LIMIT)
            self.ground.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def relayed(self, host, port):
        relay = Relay(host, int(port))
        self.relays.append(relay)
        return f"127.0.0.1:{relay.port}"

    def play(self):
        self.ground = subprocess.Popen(
            [self.rehearsal, "practice", "--directory", self.folder, "--brokers", "rabbitmq"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.ground.stdout:
            if line.startswith("ready:"):
                break
        # nobody reads on, and nobody is to wait for that
        self.reader = threading.Thread(target=self.ground.stdout.read, daemon=True)
        self.reader.start()
        # The daemon alone reaches the bus that they go to over these: the parties' systems go on.
        url = self.folder / "tjenestebuss.url"
        url.write_text(re.sub(r"@([\d.]+):(\d+)/", lambda at: f"@{self.relayed(*at.groups())}/", url.read_text()))
        management = urllib.parse.urlsplit(os.environ[TARGET]).netloc
        file = self.folder / "bus-migrator.yaml"
        file.write_text(file.read_text().replace(f"http://{management}", f"http://{self.relayed(*management.rsplit(':', 1))}", 1))
        with open(self.folder / "daemon.log", "ab") as log:
            self.daemon = subprocess.Popen([self.migrator, "run", "--config", file], stdout=log, stderr=log)
        self.until(lambda: self.command("status").returncode == 0, "the daemon to answer")
        done = self.command("start", "--execute", self.folder / "pulje.yaml", "--approved-by", "Kari", "--approved-by", "Ola", "--because", "CHG-7")
        assert done.returncode == 0, done.stderr
        self.until(lambda: all(group["phase"] in ("DRAINING", "DRAINED", "OBSERVING") for group in self.board()["groups"]), "the cut-over of all")
        self.delete(self.GONE)
        self.until(lambda: any(group["light"] == "red" for group in self.board()["groups"]), "the red light")
        for relay in self.relays:
            relay.close()
        done = self.command("stop-the-line", "--by", "Kari", "--because", "a queue is gone, and a bus with it")
        assert done.returncode == 0, done.stderr
        self.until(lambda: {"MIG-417", "MIG-502"} <= {alert["code"] for alert in self.board()["alerts"]}, "both alerts")

    def command(self, *arguments):
        return subprocess.run(
            [self.migrator, *arguments, "--config", self.folder / "bus-migrator.yaml"], capture_output=True, text=True, timeout=LIMIT)

    def board(self):
        connection = UnixConnection(self.socket)
        connection.request("GET", "/v1/board")
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def delete(self, queue):
        place = urllib.parse.urlsplit(os.environ[SOURCE])
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=LIMIT)
        connection.request("DELETE", f"/api/queues/%2F/{queue}", headers={"authorization": "Basic " + base64.b64encode(b"guest:guest").decode()})
        status = connection.getresponse().status
        connection.close()
        assert status == 204, status

    def log(self):
        return (self.folder / "daemon.log").read_text(errors="replace")[-3000:]

    def until(self, condition, what, within=300):
        ends = time.monotonic() + within
        while not condition():
            if time.monotonic() > ends:
                raise AssertionError(f"waited in vain for {what}: {self.log()}")
            time.sleep(0.2)
