# SPDX-License-Identifier: Apache-2.0
"""Secrets never appear: a whole pulje, every command, and every way in which a secret can be wrong; then each byte that was written is searched.

Needs the brokers and the built programs: swift build, then scripts/with-brokers python3 -m pytest tools/tests
"""

import http.client
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from control_stage import UnixConnection, certificate, free_port, tls
from secret_search import SecretSearch

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PROGRAMS = REPOSITORY / ".build" / (os.environ.get("CONFIGURATION") or "debug")
BROKERS = os.environ.get("TJENESTEBUSS_RABBITMQ4_URL")
LIMIT = 120
ROLES = ("viewer", "operator", "approver", "vendor")
EXAMPLE = (REPOSITORY / "config" / "bus-migrator.example.yaml").read_text()
# Secrets by the names of their keys in the configuration, and files that hold none.
PLANTED = {"connection-string", "password", "shovel-address", "key", "private-key", "token", "secret"}
NO_SECRETS = {"extra-roots"}
TELL = """\
tell:
  settling: 1s
  webhooks:
    - {name: vakt, url: "http://127.0.0.1:1/hooks", allow-plain-http: true, secret-file: webhook.secret}
  mail:
    - {name: vakt-mail, relay: "127.0.0.1:1", protection: none, user: relay-user, password-file: relay.secret, from: a@example.no, to: [b@example.no]}
"""
# What simulated systems send each other: contents of messages are nobody's but theirs.
BODY = "<MsgHead/>"


def drawn():
    return secrets.token_hex(16)


def key_pair():
    """A key as PEM, and its lines as secrets."""
    made = subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"], capture_output=True, text=True, check=True).stdout
    return made, [line for line in made.splitlines() if not line.startswith("-----")]


