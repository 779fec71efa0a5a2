"""Policies (quy chế): the rulebooks of areas, each from its day on, and what already claims the air."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from controller.roster import ancestors
from controller.store.database import Database
from controller.store.rows import Act, AnnouncementState, BookingRow, BookingState
from controller.store.shapes import shaped
from controller.store.tables import announcements, assets, bookings, policies, recordings
from schedules import rulebook_text
from schedules.planner import HORIZON
from schedules.recurring import comings
from schedules.rulebook import Airing, Rulebook, in_force, standing
from schedules.rulebook_text import Policy

CHARS_A_SECOND = 10  # of a text that has no voice yet: espeak, 100 sentences, with the opening (325 s for 3,200)
_SENT = (AnnouncementState.APPROVED.value, AnnouncementState.SUBMITTED.value)
_SAID = (announcements.c.title, announcements.c.text, announcements.c.times, announcements.c.drill)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Claim:
    """A booking that was sent: ``airings`` on ``areas`` in the days ahead; what has no voice yet is estimated."""

    announcement: str
    areas: tuple[str, ...]
    airings: tuple[Airing, ...]
    booking: BookingRow
    title: str
    drill: bool


class Policies:
    """Rulebooks by area and first day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set(self, policy: Policy, who: str, now: datetime, act: Act | None = None) -> None:
        """Enter a policy, or replace that of the same area and day; ``who`` is a person's id."""
        key = {"area": policy.area, "since": policy.since.isoformat()}
        row = {**key, "body": rulebook_text.write(policy), "set_by": who, "set_at": now}
        enter = self._database.upsert(policies).values(row)
        with self._database.wishing(act) as connection:
            connection.execute(enter.on_conflict_do_update(index_elements=["area", "since"], set_=row))

    def all(self) -> dict[str, list[tuple[date, Rulebook]]]:
        """Area -> its rulebooks with their first days, in order."""
        found: dict[str, list[tuple[date, Rulebook]]] = defaultdict(list)
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(policies).order_by(policies.c.area, policies.c.since)).all()
        for row in rows:
            policy = rulebook_text.read(row.body)
            found[policy.area].append((policy.since, policy.rules))
        return dict(found)

    def of(self, area: str) -> list[tuple[date, Rulebook]]:
        """What was set for exactly this area, in order of the first day."""
        return self.all().get(area, [])

    def in_force(self, area: str, day: date) -> Rulebook | None:
        """The rulebook of ``area`` on that local day: its own, or that of the nearest area it lies in."""
        return in_force(self.all(), (area, *ancestors(area)), day)

    def standing(self, area: str, day: date) -> Policy | None:
        """As `in_force`, with the area that it was set for, and its first day."""
        found = standing(self.all(), (area, *ancestors(area)), day)
        return Policy(*found) if found else None

    def claims(self, now: datetime, until: datetime | None = None, areas: frozenset[str] | None = None) -> list[Claim]:
        """What claims the air from yesterday until ``until`` (None: the horizon), approved or waiting for approval.

        With ``areas`` only what names one of them.
        """
        end = until or now + HORIZON
        query = (
            sa.select(bookings, *_SAID, assets.c.duration_ms, recordings.c.duration_ms.label("recorded_ms"))
            .join(announcements, announcements.c.id == bookings.c.announcement)
            .outerjoin(assets, assets.c.sha256 == announcements.c.asset)
            .outerjoin(recordings, recordings.c.sha256 == announcements.c.recording)
            .where(announcements.c.state.in_(_SENT) & (bookings.c.state == BookingState.WANTED.value))
            .where(bookings.c.start <= end)
            .where(bookings.c.recurrence.is_not(None) | (bookings.c.start >= now - _DAY))
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return [_claim(row, now, end) for row in rows if areas is None or not areas.isdisjoint(row["areas"])]


def estimate(text: str, times: int) -> timedelta:
    """About how long it takes to read a text so often."""
    return timedelta(seconds=len(text) / CHARS_A_SECOND * times)


def _claim(row: sa.RowMapping, now: datetime, until: datetime) -> Claim:
    kept = shaped(BookingRow, row)
    assert kept.start is not None
    starts = [kept.start]
    if kept.recurrence is not None:
        starts = comings(kept.recurrence, kept.start, now - _DAY, until)
    length = _length(row)
    airings = tuple(Airing(start, length, kept.bulletin_class, f"{kept.id}:{start.isoformat()}") for start in starts)
    return Claim(kept.announcement, kept.areas, airings, kept, row["title"], row["drill"])


def _length(row: sa.RowMapping) -> timedelta:
    if row["duration_ms"] is not None:
        return timedelta(milliseconds=row["duration_ms"])
    if row["recorded_ms"] is not None:
        return timedelta(milliseconds=row["recorded_ms"] * row["times"])
    return estimate(row["text"], row["times"])
