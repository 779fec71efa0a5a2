"""A province's timetable to measure with: communes, each with a programme and bookings that come every day."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, datetime, timedelta

from bench.papers import PROVINCE
from bench.town import COMMUNE_NODES, furnish
from controller.store import Store
from controller.store.programmes import ProgrammeRow
from controller.store.rows import (
    Announcement,
    AnnouncementState,
    AssetRow,
    BookingRow,
    BookingState,
    User,
    VoiceState,
)
from schedules import timetable
from schedules.calendars import Recurrence
from schedules.rulebook import Rulebook
from schedules.rulebook_text import Policy
from wire.config import Limits
from wire.plan import BulletinClass

BOOKINGS_A_DAY, SLOTS, ITEMS = (
    20,
    ("06:30", "11:30", "15:30", "18:30"),
    ("opening", "anthem", "music", "music", "closing"),
)
ITEMS_A_DAY = BOOKINGS_A_DAY + len(SLOTS) * len(ITEMS)
RECORDINGS = 200
_EVERY_DAY = '["mon", "tue", "wed", "thu", "fri", "sat", "sun"]'
_WORDS = "Bà con chú ý nghe thông báo của Ủy ban nhân dân xã. " * 8


def fill(store: Store, communes: int, now: datetime) -> list[str]:
    """Enter the communes, and for each 40 items a day for ever: 20 bookings, and 20 items in four slots; a policy too.

    Gives the communes' names.
    """
    author = furnish(store, communes * COMMUNE_NODES)
    areas = [each.id for each in store.roster.areas() if each.id != PROVINCE]
    for number in range(RECORDINGS):
        store.assets.put(recording(number, now))
    items = [_announced(author, -number, now) for number in range(1, len(ITEMS) + 1)]
    for each in items:
        store.announcements.create(each)
    for commune, area in enumerate(areas):
        for turn in range(BOOKINGS_A_DAY):
            told = _announced(author, commune * BOOKINGS_A_DAY + turn, now)
            store.announcements.create(told, _booked(told, area, turn, now))
    for area in areas:
        written = timetable.write(timetable.read(programme(area, [each.id for each in items])))
        store.programmes.apply(ProgrammeRow(area, "2026-01-01", written, author.id, now - timedelta(days=30)))
        limits = Limits(gap_minutes=10, session_minutes=(120,) * 7, day_minutes=(300,) * 7)
        store.policies.set(Policy(area, date(2026, 1, 1), Rulebook(limits)), author.id, now)
    return areas


def edit(store: Store, number: int, now: datetime, bulletin_class: BulletinClass = BulletinClass.ORDINARY) -> None:
    """Somebody changes the title of one announcement, and its class."""
    held = store.announcements.get(_name(number))
    assert held
    changed = replace(held, title=f"Bản tin sửa, số {number}", bulletin_class=bulletin_class, updated_at=now)
    store.announcements.update(changed, held.version)


def _name(number: int) -> str:
    return f"a{number % 1_000_000:06d}"


def sha(number: int) -> str:
    """The name of one of the recordings."""
    return hashlib.sha256(str(number % RECORDINGS).encode()).hexdigest()


def recording(number: int, now: datetime) -> AssetRow:
    """One of `RECORDINGS` that may be announced."""
    return AssetRow(sha(number), 240_000, 60_000 + number, "audio/ogg", "espeak", now)


def _announced(author: User, number: int, now: datetime) -> Announcement:
    return Announcement(
        _name(number),
        f"Bản tin số {number}",
        _WORDS,
        author.id,
        now,
        now,
        state=AnnouncementState.APPROVED,
        spoken=_WORDS,
        asset=sha(number),
        voice_state=VoiceState.DONE,
        approver=author.id,
    )


def _booked(told: Announcement, area: str, turn: int, now: datetime) -> BookingRow:
    """Every three minutes from five in the morning on (Vietnam), every day."""
    dawn = now.replace(hour=22, minute=0, second=0, microsecond=0) - timedelta(days=5)
    return BookingRow(
        id=f"b{told.id[1:]}",
        announcement=told.id,
        areas=(area,),
        state=BookingState.WANTED,
        start=dawn + timedelta(minutes=3 * turn),
        recurrence=Recurrence("FREQ=DAILY"),
        created_by=told.author,
        created_at=now,
    )


def programme(area: str, items: list[str]) -> str:
    """A standing week of four slots a day, each with these announcements, one of each of `ITEMS`."""
    heads = [f'[programme]\narea = "{area}"\ntitle = "Khung chương trình"\n']
    for start in SLOTS:
        heads.append(f'[[slot]]\nlabel = "Buổi {start}"\ndays = {_EVERY_DAY}\nstart = "{start}"\nminutes = 30\n')
        parts = zip(ITEMS, items, strict=True)
        heads += [f'[[slot.item]]\nkind = "{kind}"\nasset = "{item}"\n' for kind, item in parts]
    return "\n".join(heads)
