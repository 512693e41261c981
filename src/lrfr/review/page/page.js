// The labeller's way through the sheets: mark what is wrong, save, take back.

import { askName, askNote, photoIsShown, showPhoto } from "./closer.js";
import { WORDS, clear, described, inFocus, layOut, look, prepare, refresh, show } from "./grid.js";
import { bind } from "./keys.js";
import { begin, lastName, nameOf, useName } from "./names.js";
import { at, count, saved, say, showProgress, trouble, waiting } from "./notices.js";
import { Refused, ask, peek } from "./server.js";

const TOO_SOON = 300; // ms in which nobody can have looked at a sheet: a second Enter is a slip
const WRONG_IDENTITY = "wrong identity";
// Of faces and of pairs: what most are, what a click marks, and what the page says of them
const SHOWN = {
  faces: {
    usual: "face", wrong: "not_face", one: "face", keys: "F, X, R or S", done: "Every face has a verdict",
    asks: "Mark what is not a recognizable face. Enter saves the sheet: the others are faces.",
    adjudicates: "Labellers disagree on these faces or are unsure. Decide each of them; Enter saves the sheet.",
    help: "Most faces are right: mark the wrong ones, and Enter says of all the others that they are faces. An adjudicator decides each face.",
  },
  pairs: {
    usual: "copy", wrong: "different", one: "pair", keys: "F, X or S", done: "Every pair has a verdict",
    asks: "Are both faces cut from one picture? Mark the pairs that show different pictures. Enter saves the sheet: the others are copies.",
    adjudicates: "Labellers disagree on these pairs or are unsure. Decide each of them; Enter saves the sheet.",
    help: "The left face of a pair is excluded: it was taken for the same picture as the right one, cut or compressed in another way. Mark the pairs that are different pictures, and Enter says of all the others that they are copies.",
  },
};

let session, shown, progress, sheet = null;
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
    face.mark = face.verdict ?? (session.adjudicates ? null : shown.usual);
    face.noteOnDisk = face.note;
    face.nameOnDisk = face.name;
  }
  at("end").hidden = true;
  at("question").hidden = false;
  at("names").hidden = !at("names").childElementCount;
  at("title").textContent = `Sheet ${index + 1} of ${session.sheets}`;
  const onDisk = sheet.faces.filter((face) => face.verdict).length;
  if (onDisk === sheet.faces.length) saved("This sheet is saved", true);
  else saved(onDisk ? `${onDisk} of ${sheet.faces.length} saved` : "This sheet is not saved yet", false);
  show(sheet.faces, heard);
  look(session.adjudicates ? Math.max(0, sheet.faces.findIndex(isUndecided)) : 0);
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
  at("names").hidden = true;
  const words = Object.entries(progress.verdicts).map(([verdict, number]) => `${WORDS[verdict]} ${count(number)}`);
  at("end-title").textContent = shown.done;
  const named = progress.named ? ` ${count(progress.named)} have a name, in ${session.names}.` : "";
  at("end-summary").textContent = `${count(progress.faces)} ${session.shows}: ${words.join(", ")}. They are in ${session.file}.${named}`;
  at("question").hidden = true;
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
  const undecided = sheet.faces.findIndex(isUndecided);
  if (undecided >= 0) {
    trouble(sheet.faces[undecided].mark
      ? "Labellers gave this face several names: I names it, S leaves it undecided."
      : `Each ${shown.one} needs a decision before the sheet can be saved: ${shown.keys}.`);
    look(undecided);
    return;
  }
  const { faces, sheet: index } = sheet;
  saved("Saving …", false);
  const verdicts = faces.map(({ face_id, mark, note, seen, name, name_seen }) => ({ face_id, verdict: mark, note, seen, ...naming(name, name_seen) }));
  const answer = await send(index, verdicts, meetElsewhere);
  if (!answer) return;
  const before = faces.map((face, place) => ({
    face_id: face.face_id, verdict: face.verdict, note: face.verdict ? face.noteOnDisk : "", seen: answer.faces[place].seen,
    ...naming(face.nameOnDisk, answer.faces[place].name_seen),
  }));
  saves.push({ index, before, marks: faces.map(({ mark, note, name }) => ({ mark, note, name })) });
  const news = `Sheet ${index + 1} saved: ${faces.length} ${session.shows}, ${faces.filter((face) => face.mark !== shown.usual).length} marked`;
  if (answer.next === null) end();
  else await open(answer.next);
  saved(news, true);
  say(sheet ? `${news}. Now sheet ${sheet.sheet + 1} of ${session.sheets}.` : `${news}. ${shown.done}.`);
}

