"""A rulebook (quy chế): what a place lets sound in a day besides emergencies, and what a broadcast would break.

- The same check serves the desk, the planner and the node (`refused`): what is written down is what is guarded.
- A session is sound without a pause longer than the rulebook's gap. What overlaps sounds one after another.
- Who comes first that day has the air: a day is walked in order of start, and what does not fit any more is refused.
  So nothing that is added later changes what has sounded. An emergency is never refused, and counts.
- A broadcast over midnight belongs to the day on which it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from schedules import moments, policy
from schedules.relays import length_ms
from wire.config import Limits, NodeConfig, QuietHours, VolumeBand, Week, Weekend
from wire.errors import Reason
from wire.plan import BulletinClass, Job
from words import Said

MINUTE = timedelta(minutes=1)
NO_LIMITS = Limits()
NEVER = datetime.min.replace(tzinfo=UTC)
_SATURDAY = 5


@dataclass(frozen=True)
class Rulebook:
    """The rules of one place from one day on. Without ``quiet`` or ``volumes`` those of station and node hold."""

    limits: Limits = NO_LIMITS
    quiet: QuietHours | None = None
    volumes: tuple[VolumeBand, ...] = ()


@dataclass(frozen=True)
class Airing:
    """Sound on the air: of ``id``, from ``start`` (aware) on for ``length``, when it need not wait."""

    start: datetime
    length: timedelta
    bulletin_class: BulletinClass = BulletinClass.ORDINARY
    id: str = ""


@dataclass(frozen=True)
class Breach:
    """One rule that a broadcast would break; ``facts`` fill the sentence ``schedules.breach_…``."""

    reason: Reason
    facts: Mapping[str, object] = field(default_factory=dict)

    def said(self) -> Said:
        """As a sentence in any language."""
        return Said(f"schedules.breach_{self.reason.value}", **self.facts)


@dataclass
class _Day:
    """A day walked in order of start: what was admitted so far. It says no where `broken` would name a breach."""

    day: date
    limits: Limits
    sound: timedelta = timedelta(0)
    sessions: int = 0
    begin: datetime = NEVER  # of the last session, and its end
    end: datetime = NEVER

    def why_not(self, airing: Airing) -> Reason | None:
        """The broadest rule that one more would break."""
        limits, day = self.limits, self.day
        if day.weekday() >= _SATURDAY and not _for_weekend(limits.weekend, airing.bulletin_class):
            return Reason.WEEKEND
        most = limit(limits.day_minutes, day)
        if most is not None and self.sound + airing.length > most * MINUTE:
            return Reason.DAY_MINUTES
        sessions, begin, end = self._session_with(airing)
        most = limit(limits.sessions, day)
        if most is not None and sessions > most and sessions > self.sessions:
            return Reason.SESSIONS_A_DAY
        longest = limit(limits.session_minutes, day)
        return Reason.SESSION_MINUTES if longest is not None and end - begin > longest * MINUTE else None

    def add(self, airing: Airing) -> None:
        """It sounds."""
        self.sound += airing.length
        self.sessions, self.begin, self.end = self._session_with(airing)

    def _session_with(self, airing: Airing) -> tuple[int, datetime, datetime]:
        """How many sessions there are with it, and when that which it belongs to begins and ends."""
        if self.sessions and airing.start - self.end <= self.limits.gap_minutes * MINUTE:
            return self.sessions, self.begin, max(airing.start, self.end) + airing.length
        return self.sessions + 1, airing.start, airing.start + airing.length


@dataclass
class _Session:
    begin: datetime
    end: datetime
    holds: set[Airing]


def broken(rules: Rulebook, already: Iterable[Airing], wanted: Airing, zone: str) -> list[Breach]:
    """What ``wanted`` would break, ``already`` being what sounds anyway; empty where it fits.

    Quiet hours count for all of it, since a loudspeaker falls silent in the middle of what reaches into them.
    """
    if wanted.bulletin_class is BulletinClass.EMERGENCY:
        return []
    quiet, found = rules.quiet, []
    if quiet is not None and reaches_into(wanted, quiet, zone):
        found.append(Breach(Reason.QUIET_HOURS, {"since": quiet.since, "until": quiet.until}))
    return found + _over(rules.limits, already, wanted, zone)


def reaches_into(wanted: Airing, quiet: QuietHours, zone: str) -> bool:
    """Whether some of it would sound in ``quiet``, whatever its class; what ends as they begin does not."""
    since, until = moments.clock_time(quiet.since), moments.clock_time(quiet.until)
    if since == until:
        return False
    clock = moments.local(wanted.start, zone).time()
    return moments.within(clock, since, until) or moments.next_at(since, wanted.start, zone) < (
        wanted.start + wanted.length
    )


def refused(airings: Iterable[Airing], limits: Limits, zone: str) -> dict[str, Reason]:
    """Which of ``airings`` their days do not take any more, and why. What a station holds back, a node refuses."""
    return refused_by_day(airings, lambda _: limits, zone)


def refused_by_day(airings: Iterable[Airing], limits: Callable[[date], Limits], zone: str) -> dict[str, Reason]:
    """`refused`, each local day having its own limits."""
    held: dict[str, Reason] = {}
    days: dict[date, _Day] = {}
    for airing in sorted(airings, key=lambda each: (each.start, each.id)):
        day = day_of(airing, zone)
        so_far = days.get(day) or days.setdefault(day, _Day(day, limits(day)))
        why = None if airing.bulletin_class is BulletinClass.EMERGENCY else so_far.why_not(airing)
        if why:
            held[airing.id] = why
        else:
            so_far.add(airing)
    return held


def refused_jobs(jobs: Iterable[Job], config: NodeConfig) -> dict[str, Reason]:
    """`refused` over everything that a node's plans hold, also what has ended. What is quiet takes no time of a day."""
    if config.limits is None:
        return {}
    quiet, zone = config.quiet_hours, config.zone
    heard = (job for job in jobs if policy.may_sound(job.bulletin_class, job.start, quiet, zone))
    return refused(map(airing_of, heard), config.limits, zone)


