"""The life of an alarm: what is seen now against what is known becomes raised, joined, cleared. Pure.

- One cause in one place (a commune) is one alarm; its members are those that it is about.
- What begins in the same minutes is one incident. What joins later is told anew: an incident that is over its minutes,
  or an alarm that somebody has acknowledged, takes nobody in any more.
- Who is gone is cleared after a hold, longer with every flap; who comes again within `REOPEN` is the same member of the
  same alarm, with one flap more. So a node that flaps is one alarm, however often it does.
- What nobody can know now stays as it was: unknown is neither well nor ill.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from controller.alarms.causes import OF_HEALTH, OF_PRESENCE, cause_of
from controller.alarms.covering import cover
from controller.store.alarm_rows import AlarmRow, Event, Known, MemberRow, Verdict

INCIDENT = timedelta(minutes=10)  # since it last grew
REOPEN = timedelta(hours=1)
MOST_HOLDS = 10  # holds that a node that flaps must be well for, at most
MOST_BESIDE = 5  # open alarms of one cause in one place; past it the newest takes all in

Key = tuple[str, str, str]  # cause, place, member


@dataclass(frozen=True)
class Sign:
    """Something that is wrong now, since when, and the facts of its sentence."""

    cause: str
    place: str
    member: str
    since: datetime
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """What makes it the same sign at the next look."""
        return self.cause, self.place, self.member


@dataclass(frozen=True)
class Seen:
    """All that is wrong now. ``away``: of these nodes no health is known now; ``dark``: nobody knows who is there."""

    signs: tuple[Sign, ...] = ()
    away: frozenset[str] = frozenset()
    dark: bool = False

    def is_unsure(self, cause: str, member: str) -> bool:
        """Whether that this sign is not there means nothing."""
        if cause in OF_PRESENCE or cause == "behind":
            return self.dark or (cause == "behind" and member in self.away)
        return member in self.away and cause in OF_HEALTH


@dataclass(frozen=True)
class Rules:
    """``hold``: how long a member must be well before it is cleared; longer with every flap."""

    hold: timedelta = timedelta(minutes=2)

    def holds(self, flaps: int) -> timedelta:
        """For a member that flapped so often."""
        return self.hold * min(flaps + 1, MOST_HOLDS)


def judge(seen: Seen, known: Known, now: datetime, rules: Rules) -> Verdict:
    """What changes: the alarms and members that are otherwise from now on, and what their histories say."""
    return _Judgement(seen, known, now, rules).verdict()


class _Judgement:
    """One look; keeps what it has changed so far."""

    def __init__(self, seen: Seen, known: Known, now: datetime, rules: Rules) -> None:
        self._seen, self._now, self._rules = seen, now, rules
        self._before = {each.id: each for each in known.alarms}
        self._alarms = dict(self._before)
        self._held = {(row.alarm, row.member): row for rows in known.members.values() for row in rows}
        self._members = dict(self._held)
        self._signs: dict[Key, Sign] = {each.key: each for each in seen.signs}
        self._events: list[Event] = []

    def verdict(self) -> Verdict:
        """Everything in its order: who stays or goes, who comes again, who is new, which alarms end."""
        handled = self._go_on()
        fresh = self._come_again(key for key in self._signs if key not in handled)
        self._raise(fresh)
        self._add_up()
        self._cover()
        alarms = tuple(each for name, each in self._alarms.items() if each != self._before.get(name))
        members = tuple(each for key, each in self._members.items() if each != self._held.get(key))
        return Verdict(alarms, members, tuple(self._events))

    def _go_on(self) -> set[Key]:
        """Those that are open: still there, gone, or gone for long enough. The signs that they account for."""
        handled: set[Key] = set()
        for place, row in self._held.items():
            alarm = self._alarms[row.alarm]
            if row.cleared_at is not None or alarm.cleared_at is not None:
                continue
            key = (alarm.cause, alarm.place, row.member)
            if key in self._signs:
                handled.add(key)
                if row.gone_at is not None:
                    self._members[place] = replace(row, gone_at=None, flaps=row.flaps + 1)
            elif not self._seen.is_unsure(alarm.cause, row.member):
                gone = row.gone_at or self._now
                over = self._now - gone >= self._rules.holds(row.flaps)
                self._members[place] = replace(row, gone_at=gone, cleared_at=self._now if over else None)
        return handled

    def _come_again(self, keys: Iterable[Key]) -> list[Sign]:
        """Those that were cleared a while ago are what they were; the signs that are left are new."""
        lately: dict[Key, MemberRow] = {}
        for held in self._held.values():
            if held.cleared_at is not None and self._now - held.cleared_at <= REOPEN:
                alarm = self._alarms[held.alarm]
                key = (alarm.cause, alarm.place, held.member)
                if key not in lately or (lately[key].cleared_at or held.since) < held.cleared_at:
                    lately[key] = held
        fresh: list[Sign] = []
        for key in keys:
            if (row := lately.get(key)) is None:
                fresh.append(self._signs[key])
                continue
            self._members[row.alarm, row.member] = replace(row, gone_at=None, cleared_at=None, flaps=row.flaps + 1)
            alarm = self._alarms[row.alarm]
            if alarm.cleared_at is not None:
                self._alarms[alarm.id] = replace(alarm, cleared_at=None)
                self._events.append(Event(alarm.id, self._now, "reopened"))
        return fresh

    def _raise(self, fresh: Iterable[Sign]) -> None:
        """Each cause in each place joins what takes it in, or is raised."""
        groups: dict[tuple[str, str], list[Sign]] = defaultdict(list)
        for sign in fresh:
            groups[sign.cause, sign.place].append(sign)
        beside: dict[tuple[str, str], list[AlarmRow]] = defaultdict(list)
        for each in self._alarms.values():
            if each.cleared_at is None:
                beside[each.cause, each.place].append(each)
        for (cause, place), signs in groups.items():
            alarm = self._taking_in(beside[cause, place])
            if alarm is None:
                began = min(sign.since for sign in signs)
                name = _name(cause, place, self._now)
                alarm = AlarmRow(name, cause, place, cause_of(cause).grade, began, self._now, self._now)
                self._events.append(Event(alarm.id, self._now, "raised", detail=str(len(signs))))
            else:
                began = min(alarm.began_at, *(sign.since for sign in signs))
                alarm = replace(alarm, joined_at=self._now, began_at=began)
                self._events.append(Event(alarm.id, self._now, "joined", detail=str(len(signs))))
            self._alarms[alarm.id] = alarm
            for sign in signs:
                flaps = self._members[alarm.id, sign.member].flaps + 1 if (alarm.id, sign.member) in self._held else 0
                row = MemberRow(alarm.id, sign.member, sign.since, flaps=flaps, facts=sign.facts or None)
                self._members[alarm.id, sign.member] = row

    def _taking_in(self, beside: list[AlarmRow]) -> AlarmRow | None:
        """The newest open alarm that new members still belong to."""
        newest = max(beside, key=lambda each: (each.raised_at, each.id), default=None)
        if newest is None or len(beside) >= MOST_BESIDE:
            return newest
        lately = self._now - newest.joined_at <= INCIDENT
        untold = newest.acknowledged_at is None and not cause_of(newest.cause).incident
        return newest if lately or untold else None

    def _add_up(self) -> None:
        """Counts of every alarm, and the end of those that have nobody left."""
        counts: Mapping[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for row in self._members.values():
            count = counts[row.alarm]
            count[0] += row.cleared_at is None
            count[1] += 1
            count[2] += row.flaps
        for name, alarm in self._alarms.items():
            still, ever, flaps = counts[name]
            cleared = alarm.cleared_at if still == 0 else None
            if still == 0 and cleared is None:
                cleared = self._now
                self._events.append(Event(name, self._now, "cleared"))
            self._alarms[name] = replace(alarm, open_members=still, all_members=ever, flaps=flaps, cleared_at=cleared)

    def _cover(self) -> None:
        """What is explained by another alarm says so."""
        whom: dict[str, set[str]] = defaultdict(set)
        for row in self._members.values():
            if row.cleared_at is None:
                whom[row.alarm].add(row.member)
        under = cover([each for each in self._alarms.values() if each.cleared_at is None], whom)
        for name, alarm in self._alarms.items():
            if alarm.under != under.get(name):
                self._alarms[name] = replace(alarm, under=under.get(name))


def _name(cause: str, place: str, now: datetime) -> str:
    """16 hex digits: one cause in one place is raised once in a moment."""
    return hashlib.sha256(f"{cause}|{place}|{now.isoformat()}".encode()).hexdigest()[:16]
