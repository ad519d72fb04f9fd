// SPDX-License-Identifier: Apache-2.0
// A pulje's reports: those that the daemon has written, and one that is made now. Each is a file to keep.
import { tell } from "./actions.js";
import { element } from "./board.js";
import { language, number, say, time } from "./language.js";
import { ask, download } from "./wire.js";

function worded(name, word) {
  const made = element(name, say(word));
  made.dataset.word = word;
  return made;
}

function fileButton(text, path, name) {
  const button = element("button", text);
  button.type = "button";
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    tell(say("reports.making"));
    try {
      await download(path(), name());
      tell(say("reports.made"));
    } catch (error) {
      button.closest("details").querySelector("[role=alert]").textContent = say("reports.failed", { text: error.message });
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
  return button;
}

/** Made once for each pulje; what is kept is asked for whenever it is opened. */
export function reportsOf(pulje) {
  const box = element("details", undefined, "reports");
  const trouble = element("p");
  trouble.setAttribute("role", "alert");
  const now = element("p", undefined, "actions");
  now.append(worded("span", "reports.now"), ...["html", "pdf", "json"].map((form) => fileButton(
    form.toUpperCase(), () => `/v1/reports/now?pulje=${encodeURIComponent(pulje)}&form=${form}&language=${language}`, () => `report-${pulje}.${form}`)));
  const none = worded("p", "reports.none");
  const list = element("ul");
  box.append(worded("summary", "reports.title"), now, trouble, none, list);
  box.addEventListener("toggle", async () => {
    if (!box.open) return;
    trouble.textContent = "";
    try {
      const { reports } = await ask(`/v1/reports?pulje=${encodeURIComponent(pulje)}`);
      none.hidden = reports.length > 0;
      list.replaceChildren(...reports.map((report) => {
        const item = element("li");
        item.append(fileButton(report.file, () => `/v1/reports/${pulje}/${report.file}`, () => `${pulje}-${report.file}`), ` ${time(report.at)}, ${number(Math.ceil(report.bytes / 1024))} KiB`);
        return item;
      }));
    } catch (error) {
      trouble.textContent = say("reports.failed", { text: error.message });
    }
  });
  return box;
}