class World:
    """A practice ground on real brokers, and a daemon that is told to say all it can."""

    def __init__(self, search):
        self.search = search
        # a short path: a Unix socket's may have 103 bytes
        self.root = Path(tempfile.mkdtemp(prefix="bms-", dir="/tmp"))
        self.given, self.made = self.root / "given", self.root / "made"
        for folder in (self.given, self.made, self.made / "out", self.made / "state"):
            folder.mkdir()
        self.socket = str(self.made / "control.sock")
        self.asked = 0
        self.ground = subprocess.Popen(
            [PROGRAMS / "rehearsal", "practice", "--directory", self.given, "--brokers", "rabbitmq"], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        said = []
        for line in self.ground.stdout:
            said.append(line)
            if line.startswith("ready:"):
                break
        else:
            raise AssertionError(f"no practice ground: {''.join(said)}")
        # nobody reads on, and nobody is to wait for that
        self.reader = threading.Thread(target=self.ground.stdout.read, daemon=True)
        self.reader.start()
        self.daemon = None

    def end(self):
        for process in (self.daemon, self.ground):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()
        self.reader.join(LIMIT)
        self.ground.stdout.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def plant_all(self):
        """What the ground has drawn, and one of every other kind that the configuration knows."""
        for bus in ("servicebus", "tjenestebuss"):
            url = (self.given / f"{bus}.url").read_text().strip()
            user, password = re.match(r"amqp://([^:]+):([^@]+)@", url).groups()
            self.search.plant(f"connection string of {bus}", password, [user])
            self.search.plant(f"management password of {bus}", (self.given / f"{bus}.management").read_text().strip(), ["practice-counter"])
            shovel = self.search.plant(f"shovel address of {bus}", drawn(), ["practice"])
            (self.given / f"{bus}.shovel").write_text(f"amqp://practice:{shovel}@127.0.0.1:1/%2F\n")
            # refused by the bus: whoever tries it is told so
            lent = self.search.plant(f"organisation's connection string of {bus}", drawn(), ["OrgUsr987654325"])
            (self.given / f"{bus}_org.url").write_text(url.replace(f"{user}:{password}@", f"OrgUsr987654325:{lent}@") + "\n")
        self.search.plant("password of the register", (self.given / "register.password").read_text().strip(), ["register"])
        for name in ("rest", "cppa"):
            pem, lines = key_pair()
            (self.given / f"{name}.pem").write_text(pem)
            for number, line in enumerate(lines):
                self.search.plant(f"HelseID key of {name}, line {number}", line)

        for name, who in (("webhook", ()), ("relay", ("relay-user",))):
            (self.given / f"{name}.secret").write_text(self.search.plant(f"secret of {name}", drawn(), who) + "\n")
        self.port, self.tokens = free_port(), {}
        for role in ROLES:
            self.tokens[role] = self.search.plant(f"token of {role}", drawn())
            (self.given / f"{role}.token").write_text(self.tokens[role] + "\n")
        self.chain, key = certificate(self.given)
        for number, line in enumerate(line for line in key.read_text().splitlines() if not line.startswith("-----")):
            self.search.plant(f"private key of api, line {number}", line)

    def configuration(self):
        text = (self.given / "bus-migrator.yaml").read_text()
        for bus in ("servicebus", "tjenestebuss"):
            text = text.replace(f"    connection-string-file: {bus}.url\n", f"    connection-string-file: {bus}.url\n    shovel-address-file: {bus}.shovel\n"
                                f'    organisations: [{{organisation: "987654325", connection-string-file: {bus}_org.url}}]\n')
        text = text.replace("log-level: debug", "log-level: trace").replace("state-directory: .", f"state-directory: {self.made}/state")
        text = re.sub(r"^socket: .*$", f"socket: {self.socket}", text, flags=re.M)
        text = text.replace("cache: addresses.sqlite", f"cache: {self.made}/addresses.sqlite")
        text = text.replace("ping:\n", f"ping:\n  state-folder: {self.made}/pings\n")
        text = text.replace("register:\n", "register:\n" + "".join(
            f"  {name}:\n    url: http://127.0.0.1:1/{name}\n    allow-plain-http: true\n    helse-id:\n      issuer: http://127.0.0.1:1/id\n"
            f"      allow-plain-http: true\n      client-id: c\n      key-file: {name}.pem\n      key-id: k\n      key-algorithm: ES256\n"
            for name in ("rest", "cppa")), 1)
        tokens = "".join(
            f"    - {{name: {role}-1, role: {role}, expires: 2099-12-31, token-file: {role}.token{', vendor: vendor-b' if role == 'vendor' else ''}}}\n"
            for role in ROLES)
        if "\n# tell:" in EXAMPLE:
            text += TELL
        return text + f"api:\n  listen: 127.0.0.1:{self.port}\n  certificate: daemon.pem\n  private-key: daemon.key\n  tokens:\n{tokens}"

    def run(self, *command, config=None, name=None, within=LIMIT):
        """One command; all that it says is kept with what was written."""
        self.asked += 1
        program = command[0] if command[0] in ("bus-pinger",) else "bus-migrator"
        words = [str(word) for word in (command[1:] if program == "bus-pinger" else command)]
        if "explain" not in words[:1]:
            words += ["--config", str(config or self.given / "daemon.yaml")]
        result = subprocess.run([PROGRAMS / program, *words], capture_output=True, text=True, timeout=within, cwd=self.made)
        label = f"{self.asked:03}-{name or '-'.join(words[:2])}".replace("/", "_")[:80]
        (self.made / "out" / label).write_text(f"{program} ended with {result.returncode}\n{result.stdout}\n{result.stderr}")
        return result

    def start(self):
        log = open(self.made / "daemon.log", "a")
        self.daemon = subprocess.Popen(
            [PROGRAMS / "bus-migrator", "run", "--config", self.given / "daemon.yaml"], stdout=log, stderr=subprocess.STDOUT, cwd=self.made)
        log.close()
        self.until(lambda: self.run("status", name="waiting").returncode == 0, "the daemon to answer")

    def until(self, condition, what, within=300):
        ends = time.monotonic() + within
        while not condition():
            if time.monotonic() > ends:
                raise AssertionError(f"waited in vain for {what}: {(self.made / 'daemon.log').read_text()[-3000:]}")
            time.sleep(0.5)

    def pulje(self):
        return json.loads(self.run("status", "--json", name="status").stdout)["puljer"][0]

    def ask(self, method, path, body=None, token=None):
        """Over HTTP: head and body of the answer are kept. With a token it is over TCP."""
        self.asked += 1
        headers = {"content-type": "application/json", "bus-migrator-request": "1"}
        if token is None:
            connection = UnixConnection(self.socket)
        else:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=tls(self.chain), timeout=LIMIT)
            headers["authorization"] = f"Bearer {token}"
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        label = f"{self.asked:03}-{method}-{path}".replace("/", "_")[:80]
        (self.made / "out" / label).write_bytes(f"{answer.status} {answer.headers}".encode() + data)
        return answer.status


