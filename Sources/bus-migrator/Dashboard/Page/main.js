// SPDX-License-Identifier: Apache-2.0
// The page: what comes over the wire is taken into the model, and what that changes is shown, once for each frame.
import { actionOfWave, actionsOfLine, actionsOfPulje, askToken, environmentText, isProduction, me, roleText, tell } from "./actions.js";
import * as board from "./board.js";
import { closeGroup, english, openGroup, openKey, refresh, tableOf } from "./details.js";
import { fill, language, number, say, sayOf, time, turnTo } from "./language.js";
import { counts, keyOf, model, stageNames, takeBoard, takeChange } from "./model.js";
import { plot } from "./plots.js";
import { reportsOf } from "./reports.js";
import { ask, follow, Trouble, useToken } from "./wire.js";

const at = (id) => document.getElementById(id);
const { element } = board;

const nothing = () => ({ all: false, line: false, puljer: false, depths: false, late: false, groups: new Set(), alerts: [] });
/** What is to be shown anew at the next frame. */
let dirty = nothing();
let isDue = false;
let hasBoard = false;
/** The alert that was asked for last. */
let asked = "";
/** Whether the address names a place on the page that is still to be gone to. */
let isToGo = location.hash.length > 1;
const connection = { state: "connecting", since: Date.now(), text: "", vendor: "" };

function later() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(show);
}

function show() {
  isDue = false;
  const now = dirty;
  dirty = nothing();
  showConnection();
  if (!hasBoard) return;
  if (now.all) {
    showEnvironment();
    board.label();
    board.select();
  }
  if (now.all || now.line) showLine();
  if (now.all || now.puljer || now.groups.size) showPuljer();
  if (now.all || now.depths) showDepth();
  if (now.all || now.late) showLate();
  if (now.all || now.line || now.puljer || now.alerts.length) showNeeds();
  if (!now.all && now.groups.size) board.update(now.groups);
  if (now.groups.has(openKey()) || (now.all && openKey())) refresh();
  for (const alert of now.alerts) tell(say(alert.endedAt === undefined ? "told.alert" : "told.ended", { text: alertText(alert) }));
  if (isToGo) {
    isToGo = false;
    goThere();
  }
  // When what came was on the page: what the measurements go by.
  performance.clearMarks("shown");
  performance.mark("shown", { detail: { all: now.all, groups: now.groups.size } });
  if (now.all && !performance.getEntriesByName("first-board").length) performance.mark("first-board");
}

/** Where a message's link leads: #pulje=NAME&code=CODE, and &group=HER-ID where it is about one group. Without `code` it is a pulje's or a group's. */
function goThere() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const [pulje, code] = [wanted.get("pulje") ?? "", wanted.get("code")];
  const group = model.groups.get(keyOf(pulje, wanted.get("group")));
  const alert = code === null ? undefined : model.alerts.get(`${pulje}/${code}`);
  at("needs-over").hidden = code === null || alert !== undefined;
  if (alert) {
    showAlert(alert, group);
    return;
  }
  if (code !== null) {
    at("needs-over").textContent = say("needs.over", { text: [sayOf("code", code), pulje, wanted.get("group") ?? ""].filter(Boolean).join(" · "), code });
    at("needs").focus();
  }
  if (group) openGroup(group);
  else if (model.puljer.some((known) => known.name === pulje)) board.showOnly({ pulje });
}

/** The groups that an alert is about, and no others; opens the one that is asked for, or the only one. */
function showAlert(alert, group) {
  asked = alert.id;
  showNeeds();
  board.showOnly({ pulje: alert.pulje, alert: alert.count ? alert.id : undefined });
  if (!alert.count) at("needs").focus();
  const only = group ?? (alert.count === 1 ? model.groups.get(keyOf(alert.pulje, alert.groups[0])) : undefined);
  if (only) openGroup(only);
}

function showEnvironment() {
  const place = at("environment");
  place.textContent = environmentText();
  place.classList.toggle("production", isProduction());
  document.title = `${isProduction() ? say("environment.production") : model.environment ?? ""} · ${say("title")}`;
}

function showConnection() {
  const place = at("connection");
  const text = connection.vendor ? say("connection.vendor", { vendor: connection.vendor }) : connection.text || say(`connection.${connection.state}`, { time: time(connection.since) });
  if (place.textContent !== text) place.textContent = text;
  place.classList.toggle("lost", connection.state !== "live" && connection.state !== "connecting");
  at("who").textContent = me.isKnown ? say("who", { login: me.login ?? say("who.unknown"), role: roleText() }) : "";
}

function note(line) { return { by: line.by, why: line.why, time: time(line.at) }; }

