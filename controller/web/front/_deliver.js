// Brings one form to the station: { done: URL } once it has it, { away } no network, { session } nobody is signed in here,
// { you } it wants to be looked at by the one who sent it. The same key twice is one announcement, so trying again is safe.

import { user } from "./_kept.js";

const PATIENCE_MS = 20000;
const AWAY = [502, 503, 504];

function asked(address, more) {
  return fetch(address, { headers: { "X-Live": "1" }, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS), ...more });
}

// The form's key as this browser has it now, and whose page it is.
async function renewed() {
  const answer = await asked("/tai-khoan", {});
  if (AWAY.includes(answer.status)) return { away: true };
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!answer.ok || page.documentElement.dataset.user !== user) return { session: true };
  return { token: page.querySelector("input[name=csrf_token]")?.value || "" };
}

async function sent(fields, token) {
  const answer = await asked("/soan", { method: "POST", body: new URLSearchParams([...fields, ["csrf_token", token]]) });
  if (answer.status === 201) return { done: (await answer.json()).to };
  if (answer.status === 401) return { session: true };
  if (AWAY.includes(answer.status)) return { away: true };
  return { you: true, stale: answer.status === 400 };
}

export async function deliver(fields, token) {
  try {
    if (token) {
      const first = await sent(fields, token);
      if (!first.stale) return first;
    }
    const fresh = await renewed();
    return fresh.token ? await sent(fields, fresh.token) : fresh;
  } catch { return { away: true }; } // no network, or no answer in time
}
