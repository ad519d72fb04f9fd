// SPDX-License-Identifier: Apache-2.0
// What is known: the daemon's picture, kept up by its changes. Knows nothing of the page.

export const model = { environment: null, now: 0, line: { closedBuses: {} }, puljer: [], groups: new Map(), order: [], alerts: new Map(), trails: {} };

export const keyOf = (pulje, id) => `${pulje}/${id}`;
const pointsKept = 400;

/** Takes in a whole picture. */
export function takeBoard(board) {
  Object.assign(model, { environment: board.environment ?? null, now: board.now, line: board.line, puljer: board.puljer, trails: board.trails });
  model.groups = new Map();
  model.order = [];
  for (const group of board.groups) {
    group.key = keyOf(group.pulje, group.id);
    group.text = group.parties.map((party) => `${party.herID} ${party.name} ${party.vendor}`).join(" ").toLowerCase();
    model.groups.set(group.key, group);
    model.order.push(group);
  }
  model.alerts = new Map(board.alerts.map((alert) => [alert.id, alert]));
}

// What a change leaves out is not so any more.
const optional = ["doing", "wait", "waitSince", "estimate", "earliest", "hold", "left", "arrived", "pingedAt"];

/** Takes in a change; says what is to be shown anew. */
export function takeChange(name, data) {
  switch (name) {
    case "line":
      model.line = data;
      return { line: true };
    case "pulje": {
      const place = model.puljer.findIndex((pulje) => pulje.name === data.name);
      const late = place < 0 || JSON.stringify(model.puljer[place].late) !== JSON.stringify(data.late);
      if (place >= 0) model.puljer[place] = data;
      const added = data.depths.map((depth) => addPoint(data.name, depth));
      return { puljer: true, depths: added.includes(true), late };
    }
    case "group": {
      const group = model.groups.get(keyOf(data.pulje, data.id));
      if (!group) return {};
      for (const field of optional) delete group[field];
      Object.assign(group, data);
      return { group: group.key };
    }
    case "alert":
      if (data.endedAt === undefined) model.alerts.set(data.id, data);
      else model.alerts.delete(data.id);
      return { alert: data };
    default:
      return {};
  }
}

/** Says whether it was not known before. */
function addPoint(pulje, depth) {
  const points = ((model.trails[pulje] ??= {})[depth.bus] ??= []);
  if (points.length && points[points.length - 1].at >= depth.at) return false;
  points.push({ at: depth.at, count: depth.count });
  if (points.length > pointsKept) points.splice(0, points.length - pointsKept);
  return true;
}

const stages = {
  KNOWN: "before", PLANNED: "before", READY: "before", ARMED: "moving", CUT_INTENT: "moving", CUT_UNKNOWN: "moving", CUT_APPLIED: "moving", CONFLICT: "moving",
  VERIFIED: "draining", DRAINING: "draining", DRAINED: "draining", OBSERVING: "watched", ACCEPTED: "done", RETIRED: "done", REMOVED: "done",
};
export const stageNames = ["before", "moving", "draining", "watched", "done", "back"];

/** How many groups of each wave stand where; the whole pulje under null. */
export function counts(pulje) {
  const rows = new Map();
  const row = (wave) => {
    if (!rows.has(wave)) rows.set(wave, { wave, groups: 0, parties: 0, person: 0, before: 0, moving: 0, draining: 0, watched: 0, done: 0, back: 0 });
    return rows.get(wave);
  };
  row(null);
  for (const group of model.order) {
    if (group.pulje !== pulje) continue;
    for (const wave of group.wave === undefined ? [null] : [null, group.wave]) {
      const counted = row(wave);
      counted.groups += 1;
      counted.parties += group.parties.length;
      counted[stages[group.phase] ?? "back"] += 1;
      if (group.turn === "person" && group.wait !== "MIG-420") counted.person += 1;
    }
  }
  return [...rows.values()].sort((one, other) => (one.wave ?? 0) - (other.wave ?? 0));
}
