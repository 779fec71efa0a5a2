// Sentences and words are heard in place: a tap plays, another tap stops, one sound at a time.
// Without this file each is a link to its sound.

const sound = new Audio();
let held = null;

function mark(state) {
  if (!held) return;
  held.dataset.state = state;
  held.closest("li, tr")?.classList.toggle("sounding", state !== "");
}

function stop() {
  sound.pause();
  mark("");
  held = null;
}

function say(sentence) {
  const note = document.getElementById("sample-wrong");
  if (!note) return;
  note.textContent = sentence;
  note.hidden = !sentence;
}

function failed() {
  return document.getElementById("sample-wrong")?.dataset.failed ?? "";
}

async function why(link) {
  try {
    const answer = await fetch(link.href, { headers: { "X-Live": "1" } });
    if (answer.status === 401) { location.reload(); return; }
    const kind = answer.headers.get("Content-Type") || "";
    say(kind.startsWith("text/plain") ? await answer.text() : failed());
  } catch {
    say(failed());
  }
}

function play(link) {
  stop();
  say("");
  for (const other of document.querySelectorAll("audio")) other.pause();
  held = link;
  mark("busy");
  sound.src = link.href;
  sound.play().catch((wrong) => {
    if (held !== link || wrong.name === "AbortError") return;
    stop();
    why(link);
  });
}

sound.addEventListener("playing", () => mark("playing"));
sound.addEventListener("ended", stop);
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-play]");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  if (held === link) stop();
  else play(link);
});
document.addEventListener("play", stop, true); // a whole recording was started
