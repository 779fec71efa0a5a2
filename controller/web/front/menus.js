// What is a <details>: the Escape key closes the one that the keyboard is in, a click elsewhere closes a menu. Without this
// file they open and close too.

const menus = document.querySelectorAll("details.more, details.account");

function shut(menu) {
  if (!menu.open) return;
  const held = menu.contains(document.activeElement);
  menu.open = false;
  if (held) menu.querySelector("summary").focus();
}

addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  const around = document.activeElement?.closest("main details[open]");
  if (around) shut(around);
  else menus.forEach(shut);
});
addEventListener("click", (event) => menus.forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; }));
