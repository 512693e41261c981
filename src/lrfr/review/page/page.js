// The labeller's way through the sheets: mark what is wrong, save, take back.

import { askNote, photoIsShown, showPhoto } from "./closer.js";
import { WORDS, clear, described, inFocus, layOut, look, refresh, show } from "./grid.js";
import { bind } from "./keys.js";
import { at, count, saved, say, showProgress, trouble, waiting } from "./notices.js";
import { Refused, ask, peek } from "./server.js";

const TOO_SOON = 300; // ms in which nobody can have looked at a sheet: a second Enter is a slip
const WRONG_IDENTITY = "wrong identity";

let session, progress, sheet = null;
let ahead = null; // the next sheet, fetched while this one is looked at
let busy = true, shownAt = 0;
let marks = []; // of this sheet, to be taken back one by one
const saves = []; // sheets saved in this window, to be taken back one by one

async function open(index) {
  busy = true;
  const ready = ahead?.index === index ? await ahead.answer : null;
  sheet = ready ?? await ask(`sheets/${index}`, null, waiting("The next sheet is not here yet"));
  marks = [];
  for (const face of sheet.faces) {
    face.mark = face.verdict ?? (session.adjudicates ? null : "face");
    face.noteOnDisk = face.note;
  }
  at("end").hidden = true;
  at("title").textContent = `Sheet ${index + 1} of ${session.sheets}`;
  const onDisk = sheet.faces.filter((face) => face.verdict).length;
  if (onDisk === sheet.faces.length) saved("This sheet is saved", true);
  else saved(onDisk ? `${onDisk} of ${sheet.faces.length} saved` : "This sheet is not saved yet", false);
  show(sheet.faces, heard);
  look(session.adjudicates ? Math.max(0, sheet.faces.findIndex((face) => !face.mark)) : 0);
  shownAt = performance.now();
  busy = false;
  ahead = sheet.next === null || sheet.next === index ? null : { index: sheet.next, answer: peek(`sheets/${sheet.next}`) };
}

function end() {
  sheet = null;
  clear();
  at("title").textContent = "Done";
  at("focus").textContent = "";
  at("photo").hidden = true;
  const words = Object.entries(progress.verdicts).map(([verdict, number]) => `${WORDS[verdict]} ${count(number)}`);
  at("end-summary").textContent = `${count(progress.faces)} faces: ${words.join(", ")}. They are in ${session.file}.`;
  at("end").hidden = false;
  at("end").focus();
  saved("All is saved", true);
  busy = false;
}

// --- saving and taking back

/** Sends verdicts; gives the answer, or null after saying why it was refused. */
async function send(index, verdicts, elsewhere) {
  busy = true;
  const body = { labeller: session.labeller, manifest: session.manifest, sheet: index, verdicts };
  try {
    const answer = await ask("verdicts", body, waiting("Not saved yet"));
    progress = answer.progress;
    showProgress(progress);
    return answer;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    saved("Not saved", false);
    if (error.status === 409) await elsewhere(error.answer.elsewhere);
    else trouble(`Not saved: ${error.message}`);
    return null;
  } finally {
    busy = false;
  }
}

async function save() {
  if (performance.now() - shownAt < TOO_SOON) return;
  const undecided = sheet.faces.findIndex((face) => !face.mark);
  if (undecided >= 0) {
    trouble("Each face needs a decision before the sheet can be saved: F, X, R or S.");
    look(undecided);
    return;
  }
  const { faces, sheet: index } = sheet;
  saved("Saving …", false);
  const verdicts = faces.map(({ face_id, mark, note, seen }) => ({ face_id, verdict: mark, note, seen }));
  const answer = await send(index, verdicts, meetElsewhere);
  if (!answer) return;
  const before = faces.map((face, place) => ({
    face_id: face.face_id, verdict: face.verdict, note: face.verdict ? face.noteOnDisk : "", seen: answer.faces[place].seen,
  }));
  saves.push({ index, before, marks: faces.map(({ mark, note }) => ({ mark, note })) });
  const news = `Sheet ${index + 1} saved: ${faces.length} faces, ${faces.filter((face) => face.mark !== "face").length} marked`;
  if (answer.next === null) end();
  else await open(answer.next);
  saved(news, true);
  say(sheet ? `${news}. Now sheet ${sheet.sheet + 1} of ${session.sheets}.` : `${news}. Every face has a verdict.`);
}

/** Shows what another window has saved meanwhile, to be looked at before anything is saved over it. */
function meetElsewhere(states) {
  const known = new Map(states.map((state) => [state.face_id, state]));
  const places = sheet.faces.flatMap((face, place) => (known.has(face.face_id) ? [place] : []));
  for (const place of places) {
    const face = sheet.faces[place], state = known.get(face.face_id);
    Object.assign(face, state, { mark: state.verdict ?? face.mark, noteOnDisk: state.note, elsewhere: true });
    refresh(place);
  }
  trouble(`Not saved: ${states.length} of these faces were judged in another window meanwhile. They now show what was said there; look again, then press Enter.`);
  look(places[0] ?? 0);
}

