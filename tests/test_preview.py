"""The preview is what a node holds, byte for byte; it says what is on its way, and what will become of each job."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import makers_store as made
import msgspec
import pytest
from makers_preview import NODES, House, filled
from makers_programmes import aired, asking, asset, row, with_items

from controller import preview
from schedules.rulebook import Rulebook
from schedules.rulebook_text import Policy
from wire import codec
from wire.config import Limits, QuietHours
from wire.errors import Reason
from wire.health import Lacking
from wire.plan import BulletinClass, Job, Level
from wire.receipt import Step

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made_house = House(tmp_path)
    yield made_house
    made_house.close()


def agree(house: House) -> None:
    """Each page's document is what the node of that place holds, to the last byte, and the page shows it all."""
    for name in ("loa-1", "loa-2", "loa-3"):
        assert house.shown(name) == house.node(name).document()
        assert on_page(house, name, 14) == expected(house, name, 14)


def on_page(house: House, name: str, days: int) -> list[datetime]:
    found = re.findall(r'<div class="item-time"><time datetime="([^"]+)">', house.page(name, days))
    return [datetime.fromisoformat(each) for each in found]


def expected(house: House, name: str, days: int) -> list[datetime]:
    today = preview.midnight(date(2026, 11, 24) + (house.now - made.NOW) // DAY * DAY, "Asia/Ho_Chi_Minh")
    jobs = codec.read(list[Job], house.node(name).document(), 10_000_000)
    return [job.start for job in jobs if today <= job.start < today + days * DAY]


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_asked_for_the_page_is_what_the_node_has_merged_byte_for_byte(house: House, seed: int) -> None:
    chance = Random(seed)
    filled(house, chance)
    house.plan()
    agree(house)
    for number in chance.sample(range(1, 4), 2):  # an edit, a withdrawal, something new: each arrives as one more plan
        house.store.bookings.withdraw(f"b{number}")
        asking(house.store, 100 + number, 30, slot=None, start=house.now + number * 7 * HOUR, areas=("loa-2",))
        house.plan(HOUR)
        agree(house)
    house.store.programmes.apply(row(since="2026-11-26", at=house.now))
    house.plan(DAY)
    agree(house)


@pytest.mark.parametrize("seed", range(100, 120))
def test_over_many_draws_the_document_is_what_a_gate_merges(house: House, seed: int) -> None:
    chance = Random(seed)
    filled(house, chance)
    for hours in (0, 30):
        house.plan(hours * HOUR)
        for name in NODES:
            jobs = sorted(
                house.radio.gate(name, house.now).jobs(house.now).values(), key=lambda job: (job.start, job.id)
            )
            seen = preview.look(house.store, house.town.settings, name, house.now)
            assert seen is not None
            assert seen.document == codec.encoded(jobs).encode()
            assert seen.held == seen.wanted
            assert len(seen.pending(house.now, house.now + 14 * DAY)) == 0


def test_the_days_say_what_has_not_arrived_and_on_how_many_loudspeakers_it_lies(house: House) -> None:
    made.on_the_air(house.store)
    house.plan()
    came = made.receipt(1, "b1", Step.FETCHED, asset=made.SHA)
    house.store.asrun.store_receipts(made.batch(came), house.now)
    lacking = msgspec.structs.replace(made.health("loa-2"), lacking=(Lacking("b1", "disk_full"),))
    house.store.health.take_health([lacking], house.now)
    house.store.health.take_presence([made.presence("loa-2")], house.now)
    assert "Đã có ở 1 trên 2 cụm loa" in house.client.get(f"/dia-ban/{made.COMMUNE}/nhung-ngay-toi").text
    assert "Chưa có âm thanh:" not in house.page("loa-1")
    assert "Chưa có âm thanh: hết chỗ trên đĩa" in house.page("loa-2")
    node = house.client.get("/cum-loa/loa-2").text
    assert re.search("Bản tin 1</a> <span class=.quiet.>11:00 · Hôm nay 24/11 · hết chỗ trên đĩa", node)


def test_a_node_that_no_config_has_reached_yet_is_shown_what_it_will_hold(house: House) -> None:
    made.on_the_air(house.store)
    house.plan()
    house.store.roster.add_node(made.node("loa-4", made.HAMLET))
    answer = house.client.get("/cum-loa/loa-4/nhung-ngay-toi")
    assert "Quy định mới chưa gửi tới cụm loa" in answer.text
    assert house.client.get("/cum-loa/loa-4/nhung-ngay-toi.json").data == house.shown("loa-1")


def test_the_pages_speak_english_to_who_asks_for_it(house: House) -> None:
    filled(house, Random(3))
    house.plan()
    house.client.set_cookie("loa_tieng", "en")
    page = house.page("loa-1")
    assert "The next 7 days on this loudspeaker" in page
    assert "only emergencies sound" in page
    assert "Programme" in house.client.get(f"/khung-chuong-trinh/{made.COMMUNE}").text


def test_what_an_area_shows_is_what_a_node_that_hangs_there_without_groups_holds(house: House) -> None:
    filled(house, Random(11))
    house.plan()
    assert house.shown(made.HAMLET) == house.node("loa-1").document()
    assert house.shown(made.OTHER_COMMUNE) == house.node("loa-3").document()
    assert len(house.node("loa-1").document()) > 100


def test_the_document_is_a_list_of_jobs_and_empty_where_nothing_is_planned(house: House) -> None:
    house.plan()
    assert house.shown("loa-1") == b"[]"
    made.on_the_air(house.store)
    house.plan()
    (job,) = codec.read(list[Job], house.shown("loa-1"), 10_000)
    assert (job.id, job.title) == ("b1", "Bản tin 1")


def test_what_is_not_issued_yet_is_said_and_is_not_in_the_list(house: House) -> None:
    made.on_the_air(house.store)
    assert house.shown("loa-1") == b"[]"
    page = house.page("loa-1")
    assert "Chưa gửi tới cụm loa: 1 thay đổi" in page
    assert on_page(house, "loa-1", 7) == []
    house.plan()
    assert "Chưa gửi tới cụm loa" not in house.page("loa-1")
    house.store.bookings.withdraw("b1")
    page = house.page("loa-1")
    assert "Chưa gửi tới cụm loa: 1 thay đổi" in page
    assert "Bỏ <time" in page
    assert len(on_page(house, "loa-1", 7)) == 1  # the node still holds it
    house.plan()
    assert on_page(house, "loa-1", 7) == []


def test_rules_that_a_node_has_not_been_told_are_said(house: House) -> None:
    house.plan()
    assert "Quy định mới chưa gửi tới cụm loa" not in house.page("loa-1")
    house.store.policies.set(
        Policy(made.COMMUNE, date(2026, 11, 1), Rulebook(quiet=QuietHours("20:00", "06:00"))), "u-quan", house.now
    )
    page = house.page("loa-1")
    assert "Quy định mới chưa gửi tới cụm loa" in page
    assert "Giờ yên tĩnh 20:00–06:00" in page
    house.plan()
    assert "Quy định mới chưa gửi tới cụm loa" not in house.page("loa-1")


def test_rules_of_a_later_day_are_those_of_that_day(house: House) -> None:
    policy = Policy(made.COMMUNE, date(2026, 11, 26), Rulebook(Limits(sessions=(0,) * 7)))
    house.store.policies.set(policy, "u-quan", house.now)
    for number, days in ((1, 1), (2, 2)):
        aired(house.store, number, asset("a"), start=house.now + days * DAY)
    house.plan()
    page = house.page("loa-1")
    assert "Từ ngày 26/11/2026" in page
    assert page.count("Phát đúng giờ") == 1
    assert page.count("Không đưa vào kế hoạch: quá số buổi phát trong ngày") == 1


def test_what_one_loudspeaker_refuses_and_another_sounds_is_said_on_the_page_of_each(house: House) -> None:
    house.store.roster.add_node(made.node("loa-1", quiet=QuietHours("12:00", "14:00")))
    aired(house.store, 1, asset("a", 60), "Trưa", start=house.now + 3 * HOUR)
    house.plan()
    assert "Không phát: giờ yên tĩnh" in house.page("loa-1")
    assert "Phát đúng giờ" in house.page("loa-2")
    assert "Không đưa vào kế hoạch" not in house.page("loa-1")


def test_each_job_says_what_the_node_will_make_of_it(house: House) -> None:
    with_items(house.store)
    house.store.programmes.apply(row())
    noon = house.now + 2 * HOUR
    aired(house.store, 1, asset("a", 60), "Dài", start=noon)
    aired(house.store, 2, asset("b", 30), "Chờ", start=noon + timedelta(seconds=20))
    aired(house.store, 3, asset("c", 30), "Đêm", start=house.now + 13 * HOUR)
    aired(house.store, 4, asset("a", 60), "Bị cắt", start=noon + HOUR)
    emergency = {"bulletin_class": BulletinClass.EMERGENCY, "level": Level.PROVINCE, "areas": (made.PROVINCE,)}
    aired(house.store, 5, asset("b", 30), "Lũ", start=noon + HOUR + timedelta(seconds=10), **emergency)
    house.plan()
    page = house.page("loa-1")
    assert re.search(r"Chờ đến 12:01:00.*?sau: Dài", page, re.DOTALL)
    assert "Không đưa vào kế hoạch: giờ yên tĩnh" in page
    assert re.search(r"Bị cắt lúc 13:00:10.*?nhường: Lũ", page, re.DOTALL)
    assert "Cấp trên gửi: Tỉnh" in page
    assert "Mục của khung chương trình" in page
    assert "Nhạc hiệu" in page
    assert "Trưa" in page
    assert "10 giây" in page


def test_what_stands_in_no_plan_is_listed_with_its_reason(house: House) -> None:
    waiting = made.announcement(1, state=made.AnnouncementState.SUBMITTED, title="Chờ duyệt đây")
    house.store.announcements.create(waiting, made.booking(1))
    house.plan()
    page = house.page("loa-1")
    assert "Chưa vào kế hoạch" in page
    assert "Chờ duyệt đây" in page
    assert "Chờ duyệt đây" not in house.page("loa-3")


def test_what_a_policy_holds_back_stands_in_no_plan_and_is_listed_with_the_reason(house: House) -> None:
    aired(house.store, 1, asset("a"), "Giữ lại", start=house.now + HOUR)
    policy = Policy(made.COMMUNE, date(2026, 11, 24), Rulebook(Limits(sessions=(0,) * 7)))
    house.store.policies.set(policy, "u-quan", house.now)
    house.plan()
    page = house.page("loa-1")
    assert house.shown("loa-1") == house.node("loa-1").document() == b"[]"
    assert "Chưa gửi tới cụm loa" not in page
    assert re.search(r"Giữ lại</a>.*?Không đưa vào kế hoạch: quá số buổi phát trong ngày", page, re.DOTALL)


def test_items_of_the_programme_without_audio_are_named(house: House) -> None:
    house.store.programmes.apply(row())
    house.plan()
    assert "chưa có âm thanh nên không phát: Nhạc hiệu, Lời chào" in house.page("loa-1")
    with_items(house.store)
    house.plan()
    assert "chưa có âm thanh nên không phát" not in house.page("loa-1")


def test_a_node_that_reports_older_plans_is_said_to_lack_them(house: House) -> None:
    made.on_the_air(house.store)
    house.plan()
    assert "Chưa rõ cụm loa đang giữ kế hoạch nào" in house.page("loa-1")
    house.store.health.take_health([made.health("loa-1", house.now)], house.now)
    assert "Cụm loa chưa báo đã nhận kế hoạch mới nhất" in house.page("loa-1")


def test_a_preview_knows_every_refusal_that_the_page_can_say() -> None:
    from words import say

    assert all(say(f"web.reason_{reason.value}", language) for reason in Reason for language in ("vi", "en"))


def test_only_who_answers_for_a_place_sees_its_days(house: House) -> None:
    house.store.people.add(made.user("ta", area=made.OTHER_COMMUNE))
    other = house.town.client(house.town.app(), "ta")
    for place in ("cum-loa/loa-1", f"dia-ban/{made.HAMLET}", f"dia-ban/{made.PROVINCE}", "cum-loa/loa-9"):
        for end in ("", ".json"):
            assert other.get(f"/{place}/nhung-ngay-toi{end}").status_code == 404
    assert other.get("/cum-loa/loa-3/nhung-ngay-toi").status_code == 200
    assert house.town.client(house.town.app()).get("/cum-loa/loa-3/nhung-ngay-toi.json").status_code == 302


@pytest.mark.parametrize("place", ["..", "%00", "a" * 5000, "loa-1'--", "%F0%9F%93%A2", "*", made.COMMUNE + ":", " "])
@pytest.mark.parametrize("way", ["cum-loa", "dia-ban"])
@pytest.mark.parametrize("end", ["", ".json", "?ngay=99999999999999999999", "?ngay=%00"])
def test_places_that_are_none_are_answered_plainly(house: House, place: str, way: str, end: str) -> None:
    assert house.client.get(f"/{way}/{place}/nhung-ngay-toi{end}").status_code in (400, 404)


@pytest.mark.parametrize("days", ["", "0", "-1", "14.0", "31", "x" * 3000])
def test_any_other_count_of_days_is_seven(house: House, days: str) -> None:
    page = house.client.get("/cum-loa/loa-1/nhung-ngay-toi", query_string={"ngay": days}).text
    assert page.count('<section class="day"') == 7


def test_a_title_is_text_on_the_page(house: House) -> None:
    aired(house.store, 1, asset("a"), "<script>alert(1)</script>", start=house.now + HOUR)
    assert "<script>alert" not in house.page("loa-1")
    house.plan()
    assert "<script>alert" not in house.page("loa-1")
    assert "&lt;script&gt;alert" in house.page("loa-1")
