// SPDX-License-Identifier: Apache-2.0
// The table of parties: thousands of rows, of which only those in view are on the page.
import { number, say, sayOf, time } from "./language.js";
import { model } from "./model.js";

const height = 36;
const margin = 8;
const rows = document.getElementById("board-rows");
const grid = document.getElementById("board");
const filters = { text: "", pulje: "", wave: "", turn: "", light: "", alert: "" };

let shown = [];
let active = -1;
let onOpen = () => {};
/** Rows on the page, by their place. */
const drawn = new Map();

export function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** What a group waits for, in words. */
export function reasonOf(group) {
  if (group.turn === "work") return sayOf("doing", group.doing);
  const words = group.hold && group.wait === "MIG-411" ? sayOf("code", group.hold) : group.wait ? sayOf("code", group.wait) : "";
  return words ? `${words} · ${sayOf("turn", group.turn)}` : sayOf("turn", group.turn);
}

export function estimateOf(kind, earliest) {
  return kind ? say(`estimate.${kind}`, { time: earliest === undefined ? "?" : time(earliest) }) : "";
}

function partyOf(group) {
  const [first] = group.parties;
  return group.parties.length === 1 ? first.name : say("board.more", { name: first.name, count: group.parties.length - 1 });
}

const columns = [
  { word: "board.herid", text: (group) => String(group.id) },
  { word: "board.party", text: partyOf },
  { word: "board.wave", text: (group) => (group.wave === undefined ? "" : String(group.wave)), className: "number" },
  { word: "board.phase", text: (group) => sayOf("phase", group.phase) + (group.isQuarantined ? ` (${say("board.quarantined")})` : "") },
  { word: "board.reason", text: reasonOf },
  { word: "board.estimate", text: (group) => estimateOf(group.estimate, group.earliest) },
  { word: "board.light", text: (group) => sayOf("light", group.light), light: true },
  { word: "board.left", text: (group) => (group.left === undefined ? "" : number(group.left)), className: "number" },
];

/** Whether an alert, by its id, is about the group. */
const isAbout = (alert, group) => alert.startsWith(`${group.pulje}/`) && group.standing.includes(alert.slice(group.pulje.length + 1));

function fits(group) {
  return (!filters.pulje || group.pulje === filters.pulje) && (!filters.wave || String(group.wave) === filters.wave)
    && (!filters.turn || group.turn === filters.turn) && (!filters.light || group.light === filters.light)
    && (!filters.alert || isAbout(filters.alert, group)) && (!filters.text || group.text.includes(filters.text));
}

/** Works out anew which groups are shown; the row that is active stays, wherever it now stands. */
export function select() {
  const kept = shown[active]?.key;
  shown = model.order.filter(fits);
  active = kept === undefined ? -1 : shown.findIndex((group) => group.key === kept);
  for (const row of drawn.values()) row.remove();
  drawn.clear();
  rows.style.height = `${Math.max(1, shown.length * height)}px`;
  grid.setAttribute("aria-rowcount", String(shown.length + 1));
  document.getElementById("board-count").textContent = say("board.count", { shown: number(shown.length), all: number(model.order.length) });
  document.getElementById("board-empty").hidden = shown.length > 0;
  draw();
}

function fill(row, group) {
  const cells = row.children;
  columns.forEach((column, place) => {
    const cell = cells[place];
    const text = column.text(group);
    if (cell.textContent !== text) {
      cell.textContent = text;
      cell.title = text;
    }
    if (column.light) cell.className = `light light-${group.light}`;
  });
  cells[4].classList.toggle("person", group.turn === "person");
}

function make(place) {
  const group = shown[place];
  const row = element("div", undefined, "row");
  row.setAttribute("role", "row");
  row.setAttribute("aria-rowindex", String(place + 2));
  row.id = `row-${place}`;
  row.dataset.place = String(place);
  row.style.top = `${place * height}px`;
  for (const column of columns) {
    const cell = element("div", undefined, column.className);
    cell.setAttribute("role", column === columns[0] ? "rowheader" : "gridcell");
    row.append(cell);
  }
  fill(row, group);
  return row;
}

/** Puts what is in view on the page, and takes the rest away. */
function draw() {
  const top = Math.max(0, grid.scrollTop - rows.offsetTop);
  const first = Math.max(0, Math.floor(top / height) - margin);
  const last = Math.min(shown.length, Math.ceil((top + grid.clientHeight) / height) + margin);
  for (const [place, row] of drawn) {
    if (place < first || place >= last) {
      row.remove();
      drawn.delete(place);
    }
  }
  for (let place = first; place < last; place += 1) {
    if (drawn.has(place)) continue;
    const row = make(place);
    drawn.set(place, row);
    // In order, for whoever reads them one after the other.
    let next = place + 1;
    while (next < last && !drawn.has(next)) next += 1;
    rows.insertBefore(row, drawn.get(next) ?? null);
  }
  mark();
}

