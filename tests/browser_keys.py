"""Somebody without a mouse: Tab leads to a thing by its name, and what is on the way is always seen.

- A name is what a screen reader says first: the label, the words of a button or a link.
- Everything here fails when the thing is not reached, or when the focus is not to be seen.
"""

from __future__ import annotations

from playwright.sync_api import Page

MOST_TABS = 90
FOCUSED = """(() => {
  const at = document.activeElement;
  if (!at || at === document.body) return { name: "", where: "nowhere", wrong: "" };
  const words = each => (each?.textContent ?? "").replace(/\\s+/g, " ").trim();
  const label = document.getElementById(at.getAttribute("aria-labelledby")?.split(" ")[0] ?? "");
  const labels = [...(at.labels ?? [])];
  const name = at.getAttribute("aria-label") || labels.map(words).join(" ") || words(label) || words(at);
  const within = at.shadowRoot?.activeElement ?? at;
  const box = at.getBoundingClientRect();
  const x = Math.max(0, Math.min(box.left + Math.min(box.width / 2, 20), innerWidth - 1));
  const shown = [box.top + 4, box.top + box.height / 2, box.bottom - 4].some(y => {
    const top = y >= 0 && y < innerHeight && document.elementFromPoint(x, y);
    return top && (at.contains(top) || top.contains(at) || labels.some(each => each.contains(top)));
  });
  const ring = [at, within].some(each => getComputedStyle(each).outlineStyle !== "none");
  return { name, where: at.outerHTML.slice(0, 90), wrong: !ring ? "has no ring" : shown ? "" : "is covered" };
})()"""
PICKED = "document.activeElement.selectedOptions?.[0]?.textContent.trim() ?? ''"


def press_to(page: Page, name: str, most: int = MOST_TABS, key: str = "Tab") -> None:
    """Press Tab until what is called ``name`` (or begins so) has the focus; fails after ``most`` times."""
    passed: list[str] = []
    for _ in range(most):
        page.keyboard.press(key)
        at = page.evaluate(FOCUSED)
        assert not at["wrong"], f"{at['where']} {at['wrong']}"
        if at["name"] == name or at["name"].startswith(name):
            return
        passed.append(at["name"][:24])
    raise AssertionError(f"{most} times {key} do not lead to {name!r}, but over {passed}")


def press(page: Page, name: str, key: str = "Enter") -> None:
    """Go to a button, a link or a summary, and press it."""
    press_to(page, name)
    page.keyboard.press(key)


def follow(page: Page, name: str) -> None:
    """Press what leads to another page, and be there."""
    press_to(page, name)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def type_in(page: Page, name: str, words: str) -> None:
    """Go to a field and write over what stands there."""
    press_to(page, name)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(words)


def pick(page: Page, name: str, option: str) -> None:
    """Go to a list and choose by arrows."""
    press_to(page, name)
    page.keyboard.press("Home")
    for _ in range(70):
        if page.evaluate(PICKED).startswith(option):
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"no {option!r} in {name!r}")


def turn_to(page: Page, first: str, wanted: str) -> None:
    """Go to a group of choices, at whichever is chosen, and by arrows to the one wanted."""
    press_to(page, first)
    for _ in range(20):
        if page.evaluate(FOCUSED)["name"].startswith(wanted):
            assert page.evaluate("document.activeElement.checked")
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"no {wanted!r} beside {first!r}")


def focused(page: Page) -> str:
    """The name of what has the focus; empty when nothing has."""
    return str(page.evaluate(FOCUSED)["name"])
