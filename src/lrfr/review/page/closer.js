// One face closer: its source photo, and the note on it.

import { Refused, picture } from "./server.js";
import { at } from "./notices.js";

const HOVER = 150; // ms that the mouse must rest on a face
let timer = 0;

export const photoIsShown = () => !at("photo").hidden;

/** Shows the surroundings of a face in its photo; of a face under the mouse, once the mouse rests there. */
export function showPhoto(face, place, photos, hovered = false) {
  clearTimeout(timer);
  if (photoIsShown()) timer = setTimeout(() => fetchPhoto(face, place, photos), hovered ? HOVER : 0);
}

async function fetchPhoto(face, place, photos) {
  const panel = at("photo"), [image, text] = panel.children;
  panel.dataset.face = face.face_id;
  if (!image.src) text.textContent = "Fetching the photo …";
  let source = null, words = `Photo ${face.photo_id}: the box is face ${place + 1}`;
  if (!photos) words = "There are no source photos: the source brought its faces already cut.";
  else {
    try {
      source = await picture(`photos/${encodeURIComponent(face.face_id)}`);
    } catch (error) {
      words = error instanceof Refused ? error.message.split("\n")[0] : "The server does not answer.";
    }
  }
  if (panel.dataset.face !== face.face_id) return; // the focus has moved on meanwhile
  URL.revokeObjectURL(image.src);
  image.hidden = !source;
  if (source) image.src = source;
  image.alt = source ? `The surroundings of face ${place + 1} in its photo` : "";
  text.textContent = words;
}

/** Asks for a note; `keep` gets it, `done` comes after either way. */
export function askNote(note, keep, done) {
  at("note-text").value = note;
  ask(at("note"), (kept) => {
    if (kept) keep(at("note-text").value.trim());
    done();
  });
}

/** Asks whose face it is; `keep` gets the name, no text where it is to be taken back, `done` comes after either way. */
export function askName(name, keep, done) {
  at("name-text").value = name;
  ask(at("name"), (kept) => {
    if (kept) keep(at("name-text").value.trim().replace(/\s+/g, " ").normalize("NFC"));
    done(kept);
  });
  at("name-text").select();
}

/** Shows a dialog and says at once how it was left; its `close` event may come later than the keys that follow. */
function ask(dialog, answered) {
  const leave = (event, kept) => {
    event.preventDefault();
    dialog.close(); // gives the focus back
    answered(kept);
  };
  dialog.querySelector("form").onsubmit = (event) => leave(event, event.submitter.value === "keep");
  dialog.oncancel = (event) => leave(event, false);
  dialog.showModal();
}
