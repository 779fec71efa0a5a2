"""The programme on its page: read by all whom it concerns, changed by an approver who has seen what changes."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from makers_programme_pages import (
    COMMUNE,
    EDIT,
    PAGE,
    POLICY,
    SAMPLES,
    TEXT,
    applied,
    fields,
    pressed,
    problems,
    sample,
)
from makers_web import NOON, Town, form_key, settled_town

from controller.roster import Area, AreaKind
from schedules import timetable
from schedules.programme import Kind
from schedules.relays import Source
from wire.receipt import Step

NAMES = {"dong-dang": "Xã Đồng Đăng", "ky-lua": "Phường Kỳ Lừa", "mau-son": "Xã Mẫu Sơn"}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def leader(town: Town) -> FlaskClient:
    """The commune's approver."""
    return town.client(town.app(), "chu-tich")


def body(town: Town) -> str:
    row = town.store.programmes.in_force(COMMUNE, town.now)
    assert row
    return row.body


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_is_shown_whole(town: Town, name: str) -> None:
    if name != "dong-dang":
        town.store.roster.add_area(Area(f"lang-son:{name}", NAMES[name], AreaKind.COMMUNE))
    programme = timetable.read(sample(name))
    applied(town, sample(name))
    page = town.client(town.app(), "quan-tri").get(f"/khung-chuong-trinh/lang-son:{name}").text
    assert programme.title in page
    assert "Đang áp dụng, từ 24/11/2026" in page
    for slot in programme.slots:
        assert slot.label in page
        assert f"{slot.start:%H:%M}" in page
    for item in (item for slot in programme.slots for item in slot.items):
        assert (item.series or item.source or item.asset) in page


def test_conditions_fill_and_overrun_are_said_in_words(town: Town, leader: FlaskClient) -> None:
    applied(town)
    page = leader.get(PAGE).text
    for words in (
        "Thứ Hai, Thứ Tư, Thứ Sáu · 05:30–05:45 (15 phút)",
        "Trong đợt: hoc-ky-1 (05/09/2026–15/01/2027)",
        "Nghỉ ngày lễ.",
        "Chỉ phát ngày lễ.",
        "Âm lịch: mùng một, rằm.",
        "Âm lịch: mùng một Tết.",
        "Thay cho các khung giờ khác bị trùng giờ hôm đó.",
        "Phần còn trống: phát nhạc.",
        "được phát quá giờ",
        "Bản tin của chuyên mục “ngay-ram” (thông thường, ưu tiên)",
        "Tiếp sóng: VOV1",
    ):
        assert words in page, words


def test_a_relay_that_nobody_sounds_says_so_and_one_that_is_sent_has_its_time(town: Town, leader: FlaskClient) -> None:
    applied(town)
    note = "thiết lập của đài chưa có nguồn này"
    assert note in leader.get(PAGE).text
    town.store.airing.sources = {"VOV1": Source("VOV1", "https://vov.example/1")}
    page = leader.get(PAGE).text
    assert note not in page
    assert re.search(r"<time [^>]*>05:05:00</time>\s*Tiếp sóng: VOV1", page)


def test_what_a_programme_relayed_this_morning_stands_once_in_the_week(town: Town, leader: FlaskClient) -> None:
    town.store.airing.sources = {"VOV1": Source("VOV1", "https://vov.example/1", "Đài Tiếng nói Việt Nam")}
    town.now = NOON - timedelta(days=1)
    applied(town)
    town.now = NOON
    week = leader.get(f"/lich?dia-ban={COMMUNE}").text
    assert week.count('datetime="2026-11-23T22:05:00+00:00"') == 2  # 5:05, in the table and in the list of a phone


def test_an_item_without_audio_is_named_with_the_next_step(town: Town, leader: FlaskClient) -> None:
    applied(town)
    page = leader.get(PAGE).text
    assert "Chưa có âm thanh cho:" in page
    assert "Nhạc hiệu Đài truyền thanh xã" in page
    assert 'href="/ban-ghi"' in page


