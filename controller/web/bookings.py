"""Bookings: the plan of the days ahead, one booking and how far it is, and taking one back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError
from controller.store.rows import BookingState, BookingView
from controller.web import agenda, hearing, reading
from controller.web.doors import door, who
from controller.web.language import chosen, said, t
from controller.web.rule_words import in_words
from controller.web.times import written_day
from controller.web.window import window
from controller.web.withheld import sounding_only, withheld

MOST_BOOKINGS = 2000
MOST_LINES = 500
MOST_COMINGS = 10  # of what comes again, shown one by one
FORMER_NODES = 500  # nodes that told of a job and have left the roster since

pages = Blueprint("bookings", __name__)


@pages.get("/ke-hoach")
@door()
def plan() -> ResponseReturnValue:
    """What will sound in the days ahead, by day; of one area when asked."""
    area = request.args.get("dia-ban", "")[:200]
    here, now = window(), window().now()
    found = agenda.lines(ahead(area), withheld(here.store.held.since(now - agenda.BEHIND)), now)
    timed = [line for line in found if not line.in_no_slot]
    view = {"days": agenda.by_day(timed, now), "waiting": [line for line in found if line.in_no_slot]}
    return render_template("plan.html", area=area, areas=reading.own_areas(), **view, **shared())


@pages.get("/lich-phat/<booking>")
@door()
def sent(booking: str) -> ResponseReturnValue:
    """One booking: what was asked, where it stands, how it ended on each node."""
    return page(visible(booking))


@pages.post("/lich-phat/<booking>/bo-ngay")
@door()
def leave_out(booking: str) -> ResponseReturnValue:
    """Of what comes again, one day is taken back."""
    view, here = visible(booking), window()
    day, known = written_day(request.form.get("ngay", "")[:10]), request.form.get("biet", "")
    if day is None or not known.isascii() or not known.isdigit() or len(known) > 4:
        abort(400)
    try:
        here.desk.leave_out(view.booking.id, day, int(known), who(), here.now())
    except DeskError as wrong:
        return page(visible(booking), said(wrong))
    flash(t("left_out", day=f"{day:%d/%m/%Y}"))
    return redirect(url_for("bookings.sent", booking=view.booking.id), 303)


def page(view: BookingView, problem: str = "") -> ResponseReturnValue:
    """The page of one booking, with why something could not be done to it."""
    booking = view.booking.id
    announcement = window().store.announcements.get(view.booking.announcement)
    outcomes = window().store.asrun.outcomes(job=booking, limit=MOST_LINES)
    waiting = set(window().store.asrun.waited_for(booking))
    nodes = [node for node in window().store.roster.nodes() if node.id in waiting]
    heard = hearing.hearing(announcement, view.booking.areas) if announcement else {}
    offered = view.booking.state is BookingState.OFFERED
    facts: dict[str, Any] = {"inboxes": window().store.inbox.of(view.booking.announcement) if offered else []}
    facts |= {"v": view, "a": announcement, "h": heard, "outcomes": outcomes, "most": MOST_LINES, "waiting": nodes}
    facts |= {"comings": window().desk.comings(view.booking, window().now())[:MOST_COMINGS], "problem": problem}
    return render_template("booking.html", **shared() | facts | kept_out(view)), 422 if problem else 200


def kept_out(view: BookingView) -> dict[str, Any]:
    """What rules hold back of it; what it meets and where it stands, told without that."""
    here, now = window(), window().now()
    since = now if view.booking.recurrence else None
    rows = here.store.held.of(view.booking.id, since=since)
    held = withheld(rows)
    return {
        "held_back": rows[:MOST_COMINGS],
        "stage": lambda view: reading.stage(view, now, held),
        "foreseen": lambda row: sounding_only(here.desk.foresee_booking(row, now), row, held),
    }


@pages.post("/lich-phat/<booking>/rut")
@door()
def withdraw(booking: str) -> ResponseReturnValue:
    """Take a booking back: it leaves the plan, and nodes forget it."""
    window().desk.withdraw(visible(booking).booking.id, who(), window().now())
    values: dict[str, Any] = {"dia-ban": request.form.get("dia-ban", "")[:200] or None}
    return redirect(url_for("bookings.plan", **values), 303)


def visible(booking: str) -> BookingView:
    """The booking if it sounds in what this person answers for."""
    view = window().store.bookings.view(booking)
    if view is None or not concerns_me(view):
        abort(404)
    return view


def concerns_me(view: BookingView) -> bool:
    """Whether a booking sounds in what this person answers for."""
    return who().area == "*" or reading.concerns(view, who().area)


def ahead(area: str) -> list[BookingView]:
    """The wanted bookings that may sound from a few hours ago to two weeks ahead; of one area when asked."""
    now = window().now()
    views = window().store.bookings.ahead(now - agenda.BEHIND, now + agenda.AHEAD, MOST_BOOKINGS)
    return [view for view in views if concerns_me(view) and (not area or reading.concerns(view, area))]


def shared() -> dict[str, Any]:
    """What every page about bookings needs: names, and functions over the rows."""
    here = window()
    nodes, now = here.store.roster.nodes(), here.now()
    most = len(nodes) + FORMER_NODES
    return {
        "names": reading.area_names(),
        "rule_of": lambda row: in_words(row.recurrence, row.start, chosen()),
        "foreseen": lambda row: here.desk.foresee_booking(row, now),
        "telling": reading.telling(),
        "stage": lambda view: reading.stage(view, now),
        "progress": lambda view: reading.progress(
            view, nodes, here.store.asrun.outcomes(job=view.booking.id, limit=most)
        ),
    }
