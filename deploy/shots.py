"""`./run shots`: every page of the console in pictures, on a phone and on a desk, written to ``docs/shots/``.

- The station is made for it in a temporary folder (`shot_town`, `shot_week`) and served on a port of this machine.
- Debian's chromium draws, with the clock of the town; ffmpeg takes the colours down, so that a picture stays small.
- A page that does not answer, logs an error or is wider than its screen is named, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from shot_list import SHOTS, Shot
from shot_town import ShotTown
from shot_week import LONG_TEXT, happen

from controller.web import create_app
from controller.web.server import serve
from words import Said, say, system_language

TOP = Path(__file__).parent.parent
INTO = TOP / "docs" / "shots"
SCREENS = {"phone": ViewportSize(width=360, height=740), "desk": ViewportSize(width=1366, height=768)}
COLOURS = (32, 20, 14)
FEWEST_DOTS = 12  # of a colour that is more than the edge of a letter
KEPT = ("bad", "warn", "good", "bad-wash", "warn-wash")  # the colours of states in look.css: red stays red
LOOK = TOP / "controller" / "web" / "front" / "look.css"
PAPER = 48  # the edge of a printed page
MOST_BYTES, MOST_ALL_BYTES = 80_000, 4_000_000
DEVICES = {"phone": "Chrome · Android", "desk": "Firefox · Windows"}


class ShotError(Said):
    """A page that cannot be shown, or a picture that is too large."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the pictures. Exit code 1: a sentence for each that could not be taken."""
    wanted, language = _parser().parse_args(arguments), system_language()
    wrongs: list[Said] = []
    with tempfile.TemporaryDirectory() as folder:
        town = ShotTown(Path(folder))
        try:
            count = taken(town, wanted.into, set(wanted.names), wrongs)
        finally:
            town.close()
    sys.stderr.write("".join(f"{wrong.say(language)}\n" for wrong in wrongs))
    sys.stdout.write(say("supply.shots", language, count=count, into=wanted.into) + "\n")
    return 1 if wrongs else 0


def taken(town: ShotTown, into: Path, only: set[str], wrongs: list[Said]) -> int:
    """Pictures of the pages named (none: of all), in ``into``; how many. What went wrong is added to ``wrongs``."""
    things = happen(town)
    into.mkdir(parents=True, exist_ok=True)
    server = serve(create_app(town.window()), "127.0.0.1", 0)
    made = 0
    try:
        with _browser() as browser:
            visitors = Visitors(browser, town, server.port)
            for shot in (each for each in SHOTS if not only or each.name in only):
                for screen in shot.screens:
                    try:
                        with visitors.page(shot, screen) as page:
                            _visit(page, shot, town, things)
                            _keep(page, shot, into / f"{shot.name}-{screen}.png")
                        made += 1
                    except ShotError as wrong:
                        wrongs.append(wrong)
                    except (AssertionError, PlaywrightError) as wrong:
                        why = str(wrong).partition("\n")[0]
                        wrongs.append(ShotError("supply.shot_trouble", path=shot.path, why=why))
    finally:
        server.stop()
    if sum(each.stat().st_size for each in into.glob("*.png")) > MOST_ALL_BYTES:
        wrongs.append(ShotError("supply.shots_too_large", name=into.name, most=MOST_ALL_BYTES))
    return made


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield found
        found.close()


@dataclass
class Visitors:
    """Who looks: one profile of the browser for a person and a screen, signed in once."""

    browser: Browser
    town: ShotTown
    port: int
    _known: dict[tuple[str, str], BrowserContext] = field(default_factory=dict)

    @contextmanager
    def page(self, shot: Shot, screen: str) -> Iterator[Page]:
        """A page for this picture; what went wrong on it is raised at its end. Raises ShotError."""
        troubles = list[str]()
        page = self._of(shot.who, screen).new_page()
        page.clock.set_fixed_time(self.town.now)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda line: troubles.append(line.text) if line.type == "error" else None)
        try:
            yield page
        finally:
            page.close()
        if troubles:
            raise ShotError("supply.shot_trouble", path=shot.path, why=troubles[0])

    def _of(self, who: str, screen: str) -> BrowserContext:
        if (who, screen) in self._known:
            return self._known[who, screen]
        origin = f"http://127.0.0.1:{self.port}"
        made = self.browser.new_context(
            viewport=SCREENS[screen],
            locale="vi-VN",
            timezone_id=self.town.settings.zone,
            reduced_motion="reduce",
            base_url=origin,
            service_workers="block",
        )
        if who:
            token = self.town.signed_in(getattr(self.town, who), DEVICES[screen])
            made.add_cookies([{"name": "loa_phien", "value": token, "url": origin}])
        self._known[who, screen] = made
        return made


