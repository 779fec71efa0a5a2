"""The overview: what sounds, who is there, how today's bulletins ended, what is wrong, and how far the targets are.

- It reads sums that the station has added up by commune (`controller.tallies`); no page counts nodes.
- ``?man-hinh=1`` is the same for the wall of the operators' room: large, dark, without navigation, renewed by itself.
- A commune has a digital station when a loudspeaker of this system is enrolled there; others are told by the operator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError
from controller.rights import Permission
from controller.roster import Area, AreaKind
from controller.store.tallies import CommuneState, DayTally, OtherStations
from controller.web import alarms
from controller.web.doors import door, may, reach, sees, who
from controller.web.language import said, t
from controller.web.on_air import OnAir, Sounding
from controller.web.window import window
from schedules.moments import local
from wire.names import lies_within

pages = Blueprint("overview", __name__)

SPANS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
MOST_SOUNDING, MOST_ALARMS, MOST_ON_WALL = 50, 8, 7
RENEWED_SECONDS = 60  # a wall without scripts
STATES = ("online", "silent", "offline", "never")


@dataclass(frozen=True)
class Commune:
    """A commune in the table: its loudspeakers by state, and its availability over each span (0 to 1, or None)."""

    area: str
    name: str
    state: CommuneState
    there: Mapping[str, float | None]

    @property
    def rank(self) -> tuple[float, int, str]:
        """The worst first: by the share that is not there, then by how many."""
        gone = self.state.nodes - self.state.online
        return -gone / self.state.nodes if self.state.nodes else 0.0, -gone, self.area


class Remembered:
    """Availability as it was read last: it changes only when an hour was added up. Safe from any thread."""

    def __init__(self) -> None:
        self._held: tuple[object, dict[str, dict[str, tuple[int, int]]]] = None, {}

    def look(self, end: datetime) -> dict[str, dict[str, tuple[int, int]]]:
        """Of each span that ends at ``end``."""
        book = window().store.tallies
        key, (known, found) = (end, book.newest_hour()), self._held
        if known != key:
            found = {name: book.availability(end - span) for name, span in SPANS.items()}
            self._held = key, found
        return found


@dataclass(frozen=True)
class Target:
    """An indicator against its target, in percent; ``percent`` None where there is nothing to count."""

    name: str
    count: int
    of: int
    target: int

    @property
    def percent(self) -> float | None:
        """How far it is."""
        return 100.0 * self.count / self.of if self.of else None

    @property
    def is_met(self) -> bool:
        """Whether the target is reached."""
        return self.percent is not None and self.percent >= self.target


@pages.get("/tong-quan")
@door(Permission.READ)
def shown() -> ResponseReturnValue:
    """Everything at a glance, of this person's areas."""
    return page()


@pages.post("/tong-quan/dai-khac")
@door(Permission.EQUIP)
def tell_of_stations() -> ResponseReturnValue:
    """Stations of a commune that are not on this system."""
    area = request.form.get("area", "")[:200]
    wired, fm = (request.form.get(kind, type=int) for kind in ("wired", "fm"))
    if wired is None or fm is None:
        return page(t("problem_stations"))
    try:
        window().desk.tell_of_stations(area, wired, fm, who(), window().now())
    except DeskError as wrong:
        return page(said(wrong))
    flash(t("stations_told", place=alarms.place_names().get(area, area)))
    return redirect(url_for("overview.shown", _anchor="chi-tieu"), 303)


@pages.get("/tong-quan/dai-khac")
@door(Permission.READ)
def again() -> ResponseReturnValue:
    """A page that answered the form, loaded anew."""
    return redirect(url_for("overview.shown"), 303)


