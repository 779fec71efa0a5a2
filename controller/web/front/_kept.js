// What this machine keeps of one person's unfinished work: drafts by page, and what waits for the network.
// One database for each person; it is written through to the disk (a power cut), and emptied when they sign out.
// Without a place to keep things (a private window of some browsers) nothing is kept and nothing breaks.

const LONG_AGO_MS = 14 * 24 * 3600 * 1000;
const STORES = ["drafts", "waiting", "sent"]; // keys: the path of a page; the key of a sending; the same, once it arrived
const NEVER = ["csrf_token", "proof", "proof_passkey", "confirm"]; // a secret, or what is to be typed anew

export const user = document.documentElement.dataset.user || "";
let opened = null;

function open() {
  opened ??= new Promise((done, failed) => {
    const asked = indexedDB.open(`loa-${user}`, 1);
    asked.onupgradeneeded = () => { for (const name of STORES) asked.result.createObjectStore(name); };
    asked.onsuccess = () => done(asked.result);
    asked.onerror = asked.onblocked = () => failed(asked.error);
  });
  return opened;
}

async function within(mode, work) {
  if (!user) return undefined;
  try {
    const act = (await open()).transaction(STORES, mode, { durability: "strict" });
    const asked = work(act);
    await new Promise((done, failed) => { act.oncomplete = done; act.onabort = act.onerror = () => failed(act.error); });
    return asked?.result;
  } catch { return undefined; }
}

export const get = (store, key) => within("readonly", (act) => act.objectStore(store).get(key));
export const all = async (store) => (await within("readonly", (act) => act.objectStore(store).getAll())) || [];
export const put = (store, key, value) => within("readwrite", (act) => act.objectStore(store).put(value, key));
export const drop = (store, key) => within("readwrite", (act) => act.objectStore(store).delete(key));
export const wipe = () => within("readwrite", (act) => { for (const name of STORES) act.objectStore(name).clear(); });

// Takes what waits for oneself for a while, so that two tabs do not send it at once; whoever does is led to the same booking.
export function claim(key, forMs) {
  let mine = false;
  const work = (act) => {
    const asked = act.objectStore("waiting").get(key);
    asked.onsuccess = () => {
      const item = asked.result;
      if (!item || item.you || (item.taken || 0) > Date.now()) return;
      mine = true;
      act.objectStore("waiting").put({ ...item, taken: Date.now() + forMs }, key);
    };
  };
  return within("readwrite", work).then(() => mine);
}

// It arrived: it waits no more, its draft is done with, and its key is used up. All of it, or nothing.
export function arrived(key) {
  return within("readwrite", (act) => {
    act.objectStore("waiting").delete(key);
    act.objectStore("sent").put({ at: Date.now() }, key);
    const asked = act.objectStore("drafts").openCursor();
    asked.onsuccess = () => {
      const draft = asked.result;
      if (!draft) return;
      if (value(draft.value.fields, "key") === key) draft.delete();
      draft.continue();
    };
  });
}

// From the drafts to what waits, in one step.
export function wait(item, path) {
  return within("readwrite", (act) => {
    act.objectStore("waiting").put(item, item.key);
    act.objectStore("drafts").delete(path);
  });
}

export function fieldsOf(form, button) {
  const found = [...new FormData(form)].filter(([name, each]) => typeof each === "string" && !NEVER.includes(name));
  return button?.name ? [...found, [button.name, button.value]] : found;
}

export const value = (fields, name) => fields.find(([each]) => each === name)?.[1] ?? "";

export const freshKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("");

// What nobody came back for is forgotten; what waits to be sent is not.
export async function forgetOld() {
  const old = Date.now() - LONG_AGO_MS;
  await within("readwrite", (act) => {
    for (const store of ["drafts", "sent"]) {
      const asked = act.objectStore(store).openCursor();
      asked.onsuccess = () => { if (asked.result) { if (asked.result.value.at < old) asked.result.delete(); asked.result.continue(); } };
    }
  });
}
