// Keeps every part marked data-live as the server would show it now: told by a stream, or by looking every 15 s.
// The stream tells only what concerns this page: of the kinds that its parts name (data-live-of), in its reader's areas.
// What is of no kind that the page itself shows is of the bar, which is asked for alone (data-bar).
// That an emergency was touched is said in a strip at once; the page is fresh when its turn has come.
// What was the answer to a form cannot be asked for again: its counts then come from another page (data-from).
// It only swaps what differs, keeps what is open open, and never takes a field away from under somebody's hands.

import { held } from "./_focus.js";

const SLOW_MS = 15000;
const REST = 4; // a page that took a second is left alone for four
const state = document.getElementById("live-state");
const strip = document.getElementById("live-urgent");
const CRY_MS = 20000; // a page that is not told to look does so by then
let criedAt = 0;
const served = new Map([...document.querySelectorAll("[data-live]")].map((part) => [part, part.innerHTML]));
let stream = null;
let slow = null;
let loading = false;
let again = null; // what happened meanwhile

function say(how) {
  if (!state || state.dataset.how === how) return;
  state.dataset.how = how;
  state.textContent = state.dataset[{ on: "liveOn", slow: "liveSlow", off: "liveOff" }[how]];
}

function busy(part) {
  const at = part.contains(document.activeElement) ? document.activeElement : null;
  const typing = at && at.matches("input:not([type=hidden]), textarea, select");
  return typing || [...part.querySelectorAll("audio")].some((sound) => !sound.paused);
}

function swap(part, fresh) {
  if (served.get(part) === fresh.innerHTML || busy(part)) return;
  served.set(part, fresh.innerHTML);
  const open = [...part.querySelectorAll("details[open][id]")].map((each) => each.id);
  const back = held(part);
  part.replaceChildren(...document.importNode(fresh, true).childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  back();
}

// What is told of: a set of kinds, or null for anything.
function both(some, more) {
  return some && more ? new Set([...some, ...more]) : null;
}

function inTheBar(kinds) {
  const shown = [...served.keys()].filter((part) => !part.closest(".nav"));
  return kinds && !shown.some((part) => !part.dataset.liveOf || part.dataset.liveOf.split(" ").some((kind) => kinds.has(kind)));
}

async function refresh(kinds = null) {
  if (loading) { again = again ? { kinds: both(again.kinds, kinds) } : { kinds }; return; }
  loading = true;
  const began = performance.now();
  try {
    const place = (inTheBar(kinds) && state?.dataset.bar) || state?.dataset.from || location.href;
    const answer = await fetch(place, { headers: { "X-Live": "page" }, cache: "no-store" });
    if (answer.status === 401) { location.reload(); return; }
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(part.id);
      if (fresh) swap(part, fresh);
    }
    if (!stream) say("slow");
    if (strip && began > criedAt) strip.textContent = "";
  } catch {
    say("off");
  } finally {
    setTimeout(() => {
      loading = false;
      if (again) { const { kinds: missed } = again; again = null; refresh(missed); }
    }, REST * (performance.now() - began));
  }
}

// An emergency was touched: said before the page's turn has come to be fresh.
function cry() {
  if (!strip) return;
  const at = criedAt = performance.now();
  strip.textContent = strip.dataset.text;
  setTimeout(() => { if (strip.textContent && criedAt === at) refresh(); }, CRY_MS);
}

function lookNowAndThen() {
  slow ??= setInterval(() => refresh(), SLOW_MS);
}

function concerns() {
  const parts = [...served.keys()];
  const asked = new URLSearchParams({ tu: state?.dataset.seen ?? 0 });
  if (parts.every((part) => part.dataset.liveOf)) {
    asked.set("ve", [...new Set(parts.flatMap((part) => part.dataset.liveOf.split(" ")))].join(","));
  }
  const places = parts.map((part) => (part.dataset.liveOf ? part.dataset.liveIn : "*")).filter(Boolean);
  if (places.length) asked.set("noi", places.join(" "));
  return asked;
}

function listen() {
  if (stream || document.hidden) return;
  const mine = stream = new EventSource(`/su-kien?${concerns()}`);
  mine.addEventListener("open", () => { clearInterval(slow); slow = null; say("on"); });
  mine.addEventListener("changed", (event) => {
    const named = event.data.split(" ")[1];
    refresh(named ? new Set(named.split(",")) : null);
  });
  mine.addEventListener("urgent", () => cry());
  mine.addEventListener("error", () => {
    if (mine.readyState === EventSource.CLOSED) { stream = null; setTimeout(listen, 4 * SLOW_MS); }
    say("slow");
    lookNowAndThen();
  });
}

function close() {
  stream?.close();
  stream = null;
  clearInterval(slow);
  slow = null;
}

function tick() {
  for (const clock of document.querySelectorAll("[data-clock]")) {
    const at = new Date(Date.parse(clock.dataset.clock) + performance.now());
    const form = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: clock.dataset.zone };
    const text = new Intl.DateTimeFormat("vi", form).format(at);
    if (clock.textContent !== text) clock.textContent = text;
  }
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) close();
  else { refresh(); listen(); }
});
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => { if (event.persisted) { refresh(); listen(); } });
if (document.querySelector("[data-live]")) listen();
setInterval(tick, 1000);
document.getElementById("summary")?.focus();
