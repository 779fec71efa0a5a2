"""A preview as a page shows it: days, in each its bands, in each the jobs with what the node will make of them.

- Every job that the node holds stands on the page once, on the local day on which it is to begin.
- Words are the template's; what the node decides is `schedules.simulation`'s, here it is only named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from controller.preview import Preview, midnight
from schedules import relays
from schedules.days import DayFacts, Facts
from schedules.moments import local
from schedules.simulation import Day, Ended, Stretch
from wire.errors import Reason
from wire.plan import Job, Level
from wire.receipt import Step

AFTERWARDS = timedelta(hours=12)  # how long after its day what was late or cut is followed
ON_TIME = timedelta(seconds=1)
BANDS = (("morning", time()), ("noon", time(11)), ("evening", time(14)))
_ITEM = re.compile(r"p[0-9a-f]{12}-[0-9]{8}t[0-9]{4}-[0-9]+")  # the job of a programme's own item


@dataclass(frozen=True)
class Fate:
    """What the node will make of a job: ``name`` sounds, waits, cut, ducks, refused, missed, or open (not known).

    ``at``: when it begins, or when that was decided; ``behind``: the title of what it waits for.
    """

    name: str
    at: datetime | None = None
    reason: Reason | None = None
    behind: str = ""


@dataclass(frozen=True)
class Entry:
    """A job on the page. ``origin`` is item, above or booking; ``areas``: whose plans say it."""

    job: Job
    areas: tuple[str, ...]
    fate: Fate
    is_past: bool

    @property
    def origin(self) -> str:
        """Where it comes from, in one word."""
        if _ITEM.fullmatch(self.job.id):
            return "item"
        return "booking" if self.job.level is Level.COMMUNE else "above"

    @property
    def booking(self) -> str:
        """The booking that it is an occurrence of; empty for a programme's own item."""
        return booking_of(self.job.id)

    @property
    def length(self) -> timedelta | None:
        """How long it sounds."""
        return timedelta(milliseconds=relays.length_ms(self.job)) if self.job.asset or self.job.relay else None


@dataclass(frozen=True)
class DayAhead:
    """A local day: its facts, and what begins on it by bands, those without anything left out."""

    day: date
    facts: DayFacts
    bands: tuple[tuple[str, tuple[Entry, ...]], ...]

    @property
    def entries(self) -> list[Entry]:
        """All of the day, by start."""
        return [each for _, some in self.bands for each in some]


@dataclass(frozen=True)
class LeftOut:
    """What was asked for and stands in no plan: ``stage`` is how far it came, or ``reason`` why it is held back."""

    title: str
    booking: str
    start: datetime | None
    stage: str = ""
    reason: str = ""


def booking_of(job: str) -> str:
    """The booking that a job is an occurrence of; empty for a programme's own item."""
    return "" if _ITEM.fullmatch(job) else job.partition(":")[0]


def days_ahead(preview: Preview, now: datetime, zone: str, count: int, facts: Facts) -> list[DayAhead]:
    """Today and the days after it, ``count`` together."""
    today = local(now, zone).date()
    return [_day(preview, today + timedelta(days=ahead), now, zone, facts) for ahead in range(count)]


def _day(preview: Preview, day: date, now: datetime, zone: str, facts: Facts) -> DayAhead:
    since, until = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    jobs = [job for job in preview.held if since <= job.start < until]
    made = preview.sounding(preview.held, since, until + AFTERWARDS) if jobs else Day((), ())
    fates = _fates(jobs, made, timedelta(milliseconds=max(0, preview.listener.node.offset_ms)))
    areas = preview.areas_by_job
    entries = [Entry(job, areas.get(job.id, ()), fates[job.id], job.start < now) for job in jobs]
    return DayAhead(day, facts(day), tuple(_banded(entries, zone)))


def _banded(entries: Sequence[Entry], zone: str) -> Iterable[tuple[str, tuple[Entry, ...]]]:
    for number, (name, since) in enumerate(BANDS):
        until = BANDS[number + 1][1] if number + 1 < len(BANDS) else None
        clocks = [(local(each.job.start, zone).time(), each) for each in entries]
        found = tuple(each for clock, each in clocks if clock >= since and (until is None or clock < until))
        if found:
            yield name, found


def _fates(jobs: Sequence[Job], made: Day, offset: timedelta) -> dict[str, Fate]:
    stretches: dict[str, list[Stretch]] = {}
    for each in made.stretches:
        stretches.setdefault(each.job.id, []).append(each)
    endings = {each.job.id: each for each in made.endings}
    return {job.id: _fate(job, stretches.get(job.id, []), endings.get(job.id), made, offset) for job in jobs}


def _fate(job: Job, own: Sequence[Stretch], end: Ended | None, made: Day, offset: timedelta) -> Fate:
    reason = end.reason if end else None
    if not own:
        return Fate(end.step.value if end and reason else "open", end.at if end else None, reason)
    first = own[0]
    beneath = next((each for each in own if each.beneath), None)
    if beneath and end and end.step is Step.SOUNDED:
        return Fate("ducks", _whole(beneath.since), behind=_sounding(made, beneath.since, job))
    if len(own) > 1 or (end and end.step is not Step.SOUNDED):
        return Fate("cut", _whole(first.until), reason, _sounding(made, first.until, job))
    if first.since - job.start - offset > ON_TIME:
        return Fate("waits", _whole(first.since), behind=_sounding(made, job.start + offset, job))
    return Fate("sounds", first.since)


def _whole(moment: datetime) -> datetime:
    """The nearest second: what cuts in takes the loudspeaker a little before its own."""
    return (moment + timedelta(milliseconds=500)).replace(microsecond=0)


def _sounding(made: Day, moment: datetime, other: Job) -> str:
    """The title of what has the loudspeaker at that moment, or takes it within a second, other than ``other``."""
    near = [each for each in made.stretches if each.job.id != other.id and each.until > moment]
    return next((each.job.title for each in near if each.since - ON_TIME <= moment), "")
