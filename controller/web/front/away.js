// On every page of whoever is signed in: what waits for the network is told, and sent when it is back; who signs out takes
// it along. Where the station's certificate is trusted, a worker shows a page of ours instead of the browser's when it is away.

import { all, arrived, claim, drop, forgetOld, put, user, value, wipe } from "./_kept.js";
import { deliver } from "./_deliver.js";

const AGAIN_MS = 20000;
const CLAIM_MS = 45000;
const STALE_MS = 30 * 60 * 1000; // "now" is not meant an hour later
const note = document.getElementById("away");
const says = note?.dataset || {};
let leaving = false;
let running = false;

const line = (words) => Object.assign(document.createElement("p"), { textContent: words });
const button = (words, act) => {
  const made = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: words });
  made.addEventListener("click", act);
  return made;
};
const named = (item) => value(item.fields, "title") || value(item.fields, "text").trim().slice(0, 60) || "…";

async function reopen(item) {
  await put("drafts", "/soan", { at: Date.now(), fields: item.fields.filter(([name]) => name !== "choice") });
  await drop("waiting", item.key);
  location.assign("/soan");
}

async function tell(extra = []) {
  const items = await all("waiting");
  const parts = [...extra];
  for (const item of items) {
    const why = item.you ? says.you : item.session ? says.session : says.waiting;
    parts.push(line(why.replace("{title}", named(item))));
    if (item.you) parts.push(button(says.open, () => reopen(item)), button(says.forget, async () => { await drop("waiting", item.key); tell(); }));
  }
  if (leaving && items.length) parts.push(line(says.leaving));
  note.replaceChildren(...parts);
  note.hidden = parts.length === 0;
  return items;
}

async function bring(item) {
  if (!item.you && value(item.fields, "when") === "now" && Date.now() - item.at > STALE_MS) {
    await put("waiting", item.key, { ...item, you: true });
    return null;
  }
  if (item.you || !(await claim(item.key, CLAIM_MS))) return null;
  const told = await deliver(item.fields);
  if (told.done) await arrived(item.key);
  else await put("waiting", item.key, { ...item, taken: 0, you: Boolean(told.you), session: Boolean(told.session) });
  return told;
}

export async function flush() {
  if (running || !user || !note) return;
  running = true;
  try {
    const done = [];
    for (const item of await all("waiting")) {
      const told = navigator.onLine ? await bring(item) : null;
      if (told?.done) {
        const link = Object.assign(document.createElement("a"), { href: told.done, textContent: says.sent.replace("{title}", named(item)) });
        done.push(Object.assign(document.createElement("p"), { className: "strong" }));
        done.at(-1).append(link);
      }
      if (told?.away) break;
    }
    await tell(done);
    if (done.length) tabs.postMessage("");
  } finally { running = false; }
}

const left = new BroadcastChannel("loa-left"); // drafts are forgotten in every tab, and stay forgotten
const tabs = new BroadcastChannel("loa-waiting"); // what one tab sent, the others need not go on telling of
tabs.addEventListener("message", () => tell());
addEventListener("loa-waiting", () => { tell(); tabs.postMessage(""); });
addEventListener("online", flush);
for (const form of document.querySelectorAll("form[data-leave]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const items = await all("waiting");
    if (items.length && !leaving) { leaving = true; await tell(); note.scrollIntoView({ block: "nearest" }); return; }
    dispatchEvent(new Event("loa-left"));
    left.postMessage("");
    await wipe();
    form.submit();
  });
}
if (user && note) {
  const came = new URLSearchParams(location.search).get("khoa") || "";
  (/^[0-9a-f]{32}$/.test(came) ? arrived(came) : Promise.resolve()).then(forgetOld).then(flush);
  setInterval(async () => { if ((await all("waiting")).some((item) => !item.you)) flush(); }, AGAIN_MS);
}
if (isSecureContext && "serviceWorker" in navigator) navigator.serviceWorker.register("/ngoai-tuyen.js").catch(() => {}); // not trusted: without
