// What the labeller is told: by a line for the eyes, by a live region for the ears.

export const at = (id) => document.getElementById(id);
export const count = (number) => number.toLocaleString("en");

export const say = (text) => { at("status").textContent = text; };

/** A problem that the labeller must know of; null when there is none. */
export function trouble(text) {
  at("trouble").textContent = text ?? "";
  at("trouble").hidden = !text;
}

/** Whether what is on the screen is on the disk. */
export function saved(text, onDisk) {
  at("saved").textContent = text;
  at("saved").dataset.state = onDisk ? "saved" : "open";
}

const REASONS = {
  away: "the server does not answer. Keep this window open: it tries again every second. If lrfr review has ended, start it again.",
  old: "lrfr review was started anew. Open the address that it printed; this window then goes on by itself.",
};

/** Tells why an answer takes long; `what` is what waits for it. */
export const waiting = (what) => (why) => trouble(why && `${what}: ${REASONS[why]}`);

export function showProgress({ judged, faces, per_hour: rate, seconds_left: seconds }) {
  const bar = at("bar");
  bar.setAttribute("aria-valuemax", faces);
  bar.setAttribute("aria-valuenow", judged);
  bar.setAttribute("aria-valuetext", `${judged} of ${faces}`);
  bar.firstElementChild.style.width = `${(100 * judged) / faces}%`;
  at("judged").textContent = `${count(judged)} of ${count(faces)}`;
  at("rate").textContent = rate ? count(Math.round(rate)) : "–";
  const minutes = Math.ceil((seconds ?? 0) / 60);
  const long = minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  at("left").textContent = seconds === null ? "–" : long;
}
