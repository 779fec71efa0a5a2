"""The lexicon on the page: how words of a place are read; found, heard, taught, changed and forgotten.

- Shown is what was taught for a person's own area, for what it lies in (only to be read), and for what lies in it.
- To change a reading is to teach it again; the form is one, and what is refused is said beside its field.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError
from controller.newsroom import spoken
from controller.rights import Permission
from controller.roster import Area
from controller.store.finding import plain
from controller.store.lexicon import EVERYWHERE, Reading
from controller.web import ground, listening, reading
from controller.web.doors import door, may, own_place, reach, who
from controller.web.forms import Problem
from controller.web.language import said, t
from controller.web.window import window

pages = Blueprint("lexicon", __name__)

MOST_SHOWN = 200
MOST_CHARS = 200
FIELD_OF = {"desk.bad_written": "written", "desk.bad_reading": "reading"}


@dataclass(frozen=True)
class Typed:
    """The form as it was typed; ``known`` when it is about a reading that stands already."""

    written: str = ""
    reading: str = ""
    area: str = ""
    known: bool = False


@pages.get("/tu-dien")
@door(Permission.READ)
def list_() -> ResponseReturnValue:
    """The readings, those searched for; the form holds the one to be changed, if one is named."""
    named = one(request.args.get("dia-ban-sua", ""), request.args.get("sua", ""))
    if named is None or not may(Permission.WRITE, named.area):
        return page(Typed(area=own_place()))
    return page(Typed(named.written, named.spoken, named.area, known=True))


@pages.post("/tu-dien")
@door(Permission.WRITE)
def teach() -> ResponseReturnValue:
    """From now on it is read so."""
    written, read, area = (request.form.get(field, "")[:MOST_CHARS] for field in ("written", "reading", "area"))
    typed = Typed(written, read, area)
    try:
        taught = window().desk.teach(typed.area, typed.written, typed.reading, who(), window().now())
    except DeskError as wrong:
        return page(typed, [Problem(FIELD_OF.get(wrong.key, "area"), said(wrong))])
    flash(t("taught", written=taught.written, spoken=taught.spoken))
    return redirect(url_for("lexicon.list_"), 303)


@pages.post("/tu-dien/bo")
@door(Permission.WRITE)
def forget() -> ResponseReturnValue:
    """It is read by the rules again, or as a larger area says."""
    area, written = (request.form.get(field, "")[:MOST_CHARS] for field in ("area", "written"))
    try:
        window().desk.unteach(area, written, who(), window().now())
    except DeskError as wrong:
        return page(Typed(area=own_place()), [Problem("area", said(wrong))])
    flash(t("untaught", written=written))
    return redirect(url_for("lexicon.list_", tim=request.form.get("tim", "")[:MOST_CHARS] or None), 303)


@pages.get("/tu-dien/nghe")
@door(Permission.READ)
def hear() -> ResponseReturnValue:
    """A reading that was taught, as it will sound."""
    found = one(request.args.get("dia-ban", ""), request.args.get("tu", ""))
    return listening.sample(spoken(found.spoken).text) if found else abort(404)


def one(area: str, written: str) -> Reading | None:
    """The reading of exactly that, among those shown to this person."""
    return next((each for each in around() if (each.area, each.written) == (area, written)), None)


def around() -> list[Reading]:
    """What was taught for what this person reads of, above and below it; in order of the written form."""
    found = {each for area in reach(Permission.READ) for each in window().store.lexicon.around(area)}
    return sorted(found, key=lambda each: (each.written, each.area))


def page(typed: Typed, wrong: list[Problem] | None = None) -> ResponseReturnValue:
    """The list and the form; 422 when something is wrong with it."""
    area, wanted = request.args.get("dia-ban", "")[:MOST_CHARS], request.args.get("tim", "")[:MOST_CHARS]
    found = search(around(), area, wanted)
    view = {
        "f": typed,
        "problems": wrong or [],
        "readings": found[:MOST_SHOWN],
        "total": len(found),
        "area": area,
        "wanted": wanted,
        "areas": reading.own_areas(Permission.WRITE),
        "everywhere": EVERYWHERE,
        "places": places_of(found),
        "names": {**reading.area_names(), EVERYWHERE: t("all_areas")},
        "people": ground.people_names(),
    }
    return render_template("lexicon.html", **view), 422 if wrong else 200


def search(readings: list[Reading], area: str, wanted: str) -> list[Reading]:
    """Those of ``area`` (empty: any) in which ``wanted`` stands; accents and capitals do not matter."""
    words = plain(wanted)
    kept = [each for each in readings if area in ("", each.area)]
    return [each for each in kept if words in plain(each.written) or words in plain(each.spoken)]


def places_of(readings: list[Reading]) -> list[Area]:
    """The areas that have a reading, for the filter."""
    taught = {each.area for each in readings}
    return [area for area in window().store.roster.areas() if area.id in taught]
