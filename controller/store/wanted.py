"""What is wanted on the air, kept in mind: a look reads only what was touched since the last one.

- Bookings that are wanted, placed, approved and voiced, or emergencies that are words at least.
- The database stays the truth: whatever a process has in mind is read anew once a day, when an earlier day is asked
  about, and when the database is an older one than before.
- A booking that nobody touched is the same object at every look, so that whoever plans sees at once what is new.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from controller.store.database import Database
from controller.store.rows import AnnouncementState, BookingRow, BookingState, VoiceState
from controller.store.shapes import shaped
from controller.store.tables import announcements, assets, bookings, tidings
from schedules.booking import Booking
from schedules.calendars import occurrences
from schedules.planner import HORIZON, KEPT_PAST
from wire.plan import MAX_SPOKEN_CHARS, Asset, BulletinClass

DAY = timedelta(days=1)
_TICK, _NEVER = timedelta(microseconds=1), datetime.max.replace(tzinfo=UTC)
LONGEST_LATE = timedelta(days=7)  # no booking may begin later than this after its start
BACK = KEPT_PAST + LONGEST_LATE

WANTED = bookings.c.state == BookingState.WANTED.value
ON_THE_AIR = (announcements.c.state == AnnouncementState.APPROVED.value) & (
    announcements.c.voice_state == VoiceState.DONE.value
)
# an emergency whose text is read may be planned before its audio is there: nodes speak it themselves
IN_WORDS = (
    (announcements.c.state == AnnouncementState.APPROVED.value)
    & (announcements.c.bulletin_class == BulletinClass.EMERGENCY.value)
    & (announcements.c.spoken != "")
    & announcements.c.recording.is_(None)
)
READY = ON_THE_AIR | IN_WORDS
_ASSET = (assets.c.sha256, assets.c.size_bytes, assets.c.duration_ms, assets.c.media_type)
_QUERY = (
    sa.select(bookings, announcements.c.title, announcements.c.spoken, announcements.c.drill, *_ASSET)
    .add_columns((WANTED & READY & bookings.c.start.is_not(None)).label("wanted"))
    .join(announcements, announcements.c.id == bookings.c.announcement)
    .outerjoin(assets, assets.c.sha256 == announcements.c.asset)
)


@dataclass(frozen=True)
class _Kept:
    """A booking as it was read, and what its announcement says."""

    row: BookingRow
    start: datetime
    title: str
    spoken: str
    drill: bool
    asset: Asset | None  # None while it is only words


@dataclass(frozen=True)
class _Found:
    """What is to plan from ``since`` until before ``until``, as long as nothing is touched."""

    since: datetime
    until: datetime
    bookings: tuple[Booking, ...]


class Wanted:
    """One process's mind of what is wanted. Safe from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._seen: int | None = None  # the number of wishes at the last look
        self._day = date.min  # the day (UTC) for which `_made` holds
        self._since = datetime.max.replace(tzinfo=UTC)  # what began before is not in mind
        self._kept: dict[str, _Kept] = {}
        self._made: dict[str, Booking] = {}
        self._found: _Found | None = None

    def to_plan(self, now: datetime) -> list[Booking]:
        """By start, then name; see `Bookings.to_plan`."""
        with self._lock:
            self._look(now)
            if self._found is None or not self._found.since <= now < self._found.until:
                self._found = self._find(now)
            return list(self._found.bookings)

    def _find(self, now: datetime) -> _Found:
        until, past = now + HORIZON, now - KEPT_PAST
        near = [(kept.start, name) for name, kept in self._kept.items() if kept.start <= until]
        made = [each for each in (self._booking(name) for _, name in sorted(near)) if each.starts]
        lasting = [(each, each.deadline(each.starts[-1])) for each in made]
        taken = [(each, last) for each, last in lasting if last >= past]
        comes = min((kept.start - HORIZON for kept in self._kept.values() if kept.start > until), default=_NEVER)
        goes = min((last + KEPT_PAST + _TICK for _, last in taken), default=_NEVER)
        return _Found(now, min(comes, goes), tuple(each for each, _ in taken))

    def _look(self, now: datetime) -> None:
        day = now.astimezone(UTC).date()
        with self._database.reading() as connection:
            wishes = connection.execute(sa.select(tidings.c.wishes)).scalar_one()
            known = self._seen is not None and self._seen <= wishes and day == self._day
            if not known:
                self._day, self._since = day, now - BACK - DAY
                self._kept, self._made, self._found = {}, {}, None
                near = bookings.c.recurrence.is_not(None) | (bookings.c.start >= self._since)
                self._read(connection, _QUERY.where(WANTED & READY & near))
            elif self._seen != wishes:
                self._found = None
                self._read(connection, _QUERY.where(bookings.c.id.in_(_touched_since(self._seen))))
            self._seen = wishes

    def _read(self, connection: sa.Connection, query: sa.Select[Any]) -> None:
        for row in connection.execute(query).mappings():
            self._kept.pop(row["id"], None)
            self._made.pop(row["id"], None)
            if (
                row["wanted"]
                and (row["sha256"] or row["spoken"])
                and (row["recurrence"] or row["start"] >= self._since)
            ):
                self._kept[row["id"]] = _kept(row)

    def _booking(self, name: str) -> Booking:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = _planned(self._kept[name], self._day)
        return made


def _touched_since(seen: int | None) -> sa.CompoundSelect[Any]:
    """The bookings that were touched, or whose announcement was, since ``wishes`` was that."""
    own = sa.select(bookings.c.id).where(bookings.c.touched >= seen)
    said = (
        sa.select(bookings.c.id)
        .join(announcements, announcements.c.id == bookings.c.announcement)
        .where(announcements.c.touched >= seen)
    )
    return own.union(said)


def _kept(row: sa.RowMapping) -> _Kept:
    asset = None
    if row["sha256"]:
        asset = Asset(row["sha256"], row["size_bytes"], row["duration_ms"], row["media_type"], url=row["sha256"])
    spoken = row["spoken"][:MAX_SPOKEN_CHARS]
    return _Kept(shaped(BookingRow, row), row["start"], row["title"], spoken, row["drill"], asset)


def _starts(kept: _Kept, day: date) -> tuple[datetime, ...]:
    """When it begins, as far as the planner looks at any moment of ``day`` (UTC), ascending."""
    if kept.row.recurrence is None:
        return (kept.start,)
    dawn = datetime(day.year, day.month, day.day, tzinfo=UTC)
    window = dawn - BACK, dawn + DAY + HORIZON + timedelta(seconds=1)
    return tuple(occurrences(kept.row.recurrence, kept.start, *window))


def _planned(kept: _Kept, day: date) -> Booking:
    row = kept.row
    after_cut, duck = row.after_cut.on_wire
    return Booking(
        id=row.id,
        title=kept.title,
        areas=row.areas,
        starts=_starts(kept, day),
        asset=kept.asset,
        bulletin_class=row.bulletin_class,
        level=row.level,
        late=row.late,
        late_for=timedelta(seconds=row.late_for_seconds),
        after_cut=after_cut,
        duck=duck,
        spoken=kept.spoken,
        drill=kept.drill,
        before=row.before or (),
        repeats=row.recurrence is not None,
        series=row.slot or "",
        cosigned=row.cosigned,
    )
