"""The inbox on the page: a commune gives what came from above its time, or says why not; and orders what clashes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError
from controller.desk.foresight import Foreseen
from controller.rights import Permission
from controller.store.rows import Announcement, BookingRow, BookingState, InboxItem
from controller.web import choices, ground, hearing, reading
from controller.web.doors import door, may, sees, who
from controller.web.language import chosen, said, t
from controller.web.rule_words import in_words
from controller.web.times import HOURS, MINUTES, days_ahead, moment, written_day
from controller.web.window import window
from schedules.moments import local

pages = Blueprint("inbox", __name__)

DECIDED_SHOWN, MOST_DECIDED = timedelta(days=14), 200
NOTHING = Foreseen()


@dataclass(frozen=True)
class Problem:
    """What went wrong with one item, what was typed there, and the field that it is about, if one is.

    ``chosen``: a time was, ``start`` (None: now).
    """

    about: str = ""
    sentence: str = ""
    reason: str = ""
    field: str = ""
    chosen: bool = False
    start: datetime | None = None

    def __bool__(self) -> bool:
        """Whether anything went wrong."""
        return bool(self.sentence)


@dataclass(frozen=True)
class Met:
    """What one item would meet at the time chosen for it (None: now)."""

    about: str = ""
    told: Foreseen = NOTHING
    start: datetime | None = None


@pages.get("/hop-tin")
@door(Permission.READ)
def list_() -> ResponseReturnValue:
    """What waits for this person's decision, what clashes, and what was decided."""
    return page()


@pages.post("/hop-tin/<announcement>/<area>/xep")
@door(Permission.WRITE)
def place(announcement: str, area: str) -> ResponseReturnValue:
    """Give it its time here; where that is taken, only once that was seen."""
    choice = request.form.get("choice", "")
    start = choices.moved_to(choice, window().settings.zone)
    if start is None and request.form.get("when") == "at":
        day = written_day(request.form.get("day", "")[:10])
        hour, minute = request.form.get("hour", "")[:2], request.form.get("minute", "")[:2]
        start = moment(day, hour, minute, window().settings.zone) if day else None
        if start is None:
            return page(Problem(about(announcement, area), t("problem_when"), field="day"))
    try:
        told = window().desk.foresee_place(announcement, area, start, who(), window().now())
        if told.conflicts and choice != choices.KEEP:
            return page(met=Met(about(announcement, area), told, start))
        booking = window().desk.place(announcement, area, start, who(), window().now())
    except DeskError as wrong:
        return page(Problem(about(announcement, area), said(wrong), chosen=True, start=start))
    return redirect(url_for("bookings.sent", booking=booking.id, moi=1), 303)


@pages.get("/hop-tin/<announcement>/<area>/xep")
@door(Permission.READ)
def placing(announcement: str, area: str) -> ResponseReturnValue:  # noqa: ARG001 – the page of a refusal, asked for again
    """A page that answered a form, loaded anew: the inbox as it is now."""
    return redirect(url_for("inbox.list_"), 303)


@pages.post("/hop-tin/<announcement>/<area>/khong")
@door(Permission.WRITE)
def decline(announcement: str, area: str) -> ResponseReturnValue:
    """It will not sound here; whoever sent it reads why."""
    reason = request.form.get("reason", "")
    try:
        window().desk.decline(announcement, area, reason, who(), window().now())
    except DeskError as wrong:
        return page(Problem(about(announcement, area), said(wrong), reason, "reason"))
    flash(t("declined_done"))
    return redirect(url_for("inbox.list_"), 303)


@pages.post("/hop-tin/thu-tu")
@door(Permission.WRITE)
def order() -> ResponseReturnValue:
    """Which of two priority items goes first here."""
    own, above = request.form.get("own", "")[:80], request.form.get("above", "")[:80]
    own_first = request.form.get("first") == "own"
    try:
        window().desk.order(own, above, own_first, who(), window().now())
    except DeskError as wrong:
        return page(Problem(f"{own}-{above}", said(wrong)))
    flash(t("ordered_done"))
    return redirect(url_for("inbox.list_"), 303)


def page(problem: Problem | None = None, met: Met | None = None) -> ResponseReturnValue:
    """The inbox, with what went wrong, or what would be met, beside its item; above all when that is gone."""
    here = window()
    now, zone = here.now(), here.settings.zone
    people = ground.people_names()
    view: dict[str, Any] = {"items": waiting(), "clashes": here.desk.clashes(who(), now), "people": people}
    past = decided()
    view |= {"decided": past[:MOST_DECIDED], "more_decided": max(0, len(past) - MOST_DECIDED)}
    view |= {"problem": problem or Problem(), "names": reading.area_names()}
    view |= {"days": days_ahead(now, zone, chosen()), "hours": HOURS, "minutes": MINUTES}
    view |= {"met_at": met or Met(), "telling": reading.telling(), "choice_of": choices.told}
    shown = {about(item.announcement, item.area) for item, _ in view["items"]}
    view["gone"] = view["problem"].about not in shown | {f"{each.own.id}-{each.above.id}" for each in view["clashes"]}
    view |= {"about": about, "hear": hearing.hearing, "wished": lambda moment: local(moment, zone)}
    view |= {"offers": offers(view["items"]), "rule_of": lambda row: in_words(row.recurrence, row.start, chosen())}
    return render_template("inbox.html", **view), 422 if problem else 200


def about(announcement: str, area: str) -> str:
    """One item as the name of a part of the page."""
    return f"{announcement}-{area.replace(':', '-')}"


def waiting() -> list[tuple[InboxItem, Announcement]]:
    """What waits for this person, with what it says."""
    return with_announcement(window().desk.inbox(who(), window().now()))


def offers(items: list[tuple[InboxItem, Announcement]]) -> dict[str, BookingRow]:
    """The booking that each of these came by, by announcement: its days, and the time that its sender wished for."""
    booked = window().store.bookings.views_of([item.announcement for item, _ in items])
    rows = (view.booking for views in booked.values() for view in views)
    return {row.announcement: row for row in rows if row.state is BookingState.OFFERED}


def decided() -> list[tuple[InboxItem, Announcement]]:
    """What was decided lately, here or over what this person sent."""
    found = with_announcement(window().store.inbox.decided(window().now() - DECIDED_SHOWN))
    return [(item, held) for item, held in found if held.author == who().id or sees(item.area)]


def with_announcement(items: list[InboxItem]) -> list[tuple[InboxItem, Announcement]]:
    """Each with its announcement."""
    known = window().store.announcements.of(item.announcement for item in items)
    return [(item, known[item.announcement]) for item in items if item.announcement in known]


def count_waiting() -> int:
    """How many decisions wait for this person."""
    if not may(Permission.WRITE):
        return 0
    now, homes = window().now(), window().store.roster.homes()
    clashes = [each for each in ground.clashes(now) if not each.own_first and each.decide_by > now]
    mine = [each for each in clashes if all(may(Permission.WRITE, homes.get(at, at)) for at in each.own.areas)]
    return sum(may(Permission.WRITE, each.area) for each in ground.in_inboxes()) + len(mine)
