// The names that people give: typed once, then given by a digit, or again by the key for the same name.

import { at } from "./notices.js";

const DIGITS = 9;
let given = []; // the name of each digit, from 1; a name keeps its digit while it is in use
let used = []; // the same names, the one that was used last at the end

/** Begins with the names that were given last, and with all that are in use, which are suggested. */
export function begin(recent, vocabulary, give) {
  given = [...recent];
  used = [...recent].reverse();
  at("known-names").replaceChildren(...[...new Set([...recent, ...vocabulary])].map(option));
  showNames(give);
}

export const lastName = () => used.at(-1) ?? null;
export const nameOf = (digit) => given[digit - 1] ?? null;

/** A name was given: it gets a digit if it has none, that of the name which was not used for longest if need be. */
export function useName(name, give) {
  if (!given.includes(name)) {
    if (given.length < DIGITS) given.push(name);
    else given[given.indexOf(used.find((one) => given.includes(one)))] = name;
    if (![...at("known-names").options].some((one) => one.value === name)) at("known-names").append(option(name));
  }
  used = [...used.filter((one) => one !== name && given.includes(one)), name];
  showNames(give);
}

function option(name) {
  const made = document.createElement("option");
  made.value = name;
  return made;
}

function showNames(give) {
  const buttons = given.map((name, place) => {
    const button = document.createElement("button"), key = document.createElement("kbd");
    key.textContent = place + 1;
    button.append(key, ` ${name}`);
    button.title = name;
    button.setAttribute("aria-keyshortcuts", place + 1);
    button.addEventListener("click", () => give(name));
    return button;
  });
  at("names").replaceChildren(...buttons);
  at("names").hidden = !given.length;
}
