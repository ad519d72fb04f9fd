// SPDX-License-Identifier: Apache-2.0
// What a person may have done: a dialog that says what will happen, asks why, and has the pulje's name typed before anything that is hard to undo.
import { element } from "./board.js";
import { fill, number, say, sayOf } from "./language.js";
import { model } from "./model.js";
import { command, Trouble } from "./wire.js";

/** Who reads this, and what the daemon would take from him. */
export const me = { login: null, roles: [], isRescue: false, may: new Set(), isKnown: false };

const dialog = document.getElementById("dialog");
const fields = document.getElementById("dialog-fields");
const error = document.getElementById("dialog-error");
const submit = document.getElementById("dialog-do");
let current = null;
let opener = null;

/** A name that is typed where no pulje is meant. */
const place = () => model.environment ?? "bus-migrator";

export function environmentText() {
  if (!model.environment) return say("environment.none");
  return say(isProduction() ? "environment.isproduction" : "environment.other", { name: model.environment });
}

export const isProduction = () => /^prod/i.test(model.environment ?? "");

// What comes together is told together: a screen reader hears only what stands there when the frame is drawn.
let untold = [];
export function tell(text) {
  const told = document.getElementById("told");
  untold.push(text);
  // No frame is drawn while nobody looks; of a night's worth the last few are enough.
  if (untold.length > 20) untold.shift();
  if (untold.length > 1) return;
  told.textContent = "";
  requestAnimationFrame(() => { told.textContent = untold.join(". "); untold = []; });
}

function button(wish) {
  const made = element("button", wish.title(), wish.danger ? "danger" : "");
  made.type = "button";
  made.dataset.act = wish.name;
  made.addEventListener("click", () => open(wish, made));
  return made;
}

/** What may not be done is not offered. */
const offered = (wishes) => wishes.filter((wish) => me.may.has(wish.body.verb)).map(button);

export function actionsOfLine() {
  const stopped = model.line.stop;
  const release = {
    name: "release", title: () => say("act.release"), means: () => say("act.release.means"), confirm: place(), approvals: 2, body: { verb: "release" },
  };
  const stop = { name: "stop", title: () => say("act.stop"), means: () => say("act.stop.means"), confirm: place(), danger: true, body: { verb: "stop" } };
  const start = { name: "start", title: () => say("act.start"), means: () => say("act.start.means"), plan: true, approvals: 2, body: { verb: "start" } };
  return offered(stopped ? [release] : [start, stop]);
}

export function actionsOfPulje(pulje, counted) {
  const name = pulje.name;
  const open = counted.groups > counted.done + counted.back || counted.moving > 0;
  const wishes = [];
  if (pulje.phase === "DECISION") {
    wishes.push({
      name: "accept", title: () => say("act.accept"), means: () => say("act.accept.means", { pulje: name, target: pulje.target }), confirm: name,
      approvals: pulje.approvalsNeeded, body: { verb: "accept", pulje: name },
    });
  }
  if (pulje.paused) {
    wishes.push({ name: "resume", title: () => say("act.resume"), means: () => say("act.resume.means", { pulje: name }), body: { verb: "resume", pulje: name } });
  } else if (open) {
    wishes.push({ name: "pause", title: () => say("act.pause"), means: () => say("act.pause.means", { pulje: name }), body: { verb: "pause", pulje: name } });
  }
  if (counted.groups > counted.back) {
    wishes.push({
      name: "rollback", title: () => say("act.rollback"), means: () => say("act.rollback.means", { pulje: name, source: pulje.source }), confirm: name,
      danger: true, body: { verb: "rollback", pulje: name },
    });
  }
  return offered(wishes);
}

export function actionOfWave(pulje, wave) {
  return offered([{
    name: "rollback-wave", title: () => say("act.rollbackwave", { wave }),
    means: () => say("act.rollbackwave.means", { wave, pulje: pulje.name, source: pulje.source }), confirm: pulje.name, danger: true,
    body: { verb: "rollback", pulje: pulje.name, wave },
  }]);
}

export function actionsOfGroup(group) {
  const pulje = model.puljer.find((pulje) => pulje.name === group.pulje);
  const herIDs = [group.parties[0].herID];
  const wishes = [];
  if (["MIG-411", "MIG-413"].includes(group.wait)) {
    wishes.push({
      name: "resume-party", title: () => say("act.resumeparty"), means: () => say("act.resumeparty.means", { id: group.id, pulje: group.pulje }),
      body: { verb: "resume", pulje: group.pulje, herIDs },
    });
  }
  if (group.direction === "forward" && !["REMOVED", "WITHDRAWN", "RESTORED"].includes(group.phase)) {
    wishes.push({
      name: "rollback-party", title: () => say("act.rollbackparty"),
      means: () => say("act.rollbackparty.means", { id: group.id, count: number(group.parties.length), pulje: group.pulje, source: pulje?.source ?? "" }),
      confirm: group.pulje, danger: true, body: { verb: "rollback", pulje: group.pulje, herIDs },
    });
  }
  return offered(wishes);
}

// The dialog.

function field(label, input) {
  const made = element("label", label);
  made.append(input);
  fields.append(made);
  return input;
}

function text(label, name) {
  const input = element("input");
  input.type = "text";
  input.name = name;
  input.autocomplete = "off";
  return field(label, input);
}

