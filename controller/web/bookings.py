"""Bookings: the plan of the days ahead, one booking and how far it is, and taking one back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError
from controller.desk.reach import homes_of, to_approve, to_write
from controller.readiness import Readiness
from controller.rights import Permission
from controller.store.rows import BookingRow, BookingState, BookingView
from controller.web import agenda, arrived, ground, hearing, known, notices, reading
from controller.web.doors import door, may, reach, who
from controller.web.journey import Leg, legs
from controller.web.known import minute, numbers
from controller.web.language import chosen, said, t
from controller.web.rule_words import in_words
from controller.web.times import written_day
from controller.web.window import window
from controller.web.withheld import sounding_only, withheld
from wire.receipt import Step

NOWHERE = {"withdrawn", "returned", "held", "offered"}  # of these no way is shown
MOST_LINES = 100
MOST_COMINGS = 10  # of what comes again, shown one by one

pages = Blueprint("bookings", __name__)


@pages.get("/ke-hoach")
@door(Permission.READ)
def plan() -> ResponseReturnValue:
    """What will sound in the days ahead, by day, a page (``?trang=``) at a time; of one area when asked."""
    area, number = request.args.get("dia-ban", "")[:200], request.args.get("trang", 1, type=int)
    now = window().now()
    held, mine = ground.held_ahead(now), {view.booking.id for view in ahead(area)}
    every = [each for each in ground.comings_near(now) if each[0].booking.id in mine]
    leaf = agenda.laid([each for each in every if agenda.is_timed(each)], number, now)
    slotless = [each for each in every if not agenda.is_timed(each)] if leaf.number == 1 else []
    timed = agenda.lines(leaf.comings, held, now)
    view: dict[str, Any] = {"days": agenda.by_day(timed, now), "waiting": agenda.lines(slotless, held, now)}
    view |= {"readiness": arrived.sums(arrived.of_lines(timed, held, now)), "leaf": leaf}
    return render_template("plan.html", area=area, areas=reading.own_areas(), **view, **shared())


@pages.get("/lich-phat/<booking>")
@door(Permission.READ)
def sent(booking: str) -> ResponseReturnValue:
    """One booking: what was asked, where it stands, how it ended on each node."""
    return page(visible(booking))


@pages.post("/lich-phat/<booking>/bo-ngay")
@door(Permission.WRITE, Permission.WARN)
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
    nodes = window().store.asrun.waited_for(booking)
    heard = hearing.hearing(announcement, view.booking.areas) if announcement else {}
    offered = view.booking.state is BookingState.OFFERED
    facts: dict[str, Any] = {"inboxes": window().store.inbox.of(view.booking.announcement) if offered else []}
    facts |= {"v": view, "a": announcement, "h": heard, "outcomes": outcomes, "most": MOST_LINES, "waiting": nodes}
    comings = window().desk.comings(view.booking, window().now())[:MOST_COMINGS]
    facts |= {"comings": comings, "problem": problem, "most_missing": arrived.MOST_SHOWN}
    facts |= {"public_state": notices.public_state, "live_in": reading.live_in(view.booking.areas)}
    around = kept_out(view)
    waits = around["stage"](view) in arrived.ON_THEIR_WAY
    facts["readiness"] = arrived.of_booking(view, comings, around["held_back"]) if waits else None
    facts["legs"] = way(view, facts["readiness"], around["stage"](view))
    return render_template("booking.html", **shared() | facts | around), 422 if problem else 200


def way(view: BookingView, ready: Readiness | None, stage: str) -> tuple[Leg, ...]:
    """How far it has come; nothing for what is not to come any more."""
    if stage in NOWHERE:
        return ()
    store, begun = window().store, stage == "begun" and view.booking.recurrence is None
    heard = reading.progress(view) if begun else None
    told = store.asrun_pages.told([view.booking.id]) if begun else {}
    return legs(view, ready, heard, len(told.get((view.booking.id, Step.STARTED), ())))


def kept_out(view: BookingView) -> dict[str, Any]:
    """What rules hold back of it; what it meets and where it stands, told without that."""
    here, now = window(), window().now()
    since = now if view.booking.recurrence else None
    rows = here.store.held.of(view.booking.id, since=since)
    held = withheld(rows)
    return {
        "held_back": rows[:MOST_COMINGS],
        "stage": lambda view: reading.stage(view, now, held),
        "foreseen": lambda row: sounding_only(ground.foreseen(row, now), row, held),
    }


@pages.post("/lich-phat/<booking>/rut")
@door(Permission.WRITE, Permission.WARN)
def withdraw(booking: str) -> ResponseReturnValue:
    """Take a booking back: it leaves the plan, and nodes forget it."""
    row = visible(booking).booking
    stood = window().desk.withdraw(row.id, who(), window().now())
    flash(t("withdrawn_now" if stood else "withdrawn_before"))
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
    return any(reading.concerns(view, area) for area in reach(Permission.READ))


def may_take_back(row: BookingRow) -> bool:
    """Whether the desk would let whoever is signed in take it back."""
    homes = homes_of(window().store)
    acts = to_write(row.bulletin_class) if row.created_by == who().id else (to_approve(row.bulletin_class),)
    return all(any(may(act, homes.get(area, area)) for act in acts) for area in row.areas)


def ahead(area: str) -> list[BookingView]:
    """The wanted bookings that may sound from a few hours ago to two weeks ahead; of one area when asked."""
    now = window().now()
    at = numbers().wishes, minute(now)
    return known.of(("ahead", reach(Permission.READ), area), at, lambda: _ahead(area, now))


def _ahead(area: str, now: datetime) -> list[BookingView]:
    every: dict[tuple[str, ...], bool] = {}  # what is for the same areas concerns the same people
    for view in (views := ground.bookings_near(now)):
        if view.booking.areas not in every:
            every[view.booking.areas] = concerns_me(view) and (not area or reading.concerns(view, area))
    return [view for view in views if every[view.booking.areas]]


def shared() -> dict[str, Any]:
    """What every page about bookings needs: names, and functions over the rows."""
    here = window()
    now = here.now()
    return {
        "names": reading.area_names(),
        "may_take_back": may_take_back,
        "rule_of": lambda row: in_words(row.recurrence, row.start, chosen()),
        "foreseen": lambda row: ground.foreseen(row, now),
        "telling": reading.telling(),
        "stage": lambda view: reading.stage(view, now),
        "progress": reading.progress,
    }