/** Shows what another window has saved meanwhile, to be looked at before anything is saved over it. */
function meetElsewhere(states) {
  const known = new Map(states.map((state) => [state.face_id, state]));
  const places = sheet.faces.flatMap((face, place) => (known.has(face.face_id) ? [place] : []));
  for (const place of places) {
    const face = sheet.faces[place], state = known.get(face.face_id);
    Object.assign(face, state, { mark: state.verdict ?? face.mark, noteOnDisk: state.note, nameOnDisk: state.name, elsewhere: true });
    refresh(place);
  }
  trouble(`Not saved: ${states.length} of these ${session.shows} were judged in another window meanwhile. They now show what was said there; look again, then press Enter.`);
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

function change(place, { mark, note, name }) {
  Object.assign(sheet.faces[place], { mark, note, name });
  refresh(place);
  if (place === inFocus()) at("focus").textContent = described(sheet.faces[place], place);
}

function mark(verdict, note = "") {
  const place = inFocus(), face = sheet.faces[place];
  const again = face.mark === verdict && (face.note === note || !note);
  const name = verdict === "not_face" && !again ? "" : face.name; // what is no face is nobody's
  const plain = { mark: session.adjudicates ? null : shown.usual, note: "", name };
  remember(place);
  change(place, again ? plain : { mark: verdict, note: note || (face.note === WRONG_IDENTITY ? "" : face.note), name });
  trouble(null);
  say(face.mark ? `${WORDS[face.mark]}${face.note ? `, ${face.note}` : ""}` : "not decided");
  if (session.adjudicates && face.mark) look(place + 1);
}

function writeNote() {
  const place = inFocus(), face = sheet.faces[place];
  const keep = (note) => {
    remember(place);
    change(place, { mark: face.mark, note, name: face.name });
  };
  askNote(face.note, keep, () => look(place));
}

/** The sheet as it is, to be taken back to. */
function remember(place) {
  const { mark, note, name } = sheet.faces[place];
  marks.push({ place, mark, note, name });
}

/** Whether an adjudicator has not yet said what there is to say. */
const isUndecided = (face) => !face.mark || (face.unnamed && face.mark === shown.usual && !face.name);

/** What is saved of a name; a pair has none. */
const naming = (name, seen) => (session.shows === "faces" ? { name, name_seen: seen } : {});

/** Names the face in focus and goes on to the next; without text the name is taken away. */
function give(name) {
  if (busy || !sheet) return;
  const place = inFocus(), face = sheet.faces[place];
  remember(place);
  const note = face.note === WRONG_IDENTITY ? "" : face.note;
  change(place, { mark: name ? shown.usual : face.mark, note, name });
  trouble(null);
  const height = at("names").offsetHeight;
  if (name) useName(name, give);
  if (at("names").offsetHeight !== height) layOut(); // the names take room from the sheet
  say(name ? `named ${name}` : "no name");
  look(place + 1);
}

function giveLast() {
  const name = lastName();
  if (name) give(name);
  else say("No name was given yet: I asks for one");
}

function giveByDigit(digit) {
  const name = nameOf(Number(digit));
  if (name) give(name);
  else say(`No name has the key ${digit} yet: I asks for one`);
}

function writeName() {
  const place = inFocus();
  askName(sheet.faces[place].name ?? "", give, (kept) => { if (!kept) look(place); });
}

function heard(what, place) {
  if (what === "click") {
    look(place);
    if (!busy) mark(shown.wrong);
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

const NAMING = [
  { keys: ["i"], word: "name", help: "say whose face it is; with no text the name is taken away", run: writeName },
  { keys: ["a"], word: "same name", help: "name the face as the one that was named last", run: giveLast },
  { keys: [..."123456789"], help: "the name that has this key: those given last stand above the keys", run: giveByDigit },
];
const ANY = [
  { keys: ["n"], word: "note", help: "write a note", run: writeNote },
  { keys: ["z"], word: "undo", help: "take back the last mark; without one, the last sheet that was saved", run: undo, always: true },
  { keys: ["b", "PageUp"], word: "earlier", help: "the sheet before", run: () => turn(-1), always: true },
  { keys: ["v", "PageDown"], word: "later", help: "the sheet after", run: () => turn(1) },
  { keys: ["?"], word: "keys", help: "this help", run: showHelp, always: true },
];
const ACTIONS = {
  faces: [
    { keys: ["Enter"], word: "save sheet", help: "save the sheet: what is not marked is a face", run: save },
    { keys: ["x", " "], word: "not a face", help: "mark the face in focus as no face, as a click does; again: take the mark off", run: () => mark("not_face") },
    { keys: ["r"], word: "unrecognizable", help: "a face that nobody could recognize", run: () => mark("unrecognizable") },
    { keys: ["s"], word: "unsure", help: "leave it to the adjudicator", run: () => mark("unsure") },
    { keys: ["w"], word: "wrong identity", help: "a face, but not of the identity that it is named: unsure, with this as the note", run: () => mark("unsure", WRONG_IDENTITY) },
    { keys: ["f"], word: "face", help: "a face after all", run: () => mark("face") },
    ...NAMING,
    { keys: ["p"], word: "photo", help: "show or hide the source photo around the face in focus or under the mouse", run: togglePhoto },
    ...ANY,
  ],
  pairs: [
    { keys: ["Enter"], word: "save sheet", help: "save the sheet: what is not marked is one picture twice", run: save },
    { keys: ["x", " "], word: "different pictures", help: "mark the pair in focus as different pictures, as a click does; again: take the mark off", run: () => mark("different") },
    { keys: ["s"], word: "unsure", help: "leave it to the adjudicator", run: () => mark("unsure") },
    { keys: ["f"], word: "one picture", help: "one picture after all", run: () => mark("copy") },
    ...ANY,
  ],
};

/** The help begins at its top, where nothing in it has the focus. */
function showHelp() {
  at("help").showModal();
  at("help").focus();
  at("help").scrollTop = 0;
}

function act(action, key) {
  if (busy) say("Wait: it is being saved");
  else if (sheet || action.always) action.run(key);
  if (sheet && document.activeElement?.closest("#keys, #names")) look(inFocus()); // a clicked button gives the focus back
}

async function start() {
  addEventListener("beforeunload", (event) => { if (marks.length || (busy && sheet)) event.preventDefault(); });
  session = await ask("session", null, waiting("Not here yet"));
  progress = session.progress;
  shown = SHOWN[session.shows];
  prepare(session.shows, shown.usual);
  bind(ACTIONS[session.shows], act, (place) => { if (sheet) look(place); });
  if (session.shows === "faces") begin(session.recent_names, session.vocabulary, give);
  at("help-text").textContent = shown.help;
  at("unit").textContent = `${session.shows} an hour`;
  document.title = `${session.labeller} · lrfr review`;
  at("who").textContent = session.adjudicates ? `${session.labeller}, adjudicating` : session.labeller;
  at("question").textContent = session.adjudicates ? shown.adjudicates : shown.asks;
  showProgress(progress);
  if (session.next === null) end();
  else await open(session.next);
}

start();
