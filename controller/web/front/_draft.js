// The draft on this machine, beside the one at the station: kept with every keystroke, back after whatever ended the page.
// What the station has of a draft wins over what this machine kept of an older state of it.

import { drop, fieldsOf, freshKey, get, put, user, value } from "./_kept.js";

const QUIET_MS = 250;
const form = document.getElementById("compose");
const path = location.pathname;
const begun = form.elements.text.value;
let timer = 0;
let touched = false; // what nobody typed in keeps nothing, and forgets nothing
let gone = false; // what was sent or put aside is not kept again by leaving the page

const hold = (fields) => ({ at: Date.now(), fields, base: path === "/soan" ? "" : begun });

export async function keep(button) {
  clearTimeout(timer);
  const fields = fieldsOf(form, button).filter(([name]) => name !== "choice");
  if (gone || !touched) return;
  if (value(fields, "text").trim() || value(fields, "title").trim()) await put("drafts", path, hold(fields));
  else await drop("drafts", path);
}

export function over() {
  clearTimeout(timer);
  gone = true;
}

// They signed out, here or in another tab: what this machine forgets then is not kept again by leaving the page.
// Only what is typed afterwards is.
addEventListener("loa-left", over);
new BroadcastChannel("loa-left").addEventListener("message", over);

export function putAside() {
  over();
  return drop("drafts", path);
}

export function keepSoon() {
  gone = false;
  touched = true;
  clearTimeout(timer);
  timer = setTimeout(keep, QUIET_MS);
}

function fill(fields) {
  for (const each of form.elements) {
    if (!each.name || each.name === "csrf_token" || each.type === "file") continue;
    const told = fields.filter(([name]) => name === each.name).map(([, what]) => what);
    if (each.type === "checkbox" || each.type === "radio") each.checked = told.includes(each.value);
    else if (told.length && each.tagName !== "BUTTON") each.value = told[0];
  }
}

// Whether something came back: only into a form that holds nothing newer.
export async function restore() {
  if (!user) return false;
  const kept = await get("drafts", path);
  const fits = kept && (path === "/soan" ? !begun && !document.getElementById("summary") : kept.base === begun);
  if (!fits || form.elements.text.value !== begun) return false;
  if (await get("sent", value(kept.fields, "key"))) { await drop("drafts", path); return false; }
  if (value(kept.fields, "text") === begun && path !== "/soan") return false;
  fill(kept.fields);
  touched = true;
  tell(kept.at);
  return true;
}

function tell(at) {
  const note = document.getElementById("restored");
  const then = new Date(at), two = number => String(number).padStart(2, "0");
  const time = `${two(then.getHours())}:${two(then.getMinutes())} · ${two(then.getDate())}/${two(then.getMonth() + 1)}`;
  note.querySelector("span").textContent = note.dataset.words.replace("{time}", time);
  note.hidden = false;
  note.querySelector("button").addEventListener("click", async () => { await putAside(); location.reload(); });
}

// A key that has brought something already (in another tab, or with other words that wait) brings nothing new: take another.
export async function unused() {
  const key = form.elements.key.value;
  const waits = await get("waiting", key);
  const same = waits && value(waits.fields, "text") === form.elements.text.value;
  if ((await get("sent", key)) || (waits && !same)) form.elements.key.value = freshKey();
}
