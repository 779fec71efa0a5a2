// The compose page: hear without leaving it, find an area, count what is chosen, send once.
// Everything here also works without this file, by sending the form.

const form = document.getElementById("compose");
const WAIT_MS = 700;
document.documentElement.classList.add("scripted");

function plain(text) {
  return text.toLowerCase().replaceAll("đ", "d").normalize("NFD").replace(/\p{M}/gu, "");
}

async function answered(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (page.getElementById("hear") && !answer.redirected) return page;
  location.assign("/");
  return null;
}

function swap(name, page) {
  const fresh = page.getElementById(name);
  const old = document.getElementById(name);
  if (!fresh || !old) return null;
  const made = document.importNode(fresh, true);
  old.replaceWith(made);
  return made;
}

function show(page) {
  const draft = page.querySelector("input[name=draft]");
  if (draft?.value) form.elements.draft.value = draft.value;
  document.getElementById("text-wrong")?.remove();
  const problem = page.querySelector("#text-wrong");
  if (problem) document.getElementById("text").before(document.importNode(problem, true));
  swap("hear", page);
  (document.getElementById("reading-wrong") ? document.getElementById("reading") : document.getElementById("note"))?.focus();
  wait();
}

// Only the sound is swapped while it is waited for: what is being typed beside the words stays.
async function wait() {
  const shown = document.getElementById("sound");
  while (shown?.dataset.wait) {
    await new Promise((done) => setTimeout(done, WAIT_MS));
    if (document.getElementById("sound") !== shown) return;
    try {
      const answer = await fetch(shown.dataset.wait, { headers: { "X-Live": "1" } });
      if (!answer.ok || document.getElementById("sound") !== shown) continue;
      const page = await answered(answer);
      if (!page || page.querySelector("[data-wait]")) continue;
      swap("sound", page);
      count();
      return;
    } catch { /* the network is away: ask again */ }
  }
}

async function hear(button) {
  button.disabled = true;
  try {
    const answer = await fetch(button.getAttribute("formaction"), { method: "POST", body: new URLSearchParams(new FormData(form)) });
    away(false);
    const page = await answered(answer);
    if (!page) return;
    const text = page.getElementById("text");
    if ("mend" in button.dataset && text) form.elements.text.value = text.value;
    show(page);
  } catch {
    away(true);
  } finally {
    button.disabled = false;
  }
}

function away(yes) {
  const note = document.getElementById("offline");
  note.hidden = !yes;
  note.textContent = yes ? form.dataset.offline : "";
}

function count() {
  const chosen = [...form.querySelectorAll("input[name=areas]:checked")];
  const names = chosen.map((each) => each.closest("li").dataset.name);
  const note = document.getElementById("chosen");
  if (note) note.textContent = names.length ? names.join(", ") : form.dataset.areaNone;
  cost(chosen.map((each) => each.value));
}

async function cost(areas) {
  const line = document.getElementById("air");
  if (!line) return;
  try {
    const answer = await fetch(`${line.dataset.air}?${new URLSearchParams(areas.map((each) => ["areas", each]))}`, { headers: { "X-Live": "1" } });
    if (answer.ok) line.textContent = await answer.text();
  } catch { /* the network is away: the line stays */ }
}

function find(wanted) {
  const words = plain(wanted.trim());
  for (const item of [...form.querySelectorAll(".tree li")].reverse()) {
    const below = [...item.querySelectorAll("li")].some((each) => !each.hidden);
    item.hidden = Boolean(words) && !plain(item.dataset.name).includes(words) && !below;
  }
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("[data-hear]");
  if (button) { event.preventDefault(); hear(button); }
});
// The words stay, their sound would be another one.
function resound() {
  const sound = document.getElementById("sound");
  if (sound) sound.hidden = true;
}

const stale = () => document.getElementById("hear").classList.add("stale");
form.addEventListener("change", (event) => {
  if (event.target.name === "areas") count();
  if (["times", "drill", "bulletin_class"].includes(event.target.name)) resound();
});
document.getElementById("text").addEventListener("input", stale);
form.addEventListener("submit", (event) => {
  if (!navigator.onLine) { event.preventDefault(); away(true); return; }
  setTimeout(() => { document.getElementById("send-button").disabled = true; });
});
addEventListener("pageshow", () => { document.getElementById("send-button").disabled = false; });
document.getElementById("search")?.addEventListener("input", (event) => find(event.target.value));
count();
wait();
