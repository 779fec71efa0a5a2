"""Approval: what waits for a yes, with its text, its sound and where it would be heard."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError
from controller.desk.reach import to_approve
from controller.rights import Permission
from controller.store.rows import Announcement, BookingView
from controller.web import alerting, ground, hearing, reading
from controller.web.bookings import shared
from controller.web.doors import door, may, reach, someone, who
from controller.web.language import said
from controller.web.window import window

pages = Blueprint("approval", __name__)

MOST_PASSPHRASE = 1024  # characters
UNSEEN = 0  # no version: a form that does not say what its reader saw is none of today's
FIELD_OF = {"desk.no_reason": "reason", "desk.reason_too_long": "reason", "keys.wrong_passphrase": "words"}

Waiting = tuple[Announcement, list[BookingView]]


@pages.get("/duyet")
@door(Permission.APPROVE, Permission.WARN)
def waiting() -> ResponseReturnValue:
    """Everything that waits for approval in what this person answers for."""
    return page()


@pages.post("/duyet/<announcement>/dong-y")
@door(Permission.APPROVE, Permission.WARN)
def approve(announcement: str) -> ResponseReturnValue:
    """Yes to what the page showed: it is planned as soon as its voice is ready."""
    try:
        passphrase = request.form.get("passphrase", "")[:MOST_PASSPHRASE]
        seen = request.form.get("seen", UNSEEN, type=int)
        window().desk.approve(announcement, who(), window().now(), passphrase, seen)
    except DeskError as wrong:
        return page(announcement, wrong)
    return redirect(url_for("approval.waiting", vua=announcement), 303)


@pages.post("/duyet/<announcement>/hoan-tac")
@door(Permission.APPROVE, Permission.WARN)
def undo(announcement: str) -> ResponseReturnValue:
    """A yes of some seconds ago is none: it waits as before."""
    try:
        window().desk.undo_approval(announcement, who(), window().now())
    except DeskError as wrong:
        return page(announcement, wrong)
    return redirect(url_for("approval.waiting"), 303)


@pages.post("/duyet/<announcement>/tra-lai")
@door(Permission.APPROVE, Permission.WARN)
def send_back(announcement: str) -> ResponseReturnValue:
    """No: back to its author, with a reason."""
    try:
        window().desk.return_(announcement, request.form.get("reason", ""), who(), window().now())
    except DeskError as wrong:
        return page(announcement, wrong)
    return redirect(url_for("approval.waiting"), 303)


def page(about: str = "", problem: DeskError | None = None) -> ResponseReturnValue:
    """The list, with what went wrong beside the announcement it is about, or above all when that is gone."""
    people = ground.people_names()
    view: dict[str, Any] = {"items": items(), "people": people, "about": about}
    view |= {"problem": said(problem) if problem else "", "field": FIELD_OF.get(problem.key, "") if problem else ""}
    view["gone"] = about not in {announcement.id for announcement, _ in view["items"]}
    view["undoable"] = undoable()
    view |= {"hear": hearing.hearing, "heard_in": heard_in, "agreed_by": agreed_by}
    view |= {"alert_of": alerting.alert_of, "notes": alerting.notes}
    return render_template("approval.html", **view, **shared()), 422 if problem else 200


def undoable() -> Announcement | None:
    """What was approved here a moment ago, as long as that can be taken back."""
    here = window()
    held = here.store.announcements.get(request.args.get("vua", "")[:80])
    return held if held is not None and here.desk.may_undo(held, who(), here.now()) else None


def items() -> list[Waiting]:
    """Announcements that were submitted, oldest first, with their bookings."""
    return [(each, booked) for each, booked in ground.submitted() if any(mine_to_decide(view) for view in booked)]


def mine_to_decide(view: BookingView) -> bool:
    """Whether it sounds where whoever is signed in lets such on the air."""
    act = to_approve(view.booking.bulletin_class)
    return any(reading.concerns(view, area) for area in reach(act))


def agreed_by(announcement: Announcement, bookings: list[BookingView]) -> dict[str, Any] | None:
    """Who may agree to a wide emergency, and whether that is this person; None for what one person may approve."""
    desk = window().desk
    areas = desk.wide(announcement, [view.booking for view in bookings])
    if not areas:
        return None
    names = desk.seconds(areas, announcement.author, window().now())
    return {"areas": areas, "names": names, "mine": who().name in names}


def heard_in(bookings: list[BookingView]) -> list[str]:
    """Every area that any of them names."""
    return [area for view in bookings for area in view.booking.areas]


def count_waiting() -> int:
    """How many wait for this person's yes; 0 for whoever may not give it. Counted once for a request."""
    if "to_approve" not in g:
        mine = someone() and (may(Permission.APPROVE) or may(Permission.WARN))
        g.to_approve = len(items()) if mine else 0
    return int(g.to_approve)
