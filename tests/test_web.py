"""The window without scripts: every page, the whole path of an announcement, and languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from makers_web import FIRST_TOKEN, NOON, PASSWORD, TEXT, Town, a_day, composed, form_key, send, settled_town

from controller.rights import Role
from controller.roster import Node
from controller.store.rows import AnnouncementState, BookingState, VoiceFault
from controller.web import times
from controller.web.language import COOKIE
from wire.errors import Reason
from wire.plan import BulletinClass
from wire.presence import State
from wire.receipt import Receipt, Receipts, Step
from words import table

PAGES = (
    "/",
    "/soan",
    "/duyet",
    "/ke-hoach",
    "/lich",
    "/ban-tin",
    "/cum-loa",
    "/cum-loa/dong-dang-1",
    "/nhat-ky-phat",
    "/nhat-ky",
    "/tu-dien",
    "/khoa",
)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


def test_the_first_administrator_comes_in_by_the_link_once(tmp_path: Path) -> None:
    town = Town(tmp_path)
    client = town.app().test_client()
    path = f"/chao/{FIRST_TOKEN}"
    assert 'name="name"' in client.get(path).text
    typed = {"csrf_token": form_key(client, path), "name": "quan-tri", "password": PASSWORD, "again": PASSWORD}
    assert client.post(path, data=typed).location == "/"
    assert client.get("/").status_code == 200
    late = town.app().test_client()
    typed |= {"csrf_token": form_key(late, "/dang-nhap"), "name": "ke-trom"}
    assert late.post(path, data=typed).status_code == 410
    assert [person.name for person in town.store.people.all()] == ["quan-tri"]
    town.store.close()


def test_a_wrong_first_link_opens_nothing_even_while_there_is_nobody(tmp_path: Path) -> None:
    town = Town(tmp_path)
    client = town.app().test_client()
    path = "/chao/" + "x" * len(FIRST_TOKEN)
    key = form_key(client, "/dang-nhap")
    typed = {"csrf_token": key, "name": "ke-trom", "password": PASSWORD, "again": PASSWORD}
    assert client.post(path, data=typed).status_code == 410
    assert town.store.people.count() == 0
    town.store.close()


def test_an_invited_person_chooses_a_password(town: Town, app: Flask) -> None:
    path = f"/chao/{town.desk.invite(town.editor.id, town.boss, town.now)}"
    client = app.test_client()
    typed = {"csrf_token": form_key(client, path), "password": "một câu khác hẳn", "again": "một câu khác hẳn"}
    assert client.post(path, data=typed | {"again": "lệch"}).status_code == 422
    assert client.post(path, data=typed).location == "/"
    assert town.desk.sign_in("van-hoa", "một câu khác hẳn", town.now).user.id == town.editor.id


def test_sign_in_leads_back_to_the_page_asked_for(app: Flask) -> None:
    client = app.test_client()
    asked = client.get("/ke-hoach?dia-ban=lang-son")
    assert asked.location == "/dang-nhap?tiep=/ke-hoach?dia-ban%3Dlang-son"
    typed = {"csrf_token": form_key(client, asked.location), "name": "van-hoa", "password": PASSWORD}
    assert client.post("/dang-nhap", data=typed | {"tiep": "/ke-hoach?dia-ban=lang-son"}).location.startswith(
        "/ke-hoach"
    )


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_page_opens_full_and_empty_in_both_languages(town: Town, app: Flask, path: str, language: str) -> None:
    client = town.client(app, "quan-tri")
    client.get(f"/tieng/{language}")
    assert client.get(path).status_code == 200
    booking = town.booked(client)
    town.voice(town.announcement_of(booking))
    town.wake("dong-dang-1")
    town.report(booking, "dong-dang-1")
    town.store.refusals.count("bad_seal", "radio/v1/nodes/x/health", "detail", town.now)
    full = client.get(path)
    assert full.status_code == 200
    assert f'<html lang="{language}"' in full.text


def test_text_is_heard_then_sent_and_stands_in_the_plan(town: Town, app: Flask) -> None:
    client = town.client(app, "chu-tich")
    heard = client.post("/nghe-thu", data=composed(client))
    assert "Ủy ban nhân dân" in heard.text
    assert "Đang tạo giọng đọc" in heard.text
    draft = town.store.announcements.list()[0]
    asset = town.voice(draft.id)
    part = client.get(f"/nghe-thu/{draft.id}").text
    assert f"/audio/{asset}.opus" in part
    assert "data-wait" not in part
    booking = town.booked(client, draft=draft.id)
    assert town.announcement_of(booking) == draft.id
    assert "Đã lên lịch" in client.get(f"/lich-phat/{booking}?moi=1").text
    assert draft.title in client.get("/ke-hoach").text
    assert [each.id for each in town.store.bookings.to_plan(town.now)] == [booking]


def test_text_changed_after_hearing_is_voiced_anew(town: Town, app: Flask) -> None:
    client = town.client(app, "chu-tich")
    client.post("/nghe-thu", data=composed(client))
    draft = town.store.announcements.list()[0]
    town.voice(draft.id)
    town.booked(client, draft=draft.id, text="Nội dung khác.")
    held = town.store.announcements.get(draft.id)
    assert held is not None
    assert (held.text, held.asset) == ("Nội dung khác.", None)


def test_a_double_tap_sends_once(town: Town, app: Flask) -> None:
    client = town.client(app, "chu-tich")
    assert town.booked(client) == town.booked(client)
    client.post("/nghe-thu", data=composed(client, text="Bản tin thứ hai"))
    draft = next(each for each in town.store.announcements.list() if each.state is AnnouncementState.DRAFT)
    again = {"draft": draft.id, "key": "7" * 32, "text": "Bản tin thứ hai"}
    assert town.booked(client, **again) == town.booked(client, **again)
    assert len(town.store.bookings.list()) == 2


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"text": "  "}, "text", "Hãy gõ nội dung"),
        ({"text": "a" * 20_001}, "text", "20000"),
        ({"areas": []}, "areas", "ít nhất một địa bàn"),
        ({"areas": ["mat-trang"]}, "areas", "Hãy chọn lại"),
        ({"areas": ["lang-son:tam-thanh"]}, "areas", "Hãy chọn lại"),
        ({"day": "2026-11-23"}, "when", "đã qua"),
        ({"day": "other", "date": "31/02/2026"}, "when", "Hãy chọn ngày"),
        ({"day": "other", "date": "24/11/2099"}, "when", "cách hiện tại"),
        ({"hour": "25"}, "when", "Hãy chọn ngày"),
        ({"hour": "23"}, "when", "giờ yên tĩnh"),
        ({"bulletin_class": "royal"}, "class", "Hãy chọn loại"),
        ({"bulletin_class": "emergency"}, "confirm", "gõ đúng tên"),
        ({"bulletin_class": "emergency", "confirm": "Phường Tam Thanh"}, "confirm", "gõ đúng tên"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(
    town: Town, app: Flask, changed: dict[str, object], field: str, sentence: str
) -> None:
    client = town.client(app, "chu-tich")
    answer = send(client, title="Tên đã gõ", **changed)
    assert answer.status_code == 422
    assert f'<a href="#{field}">' in answer.text
    assert f'id="{field}"' in answer.text
    assert sentence in answer.text
    assert 'value="Tên đã gõ"' in answer.text
    assert str(changed.get("text", TEXT)).strip() in answer.text
    assert town.store.bookings.list() == []


def test_an_emergency_goes_out_once_an_area_is_named_without_accents(town: Town, app: Flask) -> None:
    client = town.client(app, "chu-tich")
    booking = town.booked(client, bulletin_class="emergency", confirm="  xa DONG dang ", when="now")
    view = town.store.bookings.view(booking)
    assert view is not None
    assert (view.booking.bulletin_class, view.booking.start) == (BulletinClass.EMERGENCY, None)


def test_the_last_areas_are_chosen_again(town: Town, app: Flask) -> None:
    client = town.client(app, "chu-tich")
    town.booked(client, areas=["lang-son:dong-dang:thon-2"])
    page = client.get("/soan").text
    assert 'value="lang-son:dong-dang:thon-2" checked' in page
    assert page.count(" checked>") == 5  # the area, now, weekly should it repeat, today, ordinary


def test_an_editor_s_announcement_waits_until_it_is_approved(town: Town, app: Flask) -> None:
    editor, approver = town.client(app, "van-hoa"), town.client(app, "chu-tich")
    booking = town.booked(editor)
    announcement = town.announcement_of(booking)
    town.voice(announcement)
    assert "Chờ duyệt" in editor.get(f"/lich-phat/{booking}").text
    assert TEXT in approver.get("/duyet").text
    data = {"csrf_token": form_key(approver), "seen": "1"}
    assert approver.post(f"/duyet/{announcement}/dong-y", data=data).status_code == 303
    assert [each.id for each in town.store.bookings.to_plan(town.now)] == [booking]
    assert "Không có bản tin nào" in approver.get("/duyet").text


def test_a_yes_can_be_undone_for_ten_seconds(town: Town, app: Flask) -> None:
    editor, approver = town.client(app, "van-hoa"), town.client(app, "chu-tich")
    announcement = town.announcement_of(town.booked(editor))
    town.voice(announcement)
    data = {"csrf_token": form_key(approver), "seen": "1"}
    said = approver.post(f"/duyet/{announcement}/dong-y", data=data, follow_redirects=True).text
    assert f"/duyet/{announcement}/hoan-tac" in said
    assert f"/duyet/{announcement}/hoan-tac" not in town.client(app, "quan-tri").get(f"/duyet?vua={announcement}").text
    undone = approver.post(f"/duyet/{announcement}/hoan-tac", data=data, follow_redirects=True).text
    assert f"/duyet/{announcement}/dong-y" in undone
    assert town.store.bookings.to_plan(town.now) == []
    again = re.search(r'name="seen" value="(\d+)"', undone)
    assert again
    assert approver.post(f"/duyet/{announcement}/dong-y", data=data | {"seen": again[1]}).status_code == 303
    town.now += timedelta(seconds=16)
    assert "hoan-tac" not in approver.get(f"/duyet?vua={announcement}").text
    late = approver.post(f"/duyet/{announcement}/hoan-tac", data=data)
    assert late.status_code == 422
    assert "không hoàn tác được nữa" in late.text


def test_returning_needs_a_reason_and_tells_it_to_the_author(town: Town, app: Flask) -> None:
    editor, approver = town.client(app, "van-hoa"), town.client(app, "chu-tich")
    announcement = town.announcement_of(town.booked(editor))
    path, key = f"/duyet/{announcement}/tra-lai", form_key(approver)
    assert approver.post(path, data={"csrf_token": key, "reason": " "}).status_code == 422
    long = approver.post(path, data={"csrf_token": key, "reason": "Sai giờ họp. " * 90})
    assert long.status_code == 422
    assert "Sai giờ họp. " * 90 in long.text, "nothing of what was written is lost"
    assert approver.post(path, data={"csrf_token": key, "reason": "Sai giờ họp"}).status_code == 303
    held = town.store.announcements.get(announcement)
    assert held is not None
    assert (held.state, held.reason) == (AnnouncementState.RETURNED, "Sai giờ họp")


def test_a_withdrawn_booking_leaves_the_plan(town: Town, app: Flask) -> None:
    client = town.client(app, "chu-tich")
    booking = town.booked(client)
    assert client.post(f"/lich-phat/{booking}/rut", data={"csrf_token": form_key(client)}).status_code == 303
    assert booking not in client.get("/ke-hoach").text
    assert "Đã rút" in client.get(f"/lich-phat/{booking}").text


def test_a_voice_that_failed_says_why_and_can_be_asked_again(town: Town, app: Flask) -> None:
    client = town.client(app, "chu-tich")
    client.post("/nghe-thu", data=composed(client))
    draft = town.store.announcements.list()[0]
    town.store.announcements.set_voice_failed(draft.id, draft.script_hash, VoiceFault("desk.empty_text"))
    assert "Chưa có nội dung để đọc" in client.get(f"/nghe-thu/{draft.id}").text
    again = client.post(f"/nghe-thu/{draft.id}/lai", data={"csrf_token": form_key(client)})
    assert "data-wait" in again.text


def test_the_as_run_log_counts_who_sounded_it(town: Town, app: Flask) -> None:
    client = town.client(app, "chu-tich")
    booking = town.booked(client)
    town.voice(town.announcement_of(booking))
    town.now = NOON + timedelta(hours=5, minutes=1)
    for number in range(1, 6):
        town.report(booking, f"dong-dang-{number}")
    town.report(booking, "dong-dang-6", Step.MISSED, "no_audio")
    for path in ("/nhat-ky-phat", f"/nhat-ky-phat?lich-phat={booking}", f"/lich-phat/{booking}", "/ke-hoach"):
        assert "Đã phát ở 5 trên 6 cụm loa" in client.get(path).text, path
    assert "chưa tải được âm thanh" in client.get("/nhat-ky-phat?dia-ban=lang-son:dong-dang:thon-6").text
    assert "Bỏ lỡ" not in client.get("/nhat-ky-phat?dia-ban=lang-son:dong-dang:thon-1").text


def test_a_node_that_is_said_to_be_online_but_silent_is_not_called_online(town: Town, app: Flask) -> None:
    client = town.client(app, "chu-tich")
    town.wake("dong-dang-1")
    town.wake("dong-dang-2", State.OFFLINE)
    assert "Trực tuyến" in client.get("/cum-loa/dong-dang-1").text
    assert "Mất kết nối" in client.get("/cum-loa/dong-dang-2").text
    assert "Chưa kết nối" in client.get("/cum-loa/dong-dang-3").text
    town.now += timedelta(minutes=6)
    assert "Không rõ" in client.get("/cum-loa/dong-dang-1").text


def test_absent_measurements_are_said_absent(town: Town, app: Flask) -> None:
    town.wake("dong-dang-1")
    page = town.client(app, "chu-tich").get("/cum-loa/dong-dang-1").text
    assert "51,5\u00a0°C" in page
    assert page.count("không có") >= 4


def test_liveness_says_that_the_web_and_the_store_are_there(app: Flask) -> None:
    answer = app.test_client().get("/suc-khoe")
    assert (answer.status_code, answer.json) == (
        200,
        {"web": "ok", "store": "ok", "broker": None, "station_seconds": None},
    )


def test_language_goes_back_to_the_page_but_to_no_other_site(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/tieng/en", headers={"Referer": "http://localhost/dang-nhap"}).location == "/dang-nhap"
    assert client.get("/tieng/en", headers={"Referer": "http://evil.test/dang-nhap"}).location == "/"
    assert "Sign in" in client.get("/dang-nhap").text
    assert client.get("/tieng/xx").status_code == 404


def test_times_are_shown_as_people_here_write_them() -> None:
    zone = "Asia/Ho_Chi_Minh"
    assert times.shown(NOON, NOON, zone, "vi") == "12:00 · Hôm nay 24/11"
    assert times.shown(NOON + timedelta(days=1), NOON, zone, "en") == "12:00 · Tomorrow 25/11"
    assert times.shown(NOON + timedelta(days=60), NOON, zone, "vi") == "12:00 · Thứ Bảy 23/01/2027"
    assert times.shown(None, NOON, zone, "vi") == ""
    assert [times.span(each, "en") for each in (0, 59, 3600, 90_061)] == ["0 s", "59 s", "1 h", "1 d 1 h"]
    assert times.written_day("24.11.2026") == times.written_day("24/11/2026") == NOON.date()
    assert times.written_day("11/24/2026") is None


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_said_in_words(reason: Reason) -> None:
    for language in ("vi", "en"):
        assert table(language)[f"web.reason_{reason.value}"]


def test_the_list_of_nodes_shows_what_somebody_should_look_at_first(town: Town, app: Flask) -> None:
    client = town.client(app, "quan-tri")
    a_day(town, app)
    page = client.get("/cum-loa").text
    for shown in ("83\u00a0°C", "97\u00a0%", "Chưa biết giờ", "Hỏng", "USB Audio Device", "+3\u00a0ms", "không có"):
        assert shown in page, shown
    assert (
        page.count('worry"') == 8
    )  # heat, disk, clock, audio, refusals; the worst of each node with a bad one, a forged seal too
    assert page.index("Cụm loa Đồng Đăng 2") < page.index("Cụm loa Tam Thanh 1") < page.index("Cụm loa Đồng Đăng 1")
    narrowed = client.get("/cum-loa?dia-ban=lang-son:tam-thanh").text
    assert "Cụm loa Tam Thanh 6" in narrowed
    assert "Cụm loa Đồng Đăng" not in narrowed


@pytest.mark.parametrize(
    ("language", "said"), [("vi", "Chưa biết giờ, chỉ phát khẩn cấp"), ("en", "Time unknown, emergencies only")]
)
def test_the_screen_says_that_a_node_does_not_know_the_time(town: Town, app: Flask, language: str, said: str) -> None:
    client = town.client(app, "quan-tri")
    client.set_cookie(COOKIE, language)
    town.wake("dong-dang-3", clock_known=False)
    town.wake("dong-dang-4")
    assert said in client.get("/cum-loa/dong-dang-3").text
    assert said not in client.get("/cum-loa/dong-dang-4").text
    town.now += timedelta(seconds=2)
    town.wake("dong-dang-3")
    assert said not in client.get("/cum-loa/dong-dang-3").text


def test_the_as_run_log_says_when_how_loud_which_file_and_why_not(town: Town, app: Flask) -> None:
    booking = a_day(town, app)
    view = town.store.bookings.view(booking)
    assert view is not None
    assert view.asset is not None
    page = town.client(app, "quan-tri").get(f"/nhat-ky-phat?lich-phat={booking}").text
    for shown in (
        "16:59:59",
        "−3\u00a0ms",
        "−17,6\u00a0dBFS",
        "17:00:01",
        "+1840\u00a0ms",
        f"/audio/{view.asset}.opus",
    ):
        assert shown in page, shown
    for why in ("chưa tải được âm thanh", "nhường bản tin cao hơn", "giờ yên tĩnh"):
        assert why in page, why


def test_the_as_run_log_says_how_much_of_a_relay_was_heard(town: Town, app: Flask) -> None:
    client = town.client(app, "quan-tri")
    name = f"relay-{'a' * 32}"
    town.report("p1-20261124t1000-0", "dong-dang-1", asset=name, came=(600, 300))
    town.report("p1-20261124t1000-0", "dong-dang-2", Step.MISSED, "no_stream", asset=name, detail="404")
    page = client.get("/nhat-ky-phat").text
    for shown in ("tiếp sóng", "có sóng 1\u00a0s, bản thay thế 0\u00a0s", "không bắt được sóng để tiếp"):
        assert shown in page, shown
    assert "/audio/relay" not in page


def test_a_booking_heard_by_more_nodes_than_a_page_lists_is_counted_whole(town: Town, app: Flask) -> None:
    client = town.client(app, "quan-tri")
    booking = town.booked(client)
    town.voice(town.announcement_of(booking))
    batches = []
    for number in range(600):
        home, key = "lang-son:dong-dang:thon-1", f"{1000 + number:064x}"
        town.store.roster.add_node(Node(f"n-{number}", f"Cụm loa {number}", home, key, town.now))
        batches.append(Receipts(f"n-{number}", "s1", (Receipt(1, booking, Step.SOUNDED, town.now, town.now),)))
    town.now = NOON + timedelta(hours=5)
    town.store.asrun.store_batches(batches, town.now)
    page = client.get(f"/lich-phat/{booking}").text
    assert "Đã phát ở 600 trên 606 cụm loa" in page
    assert "100 lần phát mới nhất" in page


def test_what_was_returned_is_opened_changed_and_sent_again(town: Town, app: Flask) -> None:
    editor, approver = town.client(app, "van-hoa"), town.client(app, "chu-tich")
    booking = town.booked(editor, text="Họp thôn.", title="Họp")
    announcement = town.announcement_of(booking)
    key = form_key(approver, "/duyet")
    approver.post(f"/duyet/{announcement}/tra-lai", data={"csrf_token": key, "reason": "Thiếu giờ"})
    assert "Thiếu giờ" in editor.get("/soan").text
    assert "Thiếu giờ" in editor.get(f"/soan/{announcement}").text
    again = composed(editor, text="Họp thôn lúc 7h30.", draft=announcement, key="6" * 32)
    assert editor.post("/soan", data=again).status_code == 303
    held = town.store.announcements.get(announcement)
    assert held is not None
    assert (held.text, held.state, held.reason) == ("Họp thôn lúc 7h30.", AnnouncementState.SUBMITTED, "")
    assert len(town.store.bookings.of(announcement)) == 2


def test_what_was_sent_is_taken_back_to_be_changed(town: Town, app: Flask) -> None:
    approver = town.client(app, "chu-tich")
    booking = town.booked(approver, text="Họp thôn.", title="Họp")
    announcement = town.announcement_of(booking)
    revised = approver.post(f"/soan/{announcement}/sua", data={"csrf_token": form_key(approver)})
    draft = revised.location.split("/")[-1].split("?")[0]
    opened = approver.get(revised.location).text
    assert "Họp thôn." in opened
    assert 'data-from="/so-viec"' in opened, "it is no page any more once it is sent, and must not be asked for again"
    assert 'data-from=""' in approver.get("/soan").text
    row, held = town.store.bookings.get(booking), town.store.announcements.get(announcement)
    assert row is not None
    assert held is not None
    assert (row.state, held.state) == (BookingState.WITHDRAWN, AnnouncementState.WITHDRAWN)
    assert "Bản nháp" in approver.get("/soan").text
    stranger = town.client(app, "tam-thanh")
    assert stranger.post(f"/soan/{announcement}/sua", data={"csrf_token": form_key(stranger)}).status_code == 409
    approver.post(f"/soan/{draft}/bo", data={"csrf_token": form_key(approver)})
    assert "Bản nháp" not in approver.get("/soan").text


def test_what_is_taken_back_twice_is_one_draft_until_that_is_sent(town: Town, app: Flask) -> None:
    approver = town.client(app, "chu-tich")
    announcement = town.announcement_of(town.booked(town.client(app, "van-hoa"), text="Họp thôn.", title="Họp"))
    data = {"csrf_token": form_key(approver)}
    first, second = (approver.post(f"/soan/{announcement}/sua", data=data).location for _ in range(2))
    assert first == second
    [draft] = [each.id for each in town.store.announcements.list() if each.author == town.approver.id]
    town.booked(approver, draft=draft, text="Họp thôn.")
    third = approver.post(f"/soan/{announcement}/sua", data=data).location
    assert third.partition("?")[0] != first.partition("?")[0]
    assert len(town.store.announcements.list()) == 3


@pytest.mark.parametrize(
    ("role", "own", "hints"),
    [
        (Role.EDITOR, "always", ["ordinary", "emergency"]),
        (Role.EMERGENCY, "always", ["ordinary"]),  # what they order is heard at once
        (Role.EMERGENCY, "ordinary", ["ordinary", "emergency"]),
        (Role.APPROVER, "always", []),  # of the tests: orders emergencies too
        (Role.APPROVER, "ordinary", ["emergency"]),
    ],
)
def test_whoever_writes_reads_whether_somebody_else_must_approve(
    town: Town, role: Role, own: str, hints: list[str]
) -> None:
    town.person("moi", role, "lang-son:dong-dang", "Mới")
    town.settings = replace(town.settings, own_approval=own)
    page = town.client(town.app(), "moi").get("/soan").text
    assert re.findall(r'<p class="quiet send-(\w+)">Bản tin được phát sau khi', page) == hints


def test_a_draft_that_was_thrown_away_is_fetched_back(town: Town, app: Flask) -> None:
    client = town.client(app, "van-hoa")
    client.post("/nghe-thu", data=composed(client, text="Lời soạn cả buổi.", title="Cả buổi"))
    draft = town.store.announcements.list()[0]
    gone = client.post(f"/soan/{draft.id}/bo", data={"csrf_token": form_key(client)}, follow_redirects=True)
    assert "Đã bỏ bản nháp “Cả buổi”." in gone.text
    assert f"/ban-tin/{draft.id}/dung-lai" in gone.text
    back = client.post(f"/ban-tin/{draft.id}/dung-lai", data={"csrf_token": form_key(client)}, follow_redirects=True)
    assert "Lời soạn cả buổi." in back.text
    stranger = town.client(app, "chu-tich").get(f"/soan?bo={draft.id}")
    assert "Lấy lại bản nháp" not in stranger.text
