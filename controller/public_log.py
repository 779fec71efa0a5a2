"""The public log: what was aired, when, where, by whose order; for everybody, without what is nobody's business.

- Only what sounded is in it, by the nodes' own sealed receipts: no draft, nothing that was taken back in time, no
  person's name, no loudspeaker's name. Whose order it was is told as an office and its area.
- Of words: the title, and the beginning of an emergency's text. Where they were changed after the airing neither is
  told; long numbers (of telephones, of papers) never.
- A day is closed `CLOSES_AFTER` its end: sealed by the station, with the hash of the day that was closed before it.
  What a loudspeaker tells later than that is in the as-run log, not here.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Annotated

import msgspec
from msgspec import Meta

from controller.settings import Settings
from controller.store import Store
from controller.store.public_days import Aired, PublicDay
from schedules import moments
from wire import codec, seal
from wire.names import lies_within
from wire.plan import BulletinClass, Moment
from wire.seal import PublicKey, Sealer
from words import Said

KIND = "public-day"
CLOSES_AFTER = timedelta(days=2)  # a loudspeaker without a network has so long to tell
MOST_CLOSED_AT_ONCE = 31
MOST_DAY_BYTES = 64 * 1024 * 1024  # 10,000 loudspeakers in places of their own, 40 airings
MOST_WORDS = 300
BEFORE_ALL = "0" * 64
# eight digits with at most one sign between two, or nine as people write telephone numbers: (0205) 3 - 812 - 345
_NUMBER = re.compile(r"\(?\d(?:[ .\-]?\d){7,}|\(?\d(?:[\s.()\-\u2010-\u2015]{0,3}\d){8,}")


class PublicLogError(Said):
    """A file that is no day of a public log, or one that this station did not seal so."""


class Place(msgspec.Struct, frozen=True):
    """An area in which it sounded: on how many loudspeakers, on how many of them with a measured level."""

    area: str
    sounded: int
    proven: int


class Entry(msgspec.Struct, frozen=True):
    """One airing. ``order``: the area whose office ordered it, empty for the station's own timetable."""

    planned: Moment
    began: Moment | None  # the first loudspeaker, by its own clock
    seconds: int  # the longest that any loudspeaker sounded
    title: str
    words: str
    bulletin_class: str
    level: str
    drill: bool
    order: str
    places: tuple[Place, ...]


class Day(msgspec.Struct, frozen=True):
    """A day (ISO) of the log. ``before``: SHA-256 of the day closed before it, as it was sealed."""

    station: str
    day: str
    number: Annotated[int, Meta(ge=1)]
    before: Annotated[str, Meta(min_length=64, max_length=64)]
    entries: tuple[Entry, ...]
    closed_at: Moment


@dataclass
class Finding:
    """What an examination found; no ``faults``: nothing was changed, lost or moved since it was sealed."""

    days: int = 0
    faults: list[Said] = field(default_factory=list)


def is_published(area: str, settings: Settings) -> bool:
    """Whether everybody may read what was aired in ``area``."""
    chosen = settings.public_log_areas
    return settings.public_log and (not chosen or any(lies_within(area, each) for each in chosen))


def entries_of(store: Store, day: date, settings: Settings) -> tuple[Entry, ...]:
    """What was aired on a day of the station's zone, in order of time, where it may be told. Raises StoreError."""
    since = moments.at_local(day, time(), settings.zone)
    until = moments.at_local(day + timedelta(days=1), time(), settings.zone)
    shown = (each for each in store.public_days.aired(since, until) if is_published(each.home, settings))
    jobs = groupby(shown, key=lambda each: (each.receipt.planned_start, each.receipt.job))
    return tuple(_entry(list(rows)) for _, rows in jobs)


def within(entries: Iterable[Entry], area: str) -> list[Entry]:
    """The entries that sounded in ``area``, with the places in it alone."""
    found = []
    for entry in entries:
        places = tuple(place for place in entry.places if lies_within(place.area, area))
        if places:
            found.append(msgspec.structs.replace(entry, places=places))
    return found


