// A reading is changed in place: the panel opens beside what was tapped, filled in, and is sent by the form's own buttons.
// Without this file the same buttons send the whole form, and the panel comes with the answer.

const form = document.getElementById("compose");
let opener = null;

const part = (name) => document.getElementById(`teach-${name}`);

function fill(row) {
  const { written, reading, about, suggestion } = row.dataset;
  const can = "teachable" in row.dataset;
  part("about").textContent = about;
  part("written").value = written;
  part("suggestion").textContent = suggestion;
  part("mend").hidden = !suggestion;
  part("can").hidden = !can;
  part("cannot").hidden = can;
  document.getElementById("reading-wrong")?.remove();
  const field = document.getElementById("reading");
  field.removeAttribute("aria-invalid");
  field.value = reading;
}

function open(number, from) {
  const row = document.getElementById(`doc-${number}`);
  const panel = document.getElementById("teach");
  if (!row || !panel) return;
  fill(row);
  panel.hidden = panel.disabled = false;
  if (row.contains(from)) row.append(panel);
  else document.querySelector("#read .spoken").after(panel);
  opener = from;
  const field = document.getElementById("reading");
  if (part("can").hidden) part("shut").focus();
  else { field.focus(); field.select(); }
  panel.scrollIntoView({ block: "nearest" });
}

function shut() {
  const panel = document.getElementById("teach");
  panel.hidden = panel.disabled = true;
  opener?.focus();
}

form.addEventListener("click", (event) => {
  const from = event.target.closest("[data-change]");
  if (from) { event.preventDefault(); open(from.dataset.change, from); }
  if (event.target.closest("#teach-shut")) shut();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.closest("#teach")) { event.preventDefault(); shut(); }
  if (event.key === "Enter" && event.target.id === "reading") { event.preventDefault(); part("button").click(); }
});
