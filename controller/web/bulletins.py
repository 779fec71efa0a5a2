"""Every announcement there was: looked for by its words, place, kind and time, and used again.

- Accents and capitals do not matter, nor does how a word ends.
- Shown is what was placed where this person speaks, and what they wrote themselves; a draft only to its author.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError
from controller.rights import Permission
from controller.store.finding import Found, Sought
from controller.store.rows import Announcement, AnnouncementState, BookingView
from controller.web import ground, reading, sending
from controller.web.bookings import shared
from controller.web.doors import door, reach, sees, who
from controller.web.forms import Problem, fresh_key
from controller.web.language import said, t
from controller.web.times import moment, written_day
from controller.web.window import window
from schedules.moments import local
from wire.plan import BulletinClass

pages = Blueprint("bulletins", __name__)

PAGE = 20
MOST_CHARS = 200
FIELDS = ("tim", "dia-ban", "loai", "trang-thai", "tu-ngay", "den-ngay")  # of `Asked`, in order
STATES = (
    AnnouncementState.APPROVED,
    AnnouncementState.SUBMITTED,
    AnnouncementState.RETURNED,
    AnnouncementState.DRAFT,
    AnnouncementState.WITHDRAWN,
)


@dataclass(frozen=True)
class Line:
    """An announcement, the day it was written, and its newest booking, if it has one."""

    held: Announcement
    day: date
    view: BookingView | None


@dataclass(frozen=True)
class Asked:
    """The form as it was typed."""

    words: str
    area: str
    kind: str
    state: str
    since: str
    until: str

    @property
    def narrowed(self) -> bool:
        """Whether anything was asked for."""
        return bool(self.words or self.area or self.kind or self.state or self.since or self.until)


@pages.get("/ban-tin")
@door(Permission.READ)
def list_() -> ResponseReturnValue:
    """What was found, the newest first, a page at a time."""
    asked = read()
    if asked.area and not sees(asked.area):
        abort(404)
    wrong: list[Problem] = []
    sought = sought_of(asked, wrong)
    found = window().store.finder.find(sought, PAGE + 1) if not wrong else []
    older = found[PAGE - 1].number if len(found) > PAGE else None
    view = {
        "f": asked,
        "problems": wrong,
        "lines": [line(each) for each in found[:PAGE]],
        "older": address(asked, older) if older else "",
        "newest": address(asked) if sought.below else "",
        "areas": reading.own_areas(),
        "kinds": tuple(BulletinClass),
        "states": STATES,
        "people": ground.people_names(),
    }
    return render_template("bulletins.html", **view, **shared()), 422 if wrong else 200


@pages.post("/ban-tin/<announcement>/dung-lai")
@door(Permission.WRITE, Permission.WARN)
def use_again(announcement: str) -> ResponseReturnValue:
    """A new draft that says the same, opened to be placed; of a form that comes twice the same draft."""
    held = window().store.announcements.get(announcement)
    if held is None or not shown(held):
        abort(404)
    former = next((each.id for each in window().store.bookings.of(held.id)[::-1]), None)
    try:
        draft = sending.used_again(held, who(), window(), request.form.get("key", "")[:64] or fresh_key())
    except DeskError as wrong:
        flash(said(wrong), "wrong")
        return redirect(url_for(".list_"), 303)
    return redirect(url_for("compose.open_", announcement=draft, tu=former), 303)


def read() -> Asked:
    """What was asked for, each field cut to a length that no honest one has."""
    return Asked(*(request.args.get(name, "")[:MOST_CHARS].strip() for name in FIELDS))


def address(asked: Asked, below: int | None = None) -> str:
    """The page that shows what was asked for, from the number ``below`` on."""
    given = {name: value for name, value in zip(FIELDS, astuple(asked), strict=True) if value}
    return f"{url_for('.list_')}?{urlencode(given | ({'truoc': below} if below else {}))}"


def sought_of(asked: Asked, wrong: list[Problem]) -> Sought:
    """The same for the store; what cannot be understood is added to what is ``wrong``."""
    below = request.args.get("truoc", type=int)
    return Sought(
        asked.words,
        (asked.area,) if asked.area else reach(Permission.READ),
        or_by="" if asked.area else who().id,
        bulletin_class=BulletinClass(asked.kind) if asked.kind in tuple(BulletinClass) else None,
        state=AnnouncementState(asked.state) if asked.state in STATES else None,
        since=day_of("since", asked.since, wrong),
        until=day_of("until", asked.until, wrong, timedelta(days=1)),
        below=below if below is not None and 0 <= below < 1 << 62 else None,
        asking=who().id,
    )


def day_of(field: str, written: str, wrong: list[Problem], more: timedelta = timedelta()) -> datetime | None:
    """When that day begins in the station's zone, and ``more``; None where nothing was written."""
    if not written:
        return None
    day = written_day(written)
    begins = moment(day, "0", "0", window().settings.zone) if day else None
    if begins is None:
        wrong.append(Problem(field, t("bulletins_bad_day", written=written[:40])))
        return None
    return begins + more


def line(found: Found) -> Line:
    """What a line of the list shows."""
    rows = window().store.bookings.of(found.announcement.id)
    day = local(found.announcement.created_at, window().settings.zone).date()
    return Line(found.announcement, day, window().store.bookings.view(rows[-1].id) if rows else None)


def shown(held: Announcement) -> bool:
    """Whether whoever is signed in may see this announcement, by the same rules as the list."""
    if held.author == who().id:
        return True
    if held.state in sending.OPEN:
        return False
    homes = window().store.roster.homes()
    placed = {homes.get(area, area) for row in window().store.bookings.of(held.id) for area in row.areas}
    return sees("*") or any(sees(area) for area in placed)
