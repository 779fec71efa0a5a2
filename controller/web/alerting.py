"""Alerts on the page: a file of a CAP alert is taken in, and what each became can be seen.

- Nothing sounds from here: an alert waits in Approval, or is a draft, or is refused with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.cap import MOST_BYTES, CapError
from controller.desk import DeskError
from controller.rights import Permission
from controller.store.alerts import AlertRow
from controller.store.rows import Announcement, AnnouncementState
from controller.web import ground, reading, sending
from controller.web.doors import door, sees, who
from controller.web.forms import Problem
from controller.web.language import chosen, said, t
from controller.web.window import window
from words import say

pages = Blueprint("alerting", __name__)

SHOWN, AT_ONCE = 20, 200


@dataclass(frozen=True)
class Line:
    """An alert that was taken in, what it became, and where that is to be found."""

    row: AlertRow
    held: Announcement | None
    address: str


@pages.get("/tin-cap")
@door(Permission.WRITE, Permission.WARN)
def list_() -> ResponseReturnValue:
    """The form, and what was taken in lately."""
    return page()


@pages.post("/tin-cap")
@door(Permission.WRITE, Permission.WARN)
def take_in() -> ResponseReturnValue:
    """Take in a file."""
    file = request.files.get("file")
    raw = file.stream.read(MOST_BYTES + 1) if file and file.filename else b""
    if not raw:
        named = file is not None and file.filename
        return page([Problem("file", t("problem_file_empty" if named else "problem_no_file"))])
    try:
        made = window().desk.take_in(raw, who(), window().now())
    except (CapError, DeskError) as wrong:
        return page([Problem("file", said(wrong))])
    flash(t("alert_placed" if made.placed else "alert_drafted" if made.announcement else "alert_took_back"))
    return redirect(url_for("alerting.list_"), 303)


def page(wrong: list[Problem] | None = None) -> ResponseReturnValue:
    """The page; 422 with problems."""
    people = ground.people_names()
    facts = {"problems": wrong or [], "lines": lines(), "people": people, "names": reading.area_names()}
    facts |= {"most_kilobytes": MOST_BYTES // 1000, "notes": notes}
    return render_template("alerting.html", **facts), 422 if wrong else 200


def lines() -> list[Line]:
    """What this person took in, or what is meant for where they read; the newest first."""
    mine = (row for row in all_alerts() if row.taken_by == who().id or any(sees(area) for area in row.areas))
    return [line(row) for row in islice(mine, SHOWN)]


def all_alerts() -> Iterator[AlertRow]:
    """Everything that was taken in, the newest first, read as far as it is asked for."""
    for first in count(0, AT_ONCE):
        some = window().store.alerts.newest(AT_ONCE, first)
        yield from some
        if len(some) < AT_ONCE:
            return


def line(row: AlertRow) -> Line:
    """One of them, with the page where it goes on."""
    store = window().store
    held = store.announcements.get(row.announcement) if row.announcement else None
    if held is None:
        return Line(row, None, "")
    if held.state in sending.OPEN:
        mine = held.author == who().id
        return Line(row, held, url_for("compose.open_", announcement=held.id) if mine else "")
    if held.state is AnnouncementState.SUBMITTED:
        return Line(row, held, url_for("approval.waiting") + f"#title-{held.id}")
    booking = next(iter(store.bookings.of(held.id)), None)
    return Line(row, held, url_for("bookings.sent", booking=booking.id) if booking else "")


def alert_of(announcement: Announcement) -> AlertRow | None:
    """The alert that an announcement was made of."""
    return window().store.alerts.of(announcement.id)


def notes(row: AlertRow) -> list[str]:
    """What a person should know of an alert before it is heard."""
    return [say(f"cap.note_{key}", chosen()) for key in row.notes]
