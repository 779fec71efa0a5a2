"""Map: how long a real browser takes until thousands of loudspeakers stand on the map, beside a bare canvas.

- Counted on the page itself, from the points' arrival until the frame after they were drawn; the server is timed apart.
- The floor is the same browser drawing as many circles on a canvas of the same size, without Leaflet, in turns.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import shutil
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bench.results import Figure, Measurement
from bench.town import furnish, node_name
from controller import bootstrap
from controller.rights import EVERYWHERE, Grant, Role
from controller.settings import Settings
from controller.store import Store
from controller.store.positions import Position
from controller.store.rows import Session, User
from controller.web import Window, create_app
from controller.web.server import serve
from wire.presence import Presence, State
from words import Said

if TYPE_CHECKING:
    from playwright.sync_api import Page

POINTS, QUICK_POINTS = 3_000, 200
ROUNDS, QUICK_ROUNDS = 7, 2
MOST_MS = 1000.0
WAIT_SECONDS = 60.0

_BARE = """async (count) => {
  const like = document.querySelector("#map canvas"), sheet = document.createElement("canvas");
  sheet.width = like.width; sheet.height = like.height;
  document.getElementById("map").append(sheet);
  await new Promise(requestAnimationFrame);
  const began = performance.now(), pen = sheet.getContext("2d");
  for (let each = 0; each < count; each++) {
    pen.beginPath();
    pen.arc((each * 7919) % sheet.width, (each * 104729) % sheet.height, 5, 0, 2 * Math.PI);
    pen.fillStyle = "#1b6e3c"; pen.fill(); pen.strokeStyle = "#fff"; pen.stroke();
  }
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const took = performance.now() - began;
  sheet.remove();
  return took;
}"""


def measure(quick: bool) -> Measurement:
    """The map of POINTS nodes. Raises Said where there is no browser."""
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError as missing:
        raise Said("bench.no_program", program="playwright") from missing
    chromium = shutil.which("chromium")
    if chromium is None:
        raise Said("bench.no_program", program="chromium")
    points, rounds = (QUICK_POINTS, QUICK_ROUNDS) if quick else (POINTS, ROUNDS)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(state_dir=Path(folder))
        store = bootstrap.open_store(settings)
        token = _furnished(store, points)
        server = serve(create_app(window_of(settings, store)), "127.0.0.1", 0)
        try:
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                address = f"http://127.0.0.1:{server.port}"
                context = browser.new_context(viewport={"width": 1366, "height": 850}, reduced_motion="reduce")
                context.add_cookies([{"name": "loa_phien", "value": token, "url": address}])
                found = [_round(context.new_page(), address, points) for _ in range(rounds)]
                browser.close()
        finally:
            server.stop()
            store.close()
    return _told(found, points)


def _told(found: list[tuple[float, float, float]], points: int) -> Measurement:
    drawn, bare, answered = (statistics.median(each) for each in zip(*found, strict=True))
    ratio = statistics.median(one / other for one, other, _ in found)
    figures = (
        Figure(f"{points} points on the map, median", drawn, "ms", most=MOST_MS),
        Figure("as many circles on a bare canvas, median", bare, "ms"),
        Figure("map × bare canvas, median of neighbouring rounds", ratio, "x"),
        Figure("the points from the server, median", answered, "ms"),
    )
    return Measurement("map", figures)


def _round(page: Page, address: str, points: int) -> tuple[float, float, float]:
    """Milliseconds: the map, the bare canvas, the server's answer."""
    page.goto(f"{address}/cum-loa/ban-do")
    until = time.monotonic() + WAIT_SECONDS
    while page.evaluate("document.getElementById('map').dataset.drawn") is None and time.monotonic() < until:
        page.wait_for_timeout(20)
    drawn = float(page.evaluate("document.getElementById('map').dataset.drawn"))
    bare = float(page.evaluate(_BARE, points))
    entry = "performance.getEntriesByType('resource').find((each) => each.name.includes('ban-do.json'))"
    answered = float(page.evaluate(f"{entry}.responseEnd - {entry}.requestStart"))
    page.close()
    return drawn, bare, answered


def window_of(settings: Settings, store: Store) -> Window:
    """What a console over this store sees; no station is behind it."""
    from controller.studio import Archive
    from controller.studio.peaks import Outlines

    return Window(
        *(bootstrap.make_desk(settings, store), store, settings.shelf_dir, settings, lambda: datetime.now(UTC)),
        sampler=bootstrap.make_sampler(settings),
        outlines=Outlines(settings.state_dir / "outlines"),
        archive=Archive(settings.recordings_dir),
        receive=bootstrap.make_reception(settings, store).receive,
    )


def _furnished(store: Store, points: int) -> str:
    """Nodes that are spread over the country, half of them heard of, and a session of somebody who sees them."""
    now = datetime.now(UTC)
    furnish(store, points)
    grants = (Grant("g-operator", Role.OPERATOR, EVERYWHERE, "u2", now),)
    store.people.add(User("u2", "lan", "*", now, grants=grants))
    where = ((0.9 * math.sqrt(each / points), each * 2.4) for each in range(points))
    places = [(21.8 + away * math.cos(turn), 106.6 + away * math.sin(turn)) for away, turn in where]
    store.positions.put([Position(node_name(each), *at, "u2", now) for each, at in enumerate(places)])
    states = (State.ONLINE, State.OFFLINE)
    heard = [Presence(node_name(each), states[each % 2], "b", now, "0.1.0") for each in range(0, points, 2)]
    store.health.take_presence(heard, now)
    token = secrets.token_urlsafe(32)
    hashed = hashlib.sha256(token.encode()).hexdigest()
    store.people.open_session(Session(hashed, "u2", now, now + timedelta(hours=1), "bench", now, now), now)
    return token