def test_what_asks_for_a_slot_is_shown_where_it_stands(town: Town, leader: FlaskClient) -> None:
    from controller.desk import Wish

    applied(town)
    made = town.desk.announce(
        Wish("Mời bà con họp.", (COMMUNE,), title="Họp thôn", slot="ban-tin-xa"), town.approver, town.now
    )
    town.voice(made.announcement_id)
    town.store.airing.place(town.now)
    page = leader.get(PAGE).text
    assert "05:30:00" in page
    assert "Họp thôn" in page


def test_an_area_without_one_says_whose_holds_or_offers_to_make_one(town: Town, leader: FlaskClient) -> None:
    assert "Địa bàn này chưa có khung chương trình." in leader.get(PAGE).text
    applied(town, sample().replace("lang-son:dong-dang", "lang-son"))
    page = leader.get(PAGE).text
    assert "đang theo khung của Tỉnh Lạng Sơn" in page
    assert 'href="/khung-chuong-trinh/lang-son"' in page
    assert leader.get("/khung-chuong-trinh/lang-son").status_code == 200  # to be read
    assert leader.get("/khung-chuong-trinh/lang-son/sua").status_code == 404


def test_what_is_downloaded_is_what_is_in_force_and_comes_back_the_same(town: Town, leader: FlaskClient) -> None:
    applied(town)
    answer = leader.get(f"{PAGE}/khung.toml")
    assert answer.text == body(town)
    assert "khung-chuong-trinh-lang-son-dong-dang-2026-11-24.toml" in answer.headers["Content-Disposition"]
    page = leader.get(TEXT).text
    page = pressed(leader, TEXT, page, "check", text=answer.text).text
    assert "Không có gì đổi trong 14 ngày tới." in page
    assert pressed(leader, TEXT, page, "apply").status_code == 303
    assert body(town) == answer.text


def test_nothing_that_is_not_there_is_downloaded(town: Town, leader: FlaskClient) -> None:
    assert leader.get(f"{PAGE}/khung.toml").status_code == 404
    applied(town)
    for day in ("2020-01-01", "x", "' OR 1=1", "2026-11-24"):
        status = leader.get(f"{PAGE}/khung.toml", query_string={"ban": day}).status_code
        assert status == (200 if day == "2026-11-24" else 404)


def test_a_change_is_looked_at_then_applied_and_audited(town: Town, leader: FlaskClient) -> None:
    applied(town)
    page = leader.get(EDIT).text
    answer = pressed(leader, EDIT, page, "check", slot__3__start="6h45")
    assert "Đổi (6)" in answer.text
    assert "05:30–05:45" in answer.text
    assert "Áp dụng từ 24/11/2026" in answer.text
    assert "05:30" in body(town)
    rings = town.rings
    answer = pressed(leader, EDIT, answer.text, "apply")
    assert (answer.status_code, answer.location) == (303, PAGE)
    assert "Đã áp dụng khung chương trình từ 24/11/2026" in leader.get(PAGE).text
    assert {f"{slot.start:%H:%M}" for slot in timetable.read(body(town)).slots if slot.label == "Bản tin của xã"} == {
        "06:45"
    }
    assert town.rings == rings + 1
    act = town.store.acts.recent()[0]
    assert (act.who, act.what, act.subject) == ("chu-tich", "applied", COMMUNE)


def test_nothing_is_applied_that_was_not_looked_at_as_it_stands(town: Town, leader: FlaskClient) -> None:
    applied(town)
    before = body(town)
    assert pressed(leader, EDIT, leader.get(EDIT).text, "apply", title="Khác").status_code == 422
    page = pressed(leader, EDIT, leader.get(EDIT).text, "check", title="Khác").text
    answer = pressed(leader, EDIT, page, "apply", title="Khác nữa")
    assert "Bạn vừa sửa thêm sau lần xem trước" in answer.text
    assert body(town) == before
    assert pressed(leader, EDIT, answer.text, "apply").status_code == 303
    assert timetable.read(body(town)).title == "Khác nữa"


