// What a highlighted word was, and why it is read so, beside it: for a pointer, a finger and the keyboard.
// Without this file the browser shows the same on hovering.

const tip = document.createElement("p");
tip.id = "tip";
tip.setAttribute("role", "tooltip");
tip.hidden = true;
document.getElementById("main").append(tip);
const EDGE = 8;
let shown = null;

function show(word) {
  shown = word;
  if (word.title) {
    word.dataset.tip = word.title;
    word.removeAttribute("title");
  }
  tip.textContent = word.dataset.tip;
  tip.hidden = false;
  place();
}

function place() {
  if (!shown?.isConnected) { hide(); return; }
  const at = shown.getBoundingClientRect();
  const left = Math.min(at.left, document.documentElement.clientWidth - tip.offsetWidth - EDGE);
  const above = at.top - tip.offsetHeight - EDGE;
  tip.style.left = `${Math.max(EDGE, left)}px`;
  tip.style.top = `${above > EDGE ? above : at.bottom + EDGE}px`;
}

function hide() {
  shown = null;
  tip.hidden = true;
}

for (const kind of ["mouseover", "focusin", "click"]) {
  document.addEventListener(kind, (event) => {
    const word = event.target.closest?.(".read");
    if (word) show(word);
    else hide();
  });
}
for (const kind of ["scroll", "resize"]) addEventListener(kind, () => { if (shown) place(); }, true);
document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
