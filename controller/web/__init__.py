"""THE WINDOW: pages to type, hear, place, send, approve and watch. Vietnamese first.

- Reads through the store, wishes through the desk; it never reaches the station, the clock or MQTT.
- Everything reads and sends without JavaScript; scripts only make pages live.
- Nothing is fetched from elsewhere; every answer carries the guard's headers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask import Flask, current_app, request, url_for
from markupsafe import Markup

from controller.web import (
    account,
    acts,
    admission,
    alarm_words,
    alarms,
    alerting,
    alive,
    api,
    approval,
    areas,
    asrun,
    assets,
    atlas,
    audio,
    away,
    bookings,
    bulletins,
    calendar,
    compose,
    doors,
    enrolling,
    factors,
    figures,
    forms,
    guard,
    hearing,
    home,
    inbox,
    keys,
    known,
    language,
    lexicon,
    listening,
    live,
    machine,
    navigation,
    nodes,
    notices,
    overview,
    panel,
    people,
    plain,
    policy,
    programme,
    programme_edit,
    proof,
    public,
    recording,
    reports,
    rights_words,
    second,
    settings,
    signin,
    sites,
    teaching,
    times,
    tokens,
    unheard,
    upkeep,
    week,
)
from controller.web.drawn import Drawn, once
from controller.web.guesses import Guesses
from controller.web.hub import Hub
from controller.web.news import News
from controller.web.on_air import OnAir
from controller.web.remembered import Remembered
from controller.web.window import Window, window

__all__ = ["Window", "create_app"]

MOST_ICONS = 200
ROOMS = (
    *(
        signin,
        language,
        home,
        calendar,
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
        assets,
    ),
    second,
    proof,
    factors,
    inbox,
    bulletins,
    account,
    alive,
    week,
    programme,
    programme_edit,
    policy,
    enrolling,
    admission,
    people,
    public,
    notices,
    unheard,
    reports,
    plain,
    keys,
    alarms,
    overview,
    alerting,
    areas,
    away,
    atlas,
    tokens,
    upkeep,
    machine,
    settings,
)


def create_app(seen: Window) -> Flask:
    """The app over ``seen``. It starts no thread; `controller.web.server.serve` serves it.

    Raises WebError ``web.not_built``.
    """
    app = Flask(__name__, static_folder=None)
    assets.manifest()
    app.extensions.update(
        window=seen,
        hub=Hub(News(seen.store)),
        guesses=Guesses(),
        public_log=Remembered(public.MOST_KEPT),
        on_air=OnAir(),
        drawn=Drawn(),
        availability=overview.Remembered(),
    )
    app.extensions["notices"] = Remembered(notices.MOST_KEPT)
    app.config.update(TEMPLATES_AUTO_RELOAD=False)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    known.look_once(app)
    guard.protect(app, seen.settings.state_dir)
    proof.stand_before(app)
    for room in ROOMS:
        app.register_blueprint(room.pages)
    api.serve(app)
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
        "own_place": doors.own_place,
        "held_now": lambda: rights_words.held_now(doors.who(), now),
        "site": sites.site(),
        "version": live.version(),
        "live_from": live_from,
        "live_only": live.asks_again(),
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
        "nav_bar": navigation.bar,
        "cause_name": alarm_words.name_of,
        "next_step": alarm_words.next_step,
        "key_worries": keys.told,
        "file": assets.address,
        "icon": icon,
        "once": once,
        "fresh_key": forms.fresh_key,
    }


def live_from() -> str:
    """Where a page that cannot be asked for again gets its counts; empty: itself.

    It was the answer to a form; or it shows a draft, which is none any more as soon as it is sent.
    """
    adapter = current_app.create_url_adapter(request)
    asked_again = request.method == "GET" or adapter is None or adapter.test(request.path, "GET")
    return "" if asked_again and request.endpoint != "compose.open_" else url_for("live.counts")


def icon(name: str) -> Markup:
    """An icon out of the one drawing sheet, for the eye only."""
    return _icon(assets.address("icons.svg"), name)


@lru_cache(maxsize=MOST_ICONS)
def _icon(sheet: str, name: str) -> Markup:
    """Kept, since one page shows hundreds."""
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>').format(sheet, name)
