// SPDX-License-Identifier: Apache-2.0
// Lines of messages over time, drawn by hand, with a table of the same figures beside them.
import { element } from "./board.js";
import { number, say, time } from "./language.js";

const namespace = "http://www.w3.org/2000/svg";
const [width, tall, left, bottom] = [800, 180, 60, 24];
const rowsShown = 60;

function shape(name, attributes, text) {
  const made = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

/** A whole number that is easy to read, at least as great as `value`. */
function above(value) {
  let step = 1;
  for (;;) {
    for (const factor of [1, 2, 5]) if (step * factor >= value) return step * factor;
    step *= 10;
  }
}

/**
 * @param trails by bus: points with `at` and `count`, oldest first; a count that is missing was not read, and the line has a gap there.
 */
export function plot(pulje, trails) {
  const buses = Object.keys(trails).sort().filter((bus) => trails[bus].length);
  const figure = element("figure");
  const all = buses.flatMap((bus) => trails[bus]);
  if (!all.length) return figure;
  const begin = Math.min(...all.map((point) => point.at));
  const end = Math.max(begin + 1000, ...all.map((point) => point.at));
  const most = above(Math.max(1, ...all.map((point) => point.count ?? 0)));
  const x = (at) => left + ((at - begin) / (end - begin)) * (width - left - 10);
  const y = (count) => 10 + (1 - count / most) * (tall - bottom - 10);
  const words = say("depth.picture", { buses: buses.join(", "), pulje });
  const svg = shape("svg", { class: "plot", viewBox: `0 0 ${width} ${tall}`, role: "img", "aria-label": words });
  svg.append(
    shape("line", { class: "axis", x1: left, x2: width - 10, y1: y(0), y2: y(0) }), shape("line", { class: "axis", x1: left, x2: left, y1: 10, y2: y(0) }),
    shape("text", { x: left - 6, y: y(0) + 4, "text-anchor": "end" }, number(0)), shape("text", { x: left - 6, y: y(most) + 8, "text-anchor": "end" }, number(most)),
    shape("text", { x: left, y: tall - 6 }, time(begin)), shape("text", { x: width - 10, y: tall - 6, "text-anchor": "end" }, time(end)));
  buses.forEach((bus, place) => {
    let path = "";
    let isOpen = false;
    for (const point of trails[bus]) {
      if (point.count === undefined || point.count === null) {
        isOpen = false;
        continue;
      }
      path += `${isOpen ? "L" : "M"}${x(point.at).toFixed(1)} ${y(point.count).toFixed(1)}`;
      if (!isOpen) path += "h0.1";
      isOpen = true;
    }
    const line = Math.min(place, 1);
    svg.append(shape("path", { class: `trail trail-${line}`, d: path || "M0 0" }));
    svg.append(shape("text", { class: `trail-text-${line}`, x: width - 14, y: 22 + place * 16, "text-anchor": "end" }, `${line ? "- - " : "— "}${bus}`));
  });
  figure.append(svg, table(pulje, buses, trails));
  return figure;
}

function table(pulje, buses, trails) {
  const details = element("details");
  details.append(element("summary", say("depth.table")));
  const box = element("div", undefined, "wide");
  const made = element("table");
  made.append(element("caption", `${pulje}: ${buses.join(", ")}`));
  const head = element("tr");
  head.append(...[say("depth.time"), ...buses].map((text, place) => {
    const cell = element("th", text, place ? "number" : "");
    cell.scope = "col";
    return cell;
  }));
  const times = [...new Set(buses.flatMap((bus) => trails[bus].map((point) => point.at)))].sort((one, other) => other - one).slice(0, rowsShown);
  const body = element("tbody");
  for (const at of times) {
    const row = element("tr");
    const first = element("th", time(at));
    first.scope = "row";
    row.append(first);
    for (const bus of buses) {
      const point = trails[bus].find((point) => point.at === at);
      row.append(element("td", point ? (point.count ?? null) === null ? say("depth.unread") : number(point.count) : "", "number"));
    }
    body.append(row);
  }
  const top = element("thead");
  top.append(head);
  made.append(top, body);
  box.append(made);
  details.append(box);
  return details;
}