def test_who_was_slower_overwrites_nothing_and_is_told_who_was_faster(town: Town, leader: FlaskClient) -> None:
    applied(town)
    other = town.client(town.app(), "quan-tri")
    slow = pressed(leader, EDIT, leader.get(EDIT).text, "check", title="Của lãnh đạo").text
    fast = pressed(other, EDIT, other.get(EDIT).text, "check", title="Của quản trị").text
    town.now += timedelta(minutes=1)
    assert pressed(other, EDIT, fast, "apply").status_code == 303
    answer = pressed(leader, EDIT, slow, "apply")
    assert answer.status_code == 422
    assert "Vi Thị Lan đã áp dụng một khung chương trình khác lúc 12:01 24/11/2026" in answer.text
    assert timetable.read(body(town)).title == "Của quản trị"
    assert fields(answer.text)["title"] == "Của lãnh đạo"  # nothing typed is lost
    again = pressed(leader, EDIT, answer.text, "check").text  # compared with what the other applied
    assert pressed(leader, EDIT, again, "apply").status_code == 303
    assert timetable.read(body(town)).title == "Của lãnh đạo"


def test_two_that_make_the_first_programme_at_once_are_told_apart_too(town: Town, leader: FlaskClient) -> None:
    page = pressed(leader, EDIT, leader.get(EDIT).text, "check").text
    applied(town)
    assert "đã áp dụng một khung chương trình khác" in pressed(leader, EDIT, page, "apply").text


def test_what_is_wrong_is_said_beside_its_slot_and_field_all_at_once(town: Town, leader: FlaskClient) -> None:
    applied(town)
    answer = pressed(
        leader,
        EDIT,
        leader.get(EDIT).text,
        "check",
        slot__0__start="trưa",
        slot__2__minutes="0",
        slot__3__days=[],
        slot__1__item__0__name="",
        slot__5__lunar="32",
        slot__6__until="40/40/2026",
    )
    assert answer.status_code == 422
    assert {field for field, _ in problems(answer.text)} >= {
        "slot-0-start",
        "slot-2-minutes",
        "slot-3-days",
        "slot-1-item-0-name",
        "slot-5-lunar",
        "slot-6-until",
    }
    for field, _ in problems(answer.text):
        assert f'id="{field}"' in answer.text
    assert "<title>Có lỗi" in answer.text or "title_problem" not in answer.text
    assert fields(answer.text)["slot-0-start"] == "trưa"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"since": "01/01/2020"}, "since"),
        ({"since": "hôm nay"}, "since"),
        ({"since": "01/01/2029"}, "since"),
        ({"title": ""}, "title"),
        ({"slot__0__start": "04:55"}, "slot-0-start"),
        ({"slot__1__start": "05:00", "slot__0__minutes": "10"}, "slot-"),
        ({"slot__0__holidays": "x"}, "slot-0-holidays"),
        ({"slot__0__fill": "music"}, "slot-0-fill"),
        ({"slot__0__item__0__kind": "x"}, "slot-0-item-0-kind"),
        ({"slot__0__terms": "no-such"}, "slot-0-terms"),
        ({"slot__0__instead": "1"}, "slot-0-instead"),
        ({"term-0-name": ""}, "term-0-name"),
    ],
)
def test_each_refusal_finds_its_field(town: Town, leader: FlaskClient, changed: dict[str, str], field: str) -> None:
    applied(town)
    answer = pressed(leader, EDIT, leader.get(EDIT).text, "check", **changed)
    assert answer.status_code == 422
    assert problems(answer.text)[0][0].startswith(field), problems(answer.text)


