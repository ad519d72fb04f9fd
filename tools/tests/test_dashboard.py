# SPDX-License-Identifier: Apache-2.0
"""The dashboard as people use it: a real daemon with a real history, headless Chromium, a forwarded port.

Needs the built programs: swift build, then python3 -m pytest tools/tests
"""

import http.client
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import time
import unittest

import browser_stage
from browser_stage import LIMIT, Stage, browser

NAME = "<img src=x onerror=\"document.title='broken'\">"


class Dashboard(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = cls.enterClassContext(Stage(parties=120, name=NAME))

    def open(self, language="en", path="", **how):
        driver = browser(language, **how)
        self.addCleanup(driver.quit)
        driver.get(self.stage.url + path)
        self.until(driver, "return document.querySelectorAll('#board-rows .row').length > 0 && document.querySelector('#line-actions button') !== null")
        return driver

    def until(self, driver, script, *arguments, within=LIMIT):
        """What `script` returns, once it is something."""
        ends = time.monotonic() + within
        while not (found := driver.execute_script(script, *arguments)):
            if time.monotonic() > ends:
                seen = driver.execute_script("return document.body.innerText")[:2000]
                raise AssertionError(f"not within {within} s: {script}\n{seen}\n{driver.get_log('browser')}\n{self.stage.log()}")
            time.sleep(0.05)
        return found

    def clean(self, driver):
        """No error, no warning, and nothing that the content policy had to stop."""
        self.assertEqual([entry for entry in driver.get_log("browser") if entry["level"] != "INFO"], [])

    def command(self, *arguments):
        done = self.stage.command(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)

    def post(self, body, headers=None, method="POST", path="/v1/command"):
        connection = http.client.HTTPConnection("localhost", self.stage.forwarded.port, timeout=LIMIT)
        ours = {"content-type": "application/json", "bus-migrator-request": "1"}
        connection.request(method, path, None if body is None else json.dumps(body), {**ours, **(headers or {})})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer, text

    # what is shown

    def test_the_board_shows_where_everything_stands(self):
        for language, needs, environment in (("en", "Needs a person now", "Environment: test – not production"), ("nb", "Trenger et menneske nå", "Miljø: test – ikke produksjon")):
            driver = self.open(language)
            self.assertEqual(driver.execute_script("return document.documentElement.lang"), language)
            headings = driver.execute_script("return [...document.querySelectorAll('main h2')].filter((h) => h.offsetParent).map((h) => h.textContent)")
            self.assertEqual(headings[0], needs)
            self.assertEqual(driver.execute_script("return document.getElementById('environment').textContent"), environment)
            shown = driver.execute_script("return document.getElementById('board').innerText")
            self.assertIn(NAME, shown)
            board = json.loads(self.post(None, method="GET", path="/v1/board")[1])
            self.assertEqual(int(driver.execute_script("return document.getElementById('board').getAttribute('aria-rowcount')")) - 1, len(board["groups"]))
            self.assertTrue(driver.execute_script("return document.querySelector('#depth svg path') !== null"))
            self.clean(driver)

    def test_the_link_of_an_alert_leads_to_its_group(self):
        group = json.loads(self.post(None, method="GET", path="/v1/board")[1])["groups"][-1]
        driver = self.open(path=f"#pulje={group['pulje']}&group={group['id']}")
        self.until(driver, "return !document.getElementById('details').hidden && document.getElementById('details-title').textContent.includes(arguments[0])", str(group["id"]))
        driver.get(self.stage.url + f"#pulje={group['pulje']}")
        self.until(driver, "return document.getElementById('filter-pulje').value === arguments[0]", group["pulje"])
        self.clean(driver)

    def test_the_link_of_a_message_opens_just_the_alert_that_it_is_about(self):
        def alerts():
            return json.loads(self.post(None, method="GET", path="/v1/board")[1])["alerts"]

        self.assertEqual(self.post({"verb": "pause", "pulje": "pulje-1", "by": ["Kari"], "why": "lunch"})[0].status, 200)
        self.addCleanup(self.post, {"verb": "resume", "pulje": "pulje-1", "by": ["Kari"], "why": "over"})
        # The buses of the stage do not answer: the counters of many groups cannot be read.
        ends = time.monotonic() + LIMIT
        while not (many := [alert for alert in alerts() if alert["count"] > 1]):
            self.assertLess(time.monotonic(), ends, self.stage.log())
            time.sleep(0.2)
        [alert] = many
        driver = self.open(path=f"#pulje={alert['pulje']}&code={alert['code']}")
        # its line, and just its groups
        self.assertIn(alert["code"], self.until(driver, "return document.querySelector('#needs-list li.asked')?.innerText"))
        self.assertEqual(driver.execute_script("return document.activeElement.id"), "board", "ready to go through its groups")
        self.until(driver, "return document.getElementById('filter-alert').value === arguments[0]", alert["id"])
        shown = driver.execute_script("return [Number(document.getElementById('board').getAttribute('aria-rowcount')) - 1, Number(document.querySelector('#needs-list li.asked').dataset.count)]")
        self.assertEqual(shown[0], shown[1])
        listed = driver.execute_script("return [...document.querySelectorAll('#needs-list li')].map((item) => item.dataset.alert)")
        self.assertEqual(listed, [alert["id"] for alert in alerts()], "in the daemon's order")
        self.assertLess(listed.index(alert["id"]), listed.index("pulje-1/MIG-402"), "a warning before what somebody is asked for")
        # of one group: the group too
        driver.get(self.stage.url + f"#pulje={alert['pulje']}&code={alert['code']}&group={alert['groups'][0]}")
        self.until(driver, "return !document.getElementById('details').hidden && document.getElementById('details-title').textContent.includes(arguments[0])", str(alert["groups"][0]))
        # one that is over says so
        driver.get(self.stage.url + f"#pulje={alert['pulje']}&code=MIG-306")
        self.assertIn("MIG-306", self.until(driver, "const over = document.getElementById('needs-over'); return over.offsetParent && over.innerText"))
        self.clean(driver)

    def test_a_name_from_outside_stays_text(self):
        driver = self.open()
        driver.execute_script("document.querySelector('#board-rows .row').click()")
        self.until(driver, "return document.getElementById('details-body').innerText.includes(arguments[0])", NAME)
        self.assertEqual(driver.execute_script("return document.querySelectorAll('img').length"), 0)
        self.assertNotEqual(driver.title, "broken")
        self.assertEqual(
            driver.execute_script("try { document.body.innerHTML = 'x'; return 'taken' } catch (error) { return error.name }"), "TypeError",
            "the policy lets no text become markup")

    def test_production_is_said_in_words(self):
        with Stage(parties=20, environment="production") as stage:
            driver = browser("nb")
            self.addCleanup(driver.quit)
            driver.get(stage.url)
            self.until(driver, "return document.getElementById('environment').textContent.includes('PRODUKSJON, ekte meldinger')")
            self.assertIn("PRODUKSJON", driver.title)

    def test_a_viewer_has_a_report_made_and_keeps_it_as_a_file(self):
        driver = self.open()
        folder = self.stage.folder / "downloads"
        folder.mkdir(exist_ok=True)
        driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
        driver.execute_script("document.querySelector('.reports summary').click()")
        self.until(driver, "return document.querySelector('.reports').innerText.includes('has written none yet')")
        driver.execute_script("[...document.querySelectorAll('.reports button')].find((button) => button.textContent === 'JSON').click()")
        file = folder / "report-pulje-1.json"
        ends = time.monotonic() + LIMIT
        while not file.exists() or not file.read_text().endswith("}\n"):
            self.assertLess(time.monotonic(), ends, driver.execute_script("return document.querySelector('.reports').innerText") + self.stage.log())
            time.sleep(0.1)
        # The same that is computed from the database.
        verified = subprocess.run(
            [self.stage.migrator, "report", "--verify", file, "--config", self.stage.folder / "bus-migrator.yaml"], capture_output=True, text=True, timeout=LIMIT)
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
        self.assertEqual(self.axe(driver), [])
        self.clean(driver)

    def test_reports_are_handed_out_by_name_and_nothing_else_is(self):
        page, text = self.post(None, method="GET", path="/v1/reports/now?pulje=pulje-1&form=html&language=en")
        self.assertEqual((page.status, page.headers["content-type"]), (200, "text/html; charset=utf-8"))
        self.assertIn("attachment", page.headers["content-disposition"])
        self.assertIn("sandbox", page.headers["content-security-policy"])
        self.assertIn("pulje-1", text)
        kept = self.stage.folder / "state" / "reports" / "pulje-1"
        kept.mkdir(parents=True)
        self.addCleanup(shutil.rmtree, kept)
        (kept / "decision-20261206T101500Z.nb.html").write_text("a report")
        (kept / "decision-20261206T101500Z.json").symlink_to("/etc/passwd")
        answer, text = self.post(None, method="GET", path="/v1/reports?pulje=pulje-1")
        self.assertEqual([report["file"] for report in json.loads(text)["reports"]], ["decision-20261206T101500Z.nb.html"])
        self.assertEqual(self.post(None, method="GET", path="/v1/reports/pulje-1/decision-20261206T101500Z.nb.html")[1], "a report")
        for path in ("pulje-1/decision-20261206T101500Z.json", "pulje-1/../../migration.sqlite", "../migration.sqlite", "pulje-1/..", "../..", "..%2f..%2fetc/passwd",
                     "pulje-1/%2e%2e", "pulje-1//etc/passwd", "pulje-2/decision-20261206T101500Z.nb.html", "pulje-1/decision-20261206T101500Z.nb.html/", "now/now"):
            answer, text = self.post(None, method="GET", path="/v1/reports/" + path)
            self.assertIn(answer.status, (400, 403, 404, 409), path)
            self.assertNotIn("root:", text)
            self.assertNotIn("SQLite", text)

    # live

    def test_what_happens_is_shown_without_being_asked_for(self):
        driver = self.open()
        # All that is told to a screen reader: something else may be told right after it.
        driver.execute_script("""
            window.heard = [];
            const told = document.getElementById("told");
            new MutationObserver(() => window.heard.push(told.textContent)).observe(told, { childList: true, characterData: true, subtree: true });
        """)
        self.command("stop-the-line", "--by", "Kari", "--because", "strange <b>answers</b>")
        try:
            self.until(driver, "return document.getElementById('line-state').textContent.includes('strange <b>answers</b>')")
            self.until(driver, "return document.getElementById('needs-list').innerText.includes('MIG-417')")
            self.until(driver, "return window.heard.some(text => text.includes('the line is stopped'))")
            self.until(driver, "return document.querySelector('#line-actions [data-act=release]') !== null")
        finally:
            self.command("release-the-line", "--execute", "--approved-by", "Kari", "--approved-by", "Ola", "--because", "over")
        self.until(driver, "return !document.getElementById('needs-list').innerText.includes('MIG-417')")
        self.clean(driver)

    def test_after_a_break_it_goes_on_and_says_so_meanwhile(self):
        driver = self.open()
        self.until(driver, "return document.getElementById('connection').textContent.startsWith('Live')")
        self.stage.forwarded.cut()
        self.command("pause", "--by", "Kari", "--because", "a break")
        self.until(driver, "return document.getElementById('puljer').innerText.includes('a break')")
        self.stage.stop()
        self.until(driver, "return document.getElementById('connection').textContent.startsWith('No connection')")
        self.stage.start()
        self.command("resume", "--execute", "--by", "Kari", "--because", "over")
        self.until(driver, "return document.getElementById('connection').textContent.startsWith('Live')")
        self.until(driver, "return !document.getElementById('puljer').innerText.includes('a break')")

    def events(self, reader):
        """Events of a stream as (id, name, data), until it ends."""
        event = {}
        for line in reader:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if not name and event:
                yield event.get("id"), event.get("event"), json.loads(event["data"])
                event = {}
            elif name:
                event[name] = value

    def live(self, last=None):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(LIMIT)
        connection.connect(self.stage.socket)
        self.addCleanup(connection.close)
        connection.sendall(f"GET /v1/live HTTP/1.1\r\nhost: localhost\r\n{f'last-event-id: {last}' + chr(13) + chr(10) if last else ''}\r\n".encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "text/event-stream"))
        return answer

    def test_whoever_comes_back_is_told_what_he_missed(self):
        first = self.events(self.live())
        last, name, board = next(first)
        self.assertEqual((name, int(last), board["reason"]), ("board", board["sequence"], "asked"))
        self.command("pause", "--by", "Kari", "--because", "for a test")
        names = set()
        for last_seen, name, data in first:
            names.add(name)
            if name == "pulje" and data.get("paused"):
                break
        self.assertNotIn("board", names)
        missed = self.events(self.live(last=last))
        for _, name, data in missed:
            self.assertNotEqual(name, "board")
            if name == "pulje" and data.get("paused"):
                break
        self.command("resume", "--execute", "--by", "Kari", "--because", "over")
        _, name, board = next(self.events(self.live(last=1)))
        self.assertEqual((name, board["reason"]), ("board", "not-kept"))

    def test_who_reads_too_slowly_is_told_to_begin_anew_and_holds_up_nobody(self):
        slow = self.live()
        quick = self.events(self.live())
        next(quick)
        # More than is kept for a reader who reads nothing: each pause is told with its reason, twice.
        ends = time.monotonic() + LIMIT
        for number in range(300):
            verb = ("pause", "resume")[number % 2]
            answer, text = self.post({"verb": verb, "pulje": "pulje-1", "by": ["Kari"], "why": "load " * 390})
            self.assertEqual(answer.status, 200, text)
            for _, name, data in quick:
                if name == "pulje" and ("paused" in data) == (verb == "pause"):
                    break
            self.assertLess(time.monotonic(), ends, "somebody is held up")
        names, ends = [], time.monotonic() + LIMIT
        for _, name, _ in self.events(slow):
            names.append(name)
            self.assertLess(time.monotonic(), ends)
            if name == "again":
                break
        else:
            # He read nothing for 30 s: nothing can be told on such a connection, and it is ended.
            names.append("ended")
        self.assertEqual(names[0], "board")
        self.assertIn(names[-1], ("again", "ended"))

    # what is done

    def test_a_roll_back_by_keyboard_alone(self):
        from selenium.webdriver import ActionChains, Keys

        driver = self.open()

        def press(*keys):
            for key in keys:
                ActionChains(driver).send_keys(key).perform()

        def focused():
            return driver.execute_script("const e = document.activeElement; return e.id || e.dataset.act || e.name || e.textContent")

        def tab_to(name, most=80):
            for _ in range(most):
                press(Keys.TAB)
                if focused() == name:
                    return
            self.fail(f"Tab does not lead to {name}; it leads to {focused()}")

        press(Keys.TAB)
        self.assertEqual(focused(), "Skip to what needs a person")
        tab_to("board")
        press(Keys.END)
        active = self.until(driver, "return document.getElementById(document.getElementById('board').getAttribute('aria-activedescendant'))?.innerText")
        party = int(active.split()[0])
        press(Keys.ENTER)
        self.until(driver, "return document.querySelector('#details-actions [data-act=rollback-party]') !== null")
        tab_to("rollback-party")
        press(Keys.ESCAPE)
        self.assertEqual(focused(), "board", "Escape leads back")
        press(Keys.ENTER)
        self.until(driver, "return document.activeElement.id === 'details' && document.querySelector('#details-actions [data-act=rollback-party]') !== null")
        tab_to("rollback-party")
        press(Keys.ENTER)
        self.until(driver, "return document.getElementById('dialog').open")
        # Without a reason, and without the name, nothing is sent.
        press(Keys.TAB, "pulje-1", Keys.ENTER)
        self.assertIn("Say why", driver.execute_script("return document.getElementById('dialog-error').textContent"))
        self.assertEqual(driver.execute_script("return document.activeElement.tagName"), "TEXTAREA")
        press("CHG-7: the party asks")
        driver.execute_script("document.querySelector('[name=confirm]').value = 'pulje-2'")
        press(Keys.TAB, Keys.ENTER)
        self.assertIn("pulje-1", driver.execute_script("return document.getElementById('dialog-error').textContent"))
        driver.execute_script("document.querySelector('[name=confirm]').value = ''")
        press("pulje-1", Keys.ENTER)
        self.until(driver, "return !document.getElementById('dialog').open")
        self.until(driver, "return document.getElementById('told').textContent.startsWith('Done')")
        group = json.loads(self.post(None, method="GET", path=f"/v1/group?id={party}")[1])["group"]
        note = group.get("withdrawal") or group["rollBack"]
        self.assertEqual(note["why"], "CHG-7: the party asks")
        self.clean(driver)

    def test_a_wish_that_somebody_else_had_first_is_no_error(self):
        driver = self.open()
        self.command("pause", "--by", "Ola", "--because", "first")
        try:
            self.until(driver, "return document.querySelector('.pulje [data-act=resume]') !== null")
            driver.execute_script("document.querySelector('#line-actions [data-act=stop]').click()")
            driver.execute_script("document.querySelector('#dialog textarea').value = 'x'; document.querySelector('[name=confirm]').value = 'test'")
            self.stage.command("stop-the-line", "--by", "Ola", "--because", "me first")
            driver.execute_script("document.getElementById('dialog-do').click()")
            self.until(driver, "return !document.getElementById('dialog').open")
            self.stage.command("release-the-line", "--execute", "--approved-by", "Kari", "--approved-by", "Ola", "--because", "over")
        finally:
            self.command("resume", "--execute", "--by", "Ola", "--because", "over")

    def test_a_pulje_is_started_from_the_file_that_was_approved(self):
        """One that is started already: what goes over the wire is the same, and no register is needed."""
        with sqlite3.connect(f"file:{self.stage.folder / 'state' / 'migration.sqlite'}?mode=ro", uri=True) as database:
            plan = json.loads(database.execute("SELECT body FROM event WHERE kind = 'pulje.sealed' ORDER BY sequence").fetchone()[0])["puljeSealed"]["plan"]
        status = json.loads(self.post(None, method="GET", path=f"/v1/status?pulje={plan['name']}")[1])
        digest = status["puljer"][0]["planHash"]
        request = {key: plan[key] for key in ("name", "source", "target", "policy")} | {"scope": "her-id", "parties": [], "organisations": [], "libraries": []}
        file = self.stage.folder / "plan.json"
        driver = self.open()
        driver.execute_script("document.querySelector('#line-actions [data-act=start]').click()")
        chosen = driver.find_element("css selector", "#dialog input[type=file]")
        file.write_text(json.dumps({"plan": plan, "hash": digest}))
        chosen.send_keys(str(file))
        self.until(driver, "return document.getElementById('dialog').innerText.includes('plan --json')")
        file = self.stage.folder / "plan-with-request.json"
        file.write_text(json.dumps({"plan": plan, "hash": digest, "request": request}))
        chosen.send_keys(str(file))
        self.until(driver, "return document.getElementById('dialog').innerText.includes(arguments[0])", digest[:12])
        driver.execute_script(
            "document.querySelector('#dialog textarea').value = 'CHG-7'; document.querySelector('#dialog [name=second]').value = 'Ola';"
            "document.querySelector('#dialog [name=confirm]').value = arguments[0]", plan["name"])
        driver.execute_script("document.getElementById('dialog-do').click()")
        self.until(driver, "return !document.getElementById('dialog').open")

    def test_what_the_role_does_not_allow_is_not_offered(self):
        os.chmod(self.stage.folder, 0o755)
        os.chmod(self.stage.socket, 0o666)
        # The forwarder of somebody who is in no group.
        code = f"import os, sys; os.setgid(65534); os.setuid(65534); sys.path.insert(0, {str(browser_stage.REPOSITORY / 'tools/tests')!r}); " \
               f"from browser_stage import Forwarded; print(Forwarded({self.stage.socket!r}).port, flush=True); sys.stdin.read()"
        nobody = subprocess.Popen(["/usr/bin/python3", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(nobody.communicate, "")
        driver = browser("en")
        self.addCleanup(driver.quit)
        driver.get(f"http://localhost:{int(nobody.stdout.readline())}/")
        self.until(driver, "return document.getElementById('connection').textContent.includes('CLI-018')")
        self.assertEqual(driver.execute_script("return document.querySelectorAll('[data-act]').length"), 0)
        self.assertNotIn("pulje-1", driver.execute_script("return document.body.innerText"))

    # who may ask

    def test_another_page_in_the_same_browser_gets_nothing(self):
        stop = {"verb": "stop", "by": ["Mallory"], "why": "because I can"}
        port = self.stage.forwarded.port
        for headers, status, code in (
                ({"host": "evil.example"}, 421, "WEB-001"), ({"host": f"evil.example:{port}"}, 421, "WEB-001"), ({"origin": "http://evil.example"}, 403, "WEB-002"),
                ({"origin": "null"}, 403, "WEB-002"), ({"sec-fetch-site": "cross-site"}, 403, "WEB-002"), ({"content-type": "text/plain"}, 403, "WEB-003"),
                ({"bus-migrator-request": None}, 403, "WEB-003")):
            headers = {**{"content-type": "application/json", "bus-migrator-request": "1"}, **headers}
            connection = http.client.HTTPConnection("localhost", port, timeout=LIMIT)
            connection.request("POST", "/v1/command", json.dumps(stop), {name: value for name, value in headers.items() if value})
            answer = connection.getresponse()
            self.assertEqual((answer.status, json.loads(answer.read())["code"]), (status, code), headers)
            connection.close()
        for headers in ({"host": "evil.example"}, {"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}):
            self.assertIn(self.post(None, headers, "GET", "/v1/board")[0].status, (403, 421), headers)
        self.assertNotIn("stop", json.loads(self.post(None, method="GET", path="/v1/status")[1]))

    def test_a_page_of_another_origin_in_a_real_browser_gets_nothing(self):
        driver = browser("en")
        self.addCleanup(driver.quit)
        # The same server by another name is another origin to the browser, and by this one the daemon is not to be reached.
        driver.get(f"http://evil.localhost:{self.stage.forwarded.port}/")
        self.assertIn("WEB-001", driver.execute_script("return document.body.innerText"))
        outcome = driver.execute_async_script(
            """const [url, done] = arguments;
            const stop = JSON.stringify({ verb: "stop", by: ["Mallory"], why: "because I can" });
            const tries = [
              () => fetch(`${url}v1/board`).then((answer) => answer.text()),
              () => fetch(`${url}v1/command`, { method: "POST", body: stop, headers: { "content-type": "application/json", "bus-migrator-request": "1" } }),
              () => fetch(`${url}v1/command`, { method: "POST", body: stop, mode: "no-cors" }).then((answer) => answer.text()),
            ];
            Promise.all(tries.map((attempt) => attempt().then((text) => String(text), () => "refused"))).then(done);""", self.stage.url)
        self.assertEqual(outcome, ["refused", "refused", "refused"])
        self.assertNotIn("stop", json.loads(self.post(None, method="GET", path="/v1/status")[1]))

    def test_headers(self):
        answer, _ = self.post(None, method="GET", path="/")
        policy = answer.headers["content-security-policy"]
        for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"):
            self.assertIn(part, policy)
        for path in ("/", "/dashboard/main.js", "/v1/board", "/v1/me"):
            answer, _ = self.post(None, method="GET", path=path)
            self.assertEqual(answer.status, 200)
            self.assertEqual(
                (answer.headers["x-content-type-options"], answer.headers["referrer-policy"], answer.headers["cache-control"]), ("nosniff", "no-referrer", "no-store"))
            self.assertIsNone(answer.headers["set-cookie"])

    # everybody

    def axe(self, driver):
        python = subprocess.run([browser_stage.REPOSITORY / "scripts/foreign-python"], check=True, capture_output=True, text=True).stdout.strip()
        source = subprocess.run(
            [python, "-c", "import axe_core_python, pathlib; print((pathlib.Path(axe_core_python.__file__).parent / 'axe.min.js').read_text())"], check=True, capture_output=True,
            text=True).stdout
        driver.execute_script(source)
        found = driver.execute_async_script("const done = arguments[0]; axe.run().then(done, (error) => done({ violations: [{ id: String(error), nodes: [] }] }))")
        return [(violation["id"], [node["html"][:160] + " | " + node.get("failureSummary", "")[:300] for node in violation["nodes"][:4]]) for violation in found["violations"]]

    def test_no_barrier_in_either_language_light_or_dark(self):
        for language in ("nb", "en"):
            for dark in (False, True):
                with self.subTest(language=language, dark=dark):
                    driver = self.open(language, dark=dark)
                    self.assertEqual(driver.execute_script("return matchMedia('(prefers-color-scheme: dark)').matches"), dark)
                    driver.execute_script("document.querySelector('#board-rows .row').click()")
                    self.until(driver, "return document.querySelector('#details-body table') !== null")
                    self.assertEqual(self.axe(driver), [])
                    driver.execute_script("document.querySelector('#line-actions [data-act=stop]').click()")
                    self.until(driver, "return document.getElementById('dialog').open")
                    self.assertEqual(self.axe(driver), [])
                    driver.quit()


class DashboardOverTCP(unittest.TestCase):
    """The page over TLS: certificate signed by an authority of our own, and tokens."""

    until, clean = Dashboard.until, Dashboard.clean

    def authority(self, folder):
        """A test authority, and a certificate for 127.0.0.1 that it has signed."""
        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test authority", "-addext",
                "basicConstraints=critical,CA:TRUE", "-keyout", "ca.key", "-out", "ca.pem")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", "api.key", "-out", "api.csr")
        (folder / "api.ext").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        openssl("x509", "-req", "-in", "api.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "api.ext", "-out", "leaf.pem")
        (folder / "api.pem").write_text((folder / "leaf.pem").read_text() + (folder / "ca.pem").read_text())

    def configuration(self, folder):
        self.authority(folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        text = f"api:\n  listen: 127.0.0.1:{self.port}\n  certificate: api.pem\n  private-key: api.key\n  tokens:\n"
        for role in ("operator", "vendor"):
            (folder / f"token-{role}").write_text(self.tokens[role] + "\n")
            text += f"    - {{name: {role}-1, role: {role}, expires: 2099-12-31, token-file: token-{role}{', vendor: Alfa' if role == 'vendor' else ''}}}\n"
        return text

    def setUp(self):
        self.tokens = {role: f"{role}-planted-" * 5 for role in ("operator", "vendor")}
        self.stage = self.enterContext(Stage(parties=30, more=self.configuration))
        self.url = f"https://127.0.0.1:{self.port}/"

    def give(self, driver, token):
        self.until(driver, "return document.getElementById('dialog').open && document.querySelector('#dialog input[type=password]') !== null")
        driver.execute_script("document.querySelector('#dialog input[type=password]').value = arguments[0]; document.getElementById('dialog-do').click()", token)

    def open(self):
        driver = browser("en", authority=self.stage.folder / "ca.pem")
        self.addCleanup(driver.quit)
        driver.get(self.url)
        return driver

    def test_the_page_asks_for_a_token_and_keeps_it_in_its_tab(self):
        driver = self.open()
        self.until(driver, "return document.getElementById('dialog').open")
        self.assertEqual(driver.execute_script("return document.getElementById('dialog-where').textContent"), f"127.0.0.1:{self.port}")
        self.assertNotIn("pulje-1", driver.execute_script("return document.body.innerText"))
        self.give(driver, "one that nobody has given out, and long enough to be one")
        # Asked once more: that was none.
        self.until(driver, "return document.getElementById('dialog').open")
        self.give(driver, self.tokens["operator"])
        self.until(driver, "return document.querySelectorAll('#board-rows .row').length > 0")
        self.until(driver, "return document.getElementById('who').textContent.includes('operator-1')")
        self.until(driver, "return document.querySelector('#line-actions [data-act=stop]') !== null")
        self.assertEqual(driver.execute_script("return [document.cookie, localStorage.length]"), ["", 0])
        self.assertNotIn(self.tokens["operator"], driver.execute_script("return document.documentElement.outerHTML + location.href"))
        # What is done there is done in the token's name.
        driver.execute_script("document.querySelector('.pulje [data-act=pause]').click()")
        driver.execute_script("document.querySelector('#dialog textarea').value = 'CHG-7'; document.getElementById('dialog-do').click()")
        self.until(driver, "return document.getElementById('puljer').innerText.includes('operator-1')")
        # Another tab knows nothing of it.
        driver.switch_to.new_window("tab")
        driver.get(self.url)
        self.until(driver, "return document.getElementById('dialog').open")
        self.assertNotIn("pulje-1", driver.execute_script("return document.body.innerText"))

    def test_without_the_authority_the_page_is_not_opened(self):
        from selenium.common.exceptions import WebDriverException

        driver = browser("en")
        self.addCleanup(driver.quit)
        try:
            driver.get(self.url)
            seen = driver.execute_script("return `${document.documentElement.innerText} ${document.getElementById('connection') ? 'OURS' : ''}`")
        except WebDriverException as refused:
            seen = str(refused)
        self.assertIn("CERT_AUTHORITY_INVALID", seen)
        self.assertNotIn("OURS", seen)

    def test_a_vendors_token_is_told_where_its_own_parties_are(self):
        driver = self.open()
        self.give(driver, self.tokens["vendor"])
        self.until(driver, "return document.getElementById('connection').textContent.includes('A token of Alfa')")
        self.assertNotIn("pulje-1", driver.execute_script("return document.body.innerText"))


if __name__ == "__main__":
    unittest.main()