function showLine() {
  const state = at("line-state");
  state.textContent = model.line.stop ? say("line.stopped", note(model.line.stop)) : say("line.running");
  state.classList.toggle("stopped", Boolean(model.line.stop));
  at("line-closed").replaceChildren(...Object.entries(model.line.closedBuses).map(([bus, closed]) => element("li", say("bus.closed", { bus, ...note(closed) }))));
  keepFocus(at("line-actions"), actionsOfLine());
}

/** Puts new buttons in the place of the old ones; whoever stands on one of them stays there. */
function keepFocus(place, made) {
  const held = place.contains(document.activeElement) ? document.activeElement.dataset.act : undefined;
  place.replaceChildren(...made);
  if (held) (made.find((button) => button.dataset.act === held) ?? made[0])?.focus();
}

function alertText(alert) {
  const parts = [sayOf("code", alert.code)];
  if (alert.pulje) parts.push(alert.pulje);
  if (alert.count === 1) parts.push(say("needs.group"));
  if (alert.count > 1) parts.push(say("needs.groups", { count: number(alert.count) }));
  return parts.join(" · ");
}

function showNeeds() {
  const alerts = [...model.alerts.values()].sort((one, other) => weights.indexOf(one.weight) - weights.indexOf(other.weight)
    || compare(one.pulje ?? "", other.pulje ?? "") || compare(one.code, other.code));
  at("needs-none").hidden = alerts.length > 0;
  board.labelAlerts(alerts.filter((alert) => alert.count).map((alert) => [alert.id, alertText(alert)]));
  keepPlace(at("needs-list"), alerts.map((alert) => {
    const item = element("li", undefined, alert.id === asked ? "asked" : "");
    item.dataset.alert = alert.id;
    item.dataset.count = String(alert.count);
    item.append(element("strong", `${sayOf("weight", alert.weight)}: ${alertText(alert)}`, `weight-${alert.weight}`), " ", element("span", alert.code, "code"), " ",
      say("needs.since", { time: time(alert.since) }), " – ");
    const whose = alert.code === "MIG-417" ? model.line.stop : alert.code === "MIG-402" ? model.puljer.find((pulje) => pulje.name === alert.pulje)?.paused : undefined;
    if (whose) item.append(say("needs.note", note(whose)));
    else item.append(english("span", alert.seen));
    if (alert.pulje) item.append(" ", showButton(alert));
    return item;
  }));
}

const weights = ["alarm", "warning", "person"];
const compare = (one, other) => (one < other ? -1 : one > other ? 1 : 0);

function showButton(alert) {
  const button = element("button", say("needs.show"));
  button.type = "button";
  button.setAttribute("aria-label", `${say("needs.show")}: ${alertText(alert)}`);
  button.addEventListener("click", () => showAlert(alert));
  return button;
}

/** Parts of each pulje that stay, so that a button is not taken away under somebody's finger. */
const cards = new Map();

function showPuljer() {
  at("puljer-none").hidden = model.puljer.length > 0;
  for (const [name, card] of cards) {
    if (model.puljer.some((pulje) => pulje.name === name)) continue;
    card.box.remove();
    cards.delete(name);
  }
  for (const pulje of model.puljer) showPulje(pulje);
}

function showPulje(pulje) {
  let card = cards.get(pulje.name);
  if (!card) {
    const box = element("article", undefined, "pulje");
    card = { box, head: element("h3"), words: element("div"), actions: element("p", undefined, "actions"), waves: element("div"), last: "" };
    box.append(card.head, card.words, card.actions, card.waves, reportsOf(pulje.name));
    at("puljer-list").append(box);
    cards.set(pulje.name, card);
  }
  const rows = counts(pulje.name);
  const { depths, late, ...rest } = pulje;
  const text = JSON.stringify([rest, rows, language, [...me.may]]);
  if (text === card.last) return;
  card.last = text;
  const [whole] = rows;
  card.head.textContent = `${pulje.name}: ${sayOf("pulje", pulje.phase)}`;
  const words = [say("pulje.from", pulje), say("pulje.counts", { parties: number(whole.parties), groups: number(whole.groups) }),
    say("pulje.sealed", { by: pulje.sealedBy, time: time(pulje.sealedAt), hash: pulje.planHash.slice(0, 12) })];
  if (pulje.approvals.length) words.push(say("pulje.approved", { by: pulje.approvals.join(", ") }));
  card.words.replaceChildren(...words.map((line) => element("p", line)));
  if (pulje.paused) card.words.append(element("p", say("pulje.paused", note(pulje.paused)), "stopped"));
  keepFocus(card.actions, actionsOfPulje(pulje, whole));
  const heads = [say("waves.wave"), ...stageNames.map((stage) => say(`stage.${stage}`)), say("stage.person"), ""];
  const table = tableOf(say("waves.caption", { pulje: pulje.name }), heads, rows.map((row) => {
    const name = row.wave === null ? say("waves.all") : row.wave === pulje.openWave ? say("waves.open", { wave: row.wave }) : String(row.wave);
    const actions = element("span");
    if (row.wave !== null) actions.append(...actionOfWave(pulje, row.wave));
    return [name, ...stageNames.map((stage) => number(row[stage])), number(row.person), actions];
  }), [false, ...stageNames.map(() => true), true]);
  keepPlace(card.waves, [table]);
}

