#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""desk_guide.py [--write] - the desk's guide to bus-pinger, from what the program really prints.

Makes each typical finding on a real RabbitMQ 4.0, in Norwegian and in English, and puts what was printed into docs/pinger-desk.LANGUAGE.md
(as text) and docs/pinger-desk.LANGUAGE.svg (one A4 page with a picture of each, to print or to open in a browser). Without --write nothing is
written: where the pages do not say what the program prints now, that is told and the exit code is 1. Times, ids and ports may differ.

Needs the brokers and the built program: swift build, then scripts/with-brokers tools/desk-guide/desk_guide.py --write
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from xml.sax.saxutils import escape

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PYTHON = "/usr/bin/python3"
LANGUAGES = ("nb", "en")

# --- what is told of each: a name, whom to call, and how it is made (see Stage)
FINDINGS = (
    ("well", {"nb": "Alt i orden", "en": "All is well"}),
    ("typo", {"nb": "Tastefeil i HER-id: du selv", "en": "A typing error in the HER-ID: you"}),
    ("name", {"nb": "Vertsnavnet finnes ikke: oss", "en": "No such host name: us"}),
    ("refused", {"nb": "Ingen lytter på bussens port: ring NHN", "en": "Nothing listens on the bus's port: call NHN"}),
    ("filtered", {"nb": "Brannmur: ring dem som driver nettet", "en": "A firewall: call those who run the network"}),
    ("authority", {"nb": "Ukjent utsteder av sertifikatet: oss", "en": "A certificate from an unknown authority: us"}),
    ("expired", {"nb": "Bussens sertifikat er utløpt: ring NHN", "en": "The bus's certificate has expired: call NHN"}),
    ("password", {"nb": "Feil bruker eller passord: oss", "en": "Wrong user or password: us"}),
    ("missing", {"nb": "Køen finnes ikke: ring NHN", "en": "The queue is not there: call NHN"}),
    ("full", {"nb": "Køen er full: ring parten", "en": "The queue is full: call the party"}),
    ("deaf", {"nb": "Ingen lytter: ring parten", "en": "Nobody listens: call the party"}),
    ("stuck", {"nb": "Noen lytter, men henter ikke: ring leverandøren", "en": "Somebody listens and fetches nothing: call the vendor"}),
    ("silent", {"nb": "Ingen svarer på pingen: spør leverandøren", "en": "Nobody answers the ping: ask the vendor"}),
)

WORDS = {
    "nb": {
        "title": "bus-pinger på én side, for skranken",
        "intro": """\
            Noen ringer: «vi får ikke meldinger». Spør om HER-id, og skriv

                bus-pinger 93238

            Programmet går opp en stige av steg, fra nummeret du skrev til svaret fra partens system, og stopper ved den første feilen. Les de fire
            linjene: **sett** er hva som ble sett, **betyr** hva det vil si, **hvem** er den du skal ringe, **gjør** hva du sier til ham. Oppgi koden
            (PING-31) når du melder saken videre: den endrer seg aldri. `bus-pinger explain 31` forklarer den, også uten nett.

            Programmet leser aldri fra partens kø. Det legger én liten melding der, som dør av seg selv innen et minutt; `--no-send` lar være å sende.
            """,
        "print": "Bildene er ekte utskrifter; bare navn og adresser er byttet ut. Som én side til å skrive ut: [pinger-desk.nb.svg](pinger-desk.nb.svg).",
        "whose": ("Hvem skal mende det", ("hvem", "du ringer"), (
            ("oss", "dem som har satt opp bus-pinger her: oppsett, maskin, mellomlager"),
            ("Norsk helsenett", "NHN: bussen og Adresseregisteret"),
            ("EPJ-leverandøren", "den som lager partens system"),
            ("parten", "parten selv: er systemet slått på?"),
            ("nettet", "dem som driver navnetjeneste, ruter og brannmur her"))),
        "more": ("Mer", ("du vil", "skriv"), (
            ("se om det holder seg, mens du har noen på tråden", "`bus-pinger 93238 --watch 10s` (Ctrl-C avslutter med et sammendrag)"),
            ("sjekke mange", "`bus-pinger --batch liste.txt`, `bus-pinger --pulje pulje-7`: de verste øverst"),
            ("sammenligne to busser", "`bus-pinger 93238 --compare servicebus,tjenestebuss`"),
            ("sende noe til leverandøren", "`bus-pinger 93238 --support-bundle til-leverandor.json`: ingen passord, intet innhold"),
            ("engelsk", "`--language en`, eller `language: en` i oppsettet"))),
    },
    "en": {
        "title": "bus-pinger on one page, for the desk",
        "intro": """\
            Somebody calls: "we get no messages". Ask for the HER-ID, and type

                bus-pinger 93238

            The program climbs a ladder of steps, from the number you typed to the answer of the party's system, and stops at the first failure. Read
            its four lines: **seen** is what was seen, **means** what that is, **whose** is whom to call, **next** what to tell them. Pass the code on
            (PING-31): it never changes. `bus-pinger explain 31` explains it, without a network too.

            The program never reads from the party's queue. It puts one small message there, which dies by itself within a minute; `--no-send` sends
            nothing.
            """,
        "print": "The pictures are real output; only names and addresses were changed. As one page to print: [pinger-desk.en.svg](pinger-desk.en.svg).",
        "whose": ("Whose it is", ("whose", "whom you call"), (
            ("us", "those who set bus-pinger up here: configuration, machine, cache"),
            ("NHN", "Norsk helsenett: the bus and the address register"),
            ("EPJ vendor", "whoever makes the party's system"),
            ("the party", "the party itself: is its system switched on?"),
            ("the network", "those who run name service, routes and firewall here"))),
        "more": ("More", ("you want to", "type"), (
            ("see whether it lasts, with somebody on the line", "`bus-pinger 93238 --watch 10s` (Ctrl-C ends it with a summary)"),
            ("check many", "`bus-pinger --batch list.txt`, `bus-pinger --pulje pulje-7`: the worst first"),
            ("compare two buses", "`bus-pinger 93238 --compare servicebus,tjenestebuss`"),
            ("send something to the vendor", "`bus-pinger 93238 --support-bundle for-vendor.json`: no passwords, no contents"),
            ("Norwegian", "`--language nb`, or `language: nb` in the configuration"))),
    },
}


