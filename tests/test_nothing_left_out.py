"""What is to sound, and what waits for a person, is never left out of a list, however much there is of others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from makers_api import COMMUNE, FOREIGN, PREFIX, Program, lend
from makers_web import Town, settled_town

from controller.desk import Wish
from controller.rights import Role
from controller.store import Store
from controller.store.alarm_rows import AlarmRow, Verdict
from controller.store.rows import Announcement, AnnouncementState, BookingRow
from controller.store.shapes import columns
from controller.store.tables import announcements, bookings, inbox
from controller.store.unheard import Ailment, UnheardRow
from schedules.calendars import Recurrence
from tests.makers_store import NOW, furnish

MANY = 2050
APPROVED, SUBMITTED, RETURNED, DRAFT = (
    AnnouncementState.APPROVED,
    AnnouncementState.SUBMITTED,
    AnnouncementState.RETURNED,
    AnnouncementState.DRAFT,
)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


def entered(town: Town, many: int, area: str, state: AnnouncementState, author: str, since: datetime) -> None:
    """So many announcements, each with a booking a minute after the one before, straight into the store."""
    short = f"{state.value[:2]}{author[-4:]}"
    words = Announcement("", "Tin chung", "Tin chung.", author, town.now, town.now, state=state)
    row = BookingRow("", "", (area,), since, author, town.now)
    said = [columns(replace(words, id=f"a{short}{number:06d}")) for number in range(many)]
    placed = [
        columns(
            replace(
                row,
                id=f"b{short}{number:06d}",
                announcement=f"a{short}{number:06d}",
                start=since + timedelta(minutes=number),
            )
        )
        for number in range(many)
    ]
    with town.store.database.writing() as connection:
        connection.execute(sa.insert(announcements), said)
        connection.execute(sa.insert(bookings), placed)


def everything(asks: Program, path: str) -> list[str]:
    """The ids on all pages, as the links lead."""
    found: list[str] = []
    while path:
        answer = asks.get(path)
        assert answer.status_code == 200, answer.text
        found += [each["id"] for each in answer.json["items"]]
        link = answer.headers.get("Link", "")
        path = link.partition(">")[0].removeprefix(f"<{PREFIX}") if link else ""
    return found


def test_the_last_of_thousands_of_bookings_stands_in_plan_week_and_api(town: Town, app: Flask) -> None:
    entered(town, MANY, COMMUNE, APPROVED, town.approver.id, town.now + timedelta(hours=1))
    last = town.desk.announce(
        Wish("Tin cuối.", (COMMUNE,), town.now + timedelta(days=2), title="Tin cuối cùng"), town.editor, town.now
    )
    asks = Program(app, lend(town, town.approver, Role.APPROVER))
    listed = everything(asks, "/bookings?limit=200")
    assert len(listed) == len(set(listed)) == MANY + 1
    assert last.booking_id in listed
    client = town.client(app, "chu-tich")
    pages = max(map(int, re.findall(r"trang=(\d+)", client.get("/ke-hoach").text)))
    assert pages == -(-(MANY + 1) // 80)
    assert "Tin cuối cùng" in client.get(f"/ke-hoach?trang={pages}").text
    assert "Tin cuối cùng" in client.get("/lich").text
    days = client.get("/cum-loa/dong-dang-1/nhung-ngay-toi").text
    assert "Tin cuối cùng" in days, "not planned yet: it waits for approval"


def test_a_page_goes_on_where_it_ended_though_its_last_booking_was_taken_back(town: Town, app: Flask) -> None:
    entered(town, 5, COMMUNE, APPROVED, town.approver.id, town.now + timedelta(hours=1))
    asks = Program(app, lend(town, town.approver, Role.APPROVER))
    first = asks.get("/bookings?limit=2")
    asks.post(f"/bookings/{first.json['items'][1]['id']}/withdrawal")
    rest = everything(asks, first.headers["Link"].partition(">")[0].removeprefix(f"<{PREFIX}"))
    assert [each[-1] for each in rest] == ["2", "3", "4"]


def test_what_waits_for_a_person_is_there_behind_hundreds_of_others(town: Town, app: Flask) -> None:
    made = town.desk.announce(
        Wish("Họp.", (COMMUNE,), town.now + timedelta(hours=5), title="Cũ nhất"), town.editor, town.now
    )
    own = {
        state: replace(
            Announcement(f"a-own-{state.value}", f"Của tôi {state.value}", "x", town.editor.id, town.now, town.now),
            state=state,
        )
        for state in (RETURNED, DRAFT)
    }
    for each in own.values():
        town.store.announcements.create(each, None)
    town.now += timedelta(minutes=1)
    for state in (SUBMITTED, RETURNED, DRAFT):
        entered(town, 600, FOREIGN, state, town.stranger.id, town.now + timedelta(hours=1))
    assert "Cũ nhất" in town.client(app, "chu-tich").get("/duyet").text
    assert made.announcement_id
    editor = town.client(app, "van-hoa")
    assert "Của tôi returned" in editor.get("/").text
    composing = editor.get("/soan").text
    assert "Của tôi draft" in composing
    assert f'value="{COMMUNE}" checked' in composing, "the places of one's own newest booking"


def test_a_commune_s_own_decisions_cleared_alarms_and_listeners_are_not_crowded_out(town: Town, app: Flask) -> None:
    held = Announcement("a-above", "Tin tỉnh", "x", town.boss.id, town.now, town.now, state=APPROVED)
    town.store.announcements.create(held, None)
    row = {"announcement": held.id, "state": "declined", "delivered_at": town.now, "deadline": town.now}
    row |= {"decided_by": town.editor.id, "reason": "Trùng giờ", "booking": None}
    with town.store.database.writing() as connection:
        rows = [row | {"area": f"{FOREIGN}:x{number}", "decided_at": town.now} for number in range(300)]
        rows.append(row | {"area": COMMUNE, "decided_at": town.now - timedelta(hours=1)})
        connection.execute(sa.insert(inbox), rows)
    assert "Trùng giờ" in town.client(app, "van-hoa").get("/hop-tin").text
    chief = town.client(app, "quan-tri").get("/hop-tin").text
    assert chief.count("Trùng giờ") == 200
    assert "Còn 101 quyết định" in chief
    alarm = AlarmRow("c-own", "offline", COMMUNE, "bad", town.now, town.now, town.now, 0, 1, cleared_at=town.now)
    others = [replace(alarm, id=f"c{number:04d}", place=FOREIGN) for number in range(600)]
    later = [replace(each, cleared_at=town.now + timedelta(minutes=1)) for each in others]
    town.store.alarms.enter(Verdict((alarm, *later)), town.now)
    asks = Program(app, lend(town, town.approver, Role.APPROVER))
    assert everything(asks, "/alarms?state=cleared") == ["c-own"]
    assert "c-own" in town.client(app, "chu-tich").get("/canh-bao").text
    everywhere = Program(app, lend(town, town.boss, Role.VIEWER, "*"))
    assert len(set(everything(everywhere, "/alarms?state=cleared&limit=100"))) == 601


def test_on_both_databases_pages_of_cleared_alarms_and_listeners_leave_nothing_out(store: Store) -> None:
    furnish(store)
    rows = [
        AlarmRow(f"c{number}", "offline", "lang-son:dong-dang", "bad", NOW, NOW, NOW, cleared_at=NOW)
        for number in range(5)
    ]
    store.alarms.enter(Verdict(tuple(rows)), NOW)
    first = store.alarms.cleared(2, ["lang-son"])
    second = store.alarms.cleared(9, ["lang-son"], (NOW, first[-1].id))
    assert [each.id for each in (*first, *second)] == [f"c{number}" for number in range(5)]
    assert store.alarms.cleared(9, ["lang"]) == store.alarms.cleared(9, []) == []
    for number in range(4):
        store.unheard.tell(UnheardRow(f"h{number}", "lang-son:dong-dang", None, Ailment.SILENT, "", NOW), NOW, 99)
    told = store.unheard.told(["*"], True, None, 2)
    rest = store.unheard.told(["*"], True, (told[-1].told_at, told[-1].id), 9)
    assert [each.id for each in (*told, *rest)] == [f"h{number}" for number in range(4)]


def test_a_series_that_is_over_is_none_of_what_is_ahead_and_one_that_goes_on_is(store: Store) -> None:
    furnish(store)
    author = store.people.all()[0].id
    said = Announcement("a-series", "Đọc hằng ngày", "x", author, NOW, NOW, state=APPROVED)
    store.announcements.create(said, None)
    began = NOW - timedelta(days=30)
    for name, until in (("b-over", NOW - timedelta(days=2)), ("b-on", NOW + timedelta(days=2)), ("b-ever", None)):
        again = Recurrence("FREQ=DAILY", "Asia/Ho_Chi_Minh", (), until)
        made = NOW + timedelta(seconds=until is None)
        row = BookingRow(name, said.id, ("lang-son",), began, author, made, recurrence=again)
        store.bookings.add(row)
    assert [view.booking.id for view in store.bookings.ahead(NOW, NOW + timedelta(days=14))] == ["b-ever", "b-on"]
    newest = store.bookings.newest_of(author)
    assert newest
    assert newest.id == "b-ever"
    assert store.bookings.newest_of("u-none") is None
    assert set(store.announcements.of([said.id, "a-none"])) == {said.id}
