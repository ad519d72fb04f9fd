// SPDX-License-Identifier: Apache-2.0
// One group with everything that is known of it.
import { actionsOfGroup } from "./actions.js";
import { element, estimateOf, focusBoard } from "./board.js";
import { number, say, sayOf, time } from "./language.js";
import { model } from "./model.js";
import { plot } from "./plots.js";
import { ask } from "./wire.js";

const section = document.getElementById("details");
const body = document.getElementById("details-body");
let open = null;
let asked = 0;

export const openKey = () => open?.key;

/** What the daemon says in its own words is English. */
export function english(name, text, className) {
  const made = element(name, text, className);
  made.lang = "en";
  return made;
}

export function tableOf(caption, heads, rows, isNumber = []) {
  const box = element("div", undefined, "wide");
  const table = element("table");
  table.append(element("caption", caption));
  const head = element("tr");
  head.append(...heads.map((text, place) => {
    const cell = element("th", text, isNumber[place] ? "number" : "");
    cell.scope = "col";
    return cell;
  }));
  const top = element("thead");
  top.append(head);
  const rest = element("tbody");
  for (const row of rows) {
    const line = element("tr");
    row.forEach((value, place) => {
      const cell = element(place ? "td" : "th", undefined, isNumber[place] ? "number" : "");
      if (!place) cell.scope = "row";
      if (value instanceof Node) cell.append(value);
      else cell.textContent = value;
      line.append(cell);
    });
    rest.append(line);
  }
  table.append(top, rest);
  box.append(table);
  return box;
}

export function openGroup(group) {
  open = group;
  section.hidden = false;
  body.replaceChildren(element("p", say("details.loading")));
  title();
  section.focus();
  refresh();
}

function title() {
  document.getElementById("details-title").textContent = `${say("details.title", { id: open.id })}: ${open.parties[0].name}`;
}

export function closeGroup() {
  if (!open) return;
  open = null;
  section.hidden = true;
  focusBoard();
}

/** Asks for what is open once more, since it has changed, or the language has. */
export async function refresh() {
  if (!open) return;
  const number = (asked += 1);
  const group = open;
  try {
    const answer = await ask(`/v1/group?pulje=${encodeURIComponent(group.pulje)}&id=${group.id}`);
    if (number === asked && open === group) show(answer);
  } catch (error) {
    if (number === asked) body.replaceChildren(element("p", say("details.failed", { text: error.message })));
  }
}

function show(answer) {
  title();
  const known = answer.group;
  const group = model.groups.get(open.key) ?? open;
  const close = element("button", say("details.close"));
  close.type = "button";
  close.addEventListener("click", closeGroup);
  document.getElementById("details-actions").replaceChildren(...actionsOfGroup(group), close);
  const parts = [];
  parts.push(tableOf(say("details.parties"), [say("board.herid"), say("board.party"), say("details.vendor")],
    known.members.map((member) => [String(member.herID), member.name, member.vendor])));
  parts.push(element("h3", say("details.state")));
  parts.push(element("p", say("details.since", { phase: sayOf("phase", known.phase), time: time(known.since) })));
  if (known.wait) {
    parts.push(element("p", say("details.wait", { reason: `${sayOf("code", known.wait.code)} (${known.wait.code}), ${say("needs.since", { time: time(known.wait.since) })}` })));
    if (known.wait.seen) parts.push(english("p", known.wait.seen));
  }
  parts.push(element("p", say("details.whom", { turn: sayOf("turn", group.turn) })));
  if (known.waitEnds) {
    const line = element("p", say("details.estimate", { estimate: estimateOf(known.waitEnds.kind, known.waitEnds.earliest) }));
    if (known.waitEnds.words) line.append(" – ", english("span", known.waitEnds.words));
    parts.push(line);
  }
  if (known.hold) {
    parts.push(element("p", say("details.held", { reason: `${sayOf("code", known.hold.code)} (${known.hold.code})` }), "person"), english("p", known.hold.seen));
  }
  if (known.lastFailure) parts.push(english("p", known.lastFailure));
  parts.push(element("h3", say("details.wayback")), wayBack(known.wayBack));
  for (const member of known.members.filter((member) => member.conflict.length)) {
    parts.push(tableOf(`${say("details.conflict")}: ${member.herID}`, ["", "R0", "R1", "AR"],
      member.conflict.map((line) => [line.field, line.before ?? "–", line.after ?? "–", line.found ?? "–"])));
  }
  if (known.drain.queues.length) {
    parts.push(tableOf(say("details.queues"), [say("details.queue"), say("details.kind"), say("details.depth"), say("details.consumers")],
      known.drain.queues.map((queue) => [queue.address, sayOf("queue", queue.kind), queue.seen ? english("span", queue.seen) : number(queue.depth), number(queue.consumers)]),
      [false, false, true, true]));
  }
  if (answer.trail.points.length) parts.push(plot(String(known.id), { [leaves(known)]: answer.trail.points }));
  parts.push(element("h3", say("details.pings")), ...pings(known));
  parts.push(tableOf(say("details.history"), [say("depth.time"), say("board.phase")], [...known.history].reverse().map((step) => [time(step.at), sayOf("phase", step.phase)])));
  body.replaceChildren(...parts);
}

function leaves(known) {
  const pulje = model.puljer.find((pulje) => pulje.name === open.pulje);
  return (known.direction === "forward" ? pulje?.source : pulje?.target) ?? "";
}

function wayBack(way) {
  const box = element("div");
  box.append(element("p", sayOf("light", way.light), `light light-${way.light}`));
  if (way.reasons.length) {
    const list = element("ul");
    for (const reason of way.reasons) {
      const item = element("li", `${sayOf("code", reason.code)} (${reason.code}). `);
      item.append(english("span", reason.seen));
      list.append(item);
    }
    box.append(list);
  }
  return box;
}

function pings(known) {
  if (!known.pingedAt) return [element("p", say("details.noping"))];
  const parts = [element("p", say("details.pinged", { time: time(known.pingedAt), failures: known.pingFailures }))];
  for (const ping of known.pings) {
    // The answer says more than that the bus took it.
    const took = ping.answeredAfter ?? ping.acceptedAfter;
    const latency = took === undefined ? "" : `, ${say("details.latency")}: ${number(took)} ms`;
    parts.push(tableOf(`${ping.herID} · ${ping.bus}${latency}`, [say("details.check"), say("details.result"), ""],
      ping.findings.map((finding) => [sayOf("ping", finding.check), say(`result.${finding.result}`), english("span", finding.seen)])));
  }
  return parts;
}
