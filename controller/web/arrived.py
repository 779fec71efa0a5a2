"""How far the audio of what is to come has arrived: on how many loudspeakers it lies, where it lacks, and why.

- What stands here is `controller.readiness`'s; this room knows which jobs a page shows.
- Of a plan so large that counting would keep somebody waiting, the soonest jobs are counted.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from controller import preview, readiness
from controller.readiness import Item, Readiness
from controller.store.held import HeldBack
from controller.store.rows import BookingView
from controller.web import foreseen, ground, known
from controller.web.agenda import Line
from controller.web.known import numbers
from controller.web.window import window
from controller.web.withheld import Withheld
from schedules.planner import coming_id
from wire.health import Health

ON_THEIR_WAY = {"planned", "repeating", "partly"}
K = TypeVar("K", bound=Hashable)
MOST_SHOWN = 50  # nodes without it, named on a page


@dataclass(frozen=True)
class Lack:
    """A job whose audio a node lacks, as far as it stands in the plans, and why (empty: it is coming).

    ``booking`` is empty for an item of a programme.
    """

    job: str
    booking: str
    title: str
    start: datetime | None
    reason: str


def of_lines(lines: Iterable[Line], held: Withheld, now: datetime) -> dict[tuple[str, datetime | None], Readiness]:
    """By booking and coming, for the ``lines`` still to come, soonest first; without the areas in which one is held."""
    ahead = [line for line in lines if line.at is not None and line.at > now and line.stage in ON_THEIR_WAY]
    items = {
        (line.v.booking.id, line.at): _item(line.v, line.at, held.get((line.v.booking.id, line.at), ()))
        for line in ahead
        if line.at
    }
    found = look(item for item in items.values() if item)
    return {key: found[item.job] for key, item in items.items() if item and item.job in found}


@dataclass(frozen=True)
class Sum:
    """On how many loudspeakers something is expected, and how many of them lack it."""

    expected: int
    lacking: int

    @property
    def ready(self) -> int:
        """On how many it is."""
        return self.expected - self.lacking


def sums(known: Mapping[K, Readiness]) -> dict[K, Sum]:
    """How far each of them is, in numbers alone."""
    return {key: Sum(each.expected, each.lacking) for key, each in known.items()}


def of_booking(view: BookingView, comings: Sequence[datetime], held: Iterable[HeldBack]) -> Readiness | None:
    """Of a booking's next coming; None where nothing is to come, or nothing to fetch."""
    at = comings[0] if comings else view.booking.start
    if at is None or at <= window().now():
        return None
    without = {each.area for each in held if each.start == at}
    item = _item(view, at, without)
    return look([item]).get(item.job) if item else None


def lacks(node: str, health: Health | None) -> list[Lack]:
    """What a node lacks, as it says itself, the most urgent first."""
    here = window()
    named = (health.lacking or ()) if health else ()
    seen = preview.look(here.store, here.settings, node, here.now()) if named else None
    jobs = {job.id: job for job in seen.held} if seen else {}
    found = []
    for each in named:
        job, booking = jobs.get(each.job), foreseen.booking_of(each.job)
        view = here.store.bookings.view(booking) if booking else None
        title = job.title if job else view.title if view else ""
        found.append(Lack(each.job, booking if view else "", title, job.start if job else None, each.reason))
    return found


def look(items: Iterable[Item]) -> dict[str, Readiness]:
    """`readiness.survey`, worked out once for all who ask for the same."""
    asked = tuple(items)
    at = numbers().of("receipts", "presence", "health"), numbers().roster
    wide = [each for each in asked if len(ground.reached(each.areas)) > readiness.WIDE]  # the station counts these
    near = tuple(each for each in asked if each not in wide)
    found = known.of(("ready", near), at, lambda: readiness.survey(window().store, near)) if near else {}
    return (readiness.survey(window().store, wide) if wide else {}) | found


def _item(view: BookingView, at: datetime, without: Iterable[str] = ()) -> Item | None:
    booking = view.booking
    areas = tuple(area for area in booking.areas if area not in set(without))
    if not view.asset or not areas:
        return None
    return Item(coming_id(booking.id, at) if booking.recurrence else booking.id, view.asset, areas, at)