def still_open(entries: Iterable[Entry], settings: Settings) -> tuple[Entry, ...]:
    """The entries with those of their places that everybody may read by the settings of now."""
    found = []
    for entry in entries:
        places = tuple(place for place in entry.places if is_published(place.area, settings))
        if places:
            found.append(entry if places == entry.places else msgspec.structs.replace(entry, places=places))
    return tuple(found)


def close_days(store: Store, signer: Sealer, settings: Settings, now: datetime) -> int:
    """Seal every day that is over and due, the oldest first, from the first that has anything. How many."""
    if not settings.public_log:
        return 0
    newest = next(iter(store.public_days.closed(1)), None)
    last = moments.local(now - CLOSES_AFTER, settings.zone).date() - timedelta(days=1)
    first = date.fromisoformat(newest.day) + timedelta(days=1) if newest else last
    days = min((last - first).days + 1, MOST_CLOSED_AT_ONCE)
    for day in (first + timedelta(days=ahead) for ahead in range(days)):
        newest = _close(store, signer, settings, day, (newest, now))
    return max(0, days)


def opened(envelope: bytes, keys: Mapping[str, PublicKey]) -> Day:
    """The day under a seal. Raises PublicLogError."""
    try:
        held = seal.unwrap(envelope, MOST_DAY_BYTES)
        if not (seal.is_kind(held, KIND) and seal.sealed_by(held, keys)):
            raise PublicLogError("audit.public_unknown_seal")
        return codec.read(Day, held.body(), MOST_DAY_BYTES)
    except (codec.Malformed, codec.TooBig):
        raise PublicLogError("audit.public_no_day") from None


def read_day(envelope: bytes) -> Day:
    """A day out of the station's own store, its seal not looked at."""
    return codec.read(Day, seal.unwrap(envelope, MOST_DAY_BYTES).body(), MOST_DAY_BYTES)


def examine(store: Store, keys: Mapping[str, PublicKey]) -> Finding:
    """Every closed day against its seal and the day before. Raises StoreError."""
    found, before = Finding(), BEFORE_ALL
    for number, held in enumerate(reversed(store.public_days.closed()), 1):
        found.days = number
        try:
            day = opened(held.envelope, keys)
        except PublicLogError as wrong:
            found.faults.append(wrong)
        else:
            if (day.day, day.number, day.before) != (held.day, number, before):
                found.faults.append(PublicLogError("audit.public_broken", day=held.day))
        before = digest(held.envelope)
    return found


def digest(envelope: bytes) -> str:
    """SHA-256 of a sealed day, hex."""
    return hashlib.sha256(envelope).hexdigest()


def _close(
    store: Store, signer: Sealer, settings: Settings, day: date, since: tuple[PublicDay | None, datetime]
) -> PublicDay:
    before, now = since
    number = before.number + 1 if before else 1
    linked = digest(before.envelope) if before else BEFORE_ALL
    made = Day(settings.station_name, day.isoformat(), number, linked, entries_of(store, day, settings), now)
    closed = PublicDay(made.day, number, seal.seal(KIND, codec.write(made), signer), now)
    store.public_days.close(closed)
    return closed


def _entry(rows: list[Aired]) -> Entry:
    """One job, as all loudspeakers together tell of it."""
    first = rows[0]
    measured = [row.receipt.measured for row in rows if row.receipt.measured]
    sounded = Counter(row.home for row in rows)
    proven = Counter(row.home for row in rows if row.receipt.measured and row.receipt.measured.level_dbfs is not None)
    told = first.changed_at is not None and first.changed_at <= first.receipt.planned_start
    emergency = first.bulletin_class == BulletinClass.EMERGENCY.value
    return Entry(
        planned=first.receipt.planned_start,
        began=min((each.started_at for each in measured), default=None),
        seconds=max((each.sounded_ms for each in measured), default=0) // 1000,
        title=redacted(first.title) if told else "",
        words=redacted(" ".join(first.text.split())[:MOST_WORDS]) if told and emergency else "",
        bulletin_class=first.bulletin_class,
        level=first.level,
        drill=first.drill,
        order=first.ordered_for,
        places=tuple(Place(home, sounded[home], proven[home]) for home in sorted(sounded)),
    )


def redacted(text: str) -> str:
    """``text`` without long numbers: of telephones, identity papers, accounts."""
    return _NUMBER.sub("…", text)
