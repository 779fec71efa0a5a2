// The compose page: hear without leaving it, find an area, count what is chosen, send once.
// Everything here also works without this file, by sending the form.

const form = document.getElementById("compose");
const WAIT_MS = 700;
document.documentElement.classList.add("scripted");

function plain(text) {
  return text.toLowerCase().replaceAll("đ", "d").normalize("NFD").replace(/\p{M}/gu, "");
}

async function part(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("hear");
  if (!fresh || answer.redirected) { location.assign("/"); return null; }
  const draft = page.querySelector("input[name=draft]");
  if (draft?.value) form.elements.draft.value = draft.value;
  const problem = page.querySelector("#text-wrong");
  const note = document.getElementById("text-wrong");
  note?.remove();
  if (problem) document.getElementById("text").before(document.importNode(problem, true));
  document.getElementById("hear").replaceWith(document.importNode(fresh, true));
  return document.getElementById("hear");
}

async function wait(shown) {
  while (shown?.dataset.wait) {
    await new Promise((done) => setTimeout(done, WAIT_MS));
    if (document.getElementById("hear") !== shown) return;
    try {
      const answer = await fetch(shown.dataset.wait, { headers: { "X-Live": "1" } });
      if (answer.ok && document.getElementById("hear") === shown) {
        const text = await answer.clone().text();
        if (text.includes("data-wait")) continue;
        shown = await part(answer);
      }
    } catch { /* the network is away: ask again */ }
  }
}

async function hear(button) {
  button.disabled = true;
  try {
    const answer = await fetch(button.getAttribute("formaction"), { method: "POST", body: new URLSearchParams(new FormData(form)) });
    away(false);
    wait(await part(answer));
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
form.addEventListener("change", count);
document.getElementById("text").addEventListener("input", () => document.getElementById("hear").classList.add("stale"));
form.addEventListener("submit", (event) => {
  if (!navigator.onLine) { event.preventDefault(); away(true); return; }
  setTimeout(() => { document.getElementById("send-button").disabled = true; });
});
addEventListener("pageshow", () => { document.getElementById("send-button").disabled = false; });
document.getElementById("search")?.addEventListener("input", (event) => find(event.target.value));
count();
wait(document.getElementById("hear"));
