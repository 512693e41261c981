// The sheet of faces: a grid of as many columns as make the faces largest, one face in focus.

export const WORDS = { face: "face", not_face: "not a face", unrecognizable: "unrecognizable", unsure: "unsure", copy: "one picture", different: "different pictures" };
const SIGNS = { face: "✓", not_face: "✕", unrecognizable: "≈", unsure: "?", copy: "✓", different: "✕" };
const CAPTION = 22, OPINION = 17; // px below a face: its caption, and a line for each labeller
const LEAST = 92, MOST = 190; // px, the side of a picture
const GAP = 6; // px between two

const grid = document.getElementById("grid");
let faces = [], tiles = [], columns = 1, focused = 0, told = () => {};
let usual = "face", abreast = 1; // what most are called; pictures side by side in a tile

/** Prepares the grid for faces or pairs; `word` is what most of them are called. */
export function prepare(shows, word) {
  usual = word;
  abreast = shows === "pairs" ? 2 : 1;
  grid.style.setProperty("--abreast", abreast);
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

/** Whether a face is what most are, said by nobody in particular: no mark is on it. */
const isPlain = (face) => face.mark === usual && !face.said.length;

/** What an adjudicator is told that a labeller said. */
function opinion(said) {
  const words = said.verdict ? [WORDS[said.verdict]] : [];
  if (said.name) words.push(said.name);
  return `${words.join(" · ") || "nothing"}${said.note ? ` (${said.note})` : ""}`;
}

/** What is known of a face, or of each face of a pair, in words. */
function facts(face) {
  const parts = [`${face.width} × ${face.height} px`];
  if (face.score !== undefined && face.score !== null) parts.push(`detector ${face.score.toFixed(2)}`);
  if (face.identity !== null) parts.push(`identity ${face.identity}`);
  return parts;
}

const FOLLOWS = { duplicate: "the left one is excluded as a copy", leaked: "the left one is excluded as a leak", two_names: "excluded for their two names" };

function pairFacts(pair) {
  const parts = pair.faces.map((face, side) => `${side ? "right" : "left"} ${facts(face).join(" ")}`);
  if (pair.difference !== null) parts.push(`they differ by ${pair.difference.toFixed(1)} grey levels`);
  if (pair.follows) parts.push(FOLLOWS[pair.follows] ?? pair.follows);
  return parts;
}


/** What a screen reader says of a face, and the line below the sheet shows. */
export function described(face, place) {
  const parts = [`${face.faces ? "pair" : "face"} ${place + 1} of ${faces.length}`, ...(face.faces ? pairFacts(face) : facts(face))];
  if (face.name) parts.push(`named ${face.name}`);
  for (const said of face.said) parts.push(`${said.labeller} said ${opinion(said)}`);
  if (pictures(face).includes(null)) parts.push("the picture cannot be decoded");
  if (isPlain(face)) parts.push("not marked");
  else parts.push(face.mark ? `marked ${WORDS[face.mark]}` : "not decided");
  if (face.note) parts.push(`note: ${face.note}`);
  if (face.elsewhere) parts.push("judged in another window");
  return parts.join(", ");
}

const pictures = (face) => face.images ?? [face.image];

function picture(source) {
  const made = element("div", "picture");
  if (source) {
    const image = element("img", "");
    image.src = source;
    image.alt = "";
    made.append(image);
  } else made.append(element("span", "broken", "cannot be decoded"));
  return made;
}

/** The size of a face, or what a pair is most easily told apart by. */
function size(face) {
  if (!face.faces) return `${face.width}×${face.height}`;
  return face.faces.map((one) => one.identity ?? `${one.width}×${one.height}`).join(" | ");
}

function tile(face, place) {
  const made = element("div", "tile");
  made.setAttribute("role", "gridcell");
  const shown = element("div", "pictures");
  shown.append(...pictures(face).map(picture), element("span", "sign"));
  made.append(shown, element("div", "caption"));
  for (const said of face.said) made.append(element("div", "opinion", `${said.labeller}: ${opinion(said)}`));
  made.addEventListener("click", () => told("click", place));
  made.addEventListener("mouseenter", () => told("hover", place));
  made.addEventListener("focus", () => { if (place !== focused) look(place, false); });
  return made;
}

/** Brings a tile up to date with its face. */
export function refresh(place) {
  const face = faces[place], made = tiles[place];
  made.dataset.mark = face.mark ?? "none";
  made.classList.toggle("elsewhere", Boolean(face.elsewhere));
  made.setAttribute("aria-selected", String(Boolean(face.mark) && face.mark !== usual));
  made.setAttribute("aria-label", described(face, place));
  made.querySelector(".sign").textContent = face.mark && !isPlain(face) ? SIGNS[face.mark] : "";
  const plain = face.name || (face.group ?? size(face));
  const noted = face.mark !== usual && face.mark ? face.note || WORDS[face.mark] : plain;
  made.querySelector(".caption").textContent = face.note && face.mark === usual ? `${plain} · ${face.note}` : noted;
  made.classList.toggle("named", Boolean(face.name));
}

/** Moves the focus to a face; beyond the sheet's ends stay where we are, but for Infinity. */
export function look(place, take = true) {
  const end = Math.max(0, Math.min(faces.length - 1, place));
  tiles[focused]?.setAttribute("tabindex", "-1");
  focused = end === place || Math.abs(place) === Infinity ? end : focused;
  tiles[focused]?.setAttribute("tabindex", "0");
  if (take) tiles[focused]?.focus({ preventScroll: false });
  told("focus", focused);
}

export const inFocus = () => focused;
export const perRow = () => columns;

/** Columns and side of the tiles that fill the room best: the largest for which all faces can be seen at once. */
function fitted() {
  const below = CAPTION + OPINION * Math.max(0, ...faces.map((face) => face.said.length));
  const top = grid.getBoundingClientRect().top + scrollY;
  const room = { width: grid.clientWidth / abreast, height: innerHeight - top - document.querySelector("footer").offsetHeight - GAP };
  let best = { columns: 1, side: 0 };
  for (let count = 1; count <= faces.length; count++) {
    const rows = Math.ceil(faces.length / count);
    const side = Math.floor(Math.min(room.width / count, room.height / rows - below) - GAP);
    if (side > best.side) best = { columns: count, side };
  }
  if (best.side >= LEAST) return { columns: best.columns, side: Math.min(MOST, best.side) };
  const columns = Math.max(1, Math.floor(room.width / (LEAST + GAP))); // it has to be scrolled: only the width is filled
  return { columns, side: Math.min(MOST, Math.floor(room.width / columns) - GAP) };
}

/** Lays the tiles out in rows. */
export function layOut() {
  if (!faces.length) return;
  const fit = fitted();
  columns = fit.columns;
  grid.style.setProperty("--side", `${fit.side}px`);
  const rows = [];
  for (let start = 0; start < tiles.length; start += columns) {
    const row = element("div", "row");
    row.setAttribute("role", "row");
    row.append(...tiles.slice(start, start + columns));
    rows.push(row);
  }
  grid.replaceChildren(...rows);
}

/** Shows a sheet; `listener(what, place)` hears of focus, click and hover. */
export function show(sheet, listener) {
  [faces, told, focused] = [sheet, listener, 0];
  tiles = faces.map(tile);
  let shade = false;
  faces.forEach((face, place) => {
    const begins = place > 0 && face.group !== faces[place - 1].group;
    if (begins) shade = !shade;
    tiles[place].classList.toggle("shaded", shade);
    tiles[place].tabIndex = -1;
    refresh(place);
  });
  layOut();
}

/** Takes the sheet away. */
export function clear() {
  [faces, tiles] = [[], []];
  grid.replaceChildren();
}

let waiting = 0;
addEventListener("resize", () => {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(() => {
    const held = document.activeElement?.closest("#grid") !== null;
    layOut();
    if (held) look(focused);
  });
});
