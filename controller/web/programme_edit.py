"""Changing a programme on the page: a form with a part for each slot, or its text; looked at before it is applied.

- The whole is judged by the desk (`weigh_programme`); what is wrong is said beside its slot and field.
- Nothing is applied that was not looked at as it stands, nor over what somebody else applied meanwhile.
- Buttons that add, drop and move are plain submits: it works without scripts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError
from controller.rights import Permission
from controller.store.programmes import ProgrammeRow, edition_of
from controller.web import reading, sheet, slot_words, standing
from controller.web.doors import door, may, refused, sees, who
from controller.web.forms import Problem
from controller.web.language import WebError, said, t
from controller.web.programme_faults import fault_of, faults
from controller.web.sheet import Sheet
from controller.web.times import written_day
from controller.web.uploaded_text import uploaded_text
from controller.web.window import window
from schedules.days import Holidays
from schedules.moments import local
from schedules.programme import Fill, Kind, Overrun, Programme
from schedules.programme_change import Change
from schedules.timetable import DAYS, TimetableError
from wire.plan import BulletinClass
from words import Said

pages = Blueprint("programme_edit", __name__)

CLASSES = (BulletinClass.ORDINARY.value, BulletinClass.PRIORITY.value)


@dataclass(frozen=True)
class Looked:
    """What would be applied, what it would change, and the name of exactly this."""

    row: ProgrammeRow
    change: Change
    proof: str


@dataclass(frozen=True)
class Verdict:
    """What is wrong with what was sent (``error``: in the words of who refused it), or what it would do."""

    wrong: tuple[Problem, ...] = ()
    looked: Looked | None = None
    error: Said | None = None


FRESH = Verdict()


@pages.get("/khung-chuong-trinh/<area>/sua")
@door(Permission.PROGRAMME)
def form(area: str) -> ResponseReturnValue:
    """The form as it stands: the programme in force, or the one of ``?ban=`` a day."""
    held = standing.holding(own(area))
    row = held.of_day(request.args.get("ban", "")[:10])
    programme = row.programme if row else Programme(area, t("programme_new_title", area=reading.area_names()[area]))
    begins = max(today(), date.fromisoformat(row.since)) if row else today()
    return page(area, sheet.sheet_of(programme, begins))


@pages.post("/khung-chuong-trinh/<area>/sua")
@door(Permission.PROGRAMME)
def change(area: str) -> ResponseReturnValue:
    """A button of the form: add, drop, move, look at what would change, or apply it."""
    typed, act = sheet.read(request.form), request.form.get("act", "")[:40]
    if act not in ("check", "apply"):
        return page(own(area), sheet.acted(typed, act))
    wrong = faults(typed, own(area), zone_of(area))
    since = since_of(typed.since)
    unread = [Problem("since", t("problem_since"))] if since is None else []
    if wrong or since is None:
        return page(area, typed, Verdict((*unread, *wrong)))
    return settle(area, sheet.text_of(typed, area, zone_of(area)), since, lambda found: page(area, typed, found))


@pages.get("/khung-chuong-trinh/<area>/van-ban")
@door(Permission.PROGRAMME)
def text_form(area: str) -> ResponseReturnValue:
    """The programme as a text."""
    row = standing.holding(own(area)).of_day(request.args.get("ban", "")[:10])
    begins = max(today(), date.fromisoformat(row.since)) if row else today()
    return text_page(area, row.body if row else "", f"{begins:%d/%m/%Y}")


@pages.post("/khung-chuong-trinh/<area>/van-ban")
@door(Permission.PROGRAMME)
def text_change(area: str) -> ResponseReturnValue:
    """The text, or a file with it, looked at or applied."""
    own(area)
    written, typed = request.form.get("text", "").replace("\r\n", "\n"), request.form.get("since", "")[:40]
    try:
        written = uploaded_text(request.files.get("file")) or written
    except WebError as wrong:
        return text_page(area, written, typed, Verdict((Problem("file", said(wrong)),)))
    since = since_of(typed)
    if since is None:
        return text_page(area, written, typed, Verdict((Problem("since", t("problem_since")),)))
    return settle(area, written, since, lambda found: text_page(area, written, typed, found))


def settle(area: str, text: str, since: date, show: Callable[[Verdict], ResponseReturnValue]) -> ResponseReturnValue:
    """Judge what was sent; apply it when that was asked for and it is what was looked at. ``show``: the page again."""
    try:
        looked = look(area, text, since)
        if request.form.get("act") != "apply":
            return show(Verdict(looked=looked))
        if request.form.get("proof", "") != looked.proof:
            return show(Verdict((Problem("change", t("programme_look_again")),), looked))
        edition = request.form.get("edition", "")[:40]
        row = window().desk.apply_programme(text, since, who(), window().now(), edition)
    except (DeskError, TimetableError, WebError) as wrong:
        return show(Verdict((fault_of(wrong, sheet.read(request.form)),), error=wrong))
    flash(t("programme_applied", day=f"{date.fromisoformat(row.since):%d/%m/%Y}"))
    return redirect(url_for("programme.of_area", area=area), 303)


def look(area: str, text: str, since: date) -> Looked:
    """What applying this would do. Raises DeskError, TimetableError, WebError."""
    here = window()
    row = here.desk.weigh_programme(text, since, who(), here.now())
    if row.area != area:
        raise WebError("web.programme_other_area", area=row.area)
    changed = standing.changed_by(row, here.store.programmes.of(area), here.now())
    return Looked(row, changed, standing.proof(row.since, row.body))


def own(area: str, act: Permission = Permission.PROGRAMME) -> str:
    """The area, if it is one in which this person may do that."""
    if window().store.roster.area(area) is None or not sees(area):
        abort(404)
    return area if may(act, area) else refused("programme")


def today() -> date:
    """The day of the station."""
    return local(window().now(), window().settings.zone).date()


def since_of(written: str) -> date | None:
    """The day that was typed, today for none; None when it is no day."""
    return written_day(written) if written.strip() else today()


def zone_of(area: str) -> str:
    """The zone of the area's programme, else the station's."""
    row = standing.holding(area).of_day("")
    return row.programme.zone if row else window().settings.zone


def opened(typed: Sheet, wrong: Sequence[Problem]) -> Sheet:
    """The sheet with those slots open in which something is wrong."""
    numbers = {int(each.field.split("-")[1]) for each in wrong if each.field.startswith("slot-")}
    return replace(typed, opened=frozenset(numbers)) if numbers else typed


def page(area: str, typed: Sheet, found: Verdict = FRESH) -> ResponseReturnValue:
    """The form with what is wrong in it, or what it would change."""
    choices: dict[str, Any] = {
        "kinds": [(each.value, t(f"kind_{each.value}")) for each in Kind],
        "fills": [(each.value, t(f"choose_fill_{each.value}")) for each in Fill],
        "overruns": [(each.value, t(f"choose_overrun_{each.value.replace('-', '_')}")) for each in Overrun],
        "holidays": [(each.value, t(f"choose_holidays_{each.value.replace('-', '_')}")) for each in Holidays],
    }
    view = {"f": opened(typed, found.wrong), "weekdays": DAYS, "classes": CLASSES, "slug": sheet.slug, **choices}
    view["known"] = standing.names_for_items(area)
    return render_template("programme_edit.html", **view, **shared(area, found)), 422 if found.wrong else 200


def text_page(area: str, text: str, since: str, found: Verdict = FRESH) -> ResponseReturnValue:
    """The text with what is wrong in it, or what it would change."""
    line, error = "", found.error
    if isinstance(error, TimetableError):
        found = replace(found, wrong=(Problem("text", said(error)),))
        line = next(iter(text.split("\n")[error.line - 1 :]), "")[:200]
    view = {"text": text, "since": since, "line": line, **shared(area, found)}
    return render_template("programme_text.html", **view), 422 if found.wrong else 200


def shared(area: str, found: Verdict) -> dict[str, Any]:
    """What both pages need. Once told that somebody was faster, a person changes what that one applied."""
    looked, rows = found.looked, window().store.programmes.of(area)
    sent = request.form.get("edition", "")[:40]
    is_overtaken = found.error is not None and found.error.key == "desk.programme_changed"
    edition = sent if sent and not is_overtaken else edition_of(rows)
    later = [row for row in standing.holding(area).later if looked and row.since > looked.row.since]
    view: dict[str, Any] = {"area": area, "names": reading.area_names(), "problems": found.wrong, "looked": looked}
    view |= {"later": later, "words": slot_words, "edition": edition, "is_overtaken": is_overtaken}
    silent = standing.silent(area, [looked.row]) + standing.unsent([looked.row]) if looked else []
    return view | {"silent": silent}