def test_a_programme_is_made_from_nothing_by_buttons_alone(town: Town, leader: FlaskClient) -> None:
    page = leader.get(EDIT).text
    page = pressed(leader, EDIT, page, "slot-add").text
    page = pressed(leader, EDIT, page, "item-add-0", slot__0__label="Bản tin sáng", slot__0__start="5h30").text
    page = pressed(leader, EDIT, page, "item-add-0", slot__0__item__0__name="Bản tin xã").text
    page = pressed(
        leader, EDIT, page, "item-up-0-1", slot__0__item__1__kind="opening", slot__0__item__1__name="Nhạc hiệu"
    ).text
    page = pressed(leader, EDIT, page, "term-add").text
    page = pressed(
        leader, EDIT, page, "check", term__0__name="Học kỳ 1", term__0__since="05/09/2026", term__0__until="15/01/2027"
    ).text
    assert problems(page) == []
    assert "Thêm (14)" in page or "Thêm (13)" in page
    assert pressed(leader, EDIT, page, "apply").status_code == 303
    programme = timetable.read(body(town))
    assert [item.kind for item in programme.slots[0].items] == [Kind.OPENING, Kind.ANNOUNCEMENTS]
    assert programme.slots[0].items[1].series == "ban-tin-xa"
    assert programme.terms[0].name == "hoc-ky-1"


def test_a_programme_of_a_later_day_is_said_and_opened(town: Town, leader: FlaskClient) -> None:
    applied(town)
    page = pressed(leader, EDIT, leader.get(EDIT).text, "check", since="01/12/2026", title="Tháng chạp").text
    assert pressed(leader, EDIT, page, "apply").status_code == 303
    assert "Từ 01/12/2026 sẽ thay bằng: Tháng chạp." in leader.get(PAGE).text
    form = fields(leader.get(EDIT, query_string={"ban": "2026-12-01"}).text)
    assert (form["title"], form["since"]) == ("Tháng chạp", "01/12/2026")
    page = pressed(leader, EDIT, leader.get(EDIT).text, "check").text
    assert "Chỉ đến 01/12/2026" in page


def test_a_text_that_is_wrong_names_its_line_its_field_and_the_reason(town: Town, leader: FlaskClient) -> None:
    applied(town)
    wrong = body(town).replace('"mon", "wed"', '"mom", "wed"', 1)
    answer = pressed(leader, TEXT, leader.get(TEXT).text, "check", text=wrong)
    assert answer.status_code == 422
    line = next(n for n, each in enumerate(wrong.split("\n"), 1) if "mom" in each)
    assert f"dòng {line}, mục slot[3].days" in answer.text
    assert "days = [&#34;mom&#34;, &#34;wed&#34;, &#34;fri&#34;]" in answer.text
    assert fields(answer.text)["text"].replace("\r\n", "\n") == wrong


