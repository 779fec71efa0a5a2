"""The home page: what sounds now and who may stop it, what comes next, what waits for whoever is here, what is wrong.

- What is on the air is told by nodes (they report the start and the end of each job); where none has told yet it is
  the plan's word, and the page says which of both it is.
- Each thing leads to where it is done or mended. It is one look at a few things, however large the station is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller import readiness
from controller.desk import DeskError
from controller.rights import EVERYWHERE, Permission
from controller.store.facts import Outcome
from controller.store.rows import Announcement, AnnouncementState, BookingRow
from controller.web import airings, approval, arrived, bulletins, faults, foreseen, ground, inbox, known, reading
from controller.web.airings import Airing
from controller.web.bookings import concerns_me, may_take_back, visible
from controller.web.doors import door, may, reach, who
from controller.web.known import minute, numbers
from controller.web.language import said, t
from controller.web.window import window
from schedules.booking import Booking
from wire.names import lies_within
from wire.receipt import OUTCOMES, Step

MOST_ON_AIR = 5
MOST_SHOWN = 4
MOST_MISSES = 200  # counted
MISSES_FOR = timedelta(days=1)
NEXT = 3
STILL_TO_COME = {"submitted", "voicing", "voiceless"}
STATION_STILL = timedelta(minutes=3)  # without a tick: it does not work

pages = Blueprint("home", __name__)


@dataclass(frozen=True)
class OnAir:
    """What sounds now. Of ``expected`` own nodes ``heard`` told that it began, ``sounding`` of them no end.

    ``ended``: how many told an end, whatever it was. ``row`` is its booking; None for an item of a programme, which is
    stopped there.
    """

    airing: Airing
    expected: int
    heard: int
    sounding: int
    ended: int
    row: BookingRow | None


@dataclass(frozen=True)
class Next:
    """What comes: on how many loudspeakers its audio lies; or, in ``stage``, what it waits for."""

    airing: Airing
    ready: readiness.Readiness | None = None
    stage: str = ""


@pages.get("/")
@door()
def front() -> ResponseReturnValue:
    """The home page."""
    if not any(map(may, (Permission.READ, Permission.WRITE, Permission.WARN))):
        abort(403)
    now = window().now()
    mine = of_mine(ground.to_plan(now))
    on, more = on_air(mine, now)
    view: dict[str, Any] = {"on": on, "more_on": more, "nexts": coming(mine, now), "may_stop": may_take_back}
    view |= {"faults": faults.look(now), "returned": returned(), "stopped": stopped()}
    view["misses"], view["more_misses"] = misses(now)
    view |= {"to_approve": approval.count_waiting(), "to_place": inbox.count_waiting(), "still": station_still(now)}
    view |= {"names": reading.area_names(), "shown_areas": shown_areas, "booking_of": foreseen.booking_of}
    return render_template("home.html", **view)


@pages.post("/lich-phat/<booking>/dung")
@door(Permission.WRITE, Permission.WARN)
def stop(booking: str) -> ResponseReturnValue:
    """End what sounds now: taken back, or, of what comes again, left out today; it can be sent anew."""
    view = visible(booking)
    try:
        ended = window().desk.stop(view.booking.id, who(), window().now())
    except DeskError as wrong:
        flash(said(wrong), "wrong")
        return redirect(url_for("home.front"), 303)
    flash(t("stopped" if ended else "stopped_before", title=view.title))
    return redirect(url_for("home.front", dung=view.booking.id), 303)


def of_mine(bookings: Sequence[Booking]) -> Sequence[Booking]:
    """Those that sound in what this person may read of."""
    return known.of(
        ("mine", reach(Permission.READ)),
        (numbers().wishes, numbers().roster, minute(window().now())),
        lambda: _of_mine(bookings),
    )


def _of_mine(bookings: Iterable[Booking]) -> list[Booking]:
    homes = window().store.roster.homes()
    decided: dict[tuple[str, ...], bool] = {}

    def mine(areas: tuple[str, ...]) -> bool:
        if areas not in decided:
            named = [homes.get(area, area) for area in areas]
            held = reach(Permission.READ)
            decided[areas] = any(lies_within(each, own) or lies_within(own, each) for each in named for own in held)
        return decided[areas]

    return [each for each in bookings if mine(each.areas)]


def on_air(mine: Iterable[Booking], now: datetime) -> tuple[list[OnAir], int]:
    """What sounds now, the most important first, and how many more there are than are shown."""
    lately = airings.lately(mine, now)
    held = ground.held_ahead(now) if lately else {}
    begun = [each for each in lately if not is_held(each, held)]
    told = ground.told([each.job for each in begun])
    own = ground.own() if begun else frozenset()
    found = [each for each in begun if each.span.is_planned(now) or told.get((each.job, Step.STARTED))]
    seen = [each for each in (look(airing, own, told) for airing in found) if is_on(each, now)]
    return seen[:MOST_ON_AIR], max(0, len(seen) - MOST_ON_AIR)


def is_held(airing: Airing, held: Mapping[tuple[str, datetime], frozenset[str]]) -> bool:
    """Whether rules hold it back wherever it was meant for."""
    return set(airing.booking.areas) <= held.get((airing.booking.id, airing.start), frozenset())


def look(airing: Airing, own: frozenset[str], told: Mapping[tuple[str, Step], frozenset[str]]) -> OnAir:
    """One of them, as nodes of this person's tell it."""
    here = own & ground.reached(airing.booking.areas)

    def tell(steps: Iterable[Step]) -> frozenset[str]:
        some = [here & told[airing.job, step] for step in steps if (airing.job, step) in told]
        return some[0].union(*some[1:]) if some else frozenset()

    begun, ended = tell((Step.STARTED, Step.SOUNDED)), tell(OUTCOMES)
    row = ground.booking(airing.booking.id) if foreseen.booking_of(airing.job) else None
    return OnAir(airing, len(here), len(begun), len(begun - ended), len(ended), row)


