// The compose page: hear without leaving it, find an area, count what is chosen, send once.
// Everything here also works without this file, by sending the form.

import { deliver } from "./_deliver.js";
import { given, held } from "./_focus.js";
import { arrived, fieldsOf, freshKey, user, value, wait as queue } from "./_kept.js";
import { keep, keepSoon, over, putAside, restore, unused } from "./_draft.js";

const form = document.getElementById("compose");
let sending = false;
let asking = null; // after the sound of a draft; given up when the draft is sent
let queued = false;
const WAIT_MS = 700;
const PROBE_MS = 6000;
document.documentElement.classList.add("scripted");

function plain(text) {
  return text.toLowerCase().replaceAll("đ", "d").normalize("NFD").replace(/\p{M}/gu, "");
}

async function answered(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (page.getElementById("hear") && !answer.redirected) return page;
  location.assign("/soan");
  return null;
}

function swap(name, page) {
  const fresh = page.getElementById(name);
  const old = document.getElementById(name);
  if (!fresh || !old) return null;
  const made = document.importNode(fresh, true);
  const back = held(old);
  old.replaceWith(made);
  back(made);
  return made;
}

function show(page) {
  const draft = page.querySelector("input[name=draft]");
  if (draft?.value) for (const name of ["draft", "version"]) form.elements[name].value = page.querySelector(`input[name=${name}]`).value;
  document.getElementById("text-wrong")?.remove();
  const problem = page.querySelector("#text-wrong");
  if (problem) document.getElementById("text").before(document.importNode(problem, true));
  swap("hear", page);
  if (swap("other", page)?.childElementCount) document.getElementById("other").focus();
  else (document.getElementById("reading-wrong") ? document.getElementById("reading") : document.getElementById("note"))?.focus();
  wait();
}

// Only the sound is swapped while it is waited for: what is being typed beside the words stays.
async function wait() {
  const shown = document.getElementById("sound");
  while (shown?.dataset.wait) {
    await new Promise((done) => setTimeout(done, WAIT_MS));
    if (document.getElementById("sound") !== shown) return;
    if (sending) continue; // once it is sent there is no draft to ask for
    try {
      asking = new AbortController();
      const answer = await fetch(shown.dataset.wait, { headers: { "X-Live": "1" }, signal: asking.signal });
      if (answer.status === 404) return; // sent or thrown away on another page
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
    given(button);
  }
}

function away(yes, words = form.dataset.offline) {
  const note = document.getElementById("offline");
  note.hidden = !yes;
  note.textContent = yes ? words : "";
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
// Sent without leaving the page, so that no dead network takes the form away. What the station asks back is its own page:
// then the form goes the plain way once more, which is safe, since nothing was done and the key is the same.
let plainly = false;
async function send(button) {
  const fields = fieldsOf(form, button);
  const key = value(fields, "key");
  await keep(button);
  const told = navigator.onLine ? await deliver(fields, form.elements.csrf_token.value) : { away: true };
  if (told.done) {
    over();
    await arrived(key);
    location.assign(told.done);
  } else if (told.away || told.session) {
    over();
    await queue({ key, at: Date.now(), fields, session: Boolean(told.session) }, location.pathname);
    queued = true;
    sendingEnds(true);
    dispatchEvent(new Event("loa-waiting"));
  } else {
    plainly = true;
    form.requestSubmit(button);
  }
}

// Goes the plain way, with its proof; only once the station has answered, so that it never ends on a page about the network.
async function warn(button) {
  const answer = await fetch("/suc-khoe", { cache: "no-store", signal: AbortSignal.timeout(PROBE_MS) }).catch(() => null);
  sendingEnds(false);
  if (!answer?.ok) { away(true, form.dataset.offlineEmergency); return; }
  plainly = true;
  form.requestSubmit(button);
}

function sendingEnds(queued) {
  sending = false;
  const button = document.getElementById("send-button");
  if (queued) button.disabled = true; // it waits: the same form is not sent twice
  else given(button);
}

form.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button?.hasAttribute("formaction")) {
    if (button.formAction.endsWith(`/${form.elements.draft.value}/bo`)) putAside(); // the station forgets it, so does this machine
    return;
  }
  if (plainly) { // once: the second tap of a double tap finds the button shut
    plainly = false;
    setTimeout(() => { document.getElementById("send-button").disabled = true; });
    return;
  }
  if (sending) { event.preventDefault(); return; }
  if (!user || form.elements.bulletin_class.value === "emergency") { // an alarm does not wait for a network
    event.preventDefault();
    sending = true;
    asking?.abort();
    document.getElementById("send-button").disabled = true;
    keep(button).then(() => warn(button));
    return;
  }
  event.preventDefault();
  sending = true;
  asking?.abort();
  document.getElementById("send-button").disabled = true;
  unused().then(() => send(button));
});
addEventListener("pageshow", (event) => { if (event.persisted) { sending = false; document.getElementById("send-button").disabled = queued; } });
// What is changed after it was put to wait is another announcement.
function typed() {
  if (queued) { queued = false; form.elements.key.value = freshKey(); form.elements.draft.value = ""; sendingEnds(false); }
  keepSoon();
}
form.addEventListener("input", typed);
form.addEventListener("change", typed);
addEventListener("pagehide", () => keep());
restore().then((back) => { if (back) { count(); form.querySelector("[name=areas]")?.dispatchEvent(new Event("change", { bubbles: true })); } });
document.getElementById("search")?.addEventListener("input", (event) => find(event.target.value));
count();
wait();
