// Passkeys: asks the browser for one where a form has a place for it, and sends that form with the answer.
// Without this file, without https or on another address than the station's own those places stay hidden.

import { given } from "./_focus.js";

document.documentElement.classList.add("scripted");

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

// The JSON forms of level 3 by hand: browsers of the last years have passkeys, not all of them have these.
function read(json) {
  const options = JSON.parse(json);
  options.challenge = bytes(options.challenge);
  if (options.user) options.user.id = bytes(options.user.id);
  for (const each of [...(options.allowCredentials ?? []), ...(options.excludeCredentials ?? [])]) each.id = bytes(each.id);
  return { publicKey: options };
}

function written(credential) {
  const response = {};
  for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[part]) response[part] = text(credential.response[part]);
  }
  return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response, clientExtensionResults: {} });
}

async function asked(box, form) {
  if (box.dataset.options) return { token: box.dataset.token, options: box.dataset.options };
  const body = new URLSearchParams({ csrf_token: form.elements.csrf_token.value, viec: box.dataset.passkey });
  const answer = await fetch(box.dataset.ask, { method: "POST", body });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function use(box, button) {
  const form = box.closest("form");
  const failed = box.querySelector("[data-failed]");
  failed.hidden = true;
  button.disabled = true;
  try {
    if (!form.reportValidity()) return;
    const { token, options } = await asked(box, form);
    const way = box.dataset.passkey === "register" ? "create" : "get";
    const credential = await navigator.credentials[way](read(options));
    const [tokenField, answerField] = box.querySelectorAll("input");
    tokenField.value = token;
    answerField.value = written(credential);
    for (const field of [tokenField, answerField]) field.disabled = false;
    form.requestSubmit(form.querySelector("button.main") ?? undefined);
  } catch (wrong) {
    failed.hidden = false;
    if (!["NotAllowedError", "AbortError", "InvalidStateError"].includes(wrong.name)) console.info("passkey", wrong);
  } finally {
    given(button);
  }
}

const able = () => isSecureContext && "PublicKeyCredential" in window;
for (const box of document.querySelectorAll("[data-passkey]")) {
  if (able() && location.origin === box.dataset.origin) box.hidden = false;
  else box.parentElement.querySelector("[data-elsewhere]")?.removeAttribute("hidden");
}
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-passkey] button");
  if (button) use(button.closest("[data-passkey]"), button);
});