def _visit(page: Page, shot: Shot, town: ShotTown, things: dict[str, str]) -> None:
    path = shot.path.format(**things)
    answer = page.goto(path)
    if answer is None or answer.status != 200:
        raise ShotError("supply.shot_trouble", path=path, why=answer.status if answer else "–")
    if shot.act:
        ACTS[shot.act](page, town)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wider > 0 and shot.act != "print":
        raise ShotError("supply.shot_trouble", path=path, why=f"+{wider} px")
    page.evaluate("document.fonts.ready.then(() => true)")


def _read(page: Page, town: ShotTown) -> None:
    """A text is typed, and its reading looked at."""
    page.locator("textarea[name=text]").fill(f"{LONG_TEXT} Liên hệ ông Triệu A Vàng, ban QLDA.")
    page.locator("#hear-button").click()
    expect(page.locator(".spoken")).to_be_visible()
    town.work()  # the station makes the voice
    expect(page.locator("#sound audio, #sound .player").first).to_be_attached(timeout=20_000)
    page.evaluate("document.activeElement.blur()")


def _print(page: Page, _town: ShotTown) -> None:
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 1123, "height": 794})  # A4 on its side, 96 dots an inch


def _map(page: Page, _town: ShotTown) -> None:
    expect(page.locator("#map[data-drawn]")).to_be_attached()


ACTS: dict[str, Callable[[Page, ShotTown], None]] = {"read": _read, "print": _print, "map": _map}


def _keep(page: Page, shot: Shot, path: Path) -> None:
    """The whole page, at most so high, with few colours."""
    height = min(shot.most, int(page.evaluate("document.documentElement.scrollHeight")))
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": size["width"], "height": max(height, size["height"])})
    page.evaluate("window.scrollTo(0, 0)")
    raw = path.with_suffix(".raw.png")
    page.screenshot(path=raw, animations="disabled", caret="hide")
    around = f"pad=iw+{2 * PAPER}:ih+{2 * PAPER}:{PAPER}:{PAPER}:white," if shot.act == "print" else ""
    try:
        for colours in COLOURS:  # a page of much small print takes fewer
            _reduce(raw, path, around, colours)
            if path.stat().st_size <= MOST_BYTES:
                return
    finally:
        os.unlink(raw)
    raise ShotError("supply.shots_too_large", name=path.name, most=MOST_BYTES)


def _reduce(raw: Path, path: Path, around: str, colours: int) -> None:
    """Few colours, and among them those of states that the picture has."""
    seen = Counter(memoryview(_ffmpeg("-i", raw, "-f", "rawvideo", "-pix_fmt", "bgra", "-")).cast("I"))
    kept = [each for each in _state_colours() if seen[each] >= FEWEST_DOTS]
    few = f"{around}palettegen=max_colors={colours - len(kept)}:reserve_transparent=0"
    made = _ffmpeg("-i", raw, "-vf", few, "-f", "rawvideo", "-pix_fmt", "bgra", "-")
    table = list(dict.fromkeys([*kept, *memoryview(made).cast("I")[: colours - len(kept)]]))
    palette = struct.pack("=256I", *table, *[table[-1]] * (256 - len(table)))
    use = ["-lavfi", f"[0]{around}null[a];[a][1]paletteuse=dither=none", "-pred", "none", "-compression_level", "9"]
    given = ["-f", "rawvideo", "-pix_fmt", "bgra", "-video_size", "16x16", "-i", "-"]
    _ffmpeg("-y", "-i", raw, *given, *use, path, told=palette)


def _state_colours() -> list[int]:
    """As dots of a picture: blue, green, red and whole."""
    look = dict(re.findall(r"--([\w-]+): #([0-9a-f]{6});", LOOK.read_text("utf-8")))
    dots = [bytes.fromhex(look[name])[::-1] + b"\xff" for name in KEPT]
    return [int.from_bytes(each, sys.byteorder) for each in dots]


def _ffmpeg(*arguments: str | Path, told: bytes = b"") -> bytes:
    ran = ["ffmpeg", "-v", "error", *map(str, arguments)]
    return subprocess.run(ran, input=told, stdout=subprocess.PIPE, check=True).stdout


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run shots", description=say("supply.about_shots", system_language()))
    parser.add_argument("names", nargs="*", metavar="TEN", help=say("supply.shot_names", system_language()))
    parser.add_argument("--into", type=Path, default=INTO, help=say("supply.shots_into", system_language()))
    return parser


if __name__ == "__main__":
    sys.exit(main())
