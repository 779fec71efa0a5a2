"""The public log on the web: no sign-in, no script, nothing but what sounded. Off unless the station's settings say so.

- A day that is open is worked out once a minute, whoever asks; a closed one stands as it was sealed.
- What the settings opened once and no longer do is not read any more: not on a page, nor in a sealed day that holds it.
"""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta

from flask import Blueprint, Response, abort, current_app, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue

from controller import public_log
from controller.public_log import Entry
from controller.store.public_days import PublicDay
from controller.web.doors import someone
from controller.web.downloads import handed_out, safe_cell
from controller.web.language import t
from controller.web.remembered import Remembered
from controller.web.window import window
from schedules import moments

OPEN_SECONDS, CLOSED_SECONDS = 60, 3600  # how long others may keep a page
MOST_DAYS_BACK = 3660
MOST_KEPT = 8  # days in memory
_COLUMNS = ("planned", "began", "seconds", "class", "drill", "order", "title", "words", "sounded", "proven")

pages = Blueprint("public", __name__, url_prefix="/nhat-ky-cong-khai")


@pages.before_request
def is_open() -> None:
    """Nothing is here where the station does not publish."""
    if not window().settings.public_log:
        abort(404)


@pages.get("")
def areas() -> ResponseReturnValue:
    """The areas whose log everybody may read, and the days that are sealed."""
    here = window()
    shown = [each for each in here.store.roster.areas() if public_log.is_published(each.id, here.settings)]
    days = [each for each in here.store.public_days.closed(31) if is_whole(each)]
    return _kept(make_response(render_template("public_areas.html", areas=shown, days=days)), OPEN_SECONDS)


@pages.get("/<area>")
def of_area(area: str) -> ResponseReturnValue:
    """One day of one area, today unless asked."""
    day, entries = _asked(area, request.args.get("ngay", ""))
    closed = window().store.public_days.day(day.isoformat())
    whole = closed is not None and is_whole(closed)
    facts = {"area": area, "day": day, "entries": entries, "closed": closed, "whole": whole, "names": _names()}
    around = {"before": day - timedelta(days=1), "after": day + timedelta(days=1) if day < _today() else None}
    page = make_response(render_template("public_log.html", **facts, **around, office=office))
    return _kept(page, CLOSED_SECONDS if closed else OPEN_SECONDS)


@pages.get("/<area>/<day>.json")
def as_json(area: str, day: str) -> ResponseReturnValue:
    """The same for programs."""
    on, entries = _asked(area, day)
    rows = [
        _row(entry) | {"places": [[each.area, each.sounded, each.proven] for each in entry.places]} for entry in entries
    ]
    return _kept(jsonify(area=area, day=on.isoformat(), entries=rows), OPEN_SECONDS)


@pages.get("/<area>/<day>.csv")
def as_csv(area: str, day: str) -> ResponseReturnValue:
    """The same as a table; no cell is a formula."""
    on, entries = _asked(area, day)
    out = io.StringIO()
    table = csv.DictWriter(out, _COLUMNS)
    table.writeheader()
    for entry in entries:
        table.writerow({name: safe_cell(value) for name, value in _row(entry).items()})
    parts = ("nhat-ky", area, on.isoformat())
    answer = handed_out("\ufeff" + out.getvalue(), parts, "csv", "text/csv; charset=utf-8")
    return _kept(answer, OPEN_SECONDS)


@pages.get("/chung-thuc/<day>.json")
def sealed(day: str) -> ResponseReturnValue:
    """A closed day as the station sealed it, for `loa audit public --verify`; none that holds what is open no more."""
    held = window().store.public_days.day(_day(day).isoformat())
    if held is None or not is_whole(held):
        abort(404)
    return _kept(Response(held.envelope, content_type="application/json"), CLOSED_SECONDS)


def is_whole(closed: PublicDay) -> bool:
    """Whether everything in a sealed day may still be read by everybody: a seal covers all or nothing."""
    settings = window().settings
    if not settings.public_log_areas:
        return True
    known: dict[str, bool] = current_app.extensions.setdefault("whole_days", {})  # a closed day never changes
    if closed.day not in known:
        entries = public_log.read_day(closed.envelope).entries
        known[closed.day] = public_log.still_open(entries, settings) == entries
    return known[closed.day]


def office(entry: Entry) -> str:
    """By whose order, as an office and its area."""
    if not entry.order:
        return t("public_by_programme")
    return (
        t("public_by_station")
        if entry.order == "*"
        else t("public_by_area", area=_names().get(entry.order, entry.order))
    )


def _asked(area: str, day: str) -> tuple[date, list[Entry]]:
    """The day that was asked for and what sounded in the area; 404 for what is not published."""
    here = window()
    if not public_log.is_published(area, here.settings) or here.store.roster.area(area) is None:
        abort(404)
    on = _day(day) if day else _today()
    kept: Remembered[tuple[Entry, ...]] = current_app.extensions["public_log"]
    return on, public_log.within(kept.of(on.isoformat(), here.now(), lambda: _worked_out(on)), area)


def _worked_out(day: date) -> tuple[Entry, ...]:
    here = window()
    closed = here.store.public_days.day(day.isoformat())
    if closed is None:
        return public_log.entries_of(here.store, day, here.settings)
    return public_log.still_open(public_log.read_day(closed.envelope).entries, here.settings)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        abort(404)
    if not timedelta() <= _today() - day <= timedelta(days=MOST_DAYS_BACK):
        abort(404)
    return day


def _today() -> date:
    return moments.local(window().now(), window().settings.zone).date()


def _names() -> dict[str, str]:
    return {each.id: each.name for each in window().store.roster.areas()}


def _row(entry: Entry) -> dict[str, object]:
    zone = window().settings.zone
    return {
        "planned": moments.local(entry.planned, zone).isoformat(),
        "began": moments.local(entry.began, zone).isoformat() if entry.began else "",
        "seconds": entry.seconds,
        "class": entry.bulletin_class,
        "drill": entry.drill,
        "order": office(entry),
        "title": entry.title,
        "words": entry.words,
        "sounded": sum(each.sounded for each in entry.places),
        "proven": sum(each.proven for each in entry.places),
    }


def _kept(answer: Response, seconds: int) -> Response:
    kept_by = "private" if someone() else "public"  # whoever is signed in has their name at the top of the page
    answer.headers["Cache-Control"] = f"{kept_by}, max-age={seconds}"
    answer.headers["Vary"] = "Cookie"  # the language
    return answer
