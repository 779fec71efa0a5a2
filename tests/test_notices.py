"""The public page: what sounded, for everybody, as page and feeds; what is kept off it; and “I could not hear it”."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from defusedxml.ElementTree import fromstring
from flask.testing import FlaskClient
from makers_web import NOON, Town, form_key, settled_town

from controller import notices
from controller.desk import DeskError
from controller.desk.listeners import MOST_A_DAY
from controller.desk.wishes import Wish
from controller.roster import Area, AreaKind
from controller.store.unheard import Ailment, UnheardRow
from wire.plan import BulletinClass
from wire.receipt import Step

COMMUNE, OTHER = "lang-son:dong-dang", "lang-son:tam-thanh"
HAMLET = f"{COMMUNE}:thon-2"
FIVE = NOON + timedelta(hours=5)
PAGE = f"/thong-bao/{COMMUNE}"
ATOM, ITUNES = "{http://www.w3.org/2005/Atom}", "{http://www.itunes.com/dtds/podcast-1.0.dtd}"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as town:
        town.settings = replace(town.settings, public_bulletins=True, web_origin="https://loa.test")
        yield town


def aired(town: Town, title: str, *nodes: str, areas: tuple[str, ...] = (COMMUNE,), **changed: object) -> str:
    """An announcement that was approved, voiced and sounded at five; its id."""
    facts = {"text": f"Nội dung của {title}.", "areas": areas, "start": FIVE, "title": title}
    who = town.boss if areas[0] == "lang-son" else town.approver
    made = town.desk.announce(Wish(**facts | changed), who, town.now)  # type: ignore[arg-type]
    assert made.booking_id
    town.voice(made.announcement_id)
    for node in nodes:
        town.report(made.booking_id, node, planned_start=FIVE)
    return made.announcement_id


def reader(town: Town) -> FlaskClient:
    return town.app().test_client()


def titles(town: Town, area: str = COMMUNE) -> list[str]:
    return [each.held.title for each in notices.recent(town.store, area, town.now)]


def test_only_what_sounded_here_approved_and_unchanged_is_shown(town: Town) -> None:
    aired(town, "Đã phát", "dong-dang-1", "dong-dang-2")
    aired(town, "Chưa phát")
    lost = aired(town, "Đã rút", "dong-dang-1")
    aired(town, "Cả tỉnh", "dong-dang-3", "tam-thanh-1", areas=("lang-son",))
    town.desk.withdraw(town.store.bookings.of(lost)[0].id, town.approver, town.now)
    town.desk.announce(Wish("Nháp", draft=True), town.editor, town.now)
    missed = town.desk.announce(Wish("Lỡ.", (COMMUNE,), FIVE, title="Lỡ"), town.approver, town.now)
    assert missed.booking_id
    town.report(missed.booking_id, "dong-dang-1", Step.MISSED, reason="no_power", planned_start=FIVE)
    assert sorted(titles(town)) == ["Cả tỉnh", "Đã phát"]
    assert titles(town, OTHER) == ["Cả tỉnh"]
    assert titles(town, f"{COMMUNE}:thon-1") == ["Đã phát"]
    page = reader(town).get(PAGE)
    assert "Nội dung của Đã phát." in page.text
    assert "2 cụm loa đã phát" in page.text
    assert not any(word in page.text for word in ("Chưa phát", "Đã rút", "Nháp", "Lỡ"))
    town.now += timedelta(days=31)
    assert titles(town) == []


def test_who_is_in_a_group_is_told_what_the_group_was_told(town: Town) -> None:
    town.store.roster.add_area(Area("nhom-cho", "Các chợ", AreaKind.GROUP))
    node = town.store.roster.node("dong-dang-4")
    assert node
    town.store.roster.add_node(replace(node, groups=("nhom-cho",)))
    facts = Wish("Chợ nghỉ.", ("nhom-cho",), FIVE, title="Chợ")
    made = town.desk.announce(facts, town.store.people.by_name("quan-tri") or town.boss, town.now)
    assert made.booking_id
    town.report(made.booking_id, "dong-dang-4", planned_start=FIVE)
    assert titles(town) == ["Chợ"]
    assert titles(town, OTHER) == []


def test_an_emergency_stands_there_as_soon_as_it_is_ordered(town: Town) -> None:
    wish = Wish("Lũ về, bà con lên chỗ cao.", (COMMUNE,), title="Lũ", bulletin_class=BulletinClass.EMERGENCY)
    made = town.desk.announce(wish, town.approver, town.now)
    page = reader(town).get(PAGE).text
    assert "đang phát trên loa" in page
    assert "Lũ về" in page
    town.now += timedelta(days=2)
    assert titles(town) == []  # and no loudspeaker ever told of it
    town.now -= timedelta(days=2)
    assert titles(town) == ["Lũ"]
    town.desk.withdraw(made.booking_id, town.approver, town.now)  # type: ignore[arg-type]
    assert titles(town) == []


def test_a_page_for_everybody_has_no_cookie_no_script_no_name_and_is_off_by_default(town: Town) -> None:
    aired(town, "Đã phát", "dong-dang-1")
    page = reader(town).get(PAGE)
    assert "Set-Cookie" not in page.headers
    assert "<script" not in page.text
    assert page.headers["Cache-Control"] == "public, max-age=60"
    assert not any(name in page.text for name in ("Nông Văn Thịnh", "chu-tich", "Hoàng Thị Mai"))
    assert reader(town).get(f"/thong-bao/{OTHER}x").status_code == 404
    town.settings = replace(town.settings, public_log_areas=(OTHER,))
    assert reader(town).get(PAGE).status_code == 404
    assert reader(town).get(f"{PAGE}/khong-nghe").status_code == 404
    town.settings = replace(town.settings, public_bulletins=False, public_log_areas=())
    for path in ("", f"/{COMMUNE}", f"/{COMMUNE}/atom.xml", f"/{COMMUNE}/podcast.xml", f"/{COMMUNE}/khong-nghe"):
        assert reader(town).get(f"/thong-bao{path}").status_code == 404


def test_pages_of_twenty_and_an_address_for_each(town: Town) -> None:
    made = [aired(town, f"Bản tin {number}", "dong-dang-1") for number in range(23)]
    client = reader(town)
    first, second = client.get(PAGE).text, client.get(f"{PAGE}?trang=2").text
    assert first.count("<article") == 20
    assert second.count("<article") == 3
    assert client.get(f"{PAGE}?trang=0").status_code == client.get(f"{PAGE}?trang=6").status_code == 404
    assert "Bản tin 7" in client.get(f"{PAGE}/{made[7]}").text
    assert client.get(f"/thong-bao/{OTHER}/{made[7]}").status_code == 404
    assert client.get("/thong-bao").text.count('class="alone"') == 2


def test_the_feeds_are_whole_whatever_is_in_a_title(town: Town) -> None:
    odd = 'Họp "thôn" <b>&amp; ]]></b>'
    kept = aired(town, odd, "dong-dang-1")
    held = town.store.announcements.get(kept)
    assert held
    assert held.asset
    feed = fromstring(reader(town).get(f"{PAGE}/atom.xml").data)
    assert feed.findtext(f"{ATOM}entry/{ATOM}title") == odd
    assert feed.findtext(f"{ATOM}entry/{ATOM}content") == f"Nội dung của {odd}."
    (enclosure,) = [link for link in feed.iter(f"{ATOM}link") if link.get("rel") == "enclosure"]
    assert enclosure.get("href") == f"https://loa.test/audio/{held.asset}.opus"
    podcast = fromstring(reader(town).get(f"{PAGE}/podcast.xml").data)
    item = podcast.find("channel/item")
    assert item.find("enclosure").get("length") == str((town.settings.shelf_dir / held.asset).stat().st_size)
    assert item.findtext("pubDate") == "Tue, 24 Nov 2026 10:00:00 +0000"
    assert item.findtext(f"{ITUNES}duration") == "1"
    with reader(town).get(f"/audio/{held.asset}.opus") as answer:
        assert answer.status_code == 200


def test_an_approver_keeps_one_off_and_nobody_else(town: Town) -> None:
    kept = aired(town, "Tang lễ", "dong-dang-1")
    app = town.app()
    booking = town.store.bookings.of(kept)[0].id
    editor, approver = town.client(app, "van-hoa"), town.client(app, "chu-tich")
    assert "khong-dang" not in editor.get(f"/lich-phat/{booking}").text
    page = approver.get(f"/lich-phat/{booking}").text
    assert "Không đăng công khai" in page
    with pytest.raises(DeskError, match="may not do this"):
        town.desk.unlist(kept, town.editor, town.now)
    approver.post(f"/ban-tin/{kept}/khong-dang", data={"csrf_token": form_key(approver), "dang": "0"})
    assert titles(town) == []
    assert "không có trên trang" in approver.get(f"/lich-phat/{booking}").text
    approver.post(f"/ban-tin/{kept}/khong-dang", data={"csrf_token": form_key(approver), "dang": "1"})
    assert titles(town) == ["Tang lễ"]
    assert [act.what for act in town.store.acts.recent(2)] == ["listed again", "unlisted"]


def told(client: FlaskClient, **said: str) -> tuple[int, str]:
    """What the form answers to what somebody sends."""
    key = form_key(client, f"{PAGE}/khong-nghe")
    answer = client.post(f"{PAGE}/khong-nghe", data={"csrf_token": key, **said})
    return answer.status_code, answer.text


def test_what_a_listener_says_is_seen_and_answered_by_those_of_the_area(town: Town) -> None:
    kept = aired(town, "Tiêm phòng", "dong-dang-1")
    app = town.app()
    status, page = told(app.test_client(), where=HAMLET, kind="silent", about=kept, words=" Từ  hôm qua <i>loa im. ")
    assert (status, "Cảm ơn" in page) == (200, True)
    approver, stranger = town.client(app, "chu-tich"), town.client(app, "tam-thanh")
    assert "loa im" not in stranger.get("/phan-anh").text
    seen = approver.get("/phan-anh").text
    assert "Từ hôm qua &lt;i&gt;loa im." in seen
    assert "Tiêm phòng" in seen
    (row,) = town.store.unheard.told(["*"], True, None, 9)
    data = {"csrf_token": form_key(approver), "answer": "Đã thay dây loa."}
    assert stranger.post(f"/phan-anh/{row.id}/tra-loi", data=data).status_code in (400, 404)
    assert approver.post(f"/phan-anh/{row.id}/tra-loi", data=data).status_code == 303
    assert "loa im" not in approver.get("/phan-anh").text
    assert "Đã thay dây loa." in approver.get("/phan-anh?tat-ca=1").text
    with pytest.raises(DeskError, match="answered this already"):
        town.desk.answer_unheard(row.id, "Lại nữa.", town.approver, town.now)
    with pytest.raises(DeskError, match="area"):
        town.desk.answer_unheard(row.id, "Tôi sửa.", town.stranger, town.now)


def test_hostile_reports_are_refused_by_name(town: Town) -> None:
    client = reader(town)
    assert told(client, kind="")[0] == 422
    assert told(client, kind="silent", where=f"{OTHER}:thon-1")[0] == 422
    assert told(client, kind="silent", where=f"{COMMUNE}:khong-co")[0] == 422
    assert told(client, kind="silent", words="x" * 301)[0] == 422
    assert client.post(f"{PAGE}/khong-nghe", data={"kind": "silent"}).status_code == 400  # without the form's key
    assert told(client, kind="silent", words="\u202eđảo \x07 ngược", about="a" * 5000)[0] == 200
    (row,) = town.store.unheard.told(["*"], True, None, 9)
    assert row.words.isprintable()
    assert row.announcement is None
    answers = [told(client, kind="loud")[0] for _ in range(40)]
    assert set(answers) == {200, 429}  # one address


def test_one_area_takes_so_many_a_day_and_others_go_on(town: Town) -> None:
    def tell(area: str) -> bool:
        return town.desk.tell_unheard(area, Ailment.FAINT, "", None, town.now) is not None

    assert [tell(HAMLET) for _ in range(MOST_A_DAY + 1)] == [True] * MOST_A_DAY + [False]
    assert tell(COMMUNE)
    town.now += timedelta(days=1, seconds=1)
    assert tell(HAMLET)
    town.now += timedelta(days=400)
    assert tell(HAMLET)
    assert len(town.store.unheard.told(["*"], False, None, 500)) == 1


def test_the_list_goes_on_by_pages(town: Town) -> None:
    for minute in range(60):
        row = UnheardRow(f"h{minute}", HAMLET, None, Ailment.LOUD, f"số {minute}", NOON - timedelta(minutes=minute))
        town.store.unheard.tell(row, NOON - timedelta(days=1), 999)
    client = town.client(town.app(), "chu-tich")
    first = client.get("/phan-anh").text
    (onward,) = re.findall(r'href="(/phan-anh\?truoc=[^"]*)"', first)
    assert (first.count("card unheard"), client.get(onward).text.count("card unheard")) == (50, 10)
    assert client.get(f"/phan-anh?dia-ban={OTHER}").status_code == 404
    assert client.get("/phan-anh?truoc=hom-qua").status_code == 200
