"""A province's timetable to measure with: communes, each with a programme and bookings that come every day."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, datetime, timedelta

import sqlalchemy as sa

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
from controller.store.shapes import columns
from controller.store.tables import announcements, assets, bookings
from schedules import timetable
from schedules.calendars import Recurrence
from schedules.rulebook import Rulebook
from schedules.rulebook_text import Policy
from wire.config import Limits

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
    with store.database.wishing() as connection:
        rows = [columns(_recording(number, now)) for number in range(RECORDINGS)]
        connection.execute(sa.insert(assets), rows)
        made = [_announced(author, number, now) for number in range(communes * BOOKINGS_A_DAY + len(ITEMS))]
        connection.execute(sa.insert(announcements), [columns(each) for each in made])
        connection.execute(sa.insert(bookings), [columns(each) for each in _booked(made, areas, now)])
    for area in areas:
        programme = timetable.write(timetable.read(_programme(area, made[-len(ITEMS) :])))
        store.programmes.apply(ProgrammeRow(area, "2026-01-01", programme, author.id, now - timedelta(days=30)))
        limits = Limits(gap_minutes=10, session_minutes=(120,) * 7, day_minutes=(300,) * 7)
        store.policies.set(Policy(area, date(2026, 1, 1), Rulebook(limits)), author.id, now)
    return areas


def edit(store: Store, number: int, now: datetime) -> None:
    """Somebody changes the title of one announcement."""
    held = store.announcements.get(_name(number))
    assert held
    store.announcements.update(replace(held, title=f"Bản tin sửa, số {number}", updated_at=now), held.version)


def _name(number: int) -> str:
    return f"a{number:06d}"


def _sha(number: int) -> str:
    return hashlib.sha256(str(number % RECORDINGS).encode()).hexdigest()


def _recording(number: int, now: datetime) -> AssetRow:
    return AssetRow(_sha(number), 240_000, 60_000 + number, "audio/ogg", "espeak", now)


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
        asset=_sha(number),
        voice_state=VoiceState.DONE,
        approver=author.id,
    )


def _booked(made: list[Announcement], areas: list[str], now: datetime) -> list[BookingRow]:
    """Every three minutes from five in the morning on (Vietnam), every day."""
    dawn = now.replace(hour=22, minute=0, second=0, microsecond=0) - timedelta(days=5)
    found = []
    for index, each in enumerate(made[: len(areas) * BOOKINGS_A_DAY]):
        commune, turn = divmod(index, BOOKINGS_A_DAY)
        found.append(
            BookingRow(
                id=f"b{index:06d}",
                announcement=each.id,
                areas=(areas[commune],),
                state=BookingState.WANTED,
                start=dawn + timedelta(minutes=3 * turn),
                recurrence=Recurrence("FREQ=DAILY"),
                created_by=each.author,
                created_at=now,
            )
        )
    return found


def _programme(area: str, items: list[Announcement]) -> str:
    heads = [f'[programme]\narea = "{area}"\ntitle = "Khung chương trình"\n']
    for start in SLOTS:
        heads.append(f'[[slot]]\nlabel = "Buổi {start}"\ndays = {_EVERY_DAY}\nstart = "{start}"\nminutes = 30\n')
        heads += [
            f'[[slot.item]]\nkind = "{kind}"\nasset = "{item.id}"\n' for kind, item in zip(ITEMS, items, strict=True)
        ]
    return "\n".join(heads)