function open(wish, from) {
  opener = from;
  current = { wish, key: crypto.randomUUID(), seconds: [], isBusy: false };
  document.getElementById("dialog-title").textContent = wish.title();
  const where = document.getElementById("dialog-where");
  where.textContent = say("dialog.where", { environment: environmentText() });
  where.classList.toggle("production", isProduction());
  document.getElementById("dialog-means").textContent = wish.means();
  fields.replaceChildren();
  error.textContent = "";
  submit.textContent = wish.title();
  submit.className = wish.danger ? "danger" : "";
  submit.disabled = false;
  if (wish.plan) {
    const file = element("input");
    file.type = "file";
    file.accept = ".json,application/json";
    current.read = element("p");
    current.file = field(say("dialog.plan"), file);
    fields.append(current.read);
    file.addEventListener("change", () => readPlan(file, current));
    // The same file, written anew, is another choice.
    file.addEventListener("click", () => { file.value = ""; });
  }
  current.why = field(say("dialog.why"), element("textarea"));
  current.why.required = true;
  current.why.rows = 3;
  if (me.login) fields.append(element("p", say("dialog.by", { login: me.login })));
  else current.name = text(say("dialog.byname"), "by");
  askApprovals(current, wish.approvals ?? 1);
  if (wish.confirm) askName(current, wish.confirm);
  fill(dialog);
  document.title = say("title");
  dialog.showModal();
  (current.file ?? current.why).focus();
}

function askApprovals(asked, needed) {
  for (let count = asked.seconds.length; count < needed - 1; count += 1) asked.seconds.push(text(say("dialog.second"), "second"));
}

function askName(asked, word) {
  asked.word = word;
  asked.typed = text(say("dialog.type", { word }), "confirm");
}

async function readPlan(file, asked) {
  asked.plan = null;
  try {
    const answer = JSON.parse(await file.files[0].text());
    if (!answer.plan || !answer.request || answer.request.name !== answer.plan.name) throw new Error();
    asked.plan = answer;
    const parties = answer.plan.groups.reduce((sum, group) => sum + group.members.length, 0);
    asked.read.textContent = say("dialog.planread", { pulje: answer.plan.name, parties: number(parties), hash: answer.hash.slice(0, 12) });
    if (asked.typed) asked.typed.parentElement.remove();
    askName(asked, answer.plan.name);
  } catch {
    asked.read.textContent = say("dialog.planbad");
  }
}

/** What is wrong with what was filled in, and where; nil when nothing is. */
function wrong(asked) {
  if (asked.wish.plan && !asked.plan) return [asked.file, say("dialog.planbad")];
  if (!asked.why.value.trim()) return [asked.why, say("dialog.nowhy")];
  const people = peopleOf(asked);
  const needed = asked.wish.approvals ?? 1;
  if (people.length < needed) return [asked.seconds.find((input) => !input.value.trim()) ?? asked.seconds[0] ?? asked.name, say("dialog.nobody", { count: needed })];
  if (asked.word !== undefined && asked.typed.value.trim() !== asked.word) return [asked.typed, say("dialog.notsame", { word: asked.word })];
  return null;
}

function peopleOf(asked) {
  const names = [me.login ?? asked.name.value.trim(), ...asked.seconds.map((input) => input.value.trim())];
  return [...new Set(names.filter(Boolean))];
}

async function carryOut(asked) {
  const fault = wrong(asked);
  for (const input of fields.querySelectorAll("input, textarea")) input.removeAttribute("aria-invalid");
  if (fault) {
    const [input, words] = fault;
    error.textContent = words;
    input.setAttribute("aria-invalid", "true");
    input.focus();
    return;
  }
  const body = { ...asked.wish.body, by: peopleOf(asked), why: asked.why.value.trim() };
  if (asked.plan) Object.assign(body, { pulje: asked.plan.plan.name, request: asked.plan.request, approvedPlan: asked.plan.plan, planHash: asked.plan.hash });
  asked.isBusy = true;
  submit.disabled = true;
  error.textContent = "";
  tell(say("dialog.working"));
  try {
    await command(body, asked.key);
    if (current === asked) close();
    tell(say("dialog.done", { action: asked.wish.title() }));
  } catch (failure) {
    // Without an answer nobody knows: sent once more under the same key it is done at most once.
    const isAnswered = failure instanceof Trouble && failure.status >= 400;
    error.textContent = say(isAnswered ? "dialog.failed" : "dialog.unknown", { text: failure.message });
    tell(error.textContent);
    if (isAnswered) asked.key = crypto.randomUUID();
  } finally {
    asked.isBusy = false;
    submit.disabled = false;
  }
}

function close() {
  current = null;
  dialog.close();
}

dialog.addEventListener("close", () => {
  current = null;
  // What was pressed may have been drawn anew meanwhile.
  if (opener?.isConnected) opener.focus();
  else document.getElementById("needs").focus();
});
document.getElementById("dialog-cancel").addEventListener("click", close);
document.getElementById("dialog-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (current?.take) current.take();
  else if (current && !current.isBusy) carryOut(current);
});

/** Asks for the token, once; comes back when one was given. */
export function askToken() {
  if (current?.take) return current.asked;
  if (dialog.open) dialog.close();
  opener = null;
  const asked = new Promise((given) => {
    document.getElementById("dialog-title").textContent = say("token.title");
    document.getElementById("dialog-where").textContent = location.host;
    document.getElementById("dialog-means").textContent = say("token.means");
    fields.replaceChildren();
    error.textContent = "";
    submit.textContent = say("token.use");
    submit.className = "";
    submit.disabled = false;
    const input = element("input");
    input.type = "password";
    input.autocomplete = "off";
    field(say("token.label"), input);
    current = { take: () => { if (input.value.trim()) { const token = input.value.trim(); close(); given(token); } } };
    fill(dialog);
    dialog.showModal();
    input.focus();
  });
  if (current) current.asked = asked;
  return asked;
}

export function roleText() {
  if (me.isRescue) return say("role.rescue");
  return me.roles.map((role) => sayOf("role", role)).join(", ");
}
