"""What an eye finds on a page: words cut off or lying on each other, what is out of the screen, links too low."""

from __future__ import annotations

from playwright.sync_api import Page

DESK_TWICE = {"width": 683, "height": 425}  # a desk's screen at 200 %
MISFITS = """(() => {
  const found = [], wide = document.documentElement.clientWidth;
  const shown = each => each.checkVisibility({ visibilityProperty: true });
  const up = (each, truth) => each && (truth(getComputedStyle(each), each) || up(each.parentElement, truth));
  const apart = each => each.closest(".unseen, .skip, svg, canvas, .leaflet-container, option, script")
    || up(each, style => style.clipPath !== "none");
  const scrolls = each => up(each, style => /auto|scroll/.test(style.overflowX + style.overflowY));
  const floats = each => up(each, (style, at) => /fixed|sticky/.test(style.position)
    || (style.position === "absolute" && at.closest("details")));
  const said = each => `${each.tagName} ${(each.textContent ?? "").replace(/\\s+/g, " ").trim().slice(0, 40)}`;
  for (const each of document.querySelectorAll("body *")) {
    const box = each.getBoundingClientRect(), style = getComputedStyle(each);
    if (!shown(each) || !box.width || !box.height || each.clientWidth < 2 || apart(each)) continue;
    const cuts = /hidden|clip/.test(style.overflowX) && style.textOverflow !== "ellipsis" && !("value" in each);
    if (cuts && each.scrollWidth > each.clientWidth + 1) found.push(`cut: ${said(each)}`);
    const out = box.right > wide + 1 || box.left < -1;
    if (out && !floats(each) && !scrolls(each.parentElement)) found.push(`out: ${said(each)}`);
  }
  const texts = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode, at = text.parentElement;
    if (!text.data.trim() || !shown(at) || apart(at) || floats(at) || scrolls(at)) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    for (const box of range.getClientRects()) if (box.height > 1) texts.push([at, box, text.data.trim()]);
  }
  for (const [place, [at, one, words]] of texts.entries()) for (const [other, two, more] of texts.slice(place + 1)) {
    const across = Math.min(one.right, two.right) - Math.max(one.left, two.left);
    const down = Math.min(one.bottom, two.bottom) - Math.max(one.top, two.top);
    const lies = across > 2 && down > Math.min(one.height, two.height) * 0.4;
    if (at !== other && lies) found.push(`over: ${words} / ${more}`);
  }
  for (const link of document.querySelectorAll("main a[href]")) {
    const around = link.parentElement, words = each => each.textContent.trim().length;
    const within = around.matches("p, li, dd, span, small, label") && words(around) > words(link) + 3;
    const sentence = link.closest("mark") || (within && getComputedStyle(link).display === "inline");
    if (!shown(link) || apart(link) || sentence) continue;
    link.scrollIntoView({ block: "center" });
    const box = link.getBoundingClientRect(), x = box.left + Math.min(box.width / 2, 20), y = box.top + box.height / 2;
    const touched = [-21, 21].every(by => link.contains(document.elementFromPoint(x, y + by)));
    if (box.height < 43.5 && !touched) found.push(`low: ${said(link)}`);
  }
  scrollTo(0, 0);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  for (const each of calm ? document.getAnimations() : []) found.push(`moves: ${said(each.effect.target)}`);
  return [...new Set(found)];
})()"""


def misfits(page: Page) -> list[str]:
    """What is cut, out of the screen, over something else, too low to touch or moving though it should not."""
    return list(page.evaluate(MISFITS))


def twice(page: Page) -> list[str]:
    """The misfits of a desk's page at 200 %, and what paper cuts off."""
    found, before = [], page.viewport_size
    assert before is not None
    page.set_viewport_size(DESK_TWICE)
    found += [f"200 %: {each}" for each in misfits(page)]
    page.set_viewport_size(before)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 794, "height": 1123})  # A4, 96 dots an inch
    found += [f"paper: {each}" for each in misfits(page) if not each.startswith("low")]
    if page.locator(".nav:visible, .foot:visible").count():
        found.append("paper: the bar")
    page.emulate_media(media="screen")
    page.set_viewport_size(before)
    return found
