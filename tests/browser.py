"""A real browser against the real app on a real socket: Debian's chromium, driven by Playwright.

- The one without windows where there is one: the same engine in half the processor's time.
- A page is watched from its first request: what it asks of another origin, logs as an error or throws is kept.
- Clicks are a person's: a thing that is hidden or covered cannot be clicked.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from makers_web import Town, settled_town
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, expect, sync_playwright

from controller.web.server import Server, serve

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1366, "height": 850}
LIVE_MS = 60_000  # for what a page is told: it comes sooner, but on a busy machine
# a page that is not told looks by itself every 15 s (live.js); here it does not, so that being told is what is seen
TOLD_ONLY = """const every = window.setInterval;
window.setInterval = (act, ms, ...more) => every(act, ms === 15000 ? 2 ** 30 : ms, ...more);"""
expect.set_options(timeout=60_000)  # what comes at all comes soon; a busy machine is no reason to say that it did not
# the page went on to another in the middle of the question; the page that has the thing is not here yet
NOT_THERE_YET = ("context was destroyed", "Cannot read properties of null")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """A browser, ended with the block; ``more`` are flags of its own."""
    usual = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*usual, *more])
        yield browser
        browser.close()


@dataclass
class Place:
    """A town that is served, and a browser to visit it with. ``troubles`` must stay empty."""

    town: Town
    server: Server
    browser: Browser
    troubles: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)
    host: str = "127.0.0.1"

    @property
    def address(self) -> str:
        """Where the town is served."""
        return f"http://{self.host}:{self.server.port}"

    def visitor(
        self, who: str | None = None, screen: dict[str, int] = DESKTOP, scripts: bool = True, looks: bool = False
    ) -> Page:
        """A page of its own browser profile, signed in as ``who``. ``looks``: by itself too, when it is not told."""
        context = self.browser.new_context(
            viewport=screen, locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh", java_script_enabled=scripts
        )
        self.contexts.append(context)
        context.set_default_timeout(60_000)
        if not looks:
            context.add_init_script(TOLD_ONLY)
        if who:
            context.add_cookies([{"name": "loa_phien", "value": self.town.session(who), "url": self.address}])
        page = context.new_page()
        page.on("request", lambda request: self._judge(request.url))
        page.on("pageerror", lambda error: self.troubles.append(f"thrown: {error}"))
        page.on("console", self._hear)
        return page

    def _hear(self, line: ConsoleMessage) -> None:
        if line.type in ("error", "warning"):
            self.troubles.append(f"console: {line.text} {line.location.get('url', '')}")

    def _judge(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.troubles.append(f"asked elsewhere: {url}")

    def leave(self) -> None:
        """Close every page, then the server."""
        for context in self.contexts:
            context.close()
        self.server.stop()
        self.town.store.close()


@contextmanager
def place(browser: Browser, settled: bool = True) -> Iterator[Place]:
    """A fresh town, served; everything is ended with the block."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        town = stack.enter_context(settled_town(folder)) if settled else Town(folder)
        made = Place(town, serve(town.app(), "127.0.0.1", 0), browser)
        try:
            yield made
        finally:
            made.leave()


def all_here(page: Page) -> Page:
    """The page, when all of it has come: a click waits until the next page begins, not until it can be looked at."""
    page.wait_for_load_state()
    return page


def violations(page: Page) -> list[str]:
    """What axe finds on the page: rule, how often, the first piece."""
    all_here(page)
    found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    return [f"{each['id']} ×{len(each['nodes'])}: {each['nodes'][0]['html'][:160]}" for each in found]


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its screen."""
    return int(all_here(page).evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def small_targets(page: Page) -> list[str]:
    """Controls that are shown lower than 44 px; links in running text and in lists are not among them."""
    controls = "button, select, summary, textarea, .button, .nav a, .chip, .tick, .kind, .field > input"
    return list(
        all_here(page).evaluate(
            """controls => [...document.querySelectorAll(controls)]
               .filter(each => each.checkVisibility() && each.getBoundingClientRect().height < 43.5)
               .map(each => each.outerHTML.slice(0, 120))""",
            controls,
        )
    )


def until(page: Page, truth: str, seconds: float = 60) -> None:
    """Wait until the expression is true on the page. (Playwright's own wait evaluates text, which the CSP forbids.)"""
    deadline = time.monotonic() + seconds
    while not _holds(page, truth):
        assert time.monotonic() < deadline, f"never true: {truth}"
        page.wait_for_timeout(50)


def _holds(page: Page, truth: str) -> bool:
    try:
        return bool(page.evaluate(truth))
    except Error as wrong:
        if not any(each in str(wrong) for each in NOT_THERE_YET):
            raise
        return False
