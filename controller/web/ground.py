"""The ground that many pages stand on: facts that are the same for every reader, worked out once (`known`).

- What is here is read from tables with a number, so it is as new as a page that asks now.
- Where only the passing of time changes it, it is worked out anew each minute; what is over is left out by who asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from controller import orders, trustbook
from controller.desk.foresight import Foreseen
from controller.rights import EVERYWHERE, Permission
from controller.store.alarm_rows import Silence
from controller.store.rows import (
    Announcement,
    AnnouncementState,
    BookingRow,
    BookingState,
    BookingView,
    InboxItem,
    User,
)
from controller.web import agenda, known
from controller.web.doors import reach
from controller.web.known import minute, numbers
from controller.web.window import window
from controller.web.withheld import Withheld, withheld
from schedules.booking import Booking
from schedules.clashes import Clash
from schedules.recurring import comings as comings_of
from wire.receipt import Step
from wire.trust import Trust

HOUR = timedelta(hours=1)


def to_plan(now: datetime) -> Sequence[Booking]:
    """What the planner is fed; its far edges, two days ago and two weeks ahead, move once a minute."""
    at = numbers().wishes, numbers().roster, minute(now)
    return known.of("to plan", at, lambda: tuple(window().store.airing.to_plan(now)))


def held_ahead(now: datetime) -> Mapping[tuple[str, datetime], frozenset[str]]:
    """By booking and start, the areas in which it is held back: of all that starts from some hours ago on."""
    at = numbers().of("held_back"), minute(now, HOUR)
    return known.of("held", at, lambda: window().store.held.areas_since(now - agenda.BEHIND - HOUR))


Reasons = Mapping[tuple[str, datetime], str]


def withheld_since(start: datetime) -> tuple[Withheld, Reasons]:
    """Of all that starts from then on and is held back, by booking and start: where, and one reason."""

    def work_out() -> tuple[Withheld, Reasons]:
        rows = window().store.held.since(start)
        return withheld(rows), {(each.booking, each.start): each.reason for each in rows}

    return known.of(("withheld", start), numbers().of("held_back"), work_out)


def comings_in(since: datetime, until: datetime) -> Sequence[tuple[BookingView, Sequence[datetime]]]:
    """Every open booking that has a start, or comes again, with its comings in [since, until)."""

    def work_out() -> Sequence[tuple[BookingView, Sequence[datetime]]]:
        views = window().store.bookings.ahead(since, until)
        placed = ((view, view.booking, view.booking.start) for view in views)
        return [
            (view, comings_of(row.recurrence, start, since, until) if row.recurrence else [start])
            for view, row, start in placed
            if start is not None
        ]

    return known.of(("comings", since, until), numbers().wishes, work_out)


def comings_near(now: datetime) -> Sequence[agenda.Coming]:
    """Every coming from a few hours ago to two weeks ahead, and what has no time yet, in order."""
    at = numbers().wishes, minute(now)
    return known.of("comings near", at, lambda: agenda.comings(bookings_near(now), now))


def bookings_near(now: datetime) -> Sequence[BookingView]:
    """The open bookings that may sound from a few hours ago to two weeks ahead, and those that have no time yet."""
    since, until = now - agenda.BEHIND, now + agenda.AHEAD
    at = numbers().wishes, minute(now)
    return known.of("near", at, lambda: window().store.bookings.ahead(since, until))


def foreseen(booking: BookingRow, now: datetime) -> Foreseen:
    """What a kept booking meets from now on."""
    at = numbers().wishes, numbers().roster, numbers().of("held_back"), minute(now)
    return known.of(("foreseen", booking.id), at, lambda: window().desk.foresee_booking(booking, now))


def unready(now: datetime) -> Sequence[BookingView]:
    """What has its time and may not be planned yet."""
    at = numbers().wishes, minute(now)
    work_out = lambda: window().store.bookings.ahead(now, now + agenda.AHEAD, unready=True)  # noqa: E731
    return known.of("unready", at, work_out)


def submitted() -> Sequence[tuple[Announcement, list[BookingView]]]:
    """What waits for a yes, oldest first, with its bookings, as the desk judges them: none that was withdrawn."""

    def work_out() -> Sequence[tuple[Announcement, list[BookingView]]]:
        found = window().store.announcements.list(None, AnnouncementState.SUBMITTED)
        booked = window().store.bookings.views_of([each.id for each in found])
        return [(each, [view for view in booked.get(each.id, []) if _stands(view)]) for each in reversed(found)]

    return known.of("submitted", numbers().wishes, work_out)


def _stands(view: BookingView) -> bool:
    return view.booking.state is not BookingState.WITHDRAWN


def booking(booking_id: str) -> BookingRow | None:
    """One booking."""
    return known.of(("booking", booking_id), numbers().wishes, lambda: window().store.bookings.get(booking_id))


def clashes(now: datetime) -> Sequence[Clash]:
    """Every pair of priority items that clashes from now on."""
    at = numbers().wishes, numbers().roster, minute(now)
    return known.of("clashes", at, lambda: orders.clashes(window().store, now))


def in_inboxes() -> Sequence[InboxItem]:
    """What waits in the inboxes of communes."""
    return known.of("inboxes", numbers().wishes, window().store.inbox.waiting)


def unattended() -> Sequence[tuple[str, str]]:
    """Cause and place of every open alarm that nobody has taken on."""
    return known.of("unattended", alarm_numbers(), window().store.alarms.unattended)


def silences(now: datetime) -> Mapping[tuple[str, str], Silence]:
    """What is kept quiet now, by cause and place."""
    at = *alarm_numbers(), minute(now)
    found = known.of("silences", at, lambda: window().store.alarms.silences(now))
    return {key: each for key, each in found.items() if each.until > now}


def alarm_numbers() -> tuple[int, ...]:
    """What changes with every alarm, whoever touches it."""
    return numbers().alarms, numbers().wishes


def everybody() -> Sequence[User]:
    """Every user."""
    return known.of("people", numbers().wishes, window().store.people.all)


def people_names() -> Mapping[str, str]:
    """A user's id -> how they are called."""
    return known.of(
        "people's names", numbers().wishes, lambda: {each.id: each.full_name or each.name for each in everybody()}
    )


