"""A calendar's events become wishes: what shall be said, when, and under which key. Pure.

- An event is one wish when it comes once, or by a rule that a booking can carry; otherwise one wish for each coming of
  the next 60 days. Importing again later brings the days that have come near since.
- The key is made of UID, RECURRENCE-ID and areas: the same event for the same areas is the same wish, however often
  its calendar is read.
- What was cancelled or is past asks for nothing. A day without a time needs to be told at what time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from controller.desk import rules
from controller.desk.wishes import Wish
from schedules import moments
from schedules.ics import Event, IcsError, Occurrence
from wire.plan import BulletinClass, Level

AHEAD = timedelta(days=60)
MOST_COMINGS = 100  # of one event, each a booking of its own


@dataclass(frozen=True)
class Manner:
    """Where and how the events of a calendar shall sound; ``all_day_at``: when those without a time, in ``zone``."""

    areas: tuple[str, ...]
    zone: str = moments.DEFAULT_ZONE
    bulletin_class: BulletinClass = BulletinClass.ORDINARY
    level: Level = Level.COMMUNE
    all_day_at: time | None = None


@dataclass(frozen=True)
class Asked:
    """What an event asks for. ``rivals``: keys of the same event in another shape; it would sound twice."""

    wishes: tuple[Wish, ...]
    rivals: tuple[str, ...] = ()


def asked(event: Event, manner: Manner, now: datetime) -> Asked:
    """The wishes of ``event``, none when nothing of it is to come. Raises IcsError."""
    named = {"line": event.line, "summary": event.summary[:80] or "–"}
    if event.unread:
        raise IcsError("schedules.ics_unread", **named, names=", ".join(event.unread))
    if event.unknown_zone:
        raise IcsError("schedules.ics_unknown_zone", **named, zone=event.unknown_zone)
    to_come = [each for each in event.occurrences if not each.cancelled and _start(each, manner, named) >= now]
    if not to_come:
        return Asked(())
    whole, each_key = _key(event, manner, ""), [_key(event, manner, each.key) for each in event.occurrences]
    if not event.repeats:
        return Asked((_wish(to_come[0], manner, whole),), tuple(each_key))
    if event.recurrence is not None:
        return Asked((_series(event, to_come[0], manner, whole),), tuple(each_key))
    near = [each for each in to_come if _start(each, manner, named) < now + AHEAD]
    if len(near) > MOST_COMINGS:
        raise IcsError("schedules.ics_too_many_comings", **named, most=MOST_COMINGS, days=AHEAD.days)
    return Asked(tuple(_wish(each, manner, _key(event, manner, each.key)) for each in near), (whole,))


def _wish(said: Occurrence, manner: Manner, key: str) -> Wish:
    return Wish(
        text=said.description or said.summary,
        areas=manner.areas,
        start=_start(said, manner),
        title=" ".join(said.summary.split())[: rules.MOST_TITLE_CHARS],
        bulletin_class=manner.bulletin_class,
        level=manner.level,
        idempotency_key=key,
    )


def _series(event: Event, said: Occurrence, manner: Manner, key: str) -> Wish:
    """The event with its rule, from its own first coming on: what counts, counts from there."""
    once = _wish(said, manner, key)
    first = _at(event.start, manner) if said.all_day else event.start
    return Wish(**{**vars(once), "start": first, "recurrence": event.recurrence})


def _start(each: Occurrence, manner: Manner, named: dict[str, object] | None = None) -> datetime:
    """When it sounds, in UTC. Raises IcsError for a day without a time."""
    if not each.all_day:
        return each.start
    if manner.all_day_at is None:
        raise IcsError("schedules.ics_all_day", **(named or {}))
    return _at(each.start, manner)


def _at(midnight: datetime, manner: Manner) -> datetime:
    assert manner.all_day_at is not None
    return moments.at_local(moments.local(midnight, manner.zone).date(), manner.all_day_at, manner.zone)


def _key(event: Event, manner: Manner, recurrence_id: str) -> str:
    """What the same coming of the same event in the same areas has in every file."""
    uid = event.uid or f"{event.summary}\n{event.start.isoformat()}"
    named = "\0".join((*sorted(manner.areas), "", uid, recurrence_id))
    return f"ics-{hashlib.sha256(named.encode('utf-8', 'replace')).hexdigest()[:40]}"