def page(problem: str = "") -> ResponseReturnValue:
    """The overview, or the wall."""
    here = window()
    now = here.now()
    areas = here.store.roster.areas()
    names = {area.id: area.name for area in areas}
    communes = [area for area in areas if area.kind is AreaKind.COMMUNE and sees(area.id)]
    rows = table(communes, now)
    others = here.store.tallies.other_stations()
    told, quiet = alarms.listed()
    today = here.store.tallies.day(local(now, here.settings.zone).date().isoformat())
    view: dict[str, Any] = {"rows": rows, "names": names, "sounding": sounding(now), "spans": tuple(SPANS)}
    view |= {"totals": totals(row.state for row in rows), "there": overall(communes, now), "until": hour_of(now)}
    view |= {"today": sums(each for each in today if sees(each.area)), "told": told, "quiet": len(quiet)}
    view |= {"targets": targets(rows, others), "others": others, "communes": communes, "problem": problem}
    view |= {"stale": alarms.stale(), "most_sounding": MOST_SOUNDING, "most_alarms": MOST_ALARMS, "states": STATES}
    if request.args.get("man-hinh"):
        return wall(view)
    return render_template("overview.html", may_tell=may(Permission.EQUIP), **view), 422 if problem else 200


def wall(view: dict[str, Any]) -> Response:
    """For the wall: it comes again by itself, with scripts at once and without them every minute."""
    answer = make_response(render_template("wall.html", most=MOST_ON_WALL, **view))
    answer.headers["Refresh"] = str(RENEWED_SECONDS)
    return answer


def sounding(now: datetime) -> list[Sounding]:
    """What is on the air in, above or below this person's areas."""
    held = current_app.extensions["on_air"]
    assert isinstance(held, OnAir)
    mine = reach(Permission.READ)
    concerns: Callable[[str], bool] = lambda area: any(lies_within(area, own) or lies_within(own, area) for own in mine)  # noqa: E731
    return held.look(window().store, now, concerns)


def table(communes: Iterable[Area], now: datetime) -> list[Commune]:
    """Every commune, the worst first."""
    states = {each.area: each for each in window().store.tallies.states()}
    spans = availability(now)
    rows = []
    for each in communes:
        there = {name: share(found.get(each.id)) for name, found in spans.items()}
        rows.append(Commune(each.id, each.name, states.get(each.id, CommuneState(each.id)), there))
    return sorted(rows, key=lambda row: row.rank)


def availability(now: datetime) -> dict[str, dict[str, tuple[int, int]]]:
    """Over each span that ended with the last full hour: seconds online and known, by commune."""
    held = current_app.extensions["availability"]
    assert isinstance(held, Remembered)
    return held.look(hour_of(now))


def overall(communes: Iterable[Area], now: datetime) -> dict[str, float | None]:
    """The same of all communes together."""
    mine = {each.id for each in communes}
    return {
        name: share(tuple(map(sum, zip(*(pair for area, pair in found.items() if area in mine), strict=True))))  # type: ignore[arg-type]
        for name, found in availability(now).items()
    }


def share(pair: tuple[int, int] | None) -> float | None:
    """Seconds online of seconds known; None where nothing was known."""
    return min(1.0, pair[0] / pair[1]) if pair and pair[1] else None


def hour_of(now: datetime) -> datetime:
    """The last full hour."""
    return now.replace(minute=0, second=0, microsecond=0)


def totals(states: Iterable[CommuneState]) -> dict[str, int]:
    """Loudspeakers by state, all together."""
    found = list(states)
    return {name: sum(getattr(each, name) for each in found) for name in ("nodes", *STATES)}


def sums(today: Iterable[DayTally]) -> DayTally | None:
    """Today's bulletins of several communes; None where nothing was added up yet."""
    found = list(today)
    if not found:
        return None
    counts = {
        each.name: sum(getattr(row, each.name) for row in found) for each in fields(DayTally) if each.type == "int"
    }
    return DayTally(found[0].day, "", **counts, at=found[0].at)


def targets(rows: Iterable[Commune], others: Mapping[str, OtherStations]) -> tuple[Target, Target]:
    """How many communes have a station, and how many of those are on digital technology."""
    settings, known = window().settings, list(rows)
    digital = {row.area for row in known if row.state.nodes}
    other = {row.area for row in known if row.area in others and others[row.area].wired + others[row.area].fm > 0}
    having = len(digital | other)
    return (
        Target("stations", having, len(known), settings.target_stations_percent),
        Target("digital", len(digital), having, settings.target_digital_percent),
    )
