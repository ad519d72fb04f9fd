// SPDX-License-Identifier: Apache-2.0
// Speaks with the daemon. Answers are JSON; what goes wrong is thrown as a Trouble with words for a person.

/** The token lives in this tab only, and goes into a header: nothing is sent by itself. */
let token = sessionStorage.getItem("token") || "";

export function useToken(text) {
  token = text;
  sessionStorage.setItem("token", text);
}

export class Trouble extends Error {
  constructor(status, text, code) {
    super(text);
    this.status = status;
    this.code = code;
  }
}

function headers(more) {
  const all = { "bus-migrator-request": "1", ...more };
  if (token) all.authorization = `Bearer ${token}`;
  return all;
}

async function trouble(answer) {
  let failure = {};
  try { failure = await answer.json(); } catch { /* an answer without words */ }
  return new Trouble(answer.status, failure.text || `HTTP ${answer.status}`, failure.code);
}

export async function ask(path) {
  const answer = await fetch(path, { headers: headers({}), cache: "no-store" });
  if (!answer.ok) throw await trouble(answer);
  return answer.json();
}

/** Has the browser keep what the daemon answers, as a file. */
export async function download(path, name) {
  const answer = await fetch(path, { headers: headers({}), cache: "no-store" });
  if (!answer.ok) throw await trouble(answer);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Has a command carried out. `key` is the same for the same wish: sent twice it is done once. */
export async function command(body, key) {
  const answer = await fetch("/v1/command?answer=brief", {
    method: "POST", cache: "no-store", headers: headers({ "content-type": "application/json", "idempotency-key": key }),
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw await trouble(answer);
  return answer.json();
}

/** Longer without a sign of life is a connection that is lost: the daemon sends one every 15 s. */
const silence = 40_000;
const longestPause = 10_000;

/**
 * Follows what happens, for ever: `on.event(name, data)`, `on.live()` with every sign of life, `on.lost(trouble)`.
 * After a break it asks for what was missed; the daemon tells that, or everything.
 */
export async function follow(on) {
  let last = "";
  let pause = 500;
  for (;;) {
    const stop = new AbortController();
    let timer = setTimeout(() => stop.abort(), silence);
    try {
      const answer = await fetch("/v1/live", { headers: headers(last ? { "last-event-id": last } : {}), cache: "no-store", signal: stop.signal });
      if (!answer.ok) throw await trouble(answer);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let pieces = [];
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        clearTimeout(timer);
        timer = setTimeout(() => stop.abort(), silence);
        on.live();
        // Put together once an event is whole: a picture of thousands comes in many pieces.
        pieces.push(value);
        if (!value.includes("\n\n") && !(value.startsWith("\n") && pieces.length > 1)) continue;
        const events = pieces.join("").split("\n\n");
        pieces = [events.pop()];
        for (const event of events) {
          const read = parse(event);
          if (read.id) last = read.id;
          if (read.data === undefined) continue;
          if (read.name === "again") last = "";
          else on.event(read.name, JSON.parse(read.data));
          pause = 500;
        }
      }
      throw new Trouble(0, "");
    } catch (error) {
      on.lost(error);
      if (error instanceof Trouble && error.status === 401) await on.tokenNeeded();
    } finally {
      clearTimeout(timer);
      stop.abort();
    }
    await new Promise((go) => setTimeout(go, pause));
    pause = Math.min(pause * 2, longestPause);
  }
}

function parse(event) {
  const read = { name: "message" };
  for (const line of event.split("\n")) {
    if (line.startsWith("data: ")) read.data = (read.data === undefined ? "" : `${read.data}\n`) + line.slice(6);
    else if (line.startsWith("event: ")) read.name = line.slice(7);
    else if (line.startsWith("id: ")) read.id = line.slice(4);
  }
  return read;
}
