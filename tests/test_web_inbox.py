"""The inbox through the window: what came from above is placed or declined, what clashes is ordered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, timedelta
from html import unescape
from pathlib import Path

import pytest
from browser import CHROMIUM, DESKTOP, PHONE, chromium, overflow, place, small_targets, violations
from flask.testing import FlaskClient
from makers_web import HAMLET, Town, composed, form_key, settled_town

from controller.rights import Role
from controller.store.rows import BookingState, InboxState

COMMUNE = "lang-son:dong-dang"


def province(town: Town) -> None:
    """Somebody who speaks for the province."""
    town.person("so-van-hoa", Role.APPROVER, "lang-son", "Chu Thị Ngọc")


def from_above(town: Town, client: FlaskClient, **changed: object) -> str:
    """A bulletin of the province, voiced; its announcement."""
    booking = town.booked(client, **{"areas": ["lang-son"], "title": "Phòng cháy rừng", **changed})
    announcement = town.announcement_of(booking)
    town.voice(announcement)
    return announcement


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        province(made)
        yield made


@pytest.fixture
def sender(town: Town) -> FlaskClient:
    return town.client(town.app(), "so-van-hoa")


@pytest.fixture
def editor(town: Town) -> FlaskClient:
    return town.client(town.app(), "van-hoa")


def test_it_is_placed_by_the_commune_and_the_sender_sees_where(
    town: Town, sender: FlaskClient, editor: FlaskClient
) -> None:
    assert 'inbox-count" data-live data-live-of="air alarms unheard"></span>' in editor.get("/").text
    announcement = from_above(town, sender)
    assert 'inbox-count" data-live data-live-of="air alarms unheard"><b class="count">1' in editor.get("/").text
    page = editor.get("/hop-tin").text
    assert "Phòng cháy rừng" in page
    assert "17:00" in page
    placed = editor.post(
        f"/hop-tin/{announcement}/{COMMUNE}/xep",
        data={
            "csrf_token": form_key(editor, "/hop-tin"),
            "when": "at",
            "day": "2026-11-25",
            "hour": "05",
            "minute": "30",
        },
    )
    assert placed.status_code == 303
    assert "Phòng cháy rừng" in editor.get("/ke-hoach").text
    item = town.store.inbox.get(announcement, COMMUNE)
    assert item is not None
    assert item.state is InboxState.PLACED
    (offered,) = [row for row in town.store.bookings.of(announcement) if row.areas == ("lang-son",)]
    seen = sender.get(f"/lich-phat/{offered.id}").text
    assert "Đã xếp lịch" in seen
    assert "Chờ xã xếp lịch" in seen, "the other commune"


def test_it_is_declined_with_a_reason(town: Town, sender: FlaskClient, editor: FlaskClient) -> None:
    announcement = from_above(town, sender)
    where, key = f"/hop-tin/{announcement}/{COMMUNE}/khong", form_key(editor, "/hop-tin")
    assert editor.post(where, data={"csrf_token": key, "reason": ""}).status_code == 422
    assert editor.post(where, data={"csrf_token": key, "reason": "Đã phát <hôm qua>"}).status_code == 303
    assert "Đã phát &lt;hôm qua&gt;" in sender.get("/hop-tin").text
    again = editor.post(where, data={"csrf_token": key, "reason": "x"})
    assert again.status_code == 422


@pytest.mark.parametrize(
    "fields",
    [
        {"when": "at", "day": "x"},
        {"when": "at", "day": "2026-11-25", "hour": "99"},
        {"when": "at", "day": "2020-01-01"},
        {"when": "at", "day": "2020-01-01", "choice": "at 0001-01-01T00:00+2359"},
        {"when": "at", "day": "2020-01-01", "choice": "at 9999-12-31T23:59-2359"},
        {"when": "now", "choice": "at 9998-12-31T23:59+0700"},
        {"when": "now", "choice": "at 2020-01-01T05:00+0700"},
    ],
)
def test_a_time_that_cannot_be_is_refused_there(
    town: Town, sender: FlaskClient, editor: FlaskClient, fields: dict[str, str]
) -> None:
    announcement = from_above(town, sender)
    data = {"csrf_token": form_key(editor, "/hop-tin"), "hour": "05", "minute": "30", **fields}
    assert editor.post(f"/hop-tin/{announcement}/{COMMUNE}/xep", data=data).status_code == 422
    stranger = town.client(town.app(), "tam-thanh")
    data |= {"csrf_token": form_key(stranger, "/hop-tin"), "when": "now"}
    assert stranger.post(f"/hop-tin/{announcement}/{COMMUNE}/xep", data=data).status_code == 422
    assert stranger.post(f"/hop-tin/none/{COMMUNE}/xep", data=data).status_code == 422


def test_a_taken_time_is_told_before_it_is_placed(town: Town, sender: FlaskClient, editor: FlaskClient) -> None:
    announcement = from_above(town, sender)
    own = town.booked(town.client(town.app(), "chu-tich"), key="5" * 32, title="Của xã")
    town.voice(town.announcement_of(own))
    path = f"/hop-tin/{announcement}/{COMMUNE}/xep"
    data = {"csrf_token": form_key(editor, "/hop-tin"), "when": "at", "day": "2026-11-24", "hour": "17", "minute": "00"}
    for choice in ("", "at once", "at 2026-11-24T17:00+0700"):
        answer = editor.post(path, data=data | {"choice": choice})
        assert answer.status_code == 200
        assert "Chưa xếp: trùng giờ phát" in answer.text
        assert "“Của xã”" in answer.text
        assert "<option selected>17</option>" in answer.text
    item = town.store.inbox.get(announcement, COMMUNE)
    assert item is not None
    assert item.state is InboxState.WAITING
    free = re.search(r'name="choice" value="(at [^"]+)"', answer.text)
    assert free
    assert 'value="keep"' in answer.text
    placed = editor.post(path, data=data | {"choice": unescape(free[1])})
    assert placed.status_code == 303
    row = town.store.bookings.get(placed.location.split("/")[-1].split("?")[0])
    assert row is not None
    assert row.start is not None
    assert f"at {row.start.astimezone(UTC):%Y-%m-%dT%H:%M%z}" == unescape(free[1])


def test_who_keeps_the_taken_time_keeps_it_and_reads_what_it_meets(
    town: Town, sender: FlaskClient, editor: FlaskClient
) -> None:
    announcement = from_above(town, sender)
    own = town.booked(town.client(town.app(), "chu-tich"), key="5" * 32, title="Của xã")
    town.voice(town.announcement_of(own))
    data = {"csrf_token": form_key(editor, "/hop-tin"), "when": "at", "day": "2026-11-24", "hour": "17", "minute": "00"}
    placed = editor.post(f"/hop-tin/{announcement}/{COMMUNE}/xep", data=data | {"choice": "keep"})
    assert placed.status_code == 303
    assert "Trùng giờ" in editor.get(placed.location).text


def clash(town: Town, sender: FlaskClient) -> None:
    from_above(town, sender, bulletin_class="priority", title="Của tỉnh", key="8" * 32)
    own = town.booked(
        town.client(town.app(), "chu-tich"), key="5" * 32, text="Của xã.", title="Của xã", bulletin_class="priority"
    )
    town.voice(town.announcement_of(own))


def test_of_two_that_clash_the_commune_says_which_goes_first(
    town: Town, sender: FlaskClient, editor: FlaskClient
) -> None:
    clash(town, sender)
    page = editor.get("/hop-tin").text
    assert "Phát trước: Của tỉnh" in page
    (found,) = town.desk.clashes(town.editor, town.now)
    data = {"csrf_token": form_key(editor, "/hop-tin"), "own": found.own.id, "above": found.above.id, "first": "own"}
    assert editor.post("/hop-tin/thu-tu", data=data).status_code == 303
    (found,) = town.desk.clashes(town.editor, town.now)
    assert found.own_first
    assert editor.post("/hop-tin/thu-tu", data=data | {"own": "none"}).status_code == 422


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium")
@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_inbox_is_accessible_and_fits_and_a_person_places_what_came(screen: dict[str, int]) -> None:
    with chromium() as chrome, place(chrome) as here:
        province(here.town)
        sender = here.town.client(here.server.app, "so-van-hoa")
        from_above(here.town, sender)
        from_above(here.town, sender, key="7" * 32, title="Tiêm phòng dại", hour="18")
        clash(here.town, here.town.client(here.server.app, "so-van-hoa"))
        page = here.visitor("van-hoa", screen)
        page.goto(here.address + "/hop-tin")
        page.evaluate("document.querySelectorAll('main details').forEach(each => each.open = true)")
        assert [*violations(page), *small_targets(page)] == []
        assert overflow(page) == 0
        page.locator("article", has_text="Tiêm phòng dại").get_by_role("button", name="Xếp lịch phát").click()
        page.wait_for_url("**/lich-phat/**")
        assert here.troubles == []


def test_a_booking_from_above_is_sent_by_the_form_as_any_other(town: Town, sender: FlaskClient) -> None:
    answer = sender.post("/soan", data=composed(sender, areas=["lang-son"], key="9" * 32))
    assert "Đã gửi về xã, chờ xếp lịch" in sender.get(answer.location).text


def test_a_bulletin_that_its_sender_took_back_is_in_no_inbox_and_in_no_plan(
    town: Town, sender: FlaskClient, editor: FlaskClient
) -> None:
    booking = town.booked(sender, areas=[HAMLET, "lang-son:tam-thanh:thon-1"], title="Chỉ hai thôn")
    announcement = town.announcement_of(booking)
    other = town.client(town.app(), "tam-thanh")
    when = {"when": "at", "day": "2026-11-25", "hour": "05", "minute": "30"}
    path = f"/hop-tin/{announcement}/lang-son:tam-thanh/xep"
    placed = other.post(path, data={"csrf_token": form_key(other), **when})
    assert placed.status_code == 303
    assert sender.post(f"/lich-phat/{booking}/rut", data={"csrf_token": form_key(sender)}).status_code == 303
    assert {row.state for row in town.store.bookings.of(announcement)} == {BookingState.WITHDRAWN}
    assert "Chỉ hai thôn" not in editor.get("/hop-tin").text
    assert "Chỉ hai thôn" not in other.get("/ke-hoach").text
    late = editor.post(f"/hop-tin/{announcement}/{COMMUNE}/xep", data={"csrf_token": form_key(editor), **when})
    assert late.status_code == 422
    assert "nơi gửi đã rút" in late.text


def test_the_card_says_on_which_days_it_comes_when_it_was_wished_and_how_it_is_heard(
    town: Town, sender: FlaskClient, editor: FlaskClient
) -> None:
    again = {"when": "repeat", "repeat": "weekly", "weekdays": ["MO", "TH"], "day": "2026-11-26", "hour": "10"}
    announcement = from_above(town, sender, **again, drill="1", times="3")
    (offer,) = town.store.bookings.of(announcement)
    card = editor.get("/hop-tin").text
    assert "Nơi gửi muốn phát: Thứ Hai, Thứ Năm hằng tuần, lúc 10:00." in card
    assert "Diễn tập" in card
    assert "Đọc 3 lần" in card
    assert "<option selected>10</option>" in card
    assert 'value="now"' not in card, "days that are given have no now"
    assert "Bỏ ngày này" not in sender.get(f"/lich-phat/{offer.id}").text
    fields = dict(re.findall(r'type="hidden" name="(when|day)" value="([^"]+)"', card))
    data = {"csrf_token": form_key(editor), "hour": "11", "minute": "15", **fields}
    placed = editor.post(f"/hop-tin/{announcement}/{COMMUNE}/xep", data=data)
    assert placed.status_code == 303
    page = editor.get(placed.location).text
    assert "Thứ Hai, Thứ Năm hằng tuần, lúc 11:15" in page
    assert page.count("Bỏ ngày này") > 1


@pytest.mark.parametrize("chosen", [("at", "27/11/2026 22:15"), ("now", "")])
def test_a_refused_time_stays_in_the_form(
    town: Town, sender: FlaskClient, editor: FlaskClient, chosen: tuple[str, str]
) -> None:
    announcement = from_above(town, sender, day="2026-11-28")
    when, path = chosen[0], f"/hop-tin/{announcement}/{COMMUNE}/xep"
    town.now += timedelta(hours=10, minutes=30)  # 22:30: quiet
    data = {"csrf_token": form_key(editor), "when": when, "day": "2026-11-27", "hour": "22", "minute": "15"}
    answer = editor.post(path, data=data)
    assert answer.status_code == 422
    assert re.search(f'name="when" value="{when}" checked', answer.text)
    if when == "at":
        kept = re.findall(r'<option(?: value="([^"]+)")? selected>([^<]*)', answer.text)
        assert [day or text for day, text in kept] == ["2026-11-27", "22", "15"]