def uploaded(client: FlaskClient, content: bytes, act: str = "check", path: str = TEXT) -> str:
    form = fields(client.get(path).text).to_dict(flat=False)
    data = {**form, "act": act, "file": (io.BytesIO(content), "khung.toml")}
    answer = client.post(path, data=data, content_type="multipart/form-data")
    assert answer.status_code in (200, 422)
    return answer.text


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_file_is_loaded_and_applied(town: Town, leader: FlaskClient, ends: str) -> None:
    content = b"\xef\xbb\xbf" + sample().replace("\n", ends).encode()
    page = uploaded(leader, content)
    assert "Thêm (" in page
    assert pressed(leader, TEXT, page, "apply").status_code == 303
    assert timetable.read(body(town)) == timetable.read(sample())


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe\x00x", b"\x00" * 10, b"   ", b"a" * 300_000, b"x = ", "é".encode("latin-1"), b"[[[[[[" * 2000],
)
def test_a_file_that_is_no_programme_is_refused_in_a_sentence(town: Town, leader: FlaskClient, content: bytes) -> None:
    assert len(problems(uploaded(leader, content))) == 1
    assert town.store.programmes.of(COMMUNE) == []


def test_a_text_for_another_area_is_refused(town: Town, leader: FlaskClient) -> None:
    for other in ("lang-son:tam-thanh", "lang-son", "lang-son:dong-dang:thon-1", "nowhere"):
        page = pressed(leader, TEXT, leader.get(TEXT).text, "check", text=sample().replace(COMMUNE, other)).text
        assert len(problems(page)) == 1
    boss = town.client(town.app(), "quan-tri")
    page = pressed(boss, TEXT, boss.get(TEXT).text, "check", text=sample().replace(COMMUNE, "lang-son:tam-thanh")).text
    assert "dành cho địa bàn lang-son:tam-thanh" in page


def test_roles_and_areas_are_those_of_the_desk(town: Town, leader: FlaskClient) -> None:
    applied(town)
    editor, stranger = town.client(town.app(), "van-hoa"), town.client(town.app(), "tam-thanh")
    assert "Sửa khung chương trình" not in editor.get(PAGE).text
    assert "Sửa khung chương trình" in leader.get(PAGE).text
    for path in (EDIT, TEXT):
        assert editor.get(path).status_code == 403
        assert editor.post(path, data={"csrf_token": form_key(editor), "act": "apply"}).status_code == 403
        assert (
            leader.post(path.replace("dong-dang", "tam-thanh"), data={"csrf_token": form_key(leader)}).status_code
            == 404
        )
        assert leader.post(path, data={"act": "apply"}).status_code == 400  # without the key of a form
    for path in (PAGE, f"{PAGE}/khung.toml", f"{PAGE}/quy-che.toml"):
        assert stranger.get(path).status_code == 404
        assert town.client(town.app()).get(path).status_code == 302
    assert leader.get(POLICY).status_code == 403


def test_the_way_to_ones_own_programme(town: Town, leader: FlaskClient) -> None:
    assert leader.get("/khung-chuong-trinh").location == PAGE
    boss = town.client(town.app(), "quan-tri")
    assert boss.get("/khung-chuong-trinh").location == "/khung-chuong-trinh/lang-son"
    applied(town)
    assert boss.get("/khung-chuong-trinh").location == PAGE
    assert boss.get("/khung-chuong-trinh?dia-ban=nowhere", follow_redirects=True).status_code == 404
    assert PAGE.split("/")[1] in leader.get("/ke-hoach").text


@pytest.mark.parametrize("area", ["nowhere", "..", "a" * 5000, "*", "%F0%9F%93%A2", "lang-son:", "dong-dang-1"])
def test_areas_that_are_none_are_answered_plainly(town: Town, area: str) -> None:
    boss = town.client(town.app(), "quan-tri")
    for end in ("", "/sua", "/van-ban", "/quy-che", "/khung.toml", "/quy-che.toml"):
        assert boss.get(f"/khung-chuong-trinh/{area}{end}").status_code == 404


def test_hostile_forms_are_answered_and_change_nothing(town: Town, leader: FlaskClient) -> None:
    applied(town)
    before = body(town)
    token = form_key(leader, EDIT)
    forms: list[dict[str, object]] = [
        {"act": "apply"},
        {"act": "check", "title": "x" * 100_000, "since": "9" * 5000},
        {"act": "slot-drop-999", "edition": "x" * 9000, "proof": "y" * 9000},
        {
            "act": "check",
            "title": "a\nb",
            "slot-0-label": '"]]\n[programme]\narea = "lang-son"',
            "slot-0-start": "06:00",
        },
        {"act": "check", **{f"slot-{n}-label": "x" for n in range(999)}},
        {"act": "check", **{f"slot-0-item-{n}-kind": "music" for n in range(99)}, "slot-0-label": "x"},
        {"act": ["check", "apply"], "title": ["a", "b"], "slot-0-days": ["mon"] * 500, "slot-0-label": "x"},
    ]
    for form in forms:
        assert leader.post(EDIT, data={"csrf_token": token, **form}).status_code in (200, 422)
    assert leader.post(EDIT, data={"csrf_token": token, "title": "\0"}).status_code == 400
    assert leader.post(TEXT, data={"csrf_token": token, "text": "x" * 2_000_000}).status_code == 413
    assert leader.post(TEXT, data={"csrf_token": token, "text": "a = 1\n" * 3500, "act": "apply"}).status_code == 422
    assert body(town) == before


def test_what_people_named_is_text_on_every_page(town: Town, leader: FlaskClient) -> None:
    evil = "<script>alert(1)</script>"
    applied(town, sample().replace("Bản tin học đường", evil).replace("Nhạc xuân", evil).replace('VOV1"', f'{evil}"'))
    for path in (PAGE, EDIT, TEXT):
        assert evil not in leader.get(path).text
    page = pressed(leader, EDIT, leader.get(EDIT).text, "check", title=evil, slot__0__label=evil).text
    assert evil not in page


def test_the_policy_is_said_in_sentences_and_loaded_by_an_administrator(town: Town, leader: FlaskClient) -> None:
    assert "Chưa có quy chế riêng. Giờ yên tĩnh của đài: 21:00–05:00." in leader.get(PAGE).text
    boss = town.client(town.app(), "quan-tri")
    content = (SAMPLES / "policies" / "xa-dong-dang-lang-son.toml").read_bytes()
    page = uploaded(boss, content, path=POLICY)
    assert "Từ 01/01/2026 sẽ là:" in page
    assert town.store.policies.of(COMMUNE) == []
    assert pressed(boss, POLICY, page, "apply").status_code == 303
    page = leader.get(PAGE).text
    for words in (
        "Của Xã Đồng Đăng, từ 01/01/2026",
        "Thứ Hai đến thứ Sáu: không quá 3 buổi phát mỗi ngày.",
        "Thứ Bảy, Chủ nhật: cả ngày không quá 60 phút.",
        "Hằng ngày: mỗi buổi không quá 30 phút.",
        "Âm lượng: từ 05:00 −9",
    ):
        assert words in page.replace("\u00a0", " "), words
    assert "since = 2026-01-01" in leader.get(f"{PAGE}/quy-che.toml").text
    assert town.store.acts.recent()[0].what == "set policy"


@pytest.mark.parametrize("text", ["", "[policy]", "x", "[policy]\narea = 'lang-son'\nsince = 2026-01-01", "a" * 70_000])
def test_a_text_that_is_no_policy_of_this_area_is_refused(town: Town, text: str) -> None:
    boss = town.client(town.app(), "quan-tri")
    answer = pressed(boss, POLICY, boss.get(POLICY).text, "apply", text=text)
    assert answer.status_code == 422
    assert len(problems(answer.text)) == 1
    assert town.store.policies.all() == {}


def test_a_policy_is_not_applied_before_it_was_read_back(town: Town) -> None:
    boss = town.client(town.app(), "quan-tri")
    first = boss.get(POLICY).text
    assert "area = " in fields(first)["text"]
    assert pressed(boss, POLICY, first, "apply").status_code == 200
    assert town.store.policies.all() == {}


def test_an_item_of_a_programme_that_sounded_leads_to_no_booking(town: Town, leader: FlaskClient) -> None:
    town.report("p0123456789ab-20261124t2200-0", "dong-dang-1")
    page = leader.get("/nhat-ky-phat").text
    assert "Mục của khung chương trình" in page
    assert "/lich-phat/p" not in page


def test_what_a_programme_took_back_in_time_is_left_out_of_the_log_until_asked_for(
    town: Town, leader: FlaskClient
) -> None:
    item = "p0123456789ab-20261125t2200-0"
    town.report(item, "dong-dang-1", Step.WITHDRAWN)
    assert "Mục của khung chương trình" not in leader.get("/nhat-ky-phat").text
    assert "Mục của khung chương trình" in leader.get(f"/nhat-ky-phat?lich-phat={item}").text
    town.report("b0123456789ab", "dong-dang-1", Step.WITHDRAWN)
    assert "Đã rút" in leader.get("/nhat-ky-phat").text
    assert {each.job for each in town.store.asrun.outcomes()} == {item, "b0123456789ab"}


def test_the_form_offers_the_names_of_series_and_of_what_was_approved(town: Town, leader: FlaskClient) -> None:
    applied(town)
    told = town.booked(leader, title="Nhạc hiệu xã")
    town.voice(town.announcement_of(told))
    town.booked(leader, title="Chưa có giọng", key="1" * 32)
    page = leader.get(EDIT).text
    known = page[page.index("<datalist") : page.index("</datalist")]
    assert 'value="ban-tin-xa"' in known
    assert 'value="Nhạc hiệu xã"' in known
    assert "Chưa có giọng" not in known