async function undo() {
  const mark = marks.pop();
  if (mark) {
    change(mark.place, mark);
    look(mark.place);
    say(`Mark taken back: ${described(sheet.faces[mark.place], mark.place)}`);
    return;
  }
  const last = saves.at(-1);
  if (!last) { say("There is nothing to take back"); return; }
  const answer = await send(last.index, last.before, async () => {
    saves.pop();
    await open(last.index);
    trouble("Not taken back: this sheet was judged in another window since. It shows what counts now.");
  });
  if (!answer) return;
  saves.pop();
  ahead = null;
  await open(last.index);
  last.marks.forEach((one, place) => change(place, one));
  saved("Taken back; not saved", false);
  say(`Sheet ${last.index + 1} was taken back; it shows your marks`);
}

async function turn(step) {
  const index = sheet ? sheet.sheet + step : session.sheets - 1;
  if (index < 0 || index >= session.sheets) { say(step < 0 ? "This is the first sheet" : "This is the last sheet"); return; }
  if (marks.length && !confirm("The marks on this sheet are not saved. Leave it?")) return;
  await open(index);
  say(`${at("title").textContent}. ${at("saved").textContent}`);
}

// --- one face

function change(place, { mark, note }) {
  Object.assign(sheet.faces[place], { mark, note });
  refresh(place);
  if (place === inFocus()) at("focus").textContent = described(sheet.faces[place], place);
}

function mark(verdict, note = "") {
  const place = inFocus(), face = sheet.faces[place];
  const again = face.mark === verdict && (face.note === note || !note);
  const plain = { mark: session.adjudicates ? null : "face", note: "" };
  marks.push({ place, mark: face.mark, note: face.note });
  change(place, again ? plain : { mark: verdict, note: note || (face.note === WRONG_IDENTITY ? "" : face.note) });
  trouble(null);
  say(face.mark ? `${WORDS[face.mark]}${face.note ? `, ${face.note}` : ""}` : "not decided");
  if (session.adjudicates && face.mark) look(place + 1);
}

function writeNote() {
  const place = inFocus(), face = sheet.faces[place];
  const keep = (note) => {
    marks.push({ place, mark: face.mark, note: face.note });
    change(place, { mark: face.mark, note });
  };
  askNote(face.note, keep, () => look(place));
}

function heard(what, place) {
  if (what === "click") {
    look(place);
    if (!busy) mark("not_face");
    return;
  }
  if (what === "focus") at("focus").textContent = described(sheet.faces[place], place);
  showPhoto(sheet.faces[place], place, session.photos, what === "hover");
}

function togglePhoto() {
  at("photo").hidden = photoIsShown();
  layOut();
  look(inFocus());
}

const ACTIONS = [
  { keys: ["Enter"], word: "save sheet", help: "save the sheet: what is not marked is a face", run: save },
  { keys: ["x", " "], word: "not a face", help: "mark the face in focus as no face, as a click does; again: take the mark off", run: () => mark("not_face") },
  { keys: ["r"], word: "unrecognizable", help: "a face that nobody could recognize", run: () => mark("unrecognizable") },
  { keys: ["s"], word: "unsure", help: "leave it to the adjudicator", run: () => mark("unsure") },
  { keys: ["w"], word: "wrong identity", help: "a face, but not of the identity that it is named: unsure, with this as the note", run: () => mark("unsure", WRONG_IDENTITY) },
  { keys: ["f"], word: "face", help: "a face after all", run: () => mark("face") },
  { keys: ["n"], word: "note", help: "write a note on the face in focus", run: writeNote },
  { keys: ["p"], word: "photo", help: "show or hide the source photo around the face in focus or under the mouse", run: togglePhoto },
  { keys: ["z"], word: "undo", help: "take back the last mark; without one, the last sheet that was saved", run: undo, always: true },
  { keys: ["b", "PageUp"], word: "earlier", help: "the sheet before", run: () => turn(-1), always: true },
  { keys: ["v", "PageDown"], word: "later", help: "the sheet after", run: () => turn(1) },
  { keys: ["?"], word: "keys", help: "this help", run: () => at("help").showModal(), always: true },
];

function act(action) {
  if (busy) say("Wait: it is being saved");
  else if (sheet || action.always) action.run();
  if (sheet && document.activeElement?.closest("#keys")) look(inFocus()); // a clicked button gives the focus back
}

async function start() {
  bind(ACTIONS, act, (place) => { if (sheet) look(place); });
  addEventListener("beforeunload", (event) => { if (marks.length || (busy && sheet)) event.preventDefault(); });
  session = await ask("session", null, waiting("Not here yet"));
  progress = session.progress;
  document.title = `${session.labeller} · lrfr review`;
  at("who").textContent = session.adjudicates ? `${session.labeller}, adjudicating` : session.labeller;
  at("question").textContent = session.adjudicates
    ? "Labellers disagree on these faces or are unsure. Decide each of them; Enter saves the sheet."
    : "Mark what is not a recognizable face. Enter saves the sheet: the others are faces.";
  showProgress(progress);
  if (session.next === null) end();
  else await open(session.next);
}

start();