def trust() -> Trust | None:
    """The trust document in force."""
    return known.of("trust", numbers().wishes, lambda: trustbook.held_trust(window().store))


def told(jobs: Sequence[str]) -> dict[tuple[str, Step], frozenset[str]]:
    """The nodes that told the beginning or the end of each of these jobs: by job and step."""

    def work_out(lacking: list[str]) -> Mapping[str, Mapping[Step, frozenset[str]]]:
        found: dict[str, dict[Step, frozenset[str]]] = {}
        for (job, step), nodes in window().store.asrun_pages.told(lacking).items():
            found.setdefault(job, {})[step] = frozenset(nodes)
        return found

    nothing: Mapping[Step, frozenset[str]] = {}
    by_job = known.many("told", jobs, numbers().of("receipts"), work_out, nothing)
    return {(job, step): nodes for job, steps in by_job.items() for step, nodes in steps.items()}


def reached(areas: tuple[str, ...]) -> frozenset[str]:
    """The nodes that are to sound what is for these areas."""
    store = window().store
    work_out = lambda: frozenset(node.id for node in store.roster.reached(areas))  # noqa: E731
    return known.of(("reached", areas), numbers().roster, work_out)


def own(act: Permission = Permission.READ) -> frozenset[str]:
    """The nodes at home where whoever is signed in may do that."""
    mine = reach(act)

    def work_out() -> frozenset[str]:
        wide = tuple(f"{area}:" for area in mine)
        every = (area.id for area in window().store.roster.areas())
        homes = {each for each in every if EVERYWHERE in mine or each in mine or each.startswith(wide)}
        return frozenset(node.id for node in window().store.roster.nodes() if node.home in homes)

    return known.of(("own", mine), numbers().roster, work_out)
