"""“I could not hear it”: a form for whoever lives there, without a name; and the list of it for those who answer.

- The public form is on exactly when the public page is. One address tells only so much in a quarter of an hour.
"""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError
from controller.desk.listeners import ANSWERING, MOST_WORDS_CHARS
from controller.rights import Permission
from controller.roster import Area
from controller.store.unheard import Ailment
from controller.web import ground, known, notices, reading
from controller.web.doors import door, may, reach, sees, who
from controller.web.forms import Problem
from controller.web.known import numbers
from controller.web.language import said, t
from controller.web.window import window
from wire.names import lies_within

PAGE = 50

pages = Blueprint("unheard", __name__)


@pages.get("/thong-bao/<area>/khong-nghe")
def form(area: str) -> ResponseReturnValue:
    """An empty form."""
    return page(notices.public_area(area))


@pages.post("/thong-bao/<area>/khong-nghe")
def tell(area: str) -> ResponseReturnValue:
    """Keep what was said."""
    held, here = notices.public_area(area), window()
    where, kind = request.form.get("where", "")[:200] or held.id, request.form.get("kind", "")
    words, about = request.form.get("words", "")[: MOST_WORDS_CHARS + 1], request.form.get("about", "")[:40]
    if kind not in tuple(Ailment):
        return page(held, [Problem("kind", t("unheard_which"))])
    if not lies_within(where, held.id):
        return page(held, [Problem("where", t("unheard_where_else"))])
    booking = about if any(each.held.id == about for each in notices.recent(held)) else None
    try:
        row = here.desk.tell_unheard(where, Ailment(kind), words, booking, here.now())
    except DeskError as wrong:
        return page(held, [Problem("words" if wrong.key == "desk.unheard_too_long" else "where", said(wrong))])
    return render_template("unheard_thanks.html", area=held, row=row)


@pages.get("/phan-anh")
@door(Permission.READ)
def list_() -> ResponseReturnValue:
    """What was said in this person's areas, the newest first; what is open, unless all is asked for."""
    return listed()


def listed(problems: list[Problem] | None = None) -> ResponseReturnValue:
    """The list, with what was wrong with an answer."""
    area, all_of_it = request.args.get("dia-ban", "")[:200], request.args.get("tat-ca") == "1"
    if area and not sees(area):
        abort(404)
    where = (area,) if area else reach(Permission.READ)
    rows = window().store.unheard.told(where, not all_of_it, _before(), PAGE + 1)
    more = f"{rows[PAGE - 1].told_at.isoformat()}/{rows[PAGE - 1].id}" if len(rows) > PAGE else ""
    titles = {each: window().store.announcements.get(each) for each in {row.announcement for row in rows} if each}
    view = {"names": reading.area_names(), "areas": reading.own_areas(), "area": area, "all_of_it": all_of_it}
    view |= {"people": ground.people_names()}
    view["public"] = window().settings.public_bulletins
    view |= {"rows": rows[:PAGE], "more": more, "titles": titles, "may_answer": may_answer, "problems": problems or []}
    return render_template("unheard.html", **view), 422 if problems else 200


@pages.post("/phan-anh/<unheard>/tra-loi")
@door(*ANSWERING)
def answer(unheard: str) -> ResponseReturnValue:
    """Say what came of it."""
    held = window().store.unheard.get(unheard)
    if held is None or not may_answer(held.area):
        abort(404)
    try:
        window().desk.answer_unheard(held.id, request.form.get("answer", "")[:1000], who(), window().now())
    except DeskError as wrong:
        return listed([Problem(f"answer-{held.id}", said(wrong))])
    flash(t("unheard_answered"))
    return redirect(url_for("unheard.list_"), 303)


def may_answer(area: str) -> bool:
    """Whether whoever is signed in may answer what was said there."""
    return any(may(act, area) for act in ANSWERING)


def count_waiting() -> int:
    """How many in the areas that this person answers for wait for an answer."""
    areas = frozenset(area for act in ANSWERING for area in reach(act))
    at = numbers().of("unheard")
    return known.of(("unheard", areas), at, lambda: window().store.unheard.waiting(areas)) if areas else 0


def page(area: Area, problems: list[Problem] | None = None) -> ResponseReturnValue:
    """The form, as it was typed."""
    below = [each for each in window().store.roster.areas() if each.id != area.id and lies_within(each.id, area.id)]
    view = {"area": area, "below": below, "kinds": tuple(Ailment), "most": MOST_WORDS_CHARS}
    view |= {"about": request.values.get("about", "")[:40], "recent": notices.recent(area)[:10]}
    return render_template("unheard_form.html", problems=problems or [], **view), 422 if problems else 200


def _before() -> tuple[datetime, str] | None:
    at, _, name = request.args.get("truoc", "")[:80].partition("/")
    try:
        before = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (before, name) if before.tzinfo else None
