"""THE WINDOW: pages to type, hear, place, send, approve and watch. Vietnamese first.

- Reads through the store, wishes through the desk; it never reaches the station, the clock or MQTT.
- Everything reads and sends without JavaScript; scripts only make pages live.
- Nothing is fetched from elsewhere; every answer carries the guard's headers.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, current_app, url_for
from markupsafe import Markup

from controller.web import (
    acts,
    alive,
    approval,
    asrun,
    audio,
    bookings,
    compose,
    doors,
    figures,
    guard,
    hearing,
    inbox,
    language,
    lexicon,
    listening,
    live,
    nodes,
    panel,
    policy,
    programme,
    programme_edit,
    recording,
    signin,
    teaching,
    times,
    week,
)
from controller.web.guesses import Guesses
from controller.web.news import News
from controller.web.window import Window, window

__all__ = ["Window", "create_app"]

YEAR_SECONDS = 365 * 24 * 3600
ROOMS = (
    *(
        signin,
        language,
        compose,
        recording,
        teaching,
        listening,
        lexicon,
        approval,
        bookings,
        nodes,
        asrun,
        acts,
        live,
        audio,
    ),
    inbox,
    alive,
    week,
    programme,
    programme_edit,
    policy,
)


def create_app(seen: Window) -> Flask:
    """The app over ``seen``. It starts no thread; `controller.web.server.serve` serves it."""
    app = Flask(__name__)
    app.extensions.update(window=seen, hub=live.Hub(News(seen.store)), guesses=Guesses())
    app.config.update(SEND_FILE_MAX_AGE_DEFAULT=YEAR_SECONDS, TEMPLATES_AUTO_RELOAD=False)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    guard.protect(app, seen.settings.state_dir)
    for room in ROOMS:
        app.register_blueprint(room.pages)
    app.context_processor(spoken_in_templates)
    return app


def spoken_in_templates() -> dict[str, Any]:
    """What every template may call."""
    here, tongue = window(), language.chosen()
    now, zone = here.now(), here.settings.zone
    return {
        "t": language.t,
        "t_or": language.t_or,
        "lang": tongue,
        "station": here.settings.station_name,
        "quiet": (here.settings.quiet_since, here.settings.quiet_until),
        "now": now,
        "zone": zone,
        "me": doors.someone(),
        "may": doors.may,
        "version": live.hub_of(current_app).version,
        "shown": lambda at: times.shown(at, now, zone, tongue),
        "minute": lambda at: times.minute(at, zone),
        "second": lambda at: times.second(at, zone),
        "day_of": lambda at: times.day_of(at, now, zone, tongue),
        "figure": lambda value, digits, unit, sign=False: figures.figure(value, digits, unit, tongue, sign),
        "span": lambda seconds: times.span(seconds, tongue),
        "reading_of": hearing.about,
        "why": hearing.why,
        "mark": hearing.mark,
        "short": hearing.short,
        "panel_for": panel.for_change,
        "waiting_count": approval.count_waiting,
        "inbox_count": inbox.count_waiting,
        "file": lambda name: url_for("static", filename=name, v=digest(name)),
        "icon": icon,
    }


@cache
def digest(name: str) -> str:
    """The first digits of a static file's SHA-256: its address changes when it does."""
    return hashlib.sha256((Path(__file__).parent / "static" / name).read_bytes()).hexdigest()[:12]


def icon(name: str) -> Markup:
    """An icon out of the one drawing sheet, for the eye only."""
    sheet = url_for("static", filename="icons.svg", v=digest("icons.svg"))
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>').format(sheet, name)
