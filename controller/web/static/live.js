// Keeps every part marked data-live as the server would show it now: told by a stream, or by looking every 15 s.
// It only swaps what differs, keeps what is open open, and never takes a field away from under somebody's hands.

const SLOW_MS = 15000;
const REST = 4; // a page that took a second is left alone for four
const state = document.getElementById("live-state");
const served = new Map([...document.querySelectorAll("[data-live]")].map((part) => [part, part.innerHTML]));
let stream = null;
let slow = null;
let loading = false;
let again = false;

function say(how) {
  if (!state || state.dataset.how === how) return;
  state.dataset.how = how;
  state.textContent = state.dataset[{ on: "liveOn", slow: "liveSlow", off: "liveOff" }[how]];
}

function busy(part) {
  const held = part.contains(document.activeElement) ? document.activeElement : null;
  const typing = held && held.matches("input:not([type=hidden]), textarea, select");
  return typing || [...part.querySelectorAll("audio")].some((sound) => !sound.paused);
}

function swap(part, fresh) {
  if (served.get(part) === fresh.innerHTML || busy(part)) return;
  served.set(part, fresh.innerHTML);
  const open = [...part.querySelectorAll("details[open][id]")].map((each) => each.id);
  const held = part.contains(document.activeElement) ? document.activeElement : null;
  const address = held && (held.getAttribute("href") || held.closest("details[id]")?.id);
  part.replaceChildren(...document.importNode(fresh, true).childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (address) (part.querySelector(`[href="${CSS.escape(address)}"]`) || document.getElementById(address)?.querySelector("summary"))?.focus();
}

async function refresh() {
  if (loading) { again = true; return; }
  loading = true;
  const began = performance.now();
  try {
    const answer = await fetch(location.href, { headers: { "X-Live": "1" }, cache: "no-store" });
    if (answer.status === 401) { location.reload(); return; }
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(part.id);
      if (fresh) swap(part, fresh);
    }
    if (!stream) say("slow");
  } catch {
    say("off");
  } finally {
    setTimeout(() => {
      loading = false;
      if (again) { again = false; refresh(); }
    }, REST * (performance.now() - began));
  }
}

function lookNowAndThen() {
  slow ??= setInterval(refresh, SLOW_MS);
}

function listen() {
  if (stream || document.hidden) return;
  const mine = stream = new EventSource(`/su-kien?tu=${state?.dataset.seen ?? 0}`);
  mine.addEventListener("open", () => { clearInterval(slow); slow = null; say("on"); });
  mine.addEventListener("changed", refresh);
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
