# SPDX-License-Identifier: Apache-2.0
"""What tests of bus-pinger's program stand on: a queue of their own on the real RabbitMQ 4.0, a configuration, a system that listens."""

import json
import os
import subprocess
import tempfile
import textwrap
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PYTHON = "/usr/bin/python3"
RABBITMQ4 = os.environ.get("TJENESTEBUSS_RABBITMQ4_URL")
PROGRAM = REPOSITORY / ".build" / (os.environ.get("CONFIGURATION") or "debug") / "bus-pinger"


class PingerStage:
    """For a unittest.TestCase beside it."""

    def setUp(self):
        self.assertTrue(PROGRAM.exists(), f"{PROGRAM} is not built: swift build")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        # Pings are to parties of this queue's number.
        self.queue = "200_" + self.id().rsplit(".", 1)[1]
        self.declare(self.queue)
        self.addCleanup(self.management, "DELETE", self.queue)
        place = urllib.parse.urlsplit(RABBITMQ4)
        self.config = self.folder / "pinger.yaml"
        self.config.write_text(textwrap.dedent(f"""\
            own-her-id: 100
            ping: {{time-to-live-seconds: 2, party-interval-seconds: 0}}
            buses:
              - name: tjenestebuss
                dialect: rabbitmq-4-v2
                hosts: [tb.test]
                connection-string: amqp://app:app@{place.hostname}:{place.port}
            """))

    def declare(self, queue):
        self.management("PUT", queue, json.dumps({"durable": True, "arguments": {"x-queue-type": "quorum"}}).encode())

    def management(self, method, queue, body=None, more=""):
        base = os.environ["TJENESTEBUSS_RABBITMQ4_MANAGEMENT_URL"]
        request = urllib.request.Request(f"{base}/api/queues/%2f/{queue}{more}", data=body, method=method)
        request.add_header("Authorization", "Basic Z3Vlc3Q6Z3Vlc3Q=")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            error.close()
            if method == "DELETE" and error.code == 404:
                return None
            raise
        return json.loads(text) if text else None

    def lying_there(self, queue=None):
        """How many messages lie on a queue now: it is looked into, and all are put back."""
        body = json.dumps({"count": 100, "ackmode": "ack_requeue_true", "encoding": "base64"}).encode()
        return len(self.management("POST", queue or self.queue, body, "/get"))

    def wait_until_empty(self, queue=None, seconds=30):
        limit = time.monotonic() + seconds
        while self.lying_there(queue):
            self.assertLess(time.monotonic(), limit, f"a message still lies on {queue or self.queue}")
            time.sleep(0.2)

    def command(self, *arguments, queue=None):
        return [str(PROGRAM), "200", "--config", str(self.config), "--address", f"tb.test/NHN/{queue or self.queue}",
                "--language", "en", *arguments]

    def run_it(self, *arguments, queue=None):
        return subprocess.run(self.command(*arguments, queue=queue), capture_output=True, text=True, timeout=120)

    def while_somebody_listens(self):
        """A foreign client as the party's system: it takes what comes and answers no pings."""
        reader = subprocess.Popen(
            [PYTHON, REPOSITORY / "tools" / "foreign" / "receive.py", "--url", RABBITMQ4, "--address", "/queues/" + self.queue,
             "--user", "app", "--password", "app", "--count", "1000", "--timeout", "300"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

        def end():
            reader.terminate()
            reader.wait(30)
            reader.stderr.close()
        self.addCleanup(end)
        limit = time.monotonic() + 60
        while self.run_it("--no-send", "--format", "nagios").returncode == 2:
            self.assertIsNone(reader.poll(), "the foreign client ended")
            self.assertLess(time.monotonic(), limit, "the foreign client never listened")
        return end
