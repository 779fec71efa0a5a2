"""Makers of programmes in a store: texts, rows, and announcements that ask for a slot."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import makers_store as made
from hypothesis import Phase, find, settings
from makers_schedules import rich_programmes

from controller.store import Store
from controller.store.programmes import ProgrammeRow
from controller.store.rows import AnnouncementState, AssetRow, BookingRow
from schedules import timetable
from schedules.programme import Programme

TEXT = """[programme]
area = "lang-son:dong-dang"
title = "Đài xã"
zone = "Asia/Ho_Chi_Minh"

[[slot]]
label = "Bản tin chiều"
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
start = "17:00"
minutes = 15

[[slot.item]]
kind = "opening"
asset = "Nhạc hiệu"

[[slot.item]]
kind = "announcements"
series = "ban-tin-xa"

[[slot.item]]
kind = "closing"
asset = "Lời chào"

[[slot]]
label = "Tiếp sóng"
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
start = "18:00"
minutes = 30

[[slot.item]]
kind = "relay"
source = "VOV1"
"""


def row(text: str = TEXT, since: str = "2026-11-24", at: datetime = made.NOW) -> ProgrammeRow:
    """A programme as the desk would keep it."""
    return ProgrammeRow(timetable.read(text).area, since, text, "u-hoa", at)


def written(programme: Programme, since: str = "2026-11-24") -> ProgrammeRow:
    return row(timetable.write(programme), since)


def asset(letter: str, seconds: int = 10) -> AssetRow:
    return AssetRow(letter * 64, 4000 * seconds, 1000 * seconds, "audio/ogg", "espeak", made.NOW)


def aired(store: Store, number: int, audio: AssetRow, title: str = "", **changes: Any) -> BookingRow:
    """An approved, voiced announcement with that audio, and its booking."""
    store.assets.put(audio)
    more = {"title": title} if title else {}
    told = made.announcement(number, state=AnnouncementState.APPROVED, **more)
    booking = made.booking(number, **changes)
    store.announcements.create(told, booking)
    assert store.announcements.set_voiced(told.id, told.script_hash, audio.sha256)
    return booking


def with_items(store: Store) -> None:
    """The opening and the closing of `TEXT`, long sounded."""
    long_ago = made.NOW - timedelta(days=100)
    aired(store, 901, asset("d", 10), "Nhạc hiệu", start=long_ago)
    aired(store, 902, asset("e", 5), "Lời chào", start=long_ago)


def asking(store: Store, number: int, seconds: int = 60, **changes: Any) -> BookingRow:
    """An announcement of so many seconds that asks for the next slot of its series."""
    facts = {"start": None, "slot": "ban-tin-xa", "created_at": made.NOW + timedelta(seconds=number)} | changes
    return aired(store, number, asset("abc"[number % 3], seconds), **facts)


def scattered(store: Store, chance: Random, areas: list[str]) -> None:
    """A few bookings of every kind, anywhere."""
    for number in range(1, chance.randint(4, 12)):
        slot = chance.choice([None, None, "ban-tin-xa", "tra-loi", "x"])
        start = None if slot else made.NOW + timedelta(minutes=chance.randint(5, 20 * 1440))
        some = tuple(chance.sample(areas, chance.randint(1, 2)))
        asking(store, number, chance.randint(5, 900), slot=slot, start=start, areas=some)


def drawn(chance: Random, area: str) -> Programme:
    """Some programme for that area."""
    programme = find(
        rich_programmes.filter(lambda each: len(each.slots) > 1),
        lambda _: True,
        random=chance,
        settings=settings(max_examples=20, database=None, deadline=None, phases=[Phase.generate]),
    )
    return replace(programme, area=area)
