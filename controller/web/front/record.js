// Record in the page, or choose a file; it goes up in pieces that go on after a cut. Without this file a small
// file goes up with the form.

import { given } from "./_focus.js";

const form = document.getElementById("recording");
const recorder = document.getElementById("recorder");
const heard = document.getElementById("recorded");
const RETRY_MS = 2000;
const MOST_TRIES = 40;
const TYPES = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];
document.documentElement.classList.add("scripted");

let running = null;
let spoken = null;

function complain(sentence) {
  const note = document.getElementById("upload-wrong");
  note.textContent = sentence;
  note.hidden = !sentence;
  if (sentence) note.scrollIntoView({ block: "center" });
}

function state(sentence, share) {
  const line = document.getElementById("upload-state");
  line.hidden = !sentence;
  line.lastElementChild.textContent = sentence;
  const bar = document.getElementById("upload-progress");
  bar.hidden = share === undefined;
  if (share !== undefined) bar.value = share;
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

async function begin() {
  complain("");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch (wrong) {
    complain(wrong.name === "NotAllowedError" ? form.dataset.denied : form.dataset.absent);
    return;
  }
  const kind = TYPES.find((each) => MediaRecorder.isTypeSupported(each));
  const machine = new MediaRecorder(stream, kind ? { mimeType: kind, audioBitsPerSecond: 64000 } : {});
  const pieces = [];
  const since = performance.now();
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const look = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    document.getElementById("level").value = Math.min(1, samples.reduce((most, each) => Math.max(most, Math.abs(each)), 0));
    const seconds = (performance.now() - since) / 1000;
    document.getElementById("length").textContent = clock(seconds);
    if (seconds >= Number(form.dataset.most)) machine.stop();
  }, 100);
  machine.addEventListener("dataavailable", (event) => { if (event.data.size) pieces.push(event.data); });
  machine.addEventListener("stop", () => {
    clearInterval(look);
    for (const track of stream.getTracks()) track.stop();
    context.close();
    const ending = machine.mimeType.includes("mp4") ? "m4a" : machine.mimeType.includes("ogg") ? "ogg" : "webm";
    spoken = new File(pieces, `${form.elements.title.value.trim() || form.dataset.name || "ghi-am"}.${ending}`, { type: machine.mimeType });
    if (heard.src) URL.revokeObjectURL(heard.src);
    heard.src = URL.createObjectURL(spoken);
    heard.hidden = false;
    document.getElementById("file").value = "";
    document.getElementById("level").value = 0;
    recorder.dataset.state = "done";
    running = null;
  });
  machine.start(1000);
  running = machine;
  recorder.dataset.state = "on";
}

async function told(answer) {
  if (answer.status === 401 || answer.redirected) { location.reload(); throw new Error("signed out"); }
  const facts = await answer.json().catch(() => ({}));
  if (facts.wrong) throw new Refusal(facts.wrong);
  return facts;
}

class Refusal extends Error {}

function ask(where, body, more = {}) {
  const headers = { "X-Live": "1", "X-CSRFToken": form.elements.csrf_token.value, ...more };
  return fetch(where, { method: "POST", body, headers });
}

async function patiently(act) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await act();
    } catch (wrong) {
      if (wrong instanceof Refusal || tries >= MOST_TRIES) throw wrong;
      state(form.dataset.offline);
      await new Promise((done) => setTimeout(done, RETRY_MS));
    }
  }
}

async function send(file) {
  const { pieces, piece_bytes: most } = await patiently(async () => told(await ask(form.dataset.begin, new URLSearchParams({ size: file.size }))));
  let come = 0;
  while (come < file.size) {
    state(form.dataset.sent, come / file.size);
    const piece = file.slice(come, come + most);
    come = await patiently(async () => (await told(await ask(`${pieces}?tu=${come}`, piece, { "Content-Type": "application/octet-stream" }))).size);
  }
  state(form.dataset.admitting);
  const about = new URLSearchParams({ name: file.name, title: form.elements.title.value, language: form.elements.language.value });
  const { page } = await told(await ask(`${pieces}/xong`, about));
  location.assign(page);
}

document.getElementById("record").addEventListener("click", () => { running ? running.stop() : begin(); });
document.getElementById("file").addEventListener("change", () => {
  spoken = null;
  heard.hidden = true;
  recorder.dataset.state = "idle";
});
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  complain("");
  const file = document.getElementById("file").files[0] ?? spoken;
  if (running || !file) { complain(form.dataset.noSound); return; }
  const button = document.getElementById("upload");
  button.disabled = true;
  try {
    await send(file);
  } catch (wrong) {
    complain(wrong instanceof Refusal ? wrong.message : form.dataset.offline);
  } finally {
    given(button);
    state("");
  }
});
if (!navigator.mediaDevices || !window.MediaRecorder) document.querySelector(".recording .only-with-script").remove();