class Stage:
    """Real brokers and servers with something wrong, and the program run against them."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.program = REPOSITORY / ".build" / (os.environ.get("CONFIGURATION") or "debug") / "bus-pinger"
        if not self.program.exists():
            raise SystemExit(f"desk_guide: {self.program} is not built: swift build")
        try:
            self.plain = urllib.parse.urlsplit(os.environ["TJENESTEBUSS_RABBITMQ4_URL"])
            self.secure = urllib.parse.urlsplit(os.environ["TJENESTEBUSS_RABBITMQ4_AMQPS_URL"])
            self.authority = os.environ["TJENESTEBUSS_RABBITMQ4_CA"]
        except KeyError as missing:
            raise SystemExit(f"desk_guide: {missing} is not set: run under scripts/with-brokers") from None

    def management(self, method, path, body=None):
        request = urllib.request.Request(os.environ["TJENESTEBUSS_RABBITMQ4_MANAGEMENT_URL"] + path, method=method,
                                         data=None if body is None else json.dumps(body).encode())
        request.add_header("Authorization", "Basic Z3Vlc3Q6Z3Vlc3Q=")
        request.add_header("Content-Type", "application/json")
        try:
            urllib.request.urlopen(request, timeout=60).close()
        except urllib.error.HTTPError as error:
            error.close()
            if method != "DELETE" or error.code != 404:
                raise

    @contextlib.contextmanager
    def queue(self, name, **arguments):
        path = f"/api/queues/%2f/{name}"
        self.management("DELETE", path)
        self.management("PUT", path, {"durable": True, "arguments": {key.replace("_", "-"): value for key, value in arguments.items()}})
        try:
            yield
        finally:
            self.management("DELETE", path)

    @contextlib.contextmanager
    def listener(self, name, fetches=True):
        """A foreign client as the party's system. One that does not fetch has been given no credit to."""
        program = textwrap.dedent(f"""\
            import sys
            from proton.handlers import MessagingHandler
            from proton.reactor import Container
            class Party(MessagingHandler):
                def __init__(self):
                    super().__init__(prefetch={10 if fetches else 0})
                def on_start(self, event):
                    connection = event.container.connect("{self.plain.geturl()}", user="app", password="app", allowed_mechs="PLAIN")
                    event.container.create_receiver(connection, "/queues/{name}")
                def on_link_opened(self, event):
                    print("listens", flush=True)
            Container(Party()).run()
            """)
        party = subprocess.Popen([PYTHON, "-c", program], stdout=subprocess.PIPE, text=True)
        try:
            if party.stdout.readline() != "listens\n":
                raise SystemExit("desk_guide: the foreign client does not listen")
            yield
        finally:
            party.kill()
            party.wait(30)
            party.stdout.close()

    @contextlib.contextmanager
    def expired_bus(self):
        """A TLS server whose certificate ended in 2020, and the authority that issued it."""
        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60)
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        (self.folder / "index.txt").write_text("")
        (self.folder / "ca.cnf").write_text("[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\n"
                                            "policy=p\ncopy_extensions=copy\nunique_subject=no\n[p]\ncommonName=supplied\n")
        openssl("req", "-x509", "-days", "3650", "-subj", "/CN=desk guide CA", "-keyout", "ca.key", "-out", "ca.pem", *key)
        openssl("req", "-new", "-subj", "/CN=bus", "-addext", "subjectAltName=DNS:localhost", "-keyout", "bus.key", "-out", "bus.csr", *key)
        openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", "bus.csr", "-out", "bus.pem",
                "-startdate", "20190101000000Z", "-enddate", "20200102030405Z")
        server = subprocess.Popen([PYTHON, REPOSITORY / "tools" / "foreign" / "tls_server.py", self.folder / "bus.pem", self.folder / "bus.key"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            yield int(server.stdout.readline().split()[1])
        finally:
            server.stdin.close()
            server.wait(30)
            server.stdout.close()

    def run(self, language, herid="93238", host=None, port=None, secure=False, password="app", authority=None, replies=None, within=()):
        host, port = host or self.plain.hostname, port or self.plain.port
        # A new folder each time: the same party may be pinged again.
        pings = tempfile.mkdtemp(dir=self.folder)
        lines = ["own-her-id: 100", f"ping: {{time-to-live-seconds: 2, echo-timeout-seconds: 2, timeout-seconds: 8, state-folder: {pings}}}", "buses:",
                 "  - name: tjenestebuss", "    dialect: rabbitmq-4-v2", "    hosts: [tb.test.nhn.no]",
                 f"    connection-string: {'amqps' if secure else 'amqp'}://app:{password}@{host}:{port}",
                 "    allow-password-in-clear: true"]
        if authority:
            lines.append(f"    authorities: [{authority}]")
        if replies:
            lines.append(f"    reply-queue: {replies}")
        configuration = self.folder / "pinger.yaml"
        configuration.write_text("\n".join(lines) + "\n")
        command = [*within, str(self.program), herid, "--config", str(configuration), "--address",
                   f"tb.test.nhn.no/NHN/{herid}_async", "--language", language]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if run.stderr:
            raise SystemExit(f"desk_guide: {run.stderr}")
        return run.stdout

    # --- one method for each finding

    def well(self, language):
        secured = dict(host=self.secure.hostname, port=self.secure.port, secure=True, authority=self.authority)
        with self.queue("93238_async", x_queue_type="quorum"), self.listener("93238_async"):
            return self.run(language, **secured)

    def typo(self, language):
        return self.run(language, herid="9323x")

    def name(self, language):
        return self.run(language, host="tb.tset.invalid")

    def refused(self, language):
        return self.run(language, port=9)

    def filtered(self, language):
        return self.run(language, host="10.99.0.2", port=5671, within=[str(REPOSITORY / "tools" / "foreign" / "cut-off")])

    def authority_unknown(self, language):
        return self.run(language, host=self.secure.hostname, port=self.secure.port, secure=True)

    def expired(self, language):
        with self.expired_bus() as port:
            return self.run(language, host="localhost", port=port, secure=True, authority=self.folder / "ca.pem")

    def password(self, language):
        return self.run(language, password="wrong")

    def missing(self, language):
        self.management("DELETE", "/api/queues/%2f/555_async")
        return self.run(language, herid="555")

    def full(self, language):
        with self.queue("777_async", x_max_length=1, x_overflow="reject-publish"):
            self.management("POST", "/api/exchanges/%2f/amq.default/publish",
                            {"properties": {}, "routing_key": "777_async", "payload": "x", "payload_encoding": "string"})
            return self.run(language, herid="777")

    def deaf(self, language):
        with self.queue("8143060_async", x_queue_type="quorum"):
            return self.run(language, herid="8143060")

    def stuck(self, language):
        with self.queue("8143061_async", x_queue_type="quorum"), self.listener("8143061_async", fetches=False):
            return self.run(language, herid="8143061")

    def silent(self, language):
        with self.queue("8143062_async", x_queue_type="quorum"), self.queue("100_pingreply"), self.listener("8143062_async"):
            return self.run(language, herid="8143062", replies="100_pingreply")

    def printed(self, finding, language):
        text = (self.authority_unknown if finding == "authority" else getattr(self, finding))(language)
        text = re.sub(re.escape(str(self.folder)) + r"/\w+", "/run/tjenestebuss/pings", text)
        for port in (self.plain.port, self.secure.port):
            text = text.replace(f":{port}", ":5671")
        text = re.sub(r"127\.0\.0\.1:\d{4,}", "127.0.0.1:5671", text)
        for ours, theirs in (("localhost", "tb.test.nhn.no"), ("127.0.0.1", "192.0.2.7"), ("::1", "2001:db8::7"), ("10.99.0.2", "192.0.2.8"),
                             ("tb.tset.invalid", "tb.tset.nhn.no")):
            text = text.replace(ours, theirs)
        return re.sub(r"container [\w-]+@[\w.-]+", "container rabbit@tb1", text)


# --- what may differ from run to run

def settled(text):
    """With a sign for whatever is another each time."""
    for pattern, sign in ((r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22,}", "ID"), (r" *\b\d+\.\d ms", " TIME"), (r"\b\d+ ms", "TIME"),
                          (r"\[?2001:db8::7\]?:5671 [^;]*; |, 2001:db8::7|2001:db8::7, |; \[?2001:db8::7\]?:5671 [^\n;]*", ""),
                          (r"\b\d{2,4} (dager|days|døgn)", r"N \1"), (r"\b\d+ bytes?\b", "N byte"), (r"RabbitMQ [\d.]+", "RabbitMQ")):
        text = re.sub(pattern, sign, text)
    return text


# --- the pages

def told(text):
    """The lines that a desk reads: the step, and what is said of it; the whole of it where all is well."""
    lines = text.rstrip("\n").split("\n")
    for start, line in enumerate(lines):
        found = re.match(r"PING-(\d+) (feil|failed|varsel|warning)\b", line)
        if found:
            end = next((place for place in range(start, len(lines)) if not lines[place]), len(lines))
            step = [row for row in lines if row.startswith(found[1] + " ")]
            return step + lines[start:end] + [row for row in lines if re.match(r"[A-Z]{2,}: HER-ID", row)]
    return lines


def markdown(language, printed):
    words = WORDS[language]
    intro = textwrap.dedent(words["intro"])
    # Lines of a command stay as they are; the rest is as the house writes its pages.
    text = f"# {words['title']}\n\n{intro}{words['print']}\n"
    for finding, heading in FINDINGS:
        text += f"\n## {heading[language]}\n\n```\n" + "\n".join(told(printed[finding])) + "\n```\n"
    for title, heads, rows in (words["whose"], words["more"]):
        text += f"\n## {title}\n\n| {heads[0]} | {heads[1]} |\n| --- | --- |\n" + "".join(f"| {a} | {b} |\n" for a, b in rows)
    return text


WIDTH, HEIGHT, MARGIN = 595, 842, 22  # A4 in points
COLOURS = {"ok": "#1a7f37", "FEIL": "#b42318", "FAILED": "#b42318", "VARSEL": "#9a6700", "WARN": "#9a6700", "KRITISK": "#b42318",
           "CRITICAL": "#b42318", "ADVARSEL": "#9a6700", "WARNING": "#9a6700", "OK": "#1a7f37"}


class Page:
    """An A4 page in SVG, in letters of one width so that it is known what fits."""

    def __init__(self, title):
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace">',
            f"<title>{escape(title)}</title>", "<style>@page { size: A4 portrait; margin: 0 } svg { display: block }</style>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>']
        self.lowest = 0

    def line(self, x, y, size, text, colour="#1f2328", weight=None, room=None):
        width = len(text) * size * 0.602
        if x + width > (x + room if room else WIDTH - MARGIN) + 0.5:
            raise ValueError(f"does not fit: {text}")
        self.lowest = max(self.lowest, y)
        style = f' font-weight="{weight}"' if weight else ""
        # Blanks count: they are what stands in columns.
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}"{style} xml:space="preserve">{escape(text)}</text>')

    def box(self, x, y, width, height, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="3" fill="#f6f8fa" stroke="{colour}" '
                          'stroke-width="0.7"/>')

    def end(self):
        if self.lowest > HEIGHT - MARGIN / 2:
            raise ValueError(f"the page is {self.lowest - HEIGHT + MARGIN / 2:.0f} points too long")
        return "\n".join(self.parts + ["</svg>"]) + "\n"


def wrapped(lines, columns):
    """Long lines broken at blanks, and indented as far as their beginning's text."""
    rows = []
    for line in lines:
        indent = re.match(r"\s+\S+:\s+|\d\d [\w-]+ +|\s*", line).end()
        rows += textwrap.wrap(line, columns, subsequent_indent=" " * min(indent, 9), drop_whitespace=True, break_long_words=True, break_on_hyphens=False,
                              replace_whitespace=False) or [""]
    return rows


def paint(text):
    """The colour that the program gives the line on a terminal."""
    found = re.search(r"\b(ok|FEIL|FAILED|VARSEL|WARN)\b", text[:30]) if re.match(r"\d\d ", text) else re.match(
        r"(KRITISK|CRITICAL|ADVARSEL|WARNING|OK):", text)
    if found:
        return COLOURS[found[1]]
    if re.match(r"PING-\d+ (feil|failed)", text):
        return COLOURS["FEIL"]
    return COLOURS["VARSEL"] if re.match(r"PING-\d+ (varsel|warning)", text) else "#1f2328"


def plain(text):
    return re.sub(r"[`*]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text))


def svg(language, printed):
    words = WORDS[language]
    page = Page(words["title"])
    page.line(MARGIN, 34, 14, words["title"], weight="bold")
    y, size, step = 44, 5.6, 7.0
    columns = int((WIDTH - 2 * MARGIN) / (size * 0.602))
    for part in plain(textwrap.dedent(words["intro"])).strip().split("\n\n"):
        for row in ([part] if part.startswith("    ") else textwrap.wrap(" ".join(part.split()), columns, break_on_hyphens=False)):
            y += step
            page.line(MARGIN, y, size, row, weight="bold" if row.startswith("    ") else None)
        y += 2
    half = (WIDTH - 2 * MARGIN - 8) / 2
    size, step = 5.4, 6.7

    def picture(x, y, width, heading, lines):
        rows = wrapped(lines, int((width - 8) / (size * 0.602)))
        height = len(rows) * step + 16
        status = next((paint(row) for row in rows if paint(row) not in ("#1f2328", COLOURS["ok"])), COLOURS["ok"])
        page.box(x, y, width, height, status)
        page.line(x + 4, y + 9, 6.6, heading, weight="bold", room=width - 8)
        for place, row in enumerate(rows):
            page.line(x + 4, y + 16 + place * step, size, row, paint(row), room=width - 8)
        return height

    well, *others = FINDINGS
    y += 4
    y += picture(MARGIN, y, WIDTH - 2 * MARGIN, well[1][language], [row for row in told(printed["well"]) if row]) + 5
    columns_y = [y, y]
    for finding, heading in others:
        side = 0 if columns_y[0] <= columns_y[1] else 1
        # What stands on the page is what the desk reads: the step, whose it is, what to do. The question of the step is left to explain.
        lines = [re.sub(r"^(PING-\d+ \w+): .*", r"\1", row) for row in told(printed[finding]) if not re.match(r"[A-Z]{2,}: HER-ID", row)]
        columns_y[side] += picture(MARGIN + side * (half + 8), columns_y[side], half, heading[language], lines) + 5
    y = max(columns_y) + 8
    size, step = 5.8, 7.4
    for title, _, rows in (words["whose"], words["more"]):
        page.line(MARGIN, y, 6.6, title, weight="bold")
        width = max(len(row[0]) for row in rows) + 2
        for row in rows:
            y += step
            page.line(MARGIN, y, size, plain(f"{row[0]:<{width}}{row[1]}"))
        y += 10
    return page.end()


def pages(stage):
    for language in LANGUAGES:
        printed = {finding: stage.printed(finding, language) for finding, _ in FINDINGS}
        yield REPOSITORY / "docs" / f"pinger-desk.{language}.md", markdown(language, printed)
        yield REPOSITORY / "docs" / f"pinger-desk.{language}.svg", svg(language, printed)


def words_of(page):
    """The text of a page, without where the lines are broken and how they are drawn: a time of one digit more breaks a line elsewhere."""
    if page.startswith("<svg"):
        page = "\n".join(re.findall(r"<text[^>]*>([^<]*)</text>", page))
    return " ".join(settled(page).split())


def main():
    code = 0
    with tempfile.TemporaryDirectory() as folder:
        for path, text in pages(Stage(folder)):
            if "--write" in sys.argv[1:]:
                path.write_text(text)
            elif not path.exists() or words_of(path.read_text()) != words_of(text):
                print(f"{path.relative_to(REPOSITORY)} does not say what bus-pinger prints now: scripts/with-brokers tools/desk-guide/desk_guide.py --write")
                code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