@unittest.skipUnless(BROKERS, "no brokers: run under scripts/with-brokers")
class Secrets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for program in ("bus-migrator", "bus-pinger", "rehearsal"):
            assert (PROGRAMS / program).exists(), f"{program} is not built: swift build"

    def setUp(self):
        self.search = SecretSearch()
        self.world = World(self.search)
        self.addCleanup(self.world.end)
        self.world.plant_all()
        (self.world.given / "daemon.yaml").write_text(self.world.configuration())

    def assert_nothing_leaked(self):
        # The search is one that finds: where the operator has put the secrets, each is.
        given = {what for _, what in self.search.in_folder(self.world.given)}
        self.assertLessEqual(set(self.search.secrets.values()), given, "the search does not find what is there")
        self.assertEqual(self.search.in_folder(self.world.made), [])

    def must(self, *command, **more):
        result = self.world.run(*command, **more)
        self.assertEqual(result.returncode, 0, f"{command}: {result.stdout[-1500:]} {result.stderr[-1500:]}")
        return result

    def test_every_secret_that_the_configuration_knows_is_planted(self):
        known = set(re.findall(r"([a-z-]+)-(?:credential|file):", EXAMPLE))
        self.assertLessEqual(known, PLANTED | NO_SECRETS, "a new kind of secret: plant it here")

    def test_a_whole_pulje_and_every_command_show_none(self):
        world = self.world
        self.must("config", "check")
        self.must("config", "show")
        pulje = world.given / "pulje.yaml"
        self.must("plan", pulje, "--configuration-folder", world.made / "vendors")
        (world.made / "plan.json").write_text(self.must("plan", pulje, "--json").stdout)
        world.start()
        why = ["--because", "a test"]
        two = ["--approved-by", "kari", "--approved-by", "ola", *why]
        self.must("start", "--execute", pulje, *two)
        world.until(lambda: world.pulje()["phase"] in ("VERIFYING", "DRAINING"), "the cut-over")
        self.must("pause", "--by", "kari", *why)
        self.must("resume", "--execute", "--by", "kari", *why)
        self.must("rollback", "--execute", "--her-id", "3004", "--by", "kari", *why)
        world.until(lambda: any(group["phase"] == "DRAINING" for group in world.pulje()["groups"]), "the drain")
        for command in (["status"], ["drain"], ["drain", "explain", "2001"], ["drain", "--bus", "servicebus"], ["drain", "forward", "--her-id", "2001"],
                        ["drain", "forward", "--her-id", "2001", "--check"], ["drain", "forward", "--execute", "--her-id", "2001", *two],
                        ["drain", "forward", "--her-id", "2001", "--carrier", "shovel", "--execute", *two],
                        ["registry", "sync", "--execute"], ["registry", "sync", "--execute", "--export"], ["registry", "show", "2001"], ["registry", "diff"], ["registry", "groups"],
                        ["registry", "queues"], ["registry", "endpoints"], ["registry", "verify"], ["close-bus", "servicebus", "--check"], ["doctor"],
                        ["sign-test", "--execute", "--her-id", "2001", "--item", "own-ping", "--seen", "x", *why],
                        ["quarantine", "--execute", "--her-id", "2002", "--by", "kari", *why], ["readmit", "--execute", "--her-id", "2002", "--by", "kari", *why],
                        ["shadow", "look", pulje, "--to", world.made / "shadow.jsonl"], ["explain", "MIG-403"], ["explain", "NOT-1"],
                        ["bus-pinger", "2001", "--support-bundle", world.made / "bundle.json"], ["bus-pinger", "2001", "--format", "json", "--both"],
                        ["bus-pinger", "9999", "--compare", "servicebus,tjenestebuss"]):
            world.run(*command)
        for path in ("/v1/health", "/v1/status", "/v1/status?form=text", "/v1/drain", "/v1/drain/explain?her-id=2001", "/v1/drain/forwarding",
                     "/v1/drain/bus?name=tjenestebuss", "/v1/drain/bus?name=nothing", "/v1/echoes", "/v1/nothing", "/v1/configuration", "/", "/metrics"):
            world.ask("GET", path)
        for role, token in world.tokens.items():
            self.assertEqual(world.ask("GET", "/v1/status", token=token), 200, role)
            world.ask("GET", "/v1/report?pulje=pulje-1", token=token)
            world.ask("POST", "/v1/command", '{"verb":"pause","pulje":"pulje-1","by":["x"],"why":"y"}', token=token)
            world.ask("GET", f"/v1/status?pulje={token}", token=token + "x")
        wrong = self.search.plant("token that is none", drawn())
        (world.given / "wrong.token").write_text(wrong)
        self.assertEqual(world.ask("GET", "/v1/status", token=wrong), 401)
        world.run("resume", "--execute", "--by", "kari", *why)
        for body in ("{", "{}", '{"verb":"nothing"}', '{"verb":"stop","by":["x"]}'):
            world.ask("POST", "/v1/command", body)
        (world.given / "daemon.yaml").write_text(world.configuration().replace("log-level: trace", "log-level: debug"))
        world.daemon.send_signal(signal.SIGHUP)
        self.must("backup", "--to", world.made / "backup")
        world.until(lambda: world.pulje()["phase"] == "DECISION", "the end of the watch")
        # while it runs: the write-ahead log is there
        self.assertTrue((world.made / "state" / "migration.sqlite-wal").exists() or (world.made / "addresses.sqlite-wal").exists())
        self.assert_nothing_leaked()
        self.must("accept", "--execute", *two)
        for form in ([], ["--json"]):
            self.must("report", "--pulje", "pulje-1", *form)
        for command in (["report", "--pulje", "pulje-1", "--format", "html", "--output", world.made], ["report", "--pulje", "pulje-1", "--format", "pdf", "--output", world.made],
                        ["report", "--pulje", "pulje-1", "--format", "json"], ["metrics"]):
            self.must(*command)
        self.assertEqual(world.ask("GET", "/v1/report?pulje=pulje-1"), 200)
        command_line = Path(f"/proc/{world.daemon.pid}/cmdline").read_bytes() + Path(f"/proc/{world.daemon.pid}/environ").read_bytes()
        self.assertEqual(self.search.found(command_line), [])
        self.must("backup", "--to", world.made / "backup")
        world.daemon.terminate()
        self.assertEqual(world.daemon.wait(LIMIT), 0)
        self.must("audit", "verify", "--head", world.made / "state" / "migration.sqlite.heads")
        newest = sorted(path for path in (world.made / "backup").iterdir())[-1]
        self.must("restore", newest)
        self.assert_nothing_leaked()
        log = (world.made / "daemon.log").read_text()
        self.assertTrue(" debug " in log, "the log says too little to be looked through")
        # Nor is anything there of what a message says.
        self.assertEqual([str(path) for path in world.made.rglob("*") if path.is_file() and BODY.encode() in path.read_bytes()], [])
        # And the search is one that finds what a person types into a reason, in every place where that ends up.
        canary = self.search.plant("a password in a reason", drawn())
        world.start()
        self.must("stop-the-line", "--by", "kari", "--because", canary)
        world.run("status")
        self.must("backup", "--to", world.made / "backup")
        world.ask("GET", "/v1/status")
        places = " ".join(sorted({place for place, _ in self.search.in_folder(world.made)}))
        for place in ("out/", "state/migration.sqlite", "rows of backup/", "_v1_status", "daemon.log"):
            self.assertIn(place, places)

    # What stands rightly in the file, and is wrong at the server.
    MET_LATER = ("connection string: refused login", "connection string: wrong host", "connection string: nobody listens", "register: password wrong",
                 "management: password refused")

    def variants(self):
        """Configurations with something wrong, each with a secret of its own; and what of the file is changed."""
        text = self.world.configuration()
        connection = "connection-string-file: tjenestebuss.url"
        bus = re.search(r"@([\d.]+):(\d+)/", (self.world.given / "tjenestebuss.url").read_text())
        place = f"{bus.group(1)}:{bus.group(2)}"
        for name, written in (
            ("refused login", f"amqp://practice:SECRET@{place}/NHNTESTServiceBus"),
            ("wrong host", "amqp://practice:SECRET@nowhere.invalid:5672/NHN"),
            ("nobody listens", "amqp://practice:SECRET@127.0.0.1:1/NHN"),
            ("no port", f"amqp://practice:SECRET@{bus.group(1)}:port/NHN"),
            ("bad escape", "amqps://practice:%zzSECRET@h/NHN"),
            ("slash in it", "amqp://practice:SEC/SECRET@h/NHN"),
            ("no scheme", "practice:SECRET@h/NHN"),
            ("no user", "amqps://SECRET@h/NHN"),
            ("no host", "amqps://u:SECRET@/NHN"),
            ("two at signs", "amqps://u:SECRET@h@i/NHN"),
            ("Service Bus, unknown key", "Endpoint=sb://h/ns;OAuthUsername=u;OAuthPassword=SECRET;Oops=1"),
            ("Service Bus, key twice", "Endpoint=sb://h/ns;OAuthUsername=u;OAuthPassword=SECRET;OAuthPassword=SECRET"),
            ("Service Bus, typing error", "Endpoint=sb://h/ns;OAuthUsername=u;OAuthPasword=SECRET"),
        ):
            # Logins of organisations must lead to where the bus's own does: with them it would be refused for that.
            alone = re.sub(r"    organisations: .*tjenestebuss_org.*\n", "", text)
            yield f"connection string: {name}", alone.replace(connection, f'connection-string: "{written}"')
        for name, line in (
            ("list", "connection-string: [SECRET]"), ("mapping", "connection-string: {password: SECRET}"), ("not closed", 'connection-string: "SECRET'),
            ("tab", "connection-string:\t\tSECRET: x: y"), ("typing error", "conection-string: SECRET"), ("alias", "connection-string: *SECRET"),
            ("two at once", "connection-string-file: not-there\n    connection-string: SECRET"), ("tag", "connection-string: !!int SECRET"),
        ):
            yield f"file: {name}", text.replace(connection, line)
        lent = "connection-string-file: tjenestebuss_org.url"
        for name, line in (
            ("nothing like one", "connection-string: SECRET"), ("for its file", "connection-string-file: amqp://OrgUsr:SECRET@h/NHN"),
            ("to another bus", 'connection-string: "amqp://OrgUsr:SECRET@other.example/NHN"'), ("list", "connection-string: [SECRET]"),
        ):
            yield f"organisation's login: {name}", text.replace(lent, line)
        for name, line in (("wrong", "password: SECRET"), ("list", "password: [SECRET]"), ("typing error", "pasword: SECRET"), ("not closed", "password: 'SECRET")):
            yield f"register: password {name}", text.replace("password-file: register.password", line)
        yield "register: password in its URL", re.sub(r"(register:\n[\s\S]*?\n  url: )http://", r"\1http://register:SECRET@", text, count=1)
        yield "management: password refused", text.replace("password-file: tjenestebuss.management", "password: SECRET")
        yield "management: password in its URL", re.sub(r"(management:\n      url: )http://", r"\1http://practice-counter:SECRET@", text)
        yield "management: password in its URL, nobody there", re.sub(r"(management:\n      url: )http://\S+", r"\1http://practice-counter:SECRET@127.0.0.1:1", text)
        yield "shovel address: none", text.replace("shovel-address-file: tjenestebuss.shovel", "shovel-address: SECRET")
        yield "shovel address: Service Bus", text.replace("shovel-address-file: tjenestebuss.shovel", "shovel-address: Endpoint=sb://h/ns;OAuthPassword=SECRET")
        for name, line in (("in its place", "token: SECRET"), ("list", "token: [SECRET]"), ("typing error", "tokn: SECRET")):
            yield f"token: {name}", text.replace("token-file: operator.token", line)
        # The secret itself where the name of its file, or more than a word, is meant.
        for name, old, new in (
            ("register: password for its file", "password-file: register.password", "password-file: SECRET"),
            ("connection string for its file", connection, "connection-string-file: amqp://practice:SECRET@h/NHN"),
            ("key for its file", "key-file: rest.pem", 'key-file: "-----BEGIN EC PRIVATE KEY-----\\nSECRET\\n-----END EC PRIVATE KEY-----"'),
            ("token for its file", "token-file: operator.token", "token-file: SECRET"),
            ("management: a word", "management:\n      url:", "management: SECRET\n    was:\n      url:"),
            ("HelseID: a word", "helse-id:\n      issuer:", "helse-id: SECRET\n    was:\n      issuer:"),
        ):
            yield name, text.replace(old, new)
        if TELL in text:
            for name, old, new in (
                ("dashboard: password in its URL", "settling: 1s", 'dashboard: "http://u:SECRET@h/"'),
                ("webhook: password in its URL", "http://127.0.0.1:1/hooks", "http://u:SECRET@127.0.0.1:1/hooks"),
                ("webhook: secret in a list", "secret-file: webhook.secret", "secret: [SECRET]"),
                ("webhook: secret for its file", "secret-file: webhook.secret", "secret-file: SECRET"),
                ("mail: password in a mapping", "password-file: relay.secret", "password: {is: SECRET}"),
                ("mail: password in its relay", 'relay: "127.0.0.1:1"', 'relay: "u:SECRET@127.0.0.1:1"'),
            ):
                yield name, text.replace(old, new)
        yield "tokens: a list of words", re.sub(r"  tokens:\n[\s\S]*", "  tokens: [SECRET]\n", text)
        yield "tokens: no list", re.sub(r"  tokens:\n[\s\S]*", "  tokens: SECRET\n", text)
        yield "private key of api: in its place", text.replace("private-key: daemon.key", 'private-key: "-----BEGIN PRIVATE KEY-----\\nSECRET"')
        for name, key in (("garbage", "SECRET"), ("JWK", '\'{"kty":"EC","crv":"P-256","d":"SECRET"}\''), ("half a JWK", '\'{"kty":"EC","d":"SECRET\''),
                          ("PEM", '"-----BEGIN EC PRIVATE KEY-----\\nSECRET\\n-----END EC PRIVATE KEY-----"')):
            yield f"HelseID key: {name}", text.replace("key-file: rest.pem", f"key: {key}")

    def test_a_secret_that_is_wrong_is_not_shown_either(self):
        world = self.world
        # The same pulje, so that the errors of a bus and of the register are met too.
        pulje = world.given / "pulje.yaml"
        for number, (name, text) in enumerate(self.variants()):
            with self.subTest(name):
                self.assertIn("SECRET", text)
                secret = self.search.plant(name, drawn(), ["practice", "register", "practice-counter"])
                config = world.given / f"wrong-{number}.yaml"
                config.write_text(text.replace("SECRET", secret))
                checked = world.run("config", "check", config=config, name=f"{number}-check")
                # Else nothing of what the name promises was met.
                self.assertEqual(checked.returncode, 0 if name in self.MET_LATER else 2, checked.stdout + checked.stderr)
                commands = [["config", "show"], ["plan", pulje], ["bus-pinger", "2001", "--no-send", "--format", "json"]]
                if name in self.MET_LATER:
                    commands += [["registry", "sync", "--execute", "--her-id", "2001"], ["registry", "sync", "--execute", "--export"], ["drain", "--bus", "tjenestebuss"]]
                for command in commands:
                    world.run(*command, config=config, name=f"{number}-{command[0]}-{command[1]}")
                process = subprocess.Popen(
                    [PROGRAMS / "bus-migrator", "run", "--config", config], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=world.made)
                try:
                    output, _ = process.communicate(timeout=1.5)
                except subprocess.TimeoutExpired:
                    process.terminate()
                    output, _ = process.communicate(timeout=LIMIT)
                (world.made / "out" / f"run-{number}").write_bytes(output)
                self.assertEqual(self.search.in_folder(world.made), [], name)
        self.assert_nothing_leaked()


if __name__ == "__main__":
    unittest.main()