def is_on(seen: OnAir, now: datetime) -> bool:
    """Whether it sounds, as far as this person's nodes tell."""
    return airings.sounds(seen.airing.span, now, seen.sounding, seen.ended >= max(1, seen.expected))


def coming(mine: Iterable[Booking], now: datetime) -> list[Next]:
    """The next three that are not held back: how far the audio has come, or what each still waits for."""
    held = ground.held_ahead(now)
    found = airings.next_ones(mine, now, left_out=lambda each: is_held(each, held))
    items = [
        readiness.Item(each.job, each.booking.asset.sha256, each.booking.areas, each.start)
        for each in found
        if each.booking.asset
    ]
    ready = arrived.look(items)
    nexts = [Next(each, ready=ready.get(each.job)) for each in found]
    return sorted([*nexts, *unready({each.id for each in mine}, now)], key=lambda each: each.airing.start)[:NEXT]


def unready(planned: set[str], now: datetime) -> list[Next]:
    """What has its time and may not be planned yet: it waits for a yes, or for its voice."""
    found = []
    for view in ground.unready(now):
        row = view.booking
        if row.id in planned or row.start is None or row.start <= now or not concerns_me(view):
            continue
        words = Booking(row.id, view.title, row.areas, (row.start,), None, row.bulletin_class, drill=view.drill)
        found.append(Next(Airing(words, row.start), stage=reading.stage(view, now)))
    return [each for each in found if each.stage in STILL_TO_COME]


def shown_areas(areas: tuple[str, ...], names: Mapping[str, str]) -> str:
    """The first places in words, and how many more."""
    some = ", ".join(names.get(each, each) for each in areas[:2])
    return some if len(areas) <= 2 else t("places_more", places=some, count=len(areas) - 2)


def misses(now: datetime) -> tuple[list[tuple[Outcome, int]], bool]:
    """What did not sound in the last day: by broadcast and reason, the newest first, and on how many loudspeakers.

    With it whether there were more than are counted: then it was on so many at least.
    """
    areas = reach(Permission.READ)
    at = numbers().of("outcomes"), numbers().wishes, numbers().roster, minute(now)
    return known.of(("misses", areas), at, lambda: _misses(areas, now))


def _misses(areas: Iterable[str], now: datetime) -> tuple[list[tuple[Outcome, int]], bool]:
    found: list[Outcome] = []
    for own in areas:
        area = own if own != EVERYWHERE else None
        found += window().store.asrun.failed(area, now - MISSES_FOR, MOST_MISSES)
    grouped: dict[tuple[str, str], set[str]] = {}
    first: dict[tuple[str, str], Outcome] = {}
    for each in found:
        grouped.setdefault((each.job, each.reason), set()).add(each.node)
        first.setdefault((each.job, each.reason), each)
    return [(first[key], len(grouped[key])) for key in list(first)[:MOST_SHOWN]], len(found) >= MOST_MISSES


def returned() -> list[Announcement]:
    """What came back to this person, to be mended."""
    return window().store.announcements.list(MOST_SHOWN, AnnouncementState.RETURNED, [who().id])


def stopped() -> Announcement | None:
    """What this person has just stopped, so that it can be sent anew."""
    row = window().store.bookings.get(request.args.get("dung", "")[:64])
    held = window().store.announcements.get(row.announcement) if row else None
    may_again = held is not None and (may(Permission.WRITE) or may(Permission.WARN)) and bulletins.shown(held)
    return held if may_again else None


def station_still(now: datetime) -> datetime | None:
    """Since when the station's own work stands still; None while it goes on, or is unknown."""
    beat = window().heartbeat()
    return beat if beat is not None and now - beat > STATION_STILL else None
