"""The plan of the days ahead and the page of a booking: what comes again, what waits for a slot, what is held back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from makers_programme_pages import COMMUNE, POLICY, pressed
from makers_web import HAMLET, NOON, TEXT, Town, form_key, settled_town

from controller.rights import Role
from controller.store.held import HeldBack
from controller.web import agenda
from schedules import rulebook_text
from schedules.placing import Note
from schedules.rulebook import Rulebook
from schedules.rulebook_text import Policy
from wire.config import Limits
from wire.errors import Reason

DAY = timedelta(days=1)
FIVE = NOON + timedelta(hours=5)
DAILY = {"title": "Giờ học bài", "when": "repeat", "repeat": "daily"}
TOMORROW = (NOON + DAY).date()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def client(town: Town) -> FlaskClient:
    return town.client(town.app(), "chu-tich")


def planned(town: Town, client: FlaskClient, **fields: object) -> str:
    """A booking whose voice is ready."""
    booking = town.booked(client, **fields)
    town.voice(town.announcement_of(booking))
    return booking


def plan(client: FlaskClient) -> dict[str, str]:
    """The sections of the plan, by the name in their heading."""
    found = re.findall(
        r'<section class="day" aria-labelledby="day-([^"]+)">(.*?)</section>', client.get("/ke-hoach").text, re.S
    )
    return dict(found)


def turn(town: Town, client: FlaskClient, now: datetime) -> None:
    """Time goes on, and the approver signs in again."""
    town.now = now
    client.set_cookie("loa_phien", town.session("chu-tich"))


def asking(town: Town, client: FlaskClient, note: Note, start: datetime | None = None) -> str:
    """A booking that asked for a slot, and what the station made of it."""
    first = town.store.bookings.get(planned(town, client, title="Họp thôn"))
    assert first is not None
    town.store.bookings.withdraw(first.id)
    more = {"start": start, "slot": "ban-tin-xa", "slot_note": note.value, "idempotency_key": None}
    return town.store.bookings.add(replace(first, id="b0123456789ab", **more)).id  # type: ignore[arg-type]


def hold(town: Town, booking: str, *, day: int = 0, areas: tuple[str, ...] = (COMMUNE,), again: bool = False) -> None:
    start = FIVE + day * DAY
    job = f"{booking}:{start:%Y%m%dt%H%M%S}" if again else booking
    rows = [HeldBack(job, area, booking, "x", start, Reason.DAY_MINUTES.value, town.now) for area in areas]
    town.store.held.write(rows, [])


def badges(section: str) -> list[str]:
    """The stage of every entry, in words."""
    return re.findall(r'<p class="badges"><span class="badge [^"]*">.*?</svg>([^<]+)<', section, re.S)


def test_what_comes_again_stands_on_each_of_its_days_also_long_after_the_first(town: Town, client: FlaskClient) -> None:
    planned(town, client, **DAILY)
    for ahead in (0, 40):
        turn(town, client, NOON + ahead * DAY)
        page = plan(client)
        assert list(page) == [f"{(town.now + n * DAY).date()}" for n in range(14)]
        assert all(badges(section) == ["Đang lặp lại"] for section in page.values())
        assert all('<time datetime="' in section and ">17:00<" in section for section in page.values())


def test_of_what_comes_again_the_plan_takes_nothing_back_and_its_own_page_does(town: Town, client: FlaskClient) -> None:
    booking = planned(town, client, **DAILY)
    assert f"/lich-phat/{booking}/rut" not in client.get("/ke-hoach").text
    assert f"/lich-phat/{booking}/rut" in client.get(f"/lich-phat/{booking}").text


def test_what_came_again_today_has_begun_and_what_ended_is_gone(town: Town, client: FlaskClient) -> None:
    booking = planned(town, client, **DAILY, until="25/11/2026")
    turn(town, client, FIVE + timedelta(hours=1))
    assert [badges(section) for section in plan(client).values()] == [["Đã đến giờ phát"], ["Đang lặp lại"]]
    turn(town, client, FIVE + 3 * DAY)
    assert plan(client) == {}
    assert booking not in client.get("/ke-hoach").text


@pytest.mark.parametrize(
    ("note", "words"),
    [
        (Note.LATER, "Khung trước đã hết chỗ, dời sang lần sau."),
        (Note.TOO_LONG, "Bản tin dài hơn cả khung giờ."),
        (Note.NO_SLOT, "Không còn khung giờ nào nhận chuyên mục này."),
    ],
)
def test_what_waits_for_a_slot_stands_under_no_day_and_says_why(
    town: Town, client: FlaskClient, note: Note, words: str
) -> None:
    booking = asking(town, client, note)
    page = plan(client)
    assert list(page) == ["slot"]
    assert "Chờ khung chương trình" in page["slot"]
    assert "Ngay" not in page["slot"]
    assert badges(page["slot"]) == ["Chờ khung giờ"]
    own = client.get(f"/lich-phat/{booking}").text
    assert words in page["slot"]
    assert words in own
    assert "Chờ khung giờ" in own
    assert "Sắp phát" not in own


def test_what_was_put_into_a_later_slot_stands_on_its_day_and_still_says_so(town: Town, client: FlaskClient) -> None:
    asking(town, client, Note.LATER, FIVE + DAY)
    assert "dời sang lần sau" in plan(client)[f"{TOMORROW}"]


def test_what_is_held_back_says_so_wherever_it_is_shown(town: Town, client: FlaskClient) -> None:
    planned(town, client, title="Bản tin sáng", text=TEXT * 20)
    booking = planned(town, client, key="b" * 32, title="Họp thôn")
    assert "Trùng giờ" in client.get(f"/lich-phat/{booking}").text
    hold(town, booking)
    assert sorted(badges(plan(client)[f"{NOON.date()}"])) == ["Bị giữ lại", "Đã lên lịch"]
    own = client.get(f"/lich-phat/{booking}").text
    assert badges(own) == ["Bị giữ lại"]
    assert "Trùng giờ" not in own
    turn(town, client, FIVE + timedelta(hours=1))  # it never sounded
    assert badges(client.get(f"/lich-phat/{booking}").text) == ["Bị giữ lại"]
    turn(town, client, FIVE + 10 * DAY)
    assert badges(client.get(f"/lich-phat/{booking}").text) == ["Bị giữ lại"]


def test_what_is_held_back_in_one_of_its_places_says_that(town: Town, client: FlaskClient) -> None:
    booking = planned(town, client, areas=[HAMLET, "lang-son:dong-dang:thon-1"])
    hold(town, booking, areas=(HAMLET,))
    assert badges(plan(client)[f"{NOON.date()}"]) == ["Có nơi bị giữ lại"]
    assert badges(client.get(f"/lich-phat/{booking}").text) == ["Có nơi bị giữ lại"]


def test_of_what_comes_again_the_next_coming_is_told_and_the_plan_tells_each(town: Town, client: FlaskClient) -> None:
    booking = planned(town, client, **DAILY)
    hold(town, booking, day=1, again=True)
    assert [badges(section) for section in plan(client).values()][:3] == [
        ["Đang lặp lại"],
        ["Bị giữ lại"],
        ["Đang lặp lại"],
    ]
    assert badges(client.get(f"/lich-phat/{booking}").text) == ["Đang lặp lại"]
    turn(town, client, FIVE + timedelta(hours=1))
    assert badges(client.get(f"/lich-phat/{booking}").text) == ["Bị giữ lại"]
    turn(town, client, FIVE + DAY + timedelta(hours=1))
    own = client.get(f"/lich-phat/{booking}").text
    assert badges(own) == ["Đang lặp lại"]
    assert "Quy định của nơi phát" not in own


def test_a_policy_that_is_read_back_says_how_much_that_is_booked_it_would_hold_back(
    town: Town, client: FlaskClient
) -> None:
    planned(town, client, **DAILY)
    planned(town, client, key="b" * 32, day="2026-11-25", hour="09")
    boss = town.client(town.app(), "quan-tri")

    def read_back(minutes: int, since: object = TOMORROW) -> str:
        text = rulebook_text.write(Policy(COMMUNE, since, Rulebook(Limits(day_minutes=(minutes,) * 7))))  # type: ignore[arg-type]
        return pressed(boss, POLICY, boss.get(POLICY).text, "check", text=text).text

    page = read_back(0)
    assert "14 lượt phát đã đặt trong 14 ngày tới sẽ bị giữ lại" in page  # thirteen of the daily one, and tomorrow's
    assert "không có thêm lượt phát nào đã đặt trong 14 ngày tới bị giữ lại" in read_back(60)
    assert "không có thêm lượt phát nào" in read_back(0, (NOON + 60 * DAY).date())
    assert town.store.held.since(NOON) == []
    assert pressed(boss, POLICY, page, "apply").status_code == 303
    assert "không có thêm lượt phát nào" in read_back(0)


def test_the_inbox_has_no_problem_in_its_title_unless_there_is_one(town: Town) -> None:
    editor = town.client(town.app(), "van-hoa")
    assert "<title>Hộp tin đến" in editor.get("/hop-tin").text
    answer = editor.post(
        "/hop-tin/a000000000001/lang-son:dong-dang/khong",
        data={"csrf_token": form_key(editor), "reason": "x"},
    )
    assert answer.status_code == 422
    assert "<title>Lỗi: Hộp tin đến" in answer.text
    assert '<p class="wrong" role="alert">' in answer.text


def test_the_second_of_two_approvers_reads_that_it_was_decided(town: Town, client: FlaskClient) -> None:
    second = town.person("pho-chu-tich", Role.APPROVER, COMMUNE, "Lương Thị Hoa")
    other = town.client(town.app(), second.name)
    booking = town.booked(town.client(town.app(), "van-hoa"))
    path = f"/duyet/{town.announcement_of(booking)}/dong-y"
    keys = {each: form_key(each, "/duyet") for each in (client, other)}
    assert client.post(path, data={"csrf_token": keys[client], "seen": "1"}).status_code == 303
    answer = other.post(path, data={"csrf_token": keys[other], "seen": "1"})
    assert answer.status_code == 422
    assert re.search(r'<p class="wrong" role="alert">[^<]+</p>\s*<div id="approval"', answer.text)
    assert "Không có bản tin nào chờ duyệt" in answer.text


def test_a_long_plan_is_shown_a_page_at_a_time_and_every_coming_stands_on_one(
    town: Town, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agenda, "PAGE", 5)
    planned(town, client, **DAILY)
    planned(town, client, key="b" * 32, title="Họp thôn", day="2026-11-25", hour="09")
    pages = [client.get(f"/ke-hoach?trang={number}&dia-ban={COMMUNE}").text for number in (1, 2, 3)]
    found = [re.findall(r'<time datetime="([^"]+)"', page) for page in pages]
    assert [len(each) for each in found] == [5, 5, 5]
    every = [at for each in found for at in each]
    assert every == sorted(set(every))
    assert "Trang 2 trên 3 · 15 lượt phát" in pages[1]
    days = re.findall(r'trang=([0-9]+)&amp;[^"]*#day-([0-9-]+)"', pages[1])
    assert [day for _, day in days] == [f"{(NOON + n * DAY).date()}" for n in range(14)]
    for number, day in days:
        assert f'id="day-{day}"' in pages[int(number) - 1]
    for asked, shown in ((0, 1), (-3, 1), (99, 3), ("x", 1)):
        assert f"Trang {shown} trên 3" in client.get(f"/ke-hoach?trang={asked}").text
