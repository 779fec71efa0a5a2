// Where the keyboard is, while parts of a page are changed under it: on the same thing of the new part, on what stands
// in its place, or at the part itself. Never back at the top of the page.

const REACHED = "a[href], button, input, select, textarea, summary, [tabindex]";
const words = (each) => each.textContent.replace(/[\d\s.,]+/g, " ").trim();

// What is the same thing: by its id or address; else by what it sends; its words last, without the numbers that change.
function signs(each) {
  const form = each.form?.getAttribute("action") ?? "";
  const around = each.closest("[id]");
  return [
    each.id || each.getAttribute("href"),
    `${form} ${each.getAttribute("formaction") ?? ""} ${each.name ?? ""} ${each.value ?? ""}`.trim(),
    around && `${around.id} ${each.tagName}`,
    words(each),
  ].map((sign) => (sign ? `${each.tagName} ${sign}` : ""));
}

function again(part, before) {
  const all = [...part.querySelectorAll(REACHED)].filter((each) => each.checkVisibility?.() ?? true);
  for (const [at, sign] of before.entries()) {
    const found = sign && all.find((each) => signs(each)[at] === sign);
    if (found) return found;
  }
  part.tabIndex = -1;
  return part;
}

// Notes where the focus is in ``part``; what is returned puts it there again in what has become of it.
export function held(part) {
  const at = part.contains(document.activeElement) ? document.activeElement : null;
  const before = at && at !== part && signs(at);
  return (fresh = part) => { if (at && !fresh.contains(document.activeElement)) (before ? again(fresh, before) : fresh).focus({ preventScroll: true }); };
}

// A button that waits for its answer cannot be pressed, and has no focus: it gets it back if nothing else has.
export function given(button) {
  button.disabled = false;
  if (document.activeElement === document.body && button.isConnected) button.focus({ preventScroll: true });
}