function mark() {
  for (const [place, row] of drawn) {
    row.classList.toggle("active", place === active);
    row.setAttribute("aria-selected", String(place === active));
  }
  if (drawn.has(active)) grid.setAttribute("aria-activedescendant", `row-${active}`);
  else grid.removeAttribute("aria-activedescendant");
}

/** Shows what has changed of these groups. Which of them the choice lets through is worked out anew when it may differ. */
export function update(keys) {
  if (filters.turn || filters.light || filters.alert) {
    select();
    return;
  }
  for (const [place, row] of drawn) if (keys.has(shown[place].key)) fill(row, shown[place]);
}

export function isDrawn() { return drawn.size > 0; }

function go(place) {
  if (!shown.length) return;
  active = Math.max(0, Math.min(shown.length - 1, place));
  const head = rows.offsetTop;
  const top = active * height;
  if (top < grid.scrollTop) grid.scrollTop = top;
  else if (top + height > grid.scrollTop + grid.clientHeight - head) grid.scrollTop = top + height - grid.clientHeight + head;
  draw();
}

const pageOf = () => Math.max(1, Math.floor(grid.clientHeight / height) - 2);
const keys = {
  ArrowDown: () => go(active + 1), ArrowUp: () => go(active - 1), PageDown: () => go(active + pageOf()), PageUp: () => go(active - pageOf()),
  Home: () => go(0), End: () => go(shown.length - 1), Enter: () => shown[active] && onOpen(shown[active]), " ": () => shown[active] && onOpen(shown[active]),
};

function options(select, values) {
  const kept = select.value;
  select.replaceChildren(...[["", say("board.any")], ...values].map(([value, text]) => {
    const option = element("option", text);
    option.value = value;
    return option;
  }));
  select.value = values.some(([value]) => value === kept) ? kept : "";
}

/** Writes heads and choices in the present language, and what there is to choose from. */
export function label() {
  const head = document.getElementById("board-columns");
  head.setAttribute("aria-rowindex", "1");
  head.replaceChildren(...columns.map((column) => {
    const cell = element("div", say(column.word), column.className);
    cell.setAttribute("role", "columnheader");
    return cell;
  }));
  grid.setAttribute("aria-colcount", String(columns.length));
  options(document.getElementById("filter-pulje"), model.puljer.map((pulje) => [pulje.name, pulje.name]));
  const waves = Math.max(0, ...model.puljer.map((pulje) => pulje.waves?.length ?? 0));
  options(document.getElementById("filter-wave"), Array.from({ length: waves }, (_, place) => [String(place + 1), String(place + 1)]));
  options(document.getElementById("filter-turn"), ["person", "work", "time", "other", "done"].map((turn) => [turn, sayOf("turn", turn)]));
  options(document.getElementById("filter-light"), ["green", "yellow", "red", "none"].map((light) => [light, sayOf("light", light)]));
  for (const name of ["pulje", "wave", "turn", "light"]) filters[name] = document.getElementById(`filter-${name}`).value;
}

/** What stands now, to choose from; what is chosen and stands no longer is left chosen, and lets nothing through. */
export function labelAlerts(alerts) {
  const kept = filters.alert;
  options(document.getElementById("filter-alert"), kept && !alerts.some(([id]) => id === kept) ? [...alerts, [kept, kept]] : alerts);
  document.getElementById("filter-alert").value = kept;
}

/** Sets all choices: those that are not named let everything through. */
export function showOnly(choice) {
  for (const name of Object.keys(filters)) {
    filters[name] = choice[name] ?? "";
    document.getElementById(`filter-${name}`).value = filters[name];
  }
  select();
  go(0);
  grid.focus();
}

export function focusBoard() { grid.focus(); }

export function begin(open) {
  onOpen = open;
  for (const name of Object.keys(filters)) {
    document.getElementById(`filter-${name}`).addEventListener("input", (event) => {
      filters[name] = name === "text" ? event.target.value.trim().toLowerCase() : event.target.value;
      grid.scrollTop = 0;
      select();
    });
  }
  grid.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
  new ResizeObserver(() => draw()).observe(grid);
  grid.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    act();
  });
  rows.addEventListener("click", (event) => {
    const row = event.target.closest(".row");
    if (!row) return;
    active = Number(row.dataset.place);
    mark();
    onOpen(shown[active]);
  });
}
