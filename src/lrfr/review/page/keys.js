// The keyboard, and the same actions as buttons and in the help.

import { at } from "./notices.js";
import { inFocus, perRow } from "./grid.js";

const MOVES = {
  ArrowLeft: () => -1, h: () => -1, ArrowRight: () => 1, l: () => 1,
  ArrowUp: () => -perRow(), k: () => -perRow(), ArrowDown: () => perRow(), j: () => perRow(),
  Home: () => -Infinity, End: () => Infinity,
};
const NAMES = { " ": "Space", PageUp: "Page up", PageDown: "Page down", ArrowLeft: "←", ArrowDown: "↓", ArrowUp: "↑", ArrowRight: "→" };
const MOVING = [["ArrowLeft", "ArrowDown", "ArrowUp", "ArrowRight", "h", "j", "k", "l"], "move the focus"];
const ENDS = [["Home", "End"], "the first and the last on the sheet"];

function keycap(key) {
  const made = document.createElement("kbd");
  made.textContent = NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key);
  return made;
}

function helpRow(keys, help) {
  const row = at("help").querySelector("tbody").insertRow();
  row.insertCell().append(...keys.flatMap((key, place) => (place ? [" ", keycap(key)] : [keycap(key)])));
  row.insertCell().textContent = help;
}

/**
 * Binds keys and makes buttons.
 * `actions`: of each its keys, a word for its button if it has one, a help and what it does; `run(action, key)` does it;
 * `move(place)` moves the focus, where `move` gives the face, the last one for Infinity.
 */
export function bind(actions, run, move) {
  for (const action of actions) {
    helpRow(action.keys, action.help);
    if (!action.word) continue; // its buttons are elsewhere
    const button = document.createElement("button");
    button.append(keycap(action.keys[0]), ` ${action.word}`);
    button.setAttribute("aria-keyshortcuts", action.keys.map((key) => NAMES[key] === "Space" ? "Space" : key).join(" "));
    button.addEventListener("click", () => run(action, action.keys[0]));
    at("keys").append(button);
  }
  helpRow(...MOVING);
  helpRow(...ENDS);
  addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || event.altKey || event.metaKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey && key !== "z") return;
    if (event.target.closest("button") && (key === "Enter" || key === " ")) return; // the button's own
    const action = actions.find((one) => one.keys.includes(key));
    if (!action && !MOVES[key]) return;
    event.preventDefault();
    if (!action) move(inFocus() + MOVES[key]());
    else if (!event.repeat) run(action, key); // a key held down must not save sheet after sheet
  });
}
