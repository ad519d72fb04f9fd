# SPDX-License-Identifier: Apache-2.0
"""A real daemon with a real history, a forwarded port as `ssh -L` makes one, and headless Chromium before it."""

import atexit
import base64
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import textwrap
import threading
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
LIMIT = 120

NEEDED = "apt-get install chromium chromium-driver python3-selenium (scripts/install-dependencies does it)"


def programs(configuration=None):
    folder = REPOSITORY / ".build" / (configuration or os.environ.get("CONFIGURATION") or "debug")
    return folder / "bus-migrator", folder / "rehearsal"


class Forwarded:
    """A port of this machine that leads to the daemon's socket."""

    def __init__(self, path):
        self.path = path
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.open = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                near, _ = self.listening.accept()
            except OSError:
                return
            try:
                far = self.reach()
            except OSError:
                near.close()
                continue
            self.open += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(one, other), daemon=True).start()

    def reach(self):
        far = socket.socket(socket.AF_UNIX)
        try:
            far.connect(self.path)
        except OSError:
            far.close()
            raise
        return far

    @staticmethod
    def carry(one, other):
        try:
            while data := one.recv(1 << 16):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        """Every connection that is open breaks; new ones are taken."""
        cut, self.open = self.open, []
        for end in cut:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def close(self):
        self.listening.close()
        self.cut()


class Stage:
    """Use it with `with`."""

    def __init__(self, parties=300, name=None, environment="test", configuration=None, more=None):
        self.migrator, self.rehearsal = programs(configuration)
        for program in (self.migrator, self.rehearsal):
            if not program.exists():
                raise AssertionError(f"{program} is not built: swift build")
        self.parties, self.name, self.environment = parties, name, environment
        # Told the folder, gives more of the configuration.
        self.more = more
        self.daemon = None

    def __enter__(self):
        # a short path: a Unix socket's may have 103 bytes
        self.folder = Path(tempfile.mkdtemp(prefix="bmb-", dir="/tmp"))
        try:
            self.socket = str(self.folder / "control.sock")
            (self.folder / "state").mkdir()
            database = self.folder / "state" / "migration.sqlite"
            made = [self.rehearsal, "board-history", "--database", database, "--parties", str(self.parties)]
            said = subprocess.run(made + (["--name", self.name] if self.name else []), check=True, capture_output=True, text=True)
            self.history = said.stdout.strip()
            (self.folder / "bus-migrator.yaml").write_text(textwrap.dedent(f"""\
                environment: {self.environment}
                buses:
                  - {{name: sb, dialect: servicebus-windows-server, hosts: [sb.test.nhn.no], connection-string: "amqp://app:app@127.0.0.1:1/DigitalDialog"}}
                  - {{name: tb, dialect: rabbitmq-4-v2, hosts: [tb.test.nhn.no], connection-string: "amqp://app:app@127.0.0.1:1/NHNTESTServiceBus"}}
                ping: {{own-her-id: 100, state-folder: pings}}
                register: {{url: "https://127.0.0.1:1/", user: a, password: b, writer: {{kind: manual}}}}
                state-directory: state
                """) + (self.more(self.folder) if self.more else ""))
            self.start()
            self.forwarded = Forwarded(self.socket)
            self.url = f"http://localhost:{self.forwarded.port}/"
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        log = open(self.folder / "daemon.log", "ab")
        notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with log, notified:
            path = str(self.folder / f"notify-{time.monotonic_ns()}")
            notified.bind(path)
            notified.settimeout(LIMIT)
            self.daemon = subprocess.Popen(
                [self.migrator, "run", "--config", self.folder / "bus-migrator.yaml", "--socket", self.socket], stderr=log, stdout=log,
                env={**os.environ, "NOTIFY_SOCKET": path})
            try:
                while not notified.recv(4096).startswith(b"READY=1"):
                    pass
            except TimeoutError:
                raise AssertionError(f"the daemon is not ready: {self.log()}") from None

    def log(self):
        return (self.folder / "daemon.log").read_text(errors="replace")[-2000:]

    def stop(self):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait(LIMIT)

    def __exit__(self, *_):
        if hasattr(self, "forwarded"):
            self.forwarded.close()
        if self.daemon and self.daemon.poll() is None:
            self.daemon.kill()
            self.daemon.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, *arguments):
        return subprocess.run([self.migrator, *arguments, "--socket", self.socket], capture_output=True, text=True, timeout=LIMIT)


def browser(language="en", dark=False, size=(1280, 1000), authority=None):
    """Headless Chromium that logs everything. `authority`: a certificate whose key, and no other, is taken for an authority's that it knows."""
    try:
        from selenium import webdriver
    except ImportError:
        raise AssertionError(f"Selenium is missing: {NEEDED}") from None
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        raise AssertionError(f"Chromium or its driver is missing: {NEEDED}")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.accept_insecure_certs = False
    for argument in (
            "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--force-device-scale-factor=1", "--hide-scrollbars",
            "--disable-background-networking", f"--window-size={size[0]},{size[1]}", f"--lang={'nb' if language == 'nb' else 'en-GB'}",
            *(["--force-dark-mode"] if dark else [])):
        options.add_argument(argument)
    if authority:
        key = subprocess.run(["openssl", "x509", "-in", str(authority), "-pubkey", "-noout"], check=True, capture_output=True).stdout
        plain = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=key, check=True, capture_output=True).stdout
        pin = base64.b64encode(hashlib.sha256(plain).digest()).decode()
        # Chromium takes pins only with a profile of its own.
        profile = tempfile.mkdtemp(prefix="bmb-profile-", dir="/tmp")
        atexit.register(shutil.rmtree, profile, ignore_errors=True)
        for argument in (f"--user-data-dir={profile}", f"--ignore-certificate-errors-spki-list={pin}"):
            options.add_argument(argument)
    options.add_experimental_option("prefs", {"intl.accept_languages": "nb,no" if language == "nb" else "en-GB,en"})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.chrome.service.Service(driver)
    made = webdriver.Chrome(service=service, options=options)
    if dark:
        made.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    made.set_page_load_timeout(LIMIT)
    made.set_script_timeout(LIMIT)
    return made
