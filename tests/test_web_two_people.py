"""Two people at one thing, each with the page open: the second reads what has happened, and nothing is done twice."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from makers_web import Town, composed, form_key, settled_town
from werkzeug.test import TestResponse

from controller.desk import Wish
from controller.rights import Role
from schedules.booking import Booking
from wire.plan import BulletinClass, Cosigned, Level

COMMUNE = "lang-son:dong-dang"


def pair(town: Town) -> tuple[FlaskClient, FlaskClient]:
    """Two approvers of the commune, each with a browser."""
    second = town.person("pho-chu-tich", Role.APPROVER, COMMUNE, "Lương Thị Hoa")
    app = town.app()
    return town.client(app, "chu-tich"), town.client(app, second.name)


def act(who: FlaskClient, path: str, **fields: str) -> TestResponse:
    return who.post(path, data={"csrf_token": form_key(who, "/soan"), **fields}, follow_redirects=True)


def sentence(answer: TestResponse) -> str:
    """What the page says aloud, or shows in the place of what is gone."""
    found = re.findall(r'role="(?:alert|status)"[^>]*>(?:<[^>]+>|\s)*([^<]{8,})', answer.text)
    return " ".join(" ".join(found).split())


TAKE_BACK, REVISE, LEAVE_OUT = "/lich-phat/{booking}/rut", "/soan/{announcement}/sua", "/lich-phat/{booking}/bo-ngay"


@pytest.mark.parametrize("first", [TAKE_BACK, REVISE])
@pytest.mark.parametrize("second", [TAKE_BACK, REVISE])
def test_a_booking_that_another_took_away_is_not_taken_twice(tmp_path: Path, first: str, second: str) -> None:
    with settled_town(tmp_path) as town:
        one, other = pair(town)
        booking = town.booked(one)
        ids = {"booking": booking, "announcement": town.announcement_of(booking)}
        assert act(one, first.format(**ids)).status_code == 200
        answer = act(other, second.format(**ids))
        assert answer.status_code in (200, 409, 422)
        assert [each.booking.state.value for each in town.store.bookings.list()] == ["withdrawn"]
        drafts = [each for each in town.store.announcements.list() if each.state.value == "draft"]
        assert len(drafts) <= 1 + (first == second == REVISE)  # a draft is its author's: each has one to write on
        if second == TAKE_BACK:
            assert "đã được rút từ trước" in sentence(answer)


def test_of_two_who_send_one_draft_the_second_is_told(tmp_path: Path) -> None:
    with settled_town(tmp_path) as town:
        one, _ = pair(town)
        tab = town.client(one.application, "chu-tich")
        made = town.desk.announce(Wish("Họp thôn.", draft=True, areas=(COMMUNE,)), town.approver, town.now)
        forms = [composed(each, draft=made.announcement_id, key=key * 32) for each, key in ((one, "a"), (tab, "b"))]
        assert one.post("/soan", data=forms[0]).status_code == 303
        assert one.post("/soan", data=forms[0]).status_code == 303  # the same form once more is the same booking
        answer = tab.post("/soan", data=forms[1])
        assert answer.status_code == 422
        assert "Bản nháp này đã được gửi, hoặc đã bỏ, ở một trang khác" in answer.text
        assert len(town.store.bookings.list()) == 1
        again = tab.post("/soan", data=forms[1] | {"draft": "", "choice": "keep"})  # as the page now stands: one more
        assert again.status_code == 303
        assert len(town.store.bookings.list()) == 2


def test_of_two_who_place_or_decline_what_came_the_second_reads_what_was_decided(tmp_path: Path) -> None:
    with settled_town(tmp_path) as town:
        one, other = pair(town)
        wish = Wish("Chống rét.", ("lang-son",), town.now + timedelta(days=2), "Chống rét", level=Level.PROVINCE)
        sent = town.desk.announce(wish, town.boss, town.now).announcement_id
        when = {"when": "at", "day": "2026-11-25", "hour": "17", "minute": "00", "choice": "keep"}
        act(one, f"/hop-tin/{sent}/{COMMUNE}/xep", **when)
        placed = len(town.store.bookings.list())
        for path, fields in (("xep", when), ("khong", {"reason": "Trùng"})):
            answer = act(other, f"/hop-tin/{sent}/{COMMUNE}/{path}", **fields)
            assert answer.status_code == 422
            assert sentence(answer)
        assert len(town.store.bookings.list()) == placed


def test_a_bulletin_that_was_returned_is_not_approved_from_an_old_page(tmp_path: Path) -> None:
    with settled_town(tmp_path) as town:
        one, other = pair(town)
        announcement = town.announcement_of(town.booked(town.client(one.application, "van-hoa")))
        assert act(one, f"/duyet/{announcement}/tra-lai", reason="Sai ngày").status_code == 200
        answer = act(other, f"/duyet/{announcement}/dong-y", seen="1")
        assert answer.status_code == 422
        assert sentence(answer)
        held = town.store.announcements.get(announcement)
        assert held is not None
        assert held.state.value == "returned"


def resent(town: Town, approver: FlaskClient, writer: FlaskClient, first: dict[str, Any], **then: object) -> str:
    """A bulletin that an approver has returned and its writer has sent once more; its announcement."""
    sent = town.announcement_of(town.booked(writer, **first))
    assert act(approver, f"/duyet/{sent}/tra-lai", reason="Sửa lại").status_code == 200
    assert town.announcement_of(town.booked(writer, **first | {"draft": sent, "key": "f" * 32} | then)) == sent
    return sent


def test_a_time_that_was_taken_back_stands_on_no_card_that_waits(tmp_path: Path) -> None:
    with settled_town(tmp_path) as town:
        one, _ = pair(town)
        writer = town.client(one.application, "van-hoa")
        resent(town, one, writer, {"title": "Đổi giờ", "day": "2026-11-25", "hour": "10"}, hour="11")
        card = re.findall(r'<dl class="facts where">.*?</dl>', one.get("/duyet").text, re.DOTALL)
        assert len(card) == 1
        assert card[0].count("<dt>") == 1
        assert "11:00" in card[0]


def test_what_was_sent_once_more_for_elsewhere_is_no_longer_this_communes_to_judge(tmp_path: Path) -> None:
    with settled_town(tmp_path) as town:
        one, _ = pair(town)
        town.person("tinh-soan", Role.EDITOR, "lang-son", "Hứa Thị Nga")
        town.person("tt-duyet", Role.APPROVER, "lang-son:tam-thanh", "Lộc Văn Sơn")
        writer, there = (town.client(one.application, name) for name in ("tinh-soan", "tt-duyet"))
        first: dict[str, Any] = {"title": "Tin tỉnh", "bulletin_class": "priority", "areas": ["lang-son:tam-thanh"]}
        resent(town, there, writer, first, areas=[COMMUNE])
        assert "Tin tỉnh" not in there.get("/duyet").text
        assert "Tin tỉnh" in one.get("/duyet").text


class Wide:
    """Two people for what is for the whole province; nobody is there to be the second."""

    def wide(self, areas: tuple[str, ...], bulletin_class: BulletinClass) -> tuple[str, ...]:
        return tuple(each for each in areas if each == "lang-son")

    def holders(self, areas: tuple[str, ...], now: datetime) -> tuple[str, ...]:
        return ()

    def keys_of(self, holder: str) -> tuple[str, ...]:
        return ()

    def agree(self, booking: Booking, holder: str, passphrase: str, now: datetime) -> Cosigned:
        raise AssertionError(booking)


def test_a_wide_emergency_sent_once_more_for_one_commune_needs_one_person(tmp_path: Path) -> None:
    with settled_town(tmp_path) as town:
        one, _ = pair(town)
        app, town.desk.second = one.application, Wide()
        town.person("tinh-soan", Role.EDITOR, "lang-son", "Hứa Thị Nga")
        town.person("tinh", Role.APPROVER, "lang-son", "Chu Thị Ngọc")
        writer, approver = town.client(app, "tinh-soan"), town.client(app, "tinh")
        first: dict[str, Any] = {"title": "Lũ", "bulletin_class": "emergency", "when": "now"}
        first |= {"areas": ["lang-son"], "confirm": "Tỉnh Lạng Sơn"}
        sent = resent(town, approver, writer, first, areas=[COMMUNE], confirm="Xã Đồng Đăng")
        assert f"/duyet/{sent}/dong-y" in approver.get("/duyet").text


@pytest.mark.parametrize("changed", [{"text": "Lời chưa ai đọc."}, {"hour": "11"}, {"areas": [COMMUNE + ":thon-1"]}])
def test_a_yes_is_to_what_the_page_showed_and_to_nothing_else(tmp_path: Path, changed: dict[str, Any]) -> None:
    with settled_town(tmp_path) as town:
        one, other = pair(town)
        writer = town.client(one.application, "van-hoa")
        first = {"title": "Họp thôn", "text": "Lời đã đọc.", "day": "2026-11-25", "hour": "10"}
        town.booked(writer, **first)
        old = seen_in(other)
        sent = town.store.announcements.list()[0].id
        act(one, f"/duyet/{sent}/tra-lai", reason="Sửa lại")
        town.booked(writer, **first | {"draft": sent, "key": "f" * 32} | changed)
        for seen in ({"seen": old}, {"seen": "x"}, {}):
            answer = act(other, f"/duyet/{sent}/dong-y", **seen)
            assert answer.status_code == 422
            assert "Hãy đọc lại" in sentence(answer)
            assert str(changed.get("text", "Lời đã đọc.")) in answer.text
            held = town.store.announcements.get(sent)
            assert held is not None
            assert held.state.value == "submitted"
        assert act(other, f"/duyet/{sent}/dong-y", seen=seen_in(other)).status_code == 200
        held = town.store.announcements.get(sent)
        assert held is not None
        assert held.state.value == "approved"


def seen_in(reader: FlaskClient) -> str:
    """What the one form that says yes would say of what it shows."""
    (found,) = re.findall(r'name="seen" value="([^"]+)"', reader.get("/duyet").text)
    return str(found)


@pytest.mark.parametrize("where", ["/nghe-thu", "/soan", "/nghe-thu/day"])
def test_of_two_pages_with_one_draft_the_later_one_overwrites_nothing_unseen(tmp_path: Path, where: str) -> None:
    with settled_town(tmp_path) as town:
        one, _ = pair(town)
        made = town.desk.announce(Wish("Họp thôn.", draft=True, areas=(COMMUNE,)), town.approver, town.now)
        draft = made.announcement_id
        first, second = (composed(one, draft=draft, key=key * 32) for key in "ab")
        assert one.post("/nghe-thu", data=second | {"text": "Họp thôn. Viết thêm nhiều."}).status_code == 200
        answer = one.post(where, data=first | {"text": "Họp thôn. Câu của tôi.", "choice": "keep"})
        assert answer.status_code == 422
        assert "Họp thôn. Viết thêm nhiều.</textarea>" in answer.text
        assert "Họp thôn. Câu của tôi.</textarea>" in answer.text
        assert f'href="/soan/{draft}"' in answer.text
        assert [each.text for each in town.store.announcements.list()] == ["Họp thôn. Viết thêm nhiều."]
        assert town.store.bookings.list() == []
        version = re.search(r'name="version" value="(\d+)"', answer.text)
        assert version
        mine = first | {"text": "Họp thôn. Câu của tôi.", "version": version[1]}  # the page as it now stands
        assert one.post("/nghe-thu", data=mine).status_code == 200
        assert [each.text for each in town.store.announcements.list()] == ["Họp thôn. Câu của tôi."]


def test_a_refusal_for_another_reason_does_not_bring_a_page_up_to_date(tmp_path: Path) -> None:
    with settled_town(tmp_path) as town:
        one, _ = pair(town)
        made = town.desk.announce(Wish("Họp thôn.", draft=True, areas=(COMMUNE,)), town.approver, town.now)
        first, second = (composed(one, draft=made.announcement_id, key=key * 32) for key in "ab")
        one.post("/nghe-thu", data=second | {"text": "Họp thôn. Viết thêm nhiều."})
        refused = one.post("/soan", data=first | {"areas": []})
        assert f'name="version" value="{first["version"]}"' in refused.text


def test_a_page_saves_again_and_again_what_it_writes(tmp_path: Path) -> None:
    with settled_town(tmp_path) as town:
        one, _ = pair(town)
        fields = composed(one)
        for text in ("Một.", "Một, hai.", "Một, hai, ba."):
            page = one.post("/nghe-thu", data=fields | {"text": text})
            assert page.status_code == 200
            fields |= dict(re.findall(r'name="(draft|version)" value="([^"]+)"', page.text))
        [held] = town.store.announcements.list()
        assert held.text == "Một, hai, ba."
