"""What pages say of the audio of what is to come: on how many loudspeakers it lies, and why not on the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient
from makers_web import HAMLET, Town, settled_town

from controller.store.held import HeldBack
from wire.health import Health, Lacking
from wire.presence import State
from wire.receipt import Step

NODES = [f"dong-dang-{number}" for number in range(1, 7)]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


@pytest.fixture
def client(town: Town, app: Flask) -> FlaskClient:
    return town.client(app, "chu-tich")


def lacking(town: Town, node: str, *jobs: Lacking, **changed: object) -> None:
    """The node's newest health."""
    town.now += MINUTE
    town.wake(node)
    condition = town.store.health.condition(node)
    assert condition
    assert condition.health
    town.now += MINUTE
    said: Health = msgspec.structs.replace(condition.health, at=town.now, lacking=jobs, **changed)
    town.store.health.take_health([said], town.now)


def voiced(town: Town, client: FlaskClient, **changed: object) -> tuple[str, str]:
    """A booking whose audio is there, and that audio."""
    booking = town.booked(client, **changed)
    return booking, town.voice(town.announcement_of(booking))


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_a_booking_says_on_how_many_loudspeakers_it_is_and_why_not_on_the_others(
    town: Town, client: FlaskClient
) -> None:
    booking, audio = voiced(town, client)
    for node in NODES[:3]:
        lacking(town, node)
        town.report(booking, node, Step.FETCHED, asset=audio)
    lacking(town, NODES[3], Lacking(booking, "data_budget"))
    lacking(town, NODES[4], Lacking(booking))
    town.wake(NODES[2], State.OFFLINE)  # it has it, and will sound it alone
    town.now += MINUTE
    page = words(client.get(f"/lich-phat/{booking}?moi=1").text)
    assert "Đã có ở 3 trên 6 cụm loa" in page
    assert "3 cụm loa chưa có bản tin này" in page
    assert "hết hạn mức dữ liệu trong ngày" in page
    assert "đang tải" in page
    assert "chưa kết nối lần nào" in page
    assert "Đã có ở 3 trên 6 cụm loa" in words(client.get("/ke-hoach").text)


def test_what_was_evicted_is_not_shown_as_there(town: Town, client: FlaskClient) -> None:
    booking, audio = voiced(town, client, areas=[HAMLET])
    lacking(town, NODES[1])
    town.report(booking, NODES[1], Step.FETCHED, asset=audio)
    assert "Đã có ở 1 trên 1 cụm loa" in words(client.get(f"/lich-phat/{booking}").text)
    lacking(town, NODES[1], Lacking(booking, "disk_full"))
    page = words(client.get(f"/lich-phat/{booking}").text)
    assert "Đã có ở 0 trên 1 cụm loa" in page
    assert "hết chỗ trên đĩa" in page


def test_of_what_comes_again_the_next_coming_is_counted(town: Town, client: FlaskClient) -> None:
    booking, audio = voiced(town, client, areas=[HAMLET], when="repeat", repeat="daily")
    comings = town.desk.comings(_view(town, booking), town.now)
    lacking(town, NODES[1])
    for coming in comings[:2]:
        town.report(f"{booking}:{coming:%Y%m%dt%H%M%S}", NODES[1], Step.FETCHED, asset=audio)
    assert "Đã có ở 1 trên 1 cụm loa" in words(client.get(f"/lich-phat/{booking}").text)
    plan = words(client.get("/ke-hoach").text)
    assert plan.count("Đã có ở 1 trên 1 cụm loa") == 2
    assert "Đã có ở 0 trên 1 cụm loa" in plan


def test_where_it_is_held_back_it_is_not_waited_for(town: Town, client: FlaskClient) -> None:
    booking, _ = voiced(town, client, areas=[HAMLET, "lang-son:dong-dang:thon-3"])
    view = town.store.bookings.view(booking)
    assert view is not None
    assert view.booking.start is not None
    row = HeldBack(booking, HAMLET, booking, view.title, view.booking.start, "day_minutes", town.now)
    town.store.held.write([row], [])
    for path in (f"/lich-phat/{booking}", "/ke-hoach"):
        assert "Đã có ở 0 trên 1 cụm loa" in words(client.get(path).text)


def test_what_waits_for_its_voice_or_has_begun_has_no_mark(town: Town, client: FlaskClient) -> None:
    booking = town.booked(client)
    assert "Đã có ở" not in client.get(f"/lich-phat/{booking}").text
    town.voice(town.announcement_of(booking))
    assert "Đã có ở 0 trên 6" in client.get(f"/lich-phat/{booking}").text
    town.now += timedelta(hours=6)
    assert "Đã có ở" not in client.get(f"/lich-phat/{booking}").text
    assert "Đã có ở" not in client.get("/ke-hoach").text


def test_a_node_names_what_it_lacks_and_what_data_it_used(town: Town, client: FlaskClient) -> None:
    booking, _ = voiced(town, client, title="Họp thôn")
    administrator = town.client(town.app(), "quan-tri")
    town.desk.set_data_budget(NODES[0], 50_000_000, town.boss, town.now)
    jobs = (Lacking(booking, "data_budget"), Lacking("p0123456789ab:x", "<b>odd</b>"))
    used = {"data_used_day_bytes": 45_600_000, "data_used_month_bytes": 340_000_000}
    lacking(town, NODES[0], *jobs, lacking_from=town.now + timedelta(days=2), **used)
    page = administrator.get(f"/cum-loa/{NODES[0]}").text
    assert "Họp thôn" in page
    assert "<b>odd</b>" not in page
    assert "45,6\N{NO-BREAK SPACE}MB hôm nay, 340,0\N{NO-BREAK SPACE}MB tháng này" in page
    assert "50,0\N{NO-BREAK SPACE}MB mỗi ngày" in page
    assert "hết hạn mức dữ liệu trong ngày" in words(page)
    assert "còn những bản tin khác chưa có" in words(page)
    assert "Hạn mức dữ liệu" not in administrator.get(f"/cum-loa/{NODES[1]}").text


def _view(town: Town, booking: str):  # type: ignore[no-untyped-def]
    view = town.store.bookings.view(booking)
    assert view is not None
    return view.booking
