// What the chosen time meets is shown as soon as place and time are chosen; an offer changes the form where it stands.
// Everything here also works without this file, by sending the form.

import { given, held } from "./_focus.js";

const form = document.getElementById("compose");
const QUIET_MS = 400;
const ASKED = "#text, [name=areas], #when *, [name=bulletin_class], [name=times], [name=drill]";
let turn = 0;
let timer = 0;

async function ask(address, fields, headers) {
  const answer = await fetch(address, { method: "POST", body: new URLSearchParams(fields), headers });
  if (answer.redirected) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function swap(name, page) {
  const fresh = page?.getElementById(name);
  const old = document.getElementById(name);
  if (!fresh || !old) return;
  const made = document.importNode(fresh, true);
  const back = held(old);
  old.replaceWith(made);
  back(made);
}

const worded = () => Boolean(form.elements.text.value.trim() || document.querySelector(".recorded"));

async function look() {
  const mine = ++turn;
  if (!worded()) return;
  try {
    const page = await ask(document.getElementById("foresight").dataset.look, new FormData(form), { "X-Live": "1" });
    if (mine === turn) swap("foresight", page);
  } catch { /* the network is away: what was told stays */ }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(look, QUIET_MS);
}

async function choose(button) {
  turn++;
  const fields = new FormData(form);
  fields.append(button.name, button.value);
  try {
    const page = await ask(button.getAttribute("formaction"), fields, {});
    if (!page?.getElementById("foresight")) return;
    for (const area of form.querySelectorAll("[name=areas]")) {
      area.checked = Boolean(page.querySelector(`[name=areas][value="${CSS.escape(area.value)}"]`)?.checked);
    }
    for (const name of ["when", "foresight"]) swap(name, page);
    form.querySelector("[name=areas]")?.dispatchEvent(new Event("change", { bubbles: true }));
    document.getElementById("when").focus();
  } catch { /* the network is away: what was told stays */
  } finally { given(button); }
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("[data-choice]");
  if (!button) return;
  event.preventDefault();
  button.disabled = true;
  choose(button);
});
form.addEventListener("change", (event) => { if (event.target.matches(ASKED)) soon(); });
document.getElementById("deciding")?.focus();
if (form.querySelector("[name=areas]:checked") && !document.getElementById("deciding")) soon();
