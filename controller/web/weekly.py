"""A week as a table: days across, and down the bands of the day in which anything is to sound. Pure.

- An entry is one coming, as a loudspeaker of the place would have it; it stands in the week once.
- Bands come from what is there: a commune that airs at five and at five has two, not twenty-four rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from controller.web.foreseen import BANDS, Fate
from schedules.days import DayFacts, Facts
from schedules.moments import local
from wire.plan import BulletinClass

DAYS = 7
MOST_BELOW = 10
BEHIND, AHEAD = timedelta(days=366), timedelta(days=366)  # how far from now a week may lie


@dataclass(frozen=True)
class Entry:
    """One coming. ``booking`` is empty for an item of a programme; ``fate`` is None where nobody worked it out.

    ``stage`` (held, partly, submitted, voicing, voiceless, …) says what keeps it from its loudspeakers, ``reason`` why.
    """

    job: str
    booking: str
    title: str
    start: datetime
    length: timedelta
    bulletin_class: BulletinClass
    drill: bool = False
    fate: Fate | None = None
    stage: str = ""
    reason: str = ""
    is_past: bool = False
    is_below: bool = False  # it sounds only in places within the place


@dataclass(frozen=True)
class DayOfWeek:
    """A local day, what stands in each band of it, by start, and how many more that sound only in places within."""

    day: date
    facts: DayFacts
    bands: dict[str, tuple[Entry, ...]]
    more: dict[str, int]


@dataclass(frozen=True)
class Week:
    """Seven days from a Monday, and the bands that any of them needs, in order of the day."""

    days: tuple[DayOfWeek, ...]
    bands: tuple[str, ...]

    @property
    def since(self) -> date:
        """Its Monday."""
        return self.days[0].day

    @property
    def until(self) -> date:
        """Its Sunday."""
        return self.days[-1].day


def monday(asked: str, today: date) -> date:
    """The Monday of the week in which the ISO date ``asked`` lies; of today's where it is none, or too far away."""
    try:
        day = date.fromisoformat(asked)
    except ValueError:
        day = today
    if not today - BEHIND <= day <= today + AHEAD:
        day = today
    return day - timedelta(days=day.weekday())


def band_of(at: datetime, zone: str) -> str:
    """The name of the part of the day in which it lies: morning, noon or evening."""
    clock = local(at, zone).time()
    return next(name for name, since in reversed(BANDS) if clock >= since)


def laid(entries: Iterable[Entry], first: date, zone: str, facts: Facts) -> Week:
    """The week that begins on ``first``; an entry that was given twice (the same job) stands once, as given first.

    All that the place itself sounds stands there; of what only places within it do, `MOST_BELOW` in a band.
    """
    once: dict[str, Entry] = {}
    for each in entries:
        once.setdefault(each.job, each)
    days = [first + timedelta(days=ahead) for ahead in range(DAYS)]
    found: dict[tuple[date, str], list[Entry]] = {}
    for each in sorted(once.values(), key=lambda one: (one.start, one.job)):
        found.setdefault((local(each.start, zone).date(), band_of(each.start, zone)), []).append(each)
    bands = tuple(name for name, _ in BANDS if any((day, name) in found for day in days))
    return Week(
        tuple(_day(day, facts(day), {name: found.get((day, name), []) for name in bands}) for day in days), bands
    )


def _day(day: date, facts: DayFacts, found: dict[str, list[Entry]]) -> DayOfWeek:
    shown: dict[str, tuple[Entry, ...]] = {}
    for name, some in found.items():
        below = {each.job for each in [each for each in some if each.is_below][:MOST_BELOW]}
        shown[name] = tuple(each for each in some if not each.is_below or each.job in below)
    return DayOfWeek(day, facts, shown, {name: len(some) - len(shown[name]) for name, some in found.items()})