/** The same by the button's place, where buttons are alike. */
function keepPlace(place, made) {
  const held = place.contains(document.activeElement) ? [...place.querySelectorAll("button")].indexOf(document.activeElement) : -1;
  place.replaceChildren(...made);
  if (held >= 0) place.querySelectorAll("button")[held]?.focus();
}

function showDepth() {
  const open = new Set([...at("depth-list").querySelectorAll("details[open]")].map((details) => details.closest("figure").dataset.pulje));
  const figures = model.puljer.map((pulje) => {
    const figure = plot(pulje.name, model.trails[pulje.name] ?? {});
    figure.dataset.pulje = pulje.name;
    if (figure.firstChild) figure.prepend(element("figcaption", pulje.name));
    if (open.has(pulje.name)) figure.querySelector("details")?.setAttribute("open", "");
    return figure;
  }).filter((figure) => figure.firstChild);
  at("depth-none").hidden = figures.length > 0;
  // Whoever reads the table is left where he is.
  if (!at("depth-list").contains(document.activeElement)) at("depth-list").replaceChildren(...figures);
}

function showLate() {
  const tables = model.puljer.filter((pulje) => pulje.late.length).map((pulje) => tableOf(pulje.name,
    [say("late.class"), say("late.sender"), say("late.vendor"), say("late.count")],
    pulje.late.map((late) => [`${sayOf("class", late.strandedClass)} (${late.code})`, late.sender === undefined ? say("late.unknown") : String(late.sender), late.vendor ?? say("late.unknown"), number(late.count)]),
    [false, false, false, true]));
  at("late-none").hidden = tables.length > 0;
  at("late-list").replaceChildren(...tables);
}

function showAll() {
  fill(document);
  at("to-nb").setAttribute("aria-pressed", String(language === "nb"));
  at("to-en").setAttribute("aria-pressed", String(language === "en"));
  for (const card of cards.values()) card.last = "";
  dirty.all = true;
  later();
}

async function findOutWho() {
  try {
    const known = await ask("/v1/me");
    Object.assign(me, { login: known.name ?? null, roles: known.roles, isRescue: known.isRescue, may: new Set(known.may), isKnown: true });
    if (hasBoard) showAll();
    else later();
  } catch { /* said by the connection's own state */ }
}

for (const name of ["nb", "en"]) {
  at(`to-${name}`).addEventListener("click", () => {
    turnTo(name);
    showAll();
  });
}
addEventListener("hashchange", () => {
  isToGo = true;
  later();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !at("dialog").open) closeGroup();
});
board.begin(openGroup);
showAll();
findOutWho();
setInterval(later, 30_000);

follow({
  event(name, data) {
    if (name === "vendor") {
      // A vendor hears of its own parties only; this page is of everybody's.
      connection.vendor = data.vendor;
    } else if (name === "board") {
      connection.vendor = "";
      takeBoard(data);
      hasBoard = true;
      dirty.all = true;
    } else {
      const changed = takeChange(name, data);
      if (changed.line) dirty.line = true;
      if (changed.puljer) dirty.puljer = true;
      if (changed.depths) dirty.depths = true;
      if (changed.late) dirty.late = true;
      if (changed.group) dirty.groups.add(changed.group);
      if (changed.alert) dirty.alerts.push(changed.alert);
    }
    later();
  },
  live() {
    if (connection.state !== "live") findOutWho();
    Object.assign(connection, { state: "live", since: Date.now(), text: "" });
    later();
  },
  lost(error) {
    const since = connection.state === "lost" ? connection.since : Date.now();
    Object.assign(connection, { state: "lost", since, text: "" });
    if (error instanceof Trouble && error.code === "CLI-017") connection.text = say("connection.recovering");
    if (error instanceof Trouble && error.status === 403) connection.text = say("connection.forbidden", { text: error.message });
    later();
  },
  async tokenNeeded() { useToken(await askToken()); },
});
