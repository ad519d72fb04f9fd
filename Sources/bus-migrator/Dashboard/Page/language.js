// SPDX-License-Identifier: Apache-2.0
// What is said, in the reader's language. Everything comes out of one table; whatever is put in goes onto the page as text, never as markup.
import words from "./words.js";

const norwegian = /^(nb|nn|no|da|sv)\b/i;

function first() {
  const asked = new URLSearchParams(location.search).get("lang") || sessionStorage.getItem("language");
  if (asked === "nb" || asked === "en") return asked;
  // The browser's own list is what it sends as Accept-Language.
  for (const language of navigator.languages) {
    if (norwegian.test(language)) return "nb";
    if (/^en\b/i.test(language)) return "en";
  }
  return "en";
}

export let language = first();

export function turnTo(other) {
  language = other;
  sessionStorage.setItem("language", other);
}

/** The text of `key` with its values; a key that is not in the table is shown as it is. */
export function say(key, values = {}) {
  const text = Object.hasOwn(words, key) ? words[key][language] : key;
  return text.replace(/\{([a-z]+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? String(values[name]) : whole));
}

/** The text of a member of a family ("phase", "code"): by its own name where the table has none, since a newer daemon may know more. */
export function sayOf(family, name) {
  const key = `${family}.${name}`;
  return Object.hasOwn(words, key) ? words[key][language] : String(name);
}

const locales = { nb: "nb-NO", en: "en-GB" };

/** Writers of times and numbers: to make one takes longer than to use it a hundred times. */
const writers = new Map();
function writer(name, make) {
  const key = `${language} ${name}`;
  if (!writers.has(key)) writers.set(key, make(locales[language]));
  return writers.get(key);
}

const ofToday = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
const ofAnyDay = { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" };

/** A time: the hour when it is today, else the date as well. */
export function time(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return "–";
  const isToday = new Date(milliseconds).toDateString() === new Date().toDateString();
  return writer(isToday ? "time" : "day", (locale) => new Intl.DateTimeFormat(locale, isToday ? ofToday : ofAnyDay)).format(milliseconds);
}

export function number(value) {
  return value === null || value === undefined ? say("board.notknown") : writer("number", (locale) => new Intl.NumberFormat(locale)).format(value);
}

/** Writes the words of all elements that name one. */
export function fill(root) {
  document.documentElement.lang = language;
  document.title = say("title");
  for (const element of root.querySelectorAll("[data-word]")) element.textContent = say(element.dataset.word);
  for (const element of root.querySelectorAll("[data-word-label]")) element.setAttribute("aria-label", say(element.dataset.wordLabel));
}
