// A picture, or what the camera sees, goes to the server; boxes with names come back.

import { ask } from "./server.js";

const LARGEST = 1280; // px, width of a camera's picture that is sent
const PAUSE = 150; // ms between two pictures of the camera

const at = (id) => document.getElementById(id);
const percent = (rate) => `${+(100 * rate).toPrecision(3)} %`;
let last = null; // the picture that is shown, to be asked about again
let camera = null; // its stream while it runs
let turn = 0; // counts questions: an answer that comes too late is not shown

function complain(error) {
  at("trouble").textContent = error ? error.message : "";
  at("trouble").hidden = !error;
}

async function about() {
  const told = await ask("about");
  at("release").textContent = told.release;
  at("known").textContent = `${told.people} people, ${told.photos} photos` + (told.quality ? `, quality: ${told.quality}` : "");
  at("fpir").replaceChildren(...told.rates.map((rate) => new Option(percent(rate), rate, false, rate === told.usual)));
  if (!told.rates.length) throw new Error("The release's calibration resolves no rate for so many people");
}

async function identify(picture) {
  const mine = ++turn;
  at("found").textContent = camera ? at("found").textContent : "Looking";
  let answer = null, trouble = null;
  try {
    answer = await ask(`identify?fpir=${at("fpir").value}`, picture);
  } catch (error) {
    trouble = error;
  }
  if (mine !== turn) return;
  complain(trouble);
  show(answer ?? { faces: [], width: 1, height: 1, threshold: null });
  if (trouble) at("found").textContent = "No answer";
}

function show(answer) {
  const { faces, threshold } = answer;
  at("found").textContent = faces.length === 1 ? "1 face" : faces.length ? `${faces.length} faces` : "No face was found";
  at("boxes").replaceChildren(...faces.map((face, index) => box(face, index, answer)));
  at("faces").replaceChildren(...faces.map((face, index) => card(face, index, threshold)));
  at("threshold").textContent = threshold ? told(threshold) : "";
}

function told({ score, fpir, interval, people, measured }) {
  const range = interval.map(percent).join(" to ");
  return `A score of ${score.toFixed(3)} or more is a match: among ${people} people, ${percent(fpir)} of strangers are taken for `
    + `somebody (95 %: ${range})${measured ? "" : "; for so many people by the rule, not measured"}.`;
}

function box(face, index, { width, height }) {
  const [left, top, wide, high] = face.box;
  const made = document.createElement("button");
  const name = document.createElement("span");
  name.textContent = face.name ?? "don't know";
  made.type = "button";
  made.classList.toggle("known", face.name !== null);
  made.classList.toggle("right", left + wide / 2 > 0.8 * width);
  made.classList.toggle("low", top < 0.08 * height);
  const place = { left: left / width, top: top / height, width: wide / width, height: high / height };
  for (const [side, share] of Object.entries(place)) made.style[side] = `${100 * share}%`;
  made.append(name);
  made.addEventListener("click", () => choose(index));
  return made;
}

function card(face, index, threshold) {
  const made = at("face").content.firstElementChild.cloneNode(true);
  const part = (kind) => made.querySelector(kind);
  made.classList.toggle("known", face.name !== null);
  part(".crop").src = face.picture;
  part(".crop").alt = `Face ${index + 1}`;
  part(".who").textContent = face.name ?? "don't know";
  const quality = face.quality === null ? "" : `, quality ${face.quality.toPrecision(3)}`;
  part(".facts").textContent = `score ${face.score.toFixed(3)}${quality}, ${face.box[2]} x ${face.box[3]} px`;
  part(".nearest").replaceChildren(...face.nearest.map((near) => nearest(near, threshold)));
  return made;
}

function nearest({ name, score, picture }, threshold) {
  const made = document.createElement("li");
  const image = new Image();
  const who = document.createElement("b");
  image.src = picture;
  image.alt = "";
  who.textContent = name;
  made.title = name;
  made.classList.toggle("match", score >= threshold.score);
  made.append(image, who, score.toFixed(3));
  return made;
}

function choose(index) {
  for (const list of [at("boxes"), at("faces")]) {
    [...list.children].forEach((child, number) => child.classList.toggle("chosen", number === index));
  }
  at("faces").children[index].scrollIntoView({ block: "nearest" });
}

function open(file) {
  stop();
  last = file;
  if (at("picture").src) URL.revokeObjectURL(at("picture").src);
  at("picture").src = URL.createObjectURL(file);
  reveal("picture");
  identify(file);
}

function reveal(what) {
  at("invitation").hidden = true;
  at("view").hidden = false;
  for (const id of ["picture", "video"]) at(id).hidden = id !== what;
  at("boxes").replaceChildren();
}

async function start() {
  try {
    camera = await navigator.mediaDevices.getUserMedia({ video: { width: LARGEST }, audio: false });
  } catch (error) {
    complain(new Error(`The camera cannot be used: ${error.message}`));
    return;
  }
  last = null;
  at("camera").textContent = "Stop the camera";
  at("camera").setAttribute("aria-pressed", "true");
  at("video").srcObject = camera;
  await at("video").play();
  reveal("video");
  const mine = camera;
  while (camera === mine) {
    await identify(await snapshot());
    await new Promise((done) => setTimeout(done, PAUSE));
  }
}

function snapshot() {
  const video = at("video"), canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d").drawImage(video, 0, 0);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.95));
}

function stop() {
  if (!camera) return;
  for (const track of camera.getTracks()) track.stop();
  camera = null;
  turn += 1;
  at("camera").textContent = "Use the camera";
  at("camera").setAttribute("aria-pressed", "false");
}

at("file").addEventListener("change", () => { if (at("file").files[0]) open(at("file").files[0]); at("file").value = ""; });
at("camera").addEventListener("click", () => (camera ? stop() : start()));
at("fpir").addEventListener("change", () => { if (last) identify(last); });
for (const kind of ["dragover", "dragleave", "drop"]) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    at("stage").classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files[0]) open(event.dataTransfer.files[0]);
  });
}
about().catch(complain);
