# SPDX-License-Identifier: Apache-2.0
"""The dashboard when something is wrong: a real pulje on real brokers, headless Chromium.

Needs the brokers and the built programs: swift build, then scripts/with-brokers python3 -m pytest tools/tests
"""

import os
import unittest

import test_dashboard
from browser_stage import browser
from trouble_stage import TroubleStage


@unittest.skipUnless(os.environ.get("TJENESTEBUSS_RABBITMQ4_URL"), "no brokers: run under scripts/with-brokers")
class DashboardInTrouble(unittest.TestCase):
    """What an operator sees when a party could not go back, and a bus has gone away."""

    until, clean, axe = test_dashboard.Dashboard.until, test_dashboard.Dashboard.clean, test_dashboard.Dashboard.axe

    def test_a_red_light_and_what_stands_are_seen_in_words_and_shape(self):
        self.stage = self.enterContext(TroubleStage())
        for language, closed in (("en", "closed"), ("nb", "stengt")):
            driver = browser(language)
            self.addCleanup(driver.quit)
            driver.get(self.stage.url)
            self.until(driver, "return document.querySelectorAll('#board-rows .row').length > 0")
            board = self.stage.board()
            red = [group for group in board["groups"] if group["light"] == "red"]
            cells = self.until(driver, "const red = [...document.querySelectorAll('#board-rows .light-red')].map((cell) => getComputedStyle(cell, '::before').content + cell.innerText); return red.length && red")
            self.assertEqual(len(cells), len(red))
            for cell in cells:
                self.assertIn("✕", cell, "a shape, for who sees no red")
                self.assertIn(closed, cell)
            listed = self.until(driver, "const all = [...document.querySelectorAll('#needs-list li')].map((item) => item.dataset.alert); return all.length > 1 && all")
            self.assertEqual(listed, [alert["id"] for alert in self.stage.board()["alerts"]], "all that stands, in the daemon's order")
            self.assertIn("MIG-502", driver.execute_script("return document.getElementById('needs-list').innerText"))
            # Its details say why, and that a roll-back is not to be had.
            driver.execute_script("document.querySelector('#board-rows .light-red').closest('.row').click()")
            self.until(driver, "return document.getElementById('details-body').innerText.includes('MIG-502')")
            self.assertEqual(self.axe(driver), [])
            self.clean(driver)
            driver.quit()
