"""Approval: what waits for a yes, with its text, its sound and where it would be heard."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError
from controller.store.rows import Announcement, AnnouncementState, BookingView, Role
from controller.web import hearing
from controller.web.bookings import concerns_me, shared
from controller.web.doors import door, may, someone, who
from controller.web.language import said
from controller.web.window import window

pages = Blueprint("approval", __name__)

Waiting = tuple[Announcement, list[BookingView]]


@pages.get("/duyet")
@door(Role.APPROVER)
def waiting() -> ResponseReturnValue:
    """Everything that waits for approval in what this person answers for."""
    return page()


@pages.post("/duyet/<announcement>/dong-y")
@door(Role.APPROVER)
def approve(announcement: str) -> ResponseReturnValue:
    """Yes: it is planned as soon as its voice is ready."""
    try:
        window().desk.approve(announcement, who(), window().now())
    except DeskError as wrong:
        return page(announcement, said(wrong))
    return redirect(url_for("approval.waiting"), 303)


@pages.post("/duyet/<announcement>/tra-lai")
@door(Role.APPROVER)
def send_back(announcement: str) -> ResponseReturnValue:
    """No: back to its author, with a reason."""
    try:
        window().desk.return_(announcement, request.form.get("reason", "")[:1000].strip(), who(), window().now())
    except DeskError as wrong:
        return page(announcement, said(wrong))
    return redirect(url_for("approval.waiting"), 303)


def page(about: str = "", problem: str = "") -> ResponseReturnValue:
    """The list, with what went wrong beside the announcement it is about, or above all when that is gone."""
    people = {person.id: person.full_name or person.name for person in window().store.people.all()}
    view: dict[str, Any] = {"items": items(), "people": people, "about": about, "problem": problem}
    view["gone"] = about not in {announcement.id for announcement, _ in view["items"]}
    view |= {"hear": hearing.hearing, "heard_in": heard_in}
    return render_template("approval.html", **view, **shared()), 422 if problem else 200


def items() -> list[Waiting]:
    """Announcements that were submitted, oldest first, with their bookings."""
    found = window().store.announcements.list(state=AnnouncementState.SUBMITTED)
    pairs = [(each, bookings_of(each)) for each in reversed(found)]
    return [(each, bookings) for each, bookings in pairs if any(concerns_me(view) for view in bookings)]


def bookings_of(announcement: Announcement) -> list[BookingView]:
    """Its bookings as they are shown."""
    store = window().store
    views = [store.bookings.view(row.id) for row in store.bookings.of(announcement.id)]
    return [view for view in views if view is not None]


def heard_in(bookings: list[BookingView]) -> list[str]:
    """Every area that any of them names."""
    return [area for view in bookings for area in view.booking.areas]


def count_waiting() -> int:
    """How many wait for this person's yes; 0 for whoever may not give it."""
    return len(items()) if someone() and may(Role.APPROVER) else 0