def airing_of(job: Job) -> Airing:
    """A job as the rules see it; one without audio takes no time."""
    return Airing(job.start, timedelta(milliseconds=length_ms(job)), job.bulletin_class, job.id)


def used(airings: Iterable[Airing], day: date, zone: str) -> timedelta:
    """How much sounds on the local ``day``, emergencies too."""
    return sum((each.length for each in airings if day_of(each, zone) == day), timedelta(0))


def session_of(limits: Limits, already: Iterable[Airing], wanted: Airing) -> timedelta:
    """How long the session of ``wanted`` lasts, ``already`` being what sounds that day anyway."""
    sessions = _sessions([*already, wanted], limits.gap_minutes * MINUTE)
    mine = next(each for each in sessions if wanted in each.holds)
    return mine.end - mine.begin


def day_of(airing: Airing, zone: str) -> date:
    """The local day that a broadcast belongs to."""
    return moments.local(airing.start, zone).date()


def limit(week: Week, day: date) -> int | None:
    """What ``week`` allows on ``day``; None: anything."""
    return week[day.weekday()] if day.weekday() < len(week) else None


def in_force(kept: Mapping[str, Sequence[tuple[date, Rulebook]]], areas: Iterable[str], day: date) -> Rulebook | None:
    """The newest rulebook that began by ``day``, of the first of ``areas`` (nearest first) that has one."""
    found = standing(kept, areas, day)
    return found[2] if found else None


def standing(
    kept: Mapping[str, Sequence[tuple[date, Rulebook]]], areas: Iterable[str], day: date
) -> tuple[str, date, Rulebook] | None:
    """As `in_force`, with the area that it was set for, and its first day."""
    for area in areas:
        begun = [each for each in kept.get(area, ()) if each[0] <= day]
        if begun:
            return (area, *max(begun, key=lambda each: each[0]))
    return None


def _over(limits: Limits, already: Iterable[Airing], wanted: Airing, zone: str) -> list[Breach]:
    """The breaches of what is limited in a day, the broadest first."""
    day = day_of(wanted, zone)
    others = [each for each in already if day_of(each, zone) == day and each != wanted]
    found = []
    if day.weekday() >= _SATURDAY and not _for_weekend(limits.weekend, wanted.bulletin_class):
        found.append(Breach(Reason.WEEKEND))
    most = limit(limits.day_minutes, day)
    sound = used(others, day, zone)
    if most is not None and sound + wanted.length > most * MINUTE:
        found.append(Breach(Reason.DAY_MINUTES, {"most": most, "used": _minutes(sound)}))
    return found + _over_sessions(limits, others, wanted, day)


def _over_sessions(limits: Limits, others: list[Airing], wanted: Airing, day: date) -> list[Breach]:
    gap = limits.gap_minutes * MINUTE
    sessions = _sessions([*others, wanted], gap)
    found = []
    most = limit(limits.sessions, day)
    if most is not None and len(sessions) > most and len(sessions) > len(_sessions(others, gap)):
        found.append(Breach(Reason.SESSIONS_A_DAY, {"most": most}))
    longest = limit(limits.session_minutes, day)
    if longest is not None and session_of(limits, others, wanted) > longest * MINUTE:
        found.append(Breach(Reason.SESSION_MINUTES, {"most": longest}))
    return found


def _sessions(airings: list[Airing], gap: timedelta) -> list[_Session]:
    sessions: list[_Session] = []
    for each in sorted(airings, key=lambda airing: (airing.start, airing.id)):
        last = sessions[-1] if sessions else None
        if last is not None and each.start - last.end <= gap:
            last.end = max(each.start, last.end) + each.length
            last.holds.add(each)
        else:
            sessions.append(_Session(each.start, each.start + each.length, {each}))
    return sessions


def _for_weekend(weekend: Weekend, bulletin_class: BulletinClass) -> bool:
    if weekend is Weekend.PRIORITY:
        return bulletin_class is not BulletinClass.ORDINARY
    return weekend is Weekend.AS_USUAL


def _minutes(length: timedelta) -> int:
    return -(-length // MINUTE)
