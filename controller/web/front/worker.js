// Shows the station's own page when it cannot be reached. It keeps that page and what it is drawn with (files named by
// their hash), and nothing else: no page of a person, no sound, no answer to a form.

const KEPT = "loa-shell";
const AWAY = "/ngoai-tuyen";

async function fill() {
  const answer = await fetch(AWAY, { cache: "no-store", credentials: "omit" });
  if (!answer.ok) throw new Error(String(answer.status));
  const files = [...new Set((await answer.clone().text()).match(/\/static\/[\w.-]+/g) || [])];
  const kept = await caches.open(KEPT);
  await kept.addAll(files);
  await kept.put(AWAY, answer);
  for (const old of await kept.keys()) { // only now: there is always a whole page to show
    if (![AWAY, ...files].includes(new URL(old.url).pathname)) await kept.delete(old);
  }
}

async function page(request) {
  try {
    return await fetch(request);
  } catch (wrong) {
    const kept = await caches.match(AWAY);
    if (!kept) throw wrong;
    return request.method === "GET" ? kept : Response.redirect(AWAY, 303);
  }
}

async function file(request) {
  return (await caches.match(request)) || fetch(request);
}

addEventListener("install", (event) => event.waitUntil(fill().then(() => skipWaiting())));
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  const at = new URL(event.request.url);
  if (at.origin !== location.origin) return;
  if (event.request.mode === "navigate") event.respondWith(page(event.request));
  else if (event.request.method === "GET" && at.pathname.startsWith("/static/")) event.respondWith(file(event.request));
});
